//! Replaces the rows of failed items in an output. The new rows are collected in an
//! unnamed temporary file beside the output. When all are there, a new output is
//! written, with the new rows in the places of the old ones, and replaces the old one
//! in one step. Until then the old output is not touched.

use super::buffer::OutputBuffer;
use super::descriptor::OutputDescriptor;
use crate::resume::journal::{Journal, JournalFiles};
use crate::resume::output_rows::{OutputRows, RowLayout, visit_rows};
use crate::resume::record::{Digest, OutputProgress};
use crate::resume::tracker::RetriedItems;
use procession_task::FailureKind;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// An output whose failed rows are replaced.
#[derive(Debug)]
pub(crate) struct RetryOutput {
    items: RetriedItems,
    old: File,
    /// The new rows, in the order of their items.
    spool: BufWriter<File>,
    /// Where each of them ends in the spool.
    ends: Vec<u64>,
}

impl RetryOutput {
    /// An output that is complete to this progress; `None` if its rows are not of this
    /// layout. `goes_on` says whether more items follow behind it.
    pub(super) fn open(
        files: &JournalFiles,
        done: &OutputProgress,
        layout: RowLayout,
        goes_on: bool,
    ) -> io::Result<Option<Self>> {
        let rows = OutputRows::of(&files.output, done.bytes, layout)?;
        let fits = |rows: &OutputRows| (rows.count, rows.failed.count()) == (done.items, done.failures());
        let Some(rows) = rows.filter(fits) else { return Ok(None) };
        let folder = files.output_path.parent().unwrap_or(Path::new("/"));
        let spool = BufWriter::new(tempfile::tempfile_in(folder)?);
        let items = RetriedItems { rows: Arc::new(rows), goes_on };
        Ok(Some(Self { items, old: files.output.try_clone()?, spool, ends: Vec::new() }))
    }

    /// The items that are run again.
    pub(super) fn items(&self) -> RetriedItems {
        self.items.clone()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.items.rows.failed.count()
    }

    /// Whether the new rows of all of them are there.
    pub(super) fn is_complete(&self) -> bool {
        self.ends.len() as u64 == self.count()
    }

    /// Whether more items follow behind the output.
    pub(super) fn goes_on(&self) -> bool {
        self.items.goes_on
    }

    /// Takes the next new rows.
    pub(super) fn put(&mut self, mut rows: &[u8]) -> io::Result<()> {
        let mut row = Vec::new();
        while self.items.rows.layout.format.read_record(&mut rows, &mut row)? {
            self.spool.write_all(&row)?;
            self.ends.push(self.ends.last().copied().unwrap_or(0) + row.len() as u64);
        }
        Ok(())
    }

    /// Replaces the output; returns its buffer, to go on behind it. `failed` are the
    /// new rows that are failures again.
    pub(super) fn merge(
        mut self,
        journal: &mut Journal,
        failed: BTreeMap<FailureKind, u64>,
    ) -> io::Result<OutputBuffer> {
        self.spool.flush()?;
        let rows = Arc::clone(&self.items.rows);
        let new = journal.new_output()?;
        let file = Some(new.file().try_clone()?);
        let mut buffer = OutputBuffer::new(Some(Box::new(OutputDescriptor { file, first: None })), true);
        buffer.put(rows.layout.format.header())?;
        visit_rows(&self.old, rows.bytes, rows.layout, &mut |row| match rows.failed.rank(row.item) {
            None => buffer.put(row.record),
            Some(rank) => buffer.put(&self.new_row(rank)?),
        })?;
        buffer.flush()?;
        let input = Digest(journal.tracker().confirmed().unwrap_or_default());
        let output = Digest(buffer.digest().unwrap_or_default());
        let progress = OutputProgress { items: rows.count, bytes: buffer.bytes, input, output, failed };
        journal.replace_output(new, progress)?;
        Ok(buffer)
    }

    /// The new row of this rank among the items that are run again.
    fn new_row(&self, rank: u64) -> io::Result<Vec<u8>> {
        let at = usize::try_from(rank).unwrap_or(usize::MAX);
        let end = *self.ends.get(at).ok_or(io::ErrorKind::UnexpectedEof)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut row = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.spool.get_ref().read_exact_at(&mut row, start)?;
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure_policy::FailurePolicy;
    use crate::output::open::{OpenedOutput, open};
    use crate::output::report::{OutputEnd, OutputReport, RetriedRows};
    use crate::output::writer::OutputWriter;
    use crate::output::writer::options::OutputOptions;
    use crate::resume::decision::{Intent, ResumeJob};
    use crate::resume::hash::InputHash;
    use crate::resume::record::{JobSettings, RecordState, ResumeRecord};
    use bytes::Bytes;
    use procession::raw::{Batch, Credit, Delivery, ItemFailure, Sink as _, Waker};
    use procession_task::{Failure, Format, Items};
    use std::fs;

    const OLD: &str = "a\t1\nb\t\tfailed: no\nc\t\tfailed: no\nd\t1\n";
    const KEEP: FailurePolicy = FailurePolicy { keep_going: true, max: None };

    struct Place(tempfile::TempDir);

    impl Place {
        /// An output of four items, of which two failed, and its record.
        fn new(state: RecordState) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            fs::write(place.path("out"), OLD).unwrap();
            place.write_record(&ResumeRecord::new(state, JobSettings::new(), progress(OLD, 2)));
            place
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        fn write_record(&self, record: &ResumeRecord) {
            fs::write(self.path("out.resume"), record.to_text().unwrap()).unwrap();
        }

        fn record(&self) -> Option<ResumeRecord> {
            fs::read(self.path("out.resume")).ok().map(|text| ResumeRecord::parse(&text).unwrap())
        }

        fn output(&self) -> String {
            fs::read_to_string(self.path("out")).unwrap()
        }

        fn open(&self) -> OpenedOutput {
            let layout = RowLayout { format: Format::Tsv, first: 0, is_ordered: true };
            let job = ResumeJob { settings: JobSettings::new(), rule: Items::Lines, policy: KEEP, layout, log: None };
            open(&self.path("out"), Intent::RetryFailed, job, &mut |_| ()).unwrap()
        }

        /// Writes these rows, as `INPUT<TAB>RESULT` or failures. The first is of item 1.
        fn retry(&self, rows: &[(u64, &str)], policy: FailurePolicy, is_complete: bool) -> OutputReport {
            let OpenedOutput::Target(target) = self.open() else { panic!("nothing to retry") };
            let mut hash = InputHash::new(Items::Lines);
            hash.update(b"a\nb\nc\nd\n", 4);
            let tracker = target.tracker().unwrap();
            tracker.confirm(hash, 4);
            let options = OutputOptions { policy, ..OutputOptions::new(Format::Tsv) };
            let (mut writer, handle) = OutputWriter::spawn(*target, options, Box::new(|| ())).unwrap();
            for (item, row) in rows {
                if *item >= 4 {
                    tracker.push(Bytes::copy_from_slice(format!("{}\n", &row[..1]).as_bytes()), 1);
                }
                let credit = Credit::new(1, Arc::default(), Waker::new(|| ()));
                writer.deliver(Batch { deliveries: vec![delivery(*item, row)], credit });
            }
            handle.written().end(is_complete)
        }
    }

    fn progress(output: &str, failed: u64) -> OutputProgress {
        let failed = [(FailureKind::Failed, failed)].into_iter().filter(|(_, count)| *count > 0).collect();
        let hash = |bytes: &str| Digest(xxhash_rust::xxh3::xxh3_128(bytes.as_bytes()));
        let (items, bytes) = (output.lines().count() as u64, output.len() as u64);
        let input: String = output.lines().map(|line| format!("{}\n", &line[..1])).collect();
        OutputProgress { items, bytes, input: hash(&input), output: hash(output), failed }
    }

    fn delivery(item: u64, row: &str) -> Delivery {
        let outputs = Bytes::copy_from_slice(row.as_bytes());
        let failure = ItemFailure {
            item,
            place: None,
            input: Bytes::copy_from_slice(&row.as_bytes()[..1]),
            failure: Failure::new(FailureKind::Failed, "no"),
            record: 0..row.len(),
            pid: 1,
            attempts: 1,
        };
        let failures = if row.contains("failed") { vec![failure] } else { Vec::new() };
        Delivery { first: item, items: row.lines().count() as u32, outputs, failures }
    }

    #[test]
    fn new_rows_stand_in_the_places_of_the_old_ones() {
        let place = Place::new(RecordState::Complete);
        let report = place.retry(&[(1, "b\tnew\n"), (2, "c\t\tfailed: no\n")], KEEP, true);
        let expected = "a\t1\nb\tnew\nc\t\tfailed: no\nd\t1\n";
        assert_eq!(place.output(), expected);
        assert_eq!(report.retried, Some(RetriedRows { count: 2, failed: 1 }));
        assert_eq!((report.items, report.failures.total, report.before.failures), (4, 1, 0));
        let record = place.record().unwrap();
        assert_eq!((record.state, record.next, record.done), (RecordState::Complete, None, progress(expected, 1)));
        let report = place.retry(&[(2, "c\tnew\n")], KEEP, true);
        assert_eq!((place.output(), report.failures.total), ("a\t1\nb\tnew\nc\tnew\nd\t1\n".to_owned(), 0));
        assert_eq!(place.record(), None);
        assert!(matches!(place.open(), OpenedOutput::WithoutFailures { items: 4 }));
        assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1, "only the output is left");
    }

    #[test]
    fn without_all_new_rows_the_old_output_stays() {
        for state in [RecordState::Complete, RecordState::Interrupted] {
            let place = Place::new(state);
            let before = place.record();
            for rows in [&[][..], &[(1, "b\tnew\n")]] {
                let report = place.retry(rows, KEEP, false);
                assert_eq!((place.output(), place.record()), (OLD.to_owned(), before.clone()));
                assert_eq!((report.retried, report.resumable), (None, None));
            }
            assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn an_interrupted_output_goes_on_behind_its_new_rows() {
        let place = Place::new(RecordState::Interrupted);
        fs::write(place.path("out"), format!("{OLD}e\t\tfailed: half")).unwrap();
        let rows = [(1, "b\tnew\nc\t\tfailed: no\n"), (4, "e\t1\n"), (5, "f\t\tfailed: no\n")];
        let report = place.retry(&rows, KEEP, false);
        let expected = "a\t1\nb\tnew\nc\t\tfailed: no\nd\t1\ne\t1\nf\t\tfailed: no\n";
        assert_eq!((place.output(), report.resumable), (expected.to_owned(), Some(6)));
        let record = place.record().unwrap();
        assert_eq!((record.state, record.done), (RecordState::Interrupted, progress(expected, 2)));
        // As many failures as allowed are left: it ends before the next item.
        let max = FailurePolicy { keep_going: true, max: Some("1".parse().unwrap()) };
        let rows = [(2, "c\tnew\n"), (5, "f\t\tfailed: no\n"), (6, "g\t1\n")];
        let report = place.retry(&rows, max, false);
        assert!(matches!(report.end, OutputEnd::Failures));
        assert_eq!(place.output(), "a\t1\nb\tnew\nc\tnew\nd\t1\ne\t1\nf\t\tfailed: no\n");
        assert_eq!(place.record().unwrap().done.items, 6);
    }

    #[test]
    fn a_run_that_was_killed_while_it_replaced_the_output_has_left_a_record_of_both() {
        let new = "a\t1\nb\tnew\nc\t\tfailed: no\nd\t1\n";
        for (output, failed) in [(OLD, 1..3), (new, 2..3)] {
            let place = Place::new(RecordState::Complete);
            let record = ResumeRecord::new(RecordState::Complete, JobSettings::new(), progress(OLD, 2));
            place.write_record(&ResumeRecord { next: Some(progress(new, 1)), ..record });
            fs::write(place.path("out"), output).unwrap();
            let OpenedOutput::Target(target) = place.open() else { panic!() };
            let found: Vec<_> = target.retried().unwrap().rows.failed.within(0..9).collect();
            assert_eq!(found, [failed]);
        }
    }

    #[test]
    fn the_record_of_both_is_there_when_the_output_is_replaced() {
        let place = Place::new(RecordState::Complete);
        let OpenedOutput::Target(target) = place.open() else { panic!() };
        let mut journal = target.into_parts().journal.unwrap();
        let mut new = journal.new_output().unwrap();
        new.write_all(b"a\t1\nb\tnew\nc\tnew\nd\t1\n").unwrap();
        let next = progress("a\t1\nb\tnew\nc\tnew\nd\t1\n", 0);
        journal.replace_output(new, next.clone()).unwrap();
        let record = place.record().unwrap();
        assert_eq!((record.done, record.next), (progress(OLD, 2), Some(next)));
        assert!(matches!(place.open_again(), OpenedOutput::Complete(_)));
    }

    impl Place {
        /// Opens the output while its lock is held: from a copy.
        fn open_again(&self) -> OpenedOutput {
            let copy = Self(tempfile::tempdir().unwrap());
            for name in ["out", "out.resume"] {
                fs::copy(self.path(name), copy.path(name)).unwrap();
            }
            copy.open()
        }
    }
}

//! The output is always a prefix of the results in order, and whatever ends it
//! ends the work at once.

use super::*;
use crate::failure_policy::{FailurePolicy, MaxFailures};
use crate::output::report::{OutputEnd, OutputReport};
use bytes::Bytes;
use procession::raw::{Account, Credit, Delivery, ItemFailure, Waker};
use procession_task::{Failure, FailureKind, Format};
use std::io::Write;
use std::sync::mpsc::{self, Receiver, Sender};

/// Sends each write to the test; after `room` bytes it fails with this
/// operating system error.
struct Told {
    tell: Sender<Vec<u8>>,
    room: usize,
    error: i32,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::Error::from_raw_os_error(self.error));
        }
        let length = bytes.len().min(self.room);
        self.room -= length;
        self.tell.send(bytes[..length].to_vec()).unwrap();
        Ok(length)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer with everything that a test can observe.
struct Bench {
    writer: OutputWriter,
    handle: OutputHandle,
    written: Receiver<Vec<u8>>,
    stops: Receiver<()>,
    account: Arc<Account>,
    released: u64,
}

fn bench(options: OutputOptions, room: usize, error: i32) -> Bench {
    let (tell, written) = mpsc::channel();
    let (stop, stops) = mpsc::channel();
    let target = OutputTarget::writer("out", Box::new(Told { tell, room, error }));
    let stop = Box::new(move || stop.send(()).unwrap());
    let (writer, handle) = OutputWriter::spawn(target, options, stop).unwrap();
    Bench { writer, handle, written, stops, account: Arc::default(), released: 0 }
}

fn options(policy: FailurePolicy) -> OutputOptions {
    OutputOptions { policy, digest: true, ..OutputOptions::new(Format::Tsv) }
}

const KEEP: FailurePolicy = FailurePolicy { keep_going: true, max: None };
const ALL: usize = usize::MAX;

/// `items` results from `first` on, `N<TAB>ok` or `N<TAB>no` for those that fail.
fn delivery(first: u64, items: u32, failing: &[u64]) -> Delivery {
    let mut outputs = Vec::new();
    let mut failures = Vec::new();
    for item in first..first + u64::from(items) {
        let start = outputs.len();
        let fails = failing.contains(&item);
        writeln!(outputs, "{item}\t{}", if fails { "no" } else { "ok" }).unwrap();
        if fails {
            let failure = Failure::new(FailureKind::Failed, "no");
            let (input, record) = (Bytes::from(item.to_string()), start..outputs.len());
            failures.push(ItemFailure { item, input, place: None, failure, record, pid: 1, attempts: 1 });
        }
    }
    Delivery { first, items, outputs: outputs.into(), failures }
}

impl Bench {
    /// How many credits were returned so far.
    fn released(&mut self) -> u64 {
        self.released += self.account.take(false);
        self.released
    }

    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        let credit = Credit::new(1, Arc::clone(&self.account), Waker::new(|| ()));
        self.writer.deliver(Batch { deliveries, credit });
    }

    fn finish(self) -> (OutputReport, String, usize, u64) {
        let report = ended(self.handle);
        drop(self.writer);
        let text = self.written.iter().flatten().collect();
        (report, String::from_utf8(text).unwrap(), self.stops.iter().count(), self.released + self.account.take(false))
    }
}

/// The report of a run that only its output can have ended.
fn ended(handle: OutputHandle) -> OutputReport {
    let written = handle.written();
    let is_complete = matches!(written.report.end, OutputEnd::Complete);
    written.end(is_complete)
}

fn expected(items: u64, failing: &[u64]) -> String {
    String::from_utf8(delivery(0, items as u32, failing).outputs.to_vec()).unwrap()
}

#[test]
fn everything_is_written_in_order_counted_and_hashed() {
    let mut bench = bench(options(FailurePolicy::default()), ALL, 0);
    for n in 0..1000 {
        bench.deliver(vec![delivery(n * 7, 3, &[]), delivery(n * 7 + 3, 4, &[])]);
    }
    let (report, text, stops, released) = bench.finish();
    assert_eq!(text, expected(7000, &[]));
    assert_eq!((report.items, report.bytes, stops, released), (7000, text.len() as u64, 0, 1000));
    assert_eq!(report.digest, Some(xxhash_rust::xxh3::xxh3_128(text.as_bytes())));
    assert!(matches!(report.end, OutputEnd::Complete) && !report.exceeded);
}

#[test]
fn results_are_written_as_they_arrive_and_credits_returned_after_that() {
    let mut bench = bench(options(KEEP), ALL, 0);
    for n in 0..3 {
        bench.deliver(vec![delivery(n, 1, &[])]);
        assert_eq!(bench.written.recv().unwrap(), delivery(n, 1, &[]).outputs);
        while bench.released() <= n {
            std::thread::yield_now();
        }
    }
}

#[test]
fn csv_has_a_header_even_without_items() {
    let bench = bench(OutputOptions::new(Format::Csv), ALL, 0);
    let (report, text, ..) = bench.finish();
    assert_eq!(text, "index,input,output,error\n");
    assert_eq!((report.items, report.digest), (0, None));
}

#[test]
fn the_first_failure_ends_the_output_before_its_record() {
    for failing in [0, 1, 2, 3, 4, 5] {
        let mut bench = bench(options(FailurePolicy::default()), ALL, 0);
        bench.deliver(vec![delivery(0, 2, &[failing]), delivery(2, 2, &[failing, 3])]);
        bench.deliver(vec![delivery(4, 2, &[failing, 5])]);
        let (report, text, stops, released) = bench.finish();
        let first = failing.min(if failing == 4 { 3 } else { failing }).min(3);
        assert_eq!(text, expected(first, &[]), "{failing}");
        assert_eq!((report.items, stops, released), (first, 1, 2));
        assert_eq!((report.failures.total, report.failures.first[0].item), (1, first));
        assert!(matches!(report.end, OutputEnd::Failures) && report.exceeded);
    }
}

#[test]
fn failed_items_keep_their_positions_if_the_run_continues() {
    let mut bench = bench(options(KEEP), ALL, 0);
    bench.deliver(vec![delivery(0, 5, &[1, 2]), delivery(5, 5, &[9])]);
    let (report, text, stops, _) = bench.finish();
    assert_eq!(text, expected(10, &[1, 2, 9]));
    assert_eq!((report.items, report.failures.total, stops, report.exceeded), (10, 3, 0, false));
}

#[test]
fn the_failure_that_reaches_the_limit_is_the_last_record() {
    let policy = FailurePolicy { keep_going: false, max: Some(MaxFailures::Count(2)) };
    let mut bench = bench(options(policy), ALL, 0);
    bench.deliver(vec![delivery(0, 3, &[1]), delivery(3, 4, &[4, 5])]);
    bench.deliver(vec![delivery(7, 3, &[8])]);
    let (report, text, stops, _) = bench.finish();
    assert_eq!(text, expected(5, &[1, 4]));
    assert_eq!((report.items, report.failures.total, stops), (5, 2, 1));
}

#[test]
fn a_reader_that_closes_the_output_ends_the_work() {
    let mut bench = bench(options(KEEP), 10, 32);
    bench.deliver(vec![delivery(0, 5, &[])]);
    bench.stops.recv().unwrap();
    bench.deliver(vec![delivery(5, 5, &[])]);
    let (report, text, stops, released) = bench.finish();
    assert_eq!(text, expected(5, &[])[..10]);
    assert!(matches!(report.end, OutputEnd::Closed));
    assert_eq!((stops, released), (0, 2));
}

#[test]
fn in_a_study_a_reader_that_closes_the_output_ends_only_the_writing() {
    let quiet = OutputOptions { stop_when_closed: false, ..options(KEEP) };
    let mut bench = bench(quiet, 10, 32);
    bench.deliver(vec![delivery(0, 5, &[]), delivery(5, 5, &[])]);
    let (report, _, stops, _) = bench.finish();
    assert_eq!((report.items, stops), (10, 0));
    assert_eq!(report.digest, Some(xxhash_rust::xxh3::xxh3_128(expected(10, &[]).as_bytes())));
    assert!(matches!(report.end, OutputEnd::Closed));
}

#[test]
fn a_full_disk_is_an_error_and_ends_the_work_at_once() {
    let mut bench = bench(options(KEEP), 10, 28);
    bench.deliver(vec![delivery(0, 5, &[])]);
    bench.stops.recv().unwrap();
    let (report, ..) = bench.finish();
    let OutputEnd::Failed(error) = report.end else { panic!("{:?}", report.end) };
    assert_eq!(error.to_string(), "can't write out: No space left on device");
}

#[test]
fn the_full_device_is_an_error_even_for_one_byte() {
    let target = OutputTarget::create(std::path::Path::new("/dev/full")).unwrap();
    let (stop, stops) = mpsc::channel();
    let stop = Box::new(move || stop.send(()).unwrap());
    let (mut writer, handle) = OutputWriter::spawn(target, options(KEEP), stop).unwrap();
    let credit = Credit::new(1, Arc::default(), Waker::new(|| ()));
    writer.deliver(Batch { deliveries: vec![delivery(0, 1, &[])], credit });
    let report = ended(handle);
    assert!(matches!(report.end, OutputEnd::Failed(_)));
    assert_eq!(stops.iter().count(), 1);
}

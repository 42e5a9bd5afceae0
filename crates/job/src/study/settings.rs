//! The settings that the bytes of an output depend on. An output made with
//! other settings can't be resumed.

use super::run::StudyJob;
use crate::input::notes::delimiter_name;
use crate::input::{Content, InputOptions, InputSlice};
use crate::resume::record::JobSettings;
use crate::text::items_name;
use procession::ChunkSize;
use procession_task::Items;

/// All settings that the bytes of the output depend on, without the items:
/// names and values as on the command line.
pub(crate) fn job_settings(
    work: &StudyJob,
    options: &InputOptions,
    slice: &InputSlice,
    settings: &[(String, String)],
) -> JobSettings {
    let mut all = JobSettings::new();
    let mut set = |name: &str, value: String| all.insert(format!("--{name}"), value);
    set("task", work.spec.task.clone());
    set("format", work.spec.format.name().to_owned());
    let is_numbers = options.content == Content::Numbers;
    set("items", if is_numbers { "numbers" } else { items_name(options.items) }.to_owned());
    if let Some(table) = &options.table {
        table.column.as_ref().map(|column| set("column", column.clone()));
        table.delimiter.map(|delimiter| set("delimiter", delimiter_name(delimiter)));
        (options.items != Items::Jsonl && !table.has_heading).then(|| set("no-heading", String::new()));
    }
    set("skip", options.skip.to_string());
    options.shuffle.map(|seed| set("shuffle", seed.to_string()));
    options.cycle.then(|| set("cycle", String::new()));
    slice.size.or(options.size).map(|size| set("size", size.to_string()));
    // Without blocks the chunk size does not change the output.
    slice.block.map(|block| set("chunk", chunk(block)));
    (!work.is_ordered()).then(|| set("unordered", String::new()));
    all.extend(work.spec.params.iter().map(|(key, value)| (format!("--param {key}"), value.clone())));
    all.extend(settings.iter().cloned());
    all
}

/// As on the command line.
fn chunk(chunk: ChunkSize) -> String {
    match chunk {
        ChunkSize::Auto => "auto".to_owned(),
        ChunkSize::Fixed(items) => items.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure_policy::FailurePolicy;
    use crate::input::Unit;
    use crate::resume::decision::{Intent, ResumeJob};
    use crate::resume::output_rows::RowLayout;
    use crate::resume::record::{OutputProgress, RecordState, ResumeRecord};
    use procession_task::{Format, JobSpec, ResultOrder};

    fn work() -> StudyJob {
        let params = vec![("method".to_owned(), "trial".to_owned())];
        StudyJob { spec: JobSpec { params, format: Format::Tsv, ..JobSpec::new("prime") }, unit: Unit::Item }
    }

    fn with(spec: JobSpec) -> StudyJob {
        StudyJob { spec, ..work() }
    }

    #[test]
    fn every_setting_is_compared_and_named() {
        let options = InputOptions::new(Items::Words);
        let expected = job_settings(&work(), &options, &InputSlice::default(), &[]);
        let record = ResumeRecord::new(RecordState::Interrupted, expected, OutputProgress::default());
        let jobs = |work: StudyJob, options: InputOptions, size, settings: &[(String, String)]| {
            let slice = InputSlice { size, block: work.unit.block(ChunkSize::Auto) };
            let settings = job_settings(&work, &options, &slice, settings);
            let layout = RowLayout { format: work.spec.format, first: 0, is_ordered: work.is_ordered() };
            let job = ResumeJob { settings, rule: options.items, policy: FailurePolicy::default(), layout, log: None };
            let refused = job.check(&record, Intent::Resume);
            refused.map_err(|reason| reason.to_string())
        };
        assert_eq!(jobs(work(), options.clone(), None, &[]), Ok(()));
        let program = [("-- program".to_owned(), "bc".to_owned())];
        let naive = vec![("method".to_owned(), "naive".to_owned())];
        for (refused, says) in [
            (
                jobs(with(JobSpec { task: "sqrt".to_owned(), ..work().spec }), options.clone(), None, &[]),
                "--task prime, not with --task sqrt",
            ),
            (
                jobs(with(JobSpec { format: Format::Csv, ..work().spec }), options.clone(), None, &[]),
                "--format tsv, not with --format csv",
            ),
            (
                jobs(with(JobSpec { params: naive, ..work().spec }), options.clone(), None, &[]),
                "method=trial, not with --param method=naive",
            ),
            (jobs(work(), InputOptions::new(Items::Lines), None, &[]), "--items words, not with --items lines"),
            (
                jobs(work(), InputOptions { content: Content::Numbers, ..options.clone() }, None, &[]),
                "--items words, not with --items numbers",
            ),
            (jobs(work(), InputOptions { skip: 1, ..options.clone() }, None, &[]), "--skip 0, not with --skip 1"),
            (
                jobs(work(), InputOptions { shuffle: Some(1), ..options.clone() }, None, &[]),
                "no --shuffle, not with --shuffle 1",
            ),
            (jobs(work(), InputOptions { cycle: true, ..options.clone() }, None, &[]), "no --cycle, not with --cycle"),
            (
                jobs(StudyJob { unit: Unit::Block, ..work() }, options.clone(), None, &[]),
                "no --chunk, not with --chunk auto",
            ),
            (
                jobs(with(JobSpec { order: ResultOrder::Completion, ..work().spec }), options.clone(), None, &[]),
                "no --unordered, not with --unordered",
            ),
            (jobs(work(), options.clone(), Some(9), &[]), "no --size, not with --size 9"),
            (jobs(work(), options, None, &program), "no -- program, not with -- program bc"),
        ] {
            let text = refused.unwrap_err();
            assert!(text.contains(says), "{text}");
        }
    }
}

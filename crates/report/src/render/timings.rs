//! All measurements for a notebook: as JSON, as CSV, or the study's table as
//! Markdown.
//!
//! The CSV has a row for each run (`kind` is `run`) and a row for each process of a
//! run (`worker`). Cells that do not apply are empty. Times are seconds; `spawned_s`,
//! `ready_s` and `exited_s` count from the run's start. New columns are only added at
//! the end.

use crate::analysis::advice::{Advice, advice};
use crate::analysis::amdahl_fits::{AmdahlFit, amdahl_fits};
use crate::analysis::break_even::{BreakEven, break_evens};
use crate::analysis::measured::Measured;
use crate::analysis::verdict::reason::Reason;
use crate::model::run_summary::RunSummary;
use crate::model::slot_sum::SlotSum;
use crate::model::study::{RunResult, RunStart, StudyRecord};
use crate::model::study_data::StudyData;
use crate::model::worker::WorkerRow;
use crate::render::document_tables::study_markdown;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// The format of timings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingsFormat {
    /// All measurements as one object.
    Json,
    /// A row for each run, for each process, and for the summed processes of each slot.
    Csv,
    /// The study's table.
    Markdown,
}

impl TimingsFormat {
    /// The format for a file's extension; `None` for an unknown one.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Markdown),
            _ => None,
        }
    }
}

/// Writes the timings of one call, or of several.
///
/// # Errors
/// They can't be written.
pub fn write_timings(data: &[StudyData], format: TimingsFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        TimingsFormat::Json => write_json(data, out),
        TimingsFormat::Csv => write_csv(data, out),
        TimingsFormat::Markdown => out.write_all(study_markdown(data).as_bytes()),
    }
}

#[derive(Serialize)]
struct CallTimings<'a> {
    label: &'a str,
    study: &'a StudyRecord,
    runs: Vec<RunTimings<'a>>,
    measured: Vec<Measured>,
    fits: Vec<AmdahlFit>,
    crossovers: Vec<BreakEven>,
    /// The verdict, a sentence for each executor and size.
    verdict: Vec<String>,
    /// What limits each of `measured`, in the same order.
    limits: Vec<Option<Reason>>,
    advice: Vec<Advice>,
}

#[derive(Serialize)]
struct RunTimings<'a> {
    run: u32,
    #[serde(flatten)]
    start: &'a RunStart,
    status: &'a str,
    result: Option<&'a RunResult>,
    /// Sums of the items whose own time is known.
    item_times: Option<ItemSums>,
    workers: &'a [WorkerRow],
    /// The sums of its other processes, by slot.
    summed: &'a [SlotSum],
}

#[derive(Serialize)]
struct ItemSums {
    count: u64,
    total_s: f64,
    longest_s: f64,
}

fn write_json(data: &[StudyData], out: &mut dyn Write) -> io::Result<()> {
    let run = |run: &'_ RunSummary| -> ItemSums {
        let times = &run.spans.items;
        ItemSums { count: times.count, total_s: times.total_s, longest_s: times.longest_s }
    };
    let calls: Vec<CallTimings<'_>> = data
        .iter()
        .map(|data| {
            let measured = data.measured();
            let runs = data.runs.iter().map(|one| RunTimings {
                run: one.run,
                start: &one.start,
                status: one.status,
                result: one.result.as_ref(),
                item_times: Some(run(one)).filter(|sums| sums.count > 0),
                workers: &one.workers,
                summed: &one.summed,
            });
            CallTimings {
                label: &data.label,
                study: &data.study,
                runs: runs.collect(),
                fits: amdahl_fits(&measured, data.usable_cores()),
                crossovers: break_evens(&measured, &data.runs, data.usable_cores()),
                verdict: data.verdict(),
                limits: data.reasons(&measured),
                measured,
                advice: advice(data),
            }
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &serde_json::json!({ "version": 1, "calls": calls }))?;
    out.write_all(b"\n")
}

const COLUMNS: [&str; 34] = [
    "kind",
    "log",
    "run",
    "repeat",
    "warmup",
    "executor",
    "count",
    "size",
    "chunk",
    "status",
    "wall_s",
    "items",
    "failures",
    "other_cpu_s",
    "worker",
    "nth",
    "pid",
    "host",
    "spawned_s",
    "ready_s",
    "exited_s",
    "cpu_user_s",
    "cpu_system_s",
    "waiting_s",
    "transport_s",
    "decoding_s",
    "running_s",
    "encoding_s",
    "writing_s",
    "peak_memory_bytes",
    "chunks",
    "exit_status",
    "signal",
    "told_s",
];

fn write_csv(data: &[StudyData], out: &mut dyn Write) -> io::Result<()> {
    let line = |cells: &[String]| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\r\n";
    out.write_all(line(&COLUMNS.map(str::to_owned)).as_bytes())?;
    for data in data {
        for run in &data.runs {
            let of_run = run_cells(&data.label, run);
            let result = run.result.as_ref();
            let mut cells = vec!["run".to_owned()];
            cells.extend(of_run.clone());
            cells.extend([
                shown(result.map(|result| result.wall_s)),
                shown(result.map(|result| result.items)),
                shown(result.map(|result| result.failures)),
                shown(result.and_then(|result| result.other_cpu_s)),
            ]);
            cells.resize(COLUMNS.len(), String::new());
            out.write_all(line(&cells).as_bytes())?;
            for worker in &run.workers {
                let mut cells = vec!["worker".to_owned()];
                cells.extend(of_run.clone());
                cells.extend(worker_cells(worker));
                out.write_all(line(&cells).as_bytes())?;
            }
            for sum in &run.summed {
                let mut cells = vec!["summed".to_owned()];
                cells.extend(of_run.clone());
                cells.extend(sum_cells(sum));
                cells.resize(COLUMNS.len(), String::new());
                out.write_all(line(&cells).as_bytes())?;
            }
        }
    }
    Ok(())
}

fn run_cells(label: &str, run: &RunSummary) -> [String; 9] {
    let of = run.configuration();
    [
        label.to_owned(),
        run.run.to_string(),
        run.start.repeat.to_string(),
        run.start.warmup.to_string(),
        of.executor.to_string(),
        of.count.to_string(),
        shown(of.size),
        shown(of.chunk.fixed()),
        run.status.to_owned(),
    ]
}

fn worker_cells(worker: &WorkerRow) -> [String; 24] {
    let end = worker.end.as_ref();
    [
        String::new(),
        shown(end.map(|end| end.items)),
        String::new(),
        String::new(),
        worker.worker.to_string(),
        worker.nth.to_string(),
        worker.pid.to_string(),
        worker.host.clone(),
        worker.spawned_s.to_string(),
        shown(worker.ready_s),
        shown(worker.exited_s),
        shown(end.map(|end| end.cpu_user_s)),
        shown(end.map(|end| end.cpu_system_s)),
        shown(end.and_then(|end| end.waiting_s)),
        shown(end.and_then(|end| end.transport_s)),
        shown(end.and_then(|end| end.decoding_s)),
        shown(end.and_then(|end| end.running_s)),
        shown(end.and_then(|end| end.encoding_s)),
        shown(end.and_then(|end| end.writing_s)),
        shown(end.and_then(|end| end.peak_memory_bytes)),
        shown(end.map(|end| end.chunks)),
        shown(end.and_then(|end| end.status)),
        shown(end.and_then(|end| end.signal)),
        shown(end.and_then(|end| end.told_s)),
    ]
}

/// The first columns only: the others have no sum.
fn sum_cells(sum: &SlotSum) -> [String; 21] {
    let empty = String::new;
    [
        empty(),
        sum.items.to_string(),
        empty(),
        empty(),
        sum.worker.to_string(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        sum.cpu_user_s.to_string(),
        sum.cpu_system_s.to_string(),
        sum.waiting_s.to_string(),
        sum.transport_s.to_string(),
        sum.decoding_s.to_string(),
        sum.running_s.to_string(),
        sum.encoding_s.to_string(),
        sum.writing_s.to_string(),
        shown(sum.peak_memory_bytes),
        sum.chunks.to_string(),
    ]
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Quotes a cell as in RFC 4180.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{row, run};

    fn data() -> Vec<StudyData> {
        let mut worker = row(0, 4242, 0.1, (1.0, 0.1, 0.1));
        worker.host = "a,\"b\"\n".into();
        let runs = vec![run(1, 1, 2.0, vec![worker]), run(2, 2, 1.25, vec![row(0, 4243, 0.1, (1.0, 0.1, 0.1))])];
        vec![StudyData { runs, ..StudyData::default() }]
    }

    fn written(format: TimingsFormat) -> String {
        let mut out = Vec::new();
        write_timings(&data(), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_a_row_for_each_run_and_process() {
        let text = written(TimingsFormat::Csv);
        let rows: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0], COLUMNS.join(","));
        assert_eq!(rows[1], "run,,1,1,false,procs,1,,,completed,2,100000,0,,,,,,,,,,,,,,,,,,,,,");
        let expected = "worker,,1,1,false,procs,1,,,completed,,25000,,,0,0,4242,\"a,\"\"b\"\"\n\",0,0.1,1,1,0.001,0.1,0,0,1,0,0.1,8493466,40,0,,";
        assert_eq!(rows[2], expected);
    }

    #[test]
    fn json_has_all_measurements() {
        let json: serde_json::Value = serde_json::from_str(&written(TimingsFormat::Json)).unwrap();
        let call = &json["calls"][0];
        assert_eq!(call["runs"][1]["result"]["wall_s"], 1.25);
        assert_eq!(call["runs"][0]["workers"][0]["pid"], 4242);
        assert_eq!(call["measured"][1]["speedup"], 1.6);
        assert_eq!(call["measured"][1]["basis"], "1 process");
    }

    #[test]
    fn markdown_is_the_table() {
        assert!(written(TimingsFormat::Markdown).contains("speedup vs 1 process\n\n| executor | count |"));
        let of = |name: &str| TimingsFormat::of_path(Path::new(name));
        assert_eq!(
            [of("a.MD"), of("a.csv"), of("a.json"), of("a.txt")],
            [Some(TimingsFormat::Markdown), Some(TimingsFormat::Csv), Some(TimingsFormat::Json), None]
        );
    }
}

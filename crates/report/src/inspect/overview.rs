//! Prints the call, its runs and its processes.

use super::query::{InspectError, Inspected, Query};
use crate::analysis::advice::{Advice, advice};
use crate::analysis::amdahl_fits::{AmdahlFit, amdahl_fits};
use crate::analysis::break_even;
use crate::analysis::measured::Measured;
use crate::log::error::LogError;
use crate::log::read::study_log::StudyLog;
use crate::model::run_summary::RunSummary;
use crate::model::slot_sum::SlotSum;
use crate::model::study::{Machine, RunRecord, StudyRecord};
use crate::model::study_data::StudyData;
use crate::model::worker::WorkerRow;
use crate::render::cells::{self, optional};
use crate::render::coordinator_line;
use crate::render::run_title::title;
use crate::render::study_table;
use crate::render::style::Style;
use crate::render::summary;
use crate::render::table::{Cell, ColumnKind, Table};
use crate::render::worker_table;
use crate::text::escape::escape_path;
use crate::text::units;
use crate::text::wrap::wrapped;
use procession_task::{escape_terminal, shell_quote};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write;

/// The runs of a log that the query is about.
struct SelectedRuns<'a> {
    log: &'a StudyLog,
    data: StudyData,
}

/// Writes the overview of these logs.
pub(crate) fn write(
    logs: &[StudyLog],
    query: &Query,
    style: Style,
    out: &mut dyn Write,
) -> Result<Inspected, InspectError> {
    let select = |log| {
        let runs = query.runs(log).map(RunSummary::of_log).collect::<Result<_, _>>()?;
        let (study, path) = (log.study().clone(), log.path().to_owned());
        let mut data = StudyData { study, runs, log: Some(path), ..StudyData::default() };
        data.read_item_times()?;
        Ok(SelectedRuns { log, data })
    };
    let selected: Vec<SelectedRuns<'_>> = logs.iter().map(select).collect::<Result<_, LogError>>()?;
    let notes = selected.iter().filter_map(|selected| selected.data.skipped_lines().note()).collect();
    let inspected = Inspected { notes, ..Inspected::default() };
    if query.json {
        write_json(&selected, out)?;
        return Ok(inspected);
    }
    let mut parts: Vec<String> = Vec::new();
    for (at, selected) in selected.iter().enumerate() {
        let number = if logs.len() > 1 { format!("log {}: ", at + 1) } else { "log: ".to_owned() };
        parts.push(head(&number, selected.log, style) + &earlier(selected.log));
    }
    if let [selected] = &selected[..] {
        parts.push(selected.data.verdict().iter().map(|line| wrapped(line)).collect());
    }
    parts.push(runs_table(&selected, style));
    if let [selected] = &selected[..] {
        // Runs of one output do not measure the same.
        if !selected.log.is_continued() {
            parts.extend(measured_tables(selected, style));
        }
        parts.extend(worker_tables(selected, query.run.is_some(), style));
    } else {
        parts.extend(several(&selected, query.run.is_some(), style));
    }
    parts.retain(|part| !part.is_empty());
    out.write_all(parts.join("\n").as_bytes())?;
    Ok(inspected)
}

fn head(number: &str, log: &StudyLog, style: Style) -> String {
    let StudyRecord { command, started_at, machine, task, .. } = log.study();
    let Machine { host, os, kernel, cpu, logical_cores, usable_cores, .. } = machine;
    let mut text = format!("{number}{}\n", escape_path(log.path()));
    let _ = writeln!(text, "{}", style.bold(&escape_terminal(shell_quote::line(command).as_bytes())));
    let cpus = format!("{usable_cores} of {logical_cores} CPUs");
    let known: Vec<&str> = [os, kernel, cpu, &cpus].map(String::as_str).into_iter().filter(|s| !s.is_empty()).collect();
    let about = format!("task {task}, {started_at}, on {host} ({})", known.join(", "));
    let _ = writeln!(text, "{}", escape_terminal(about.as_bytes()));
    text
}

/// The logs that a log goes on with.
fn earlier(log: &StudyLog) -> String {
    let mut text = String::new();
    let runs = log.story().iter().filter_map(|run| Some((run.number, run.path().parent()?)));
    for (number, folder) in runs.filter(|(_, folder)| *folder != log.path()) {
        let _ = writeln!(text, "goes on with run {number}: {}", escape_path(folder));
    }
    text
}

fn runs_table(selected: &[SelectedRuns<'_>], style: Style) -> String {
    let right = |head| (head, ColumnKind::Figure);
    let mut table = Table::new(&[
        right("log"),
        right("run"),
        ("executor", ColumnKind::Word),
        right("count"),
        right("size"),
        right("chunk"),
        right("items"),
        right("failed"),
        right("wall time"),
        ("status", ColumnKind::Word),
        ("digest", ColumnKind::Word),
    ]);
    for (at, log) in selected.iter().enumerate() {
        for run in &log.data.runs {
            let result = run.result.as_ref();
            let digest = result.and_then(|result| result.digest.as_deref()).unwrap_or_default();
            let status = if run.start.warmup { format!("{}, warm-up", run.status) } else { run.status.to_owned() };
            let mut cells =
                vec![optional((selected.len() > 1).then(|| (at + 1).to_string())), run.run.to_string().into()];
            cells.extend(cells::configuration(run.configuration()).map(Cell::Text));
            cells.extend([
                result.map(|result| result.items.to_string()).into(),
                result.map(|result| result.failures.to_string()).into(),
                run.wall_s().map(units::seconds).into(),
                status.into(),
                digest.chars().take(12).collect::<String>().into(),
            ]);
            table.row(cells);
        }
    }
    table.take_text(style)
}

/// The tables of several logs. Processes are only listed if there are at most 32.
fn several(selected: &[SelectedRuns<'_>], chosen: bool, style: Style) -> Vec<String> {
    let measured: Vec<_> = selected.iter().map(|selected| selected.data.measured()).collect();
    let mut parts = vec![study_table::beside(&measured, style)];
    let processes: u64 = selected.iter().flat_map(|selected| &selected.data.runs).map(RunSummary::processes).sum();
    if processes > worker_table::MAX_ROWS {
        parts.push("(one log's processes: coordinator inspect DIR)\n".to_owned());
        return parts;
    }
    for (at, selected) in selected.iter().enumerate() {
        parts.push(style.bold(&format!("log {}: {}", at + 1, escape_path(selected.log.path()))) + "\n");
        parts.extend(worker_tables(selected, chosen, style));
    }
    parts
}

/// The tables of measurements; fewer for a single configuration.
fn measured_tables(selected: &SelectedRuns<'_>, style: Style) -> Vec<String> {
    let measured = selected.data.measured();
    let cpus = selected.data.usable_cores();
    let shares = study_table::shares_table(&measured, style) + &coordinator_line::line(&measured);
    if measured.len() < 2 {
        return vec![shares];
    }
    let break_evens = break_even::break_evens(&measured, &selected.data.runs, cpus);
    vec![study_table::table(&measured, style), shares, break_even::wording::lines(&break_evens)]
}

fn worker_tables(selected: &SelectedRuns<'_>, chosen: bool, style: Style) -> Vec<String> {
    if !chosen {
        return summary::workers(&selected.data.runs, style);
    }
    let of = |run: &RunSummary| format!("{}\n{}", title(run), worker_table::table(run, style));
    selected.data.runs.iter().filter(|run| !run.workers.is_empty()).map(of).collect()
}

#[derive(Serialize)]
struct LogJson<'a> {
    log: String,
    study: &'a StudyRecord,
    runs: Vec<RunJson<'a>>,
    verdict: Vec<String>,
    measured: Vec<Measured>,
    fits: Vec<AmdahlFit>,
    advice: Vec<Advice>,
}

#[derive(Serialize)]
struct RunJson<'a> {
    number: u32,
    /// How the run ended, as in `completed`.
    status: &'a str,
    record: Option<&'a RunRecord>,
    workers: &'a [WorkerRow],
    /// The sums of its other processes, by slot.
    summed: &'a [SlotSum],
}

impl<'a> RunJson<'a> {
    fn of(run: &'a RunSummary, record: Option<&'a RunRecord>) -> Self {
        Self { number: run.run, status: run.status, record, workers: &run.workers, summed: &run.summed }
    }
}

fn write_json(selected: &[SelectedRuns<'_>], out: &mut dyn Write) -> Result<(), InspectError> {
    let of = |selected: &'_ SelectedRuns<'_>| -> serde_json::Result<String> {
        let record = |number| selected.log.story().iter().find(|run| run.number == number)?.record.as_ref();
        let measured = selected.data.measured();
        serde_json::to_string_pretty(&LogJson {
            log: selected.log.path().to_string_lossy().into_owned(),
            study: selected.log.study(),
            runs: selected.data.runs.iter().map(|run| RunJson::of(run, record(run.run))).collect(),
            fits: amdahl_fits(&measured, selected.data.usable_cores()),
            verdict: selected.data.verdict(),
            measured,
            advice: advice(&selected.data),
        })
    };
    let logs: Vec<String> = selected.iter().map(of).collect::<serde_json::Result<_>>().map_err(std::io::Error::from)?;
    match logs.as_slice() {
        [one] => writeln!(out, "{one}")?,
        several => writeln!(out, "[{}]", several.join(",\n"))?,
    }
    Ok(())
}

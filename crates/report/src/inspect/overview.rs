//! The call, its runs and its processes.

use super::{InspectError, Inspected, Query};
use crate::advice::{Advice, advice};
use crate::collector::RunSummary;
use crate::columns::{Align, Columns, Style};
use crate::fits::{Fit, fits};
use crate::measured::Measured;
use crate::read::StudyLog;
use crate::runlog::{LogError, shown};
use crate::study::{Machine, RunRecord, Study};
use crate::study_data::StudyData;
use crate::study_table::{self, named, or_dash};
use crate::worker::WorkerRow;
use crate::{crossover, limits, summary, units, worker_table};
use procession_task::{escape_terminal, shell_quote};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write;

/// A log's runs that were asked for.
struct Looked<'a> {
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
    let look = |log| {
        let runs = query.runs(log).map(RunSummary::of_log).collect::<Result<_, _>>()?;
        let (study, path) = (log.study().clone(), log.path().to_owned());
        let mut data = StudyData { study, runs, log: Some(path), ..StudyData::default() };
        data.read_item_times()?;
        Ok(Looked { log, data })
    };
    let looked: Vec<Looked<'_>> = logs.iter().map(look).collect::<Result<_, LogError>>()?;
    let notes = looked.iter().filter_map(|looked| looked.data.passed_over().note()).collect();
    let inspected = Inspected { notes, ..Inspected::default() };
    if query.json {
        write_json(&looked, out)?;
        return Ok(inspected);
    }
    let mut parts: Vec<String> = Vec::new();
    for (at, looked) in looked.iter().enumerate() {
        let number = if logs.len() > 1 { format!("log {}: ", at + 1) } else { "log: ".to_owned() };
        parts.push(head(&number, looked.log, style));
    }
    parts.push(runs_table(&looked, style));
    if let [looked] = &looked[..] {
        parts.extend(measured_tables(looked, style));
        parts.extend(worker_tables(looked, query.run.is_some(), style));
    } else {
        parts.extend(several(&looked, query.run.is_some(), style));
    }
    parts.retain(|part| !part.is_empty());
    out.write_all(parts.join("\n").as_bytes())?;
    Ok(inspected)
}

fn head(number: &str, log: &StudyLog, style: Style) -> String {
    let Study { command, started_at, machine, task, .. } = log.study();
    let command = escape_terminal(shell_quote::line(command).as_bytes());
    let Machine { host, os, kernel, cpu, logical_cores, usable_cores, .. } = machine;
    let mut text = format!("{number}{}\n", shown(log.path()));
    let _ = writeln!(text, "{}", style.bold(&command));
    let cpus = format!("{usable_cores} of {logical_cores} CPUs");
    let known: Vec<&str> = [os, kernel, cpu, &cpus].map(String::as_str).into_iter().filter(|s| !s.is_empty()).collect();
    let about = format!("task {task}, {started_at}, on {host} ({})", known.join(", "));
    let _ = writeln!(text, "{}", escape_terminal(about.as_bytes()));
    text
}

fn runs_table(looked: &[Looked<'_>], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        right("log"),
        right("run"),
        ("executor", Align::Left),
        right("count"),
        right("size"),
        right("chunk"),
        right("items"),
        right("failed"),
        right("wall time"),
        ("status", Align::Left),
        ("digest", Align::Left),
    ]);
    for (at, log) in looked.iter().enumerate() {
        for run in &log.data.runs {
            let result = run.result.as_ref();
            let mut cells = vec![if looked.len() > 1 { (at + 1).to_string() } else { String::new() }];
            cells.push(run.run.to_string());
            cells.extend(named(run.configuration()));
            cells.push(or_dash(result.map(|result| result.items.to_string())));
            cells.push(or_dash(result.map(|result| result.failures.to_string())));
            cells.push(or_dash(run.wall_s().map(units::seconds)));
            cells.push(if run.start.warmup { format!("{}, warm-up", run.status) } else { run.status.to_owned() });
            let digest = result.and_then(|result| result.digest.as_deref()).unwrap_or_default();
            cells.push(escape_terminal(digest.chars().take(12).collect::<String>().as_bytes()));
            columns.row(cells);
        }
    }
    columns.take_text(style)
}

/// What several logs say; of their processes only if these are few.
fn several(looked: &[Looked<'_>], chosen: bool, style: Style) -> Vec<String> {
    let measured: Vec<_> = looked.iter().map(|looked| looked.data.measured()).collect();
    let mut parts = vec![study_table::beside(&measured, style)];
    let processes: usize = looked.iter().flat_map(|looked| &looked.data.runs).map(|run| run.workers.len()).sum();
    if processes > worker_table::MAX_ROWS {
        parts.push("(one log's processes: coordinator inspect DIR)\n".to_owned());
        return parts;
    }
    for (at, looked) in looked.iter().enumerate() {
        parts.push(style.bold(&format!("log {}: {}", at + 1, shown(looked.log.path()))) + "\n");
        parts.extend(worker_tables(looked, chosen, style));
    }
    parts
}

/// What a study measured, if it is one.
fn measured_tables(looked: &Looked<'_>, style: Style) -> Vec<String> {
    let measured = looked.data.measured();
    let cpus = looked.data.usable_cores();
    let shares = study_table::shares_table(&measured, style) + &limits::lines(&measured, cpus);
    if measured.len() < 2 {
        return vec![shares];
    }
    let (fits, crossovers) = (fits(&measured, cpus), crossover::crossovers(&measured, &looked.data.runs, cpus));
    vec![study_table::table(&measured, &fits, style), shares, crossover::lines(&crossovers)]
}

fn worker_tables(looked: &Looked<'_>, chosen: bool, style: Style) -> Vec<String> {
    if !chosen {
        return summary::workers(&looked.data.runs, style);
    }
    let of = |run: &RunSummary| format!("{}\n{}", summary::title(run), worker_table::table(run, style));
    looked.data.runs.iter().filter(|run| !run.workers.is_empty()).map(of).collect()
}

#[derive(Serialize)]
struct LogJson<'a> {
    log: String,
    study: &'a Study,
    runs: Vec<RunJson<'a>>,
    measured: Vec<Measured>,
    fits: Vec<Fit>,
    advice: Vec<Advice>,
}

#[derive(Serialize)]
struct RunJson<'a> {
    number: u32,
    /// How it ended, in a word.
    status: &'a str,
    record: Option<&'a RunRecord>,
    workers: &'a [WorkerRow],
}

impl<'a> RunJson<'a> {
    fn of(run: &'a RunSummary, record: Option<&'a RunRecord>) -> Self {
        Self { number: run.run, status: run.status, record, workers: &run.workers }
    }
}

fn write_json(looked: &[Looked<'_>], out: &mut dyn Write) -> Result<(), InspectError> {
    let of = |looked: &'_ Looked<'_>| -> serde_json::Result<String> {
        let record = |number| looked.log.runs().iter().find(|run| run.number == number)?.record.as_ref();
        let measured = looked.data.measured();
        serde_json::to_string_pretty(&LogJson {
            log: looked.log.path().to_string_lossy().into_owned(),
            study: looked.log.study(),
            runs: looked.data.runs.iter().map(|run| RunJson::of(run, record(run.run))).collect(),
            fits: fits(&measured, looked.data.usable_cores()),
            measured,
            advice: advice(&looked.data),
        })
    };
    let logs: Vec<String> = looked.iter().map(of).collect::<serde_json::Result<_>>().map_err(std::io::Error::from)?;
    match logs.as_slice() {
        [one] => writeln!(out, "{one}")?,
        several => writeln!(out, "[{}]", several.join(",\n"))?,
    }
    Ok(())
}

//! `coordinator inspect`: answers questions from a log.

use crate::args::InspectFlags;
use crate::console::{self, style, unprinted};
use crate::exit::{self, Status};
use crate::report_files::ReportFiles;
use procession_report::inspect::{InspectError, Query, inspect};
use procession_report::read::StudyLog;
use procession_report::{LogError, StudyData, latest_log};
use procession_task::TerminalWriter;
use std::io::{self, BufWriter, IsTerminal as _, Write};

/// Prints what is asked for and writes the files.
pub(super) fn answer(flags: &InspectFlags) -> Status {
    let logs = match open(flags) {
        Ok(logs) => logs,
        Err(error) => return refuse(&error),
    };
    // Wrong paths are refused before anything is printed.
    let files = match flags.files.check_distinct(&[]).and_then(|()| report_files(flags)) {
        Ok(files) => files,
        Err(error) => return refuse(&error),
    };
    let (printed, notes) = print(flags, &logs);
    notes.iter().for_each(|note| console::say(format_args!("note: {note}")));
    if printed >= exit::USAGE || !files.are_wanted() {
        return printed;
    }
    match write_files(flags, &logs, files, &notes) {
        Ok(written) => written.max(printed),
        Err(error) => refuse(&error),
    }
}

fn report_files(flags: &InspectFlags) -> Result<ReportFiles, String> {
    ReportFiles::new(&flags.files, None).map_err(|error| error.to_string())
}

/// Writes the files that show what was measured.
fn write_files(
    flags: &InspectFlags,
    logs: &[StudyLog],
    mut files: ReportFiles,
    told: &[String],
) -> Result<Status, LogError> {
    // A page is of one call, as the call itself would write it.
    let (parts, wanted): (Vec<StudyLog>, Vec<Option<u32>>) =
        logs.iter().map(|log| log.part_of(flags.run)).map(|(part, run)| (part.clone(), run)).unzip();
    let mut data = StudyData::from_logs(&parts)?;
    for (data, wanted) in data.iter_mut().zip(wanted) {
        data.runs.retain(|run| wanted.is_none_or(|wanted| run.run == wanted));
    }
    let unwritten = files.write(&data);
    files.notes().iter().for_each(|note| console::say(format_args!("note: {note}")));
    let skipped_lines = data.iter().filter_map(|data| data.skipped_lines().note());
    skipped_lines.filter(|note| !told.contains(note)).for_each(|note| console::say(format_args!("note: {note}")));
    unwritten.iter().for_each(|problem| console::say(format_args!("error: {problem}")));
    Ok(if unwritten.is_empty() { exit::SUCCESS } else { exit::OUTPUT_FAILED })
}

/// Prints the answer; returns the status and notes for the user.
fn print(flags: &InspectFlags, logs: &[StudyLog]) -> (Status, Vec<String>) {
    let query = Query {
        run: flags.run,
        pid: flags.pid,
        item: flags.item,
        failures: flags.failures,
        slowest: flags.slowest.map(|count| count as usize),
        inputs: flags.inputs,
        nul: flags.nul,
        json: flags.json,
    };
    if let Err(error) = procession_sys::check_stdout() {
        return (unprinted(&error), Vec::new());
    }
    let out = io::stdout().lock();
    let style = style(out.is_terminal());
    let is_escaped = flags.inputs && out.is_terminal();
    let mut out: Box<dyn Write> = Box::new(BufWriter::new(out));
    if is_escaped {
        // The other answers are escaped where they are made.
        out = Box::new(TerminalWriter::new(out));
    }
    match inspect(logs, &query, style, &mut *out) {
        Ok(inspected) => {
            let status = if inspected.missing_inputs > 0 { exit::ITEM_FAILED } else { exit::SUCCESS };
            (status, inspected.notes)
        }
        Err(InspectError::Write(error)) => (unprinted(&error), Vec::new()),
        Err(error) => (refuse(&error), Vec::new()),
    }
}

fn open(flags: &InspectFlags) -> Result<Vec<StudyLog>, LogError> {
    if flags.dirs.is_empty() {
        return Ok(vec![StudyLog::open(&latest_log()?)?]);
    }
    flags.dirs.iter().map(|dir| StudyLog::open(dir)).collect()
}

fn refuse(error: &dyn std::fmt::Display) -> Status {
    console::say(format_args!("error: {error}"));
    exit::USAGE
}

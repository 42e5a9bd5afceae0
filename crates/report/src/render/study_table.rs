//! The table of one study or of several studies: a row per configuration with its
//! time, speedup and efficiency. Usual tables fit a terminal of 80 columns.

use super::cells::{self, optional};
use super::style::Style;
use super::table::{Cell, ColumnKind, Table};
use crate::analysis::measured::Measured;
use crate::text::units;

/// Most columns of the notes below a table.
const WIDTH: usize = 80;
/// Short names of the phases.
const SHORT: [&str; 9] = ["start", "wait", "transport", "decode", "run", "encode", "write", "end", "other"];
/// The smallest share that is not rounded to 0.0 %.
const LEAST_REST: f64 = 0.000_5;

/// Prints the rows of one call.
pub(crate) fn table(rows: &[Measured], style: Style) -> String {
    let rows: Vec<StudyRow<'_>> = rows.iter().map(|of| StudyRow { log: None, of }).collect();
    rows_table(&rows).take_text(style) + &notes(&rows)
}

/// Prints the rows of several calls; rows of the same configuration are next to each
/// other.
pub(crate) fn beside(logs: &[Vec<Measured>], style: Style) -> String {
    let mut rows: Vec<(usize, StudyRow<'_>)> = Vec::new();
    for (log, measured) in (1..).zip(logs) {
        for of in measured {
            let known = rows.iter().find(|(_, other)| other.of.configuration == of.configuration);
            let place = known.map_or(rows.len(), |(place, _)| *place);
            rows.push((place, StudyRow { log: Some(log), of }));
        }
    }
    rows.sort_by_key(|(place, row)| (*place, row.log));
    let rows: Vec<StudyRow<'_>> = rows.into_iter().map(|(_, row)| row).collect();
    rows_table(&rows).take_text(style) + &notes(&rows)
}

/// A row: the measurements of a configuration, and the number of its log, from 1.
struct StudyRow<'a> {
    log: Option<usize>,
    of: &'a Measured,
}

fn rows_table(rows: &[StudyRow<'_>]) -> Table {
    let right = |head| (head, ColumnKind::Figure);
    let mut table = Table::new(&[
        ("executor", ColumnKind::Word),
        right("count"),
        right("size"),
        right("chunk"),
        right("log"),
        right("wall time"),
        right("±"),
        right("speedup"),
        ("vs", ColumnKind::Word),
        right("efficiency"),
        ("", ColumnKind::Word),
    ]);
    // A single basis is named in the notes instead.
    let several = bases(rows).len() > 1;
    for StudyRow { log, of } in rows {
        let mut cells: Vec<Cell> = cells::configuration(&of.configuration).map(Cell::Text).to_vec();
        cells.extend([
            optional(log.map(|log| log.to_string())),
            of.wall_s.map(units::seconds).into(),
            optional(deviation(of).map(|share| format!("{:.0} %", share * 100.0))),
            cells::speedup(of),
            optional(of.basis.filter(|_| several).map(|basis| basis.to_string())),
            of.efficiency.map(units::percent).into(),
            if of.completed > 0 { String::new().into() } else { Cell::Alarm("not completed".to_owned()) },
        ]);
        table.row(cells);
    }
    table
}

/// The different bases of speedups.
fn bases(rows: &[StudyRow<'_>]) -> Vec<String> {
    let mut bases: Vec<String> = rows.iter().filter_map(|row| row.of.basis).map(|basis| basis.to_string()).collect();
    bases.sort_unstable();
    bases.dedup();
    bases
}

/// The largest deviation of a run from the median, as a share of the median; `None`
/// for a single run.
fn deviation(row: &Measured) -> Option<f64> {
    let (median, min, max) = (row.wall_s?, row.min_s?, row.max_s?);
    (row.runs.len() > 1 && median > 0.0).then(|| f64::max(max - median, median - min) / median)
}

/// Explains the columns that the table has.
fn notes(rows: &[StudyRow<'_>]) -> String {
    let any = |has: fn(&Measured) -> bool| rows.iter().any(|row| has(row.of));
    let mut notes = Vec::new();
    if let [basis] = &bases(rows)[..] {
        notes.push(format!("speedup vs {basis}"));
    }
    for (is_told, note) in [
        (any(|row| deviation(row).is_some()), "±: the run farthest from the median"),
        (any(Measured::is_speedup_noise), "≈1: no difference above the noise"),
    ] {
        notes.extend(is_told.then(|| note.to_owned()));
    }
    if notes.is_empty() { String::new() } else { format!("({})\n", broken(&notes)) }
}

/// Joins notes, with line breaks at the width of a terminal.
fn broken(notes: &[String]) -> String {
    let (mut text, mut column) = (String::new(), 1);
    for (at, note) in notes.iter().enumerate() {
        let width = note.chars().count() + 2;
        if at > 0 {
            let fits = column + 1 + width <= WIDTH;
            text += if fits { "; " } else { ";\n " };
            column = if fits { column + 1 } else { 1 };
        }
        text += note;
        column += width - 1;
    }
    text
}

/// How the workers spent their time, in percent; empty if no worker reported it. The
/// phases are those of [`crate::analysis::worker_shares::WorkerShares::named`], in short, so that they fit a terminal.
pub(crate) fn shares_table(rows: &[Measured], style: Style) -> String {
    let right = |head| (head, ColumnKind::Figure);
    let mut heads = vec![("workers, %", ColumnKind::Word), right("size"), right("chunk")];
    heads.extend(SHORT.map(right));
    let mut table = Table::new(&heads);
    // The column of the rest is omitted if all its values are 0.
    let has_rest = rows.iter().filter_map(|row| row.shares).any(|shares| shares.other >= LEAST_REST);
    for row in rows {
        let Some(shares) = row.shares else { continue };
        let [executor, count, size, chunk] = cells::configuration(&row.configuration);
        // Executor and count share a cell, so that a table without sizes fits 80 columns.
        let mut cells: Vec<Cell> = vec![format!("{executor} {count}").into(), size.into(), chunk.into()];
        let shown = |(phase, share): (&str, f64)| {
            if phase == "other" && !has_rest { String::new() } else { format!("{:.1}", share * 100.0) }
        };
        cells.extend(shares.named().map(shown).map(Cell::Text));
        table.row(cells);
    }
    table.take_text(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::measured::measure;
    use crate::model::study::Executor;
    use crate::samples::run;

    #[test]
    fn rows_name_the_basis_of_their_speedup_if_there_are_several() {
        let mut runs =
            vec![run(1, 2, 2.0, vec![]), run(2, 4, 1.0, vec![]), run(3, 1, 4.0, vec![]), run(4, 2, 2.5, vec![])];
        runs[2..].iter_mut().for_each(|run| run.start.configuration.executor = Executor::Threads);
        let text = table(&measure(&runs, 4), Style::default());
        let line = |at: usize| text.lines().nth(at).unwrap_or_default();
        assert!(line(0).contains("speedup  vs "), "{text}");
        assert!(line(2).contains(" 2.00  2 processes ") && line(4).contains(" 1.60  1 thread "), "{text}");
        assert!(!text.contains("(speedup vs"), "{text}");
        let text = table(&measure(&runs[..2], 4), Style::default());
        assert!(!text.contains("  vs  ") && text.contains("(speedup vs 2 processes"), "{text}");
    }

    #[test]
    fn a_speedup_within_the_noise_is_told_as_such() {
        let runs = [run(1, 1, 2.0, vec![]), run(2, 2, 1.96, vec![]), run(3, 3, 1.0, vec![])];
        let text = table(&measure(&runs, 4), Style::default());
        let speedups: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
        assert_eq!(speedups[1..4], ["1.00", "≈1", "2.00"], "{text}");
        assert!(text.contains("; ≈1: no difference above the noise)"), "{text}");
    }

    #[test]
    fn a_deviation_is_of_the_run_farthest_from_the_median() {
        let mut runs = vec![run(1, 1, 1.0, vec![]), run(2, 1, 2.5, vec![]), run(3, 1, 3.0, vec![])];
        let shown = |runs: &[crate::model::run_summary::RunSummary]| deviation(&measure(runs, 1)[0]);
        assert_eq!(shown(&runs), Some(0.6));
        runs[0].result.as_mut().unwrap().wall_s = 2.4;
        assert_eq!(shown(&runs), Some(0.2));
        assert_eq!(shown(&runs[..1]), None);
    }

    #[test]
    fn notes_fit_the_width_of_a_terminal() {
        let notes: Vec<String> = [30, 30, 16, 15, 78, 2].map(|width| "x".repeat(width)).to_vec();
        let lines: Vec<usize> = format!("({})", broken(&notes)).lines().map(str::len).collect();
        assert_eq!(lines, [64, 35, 80, 4], "{notes:?}");
    }
}

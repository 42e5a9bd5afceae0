//! The table of a study: a row per configuration, its time, and what parallel
//! running brought.

use crate::collector::RunSummary;
use crate::columns::{Align, Columns, Style};
use crate::shares::Shares;
use crate::stats::{self, Sample};
use crate::study::{Configuration, Executor, RunStatus};
use crate::units;
use serde::Serialize;

/// The word for a run that may be measured.
const COMPLETED: &str = RunStatus::Completed.as_str();

/// What was measured of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Which one.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// The numbers of its measured runs.
    pub runs: Vec<u32>,
    /// How many of them completed: those are measured. If none did, times and
    /// shares are those of the others, and are compared with nothing.
    pub completed: usize,
    /// Median wall time in seconds.
    pub wall_s: Option<f64>,
    /// The shortest, in seconds.
    pub min_s: Option<f64>,
    /// The longest, in seconds.
    pub max_s: Option<f64>,
    /// Standard deviation in seconds.
    pub stdev_s: Option<f64>,
    /// How many times as fast as its base: the serial loop with the same size
    /// and chunk if that was measured, else the smallest count of the same
    /// executor. `None` if there is nothing to compare with.
    pub speedup: Option<f64>,
    /// Speedup per worker: S · p0 / p, with p0 the base's count.
    pub efficiency: Option<f64>,
    /// Karp and Flatt's serial fraction; see [`stats::serial_fraction`].
    pub serial_fraction: Option<f64>,
    /// Where the workers' time went.
    pub shares: Option<Shares>,
}

impl Measured {
    /// Its time, if that may be compared with others.
    fn compared_s(&self) -> Option<f64> {
        self.wall_s.filter(|_| self.completed > 0)
    }
}

/// One row per configuration, in the order of the first runs. Warm-ups are not
/// measured, nor are runs that did not complete when others did.
#[must_use]
pub fn measure(runs: &[RunSummary], usable_cores: u32) -> Vec<Measured> {
    let mut rows: Vec<Measured> = Vec::new();
    for run in runs.iter().filter(|run| !run.start.warmup) {
        match rows.iter_mut().find(|row| row.configuration == *run.configuration()) {
            Some(row) => row.runs.push(run.run),
            None => rows.push(unmeasured(run)),
        }
    }
    for row in &mut rows {
        let (completed, early): (Vec<_>, Vec<_>) =
            runs.iter().filter(|run| row.runs.contains(&run.run)).partition(|run| run.status == COMPLETED);
        row.completed = completed.len();
        let counted = if completed.is_empty() { early } else { completed };
        let walls: Vec<f64> = counted.iter().filter_map(|run| run.wall_s()).collect();
        let sample = Sample::of(&walls);
        row.wall_s = sample.map(|sample| sample.median);
        row.min_s = sample.map(|sample| sample.min);
        row.max_s = sample.map(|sample| sample.max);
        row.stdev_s = sample.map(|sample| sample.stdev);
        row.shares = Shares::of(counted);
    }
    let bases: Vec<Option<(u32, f64)>> = rows.iter().map(|row| base(&rows, row)).collect();
    for (row, base) in rows.iter_mut().zip(bases) {
        let (Some((base_count, base_s)), Some(wall_s)) = (base, row.compared_s()) else { continue };
        let count = row.configuration.count;
        row.speedup = stats::speedup(base_s, wall_s);
        row.efficiency = row.speedup.and_then(|speedup| stats::efficiency(speedup, base_count, count));
        row.serial_fraction =
            row.speedup.and_then(|speedup| stats::serial_fraction(speedup, base_count, count, usable_cores));
    }
    rows
}

fn unmeasured(run: &RunSummary) -> Measured {
    Measured {
        configuration: run.configuration().clone(),
        runs: vec![run.run],
        completed: 0,
        wall_s: None,
        min_s: None,
        max_s: None,
        stdev_s: None,
        speedup: None,
        efficiency: None,
        serial_fraction: None,
        shares: None,
    }
}

/// Count and time of what a row is compared with.
fn base(rows: &[Measured], row: &Measured) -> Option<(u32, f64)> {
    let of = &row.configuration;
    let alike = |other: &&Measured| other.configuration.size == of.size && other.configuration.chunk == of.chunk;
    let measured = |other: &Measured| Some((other.configuration.count, other.compared_s()?));
    let serial = rows.iter().filter(alike).find(|other| other.configuration.executor == Executor::Serial);
    if let Some((_, wall_s)) = serial.and_then(measured) {
        return (rows.iter().filter(alike).count() > 1).then_some((1, wall_s));
    }
    let own = rows.iter().filter(alike).filter(|other| other.configuration.executor == of.executor);
    let own: Vec<_> = own.filter_map(measured).collect();
    if own.len() < 2 {
        return None;
    }
    own.into_iter().min_by_key(|(count, _)| *count)
}

/// The rows as text.
pub(crate) fn table(rows: &[Measured], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        ("executor", Align::Left),
        right("count"),
        right("size"),
        right("chunk"),
        right("wall time"),
        right("min … max"),
        right("speedup"),
        right("efficiency"),
        right("Karp–Flatt"),
        ("", Align::Left),
    ]);
    for row in rows {
        let mut cells = named(&row.configuration);
        cells.push(or_dash(row.wall_s.map(units::seconds)));
        cells.push(spread(row));
        cells.push(or_dash(row.speedup.map(|speedup| format!("{speedup:.2}"))));
        cells.push(or_dash(row.efficiency.map(units::percent)));
        cells.push(or_dash(row.serial_fraction.map(units::percent)));
        cells.push(if row.completed > 0 { String::new() } else { style.red("not completed") });
        columns.row(cells);
    }
    let mut text = columns.take_text(style);
    if rows.iter().any(|row| row.speedup.is_some()) {
        text += basis(rows);
    }
    text
}

fn basis(rows: &[Measured]) -> &'static str {
    if rows.iter().any(|row| row.configuration.executor == Executor::Serial && row.compared_s().is_some()) {
        "(speedup against the serial loop; Karp–Flatt: the serial fraction)\n"
    } else {
        "(speedup against the smallest count; Karp–Flatt: the serial fraction)\n"
    }
}

/// Where the workers' time went, as text; nothing if no worker told.
pub(crate) fn shares_table(rows: &[Measured], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut heads = vec![("workers' time", Align::Left), right("size"), right("chunk")];
    heads.extend(Shares::default().named().map(|(phase, _)| right(phase)));
    let mut columns = Columns::new(&heads);
    for row in rows {
        let Some(shares) = row.shares else { continue };
        let [executor, count, rest @ ..] = &named(&row.configuration)[..] else { continue };
        // One cell of two, so that a table without sizes fits a narrow terminal.
        let mut cells = vec![format!("{executor} {count}")];
        cells.extend_from_slice(rest);
        cells.extend(shares.named().map(|(_, share)| units::percent(share)));
        columns.row(cells);
    }
    columns.take_text(style)
}

/// The cells that name a configuration.
pub(crate) fn named(configuration: &Configuration) -> Vec<String> {
    let optional = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        configuration.executor.to_string(),
        configuration.count.to_string(),
        optional(configuration.size),
        optional(configuration.chunk.map(u64::from)),
    ]
}

fn spread(row: &Measured) -> String {
    match (row.min_s, row.max_s) {
        (Some(min), Some(max)) if row.runs.len() > 1 => format!("{} … {}", units::seconds(min), units::seconds(max)),
        _ => String::new(),
    }
}

pub(crate) fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}

//! How time was spent: a stacked bar for each configuration, a part for each phase.

use super::error::ChartError;
use super::frame::{Axis, Caption, Entry, Frame, Ticks, number};
use super::mark::{ChartMark, Shape};
use super::palette::{Ink, PHASES};
use super::series::{series, unit};
use super::svg::Svg;
use crate::model::study_data::StudyData;
use crate::text::shorten::shortened;
use crate::text::units;
use std::borrow::Cow;
use std::time::Duration;

/// The name of a phase.
pub(super) type PhaseName = Cow<'static, str>;

/// The phases of a run's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PhaseBar {
    /// The name of the run or configuration.
    pub label: String,
    /// The phases with their times, in their order.
    pub phases: Vec<(PhaseName, Duration)>,
}

/// Most columns of a label.
const LABEL_COLUMNS: usize = 22;
/// Most bars; the others are omitted.
const MOST_BARS: usize = 40;

/// The bar of each configuration: its wall time, divided as the mean worker spent it.
#[must_use]
pub(crate) fn phase_bars(data: &[StudyData]) -> Vec<PhaseBar> {
    let mut bars = Vec::new();
    for series in series(data) {
        for row in &series.rows {
            let (Some(wall_s), Some(shares)) = (row.wall_s, row.shares) else { continue };
            let of = &row.configuration;
            let label = match series.name.as_str() {
                "" => of.executor.counted(of.count),
                name => format!("{name}: {}", of.count),
            };
            let of = |share: f64| Duration::from_secs_f64((share * wall_s).max(0.0));
            let phases = shares.named();
            bars.push(PhaseBar { label, phases: phases.map(|(name, share)| (name.into(), of(share))).to_vec() });
        }
    }
    bars
}

/// Draws stacked bars; `None` if there are none.
///
/// # Errors
/// The drawing fails. No data causes this.
pub(crate) fn phases(bars: &[PhaseBar]) -> Result<Option<Svg>, ChartError> {
    let bars = &bars[..bars.len().min(MOST_BARS)];
    let whole = |bar: &PhaseBar| bar.phases.iter().map(|(_, time)| time.as_secs_f64()).sum::<f64>();
    let longest = bars.iter().map(whole).fold(0.0, f64::max);
    if longest <= 0.0 {
        return Ok(None);
    }
    let (unit, per_second) = unit(longest);
    let names = all_names(bars);
    let mut marks = Vec::new();
    let rows = bars.len() as f64;
    let row = |at: usize| rows - at as f64 - 0.5;
    for (at, bar) in bars.iter().enumerate() {
        let mut left = 0.0;
        for (name, time) in &bar.phases {
            let right = left + time.as_secs_f64() * per_second;
            if time.is_zero() {
                continue;
            }
            let share = units::percent(time.as_secs_f64() / whole(bar));
            let title = format!("{}: {name} {} ({share})", bar.label, units::seconds(time.as_secs_f64()));
            let corners = vec![(left, row(at) - 0.36), (right, row(at) + 0.36)];
            marks.push(ChartMark::new(Shape::Part, ink(&names, name), corners).titled(title));
            left = right;
        }
    }
    let ticks = Ticks::Names(
        bars.iter().enumerate().map(|(at, bar)| (row(at), shortened(&bar.label, LABEL_COLUMNS))).collect(),
    );
    let legend =
        names.iter().map(|name| Entry { shape: Shape::Part, ink: ink(&names, name), text: (*name).to_owned() });
    let frame = Frame {
        x: Axis { what: unit.to_owned(), range: 0.0..longest * per_second * 1.02, ticks: Ticks::Numbers(number) },
        y: Axis { what: String::new(), range: 0.0..rows, ticks },
        right: None,
        legend: legend.collect(),
        height: 60 + 26 * bars.len() as u32,
        marks,
        right_marks: Vec::new(),
    };
    let caption = Caption { name: "phases", title: "Where the time goes".to_owned(), description: described(bars) };
    frame.draw(caption).map(Some)
}

fn all_names(bars: &[PhaseBar]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in bars.iter().flat_map(|bar| &bar.phases) {
        if !names.contains(&name.as_ref()) {
            names.push(name);
        }
    }
    names
}

fn ink(names: &[&str], name: &str) -> Ink {
    let at = names.iter().position(|other| *other == name).unwrap_or(0);
    Ink::Phase((at % usize::from(PHASES)) as u8)
}

fn described(bars: &[PhaseBar]) -> String {
    let one = |bar: &PhaseBar| {
        let parts = bar.phases.iter().map(|(name, time)| format!("{name} {}", units::seconds(time.as_secs_f64())));
        format!("{}: {}", bar.label, parts.collect::<Vec<_>>().join(", "))
    };
    bars.iter().map(one).collect::<Vec<_>>().join("; ")
}

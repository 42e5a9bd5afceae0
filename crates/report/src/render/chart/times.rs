//! The main charts: the time of each count of workers for each size as grouped bars,
//! with the speedup as lines on a second axis; and the same grouped by size.

use super::error::ChartError;
use super::frame::{Axis, Caption, Entry, Frame, HEIGHT, Ticks, number};
use super::mark::{ChartMark, Dash, Dot, Shape};
use super::palette::Ink;
use super::series::{Series, counts, described, series, shades, told, unit, workers_noun};
use super::svg::Svg;
use crate::analysis::measured::Measured;
use crate::model::study_data::StudyData;
use crate::text::units;
use procession::ChunkSize;

/// Most groups of bars. If there are more, lines are drawn.
const MOST_GROUPS: usize = 12;
/// The share of a group's width that its bars take.
const FULL: f64 = 0.78;

/// Time by count of workers. `None` if nothing was measured.
///
/// # Errors
/// The drawing fails. No data causes this.
pub fn by_count(data: &[StudyData]) -> Result<Option<Svg>, ChartError> {
    let all = series(data);
    let counts = counts(&all);
    if counts.is_empty() {
        return Ok(None);
    }
    let bars = counts.len() <= MOST_GROUPS && counts.len() * all.len() <= 6 * MOST_GROUPS;
    let scale = Scale::of(&all);
    let place = |count: u32| match counts.iter().position(|other| *other == count) {
        Some(at) if bars => at as f64 + 0.5,
        _ => f64::from(count),
    };
    let (names, range) = if bars {
        let names = counts.iter().map(|count| (place(*count), count.to_string())).collect();
        (Ticks::Names(names), groups(counts.len(), all.len()))
    } else {
        (Ticks::Numbers(number), 0.0..f64::from(counts[counts.len() - 1]) * 1.03)
    };
    let x = Axis { what: workers_noun(&all).to_owned(), range, ticks: names };
    let (marks, mut legend) = if bars { time_bars(&all, &counts, &scale) } else { time_lines(&all, &scale) };
    let (right_marks, lines) = speedups(&all, &place);
    legend.extend(lines);
    let right = right(&all, &right_marks);
    let caption = Caption {
        name: "times",
        title: format!("Time by count of {}", workers_noun(&all)),
        description: described(&all),
    };
    let frame = Frame { x, y: scale.axis(), right, legend, height: HEIGHT, marks, right_marks };
    frame.draw(caption).map(Some)
}

/// Time by size. `None` unless there are several sizes.
///
/// # Errors
/// The drawing fails. No data causes this.
pub(crate) fn by_size(data: &[StudyData]) -> Result<Option<Svg>, ChartError> {
    let all = series(data);
    let mut sizes: Vec<u64> = all.iter().filter_map(|series| series.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    // With more groups the chart by count is more useful.
    if sizes.len() < 2 || sizes.len() > MOST_GROUPS {
        return Ok(None);
    }
    let kinds = kinds(&all);
    let scale = Scale::of(&all);
    let (mut marks, mut legend) = (Vec::new(), Vec::new());
    for (at, kind) in kinds.iter().enumerate() {
        legend.push(Entry { shape: Shape::Bar, ink: kind.ink, text: kind.name.clone() });
        for series in kind.members.iter().map(|&member| &all[member]) {
            let (Some(row), Some(size)) = (series.at(kind.count), series.size) else { continue };
            let group = sizes.iter().position(|other| *other == size).unwrap_or(0);
            bar(&mut marks, &scale, (group, at, kinds.len()), kind.ink, told(series, row), row);
        }
    }
    let names = sizes.iter().enumerate().map(|(at, size)| (at as f64 + 0.5, size.to_string())).collect();
    let x = Axis { what: "size".to_owned(), range: groups(sizes.len(), kinds.len()), ticks: Ticks::Names(names) };
    let caption = Caption { name: "sizes", title: "Time by size".to_owned(), description: described(&all) };
    let frame = Frame { x, y: scale.axis(), right: None, legend, height: HEIGHT, marks, right_marks: Vec::new() };
    frame.draw(caption).map(Some)
}

/// The range of the x axis for this number of groups and bars. A few bars do not fill
/// the plot.
fn groups(count: usize, bars: usize) -> std::ops::Range<f64> {
    let (count, least) = (count as f64, if bars > 3 { 1.0 } else { 3.0 });
    let room = (least - count).max(0.0) / 2.0;
    -room..count + room
}

/// Bars that differ only in the size.
struct BarSeries {
    hue: usize,
    count: u32,
    chunk: ChunkSize,
    name: String,
    ink: Ink,
    /// Indices of its series.
    members: Vec<usize>,
}

fn kinds(all: &[Series]) -> Vec<BarSeries> {
    let mut kinds: Vec<BarSeries> = Vec::new();
    for (at, series) in all.iter().enumerate() {
        for row in &series.rows {
            let (hue, count, chunk) = (series.hue, row.configuration.count, row.configuration.chunk);
            match kinds.iter_mut().find(|kind| (kind.hue, kind.count, kind.chunk) == (hue, count, chunk)) {
                Some(kind) => kind.members.push(at),
                None => {
                    let (name, ink) = (series.name_of(count), Ink::Text);
                    kinds.push(BarSeries { hue, count, chunk, name, ink, members: vec![at] });
                }
            }
        }
    }
    kinds.sort_by_key(|kind| (kind.hue, kind.count, kind.chunk));
    for at in 0..kinds.len() {
        let alike = |kinds: &[BarSeries]| kinds.iter().filter(|kind| kind.hue == kinds[0].hue).count();
        let rank = kinds[..at].iter().filter(|kind| kind.hue == kinds[at].hue).count();
        kinds[at].ink = Ink::shade(2 * kinds[at].hue, rank, alike(&kinds[at - rank..]));
    }
    kinds
}

/// The axis of time.
struct Scale {
    unit: &'static str,
    per_second: f64,
    top: f64,
}

impl Scale {
    fn of(all: &[Series]) -> Self {
        let rows = all.iter().flat_map(|series| &series.rows);
        let longest = rows.filter_map(|row| row.max_s).fold(0.0, f64::max).max(1e-9);
        let (unit, per_second) = unit(longest);
        Self { unit, per_second, top: longest * per_second * 1.06 }
    }

    fn axis(&self) -> Axis {
        Axis { what: self.unit.to_owned(), range: 0.0..self.top, ticks: Ticks::Numbers(number) }
    }
}

type Marks = (Vec<ChartMark<(f64, f64)>>, Vec<Entry>);

fn time_bars(all: &[Series], counts: &[u32], scale: &Scale) -> Marks {
    let (mut marks, mut legend) = (Vec::new(), Vec::new());
    for ((at, series), (rank, of)) in all.iter().enumerate().zip(shades(all)) {
        let ink = Ink::shade(2 * series.hue, rank, of);
        legend.push(Entry { shape: Shape::Bar, ink, text: label(series) });
        for (group, count) in counts.iter().enumerate() {
            if let Some(row) = series.at(*count) {
                bar(&mut marks, scale, (group, at, all.len()), ink, told(series, row), row);
            }
        }
    }
    (marks, legend)
}

/// A bar, with an error bar if there are several runs.
fn bar(
    marks: &mut Vec<ChartMark<(f64, f64)>>,
    scale: &Scale,
    (group, at, of): (usize, usize, usize),
    ink: Ink,
    title: String,
    row: &Measured,
) {
    let (Some(wall), Some(min), Some(max)) = (row.wall_s, row.min_s, row.max_s) else { return };
    let wide = FULL / of as f64;
    let left = group as f64 + (1.0 - FULL) / 2.0 + wide * at as f64;
    let gap = if of > 1 { wide * 0.06 } else { 0.0 };
    let high = |seconds: f64| seconds * scale.per_second;
    marks.push(ChartMark::new(Shape::Bar, ink, vec![(left + gap, 0.0), (left + wide - gap, high(wall))]).titled(title));
    if row.walls_s.len() > 1 {
        let middle = left + wide / 2.0;
        let spread = format!("{} … {} in {} runs", units::seconds(min), units::seconds(max), row.walls_s.len());
        let points = vec![(middle, high(min)), (middle, high(max))];
        marks.push(ChartMark::new(Shape::Whisker, Ink::Whisker, points).titled(spread));
    }
}

fn time_lines(all: &[Series], scale: &Scale) -> Marks {
    let (mut marks, mut legend) = (Vec::new(), Vec::new());
    for (series, (rank, of)) in all.iter().zip(shades(all)) {
        let ink = Ink::shade(2 * series.hue, rank, of);
        legend.push(Entry { shape: Shape::Line(Dash::Solid), ink, text: label(series) });
        let of = |row: &Measured| Some((f64::from(row.configuration.count), row.wall_s? * scale.per_second));
        let points: Vec<(f64, f64)> = series.rows.iter().filter_map(of).collect();
        marks.push(ChartMark::new(Shape::Line(Dash::Solid), ink, points).titled(label(series)));
        for row in &series.rows {
            let dot = ChartMark::new(Shape::Dot(Dot::of(series.hue)), ink, of(row).into_iter().collect());
            marks.push(dot.titled(told(series, row)));
        }
    }
    (marks, legend)
}

/// Lines of the speedup, and the upper bound of their axis.
fn speedups(all: &[Series], place: &dyn Fn(u32) -> f64) -> Marks {
    let (mut marks, mut legend) = (Vec::new(), Vec::new());
    let several = all.len() > 1;
    let mut drawn: Vec<Vec<(f64, f64)>> = Vec::new();
    for series in all.iter().filter(|series| series.rows.len() > 1) {
        let of = |row: &Measured| Some((place(row.configuration.count), row.max_speedup?.speedup));
        let max_speedup: Vec<(f64, f64)> = series.rows.iter().filter_map(of).collect();
        let same = |other: &Vec<(f64, f64)>| {
            other.len() == max_speedup.len()
                && other.iter().zip(&max_speedup).all(|(a, b)| (a.1 - b.1).abs() < 0.02 * b.1)
        };
        if max_speedup.len() > 1 && !drawn.iter().any(same) {
            let title = format!("ceiling{}: the best speedup that the work allows", named(series, several));
            marks.push(ChartMark::new(Shape::Thin(Dash::Dashed), Ink::MaxSpeedup, max_speedup.clone()).titled(title));
            drawn.push(max_speedup);
        }
    }
    for (series, (rank, of)) in all.iter().zip(shades(all)).filter(|(series, _)| series.rows.len() > 1) {
        let ink = Ink::shade(2 * series.hue + 1, rank, of);
        let of = |row: &Measured| Some((place(row.configuration.count), row.speedup?));
        let points: Vec<(f64, f64)> = series.rows.iter().filter_map(of).collect();
        if points.len() < 2 {
            continue;
        }
        let text = format!("speedup{}", named(series, several));
        legend.push(Entry { shape: Shape::Line(Dash::Solid), ink, text: text.clone() });
        marks.push(ChartMark::new(Shape::Line(Dash::Solid), ink, points).titled(text));
        for row in &series.rows {
            let dot = ChartMark::new(Shape::Dot(Dot::of(series.hue)), ink, of(row).into_iter().collect());
            marks.push(dot.titled(told(series, row)));
        }
    }
    if !drawn.is_empty() {
        let (shape, text) = (Shape::Thin(Dash::Dashed), "best speedup that the work allows".to_owned());
        legend.push(Entry { shape, ink: Ink::MaxSpeedup, text });
    }
    (marks, legend)
}

fn right(all: &[Series], marks: &[ChartMark<(f64, f64)>]) -> Option<Axis> {
    let highest = marks.iter().flat_map(|mark| &mark.points).map(|point| point.1).fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    let mut bases: Vec<String> =
        all.iter().flat_map(|series| &series.rows).filter_map(|row| row.basis).map(|basis| basis.to_string()).collect();
    bases.sort_unstable();
    bases.dedup();
    let what = if bases.len() == 1 { format!("speedup vs {}", bases[0]) } else { "speedup".to_owned() };
    Some(Axis { what, range: 0.0..highest * 1.12, ticks: Ticks::Numbers(number) })
}

fn label(series: &Series) -> String {
    if series.name.is_empty() { "time".to_owned() } else { series.name.clone() }
}

fn named(series: &Series, several: bool) -> String {
    if several { format!(", {}", series.name) } else { String::new() }
}

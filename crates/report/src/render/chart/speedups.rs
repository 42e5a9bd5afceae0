//! Charts of speedup and efficiency by count of workers: the measured values, the
//! ideal, the maximum that the items allow, and the fits of Amdahl's law.

use super::error::ChartError;
use super::frame::{Axis, Caption, Entry, Frame, HEIGHT, Ticks, across, number};
use super::mark::{ChartMark, Dash, Dot, Shape};
use super::palette::Ink;
use super::series::{Series, counts, described, series, shades, told, workers_noun};
use super::svg::Svg;
use crate::analysis::amdahl_fits::AmdahlFit;
use crate::analysis::measured::Measured;
use crate::model::study_data::StudyData;
use crate::text::units;

/// Number of points of a curve.
const CURVE: u32 = 40;

/// Speedup by count. `None` if there is nothing to compare.
///
/// # Errors
/// The drawing fails. No data causes this.
pub(crate) fn speedup(data: &[StudyData]) -> Result<Option<Svg>, ChartError> {
    let all = compared(data);
    let Some(&most) = counts(&all).last() else { return Ok(None) };
    let x = axis(&all, most);
    let value = |row: &Measured| row.speedup;
    let mut drawing = LayeredMarks::of(&all, &value);
    drawing.ceilings(&all, |count, best| (f64::from(count), best));
    let ideal = f64::from(most).min(drawing.highest().max(1.0) * 1.15);
    let line = vec![(x.range.start, x.range.start), (ideal, ideal)];
    drawing.behind(Ink::Ideal, Dash::Dotted, "ideal: as many times as fast as workers", line);
    drawing.laws(&all, most, |fit, count| fit.law.speedup(count));
    let (top, what) = (drawing.highest() * 1.06, what("speedup", &all));
    let y = Axis { what, range: 0.0..top, ticks: Ticks::Numbers(number) };
    let caption = Caption { name: "speedup", title: "Speedup".to_owned(), description: described(&all) };
    drawing.frame(x, y).draw(caption).map(Some)
}

/// Efficiency by count. `None` if there is nothing to compare.
///
/// # Errors
/// The drawing fails. No data causes this.
pub(crate) fn efficiency(data: &[StudyData]) -> Result<Option<Svg>, ChartError> {
    let all = compared(data);
    let Some(&most) = counts(&all).last() else { return Ok(None) };
    let x = axis(&all, most);
    let value = |row: &Measured| row.efficiency.map(|share| share * 100.0);
    let mut drawing = LayeredMarks::of(&all, &value);
    let line = across(&x.range, 100.0, Dash::Dotted, Ink::Ideal);
    drawing.behind(Ink::Ideal, Dash::Dotted, "ideal: each worker as fast as one alone", line.points);
    drawing.ceilings(&all, |count, best| (f64::from(count), best / f64::from(count) * 100.0));
    drawing.laws(&all, most, |fit, count| fit.law.speedup(count) / count * 100.0);
    let percent = |value: f64| format!("{} %", number(value));
    let what = what("efficiency", &all);
    let y = Axis { what, range: 0.0..drawing.highest().max(100.0) * 1.06, ticks: Ticks::Numbers(percent) };
    let caption = Caption { name: "efficiency", title: "Efficiency".to_owned(), description: described(&all) };
    drawing.frame(x, y).draw(caption).map(Some)
}

/// The series with several counts and a speedup.
fn compared(data: &[StudyData]) -> Vec<Series> {
    let mut all = series(data);
    all.retain(|series| series.rows.len() > 1 && series.rows.iter().any(|row| row.speedup.is_some()));
    all
}

fn axis(all: &[Series], most: u32) -> Axis {
    let what = workers_noun(all).to_owned();
    let counts = counts(all);
    let least = counts.first().copied().unwrap_or(1);
    let room = f64::from(most - least) * 0.06;
    let range = f64::from(least) - room..f64::from(most) + room;
    // A few counts are labelled individually. For many the library chooses round numbers.
    let ticks = if counts.len() <= 12 && f64::from(most) < 16.0 {
        Ticks::Names(counts.iter().map(|count| (f64::from(*count), count.to_string())).collect())
    } else {
        Ticks::Numbers(number)
    };
    Axis { what, range, ticks }
}

fn what(figure: &str, all: &[Series]) -> String {
    let mut bases: Vec<_> = all.iter().flat_map(|series| &series.rows).filter_map(|row| row.basis).collect();
    bases.dedup();
    match bases.as_slice() {
        [one] => format!("{figure} vs {one}"),
        _ => figure.to_owned(),
    }
}

type Points = Vec<(f64, f64)>;

/// Marks in two layers: measured values are drawn over expected ones.
struct LayeredMarks {
    behind: Vec<ChartMark<(f64, f64)>>,
    before: Vec<ChartMark<(f64, f64)>>,
    legend: Vec<Entry>,
}

impl LayeredMarks {
    fn of(all: &[Series], value: &dyn Fn(&Measured) -> Option<f64>) -> Self {
        let (mut before, mut legend) = (Vec::new(), Vec::new());
        for (series, (rank, of)) in all.iter().zip(shades(all)) {
            let ink = Ink::shade(2 * series.hue, rank, of);
            let text = if series.name.is_empty() { "measured".to_owned() } else { series.name.clone() };
            let at = |row: &Measured| Some((f64::from(row.configuration.count), value(row)?));
            let points: Points = series.rows.iter().filter_map(at).collect();
            legend.push(Entry { shape: Shape::Dot(Dot::of(series.hue)), ink, text: text.clone() });
            before.push(ChartMark::new(Shape::Line(Dash::Solid), ink, points).titled(text));
            for row in &series.rows {
                let dot = ChartMark::new(Shape::Dot(Dot::of(series.hue)), ink, at(row).into_iter().collect());
                before.push(dot.titled(told(series, row)));
            }
        }
        Self { behind: Vec::new(), before, legend }
    }

    fn behind(&mut self, ink: Ink, dash: Dash, text: &str, points: Points) {
        let shape = Shape::Thin(dash);
        let name = text.split(':').next().unwrap_or_default().to_owned();
        if !self.legend.iter().any(|entry| entry.text == name) {
            self.legend.push(Entry { shape: shape.clone(), ink, text: name });
        }
        self.behind.push(ChartMark::new(shape, ink, points).titled(text));
    }

    fn ceilings(&mut self, all: &[Series], at: impl Fn(u32, f64) -> (f64, f64)) {
        let mut drawn: Vec<Points> = Vec::new();
        for series in all {
            let point = |row: &Measured| Some(at(row.configuration.count, row.max_speedup?.speedup));
            let points: Points = series.rows.iter().filter_map(point).collect();
            let same = |other: &Points| {
                other.len() == points.len() && other.iter().zip(&points).all(|(a, b)| (a.1 - b.1).abs() < 0.02 * b.1)
            };
            if points.len() > 1 && !drawn.iter().any(same) {
                let text = format!("ceiling: the best that the work allows {}", series.name);
                self.behind(Ink::MaxSpeedup, Dash::Dashed, text.trim_end(), points.clone());
                drawn.push(points);
            }
        }
    }

    fn laws(&mut self, all: &[Series], most: u32, value: impl Fn(&AmdahlFit, f64) -> f64) {
        for (series, (rank, of)) in all.iter().zip(shades(all)) {
            let Some(fit) = &series.fit else { continue };
            let at = |step: u32| 1.0 + f64::from(most - 1) * f64::from(step) / f64::from(CURVE);
            let points = (0..=CURVE).map(|step| (at(step), value(fit, at(step)))).collect();
            let serial = units::percent(fit.law.serial_fraction);
            let text = format!("Amdahl's law, fitted: {} serial fraction {serial}", series.name);
            self.behind(Ink::shade(2 * series.hue, rank, of), Dash::Dashed, &text, points);
        }
    }

    fn highest(&self) -> f64 {
        let marks = self.behind.iter().chain(&self.before);
        marks.flat_map(|mark| &mark.points).map(|point| point.1).fold(0.0, f64::max)
    }

    fn frame(self, x: Axis, y: Axis) -> Frame {
        let mut marks = self.behind;
        marks.extend(self.before);
        Frame { x, y, right: None, legend: self.legend, height: HEIGHT, marks, right_marks: Vec::new() }
    }
}

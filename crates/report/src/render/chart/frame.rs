//! Draws axes, legend and marks of a chart: the only file that calls the plotting
//! library.

use super::canvas::{Canvas, FONT, UNITS, carried};
use super::error::ChartError;
use super::mark::{Anchor, ChartMark, Dash, Shape};
use super::palette::Ink;
use super::svg::Svg;
use super::text_width::width;
use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::BackendCoordOnly;
use plotters::style::{Color as _, TextStyle};
use std::ops::Range;

/// Width of charts in pixels: it fits a phone, and a page shows two charts side by
/// side.
pub(crate) const WIDTH: u32 = 500;
/// Height of a plot in pixels, without its legend.
pub(crate) const HEIGHT: u32 = 330;
/// Height of a legend's row in pixels.
const ROW: i32 = 19;

/// Formats a number at an axis, without trailing zeros.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Labels of an axis.
pub(crate) enum Ticks {
    /// These names at these values.
    Names(Vec<(f64, String)>),
    /// Numbers in this format.
    Numbers(fn(f64) -> String),
}

/// An axis.
pub(crate) struct Axis {
    pub(crate) what: String,
    pub(crate) range: Range<f64>,
    pub(crate) ticks: Ticks,
}

/// An entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) shape: Shape,
    pub(crate) ink: Ink,
    pub(crate) text: String,
}

/// A chart without its caption.
pub(crate) struct Frame {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// A second axis on the right.
    pub(crate) right: Option<Axis>,
    pub(crate) legend: Vec<Entry>,
    pub(crate) height: u32,
    /// Marks of the first y axis.
    pub(crate) marks: Vec<ChartMark<(f64, f64)>>,
    /// Marks of the second y axis.
    pub(crate) right_marks: Vec<ChartMark<(f64, f64)>>,
}

/// The caption of a chart.
pub(crate) struct Caption {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) description: String,
}

impl Frame {
    /// Draws the chart.
    pub(crate) fn draw(&self, caption: Caption) -> Result<Svg, ChartError> {
        let rows = legend_rows(&self.legend);
        let head = 8 + ROW * i32::try_from(rows.len()).unwrap_or(0);
        let size = (WIDTH, self.height + head.unsigned_abs());
        let mut body = String::new();
        {
            let root = Canvas::new(&mut body, size).into_drawing_area();
            draw_legend(&root, &rows).map_err(failed)?;
            let (_, plot) = root.split_vertically(head * UNITS);
            self.draw_plot(&plot).map_err(failed)?;
        }
        let Caption { name, title, description } = caption;
        Ok(Svg { name, title, description, size, body })
    }

    fn draw_plot(&self, plot: &DrawingArea<Canvas<'_>, Shift>) -> Result<(), Failed> {
        let left = label_area(&self.y);
        let right = self.right.as_ref().map_or(0, label_area);
        // The last number of the x axis is centred below the plot's corner.
        let margin = if right > 0 { 0 } else { 18 };
        let mut chart = ChartBuilder::on(plot)
            .margin_right(margin * UNITS)
            .margin_left(3 * UNITS)
            .margin_top(4 * UNITS)
            .set_label_area_size(LabelAreaPosition::Bottom, 44 * UNITS)
            .set_label_area_size(LabelAreaPosition::Left, left * UNITS)
            .set_label_area_size(LabelAreaPosition::Right, right * UNITS)
            .build_cartesian_2d(self.x.range.clone(), self.y.range.clone())?
            // The second axis must be set first: otherwise the library labels both sides by the
            // first axis.
            .set_secondary_coord(self.x.range.clone(), self.right.as_ref().map_or(0.0..1.0, |axis| axis.range.clone()));
        mesh(&mut chart, &self.x, &self.y)?;
        chart.draw_series::<BackendCoordOnly, ChartMark<_>, _, _>(&self.marks)?;
        let below = names(&self.x, |x| (x, self.y.range.start), Anchor::Below);
        let before = names(&self.y, |y| (self.x.range.start, y), Anchor::Before);
        chart.draw_series::<BackendCoordOnly, ChartMark<_>, _, _>(below.iter().chain(&before))?;
        let Some(axis) = &self.right else { return Ok(()) };
        let number = number_of(axis);
        let label = |value: &f64| number(*value);
        let mut axes = chart.configure_secondary_axes();
        axes.axis_style(carried(Ink::Grid)).label_style(font(Ink::Muted)).axis_desc_style(font(Ink::Muted));
        axes.y_desc(axis.what.as_str())
            .y_labels(7)
            .set_all_tick_mark_size(4 * UNITS)
            .y_label_formatter(&label)
            .draw()?;
        chart.draw_secondary_series::<ChartMark<_>, _, _>(&self.right_marks)?;
        Ok(())
    }
}

type Failed = plotters::drawing::DrawingAreaErrorKind<std::convert::Infallible>;

fn failed(error: Failed) -> ChartError {
    ChartError(error.to_string())
}

type Chart<'a, 'b> = plotters::chart::ChartContext<
    'a,
    Canvas<'b>,
    plotters::coord::cartesian::Cartesian2d<
        plotters::coord::types::RangedCoordf64,
        plotters::coord::types::RangedCoordf64,
    >,
>;

/// Draws the lines and labels of axes; names are drawn separately.
fn mesh(chart: &mut Chart<'_, '_>, x: &Axis, y: &Axis) -> Result<(), Failed> {
    let (x_number, y_number) = (number_of(x), number_of(y));
    let (x_label, y_label) = (|value: &f64| x_number(*value), |value: &f64| y_number(*value));
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(plotters::style::TRANSPARENT)
        .bold_line_style(carried(Ink::Grid))
        .axis_style(carried(Ink::Muted))
        .label_style(font(Ink::Muted))
        .axis_desc_style(font(Ink::Muted))
        .x_desc(x.what.as_str())
        .y_desc(y.what.as_str())
        .x_label_formatter(&x_label)
        .y_label_formatter(&y_label)
        .set_all_tick_mark_size(4 * UNITS)
        .max_light_lines(0);
    match x.ticks {
        Ticks::Names(_) => mesh.disable_x_mesh().x_labels(0),
        Ticks::Numbers(_) => mesh.x_labels(8),
    };
    match y.ticks {
        Ticks::Names(_) => mesh.disable_y_mesh().y_labels(0),
        Ticks::Numbers(_) => mesh.y_labels(7),
    };
    mesh.draw()
}

fn number_of(axis: &Axis) -> fn(f64) -> String {
    match axis.ticks {
        Ticks::Names(_) => |_| String::new(),
        Ticks::Numbers(number) => number,
    }
}

fn names(axis: &Axis, place: impl Fn(f64) -> (f64, f64), anchor: Anchor) -> Vec<ChartMark<(f64, f64)>> {
    let Ticks::Names(names) = &axis.ticks else { return Vec::new() };
    let mark =
        |(at, name): &(f64, String)| ChartMark::new(Shape::Text(name.clone(), anchor), Ink::Text, vec![place(*at)]);
    names.iter().map(mark).collect()
}

fn font(ink: Ink) -> TextStyle<'static> {
    let color = carried(ink).to_backend_color();
    TextStyle { color, ..TextStyle::from(("sans-serif", f64::from(FONT * UNITS))) }
}

/// Pixels beside the plot for an axis's labels and its title.
fn label_area(axis: &Axis) -> i32 {
    let widest = match &axis.ticks {
        Ticks::Names(names) => names.iter().map(|(_, name)| width(name, FONT)).max().unwrap_or(0),
        Ticks::Numbers(number) => {
            let shown = [0.0, 0.25, 0.5, 0.75, 1.0]
                .map(|at| number(axis.range.start + at * (axis.range.end - axis.range.start)));
            shown.iter().map(|shown| width(shown, FONT)).max().unwrap_or(0).min(6 * FONT)
        }
    };
    widest + if axis.what.is_empty() { 14 } else { 22 + FONT }
}

/// Divides entries into rows that fit.
fn legend_rows(legend: &[Entry]) -> Vec<Vec<(i32, Entry)>> {
    let mut rows: Vec<Vec<(i32, Entry)>> = Vec::new();
    let mut x = 0;
    for entry in legend {
        let wide = 22 + width(&entry.text, FONT) + 14;
        if rows.is_empty() || x + wide > WIDTH as i32 {
            rows.push(Vec::new());
            x = 8;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, entry.clone()));
        }
        x += wide;
    }
    rows
}

fn draw_legend(root: &DrawingArea<Canvas<'_>, Shift>, rows: &[Vec<(i32, Entry)>]) -> Result<(), Failed> {
    for (row, entries) in rows.iter().enumerate() {
        let y = 12 + ROW * i32::try_from(row).unwrap_or(0);
        for (x, Entry { shape, ink, text }) in entries {
            let at = |x: i32, y: i32| (x * UNITS, y * UNITS);
            let swatch = match shape {
                Shape::Bar | Shape::Part | Shape::Span(_) => vec![at(x + 2, y - 5), at(x + 14, y + 5)],
                Shape::Line(_) | Shape::Thin(_) => vec![at(*x, y), at(x + 17, y)],
                Shape::Whisker => vec![at(x + 8, y - 5), at(x + 8, y + 5)],
                _ => vec![at(x + 8, y)],
            };
            root.draw(&ChartMark::new(legend_shape(shape), *ink, swatch))?;
            root.draw(&ChartMark::new(Shape::Text(text.clone(), Anchor::After), Ink::Text, vec![at(x + 14, y)]))?;
        }
    }
    Ok(())
}

/// The mark of a legend's entry has another shape than the marks of the chart, so that
/// a program that counts bars does not count the legend.
fn legend_shape(shape: &Shape) -> Shape {
    match shape {
        Shape::Bar | Shape::Part | Shape::Span(_) => Shape::Swatch,
        Shape::Line(dash) | Shape::Thin(dash) => Shape::Key(*dash),
        Shape::Dot(dot) => Shape::DotKey(*dot),
        Shape::Cross => Shape::CrossKey,
        other => other.clone(),
    }
}

/// A horizontal line across the plot.
pub(crate) fn across(range: &Range<f64>, y: f64, dash: Dash, ink: Ink) -> ChartMark<(f64, f64)> {
    ChartMark::new(Shape::Thin(dash), ink, vec![(range.start, y), (range.end, y)])
}

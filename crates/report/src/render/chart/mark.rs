//! What charts are made of: marks at points of a coordinate system, each in an
//! ink, most of them with a text that says what they stand for.

use super::palette::Ink;
use plotters::element::PointCollection;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

/// Dots that are told apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dot {
    Circle,
    Square,
    Diamond,
    Triangle,
}

impl Dot {
    /// One for each hue.
    pub(crate) fn of(hue: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond][hue % 4]
    }
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Centred below it.
    Below,
    /// Ends left of it.
    Before,
    /// Begins right of it.
    After,
}

/// The shape of a mark.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A bar between two corners.
    Bar,
    /// A part of a stacked bar or of a track's ground, between two corners.
    Part,
    /// A part of a track between two corners, as dense as it was busy.
    Span(f64),
    /// A line through all points, with a halo.
    Line(Dash),
    /// A line through all points that stands back.
    Thin(Dash),
    /// A dot at each point.
    Dot(Dot),
    /// From one point to another, with ends.
    Whisker,
    /// A cross.
    Cross,
    /// The cross that stands for deaths in a legend.
    CrossKey,
    /// The dot that stands for dots in a legend.
    DotKey(Dot),
    /// The box that stands for bars in a legend.
    Swatch,
    /// The line that stands for lines in a legend.
    Key(Dash),
    /// A text.
    Text(String, Anchor),
}

/// A mark at points of a coordinate system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartMark<C> {
    pub(crate) points: Vec<C>,
    pub(crate) shape: Shape,
    pub(crate) ink: Ink,
    /// What it stands for; shown when somebody points at it.
    pub(crate) title: String,
}

impl<C> ChartMark<C> {
    pub(crate) fn new(shape: Shape, ink: Ink, points: Vec<C>) -> Self {
        Self { points, shape, ink, title: String::new() }
    }

    pub(crate) fn titled(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }
}

impl<'a, C: 'a> PointCollection<'a, C> for &'a ChartMark<C> {
    type Point = &'a C;
    type IntoIter = &'a [C];

    fn point_iter(self) -> &'a [C] {
        &self.points
    }
}

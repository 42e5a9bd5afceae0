//! The elements of charts: marks at points of a coordinate system, each with an ink,
//! and most of them with a title.

use super::palette::Ink;
use plotters::element::PointCollection;

/// The dash pattern of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

/// Shapes of dots that can be distinguished without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dot {
    Circle,
    Square,
    Diamond,
    Triangle,
}

impl Dot {
    /// The shape for a hue.
    pub(crate) fn of(hue: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond][hue % 4]
    }
}

/// The position of a text relative to its point.
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
    /// A part of a stacked bar or of a track's background, between two corners.
    Part,
    /// A part of a track between two corners. The value is the busy share of its time.
    Span(f64),
    /// A line through all points, with a halo.
    Line(Dash),
    /// A thin line through all points, less prominent.
    Thin(Dash),
    /// A dot at each point.
    Dot(Dot),
    /// An error bar from one point to another.
    Whisker,
    /// A cross.
    Cross,
    /// The cross of deaths in a legend.
    CrossKey,
    /// The dot of dots in a legend.
    DotKey(Dot),
    /// The box of bars in a legend.
    Swatch,
    /// The line of lines in a legend.
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
    /// The title, shown when the pointer is over the mark.
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

//! The error of charts.

/// A chart can't be drawn. This is an error of the drawing; no data causes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("drawing a chart: {0}")]
pub struct ChartError(pub(super) String);

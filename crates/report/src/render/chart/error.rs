//! Why there is no chart.

/// A chart can't be drawn: a fault of the drawing, not of the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("drawing a chart: {0}")]
pub struct ChartError(pub(super) String);

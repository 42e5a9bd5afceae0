//! Charts of what was measured, as SVG and as PNG.
//!
//! The plotting library lays out axes and maps values to places; marks are our
//! own, so that each says what it stands for and follows the reader's theme.

mod canvas;
mod frame;
mod mark;
mod palette;
mod phases;
#[cfg(feature = "png")]
mod png;
mod series;
mod speedups;
mod svg;
mod text;
mod timeline;
mod times;

pub(crate) use palette::css;
pub use phases::{PhaseBar, PhaseName, phase_bars, phases};
pub use speedups::{efficiency, speedup};
pub use svg::Svg;
pub(crate) use text::escaped;
pub use timeline::timeline;
pub use times::{by_count, by_size};

/// A chart can't be drawn: a fault of the drawing, not of the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("drawing a chart: {0}")]
pub struct ChartError(pub(crate) String);

/// A number at an axis, without digits that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests;

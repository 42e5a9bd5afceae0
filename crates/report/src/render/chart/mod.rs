//! Charts as SVG and as PNG.
//!
//! The plotting library lays out axes and maps values to coordinates. The marks are
//! drawn here, so that each has a title and follows the reader's theme.

mod canvas;
pub(crate) mod error;
mod frame;
mod mark;
mod palette;
mod phases;
#[cfg(feature = "png")]
mod png;
mod series;
mod speedups;
mod svg;
mod text_width;
mod timeline;
mod times;

pub use error::ChartError;
pub(crate) use palette::css;
pub(crate) use phases::{phase_bars, phases};
pub(crate) use speedups::{efficiency, speedup};
pub use svg::Svg;
pub(crate) use timeline::timeline;
pub use times::by_count;
pub(crate) use times::by_size;

#[cfg(test)]
mod tests;

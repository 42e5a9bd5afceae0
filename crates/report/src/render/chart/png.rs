//! A finished chart as a PNG picture. The feature `png` adds this file, because
//! the SVG renderer brings many packages.

use super::error::ChartError;
use super::svg::Svg;
use resvg::{tiny_skia, usvg};
use std::sync::Arc;

/// The font of PNG pictures, so that the fonts of the machine do not matter: Latin and
/// Greek of DejaVu Sans.
const FONT_FILE: &[u8] = include_bytes!("../../../assets/DejaVuSans.ttf");
/// Pixels of a picture for each pixel of the drawing, for slides and paper.
const PNG_SCALE: f32 = 3.0;

impl Svg {
    /// The chart as a PNG picture, on a white background.
    ///
    /// # Errors
    /// The picture can't be drawn. No data causes this.
    pub fn to_png(&self) -> Result<Vec<u8>, ChartError> {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT_FILE.to_vec());
        let options = usvg::Options {
            fontdb: Arc::new(fonts),
            font_family: "DejaVu Sans".to_owned(),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&self.standalone(), &options).map_err(|error| ChartError(error.to_string()))?;
        let size = tree.size().to_int_size().scale_by(PNG_SCALE);
        let pixels = size.and_then(|size| tiny_skia::Pixmap::new(size.width(), size.height()));
        let mut pixels = pixels.ok_or_else(|| ChartError("the picture is too large".to_owned()))?;
        resvg::render(&tree, tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| ChartError(error.to_string()))
    }
}

//! A finished chart: as a part of a page, as a file, as pixels.

use super::canvas::FONT;
use super::error::ChartError;
use super::palette::Ink;
use crate::text::escape::escape_html;
use resvg::{tiny_skia, usvg};
use std::sync::Arc;

/// The font that pixels are made with, whatever the machine has: Latin and
/// Greek of DejaVu Sans.
const FONT_FILE: &[u8] = include_bytes!("../../../assets/DejaVuSans.ttf");
/// Its name, and then what is about as wide.
const FONT_FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";
/// Pixels of a picture for each pixel of the drawing, for slides and paper.
const PNG_SCALE: f32 = 3.0;

/// A chart as SVG.
#[derive(Clone, Debug, PartialEq)]
pub struct Svg {
    /// A word that names it within its page.
    pub name: &'static str,
    /// What it shows, as a heading.
    pub title: String,
    /// What it says, for those who don't see it.
    pub description: String,
    pub(crate) size: (u32, u32),
    pub(crate) body: String,
}

impl Svg {
    /// As an element for a page; `number` tells it from others of its name.
    #[must_use]
    pub fn inline(&self, number: usize) -> String {
        let Self { name, title, description, size: (width, height), body } = self;
        format!(
            "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\" aria-describedby=\"{name}-{number}\" \
             font-family=\"{FONT_FAMILY}\" font-size=\"{FONT}\">\n<desc id=\"{name}-{number}\">{}</desc>\n{body}</svg>\n",
            escape_html(title),
            escape_html(description),
        )
    }

    /// As a file of its own, on white ground, with its title drawn in.
    #[must_use]
    pub fn standalone(&self) -> String {
        let Self { name, title, description, size: (width, height), body } = self;
        let head = 30;
        let tall = height + head;
        let ink = Ink::Text.light();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {tall}\" width=\"{width}\" height=\"{tall}\" \
             role=\"img\" aria-labelledby=\"{name}-title\" aria-describedby=\"{name}-desc\" \
             font-family=\"{FONT_FAMILY}\" font-size=\"{FONT}\">\n<title id=\"{name}-title\">{0}</title>\n\
             <desc id=\"{name}-desc\">{1}</desc>\n<rect width=\"{width}\" height=\"{tall}\" fill=\"{2}\"/>\n\
             <text x=\"{3}\" y=\"22\" text-anchor=\"middle\" font-size=\"16\" fill=\"{ink}\">{0}</text>\n\
             <g transform=\"translate(0 {head})\">\n{body}</g>\n</svg>\n",
            escape_html(title),
            escape_html(description),
            Ink::Ground.light(),
            width / 2,
        )
    }

    /// As a PNG picture, on white ground.
    ///
    /// # Errors
    /// The picture can't be made; nothing that depends on data.
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

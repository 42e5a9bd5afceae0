//! A finished chart as SVG: as a part of a page, or as a file.

use super::canvas::FONT;
use super::palette::Ink;
use crate::text::escape::escape_html;

/// The font of PNG pictures, then fonts that are about as wide.
const FONT_FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// A chart as SVG.
#[derive(Clone, Debug, PartialEq)]
pub struct Svg {
    /// A name that is unique within a page.
    pub name: &'static str,
    /// The title.
    pub title: String,
    /// A description for screen readers.
    pub description: String,
    pub(crate) size: (u32, u32),
    pub(crate) body: String,
}

impl Svg {
    /// The chart as an element of a page. `number` distinguishes charts of the same name.
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

    /// The chart as a file, on a white background and with its title.
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
}

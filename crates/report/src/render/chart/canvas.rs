//! A drawing backend for SVG that writes each colour as an attribute and as a class,
//! and the title of a mark as `<title>`. The library's own SVG backend writes neither
//! classes nor titles.
//!
//! Coordinates are tenths of a pixel, so that narrow bars are not rounded to
//! different widths.

use super::mark::{Anchor, ChartMark, Dash, Dot, Shape};
use super::palette::Ink;
use super::text_width::width;
use crate::text::escape::escape_html;
use plotters::element::Drawable;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Units per pixel.
pub(crate) const UNITS: i32 = 10;
/// Font size of labels in pixels.
pub(crate) const FONT: i32 = 13;

/// Writes the elements of an SVG.
pub(crate) struct Canvas<'a> {
    out: &'a mut String,
    size: (u32, u32),
}

/// Encodes an ink as a colour for the library: its number is the blue part.
pub(crate) fn carried(ink: Ink) -> plotters::style::RGBColor {
    plotters::style::RGBColor(0, 0, ink.number())
}

fn ink_of(color: BackendColor) -> Ink {
    Ink::of_number(color.rgb.2)
}

/// Formats units as pixels.
struct Px(i32);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, units) = (if self.0 < 0 { "-" } else { "" }, self.0.abs());
        match units % UNITS {
            0 => write!(f, "{sign}{}", units / UNITS),
            rest => write!(f, "{sign}{}.{rest}", units / UNITS),
        }
    }
}

impl<'a> Canvas<'a> {
    /// A canvas of this width and height in pixels.
    pub(crate) fn new(out: &'a mut String, (width, height): (u32, u32)) -> Self {
        Self { out, size: (width * UNITS.unsigned_abs(), height * UNITS.unsigned_abs()) }
    }

    /// Draws a mark at these points.
    pub(crate) fn mark(&mut self, points: &[BackendCoord], shape: &Shape, ink: Ink, title: &str) {
        match (shape, points) {
            (Shape::Bar, [a, b, ..]) => self.rect(*a, *b, ink, "bar", "", title),
            (Shape::Span(density), [a, b, ..]) => {
                let faint =
                    if *density < 0.95 { format!(" fill-opacity=\"{:.2}\"", density.max(0.3)) } else { String::new() };
                self.rect(*a, *b, ink, "span", &faint, title);
            }
            (Shape::Line(dash), _) => {
                self.path(points, Ink::Ground, Dash::Solid, 5, "halo", "");
                self.path(points, ink, *dash, 2, "line", title);
            }
            (Shape::Part, [a, b, ..]) => self.rect(*a, *b, ink, "part", "", title),
            (Shape::Swatch, [a, b, ..]) => self.rect(*a, *b, ink, "swatch", "", title),
            (Shape::Key(dash), _) => self.path(points, ink, *dash, 2, "key", title),
            (Shape::Thin(dash), _) => self.path(points, ink, *dash, 1, "thin", title),
            (Shape::Dot(dot), _) => points.iter().for_each(|at| self.dot(*at, *dot, ink, "dot", title)),
            (Shape::Whisker, [a, b, ..]) => self.whisker(*a, *b, ink, title),
            (Shape::Cross, [at, ..]) => self.cross(*at, ink, "death", title),
            (Shape::CrossKey, [at, ..]) => self.cross(*at, ink, "key", title),
            (Shape::DotKey(dot), [at, ..]) => self.dot(*at, *dot, ink, "key", title),
            (Shape::Text(text, anchor), [at, ..]) => self.label(*at, text, *anchor, ink),
            _ => {}
        }
    }

    /// Ends an element, with its title if it has one.
    fn close(&mut self, element: &str, title: &str) {
        if title.is_empty() {
            self.out.push_str("/>\n");
        } else {
            let _ = writeln!(self.out, "><title>{}</title></{element}>", escape_html(title));
        }
    }

    fn rect(&mut self, a: BackendCoord, b: BackendCoord, ink: Ink, class: &str, more: &str, title: &str) {
        let (left, top) = (a.0.min(b.0), a.1.min(b.1));
        // A short interval must stay visible.
        let (wide, high) = ((a.0 - b.0).abs().max(UNITS / 2), (a.1 - b.1).abs());
        let (number, color) = (ink.number(), ink.light());
        let _ = write!(
            self.out,
            "<rect class=\"{class} f{number}\" fill=\"{color}\"{more} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            Px(left),
            Px(top),
            Px(wide),
            Px(high)
        );
        self.close("rect", title);
    }

    fn path(&mut self, points: &[BackendCoord], ink: Ink, dash: Dash, wide: u32, class: &str, title: &str) {
        if points.len() < 2 {
            return;
        }
        let (number, color) = (ink.number(), ink.light());
        let dashes = match dash {
            Dash::Solid => "",
            Dash::Dashed => " stroke-dasharray=\"7 4\"",
            Dash::Dotted => " stroke-dasharray=\"2 3\"",
        };
        let _ = write!(
            self.out,
            "<polyline class=\"{class} s{number}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{wide}\"{dashes} points=\""
        );
        for (x, y) in points {
            let _ = write!(self.out, "{},{} ", Px(*x), Px(*y));
        }
        self.out.truncate(self.out.trim_end().len());
        self.out.push('"');
        self.close("polyline", title);
    }

    fn dot(&mut self, (x, y): BackendCoord, dot: Dot, ink: Ink, class: &str, title: &str) {
        let (number, color) = (ink.number(), ink.light());
        let (ground, paper) = (Ink::Ground.number(), Ink::Ground.light());
        let look =
            format!("class=\"{class} f{number} s{ground}\" fill=\"{color}\" stroke=\"{paper}\" stroke-width=\"1\"");
        let element = if dot == Dot::Circle { "circle" } else { "polygon" };
        let _ = match dot {
            Dot::Circle => write!(self.out, "<circle {look} cx=\"{}\" cy=\"{}\" r=\"4.5\"", Px(x), Px(y)),
            _ => write!(self.out, "<polygon {look} points=\"{}\"", corners(dot, x, y)),
        };
        self.close(element, title);
    }

    fn whisker(&mut self, a: BackendCoord, b: BackendCoord, ink: Ink, title: &str) {
        let (number, color, end) = (ink.number(), ink.light(), 3 * UNITS);
        let d = [(a.0 - end, a.1, a.0 + end, a.1), (a.0, a.1, b.0, b.1), (b.0 - end, b.1, b.0 + end, b.1)]
            .map(|(x, y, to_x, to_y)| format!("M{} {}L{} {}", Px(x), Px(y), Px(to_x), Px(to_y)));
        let d = d.concat();
        // The halo separates it from a bar of any shade.
        let (ground, paper) = (Ink::Ground.number(), Ink::Ground.light());
        let _ = writeln!(
            self.out,
            "<path class=\"halo s{ground}\" fill=\"none\" stroke=\"{paper}\" stroke-width=\"3.4\" d=\"{d}\"/>"
        );
        let _ = write!(
            self.out,
            "<path class=\"whisker s{number}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.4\" d=\"{d}\""
        );
        self.close("path", title);
    }

    fn cross(&mut self, (x, y): BackendCoord, ink: Ink, class: &str, title: &str) {
        let (number, color, end) = (ink.number(), ink.light(), 5 * UNITS);
        let _ = write!(
            self.out,
            "<path class=\"{class} s{number}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2.5\" \
             d=\"M{} {}L{} {}M{} {}L{} {}\"",
            Px(x - end),
            Px(y - end),
            Px(x + end),
            Px(y + end),
            Px(x - end),
            Px(y + end),
            Px(x + end),
            Px(y - end)
        );
        self.close("path", title);
    }

    fn label(&mut self, (x, y): BackendCoord, text: &str, anchor: Anchor, ink: Ink) {
        let (anchor, x, y) = match anchor {
            Anchor::Below => ("middle", x, y + (FONT + 5) * UNITS),
            Anchor::Before => ("end", x - 6 * UNITS, y + FONT * UNITS * 35 / 100),
            Anchor::After => ("start", x + 6 * UNITS, y + FONT * UNITS * 35 / 100),
        };
        self.text((x, y), text, anchor, FONT, ink, "");
    }

    fn text(&mut self, (x, y): BackendCoord, text: &str, anchor: &str, size: i32, ink: Ink, more: &str) {
        let (number, color) = (ink.number(), ink.light());
        let _ = writeln!(
            self.out,
            "<text class=\"f{number}\" fill=\"{color}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" font-size=\"{size}\"{more}>{}</text>",
            Px(x),
            Px(y),
            escape_html(text)
        );
    }
}

fn corners(dot: Dot, x: i32, y: i32) -> String {
    let points: &[(i32, i32)] = match dot {
        Dot::Circle => &[],
        Dot::Square => &[(-40, -40), (40, -40), (40, 40), (-40, 40)],
        Dot::Diamond => &[(0, -55), (55, 0), (0, 55), (-55, 0)],
        Dot::Triangle => &[(0, -52), (50, 40), (-50, 40)],
    };
    let at = |(dx, dy): &(i32, i32)| format!("{},{}", Px(x + dx), Px(y + dy));
    points.iter().map(at).collect::<Vec<_>>().join(" ")
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl<C> Drawable<Canvas<'_>> for ChartMark<C> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, points: I, canvas: &mut Canvas<'_>, _: (u32, u32)) -> Drawn {
        let points: Vec<BackendCoord> = points.collect();
        canvas.mark(&points, &self.shape, self.ink, &self.title);
        Ok(())
    }
}

/// For the elements that the library draws: the mesh, axes, ticks and their labels.
impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Drawn {
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(&[from, to], ink_of(style.color()), Dash::Solid, 1, "mesh", "");
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        if style.color().alpha > 0.0 {
            let points: Vec<_> = path.into_iter().collect();
            self.path(&points, ink_of(style.color()), Dash::Solid, 1, "mesh", "");
        }
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, (x, y): BackendCoord) -> Drawn {
        let size = pixels(style.size());
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        // Distance from the point down to the baseline.
        let down = match style.anchor().v_pos {
            VPos::Top => size * UNITS * 80 / 100,
            VPos::Center => size * UNITS * 35 / 100,
            VPos::Bottom => -(size * UNITS * 20 / 100),
        };
        let turn = match style.transform() {
            FontTransform::None => 0,
            FontTransform::Rotate90 => 90,
            FontTransform::Rotate180 => 180,
            FontTransform::Rotate270 => 270,
        };
        let turned =
            if turn == 0 { String::new() } else { format!(" transform=\"rotate({turn} {} {})\"", Px(x), Px(y)) };
        self.text((x, y + down), text, anchor, size, ink_of(style.color()), &turned);
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = pixels(style.size());
        let (wide, high) = (width(text, size) * UNITS, size * UNITS);
        Ok((wide.unsigned_abs(), high.unsigned_abs()))
    }
}

/// Font sizes are given to the library in units.
#[expect(clippy::cast_possible_truncation, reason = "a font's size is small")]
fn pixels(size: f64) -> i32 {
    (size / f64::from(UNITS)).round() as i32
}

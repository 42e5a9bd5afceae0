//! The colours of charts, each for light and for dark backgrounds.
//!
//! Marks have their colour twice: as an attribute, for all viewers and printers, and
//! as a class, which the page maps to a variable that follows the reader's theme. The
//! shades of a series are equal steps of lightness (Oklab), so that their order is
//! visible without colour. Colour-blind people can distinguish the hues.

use std::fmt::Write as _;

/// Number of shades of a hue.
pub(crate) const SHADES: u8 = 12;
/// Number of hues. Each machine and executor uses two: for times and for speedups.
pub(crate) const HUES: u8 = 6;
/// Number of colours for phases; after these they repeat.
pub(crate) const PHASES: u8 = 9;

/// The ink of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Titles and labels.
    Text,
    /// Less prominent text: descriptions, ticks.
    Muted,
    /// Lines of the mesh.
    Grid,
    /// The background.
    Ground,
    /// The maximum speedup that the items allow.
    MaxSpeedup,
    /// Speedup equal to the count.
    Ideal,
    /// Error bars, from the shortest to the longest run.
    Whisker,
    /// A process that is not ready yet.
    StartUp,
    /// A process that waits.
    Waiting,
    /// Items that are run.
    Work,
    /// Items that are run again.
    Retried,
    /// Items that failed.
    Failed,
    /// The death of a process, and its lost item.
    Lost,
    /// A phase, by its index.
    Phase(u8),
    /// A hue and a shade, by their indices.
    Series(u8, u8),
}

/// The inks besides phases and series.
const PLAIN: [Ink; 13] = [
    Ink::Text,
    Ink::Muted,
    Ink::Grid,
    Ink::Ground,
    Ink::MaxSpeedup,
    Ink::Ideal,
    Ink::Whisker,
    Ink::StartUp,
    Ink::Waiting,
    Ink::Work,
    Ink::Retried,
    Ink::Failed,
    Ink::Lost,
];

impl Ink {
    /// All inks; the index of an ink is its number.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let phases = (0..PHASES).map(Self::Phase);
        let series = (0..HUES).flat_map(|hue| (0..SHADES).map(move |shade| Self::Series(hue, shade)));
        PLAIN.into_iter().chain(phases).chain(series)
    }

    /// The shade of the `at`-th of `of` series of one hue.
    pub(crate) fn shade(hue: usize, at: usize, of: usize) -> Self {
        // Each takes the middle of its part of the range: a single series has the middle
        // shade, and only many series need the ends.
        let (at, of) = (at.min(of.saturating_sub(1)), of.max(1));
        let shade = (2 * at + 1) * usize::from(SHADES) / (2 * of);
        Self::Series((hue % usize::from(HUES)) as u8, shade as u8)
    }

    pub(crate) fn number(self) -> u8 {
        Self::all().position(|ink| ink == self).unwrap_or(0) as u8
    }

    pub(crate) fn of_number(number: u8) -> Self {
        Self::all().nth(usize::from(number)).unwrap_or(Self::Text)
    }

    /// The colour on light backgrounds and on paper.
    pub(crate) fn light(self) -> String {
        match self {
            Self::Text => oklch(0.25, 0.01, 255.0),
            Self::Muted => oklch(0.47, 0.015, 255.0),
            Self::Grid => oklch(0.91, 0.005, 255.0),
            Self::Ground => "#ffffff".to_owned(),
            Self::MaxSpeedup => oklch(0.5, 0.17, 25.0),
            Self::Ideal => oklch(0.6, 0.015, 255.0),
            Self::Whisker => oklch(0.3, 0.01, 255.0),
            Self::StartUp => oklch(0.66, 0.11, 75.0),
            Self::Waiting => oklch(0.9, 0.008, 255.0),
            Self::Work => oklch(0.52, 0.13, 250.0),
            Self::Retried => oklch(0.62, 0.14, 165.0),
            Self::Failed => oklch(0.62, 0.17, 45.0),
            Self::Lost => oklch(0.45, 0.2, 25.0),
            Self::Phase(at) => phase(at, [0.63, 0.66, 0.42, 0.64, 0.48, 0.62, 0.45, 0.64, 0.52]),
            Self::Series(hue, shade) => series(hue, step(shade, 0.65, 0.3)),
        }
    }

    /// The colour on dark backgrounds.
    pub(crate) fn dark(self) -> String {
        match self {
            Self::Text => oklch(0.93, 0.005, 255.0),
            Self::Muted => oklch(0.74, 0.012, 255.0),
            Self::Grid => oklch(0.33, 0.01, 255.0),
            Self::Ground => oklch(0.2, 0.012, 255.0),
            Self::MaxSpeedup => oklch(0.72, 0.15, 25.0),
            Self::Ideal => oklch(0.62, 0.012, 255.0),
            Self::Whisker => oklch(0.95, 0.005, 255.0),
            Self::StartUp => oklch(0.72, 0.11, 75.0),
            Self::Waiting => oklch(0.32, 0.01, 255.0),
            Self::Work => oklch(0.68, 0.12, 250.0),
            Self::Retried => oklch(0.75, 0.13, 165.0),
            Self::Failed => oklch(0.75, 0.14, 50.0),
            Self::Lost => oklch(0.65, 0.2, 25.0),
            Self::Phase(at) => phase(at, [0.75, 0.5, 0.75, 0.6, 0.68, 0.82, 0.6, 0.78, 0.66]),
            Self::Series(hue, shade) => series(hue, step(shade, 0.54, 0.92)),
        }
    }
}

/// CSS of a page: variables that follow the theme, and the classes of marks.
pub(crate) fn css() -> String {
    let (mut light, mut dark, mut classes) = (String::new(), String::new(), String::new());
    for ink in Ink::all() {
        let number = ink.number();
        let _ = write!(light, "--i{number}:{};", ink.light());
        let _ = write!(dark, "--i{number}:{};", ink.dark());
        let _ = writeln!(classes, ".f{number}{{fill:var(--i{number})}}.s{number}{{stroke:var(--i{number})}}");
    }
    // Printed pages always use the light colours.
    format!(":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{classes}")
}

fn step(shade: u8, from: f64, to: f64) -> f64 {
    from + (to - from) * f64::from(shade) / f64::from(SHADES - 1)
}

fn series(hue: u8, lightness: f64) -> String {
    let (chroma, hue) = [(0.12, 250.0), (0.15, 50.0), (0.11, 165.0), (0.16, 345.0), (0.14, 300.0), (0.1, 100.0)]
        [usize::from(hue % HUES)];
    oklch(lightness, chroma, hue)
}

/// Lightness, chroma and hue of phases. Neighbours also differ in lightness.
fn phase(at: u8, lightness: [f64; PHASES as usize]) -> String {
    let at = usize::from(at % PHASES);
    let (chroma, hue) = [
        (0.13, 65.0),
        (0.02, 250.0),
        (0.14, 330.0),
        (0.12, 165.0),
        (0.13, 250.0),
        (0.12, 110.0),
        (0.15, 25.0),
        (0.12, 300.0),
        (0.03, 60.0),
    ][at];
    oklch(lightness[at], chroma, hue)
}

/// A colour of this lightness, chroma and hue as `#rrggbb`. The chroma is reduced to
/// what sRGB can show.
fn oklch(lightness: f64, chroma: f64, hue: f64) -> String {
    let mut chroma = chroma;
    loop {
        let rgb = linear(lightness, chroma, hue.to_radians());
        if chroma < 0.001 || rgb.iter().all(|part| (-0.000_5..=1.000_5).contains(part)) {
            let [r, g, b] = rgb.map(encoded);
            return format!("#{r:02x}{g:02x}{b:02x}");
        }
        chroma -= 0.002;
    }
}

/// Björn Ottosson's matrices from Oklab to linear sRGB.
fn linear(lightness: f64, chroma: f64, hue: f64) -> [f64; 3] {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ]
}

fn encoded(part: f64) -> u8 {
    let part = part.clamp(0.0, 1.0);
    let curved = if part <= 0.003_130_8 { 12.92 * part } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
    (curved * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as the accessibility guidelines define it.
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn marks_and_text_have_enough_contrast_in_both_themes() {
        for ink in Ink::all() {
            let least = match ink {
                Ink::Text | Ink::Muted => 4.5,
                Ink::Grid | Ink::Ground | Ink::Waiting => 1.0,
                Ink::StartUp => 2.5,
                _ => 3.0,
            };
            let light = contrast(&ink.light(), &Ink::Ground.light());
            let dark = contrast(&ink.dark(), &Ink::Ground.dark());
            assert!(light >= least && dark >= least, "{ink:?}: {light:.2} {dark:.2}");
        }
    }

    #[test]
    fn numbers_name_inks() {
        for ink in Ink::all() {
            assert_eq!(Ink::of_number(ink.number()), ink);
        }
    }

    #[test]
    fn phases_have_different_colours() {
        let phases = || (0..PHASES).map(Ink::Phase);
        for (at, phase) in phases().enumerate() {
            assert!(phases().skip(at + 1).all(|other| other.light() != phase.light() && other.dark() != phase.dark()));
        }
    }

    #[test]
    fn shades_are_in_order() {
        for hue in 0..HUES {
            let lights: Vec<_> = (0..SHADES).map(|shade| luminance(&Ink::Series(hue, shade).light())).collect();
            assert!(lights.windows(2).all(|pair| pair[0] > pair[1]), "{lights:?}");
        }
        assert_eq!(
            (0..3).map(|at| Ink::shade(0, at, 3)).collect::<Vec<_>>(),
            [Ink::Series(0, 2), Ink::Series(0, 6), Ink::Series(0, 10)]
        );
        assert_eq!(Ink::shade(7, 0, 1), Ink::Series(1, 6));
        assert_eq!(Ink::shade(0, 19, 20), Ink::Series(0, 11));
    }

    #[test]
    fn known_colours() {
        assert_eq!(oklch(1.0, 0.0, 0.0), "#ffffff");
        assert_eq!(oklch(0.627_955, 0.257_683, 29.2339), "#ff0000");
    }
}

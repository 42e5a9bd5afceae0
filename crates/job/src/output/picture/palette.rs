//! The colour of a number: from dark blue over violet and orange to pale yellow
//! in perceptually even steps; black for pixels with the largest number.
//!
//! The colours are made in the Oklab colour space, where equal distances look
//! alike. Lightness rises steadily, so that the picture can be read without
//! colour vision and in print.

/// How many colours there are for numbers below the largest.
pub(crate) const COLOURS: u8 = 254;
/// The colour index of pixels with the largest number.
pub(crate) const INSIDE: u8 = 254;
/// The colour index of a pixel that was not computed.
pub(crate) const MISSING: u8 = 255;

/// Colours of numbers below this one are kept in a table.
const TABLE: u32 = 4096;

/// Maps numbers to colours.
#[derive(Debug)]
pub(crate) struct Palette {
    most: u32,
    table: Vec<u8>,
}

impl Palette {
    /// For numbers up to `most`.
    pub(crate) fn new(most: u32) -> Self {
        let table = (0..most.min(TABLE)).map(|number| shade(number, most)).collect();
        Self { most, table }
    }

    /// The colour index of a number.
    pub(crate) fn index(&self, number: u32) -> u8 {
        if number >= self.most {
            return INSIDE;
        }
        let known = self.table.get(number as usize).copied();
        known.unwrap_or_else(|| shade(number, self.most))
    }
}

/// Logarithmic: each doubling of the number is an equal step of colour, so that
/// both the wide areas with small numbers and the fine structures get a range
/// of colours.
fn shade(number: u32, most: u32) -> u8 {
    let scaled = f64::from(number.max(1)).ln() / f64::from(most.max(2)).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 253")]
    let index = (scaled.clamp(0.0, 1.0).powf(BRIGHTER) * f64::from(COLOURS - 1)).round() as u8;
    index
}

/// The exponent; below 1, small numbers get more of the range.
const BRIGHTER: f64 = 0.85;

/// Red, green and blue of every index.
pub(crate) fn colours() -> Vec<u8> {
    let shades = (0..COLOURS).flat_map(|index| rgb(f64::from(index) / f64::from(COLOURS - 1)));
    shades.chain([0, 0, 0]).chain([128, 128, 128]).collect()
}

/// The opacity of each index: 255 except for missing pixels.
pub(crate) fn opacities() -> Vec<u8> {
    let mut all = vec![255; usize::from(MISSING)];
    all.push(0);
    all
}

/// A colour between dark (0) and bright (1).
fn rgb(at: f64) -> [u8; 3] {
    linear_rgb(oklab(at)).map(|value| {
        let value = value.clamp(0.0, 1.0);
        let curved = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
        let byte = (curved * 255.0).round() as u8;
        byte
    })
}

/// The path through Oklab: lightness, and the two axes of colour.
fn oklab(at: f64) -> [f64; 3] {
    let hue = (275.0 + 190.0 * at).to_radians();
    // Most colourful in the middle: near black and white few colours can be
    // displayed.
    let chroma = 0.06 + 0.125 * (std::f64::consts::PI * (0.08 + 0.87 * at)).sin();
    [0.20 + 0.77 * at, chroma * hue.cos(), chroma * hue.sin()]
}

/// Oklab to linear sRGB (Ottosson, 2020).
fn linear_rgb([lightness, a, b]: [f64; 3]) -> [f64; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE lightness of an sRGB colour: independent of the space in which the
    /// colours are made.
    fn lightness(rgb: &[u8]) -> f64 {
        let linear = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let y = 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
        if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    #[test]
    fn brightness_grows_in_even_steps() {
        let colours = colours();
        let all: Vec<f64> = colours.chunks(3).take(usize::from(COLOURS)).map(lightness).collect();
        // Sixteen steps at a time: a single step is about as large as the
        // rounding to bytes.
        let steps: Vec<f64> = all.windows(17).map(|window| window[16] - window[0]).collect();
        let (least, most) = steps.iter().fold((f64::MAX, f64::MIN), |(a, b), &step| (a.min(step), b.max(step)));
        assert!(least > 3.0 && most < 7.5, "steps from {least} to {most}");
        assert!(all[0] > 5.0, "the darkest is not black: {}", all[0]);
        assert!(all[253] > 90.0, "{}", all[253]);
    }

    #[test]
    fn all_colours_can_be_displayed() {
        for index in 0..COLOURS {
            let linear = linear_rgb(oklab(f64::from(index) / 253.0));
            assert!(linear.iter().all(|value| (-0.002..=1.002).contains(value)), "{index}: {linear:?}");
        }
    }

    #[test]
    fn every_index_has_a_colour_and_only_missing_pixels_are_transparent() {
        assert_eq!(colours().len(), 256 * 3);
        assert_eq!(colours()[usize::from(INSIDE) * 3..][..3], [0, 0, 0]);
        let opacities = opacities();
        assert_eq!(opacities.len(), 256);
        assert_eq!(opacities.iter().position(|&opacity| opacity == 0), Some(usize::from(MISSING)));
    }

    #[test]
    fn larger_numbers_are_never_darker_and_the_largest_is_black() {
        for most in [1, 2, 3, 1000, 5000, u32::MAX] {
            let palette = Palette::new(most);
            assert_eq!(palette.index(most), INSIDE);
            let numbers = (0..10_000).chain([100_000, 1 << 31, u32::MAX]).filter(|&number| number < most);
            let indexes: Vec<u8> = numbers.map(|number| palette.index(number)).collect();
            assert!(indexes.is_sorted() && indexes.iter().all(|&index| index < COLOURS), "{most}");
        }
        let palette = Palette::new(1000);
        assert_eq!((palette.index(1), palette.index(999)), (0, 253));
    }
}

//! `mandelbrot`: a picture of the Mandelbrot set. An item is a row of the picture.
//! Its result is, for each pixel of the row, the number of iterations until the
//! value leaves the circle of radius 2. The cost of rows differs widely, so the
//! picture is a good test of load balancing.

use super::entry::{ItemRunner, Picture, TaskEntry, TaskShape};
use crate::{FromItem as _, Items, ParamError, ParamSpec, Params, Task, TaskError, TextTask, ToText};

/// The maximum side in pixels: a row of the largest counts is still a result that
/// fits into a message.
const MAX_SIDE: u32 = 1_000_000;

/// The number of pixels that are iterated side by side. Each pixel is computed in
/// the same order of operations as in a plain loop, so the counts are the same. But
/// in a plain loop each multiplication waits for the one before, while these run in
/// parallel.
const LANES: usize = 8;

/// Rows of a square picture of the Mandelbrot set.
pub struct Mandelbrot {
    side: u32,
    max_iterations: u32,
    region: Region,
}

/// A part of the plane. Its first corner is that of the first pixel of row 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    x0: f64,
    y0: f64,
    x1: f64,
    y1: f64,
}

/// The counts of a row, written with commas between them.
pub struct IterationCounts(Vec<u32>);

const SIDE: ParamSpec =
    ParamSpec { name: "side", default: "600", values: &[], help: "how many pixels wide and high the picture is" };

const MAX_ITERATIONS: ParamSpec = ParamSpec {
    name: "max-iterations",
    default: "1000",
    values: &[],
    help: "after how many iterations a pixel counts as one of the set, 1 to 4294967295",
};

const REGION: ParamSpec = ParamSpec {
    name: "region",
    default: "-2.5,-1,1,1",
    values: &[],
    help: "the part of the plane, X0,Y0,X1,Y1, with X0 < X1 and Y0 < Y1",
};

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "mandelbrot",
    summary: "a row of a picture of the Mandelbrot set, of --size pixels: each pixel's count of iterations",
    params: &[MAX_ITERATIONS, REGION],
    items: Items::Words,
    numbers: true,
    hidden: false,
    shape: TaskShape::Picture(Picture { side: SIDE, max_side: MAX_SIDE, most: |params| most(params).unwrap_or(1) }),
    runner: ItemRunner::Native,
    make: |params, _, options| Ok(Box::new(TextTask::new(Mandelbrot::new(params)?, options))),
};

/// The maximum count: a pixel with this count never left the circle.
fn most(params: &Params) -> Option<u32> {
    params.get(MAX_ITERATIONS.name).parse().ok().filter(|&most| most > 0)
}

impl Mandelbrot {
    fn new(params: &Params) -> Result<Self, ParamError> {
        let refused = |spec: ParamSpec, why: &str| {
            let what = format!("'{}' is not a value of '{}' ({why})", params.get(spec.name), spec.name);
            ParamError::new(ENTRY.name, what, ENTRY.params)
        };
        let side = params.get(SIDE.name).parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
        Ok(Self {
            side: side.ok_or_else(|| refused(SIDE, "a picture's side is 1 to 1000000 pixels"))?,
            max_iterations: most(params).ok_or_else(|| refused(MAX_ITERATIONS, "a whole number, 1 to 4294967295"))?,
            region: Region::parse(params.get(REGION.name)).map_err(|why| refused(REGION, why))?,
        })
    }

    /// The counts of a row.
    fn row(&self, row: u32) -> Vec<u32> {
        let y0 = place(row, self.region.y0, self.region.y1, self.side);
        let mut counts = Vec::with_capacity(self.side as usize + LANES);
        for first in (0..self.side).step_by(LANES) {
            // Pixels beyond the edge are computed, too, and removed below.
            let x0 = std::array::from_fn(|lane| place(first + lane as u32, self.region.x0, self.region.x1, self.side));
            counts.extend(escapes(&x0, y0, self.max_iterations));
        }
        counts.truncate(self.side as usize);
        counts
    }
}

/// The position of a pixel between two borders.
fn place(pixel: u32, from: f64, to: f64, side: u32) -> f64 {
    f64::from(pixel) * (to - from) / f64::from(side) + from
}

/// For each point c = x0 + y0·i: how often z ← z² + c is computed, from z = 0,
/// while |z| < 2, and at most `max` times.
///
/// Never inlined, so that a comparison with another executor or a plain loop
/// measures the same machine code.
#[inline(never)]
fn escapes(x0: &[f64; LANES], y0: f64, max: u32) -> [u32; LANES] {
    let (mut x, mut y) = ([0.0f64; LANES], [0.0f64; LANES]);
    // All bits or none, as wide as a coordinate: the result of the processor's
    // comparison.
    let mut inside = [u64::MAX; LANES];
    let mut counts = [0u64; LANES];
    for _ in 0..max {
        let mut any = 0;
        for lane in 0..LANES {
            let (xx, yy) = (x[lane] * x[lane], y[lane] * y[lane]);
            // A point that is outside stays outside: by arithmetic, and here whatever rounding
            // does.
            inside[lane] &= if xx + yy < 4.0 { u64::MAX } else { 0 };
            any |= inside[lane];
            counts[lane] = counts[lane].wrapping_sub(inside[lane]);
            y[lane] = 2.0 * x[lane] * y[lane] + y0;
            x[lane] = xx - yy + x0[lane];
        }
        if any == 0 {
            break;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most `max`, which is a u32")]
    counts.map(|count| count as u32)
}

impl Region {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let numbers: Result<Vec<f64>, _> = text.split(',').map(|n| f64::from_item(n.trim().as_bytes())).collect();
        let Ok(&[x0, y0, x1, y1]) = numbers.as_deref() else { return Err("four finite numbers, X0,Y0,X1,Y1") };
        if !(x0 < x1 && y0 < y1) {
            return Err("X0 < X1 and Y0 < Y1");
        }
        Ok(Self { x0, y0, x1, y1 })
    }
}

impl Task for Mandelbrot {
    type Input = u64;
    type Output = IterationCounts;

    fn name(&self) -> &str {
        ENTRY.name
    }

    fn run(&self, row: u64) -> Result<IterationCounts, TaskError> {
        match u32::try_from(row) {
            Ok(row) if row < self.side => Ok(IterationCounts(self.row(row))),
            _ => Err(TaskError::new(format!("a picture of side {} has no row {row}", self.side))),
        }
    }
}

impl ToText for IterationCounts {
    fn is_json(&self) -> bool {
        false
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        for (at, &count) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(number.format(count).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(given: &[(&str, &str)]) -> Result<Mandelbrot, String> {
        let given: Vec<_> = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let specs = [ENTRY.params, &[SIDE]].concat();
        let params = Params::check(ENTRY.name, &specs, &given).map_err(|error| error.to_string())?;
        Mandelbrot::new(&params).map_err(|error| error.to_string())
    }

    /// The textbook version: one pixel after the other, one step after the other.
    fn reference(side: u32, max: u32, [left, top, right, bottom]: [f64; 4]) -> Vec<Vec<u32>> {
        let mut rows = Vec::new();
        for row in 0..side {
            let y0 = f64::from(row) * (bottom - top) / f64::from(side) + top;
            let mut counts = Vec::new();
            for column in 0..side {
                let x0 = f64::from(column) * (right - left) / f64::from(side) + left;
                let (mut x, mut y, mut count) = (0.0, 0.0, 0);
                while x * x + y * y < 4.0 && count < max {
                    (x, y) = (x * x - y * y + x0, 2.0 * x * y + y0);
                    count += 1;
                }
                counts.push(count);
            }
            rows.push(counts);
        }
        rows
    }

    fn picture(task: &Mandelbrot) -> Vec<Vec<u32>> {
        (0..u64::from(task.side)).map(|row| task.run(row).unwrap().0).collect()
    }

    #[test]
    fn whole_pictures_equal_those_of_a_plain_loop() {
        const DEFAULT_REGION: [f64; 4] = [-2.5, -1.0, 1.0, 1.0];
        for side in [1, 2, 7, 8, 9, 64, 131] {
            let task = made(&[("side", &side.to_string())]).unwrap();
            assert_eq!(picture(&task), reference(side, 1000, DEFAULT_REGION), "{side}");
        }
        for (max, region, corners) in [
            (1, "-2.5,-1,1,1", DEFAULT_REGION),
            (2, "-2.5,-1,1,1", DEFAULT_REGION),
            (5000, "-0.75,0.1,-0.74,0.11", [-0.75, 0.1, -0.74, 0.11]),
            (300, "-1e300,-4,1e300,4", [-1e300, -4.0, 1e300, 4.0]),
            (100, "-2,-2,2,2", [-2.0, -2.0, 2.0, 2.0]),
        ] {
            let max_text = max.to_string();
            let task = made(&[("side", "50"), ("max-iterations", &max_text), ("region", region)]).unwrap();
            assert_eq!(picture(&task), reference(50, max, corners), "{max} {region}");
        }
    }

    #[test]
    fn known_points_have_their_counts() {
        // 0 and −2 belong to the set, but −2 lies on the border of the circle and counts
        // as outside once it gets there.
        let counts = escapes(&[0.0, -2.0, -1.0, 1.0, 0.25, 3.0, -0.75, 0.26], 0.0, 1000);
        assert_eq!(counts, [1000, 1, 1000, 2, 1000, 1, 1000, 30]);
        assert_eq!(escapes(&[0.0; LANES], 0.0, 7), [7; LANES]);
    }

    #[test]
    fn pixels_are_mapped_to_the_region() {
        let at = |pixel, from, to| place(pixel, from, to, 400);
        assert_eq!((at(0, -2.5, 1.0), at(0, -1.0, 1.0)), (-2.5, -1.0));
        assert_eq!((at(200, -2.5, 1.0), at(200, -1.0, 1.0)), (-0.75, 0.0));
        for pixel in 0..400u32 {
            let (x, y) = (f64::from(pixel) * 3.5 / 400.0 - 2.5, f64::from(pixel) * 2.0 / 400.0 - 1.0);
            assert_eq!((at(pixel, -2.5, 1.0), at(pixel, -1.0, 1.0)), (x, y), "{pixel}");
        }
    }

    #[test]
    fn rows_are_written_with_commas_and_other_rows_fail() {
        let task = made(&[("side", "3"), ("max-iterations", "20")]).unwrap();
        let mut text = Vec::new();
        task.run(1).unwrap().write_text(&mut text);
        assert_eq!(String::from_utf8(text).unwrap(), "1,6,20");
        for row in [3, u64::MAX] {
            assert!(task.run(row).err().unwrap().to_string().contains("side 3"));
        }
    }

    #[test]
    fn invalid_picture_settings_are_refused_with_the_valid_ones() {
        for (key, value) in [
            ("max-iterations", "0"),
            ("max-iterations", "-1"),
            ("max-iterations", "4294967296"),
            ("max-iterations", "many"),
            ("region", ""),
            ("region", "-2.5,-1,1"),
            ("region", "-2.5,-1,1,1,1"),
            ("region", "-2.5,-1,x,1"),
            ("region", "-2.5,-1,inf,1"),
            ("region", "-2.5,-1,nan,1"),
            ("region", "1,-1,-2.5,1"),
            ("region", "-2.5,1,1,1"),
            ("side", "0"),
            ("side", "1000001"),
        ] {
            let refusal = made(&[(key, value)]).err().unwrap_or_else(|| panic!("{key}={value} is taken"));
            assert!(refusal.contains(key) && refusal.contains("max-iterations=1000"), "{refusal}");
        }
        assert!(made(&[("max-iterations", "4294967295"), ("region", "0, 0, 1e-3, 1")]).is_ok());
    }
}

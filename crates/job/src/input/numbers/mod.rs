//! Files of numbers, as people have them: a heading above the numbers, remarks
//! behind them, quotes and brackets around them, a last line of words.
//!
//! The bytes stay in their places: what is no number becomes blanks, so that the
//! rest of the input sees plain words, and messages name the right line and
//! column. What seems to be a table, or numbers with separated thousands, is
//! refused before the first item.

mod clean;
mod end_line;
mod fields;
mod heading;
mod judge;

pub(crate) use clean::{NumberReader, clean_list};
pub(crate) use end_line::EndLineReader;
pub use heading::rest_after_heading;
pub(crate) use heading::skip_heading;
pub(crate) use judge::Suspicion;

//! Formatting of numbers and times, and escaping for terminals and HTML.

pub(crate) mod escape;
pub(crate) mod shorten;
pub(crate) mod wrap;
pub mod units;
pub(crate) mod utc;

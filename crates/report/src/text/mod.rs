//! Formatting of numbers and times, and escaping for terminals and HTML.

pub(crate) mod escape;
pub(crate) mod shorten;
pub mod units;
pub(crate) mod utc;
pub(crate) mod wrap;

//! A process that does nothing: what starting one costs at the least.

#![forbid(unsafe_code)]

fn main() {}

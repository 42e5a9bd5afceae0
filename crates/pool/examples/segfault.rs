//! A C function that reads where it should not, for one item of a thousand: that
//! item is lost, its neighbours and this program are not.
//!
//!     cargo run --release -p procession --example segfault

#![allow(clippy::print_stdout, reason = "a program for people")]

use procession::{ItemError, Pool};
use std::error::Error;

/// The length of a text, as C tells it.
fn c_length(item: u32) -> usize {
    let text = c"forty-two characters would be longer still";
    // The bug: for one item there is no text.
    let start = if item == 700 { std::ptr::without_provenance(item as usize) } else { text.as_ptr() };
    // SAFETY: `start` is a text with its NUL, but for the item above: there this
    // reads memory that nobody has, and the system ends the process, which is
    // what this program is about. Nothing is written, and nobody else is harmed.
    unsafe { libc::strlen(start) }
}

fn main() -> Result<(), Box<dyn Error>> {
    procession::init();
    let pool = Pool::builder().procs(2).build()?;
    let mut lengths = 0;
    for outcome in pool.map(c_length, 0..1000) {
        match outcome {
            Ok(42) => lengths += 1,
            Ok(other) => return Err(format!("a length of {other}").into()),
            Err(error @ ItemError::Crashed { .. }) => println!("{error}"),
            Err(error) => return Err(error.into()),
        }
    }
    println!("{lengths} others are well");
    Ok(())
}

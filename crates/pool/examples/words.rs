//! The most frequent words of some files, counted file by file in processes and
//! put together here:
//!
//!     cargo run --release -p procession --example words README.md ARCHITECTURE.md

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for people")]

use procession::{Pool, TaskError};
use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

type Counts = HashMap<String, u64>;

/// The words of a file. That it can't be read is that file's failure.
fn count(path: PathBuf) -> Result<Counts, TaskError> {
    let text = std::fs::read_to_string(&path).map_err(|e| TaskError::new(format!("{}: {e}", path.display())))?;
    let mut counts = Counts::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    Ok(counts)
}

fn add(mut sum: Counts, counts: Counts) -> Counts {
    for (word, count) in counts {
        *sum.entry(word).or_default() += count;
    }
    sum
}

fn main() -> Result<(), Box<dyn Error>> {
    procession::init();
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let counts = Pool::new()?.map_reduce(count, &files, Counts::new(), add)?;
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (word, count) in words.iter().take(10) {
        println!("{count:>7} {word}");
    }
    Ok(())
}

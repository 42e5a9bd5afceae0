//! Runs with an output that end too early, and how far they came.

use crate::support::Place;
use serde_json::Value;
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

/// The record beside an output, if there is one.
pub(crate) fn record(place: &Place, output: &str) -> Option<Value> {
    let text = std::fs::read(place.path(&format!("{output}.resume"))).ok()?;
    Some(serde_json::from_slice(&text).expect("a record is whole at any moment"))
}

/// How many items are good by the record.
pub(crate) fn good(place: &Place, output: &str) -> u64 {
    record(place, output).and_then(|record| record["done"]["items"].as_u64()).unwrap_or(0)
}

/// How large an output is.
pub(crate) fn size(place: &Place, output: &str) -> u64 {
    std::fs::metadata(place.path(output)).map_or(0, |about| about.len())
}

/// Waits for something to come true while a run goes on; says whether it did
/// before the run ended.
pub(crate) fn happens(child: &mut Child, mut what: impl FnMut() -> bool) -> bool {
    loop {
        if what() {
            return true;
        }
        if child.try_wait().expect("a child").is_some() {
            return what();
        }
        std::thread::yield_now();
    }
}

/// Kills a coordinator with SIGKILL.
pub(crate) fn destroy(mut child: Child) {
    child.kill().expect("it is ours to kill");
    child.wait().expect("it ends");
}

/// A run that is fed through a pipe and ends only with it.
pub(crate) struct Fed {
    pub(crate) child: Child,
    pub(crate) stdin: ChildStdin,
}

impl Fed {
    pub(crate) fn new(place: &Place, args: &[&str]) -> Self {
        let mut child = place.command(args).stdin(Stdio::piped()).spawn().expect("the coordinator starts");
        let stdin = child.stdin.take().expect("its input");
        Self { child, stdin }
    }

    /// Gives it these items and waits until so many are good in all.
    pub(crate) fn feed(mut self, place: &Place, items: &str, until: u64) -> Self {
        self.stdin.write_all(items.as_bytes()).expect("it reads");
        assert!(happens(&mut self.child, || good(place, "out") >= until), "it ended too early");
        self
    }

    pub(crate) fn destroy(self) {
        destroy(self.child);
    }
}

pub(crate) const RUN: [&str; 8] = ["-t", "sqrt", "--log", "off", "-o", "out", "-q", "--progress=never"];

pub(crate) fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

/// Leaves an output that was interrupted after its first hundred items.
pub(crate) fn interrupted(place: &Place, items: &str) {
    Fed::new(place, &RUN).feed(place, items, 100).destroy();
}

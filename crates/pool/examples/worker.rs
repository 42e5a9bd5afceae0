//! A worker of one's own for the command line, with two tasks:
//!
//!     cargo build --release -p procession --example worker
//!     coordinator --worker target/release/examples/worker --task collatz --list 27,97,871
//!     coordinator --worker target/release/examples/worker --task caesar --param by=13 --list uryyb

#![forbid(unsafe_code)]

use procession::worker::{Items, ParamSpec, Params, Tasks, WorkerAllocator, serve};
use procession::{Task, TaskError};
use std::process::ExitCode;

/// By this an item that wants more memory than `--memory-limit` is named.
#[global_allocator]
static MEMORY: WorkerAllocator = WorkerAllocator;

/// How many steps a number takes to come down to 1.
struct Collatz;

impl Task for Collatz {
    type Input = u64;
    type Output = u32;

    fn name(&self) -> &str {
        "collatz"
    }

    fn run(&self, mut n: u64) -> Result<u32, TaskError> {
        let mut steps = 0;
        while n > 1 {
            n = if n.is_multiple_of(2) { Some(n / 2) } else { n.checked_mul(3).and_then(|n| n.checked_add(1)) }
                .ok_or_else(|| TaskError::new("it climbs beyond 64 bits"))?;
            steps += 1;
        }
        if n == 0 { Err(TaskError::new("0 never comes to 1")) } else { Ok(steps) }
    }
}

/// Moves letters along the alphabet.
struct Caesar {
    by: u8,
}

impl Task for Caesar {
    type Input = String;
    type Output = String;

    fn name(&self) -> &str {
        "caesar"
    }

    fn run(&self, text: String) -> Result<String, TaskError> {
        let moved = |first: u8, letter: char| char::from(first + (letter as u8 - first + self.by) % 26);
        let turn = |letter: char| match letter {
            'a'..='z' => moved(b'a', letter),
            'A'..='Z' => moved(b'A', letter),
            other => other,
        };
        Ok(text.chars().map(turn).collect())
    }
}

const BY: &[ParamSpec] = &[ParamSpec { name: "by", default: "3", values: &[], help: "how far, from 0 to 25" }];

fn caesar(params: &Params) -> Result<Caesar, String> {
    let by = params.get("by").parse().ok().filter(|&by| by < 26);
    by.map(|by| Caesar { by }).ok_or_else(|| "'by' is no number from 0 to 25".to_owned())
}

fn main() -> ExitCode {
    let tasks = Tasks::new()
        .task("a whole number, and how many steps it takes to come down to 1", Collatz)
        .items(Items::Words)
        .numbers()
        .task_with("caesar", "a line, with its letters moved along the alphabet", BY, caesar);
    serve(tasks)
}

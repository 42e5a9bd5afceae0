//! `misbehave`: does to its process what its item says, so that tests can check the
//! effect on all other items. It is not listed.
//!
//! - process: `abort`, `exit N`, `kill SIGNAL` (by name, to itself), `stop`,
//!   `segv`, `dies FILE` (aborts as often as the number in the file says)
//! - time: `sleep MS`, `hang` (busy without end), `deadlock` (idle without end),
//!   `reads FILE` (to its end: of a named pipe, until something was written to it),
//!   `spawn MS` (leaves a process behind that holds the inherited descriptors)
//! - memory, in bytes: `alloc N`, `leak N`, `thread N` (not by the allocator: a
//!   thread's stack; aborts if it is refused, as a C library would)
//! - text: `panic WORDS`, `print WORDS`, `stderr N` (bytes), `fail WORDS`, `fails
//!   FILE` (fails as often as the number in the file says), `fails-slowly FILE`
//!   (takes 200 ms each time), `long N` (a result of N bytes)
//!
//! Any other item, and any item whose action does not end the process, is returned
//! unchanged.

use super::entry::{ItemRunner, TaskEntry, TaskShape};
use crate::{Items, Task, TaskError, TextTask};
use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

struct Misbehave;

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "misbehave",
    summary: "does what its item says to the process: for tests",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: true,
    shape: TaskShape::List,
    runner: ItemRunner::Native,
    make: |_, _, options| Ok(Box::new(TextTask::new(Misbehave, options))),
};

impl Task for Misbehave {
    type Input = String;
    type Output = String;

    fn name(&self) -> &str {
        ENTRY.name
    }

    fn run(&self, item: String) -> Result<String, TaskError> {
        let (verb, rest) = item.split_once(' ').unwrap_or((&item, ""));
        let number = || rest.parse::<usize>().map_err(|e| TaskError::new(format!("'{rest}': {e}")));
        match verb {
            "abort" => std::process::abort(),
            "exit" => std::process::exit(i32::try_from(number()?).unwrap_or(1)),
            "panic" => panic!("{rest}"),
            "print" => print(rest.as_bytes(), &mut std::io::stdout())?,
            "stderr" => print(&vec![b'e'; number()?], &mut std::io::stderr())?,
            "kill" => signal(rest)?,
            "stop" => signal("STOP")?,
            "segv" => segv()?,
            "dies" if counts_down(rest)? => std::process::abort(),
            "fails" if counts_down(rest)? => return Err(TaskError::new("not yet")),
            "fails-slowly" => {
                std::thread::sleep(Duration::from_millis(200));
                if counts_down(rest)? {
                    return Err(TaskError::new("not yet"));
                }
            }
            "hang" => hang(),
            // Waits for a second thread that never comes.
            "deadlock" => drop(Barrier::new(2).wait()),
            "reads" => drop(std::fs::read(rest).map_err(|e| TaskError::new(format!("{rest}: {e}")))?),
            "spawn" => spawn(number()?)?,
            "alloc" => drop(black_box(vec![1u8; number()?])),
            "leak" => drop(black_box(Box::leak(vec![1u8; number()?].into_boxed_slice()))),
            "thread" => thread(number()?),
            "sleep" => std::thread::sleep(Duration::from_millis(number()? as u64)),
            "long" => return Ok("x".repeat(number()?)),
            "fail" => return Err(TaskError::new(rest)),
            _ => {}
        }
        Ok(item)
    }
}

fn hang() {
    loop {
        std::hint::spin_loop();
    }
}

/// Sends a signal to this process, from a child, and waits for the child.
fn signal(name: &str) -> Result<(), TaskError> {
    let line = ["-c", "kill -s \"$0\" $PPID", name];
    let sent = Command::new("/bin/sh").args(line).status().map_err(|e| TaskError::new(e.to_string()))?;
    if sent.success() { Ok(()) } else { Err(TaskError::new(format!("no such signal: {name}"))) }
}

/// Sends the signal twice: the standard library handles the first, which may be a
/// stack overflow, and then removes its handler.
fn segv() -> Result<(), TaskError> {
    signal("SEGV").and_then(|()| signal("SEGV"))
}

/// Starts a sleeping process in this process's group, and does not wait for it.
fn spawn(ms: usize) -> Result<(), TaskError> {
    let seconds = format!("{}.{:03}", ms / 1000, ms % 1000);
    Command::new("sleep").arg(seconds).spawn().map(drop).map_err(|e| TaskError::new(e.to_string()))
}

fn thread(stack: usize) {
    let thread = std::thread::Builder::new().stack_size(stack).spawn(|| ());
    match thread.map(std::thread::JoinHandle::join) {
        Ok(_) => {}
        Err(_) => std::process::abort(),
    }
}

/// Decrements the number in a file; `false` once it is 0.
fn counts_down(path: &str) -> Result<bool, TaskError> {
    let failed = |e: &dyn std::fmt::Display| TaskError::new(format!("{path}: {e}"));
    let left: u64 = std::fs::read_to_string(path).map_err(|e| failed(&e))?.trim().parse().map_err(|e| failed(&e))?;
    std::fs::write(path, left.saturating_sub(1).to_string()).map_err(|e| failed(&e))?;
    Ok(left > 0)
}

fn print(bytes: &[u8], out: &mut impl Write) -> Result<(), TaskError> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| TaskError::new(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_items_are_returned() {
        assert_eq!(Misbehave.run("hello".into()).unwrap(), "hello");
        assert_eq!(Misbehave.run("long 3".into()).unwrap(), "xxx");
        assert_eq!(Misbehave.run("fail no way".into()).unwrap_err().to_string(), "no way");
        for item in ["exit x", "kill NOBODY", "dies /no/such/file", "fails /no/such/file", "reads /no/such/file"] {
            assert!(Misbehave.run(item.into()).is_err(), "{item}");
        }
        for item in ["alloc 4096", "leak 16", "thread 65536", "spawn 0"] {
            assert_eq!(Misbehave.run(item.into()).unwrap(), item);
        }
    }
}

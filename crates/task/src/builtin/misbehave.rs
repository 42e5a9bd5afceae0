//! `misbehave`: does to its process what its item says, so that tests can see
//! what becomes of everybody else's items; it is not listed.
//!
//! `abort` dies by SIGABRT, `exit N` exits, `panic WORDS` panics, `print WORDS`
//! writes to standard output, `stderr N` writes N bytes of errors, `sleep MS`
//! takes its time, `long N` gives N bytes, `fail WORDS` says no; anything else
//! is given back as it is.

use super::{Entry, Shape};
use crate::{Items, Task, TaskError, TextTask};
use std::io::Write;
use std::time::Duration;

struct Misbehave;

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "misbehave",
    summary: "does what its item says to the process: for tests",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: true,
    shape: Shape::List,
    make: |_, options| Ok(Box::new(TextTask::new(Misbehave, options))),
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
            "sleep" => std::thread::sleep(Duration::from_millis(number()? as u64)),
            "long" => return Ok("x".repeat(number()?)),
            "fail" => return Err(TaskError::new(rest)),
            _ => {}
        }
        Ok(item)
    }
}

fn print(bytes: &[u8], out: &mut impl Write) -> Result<(), TaskError> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| TaskError::new(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_no_harm() {
        assert_eq!(Misbehave.run("hello".into()).unwrap(), "hello");
        assert_eq!(Misbehave.run("long 3".into()).unwrap(), "xxx");
        assert_eq!(Misbehave.run("fail no way".into()).unwrap_err().to_string(), "no way");
        assert!(Misbehave.run("exit x".into()).is_err());
    }
}

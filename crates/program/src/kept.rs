//! A program that is kept: started once per worker, asked a line for each item,
//! and ended with its task.
//!
//! Its death is its worker's death ([`Reply::die`]), so that the scheduler does
//! about it what it does about any dead worker: it finds the item that is to
//! blame, tries it again, and leaves its neighbours alone.

mod errors;
mod lines;
mod program;
mod suspicion;
mod walk;

pub(crate) use program::Launch;

use crate::drain::ReadEnd;
use lines::Line;
use procession_sys::{Ended, Signal, running_ns};
use procession_task::{Block, BlockTask, Failure, Reply, TextOptions};
use program::Program;
use std::time::Duration;
use suspicion::Suspicion;
use walk::{After, Means, Walk};

/// How items become lines, and lines results.
pub(crate) trait Codec: Send {
    /// Whether the program greets with a line of its own, before it is asked
    /// anything, and flushes its answers. One of the user's own does neither.
    const GREETS: bool;

    /// Appends the line that asks for an item, its end included. `at_once`: the
    /// answer may not wait for others.
    ///
    /// # Errors
    /// No line can carry this item.
    fn ask(&self, item: &[u8], at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure>;

    /// The longest answer, where a result may have so many bytes.
    fn longest_answer(&self, max_result: usize) -> usize;

    /// Reads an answer; the result is appended to `text`.
    ///
    /// # Errors
    /// The item has failed.
    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure>;

    /// Reads the greeting.
    ///
    /// # Errors
    /// Why nothing can be asked, in a sentence.
    fn greeting(&self, _line: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// What a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it stands in JSON as it is.
    pub(crate) is_json: bool,
}

/// So long a greeting is waited for in silence.
const GREETING_NS: u64 = 500_000_000;

/// And no longer than this in all.
const GREETINGS: u32 = 600;

/// The longest greeting that is listened to.
const GREETING_BYTES: usize = 64 * 1024;

/// A task whose program is kept.
pub(crate) struct Kept<C> {
    codec: C,
    launch: Launch,
    options: TextOptions,
    program: Option<Program>,
    suspicion: Suspicion,
}

impl<C: Codec> Kept<C> {
    /// The task; its program is started when it is needed.
    pub(crate) fn new(codec: C, mut launch: Launch, options: TextOptions) -> Self {
        launch.env.push(("PROCESSION_WORKER".into(), options.identity.slot().to_string().into()));
        Self { codec, launch, options, program: None, suspicion: Suspicion::new(!C::GREETS) }
    }

    fn start(&self, note: &mut dyn FnMut(&str)) -> Result<Program, String> {
        let mut program = Program::start(&self.launch)?;
        if C::GREETS {
            self.hear_greeting(&mut program, note)?;
            return Ok(program);
        }
        // What it says of itself would be taken for the first answer.
        program.settle();
        if program.has_rest() {
            return Err(format!(
                "{} says something before it was asked anything, where a line is to be answered by a line",
                self.launch.name
            ));
        }
        Ok(program)
    }

    fn hear_greeting(&self, program: &mut Program, note: &mut dyn FnMut(&str)) -> Result<(), String> {
        let name = &self.launch.name;
        let (mut until_ns, mut left_over) = (running_ns() + GREETING_NS, GREETINGS);
        program.limit_lines(GREETING_BYTES);
        loop {
            match program.line() {
                Some(Line::Whole(line)) => return self.codec.greeting(line),
                Some(Line::TooLong(_)) => return Err(format!("{name}: what it says first can't be understood")),
                None => {}
            }
            let left = until_ns.saturating_sub(running_ns());
            if left == 0 {
                left_over -= 1;
                if left_over == 0 {
                    return Err(format!("{name} is still being imported, after five minutes"));
                }
                note(&format!("{name} is still being imported"));
                until_ns = running_ns() + GREETING_NS;
            }
            if program.wait(Some(Duration::from_nanos(left))) == ReadEnd::End {
                return Err(format!("{name} {} before it could be asked anything", describe(program.end())));
            }
        }
    }
}

impl<C: Codec> BlockTask for Kept<C> {
    fn prepare(&mut self, note: &mut dyn FnMut(&str)) -> Result<(), String> {
        self.program = Some(self.start(note)?);
        Ok(())
    }

    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        let mut program = match self.program.take() {
            Some(program) => program,
            None => self.start(&mut |text| reply.note(text))?,
        };
        if program.is_gone() {
            // It has answered all that it was asked: nobody is to blame.
            program = self.start(&mut |text| reply.note(text))?;
        }
        program.read();
        if program.has_rest() {
            // What comes when nothing was asked is nobody's answer, and least of all the next one's.
            reply.note(&format!("{} wrote a line that nobody asked for, and is started afresh", self.launch.name));
            program.end();
            program = self.start(&mut |text| reply.note(text))?;
        }
        let Self { codec, launch, options, suspicion, .. } = self;
        let means = Means { codec, name: &launch.name, options, program: &mut program, suspicion };
        if Walk::new(means, block, reply)?.run()? == After::Ready {
            self.program = Some(program);
        }
        Ok(())
    }
}

/// How a program ended, to stand behind its name.
fn describe(ended: Ended) -> String {
    match ended {
        Ended::Status(status) => format!("ended with status {status}"),
        Ended::Signal(signal) => match Signal::try_from(signal) {
            Ok(signal) => format!("was killed by {signal}"),
            Err(_) => format!("was killed by signal {signal}"),
        },
        Ended::Unknown => "ended, nobody knows how,".to_owned(),
    }
}

#[cfg(test)]
mod tests;

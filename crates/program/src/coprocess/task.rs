//! A program that is kept: started once per worker, asked a line for each item,
//! and ended with its task.
//!
//! Its death is its worker's death ([`Reply::die`]), so that the scheduler does
//! about it what it does about any dead worker: it finds the item that is to
//! blame, tries it again, and leaves its neighbours alone.

use super::buffering_detector::BufferingDetector;
use super::codec::Codec;
use super::command::CoprocessCommand;
use super::line_buffer::OutputLine;
use super::program::{Coprocess, describe};
use super::walk::{After, Walk, WalkContext};
use crate::drain::ReadOutcome;
use procession_sys::running_ns;
use procession_task::{Block, BlockTask, Reply, TextOptions};
use std::time::Duration;

/// So long a greeting is waited for in silence.
const GREETING_NS: u64 = 500_000_000;

/// And no longer than this in all.
const GREETINGS: u32 = 600;

/// The longest greeting that is listened to.
const GREETING_BYTES: usize = 64 * 1024;

/// A task whose program is kept.
pub(crate) struct CoprocessTask<C> {
    codec: C,
    command: CoprocessCommand,
    options: TextOptions,
    program: Option<Coprocess>,
    detector: BufferingDetector,
}

impl<C: Codec> CoprocessTask<C> {
    /// The task; its program is started when it is needed.
    pub(crate) fn new(codec: C, mut command: CoprocessCommand, options: TextOptions) -> Self {
        command.env.push(("PROCESSION_WORKER", options.identity.slot().to_string()));
        Self { codec, command, options, program: None, detector: BufferingDetector::new(!C::GREETS) }
    }

    fn start(&self, note: &mut dyn FnMut(&str)) -> Result<Coprocess, String> {
        let mut program = Coprocess::start(&self.command)?;
        if C::GREETS {
            self.hear_greeting(&mut program, note)?;
            return Ok(program);
        }
        // What it says of itself would be taken for the first answer.
        program.settle();
        if program.has_rest() {
            return Err(format!(
                "{} says something before it was asked anything, where a line is to be answered by a line",
                self.command.name
            ));
        }
        Ok(program)
    }

    fn hear_greeting(&self, program: &mut Coprocess, note: &mut dyn FnMut(&str)) -> Result<(), String> {
        let name = &self.command.name;
        let (mut until_ns, mut left_over) = (running_ns() + GREETING_NS, GREETINGS);
        program.limit_lines(GREETING_BYTES);
        loop {
            match program.line() {
                Some(OutputLine::Whole(line)) => return self.codec.greeting(line),
                Some(OutputLine::TooLong(_)) => return Err(format!("{name}: what it says first can't be understood")),
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
            if program.wait(Some(Duration::from_nanos(left))) == ReadOutcome::End {
                return Err(format!("{name} {} before it could be asked anything", describe(program.end())));
            }
        }
    }
}

impl<C: Codec> BlockTask for CoprocessTask<C> {
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
            reply.note(&format!("{} wrote a line that nobody asked for, and is started afresh", self.command.name));
            program.end();
            program = self.start(&mut |text| reply.note(text))?;
        }
        let Self { codec, command, options, detector, .. } = self;
        let means = WalkContext { codec, name: &command.name, options, program: &mut program, detector };
        if Walk::new(means, block, reply)?.run()? == After::Ready {
            self.program = Some(program);
        }
        Ok(())
    }
}

//! The task of a coprocess: it starts the program, and runs each block with it.
//!
//! If the program dies, the worker ends in the same way ([`Reply::die`]). So the
//! scheduler handles the death like that of any worker: it finds the item to blame,
//! retries it, and charges no other item.

use super::buffering_detector::BufferingDetector;
use super::codec::Codec;
use super::command::CoprocessCommand;
use super::line_buffer::OutputLine;
use super::program::{Coprocess, describe};
use super::walk::{After, Walk, WalkContext};
use crate::drain::ReadOutcome;
use crate::shortage::{shortage_note, start_patiently};
use crate::stopped::stopped_note;
use procession_sys::running_ns;
use procession_task::{Block, BlockItems, BlockTask, Reply, TextOptions};
use std::time::Duration;

/// The wait for the program's first line before a message is sent to the user.
const GREETING_NS: u64 = 500_000_000;

/// The maximum number of these waits.
const GREETINGS: u32 = 600;

/// The maximum length of the first line, in bytes.
const GREETING_BYTES: usize = 64 * 1024;

/// A task that runs items in a coprocess.
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
        Self { codec, command, options, program: None, detector: BufferingDetector::new(!C::HAS_GREETING) }
    }

    fn start(&self, note: &mut dyn FnMut(&str)) -> Result<Coprocess, String> {
        let names = self.command.names();
        // Each note shows the coordinator that this worker is not silent.
        let on_shortage = |error: &_| note(&shortage_note(&names, error));
        let started = start_patiently(|| Coprocess::start(&self.command), on_shortage);
        let mut program = started.map_err(|error| format!("{names} {error}"))?;
        if C::HAS_GREETING {
            self.read_greeting(&mut program, note)?;
            return Ok(program);
        }
        // A line before the first request would be taken for the first answer.
        program.settle();
        if program.has_rest() {
            return Err(format!(
                "{} writes a line before its first request; it must write one line for each line that it reads",
                self.command.name
            ));
        }
        Ok(program)
    }

    fn read_greeting(&self, program: &mut Coprocess, note: &mut dyn FnMut(&str)) -> Result<(), String> {
        let name = &self.command.name;
        let (mut until_ns, mut left_over) = (running_ns() + GREETING_NS, GREETINGS);
        program.limit_lines(GREETING_BYTES);
        loop {
            match program.line() {
                Some(OutputLine::Whole(line)) => return self.codec.greeting(line),
                Some(OutputLine::TooLong(_)) => return Err(format!("{name}: its first line can't be understood")),
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
            if let Some(signal) = program.reports_stop() {
                note(&stopped_note(name, program.pid(), signal));
            }
            if program.wait(Some(Duration::from_nanos(left))) == ReadOutcome::End {
                return Err(format!("{name} {} before its first request", describe(program.end())));
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
        procession_sys::reap_ended_strangers();
        let mut program = match self.program.take() {
            Some(program) => program,
            None => self.start(&mut |text| reply.note(text))?,
        };
        if program.is_gone() {
            // It has answered every request: no item is to blame.
            program = self.start(&mut |text| reply.note(text))?;
        }
        program.read();
        if program.has_rest() {
            // A line without a request is nobody's answer, and must not become the next
            // item's.
            reply.note(&format!("{} wrote a line without being asked; it is restarted", self.command.name));
            program.end();
            program = self.start(&mut |text| reply.note(text))?;
        }
        let Self { codec, command, options, detector, .. } = self;
        let items = BlockItems::of(options, block.bytes);
        let context = WalkContext { codec, name: &command.name, options, program: &mut program, detector };
        if Walk::new(context, block, items.as_ref(), reply)?.run()? == After::Ready {
            self.program = Some(program);
        }
        Ok(())
    }
}

//! `null`: returns every item unchanged, so that a run measures only the pool. It
//! is not listed.

use super::entry::{ItemRunner, TaskEntry, TaskShape};
use crate::runner::{ItemAttempt, RunBuffers, run_items};
use crate::{Block, BlockTask, Failure, Format, Items, Reply, TextOptions};

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "null",
    summary: "the item itself: measures the pool alone",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: true,
    shape: TaskShape::List,
    runner: ItemRunner::Native,
    make: |_, _, options| Ok(Box::new(Null { options, buffers: RunBuffers::default() })),
};

struct Null {
    options: TextOptions,
    buffers: RunBuffers,
}

struct Echo;

impl<'a> crate::runner::RunItem<'a> for Echo {
    type Input = &'a [u8];
    type Output = &'a [u8];
    fn read(&self, item: &'a [u8]) -> Result<&'a [u8], Failure> {
        Ok(item)
    }
    fn run_item(&self, item: &'a [u8], _: ItemAttempt, _: &mut dyn FnMut(&str)) -> Result<&'a [u8], Failure> {
        Ok(item)
    }
}

impl Null {
    /// Whether the output equals the input: then only the number of items matters.
    fn is_copy(&self, block: &Block<'_>) -> bool {
        let o = &self.options;
        !block.log
            && !o.show
            && o.format == Format::Lines
            && o.items == Items::Lines
            && block.bytes.last() == Some(&b'\n')
            && memchr::memchr(b'\r', block.bytes).is_none()
    }
}

impl BlockTask for Null {
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        if !reply.is_each() && self.is_copy(block) {
            reply.answer().outputs.extend_from_slice(block.bytes);
            reply.items_done(block.items);
            return Ok(());
        }
        run_items(&Echo, &self.options, &mut self.buffers, block, reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Host, Identity};

    struct Silent;

    impl Host for Silent {
        fn now_ns(&mut self) -> u64 {
            0
        }
        fn is_due(&mut self, _: Option<u64>) -> bool {
            false
        }
        fn item_starts(&mut self, _: u64) {}
        fn send(&mut self, _: &Answer) {}
    }

    fn run(bytes: &[u8], items: u32, format: Format) -> Answer {
        let identity = Identity::new(1, "h", 0);
        let options = TextOptions { items: Items::Lines, table: None, format, show: false, identity };
        let block = Block { first: 0, items, chunk: 0, attempt: 1, log: false, bytes };
        let (mut host, mut answer) = (Silent, Answer::default());
        let mut reply = Reply::new(&mut host, &mut answer, false, 1 << 20);
        Null { options, buffers: RunBuffers::default() }.run(&block, &mut reply).unwrap();
        reply.finish();
        answer
    }

    #[test]
    fn the_copied_and_the_iterated_output_agree() {
        for (bytes, items) in [(&b"a\n\nb\n"[..], 3), (b"a\n\nb", 3), (b"a\r\nb\r\n", 2)] {
            let answer = run(bytes, items, Format::Lines);
            let expected = String::from_utf8_lossy(bytes).replace('\r', "");
            let expected = if expected.ends_with('\n') { expected } else { expected + "\n" };
            assert_eq!(String::from_utf8(answer.outputs).unwrap(), expected);
            assert_eq!(answer.items, items);
        }
        assert_eq!(run(b"a\\\tb\n", 1, Format::Tsv).outputs, b"a\\\\\\tb\ta\\\\\\tb\n");
    }
}

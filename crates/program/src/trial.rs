//! Runs a block through a task, with a minimal host: for this crate's tests.

use procession_task::builtin::TaskEntry;
use procession_task::{Again, Answer, Block, BlockTask, Format, Host, Identity, Items, Reply, TextOptions};

/// Advances its clock with each read, and joins all parts of the answer.
#[derive(Default)]
struct TestHost {
    clock: u64,
    items: u32,
    outputs: Vec<u8>,
    log: Vec<u8>,
}

impl Host for TestHost {
    fn now_ns(&mut self) -> u64 {
        self.clock += 1000;
        self.clock
    }
    fn is_due(&mut self, _: Option<u64>) -> bool {
        false
    }
    fn item_starts(&mut self, _: u64) {}
    fn send(&mut self, answer: &Answer) {
        self.items += answer.items;
        self.outputs.extend_from_slice(&answer.outputs);
        self.log.extend_from_slice(&answer.log);
    }
}

/// A task, and how its blocks are run.
pub(crate) struct Trial {
    task: Box<dyn BlockTask>,
    items: Items,
    pub(crate) again: Again,
    pub(crate) max_result: usize,
}

/// The output of a block.
pub(crate) struct BlockResult {
    pub(crate) outputs: String,
    pub(crate) log: String,
}

impl Trial {
    /// A task in worker 7.
    pub(crate) fn new(entry: &TaskEntry, words: &[&str], items: Items, format: Format) -> Self {
        Self::with(entry, &[], words, items, format)
    }

    /// The same with this parameter.
    pub(crate) fn with(
        entry: &TaskEntry,
        params: &[(String, String)],
        words: &[&str],
        items: Items,
        format: Format,
    ) -> Self {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let options = TextOptions { items, table: None, format, show: false, identity: Identity::new(1, "h", 7) };
        let task = entry.task(params, &words, options).unwrap();
        Self { task, items, again: Again::NEVER, max_result: 1 << 20 }
    }

    /// Runs a block as its second attempt, with items from index 10.
    pub(crate) fn run(&mut self, bytes: &[u8]) -> BlockResult {
        let (mut host, mut answer) = (TestHost::default(), Answer::default());
        let items = u32::try_from(self.items.count(bytes)).unwrap();
        let block = Block { first: 10, items, chunk: 0, attempt: 2, log: true, bytes };
        let mut reply = Reply::new(&mut host, &mut answer, false, self.max_result).trying(self.again);
        self.task.run(&block, &mut reply).unwrap();
        reply.finish();
        host.send(&answer);
        assert_eq!(host.items, items);
        BlockResult { outputs: String::from_utf8(host.outputs).unwrap(), log: String::from_utf8(host.log).unwrap() }
    }
}

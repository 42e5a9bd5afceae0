//! From what runs an item to what a worker runs.

use procession_task::{Block, BlockTask, Reply, RunBuffers, RunItem, TextOptions, run_items};

/// Runs one item after the other.
pub(crate) struct PerItem<R> {
    runs: R,
    options: TextOptions,
    buffers: RunBuffers,
}

impl<R> PerItem<R> {
    pub(crate) fn new(runs: R, options: TextOptions) -> Self {
        Self { runs, options, buffers: RunBuffers::default() }
    }
}

impl<R: for<'a> RunItem<'a> + Send> BlockTask for PerItem<R> {
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        run_items(&self.runs, &self.options, &mut self.buffers, block, reply)
    }
}

//! What a run runs on: the matrix of executors, counts, sizes and chunks.

use procession::ChunkSize;

/// What runs the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Executor {
    /// A plain loop, no pool.
    Serial,
    /// Threads of this process.
    Threads,
    /// Worker processes.
    Procs,
}

impl Executor {
    /// The word for it in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Threads => "threads",
            Self::Procs => "procs",
        }
    }
}

/// One way to run the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// What runs it.
    pub executor: Executor,
    /// How many of them, at least one.
    pub count: u32,
    /// How large the work is; `None`: as large as the input.
    pub size: Option<u64>,
    /// How many items go into a chunk.
    pub chunk: ChunkSize,
}

/// Every configuration of these executors with their counts, sizes and chunks:
/// by size, then by executor and count, then by chunk, each in the order given.
/// Without sizes the work is as large as the input.
#[must_use]
pub fn matrix(executors: &[(Executor, u32)], sizes: &[u64], chunks: &[ChunkSize]) -> Vec<Configuration> {
    let sizes: Vec<Option<u64>> = if sizes.is_empty() { vec![None] } else { sizes.iter().copied().map(Some).collect() };
    let mut all = Vec::new();
    for &size in &sizes {
        for &(executor, count) in executors {
            all.extend(chunks.iter().map(|&chunk| Configuration { executor, count, size, chunk }));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_complete_and_in_order() {
        let all = matrix(&[(Executor::Procs, 1), (Executor::Procs, 2)], &[10, 20], &[ChunkSize::Auto]);
        let shape: Vec<_> = all.iter().map(|c| (c.size, c.count)).collect();
        assert_eq!(shape, [(Some(10), 1), (Some(10), 2), (Some(20), 1), (Some(20), 2)]);
        assert_eq!(matrix(&[(Executor::Procs, 4)], &[], &[ChunkSize::Auto])[0].size, None);
    }
}

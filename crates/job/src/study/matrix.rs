//! All combinations of executors, counts, sizes and chunks.

use procession::ChunkSize;
use procession_task::{Configuration, Executor};

/// All combinations of these executors (with their counts), sizes and chunks:
/// by size, then by executor and count, then by chunk, each in the given order.
/// Without sizes the whole input is used.
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

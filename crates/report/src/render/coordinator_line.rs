//! The line about the coordinator's own threads.

use crate::analysis::measured::Measured;
use std::cmp::Reverse;

/// The shares of one configuration in a line: the largest size, then processes before
/// threads, then the most workers. Empty if they are not known.
pub(crate) fn line(rows: &[Measured]) -> String {
    let rank = |at: usize, row: &Measured| {
        let of = &row.configuration;
        (of.size, of.executor, of.count, Reverse(at))
    };
    let completed = rows.iter().enumerate().filter(|(_, row)| row.completed > 0);
    let Some((_, row)) = completed.max_by_key(|(at, row)| rank(*at, row)) else { return String::new() };
    let of = &row.configuration;
    let chunk = of.chunk.fixed().filter(|_| rows.iter().any(|row| row.configuration.chunk != of.chunk));
    let chunk = chunk.map_or_else(String::new, |chunk| format!(", chunk {chunk}"));
    let of = if rows.len() > 1 { format!(", {} {}{chunk}", of.executor, of.count) } else { String::new() };
    row.coordinator.map_or_else(String::new, |shares| format!("coordinator{of}: {shares}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::measured::measure;
    use crate::samples::run;
    use procession::ChunkSize;
    use procession_task::CoordinatorTimes;
    use std::num::NonZero;

    #[test]
    fn the_most_workers_of_the_largest_size_are_described() {
        let times = CoordinatorTimes { reading_s: 0.5, writing_s: 1.0, ..CoordinatorTimes::default() };
        let row = |count, size, chunk: Option<u32>| {
            let mut run = run(1, 2, 2.0, vec![]);
            run.result.as_mut().unwrap().coordinator = Some(times);
            let of = &mut run.start.configuration;
            (of.count, of.size) = (count, Some(size));
            of.chunk = chunk.and_then(NonZero::new).map_or(of.chunk, ChunkSize::Fixed);
            measure(&[run], 4).remove(0)
        };
        let text = line(&[row(1, 2, None), row(4, 2, None), row(8, 1, None)]);
        assert_eq!(text, "coordinator, procs 4: reading 25.0 %, writing 50.0 %\n");
        assert_eq!(line(&[row(4, 2, None)]), "coordinator: reading 25.0 %, writing 50.0 %\n");
        assert!(line(&[row(4, 2, Some(7)), row(4, 2, None)]).starts_with("coordinator, procs 4, chunk 7: "));
        assert_eq!(line(&[]), "");
    }
}

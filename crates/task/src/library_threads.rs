//! How many threads the libraries of programs and functions use, such as OpenMP
//! and the BLAS implementations.
//!
//! Each of several workers would start a thread for every CPU. The machine would be
//! overloaded, and a study would compare overloads. So each worker gets its share of
//! the CPUs, unless the user decided otherwise.

use std::sync::atomic::{AtomicU32, Ordering};

/// The variables that libraries read.
const NAMES: [&str; 3] = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"];

/// The number for programs that this process starts; 0: they inherit what is set.
static FOR_PROGRAMS: AtomicU32 = AtomicU32::new(0);

/// The share of one of `workers` workers, at least one thread.
#[must_use]
pub fn share(cpus: u32, workers: u32) -> u32 {
    (cpus / workers.max(1)).max(1)
}

/// The variables with this value, as name and value, without those that the
/// environment of this process has already.
#[must_use]
pub fn variables(threads: u32) -> Vec<(&'static str, String)> {
    let is_free = |name: &&str| std::env::var_os(name).is_none();
    NAMES.into_iter().filter(is_free).map(|name| (name, threads.to_string())).collect()
}

/// Sets the number for programs that this process starts itself: those of threads and
/// of the serial loop. Worker processes have it in their environment.
pub fn set_for_programs(threads: u32) {
    FOR_PROGRAMS.store(threads, Ordering::Relaxed);
}

/// The variables for a program that this process starts.
#[must_use]
pub fn for_programs() -> Vec<(&'static str, String)> {
    match FOR_PROGRAMS.load(Ordering::Relaxed) {
        0 => Vec::new(),
        threads => variables(threads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_has_at_least_one_thread() {
        for (cpus, workers, expected) in [(8, 2, 4), (8, 3, 2), (8, 16, 1), (2, 0, 2)] {
            assert_eq!(share(cpus, workers), expected);
        }
    }
}

//! Failing system calls: the n-th write, read, wait, pipe, process, file or lock of
//! every thread of a small job fails, for one n after the other. The job may fail
//! then, and must say so; it never hangs, panics, or succeeds with a wrong output,
//! and what was interrupted can be resumed.
//!
//! strace injects the failures. It stops processes at their system calls, so the
//! programs are the ones that are shipped, and static programs obey, too.

mod jobs;
mod strace;

use crate::support::{Ended, Place};
use jobs::{JOBS, TracedJob};
use strace::{FAULTS, SyscallFault, is_installed};

/// What a run with a failed system call came to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The output is right.
    Complete,
    /// It failed, said why, and nothing was lost.
    Failed,
}

/// The exit statuses that the programs use for failures.
const FAILURES: std::ops::RangeInclusive<i32> = 1..=5;

/// A coordinator whose own start failed is the dynamic linker's affair.
const LINKER: &str = "error while loading shared libraries";

/// Runs a job with one failed system call and judges what it leaves.
///
/// # Errors
/// What is wrong, as a sentence.
fn judge(job: &TracedJob, fault: &SyscallFault, nth: usize) -> Result<Verdict, String> {
    let place = job.place();
    let ended = strace::run(&place, fault, nth, job.args).map_err(|why| format!("{why}, and ended nothing"))?;
    let wrong = |what: &str| Err(format!("{what}; status {}\n{}", ended.status, ended.err));
    if ended.err.contains("panicked at") {
        return wrong("a panic");
    }
    if ended.status == 0 {
        return if job.is_complete(&place) { Ok(Verdict::Complete) } else { wrong("a wrong output with status 0") };
    }
    if ended.err.contains(LINKER) || nth == 1 && ended.status == 127 {
        return Ok(Verdict::Failed);
    }
    if !FAILURES.contains(&ended.status) {
        return wrong("an exit status that means nothing");
    }
    resumed(job, &place).or_else(|what| wrong(&what))
}

/// Whether the job can be completed after its failure.
fn resumed(job: &TracedJob, place: &Place) -> Result<Verdict, String> {
    let Some(resume) = job.resume() else { return Ok(Verdict::Failed) };
    let Ended { status, err, .. } = place.run(&resume);
    if status != 0 {
        // A failed item's row stands in the output, and is complete: status 1.
        return Err(format!("it can't be resumed: status {status}\n{err}\nAfter"));
    }
    if job.is_complete(place) { Ok(Verdict::Failed) } else { Err("a wrong output after --resume".to_owned()) }
}

/// The moments of a call that are tried.
#[derive(Clone, Copy)]
enum Moments {
    Every,
    /// The first, the last, and one between.
    Few,
}

impl Moments {
    fn of(self, calls: usize) -> Vec<usize> {
        let mut moments = match self {
            // Calls beyond a hundred are a thread's that looks again and again.
            Self::Every => (1..=calls).filter(|nth| *nth <= 100 || nth % 20 == 0).collect(),
            Self::Few => vec![1, calls.div_ceil(2), calls],
        };
        moments.dedup();
        moments.retain(|&nth| nth > 0 && nth <= calls);
        moments
    }
}

/// Tries a job with each of its system calls failing; returns what was wrong.
fn campaign(job: &TracedJob, moments: Moments) -> Vec<String> {
    let mut faults = Vec::new();
    for fault in &FAULTS {
        let calls = strace::count(&job.place(), fault, job.args);
        let (mut complete, mut failed) = (0, 0);
        for nth in moments.of(calls) {
            match judge(job, fault, nth) {
                Ok(Verdict::Complete) => complete += 1,
                Ok(Verdict::Failed) => failed += 1,
                Err(what) => faults.push(format!("{}, {fault} number {nth}: {what}", job.name)),
            }
        }
        eprintln!(
            "{}: {fault}: {calls} calls, {complete} completed, {failed} failed, wrong so far {}",
            job.name,
            faults.len()
        );
    }
    faults
}

/// The bounded share: one job of processes, and one with a program of the user's.
#[test]
fn no_failed_system_call_loses_a_result() {
    if !is_installed() {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let faults: Vec<_> = JOBS[..2].iter().flat_map(|job| campaign(job, Moments::Few)).collect();
    assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n---\n"));
}

#[test]
#[ignore = "a campaign of minutes: cargo xtask inject"]
fn every_failed_system_call_is_survived_or_told() {
    assert!(is_installed(), "strace is needed: apt-get install strace");
    let faults: Vec<_> = JOBS.iter().flat_map(|job| campaign(job, Moments::Every)).collect();
    assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n---\n"));
}

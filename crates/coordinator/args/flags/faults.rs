//! What to do when something fails.

use super::values::{RetryCount, RetryKinds, retries, retry_on};
use crate::args::units;
use clap::Args;
use procession_job::MaxFailures;
use procession_task::{JobLimits, RetryPolicy};
use std::time::Duration;

/// What to do when something fails.
#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
pub(crate) struct FaultFlags {
    /// How often to retry a crashed item
    ///
    /// --retry-on says which outcomes are retried.
    ///
    /// The death of a worker counts only for an item that was alone in it; other items of the same worker are sent
    /// again, and it does not count for them.
    #[arg(long, value_name = "N|unlimited", default_value = "2", allow_hyphen_values = true, value_parser = retries)]
    pub(crate) retries: RetryCount,

    /// Which outcomes are tried again: crashed, out-of-memory, timed-out, failed
    ///
    /// An item that failed is tried again at once in the same worker, the others in a new worker.
    #[arg(
        long, value_name = "KINDS", default_value = "crashed,out-of-memory",
        value_parser = retry_on, hide_short_help = true
    )]
    pub(crate) retry_on: RetryKinds,

    /// Time limit for each item: 500ms, 2s, 1m
    ///
    /// It counts from the start of that item. A number without a unit is seconds. [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Memory limit for each worker: 512M, 2G
    ///
    /// A program that a worker starts has the same limit, separately. [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) memory_limit: Option<u64>,

    /// Replace a worker after N items
    ///
    /// [default: never]
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u64>, hide_short_help = true)]
    pub(crate) max_tasks_per_worker: Option<u64>,

    /// How long a worker may take to start: 500ms, 2s, 1m
    ///
    /// It ends with the worker's first message. A number without a unit is seconds.
    #[arg(
        long, value_name = "DURATION", default_value = "4s",
        value_parser = units::duration, hide_short_help = true
    )]
    pub(crate) start_timeout: Duration,

    /// Continue after a failed item, and record it
    ///
    /// The output has a record of the failure in the item's place. [default: stop at the first failed item, after the
    /// results before it]
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    /// Stop after N failed items, or at P percent
    ///
    /// Until then the run continues after failed items, as with --keep-going. A percentage is applied once 100 items are done.
    /// [default: no limit]
    #[arg(long, value_name = "N|P%", hide_short_help = true)]
    pub(crate) max_failures: Option<MaxFailures>,

    /// Continue an interrupted run (needs --output FILE)
    ///
    /// The run continues after the last complete result in FILE. FILE.resume, beside it, holds the position and what
    /// the output is of. Another task, format or parameter is refused, as is an input that does not begin with the
    /// items that are done. If FILE is complete, nothing is done, so that a loop around the call ends.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,

    /// Run the failed items of an output again (needs --output FILE)
    ///
    /// The input is read again, and the new results take the places of the old ones in FILE, in one step; a run that is
    /// ended before that leaves FILE as it was. A run that --max-failures ended goes on behind them. It implies
    /// --keep-going. FILE is of a run that recorded failures: tsv, csv or jsonl.
    #[arg(long, conflicts_with_all = ["resume", "overwrite"], hide_short_help = true)]
    pub(crate) retry_failed: bool,

    /// Replace the output of an interrupted run
    #[arg(long, hide_short_help = true)]
    pub(crate) overwrite: bool,
}

impl FaultFlags {
    /// What an item may use.
    pub(crate) fn limits(&self) -> JobLimits {
        JobLimits { timeout: self.timeout, memory_limit: self.memory_limit }
    }

    /// Which items are tried again.
    pub(crate) fn retry(&self) -> RetryPolicy {
        RetryPolicy { retries: self.retries.0, retry_on: self.retry_on.0.clone() }
    }

    /// The flags that only processes can enforce, and whether each is given.
    pub(crate) fn for_processes(&self) -> [(&'static str, bool); 3] {
        [
            ("--timeout", self.timeout.is_some()),
            ("--memory-limit", self.memory_limit.is_some()),
            ("--max-tasks-per-worker", self.max_tasks_per_worker.is_some()),
        ]
    }
}

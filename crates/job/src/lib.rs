//! A whole job: reads the input and cuts it into items, writes the results,
//! applies the failure policy, and runs a study: one job over several
//! configurations.
//!
//! The rooms, bottom-up: the files of this folder, which all rooms use (errors,
//! text, locks, times); `resume`: what is known of an interrupted output;
//! `input`: from files to the pool; `output`: from the pool to a file; `study`:
//! the runs.

#![forbid(unsafe_code)]

mod text;
mod error;
mod failure_policy;
mod file_id;
mod mutex;
mod poll;
mod times;

mod resume;

mod input;

mod output;

mod study;

pub use error::{InputError, SkipCount};
pub use failure_policy::{FailurePolicy, MaxFailures};
pub use input::{
    Content, Input, InputNames, InputNote, InputOptions, IntegerRange, ItemSource, MAX_ITEM, TableOptions, Unit,
};
#[doc(hidden)]
pub use input::{cut_all, rest_after_heading};
pub use output::{OutputChoice, PictureFile, RetriedRows};
pub use procession_task::{Configuration, Executor};
pub use resume::{Intent, PriorProgress, ResumeOptions, ResumeRecord, ResumeRecordError};
pub use study::{
    AlreadyComplete, Ending, Estimate, ExecutorSetup, Hooks, Rounds, RunInfo, RunPhase, RunReport, RunSession, Stopper,
    Study, StudyJob, StudyReport, Workload, matrix, parse_counts, parse_sizes, use_procs, use_size, worker_tasks,
};

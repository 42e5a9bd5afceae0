//! A whole job: what is read and how it is cut, what is written and when a
//! failure ends it, and the study of one job over several configurations.

#![forbid(unsafe_code)]

mod beside;
mod blocks;
mod configuration;
mod counts;
mod cutter;
mod decode;
mod error;
mod failures;
mod gather;
mod heading;
mod identity;
mod input;
mod launch;
mod lock;
mod measure;
mod origin;
mod output;
mod pass;
mod peek;
mod picture;
mod placeholders;
mod plan;
mod portion;
mod queue;
mod range;
mod rehearsal;
mod resume;
mod rows;
mod run;
mod segment;
mod shuffle;
mod source;
mod spec;
mod stopper;
mod study;
mod times;
mod writer;

pub use beside::{Beside, abandon};
pub use blocks::Unit;
pub use configuration::matrix;
pub use counts::{parse_counts, parse_sizes};
#[doc(hidden)]
pub use cutter::cut_all;
pub use error::InputError;
pub use failures::{FailurePolicy, Failures, MaxFailures, MaxFailuresError};
#[doc(hidden)]
pub use heading::rest_after_heading;
pub use input::{HeadingNote, Input, InputNames, InputStatus, OnNote};
pub use launch::{Workers, worker_tasks};
pub use output::{Before, OutputChoice, OutputEnd, OutputError, OutputReport, Target};
pub use picture::PictureFile;
pub use placeholders::{ask_for_procs, ask_for_size};
pub use plan::{Phase, Planned, Rounds, Wanted, plan};
pub use procession_task::{Configuration, Executor};
pub use range::IntegerRange;
pub use rehearsal::Rehearsal;
pub use resume::{AlreadyComplete, Intent, ResumeError, ResumeOptions, ResumeReason, ResumeRecord, ResumeRecordError};
pub use run::{Ending, Run, RunInfo, StudyJob};
pub use source::QueueSource;
pub use spec::{InputOptions, ItemSource, MAX_ITEM};
pub use stopper::Stopper;
pub use study::{Hooks, Mismatch, SizedWork, Study, StudyReport, Workload};
pub use writer::{OrderedWriter, OutputHandle, OutputOptions, Stop};

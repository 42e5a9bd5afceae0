//! Output of a study: tables, charts, the page, timings, the trace.

pub(crate) mod cells;
pub(crate) mod coordinator_line;
pub mod chart;
pub(crate) mod document_tables;
pub(crate) mod page;
pub(crate) mod run_line;
pub(crate) mod run_title;
pub(crate) mod study_table;
pub(crate) mod style;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod timings;
pub(crate) mod trace;
pub(crate) mod worker_table;

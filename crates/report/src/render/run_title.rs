//! The title of a run: number, configuration, time.

use crate::model::run_summary::RunSummary;
use crate::model::study::Configuration;
use crate::text::units;
use std::fmt::Write as _;

/// Formats `run 3: procs 4, size 1000, 1.43 s`.
pub(crate) fn title(run: &RunSummary) -> String {
    let Configuration { executor, count, size, chunk } = run.configuration();
    let mut title = format!("run {}: {executor} {count}", run.run);
    if let Some(size) = size {
        let _ = write!(title, ", size {size}");
    }
    if let Some(chunk) = chunk.fixed() {
        let _ = write!(title, ", chunk {chunk}");
    }
    if let Some(wall_s) = run.wall_s() {
        let _ = write!(title, ", {}", units::seconds(wall_s));
    }
    if run.status != "completed" {
        let _ = write!(title, ", {}", run.status);
    }
    title
}

//! Adds runs to a study in bounded memory, and selects the runs that are shown in
//! detail.

use super::measured::{Measured, measure};
use crate::model::run_summary::RunSummary;
use crate::model::study_data::StudyData;

/// Most spans of a call that are kept (about 32 MB).
const KEPT_SPANS: usize = 500_000;
/// Most runs of a call whose processes are drawn.
const SHOWN_RUNS: usize = 8;

impl StudyData {
    /// Adds a run that ended. If the spans of all runs exceed the limit, only those of
    /// the runs that a page shows are kept.
    pub fn push(&mut self, mut run: RunSummary) {
        let mut tracks = std::mem::take(&mut run.spans.tracks);
        let ready_times = run.ready_times();
        for track in &mut tracks {
            track.begin_at(ready_times.get(&track.process).copied().unwrap_or(0.0));
        }
        run.spans.tracks = tracks;
        self.runs.push(run);
        let kept = |run: &RunSummary| run.spans.tracks.iter().map(|track| track.spans().len()).sum::<usize>();
        if self.runs.iter().map(kept).sum::<usize>() <= KEPT_SPANS {
            return;
        }
        let shown: Vec<u32> = detailed_runs(self).into_iter().map(|run| run.run).collect();
        let others = self.runs.iter_mut().filter(|run| !shown.contains(&run.run));
        others.for_each(|run| run.spans.tracks.clear());
    }

    /// The measurements of each configuration.
    #[must_use]
    pub fn measured(&self) -> Vec<Measured> {
        measure(&self.runs, self.usable_cores())
    }
}

/// The runs that are shown in detail: for each configuration of the largest size,
/// the run nearest to the median. Runs whose spans are kept are preferred.
pub(crate) fn detailed_runs(data: &StudyData) -> Vec<&RunSummary> {
    let rows = data.measured();
    let largest = rows.iter().filter_map(|row| row.configuration.size).max();
    let mut shown = Vec::new();
    for row in rows.iter().filter(|row| row.configuration.size == largest) {
        let off = |run: &&RunSummary| {
            let off = run.wall_s().zip(row.wall_s).map_or(f64::MAX, |(wall, median)| (wall - median).abs());
            (run.spans.tracks.is_empty(), off)
        };
        let runs = data.runs.iter().filter(|run| row.runs.contains(&run.run));
        shown.extend(runs.min_by(|a, b| {
            let (a, b) = (off(a), off(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        }));
    }
    shown.truncate(SHOWN_RUNS);
    shown
}

//! What happened in a run, in numbers.

/// What happened in a run, so that a test can check that every kind of event
/// occurs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) steps: u64,
    pub(crate) accepted: u64,
    pub(crate) charged: u64,
    pub(crate) deaths: u64,
    pub(crate) stopped_jobs: u64,
    pub(crate) gave_up: u64,
    pub(crate) violations: u64,
    /// Workers that stop in the middle of an item, for a while or for good.
    pub(crate) stalls: u64,
    /// Items that their workers named before they ended.
    pub(crate) aborting: u64,
    /// Workers that were to be replaced, or were no longer needed.
    pub(crate) retired: u64,
    /// Answers that were sent twice, or came too late.
    pub(crate) double_answers: u64,
    /// Workers that were late to be ready.
    pub(crate) late_starts: u64,
    /// Workers that could not start what their job needs.
    pub(crate) refusals: u64,
    /// The largest number of items that one worker was given.
    pub(crate) most_given: u64,
    /// Killed workers, most of them for their silence.
    pub(crate) kills: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, run: Self) {
        self.steps += run.steps;
        self.accepted += run.accepted;
        self.charged += run.charged;
        self.deaths += run.deaths;
        self.stopped_jobs += run.stopped_jobs;
        self.gave_up += run.gave_up;
        self.violations += run.violations;
        self.stalls += run.stalls;
        self.aborting += run.aborting;
        self.retired += run.retired;
        self.double_answers += run.double_answers;
        self.late_starts += run.late_starts;
        self.refusals += run.refusals;
        self.most_given = self.most_given.max(run.most_given);
        self.kills += run.kills;
    }
}

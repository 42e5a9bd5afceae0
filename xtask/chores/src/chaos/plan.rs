//! What a round does: all of it follows from the round's seed.

use super::work::{ResultFormat, RoundWork, TaskKind};
use crate::random::Random;
use std::time::Duration;

/// A round's parameters.
#[derive(Clone, Debug)]
pub(crate) struct RoundPlan {
    pub(crate) work: RoundWork,
    pub(crate) format: ResultFormat,
    pub(crate) feed: Feed,
    pub(crate) output: Output,
    pub(crate) procs: u64,
    /// Items per chunk; nothing is the adaptive rule.
    pub(crate) chunk: Option<u64>,
    pub(crate) log: Log,
    pub(crate) attack: Attack,
    /// How often the coordinator is killed, at most.
    pub(crate) coordinator_kills: u64,
    /// What else is drawn during the round.
    pub(crate) seed: u64,
}

/// How the items come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    File,
    Gzip,
    Stdin,
    Range,
}

/// Where the results go, which decides what comes after a run that did not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The next one starts over.
    Stdout,
    /// The next one resumes.
    File,
}

/// The value of `--log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Task,
    Chunk,
    Off,
}

/// What is done to the workers.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) pace: Pace,
    pub(crate) aim: Aim,
    /// The percentage of coordinator kills that kill its workers at the same moment.
    pub(crate) kills_of_all: u64,
    /// How many workers are killed, at most.
    pub(crate) kills: u64,
    /// The percentage of signals that stop a worker for a while instead of killing it.
    pub(crate) stops: u64,
}

/// When workers are signalled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// One after each of these times.
    Steady(Duration),
    /// Several at once, then a pause.
    Bursts { blows: u64, pause: Duration },
    /// After a random time up to this one.
    Ragged(Duration),
}

/// Which workers are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Those that have said hello: their deaths are no failures to start.
    Ready,
    /// Any, from its first moment on: then the run may rightly end with the
    /// status for workers that can't be started.
    Any,
}

impl RoundPlan {
    /// The plan of a seed; without `resume` there are no files to be gone on with.
    pub(crate) fn of(seed: u64, resume: bool) -> Self {
        let mut random = Random::new(seed);
        let coordinator_kills = if random.percent(60) { random.between(1, 40) } else { 0 };
        let feed = random.pick([Feed::File, Feed::File, Feed::Gzip, Feed::Stdin, Feed::Range]);
        let work = RoundWork::of(&mut random, feed == Feed::Range);
        let output = if random.percent(80) && resume { Output::File } else { Output::Stdout };
        // The log of `pipe` counts blocks, not items.
        let log = random.pick([Log::Task, Log::Task, Log::Chunk, Log::Off]);
        let log = if work.task == TaskKind::Pipe { Log::Off } else { log };
        let chunk = random.pick([None, None, Some(1), Some(7), Some(50), Some(1000)]);
        Self {
            work,
            format: random.pick([ResultFormat::Tsv, ResultFormat::Csv, ResultFormat::Jsonl, ResultFormat::Lines]),
            feed,
            output,
            procs: random.between(1, 8),
            // The chunks of `pipe` are its blocks, and each is a process.
            chunk: if work.task == TaskKind::Pipe { chunk.map(|lines| lines.max(50)) } else { chunk },
            log,
            attack: Attack::of(&mut random),
            coordinator_kills,
            seed: random.number(),
        }
    }
}

impl Attack {
    fn of(random: &mut Random) -> Self {
        let ms = Duration::from_millis;
        let pace = match random.below(4) {
            0 | 1 => Pace::Steady(ms(random.pick([1, 1, 2, 3]))),
            2 => Pace::Bursts { blows: random.between(1, 12), pause: ms(random.between(1, 30)) },
            _ => Pace::Ragged(ms(random.between(1, 10))),
        };
        let aim = if random.percent(15) { Aim::Any } else { Aim::Ready };
        let kills_of_all = random.pick([0, 30, 100]);
        Self { pace, aim, kills_of_all, kills: random.between(1, 400), stops: random.pick([0, 0, 10, 40]) }
    }
}

impl Pace {
    /// How many signals are sent now, and the time until the next ones.
    pub(crate) fn next(self, random: &mut Random) -> (u64, Duration) {
        match self {
            Self::Steady(pause) => (1, pause),
            Self::Bursts { blows, pause } => (blows, pause),
            Self::Ragged(most) => {
                let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
                (1, Duration::from_micros(random.between(0, most)))
            }
        }
    }
}

impl Log {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Chunk => "chunk",
            Self::Off => "off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan() {
        let shown = |seed| format!("{:?}", RoundPlan::of(seed, true));
        assert_eq!(shown(7), shown(7));
        assert_ne!(shown(7), shown(8));
    }

    #[test]
    fn plans_reach_every_corner() {
        let plans: Vec<RoundPlan> = (0..500).map(|seed| RoundPlan::of(seed, true)).collect();
        assert!(plans.iter().all(|plan| (1..=8).contains(&plan.procs) && plan.work.items <= 200_000));
        assert!(plans.iter().any(|plan| plan.coordinator_kills > 0 && plan.output == Output::Stdout));
        for feed in [Feed::File, Feed::Gzip, Feed::Stdin, Feed::Range] {
            assert!(
                plans.iter().any(|plan| plan.feed == feed && plan.output == Output::File && plan.coordinator_kills > 0)
            );
        }
        assert!(plans.iter().any(|plan| plan.attack.aim == Aim::Any && plan.log == Log::Off));
        assert!((0..500).all(|seed| RoundPlan::of(seed, false).output == Output::Stdout));
    }
}

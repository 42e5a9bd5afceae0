//! The reason why workers are not as many times as fast as they are many, from how
//! their time was spent and from the CPU time that they and other programs used.

use crate::analysis::max_speedup::items_of_one;
use crate::analysis::measured::Measured;
use crate::analysis::worker_shares::WorkerShares;
use crate::model::study::{Executor, Machine};
use serde::Serialize;

/// A phase with more than this share of the time can be the reason.
const MUCH: f64 = 0.3;
/// A share of the time that is worth telling if there is no other reason.
const SOME: f64 = 0.1;
/// A thread that is busy for more than this share of a run is the reason.
const FULL: f64 = 0.7;
/// CPUs that are used for at least this share of the time are taken.
const TAKEN: f64 = 0.8;
/// Items that take this many times as long as with the basis are slowed down.
const SLOWED: f64 = 1.25;
/// An item that takes more than this share of a run can be the reason.
const ONE_ITEM: f64 = 0.5;
/// The cost of a message is negligible for items of at least this many seconds.
const DEAR_S: f64 = 1e-3;
/// Items that use a CPU for less than this share of their time wait.
const WAITING: f64 = 0.5;
/// CPU time of shorter runs, in seconds, is lost in the kernel's clock ticks of 10 ms.
const SHORTEST_S: f64 = 0.1;

/// Why workers are not faster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Reason {
    /// There are fewer items than workers.
    TooFewItems {
        /// Number of items.
        items: u64,
    },
    /// Starting and ending the workers.
    StartAndEnd {
        /// Its share of the workers' time.
        share: f64,
        /// Seconds that a worker takes to start and to end.
        each_s: f64,
        /// The run's time in seconds.
        wall_s: f64,
    },
    /// A fixed chunk is so large that the chunks can't be divided evenly.
    LargeChunk {
        /// Items in a chunk.
        chunk: u32,
        /// Number of chunks.
        chunks: u64,
    },
    /// One long item.
    LongestItem {
        /// The item's time in seconds.
        item_s: f64,
        /// The run's time in seconds.
        wall_s: f64,
    },
    /// The items can't be divided evenly.
    Uneven {
        /// Number of items.
        items: u64,
        /// The number of items that some worker runs at least.
        most: u64,
    },
    /// The thread that reads the input.
    Input {
        /// The share of the run in which it was busy.
        share: f64,
    },
    /// The thread that writes the output.
    Output {
        /// The share of the run in which it was busy.
        share: f64,
    },
    /// Items that take less time than handing them over.
    SmallItems {
        /// The share of transport and waiting in the workers' time.
        share: f64,
        /// The time of an item in seconds.
        item_s: f64,
    },
    /// The CPU quota is used up.
    Quota {
        /// The quota in CPUs.
        cpus: f64,
        /// Its used share.
        share: f64,
    },
    /// Other programs use the CPUs.
    OtherPrograms {
        /// Their CPU time in seconds.
        other_s: f64,
        /// The run's time in seconds.
        wall_s: f64,
    },
    /// Several CPUs are one core.
    SharedCores {
        /// Number of CPUs.
        cpus: u32,
        /// Number of cores.
        cores: u32,
        /// How many times as much CPU time as with the basis the items take.
        times: f64,
    },
    /// Items take more CPU time than with the basis, because of memory or caches.
    Slowed {
        /// How many times as much.
        times: f64,
    },
    /// All CPUs are used by the items.
    Cpus {
        /// Number of CPUs.
        cpus: u32,
        /// Number of cores, if there are fewer.
        cores: Option<u32>,
        /// Their used share.
        share: f64,
    },
    /// Items wait for each other: for a lock, a disk or a network.
    Contention {
        /// The share of the items' time in which they use a CPU.
        share: f64,
        /// How many times as long as with the basis the items take.
        times: f64,
    },
    /// Another phase of the workers' time.
    Phase {
        /// Its name.
        phase: &'static str,
        /// Its share.
        share: f64,
    },
    /// The times differ too much between runs.
    Noise {
        /// The relative noise of the comparison.
        share: f64,
    },
    /// Nothing limits: CPUs are free for more workers.
    FreeCpus {
        /// Number of workers.
        count: u32,
        /// Number of CPUs.
        cpus: u32,
    },
    /// Nothing limits: items wait, without a CPU, so that more workers can.
    ItemsWait {
        /// The share of the items' time in which they use a CPU.
        share: f64,
    },
}

impl Reason {
    /// Whether something is used up, so that this is the most that can be had.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Quota { .. } | Self::Cpus { .. } | Self::SharedCores { .. })
    }

    /// Makes this hold for another count with the same kind of reason too: of shares of
    /// something used up the smaller one is kept.
    pub(super) fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Cpus { share, .. }, Self::Cpus { share: other, .. })
            | (Self::Quota { share, .. }, Self::Quota { share: other, .. }) => *share = share.min(other),
            _ => {}
        }
    }
}

/// The noise of a row's speedup, if that is large.
pub(super) fn noise(row: &Measured) -> Option<Reason> {
    row.speedup_noise.filter(|share| *share > SOME).map(|share| Reason::Noise { share })
}

/// What the machine offers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    usable: u32,
    logical: u32,
    /// Number of cores, if they are fewer than the CPUs and all CPUs may be used.
    cores: Option<u32>,
    /// The CPU quota in CPUs, if it leaves fewer than there are.
    quota: Option<f64>,
}

/// How the time of a configuration was spent.
struct Evidence<'a> {
    row: &'a Measured,
    wall_s: f64,
    count: f64,
    shares: WorkerShares,
    /// The share of the workers' time in which they ran items.
    busy: f64,
    /// Mean number of CPUs that the workers used.
    own_cpus: Option<f64>,
    /// By which factor CPU time and running time are those of the basis.
    cpu_times: Option<f64>,
    busy_times: Option<f64>,
    /// The most workers that can have a CPU when they need one.
    parallel: f64,
}

impl Surroundings {
    pub(super) fn of(machine: &Machine) -> Self {
        let usable = machine.usable_cores.max(1);
        let logical = machine.logical_cores.max(usable);
        let quota = machine.cpu_quota_percent.map(|percent| f64::from(percent) / 100.0);
        let cores = machine.physical_cores.filter(|cores| *cores > 0 && *cores < logical && usable == logical);
        Self { usable, logical, cores, quota: quota.filter(|quota| *quota < f64::from(logical)) }
    }

    /// Why this row is not as many times as fast as its workers are many; `None` if
    /// nothing stands out or the times are not known.
    pub(super) fn reason(&self, row: &Measured, base: Option<&Measured>) -> Option<Reason> {
        let seen = Evidence::of(row, base, self.usable)?;
        if row.configuration.count > 1 && row.items < u64::from(row.configuration.count) {
            return Some(Reason::TooFewItems { items: row.items });
        }
        let pool = row.configuration.executor != Executor::Serial;
        let start = || seen.start().filter(|_| pool);
        start()
            .or_else(|| seen.division())
            .or_else(|| seen.coordinator())
            .or_else(|| seen.small_items().filter(|_| pool))
            .or_else(|| self.quota(&seen))
            .or_else(|| self.others(&seen))
            .or_else(|| self.slowed(&seen))
            .or_else(|| self.cpus(&seen))
            .or_else(|| seen.contention())
            .or_else(|| seen.phase().filter(|_| pool))
    }

    /// What more workers could use, if this row's workers have no other limit.
    pub(super) fn more(&self, row: &Measured) -> Option<Reason> {
        let seen = Evidence::of(row, None, self.usable)?;
        let own_cpus = seen.own_cpus.filter(|_| seen.wall_s >= SHORTEST_S && seen.busy >= FULL)?;
        let count = row.configuration.count;
        let share = row.cpu_share()?;
        if row.items <= u64::from(count) || row.configuration.executor == Executor::Serial {
            return None;
        }
        if share < WAITING {
            return (own_cpus < WAITING * f64::from(self.usable)).then_some(Reason::ItemsWait { share });
        }
        (share > TAKEN && count < self.usable).then_some(Reason::FreeCpus { count, cpus: self.usable })
    }

    fn quota(&self, seen: &Evidence<'_>) -> Option<Reason> {
        let (cpus, own_cpus) = (self.quota?, seen.own_cpus?);
        let share = own_cpus / cpus;
        (share >= TAKEN && seen.count >= cpus).then_some(Reason::Quota { cpus, share: share.min(1.0) })
    }

    /// CPUs that a run leaves idle are free for other programs.
    fn others(&self, seen: &Evidence<'_>) -> Option<Reason> {
        let (own_cpus, other_s) = (seen.own_cpus?, seen.row.other_cpu_s?);
        let other_cpus = other_s / seen.wall_s;
        let usable = f64::from(self.usable);
        let is_hampered = own_cpus < (1.0 - SOME) * seen.count.min(usable);
        let are_taken = own_cpus + other_cpus >= TAKEN * f64::from(self.logical);
        (other_cpus > SOME * usable && is_hampered && are_taken && seen.wall_s >= SHORTEST_S)
            .then_some(Reason::OtherPrograms { other_s, wall_s: seen.wall_s })
    }

    /// Items that take more CPU time, with a CPU for each worker.
    fn slowed(&self, seen: &Evidence<'_>) -> Option<Reason> {
        let count = seen.row.configuration.count;
        let own_cpus = seen.own_cpus.filter(|_| count > 1 && count <= self.usable)?;
        let times = seen.cpu_times?.min(seen.busy_times?);
        if times < SLOWED || own_cpus < TAKEN * seen.count {
            return None;
        }
        Some(match self.cores.filter(|cores| count > *cores) {
            Some(cores) => Reason::SharedCores { cpus: self.usable, cores, times },
            None => Reason::Slowed { times },
        })
    }

    fn cpus(&self, seen: &Evidence<'_>) -> Option<Reason> {
        let cpus = self.usable;
        let share = seen.own_cpus? / f64::from(cpus);
        // A program with several threads can use more CPUs than there are workers.
        let are_many = seen.row.configuration.count >= cpus || share * f64::from(cpus) > (1.0 + SOME) * seen.count;
        (are_many && share >= TAKEN).then_some(Reason::Cpus { cpus, cores: self.cores, share: share.min(1.0) })
    }
}

impl<'a> Evidence<'a> {
    fn of(row: &'a Measured, base: Option<&Measured>, usable: u32) -> Option<Self> {
        let (wall_s, shares) = (row.compared_s().filter(|wall_s| *wall_s > 0.0)?, row.shares?);
        if row.items == 0 {
            return None;
        }
        let busy_s = |row: &Measured| row.busy_s().filter(|busy_s| *busy_s > 0.0);
        let times = |of: &dyn Fn(&Measured) -> Option<f64>| Some(of(row)? / base.and_then(of)?);
        let needs = base.and_then(Measured::cpu_share).unwrap_or(1.0);
        Some(Self {
            row,
            wall_s,
            count: f64::from(row.configuration.count),
            shares,
            busy: shares.decoding + shares.running + shares.encoding,
            own_cpus: row.cpu_s.map(|cpu_s| cpu_s / wall_s),
            cpu_times: times(&|row| row.cpu_s.filter(|cpu_s| *cpu_s > 0.0)),
            busy_times: times(&busy_s),
            parallel: f64::from(row.configuration.count).min(f64::from(usable) / needs.max(0.001)),
        })
    }

    fn start(&self) -> Option<Reason> {
        let share = self.shares.start_up + self.shares.ending;
        (share > MUCH && share > self.shares.waiting + self.shares.writing).then_some(Reason::StartAndEnd {
            share,
            each_s: share * self.wall_s,
            wall_s: self.wall_s,
        })
    }

    /// Workers that wait because the work can't be divided evenly.
    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
    fn division(&self) -> Option<Reason> {
        let of = &self.row.configuration;
        if of.count < 2 || self.shares.waiting <= SOME {
            return None;
        }
        let at_best = |parts: u64| parts as f64 / items_of_one(parts, of.count) as f64;
        let items = self.row.items;
        if let Some(chunk) = of.chunk.fixed() {
            let chunks = items.div_ceil(chunk.into());
            if at_best(chunks) < TAKEN * at_best(items).min(self.parallel) {
                return Some(Reason::LargeChunk { chunk, chunks });
            }
        }
        let is_long = |item_s: &f64| {
            let mean_s = self.busy * self.wall_s * self.count / items as f64;
            *item_s > ONE_ITEM * self.wall_s && *item_s > 1.5 * mean_s
        };
        if let Some(item_s) = self.row.longest_s.filter(is_long) {
            return Some(Reason::LongestItem { item_s: item_s.min(self.wall_s), wall_s: self.wall_s });
        }
        let is_uneven = at_best(items) < (1.0 - SOME / 2.0) * self.parallel;
        is_uneven.then(|| Reason::Uneven { items, most: items_of_one(items, of.count) })
    }

    /// The coordinator's threads, if workers wait for them.
    fn coordinator(&self) -> Option<Reason> {
        let coordinator = self.row.coordinator.filter(|_| self.shares.waiting + self.shares.writing > MUCH)?;
        if coordinator.reading.max(coordinator.writing) <= FULL {
            return None;
        }
        Some(if coordinator.reading > coordinator.writing {
            Reason::Input { share: coordinator.reading }
        } else {
            Reason::Output { share: coordinator.writing }
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
    fn small_items(&self) -> Option<Reason> {
        let share = self.shares.waiting + self.shares.transport + self.shares.writing;
        let item_s = self.busy * self.wall_s * self.count / self.row.items as f64;
        (share > MUCH && item_s < DEAR_S).then_some(Reason::SmallItems { share, item_s })
    }

    fn contention(&self) -> Option<Reason> {
        let (share, times) = (self.row.cpu_share()?, self.busy_times?);
        (share < WAITING && times > SLOWED && self.count > 1.0).then_some(Reason::Contention { share, times })
    }

    fn phase(&self) -> Option<Reason> {
        let is_busy = |phase: &str| ["decoding", "running", "encoding"].contains(&phase);
        let others = self.shares.named().into_iter().filter(|(phase, _)| !is_busy(phase));
        let (phase, share) = others.max_by(|a, b| a.1.total_cmp(&b.1))?;
        (share > SOME).then_some(Reason::Phase { phase, share })
    }
}

//! Describes break-even points.

use super::{BreakEven, CostEstimate, CostSource};
use crate::model::study::Executor;
use crate::text::units;
use std::fmt;

impl fmt::Display for BreakEven {
    /// Writes `processes: 4.10 ms to start and end, 0.30 µs an item; 2 beat the loop
    /// from 8.40 ms of work on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.executor {
            Executor::Serial => "the loop",
            Executor::Threads => "threads",
            Executor::Procs => "processes",
        })?;
        if let Some(chunk) = self.chunk.fixed() {
            write!(f, ", {} a message", units::counted(chunk.into(), "item"))?;
        }
        let told = match self.origin {
            CostSource::Sizes => "",
            CostSource::Workers => " as workers reported",
        };
        write!(f, ": {} to start and end{told}, {} an item", shown(&self.fixed), shown(&self.item))?;
        if self.count < 2 {
            return Ok(());
        }
        if self.parallel < 2 {
            return write!(f, "; on one CPU {} can't beat the loop", self.count);
        }
        let such = units::seconds(self.item_s);
        match self.pays_from_s {
            Some(work_s) => {
                write!(f, "; {} beat the loop from {} of work on", self.count, units::seconds(work_s))?;
                match self.never_below_s {
                    Some(least_s) => write!(f, " (items of {such}; under {} never)", units::seconds(least_s)),
                    None => write!(f, " (items of {such})"),
                }
            }
            None => match self.never_below_s.map(units::seconds) {
                Some(least) => {
                    write!(f, "; {} never beat the loop with items of {such}, only with more than {least}", self.count)
                }
                None => f.write_str("; too noisy to say when a pool pays"),
            },
        }
    }
}

fn shown(cost: &CostEstimate) -> String {
    if cost.is_known() {
        units::seconds(cost.seconds)
    } else {
        format!("below the noise ({})", units::seconds(cost.noise_s))
    }
}

impl BreakEven {
    /// When the pool pays, in a sentence; `None` if it can't: one worker, or one CPU.
    fn sentence(&self) -> Option<String> {
        if self.count < 2 || self.parallel < 2 {
            return None;
        }
        let (workers, such) = (self.executor.counted(self.count), units::seconds(self.item_s));
        Some(match (self.pays_from_s.map(units::seconds), self.never_below_s.map(units::seconds)) {
            (Some(work), _) => format!("{workers} beat the loop from {work} of work on"),
            (None, Some(least)) => {
                format!("{workers} never beat the loop with items of {such}, only with more than {least}")
            }
            (None, None) => format!("{workers}: too noisy to say when a pool pays"),
        })
    }
}

/// The lines below the tables: for each executor and chunk the largest count with a
/// CPU for each worker, or else the smallest count.
pub(crate) fn lines(all: &[BreakEven]) -> String {
    let mut chosen: Vec<&BreakEven> = Vec::new();
    for one in all {
        let rank = |of: &BreakEven| (of.parallel, std::cmp::Reverse(of.count));
        match chosen.iter_mut().find(|other| (other.executor, other.chunk) == (one.executor, one.chunk)) {
            Some(other) if rank(one) > rank(other) => *other = one,
            Some(_) => {}
            None => chosen.push(one),
        }
    }
    chosen.iter().filter_map(|one| Some(one.sentence()? + "\n")).collect()
}

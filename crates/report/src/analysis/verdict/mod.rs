//! The verdict on a study: for each executor and size the count of workers from
//! which on more add nothing, how many times as fast it is, and the reason for each
//! count that gains nothing.
//!
//! A difference counts only if it is above the noise of both measurements.

use crate::analysis::measured::{Basis, Measured};
use crate::model::study::{Executor, StudyRecord};
use crate::model::study_data::StudyData;
use procession::ChunkSize;
use reason::{Reason, Surroundings};
use too_short::LongerWork;

pub(crate) mod reason;
mod too_short;
pub(crate) mod wording;

/// Workers with less than this share of the ideal speedup have a reason to be told.
const WELL_USED: f64 = 0.8;

/// The verdict on the counts of one executor and size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    executor: Executor,
    size: Option<u64>,
    /// The chunk of the fastest configuration; other chunks are not part of the verdict.
    chunk: ChunkSize,
    finding: Finding,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
enum Finding {
    /// The work is too short to compare counts.
    TooShort {
        /// What was measured.
        of: Basis,
        /// Its time in seconds.
        wall_s: f64,
        /// How to reach a second; `None` for all sizes but the largest.
        longer: Option<LongerWork>,
    },
    /// There is nothing to compare with.
    Alone {
        /// The number of workers.
        count: u32,
        /// What limits it, or what more workers could use.
        reason: Reason,
    },
    /// Counts were compared.
    Compared {
        /// What the speedup is relative to.
        basis: Basis,
        /// The last count that gained; `None` if nothing was faster than the basis.
        best: Option<Best>,
        /// The counts that gained nothing, neighbours with the same reason together.
        idle: Vec<Useless>,
    },
}

/// The last count that gained.
#[derive(Clone, Debug, PartialEq)]
struct Best {
    count: u32,
    speedup: f64,
    /// Why it is not faster; `None` if nothing stands out.
    reason: Option<Reason>,
}

/// Neighbouring counts that gained nothing for the same reason.
#[derive(Clone, Debug, PartialEq)]
struct Useless {
    /// Ascending.
    counts: Vec<u32>,
    reason: Option<Reason>,
}

impl StudyData {
    /// The reason of each of these rows of this study, in the same order.
    #[must_use]
    pub(crate) fn reasons(&self, rows: &[Measured]) -> Vec<Option<Reason>> {
        let around = Surroundings::of(&self.study.machine);
        rows.iter().map(|row| around.reason(row, basis_row(rows, row)).or_else(|| around.more(row))).collect()
    }
}

/// The verdict on each executor and size, in the order of first runs.
fn verdicts(study: &StudyRecord, rows: &[Measured]) -> Vec<Verdict> {
    let largest = rows.iter().map(|row| row.configuration.size).max().flatten();
    let mut seen: Vec<(Executor, Option<u64>)> = Vec::new();
    for row in rows.iter().filter(|row| row.compared_s().is_some()) {
        let of = (row.configuration.executor, row.configuration.size);
        if !seen.contains(&of) {
            seen.push(of);
        }
    }
    seen.sort_by_key(|(_, size)| *size);
    let is_compared = |executor: Executor| executor != Executor::Serial || seen.iter().all(|of| of.0 == executor);
    let shown = seen.iter().filter(|(executor, _)| is_compared(*executor));
    shown.filter_map(|&(executor, size)| verdict(study, rows, executor, size, largest)).collect()
}

fn verdict(
    study: &StudyRecord,
    rows: &[Measured],
    executor: Executor,
    size: Option<u64>,
    largest: Option<u64>,
) -> Option<Verdict> {
    let is_own = |row: &&Measured| (row.configuration.executor, row.configuration.size) == (executor, size);
    let own: Vec<&Measured> = rows.iter().filter(is_own).filter(|row| row.compared_s().is_some()).collect();
    let fastest =
        own.iter().min_by(|a, b| a.compared_s().unwrap_or(f64::MAX).total_cmp(&b.compared_s().unwrap_or(f64::MAX)))?;
    let chunk = fastest.configuration.chunk;
    let mut own: Vec<&Measured> = own.into_iter().filter(|row| row.configuration.chunk == chunk).collect();
    own.sort_by_key(|row| row.configuration.count);
    let around = Surroundings::of(&study.machine);
    let first = own.first()?;
    let base = basis_row(rows, first);
    let finding = if let (Some(basis), Some(base)) = (first.basis, base) {
        match too_short::wall_s(base) {
            Some(wall_s) => {
                let longer = (size == largest).then(|| LongerWork::for_a_second(study, base, wall_s));
                Finding::TooShort { of: basis, wall_s, longer }
            }
            None => compared(basis, base, &own, &around),
        }
    } else {
        let reason = around.reason(first, None).or_else(|| around.more(first))?;
        Finding::Alone { count: first.configuration.count, reason }
    };
    Some(Verdict { executor, size, chunk, finding })
}

/// Compares ascending counts with the best one before.
fn compared(basis: Basis, base: &Measured, own: &[&Measured], around: &Surroundings) -> Finding {
    let (mut fastest, mut best, mut idle): (&Measured, Option<Best>, Vec<Useless>) = (base, None, Vec::new());
    let is_alone = own.len() == 1;
    let mut gained_at = None;
    for (at, row) in own.iter().enumerate() {
        let count = row.configuration.count;
        if !is_alone && count <= basis.count() {
            continue;
        }
        let reason = around.reason(row, Some(base));
        if row.is_faster_than(fastest) {
            let is_low = row.efficiency.is_some_and(|efficiency| efficiency < WELL_USED);
            let is_last = at + 1 == own.len();
            let more = || around.more(row).filter(|_| is_last);
            let reason = reason.filter(|reason| is_low || is_last && reason.is_full()).or_else(more);
            best = Some(Best { count, speedup: row.speedup.unwrap_or(1.0), reason });
            fastest = row;
            gained_at = Some(at);
            continue;
        }
        let reason = reason.or_else(|| reason::noise(row));
        let is_next = gained_at.is_none_or(|gained_at| gained_at + 1 < at);
        match idle.last_mut().filter(|group| is_next && same_kind(group.reason.as_ref(), reason.as_ref())) {
            Some(group) => {
                group.counts.push(count);
                if let (Some(known), Some(reason)) = (&mut group.reason, reason) {
                    known.join(reason);
                }
            }
            None => idle.push(Useless { counts: vec![count], reason }),
        }
    }
    Finding::Compared { basis, best, idle }
}

fn same_kind(a: Option<&Reason>, b: Option<&Reason>) -> bool {
    a.map(std::mem::discriminant) == b.map(std::mem::discriminant)
}

/// The row that a row's speedup is relative to.
fn basis_row<'a>(rows: &'a [Measured], row: &Measured) -> Option<&'a Measured> {
    let (of, basis) = (&row.configuration, row.basis?);
    rows.iter().find(|other| {
        let own = &other.configuration;
        other.is_basis(basis) && own.size == of.size && own.chunk == of.chunk
    })
}

#[cfg(test)]
mod tests;

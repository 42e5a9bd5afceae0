//! The items of a job, which of them are poison, and what happened to them.

use std::collections::BTreeMap;

use procession_scheduler::{ChunkId, Fault, JobId};

use super::config::{Config, JobPlan};
use super::oracle::Check;
use super::rng::Rng;

/// How an item, or a random fault, ends a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poison {
    Dies,
    /// Names the item before.
    Names(Fault),
    /// Names the item and does not end.
    NamesAndStays(Fault),
    /// Sends nothing more.
    Stalls,
}

#[derive(Debug)]
pub(super) struct Input {
    pub(super) cut: u32,
    /// The first item of each chunk.
    pub(super) firsts: Vec<u64>,
    pub(super) poison: BTreeMap<u64, Poison>,
    /// The result sizes, in bytes, of the ranges that are not yet delivered.
    pub(super) results: BTreeMap<(ChunkId, u32), u64>,
    pub(super) last_answer_bytes: u64,
}

impl Input {
    pub(super) fn draw(plan: &JobPlan, rng: &mut Rng) -> Self {
        let mut kinds = vec![
            Poison::Dies,
            Poison::Names(Fault::TimedOut),
            Poison::Names(Fault::OutOfMemory),
            Poison::NamesAndStays(Fault::Crashed),
        ];
        if plan.options.timeout.is_some() {
            kinds.push(Poison::Stalls);
        }
        let mut poison = BTreeMap::new();
        for item in 0..u64::from(plan.items) {
            if rng.per_mille(plan.poison) {
                poison.insert(item, rng.pick(&kinds));
            }
        }
        Self { cut: 0, firsts: Vec::new(), poison, results: BTreeMap::new(), last_answer_bytes: 0 }
    }

    /// Checks that every item has its outcome, and that no poison item was accepted.
    pub(super) fn check(&self, accepted: u64, charged: &[(ChunkId, u32)], config: &Config, id: JobId) -> Check {
        let items = u64::from(config.jobs[id.0 as usize].items);
        if accepted + charged.len() as u64 != items {
            return Err(format!("job {id}: {accepted} accepted and {} charged", charged.len()));
        }
        let failed: Vec<u64> =
            charged.iter().map(|&(chunk, item)| self.firsts[chunk.0 as usize] + u64::from(item)).collect();
        match self.poison.keys().find(|item| !failed.contains(item)) {
            Some(item) => Err(format!("job {id}: poison item {item} got through")),
            None => Ok(()),
        }
    }
}

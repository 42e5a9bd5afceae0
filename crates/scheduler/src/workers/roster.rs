//! The workers by slot, and which of them can take work.
//!
//! Every list is an ordered set, so that no decision looks at all workers: starting
//! workers, idle workers (those that never held anything first, then by slot),
//! workers that hold something and should get more (those that hold least first),
//! slots that may be filled, and slots that rest after failed starts.

use std::collections::BTreeSet;

use super::timers::Timers;
use super::worker::{Availability, Worker};
use crate::model::{RunTime, Slot, WorkerId};

#[derive(Debug)]
pub(crate) struct Roster {
    places: Vec<SlotEntry>,
    vacant: BTreeSet<u32>,
    resting: BTreeSet<(RunTime, u32)>,
    starting: BTreeSet<u32>,
    idle: BTreeSet<(bool, u32)>,
    needing_more: BTreeSet<(usize, u32)>,
    timers: Timers,
    max_depth: usize,
}

#[derive(Debug, Default)]
struct SlotEntry {
    /// The number of workers that have had this slot.
    spawned: u64,
    /// The number of failed starts since a worker in this slot last answered an item.
    failed_starts: u32,
    worker: Option<Box<Worker>>,
}

impl Roster {
    pub(crate) fn new(slots: u32, max_depth: usize) -> Self {
        Self {
            places: (0..slots).map(|_| SlotEntry::default()).collect(),
            vacant: (0..slots).collect(),
            resting: BTreeSet::new(),
            starting: BTreeSet::new(),
            idle: BTreeSet::new(),
            needing_more: BTreeSet::new(),
            timers: Timers::default(),
            max_depth,
        }
    }

    pub(crate) fn slots(&self) -> u32 {
        // Cannot truncate: the list was made from a `u32`.
        self.places.len() as u32
    }

    /// The number of workers that were spawned and have not ended.
    pub(crate) fn living(&self) -> u32 {
        self.slots() - self.vacant.len() as u32 - self.resting.len() as u32
    }

    /// The number of workers that were spawned and are not ready.
    pub(crate) fn starting(&self) -> usize {
        self.starting.len()
    }

    /// The slot of a worker that has not ended.
    pub(crate) fn slot_of(&self, worker: WorkerId) -> Option<u32> {
        let slot = (worker.0 % self.places.len() as u64) as u32;
        (self.worker(slot)?.id == worker).then_some(slot)
    }

    pub(crate) fn worker(&self, slot: u32) -> Option<&Worker> {
        self.places.get(slot as usize)?.worker.as_deref()
    }

    pub(crate) fn worker_mut(&mut self, slot: u32) -> Option<&mut Worker> {
        self.places.get_mut(slot as usize)?.worker.as_deref_mut()
    }

    pub(crate) fn workers(&self) -> impl Iterator<Item = (u32, &Worker)> {
        (0..).zip(&self.places).filter_map(|(slot, place)| Some((slot, place.worker.as_deref()?)))
    }

    pub(crate) fn first_vacant(&self) -> Option<u32> {
        self.vacant.first().copied()
    }

    pub(crate) fn first_idle(&self) -> Option<u32> {
        self.idle.first().map(|&(_, slot)| slot)
    }

    pub(crate) fn first_needing_more(&self) -> Option<u32> {
        self.needing_more.first().map(|&(_, slot)| slot)
    }

    /// The number of workers that work, may still become ready, or whose failed start is
    /// still to be counted.
    pub(crate) fn hopeful(&self) -> u32 {
        self.workers().filter(|(_, worker)| !worker.is_leaving()).count() as u32
    }

    /// Whether there is such a worker.
    pub(crate) fn has_hope(&self) -> bool {
        self.workers().any(|(_, worker)| !worker.is_leaving())
    }

    /// A start in this vacant slot has failed; returns the number of such failures in a
    /// row.
    pub(crate) fn note_failed_start(&mut self, slot: u32) -> u32 {
        self.places.get_mut(slot as usize).map_or(0, |place| {
            place.failed_starts = place.failed_starts.saturating_add(1);
            place.failed_starts
        })
    }

    /// The worker in this slot has answered an item.
    pub(crate) fn on_proven(&mut self, slot: u32) {
        if let Some(place) = self.places.get_mut(slot as usize) {
            place.failed_starts = 0;
            if let Some(worker) = &mut place.worker {
                worker.is_proven = true;
            }
        }
    }

    /// Leaves a vacant slot empty until this time.
    pub(crate) fn rest(&mut self, slot: u32, until: RunTime) {
        if self.vacant.remove(&slot) {
            self.resting.insert((until, slot));
        }
    }

    /// Lets slots be filled whose rest is over; all of them, if nobody is left to wait
    /// for.
    pub(crate) fn end_rests(&mut self, now: RunTime) {
        if self.resting.is_empty() {
            return;
        }
        let has_hope = self.has_hope();
        while let Some(&(until, slot)) = self.resting.first().filter(|&&(until, _)| until <= now || !has_hope) {
            self.resting.remove(&(until, slot));
            self.vacant.insert(slot);
        }
    }

    /// The earliest time at which a slot's rest is over.
    pub(crate) fn next_rest(&self) -> Option<RunTime> {
        self.resting.first().map(|&(until, _)| until)
    }

    /// Puts a new worker into a vacant slot.
    pub(crate) fn occupy(&mut self, slot: u32, budget: u64) -> Option<(Slot, WorkerId)> {
        let slots = self.places.len() as u64;
        let place = self.places.get_mut(slot as usize)?;
        let id = WorkerId(place.spawned * slots + u64::from(slot));
        place.spawned += 1;
        place.worker = Some(Box::new(Worker::new(id, budget)));
        self.vacant.remove(&slot);
        self.relist(slot);
        Some((Slot(slot), id))
    }

    /// Removes a worker that has ended.
    pub(crate) fn vacate(&mut self, slot: u32) -> Option<Box<Worker>> {
        self.unlist(slot);
        self.set_deadline(slot, None);
        let worker = self.places.get_mut(slot as usize)?.worker.take()?;
        if let Some(armed) = worker.deadline.armed {
            self.timers.disarm(armed, slot);
        }
        self.vacant.insert(slot);
        Some(worker)
    }

    /// Lists a worker according to its state. To be called after any change of it.
    pub(crate) fn relist(&mut self, slot: u32) {
        let max_depth = self.max_depth;
        if let Some(worker) = self.worker(slot) {
            let availability = worker.availability(max_depth);
            self.list(slot, availability);
        }
    }

    /// Takes a worker off the lists until its state changes.
    pub(crate) fn unlist(&mut self, slot: u32) {
        self.list(slot, Availability::None);
    }

    fn list(&mut self, slot: u32, availability: Availability) {
        let Some(worker) = self.worker_mut(slot) else {
            return;
        };
        let before = std::mem::replace(&mut worker.listed, availability);
        if before == availability {
            return;
        }
        match before {
            Availability::None => false,
            Availability::Starting => self.starting.remove(&slot),
            Availability::Idle { was_given } => self.idle.remove(&(was_given, slot)),
            Availability::NeedsMore { holds } => self.needing_more.remove(&(holds, slot)),
        };
        match availability {
            Availability::None => false,
            Availability::Starting => self.starting.insert(slot),
            Availability::Idle { was_given } => self.idle.insert((was_given, slot)),
            Availability::NeedsMore { holds } => self.needing_more.insert((holds, slot)),
        };
    }

    /// Sets or removes a worker's deadline. Only a deadline that is earlier than the
    /// worker's entry in the timers changes that entry.
    pub(crate) fn set_deadline(&mut self, slot: u32, at: Option<RunTime>) {
        let Some(place) = self.places.get_mut(slot as usize) else {
            return;
        };
        let Some(worker) = place.worker.as_deref_mut() else {
            return;
        };
        worker.deadline.at = at;
        let Some(at) = at else { return };
        match worker.deadline.armed {
            Some(armed) if armed <= at => return,
            Some(armed) => self.timers.disarm(armed, slot),
            None => {}
        }
        worker.deadline.armed = Some(at);
        self.timers.arm(at, slot);
    }

    pub(crate) fn next_deadline(&self) -> Option<RunTime> {
        self.timers.next()
    }

    /// Takes the slot of a worker whose deadline has passed.
    pub(crate) fn pop_overdue(&mut self, now: RunTime) -> Option<u32> {
        while let Some((_, slot)) = self.timers.pop_due(now) {
            let Some(worker) = self.worker_mut(slot) else {
                continue;
            };
            worker.deadline.armed = None;
            let Some(at) = worker.deadline.at else {
                continue;
            };
            if at <= now {
                worker.deadline.at = None;
                return Some(slot);
            }
            self.set_deadline(slot, Some(at));
        }
        None
    }

    /// Checks that the lists hold exactly what the workers' states say.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut listed = 0;
        for (slot, worker) in self.workers() {
            let is_listed = match worker.listed {
                Availability::None => continue,
                Availability::Starting => self.starting.contains(&slot),
                Availability::Idle { was_given } => self.idle.contains(&(was_given, slot)),
                Availability::NeedsMore { holds } => self.needing_more.contains(&(holds, slot)),
            };
            listed += 1;
            if !is_listed || worker.listed != worker.availability(self.max_depth) {
                return Err(format!("worker {} has the wrong list entry", worker.id));
            }
        }
        if listed != self.starting.len() + self.idle.len() + self.needing_more.len() {
            return Err("a list has an entry without a worker".to_owned());
        }
        if self.workers().count() != self.living() as usize {
            return Err("a slot is neither vacant nor filled".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workers::worker::WorkerState;

    fn at(millis: u64) -> RunTime {
        RunTime::from_millis(millis)
    }

    /// Three slots, with workers in the first two.
    fn roster() -> Roster {
        let mut roster = Roster::new(3, 128);
        assert_eq!(roster.occupy(0, 9), Some((Slot(0), WorkerId(0))));
        assert_eq!(roster.occupy(1, 9), Some((Slot(1), WorkerId(1))));
        roster
    }

    #[test]
    fn a_replacement_has_the_same_slot_and_another_id() {
        let mut roster = roster();
        assert!(roster.vacate(1).is_some());
        assert_eq!(roster.first_vacant(), Some(1));
        assert_eq!(roster.occupy(1, 9), Some((Slot(1), WorkerId(4))));
        assert_eq!(roster.slot_of(WorkerId(4)), Some(1));
        assert_eq!(roster.slot_of(WorkerId(1)), None);
        assert_eq!(roster.slot_of(WorkerId(2)), None, "not spawned");
        assert_eq!(roster.living(), 2);
    }

    #[test]
    fn a_worker_is_idle_once_it_is_ready_and_the_first_if_it_never_held_anything() {
        let mut roster = roster();
        assert_eq!((roster.starting(), roster.first_idle()), (2, None));
        for (slot, was_given) in [(0, true), (1, false)] {
            let worker = roster.worker_mut(slot).expect("a worker");
            (worker.state, worker.was_given) = (WorkerState::Ready, was_given);
            roster.relist(slot);
        }
        assert_eq!((roster.starting(), roster.first_idle()), (0, Some(1)));
        roster.vacate(1);
        assert_eq!(roster.first_idle(), Some(0));
        roster.unlist(0);
        assert_eq!(roster.first_idle(), None);
    }

    #[test]
    fn a_resting_slot_is_vacant_at_its_time_or_when_nobody_is_left() {
        let mut roster = roster();
        roster.rest(2, at(10));
        assert_eq!((roster.first_vacant(), roster.next_rest(), roster.living()), (None, Some(at(10)), 2));
        roster.end_rests(at(9));
        assert_eq!(roster.first_vacant(), None);
        roster.end_rests(at(10));
        assert_eq!((roster.first_vacant(), roster.next_rest()), (Some(2), None));
        for slot in 0..2 {
            roster.vacate(slot);
        }
        (0..3).for_each(|slot| roster.rest(slot, at(99)));
        assert_eq!(roster.first_vacant(), None);
        roster.end_rests(at(11));
        assert_eq!(roster.first_vacant(), Some(0));
    }

    #[test]
    fn an_extended_deadline_fires_once_at_its_time() {
        let mut roster = roster();
        roster.set_deadline(0, Some(at(10)));
        roster.set_deadline(0, Some(at(30)));
        assert_eq!(roster.next_deadline(), Some(at(10)), "early does no harm");
        assert_eq!(roster.pop_overdue(at(10)), None);
        assert_eq!(roster.next_deadline(), Some(at(30)));
        assert_eq!(roster.pop_overdue(at(30)), Some(0));
        assert_eq!(roster.pop_overdue(at(99)), None);
    }

    #[test]
    fn an_earlier_deadline_is_not_late() {
        let mut roster = roster();
        roster.set_deadline(0, Some(at(30)));
        roster.set_deadline(1, Some(at(20)));
        roster.set_deadline(0, Some(at(10)));
        assert_eq!(roster.pop_overdue(at(25)), Some(0));
        assert_eq!(roster.pop_overdue(at(25)), Some(1));
        assert_eq!(roster.next_deadline(), None);
    }

    #[test]
    fn removed_deadlines_and_those_of_dead_workers_do_not_fire() {
        let mut roster = roster();
        roster.set_deadline(0, Some(at(10)));
        roster.set_deadline(0, None);
        roster.set_deadline(1, Some(at(10)));
        roster.vacate(1);
        assert_eq!(roster.pop_overdue(at(99)), None);
        assert_eq!(roster.next_deadline(), None);
    }
}

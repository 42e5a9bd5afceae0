//! Killing and stopping the workers of one call, until it has ended.
//!
//! The kernel reuses process ids. Immediately before each signal, the hunt
//! checks in `/proc` that the process is a living child of the coordinator. To
//! hit another process, the worker would have to end, be reaped, and all other
//! ids be used up between this check and the signal.

use super::call::Call;
use super::plan::{Aim, Attack, RoundPlan};
use super::tally::Tally;
use crate::process::{all_pids, command_line, has_written, is_living_child, peak_of};
use crate::random::Random;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A stopped worker goes on after this time at the latest.
const LONGEST_STOP_MS: u64 = 40;
/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// What each worker has in its command line.
const WORKER: &str = "procession-worker";
/// Time between two looks at the coordinator's memory.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why a hunt was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The coordinator ended by itself.
    Ended,
    /// We killed it, as planned.
    Killed,
    /// It took too long, and was killed for that.
    Hung,
}

/// What was done to a call.
pub(crate) struct Hunted {
    pub(crate) fate: Fate,
    /// How many workers were killed before they had said hello.
    pub(crate) early: u64,
    /// Who was stopped before it had said hello, and is still: it may not have
    /// come to bind its life to its parent's, and can't before it goes on.
    pub(crate) held: Vec<u32>,
}

/// A worker that is stopped.
struct Stopped {
    pid: u32,
    until: Instant,
    /// Whether it had said hello.
    ready: bool,
}

pub(crate) struct Hunt<'a> {
    attack: &'a Attack,
    call: &'a Call,
    random: &'a mut Random,
    tally: &'a mut Tally,
    begin: Instant,
    /// When the coordinator is killed, if it is.
    doom: Option<Instant>,
    next_blow: Instant,
    next_look: Instant,
    /// Nobody is killed twice.
    killed: HashSet<u32>,
    stopped: Vec<Stopped>,
    early: u64,
}

impl<'a> Hunt<'a> {
    /// A hunt on the workers of a call, whose coordinator has this long to
    /// live. Kills are counted in the tally, which is the round's.
    pub(crate) fn new(
        plan: &'a RoundPlan,
        call: &'a Call,
        life: Option<Duration>,
        random: &'a mut Random,
        tally: &'a mut Tally,
    ) -> Self {
        let begin = Instant::now();
        Self {
            attack: &plan.attack,
            call,
            random,
            tally,
            begin,
            doom: life.map(|life| begin + life),
            next_blow: begin,
            next_look: begin,
            killed: HashSet::new(),
            stopped: Vec::new(),
            early: 0,
        }
    }

    /// Hunts until the coordinator has ended.
    pub(crate) fn run(mut self) -> Hunted {
        loop {
            let now = Instant::now();
            if self.call.has_ended_within(self.next_event().saturating_duration_since(now)) {
                return self.over(Fate::Ended);
            }
            let now = Instant::now();
            let is_doomed = self.doom.is_some_and(|doom| doom <= now);
            if is_doomed || now - self.begin > LONGEST_CALL {
                let all = self.random.percent(self.attack.kills_of_all).then(|| self.workers());
                self.call.kill();
                // They were its children a moment ago; some may have ended since.
                for pid in all.into_iter().flatten() {
                    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
                }
                return self.over(if is_doomed { Fate::Killed } else { Fate::Hung });
            }
            self.wake(now);
            self.strike(now);
            self.look(now);
        }
    }

    fn over(self, fate: Fate) -> Hunted {
        let held = self.stopped.iter().filter(|stopped| !stopped.ready).map(|stopped| stopped.pid);
        Hunted { fate, early: self.early, held: held.collect() }
    }

    /// When there is something to do.
    fn next_event(&self) -> Instant {
        let wakes = self.stopped.iter().map(|stopped| stopped.until);
        let blow = self.has_blows().then_some(self.next_blow);
        wakes.chain(self.doom).chain(blow).min().map_or(self.next_look, |event| event.min(self.next_look))
    }

    fn has_blows(&self) -> bool {
        self.tally.worker_kills < self.attack.kills
    }

    /// Lets those go on whose time has come.
    fn wake(&mut self, now: Instant) {
        let (due, rest): (Vec<_>, Vec<_>) = self.stopped.drain(..).partition(|stopped| stopped.until <= now);
        self.stopped = rest;
        for stopped in due {
            self.send(stopped.pid, Signal::SIGCONT);
        }
    }

    /// Kills or stops some, if it is time.
    fn strike(&mut self, now: Instant) {
        if self.next_blow > now || !self.has_blows() {
            return;
        }
        let (blows, pause) = self.attack.pace.next(self.random);
        self.next_blow = now + pause;
        let mut victims = self.victims();
        for _ in 0..blows.min(self.attack.kills - self.tally.worker_kills) {
            if victims.is_empty() {
                return;
            }
            let at = self.random.below(victims.len() as u64);
            let (pid, ready) = victims.swap_remove(usize::try_from(at).unwrap_or(0));
            self.hit(pid, ready, now);
        }
    }

    /// Workers that may be hit, and whether they have said hello.
    fn victims(&self) -> Vec<(u32, bool)> {
        let workers = self.workers().into_iter().filter(|pid| !self.killed.contains(pid));
        // Hello is the first thing that a worker writes, and the coordinator
        // hears what was written before it hears of the end.
        let known = workers.map(|pid| (pid, has_written(pid)));
        known.filter(|(_, ready)| *ready || self.attack.aim == Aim::Any).collect()
    }

    /// The coordinator's workers that live. It may have other children: what programs
    /// have left.
    fn workers(&self) -> Vec<u32> {
        let is_new = |pid: &u32| !self.call.bystanders.contains(pid);
        let children = all_pids().filter(is_new).filter(|&pid| is_living_child(pid, self.call.pid()));
        children.filter(|&pid| command_line(pid).contains(WORKER)).collect()
    }

    fn hit(&mut self, pid: u32, ready: bool, now: Instant) {
        if self.random.percent(self.attack.stops) {
            // The coordinator itself is stopped, too.
            let is_coordinator = self.random.percent(10);
            let (pid, ready) = if is_coordinator { (self.call.pid(), true) } else { (pid, ready) };
            let until = now + Duration::from_millis(self.random.between(0, LONGEST_STOP_MS));
            if self.send(pid, Signal::SIGSTOP) {
                self.stopped.push(Stopped { pid, until, ready });
                self.tally.stops += 1;
            }
            return;
        }
        let signal = match self.random.below(10) {
            0 => Signal::SIGTERM,
            1 => Signal::SIGSEGV,
            2 => Signal::SIGABRT,
            _ => Signal::SIGKILL,
        };
        if self.send(pid, signal) {
            self.killed.insert(pid);
            self.tally.worker_kills += 1;
            self.early += u64::from(!ready);
        }
    }

    /// Signals a worker if it lives; whether it did.
    fn send(&self, pid: u32, signal: Signal) -> bool {
        let is_known = pid == self.call.pid() || is_living_child(pid, self.call.pid());
        is_known && kill(Pid::from_raw(pid.cast_signed()), signal).is_ok()
    }

    fn look(&mut self, now: Instant) {
        if self.next_look <= now {
            self.next_look = now + LOOK_EVERY;
            self.tally.peak_memory = self.tally.peak_memory.max(peak_of(self.call.pid()).unwrap_or(0));
        }
    }
}

//! The driver step by step, with a worker that the test plays.

use super::clock::Clock;
use super::event_loop::{Driver, DriverSettings};
use super::mailbox::Mailbox;
use crate::jobs::{Batch, Cut, InputBlock, Job, Sink, Source, WINDOW_BYTES, Waker};
use crate::observe::{DriverPhase, DriverWatch};
use procession_scheduler::{JobId, PoolOptions, SchedulerEvent, WorkerId};
use procession_task::SlowestItem;
use procession_task::{JobLimits, JobSpec};
use procession_wire::{AnswerHead, FromWorker, Hello, PROTOCOL, Tails, encode_from_worker};
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A single item.
struct One(Option<InputBlock>);

impl Source for One {
    fn cut(&mut self, _: u32, _: usize) -> Cut {
        self.0.take().map_or(Cut::End, Cut::Block)
    }
    fn wake_with(&mut self, _: Waker) {}
}

struct Nowhere;

impl Sink for Nowhere {
    fn deliver(&mut self, _: Batch) {}
}

fn job(timeout: Duration) -> Job {
    let limits = JobLimits { timeout: Some(timeout), memory_limit: None };
    let item = InputBlock { bytes: "x\n".into(), items: 1, first: 0, place: None };
    Job::new(JobSpec { limits, ..JobSpec::new("null") }, Box::new(One(Some(item))), Box::new(Nowhere))
}

/// A driver that has spawned this as its only worker.
fn spawned(program: &str) -> Driver {
    let settings = DriverSettings {
        options: PoolOptions::new(1),
        tasks: None,
        program: program.into(),
        arguments: Vec::new(),
        variables: Vec::new(),
        window: WINDOW_BYTES,
        observers: Vec::new(),
        clock: Clock::start(),
        watch: DriverWatch::start(DriverPhase::Waiting),
    };
    let mut driver = Driver::new(settings, Mailbox::new().unwrap().into());
    driver.drain();
    driver.spawn_pending();
    driver
}

fn hello() -> FromWorker {
    let (version, host, tasks) = (String::new(), String::new(), Vec::new());
    FromWorker::Hello(Hello { protocol: PROTOCOL, version, pid: 1, host, tasks })
}

/// A driver whose only worker is ready and has been sent an item, and the other
/// end of that worker's pipe. The process itself plays no part.
fn driver() -> (Driver, UnixStream) {
    let mut driver = spawned("/bin/sh");
    driver.start_job(JobId(0), job(Duration::from_secs(1)), std::sync::mpsc::channel().0);
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let id = WorkerId(0);
    driver.workers.get_mut(&id).unwrap().child.stdout = File::from(OwnedFd::from(ours));
    driver.on_message(id, hello(), &Tails::default(), &bytes::Bytes::new());
    (driver, theirs)
}

/// The answer to the only item, as bytes of the pipe.
fn answer(driver: &Driver) -> Vec<u8> {
    let attempt = driver.workers[&WorkerId(0)].assigned.attempts[0].id.0;
    let failures = Vec::new();
    let head = AnswerHead {
        attempt,
        first: 0,
        items: 1,
        busy_ns: 1,
        slowest: SlowestItem::default(),
        failures,
        outputs_len: 2,
        log_len: 0,
        shown_len: 0,
    };
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Answer(head), &[b"x\n"]).unwrap();
    frame.extend_from_slice(b"x\n");
    frame
}

/// Ten seconds pass in which the driver does nothing, as if it had been stopped.
/// What its worker has written meanwhile is in the pipe.
fn ten_seconds_later(driver: &mut Driver) {
    driver.settings.clock = Clock::start_at(procession_sys::monotonic_ns() - 10_000_000_000);
    driver.handle_timer(driver.deadline_now());
}

#[test]
fn timeouts_are_evaluated_only_after_the_pipe_is_drained() {
    let (mut driver, mut pipe) = driver();
    pipe.write_all(&answer(&driver)).unwrap();
    ten_seconds_later(&mut driver);
    assert_eq!(driver.workers[&WorkerId(0)].ended_by_us, None);
    assert_eq!(driver.workers[&WorkerId(0)].items, 1, "its answer counts");
}

#[test]
fn a_worker_that_sent_nothing_in_time_is_killed() {
    let (mut driver, _pipe) = driver();
    ten_seconds_later(&mut driver);
    let why = driver.workers[&WorkerId(0)].ended_by_us.as_deref();
    assert_eq!(why, Some("its process was killed: it said nothing for longer than an item may run"));
}

#[test]
fn an_answer_to_a_job_that_was_cancelled_is_dropped() {
    let (mut driver, mut pipe) = driver();
    let late = answer(&driver);
    driver.handle(SchedulerEvent::JobStopped { job: JobId(0) });
    assert!(driver.jobs.is_empty());
    pipe.write_all(&late).unwrap();
    driver.read_messages(WorkerId(0));
    let worker = &driver.workers[&WorkerId(0)];
    assert_eq!((worker.ended_by_us.as_deref(), worker.items, worker.assigned.attempts.len()), (None, 0, 0));
}

/// The state of a process as the kernel names it.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn a_hello_that_is_read_during_a_pause_resumes_no_worker() {
    // It writes until its pipe is full, and stays.
    let mut driver = spawned("/usr/bin/yes");
    let pid = driver.workers[&WorkerId(0)].who.pid;
    driver.pause();
    driver.resume();
    driver.pause();
    while state(pid) != 'T' {
        std::thread::yield_now();
    }
    driver.on_message(WorkerId(0), hello(), &Tails::default(), &bytes::Bytes::new());
    assert_eq!(state(pid), 'T');
    driver.resume();
    assert_ne!(state(pid), 'T');
}

/// Bytes that are read from a worker's pipe before others have their turn, at most,
/// one frame excluded.
const STDERR_TAIL_BYTES: u64 = 2 << 20;

#[test]
fn a_worker_that_floods_its_pipe_does_not_hold_up_the_driver() {
    let (mut driver, _pipe) = driver();
    // Empty answers, far more than a pipe holds.
    let attempt = driver.workers[&WorkerId(0)].assigned.attempts[0].id.0;
    let (failures, first) = (Vec::new(), 0);
    let head = AnswerHead {
        attempt,
        first,
        items: 0,
        busy_ns: 0,
        slowest: SlowestItem::default(),
        failures,
        outputs_len: 0,
        log_len: 0,
        shown_len: 0,
    };
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Answer(head), &[]).unwrap();
    let mut flood = tempfile::tempfile().unwrap();
    flood.write_all(&frame.repeat(3 * STDERR_TAIL_BYTES as usize / frame.len())).unwrap();
    flood.rewind().unwrap();
    driver.workers.get_mut(&WorkerId(0)).unwrap().child.stdout = flood;
    driver.hear_all();
    let worker = driver.workers.get_mut(&WorkerId(0)).unwrap();
    assert_eq!(worker.ended_by_us, None);
    let heard = worker.child.stdout.stream_position().unwrap();
    assert!((STDERR_TAIL_BYTES..STDERR_TAIL_BYTES + (1 << 20)).contains(&heard), "{heard}");
}

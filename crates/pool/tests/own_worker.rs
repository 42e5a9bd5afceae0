//! A worker of one's own, as the command line would have it: the example
//! `worker`, asked for its tasks over blocks of text.

#![allow(clippy::unwrap_used, reason = "a test")]

use procession::PoolError;
use procession::raw::{
    Backend as _, Batch, Cut, InputBlock, Job, JobEnd, MAX_BLOCK_BYTES, ProcessPool, Sink, Source, Waker,
};
use procession_task::{Format, Items, JobSpec};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

/// Blocks of lines.
struct Lines(Box<dyn Iterator<Item = InputBlock> + Send>);

impl Source for Lines {
    fn cut(&mut self, _: u32, _: usize) -> Cut {
        self.0.next().map_or(Cut::End, Cut::Block)
    }
    fn wake_with(&mut self, _: Waker) {}
}

struct Keep(Sender<Vec<u8>>);

impl Sink for Keep {
    fn deliver(&mut self, batch: Batch) {
        for delivery in batch.deliveries {
            let _ = self.0.send(delivery.outputs.to_vec());
        }
    }
}

/// The example, which `cargo test` builds beside this.
fn worker() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().parent().unwrap().join("examples/worker")
}

fn job(
    task: &str,
    params: &[(&str, &str)],
    blocks: impl Iterator<Item = InputBlock> + Send + 'static,
    tell: Sender<Vec<u8>>,
) -> Job {
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let spec = JobSpec { params, format: Format::Tsv, ..JobSpec::new(task) };
    Job::new(spec, Box::new(Lines(Box::new(blocks))), Box::new(Keep(tell)))
}

fn block(lines: &'static str) -> InputBlock {
    let items = u32::try_from(Items::Lines.count(lines.as_bytes())).unwrap();
    InputBlock { bytes: lines.into(), items, first: 0, place: None }
}

fn run(task: &str, params: &[(&str, &str)], lines: &'static str) -> Result<String, PoolError> {
    let pool = ProcessPool::builder(worker()).procs(1).build().unwrap();
    let (tell, told) = channel();
    let job = job(task, params, std::iter::once(block(lines)), tell);
    assert_eq!(pool.start(job)?.wait()?, JobEnd::Complete);
    Ok(String::from_utf8(told.iter().flatten().collect()).unwrap())
}

#[test]
fn its_tasks_run_over_text() {
    let found = run("collatz", &[], "27\n0\nx\n").unwrap();
    assert_eq!(found, "27\t111\n0\t\tfailed: 0 never comes to 1\nx\t\tinvalid: invalid digit found in string\n");
    assert_eq!(run("caesar", &[("by", "13")], "Uryyb, jbeyq\n").unwrap(), "Uryyb, jbeyq\tHello, world\n");
}

#[test]
fn what_it_does_not_have_or_take_is_said() {
    for (task, params, words) in [
        ("cube", &[][..], "unknown task 'cube'"),
        ("caesar", &[("by", "26")], "'by' is no number from 0 to 25: task 'caesar' takes by=3 (default 3)"),
        ("caesar", &[("to", "1")], "unknown parameter 'to'"),
        ("collatz", &[("by", "1")], "takes no parameters"),
    ] {
        let Err(PoolError::Refused(why)) = run(task, params, "1\n") else { panic!("{task} was not refused") };
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent() {
    let pool = ProcessPool::builder(worker()).procs(1).build().unwrap();
    let (tell, told) = channel();
    let huge = InputBlock { bytes: vec![0; MAX_BLOCK_BYTES + 1].into(), first: 1, ..block("1\n") };
    let refused = pool.start(job("collatz", &[], [block("27\n"), huge].into_iter(), tell)).unwrap().wait();
    let Err(PoolError::NotSendable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.starts_with("item 1: ") && why.contains("can be sent to a worker"), "{why}");
    assert_eq!(told.iter().flatten().collect::<Vec<_>>(), b"27\t111\n", "what came before it has its results");

    let (tell, _told) = channel();
    let mut large = job("collatz", &[], std::iter::empty(), tell);
    large.spec.arguments = vec![vec![0; 128 << 20]; 2];
    let refused = pool.start(large).err();
    let Some(PoolError::NotSendable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("settings of the job"), "{why}");
}

#[test]
fn a_job_that_is_given_up_leaves_the_pool_as_it_was() {
    let pool = ProcessPool::builder(worker()).procs(1).build().unwrap();
    for _ in 0..10 {
        let (tell, told) = channel();
        let endless = pool.start(job("collatz", &[], std::iter::repeat_with(|| block("27\n")), tell)).unwrap();
        told.recv().unwrap();
        endless.cancel();
        assert_eq!(endless.wait(), Ok(JobEnd::Stopped));
    }
    let (tell, told) = channel();
    let last = pool.start(job("collatz", &[], std::iter::once(block("1\n")), tell)).unwrap();
    assert_eq!(last.wait(), Ok(JobEnd::Complete));
    assert_eq!(told.recv().unwrap(), b"1\t0\n");
    Box::new(pool).close().unwrap();
}

#[test]
fn started_by_hand_it_says_what_it_is() {
    let ended = Command::new(worker()).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("It does nothing by itself. Try: coordinator tasks --worker "), "{said}");
    let ended = Command::new(worker()).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), format!("worker {}\n", env!("CARGO_PKG_VERSION")));
}

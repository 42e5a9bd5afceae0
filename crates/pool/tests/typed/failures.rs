//! Items that fail, each in its way, and what is said of them.

use crate::support::{Add, Case, all, procs};
use procession::{Exit, FailureKind, ItemError, Pool, PoolError, Task, TaskError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("a_panic_is_the_item_s_own", a_panic_is_the_item_s_own),
    ("a_function_may_say_no", a_function_may_say_no),
    ("a_crash_costs_one_item", a_crash_costs_one_item),
    ("an_exit_is_a_crash_with_its_status", an_exit_is_a_crash_with_its_status),
    ("what_takes_too_long_is_ended", what_takes_too_long_is_ended),
    ("what_wants_too_much_is_ended", what_wants_too_much_is_ended),
    ("failed_items_are_tried_again_if_asked", failed_items_are_tried_again_if_asked),
    ("what_cannot_be_encoded_is_never_sent", what_cannot_be_encoded_is_never_sent),
    ("what_is_never_sent_keeps_its_place", what_is_never_sent_keeps_its_place),
    ("what_cannot_be_read_is_named", what_cannot_be_read_is_named),
    ("results_and_items_have_a_longest_length", results_and_items_have_a_longest_length),
    ("settings_too_large_to_travel_are_refused", settings_too_large_to_travel_are_refused),
    ("the_end_of_the_pool_is_an_outcome", the_end_of_the_pool_is_an_outcome),
];

fn a_panic_is_the_item_s_own() {
    let work = |n: u64| if n == 5 { panic!("five is {n}") } else { n };
    for (at, pool) in all().into_iter().enumerate() {
        let found: Vec<_> = pool.map(work, 0..10).collect();
        let Err(ItemError::Panicked { index: 5, message, location, .. }) = &found[5] else { panic!("{found:?}") };
        assert_eq!(message, "five is 5");
        // Without processes the program's panic hook is its own.
        let is_located = location.as_ref().is_some_and(|at| at.contains("failures.rs:"));
        assert_eq!(is_located, at == 0, "{location:?}");
        assert_eq!(found.iter().filter(|outcome| outcome.is_ok()).count(), 9);
    }
}

fn a_function_may_say_no() {
    let work = |n: i32| if n < 0 { Err(TaskError::new("negative")) } else { Ok(n) };
    let found: Vec<_> = procs(1).map(work, [1, -1]).collect();
    assert_eq!(found, [Ok(1), Err(ItemError::Failed { index: 1, message: "negative".to_owned() })]);
}

fn a_crash_costs_one_item() {
    let work = |n: u64| {
        if n == 500 {
            std::process::abort();
        }
        n
    };
    let found: Vec<_> = procs(2).map(work, 0..1000).collect();
    assert_eq!(found.iter().filter(|outcome| outcome.is_ok()).count(), 999);
    let Err(ItemError::Crashed { index: 500, exit, pid, attempts: 3, .. }) = found[500] else {
        panic!("{:?}", found[500])
    };
    assert_eq!(exit, Some(Exit::Signal(6)));
    assert_ne!(pid, 0);
}

fn an_exit_is_a_crash_with_its_status() {
    let pool = Pool::builder().procs(1).retries(0).build().unwrap();
    let outcome = pool.submit(|status: i32| -> u8 { std::process::exit(status) }, 7).wait();
    assert!(matches!(outcome, Err(ItemError::Crashed { exit: Some(Exit::Status(7)), attempts: 1, .. })), "{outcome:?}");
}

fn what_takes_too_long_is_ended() {
    let pool = Pool::builder().procs(2).timeout(Duration::from_millis(200)).build().unwrap();
    let work = |n: u64| {
        if n == 3 {
            std::thread::sleep(Duration::from_secs(3600));
        }
        n
    };
    let found: Vec<_> = pool.map(work, 0..10).collect();
    assert!(matches!(&found[3], Err(ItemError::TimedOut { index: 3, .. })), "{:?}", found[3]);
    assert_eq!(found.iter().filter(|outcome| outcome.is_ok()).count(), 9);
}

fn what_wants_too_much_is_ended() {
    let pool = Pool::builder().procs(1).memory_limit(512 << 20).retries(0).build().unwrap();
    let work = |mebibytes: usize| vec![1u8; mebibytes << 20].iter().map(|&n| usize::from(n)).sum::<usize>();
    let found: Vec<_> = pool.map(work, [1, 2048, 2]).collect();
    assert_eq!((&found[0], &found[2]), (&Ok(1 << 20), &Ok(2 << 20)));
    // This program has no allocator that could name it.
    assert!(matches!(&found[1], Err(ItemError::Crashed { index: 1, .. })), "{:?}", found[1]);
}

fn failed_items_are_tried_again_if_asked() {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let work = |needed: u32| {
        let runs = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if runs < needed { Err(TaskError::new(format!("run {runs}"))) } else { Ok(runs) }
    };
    for (needed, expected) in [(3, Ok(3)), (4, Err("run 3"))] {
        let pool = Pool::builder().procs(1).retry_on([FailureKind::Failed]).build().unwrap();
        let found = pool.submit(work, needed).wait();
        let expected = expected.map_err(|message| ItemError::Failed { index: 0, message: message.to_owned() });
        assert_eq!(found, expected);
    }
}

/// Can't be encoded if it is 1, nor decoded if it is 2.
#[derive(Clone, Debug, PartialEq)]
struct Fussy(u8);

impl Serialize for Fussy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 1 { Err(serde::ser::Error::custom("not one")) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Fussy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            2 => Err(serde::de::Error::custom("not two")),
            n => Ok(Self(n)),
        }
    }
}

fn what_cannot_be_encoded_is_never_sent() {
    for pool in all() {
        let inputs = [1, 0, 1, 1, 5, 1].map(Fussy);
        let found: Vec<_> = pool.map(|Fussy(n): Fussy| n, &inputs).collect();
        for (at, outcome) in found.iter().enumerate() {
            match outcome {
                Ok(n) => assert_eq!(*n, inputs[at].0),
                Err(ItemError::NotEncodable { index, message }) => {
                    assert_eq!((*index, inputs[at].0), (at as u64, 1));
                    assert!(message.contains("Fussy") && message.contains("not one"), "{message}");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(found.len(), 6);
        let mut indexes: Vec<u64> = pool.map_unordered(|Fussy(n): Fussy| n, &inputs).map(|(at, _)| at).collect();
        indexes.sort_unstable();
        assert_eq!(indexes, [0, 1, 2, 3, 4, 5]);
        assert!(matches!(pool.submit(|_: Fussy| (), Fussy(1)).wait(), Err(ItemError::NotEncodable { index: 0, .. })));
    }
}

fn what_is_never_sent_keeps_its_place() {
    // The first item holds the results of all others up: then they come together.
    let work = |Fussy(n): Fussy| std::thread::sleep(Duration::from_millis(if n == 0 { 100 } else { 0 }));
    let pool = Pool::builder().procs(2).chunk(1).build().unwrap();
    let inputs = [0, 3, 1, 3, 1, 1, 3].map(Fussy);
    let places: Vec<bool> = pool.map(work, &inputs).map(|outcome| outcome.is_ok()).collect();
    assert_eq!(places, [true, true, false, true, false, false, true]);
}

fn what_cannot_be_read_is_named() {
    for pool in all() {
        let read = pool.submit(|_: Fussy| (), Fussy(2)).wait();
        let Err(ItemError::NotDecodable { index: 0, message }) = read else { panic!("{read:?}") };
        assert!(message.contains("Fussy") && message.contains("not two"), "{message}");
        let written = pool.map(Fussy, [1, 2, 3]).collect::<Vec<_>>();
        assert!(matches!(&written[0], Err(ItemError::NotEncodable { index: 0, .. })), "{written:?}");
        assert!(matches!(&written[1], Err(ItemError::NotDecodable { index: 1, .. })), "{written:?}");
        assert_eq!(written[2], Ok(Fussy(3)));
    }
}

fn results_and_items_have_a_longest_length() {
    let pool = Pool::builder().procs(1).max_message(100).build().unwrap();
    let work = |n: usize| vec![0u8; n];
    let found: Vec<_> = pool.map(work, [10, 1000]).map(|outcome| outcome.map(|bytes| bytes.len())).collect();
    assert_eq!(found[0], Ok(10));
    assert!(found[1].as_ref().is_err_and(|e| e.to_string().contains("longer than the 100 bytes")), "{found:?}");
    let sent = pool.submit(|bytes: Vec<u8>| bytes.len(), vec![0; 1000]).wait();
    assert!(matches!(&sent, Err(ItemError::NotEncodable { index: 0, .. })), "{sent:?}");
}

#[derive(Serialize, Deserialize)]
struct Large(String);

impl Task for Large {
    type Input = usize;
    type Output = usize;
    fn name(&self) -> &str {
        "large"
    }
    fn run(&self, more: usize) -> Result<usize, TaskError> {
        Ok(self.0.len() + more)
    }
}

fn settings_too_large_to_travel_are_refused() {
    for pool in all() {
        let found: Result<Vec<_>, _> = pool.map(Large("x".repeat(8 << 20)), [1, 2]).collect();
        assert_eq!(found, Ok(vec![(8 << 20) + 1, (8 << 20) + 2]));
        let refused = pool.map(Large("x".repeat(64 << 20)), [1]).next();
        let Some(Err(ItemError::Pool(PoolError::NotSendable(why)))) = refused else { panic!("{refused:?}") };
        assert!(why.contains("Large") && why.contains("at most 67108864 bytes"), "{why}");
    }
}

fn the_end_of_the_pool_is_an_outcome() {
    for pool in all() {
        let mut endless = pool.map(Add(1), 20..);
        assert_eq!(endless.next(), Some(Ok(21)));
        pool.control().stop();
        let ended = endless.find_map(Result::err);
        assert_eq!(ended, Some(ItemError::Pool(PoolError::Ended)));
        assert_eq!(endless.next(), None);
        assert_eq!(pool.map(Add(1), 0..).next(), Some(Err(ItemError::Pool(PoolError::Ended))));
        assert_eq!(pool.submit(Add(1), 0).wait(), Err(ItemError::Pool(PoolError::Ended)));
    }
}

//! Pools as such: their workers, their beginnings and their ends.

use crate::support::{Add, Case, all, is_alive, procs};
use procession::{Event, ItemError, Pool, PoolError};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("many_calls_have_the_same_workers", many_calls_have_the_same_workers),
    ("threads_share_a_pool", threads_share_a_pool),
    ("libraries_in_a_worker_have_its_share_of_the_cpus", libraries_in_a_worker_have_its_share_of_the_cpus),
    ("what_is_submitted_can_be_waited_for_asked_and_given_up", what_is_submitted_can_be_waited_for_asked_and_given_up),
    ("a_handle_that_is_dropped_leaves_its_item_to_run", a_handle_that_is_dropped_leaves_its_item_to_run),
    ("closing_waits_and_dropping_does_not", closing_waits_and_dropping_does_not),
    ("an_initializer_sets_every_worker_up", an_initializer_sets_every_worker_up),
    ("a_failed_initializer_is_a_failed_start", a_failed_initializer_is_a_failed_start),
    ("no_pool_of_processes_inside_a_worker", no_pool_of_processes_inside_a_worker),
    ("workers_are_replaced_after_so_many_items", workers_are_replaced_after_so_many_items),
    ("limits_that_threads_cannot_keep_are_refused", limits_that_threads_cannot_keep_are_refused),
    ("observers_hear", observers_hear),
    ("the_program_s_signals_are_left_alone", the_program_s_signals_are_left_alone),
];

fn own_pid(_: u64) -> u32 {
    std::process::id()
}

fn many_calls_have_the_same_workers() {
    let pool = procs(2);
    let mut pids = BTreeSet::new();
    for _ in 0..50 {
        pids.extend(pool.map(own_pid, 0..40).map(Result::unwrap));
        pids.insert(pool.submit(own_pid, 0).wait().unwrap());
    }
    let known: BTreeSet<u32> = pool.pids().into_iter().flatten().collect();
    assert_eq!((pids.len(), &pids), (2, &known));
    assert!(!pids.contains(&std::process::id()));
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert!(pids.iter().all(|&pid| name(pid) == name(std::process::id())), "not 'exe', as they were started");
}

fn threads_share_a_pool() {
    for pool in all() {
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let pool = &pool;
                scope.spawn(move || {
                    let found = pool.map(Add(thread), 100..3000).map(Result::unwrap);
                    assert!(found.eq((100..3000).map(|n| n + thread)));
                });
            }
        });
    }
}

fn what_is_submitted_can_be_waited_for_asked_and_given_up() {
    for pool in all() {
        let handles: Vec<_> = (0..100).map(|n| pool.submit(|n: u64| n + 1, n)).collect();
        let found: Vec<u64> = handles.into_iter().map(|handle| handle.wait().unwrap()).collect();
        assert!(found.into_iter().eq(1..101));
    }
    let pool = procs(1);
    let stuck = || pool.submit(|(): ()| std::thread::sleep(Duration::from_secs(3600)), ());
    let handle = stuck();
    assert!(!handle.is_done());
    let handle = handle.wait_timeout(Duration::from_millis(10)).unwrap_err();
    let behind = pool.submit(own_pid, 0);
    handle.cancel();
    assert!(behind.wait_timeout(Duration::from_millis(10)).is_err(), "the only worker sleeps");
    let handle = stuck();
    pool.terminate();
    assert!(handle.is_done());
    assert_eq!(handle.wait(), Err(ItemError::Pool(PoolError::Ended)));
}

fn a_handle_that_is_dropped_leaves_its_item_to_run() {
    let folder = tempfile::tempdir().unwrap();
    for (at, pool) in all().into_iter().enumerate() {
        let file = folder.path().join(at.to_string());
        drop(pool.submit(|file: std::path::PathBuf| std::fs::write(file, "done").unwrap(), &file));
        pool.close().unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "done");
    }
}

fn closing_waits_and_dropping_does_not() {
    let pool = procs(2);
    let handle = pool.submit(
        |n: u64| {
            std::thread::sleep(Duration::from_millis(100));
            n
        },
        7,
    );
    assert!(pool.close().unwrap() >= Duration::from_millis(100));
    assert!(handle.is_done());
    assert_eq!(handle.wait(), Ok(7));

    let pool = procs(2);
    drop(pool.submit(|(): ()| std::thread::sleep(Duration::from_secs(3600)), ()));
    assert_eq!(pool.map(own_pid, 0..2).count(), 2);
    let pids = pool.pids();
    drop(pool);
    assert!(pids.into_iter().flatten().all(|pid| !is_alive(pid)));
}

static SET_UP: OnceLock<String> = OnceLock::new();

fn an_initializer_sets_every_worker_up() {
    let set = |text: String| SET_UP.set(text).unwrap();
    let pool = Pool::builder().procs(2).initializer(set, &"grüße".to_owned()).build().unwrap();
    let read = |_: u64| (std::process::id(), SET_UP.get().cloned());
    let found: BTreeSet<_> = pool.map(read, 0..100).map(Result::unwrap).collect();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(_, text)| text.as_deref() == Some("grüße")));
    assert_eq!(SET_UP.get(), None, "this is no worker");
}

fn a_failed_initializer_is_a_failed_start() {
    let panics = |(): ()| -> () { panic!("no database") };
    let pool = Pool::builder().procs(1).show_worker_output(false).initializer(panics, &()).build().unwrap();
    let outcome = pool.map(own_pid, 0..2).next().unwrap();
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("can't be started") && error.contains("no database"), "{error}");
    assert!(matches!(pool.close(), Err(PoolError::CannotStart { .. })));
    let refused = Pool::builder().serial().initializer(panics, &()).build().unwrap_err();
    assert!(refused.to_string().contains("no database"), "{refused}");
    let long = Pool::builder().procs(1).initializer(|_: String| (), &"x".repeat(1 << 20)).build();
    assert!(matches!(long, Err(PoolError::NotSendable(_))));
}

fn no_pool_of_processes_inside_a_worker() {
    let nested = |threads: bool| {
        let builder = if threads { Pool::builder().threads(1) } else { Pool::builder().procs(1) };
        builder.build().map(|pool| pool.submit(Add(1), 1).wait().unwrap()).map_err(|e| e.to_string())
    };
    let found: Vec<_> = procs(1).map(nested, [false, true]).map(Result::unwrap).collect();
    assert_eq!(found, [Err(PoolError::InsideWorker.to_string()), Ok(2)]);
}

fn workers_are_replaced_after_so_many_items() {
    let pool = Pool::builder().procs(1).max_tasks_per_worker(10).build().unwrap();
    let pids: BTreeSet<_> = pool.map(own_pid, 0..100).map(Result::unwrap).collect();
    assert_eq!(pids.len(), 10);
}

fn limits_that_threads_cannot_keep_are_refused() {
    for builder in [
        Pool::builder().threads(2).timeout(Duration::from_secs(1)),
        Pool::builder().serial().memory_limit(1 << 30),
        Pool::builder().threads(1).max_tasks_per_worker(1),
    ] {
        assert!(matches!(builder.build(), Err(PoolError::Refused(_))));
    }
}

fn observers_hear() {
    let (tell, told) = channel();
    let observer = move |event: &Event| {
        if let Event::Accepted(accepted) = event {
            let _ = tell.send((accepted.worker.pid, accepted.items));
        }
        if let Event::Stderr { bytes, .. } = event {
            assert_eq!(&bytes[..], b"printed\n");
            let _ = tell.send((0, 0));
        }
    };
    let print = |_: u64| eprintln!("printed");
    let pool = Pool::builder().procs(1).show_worker_output(false).observer(observer).build().unwrap();
    pool.submit(print, 0).wait().unwrap();
    let pid = pool.pids()[0].unwrap();
    pool.close().unwrap();
    let heard: BTreeSet<_> = told.iter().collect();
    assert_eq!(heard, [(0, 0), (pid, 1)].into());
}

fn the_program_s_signals_are_left_alone() {
    let signals = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let is_mask = |line: &&str| line.starts_with("Sig") && !line.starts_with("SigQ") && !line.starts_with("SigPnd");
        status.lines().filter(is_mask).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = signals();
    let pool = procs(2);
    assert_eq!(pool.map(Add(1), 20..30).count(), 10);
    assert_eq!(signals(), before);
    drop(pool);
    assert_eq!(signals(), before);
}

fn libraries_in_a_worker_have_its_share_of_the_cpus() {
    let pool = Pool::builder().procs(2).build().unwrap();
    let found = pool.submit(|name: String| std::env::var(name).ok(), "OMP_NUM_THREADS".to_owned()).wait();
    let cpus = std::thread::available_parallelism().unwrap().get();
    let own = std::env::var("OMP_NUM_THREADS").ok();
    assert_eq!(found, Ok(Some(own.clone().unwrap_or_else(|| (cpus / 2).max(1).to_string()))));
    assert_eq!(std::env::var("OMP_NUM_THREADS").ok(), own, "this process keeps its environment");
}

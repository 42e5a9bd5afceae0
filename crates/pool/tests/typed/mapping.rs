//! Results: which, in which order, of what.

use crate::support::{Add, Case, all, procs};
use procession::{ItemError, Pool};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    ("results_come_in_order_from_every_kind_of_pool", results_come_in_order_from_every_kind_of_pool),
    ("inputs_may_be_borrowed_and_need_not_be_send", inputs_may_be_borrowed_and_need_not_be_send),
    ("a_task_s_value_travels", a_task_s_value_travels),
    ("any_type_that_serde_knows_travels", any_type_that_serde_knows_travels),
    ("endless_inputs_are_pulled_only_so_far_ahead", endless_inputs_are_pulled_only_so_far_ahead),
    ("who_stops_early_leaves_the_pool_as_it_was", who_stops_early_leaves_the_pool_as_it_was),
    ("a_map_of_a_map", a_map_of_a_map),
    ("unordered_results_have_their_index", unordered_results_have_their_index),
    ("folding_ends_at_the_first_failure", folding_ends_at_the_first_failure),
    ("large_items_both_ways", large_items_both_ways),
    ("slow_inputs_hold_nothing_up", slow_inputs_hold_nothing_up),
    ("no_inputs_no_outcomes", no_inputs_no_outcomes),
];

fn results_come_in_order_from_every_kind_of_pool() {
    for pool in all() {
        let found: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..100_000).collect();
        assert!(found.unwrap().into_iter().eq((0..100_000u64).map(|n| n * n)));
        assert_eq!(pool.map(f64::sqrt, [1.0, 4.0]).collect::<Result<Vec<_>, _>>(), Ok(vec![1.0, 2.0]));
    }
}

fn inputs_may_be_borrowed_and_need_not_be_send() {
    let pool = procs(2);
    let pulled = Rc::new(Cell::new(0));
    let words = ["to", "be", "or"].map(str::to_owned);
    let counted = words.iter().inspect(|_| pulled.set(pulled.get() + 1));
    let found: Vec<_> = pool.map(|word: String| word.len() as u64, counted).map(Result::unwrap).collect();
    assert_eq!((found, pulled.get()), (vec![2, 2, 2], 3));
}

fn a_task_s_value_travels() {
    for pool in all() {
        let found: Vec<_> = pool.map(Add(7), 11..15).collect();
        let unlucky = ItemError::Failed { index: 2, message: "unlucky".to_owned() };
        assert_eq!(found, [Ok(18), Ok(19), Err(unlucky), Ok(21)]);
    }
}

fn any_type_that_serde_knows_travels() {
    type Table = BTreeMap<String, (Option<u8>, Vec<f32>)>;
    let pool = procs(1);
    let table: Table = [("a".to_owned(), (Some(1), vec![0.5])), (String::new(), (None, vec![]))].into();
    let back = pool.submit(|table: Table| (table, ()), &table).wait().unwrap();
    assert_eq!(back, (table, ()));
    assert_eq!(pool.map(|(): ()| (), vec![(); 1000]).count(), 1000);
}

fn endless_inputs_are_pulled_only_so_far_ahead() {
    for pool in all() {
        let pulled = Cell::new(0u64);
        let inputs = (0u64..).inspect(|_| pulled.set(pulled.get() + 1));
        let sleepy = |n: u64| {
            std::thread::sleep(Duration::from_millis(2));
            n
        };
        let found: Vec<u64> = pool.map(sleepy, inputs).take(20).map(Result::unwrap).collect();
        assert_eq!(found, (0..20).collect::<Vec<_>>());
        assert!(pulled.get() < 200, "{} were pulled", pulled.get());
    }
}

fn who_stops_early_leaves_the_pool_as_it_was() {
    let pool = procs(2);
    assert_eq!(pool.map(Add(0), 0..9).count(), 9);
    let before = pool.pids();
    for _ in 0..20 {
        assert_eq!(pool.map(|n: u64| n, 0..).nth(1000), Some(Ok(1000)));
        drop(pool.map(|n: u64| n, 0..));
    }
    assert_eq!(pool.map(Add(1), 0..9).collect::<Result<Vec<_>, _>>().unwrap(), (1..10).collect::<Vec<_>>());
    assert_eq!(pool.pids(), before);
}

fn a_map_of_a_map() {
    for pool in all() {
        let inner = pool.map(|n: u64| n + 1, 0..10_000).map(Result::unwrap);
        let outer = pool.map(|n: u64| n * 2, inner).map(Result::unwrap);
        assert!(outer.eq((0..10_000).map(|n| (n + 1) * 2)));
    }
}

fn unordered_results_have_their_index() {
    for pool in all() {
        let mut found: Vec<_> = pool.map_unordered(|n: u64| n * 3, 0..10_000).map(|(at, n)| (at, n.unwrap())).collect();
        found.sort_unstable();
        assert!(found.into_iter().eq((0..10_000).map(|n| (n, n * 3))));
    }
    // A slow first item does not hold the others up.
    let pool = Pool::builder().procs(2).chunk(1).build().unwrap();
    let slow = |n: u64| std::thread::sleep(Duration::from_millis(if n == 0 { 300 } else { 0 }));
    assert_ne!(pool.map_unordered(slow, 0..10).next().unwrap().0, 0);
}

fn folding_ends_at_the_first_failure() {
    for pool in all() {
        assert_eq!(pool.map_reduce(Add(1), 0..13, 0, |sum, n| sum + n), Ok(91));
        let failed = pool.map_reduce(Add(1), 0.., 0, |sum, n| sum + n).unwrap_err();
        assert_eq!(failed.index(), Some(13));
    }
}

fn large_items_both_ways() {
    let pool = procs(2);
    let inputs = || (0..8u8).map(|n| "abcdefgh"[..=n.into()].repeat(1 << 20));
    let found = pool.map(|text: String| text, inputs()).map(Result::unwrap);
    assert!(found.eq(inputs()));
}

fn slow_inputs_hold_nothing_up() {
    for pool in all() {
        // So that the pool would like many items at once.
        assert_eq!(pool.map(|n: u64| n, 0..10_000).count(), 10_000);
        let pulled = Cell::new(0u64);
        let slowly = |n: &u64| {
            std::thread::sleep(Duration::from_millis(20 * u64::from(*n > 500)));
            pulled.set(*n);
        };
        let mut outcomes = pool.map(|n: u64| n, (0..540u64).inspect(slowly));
        assert_eq!(outcomes.nth(505), Some(Ok(505)));
        assert!(pulled.get() < 539, "{pool:?}: all inputs had to be pulled before an outcome came");
        assert_eq!(outcomes.count(), 34);
        assert_eq!(pulled.get(), 539);
    }
}

fn no_inputs_no_outcomes() {
    for pool in all() {
        assert_eq!(pool.map(f64::sqrt, std::iter::empty::<f64>()).next(), None);
        assert!(pool.map_unordered(f64::sqrt, std::iter::empty::<f64>()).next().is_none());
        assert!(pool.close().is_ok());
    }
}

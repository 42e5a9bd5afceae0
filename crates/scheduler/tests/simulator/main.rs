//! Whole runs in virtual time, each drawn from a seed, with an oracle that checks
//! every step.
//!
//! `cargo xtask simulate` runs any number of seeds, on all processors. It passes
//! the number in `SIMULATOR_SEEDS` and the first seed in `SIMULATOR_FIRST`.
#![forbid(unsafe_code)]

mod sim;

mod senseless_events;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Runs this many seeds and sums up their events.
fn run(first: u64, seeds: u64, adjust: impl Fn(&mut sim::Config)) -> sim::Summary {
    let mut sum = sim::Summary::default();
    for seed in first..first + seeds {
        match sim::run(seed, &adjust) {
            Ok(run) => sum.add(run),
            Err(failure) => panic!("{failure}"),
        }
    }
    sum
}

#[test]
fn every_seed_passes() {
    let seeds = setting("SIMULATOR_SEEDS", 1500);
    let sum = run(setting("SIMULATOR_FIRST", 0), seeds, |_| {});
    if seeds < 1000 {
        return;
    }
    // The simulator must cause every kind of fault.
    assert!(sum.steps > 0 && sum.accepted > 0 && sum.charged > 0 && sum.deaths > 0, "{sum:?}");
    assert!(sum.stopped_jobs > 0 && sum.gave_up > 0 && sum.violations > 0, "{sum:?}");
    assert!(sum.stalls > 0 && sum.aborting > 0 && sum.kills > 0, "{sum:?}");
    assert!(sum.retired > 0 && sum.double_answers > 0, "{sum:?}");
    assert!(sum.late_starts > 0 && sum.refusals > 0, "{sum:?}");
}

/// With as many items as workers each worker gets one, in whatever order and
/// however far apart they are ready, if it is not further than the time for which
/// items are kept.
#[test]
fn the_first_items_go_to_a_worker_each() {
    for seed in 0..100 {
        let sum = run(seed, 1, |config| {
            config.max_faults = 0;
            config.lack = None;
            config.stop_a_job_at = None;
            config.end = sim::End::Close { at: 0 };
            config.start_time = 240_000_000;
            config.pool.slots = 10;
            config.jobs.truncate(1);
            let job = &mut config.jobs[0];
            (job.items, job.poison, job.opened_at) = (10, 0, 0);
            job.options.window_bytes = 1 << 20;
            job.options.chunk = procession_scheduler::ChunkSize::Auto;
            job.pending = 0;
        });
        assert_eq!((sum.accepted, sum.most_given), (10, 1), "seed {seed}");
    }
}

#[test]
fn runs_with_many_workers_pass() {
    // The oracle looks at all workers after each step, so this test is slow.
    let (workers, seeds) = if cfg!(debug_assertions) { (150, 3) } else { (1000, 10) };
    let sum = run(setting("SIMULATOR_FIRST", 0), seeds, |config| {
        config.pool.slots = workers;
        for job in &mut config.jobs {
            job.items = 3 * workers;
        }
    });
    assert!(sum.accepted > 0, "{sum:?}");
}

/// Up to 10,000 workers, with a proportional number of faults.
#[test]
#[ignore = "takes its time: cargo xtask simulate --large K"]
fn runs_with_thousands_of_workers_pass() {
    let first = setting("SIMULATOR_FIRST", 0);
    for seed in first..first + setting("SIMULATOR_SEEDS", 1) {
        let workers = [10_000, 1000, 3000, 5000][seed as usize % 4];
        let sum = run(seed, 1, |config| {
            config.pool.slots = workers;
            config.pool.start_failures = workers;
            config.max_faults *= u64::from(workers) / 20;
            let jobs = u32::try_from(config.jobs.len()).expect("few");
            for job in &mut config.jobs {
                job.items = 3 * workers / jobs;
                // A window large enough that all workers get items.
                job.options.window_bytes = job.options.window_bytes.max(1 << 20);
            }
        });
        assert!(sum.steps > 0, "{sum:?}");
    }
}

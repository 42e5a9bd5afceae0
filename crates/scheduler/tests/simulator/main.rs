//! Whole runs in virtual time, each drawn from a seed, with an oracle that
//! looks on after every step.
//!
//! `SIMULATOR_SEEDS=1000000 cargo test --release -p procession-scheduler --test
//! simulator` runs as many; `SIMULATOR_FIRST` says where to begin.
#![forbid(unsafe_code)]

mod chaos;
mod sim;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Runs so many seeds and sums up what they were like.
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
fn every_seed_ends_well() {
    let sum = run(setting("SIMULATOR_FIRST", 0), setting("SIMULATOR_SEEDS", 1500), |_| {});
    // A simulator in which nothing goes wrong proves nothing.
    assert!(sum.steps > 0 && sum.accepted > 0 && sum.charged > 0 && sum.deaths > 0, "{sum:?}");
    assert!(sum.stopped_jobs > 0 && sum.gave_up > 0 && sum.nonsense > 0, "{sum:?}");
}

#[test]
fn many_workers_are_like_two() {
    // The oracle looks at all of them after each step, which takes its time.
    let (workers, seeds) = if cfg!(debug_assertions) { (150, 3) } else { (1000, 10) };
    let sum = run(setting("SIMULATOR_FIRST", 0), seeds, |config| {
        config.pool.slots = workers;
        for job in &mut config.jobs {
            job.items = 3 * workers;
        }
    });
    assert!(sum.accepted > 0, "{sum:?}");
}

//! Whole runs in virtual time, each drawn from a seed, with an oracle that
//! looks on after every step.
//!
//! `SIMULATOR_SEEDS=1000000 cargo test --release -p procession-scheduler --test
//! simulator` runs as many, `SIMULATOR_FIRST` says where to begin.
#![forbid(unsafe_code)]

mod sim;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn every_seed_ends_well() {
    let first = setting("SIMULATOR_FIRST", 0);
    let mut sum = sim::Summary::default();
    for seed in first..first + setting("SIMULATOR_SEEDS", 2000) {
        match sim::run(seed) {
            Ok(run) => sum.add(run),
            Err(failure) => panic!("{failure}"),
        }
    }
    eprintln!("{sum:?}");
    // A simulator in which nothing goes wrong proves nothing.
    assert!(
        sum.accepted > 0 && sum.charged > 0 && sum.deaths > 0,
        "{sum:?}"
    );
    assert!(
        sum.stopped_jobs > 0 && sum.gave_up > 0 && sum.nonsense > 0,
        "{sum:?}"
    );
}

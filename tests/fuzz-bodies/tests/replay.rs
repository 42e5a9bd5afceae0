//! Replays the seeds of every fuzz target with a stable compiler, so that a bug
//! that fuzzing found once does not come back.

use procession_fuzz_bodies::ALL;
use std::path::Path;

#[test]
fn every_seed_passes() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (target, body) in ALL {
        let mut count = 0;
        for entry in std::fs::read_dir(seeds.join(target)).expect(target) {
            let path = entry.expect("an entry").path();
            eprintln!("{}", path.display());
            body(&std::fs::read(&path).expect("a seed"));
            count += 1;
        }
        assert!(count >= 10, "{target} has {count} seeds");
    }
}

#[test]
fn every_target_is_there() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the manifest");
    for (target, _) in ALL {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), ALL.len());
}

/// Bytes from a fixed recurrence, drawn from few so that they mean something.
#[test]
fn a_few_thousand_drawn_inputs_pass() {
    const ALPHABET: &[u8] = b"\xa9pw<>\x00\x01\x02\xff 12,.e-+\n\r\tab{}\":item\\";
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for round in 0..400 {
        let bytes: Vec<u8> = (0..next() % (1 + round)).map(|_| ALPHABET[next() % ALPHABET.len()]).collect();
        ALL.iter().for_each(|(_, body)| body(&bytes));
    }
}

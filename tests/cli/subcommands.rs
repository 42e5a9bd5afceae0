//! `cpus`, `tasks`, `completions`, `--help`.

use crate::support::Place;

#[test]
fn cpus_prints_the_usable_processors() {
    let place = Place::new();
    let text = place.run(&["cpus"]).ok();
    for word in ["logical", "physical", "memory"] {
        assert!(text.to_lowercase().contains(word), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&place.run(&["cpus", "--json"]).ok()).expect("JSON");
    assert!(json.is_object());
}

#[test]
fn tasks_are_listed_with_their_parameters() {
    let text = Place::new().run(&["tasks"]).ok();
    for word in ["sqrt", "prime", "method", "trial", "naive", "miller-rabin"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(!text.contains("null") && !text.contains("misbehave"), "{text}");
}

#[test]
fn help_is_grouped_and_starts_with_examples() {
    let text = Place::new().run(&["--help"]).ok();
    for group in
        ["Work", "Executors", "Faults", "Output", "Looking", "coordinator --procs 4 --task prime --input primes.txt"]
    {
        assert!(text.contains(group), "{group}: {text}");
    }
}

#[test]
fn completions_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(Place::new().run(&["completions", shell]).ok().contains("coordinator"), "{shell}");
    }
}

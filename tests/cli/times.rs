//! Where the time goes: what workers tell, and what is known around it, adds up
//! to the whole.

use crate::support::{Place, json_lines, runs};
use serde_json::Value;

/// Parts may differ from the whole by this share of it, or of half a second.
const TOLERANCE: f64 = 0.02;

fn seconds(line: &Value, part: &str) -> f64 {
    line[part].as_f64().unwrap_or_else(|| panic!("no {part} in {line}"))
}

/// The parts of one worker's time, from what its log says: until it was ready,
/// what it told of, and from then on to the run's end.
fn parts(lines: &[Value], worker: &Value, wall: f64) -> f64 {
    let find = |event: &str| lines.iter().find(|line| line["event"] == event && line["worker"] == *worker);
    let (ready, exited) = (find("ready").expect("it was ready"), find("exited").expect("it ended"));
    let phases = ["waiting_s", "transport_s", "decoding_s", "running_s", "encoding_s", "writing_s"];
    let told: f64 = phases.iter().map(|phase| seconds(exited, phase)).sum();
    seconds(ready, "at_us") / 1e6 + told + (wall - seconds(exited, "told_s"))
}

#[test]
fn the_parts_of_workers_times_add_up_to_the_whole() {
    let naive = format!("--list={}", ["15488801"; 16].join(","));
    let works = [vec!["-t", "prime", "--param", "method=naive", &naive], vec!["-t", "null", "--range", "0..100000"]];
    for (work, executor) in works.iter().flat_map(|work| {
        [
            (work, ["--serial", "--quiet"]),
            (work, ["--threads", "2"]),
            (work, ["--procs", "1"]),
            (work, ["--procs", "2"]),
        ]
    }) {
        let place = Place::new();
        let args = [work, &executor[..], &["--log-dir", "log", "--output", "/dev/null"]].concat();
        place.run(&args).ok();
        let run = &runs(&place.path("log"))[0];
        let record: Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).expect("it")).expect("JSON");
        let (wall, lines) = (seconds(&record["result"], "wall_s"), json_lines(&run.join("workers.jsonl")));
        let workers: Vec<&Value> =
            lines.iter().filter(|line| line["event"] == "spawned").map(|line| &line["worker"]).collect();
        let sum: f64 = workers.iter().map(|worker| parts(&lines, worker, wall)).sum();
        let whole = wall * workers.len() as f64;
        // In runs that are over in no time a few milliseconds would be much.
        let least = 0.5 * workers.len() as f64;
        assert!((sum - whole).abs() <= TOLERANCE * whole.max(least), "{executor:?}: {sum} of {whole} s");
        let inspected: Value = serde_json::from_str(&place.run(&["inspect", "log", "--json"]).ok()).expect("JSON");
        let shares = &inspected["measured"][0]["shares"];
        assert!(seconds(shares, "other") * whole <= TOLERANCE * whole.max(least), "{executor:?}: {shares}");
    }
}

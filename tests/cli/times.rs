//! Timings: the phases that workers report, and the phases that the coordinator
//! measures around them, add up to the whole time of a run.
//!
//! That a stopwatch loses nothing is tested where it is made. Here, each of its
//! phases has to arrive. What lies between two clocks (a message on its way while
//! other processes use the processors) is in no phase, and on a busy machine it is
//! not small: so the tolerance is wide, and yet less than any phase that matters.

use crate::support::{Place, json_lines, runs};
use serde_json::Value;

/// Parts may differ from the whole by this share of it, or of half a second.
const TOLERANCE: f64 = 0.25;
/// How often a run is tried: beside other tests a thread may wait for a
/// processor in no phase at all, but not each time.
const TRIES: usize = 8;

/// The smallest of several runs' deviations, which `measure` gives as a share
/// of what is tolerated.
fn assert_once_within(what: &str, mut measure: impl FnMut() -> f64) {
    let mut least = f64::INFINITY;
    for _ in 0..TRIES {
        least = least.min(measure());
        if least <= 1.0 {
            return;
        }
    }
    panic!("{what}: never nearer than {least} times what is tolerated");
}

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
    let naive = format!("--list={}", ["15488801"; 8].join(","));
    let prime = ["-t", "prime", "--param", "method=naive", &naive];
    // All in one message leaves all workers but one without anything to do.
    let works = [prime.to_vec(), [&prime[..], &["--chunk", "8"]].concat(), vec!["-t", "null", "--range", "0..50000"]];
    for (work, executor) in works.iter().flat_map(|work| {
        [
            (work, ["--serial", "--quiet"]),
            (work, ["--threads", "2"]),
            (work, ["--procs", "1"]),
            (work, ["--procs", "2"]),
        ]
    }) {
        assert_once_within(&format!("{executor:?}"), || deviation(&[work, &executor[..]].concat()));
    }
}

/// How far the parts of a call's only run are from the whole, as a share of
/// what is tolerated.
fn deviation(args: &[&str]) -> f64 {
    let place = Place::new();
    place.run(&[args, &["--log-dir", "log", "--output", "/dev/null"]].concat()).ok();
    let run = &runs(&place.path("log"))[0];
    let record: Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).expect("it")).expect("JSON");
    let (wall, lines) = (seconds(&record["result"], "wall_s"), json_lines(&run.join("workers.jsonl")));
    let workers: Vec<&Value> =
        lines.iter().filter(|line| line["event"] == "spawned").map(|line| &line["worker"]).collect();
    let sum: f64 = workers.iter().map(|worker| parts(&lines, worker, wall)).sum();
    let whole = wall * workers.len() as f64;
    // In runs that are over in no time a few milliseconds would be much.
    let tolerated = TOLERANCE * whole.max(0.5 * workers.len() as f64);
    let inspected: Value = serde_json::from_str(&place.run(&["inspect", "log", "--json"]).ok()).expect("JSON");
    let other = seconds(&inspected["measured"][0]["shares"], "other") * whole;
    (sum - whole).abs().max(other) / tolerated
}

#[test]
fn the_coordinators_own_time_is_told() {
    for (executor, phases) in [("--procs=2", 8), ("--threads=2", 4), ("--serial", 4)] {
        assert_once_within(executor, || {
            let place = Place::new();
            let ended = place.run(&[
                "-t",
                "null",
                "--range",
                "0..20000",
                executor,
                "--log-dir",
                "log",
                "-o",
                "out",
                "--summary",
                "full",
            ]);
            assert!(ended.err.contains("\ncoordinator: reading "), "{}", ended.err);
            ended.ok();
            let record: Value = serde_json::from_str(&place.read("log/run-1/run.json")).expect("JSON");
            let (result, times) = (&record["result"], &record["result"]["coordinator"]);
            assert_eq!(times.as_object().map(serde_json::Map::len), Some(phases), "{executor}: {record}");
            assert!(seconds(times, "reading_s") > 0.0 && seconds(times, "writing_s") > 0.0, "{record}");
            if phases < 8 {
                return 0.0;
            }
            let driver = ["spawning_s", "transport_s", "order_s", "driver_waiting_s"];
            let sum: f64 = driver.iter().map(|phase| seconds(times, phase)).sum();
            let wall = seconds(result, "wall_s");
            (sum - wall).abs() / (TOLERANCE * wall.max(0.5))
        });
    }
}

#[test]
fn a_comparison_says_what_a_pool_costs() {
    let place = Place::new();
    let work = ["-t", "sqrt", "--range", "0..20000", "--log-dir", "log"];
    let ended = place.run(&[&work[..], &["--compare", "-j", "2"]].concat());
    let pays = |text: &str, workers: &str| {
        let told =
            |line: &str| line.contains(" beat the loop ") || line.ends_with(": too noisy to say when a pool pays");
        text.lines().any(|line| line.starts_with(workers) && told(line))
    };
    let on_one_cpu = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1);
    for workers in ["2 threads", "2 processes"] {
        assert!(on_one_cpu || pays(&ended.err, workers), "{}", ended.err);
    }
    assert!(on_one_cpu || pays(&place.run(&["inspect", "log"]).ok(), "2 processes"));
    let quiet = place.run(&[&work[..4], &["--compare", "-j", "2", "--quiet"]].concat());
    assert_eq!((quiet.status, quiet.err.as_str()), (0, ""));
}

#[test]
fn timings_say_what_a_pool_costs_and_what_limits() {
    let place = Place::new();
    let work = ["-t", "null", "--range", "0..40000", "--size", "4000,40000", "--log", "off", "-q"];
    place.run(&[&work[..], &["--compare", "-j", "2", "--timings", "t.json"]].concat()).ok();
    let timings: Value = serde_json::from_str(&place.read("t.json")).expect("JSON");
    let call = &timings["calls"][0];
    let crossovers = call["crossovers"].as_array().expect("crossovers");
    let of: Vec<_> = crossovers.iter().map(|of| (of["executor"].as_str(), of["count"].as_u64())).collect();
    assert_eq!(of, [(Some("threads"), Some(2)), (Some("procs"), Some(2))]);
    for crossover in crossovers {
        assert!(seconds(&crossover["fixed"], "seconds") >= 0.0 && seconds(&crossover["fixed"], "noise_s") > 0.0);
        assert!(seconds(&crossover["item"], "seconds") >= 0.0 && seconds(&crossover["item"], "noise_s") > 0.0);
        assert!(seconds(crossover, "item_s") > 0.0, "{crossover}");
        assert!(["sizes", "workers"].contains(&crossover["origin"].as_str().unwrap_or_default()), "{crossover}");
        for either in ["pays_from_s", "never_below_s"] {
            assert!(crossover[either].is_null() || seconds(crossover, either) >= 0.0, "{crossover}");
        }
    }
    let measured = call["measured"].as_array().expect("what was measured");
    let limits = call["limits"].as_array().expect("what limits");
    assert_eq!((measured.len(), limits.len()), (6, 6), "one for each configuration");
    assert!(limits.iter().all(|limit| limit.is_null() || limit["limit"].is_string()), "{limits:?}");
    // Which one it is depends on what else the machine does; that items which cost nothing run well, never.
    assert!(limits.iter().any(|limit| limit["share"].as_f64().is_some_and(|share| share > 0.3)), "{limits:?}");
    for row in measured {
        let coordinator = row["coordinator"].as_object().expect("where its own time went");
        let phases: Vec<&str> = coordinator.keys().map(String::as_str).collect();
        assert_eq!(phases, ["order", "reading", "spawning", "transport", "writing"], "{row}");
        assert!(coordinator.values().all(|share| share.is_null() || share.as_f64().is_some_and(|share| share >= 0.0)));
    }
}

/// The verdict of a call: the first lines that it prints, in one.
fn verdict(place: &Place, args: &[&str]) -> String {
    let ended = place.run(&[args, &["-o", "/dev/null", "--overwrite", "--summary", "full"]].concat());
    let lines = ended.err.lines().skip_while(|line| line.starts_with("note: "));
    let verdict = lines.take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    ended.ok();
    verdict
}

#[test]
fn the_verdict_comes_first() {
    let place = Place::new();
    let naive = ["-t", "prime", "--param", "method=naive", "--log", "off"];
    let few = verdict(&place, &["-t", "sqrt", "--list", "4", "-j2", "--log", "off"]);
    assert_eq!(few, "2 processes: only 1 item.");
    let long = verdict(&place, &[&naive[..], &["--list", "179424673,4,6", "-j2"]].concat());
    assert!(long.starts_with("2 processes: one item takes "), "{long}");
    let list = ["15488801"; 16].join(",");
    let study = ["-t", "prime", "--param", "method=naive", "--list", &list, "-j1,2", "--log-dir", "log"];
    let study = verdict(&place, &study);
    // On a busy machine two processes may gain nothing. Then the reason is told.
    let is_told = |start: &str| study.starts_with(start) && study.ends_with('.');
    assert!(is_told("2 processes: ") || is_told("Nothing is faster than 1 process. 2 processes add "), "{study}");
    let inspected = place.run(&["inspect", "log"]).ok();
    let inspected = inspected.split("\n\n").nth(1).unwrap_or_default().replace("\n  ", " ");
    assert_eq!(inspected.trim_end(), study, "the log tells the same");
}

#[test]
fn items_that_wait_are_not_limited_by_the_cpus() {
    let place = Place::new();
    let items = (0..24).map(|item| item.to_string()).collect::<Vec<_>>().join(",");
    let study = ["-t", "command", "--list", &items, "-j1,16", "--log", "off", "-o", "/dev/null", "--timings", "t.json"];
    place.run(&[&study[..], &["--", "sleep", "0.1"]].concat()).ok();
    let timings: Value = serde_json::from_str(&place.read("t.json")).expect("JSON");
    let call = &timings["calls"][0];
    let verdict = call["verdict"][0].as_str().expect("a verdict");
    assert!(verdict.starts_with("16 processes: ") && !verdict.contains("busy"), "{verdict}");
    // 2.4 s of sleep on 16 processes; however busy the machine is, sleeping is side by side.
    let wide = &call["measured"][1];
    assert!(seconds(wide, "speedup") > 3.0, "{wide}");
    assert!(seconds(&wide["ceiling"], "speedup") >= 12.0 && wide["ceiling"]["limit"] != "cpus", "{wide}");
}

//! `attempts.jsonl`: the attempts of items whose process died and which were tried
//! again.

use crate::support::{Place, item_lines, json_lines, runs};

#[test]
fn an_attempt_without_an_outcome_has_a_line() {
    let place = Place::new();
    let args = ["-t", "misbehave", "-j2", "-k", "-q", "--chunk", "1", "--retries", "2", "--log-dir", "log"];
    place.run_on(&args, "a\nabort\nb\nexit 3\nc\n").fails(1, "");
    let run = &runs(&place.path("log"))[0];
    let mut attempts: Vec<(u64, u64)> = Vec::new();
    let lives = json_lines(&run.join("workers.jsonl"));
    for line in json_lines(&run.join("attempts.jsonl")) {
        assert_eq!((&line["items"], &line["error"]["kind"]), (&1.into(), &"crashed".into()), "{line}");
        assert!(line["start_us"].as_f64() > Some(0.0) && line["worker"].is_u64(), "{line}");
        assert!(lives.iter().any(|life| life["pid"] == line["pid"]), "{line}");
        attempts.push((line["item"].as_u64().expect("an index"), line["attempt"].as_u64().expect("a number")));
    }
    // Each item with an outcome has its own line, and no more.
    let lines = item_lines(run);
    let field = |line: &serde_json::Value, name: &str| line[name].as_u64().expect("a number");
    let mut items: Vec<(u64, u64)> = lines.iter().map(|line| (field(line, "item"), field(line, "attempt"))).collect();
    items.sort_unstable();
    assert_eq!(items.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // All attempts before its last. A death that can't be charged to one item counts for none.
    for (item, last) in items {
        let mut of_item: Vec<u64> = attempts.iter().filter(|(other, _)| *other == item).map(|(_, at)| *at).collect();
        of_item.sort_unstable();
        assert!(of_item.iter().all(|at| *at < last), "{item}: {of_item:?}, then {last}");
        of_item.dedup();
        assert!(![1, 3].contains(&item) || of_item.len() >= 2, "{item}: {of_item:?}, then {last}");
    }
    let text = place.run(&["inspect", "log", "--item", "3"]).ok();
    assert!(text.matches("tried again after crashed").count() >= 2, "{text}");
    // Without a death there is no such file.
    place.run_on(&["-t", "sqrt", "-q", "--log-dir", "calm"], "1\n").ok();
    assert!(!runs(&place.path("calm"))[0].join("attempts.jsonl").exists());
}

#[test]
fn an_item_that_timed_out_is_named_among_others() {
    let place = Place::new();
    let args = ["-t", "misbehave", "-j1", "-k", "-q", "--chunk", "4", "--timeout", "300ms"];
    let more = ["--retry-on", "timed-out", "--retries", "1", "--log-dir", "log"];
    place.run_on(&[&args[..], &more].concat(), "a\nhang\nb\nc\n").fails(1, "");
    let lines = json_lines(&runs(&place.path("log"))[0].join("attempts.jsonl"));
    let found: Vec<_> = lines.iter().map(|line| (&line["item"], &line["items"], &line["error"]["kind"])).collect();
    assert_eq!(found, [(&1.into(), &1.into(), &"timed-out".into())]);
}

#[test]
fn failed_inputs_are_given_back_whole() {
    let place = Place::new();
    let long = "long ".repeat(2000);
    let items = format!("-1\0{long}\0two\nlines\0");
    let args = ["-t", "sqrt", "--items", "nul", "-k", "-q", "--log-dir", "log"];
    place.run_on(&args, &items).fails(1, "");
    assert_eq!(place.run(&["inspect", "log", "--failures", "--inputs", "-0"]).ok(), items);
    let without =
        place.run(&["inspect", "log", "--failures", "--inputs"]).fails(1, "1 input left out: they contain line feeds");
    assert_eq!(without.out, format!("-1\n{long}\n"));
}

/// A program that dies does not end its worker, which runs the item again itself.
#[test]
fn the_runs_of_a_program_that_died_have_lines_too() {
    let place = Place::new();
    let program = ["--", "sh", "-c", "case $1 in b) kill -9 $$;; *) echo x;; esac", "_", "{}"];
    for log in ["task", "chunk"] {
        let args = ["-t", "command", "-k", "-q", "--retries", "2", "--list", "a,b,c", "--log-dir", log, "--log", log];
        place.run(&[&args[..], &program].concat()).fails(1, "");
        let run = &runs(&place.path(log))[0];
        if log == "chunk" {
            assert!(!run.join("attempts.jsonl").exists(), "workers write no lines about items");
            continue;
        }
        let lines = json_lines(&run.join("attempts.jsonl"));
        let found: Vec<_> = lines.iter().map(|line| (&line["item"], &line["attempt"], &line["signal"])).collect();
        assert_eq!(found, [(&1.into(), &1.into(), &9.into()), (&1.into(), &2.into(), &9.into())]);
        let children: Vec<u64> = lines.iter().map(|line| line["child_pid"].as_u64().expect("a pid")).collect();
        assert_ne!(children[0], children[1]);
        assert_eq!(item_lines(run).len(), 3);
        assert_eq!(place.run(&["inspect", log, "--item", "1"]).out.matches("tried again after crashed").count(), 2);
    }
}

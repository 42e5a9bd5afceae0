//! Failed invocations: refused, or ended before the first result, they modify no
//! files.

use crate::interrupted::{Fed, RUN, happens, interrupted, record, with};
use crate::support::{Ended, Place, lines, roots, runs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The names and contents of all files of a place, but those of the state.
fn everything(place: &Place) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(place.path("")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("a file of text")))
        .collect();
    files.sort();
    files
}

#[test]
fn a_failed_invocation_modifies_no_files() {
    let place = Place::new();
    place.file("bad", "x 1 2");
    place.file("negative", "-1 2");
    place.file("words", "no number\n");
    for (name, before) in [("new", None), ("out", Some("old\n")), ("complete", Some(""))] {
        before.map(|before| place.file(name, before));
        if name == "complete" {
            place.run_on(&["-t", "sqrt", "-o", name, "--resume", "-q", "--log=off"], lines(5)).ok();
        }
        let all = everything(&place);
        for format in ["tsv", "csv"] {
            for more in [&[][..], &["--overwrite"]] {
                let base = ["-t", "sqrt", "-q", "--log=off", "-o", name, "--format", format];
                let base = with(&base, more);
                for (status, args) in [
                    (1, &["-i", "negative"][..]),
                    (1, &["-i", "negative", "-j1,2"]),
                    (2, &["-i", "words"]),
                    (2, &["-i", "negative", "--size", "9"]),
                    (2, &["-i", "missing"]),
                    (3, &["-i", "negative", "--worker", "/bin/false"]),
                    (3, &["--list", "4", "--worker", "/bin/false", "--unordered"]),
                ] {
                    if args.contains(&"--unordered") && format == "tsv" {
                        continue;
                    }
                    let ended = place.run(&with(&base, args));
                    assert_eq!(ended.status, status, "{name} {args:?} {more:?}: {}", ended.err);
                    assert!(everything(&place) == all, "{name} {format} {args:?} {more:?}: {:?}", everything(&place));
                }
            }
        }
    }
    // A picture is a file like any other.
    place.file("m.png", "not yet one");
    let all = everything(&place);
    let picture = ["-t", "mandelbrot", "--size", "20", "--log=off", "-q", "-o", "m.png"];
    place.run(&with(&picture, &["--worker", "/bin/false"])).fails(3, "");
    assert!(everything(&place) == all);
    // What is complete and has nothing in it is a result like any other.
    place.run_on(&["-t", "sqrt", "-q", "--log=off", "-o", "out", "--format", "csv"], "").ok();
    assert_eq!(place.read("out"), "index,input,output,error\n");
    place.run_on(&["-t", "sqrt", "-q", "--log=off", "-o", "complete"], "").ok();
    assert_eq!((place.read("complete"), record(&place, "complete")), (String::new(), None));
}

#[test]
fn an_invocation_ended_before_its_first_result_modifies_no_files() {
    for (name, signal) in [("out", Signal::SIGINT), ("new", Signal::SIGINT), ("out", Signal::SIGKILL)] {
        let place = Place::new();
        place.file("out", "old\n");
        let all = everything(&place);
        let args = ["-t", "sqrt", "-q", "-o", name, "--log-dir", "log", "-j1"];
        let mut fed = Fed::new(&place, &args);
        // Its worker runs, and there is no item.
        let ready = || {
            runs(&place.path("log"))
                .first()
                .is_some_and(|run| run.join("workers.jsonl").metadata().is_ok_and(|about| about.len() > 0))
        };
        assert!(happens(&mut fed.child, ready), "it ended too early");
        kill(Pid::from_raw(fed.child.id().cast_signed()), signal).expect("it runs");
        let ended = Ended::of(fed.child);
        assert_eq!(ended.status, if signal == Signal::SIGINT { 130 } else { -1 }, "{}", ended.err);
        assert_eq!(everything(&place), all, "{name} {signal}");
        place
            .run_on(&["-t", "sqrt", "-q", "-o", "out", "--log=off", "--resume"], lines(3))
            .fails(2, "has no resume record");
        assert_eq!(everything(&place), all);
        place.run_on(&["-t", "sqrt", "-q", "-o", "out", "--log=off"], lines(3)).ok();
        assert_eq!(place.read("out"), roots(3));
    }
}

#[test]
fn a_pool_that_cant_be_made_leaves_the_output() {
    let place = Place::new();
    place.file("in", lines(9));
    place.file("out", "old\n");
    let args = ["--threads", "3000", "-t", "sqrt", "-i", "in", "-o", "out", "--log-dir", "log", "--joblog", "jobs"];
    let limited = place.limited("-v", 600_000, &args).spawn().expect("a shell starts");
    let ended = Ended::of(limited);
    assert_eq!(place.read("out"), "old\n");
    assert!(!place.path("out.resume").exists());
    // Most often refused before anything is begun. Where the last of the memory
    // went to something else than a thread, the allocator has ended the program.
    if !ended.err.contains("memory allocation of") {
        let _ = ended.fails(3, "thread");
    }
    for run in runs(&place.path("log")) {
        let Ok(run) = std::fs::read(run.join("run.json")) else { continue };
        let run: Value = serde_json::from_slice(&run).expect("JSON");
        assert_eq!(run["result"]["status"], "failed", "{run}");
    }
    place.run(&with(&RUN, &["-i", "in"])).ok();
    assert_eq!(place.read("out"), roots(9));
}

#[test]
fn a_refused_invocation_modifies_no_files() {
    let place = Place::new();
    interrupted(&place, &lines(100));
    // What is behind the record is cut only by a run that goes on.
    let torn = place.read("out") + "101\t10.04";
    place.file("out", &torn);
    place.file("three", lines(3));
    let all = everything(&place);
    let changed = lines(200).replacen("\n50\n", "\n51\n", 1);
    for (more, input) in [
        (&["--resume"][..], &changed[..]),
        (&["--resume"], "1 2 3"),
        (&["--resume", "--format", "csv"], "1 2 3"),
        (&["--resume", "-j1,2"], "1 2 3"),
        (&[], "1 2 3"),
        (&["--overwrite"], "no number"),
        (&["--overwrite", "--size", "9", "-i", "three"], ""),
        (&["--overwrite", "-j1,2", "--size", "9"], "1 2 3"),
    ] {
        place.run_on(&with(&RUN, more), input).fails(2, "error");
        assert_eq!(everything(&place), all, "{more:?}");
    }
    std::fs::remove_file(place.path("out")).expect("an output");
    let all = everything(&place);
    place.run_on(&with(&RUN, &["--resume"]), lines(200)).fails(2, "it has 0 bytes");
    assert_eq!(everything(&place), all, "what was deleted is not made again");
    place.file("out", &torn);
    place.run_on(&with(&RUN, &["--resume"]), lines(200)).ok();
    assert_eq!(place.read("out"), roots(200));
}

//! `--retry-failed`: the failed items of an output run again, and their new rows
//! stand in the places of the old ones, or the output is as it was.

use crate::interrupted::{destroy, happens, record, with};
use crate::support::{Ended, Place, item_lines, lines, roots, runs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;

/// The numbers from 1 to `n`, of which every seventh is negative.
fn some_negative(n: u64) -> String {
    (1..=n).map(|i| if i % 7 == 0 { format!("-{i}\n") } else { format!("{i}\n") }).collect()
}

/// The names of a place's files, but the state's.
fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("")).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name != "state");
    names.sort();
    names
}

/// Runs a program that succeeds for the items that have a file in the folder `good`.
fn checked(place: &Place, args: &[&str], input: &[u8]) -> Ended {
    let program =
        ["--", "sh", "-c", "test -e \"good/$(printf %s \"$1\" | cksum | tr ' ' -)\" && echo \"$1:x\"", "_", "{}"];
    place.run_on(&with(&with(&["-t", "command", "-q", "--log=off"], args), &program), input)
}

/// Makes an item of [`checked`] succeed.
fn make_good(place: &Place, item: &str) {
    let script = "mkdir -p good; : > \"good/$(printf %s \"$1\" | cksum | tr ' ' -)\"";
    let made = place
        .command::<&str>(&[])
        .get_current_dir()
        .map(|folder| std::process::Command::new("sh").args(["-c", script, "_", item]).current_dir(folder).status());
    assert!(made.expect("a folder").expect("a shell").success());
}

#[test]
fn killed_at_any_moment_it_leaves_the_old_output_or_the_new_one() {
    const ITEMS: u64 = 30_000;
    let expected = roots(ITEMS);
    for moment in 0..8 {
        let place = Place::new();
        place.file("items", some_negative(ITEMS));
        let args = ["-t", "sqrt", "--log=off", "-q", "-i", "items", "-o", "out", "-j2"];
        place.run(&with(&args, &["-k"])).fails(1, "");
        let (old, inode) = (place.read("out"), std::fs::metadata(place.path("out")).expect("an output").ino());
        // The failed items are right now; those that are kept are as they were.
        place.file("items", lines(ITEMS));
        let mut child = place.command(&with(&args, &["--retry-failed"])).spawn().expect("the coordinator starts");
        let begun = || names(&place).iter().any(|name| name.ends_with(".new"));
        let replaced = || std::fs::metadata(place.path("out")).is_ok_and(|about| about.ino() != inode);
        let came = happens(&mut child, || match moment {
            0 => true,
            1 => !crate::support::workers_of(child_id(&place)).is_empty() || begun() || replaced(),
            2 | 3 => begun() || replaced(),
            4 | 5 => record(&place, "out").is_none_or(|record| !record["next"].is_null()) || replaced(),
            6 => replaced(),
            _ => record(&place, "out").is_none(),
        });
        destroy(child);
        let left = place.read("out");
        assert!(left == old || left == expected, "moment {moment} ({came}): a mixture");
        assert!(moment < 6 || left == expected, "moment {moment} ({came})");
        let ended = place.run(&with(&args, &["--retry-failed"]));
        assert_eq!(ended.status, 0, "moment {moment} ({came}): {}", ended.err);
        assert!(place.read("out") == expected, "moment {moment} ({came}): the output differs");
        let mut left = names(&place);
        // If the output was complete before, its record may still be there.
        left.retain(|name| name != "out.resume");
        assert_eq!(left, ["items", "out"], "moment {moment}: leftovers");
    }
}

/// There is one coordinator in a test's folder: the one that holds its output open.
fn child_id(place: &Place) -> u32 {
    let out = place.path("out");
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let holds = |pid: &u32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.into_iter().any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|path| path == out))
    };
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(holds).unwrap_or(0)
}

#[test]
fn failed_rows_are_replaced_in_rounds_whatever_the_items_are() {
    let long = "long ".repeat(200);
    // Duplicates, tabs, line feeds, quotes, an empty item, bytes beyond 256.
    let items = ["a", "same", "same", "t\tab", "two\nlines", "q\"uo,te\"", "back\\slash", "", &long, "same", "z"];
    let input = items.join("\0") + "\0";
    for (output, more) in [
        ("out.tsv", &[][..]),
        ("out.csv", &[]),
        ("out.jsonl", &[]),
        ("u.csv", &["--unordered"]),
        ("u.jsonl", &["--unordered"]),
        ("safe.csv", &["--csv-safe"]),
    ] {
        let place = Place::new();
        let args = with(&["--items", "nul", "-o", output, "-j3"], more);
        for item in ["a", "z", ""] {
            make_good(&place, item);
        }
        checked(&place, &with(&args, &["-k"]), input.as_bytes()).fails(1, "");
        // From a stream, which is fed again each time.
        for (round, good) in ["two\nlines", "same", &long, "t\tab", "q\"uo,te\""].into_iter().enumerate() {
            let before = place.read(output);
            make_good(&place, good);
            let ended = checked(&place, &with(&args, &["--retry-failed"]), input.as_bytes()).fails(1, "");
            assert!(ended.out.is_empty(), "{output} {round}");
            let kept = place.read(output).lines().filter(|line| before.contains(line)).count();
            assert!(kept > 0 && place.read(output) != before, "{output} {round}");
            assert_eq!(record(&place, output).expect("failures are left")["state"], "complete");
        }
        make_good(&place, "back\\slash");
        checked(&place, &with(&args, &["--retry-failed"]), input.as_bytes()).ok();
        assert_eq!(record(&place, output), None, "no failures are left");
        // The same as if nothing had ever failed.
        let (mended, again) = (place.read(output), with(&args, &["--overwrite"]));
        checked(&place, &again, input.as_bytes()).ok();
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.split_inclusive(":x").map(str::to_owned).collect();
            lines.sort();
            lines
        };
        if more.contains(&"--unordered") {
            assert_eq!(sorted(mended).len(), sorted(place.read(output)).len(), "{output}");
        } else {
            assert_eq!(mended, place.read(output), "{output}");
        }
        let nothing = checked(&place, &with(&args, &["--retry-failed"]), input.as_bytes());
        nothing.ok();
    }
}

#[test]
fn what_was_tried_and_mended_is_said_with_the_items_own_places() {
    let place = Place::new();
    place.file("items", "1\n-2\n3\n-4\n-5\n");
    let args = ["-t", "sqrt", "-i", "items", "-o", "out", "-k"];
    place.run(&args).fails(1, "3 items failed");
    let nothing = place.run(&with(&args, &["--resume"])).fails(1, "3 of them failed; nothing to do");
    assert!(nothing.err.contains("--retry-failed runs those again"), "{}", nothing.err);
    place.file("items", "1\n2\n3\n4\n-5\n");
    let args = ["-t", "sqrt", "-i", "items", "-o", "out", "--retry-failed", "--joblog", "jobs", "--log-dir", "log"];
    let ended = place.run(&args).fails(1, "running 3 failed items of the first 5 again");
    for says in ["3 failed items tried again: 2 mended, 1 left", "items:5:1: "] {
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
    assert_eq!(place.read("out"), roots(4) + "-5\t\tfailed: a negative number has no real square root\n");
    let mut seen: Vec<u64> =
        item_lines(&runs(&place.path("log"))[0]).iter().map(|line| line["item"].as_u64().expect("an index")).collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 3, 4]);
    let mut jobs: Vec<String> =
        place.read("jobs").lines().skip(1).map(|line| line.split('\t').next().unwrap_or("").to_owned()).collect();
    jobs.sort();
    assert_eq!(jobs, ["2", "4", "5"]);
    place.file("items", lines(5));
    let args = ["-t", "sqrt", "-i", "items", "-o", "out", "--retry-failed", "--log=off"];
    place.run(&args).ok();
    assert_eq!(place.read("out"), roots(5));
    let ended = place.run(&args);
    assert!(ended.err.contains("none of them failed; there is nothing to retry"), "{}", ended.err);
    assert_eq!((ended.status, place.read("out")), (0, roots(5)));
}

#[test]
fn after_too_many_failures_it_mends_the_rows_and_goes_on_behind_them() {
    let place = Place::new();
    place.file("items", some_negative(100));
    let args = ["-t", "sqrt", "-q", "--log=off", "-i", "items", "-o", "out.csv", "--max-failures", "4"];
    place.run(&args).fails(1, "");
    let retried = with(&args, &["--retry-failed"]);
    assert_eq!(record(&place, "out.csv").expect("a record")["done"]["failed"]["failed"], 3);
    // Nothing is mended: it can't go on far.
    place.run(&retried).fails(1, "");
    assert_eq!(record(&place, "out.csv").expect("a record")["done"]["failed"]["failed"], 3);
    place.file(
        "items",
        lines(20) + &some_negative(100).lines().skip(20).map(|line| format!("{line}\n")).collect::<String>(),
    );
    place.run(&retried).fails(1, "");
    let done = record(&place, "out.csv").expect("a record")["done"].clone();
    assert_eq!((&done["items"], &done["failed"]["failed"]), (&41.into(), &3.into()));
    place.file("items", lines(100));
    place.run(&retried).ok();
    place.run(&["-t", "sqrt", "-q", "--log=off", "-i", "items", "-o", "expected.csv"]).ok();
    assert_eq!(place.read("out.csv"), place.read("expected.csv"));
    assert_eq!(names(&place), ["expected.csv", "items", "out.csv"]);
}

#[test]
fn another_job_or_another_input_is_refused_and_nothing_is_touched() {
    let place = Place::new();
    place.file("items", "1\n-2\n3\n-4\n5\n");
    let run = |args: &[&str]| place.run(&with(&["-q", "--log=off"], args));
    let all = |place: &Place| (names(place), place.read("out.tsv"), record(place, "out.tsv"));
    run(&["-t", "sqrt", "-i", "items", "-o", "out.tsv", "-k"]).fails(1, "");
    place.file("shorter", "1\n-2\n3\n-4\n");
    place.file("other", "1\n2\n30\n4\n5\n");
    place.file("shifted", "0\n1\n2\n3\n4\n5\n");
    place.file("bare", "1\t1.0\n2\t\tinvalid: no\n");
    let before = all(&place);
    for (args, says) in [
        (&["-t", "prime", "-i", "items"][..], "--task sqrt, not with --task prime"),
        (&["-t", "sqrt", "-i", "items", "--format", "csv"], "--format tsv, not with --format csv"),
        (&["-t", "sqrt", "-i", "items", "--items", "lines"], "can't be retried: it was made with --items numbers"),
        (&["-t", "sqrt", "-i", "items", "--format", "lines"], "tsv, csv or jsonl"),
        (&["-t", "sqrt", "-i", "shorter"], "has 5 rows, and the input has only 4 now"),
        (&["-t", "sqrt", "-i", "other"], "the rows of the output are not those of this input"),
        (&["-t", "sqrt", "-i", "shifted"], "the rows of the output are not those of this input"),
        (&["-t", "sqrt", "-i", "items", "--worker", "/missing"], ""),
    ] {
        let ended = run(&with(args, &["-o", "out.tsv", "--retry-failed"]));
        assert!(ended.status >= 2 && ended.err.contains(says), "{says}: {} {}", ended.status, ended.err);
        assert_eq!(all(&place), before, "{says}");
    }
    let retried = ["-t", "sqrt", "-i", "items", "--retry-failed"];
    run(&with(&retried, &["-o", "missing"])).fails(2, "missing does not exist");
    run(&with(&retried, &["-o", "bare"])).fails(2, "bare.resume");
    run(&with(&retried, &["-o", "/dev/null"])).fails(2, "not a regular file");
    assert_eq!(all(&place), before);
    std::fs::write(place.path("out.tsv"), before.1.replace("1.0", "9.0")).expect("an output");
    run(&with(&retried, &["-o", "out.tsv"])).fails(2, "it was changed since it was written");
}

#[test]
fn a_signal_leaves_the_output_as_it_was_and_another_run_can_not_use_it_meanwhile() {
    let place = Place::new();
    let program = ["--", "sh", "-c", "echo $$ > pid; test -e hold && exec sleep 1000; exit 1"];
    let args = ["-t", "command", "--list", "a,b", "-o", "out", "--log=off", "-j1"];
    place.run(&with(&with(&args, &["-k"]), &program)).fails(1, "");
    let (before, old) = (place.read("out"), record(&place, "out"));
    place.file("hold", "");
    std::fs::remove_file(place.path("pid")).expect("a file");
    let retried = with(&with(&args, &["--retry-failed"]), &program);
    let mut child = place.command(&retried).stdin(Stdio::null()).spawn().expect("the coordinator starts");
    assert!(happens(&mut child, || place.path("pid").exists()), "it ended too early");
    place.run(&retried).fails(2, "is in use");
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("it is ours");
    Ended::of(child).fails(130, "out is left as it was");
    assert_eq!((place.read("out"), record(&place, "out")), (before, old));
    assert_eq!(names(&place), ["hold", "out", "out.resume", "pid"]);
}

#[test]
fn the_logs_of_an_output_are_one_story() {
    let place = Place::new();
    place.file("items", some_negative(30));
    let call = |log: &str, more: &[&str]| {
        let log = format!("--log-dir={log}");
        place.run(&with(&["-t", "sqrt", "-q", "-i", "items", "-o", "out", &log], more))
    };
    let inspect = |args: &[&str]| place.run(&with(&["inspect"], args));
    call("one", &["--max-failures", "2"]).fails(1, "");
    call("two", &["--resume", "-k"]).fails(1, "");
    place.file(
        "items",
        lines(20) + &some_negative(30).lines().skip(20).map(|line| format!("{line}\n")).collect::<String>(),
    );
    call("three", &["--retry-failed"]).fails(1, "");
    let study: serde_json::Value = serde_json::from_str(&place.read("three/study.json")).expect("JSON");
    assert!(study["continues"].as_str().expect("a path").ends_with("/two"), "{study}");
    // Each item once, with its last outcome: 7 and 14 are mended, 21 and 28 are left.
    let items = |args: &[&str]| -> Vec<(u64, u64)> {
        let text = inspect(&with(args, &["--json"])).ok();
        let found: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let field = |line: &serde_json::Value, name: &str| line[name].as_u64().expect("a number");
        found.iter().map(|line| (field(line, "item"), field(line, "run"))).collect()
    };
    assert_eq!(items(&["three", "--failures"]), [(20, 3), (27, 3)]);
    assert_eq!(items(&["--failures"]), [(20, 3), (27, 3)], "the latest");
    // Of the first run also items behind the one that ended it.
    let first = items(&["three", "--failures", "--run", "1"]);
    assert!(first.starts_with(&[(6, 1), (13, 1)]) && first.iter().all(|(_, run)| *run == 1), "{first:?}");
    assert_eq!(items(&["two", "--failures"]), [(6, 1), (13, 2), (20, 2), (27, 2)]);
    assert_eq!(items(&["three", "--item", "13"]), [(13, 1), (13, 2), (13, 3)]);
    assert_eq!(inspect(&["three", "--failures", "--inputs"]).ok(), "-21\n-28\n");
    let all = inspect(&["three", "--inputs"]).ok();
    assert_eq!(all, place.read("items"));
    let overview = inspect(&["three"]).ok();
    for says in ["goes on with run 1", "goes on with run 2"] {
        assert!(overview.contains(says), "{overview}");
    }
    // A call that was refused or had nothing to do leaves no log, and is not the latest.
    place.file(
        "items",
        lines(20) + &some_negative(30).lines().skip(20).map(|line| format!("{line}\n")).collect::<String>(),
    );
    call("four", &["--resume", "-k"]).fails(1, "");
    call("four", &["--retry-failed", "--format", "csv"]).fails(2, "");
    let four = place.path("four");
    assert!(!four.exists());
    assert_eq!(items(&["--failures"]), [(20, 3), (27, 3)]);
    std::fs::remove_dir_all(place.path("one")).expect("a log");
    assert!(inspect(&["three"]).err.contains("the log that it goes on with is gone"));
}

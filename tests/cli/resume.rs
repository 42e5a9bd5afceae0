//! Outputs that are their own journal: whatever ends a run, the same call with
//! `--resume` gives the bytes of an undisturbed one, or says why it does not.

use crate::interrupted::{Fed, RUN, destroy, good, happens, interrupted, record, size, with};
use crate::support::{Ended, Place, lines, roots};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    const ITEMS: u64 = 150_000;
    let expected = roots(ITEMS);
    let range = format!("1..={ITEMS}");
    for moment in 0..12 {
        let place = Place::new();
        let args = with(&RUN, &["--range", &range, "-j2"]);
        let mut child = place.command(&args).spawn().expect("the coordinator starts");
        let came = happens(&mut child, || match moment {
            0 => true,
            1 => place.path("out").exists(),
            2 => record(&place, "out").is_some(),
            3 => good(&place, "out") > 0,
            4..8 => size(&place, "out") > (moment - 4) * 300_000,
            _ => good(&place, "out") > (moment - 8) * 10_000,
        });
        destroy(child);
        let before = size(&place, "out");
        if !came && record(&place, "out").is_none() {
            assert!(place.read("out") == expected, "moment {moment}: it was complete before");
            continue;
        }
        // Other processes and other messages: the same items.
        let other = [["-j1", "--chunk=7"], ["-j3", "--chunk=1000"], ["-j2", "--chunk=auto"]][moment as usize % 3];
        let ended = place.run(&with(&with(&RUN, &["--resume", "--range", &range]), &other));
        assert_eq!(ended.status, 0, "moment {moment} ({came}), {before} bytes: {}", ended.err);
        assert!(place.read("out") == expected, "moment {moment} ({came}), {before} bytes: the output differs");
        assert_eq!(record(&place, "out").expect("a record")["state"], "complete");
    }
}

#[test]
fn killed_again_and_again_it_ends_with_the_same_bytes() {
    let place = Place::new();
    // Failed items stay in their place, the header comes once, and indexes go on.
    let part = |from: u64| (from..from + 50).map(|n| if n % 7 == 0 { "-1\n".to_owned() } else { format!("{n} ") });
    let all: String = (0..8).flat_map(|k| part(k * 50)).collect();
    for format in ["csv", "jsonl", "tsv", "lines"] {
        let args = ["-t", "sqrt", "-k", "-q", "-j2", "--format", format];
        let expected = place.run_on(&args, &all).fails(1, "").out;
        let args = with(&args, &["-o", "out", "--resume", "--log", "off"]);
        for k in 0..8 {
            let given: String = (0..=k).flat_map(|k| part(k * 50)).collect();
            // The last item's end has not come: it waits for it.
            let fed = Fed::new(&place, &args).feed(&place, &given, k * 50 + 45);
            fed.destroy();
            assert!(expected.starts_with(&place.read("out")), "{format} {k}");
        }
        let ended = place.run_on(&args, &all).fails(1, "");
        assert_eq!(place.read("out"), expected, "{format}");
        assert!(!ended.err.contains("failed:") || ended.err.contains("item 3"), "{}", ended.err);
        std::fs::remove_file(place.path("out.resume")).expect("a record");
        std::fs::remove_file(place.path("out")).expect("an output");
    }
}

#[test]
fn an_interrupted_output_is_left_alone_without_a_flag() {
    let place = Place::new();
    interrupted(&place, &lines(100));
    let before = place.read("out");
    let ended = place.run_on(&RUN, lines(200)).fails(2, "interrupted run and has the results of the first 100 items");
    assert!(ended.err.contains("--resume") && ended.err.contains("--overwrite"), "{}", ended.err);
    let study = with(&RUN, &["-j1,2"]);
    place.run_on(&study, lines(200)).fails(2, "interrupted run");
    assert_eq!(place.read("out"), before);
    place.run_on(&with(&RUN, &["--overwrite"]), lines(50)).ok();
    assert_eq!(place.read("out"), roots(50));
    assert_eq!(record(&place, "out"), None, "complete and not resumed: no record");
    place.run_on(&RUN, lines(60)).ok();
    assert_eq!(place.read("out"), roots(60));
}

#[test]
fn another_job_is_refused_with_the_difference() {
    let place = Place::new();
    interrupted(&place, &lines(100));
    let before = place.read("out");
    for (more, says) in [
        (&["-t", "prime"][..], "--task sqrt, not with --task prime"),
        (&["-t", "sqrt", "--format", "csv"], "--format tsv, not with --format csv"),
        (&["-t", "sqrt", "--items", "lines"], "--items numbers, not with --items lines"),
        (&["-t", "sqrt", "--skip", "1"], "--skip 0, not with --skip 1"),
        (&["-t", "sqrt", "--shuffle", "1"], "no --shuffle"),
        (&["-t", "sqrt", "--size", "150"], "no --size"),
    ] {
        let args = with(more, &["-o", "out", "--resume", "--log", "off"]);
        place.run_on(&args, lines(200)).fails(2, says);
        assert_eq!(place.read("out"), before, "{says}");
    }
    // A setting that is what it was anyway is no other.
    std::fs::remove_file(place.path("out.resume")).expect("a record");
    Fed::new(&place, &["-t", "prime", "-o", "out", "--overwrite", "--log=off"]).feed(&place, &lines(9), 8).destroy();
    let prime = |method: &str| {
        place.run_on(&["-t", "prime", "--param", method, "-o", "out", "--resume", "--log", "off"], lines(9))
    };
    prime("method=naive").fails(2, "method=trial, not with --param method=naive");
    prime("method=trial").ok();
}

#[test]
fn another_input_is_refused_and_a_longer_one_goes_on() {
    let place = Place::new();
    interrupted(&place, &(lines(100) + "101"));
    let (before, record_before) = (place.read("out"), record(&place, "out"));
    let resume = with(&RUN, &["--resume"]);
    let line = |n: u64, as_: &str| lines(200).replacen(&format!("\n{n}\n"), as_, 1);
    for (input, says) in [
        (line(50, "\n51\n"), "first 100 items"),
        (line(100, "\n0100\n"), "first 100 items"),
        (line(50, "\n"), "first 100 items"),
        (line(50, "\n50\n50\n"), "first 100 items"),
        (lines(99), "has only 99"),
        (String::new(), "has only 0"),
    ] {
        place.run_on(&resume, &input).fails(2, says);
        let file = place.file("in", &input);
        place.run(&with(&resume, &["-i", file.to_str().expect("UTF-8")])).fails(2, says);
        assert_eq!((place.read("out"), record(&place, "out")), (before.clone(), record_before.clone()), "{says}");
    }
    // Neither where items come from nor how words are set apart makes another input.
    place.run_on(&resume, lines(300).replace("1\n", "1 ,\t")).ok();
    assert_eq!(place.read("out"), roots(300));
}

#[test]
fn output_after_the_record_is_cut_and_output_before_it_must_be_unchanged() {
    let place = Place::new();
    interrupted(&place, &lines(100));
    let good = place.read("out");
    let resume = || place.run_on(&with(&RUN, &["--resume"]), lines(150));
    place.file("out", &good[..good.len() - 1]);
    resume().fails(2, "but its record says");
    place.file("out", good.replacen("1.0", "1.1", 1));
    resume().fails(2, "changed since it was written");
    std::fs::remove_file(place.path("out")).expect("an output");
    resume().fails(2, "it has 0 bytes");
    // More than what is to come, or it would be overwritten anyway.
    place.file("out", format!("{good}101\t10.0{}", "torn".repeat(10_000)));
    resume().ok();
    assert_eq!(place.read("out"), roots(150));
    place.file("out", roots(150) + "x");
    resume().fails(2, "changed since it was written");
}

#[test]
fn without_a_record_only_an_empty_output_is_written() {
    let place = Place::new();
    let resume = || place.run_on(&with(&RUN, &["--resume"]), lines(9));
    place.file("out", "precious\n");
    resume().fails(2, "has no resume record");
    assert_eq!(place.read("out"), "precious\n");
    place.file("out", "");
    resume().ok();
    assert_eq!(place.read("out"), roots(9));
}

#[test]
fn a_file_that_is_no_record_is_left_alone() {
    let place = Place::new();
    for odd in ["", "{}", "\u{1b}[31m", "{\"version\": 2}", "my list of things to resume\n"] {
        place.file("out.resume", odd);
        for before in [None, Some("old\n")] {
            let _ = std::fs::remove_file(place.path("out"));
            before.map(|before| place.file("out", before));
            for more in [&[][..], &["--resume"], &["--overwrite"], &["-j1,2"], &["-j1,2", "--overwrite"]] {
                let ended = place.run_on(&with(&RUN, more), lines(9));
                if before.is_some() && more == ["--resume"] {
                    assert_eq!(ended.status, 2, "{}", ended.err);
                    continue;
                }
                let ended = ended.fails(2, "move it away, or write to another file");
                assert!(!ended.err.contains('\u{1b}'), "{:?}", ended.err);
                assert_eq!(place.read("out.resume"), odd);
                assert_eq!(std::fs::read_to_string(place.path("out")).ok().as_deref(), before, "{more:?}");
            }
        }
    }
    std::fs::remove_file(place.path("out")).expect("an output");
    std::fs::remove_file(place.path("out.resume")).expect("a file");
    // Nor is it written over on the way to its place.
    place.file("out.resume.new", "precious");
    place.run_on(&with(&RUN, &["--resume"]), lines(9)).ok();
    assert_eq!((place.read("out"), place.read("out.resume.new")), (roots(9), "precious".to_owned()));
}

#[test]
fn an_output_that_is_replaced_while_it_is_written_leaves_the_record_to_the_other() {
    let place = Place::new();
    let first = Fed::new(&place, &RUN).feed(&place, &lines(100), 100);
    std::fs::rename(place.path("out"), place.path("moved")).expect("it is renamed");
    let mut second = Fed::new(&place, &RUN);
    second.stdin.write_all(lines(50).as_bytes()).expect("it reads");
    assert!(happens(&mut second.child, || good(&place, "out") == 50), "it ended too early");
    // The first one goes on to its end with the file that it has.
    drop(first.stdin);
    let _ = Ended::of(first.child).fails(0, "");
    assert_eq!(place.read("moved"), roots(100));
    assert_eq!(good(&place, "out"), 50, "the record is the second one's");
    second.stdin.write_all(lines(60).strip_prefix(&lines(50)[..]).expect("more").as_bytes()).expect("it reads");
    second.feed(&place, "", 60).destroy();
    place.run_on(&with(&RUN, &["--resume"]), lines(70)).ok();
    assert_eq!(place.read("out"), roots(70));
}

#[test]
fn a_share_of_failures_is_judged_also_of_what_is_there() {
    let place = Place::new();
    let input: String = (0..200).map(|n| if n % 10 == 5 { "-1\n".to_owned() } else { format!("{n}\n") }).collect();
    Fed::new(&place, &with(&RUN, &["-k"])).feed(&place, &input, 200).destroy();
    let before = (place.read("out"), record(&place, "out"));
    for share in ["9%", "0%"] {
        place.run_on(&with(&RUN, &["--resume", "--max-failures", share]), &input).fails(2, "20 failed items");
    }
    assert_eq!((place.read("out"), record(&place, "out")), before);
    place.run_on(&with(&RUN, &["--resume", "--max-failures", "10%"]), &input).fails(1, "");
}

#[test]
fn a_complete_output_says_so_and_has_the_status_of_its_run() {
    let place = Place::new();
    let args = |k: &'static str| ["-t", "sqrt", "-o", "out", "--resume", "--log", "off", "-i", "in", k];
    place.file("in", "1 4 -1 9");
    for _ in 0..2 {
        place.run(&args("-k")).fails(1, "");
        assert_eq!(place.read("out").lines().count(), 4);
    }
    let again = place.run(&args("-k")).fails(1, "out is complete with 4 items, 1 of them failed; nothing to do");
    assert!(!again.err.contains("has more"), "{}", again.err);
    place.run(&args("-v")).fails(2, "1 failed items, and this call would have ended earlier");
    place.file("in", "1 4 -1 9 16");
    place.run(&args("-k")).fails(1, "the input has more items now");
    place.file("in", "1 4 -2 9");
    place.run(&args("-k")).fails(2, "first 4 items");
    assert_eq!(place.read("out").lines().count(), 4);
    place.file("in", "");
    for format in ["csv", "tsv"] {
        let args = ["-t", "sqrt", "--resume", "-i", "in", "--log=off", "--format", format, "-o", format];
        place.run(&args).ok();
        assert!(place.run(&args).fails(0, "is complete with 0 items").err.len() < 200);
    }
    assert_eq!(place.read("csv"), "index,input,output,error\n");
}

#[test]
fn a_second_run_on_one_output_is_refused() {
    let place = Place::new();
    let fed = Fed::new(&place, &RUN).feed(&place, &lines(100), 100);
    let before = place.read("out");
    std::os::unix::fs::symlink("out", place.path("link")).expect("a link");
    for more in [&[][..], &["--resume"], &["--overwrite"], &["-o", "link", "--overwrite"], &["-j1,2", "--overwrite"]] {
        let args = if more.contains(&"link") { with(&["-t", "sqrt", "--log=off"], more) } else { with(&RUN, more) };
        place.run_on(&args, lines(9)).fails(2, "is in use");
        assert_eq!(place.read("out"), before);
    }
    fed.destroy();
    place.run_on(&with(&RUN, &["--resume"]), lines(120)).ok();
    assert_eq!(place.read("out"), roots(120));
}

#[test]
fn the_file_behind_a_link_is_what_is_resumed() {
    let place = Place::new();
    std::fs::create_dir(place.path("real")).expect("a folder");
    std::os::unix::fs::symlink("real/out", place.path("link")).expect("a link");
    place.file("real/out", "");
    let args = ["-t", "sqrt", "--log", "off", "-o", "link"];
    let mut fed = Fed::new(&place, &args);
    fed.stdin.write_all(lines(50).as_bytes()).expect("it reads");
    assert!(happens(&mut fed.child, || good(&place, "real/out") == 50));
    fed.destroy();
    let args = ["-t", "sqrt", "--log", "off", "-o", "real/out"];
    place.run_on(&args, lines(70)).fails(2, "interrupted run");
    place.run_on(&with(&args, &["--resume"]), lines(70)).ok();
    assert_eq!(place.read("link"), roots(70));
}

#[test]
fn only_regular_files_are_resumed() {
    let place = Place::new();
    nix::unistd::mkfifo(&place.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    for output in ["/dev/null", "/dev/full", "fifo", "/dev/stdout"] {
        let args = ["-t", "sqrt", "--list", "4", "-o", output, "--resume"];
        place.run(&args).fails(2, "not a regular file");
    }
    assert_eq!(place.run(&["-t", "sqrt", "--list", "4", "-o", "/dev/stdout"]).ok(), "4\t2.0\n");
    place.run(&["-t", "sqrt", "--list", "4", "-o", "/dev/null"]).ok();
    assert!(!place.path("fifo.resume").exists());
}

#[test]
fn a_resumed_run_begins_with_the_failed_item() {
    let place = Place::new();
    let input = format!("{} -1 {}", lines(30), lines(30));
    for format in ["tsv", "csv"] {
        let undisturbed = place.run_on(&["-t", "sqrt", "--format", format, "-q"], &input).fails(1, "-:31:2: ");
        let args = ["-t", "sqrt", "--format", format, "-o", "out", "--log", "off"];
        let note = "out has the results of the first 30 items";
        place.run_on(&with(&args, &["--chunk", "7"]), &input).fails(1, note);
        assert_eq!(place.read("out"), undisturbed.out);
        let again = place.run_on(&with(&args, &["--resume"]), &input).fails(1, "continuing after the first 30 items");
        assert!(again.err.contains("1 item failed") && again.err.contains("-:31:2: "), "{}", again.err);
        assert_eq!(place.read("out"), undisturbed.out);
        // What was missing may be there now, or one may choose to go on.
        place.run_on(&with(&args, &["--resume", "-k"]), &input).fails(1, "");
        assert_eq!(place.read("out"), place.run_on(&["-t", "sqrt", "-kq", "--format", format], &input).out);
        let before = (place.read("out"), record(&place, "out"));
        place.run_on(&with(&args, &["--overwrite"]), "-1 1").fails(1, "");
        assert_eq!((place.read("out"), record(&place, "out")), before, "nothing came of it");
        for name in ["out", "out.resume"] {
            std::fs::remove_file(place.path(name)).expect(name);
        }
    }
}

#[test]
fn failures_are_counted_across_runs() {
    let place = Place::new();
    let input = |n: u64| (0..n).map(|n| if n % 10 == 5 { "-1\n".to_owned() } else { format!("{n}\n") }).collect();
    let all: String = input(200);
    let args = ["-t", "sqrt", "--max-failures", "12", "--format", "jsonl", "-q"];
    let undisturbed = place.run_on(&args, &all).fails(1, "12 items failed");
    let args = with(&args, &["-o", "out", "--resume", "--log", "off"]);
    let part: String = input(70);
    Fed::new(&place, &args).feed(&place, &part, 70).destroy();
    assert_eq!(record(&place, "out").expect("a record")["done"]["failed"]["failed"], 7);
    for _ in 0..2 {
        place.run_on(&args, &all).fails(1, "");
        assert_eq!(place.read("out"), undisturbed.out);
    }
}

#[test]
fn after_a_signal_all_finished_items_are_kept() {
    let place = Place::new();
    let fed = Fed::new(&place, &RUN).feed(&place, &lines(100), 100);
    kill(Pid::from_raw(fed.child.id().cast_signed()), Signal::SIGTERM).expect("it runs");
    let ended = Ended::of(fed.child);
    assert_eq!(ended.status, 143, "{}", ended.err);
    assert_eq!(good(&place, "out"), 100);
    place.run_on(&with(&RUN, &["--resume"]), lines(101)).ok();
    assert_eq!(place.read("out"), roots(101));
}

#[test]
fn an_output_that_hits_a_limit_goes_on_when_there_is_room() {
    let place = Place::new();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_coordinator")]);
    limited.args(RUN).current_dir(place.path("")).stdin(Stdio::piped());
    let mut child = limited.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell starts");
    let stdin = child.stdin.take().expect("its input");
    let mut fed = Fed { child, stdin }.feed(&place, &lines(100), 100);
    // It may end before it has read all of it.
    let _ = fed.stdin.write_all(&lines(20_000).as_bytes()[lines(100).len()..]);
    drop(fed.stdin);
    let _ = Ended::of(fed.child).fails(4, "File too large");
    assert!(good(&place, "out") >= 100);
    place.run(&with(&RUN, &["--range", "1..=20000", "--resume"])).ok();
    assert_eq!(place.read("out"), roots(20000));
}

//! `command`: a program of the user's own for each item: its arguments, output and
//! exit, and that no process is left.

use crate::support::{Ended, Place, is_running, item_lines, lines, nothing_is_left, runs, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::process::Child;

/// The same task in each executor.
const EXECUTORS: [&[&str]; 3] = [&["-j2"], &["--threads", "2"], &["--serial"]];

/// A call with these flags and this program.
pub(crate) fn args<'a>(flags: &[&'a str], program: &[&'a str]) -> Vec<&'a str> {
    [&["-t", "command", "-q"], flags, &["--"], program].concat()
}

/// Runs it on these items, of which each is a line, to a good end.
fn results(flags: &[&str], program: &[&str], items: &str) -> String {
    Place::new().run_on(&args(&[&["--format", "lines", "--log", "off"], flags].concat(), program), items).ok()
}

/// Runs a shell's script, whose first argument is the item, keeping on.
fn script(place: &Place, flags: &[&str], script: &str, items: &str) -> Ended {
    place.run_on(&args(&[&["-k"], flags].concat(), &["sh", "-c", script, "sh", "{}"]), items)
}

#[test]
fn every_placeholder() {
    let program = ["printf", "%s|", "{}", "{#}", "{/}", "{//}", "{.}", "{/.}", "a{}b{#}{}", "{x}", "{}{"];
    let out = results(&["-j2"], &program, "d/e.f\ng\n");
    let first = "d/e.f|1|e.f|d|d/e|e|ad/e.fb1d/e.f|{x}|d/e.f{|";
    assert_eq!(out, format!("{first}\ng|2|g|.|g|g|agb2g|{{x}}|g{{|\n"));
}

#[test]
fn an_item_is_one_argument_whatever_it_holds() {
    let items = "two words\n'quoted' \"twice\"\n; rm -rf x\n$(x) `y` $HOME\n--help\n-n\n*\n\\n\n\n {}{#} \na|b>c&\n~\n";
    for executor in EXECUTORS {
        assert_eq!(results(executor, &["printf", "<%s>", "{}"], items), items_in(items, "<", ">"));
    }
}

fn items_in(items: &str, before: &str, after: &str) -> String {
    items.lines().map(|item| format!("{before}{item}{after}\n")).collect()
}

#[test]
fn without_a_place_for_it_the_item_is_what_is_read() {
    let items = "one\ntwo words\n\n{}\n";
    for executor in EXECUTORS {
        assert_eq!(results(executor, &["cat"], items), items);
        assert_eq!(results(executor, &["wc", "-l"], items), "1\n1\n1\n1\n");
    }
    // Otherwise standard input is empty.
    assert_eq!(results(&[], &["sh", "-c", "cat; echo $1", "sh", "{}"], "x\n"), "x\n");
}

#[test]
fn a_program_that_reads_nothing_gives_its_result() {
    let long = format!("{}\n", "x".repeat(1 << 20));
    let items = format!("{long}{long}short\n");
    for executor in EXECUTORS {
        assert_eq!(results(executor, &["true"], &items), "\n\n\n");
        assert_eq!(results(executor, &["sh", "-c", "exec <&-; echo ok"], &items), "ok\nok\nok\n");
    }
}

#[test]
fn megabytes_go_both_ways_at_once() {
    let item = "0123456789abcdef".repeat(1 << 16);
    let expected = format!("{item}\n");
    for executor in EXECUTORS {
        assert!(results(executor, &["cat"], &expected) == expected, "not the same");
        // Also where the errors are as many.
        assert!(results(executor, &["sh", "-c", "tee /dev/stderr"], &expected) == expected, "not the same");
    }
}

#[test]
fn the_result_lacks_only_the_last_line_feed() {
    let place = Place::new();
    let items = "a\nb\\n\nc\\n\\n\nd\\r\\n\ne\\nf\n\\n\n";
    let out = place.run_on(&args(&["--format", "jsonl"], &["printf", "{}"]), items).ok();
    let outputs: Vec<Value> = out.lines().map(|line| serde_json::from_str::<Value>(line).expect(line)).collect();
    let outputs: Vec<&Value> = outputs.iter().map(|row| &row["output"]).collect();
    assert_eq!(outputs, ["a", "b", "c\n", "d\r", "e\nf", ""]);
}

#[test]
fn results_of_many_lines_have_records_in_every_format() {
    for (format, expected) in [
        ("tsv", "x\ta\\tb\\nc\\\\\n"),
        ("csv", "index,input,output,error\n0,x,\"a\tb\nc\\\",\n"),
        ("jsonl", "{\"index\":0,\"input\":\"x\",\"output\":\"a\\tb\\nc\\\\\"}\n"),
        ("lines", "a\tb\\nc\\\n"),
    ] {
        let place = Place::new();
        let program = ["printf", "%s\\t%s\\n%s\\n", "a", "b", "c\\"];
        assert_eq!(place.run_on(&args(&["--format", format], &program), "x\n").ok(), expected);
    }
}

#[test]
fn a_number_is_a_string_of_digits() {
    let out = Place::new().run(&args(&["--list", "7", "--format", "jsonl"], &["echo", "{}"])).ok();
    assert_eq!(out, "{\"index\":0,\"input\":\"7\",\"output\":\"7\"}\n");
}

#[test]
fn an_exit_status_is_a_failure_with_the_end_of_standard_error() {
    let place = Place::new();
    let items = "exit 3\necho; echo one >&2; echo two >&2; exit 1\ntrue\nexit 255\n";
    let ended = script(&place, &["-j2"], "eval \"$1\"", items);
    assert_eq!(ended.status, 1);
    let expected = "exit 3\t\tfailed: exited with status 3\n\
                    echo; echo one >&2; echo two >&2; exit 1\t\tfailed: exited with status 1: one / two\n\
                    true\t\nexit 255\t\tfailed: exited with status 255\n";
    assert_eq!(ended.out, expected);
}

#[test]
fn a_signal_is_a_crash_and_its_neighbours_are_untouched() {
    for executor in EXECUTORS {
        let place = Place::new();
        let items = "true\nkill -SEGV $$\nkill -KILL $$\nkill -TERM $$\ntrue\n";
        let ended = script(&place, executor, "eval \"$1\"", items).fails(1, "");
        let expected = "true\t\nkill -SEGV $$\t\tcrashed: its program was killed by SIGSEGV\n\
                        kill -KILL $$\t\tcrashed: its program was killed by SIGKILL (out of memory?)\n\
                        kill -TERM $$\t\tcrashed: its program was killed by SIGTERM\ntrue\t\n";
        assert_eq!(ended.out, expected, "{executor:?}");
    }
}

/// Without `--keep-going` the first failure ends the run after what is before it.
#[test]
fn a_failure_is_named_with_its_attempts() {
    let place = Place::new();
    let program = ["sh", "-c", "test $1 != 3 || kill -ABRT $$; echo ok", "sh", "{}"];
    let ended = place.run_on(&args(&["-j1"], &program), lines(5)).fails(1, "killed by SIGABRT");
    assert_eq!(ended.out, "1\tok\n2\tok\n");
    assert!(ended.err.contains("3 attempts"), "a crash is tried twice more: {}", ended.err);
    let ended = place.run_on(&args(&["-j1"], &["false"]), "x\n").fails(1, "exited with status 1");
    assert!(!ended.err.contains("attempts"), "a failure is not tried again: {}", ended.err);
}

/// A program that fails until it has been started for the third time.
#[test]
fn an_item_that_succeeds_on_a_retry_has_succeeded() {
    let shell = "echo >> tries; echo $PROCESSION_ATTEMPT >> attempts; test $(wc -l < tries) -ge 3";
    for (end, flags) in [("kill -SEGV $$", &[][..]), ("exit 1", &["--retry-on", "failed"])] {
        for executor in EXECUTORS {
            let place = Place::new();
            let flags = [executor, flags, &["--log-dir", "log"]].concat();
            let ended = script(&place, &flags, &format!("{shell} || {end}; echo ok"), "x\n");
            assert_eq!(ended.ok(), "x\tok\n");
            assert_eq!(place.read("attempts"), "1\n2\n3\n");
            let logged = item_lines(&runs(&place.path("log"))[0]);
            assert_eq!((logged.len(), &logged[0]["attempt"]), (1, &json!(3)));
        }
    }
}

#[test]
fn programs_know_their_item_attempt_and_worker() {
    let print = "echo $PROCESSION_ITEM,$PROCESSION_ATTEMPT,$PROCESSION_WORKER";
    for executor in [&["-j1"][..], &["--threads", "1"], &["--serial"]] {
        assert_eq!(results(executor, &["sh", "-c", print], "a b\nc\n"), "a b,1,0\nc,1,0\n");
    }
    // One that is too long for a variable is still read.
    let long = "x".repeat(128 << 10);
    let program = ["sh", "-c", "echo ${PROCESSION_ITEM-none} $(wc -c)"];
    assert_eq!(results(&[], &program, &format!("{long}\n")), format!("none {}\n", long.len() + 1));
    // What a run around this one has set is not this one's.
    let place = Place::new();
    let program = ["sh", "-c", "echo ${PROCESSION_ITEM-none}"];
    let mut command = place.command(&args(&["-i", "items"], &program));
    place.file("items", format!("{long}\n"));
    let output = command.env("PROCESSION_ITEM", "theirs").output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("\tnone\n"));
}

#[test]
fn an_argument_that_is_too_long_fails_alone() {
    let items = format!("a\n{}\nb\n", "x".repeat(200 << 10));
    let ended = Place::new().run_on(&args(&["-k", "--format", "lines"], &["echo", "{}"]), items);
    assert_eq!(ended.out, "a\n\nb\n");
    ended.fails(1, "'echo' cannot be started with arguments this long");
}

/// What can be seen before anything starts is refused then; this can't.
#[test]
fn a_program_that_can_t_be_started_is_its_item_s_failure() {
    for (text, says) in [
        ("echo\n", "'./program' is not executable on this system; a script begins with a line like #!/bin/sh"),
        (
            "#!/no/such/shell\n",
            "'./program' cannot be found, or the interpreter in its first line cannot: No such file",
        ),
    ] {
        for executor in EXECUTORS {
            let place = Place::new();
            place.script("program", text);
            let ended = place.run_on(&args(&[&["-k"], executor].concat(), &["./program", "{}"]), "a\nb\n");
            assert_eq!(ended.out.matches(&format!("\t\tfailed: {says}")).count(), 2, "{}", ended.out);
            ended.fails(1, "failed");
        }
    }
}

#[test]
fn a_program_that_goes_away_fails_the_items_behind() {
    for (end, says) in [
        ("rm", "'./program' cannot be found, or the interpreter in its first line cannot: No such file"),
        ("chmod -x", "'./program' may not be executed: Permission denied"),
    ] {
        let place = Place::new();
        place.script("program", &format!("#!/bin/sh\ntest $1 != 2 || {end} $0\n"));
        let ended = place.run_on(&args(&["-k", "-j1"], &["./program", "{}"]), "1\n2\n3\n").fails(1, "failed");
        assert!(ended.out.starts_with(&format!("1\t\n2\t\n3\t\tfailed: {says}")), "{}", ended.out);
    }
}

#[test]
fn an_item_is_never_the_program() {
    let place = Place::new();
    for program in ["{}", "./{}", "{#}"] {
        let refused = place.run_on(&args(&[], &[program, "{}"]), "true\n").fails(2, "can't be the program");
        assert_eq!(refused.out, "");
    }
}

#[test]
fn a_time_limit_ends_the_program_and_whoever_it_has_started() {
    let place = Place::new();
    let hang = "test $1 = 2 || exit 0; sleep 1000 & echo $! > child; echo $$ > self; wait";
    let flags = ["-j2", "--timeout", "2s", "--log-dir", "log"];
    let ended = script(&place, &flags, hang, "1\n2\n3\n").fails(1, "timed out after 2 s");
    assert_eq!(ended.out, "1\t\n2\t\ttimed-out: ran longer than 2s\n3\t\n");
    for name in ["child", "self"] {
        let pid = place.read(name).trim().parse().expect("a pid");
        until("it has ended", || !is_running(pid));
    }
    nothing_is_left(&place);
}

#[test]
fn a_memory_limit_is_the_program_s_too() {
    let dd = ["dd", "if=/dev/zero", "of=/dev/null", "count=1", "bs={}"];
    let place = Place::new();
    let call = args(&["-k", "--memory-limit", "64M", "--format", "jsonl"], &dd);
    let ended = place.run_on(&call, "1M\n200M\n1M\n").fails(1, "");
    let rows: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let fine: Vec<bool> = rows.iter().map(|row| row["error"].is_null()).collect();
    assert_eq!(fine, [true, false, true], "{}", ended.out);
    let message = rows[1]["error"]["message"].as_str().expect("a message");
    assert!(message.contains("memory exhausted"), "{message}");
}

/// The pool's limit on a result, and hundreds of times as much is written.
#[test]
fn a_flood_of_results_is_ended_in_little_memory() {
    for executor in EXECUTORS {
        let place = Place::new();
        let flags = [&["-t", "command", "-q", "-k", "--log", "off"], executor].concat();
        let call = [&flags[..], &["--", "sh", "-c", "test $1 = 2 && exec yes; echo $1", "sh", "{}"]].concat();
        let mut command = place.limited("-d", 150 << 10, &call);
        place.file("items", "1\n2\n3\n");
        let items = std::fs::File::open(place.path("items")).expect("the items");
        let ended = Ended::of(command.stdin(items).spawn().expect("it starts"));
        let message = "failed: the result is longer than the 16777216 bytes a message may carry";
        assert_eq!(ended.out, format!("1\t1\n2\t\t{message}\n3\t3\n"), "{}", ended.err);
        nothing_is_left(&place);
    }
}

#[test]
fn a_flood_of_errors_does_no_harm_and_is_in_the_log() {
    let place = Place::new();
    let flood = "head -c 10000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2; test $1 = 1";
    let ended = script(&place, &["-j1", "--log-dir", "log"], flood, "1\n2\n").fails(1, "");
    assert!(ended.out.starts_with("1\t\n2\t\tfailed: exited with status 1: …xxx"), "{}", ended.out);
    assert!(ended.out.ends_with("xxx / last\n") && ended.out.len() < 2000, "{}", ended.out);
    let run = &runs(&place.path("log"))[0];
    let files = std::fs::read_dir(run).expect("the run's folder").flatten().map(|entry| entry.path());
    let kept: Vec<_> = files.filter(|path| path.extension() == Some(OsStr::new("stderr"))).collect();
    let said = std::fs::read(&kept[0]).expect("its errors");
    assert!(said.ends_with(b"x\nlast\n"), "{} bytes", said.len());
}

/// The pipes are held open by somebody who outlives the program.
#[test]
fn a_background_process_that_holds_the_pipes_does_not_delay_the_run() {
    for executor in EXECUTORS {
        let place = Place::new();
        let begun = std::time::Instant::now();
        let leave = "sleep 60 & echo $! >> pids; echo done";
        let call = args(&[&["--log", "off"], executor].concat(), &["sh", "-c", leave]);
        assert_eq!(place.run_on(&call, "1\n2\n").ok(), "1\tdone\n2\tdone\n");
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it was waited for");
        for pid in place.read("pids").lines().filter_map(|pid| pid.parse().ok()) {
            // In a pool they are of the worker's group, and end with it; else they stay.
            match executor {
                ["-j2"] => until("it has ended", || !is_running(pid)),
                _ => drop(kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL)),
            }
        }
    }
}

/// A process that the program started writes for as long as anybody reads.
#[test]
fn a_background_process_that_writes_for_ever_does_not_delay_the_run() {
    for executor in EXECUTORS {
        let place = Place::new();
        let call = args(&[&["--log", "off"], executor].concat(), &["sh", "-c", "yes >&2 & echo done"]);
        assert_eq!(place.run_on(&call, "1\n2\n").ok(), "1\tdone\n2\tdone\n");
        nothing_is_left(&place);
    }
}

/// A coordinator with two programs that run, by their own word.
fn with_programs(place: &Place, executor: &[&str]) -> (Child, Vec<u32>) {
    let wait = "echo $$ >> pids; exec sleep 1000";
    let count = if executor == ["--serial"] { 1 } else { 2 };
    let flags = [&["--log", "off", "--list", "1,2"], executor].concat();
    let child = place.command(&args(&flags, &["sh", "-c", wait, "sh", "{}"])).spawn().expect("it starts");
    let pids = || std::fs::read_to_string(place.path("pids")).unwrap_or_default();
    until("the programs run", || pids().matches('\n').count() == count);
    (child, pids().lines().map(|pid| pid.parse().expect("a pid")).collect())
}

#[test]
fn no_program_outlives_a_killed_coordinator() {
    for executor in EXECUTORS {
        let place = Place::new();
        let (mut child, programs) = with_programs(&place, executor);
        child.kill().expect("it is killed");
        child.wait().expect("it is reaped");
        programs.into_iter().for_each(|pid| until("a program has ended", || !is_running(pid)));
        nothing_is_left(&place);
    }
}

#[test]
fn no_program_outlives_a_run_that_was_ended() {
    let place = Place::new();
    let (child, programs) = with_programs(&place, &["-j2"]);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it is asked to end");
    assert_eq!(Ended::of(child).status, 143);
    // Killed, which may take its time.
    programs.into_iter().for_each(|pid| until("a program has ended", || !is_running(pid)));
    nothing_is_left(&place);
}

#[test]
fn the_log_tells_which_process_ran_an_item() {
    for executor in EXECUTORS {
        let place = Place::new();
        let flags = [&["--log-dir", "log", "-k"], executor].concat();
        let program = ["sh", "-c", "echo $$; test $1 -lt 9 || exit 3", "sh", "{}"];
        let ended = place.run_on(&args(&flags, &program), lines(9)).fails(1, "");
        let said: Vec<Option<u64>> =
            ended.out.lines().map(|line| line.split('\t').nth(1).and_then(|pid| pid.parse().ok())).collect();
        let logged = item_lines(&runs(&place.path("log"))[0]);
        assert_eq!(logged.len(), 9);
        for line in &logged {
            let at = usize::try_from(line["item"].as_u64().expect("an index")).expect("a small one");
            let child = line["child_pid"].as_u64();
            assert!(child.is_some() && child != line["pid"].as_u64(), "{line}");
            assert!(said[at].is_none_or(|pid| Some(pid) == child), "{line}: {said:?}");
        }
        let distinct: BTreeSet<_> = logged.iter().map(|line| line["child_pid"].as_u64()).collect();
        assert_eq!(distinct.len(), 9);
    }
    // What never had a process has none in its line, whoever came before.
    let place = Place::new();
    let file = place.file("items", b"a\nb\0\n");
    let from = ["-k", "-j1", "--log-dir", "log", "-i", file.to_str().expect("UTF-8")];
    place.run(&args(&from, &["echo", "{}"])).fails(1, "NUL");
    let logged = item_lines(&runs(&place.path("log"))[0]);
    let told: Vec<_> = logged.iter().map(|line| line["child_pid"].is_u64()).collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn workers_may_be_replaced_between_programs() {
    let place = Place::new();
    let call = args(&["-j2", "--max-tasks-per-worker", "3", "--log-dir", "log"], &["echo", "{}"]);
    let expected: String = (1..=20).map(|n| format!("{n}\t{n}\n")).collect();
    assert_eq!(place.run_on(&call, lines(20)).ok(), expected);
    let logged = item_lines(&runs(&place.path("log"))[0]);
    let workers: BTreeSet<_> = logged.iter().map(|line| line["pid"].as_u64()).collect();
    assert!(workers.len() >= 7, "{workers:?}");
}

#[test]
fn a_thousand_items_leave_no_descriptor_open() {
    let place = Place::new();
    let count = "case $1 in 2|999) ls /proc/$PPID/fd | wc -l;; 500) exit 1;; esac";
    let call = args(&["-j1", "-k", "--log", "off"], &["sh", "-c", count, "sh", "{}"]);
    let ended = place.run_on(&call, lines(1000)).fails(1, "");
    let counts: Vec<&str> = ended.out.lines().filter_map(|line| line.split('\t').nth(1)).collect();
    assert_eq!(counts.len(), 1000);
    assert!(!counts[1].is_empty() && counts[1] == counts[998], "{} and {}", counts[1], counts[998]);
    // None are left to be reaped either.
    nothing_is_left(&place);
}

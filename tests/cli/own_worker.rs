//! Workers with tasks of the user's own, which list their tasks themselves.

use crate::hostile::fake_worker;
use crate::support::{Ended, Place, nothing_is_left, state, until, workers_of};

/// A call with a worker that knows a task `echo` and no other.
fn run(args: &[&str]) -> Ended {
    let place = Place::new();
    let worker = fake_worker();
    // Behind a -- it would be the program's.
    let split = args.iter().position(|&arg| arg == "--").unwrap_or(args.len());
    let worker = ["--worker", worker.to_str().expect("UTF-8")];
    let mut command = place.command(&[&args[..split], &worker, &args[split..]].concat());
    command.env("FAKE_FAULTS", "own");
    let ended = Ended::of(command.spawn().expect("it starts"));
    nothing_is_left(&place);
    ended
}

#[test]
fn a_task_that_only_the_worker_knows_is_run() {
    let args = ["-t", "echo", "--list", "b,a,c", "-j1", "--format", "lines", "--param", "volume=high"];
    let ended = run(&args);
    assert_eq!(ended.out, "b\na\nc\n", "{}", ended.err);
    assert_eq!(ended.status, 0);
}

#[test]
fn what_it_knows_is_listed() {
    let text = run(&["tasks"]).ok();
    assert!(text.starts_with("echo") && text.contains("lines  each line as it is"), "{text}");
    assert!(text.contains("--param volume=low|high") && text.contains("[default: low]"), "{text}");
    assert!(text.contains("--param times=VALUE") && !text.contains("sqrt"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&run(&["tasks", "--json"]).ok()).expect("JSON");
    assert_eq!((&json[0]["name"], &json[0]["params"][0]["values"][1]), (&"echo".into(), &"high".into()));
}

#[test]
fn what_it_does_not_know_is_refused_with_what_it_knows() {
    run(&["-t", "ecko", "--list", "a"]).fails(2, "did you mean 'echo'?");
    run(&["-t", "sqrt", "--list", "4"]).fails(2, "the tasks are echo");
    run(&["-t", "echo", "--list", "a", "--param", "volume=off"]).fails(2, "volume=low|high (default low)");
    run(&["-t", "echo", "--list", "a", "--param", "speed=1"]).fails(2, "unknown parameter 'speed'");
    for executor in ["--serial", "--threads=2", "--compare"] {
        run(&["-t", "echo", "--list", "a", executor]).fails(2, "only the worker has task 'echo'");
    }
    run(&["-t", "echo", "--list", "a", "--", "cat"]).fails(2, "runs no program");
}

#[test]
fn another_setting_is_another_job() {
    let place = Place::new();
    let call = |volume: &str| {
        let param = format!("volume={volume}");
        let args = ["-t", "echo", "-i", "in", "-o", "out", "--resume", "-j1", "--param", &param];
        let mut command = place.command(&args);
        command.arg("--worker").arg(fake_worker()).env("FAKE_FAULTS", "own");
        Ended::of(command.spawn().expect("it starts"))
    };
    place.file("in", "a\nb\n");
    call("low").ok();
    call("high").fails(2, "made with --param volume=low");
    assert!(call("low").err.contains("is complete"));
}

#[test]
fn what_is_no_worker_is_told_as_in_a_run_and_nothing_is_touched() {
    for (program, says) in [("/bin/false", "workers can't be started"), ("/bin/cat", "was started")] {
        let place = Place::new();
        place.run(&["tasks", "--worker", program]).fails(3, says);
        place.run(&["-t", "any", "--list", "1", "-o", "out", "--worker", program]).fails(3, says);
        assert!(!place.path("out").exists());
    }
    Place::new().run(&["tasks", "--worker", "nowhere"]).fails(3, "nowhere: no such file");
}

#[test]
fn a_worker_that_says_nothing_is_waited_for_as_long_as_it_may_take() {
    let place = Place::new();
    let mut command = place.command(&["-t", "echo", "--list", "a", "--start-timeout", "200ms"]);
    command.arg("--worker").arg(fake_worker()).env("FAKE_FAULTS", "silent");
    Ended::of(command.spawn().expect("it starts")).fails(3, "did not say hello in time");
    nothing_is_left(&place);
}

#[test]
fn a_worker_that_is_asked_dies_with_the_coordinator() {
    let place = Place::new();
    let mut command = place.command(&["-t", "echo", "--list", "a", "--start-timeout", "60s"]);
    command.arg("--worker").arg(fake_worker()).env("FAKE_FAULTS", "silent");
    let mut child = command.spawn().expect("it starts");
    until("the worker is there", || workers_of(child.id()).len() == 1);
    let worker = workers_of(child.id())[0];
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    until("the worker is gone", || matches!(state(worker), 'X' | 'Z'));
}

//! What a program starts ends with its worker, whatever process group or session it
//! is in, unless the worker ends regularly.

use crate::support::{Ended, Place, is_running, lines, nothing_is_left, until, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Child;

/// Processes in sessions and groups of their own, also with a parent that has ended,
/// then a word in the file `begun`.
const SCRIPT: &str = "setsid sleep 1000 & (setsid sh -c 'setsid sleep 1000; :' &) ; timeout 1000 sleep 1000 & \
                      seq 4 | xargs -P2 -n1 sleep 1000 & sleep 0.1; echo >> begun; wait";
/// As above, with a process that has lost its environment.
const WITHOUT_ENVIRONMENT: &str = "env -i sh -c 'echo $$ >> bare; exec /bin/sleep 1000' & \
                                   until test -s bare; do sleep 0.01; done; echo >> begun; wait";

/// Two items whose programs have started all of theirs.
fn begun(place: &Place, flags: &[&str], script: &str) -> Child {
    let call = ["-t", "command", "--log", "off", "-q", "-k", "--retries", "0", "--list", "1,2"];
    let call = [&call[..], flags, &["--", "sh", "-c", script, "_", "{}"]].concat();
    let child = place.command(&call).spawn().expect("it starts");
    until("the programs run", || std::fs::read(place.path("begun")).is_ok_and(|begun| begun.len() == 2));
    child
}

/// Nothing runs that the call has started.
fn all_have_ended(place: &Place) {
    let bare = std::fs::read_to_string(place.path("bare")).unwrap_or_default();
    for pid in bare.lines().filter_map(|pid| pid.parse().ok()) {
        until("a process without an environment has ended", || !is_running(pid));
    }
    nothing_is_left(place);
}

fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("it is signalled");
}

fn kill_and_reap(mut child: Child) {
    child.kill().expect("it is killed");
    child.wait().expect("it is reaped");
}

#[test]
fn nothing_outlives_a_killed_coordinator() {
    for script in [SCRIPT, WITHOUT_ENVIRONMENT] {
        let place = Place::new();
        let child = begun(&place, &["-j2"], script);
        assert_eq!(workers_of(child.id()).len(), 2, "its children are its workers");
        kill_and_reap(child);
        all_have_ended(&place);
    }
}

#[test]
fn nothing_outlives_a_coordinator_whose_workers_are_stopped() {
    for script in [SCRIPT, WITHOUT_ENVIRONMENT] {
        let place = Place::new();
        let child = begun(&place, &["-j2"], script);
        workers_of(child.id()).into_iter().for_each(|pid| send(pid, Signal::SIGSTOP));
        kill_and_reap(child);
        all_have_ended(&place);
    }
}

#[test]
fn nothing_outlives_a_coordinator_that_is_killed_with_its_workers() {
    let place = Place::new();
    let child = begun(&place, &["-j2"], SCRIPT);
    let workers = workers_of(child.id());
    send(child.id(), Signal::SIGSTOP);
    workers.into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
    kill_and_reap(child);
    all_have_ended(&place);
}

/// The coordinator's end is regular: it ends nothing then.
#[test]
fn nothing_outlives_a_killed_worker() {
    for script in [SCRIPT, WITHOUT_ENVIRONMENT] {
        let place = Place::new();
        let child = begun(&place, &["-j2"], script);
        workers_of(child.id()).into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
        Ended::of(child).fails(1, "2 items failed");
        all_have_ended(&place);
    }
}

#[test]
fn nothing_outlives_a_time_limit() {
    for script in [SCRIPT, WITHOUT_ENVIRONMENT] {
        let place = Place::new();
        Ended::of(begun(&place, &["-j2", "--timeout", "2"], script)).fails(1, "timed out after 2 s");
        all_have_ended(&place);
    }
}

#[test]
fn nothing_outlives_a_call_that_is_ended_by_a_signal() {
    for executor in ["-j2", "--threads=2"] {
        for script in [SCRIPT, WITHOUT_ENVIRONMENT] {
            let place = Place::new();
            let child = begun(&place, &[executor], script);
            send(child.id(), Signal::SIGTERM);
            // The second one does not wait for the programs.
            send(child.id(), Signal::SIGTERM);
            assert_eq!(Ended::of(child).status, 143);
            all_have_ended(&place);
        }
    }
}

#[test]
fn nothing_outlives_a_killed_coordinator_with_threads() {
    let place = Place::new();
    let child = begun(&place, &["--threads", "2"], SCRIPT);
    kill_and_reap(child);
    all_have_ended(&place);
}

#[test]
fn what_a_regularly_ended_program_leaves_goes_on_and_is_counted() {
    let place = Place::new();
    let leave = "setsid sh -c 'echo $$ >> pids; exec sleep 1000' >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 &
                 until test -s pids; do sleep 0.01; done; echo done";
    let call = ["-t", "command", "--log", "off", "-j1", "--list", "1", "--", "sh", "-c", leave, "_", "{}"];
    let ended = place.run(&call);
    let left: u32 = place.read("pids").trim().parse().expect("a pid");
    let says = format!("note: 1 process that the programs started still runs: PID {left}\n");
    send(left, Signal::SIGKILL);
    assert!(ended.err.contains(&says), "{}", ended.err);
    assert_eq!(ended.ok(), "1\tdone\n");
    all_have_ended(&place);
}

/// Each leaves a process that nobody else can reap.
#[test]
fn no_zombies_pile_up() {
    let place = Place::new();
    let count = "setsid true >/dev/null 2>&1 & test $1 != 300 || ps -o stat= --ppid $PPID | grep -c Z || :";
    let call = ["-t", "command", "--log", "off", "-q", "-j1", "--format", "lines", "--", "sh", "-c", count, "_", "{}"];
    let zombies = place.run_on(&call, lines(300)).ok();
    let zombies: u32 = zombies.lines().find_map(|line| line.parse().ok()).expect("a count");
    assert!(zombies < 10, "{zombies} zombies");
}

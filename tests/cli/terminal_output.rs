//! Results on a terminal: what items and programs wrote can't control it.

use crate::support::Place;
use std::process::{Command, Stdio};

/// What a terminal shows of this call of the coordinator.
fn on_a_terminal(place: &Place, args: &str) -> String {
    let line = format!("'{}' {args}", env!("CARGO_BIN_EXE_coordinator"));
    let shown = Command::new("timeout")
        .args(["--foreground", "60", "script", "-qfec", &line, "/dev/null"])
        .current_dir(place.path("."))
        .env("XDG_STATE_HOME", place.path("state"))
        .stdin(Stdio::null())
        .output()
        .expect("script, of util-linux");
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stdout));
    String::from_utf8(shown.stdout).expect("text").replace("\r\n", "\n")
}

#[test]
fn results_are_escaped_on_a_terminal_and_raw_else() {
    let place = Place::new();
    place.file("in", "\u{1b}[31mred\n");
    let args = ["-q", "-t", "null", "--items", "lines", "-i", "in", "-j1"];
    let shown = on_a_terminal(&place, &args.join(" "));
    assert!(shown.contains("\\u{1b}[31mred\t") && !shown.contains('\u{1b}'), "{shown:?}");
    assert!(place.run(&args).ok().contains("\u{1b}[31mred\t"));
}

#[test]
fn inputs_from_the_log_are_escaped_on_a_terminal_and_raw_else() {
    let place = Place::new();
    place.file("in", "\u{1b}[31mred\n");
    place.run(&["-q", "-t", "null", "--items", "lines", "-i", "in", "--log-dir", "log"]).ok();
    assert_eq!(on_a_terminal(&place, "inspect log --inputs"), "\\u{1b}[31mred\n");
    assert_eq!(place.run(&["inspect", "log", "--inputs"]).ok(), "\u{1b}[31mred\n");
}

//! `--resume` with each kind of input: the output goes on at the item where it ended.

use crate::interrupted::{RUN, destroy, good, happens, interrupted, with};
use crate::support::{Place, item_lines, lines, roots, runs};
use std::process::Command;

#[test]
fn every_way_to_choose_items_goes_on_where_it_was() {
    // Three of 42 can't be taken the root of.
    let all: Vec<_> = (1..=42).map(|n| if n % 13 == 0 { -n } else { n }.to_string()).collect();
    for (limit, more) in [
        ("3", &["--skip", "7"][..]),
        ("2", &["--size", "30"]),
        ("5", &["--cycle", "--size", "170"]),
        ("2", &["--shuffle", "5"]),
        ("5", &["--shuffle", "5", "--cycle", "--skip", "3", "--size", "130"]),
        ("3", &["--items", "lines"]),
        ("3", &["--items", "nul"]),
    ] {
        let place = Place::new();
        place.file("in", all.join(if more.contains(&"nul") { "\0" } else { "\n" }));
        let args = with(&["-t", "sqrt", "--format", "csv", "-i", "in", "--log=off"], more);
        let expected = place.run(&with(&args, &["-k"])).fails(1, "").out;
        // The last failure that is allowed ends it, in the second pass of a cycle.
        let limited = with(&args, &["-o", "out", "--max-failures", limit, "--chunk", "5"]);
        place.run(&limited).fails(1, "--resume continues after them");
        assert!(good(&place, "out") > 9 && expected.starts_with(&place.read("out")), "{more:?}");
        place.run(&with(&args, &["-o", "out", "--resume", "-k"])).fails(1, "continuing after");
        assert_eq!(place.read("out"), expected, "{more:?}");
    }
}

#[test]
fn rows_of_a_picture_go_on_and_a_picture_is_locked() {
    let place = Place::new();
    let rows = ["-t", "mandelbrot", "--size", "200", "--log=off", "-q", "-o", "m.csv"];
    let args = with(&rows, &["--param", "max-iterations=2000"]);
    place.run(&args).ok();
    let expected = place.read("m.csv");
    let mut child = place.command(&args).spawn().expect("the coordinator starts");
    let came = happens(&mut child, || good(&place, "m.csv") > 20);
    destroy(child);
    if came {
        place.run(&with(&rows, &["--resume"])).fails(2, "max-iterations=2000, not with");
        place.run(&with(&args, &["--resume"])).ok();
    }
    assert!(place.read("m.csv") == expected);
    let held = std::fs::File::create(place.path("m.png")).expect("a file");
    held.lock().expect("a lock");
    let picture = ["-t", "mandelbrot", "--size", "20", "--log=off", "-q", "-o", "m.png"];
    place.run(&picture).fails(2, "m.png is in use");
    drop(held);
    place.run(&picture).ok();
}

#[test]
fn packed_input_is_read_again_from_its_beginning() {
    let place = Place::new();
    let pack = |n: u64| {
        place.file("in", lines(n));
        let packed = Command::new("gzip").args(["-kf", "in"]).current_dir(place.path("")).status();
        assert!(packed.expect("gzip").success());
    };
    pack(5000);
    interrupted(&place, &lines(101));
    let resume = with(&RUN, &["-i", "in.gz", "--resume"]);
    place.run(&resume).ok();
    assert_eq!(place.read("out"), roots(5000));
    pack(5001);
    place.run(&with(&["-t", "sqrt", "-o", "out", "--log=off", "-i", "in.gz"], &["--resume"])).fails(0, "has more");
}

#[test]
fn indexes_in_the_log_go_on() {
    let place = Place::new();
    interrupted(&place, &lines(100));
    let args = ["-t", "sqrt", "-o", "out", "--resume", "--log-dir", "log"];
    place.run_on(&args, lines(130)).fails(0, "continuing after the first 100 items");
    let run = &runs(&place.path("log"))[0];
    let mut items: Vec<_> = item_lines(run).iter().filter_map(|line| line["item"].as_u64()).collect();
    items.sort_unstable();
    assert_eq!(items, (100..130).collect::<Vec<_>>());
}

//! The task `mandelbrot`: counts of iterations, pictures, and refused arguments.

use crate::support::{Place, json_lines, runs};
use std::io::Cursor;

/// As one would write it down: a pixel after the other, a step after the other.
fn reference(side: u32, max: u32) -> String {
    let mut text = String::new();
    for row in 0..side {
        let y0 = f64::from(row) * 2.0 / f64::from(side) - 1.0;
        let counts: Vec<String> = (0..side)
            .map(|column| {
                let x0 = f64::from(column) * 3.5 / f64::from(side) - 2.5;
                let (mut x, mut y, mut count) = (0.0, 0.0, 0);
                while x * x + y * y < 4.0 && count < max {
                    (x, y) = (x * x - y * y + x0, 2.0 * x * y + y0);
                    count += 1;
                }
                count.to_string()
            })
            .collect();
        text += &(counts.join(",") + "\n");
    }
    text
}

/// A picture's side, and red, green, blue and opacity of each pixel.
fn picture(place: &Place, name: &str) -> (u32, Vec<[u8; 4]>) {
    let bytes = std::fs::read(place.path(name)).expect("a picture");
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::ALPHA | png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a header");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("an image");
    assert_eq!(info.width, info.height);
    reader.finish().expect("an end");
    (info.width, pixels.chunks(4).map(|pixel| pixel.try_into().expect("four bytes")).collect())
}

#[test]
fn rows_are_those_of_a_plain_loop() {
    let place = Place::new();
    for side in [1, 50, 97] {
        let size = side.to_string();
        assert_eq!(place.run(&["-t", "mandelbrot", "--size", &size, "-j3"]).ok(), reference(side, 1000), "{side}");
    }
    let args = ["-t", "mandelbrot", "--size", "40", "--param", "max-iterations=77", "-o", "m.csv"];
    assert_eq!(place.run(&args).ok(), "");
    assert_eq!(place.read("m.csv"), reference(40, 77));
}

#[test]
fn a_region_is_a_part_of_the_plane() {
    let place = Place::new();
    let region = |region: &str| {
        place.run(&["-t", "mandelbrot", "--size", "2", "--param", &format!("region={region}"), "-j1"]).ok()
    };
    assert_eq!(region("-2.5,-1,1,1"), reference(2, 1000));
    // 0, 2, and two points off the axis: 0 stays, the others are out at once or soon.
    assert_eq!(region("0,0,4,4"), "1000,1\n1,1\n");
}

#[test]
fn other_formats_carry_the_rows_number() {
    let place = Place::new();
    let run = |format: &str| place.run(&["-t", "mandelbrot", "--size", "2", "--format", format]).ok();
    let rows: Vec<String> = reference(2, 1000).lines().map(str::to_owned).collect();
    assert_eq!(run("csv"), reference(2, 1000));
    assert_eq!(run("tsv"), format!("0\t{}\n1\t{}\n", rows[0], rows[1]));
    let json = run("jsonl");
    assert!(json.starts_with(&format!("{{\"index\":0,\"input\":\"0\",\"output\":\"{}\"}}\n", rows[0])), "{json}");
}

#[test]
fn a_picture_is_black_where_the_set_is() {
    let place = Place::new();
    place.run(&["-t", "mandelbrot", "--size", "60", "-j2", "-o", "m.png"]).ok();
    let (side, pixels) = picture(&place, "m.png");
    assert_eq!(side, 60);
    let text = reference(60, 1000);
    let counts: Vec<u32> = text.split([',', '\n']).filter_map(|count| count.parse().ok()).collect();
    for (pixel, count) in pixels.iter().zip(&counts) {
        assert_eq!(*pixel == [0, 0, 0, 255], *count == 1000, "{pixel:?} for {count}");
        assert_eq!(pixel[3], 255);
    }
    let mut colours = std::collections::BTreeMap::new();
    for (pixel, count) in pixels.iter().zip(&counts) {
        assert_eq!(colours.entry(count).or_insert(pixel), &pixel, "one colour for {count}");
    }
    let bytes = std::fs::read(place.path("m.png")).expect("a picture");
    place.run(&["-t", "mandelbrot", "--size", "60", "-j1", "--chunk", "7", "-o", "again.png"]).ok();
    assert_eq!(std::fs::read(place.path("again.png")).expect("a picture"), bytes, "the same in every byte");
}

#[test]
fn of_several_sizes_each_has_its_picture() {
    let place = Place::new();
    let args = ["-t", "mandelbrot", "--size", "20,30", "--procs", "1,2", "-o", "m.png", "--log-dir", "log"];
    let ended = place.run(&args);
    assert!(ended.err.contains("size") && ended.err.contains("speedup"), "{}", ended.err);
    assert_eq!(ended.ok(), "");
    for side in [20, 30] {
        assert_eq!(picture(&place, &format!("m-{side}.png")).0, side);
    }
    assert!(!place.path("m.png").exists());
    // Four that are measured, and two that write: the time of a picture is in none of the four.
    assert_eq!(runs(&place.path("log")).len(), 6);
    place.run(&["-t", "mandelbrot", "--size", "20", "--procs", "1,2", "-o", "one.png"]).ok();
    assert_eq!(picture(&place, "one.png").0, 20);
}

#[test]
fn a_study_shows_the_side_and_writes_the_largest_counts_once() {
    let place = Place::new();
    let args = ["-t", "mandelbrot", "--size", "10,30", "--procs", "1,2", "-o", "m.csv", "--log-dir", "log"];
    let ended = place.run(&args);
    let rows = ended.err.lines().filter(|line| line.starts_with("procs ") && line.contains(" 30 "));
    assert!(rows.count() >= 2, "{}", ended.err);
    ended.ok();
    assert_eq!(place.read("m.csv"), reference(30, 1000));
    let study: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("log/study.json")).expect("a study")).expect("JSON");
    assert_eq!(study["configurations"][3]["size"], 30);
    let lines: usize = std::fs::read_dir(place.path("log/run-1"))
        .expect("a run")
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("worker-"))
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "jsonl"))
        .map(|file| json_lines(&file.path()).len())
        .sum();
    assert_eq!(lines, 10, "a line for each row");
}

/// Waits until something of a picture is written, wherever that is.
fn wait_for_rows(place: &Place, child: &mut std::process::Child) {
    let is_written = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        (name.ends_with(".png") || name.ends_with(".new")) && entry.metadata().is_ok_and(|about| about.len() > 10)
    };
    while !std::fs::read_dir(place.path("")).expect("a folder").flatten().any(is_written) {
        assert!(child.try_wait().expect("its state").is_none(), "it ended too early");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_run_leaves_the_picture_that_was_there() {
    let place = Place::new();
    place.file("m.png", "a picture");
    let args = ["-t", "mandelbrot", "--size", "3000", "--param", "max-iterations=100000", "-j1", "-o", "m.png"];
    let mut child = place.command(&args).spawn().expect("it starts");
    wait_for_rows(&place, &mut child);
    child.kill().expect("it runs");
    assert_eq!(crate::support::Ended::of(child).status, -1);
    assert_eq!(place.read("m.png"), "a picture");
    place.run(&["-t", "mandelbrot", "--size", "3", "-o", "m.png"]).ok();
    assert_eq!(picture(&place, "m.png").0, 3, "and nothing is in the way of the next one");
}

#[test]
fn an_ended_run_leaves_a_picture_that_can_be_looked_at() {
    let place = Place::new();
    // So much to compute that it is not done when it is told to end, and so little to
    // compress that the picture is written in the time that an ended run has.
    let args = ["-t", "mandelbrot", "--size", "300", "--param", "max-iterations=100000000", "-j1", "-o", "m.png"];
    let mut command = place.command(&args);
    let mut child = command.spawn().expect("it starts");
    wait_for_rows(&place, &mut child);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is told");
    assert_eq!(crate::support::Ended::of(child).status, 143);
    let (side, pixels) = picture(&place, "m.png");
    assert_eq!((side, pixels[0][3]), (300, 255));
    assert_eq!(pixels.last().expect("a pixel")[3], 0, "what was not computed is transparent");
}

#[test]
fn what_makes_no_picture_is_refused() {
    let place = Place::new();
    let refused = |args: &[&str], says: &str| {
        place.run(&[&["-t", "mandelbrot"], args].concat()).fails(2, says);
    };
    refused(&["--range", "0..5"], "--size");
    refused(&["--list", "1,2"], "--size");
    refused(&["--shuffle", "7"], "--size");
    refused(&["--param", "region=1,1,0,0"], "region=-2.5,-1,1,1");
    refused(&["--param", "max-iterations=0"], "max-iterations");
    refused(&["--size", "9999999"], "1000000");
    place.run(&["-t", "mandelbrot", "--size", "5,6", "-o", "no/m.png"]).fails(4, "no/m-5.png");
}

#[test]
fn it_is_listed_with_its_settings() {
    let out = Place::new().run(&["tasks"]).ok();
    for word in ["mandelbrot", "rows", "max-iterations", "[default: 1000]", "region", "[default: -2.5,-1,1,1]"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    assert!(!out.contains("side="), "{out}");
}

//! The files that show what was measured, and the advice beside them.

use crate::marks::{Trace, bars, csv, document, sum};
use crate::support::{Ended, Place, lines, nothing_is_left, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Child;

const FILES: [&str; 8] =
    ["--report", "page.html", "--chart", "chart.svg", "--timings", "timings.csv", "--trace", "trace.json"];

fn with_files<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &FILES].concat()
}

/// Two counts by two sizes: what each file has to show of it.
#[test]
fn each_file_shows_every_run() {
    for log in ["task", "chunk", "off"] {
        let place = Place::new();
        place.file("in", lines(30));
        let args = ["-t", "sqrt", "-i", "in", "-j1,2", "--size", "10,30", "--repeat", "2", "-q", "--log", log];
        let ended = place.run(&with_files(&args));
        assert_eq!(ended.err, "", "--log {log}");
        ended.ok();
        let page = place.read("page.html");
        assert_eq!(bars(&page), 2 * 4, "by count and by size, --log {log}");
        assert_eq!(bars(&place.read("chart.svg")), 4);
        document(&place.read("chart.svg"));
        let rows = csv(&place.read("timings.csv"));
        let of = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
        assert_eq!((of("run"), of("worker")), (8, 4 * 3), "--log {log}");
        assert_eq!(sum(&rows, "run", "items"), 2.0 * 2.0 * 40.0);
        assert_eq!(sum(&rows, "worker", "items"), 2.0 * 2.0 * 40.0);
        let trace = Trace::parse(&place.read("trace.json"));
        assert_eq!(trace.spans("run").len(), 8);
        let items = if log == "task" { trace.spans("item").len() as u64 } else { trace.items_of_chunks() };
        assert_eq!(items, 2 * 2 * 40, "--log {log}");
        assert_eq!(std::fs::read_dir(place.path(".")).expect("the folder").count(), 5 + usize::from(log != "off"));
    }
}

/// Deaths and retries are in the trace, whatever is logged, and keep its rules.
#[test]
fn a_trace_of_deaths_and_retries() {
    for log in ["task", "chunk", "off"] {
        let place = Place::new();
        let input = format!("{}abort\n{}abort\n", lines(300), lines(300));
        let args = ["-t", "misbehave", "-j2", "-k", "-q", "--log", log, "--trace", "t.json", "--report", "p.html"];
        place.run_on(&args, input).fails(1, "2 items failed");
        let trace = Trace::parse(&place.read("t.json"));
        // Each of the two is tried three times, the last of them on record.
        assert!(trace.instants("death") >= 6, "--log {log}");
        assert!(trace.instants("retry") >= 2, "--log {log}");
        assert!(place.read("p.html").contains("2 items failed"));
    }
}

#[test]
fn other_formats_by_their_extension() {
    let place = Place::new();
    let args = ["-t", "sqrt", "--list", "4,9", "-j1", "-q", "--chart", "c.PNG", "--timings"];
    place.run(&[&args[..], &["t.json"]].concat()).ok();
    let picture = std::fs::read(place.path("c.PNG")).expect("a picture");
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a picture");
    let size = reader.output_buffer_size().expect("a size");
    reader.next_frame(&mut vec![0; size]).expect("its pixels");
    let json: serde_json::Value = serde_json::from_str(&place.read("t.json")).expect("JSON");
    assert_eq!(json["calls"][0]["measured"][0]["items"], 2);
    place.run(&[&args[..], &["t.md"]].concat()).ok();
    let table = place.read("t.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(rows.iter().all(|row| row.matches('|').count() == rows[0].matches('|').count()), "{table}");
}

/// What items say is text, wherever it is shown.
#[test]
fn nothing_from_items_is_markup_and_nothing_is_loaded() {
    let place = Place::new();
    let evil = "<script>alert(1)</script><img src=http://evil.example/ onerror=x>\u{1b}[31m\u{202e}\"'&";
    let input = format!("1\nfail {evil}\n{evil}\n");
    place.run_on(&with_files(&["-t", "misbehave", "-j2", "-k"]), &input).fails(1, "");
    let page = place.read("page.html");
    document(&page);
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    for word in ["<script", "<img", "\u{1b}", "\u{202e}", "src=\"http", "href=", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    let loaded = page.replace("http://www.w3.org/2000/svg", "").replace("http://evil.example/", "");
    assert!(!loaded.contains("http:") && !loaded.contains("https:"), "{loaded}");
    Trace::parse(&place.read("trace.json"));
    document(&place.read("chart.svg"));
}

#[test]
fn what_can_not_be_written_is_refused_before_any_work() {
    let place = Place::new();
    std::fs::create_dir(place.path("folder.html")).expect("a folder");
    for (flag, file, says) in [
        ("--report", "page.txt", "must end in .html"),
        ("--report", "page", "must end in .html"),
        ("--chart", "chart.pdf", "must end in .svg or .png"),
        ("--timings", "t.txt", "must end in .json or .csv or .md"),
        ("--trace", "trace.html", "must end in .json"),
        ("--report", "none/page.html", "--report none/page.html: "),
        ("--report", "folder.html", "--report folder.html: "),
        ("--trace", "/proc/trace.json", "--trace /proc/trace.json: "),
    ] {
        let ended = place.run(&["-t", "sqrt", "--list", "4", flag, file]).fails(2, says);
        assert_eq!(ended.out, "", "{flag} {file}");
        place.run(&["inspect", flag, file]).fails(2, "");
    }
    place.run(&["-t", "sqrt", "--list", "4", "--timings", "a.json", "--trace", "./a.json"]).fails(2, "the same file");
    place.file("in.csv", "4\n");
    place.run(&["-t", "sqrt", "-i", "in.csv", "--timings", "in.csv"]).fails(2, "--input and --timings");
    assert_eq!(place.read("in.csv"), "4\n");
    place.run(&["-t", "sqrt", "--list", "4", "-o", "o.csv", "--timings", "o.csv"]).fails(2, "the same file");
}

/// A file that can't be written in the end is told, and told by the status.
#[test]
fn a_full_disk_is_status_4() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/full", place.path("page.html")).expect("a link");
    let ended = place.run(&["-t", "sqrt", "--list", "4", "-q", "--report", "page.html"]);
    assert_eq!(ended.fails(4, "error: --report page.html: ").out, "4\t2.0\n");
}

/// A study whose second run does not end, with the files of its first.
fn stuck(place: &Place) -> Child {
    let args = ["-t", "misbehave", "--list", "a,deadlock", "--size", "1,2", "-j1", "--log-dir", "log"];
    let child = place.command(&with_files(&args)).spawn().expect("it starts");
    until("the last file is there", || place.path("trace.json").exists());
    until("the second run is at work", || place.path("log/run-2/workers.jsonl").exists());
    child
}

#[test]
fn a_killed_study_leaves_what_was_measured() {
    let place = Place::new();
    let mut child = stuck(&place);
    child.kill().expect("it is killed");
    child.wait().expect("it is reaped");
    let page = place.read("page.html");
    document(&page);
    assert_eq!((bars(&page), bars(&place.read("chart.svg"))), (1, 1));
    assert_eq!(csv(&place.read("timings.csv")).iter().filter(|row| row["kind"] == "run").count(), 1);
    assert_eq!(Trace::parse(&place.read("trace.json")).spans("run").len(), 1);
    nothing_is_left(&place);
}

#[test]
fn a_study_that_is_ended_shows_the_run_that_it_ended_in() {
    let place = Place::new();
    let child = stuck(&place);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("the signal is sent");
    let ended = Ended::of(child);
    assert_eq!(ended.status, 130, "{}", ended.err);
    let rows = csv(&place.read("timings.csv"));
    let statuses: Vec<&str> = rows.iter().filter(|row| row["kind"] == "run").map(|row| &*row["status"]).collect();
    assert_eq!(statuses, ["completed", "interrupted"]);
    assert_eq!(Trace::parse(&place.read("trace.json")).spans("run").len(), 2);
    assert!(place.read("page.html").contains("not completed"));
}

#[test]
fn inspect_makes_the_same_files_from_the_log_alone() {
    let place = Place::new();
    let args = ["-t", "sqrt", "--range", "0..500", "-j1,2", "--repeat", "2", "--log-dir", "log"];
    place.run(&with_files(&args)).ok();
    let made: Vec<String> = [1, 3, 5, 7].map(|at| place.read(FILES[at])).into();
    [1, 3, 5, 7].iter().for_each(|&at| std::fs::remove_file(place.path(FILES[at])).expect("removed"));
    let overview = place.run(&with_files(&["inspect", "log"])).ok();
    assert!(overview.contains("speedup"), "{overview}");
    for (at, before) in [1, 3, 5, 7].into_iter().zip(made) {
        assert_eq!(place.read(FILES[at]), before, "{}", FILES[at]);
    }
    place.run(&["inspect", "log", "--run", "2", "--timings", "two.csv"]).ok();
    assert_eq!(csv(&place.read("two.csv")).iter().filter(|row| row["kind"] == "run").count(), 1);
    place.run(&["inspect", "log", "--run", "9", "--timings", "nine.csv"]).fails(2, "no run 9");
    assert!(!place.path("nine.csv").exists());
}

#[test]
fn several_logs_stand_beside_each_other() {
    let place = Place::new();
    for log in ["first", "second"] {
        place.run(&["-t", "sqrt", "--range", "0..500", "-j1,2", "--log-dir", log]).ok();
    }
    let args = with_files(&["inspect", "first", "second"]);
    place.run(&["inspect", "first", "second", "--timings", "timings.json"]).ok();
    let overview = place.run(&args).ok();
    assert!(overview.contains("log 1: first") && overview.contains("log 2: second"), "{overview}");
    assert_eq!(bars(&place.read("page.html")), 4);
    assert_eq!(bars(&place.read("chart.svg")), 4);
    let rows = csv(&place.read("timings.csv"));
    let of = |log: &str| rows.iter().filter(|row| row["kind"] == "run" && row["log"] == log).count();
    assert_eq!((of("first"), of("second")), (2, 2));
    let json: serde_json::Value =
        serde_json::from_str(&place.run(&["inspect", "first", "second", "--json"]).ok()).expect("JSON");
    for (at, log) in ["first", "second"].into_iter().enumerate() {
        // What the tables say is what the files say, ceilings too.
        let calls: serde_json::Value = serde_json::from_str(&place.read("timings.json")).expect("JSON");
        let told = |rows: &serde_json::Value| {
            let mut rows = rows.as_array().cloned().unwrap_or_default();
            // Exact where every item's line is read, else as the run had it.
            rows.iter_mut().filter_map(|row| row.as_object_mut()).for_each(|row| drop(row.remove("longest_s")));
            rows
        };
        assert_eq!(told(&json[at]["measured"]), told(&calls["calls"][at]["measured"]));
        let wall = |row: &&crate::marks::Row| row["log"] == log && row["kind"] == "run" && row["count"] == "2";
        let wall: f64 = rows.iter().find(wall).expect("a run")["wall_s"].parse().expect("seconds");
        assert_eq!(json[at]["measured"][1]["wall_s"].as_f64(), Some(wall));
        assert!(json[at]["measured"][1]["speedup"].as_f64().is_some_and(|speedup| speedup > 0.0), "{json}");
    }
}

#[test]
fn the_demonstration_shows_the_table_and_the_page() {
    let place = Place::new();
    let ended = place.run(&["demo", "--repeat", "1"]);
    for word in ["speedup", "efficiency"] {
        assert!(ended.err.contains(word), "{}", ended.err);
    }
    let page = ended.err.lines().find_map(|line| line.strip_prefix("page: ")).expect("the page is named").to_owned();
    assert_eq!(ended.ok(), "");
    assert_eq!(std::fs::canonicalize(page).ok(), std::fs::canonicalize(place.path("procession-demo.html")).ok());
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cpus <= 8 {
        assert_eq!(bars(&place.read("procession-demo.html")), 2 * 3 * cpus, "by count and by size");
    }
}

#[test]
fn where_nothing_can_be_written_the_demonstration_s_page_is_in_the_log() {
    let place = Place::new();
    let demo = place.command(&["demo", "--repeat", "1", "--report", "/proc/demo.html"]).spawn().expect("it starts");
    let logs = place.path("state/procession");
    let has_page = |log: std::fs::DirEntry| log.path().join("demo.html").exists();
    until("a page is there", || std::fs::read_dir(&logs).is_ok_and(|mut logs| logs.any(|log| log.is_ok_and(has_page))));
    // What remains of it shows nothing new.
    kill(Pid::from_raw(demo.id().cast_signed()), Signal::SIGINT).expect("the signal is sent");
    let ended = Ended::of(demo);
    let page = ended.err.lines().find_map(|line| line.strip_prefix("page: ")).expect("the page is named").to_owned();
    assert_eq!(ended.status, 130, "{}", ended.err);
    let state = place.path("state").canonicalize().expect("a folder");
    assert!(std::fs::canonicalize(&page).expect("a page").starts_with(state), "{page}");
}

#[test]
fn advice_is_shown_for_measurements_only() {
    let place = Place::new();
    let hints = |args: &[&str]| {
        let err = place.run(&[&["-t", "sqrt"], args].concat()).err;
        let hints = err.split("hint: ").skip(1).map(|hint| hint.lines().take(2).map(str::trim).collect::<Vec<_>>());
        hints.map(|lines| lines.join(" ")).collect::<Vec<_>>()
    };
    for plain in
        [&["--list", "4,9"][..], &["--list", "4"], &["--range", "0..5000", "-j9"], &["--list", "4", "-j2", "-q"]]
    {
        assert_eq!(hints(plain), [""; 0], "{plain:?}");
    }
    let idle = hints(&["--list", "4", "-j3"]);
    assert_eq!(idle, ["1 item, 3 workers: 2 have nothing to do. Take at least 3 items, or 1 worker at most."]);
    let short = hints(&["--list", "4,9", "-j1,2"]);
    assert!(short.iter().any(|hint| hint.ends_with(" is unknown. Add --repeat 3.")), "{short:?}");
    let repeated = hints(&["--list", "4,9", "-j1,2", "--repeat", "2"]);
    assert!(!repeated.iter().any(|hint| hint.contains("--repeat 3")), "{repeated:?}");
}

#[test]
fn a_chart_can_be_a_png_picture() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--range", "0..9", "--procs", "1,2", "-q", "--log=off", "--chart", "chart.png"]).ok();
    let picture = std::fs::read(place.path("chart.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG\r\n"), "{:?}", &picture[..8]);
}

#[test]
fn links_of_other_users_are_not_followed() {
    let place = Place::new();
    std::fs::create_dir(place.path("theirs")).expect("a folder");
    for link in ["page.html", "log"] {
        std::os::unix::fs::symlink(place.path("theirs"), place.path(link)).expect("a link");
        if std::os::unix::fs::lchown(place.path(link), Some(12345), None).is_err() {
            eprintln!("skipped: only root can give a link to another user");
            return;
        }
    }
    let args = ["-t", "sqrt", "--list", "4"];
    place.run(&[&args[..], &["--report", "page.html/p.html"]].concat()).fails(2, "a symbolic link of another user");
    place.run(&[&args[..], &["--log-dir", "log"]].concat()).fails(2, "a symbolic link of another user");
    place.run(&[&args[..], &["--log-dir", "log/new"]].concat()).fails(2, "a symbolic link of another user");
    assert_eq!(std::fs::read_dir(place.path("theirs")).expect("a folder").count(), 0);
}

//! A page as a browser sees it. Without Chromium there is nothing to test.

use procession_report::{
    Configuration, Executor, Machine, RunResult, RunStart, RunStatus, RunSummary, Spans, Study, StudyData, page,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The browser, wherever the system has it.
fn chromium() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// What the document became, and what the browser's console says.
fn look(browser: &Path, page: &Path, profile: &Path) -> std::io::Result<(String, String)> {
    const FLAGS: [&str; 12] = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        "--window-size=390,844",
        "--timeout=30000",
        "--dump-dom",
    ];
    let output = Command::new(browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(output.stdout), text(output.stderr)))
}

fn run(run: u32, count: u32, size: u64, wall_s: f64) -> RunSummary {
    let configuration = Configuration { executor: Executor::Procs, count, size: Some(size), chunk: None };
    let (status, digest, message, other_cpu_s) = (RunStatus::Completed, None, None, None);
    RunSummary {
        run,
        start: RunStart { configuration, repeat: 1, warmup: false },
        result: Some(RunResult {
            status,
            wall_s,
            items: size,
            failures: 0,
            digest,
            message,
            other_cpu_s,
            coordinator: None,
            longest_s: None,
        }),
        status: status.as_str(),
        workers: Vec::new(),
        spans: Spans::default(),
    }
}

fn study() -> StudyData {
    let machine = Machine { logical_cores: 4, usable_cores: 4, ..Machine::default() };
    let hostile = "<img src=x onerror=console.error(1)><script>console.error(2)</script>";
    let study = Study { machine, task: hostile.into(), command: vec![hostile.into()], ..Study::default() };
    let runs = [(1, 10, 13.0), (1, 34, 43.0), (2, 10, 7.0), (2, 34, 22.0), (3, 10, 5.0), (3, 34, 16.0)];
    let runs = runs.into_iter().zip(1..).map(|((count, size, wall_s), number)| run(number, count, size, wall_s));
    StudyData { study, runs: runs.collect(), ..StudyData::default() }
}

#[test]
fn a_browser_draws_every_mark_and_has_nothing_to_say() {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no Chromium in the PATH");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    std::fs::write(&file, page(&[study()]).unwrap()).unwrap();
    let (dom, log) = look(&browser, &file, &dir.path().join("profile")).unwrap();
    let said: Vec<_> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "{said:?}");
    let count = |what: &str| dom.matches(what).count();
    assert_eq!(count("<rect class=\"bar "), 2 * 6, "by count and by size");
    assert_eq!(count("<svg class=\"chart\""), 4);
    // Of two sizes each: a speedup in two charts, an efficiency in one.
    assert_eq!(count("<polyline class=\"line "), 2 * 3);
    assert_eq!((count("<script"), count("<img"), count("<h1>")), (0, 0, 1));
}

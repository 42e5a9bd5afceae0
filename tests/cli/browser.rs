//! The page of a real study as a browser sees it. Without Chromium there is
//! nothing to test.

use crate::support::{Place, lines};
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

fn chromium() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

#[test]
fn a_browser_draws_every_mark_and_has_nothing_to_say() {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no Chromium in the PATH");
        return;
    };
    let place = Place::new();
    let input = lines(50) + "fail <img src=x onerror=console.error(1)><script>console.error(2)</script>\n";
    // The command line is on the page, too.
    place.file("<img src=x onerror=console.error(3)>", input);
    let work = ["-t", "misbehave", "-k", "-q", "-i", "<img src=x onerror=console.error(3)>", "--size", "20,51"];
    let args = [&work[..], &["--serial", "-j1,2", "--repeat", "2", "--report", "page.html"]].concat();
    place.run(&args).fails(1, "");
    let output = Command::new(browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", place.path("profile").display()))
        .arg(format!("file://{}", place.path("page.html").display()))
        .stdin(Stdio::null())
        .output()
        .expect("the browser starts");
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{log}");
    let said: Vec<_> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(crate::marks::bars(&dom), 2 * 6, "by count and by size");
    // By count, speedup, efficiency, by size, phases; and a timeline for each executor and count.
    assert_eq!(dom.matches("<svg class=\"chart\"").count(), 5 + 3);
    let section = |title: &str| {
        let from = dom.split(&format!("<h2>{title}</h2>")).nth(1).unwrap_or_default();
        from.split("</section>").next().unwrap_or_default().to_owned()
    };
    let limits = section("What limits");
    assert!(limits.contains("<p>coordinator, procs 2: reading "), "{limits}");
    let pays = section("When a pool pays");
    assert_eq!(pays.matches("<p>processes: ").count(), 2, "of one and of two: {pays}");
    assert!(pays.contains(" to start and end") && pays.contains(" an item; "), "{pays}");
    assert_eq!((dom.matches("<script").count(), dom.matches("<img").count(), dom.matches("<h1>").count()), (0, 0, 1));
}

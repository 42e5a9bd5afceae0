//! How fast items are read and cut, without anything that runs them:
//! `cargo run --release -p procession-job --example input_speed`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use procession::raw::{Cut, Source as _, Waker};
use procession_job::{Input, InputOptions, IntegerRange, ItemSource};
use procession_task::Items;
use std::io::Write as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn main() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut text = Vec::new();
    for n in 0..10_000_000 {
        writeln!(text, "{:07}", n).unwrap();
    }
    file.write_all(&text).unwrap();
    let path = || ItemSource::Files(vec![file.path().to_owned()]);
    for _ in 0..3 {
        time("80 MB of lines, 128 KiB blocks", path(), Items::Lines, u32::MAX);
        time("80 MB of words, 128 KiB blocks", path(), Items::Words, u32::MAX);
        time("80 MB of lines, 1000 items", path(), Items::Lines, 1000);
        time("80 MB of words, 1000 items", path(), Items::Words, 1000);
        time("80 MB of lines, 1 item", path(), Items::Lines, 1);
        time("1e8 integers", ItemSource::Range(IntegerRange::parse("0..100000000").unwrap()), Items::Lines, u32::MAX);
    }
}

fn time(what: &str, source: ItemSource, items: Items, max_items: u32) {
    let began = Instant::now();
    let cpu = cpu_time();
    let input = Input::open(source, InputOptions::new(items), Box::new(|_| ())).unwrap();
    let (mut source, _) = input.source(None);
    let (wake, wakes) = mpsc::channel();
    source.wake_with(Waker::new(move || {
        let _ = wake.send(());
    }));
    let (mut blocks, mut total, mut cutting) = (0u64, 0u64, Duration::ZERO);
    loop {
        let at = Instant::now();
        let cut = source.cut(max_items, 128 * 1024);
        if max_items > 1 {
            cutting += at.elapsed();
        }
        match cut {
            Cut::Block(block) => (blocks, total) = (blocks + 1, total + u64::from(block.items)),
            Cut::Pending => wakes.recv().unwrap(),
            Cut::End => break,
        }
    }
    println!(
        "{what}: {:?} wall, {:?} CPU, {cutting:?} cutting, {blocks} blocks, {total} items",
        began.elapsed(),
        cpu_time() - cpu
    );
}

fn cpu_time() -> Duration {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    let of = |t: nix::sys::time::TimeVal| Duration::new(t.tv_sec() as u64, t.tv_usec() as u32 * 1000);
    of(usage.user_time()) + of(usage.system_time())
}

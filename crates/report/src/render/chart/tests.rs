//! Charts, looked at as XML: as many marks as there are figures.

use super::frame::number;
use super::phases::PhaseBar;
use super::*;
use crate::model::process::{ProcessName, WorkerEnd};
use crate::model::run_summary::RunSummary;
use crate::model::spans::{Span, SpanKind, Track};
use crate::model::study::Executor;
use crate::model::study_data::StudyData;
use crate::samples::{prime_study, row, run};
use std::time::Duration;

fn study(runs: Vec<RunSummary>) -> StudyData {
    let mut data = StudyData { runs, ..StudyData::default() };
    data.study.machine.usable_cores = 4;
    data
}

/// How many elements of this class a chart has; each must say what it stands for.
fn marks(svg: &Svg, class: &str) -> usize {
    for text in [svg.inline(1), svg.standalone()] {
        roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    let text = svg.inline(1);
    let document = roxmltree::Document::parse(&text).unwrap();
    let is =
        |node: &roxmltree::Node<'_, '_>| node.attribute("class").is_some_and(|of| of.split(' ').next() == Some(class));
    let found: Vec<_> = document.descendants().filter(is).collect();
    let titled = |node: &roxmltree::Node<'_, '_>| node.children().any(|child| child.has_tag_name("title"));
    assert!(["halo", "mesh"].contains(&class) || found.iter().all(titled), "{class}: {text}");
    found.len()
}

#[test]
fn a_chart_of_the_prime_study() {
    let svg = by_count(&[study(prime_study())]).unwrap().unwrap();
    assert_eq!((marks(&svg, "bar"), marks(&svg, "whisker")), (15, 0));
    assert_eq!((marks(&svg, "line"), marks(&svg, "dot")), (3, 15));
    let text = svg.inline(1);
    assert!(
        text.contains("<title>size 34, 4 processes: 13.0 s, speedup 3.31 vs 1 process, at best 3.78 (items)</title>")
    );
    assert!(text.contains(">speedup vs 1 process</text>") && text.contains(">seconds</text>"));
    assert!(text.contains("role=\"img\"") && text.contains("viewBox"));
}

#[test]
fn a_chart_by_size() {
    let svg = by_size(&[study(prime_study())]).unwrap().unwrap();
    assert_eq!(marks(&svg, "bar"), 15);
    assert!(by_size(&[study(vec![run(1, 1, 1.0, vec![])])]).unwrap().is_none(), "one size");
}

#[test]
fn repeats_have_whiskers() {
    let runs = vec![run(1, 1, 2.0, vec![]), run(2, 1, 2.2, vec![]), run(3, 2, 1.0, vec![])];
    let svg = by_count(&[study(runs)]).unwrap().unwrap();
    assert_eq!((marks(&svg, "bar"), marks(&svg, "whisker")), (2, 1));
}

#[test]
fn many_counts_are_drawn_as_lines() {
    let runs = (1..=40).map(|count| run(count, count, 40.0 / f64::from(count), vec![])).collect();
    let svg = by_count(&[study(runs)]).unwrap().unwrap();
    assert_eq!((marks(&svg, "bar"), marks(&svg, "line"), marks(&svg, "dot")), (0, 2, 80));
}

#[test]
fn speedup_and_efficiency_with_amdahls_law() {
    let data = [study(prime_study())];
    for svg in [speedup(&data).unwrap().unwrap(), efficiency(&data).unwrap().unwrap()] {
        // The ideal, three ceilings (of 10, 17 and 34 items) and three laws.
        assert_eq!((marks(&svg, "line"), marks(&svg, "dot"), marks(&svg, "thin")), (3, 15, 7));
    }
    assert!(speedup(&[study(vec![run(1, 1, 1.0, vec![])])]).unwrap().is_none(), "nothing to compare");
}

#[test]
fn executors_and_machines_are_separate_series() {
    let mut runs = vec![run(1, 1, 4.0, vec![]), run(2, 2, 2.1, vec![]), run(3, 2, 2.2, vec![])];
    runs[0].start.configuration.executor = Executor::Serial;
    runs[1].start.configuration.executor = Executor::Threads;
    let (mut one, mut other) = (study(runs.clone()), study(runs));
    (one.label, other.label) = ("here".into(), "there".into());
    let svg = by_count(&[one, other]).unwrap().unwrap();
    assert_eq!(marks(&svg, "bar"), 6);
    let text = svg.inline(1);
    for name in [">here, serial<", ">there, threads<", ">there, procs<", ">workers<"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn phases_are_stacked() {
    let bar = |label: &str, busy| PhaseBar {
        label: label.into(),
        phases: vec![("busy".into(), Duration::from_millis(busy)), ("<none>".into(), Duration::from_millis(5))],
    };
    let svg = phases(&[bar("1 process", 100), bar("2 processes", 50)]).unwrap().unwrap();
    assert_eq!(marks(&svg, "part"), 4);
    assert!(svg.inline(1).contains("<title>1 process: busy 100 ms (95.2 %)</title>"));
    assert!(phases(&[]).unwrap().is_none());
    let of_workers = study(vec![run(1, 1, 1.0, vec![row(0, 10, 0.1, (0.5, 0.2, 0.1))])]);
    let bars = phase_bars(&[of_workers]);
    assert!(bars[0].phases.contains(&("running".into(), Duration::from_millis(500))), "{bars:?}");
}

#[test]
fn a_million_items_are_a_small_timeline() {
    let mut worker = row(0, 10, 0.1, (9.0, 0.2, 0.1));
    worker.exited_s = Some(10.0);
    worker.end = Some(WorkerEnd { signal: Some(9), ..WorkerEnd::default() });
    let mut run = run(1, 1, 10.0, vec![worker]);
    let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 10 });
    for at in 0..1_000_000_u64 {
        let start_s = at as f64 * 1e-5;
        let (kind, busy_s, end_s) = (SpanKind::Work, 0.5e-5, start_s + 0.5e-5);
        track.push(Span { kind, start_s, end_s, busy_s, first: at, items: 1, chunk: at / 100, attempt: 1 });
    }
    run.spans.tracks.push(track);
    let svg = timeline(&run).unwrap().unwrap();
    let spans = marks(&svg, "span");
    assert!((1..=500).contains(&spans), "{spans}");
    assert_eq!((marks(&svg, "death"), marks(&svg, "part")), (1, 2));
    assert!(svg.inline(1).len() < 1_000_000 && svg.inline(1).contains("fill-opacity"));
}

#[test]
#[cfg(feature = "png")]
fn a_chart_as_png_is_three_times_as_wide() {
    let png = by_count(&[study(prime_study())]).unwrap().unwrap().to_png().unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!(side(16), 3 * frame::WIDTH);
    assert!(png.len() > 10_000, "{} bytes are an empty picture", png.len());
}

#[test]
fn numbers_at_axes() {
    assert_eq!([0.0, -0.0, 1.0, 1.5, 0.25, 1200.0].map(number), ["0", "0", "1", "1.5", "0.25", "1200"]);
}

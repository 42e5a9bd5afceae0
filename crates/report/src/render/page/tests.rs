//! Pages of what was never measured, looked at as text.

use super::page;
use crate::model::failure::FailureList;
use crate::model::failure::FailureRow;
use crate::model::study::{Machine, StudyRecord};
use crate::model::study_data::StudyData;
use crate::samples::{prime_study, row, run};
use procession_task::FailureKind;

const HOSTILE: &str = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\x1b[31m\"'&";

fn study() -> StudyData {
    let machine = Machine { logical_cores: 4, usable_cores: 4, ..Machine::default() };
    StudyData { study: StudyRecord { machine, ..StudyRecord::default() }, runs: prime_study(), ..StudyData::default() }
}

fn hostile() -> StudyData {
    let mut data = study();
    data.study.task = HOSTILE.into();
    data.study.command = vec!["coordinator".into(), HOSTILE.into()];
    data.study.machine.host = HOSTILE.into();
    data.study.params.insert(HOSTILE.into(), HOSTILE.into());
    data.label = HOSTILE.into();
    let mut worker = row(0, 4242, 0.1, (1.0, 0.1, 0.1));
    worker.host = HOSTILE.into();
    data.runs.push(run(99, 6, 1.0, vec![worker]));
    let failure = FailureRow {
        item: 1,
        place: Some(HOSTILE.into()),
        input: HOSTILE.as_bytes().to_vec(),
        kind: FailureKind::Failed,
        message: HOSTILE.into(),
        pid: 7,
        attempts: 1,
        file: None,
    };
    data.failures = FailureList { rows: vec![failure], total: 1 };
    data
}

/// The page as XML: it is written so that it is both.
fn parsed(html: &str) -> String {
    let xml = html.replace("<!DOCTYPE html>\n", "");
    let mut out = String::new();
    for line in xml.lines() {
        let is_meta = line.starts_with("<meta ");
        out += &if is_meta { line.replace("\">", "\"/>") } else { line.to_owned() };
        out.push('\n');
    }
    out.replace("<details open>", "<details open=\"\">")
}

#[test]
fn pages_are_well_formed() {
    for data in [vec![], vec![study()], vec![hostile()], vec![study(), hostile()]] {
        let html = page(&data).unwrap();
        let xml = parsed(&html);
        let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
        let ids: Vec<_> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(ids.len(), distinct.len(), "{ids:?}");
    }
}

#[test]
fn nothing_hostile_is_markup() {
    let html = page(&[hostile()]).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(!html.contains(|c: char| c == '\u{202e}' || c.is_control() && c != '\n'));
    assert!(html.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn nothing_is_loaded() {
    let html = page(&[study()]).unwrap();
    assert!(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; "));
    let without_names = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http:", "https:", "url(", "@import", " src=", " href=", "<link", "<script"] {
        assert!(!without_names.contains(word), "{word}");
    }
}

#[test]
fn a_bar_for_each_configuration() {
    let html = page(&[study()]).unwrap();
    // By count and by size.
    assert_eq!(html.matches("<rect class=\"bar ").count(), 2 * 15);
    assert_eq!(html.matches("<h1>").count(), 1);
    assert!(html.contains("lang=\"en\"") && html.contains("<figcaption>") && html.contains("<caption>"));
    assert!(html.contains("size 17: 5 processes: 3.67× as fast as 1."), "{html}");
}

//! Reads the files that show what was measured, and holds them against the
//! rules of their formats.

use serde_json::Value;
use std::collections::HashMap;

/// A row of a CSV file, by its columns' names.
pub(crate) type Row = HashMap<String, String>;

/// The bars of times in a chart, or in all charts of a page.
pub(crate) fn bars(text: &str) -> usize {
    text.matches("<rect class=\"bar ").count()
}

/// Asserts that this is well-formed: a page is written so that it is XML, but
/// for its first line, its empty elements and an attribute without a value.
pub(crate) fn document(text: &str) {
    let text = text.replace("<!DOCTYPE html>\n", "").replace("<details open>", "<details open=\"\">");
    let line = |line: &str| if line.starts_with("<meta ") { line.replace("\">", "\"/>") } else { line.to_owned() };
    let text = text.lines().map(line).collect::<Vec<_>>().join("\n");
    if let Err(error) = roxmltree::Document::parse(&text) {
        panic!("{error}\n{text}");
    }
}

/// The rows of a CSV file whose cells hold no line ends.
pub(crate) fn csv(text: &str) -> Vec<Row> {
    let mut lines = text.split_terminator("\r\n").map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().expect("a heading");
    let row = |cells: Vec<String>| {
        assert_eq!(cells.len(), head.len(), "{cells:?}");
        head.iter().cloned().zip(cells).collect()
    };
    lines.map(row).collect()
}

/// The sum of a column, over the rows of this kind.
pub(crate) fn sum(rows: &[Row], kind: &str, column: &str) -> f64 {
    let rows = rows.iter().filter(|row| row["kind"] == kind);
    rows.map(|row| row[column].parse::<f64>().expect("a number")).sum()
}

/// A trace whose events keep the rules.
pub(crate) struct Trace(Vec<Value>);

impl Trace {
    /// Asserts what the format asks of every event, that a process has a name,
    /// and that what happens on a track is nested.
    pub(crate) fn parse(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).expect("JSON");
        let events = json["traceEvents"].as_array().expect("events").clone();
        let mut tracks: HashMap<u64, Vec<(f64, f64)>> = HashMap::new();
        let mut named = Vec::new();
        for event in &events {
            let pid = event["pid"].as_u64().expect("a pid");
            assert!(event["name"].is_string() && event["tid"].is_u64(), "{event}");
            match event["ph"].as_str().expect("a phase") {
                "M" => named.push(pid),
                "i" => assert!(event["ts"].as_f64().is_some_and(|at| at >= 0.0), "{event}"),
                "X" => {
                    let number = |key: &str| event[key].as_f64().filter(|number| *number >= 0.0).expect(key);
                    tracks.entry(pid).or_default().push((number("ts"), number("ts") + number("dur")));
                }
                other => panic!("{other}: {event}"),
            }
        }
        for (pid, mut spans) in tracks {
            assert!(named.contains(&pid), "{pid} has no name");
            spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            let mut open: Vec<f64> = Vec::new();
            for (start, end) in spans {
                open.retain(|outer| *outer > start + 0.001);
                assert!(open.iter().all(|outer| *outer >= end - 0.002), "{pid}: {start} … {end} in {open:?}");
                open.push(end);
            }
        }
        Self(events)
    }

    /// Its spans of a category.
    pub(crate) fn spans(&self, category: &str) -> Vec<&Value> {
        self.0.iter().filter(|event| event["ph"] == "X" && event["cat"] == category).collect()
    }

    /// How many moments of a category it marks.
    pub(crate) fn instants(&self, category: &str) -> usize {
        self.0.iter().filter(|event| event["ph"] == "i" && event["cat"] == category).count()
    }

    /// How many items its chunks hold.
    pub(crate) fn items_of_chunks(&self) -> u64 {
        self.spans("chunk").iter().filter_map(|event| event["args"]["items"].as_u64()).sum()
    }
}

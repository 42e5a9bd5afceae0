//! The sections of a page about what limits, and break-even points.

use crate::analysis::break_even;
use crate::model::study_data::StudyData;
use crate::render::coordinator_line;
use crate::text::escape::escape_html;
use std::fmt::Write as _;

/// What limits each configuration, and the coordinator's shares, of each call.
pub(crate) fn limits(data: &[StudyData]) -> String {
    section("What limits", data, |data| {
        let rows = data.measured();
        data.limits(&rows).concat() + &coordinator_line::line(&rows)
    })
}

/// The break-even points of threads and processes.
pub(crate) fn break_evens(data: &[StudyData]) -> String {
    section("When a pool pays", data, |data| {
        let all = break_even::break_evens(&data.measured(), &data.runs, data.usable_cores());
        all.iter().map(|one| format!("{one}\n")).collect()
    })
}

/// A section with a paragraph for each line; empty without lines.
fn section(title: &str, data: &[StudyData], lines: impl Fn(&StudyData) -> String) -> String {
    let mut html = String::new();
    for data in data {
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        for line in lines(data).lines() {
            // No line break between a number and its unit.
            let line = escape_html(line).replace(" %", "\u{a0}%");
            let _ = writeln!(html, "<p>{label}{line}</p>");
        }
    }
    if html.is_empty() { html } else { format!("<section>\n<h2>{title}</h2>\n{html}</section>\n") }
}

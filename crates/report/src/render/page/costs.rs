//! The parts of a page about what limits, and from where on a pool pays.

use crate::analysis::bottleneck;
use crate::analysis::break_even;
use crate::model::study_data::StudyData;
use crate::text::escape::escape_html;
use std::fmt::Write as _;

/// What limits, and where the coordinator's time went, of each call.
pub(crate) fn limits(data: &[StudyData]) -> String {
    section("What limits", data, |data| bottleneck::wording::lines(&data.measured(), data.usable_cores()))
}

/// From where on threads and processes beat the loop, of each count.
pub(crate) fn break_evens(data: &[StudyData]) -> String {
    section("When a pool pays", data, |data| {
        let all = break_even::break_evens(&data.measured(), &data.runs, data.usable_cores());
        all.iter().map(|one| format!("{one}\n")).collect()
    })
}

/// A paragraph for each line; nothing without any.
fn section(title: &str, data: &[StudyData], lines: impl Fn(&StudyData) -> String) -> String {
    let mut html = String::new();
    for data in data {
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        for line in lines(data).lines() {
            // A figure stays with its unit.
            let line = escape_html(line).replace(" %", "\u{a0}%");
            let _ = writeln!(html, "<p>{label}{line}</p>");
        }
    }
    if html.is_empty() { html } else { format!("<section>\n<h2>{title}</h2>\n{html}</section>\n") }
}

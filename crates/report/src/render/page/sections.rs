//! The sections of a page with text and tables.

use crate::analysis::advice::advice as advise;
use crate::analysis::amdahl_fits::amdahl_fits;
use crate::analysis::study_data::detailed_runs;
use crate::model::run_summary::RunSummary;
use crate::model::study::Machine;
use crate::model::study_data::StudyData;
use crate::render::document_tables;
use crate::text::escape::escape_html;
use crate::text::units;
use procession_task::shell_quote;
use std::fmt::Write as _;

/// Most runs whose processes are listed.
const MOST_TABLES: usize = 60;
/// Most timelines of a page.
const MOST_TIMELINES: usize = 8;

/// The verdict on each call.
pub(crate) fn verdict(data: &[StudyData]) -> String {
    let mut html = String::new();
    for data in data {
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        for text in data.verdict() {
            let _ = writeln!(html, "<p class=\"verdict\">{label}{}</p>", escape_html(&text).replace(" %", "\u{a0}%"));
        }
        let measured = data.measured();
        for fit in amdahl_fits(&measured, data.usable_cores()) {
            let of = fit.size.map_or_else(String::new, |size| format!(", size {size}"));
            let serial = units::percent(fit.law.serial_fraction);
            let limit = fit
                .law
                .limit()
                .map_or_else(String::new, |limit| format!(", so never more than {limit:.0} times as fast"));
            let text = format!("Amdahl’s law fits {}{of} with a serial fraction of {serial}{limit}.", fit.executor);
            let _ = writeln!(html, "<p>{}</p>", escape_html(&text));
        }
    }
    html
}

/// The command, the machine and the time of each call.
pub(crate) fn calls(data: &[StudyData]) -> String {
    let mut html = "<section>\n<h2>Command and machine</h2>\n".to_owned();
    // With several calls the details are collapsed.
    let several = data.len() > 1;
    for data in data {
        if several {
            let _ = writeln!(html, "<details><summary>{}</summary>", escape_html(&data.label));
        }
        let _ =
            writeln!(html, "<pre><code>{}</code></pre>\n<dl>", escape_html(&shell_quote::line(&data.study.command)));
        for (term, said) in facts(data).into_iter().filter(|(_, said)| !said.is_empty()) {
            let _ = writeln!(html, "<dt>{term}</dt><dd>{}</dd>", escape_html(&said));
        }
        html += if several { "</dl>\n</details>\n" } else { "</dl>\n" };
    }
    html + "</section>\n"
}

fn facts(data: &StudyData) -> Vec<(&'static str, String)> {
    let Machine { host, os, kernel, cpu, logical_cores, usable_cores, memory_bytes, .. } = &data.study.machine;
    let params = data.study.params.iter().map(|(key, value)| format!("{key}={value}"));
    let versions = data.study.versions.iter().map(|(name, version)| format!("{name} {version}"));
    vec![
        ("Task", std::iter::once(data.study.task.clone()).chain(params).collect::<Vec<_>>().join(", ")),
        ("Host", host.clone()),
        ("System", [os.as_str(), kernel].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")),
        ("Processor", cpu.clone()),
        ("CPUs", format!("{usable_cores} of {logical_cores} may be used")),
        ("Memory", memory_bytes.map_or_else(String::new, units::bytes)),
        ("Began", data.study.started_at.clone()),
        ("Versions", versions.collect::<Vec<_>>().join(", ")),
        ("Log", data.log.as_ref().map_or_else(String::new, |log| log.to_string_lossy().into_owned())),
    ]
}

/// The advice about each call.
pub(crate) fn advice(data: &[StudyData]) -> String {
    let mut items = String::new();
    for data in data {
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        for advice in advise(data) {
            let (evidence, remedy) = (escape_html(&advice.evidence()), escape_html(&advice.remedy()));
            let _ = writeln!(items, "<div class=\"advice\"><p><strong>{label}{evidence}</strong> {remedy}</p></div>");
        }
    }
    if items.is_empty() { items } else { format!("<section>\n<h2>Advice</h2>\n{items}</section>\n") }
}

/// The table of the study.
pub(crate) fn table(data: &[StudyData]) -> String {
    let grid = document_tables::study(data);
    if grid.is_empty() {
        return "<section>\n<h2>Results</h2>\n<p>No run has ended yet.</p>\n</section>\n".to_owned();
    }
    format!("<section>\n<h2>Results</h2>\n{}</section>\n", grid.to_html())
}

/// A table of the processes of each run.
pub(crate) fn processes(data: &[StudyData]) -> String {
    let mut html = String::new();
    let runs: Vec<_> = data.iter().flat_map(|data| data.runs.iter().map(move |run| (data, run))).collect();
    let told: Vec<_> = runs.iter().filter(|(_, run)| !run.start.warmup && !run.workers.is_empty()).collect();
    for (at, (data, run)) in told.iter().take(MOST_TABLES).enumerate() {
        let grid = document_tables::workers(run);
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        let open = if at == 0 || told.len() <= 4 { " open" } else { "" };
        let title = escape_html(&grid.caption);
        let _ = writeln!(html, "<details{open}><summary>{label}{title}</summary>\n{}</details>", grid.to_html());
    }
    if told.len() > MOST_TABLES {
        let left = told.len() - MOST_TABLES;
        let _ = writeln!(
            html,
            "<p>{}: <code>coordinator inspect --run K</code></p>",
            units::counted(left as u64, "more run")
        );
    }
    if html.is_empty() { html } else { format!("<section>\n<h2>Processes</h2>\n{html}</section>\n") }
}

/// The items that failed.
pub(crate) fn failures(data: &[StudyData]) -> String {
    let mut html = String::new();
    for data in data.iter().filter(|data| data.failures.total > 0) {
        let (total, shown) = (data.failures.total, data.failures.rows.len() as u64);
        let label = if data.label.is_empty() { String::new() } else { format!("{}: ", escape_html(&data.label)) };
        let _ = write!(html, "<p>{label}{} failed", units::counted(total, "item"));
        html += &if shown < total { format!("; the first {shown} are below.</p>\n") } else { ".</p>\n".to_owned() };
        html += &document_tables::failures(&data.failures.rows).to_html();
    }
    if html.is_empty() { html } else { format!("<section>\n<h2>Failures</h2>\n{html}</section>\n") }
}

/// The runs whose timelines are shown.
pub(crate) fn chosen(data: &[StudyData]) -> Vec<(&str, &RunSummary)> {
    let of = |data| detailed_runs(data).into_iter().map(move |run| (data.label.as_str(), run));
    data.iter().flat_map(of).take(MOST_TIMELINES).collect()
}

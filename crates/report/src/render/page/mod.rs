//! The HTML page of a study: one self-contained file. It loads nothing and runs no
//! script (its Content-Security-Policy forbids both). All text from commands,
//! machines, items and workers is escaped.

mod costs;
mod guide;
mod sections;

use crate::model::study_data::StudyData;
use crate::render::chart;
use crate::render::chart::css;
use crate::render::chart::error::ChartError;
use crate::text::escape::escape_html;

/// The page's style sheet; the colours of charts come from the palette.
const STYLE: &str = include_str!("style.css");

/// Content-Security-Policy: allows inline styles only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page of one or several calls.
///
/// # Errors
/// A chart can't be drawn. No data causes this.
pub fn page(data: &[StudyData]) -> Result<String, ChartError> {
    let title = escape_html(&title(data));
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        css()
    );
    let about = sections::verdict(data) + &sections::calls(data) + &sections::advice(data);
    let results = sections::table(data) + &costs::limits(data) + &costs::break_evens(data) + &charts(data)?;
    // With several calls the common results come before the details of each call.
    let (first, second) = if data.len() > 1 { (results, about) } else { (about, results) };
    html += &first;
    html += &second;
    html += &timelines(data)?;
    html += &sections::processes(data);
    html += &sections::failures(data);
    html += guide::GUIDE;
    html += "</main>\n</body>\n</html>\n";
    Ok(html)
}

fn title(data: &[StudyData]) -> String {
    let tasks: Vec<&str> = data.iter().map(|data| data.study.task.as_str()).filter(|task| !task.is_empty()).collect();
    let task = tasks.first().filter(|first| tasks.iter().all(|task| task == *first)).copied();
    match task {
        Some(task) => format!("What parallelism bought: {task}"),
        None => "What parallelism bought".to_owned(),
    }
}

fn charts(data: &[StudyData]) -> Result<String, ChartError> {
    let charts = [
        chart::by_count(data)?,
        chart::speedup(data)?,
        chart::efficiency(data)?,
        chart::by_size(data)?,
        chart::phases(&chart::phase_bars(data))?,
    ];
    let charts: Vec<_> = charts.into_iter().flatten().collect();
    if charts.is_empty() {
        return Ok(String::new());
    }
    let figure = |svg: &chart::Svg| {
        let (caption, note) = (escape_html(&svg.title), guide::of_chart(svg.name));
        format!("<figure>\n<figcaption><strong>{caption}</strong> {note}</figcaption>\n{}</figure>\n", svg.inline(1))
    };
    let figures: String = charts.iter().map(figure).collect();
    Ok(format!("<section>\n<h2>Charts</h2>\n<div class=\"charts\">\n{figures}</div>\n</section>\n"))
}

fn timelines(data: &[StudyData]) -> Result<String, ChartError> {
    let mut figures = String::new();
    for (at, (label, run)) in sections::chosen(data).into_iter().enumerate() {
        let Some(svg) = chart::timeline(run)? else { continue };
        let label = if label.is_empty() { String::new() } else { format!("{}: ", escape_html(label)) };
        let caption = format!("<strong>{label}{}</strong>", escape_html(&svg.title));
        figures += &format!("<figure>\n<figcaption>{caption}</figcaption>\n{}</figure>\n", svg.inline(at));
    }
    if figures.is_empty() {
        return Ok(figures);
    }
    let note = guide::of_chart("timeline");
    Ok(format!(
        "<section>\n<h2>What ran when</h2>\n<p>{note}</p>\n<div class=\"charts\">\n{figures}</div>\n</section>\n"
    ))
}

#[cfg(test)]
mod tests;

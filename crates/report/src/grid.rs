//! Tables as people read them elsewhere than on a terminal: in a page and in
//! Markdown. Cells are plain text; whoever writes them escapes them.

use crate::chart::escaped;
use crate::collector::RunSummary;
use crate::measured::Measured;
use crate::study::Configuration;
use crate::study_data::StudyData;
use crate::summary::FailureRow;
use crate::units;
use std::fmt::Write as _;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// Figures, below each other.
    Figure,
    /// Words that belong together.
    Word,
    /// Text that may be long.
    Long,
}

/// A table; columns without anything in them are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// What it shows.
    pub(crate) caption: String,
    /// The columns.
    heads: Vec<(&'static str, Cell)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    fn new(caption: impl Into<String>, heads: &[(&'static str, Cell)]) -> Self {
        Self { caption: caption.into(), heads: heads.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn columns(&self) -> Vec<usize> {
        (0..self.heads.len()).filter(|&at| self.rows.iter().any(|row| !row[at].is_empty())).collect()
    }

    pub(crate) fn to_html(&self) -> String {
        let columns = self.columns();
        let mut html = format!(
            "<div class=\"table\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table>\n<caption>{0}</caption>\n<thead><tr>",
            escaped(&self.caption)
        );
        let class = |at: usize| match self.heads[at].1 {
            Cell::Figure => " class=\"n\"",
            Cell::Word => "",
            Cell::Long => " class=\"long\"",
        };
        for &at in &columns {
            let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(at), escaped(self.heads[at].0));
        }
        html += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            html += "<tr>";
            for &at in &columns {
                let _ = write!(html, "<td{}>{}</td>", class(at), escaped(&row[at]));
            }
            html += "</tr>\n";
        }
        html + "</tbody></table></div>\n"
    }

    pub(crate) fn to_markdown(&self) -> String {
        if self.is_empty() {
            return markdown(&self.caption) + ": no run has ended yet.\n";
        }
        let columns = self.columns();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = markdown(&self.caption) + "\n\n";
        text += &line(columns.iter().map(|&at| self.heads[at].0.to_owned()).collect());
        text += &line(
            columns
                .iter()
                .map(|&at| if self.heads[at].1 == Cell::Figure { "---:" } else { "---" }.to_owned())
                .collect(),
        );
        for row in &self.rows {
            text += &line(columns.iter().map(|&at| markdown(&row[at])).collect());
        }
        text
    }
}

/// A cell that can't end its column or its line, or turn into markup.
fn markdown(cell: &str) -> String {
    escaped(cell).replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ").replace('`', "\\`")
}

/// A row per configuration of every call.
pub(crate) fn study(data: &[StudyData]) -> Grid {
    let mut grid = Grid::new(
        "Time and speedup of each configuration",
        &[
            ("log", Cell::Word),
            ("executor", Cell::Word),
            ("count", Cell::Figure),
            ("size", Cell::Figure),
            ("chunk", Cell::Figure),
            ("items", Cell::Figure),
            ("median time", Cell::Figure),
            ("mean ± σ", Cell::Figure),
            ("min … max", Cell::Figure),
            ("speedup", Cell::Figure),
            ("vs", Cell::Word),
            ("ceiling", Cell::Figure),
            ("held by", Cell::Word),
            ("efficiency", Cell::Figure),
            ("Karp–Flatt", Cell::Figure),
            ("runs", Cell::Figure),
            ("", Cell::Word),
        ],
    );
    for data in data {
        grid.rows.extend(data.measured().iter().map(|row| study_row(&data.label, row)));
    }
    name_basis(&mut grid);
    grid
}

/// A basis that all rows share is told once, above.
fn name_basis(grid: &mut Grid) {
    let Some(at) = grid.heads.iter().position(|head| head.0 == "vs") else { return };
    let mut bases: Vec<&String> = grid.rows.iter().map(|row| &row[at]).filter(|basis| !basis.is_empty()).collect();
    bases.dedup();
    if let [basis] = bases.as_slice() {
        grid.caption += &format!("; speedup vs {basis}");
        grid.rows.iter_mut().for_each(|row| row[at].clear());
    }
}

fn study_row(label: &str, row: &Measured) -> Vec<String> {
    let several = row.walls_s.len() > 1;
    let spread = |text: Option<String>| text.filter(|_| several).unwrap_or_default();
    let mut cells = vec![label.to_owned()];
    cells.extend(named(&row.configuration));
    cells.extend([
        row.items.to_string(),
        or_dash(row.wall_s.map(units::seconds)),
        spread(row.mean_s.zip(row.stdev_s).map(|(m, s)| format!("{} ± {}", units::seconds(m), units::seconds(s)))),
        spread(row.min_s.zip(row.max_s).map(|(a, b)| format!("{} … {}", units::seconds(a), units::seconds(b)))),
        or_dash(row.speedup.map(|speedup| format!("{speedup:.2}"))),
        row.basis.map_or_else(String::new, |basis| basis.to_string()),
        row.ceiling.map_or_else(String::new, |ceiling| format!("{:.2}", ceiling.speedup)),
        row.ceiling.map_or_else(String::new, |ceiling| ceiling.limit.to_string()),
        or_dash(row.efficiency.map(units::percent)),
        or_dash(row.serial_fraction.map(units::percent)),
        row.completed.to_string(),
        if row.completed > 0 { String::new() } else { "not completed".to_owned() },
    ]);
    cells
}

/// A row per process of a run.
pub(crate) fn workers(run: &RunSummary) -> Grid {
    let mut grid = Grid::new(
        crate::summary::title(run),
        &[
            ("worker", Cell::Figure),
            ("PID", Cell::Figure),
            ("host", Cell::Word),
            ("items", Cell::Figure),
            ("chunks", Cell::Figure),
            ("CPU time", Cell::Figure),
            ("busy", Cell::Figure),
            ("idle", Cell::Figure),
            ("peak memory", Cell::Figure),
            ("ended", Cell::Word),
        ],
    );
    let mut rows: Vec<_> = run.workers.iter().collect();
    rows.sort_by_key(|row| (row.worker, row.nth));
    for row in rows {
        let end = row.end.as_ref();
        let ended = end
            .map_or_else(|| "unknown".to_owned(), |end| if end.is_usual() { String::new() } else { end.to_string() });
        grid.rows.push(vec![
            row.worker.to_string(),
            row.pid.to_string(),
            row.host.clone(),
            or_dash(end.map(|end| end.items.to_string())),
            or_dash(end.map(|end| end.chunks.to_string())),
            or_dash(end.map(|end| units::seconds(end.cpu_s()))),
            or_dash(end.and_then(|end| end.busy_s()).map(units::seconds)),
            or_dash(end.and_then(|end| end.waiting_s).map(units::seconds)),
            or_dash(end.and_then(|end| end.peak_memory_bytes).map(units::bytes)),
            ended,
        ]);
    }
    grid
}

/// A row per failed item.
pub(crate) fn failures(rows: &[FailureRow]) -> Grid {
    let heads = [
        ("item", Cell::Figure),
        ("at", Cell::Long),
        ("input", Cell::Long),
        ("kind", Cell::Word),
        ("message", Cell::Long),
        ("PID", Cell::Figure),
        ("attempts", Cell::Figure),
    ];
    let mut grid = Grid::new("Items that failed", &heads);
    for row in rows {
        grid.rows.push(vec![
            row.item.to_string(),
            row.place.clone().unwrap_or_default(),
            crate::summary::safe(&row.input),
            row.kind.to_string(),
            crate::summary::safe(row.message.as_bytes()),
            row.pid.to_string(),
            row.attempts.to_string(),
        ]);
    }
    grid
}

fn named(of: &Configuration) -> [String; 4] {
    let optional = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    [of.executor.to_string(), of.count.to_string(), optional(of.size), optional(of.chunk.fixed().map(u64::from))]
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "–".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cell: &str) -> Grid {
        let mut grid = Grid::new("c<", &[("a", Cell::Word), ("none", Cell::Figure), ("n", Cell::Figure)]);
        grid.rows.push(vec![cell.to_owned(), String::new(), "1".to_owned()]);
        grid
    }

    #[test]
    fn hostile_cells_stay_in_their_cells() {
        let html = grid("</td><script>").to_html();
        assert!(html.contains("<td>&lt;/td&gt;&lt;script&gt;</td><td class=\"n\">1</td>"), "{html}");
        assert!(!html.contains("none") && html.contains("aria-label=\"c&lt;\""));
        let text = grid("a|b\n<i>\u{202e}`").to_markdown();
        assert_eq!(text, "c&lt;\n\n| a | n |\n| --- | ---: |\n| a\\|b &lt;i&gt;\\\\u{202e}\\` | 1 |\n");
    }

    #[test]
    fn the_lectures_table() {
        let mut data = StudyData { runs: crate::samples::lecture(), ..StudyData::default() };
        data.study.machine.usable_cores = 4;
        let text = study(&[data]).to_markdown();
        let line = "| procs | 5 | 34 | 34 | 13.0 s | 3.31 | 4.00 | CPUs | 66.2 % | – | 1 |";
        assert!(text.contains(line), "{text}");
    }
}

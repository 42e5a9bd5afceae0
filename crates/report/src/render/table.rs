//! A table that prints as text with aligned columns, as Markdown, and as HTML.
//!
//! Cells are plain text; each printer escapes them for its format.

use super::style::Style;
use crate::text::escape::escape_html;
use procession_task::escape_terminal;
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Numbers, aligned on the right.
    Figure,
    /// Short text without line breaks.
    Word,
    /// Long text, which may be broken into lines.
    Long,
}

/// A cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text, which may be empty.
    Text(String),
    /// Text that is red on a terminal.
    Alarm(String),
    /// An unknown value, printed as a dash.
    Unknown,
}

impl Cell {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) | Self::Alarm(text) if text.is_empty())
    }

    /// The cell's text; `dash` for an unknown value.
    fn text<'a>(&'a self, dash: &'a str) -> &'a str {
        match self {
            Self::Text(text) | Self::Alarm(text) => text,
            Self::Unknown => dash,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Unknown, Self::Text)
    }
}

/// A table. A column is omitted if all of its cells are empty.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The caption of Markdown and HTML.
    pub(crate) caption: String,
    columns: Vec<(&'static str, ColumnKind)>,
    rows: Vec<Vec<Cell>>,
    /// Widths of the columns in the text so far.
    widths: Vec<usize>,
    is_headed: bool,
}

/// The dash for an unknown value, on a terminal and in a document.
const TERMINAL_DASH: &str = "-";
const DOCUMENT_DASH: &str = "–";

impl Table {
    pub(crate) fn new(columns: &[(&'static str, ColumnKind)]) -> Self {
        let widths = vec![0; columns.len()];
        Self { caption: String::new(), columns: columns.to_vec(), rows: Vec::new(), widths, is_headed: false }
    }

    pub(crate) fn captioned(self, caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..self }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// Number of rows that were not printed yet.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Removes the column `head` if all of its non-empty cells have the same text, and
    /// returns that text.
    pub(crate) fn take_shared(&mut self, head: &str) -> Option<String> {
        let at = self.columns.iter().position(|column| column.0 == head)?;
        let mut values: Vec<&Cell> = self.rows.iter().map(|row| &row[at]).filter(|cell| !cell.is_empty()).collect();
        values.dedup();
        let [shared] = values[..] else { return None };
        let shared = shared.text(DOCUMENT_DASH).to_owned();
        self.rows.iter_mut().for_each(|row| row[at] = Cell::Text(String::new()));
        Some(shared)
    }

    /// Prints the rows since the last call as text, and the headings before the first
    /// rows. A long table is printed in parts; a column never gets narrower.
    pub(crate) fn take_text(&mut self, style: Style) -> String {
        let of = |cell: &Cell| escape_terminal(cell.text(TERMINAL_DASH).as_bytes());
        let rows = std::mem::take(&mut self.rows);
        let texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(of).collect()).collect();
        for (at, (head, _)) in self.columns.iter().enumerate() {
            let widest = texts.iter().map(|row| row[at].width()).max().unwrap_or(0);
            let with_head = if widest > 0 { widest.max(head.width()) } else { 0 };
            self.widths[at] = self.widths[at].max(with_head);
        }
        let mut text = String::new();
        if !self.is_headed && !rows.is_empty() {
            let heads: Vec<Cow<'_, str>> = self.columns.iter().map(|(head, _)| (*head).into()).collect();
            text += &style.bold(&self.line(&heads, &[], style));
            text.push('\n');
            self.is_headed = true;
        }
        for (cells, row) in rows.iter().zip(texts) {
            let row: Vec<Cow<'_, str>> = row.into_iter().map(Cow::Owned).collect();
            text += &self.line(&row, cells, style);
            text.push('\n');
        }
        text
    }

    fn line(&self, texts: &[Cow<'_, str>], cells: &[Cell], style: Style) -> String {
        let mut line = String::new();
        for (at, (text, (_, column))) in texts.iter().zip(&self.columns).enumerate() {
            let width = self.widths[at];
            if width == 0 {
                continue;
            }
            if !line.is_empty() {
                line += "  ";
            }
            let space = " ".repeat(width.saturating_sub(text.width()));
            let is_alarm = matches!(cells.get(at), Some(Cell::Alarm(_)));
            let text = if is_alarm { Cow::Owned(style.red(text)) } else { Cow::Borrowed(&**text) };
            match column {
                ColumnKind::Word | ColumnKind::Long => line += &format!("{text}{space}"),
                ColumnKind::Figure => line += &format!("{space}{text}"),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Indices of the columns that are not empty.
    fn filled(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&at| self.rows.iter().any(|row| !row[at].is_empty())).collect()
    }

    pub(crate) fn to_html(&self) -> String {
        let columns = self.filled();
        let mut html = format!(
            "<div class=\"table\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table>\n<caption>{0}</caption>\n<thead><tr>",
            escape_html(&self.caption)
        );
        let class = |at: usize| match self.columns[at].1 {
            ColumnKind::Figure => " class=\"n\"",
            ColumnKind::Word => "",
            ColumnKind::Long => " class=\"long\"",
        };
        for &at in &columns {
            let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(at), escape_html(self.columns[at].0));
        }
        html += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            html += "<tr>";
            for &at in &columns {
                let _ = write!(html, "<td{}>{}</td>", class(at), escape_html(row[at].text(DOCUMENT_DASH)));
            }
            html += "</tr>\n";
        }
        html + "</tbody></table></div>\n"
    }

    pub(crate) fn to_markdown(&self) -> String {
        let columns = self.filled();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |at: usize| if self.columns[at].1 == ColumnKind::Figure { "---:" } else { "---" }.to_owned();
        let mut text = escape_markdown(&self.caption) + "\n\n";
        text += &line(columns.iter().map(|&at| self.columns[at].0.to_owned()).collect());
        text += &line(columns.iter().map(|&at| rule(at)).collect());
        for row in &self.rows {
            text += &line(columns.iter().map(|&at| escape_markdown(row[at].text(DOCUMENT_DASH))).collect());
        }
        text
    }
}

/// Escapes a cell for Markdown: it can't end its cell or line, or become markup.
pub(crate) fn escape_markdown(cell: &str) -> String {
    escape_html(cell).replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ").replace('`', "\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn table() -> Table {
        let mut table =
            Table::new(&[("name", ColumnKind::Word), ("none", ColumnKind::Word), ("size", ColumnKind::Figure)]);
        table.row(vec![text("a"), text(""), text("1.0 µs")]);
        table.row(vec![text("漢字ab"), text(""), text("10.0 ms")]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(table().take_text(Style::default()), "name       size\na        1.0 µs\n漢字ab  10.0 ms\n");
    }

    #[test]
    fn colour_is_used_only_on_request() {
        let mut table = table();
        table.row(vec![Cell::Alarm("b".to_owned()), text(""), Cell::Unknown]);
        let coloured = table.clone().take_text(Style { colour: true });
        assert!(coloured.starts_with("\x1b[1mname       size\x1b[0m\n"), "{coloured:?}");
        assert!(coloured.ends_with("\n\x1b[31mb\x1b[0m             -\n"), "{coloured:?}");
        assert!(!table.take_text(Style::default()).contains('\x1b'));
    }

    #[test]
    fn parts_of_a_table_have_one_heading() {
        let mut table = table();
        table.take_text(Style::default());
        table.row(vec![text("b"), text(""), text("2")]);
        assert_eq!(table.take_text(Style::default()), "b             2\n");
    }

    #[test]
    fn hostile_cells_are_escaped() {
        let table = |cell: &str| {
            let columns = [("a", ColumnKind::Word), ("none", ColumnKind::Figure), ("n", ColumnKind::Figure)];
            let mut table = Table::new(&columns).captioned("c<");
            table.row(vec![text(cell), text(""), text("1")]);
            table
        };
        let html = table("</td><script>").to_html();
        assert!(html.contains("<td>&lt;/td&gt;&lt;script&gt;</td><td class=\"n\">1</td>"), "{html}");
        assert!(!html.contains("none") && html.contains("aria-label=\"c&lt;\""));
        let markdown = table("a|b\n<i>\u{202e}`").to_markdown();
        assert_eq!(markdown, "c&lt;\n\n| a | n |\n| --- | ---: |\n| a\\|b &lt;i&gt;\\\\u{202e}\\` | 1 |\n");
        let terminal = table("a\n\x1b[31m").take_text(Style::default());
        assert_eq!(terminal, "a              n\na\\n\\u{1b}[31m  1\n");
    }
}

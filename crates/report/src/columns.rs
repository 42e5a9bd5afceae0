//! Aligned columns of text.

use unicode_width::UnicodeWidthStr;

/// How tables look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether terminal colours are used; callers honour `NO_COLOR`.
    pub colour: bool,
}

impl Style {
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table: columns without anything in them are left out. Cells must be safe
/// for a terminal already.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    heads: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
    headed: bool,
}

impl Columns {
    pub(crate) fn new(heads: &[(&'static str, Align)]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new(), widths: vec![0; heads.len()], headed: false }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.heads.len());
        self.rows.push(cells);
    }

    /// Rows that wait to be written.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows so far as text, each line ended, with the headings the first
    /// time. Long tables are written in pieces: columns keep their widths.
    pub(crate) fn take_text(&mut self, style: Style) -> String {
        for (at, (head, _)) in self.heads.iter().enumerate() {
            let widest = self.rows.iter().map(|row| row[at].width()).max().unwrap_or(0);
            let with_head = if widest > 0 { widest.max(head.width()) } else { 0 };
            self.widths[at] = self.widths[at].max(with_head);
        }
        let mut text = String::new();
        if !self.headed && !self.rows.is_empty() {
            let heads: Vec<_> = self.heads.iter().map(|(head, _)| (*head).to_owned()).collect();
            text += &style.bold(&self.line(&heads));
            text.push('\n');
            self.headed = true;
        }
        for row in std::mem::take(&mut self.rows) {
            text += &self.line(&row);
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for ((cell, (_, align)), &width) in cells.iter().zip(&self.heads).zip(&self.widths) {
            if width == 0 {
                continue;
            }
            if !line.is_empty() {
                line += "  ";
            }
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match align {
                Align::Left => line += &(cell.clone() + &space),
                Align::Right => line += &(space + cell),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Text cut to so many columns, with a mark.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut width = 1;
    for c in text.chars() {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if width > columns {
            break;
        }
        short.push(c);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Columns {
        let mut table = Columns::new(&[("name", Align::Left), ("none", Align::Left), ("size", Align::Right)]);
        table.row(vec!["a".into(), String::new(), "1.0 µs".into()]);
        table.row(vec!["漢字ab".into(), String::new(), "10.0 ms".into()]);
        table
    }

    #[test]
    fn columns_stand_below_each_other() {
        assert_eq!(table().take_text(Style::default()), "name       size\na        1.0 µs\n漢字ab  10.0 ms\n");
    }

    #[test]
    fn colour_only_when_told() {
        assert!(table().take_text(Style { colour: true }).starts_with("\x1b[1mname       size\x1b[0m\n"));
    }

    #[test]
    fn pieces_have_one_heading() {
        let mut table = table();
        table.take_text(Style::default());
        table.row(vec!["b".into(), String::new(), "2".into()]);
        assert_eq!(table.take_text(Style::default()), "b             2\n");
    }

    #[test]
    fn cut_text() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcd", 3), "ab…");
        assert_eq!(shortened("漢字漢字", 4), "漢…");
    }
}

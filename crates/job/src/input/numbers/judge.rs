//! What numbers seem to be, judged on the first lines: a table, or numbers with
//! separated thousands. Cut at white space and commas, both would give numbers
//! that nobody has written.

use super::fields::{
    bare, has_zero_group, is_decimal_comma, is_grouped, is_number, split, split_words, without_remark,
};
use procession_task::{Items, escape_terminal, shell_quote};
use std::fmt;

/// The delimiters of tables. White space is none: lists are aligned with it.
const DELIMITERS: [u8; 3] = [b';', b'\t', b','];
/// The largest number of columns that a message names.
const NAMED: usize = 8;

/// What the input seems to be instead of a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// A table.
    Table {
        /// The names of its columns; empty if it has no heading.
        names: Vec<String>,
        /// How many columns it has.
        columns: usize,
        /// The position of the last column with numbers, from 0.
        column: usize,
        /// What separates its fields.
        delimiter: u8,
        /// Whether some numbers have a comma before their fraction.
        has_decimal_commas: bool,
    },
    /// A number with something between its thousands.
    Thousands(String),
    /// A number with a comma before its fraction.
    DecimalComma(String),
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { names, columns, column, delimiter, has_decimal_commas } => {
                write!(
                    f,
                    "looks like a table with {}: {}",
                    Columns(names, *columns),
                    flags(names, *column, *delimiter)
                )?;
                if *has_decimal_commas {
                    f.write_str(" (write 3.14 instead of 3,14 in it)")?;
                }
            }
            Self::Thousands(text) => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                write!(f, "\"{text}\" looks like one number with separated thousands: write {digits}")?;
            }
            Self::DecimalComma(text) => {
                write!(f, "\"{text}\" looks like one number with a decimal comma: write {}", text.replace(',', "."))?;
            }
        }
        f.write_str("; as a list all the same: --items words")
    }
}

/// The columns of a table, in words.
struct Columns<'a>(&'a [String], usize);

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, count) = self;
        if names.is_empty() {
            return write!(f, "{count} columns");
        }
        let shown: Vec<String> = names.iter().take(NAMED).map(|name| escape_terminal(name.as_bytes())).collect();
        write!(f, "the columns {}{}", shown.join(", "), if names.len() > NAMED { ", …" } else { "" })
    }
}

/// The flags that read this column.
fn flags(names: &[String], column: usize, delimiter: u8) -> String {
    let delimiter = if delimiter == b' ' { "--delimiter ' ' " } else { "" };
    match names.get(column) {
        None => format!("--items csv {delimiter}--no-heading --column {}", column + 1),
        Some(name) if names.iter().filter(|other| *other == name).count() > 1 || name.is_empty() => {
            format!("--items csv --column {}", column + 1)
        }
        Some(name) => format!("--items csv --column {}", shell_quote::word(name.as_bytes())),
    }
}

/// Judges a line with words: a table's row has a field that is a number by
/// itself. `before` is the line before it.
pub(super) fn row(before: Option<&[u8]>, line: &[u8]) -> Option<Suspicion> {
    DELIMITERS.iter().find_map(|&delimiter| {
        let fields = split_words(line, delimiter);
        let is_row = fields.len() > 1 && fields.iter().any(|field| is_number(field));
        is_row.then(|| table(before, &fields, delimiter))
    })
}

/// Judges the lines behind a heading. `before` is the line just before them.
/// The last line may be incomplete.
pub(super) fn lines(before: Option<&[u8]>, held: &[u8]) -> Option<Suspicion> {
    let all: Vec<&[u8]> = held.split(|&byte| byte == b'\n').collect();
    let complete = &all[..all.len() - 1];
    // Most lists have numbers and nothing else: they are not judged line by line.
    let has_marks = memchr::memchr3(b',', b';', b'\t', held).is_some()
        || memchr::memchr2(b'"', b'\'', held).is_some()
        || memchr::memmem::find(held, b" 0").is_some();
    of_lines(before, complete, has_marks).or_else(|| of_lines(before, &all, has_marks))
}

fn of_lines(before: Option<&[u8]>, lines: &[&[u8]], has_marks: bool) -> Option<Suspicion> {
    let bare = lines.iter().map(|line| without_remark(line).trim_ascii());
    let lines: Vec<&[u8]> = bare.filter(|line| !line.is_empty()).collect();
    let first = *lines.first()?;
    if first.starts_with(b"[") {
        return thousands(&lines);
    }
    if !has_marks {
        return pairs(&lines);
    }
    by_separator(before, &lines)
        .or_else(|| by_heading(before?, first))
        .or_else(|| thousands(&lines))
        .or_else(|| by_rows(before, &lines))
        .or_else(|| pairs(&lines))
        .or_else(|| decimal_comma(&lines))
}

/// Semicolons or tabs between fields. A tab beside blanks is white space as any
/// other.
fn by_separator(before: Option<&[u8]>, lines: &[&[u8]]) -> Option<Suspicion> {
    lines.iter().find_map(|line| {
        DELIMITERS[..2].iter().find_map(|&delimiter| {
            let fields = split(line, delimiter);
            let is_one = |field: &&[u8]| delimiter != b'\t' || !bare(field).iter().any(u8::is_ascii_whitespace);
            let is_table = fields.iter().filter(|field| !field.is_empty()).count() > 1 && fields.iter().all(is_one);
            is_table.then(|| table(before, &fields, delimiter))
        })
    })
}

/// A heading of as many names as there are fields.
fn by_heading(before: &[u8], first: &[u8]) -> Option<Suspicion> {
    let names = split_words(before, b',').len();
    let fields = split(first, b',');
    let is_table = names > 1 && (names == fields.len() || names == split_words(first, b',').len());
    is_table.then(|| table(Some(before), &fields, b','))
}

/// Two or more rows of as many fields, of which some are no numbers.
fn by_rows(before: Option<&[u8]>, lines: &[&[u8]]) -> Option<Suspicion> {
    let rows: Vec<Vec<&[u8]>> = lines.iter().map(|line| split(line, b',')).collect();
    let columns = rows[0].len();
    let is_table = rows.len() > 1 && columns > 1 && rows.iter().all(|row| row.len() == columns);
    let has_words = rows.iter().flatten().any(|field| !field.is_empty() && !is_number(field));
    (is_table && has_words).then(|| table(before, &rows[0], b','))
}

/// Pairs whose first number counts up by one: positions in a sequence, and its
/// values.
fn pairs(lines: &[&[u8]]) -> Option<Suspicion> {
    let mut next = None;
    for line in lines {
        let numbers: Option<Vec<u64>> =
            Items::Words.split(line).map(|(_, word)| std::str::from_utf8(bare(word)).ok()?.parse().ok()).collect();
        let &[position, _] = numbers?.as_slice() else { return None };
        if next.is_some_and(|next| next != position) {
            return None;
        }
        next = Some(position.checked_add(1)?);
    }
    let delimiter = if memchr::memchr(b',', lines[0]).is_some() { b',' } else { b' ' };
    (lines.len() > 1).then_some(Suspicion::Table {
        names: Vec::new(),
        columns: 2,
        column: 1,
        delimiter,
        has_decimal_commas: false,
    })
}

/// Numbers with separated thousands: lines of nothing else, or one that no list
/// would have.
fn thousands(lines: &[&[u8]]) -> Option<Suspicion> {
    if let Some(found) = lines.iter().find_map(|line| zero_group(line)) {
        return Some(found);
    }
    // A comma behind the last group belongs to a list.
    let is_of_groups = |line: &&&[u8]| words(line).all(|word| is_grouped(word, b','));
    let with_commas: Vec<&&[u8]> = lines.iter().filter(|line| memchr::memchr(b',', line).is_some()).collect();
    let is_found = with_commas.len() > 1 && with_commas.iter().all(is_of_groups);
    let first = with_commas.first().and_then(|line| words(line).next())?;
    is_found.then(|| Suspicion::Thousands(text(first)))
}

/// A number with a group of three digits that begins with 0: `1,000`,
/// `1 000 003`.
pub(super) fn zero_group(line: &[u8]) -> Option<Suspicion> {
    let by_commas = tokens(line).find(|token| has_zero_group(token, b','));
    let by_blanks = || {
        let is_end = |at: usize| line[at] == b',' || line[at].is_ascii_whitespace() && !is_single_blank(line, at);
        let mut from = 0;
        let ends = (0..line.len()).filter(|&at| is_end(at)).chain([line.len()]);
        let mut parts = ends.map(|end| {
            let part = &line[from.min(end)..end];
            from = end + 1;
            part.trim_ascii()
        });
        parts.find(|part| has_zero_group(part, b' '))
    };
    by_commas.or_else(by_blanks).map(|token| Suspicion::Thousands(text(token)))
}

/// A blank with no white space beside it.
fn is_single_blank(line: &[u8], at: usize) -> bool {
    let is_free = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_whitespace());
    line[at] == b' ' && at > 0 && is_free(line.get(at - 1)) && is_free(line.get(at + 1))
}

/// What stands between white space.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty())
}

/// What stands between white space, without brackets and commas around it.
fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_around = |byte: &u8| matches!(byte, b'[' | b']' | b',');
    words(line).filter_map(move |part| {
        let from = part.iter().position(|byte| !is_around(byte))?;
        let to = part.iter().rposition(|byte| !is_around(byte))?;
        Some(&part[from..=to])
    })
}

/// A quoted number with a comma before its fraction.
fn decimal_comma(lines: &[&[u8]]) -> Option<Suspicion> {
    let quoted = |line: &&[u8]| {
        let found = line.split(|&byte| byte == b'"' || byte == b'\'').skip(1).step_by(2);
        found.map(<[u8]>::trim_ascii).find(|token| is_decimal_comma(token) && !is_grouped(token, b',')).map(text)
    };
    lines.iter().find_map(quoted).map(Suspicion::DecimalComma)
}

fn table(before: Option<&[u8]>, fields: &[&[u8]], delimiter: u8) -> Suspicion {
    let names = before.map(|before| split_words(before, delimiter)).unwrap_or_default();
    let is_heading = names.len() == fields.len() && !names.iter().any(|name| is_number(name));
    let has_comma = |field: &&&[u8]| delimiter != b',' && is_decimal_comma(bare(field));
    let column = fields.iter().rposition(|field| is_number(field) || has_comma(&field)).unwrap_or(fields.len() - 1);
    Suspicion::Table {
        names: if is_heading { names.iter().map(|name| text(bare(name))).collect() } else { Vec::new() },
        columns: fields.len(),
        column,
        delimiter,
        has_decimal_commas: fields.iter().any(|field| has_comma(&field)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lines behind this heading look like, as a message.
    fn judged(before: &str, held: &str) -> Option<String> {
        let before = (!before.is_empty()).then_some(before.as_bytes());
        lines(before, held.as_bytes()).map(|found| found.to_string())
    }

    #[test]
    fn lists_are_lists() {
        for held in [
            "2\n3\n5\n",
            "4,7,9,\n",
            "4 7\t9",
            "  4\n\n 7,,9  ",
            "7,101,103\n",
            "2,3,5,7\n101,103,107,109\n113,127,131,137\n",
            "2 3\n5 7\n",
            "1 2\n3 4\n",
            "[2, 3, 5]\n",
            "[\n  2,\n  3\n]\n",
            "101,103,\n107,109,\n",
            "\"7\"\n\"9\"\n",
            "10000019 10000059 10000079\n",
            "2 # a;b\n",
            "2,3,5\n7,x\n",
        ] {
            assert_eq!(judged("", held), None, "{held:?}");
        }
        let title = "The 180,000 Primes and Composites from 10,000,000 on";
        assert_eq!(judged(title, "2 3 5\n"), None);
        assert_eq!(judged("a,b", "7\n"), None, "one column under two names");
    }

    #[test]
    fn tables_are_named_with_their_columns() {
        for (before, held, says) in [
            ("id,number", "1,7\n2,9\n", "the columns id, number: --items csv --column number"),
            ("id,price", "1,700\n2,900\n", "the columns id, price: --items csv --column price"),
            ("id;nummer", "1;7\n2;9\n", "the columns id, nummer: --items csv --column nummer"),
            ("", "2\t3\t5\n", "3 columns: --items csv --no-heading --column 3"),
            ("n,a value", "1,7\n", "--column 'a value'"),
            ("x,x", "1,7\n", "--items csv --column 2"),
            ("", "1,7\n2,9\n3,11\n", "2 columns: --items csv --no-heading --column 2"),
            ("", "0 2\n1 3\n2 5\n", "2 columns: --items csv --delimiter ' ' --no-heading --column 2"),
            ("", "7,-\n9,-\n", "2 columns: --items csv --no-heading --column 1"),
            ("", "1;2,5\n", "(write 3.14 instead of 3,14 in it)"),
            ("\"id\",\"n\"", "\"1\",\"7\"\n", "the columns id, n"),
        ] {
            let found = judged(before, held).unwrap_or_default();
            assert!(found.starts_with("looks like a table with ") && found.contains(says), "{held:?}: {found}");
            assert!(found.ends_with("; as a list all the same: --items words"), "{found}");
        }
    }

    #[test]
    fn a_row_has_a_number_by_itself() {
        let found = |before: Option<&str>, line: &str| {
            row(before.map(str::as_bytes), line.as_bytes()).map(|found| found.to_string()).unwrap_or_default()
        };
        let named = "looks like a table with the columns name, number: --items csv --column number";
        assert!(found(Some("name,number"), "alice,7").starts_with(named));
        assert!(found(None, "alice;7").contains("2 columns: --items csv --no-heading --column 2"));
        assert!(found(None, "7\tx").contains("--column 1"));
        for line in
            ["The First 1,000 Primes, listed", "b 1", "(the 1,000th is 7919)", "name,number", "from 10,000,000 on"]
        {
            assert_eq!(found(None, line), "", "{line}");
        }
    }

    #[test]
    fn separated_thousands_are_named_with_their_form() {
        for (held, says) in [
            (
                "15,485,863\n15,485,867\n",
                "\"15,485,863\" looks like one number with separated thousands: write 15485863",
            ),
            ("15,485,863\n15,485,867", "write 15485863"),
            ("7\n999,983\n1234567\n999,979\n", "write 999983"),
            ("1,000\n", "write 1000"),
            ("2, 1,000, 3\n", "write 1000"),
            ("1 000 003\n", "write 1000003"),
            ("[1,000, 2]\n", "write 1000"),
        ] {
            let found = judged("", held).unwrap_or_default();
            assert!(found.contains(says), "{held:?}: {found}");
        }
    }

    #[test]
    fn decimal_commas_are_judged_in_quotes() {
        let found = judged("", "\"3,14\"\n").unwrap();
        assert!(found.starts_with("\"3,14\" looks like one number with a decimal comma: write 3.14"), "{found}");
        assert_eq!(judged("", "3,14\n"), None);
        assert_eq!(judged("", "\"15,485,863\"\n\"15,485,867\"\n"), None);
    }

    #[test]
    fn an_incomplete_last_line_hides_nothing() {
        assert!(judged("", "1,000\n2").is_some());
        assert!(judged("", "15,485,863\n15,485,867\n15,4").is_some());
        assert!(judged("", "1;7").is_some());
    }
}

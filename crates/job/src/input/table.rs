//! The heading of a table: the names of its columns, what separates its fields,
//! and which of them is the item. It is read with the first file and needed by
//! the workers before their first item.

use super::notes::InputNote;
use super::options::TableOptions;
use crate::error::InputError;
use crate::input::held_bytes::read_more;
use crate::mutex::lock;
use procession_task::{Column, Items, RecordScanner, TableFormat, TableSpec, sniff_delimiter};
use std::io::Read;
use std::sync::Mutex;

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;
/// How many records the delimiter is judged by.
const JUDGED: usize = 10;

/// What is known of the table while it is read.
#[derive(Default)]
pub(crate) struct TableCell(Mutex<TableState>);

#[derive(Default)]
struct TableState {
    known: Option<TableSpec>,
    /// Called once when the table is known, or is known not to come.
    waiting: Option<Box<dyn FnOnce() + Send>>,
}

impl TableCell {
    /// The table, once it is known.
    pub(crate) fn get(&self) -> Option<TableSpec> {
        lock(&self.0).known.clone()
    }

    /// Sets the table of the first file; returns the one that is known.
    fn set(&self, table: TableSpec) -> TableSpec {
        let mut state = lock(&self.0);
        let known = state.known.get_or_insert(table).clone();
        let waiting = state.waiting.take();
        drop(state);
        waiting.into_iter().for_each(|waiting| waiting());
        known
    }

    /// Calls this when the table is known or the input has ended; at once if it is
    /// known already.
    pub(crate) fn when_known(&self, call: Box<dyn FnOnce() + Send>) {
        let mut state = lock(&self.0);
        if state.known.is_none() {
            state.waiting = Some(call);
            return;
        }
        drop(state);
        call();
    }

    /// The input has ended.
    pub(crate) fn end(&self) {
        let waiting = lock(&self.0).waiting.take();
        waiting.into_iter().for_each(|waiting| waiting());
    }
}

/// The beginning of a table.
pub(crate) struct TableHead {
    /// What was read behind the heading.
    pub(crate) rest: Vec<u8>,
    /// What was passed over: the heading.
    pub(crate) passed: Vec<u8>,
    /// How its records are read.
    pub(crate) table: TableSpec,
    /// What separates its fields, if that was judged.
    pub(crate) note: Option<InputNote>,
}

/// Reads the beginning of a table of comma-separated values; nothing if it is
/// empty. No more is read than brings its first record.
pub(crate) fn read_head(
    name: &str,
    reader: &mut dyn Read,
    options: &TableOptions,
    max_item: usize,
) -> Result<Option<TableHead>, InputError> {
    let mut held = Vec::new();
    let rule = Items::Csv(options.delimiter);
    let mut scanner = RecordScanner::new(options.delimiter);
    loop {
        let before = held.len();
        let read =
            read_more(reader, &mut held, PIECE).map_err(|error| InputError::Read { name: name.to_owned(), error })?;
        let has_end = scanner.last_end(&held[before..]).is_some();
        if read == 0 || (has_end && rule.split(&held).next().is_some()) {
            break;
        }
        if held.len() > max_item && rule.split(&held).next().is_some() {
            return Err(InputError::TooLong { name: name.to_owned(), line: 1, max: max_item });
        }
    }
    let records: Vec<&[u8]> = rule.split(&held).take(JUDGED).map(|(_, record)| record).collect();
    let Some(&first) = records.first() else { return Ok(None) };
    // The last record may be incomplete.
    let judged = &records[..(records.len() - 1).max(1)];
    let delimiter = options.delimiter.unwrap_or_else(|| sniff_delimiter(judged));
    let mut table = TableSpec { format: TableFormat::Csv(delimiter), names: Vec::new(), column: None };
    let fields = table
        .fields(first)
        .map_err(|failure| InputError::BadHeading { name: name.to_owned(), message: failure.message })?;
    let end = if options.has_heading {
        table.names = fields.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
        rule.measure_by_walking(&held, 1, usize::MAX).bytes
    } else {
        0
    };
    if let Some((column, why)) = options.refused_names.iter().find(|(column, _)| table.names.contains(column)) {
        let (name, column, why) = (name.to_owned(), column.clone(), why.clone());
        return Err(InputError::RefusedColumn { name, column, why });
    }
    let count = fields.len();
    if let Some(wanted) = options.needed_names.iter().find(|wanted| !table.names.contains(wanted)) {
        let why = format!("{}; {{{{{wanted}}}}} is the text {{{wanted}}}", columns(&table.names, count));
        return Err(InputError::NoColumn { name: name.to_owned(), column: wanted.clone(), why });
    }
    let note = (options.delimiter.is_none() && count > 1).then(|| InputNote::Delimiter {
        name: name.to_owned(),
        delimiter,
        names: table.names.clone(),
    });
    table.column = options.column.as_deref().map(|column| find(name, column, &table.names, count)).transpose()?;
    let rest = held.split_off(end);
    Ok(Some(TableHead { rest, passed: held, table, note }))
}

/// The column of this name or number among so many.
fn find(name: &str, wanted: &str, names: &[String], count: usize) -> Result<Column, InputError> {
    let position = |at: usize| Column::Position(u32::try_from(at).unwrap_or(u32::MAX));
    let found: Vec<usize> = (0..names.len()).filter(|&at| names[at] == wanted).collect();
    let refused = |why: String| InputError::NoColumn { name: name.to_owned(), column: wanted.to_owned(), why };
    match (&found[..], wanted.parse::<usize>()) {
        (&[at], _) => Ok(position(at)),
        ([], Ok(number)) if (1..=count).contains(&number) => Ok(position(number - 1)),
        ([], _) => Err(refused(columns(names, count))),
        (several, _) => Err(refused(format!("{} columns have this name: use their number", several.len()))),
    }
}

/// Which columns there are.
fn columns(names: &[String], count: usize) -> String {
    match names {
        [] => format!("without a heading they have the numbers 1 to {count}"),
        names => format!("its columns are {}", names.join(", ")),
    }
}

/// Checks that another file has the same columns, and makes the table known.
pub(crate) fn agree(cell: &TableCell, name: &str, table: TableSpec) -> Result<(), InputError> {
    let known = cell.set(table.clone());
    if known.names == table.names && known.format == table.format {
        return Ok(());
    }
    let shown = |table: &TableSpec| {
        let by = if let TableFormat::Csv(delimiter) = table.format { delimiter } else { b',' };
        format!("{} (by {})", table.names.join(", "), super::notes::delimiter_name(by))
    };
    Err(InputError::OtherColumns { name: name.to_owned(), found: shown(&table), expected: shown(&known) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str, column: Option<&str>, has_heading: bool) -> Result<Option<TableHead>, String> {
        let refused_names = vec![("code".to_owned(), "it would be run".to_owned())];
        let options = TableOptions {
            delimiter: None,
            has_heading,
            column: column.map(str::to_owned),
            refused_names,
            ..TableOptions::default()
        };
        read_head("f", &mut text.as_bytes(), &options, 1000).map_err(|error| error.to_string())
    }

    #[test]
    fn the_heading_names_the_columns() {
        let found = head("\n\"id\";the name\r\n1;x\n", Some("the name"), true).unwrap().unwrap();
        assert_eq!(found.table.format, TableFormat::Csv(b';'));
        assert_eq!(found.table.names, ["id", "the name"]);
        assert_eq!(found.table.column, Some(Column::Position(1)));
        assert_eq!((&found.passed[..], &found.rest[..]), (&b"\n\"id\";the name\r\n"[..], &b"1;x\n"[..]));
        assert!(found.note.unwrap().to_string().contains("id, the name, separated by ';'"));
        assert!(head("\n\n", None, true).unwrap().is_none());
    }

    #[test]
    fn a_column_has_a_name_or_a_number() {
        let column = |text, column, heading| head(text, Some(column), heading).map(|head| head.unwrap().table.column);
        assert_eq!(column("2,1\n", "1", true), Ok(Some(Column::Position(1))), "a name is first");
        assert_eq!(column("a,b\n", "2", true), Ok(Some(Column::Position(1))));
        assert_eq!(column("a,b\n", "2", false), Ok(Some(Column::Position(1))));
        assert_eq!(column("a,b\n", "c", true).unwrap_err(), "f has no column 'c': its columns are a, b");
        assert!(column("a,a\n", "a", true).unwrap_err().contains("2 columns have this name"));
        assert!(column("a,b\n", "3", false).unwrap_err().contains("the numbers 1 to 2"));
    }

    #[test]
    fn refused_names_are_no_columns() {
        assert_eq!(
            head("a,code\n1,2\n", None, true).map(drop),
            Err("f has a column 'code': it would be run".to_owned())
        );
        assert!(head("a,code\n1,2\n", None, false).is_ok());
    }

    #[test]
    fn needed_names_must_be_columns() {
        let options =
            |has_heading| TableOptions { has_heading, needed_names: vec!["no".to_owned()], ..TableOptions::default() };
        let said = |has_heading| {
            let head = read_head("f", &mut &b"a,b\n1,2\n"[..], &options(has_heading), 1000);
            head.map(drop).unwrap_err().to_string()
        };
        assert_eq!(said(true), "f has no column 'no': its columns are a, b; {{no}} is the text {no}");
        assert!(said(false).contains("the numbers 1 to 2"));
    }

    #[test]
    fn other_columns_are_refused() {
        let cell = TableCell::default();
        let table = |text| head(text, None, true).unwrap().unwrap().table;
        assert!(agree(&cell, "f", table("a,b\n")).is_ok() && agree(&cell, "g", table("a,b\n")).is_ok());
        let error = agree(&cell, "g", table("b,a\n")).unwrap_err().to_string();
        assert!(error.contains("b, a") && error.contains("a, b"), "{error}");
    }
}

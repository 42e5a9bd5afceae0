//! The words after `--`: a program and its arguments, with placeholders for the
//! item.
//!
//! The placeholders are those of GNU parallel. The item's text is not searched for
//! placeholders, stays within its argument, and never becomes the program's name.

use procession_task::{Column, Failure, TableFormat, TableSpec};
use std::fmt;

/// A program and its arguments, with placeholders for the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    program: Vec<u8>,
    args: Vec<Vec<TemplatePart>>,
    /// The table that items are records of, if they are.
    table: Option<TableSpec>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(Vec<u8>),
    Placeholder(Placeholder),
    /// A field of the item, which is a record of a table.
    Field(Column),
}

/// The part of an item that replaces a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Item,
    Number,
    Basename,
    Dirname,
    WithoutExtension,
    BasenameWithoutExtension,
}

impl Placeholder {
    /// Every placeholder with its notation.
    const ALL: [(&'static [u8], Self); 6] = [
        (b"{}", Self::Item),
        (b"{#}", Self::Number),
        (b"{/}", Self::Basename),
        (b"{//}", Self::Dirname),
        (b"{.}", Self::WithoutExtension),
        (b"{/.}", Self::BasenameWithoutExtension),
    ];

    /// The placeholder at the start of the text, and the length of its notation.
    fn at_start(text: &[u8]) -> Option<(usize, Self)> {
        Self::ALL.iter().find(|(written, _)| text.starts_with(written)).map(|(written, place)| (written.len(), *place))
    }

    fn push(self, out: &mut Vec<u8>, item: &[u8], index: u64) {
        match self {
            Self::Item => out.extend_from_slice(item),
            Self::Number => out.extend_from_slice((u128::from(index) + 1).to_string().as_bytes()),
            Self::Basename => out.extend_from_slice(basename(item)),
            Self::Dirname => out.extend_from_slice(dirname(item)),
            Self::WithoutExtension => out.extend_from_slice(without_extension(item)),
            Self::BasenameWithoutExtension => out.extend_from_slice(without_extension(basename(item))),
        }
    }
}

/// Why the words are not a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// There are no words.
    NoProgram,
    /// The program's name has a placeholder.
    PlaceInProgram,
    /// A word holds a NUL byte.
    Nul,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoProgram => "there is no program: add -- PROGRAM ARGS… at the end",
            Self::PlaceInProgram => {
                "the item can't be the program or part of its name: \
                 put the program after -- and {} among its arguments"
            }
            Self::Nul => "no argument of a program can hold a NUL byte",
        })
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// A program's name and its arguments. In an argument `{}` is the item, `{#}` its
    /// number from 1, `{/}` its basename, `{//}` its dirname, `{.}` the item without
    /// its extension, and `{/.}` its basename without its extension. Any other `{…}` is
    /// plain text.
    ///
    /// # Errors
    /// There is no program, or its name depends on the item.
    pub fn new(words: &[Vec<u8>]) -> Result<Self, TemplateError> {
        let template = Self::plain(words)?;
        if !matches!(pieces(&template.program).as_slice(), [TemplatePart::Text(_)]) {
            return Err(TemplateError::PlaceInProgram);
        }
        Ok(Self { args: words[1..].iter().map(|word| pieces(word)).collect(), ..template })
    }

    /// The same for items that are records of this table. In an argument `{1}` is the
    /// first field and `{name}` that of the column of this name, or the value of this
    /// key of a JSON object.
    ///
    /// # Errors
    /// There is no program, or its name depends on the item.
    pub fn for_table(words: &[Vec<u8>], table: &TableSpec) -> Result<Self, TemplateError> {
        let template = Self::new(words)?;
        let args =
            template.args.into_iter().map(|parts| parts.into_iter().flat_map(|part| fields(part, table)).collect());
        Ok(Self { args: args.collect(), table: Some(table.clone()), ..template })
    }

    /// The same for a program whose arguments hold no item: all of them are plain text.
    ///
    /// # Errors
    /// There is no program.
    pub fn plain(words: &[Vec<u8>]) -> Result<Self, TemplateError> {
        if words.iter().any(|word| word.contains(&0)) {
            return Err(TemplateError::Nul);
        }
        let (program, args) = words.split_first().ok_or(TemplateError::NoProgram)?;
        if program.is_empty() {
            return Err(TemplateError::NoProgram);
        }
        Ok(Self {
            program: program.clone(),
            args: args.iter().map(|word| vec![TemplatePart::Text(word.clone())]).collect(),
            table: None,
        })
    }

    /// The program's name.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    /// Whether an argument has a placeholder. Without one the program reads the item
    /// from its standard input.
    #[must_use]
    pub fn has_places(&self) -> bool {
        self.args.iter().flatten().any(|piece| !matches!(piece, TemplatePart::Text(_)))
    }

    /// The arguments for the item of this index (from 0), with the program's name
    /// first.
    ///
    /// # Errors
    /// The item is a record without a field that an argument has a place for.
    pub fn fill(&self, item: &[u8], index: u64) -> Result<Vec<Vec<u8>>, Failure> {
        let mut words = vec![self.program.clone()];
        for pieces in &self.args {
            let mut filled = Vec::new();
            for piece in pieces {
                match (piece, &self.table) {
                    (TemplatePart::Text(text), _) => filled.extend_from_slice(text),
                    (TemplatePart::Placeholder(place), _) => place.push(&mut filled, item, index),
                    (TemplatePart::Field(column), Some(table)) => filled.extend_from_slice(&table.field(item, column)?),
                    (TemplatePart::Field(_), None) => {}
                }
            }
            words.push(filled);
        }
        Ok(words)
    }
}

/// A word as text and placeholders. A word without placeholders is one text, even
/// if it is empty.
fn pieces(word: &[u8]) -> Vec<TemplatePart> {
    let (mut pieces, mut text, mut at) = (Vec::new(), Vec::new(), 0);
    while at < word.len() {
        match Placeholder::at_start(&word[at..]) {
            Some((length, place)) => {
                if !text.is_empty() {
                    pieces.push(TemplatePart::Text(std::mem::take(&mut text)));
                }
                pieces.push(TemplatePart::Placeholder(place));
                at += length;
            }
            None => {
                text.push(word[at]);
                at += 1;
            }
        }
    }
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(TemplatePart::Text(text));
    }
    pieces
}

/// Text with places for the fields of a table, as parts.
fn fields(part: TemplatePart, table: &TableSpec) -> Vec<TemplatePart> {
    let TemplatePart::Text(text) = part else { return vec![part] };
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = memchr::memchr(b'{', &text[at..]).map(|open| at + open) {
        at = open + 1;
        let Some(length) = text[at..].iter().position(|&byte| byte == b'}' || byte == b'{') else { break };
        let column = std::str::from_utf8(&text[at..at + length]).ok().and_then(|name| column(name, table));
        if let Some(column) = column.filter(|_| text[at + length] == b'}') {
            if open > from {
                parts.push(TemplatePart::Text(text[from..open].to_vec()));
            }
            parts.push(TemplatePart::Field(column));
            at += length + 1;
            from = at;
        }
    }
    if from < text.len() || parts.is_empty() {
        parts.push(TemplatePart::Text(text[from..].to_vec()));
    }
    parts
}

/// The column that stands between braces: its name, its number, or a key of JSON
/// objects.
fn column(name: &str, table: &TableSpec) -> Option<Column> {
    let position = |at: usize| u32::try_from(at).ok().map(Column::Position);
    if let Some(at) = table.names.iter().position(|known| known == name) {
        return position(at);
    }
    if let Ok(number) = name.parse::<usize>() {
        return position(number.checked_sub(1)?);
    }
    let is_key = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (table.format == TableFormat::Jsonl && is_key).then(|| Column::Key(name.to_owned()))
}

/// The position after the last slash.
fn name_at(path: &[u8]) -> usize {
    path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1)
}

/// The part after the last slash; empty if the path ends in a slash.
fn basename(path: &[u8]) -> &[u8] {
    &path[name_at(path)..]
}

/// The part before the name; `.` if there is none.
fn dirname(path: &[u8]) -> &[u8] {
    let folder = |path| match name_at(path) {
        0 => &b"."[..],
        at => without_slashes(&path[..at]),
    };
    // A path that ends in a slash is a folder; its dirname is the folder that holds
    // it.
    if basename(path).is_empty() && !path.is_empty() { folder(without_slashes(path)) } else { folder(path) }
}

/// Removes slashes at the end, but leaves a path of slashes only as one slash.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(1, |at| at + 1);
    &path[..end.min(path.len())]
}

/// Removes the part from the last dot of the name.
fn without_extension(path: &[u8]) -> &[u8] {
    let name = name_at(path);
    path[name..].iter().rposition(|&byte| byte == b'.').map_or(path, |at| &path[..name + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn filled(template: &[&str], item: &str, index: u64) -> Vec<String> {
        let args = Template::new(&words(template)).unwrap().fill(item.as_bytes(), index).unwrap();
        args.into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect()
    }

    #[test]
    fn every_placeholder_works_as_in_gnu_parallel() {
        let template = ["p", "{}", "{#}", "{/}", "{//}", "{.}", "{/.}"];
        for (item, expected) in [
            ("a", ["a", "1", "a", ".", "a", "a"]),
            ("a.b", ["a.b", "1", "a.b", ".", "a", "a"]),
            ("a.b.gz", ["a.b.gz", "1", "a.b.gz", ".", "a.b", "a.b"]),
            ("/a/b.c", ["/a/b.c", "1", "b.c", "/a", "/a/b", "b"]),
            ("a.d/b", ["a.d/b", "1", "b", "a.d", "a.d/b", "b"]),
            ("/b", ["/b", "1", "b", "/", "/b", "b"]),
            ("a//b", ["a//b", "1", "b", "a", "a//b", "b"]),
            ("a/b/", ["a/b/", "1", "", "a", "a/b/", ""]),
            ("a/", ["a/", "1", "", ".", "a/", ""]),
            ("/", ["/", "1", "", "/", "/", ""]),
            ("//", ["//", "1", "", "/", "//", ""]),
            ("a.", ["a.", "1", "a.", ".", "a", "a"]),
            ("", ["", "1", "", ".", "", ""]),
            ("two words", ["two words", "1", "two words", ".", "two words", "two words"]),
        ] {
            assert_eq!(filled(&template, item, 0)[1..], expected, "{item}");
        }
        assert_eq!(filled(&["p", "{#}"], "x", u64::MAX), ["p", "18446744073709551616"]);
    }

    #[test]
    fn placeholders_may_be_parts_of_arguments_and_repeat() {
        assert_eq!(
            filled(&["p", "a{}b{}", "{#}{#}", "{{}}", "--x={.}.y"], "i.j", 8)[1..],
            ["ai.jbi.j", "99", "{i.j}", "--x=i.y"]
        );
    }

    #[test]
    fn the_text_of_an_item_is_not_searched_for_placeholders() {
        assert_eq!(filled(&["p", "{}", "{}{#}"], "{}{#}{", 0), ["p", "{}{#}{", "{}{#}{1"]);
        assert_eq!(filled(&["p", "{}#}"], "{", 0), ["p", "{#}"]);
    }

    #[test]
    fn fields_of_records_take_their_places() {
        let csv = TableSpec {
            format: TableFormat::Csv(b','),
            names: vec!["id".to_owned(), "the name".to_owned(), "2".to_owned()],
            column: None,
        };
        let template = words(&["p", "{1}", "x{the name}{id}y", "{2}", "{no}{", "{}", "{4}"]);
        let filled = |item: &str, count: usize| {
            let template = Template::for_table(&template[..count], &csv).unwrap();
            let filled = template.fill(item.as_bytes(), 0).map_err(|failure| failure.message)?;
            Ok::<_, String>(filled.into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect::<Vec<_>>())
        };
        let expected = ["p", "7", "xa,b7y", "z", "{no}{", "7,\"a,b\",z"];
        assert_eq!(filled("7,\"a,b\",z", 6).unwrap(), expected, "a name is before a number");
        assert_eq!(filled("7,8,9", 7).unwrap_err(), "the record has 3 fields, no field 4");
        let jsonl = TableSpec { format: TableFormat::Jsonl, names: Vec::new(), column: None };
        let template = Template::for_table(&words(&["p", "{id}", "{ print }"]), &jsonl).unwrap();
        assert_eq!(template.fill(br#"{"id": "x y"}"#, 0).unwrap(), words(&["p", "x y", "{ print }"]));
        assert!(template.fill(br#"{"n": 1}"#, 0).unwrap_err().message.contains("no key 'id'"));
    }

    #[test]
    fn any_other_braces_are_plain_text() {
        let template = ["p", "{x}", "{size}", "{", "}", "{ }", "", "{///}", "$(x);'\""];
        assert_eq!(filled(&template, "i", 0), template);
        let template = Template::new(&words(&template)).unwrap();
        assert!(!template.has_places());
        let plain = Template::plain(&words(&["{}", "{#}"])).unwrap();
        assert_eq!(plain.fill(b"x", 0), Ok(words(&["{}", "{#}"])));
        assert!(!plain.has_places());
        assert!(Template::new(&words(&["p", "a", "b{#}"])).unwrap().has_places());
    }

    #[test]
    fn items_need_not_be_utf8() {
        let template = Template::new(&words(&["p", "{/}", "{}"])).unwrap();
        assert_eq!(template.fill(b"\xff/\xfe\n", 0).unwrap()[1..], [b"\xfe\n".to_vec(), b"\xff/\xfe\n".to_vec()]);
    }

    #[test]
    fn an_item_never_becomes_the_programs_name() {
        for program in ["{}", "a{}", "{#}", "{/.}b"] {
            assert_eq!(Template::new(&words(&[program, "x"])), Err(TemplateError::PlaceInProgram));
        }
        assert!(Template::new(&words(&["{x}"])).is_ok());
        assert_eq!(Template::new(&[]), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["", "x"])), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["p", "a\0"])), Err(TemplateError::Nul));
    }
}

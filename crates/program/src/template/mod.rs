//! The words after `--`: a program and its arguments, with placeholders for the
//! item.
//!
//! The placeholders are those of GNU parallel. The item's text is not searched for
//! placeholders, stays within its argument, and never becomes the program's name.

mod placeholder;
mod scan;

use procession_task::{Failure, TableSpec};
pub use scan::{FoundPlaceholder, find_placeholders};
use scan::{SLOT, TemplatePart, parts};
use std::fmt;

/// A program and its arguments, with placeholders for the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    program: Vec<u8>,
    args: Vec<Vec<TemplatePart>>,
    /// The table that items are records of, if they are.
    table: Option<TableSpec>,
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
    /// its extension, `{/.}` its basename without its extension, and `{%}` the number of
    /// the worker's slot from 1. If items are records of a table, `{1}` is the first
    /// field, `{name}` that of the column of this name or the value of this key of a
    /// JSON object, and `{{1}}` the text `{1}`. Any other `{…}` is plain text.
    ///
    /// # Errors
    /// There is no program, or its name depends on the item.
    pub fn new(words: &[Vec<u8>], table: Option<&TableSpec>) -> Result<Self, TemplateError> {
        let template = Self::plain(words)?;
        if !find_placeholders(&template.program, None).is_empty() {
            return Err(TemplateError::PlaceInProgram);
        }
        let args = words[1..].iter().map(|word| parts(word, table).into_iter().map(|(_, part)| part).collect());
        Ok(Self { args: args.collect(), table: table.cloned(), ..template })
    }

    /// The same for the worker in this slot (from 0).
    #[must_use]
    pub fn in_slot(mut self, slot: u32) -> Self {
        for part in self.args.iter_mut().flatten().filter(|part| **part == TemplatePart::Slot) {
            *part = TemplatePart::Text((u64::from(slot) + 1).to_string().into_bytes());
        }
        self
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

    /// Whether an argument has a placeholder for the item or its number. Without one
    /// the program reads the item from its standard input.
    #[must_use]
    pub fn has_places(&self) -> bool {
        self.args.iter().flatten().any(|part| !matches!(part, TemplatePart::Text(_) | TemplatePart::Slot))
    }

    /// The arguments for the item of this index (from 0), with the program's name
    /// first.
    ///
    /// # Errors
    /// The item is a record without a field that an argument has a place for.
    pub fn fill(&self, item: &[u8], index: u64) -> Result<Vec<Vec<u8>>, Failure> {
        let mut words = vec![self.program.clone()];
        for parts in &self.args {
            let mut filled = Vec::new();
            for part in parts {
                match (part, &self.table) {
                    (TemplatePart::Text(text), _) => filled.extend_from_slice(text),
                    (TemplatePart::Slot, _) => filled.extend_from_slice(SLOT),
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

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::TableFormat;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn filled(template: &[&str], item: &str, index: u64) -> Vec<String> {
        let args = Template::new(&words(template), None).unwrap().fill(item.as_bytes(), index).unwrap();
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
            let template = Template::new(&template[..count], Some(&csv)).unwrap();
            let filled = template.fill(item.as_bytes(), 0).map_err(|failure| failure.message)?;
            Ok::<_, String>(filled.into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect::<Vec<_>>())
        };
        let expected = ["p", "7", "xa,b7y", "z", "{no}{", "7,\"a,b\",z"];
        assert_eq!(filled("7,\"a,b\",z", 6).unwrap(), expected, "a name is before a number");
        assert_eq!(filled("7,8,9", 7).unwrap_err(), "the record has 3 fields, no field 4");
        let jsonl = TableSpec { format: TableFormat::Jsonl, names: Vec::new(), column: None };
        let template = Template::new(&words(&["p", "{id}", "{ print }"]), Some(&jsonl)).unwrap();
        assert_eq!(template.fill(br#"{"id": "x y"}"#, 0).unwrap(), words(&["p", "x y", "{ print }"]));
        assert!(template.fill(br#"{"n": 1}"#, 0).unwrap_err().message.contains("no key 'id'"));
    }

    #[test]
    fn any_other_braces_are_plain_text() {
        let template = ["p", "{x}", "{size}", "{", "}", "{ }", "", "{///}", "$(x);'\""];
        assert_eq!(filled(&template, "i", 0), template);
        let template = Template::new(&words(&template), None).unwrap();
        assert!(!template.has_places());
        let plain = Template::plain(&words(&["{}", "{#}"])).unwrap();
        assert_eq!(plain.fill(b"x", 0), Ok(words(&["{}", "{#}"])));
        assert!(!plain.has_places());
        assert!(Template::new(&words(&["p", "a", "b{#}"]), None).unwrap().has_places());
    }

    #[test]
    fn the_slot_is_counted_from_1_and_is_no_place_for_the_item() {
        let template = Template::new(&words(&["p", "gpu{%}{%}"]), None).unwrap();
        assert!(!template.has_places());
        assert_eq!(template.fill(b"x", 0), Ok(words(&["p", "gpu{%}{%}"])));
        assert_eq!(template.in_slot(3).fill(b"{%}", 0), Ok(words(&["p", "gpu44"])));
    }

    #[test]
    fn items_need_not_be_utf8() {
        let template = Template::new(&words(&["p", "{/}", "{}"]), None).unwrap();
        assert_eq!(template.fill(b"\xff/\xfe\n", 0).unwrap()[1..], [b"\xfe\n".to_vec(), b"\xff/\xfe\n".to_vec()]);
    }

    #[test]
    fn an_item_never_becomes_the_programs_name() {
        for program in ["{}", "a{}", "{#}", "{/.}b"] {
            assert_eq!(Template::new(&words(&[program, "x"]), None), Err(TemplateError::PlaceInProgram));
        }
        assert!(Template::new(&words(&["{x}"]), None).is_ok());
        assert_eq!(Template::new(&[], None), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["", "x"]), None), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["p", "a\0"]), None), Err(TemplateError::Nul));
    }
}

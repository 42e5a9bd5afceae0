//! What stands after `--`, with places in it for an item: how an argument
//! vector is made of it.
//!
//! The placeholders are those of GNU parallel. What came from an item is never
//! looked at again, stays within its argument, and never becomes the program's
//! name.

use std::fmt;

/// A program and its arguments, with places for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    program: Vec<u8>,
    args: Vec<Vec<TemplatePart>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(Vec<u8>),
    Placeholder(Placeholder),
}

/// What of an item is put in its place.
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
    /// Each with how it is written.
    const ALL: [(&'static [u8], Self); 6] = [
        (b"{}", Self::Item),
        (b"{#}", Self::Number),
        (b"{/}", Self::Basename),
        (b"{//}", Self::Dirname),
        (b"{.}", Self::WithoutExtension),
        (b"{/.}", Self::BasenameWithoutExtension),
    ];

    /// The one that the text begins with, and how long that is.
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

/// Why there can be no template of these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// There are none.
    NoProgram,
    /// The program's name has a place for an item.
    PlaceInProgram,
    /// A word holds a NUL byte.
    Nul,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoProgram => "there is no program: add -- PROGRAM ARGS… at the end",
            Self::PlaceInProgram => {
                "an item can't be the program to run, or a part of its name: \
                 put the program after --, and {} behind it"
            }
            Self::Nul => "no argument of a program can hold a NUL byte",
        })
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// A program's name and its arguments, in which `{}` is the item, `{#}` its
    /// number from 1, `{/}` its basename, `{//}` its dirname, `{.}` the item
    /// without its extension and `{/.}` its basename without its extension.
    /// Any other `{…}` is what it is.
    ///
    /// # Errors
    /// No program, or one whose name depends on the item.
    pub fn new(words: &[Vec<u8>]) -> Result<Self, TemplateError> {
        let template = Self::plain(words)?;
        if !matches!(pieces(&template.program).as_slice(), [TemplatePart::Text(_)]) {
            return Err(TemplateError::PlaceInProgram);
        }
        Ok(Self { args: words[1..].iter().map(|word| pieces(word)).collect(), ..template })
    }

    /// The same for a program that is given no item in its arguments: all of
    /// them are what they are.
    ///
    /// # Errors
    /// No program.
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
        })
    }

    /// The program's name.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    /// Whether an argument has a place for the item or its number. Without one
    /// the item is what the program reads.
    #[must_use]
    pub fn has_places(&self) -> bool {
        self.args.iter().flatten().any(|piece| matches!(piece, TemplatePart::Placeholder(_)))
    }

    /// The argument vector for the item of this index (from 0), the program's
    /// name first.
    #[must_use]
    pub fn fill(&self, item: &[u8], index: u64) -> Vec<Vec<u8>> {
        let arg = |pieces: &Vec<TemplatePart>| {
            let mut filled = Vec::new();
            for piece in pieces {
                match piece {
                    TemplatePart::Text(text) => filled.extend_from_slice(text),
                    TemplatePart::Placeholder(place) => place.push(&mut filled, item, index),
                }
            }
            filled
        };
        std::iter::once(self.program.clone()).chain(self.args.iter().map(arg)).collect()
    }
}

/// A word as text and places; a word without places is one text, also an empty one.
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

/// Where the name begins, behind the last slash.
fn name_at(path: &[u8]) -> usize {
    path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1)
}

/// What is behind the last slash; nothing if that is the end.
fn basename(path: &[u8]) -> &[u8] {
    &path[name_at(path)..]
}

/// What is before the last slash that something follows; `.` if there is none.
fn dirname(path: &[u8]) -> &[u8] {
    let folder = |path| match name_at(path) {
        0 => &b"."[..],
        at => without_slashes(&path[..at]),
    };
    // A name that ends in a slash is a folder's, and what is wanted is where that is.
    if basename(path).is_empty() && !path.is_empty() { folder(without_slashes(path)) } else { folder(path) }
}

/// Without slashes at its end, unless it has nothing else.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(1, |at| at + 1);
    &path[..end.min(path.len())]
}

/// Without what begins at the last dot of its name.
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
        let args = Template::new(&words(template)).unwrap().fill(item.as_bytes(), index);
        args.into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect()
    }

    #[test]
    fn every_placeholder_is_as_in_gnu_parallel() {
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
    fn a_place_may_be_a_part_of_an_argument_and_come_again() {
        assert_eq!(
            filled(&["p", "a{}b{}", "{#}{#}", "{{}}", "--x={.}.y"], "i.j", 8)[1..],
            ["ai.jbi.j", "99", "{i.j}", "--x=i.y"]
        );
    }

    #[test]
    fn what_came_from_an_item_is_not_scanned_again() {
        assert_eq!(filled(&["p", "{}", "{}{#}"], "{}{#}{", 0), ["p", "{}{#}{", "{}{#}{1"]);
        assert_eq!(filled(&["p", "{}#}"], "{", 0), ["p", "{#}"]);
    }

    #[test]
    fn anything_else_is_what_it_is() {
        let template = ["p", "{x}", "{size}", "{", "}", "{ }", "", "{///}", "$(x);'\""];
        assert_eq!(filled(&template, "i", 0), template);
        let template = Template::new(&words(&template)).unwrap();
        assert!(!template.has_places());
        let plain = Template::plain(&words(&["{}", "{#}"])).unwrap();
        assert_eq!(plain.fill(b"x", 0), words(&["{}", "{#}"]));
        assert!(!plain.has_places());
        assert!(Template::new(&words(&["p", "a", "b{#}"])).unwrap().has_places());
    }

    #[test]
    fn items_are_bytes() {
        let template = Template::new(&words(&["p", "{/}", "{}"])).unwrap();
        assert_eq!(template.fill(b"\xff/\xfe\n", 0)[1..], [b"\xfe\n".to_vec(), b"\xff/\xfe\n".to_vec()]);
    }

    #[test]
    fn an_item_never_becomes_the_program() {
        for program in ["{}", "a{}", "{#}", "{/.}b"] {
            assert_eq!(Template::new(&words(&[program, "x"])), Err(TemplateError::PlaceInProgram));
        }
        assert!(Template::new(&words(&["{x}"])).is_ok());
        assert_eq!(Template::new(&[]), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["", "x"])), Err(TemplateError::NoProgram));
        assert_eq!(Template::new(&words(&["p", "a\0"])), Err(TemplateError::Nul));
    }
}

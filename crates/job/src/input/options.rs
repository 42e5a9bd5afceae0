//! What to read, as given on the command line.

use super::numbers::{Suspicion, clean_list};
use super::range::IntegerRange;
use crate::error::InputError;
use procession_task::Items;
use std::path::PathBuf;

/// The default limit of an item's size in bytes.
pub const MAX_ITEM: usize = 16 * 1024 * 1024;

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemSource {
    /// Files, one after the other; `-` is standard input.
    Files(Vec<PathBuf>),
    /// The integers of a range.
    Range(IntegerRange),
    /// The items themselves.
    List(Vec<String>),
}

impl ItemSource {
    /// Parses `X,Y,…`: the items, separated by commas; white space around them is
    /// none of them. An empty text is an empty list.
    #[must_use]
    pub fn parse_list(text: &str) -> Self {
        if text.is_empty() {
            return Self::List(Vec::new());
        }
        Self::List(text.split(',').map(|item| item.trim_ascii().to_owned()).collect())
    }

    /// The same; numbers in a list are plain ones.
    ///
    /// # Errors
    /// The list seems to be something else than numbers.
    pub(crate) fn cleaned(self, content: Content) -> Result<Self, InputError> {
        match self {
            Self::List(list) if content == Content::Numbers => {
                let suspicious = |suspicion: Suspicion| InputError::Suspicious {
                    name: "--list".to_owned(),
                    suspicion: suspicion.to_string(),
                };
                clean_list(&list).map(Self::List).map_err(suspicious)
            }
            other => Ok(other),
        }
    }
}

/// What is known of the items before they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing: they are taken as they are.
    #[default]
    Any,
    /// They are a list of numbers, whatever they look like: leading lines with
    /// words are a heading.
    List,
    /// They are numbers as people write them: below a heading, in brackets and
    /// quotes, with remarks. What seems to be a table is refused.
    Numbers,
}

/// How a table is read: records of comma-separated values, or JSON values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// What separates fields; if it is not given, it is judged on the first records.
    pub delimiter: Option<u8>,
    /// Whether the first record has the names of the columns.
    pub has_heading: bool,
    /// The field that is the item: the name or number (from 1) of a column, of JSON
    /// values a key. Without it, an item is a whole record.
    pub column: Option<String>,
    /// Names that no column may have, each with the reason: what the user wrote would be
    /// something else than it seems.
    pub refused_names: Vec<(String, String)>,
    /// Names that columns must have, because the user wrote `{NAME}`.
    pub needed_names: Vec<String>,
}

/// How items are separated and which of them are taken.
///
/// The order is: `skip`, then `shuffle`, then `size`. `cycle` repeats the items
/// after `skip` and `shuffle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputOptions {
    /// How items are separated.
    pub items: Items,
    /// What the items are. Anything but [`Content::Any`] needs words.
    pub content: Content,
    /// Whether blank lines at the end of an input are told: they are items too.
    pub tells_blank_end: bool,
    /// How a table is read, if the items are its records or fields.
    pub table: Option<TableOptions>,
    /// How many of the first items to leave out. They are still counted: the
    /// first item that is taken has index `skip`.
    pub skip: u64,
    /// How many items to take. An input with fewer is refused.
    pub size: Option<u64>,
    /// Takes the items in an order that depends only on this seed. The index of
    /// an item is then its position in that order, from 0.
    pub shuffle: Option<u64>,
    /// Repeats the items to fill `size`.
    pub cycle: bool,
    /// The limit of an item's size in bytes.
    pub max_item: usize,
}

impl InputOptions {
    /// All items, separated by this rule.
    #[must_use]
    pub fn new(items: Items) -> Self {
        Self {
            items,
            content: Content::Any,
            tells_blank_end: false,
            table: None,
            skip: 0,
            size: None,
            shuffle: None,
            cycle: false,
            max_item: MAX_ITEM,
        }
    }

    /// The index of the first item that is taken.
    pub(crate) fn first_index(&self) -> u64 {
        if self.shuffle.is_some() { 0 } else { self.skip }
    }
}

/// Refuses items that contain a separator or are too long.
pub(crate) fn check_list(list: &[String], items: Items, max: usize) -> Result<(), InputError> {
    if list.iter().any(|item| item.len() > max) {
        return Err(InputError::TooLong { name: "--list".to_owned(), line: 1, max });
    }
    let is_cut = |item: &&String| {
        let nothing = items == Items::Words && item.is_empty();
        // A carriage return at the end of an item would be read as a part of
        // the line end.
        let lost = items == Items::Lines && item.ends_with('\r');
        nothing || lost || item.bytes().any(|byte| items.is_separator(byte))
    };
    match list.iter().find(is_cut) {
        Some(item) => Err(InputError::Separator { item: item.clone(), items }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_at_commas() {
        let list = |items: &[&str]| ItemSource::List(items.iter().map(|&i| i.to_owned()).collect());
        assert_eq!(ItemSource::parse_list("2,3,a b"), list(&["2", "3", "a b"]));
        assert_eq!(ItemSource::parse_list(" 2, 3"), list(&["2", "3"]));
        assert_eq!(ItemSource::parse_list(""), list(&[]));
        assert_eq!(ItemSource::parse_list("a,"), list(&["a", ""]));
    }

    #[test]
    fn items_with_separators_are_refused() {
        let list = |item: &str| vec!["2".to_owned(), item.to_owned()];
        assert!(check_list(&list("a b"), Items::Lines, MAX_ITEM).is_ok());
        assert!(check_list(&list(""), Items::Lines, MAX_ITEM).is_ok());
        for (item, rule) in [("a b", Items::Words), ("", Items::Words), ("a\nb", Items::Lines), ("a\0b", Items::Nul)] {
            let error = check_list(&list(item), rule, MAX_ITEM).unwrap_err().to_string();
            assert!(error.contains("separator"), "{error}");
        }
    }
}

//! What to read, as asked for on the command line.

use super::range::IntegerRange;
use crate::error::InputError;
use procession_task::Items;
use std::path::PathBuf;

/// Longest item that is accepted when nothing else is said.
pub const MAX_ITEM: usize = 16 * 1024 * 1024;

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemSource {
    /// Files, one after the other; `-` is the standard input.
    Files(Vec<PathBuf>),
    /// The integers of a range.
    Range(IntegerRange),
    /// The items themselves.
    List(Vec<String>),
}

impl ItemSource {
    /// Reads `X,Y,…`: the items themselves, cut at commas. An empty text is an
    /// empty list.
    #[must_use]
    pub fn parse_list(text: &str) -> Self {
        if text.is_empty() {
            return Self::List(Vec::new());
        }
        Self::List(text.split(',').map(str::to_owned).collect())
    }
}

/// How items are cut and which of them are taken.
///
/// The order is: `skip`, then `shuffle`, then `size`; `cycle` starts again with
/// what `skip` and `shuffle` have left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputOptions {
    /// How the bytes are cut into items.
    pub items: Items,
    /// Whether items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// How many of the first items to leave out. Indexes keep counting from the
    /// input's own beginning: the first item that is taken has index `skip`.
    pub skip: u64,
    /// Take that many items; an input with fewer is refused.
    pub size: Option<u64>,
    /// Take the items in an order that depends on this seed alone; an item's
    /// index is then its place in that order, from 0.
    pub shuffle: Option<u64>,
    /// Start again at the end, to fill `size`.
    pub cycle: bool,
    /// Longest item that is accepted, in bytes.
    pub max_item: usize,
}

impl InputOptions {
    /// Every item, cut by this rule.
    #[must_use]
    pub fn new(items: Items) -> Self {
        Self { items, numbers: false, skip: 0, size: None, shuffle: None, cycle: false, max_item: MAX_ITEM }
    }

    /// Whether leading lines with words are a heading.
    pub(crate) fn has_heading(&self) -> bool {
        self.numbers && self.items == Items::Words
    }

    /// The index of the first item that is taken.
    pub(crate) fn first_index(&self) -> u64 {
        if self.shuffle.is_some() { 0 } else { self.skip }
    }
}

/// Refuses items that would be cut apart by the rule.
pub(crate) fn check_list(list: &[String], items: Items, max: usize) -> Result<(), InputError> {
    if list.iter().any(|item| item.len() > max) {
        return Err(InputError::TooLong { name: "--list".to_owned(), line: 1, max });
    }
    let is_cut = |item: &&String| {
        let nothing = items == Items::Words && item.is_empty();
        // A carriage return at the end of a line would be taken for its end.
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
        assert_eq!(ItemSource::parse_list(""), list(&[]));
        assert_eq!(ItemSource::parse_list("a,"), list(&["a", ""]));
    }

    #[test]
    fn items_that_would_be_cut_apart_are_refused() {
        let list = |item: &str| vec!["2".to_owned(), item.to_owned()];
        assert!(check_list(&list("a b"), Items::Lines, MAX_ITEM).is_ok());
        assert!(check_list(&list(""), Items::Lines, MAX_ITEM).is_ok());
        for (item, rule) in [("a b", Items::Words), ("", Items::Words), ("a\nb", Items::Lines), ("a\0b", Items::Nul)] {
            let error = check_list(&list(item), rule, MAX_ITEM).unwrap_err().to_string();
            assert!(error.contains("separator"), "{error}");
        }
    }
}

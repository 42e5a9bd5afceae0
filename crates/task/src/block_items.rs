//! The items of a block, as a task receives them: cut by a rule, and of a table
//! the records or one of their fields.

use crate::items::Items;
use crate::outcome::Failure;
use crate::table::TableSpec;
use crate::text_options::TextOptions;
use std::borrow::Cow;
use std::ops::Range;

/// An item of a block.
#[derive(Clone, Copy, Debug)]
pub struct BlockItem<'b> {
    /// Its position in the block.
    pub at: usize,
    /// How many bytes of the block it takes: more than its own if it is in quotes.
    pub length: usize,
    /// The item.
    pub item: &'b [u8],
    /// Why it is none: its record is not valid.
    pub invalid: Option<&'b Failure>,
}

/// The items of a block of a table; what they do not share with the block is held
/// here.
#[derive(Debug, Default)]
pub struct BlockItems {
    texts: Vec<u8>,
    items: Vec<HeldItem>,
}

#[derive(Debug)]
struct HeldItem {
    /// Its place in the block.
    place: Range<usize>,
    text: HeldText,
}

#[derive(Debug)]
enum HeldText {
    /// As in the block, from this position on.
    InBlock(Range<usize>),
    InTexts(Range<usize>),
    Invalid(Failure),
}

impl BlockItems {
    /// Reads the records of a block, if its items come from a table.
    #[must_use]
    pub fn of(options: &TextOptions, block: &[u8]) -> Option<Self> {
        Some(Self::of_table(options.table.as_ref()?, options.items, block))
    }

    /// Reads the records of a block of this table, whose items are cut by `items`.
    #[must_use]
    pub fn of_table(table: &TableSpec, items: Items, block: &[u8]) -> Self {
        let mut all = Self::default();
        for (at, record) in items.split(block) {
            let (place, text) = match table.item(record) {
                Err(failure) => (at..at + record.len(), HeldText::Invalid(failure)),
                Ok((place, Cow::Owned(text))) => {
                    let from = all.texts.len();
                    all.texts.extend_from_slice(&text);
                    (at + place.start..at + place.end, HeldText::InTexts(from..all.texts.len()))
                }
                Ok((place, Cow::Borrowed(text))) => {
                    let place = at + place.start..at + place.end;
                    let quotes = (place.len() - text.len().min(place.len())) / 2;
                    (place.clone(), HeldText::InBlock(place.start + quotes..place.start + quotes + text.len()))
                }
            };
            all.items.push(HeldItem { place, text });
        }
        all
    }

    /// The items, in order. `block` is the one that they are of.
    pub fn iter<'b>(&'b self, block: &'b [u8]) -> impl Iterator<Item = BlockItem<'b>> {
        self.items.iter().map(|held| {
            let (at, length) = (held.place.start, held.place.len());
            let (item, invalid) = match &held.text {
                HeldText::InBlock(range) => (&block[range.clone()], None),
                HeldText::InTexts(range) => (&self.texts[range.clone()], None),
                HeldText::Invalid(failure) => (&block[held.place.clone()], Some(failure)),
            };
            BlockItem { at, length, item, invalid }
        })
    }
}

/// The items of a block of anything else.
pub(crate) fn plain_items(items: Items, block: &[u8]) -> impl Iterator<Item = BlockItem<'_>> {
    items.split(block).map(|(at, item)| BlockItem { at, length: item.len(), item, invalid: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Format, Identity, TableFormat, TableSpec};

    #[test]
    fn fields_have_their_texts_and_places() {
        let table = TableSpec { format: TableFormat::Csv(b','), names: Vec::new(), column: Some(Column::Position(1)) };
        let (identity, items) = (Identity::new(1, "h", 0), Items::Csv(None));
        let options = TextOptions { items, table: Some(table), format: Format::Tsv, show: false, identity };
        let block = b"a,7\nb,\"8\"\nc,\"x\"\"y\"\nd\n";
        let all = BlockItems::of(&options, block).unwrap();
        let found: Vec<_> =
            all.iter(block).map(|item| (item.at, item.length, item.item, item.invalid.is_some())).collect();
        let expected: [(usize, usize, &[u8], bool); 4] =
            [(2, 1, b"7", false), (6, 3, b"8", false), (12, 6, b"x\"y", false), (19, 1, b"d", true)];
        assert_eq!(found, expected);
        assert!(BlockItems::of(&TextOptions { table: None, ..options }, block).is_none());
    }
}

//! The formats in which a task reads items and writes results.

use crate::itemlog::Identity;
use crate::items::Items;
use crate::record::Format;
use crate::table::TableSpec;

/// The formats of items and results.
#[derive(Clone, Debug)]
pub struct TextOptions {
    /// How the block is cut into items.
    pub items: Items,
    /// How the records are read, if items come from a table.
    pub table: Option<TableSpec>,
    /// How records are written.
    pub format: Format,
    /// Whether every item gets a line that is shown at once.
    pub show: bool,
    /// The process and slot named in the lines.
    pub identity: Identity,
}

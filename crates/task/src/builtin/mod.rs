//! The built-in tasks: one small file each, and this list.
//!
//! To add a task, write its file with an [`Entry`] and name it in [`ALL`].

pub mod misbehave;
pub mod null;
pub mod prime;
pub mod sqrt;

use crate::{BlockTask, Items, ParamError, ParamSpec, Params, TextOptions};

/// What the program knows of a task.
pub struct Entry {
    /// The name under which it is asked for.
    pub name: &'static str,
    /// One line for people: what an item is and what becomes of it.
    pub summary: &'static str,
    /// Its settings.
    pub params: &'static [ParamSpec],
    /// How its input is cut when nothing else is said.
    pub items: Items,
    /// Whether its items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// Kept for measuring and testing; not listed.
    pub hidden: bool,
    /// Makes it.
    pub make: Make,
}

/// Makes a task from its checked parameters.
pub type Make = fn(&Params, TextOptions) -> Result<Box<dyn BlockTask>, ParamError>;

/// Every built-in task.
pub const ALL: &[&Entry] = &[&sqrt::ENTRY, &prime::ENTRY, &null::ENTRY, &misbehave::ENTRY];

/// The task of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Identity};

    #[test]
    fn every_entry_can_be_made_with_its_defaults() {
        for entry in ALL {
            let params = Params::check(entry.name, entry.params, &[]).unwrap();
            let identity = Identity::new(1, "h", 0);
            let options = TextOptions { items: entry.items, format: Format::Tsv, show: false, identity };
            assert!((entry.make)(&params, options).is_ok(), "{}", entry.name);
            assert!(std::ptr::eq(find(entry.name).unwrap(), *entry));
        }
        assert!(find("nonsense").is_none());
    }
}

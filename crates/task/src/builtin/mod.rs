//! The built-in tasks, a file each, and their list.
//!
//! To add a task, write its file with a [`TaskEntry`] and add the entry to
//! [`ALL`].

mod entry;

pub mod mandelbrot;
pub mod misbehave;
pub mod null;
pub mod prime;
pub mod sqrt;

pub use entry::{ItemRunner, Make, Picture, TaskEntry, TaskShape};

/// Every built-in task.
pub const ALL: &[&TaskEntry] = &[&sqrt::ENTRY, &prime::ENTRY, &mandelbrot::ENTRY, &null::ENTRY, &misbehave::ENTRY];

/// The task of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static TaskEntry> {
    ALL.iter().find(|entry| entry.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Identity, Items, TextOptions};

    #[test]
    fn every_entry_can_be_made_with_its_defaults() {
        for entry in ALL {
            assert!(entry.check(&[], &[]).is_ok(), "{}", entry.name);
            let identity = Identity::new(1, "h", 0);
            let options = TextOptions { items: entry.items, table: None, format: Format::Tsv, show: false, identity };
            assert!(entry.task(&[], &[], options).is_ok(), "{}", entry.name);
            assert!(std::ptr::eq(find(entry.name).unwrap(), *entry));
        }
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn the_parameter_that_a_size_sets_is_not_for_users() {
        let side = [("side".to_owned(), "3".to_owned())];
        let refusal = mandelbrot::ENTRY.check(&side, &[]).unwrap_err().to_string();
        assert!(refusal.contains("unknown parameter 'side'"), "{refusal}");
        let identity = Identity::new(1, "h", 0);
        let options = TextOptions { items: Items::Words, table: None, format: Format::Lines, show: false, identity };
        assert!(mandelbrot::ENTRY.task(&side, &[], options).is_ok());
    }
}

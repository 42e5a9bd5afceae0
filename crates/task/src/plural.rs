//! Counts with a noun in the singular or plural.

/// `1 item`, `2 items`, and `1 process`, `2 processes`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    match (count, noun.ends_with('s')) {
        (1, _) => format!("1 {noun}"),
        (_, true) => format!("{count} {noun}es"),
        (_, false) => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        let all = [(0, "item"), (1, "item"), (2, "item"), (1, "more process"), (3, "more process")];
        let said = all.map(|(count, noun)| counted(count, noun));
        assert_eq!(said, ["0 items", "1 item", "2 items", "1 more process", "3 more processes"]);
    }
}

//! Finds the name that was probably meant.

/// The name that is nearest to `name`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().map(|known| (distance(name, known), known));
    let near = distances.filter(|&(distance, known)| distance <= known.len().max(3) / 2 || known.starts_with(name));
    near.min().map(|(_, known)| known)
}

/// The edit distance (Levenshtein) of two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances() {
        for (a, b, expected) in [("", "abc", 3), ("abc", "abc", 0), ("prme", "prime", 1), ("sqtr", "sqrt", 2)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_near_name_is_found() {
        assert_eq!(nearest("inspct", ["tasks", "inspect"]), Some("inspect"));
        assert_eq!(nearest("comp", ["tasks", "completions"]), Some("completions"));
        assert_eq!(nearest("primes.txt", ["tasks", "inspect"]), None);
    }
}

//! The fields of a line, and which of them are numbers.

/// The line without a remark (`# …`) at its end.
pub(super) fn without_remark(line: &[u8]) -> &[u8] {
    memchr::memchr(b'#', line).map_or(line, |at| &line[..at])
}

/// The field without white space and quotes around it.
pub(super) fn bare(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field {
        [open @ (b'"' | b'\''), inner @ .., close] if open == close => inner.trim_ascii(),
        _ => field,
    }
}

/// Whether the field is a number by itself, perhaps in quotes or with separated
/// thousands.
pub(super) fn is_number(field: &[u8]) -> bool {
    let field = bare(field);
    is_decimal(field) || is_grouped(field, b',')
}

/// Whether it is a sign, digits with a decimal point and an exponent: `1e3`,
/// `-2.5E7`, `.5e-3`.
pub(super) fn is_decimal(token: &[u8]) -> bool {
    let decimal = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    token.iter().all(decimal) && std::str::from_utf8(token).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// Whether it is one to three digits followed by groups of exactly three:
/// `15,485,863`.
pub(super) fn is_grouped(token: &[u8], separator: u8) -> bool {
    let mut groups = token.split(|&byte| byte == separator);
    let is_first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && is_digits(group));
    let mut others = groups.peekable();
    is_first && others.peek().is_some() && others.all(|group| group.len() == 3 && is_digits(group))
}

/// Whether it is so and a group behind the first begins with 0, which no list
/// of numbers would have.
pub(super) fn has_zero_group(token: &[u8], separator: u8) -> bool {
    is_grouped(token, separator) && token.split(|&byte| byte == separator).skip(1).any(|group| group[0] == b'0')
}

/// Whether it is a number with a comma before its fraction: `3,14`.
pub(super) fn is_decimal_comma(token: &[u8]) -> bool {
    let mut parts = token.split(|&byte| byte == b',');
    let both = [parts.next(), parts.next()];
    parts.next().is_none() && both.iter().all(|part| part.is_some_and(|part| !part.is_empty() && is_digits(part)))
}

fn is_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// The fields between this delimiter, also in quotes; empty ones at the end are
/// left out.
pub(super) fn split(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    split_where(line, |at| line[at] == delimiter)
}

/// The same for a line of words: a comma inside a grouped number (`180,000`)
/// separates nothing.
pub(super) fn split_words(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    split_where(line, |at| line[at] == delimiter && !(delimiter == b',' && is_inside_number(line, at)))
}

fn split_where(line: &[u8], is_end: impl Fn(usize) -> bool) -> Vec<&[u8]> {
    let (mut fields, mut from, mut is_quoted) = (Vec::new(), 0, false);
    for at in 0..line.len() {
        if line[at] == b'"' {
            is_quoted = !is_quoted;
        } else if !is_quoted && is_end(at) {
            fields.push(line[from..at].trim_ascii());
            from = at + 1;
        }
    }
    fields.push(line[from..].trim_ascii());
    while fields.last().is_some_and(|field| field.is_empty()) {
        fields.pop();
    }
    fields
}

/// Whether the comma at this position has a digit before it and exactly three
/// behind it.
fn is_inside_number(line: &[u8], at: usize) -> bool {
    let is_behind_digit = at > 0 && line[at - 1].is_ascii_digit();
    let behind = line[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    is_behind_digit && behind == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_thousands() {
        for text in ["1,000", "15,485,863", "999,983"] {
            assert!(is_grouped(text.as_bytes(), b','), "{text}");
        }
        for text in ["1000", "1,00", "1,0000", "1000,000", ",000", "1,000,", "a,000", "1,00a"] {
            assert!(!is_grouped(text.as_bytes(), b','), "{text}");
        }
        assert!(has_zero_group(b"1,485,063", b',') && !has_zero_group(b"15,485,863", b','));
        assert!(has_zero_group(b"1 000 003", b' '));
    }

    #[test]
    fn commas_inside_numbers_separate_no_words() {
        let text =
            |fields: Vec<&[u8]>| fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        let words = |line: &str| -> Vec<String> { text(split_words(line.as_bytes(), b',')) };
        assert_eq!(words("The 180,000 Primes, from 10,000,000 on"), ["The 180,000 Primes", "from 10,000,000 on"]);
        assert_eq!(words("alice,7"), ["alice", "7"]);
        assert_eq!(words("x1,0005"), ["x1", "0005"]);
        let fields = |line: &str| -> Vec<String> { text(split(line.as_bytes(), b',')) };
        assert_eq!(fields("\"a,b\", 1,700,,"), ["\"a,b\"", "1", "700"]);
    }

    #[test]
    fn numbers_may_be_quoted() {
        for text in ["7", " \"7\" ", "'7'", "-2.5E7", "1,000", "\"15,485,863\""] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
        for text in ["", "x", "7x", "\"7", "0x10", "nan", "---"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
        assert!(is_decimal_comma(b"3,14") && !is_decimal_comma(b"3,") && !is_decimal_comma(b"1,2,3"));
    }
}

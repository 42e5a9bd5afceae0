//! Markdown, as far as the tests of the documents need it.

use std::collections::BTreeSet;

/// A part of a document; lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A line outside of blocks of code.
    Prose { line: usize, text: &'a str },
    /// A block of code between fences.
    Code { line: usize, fence: &'a str, text: String },
}

/// The parts of a document, in order.
pub(super) fn parts(document: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut lines = (1..).zip(document.lines());
    while let Some((line, text)) = lines.next() {
        let fence = text.trim_start_matches('`');
        let marks = &text[..text.len() - fence.len()];
        if marks.len() < 3 {
            parts.push(Part::Prose { line, text });
            continue;
        }
        let block = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != marks);
        parts.push(Part::Code { line, fence, text: block.map(|text| format!("{text}\n")).collect() });
    }
    parts
}

/// Where the links of a document lead, with their lines.
pub(super) fn links(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for part in parts(document) {
        let Part::Prose { line, text } = part else { continue };
        // Every second part between back quotes is code.
        let prose = text.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        found.extend(inline.map(|(target, _)| (line, target.to_owned())));
        if let Some((_, target)) = prose.split_once("]: ").filter(|_| prose.starts_with('[')) {
            found.push((line, target.to_owned()));
        }
    }
    found
}

/// The anchors of a document's headings: their words in lower case, joined by
/// hyphens.
pub(super) fn anchors(document: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    let heading = |part: Part<'_>| match part {
        Part::Prose { text, .. } if text.starts_with('#') => Some(anchor(text)),
        _ => None,
    };
    parts(document).into_iter().filter_map(heading).collect()
}

#[test]
fn code_is_told_from_prose() {
    let document = "a\n````md\n```sh\nb\n```\n````\n```sh no-run\nc\nd\n```\ne\n";
    let code = |line, fence, text: &str| Part::Code { line, fence, text: text.to_owned() };
    let expected = [
        Part::Prose { line: 1, text: "a" },
        code(2, "md", "```sh\nb\n```\n"),
        code(7, "sh no-run", "c\nd\n"),
        Part::Prose { line: 11, text: "e" },
    ];
    assert_eq!(parts(document), expected);
}

#[test]
fn links_are_found_outside_of_code() {
    let found = links("[a](b.md#c) `[d](e)` ![f](g.svg), [h](#i)\n```\n[j](k)\n```\n[l]: m.md\n");
    let targets: Vec<(usize, &str)> = found.iter().map(|(line, target)| (*line, target.as_str())).collect();
    assert_eq!(targets, [(1, "b.md#c"), (1, "g.svg"), (1, "#i"), (5, "m.md")]);
}

#[test]
fn headings_have_anchors() {
    let found = anchors("# Many items, at a time\n```\n# no heading\n```\n## `--resume`: A/B_c\n");
    assert_eq!(found, ["--resume-ab_c", "many-items-at-a-time"].map(str::to_owned).into());
}

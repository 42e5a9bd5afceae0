//! The placeholders for an item, and the parts of a path that they stand for.

/// The part of an item that replaces a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    Item,
    Number,
    Basename,
    Dirname,
    WithoutExtension,
    BasenameWithoutExtension,
}

impl Placeholder {
    /// Every placeholder with its notation.
    const ALL: [(&'static [u8], Self); 6] = [
        (b"{}", Self::Item),
        (b"{#}", Self::Number),
        (b"{/}", Self::Basename),
        (b"{//}", Self::Dirname),
        (b"{.}", Self::WithoutExtension),
        (b"{/.}", Self::BasenameWithoutExtension),
    ];

    /// The placeholder at the start of the text, and the length of its notation.
    pub(super) fn at_start(text: &[u8]) -> Option<(usize, Self)> {
        Self::ALL.iter().find(|(written, _)| text.starts_with(written)).map(|(written, place)| (written.len(), *place))
    }

    pub(super) fn push(self, out: &mut Vec<u8>, item: &[u8], index: u64) {
        match self {
            Self::Item => out.extend_from_slice(item),
            Self::Number => out.extend_from_slice((u128::from(index) + 1).to_string().as_bytes()),
            Self::Basename => out.extend_from_slice(basename(item)),
            Self::Dirname => out.extend_from_slice(dirname(item)),
            Self::WithoutExtension => out.extend_from_slice(without_extension(item)),
            Self::BasenameWithoutExtension => out.extend_from_slice(without_extension(basename(item))),
        }
    }
}

/// The position after the last slash.
fn name_at(path: &[u8]) -> usize {
    path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1)
}

/// The part after the last slash; empty if the path ends in a slash.
fn basename(path: &[u8]) -> &[u8] {
    &path[name_at(path)..]
}

/// The part before the name; `.` if there is none.
fn dirname(path: &[u8]) -> &[u8] {
    let folder = |path| match name_at(path) {
        0 => &b"."[..],
        at => without_slashes(&path[..at]),
    };
    // A path that ends in a slash is a folder; its dirname is the folder that holds
    // it.
    if basename(path).is_empty() && !path.is_empty() { folder(without_slashes(path)) } else { folder(path) }
}

/// Removes slashes at the end, but leaves a path of slashes only as one slash.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(1, |at| at + 1);
    &path[..end.min(path.len())]
}

/// Removes the part from the last dot of the name.
fn without_extension(path: &[u8]) -> &[u8] {
    let name = name_at(path);
    path[name..].iter().rposition(|&byte| byte == b'.').map_or(path, |at| &path[..name + at])
}

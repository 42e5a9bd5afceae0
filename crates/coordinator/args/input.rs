//! Where the items come from: exactly one source.

use super::flags::WorkFlags;
use std::path::PathBuf;

/// Where the items come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Files, one after the other; standard input may be one of them.
    Files(Vec<Stream>),
    /// The whole numbers of a range, as typed.
    Range(String),
    /// The items themselves, as typed.
    List(String),
}

/// Something that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// Decides for one source; that at most one is given is clap's doing.
    ///
    /// # Errors
    /// Nothing is given and standard input is a terminal, or it is named twice.
    pub(crate) fn choose(flags: &WorkFlags, stdin_is_terminal: bool) -> Result<Self, String> {
        if let Some(range) = &flags.range {
            return Ok(Self::Range(range.clone()));
        }
        if let Some(list) = &flags.list {
            return Ok(Self::List(list.clone()));
        }
        if flags.inputs.is_empty() && stdin_is_terminal {
            return Err("no items are given: add --input FILE, --range A..B or --list X,Y, or pipe them in \
                        (--input - reads what is typed)"
                .to_owned());
        }
        if flags.inputs.is_empty() {
            return Ok(Self::Files(vec![Stream::Stdin]));
        }
        let streams: Vec<Stream> = flags.inputs.iter().cloned().map(Stream::new).collect();
        if streams.iter().filter(|stream| **stream == Stream::Stdin).count() > 1 {
            return Err("standard input can be read once only: give --input - a single time".to_owned());
        }
        Ok(Self::Files(streams))
    }
}

impl Stream {
    fn new(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }
}

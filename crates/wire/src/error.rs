//! Why received bytes are no message.

/// Why received bytes are no message. The error is always fatal for the worker at
/// the other end: a pipe neither loses nor reorders bytes, so there is no later
/// frame to go on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes do not begin as a frame of the expected direction.
    #[error("no frame begins here: {0}")]
    Marker(String),
    /// The frame is longer than allowed.
    #[error("a frame of {length} bytes is longer than the {limit} bytes allowed")]
    TooLong {
        /// The length in the frame's head, in bytes.
        length: u64,
        /// The longest length allowed, in bytes.
        limit: u64,
    },
    /// A message's header, or the blocks behind it, are longer than a worker accepts.
    /// Nothing was sent.
    #[error("{length} bytes, and at most {limit} bytes can be sent to a worker")]
    TooMuch {
        /// The length in bytes.
        length: u64,
        /// The longest length allowed, in bytes.
        limit: u64,
    },
    /// The payload was changed on its way.
    #[error("the checksum of a frame does not match its payload")]
    Checksum,
    /// The payload is not a message.
    #[error("a frame holds no message: {0}")]
    Codec(String),
    /// The header names more or fewer bytes than follow it.
    #[error("a message announces {announced} bytes of blocks but has {found}")]
    Tails {
        /// The length according to the header, in bytes.
        announced: u64,
        /// The length that follows the header, in bytes.
        found: u64,
    },
}

impl WireError {
    /// The codec's message about a value, without the words about frames.
    #[must_use]
    pub fn into_words(self) -> String {
        match self {
            Self::Codec(words) => words,
            other => other.to_string(),
        }
    }
}

//! The faults, as a test orders them: `NAME` or `NAME:ARGUMENT`.

use crate::relay::RelayFault;

/// One fault, by when it is committed.
pub(crate) enum WorkerFault {
    /// Before or instead of the hello.
    AtStart(AtStart),
    /// With the first chunk, after an honest hello.
    AtChunk(AtChunk),
}

/// Before or instead of the hello. The first five are no faults, only unusual:
/// the true worker takes over.
pub(crate) enum AtStart {
    /// `true-worker`
    Nothing,
    /// `errors:BYTES` on standard error first.
    Errors(usize),
    /// `small-pipes`: both of the smallest size.
    SmallPipes,
    /// `late:MILLISECONDS` before it does anything.
    Late(u64),
    /// `silent`
    Silent,
    /// `raw:HEX`: writes these bytes, then stays.
    Raw(Vec<u8>),
    /// `raw-end:HEX`: writes these bytes, then ends with status 0.
    RawEnd(Vec<u8>),
    /// `raw-flood:HEX`: writes these bytes over and over.
    RawFlood(Vec<u8>),
    /// `version:N`: a hello of another protocol.
    Version(u32),
    /// `version-changes:N`: that, and an honest one behind it.
    VersionChanges(u32),
    /// `version-long:N`: that, with a version text of a megabyte.
    VersionLong(u32),
    /// `host-long`: an honest hello from a host with a name of a megabyte.
    HostLong,
    /// `close`: closes its pipes and stays.
    Close,
    /// `lose:N`, `swap:N`, `repeat:N`: the true worker's N-th frame is lost, overtaken
    /// by the next, or arrives twice.
    Relay(RelayFault, usize),
}

/// With the first chunk, after an honest hello.
pub(crate) enum AtChunk {
    /// `own`: no fault either. It knows a task `echo` of its own and no other, and does it.
    Own,
    /// `drip`: answers all chunks rightly, a byte a write.
    Drip,
    /// `twice`: gives each of its answers twice, rightly.
    Twice,
    /// `nothing-first`: sends an answer about no items before each right one.
    NothingFirst,
    /// `last-word`: answers rightly and ends at once, with status 0.
    LastWord,
    /// `last-flood:N`: so many answers about no items, and then the same.
    LastFlood(usize),
    /// `mute`: never answers.
    Mute,
    /// `stubborn`: never answers and ignores SIGTERM.
    Stubborn,
    /// `truncate:N`: ends behind so many bytes of its answer.
    Truncate(usize),
    /// `flip:N`: flips this bit of its answer.
    Flip(usize),
    /// `garbage-before`, `garbage-after`: what it says stands around its answer.
    GarbageBefore,
    GarbageAfter,
    /// `flood`: garbage without end.
    Flood,
    /// `length:N`: the head of a frame so long, and then bytes without end.
    Length(u32),
    /// `trailing`: a byte too many in the frame.
    Trailing,
    /// `inner`: a list of 2^60 failures.
    Inner,
    /// `blocks`: more bytes of blocks announced than there are.
    Blocks,
    /// `not-text`: a failure whose message is not UTF-8.
    NotText,
    /// `unknown`: an answer to an attempt that nobody made.
    Unknown,
    /// `gap`: an answer that leaves out its first item.
    Gap,
    /// `more`: an answer about more items than it was given.
    More,
    /// `failure:WHAT`: a failure of an item that is not its own (`item`), that
    /// stands outside of its input (`input`) or of its records (`record`).
    Failure(Outside),
    /// `message:N`: an honest failure with a message so long.
    Message(usize),
    /// `condemns`: names an item that it was never given.
    Condemns,
    /// `farewell`: that nobody asked for.
    Farewell,
    /// `alive`: says so, and nobody has asked.
    Alive,
    /// `hello`: once more.
    Hello,
    /// `refuse:N`: refuses the job, with a message so long.
    Refuse(usize),
    /// `close`: closes its pipes and stays.
    Close,
    /// `close-input`: closes only that, answers rightly and stays.
    CloseInput,
    /// `grandchild`: ends, but leaves one that holds its pipes open and that no
    /// signal to its group reaches.
    Grandchild,
}

/// What a failure lies outside of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    Item,
    Input,
    Record,
}

impl WorkerFault {
    /// Reads a fault.
    pub(crate) fn parse(text: &str) -> Self {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        let start = AtStart::parse(name, argument).map(Self::AtStart);
        let chunk = || AtChunk::parse(name.strip_prefix("chunk-").unwrap_or(name), argument).map(Self::AtChunk);
        start.or_else(chunk).unwrap_or_else(|| panic!("'{text}' is no fault"))
    }
}

impl AtStart {
    fn parse(name: &str, argument: &str) -> Option<Self> {
        Some(match name {
            "true-worker" => Self::Nothing,
            "errors" => Self::Errors(number(argument)),
            "small-pipes" => Self::SmallPipes,
            "late" => Self::Late(number(argument)),
            "silent" => Self::Silent,
            "raw" => Self::Raw(hex(argument)),
            "raw-end" => Self::RawEnd(hex(argument)),
            "raw-flood" => Self::RawFlood(hex(argument)),
            "version" => Self::Version(number(argument)),
            "version-changes" => Self::VersionChanges(number(argument)),
            "version-long" => Self::VersionLong(number(argument)),
            "host-long" => Self::HostLong,
            "close" => Self::Close,
            "lose" => Self::Relay(RelayFault::Lose, number(argument)),
            "swap" => Self::Relay(RelayFault::Swap, number(argument)),
            "repeat" => Self::Relay(RelayFault::Repeat, number(argument)),
            _ => return None,
        })
    }
}

impl AtChunk {
    fn parse(name: &str, argument: &str) -> Option<Self> {
        Some(match name {
            "own" => Self::Own,
            "drip" => Self::Drip,
            "twice" => Self::Twice,
            "nothing-first" => Self::NothingFirst,
            "last-word" => Self::LastWord,
            "last-flood" => Self::LastFlood(number(argument)),
            "mute" => Self::Mute,
            "stubborn" => Self::Stubborn,
            "truncate" => Self::Truncate(number(argument)),
            "flip" => Self::Flip(number(argument)),
            "garbage-before" => Self::GarbageBefore,
            "garbage-after" => Self::GarbageAfter,
            "flood" => Self::Flood,
            "length" => Self::Length(number(argument)),
            "trailing" => Self::Trailing,
            "inner" => Self::Inner,
            "blocks" => Self::Blocks,
            "not-text" => Self::NotText,
            "unknown" => Self::Unknown,
            "gap" => Self::Gap,
            "more" => Self::More,
            "failure" => Self::Failure(Outside::parse(argument)?),
            "message" => Self::Message(number(argument)),
            "condemns" => Self::Condemns,
            "farewell" => Self::Farewell,
            "alive" => Self::Alive,
            "hello" => Self::Hello,
            "refuse" => Self::Refuse(number(argument)),
            "close" => Self::Close,
            "close-input" => Self::CloseInput,
            "grandchild" => Self::Grandchild,
            _ => return None,
        })
    }
}

impl Outside {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "item" => Self::Item,
            "input" => Self::Input,
            "record" => Self::Record,
            _ => return None,
        })
    }
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hexadecimal digits"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

//! The initializer of workers: a function and its argument, which travel among the
//! worker's arguments.

use super::entries::Entries;
use super::work::Work;
use crate::jobs::{SetUpCall, encode_address, entry_at};
use procession_sys::FunctionEntry;
use procession_wire::{WireError, codec};
use std::ffi::{OsStr, OsString};

/// The argument that precedes an initializer among a worker's arguments.
const SET_UP: &str = "set-up";
/// Bytes that an initializer and its argument may take at most.
const SET_UP_BYTES: usize = 32 << 10;

/// An initializer: a function and its only item, encoded.
pub(crate) struct Initializer {
    pub(crate) entry: &'static FunctionEntry,
    pub(crate) packed: Vec<u8>,
    pub(crate) input: Vec<u8>,
}

impl Initializer {
    pub(crate) fn new<W: Work<M>, M: 'static>(work: &W, input: &W::Input) -> Result<Self, String> {
        let mut encoded = Vec::new();
        codec::encode(input, &mut encoded).map_err(WireError::into_words)?;
        let packed = work.pack()?;
        if packed.len() + encoded.len() > SET_UP_BYTES {
            let bytes = packed.len() + encoded.len();
            return Err(format!(
                "what an initializer is given may take {SET_UP_BYTES} bytes, not {bytes}: put it into a file, say, and \
                 give its name"
            ));
        }
        Ok(Self { entry: Entries::<W, M>::SET_UP, packed, input: encoded })
    }

    /// Runs it in this process.
    pub(crate) fn run(&self) -> Result<(), String> {
        SetUpCall::run(self.entry, &self.packed, &self.input)
    }

    /// The worker's arguments for it.
    pub(crate) fn arguments(&self) -> Result<Vec<OsString>, String> {
        let address = self.entry.address().map_err(|e| e.to_string())?;
        let address = to_hex(&encode_address(address));
        Ok(vec![SET_UP.into(), address.into(), to_hex(&self.packed).into(), to_hex(&self.input).into()])
    }
}

pub(super) fn set_up_worker(arguments: &[OsString]) -> Result<(), String> {
    let [word, address, packed, input] = arguments else { return Ok(()) };
    if word != SET_UP {
        return Ok(());
    }
    let bytes = |text: &OsStr| from_hex(text).ok_or_else(|| "a worker's set-up is no hexadecimal number".to_owned());
    let entry = entry_at(&bytes(address)?)?;
    SetUpCall::run(entry, &bytes(packed)?, &bytes(input)?).map_err(|what| format!("the initializer failed: {what}"))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &OsStr) -> Option<Vec<u8>> {
    let digits = text.to_str()?.as_bytes();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let pairs = digits.chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_after_they_were_arguments() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(OsStr::new(&to_hex(&all))), Some(all));
        for wrong in ["0", "0g", "é"] {
            assert_eq!(from_hex(OsStr::new(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn an_initializer_is_bounded_and_says_what_it_failed_of() {
        let work = |text: String| if text.is_empty() { Err(crate::TaskError::new("nothing")) } else { Ok(()) };
        let initializer = Initializer::new(&work, &String::new()).unwrap();
        assert_eq!(initializer.run(), Err("nothing".to_owned()));
        let arguments = initializer.arguments().unwrap();
        assert_eq!(set_up_worker(&arguments), Err("the initializer failed: nothing".to_owned()));
        assert_eq!(Initializer::new(&work, &"x".to_owned()).unwrap().run(), Ok(()));
        let error = Initializer::new(&work, &"x".repeat(SET_UP_BYTES)).err().unwrap();
        assert!(error.contains("may take 32768 bytes"), "{error}");
        assert_eq!(set_up_worker(&[]), Ok(()));
    }
}

//! What this process is: a program that may have pools of processes, or a worker
//! of one, which is the same program started again.

use crate::remote::{self, Setup};
use crate::worker::{self, Role};
use crate::{PoolError, Work};
use procession_sys::FunctionEntry;
use procession_task::{BlockTask, JobSpec};
use procession_wire::codec;
use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

/// What this process is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has called [`init`], and was not started as a worker.
    Program,
    /// It serves.
    Worker,
}

static STANDING: OnceLock<Standing> = OnceLock::new();

/// What stands before a worker's set-up among its arguments.
const SET_UP: &str = "set-up";
/// What an initializer and its argument may take of a worker's arguments.
const SET_UP_BYTES: usize = 32 << 10;

/// To be called first thing in `main`, before any thread is started.
///
/// A pool starts this program once more for each worker. In such a process this
/// serves the pool and never returns; in any other it notes that pools of
/// processes may be built, and changes nothing.
///
/// ```
/// fn main() -> Result<(), procession::PoolError> {
///     procession::init();
///     let pool = procession::Pool::builder().procs(2).build()?;
///     assert_eq!(pool.map(f64::sqrt, [4.0]).next(), Some(Ok(2.0)));
///     Ok(())
/// }
/// ```
pub fn init() {
    let mut args = std::env::args_os().skip(1);
    let Some(role) = Role::from_args(&mut args) else {
        STANDING.get_or_init(|| Standing::Program);
        return;
    };
    // Only for people who look at processes.
    let _ = procession_sys::show_own_name();
    become_worker();
    let set_up = args.collect::<Vec<_>>();
    let served = worker::serve_role(role, Vec::new(), &make, || set_up_worker(&set_up));
    if let Err(error) = &served {
        eprintln!("{error}");
    }
    std::process::exit(i32::from(served.is_err()));
}

/// From now on this process can't have pools of processes; and what panics while
/// an item runs leaves word of it before anybody else hears.
pub(crate) fn become_worker() {
    STANDING.get_or_init(|| Standing::Worker);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        procession_task::note_panic(info);
        before(info);
    }));
}

/// Whether this process may have a pool of processes.
pub(crate) fn check() -> Result<(), PoolError> {
    match STANDING.get() {
        Some(Standing::Program) => Ok(()),
        Some(Standing::Worker) => Err(PoolError::InsideWorker),
        None => Err(PoolError::NotInitialized),
    }
}

fn make(job: &JobSpec, _: procession_task::Identity) -> Result<Box<dyn BlockTask>, String> {
    let [address, packed] = &job.arguments[..] else {
        return Err(no_task(&job.task));
    };
    remote::prepare(remote::entry_at(address)?, packed)
}

pub(crate) fn no_task(name: &str) -> String {
    format!("this program runs functions of its own, and has no task '{name}'")
}

/// What sets a worker up: a function and its only item.
pub(crate) struct Initializer {
    pub(crate) entry: &'static FunctionEntry,
    pub(crate) packed: Vec<u8>,
    pub(crate) input: Vec<u8>,
}

impl Initializer {
    pub(crate) fn new<W: Work<M>, M: 'static>(work: &W, input: &W::Input) -> Result<Self, String> {
        let mut encoded = Vec::new();
        codec::encode(input, &mut encoded).map_err(remote::codec_words)?;
        let packed = work.pack()?;
        if packed.len() + encoded.len() > SET_UP_BYTES {
            let bytes = packed.len() + encoded.len();
            return Err(format!(
                "what an initializer is given may take {SET_UP_BYTES} bytes, not {bytes}: put it into a file, say, and \
                 give its name"
            ));
        }
        Ok(Self { entry: remote::Entries::<W, M>::SET_UP, packed, input: encoded })
    }

    /// Runs it in this process.
    pub(crate) fn run(&self) -> Result<(), String> {
        Setup::run(self.entry, &self.packed, &self.input)
    }

    /// What a worker is told of it.
    pub(crate) fn arguments(&self) -> Result<Vec<OsString>, String> {
        let address = self.entry.address().map_err(|e| e.to_string())?;
        let address = to_hex(&remote::encode_address(address));
        Ok(vec![SET_UP.into(), address.into(), to_hex(&self.packed).into(), to_hex(&self.input).into()])
    }
}

fn set_up_worker(arguments: &[OsString]) -> Result<(), String> {
    let [word, address, packed, input] = arguments else { return Ok(()) };
    if word != SET_UP {
        return Ok(());
    }
    let bytes = |text: &OsStr| from_hex(text).ok_or_else(|| "a worker's set-up is no hexadecimal number".to_owned());
    let entry = remote::entry_at(&bytes(address)?)?;
    Setup::run(entry, &bytes(packed)?, &bytes(input)?).map_err(|what| format!("the initializer failed: {what}"))
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

    #[test]
    fn without_init_there_is_no_pool_of_processes() {
        assert_eq!(check(), Err(PoolError::NotInitialized));
    }
}

//! Functions of this program that run in another process, or on a thread: the entry
//! in the program's file, the address by which a message names the entry, and the
//! calls that an entry answers.

use procession_sys::{Address, FunctionEntry};
use procession_task::BlockTask;

/// The call that makes the task of a job.
pub(crate) struct PrepareCall {
    pub(crate) packed: Vec<u8>,
    pub(crate) task: Option<Box<dyn BlockTask>>,
}

/// Makes the task of a job with this entry.
pub(crate) fn prepare(entry: &FunctionEntry, packed: &[u8]) -> Result<Box<dyn BlockTask>, String> {
    let mut prepare = PrepareCall { packed: packed.to_vec(), task: None };
    entry.run(&mut prepare);
    prepare.task.ok_or_else(|| format!("{} makes no task", entry.name()))
}

/// The call that sets a worker up.
pub(crate) struct SetUpCall {
    pub(crate) packed: Vec<u8>,
    pub(crate) input: Vec<u8>,
    pub(crate) done: Result<(), String>,
}

impl SetUpCall {
    pub(crate) fn run(entry: &FunctionEntry, packed: &[u8], input: &[u8]) -> Result<(), String> {
        let not_called = Err(format!("{} sets nothing up", entry.name()));
        let mut setup = Self { packed: packed.to_vec(), input: input.to_vec(), done: not_called };
        entry.run(&mut setup);
        setup.done
    }
}

/// An address in its encoded form.
pub(crate) fn encode_address(address: Address) -> Vec<u8> {
    [address.offset.to_le_bytes(), address.check.to_le_bytes()].concat()
}

/// The entry at an encoded address. The address is validated before anything is
/// called.
pub(crate) fn entry_at(bytes: &[u8]) -> Result<&'static FunctionEntry, String> {
    let halves = bytes.split_first_chunk::<8>().and_then(|(offset, rest)| Some((offset, rest.as_array::<8>()?)));
    let Some((offset, check)) = halves else { return Err("a job without the place of its code".to_owned()) };
    let address = Address { offset: i64::from_le_bytes(*offset), check: u64::from_le_bytes(*check) };
    FunctionEntry::at(address).map_err(|e| e.to_string())
}

//! What a pool can run: a function, or a value that is a [`Task`].
//!
//! One trait covers both; a marker type, which the compiler infers, distinguishes
//! them. Only a function's address in the program travels, so it must not capture
//! anything; a task's value travels as bytes.

use procession_task::{Task, TaskError};
use procession_wire::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::marker::PhantomData;

/// What a pool can run over items. There is nothing to implement. Work is:
///
/// - functions and closures from one item to its result that capture nothing;
/// - the same with a `Result<_, TaskError>`, whose error is the item's failure;
/// - values that implement [`Task`] and can be sent: write a `Task` if the work
///   has settings.
///
/// Items and results must be of types that `serde` can encode and decode
/// (`Serialize + DeserializeOwned`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no work for a pool",
    label = "not a function of one serializable item, nor a `Task`",
    note = "give a function or a closure with its argument's type (`|x: u64| x + 1`), whose argument and result are \
            `Serialize + DeserializeOwned`; or a value that implements `procession::Task` and can be serialized itself"
)]
pub trait Work<M>: Sized + Send + Sync + 'static {
    /// The type of an item.
    type Input: Serialize + DeserializeOwned;
    /// The type of a result.
    type Output: Serialize + DeserializeOwned;

    /// Runs one item.
    ///
    /// # Errors
    /// The work's own error for this item.
    fn call(&self, input: Self::Input) -> Result<Self::Output, TaskError>;

    /// The bytes that have to travel besides the code's address.
    #[doc(hidden)]
    fn pack(&self) -> Result<Vec<u8>, String>;

    /// The work that [`Self::pack`] has packed in another process.
    #[doc(hidden)]
    fn unpack(packed: &[u8]) -> Result<Self, String>;
}

/// Marks functions from an item to its result.
pub struct Function<I, O>(PhantomData<fn(I) -> O>);

/// Marks functions that may return an error.
pub struct Fallible<I, O>(PhantomData<fn(I) -> O>);

/// Marks values that are tasks.
pub struct Value(());

impl<F, I, O> Work<Function<I, O>> for F
where
    F: Fn(I) -> O + Copy + Send + Sync + 'static,
    I: Serialize + DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    type Input = I;
    type Output = O;

    #[inline]
    fn call(&self, input: I) -> Result<O, TaskError> {
        Ok(self(input))
    }

    fn pack(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn unpack(_: &[u8]) -> Result<Self, String> {
        Ok(procession_sys::zero_sized_value())
    }
}

impl<F, I, O> Work<Fallible<I, O>> for F
where
    F: Fn(I) -> Result<O, TaskError> + Copy + Send + Sync + 'static,
    I: Serialize + DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    type Input = I;
    type Output = O;

    #[inline]
    fn call(&self, input: I) -> Result<O, TaskError> {
        self(input)
    }

    fn pack(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn unpack(_: &[u8]) -> Result<Self, String> {
        Ok(procession_sys::zero_sized_value())
    }
}

impl<T> Work<Value> for T
where
    T: Task + Serialize + DeserializeOwned,
    T::Input: Serialize + DeserializeOwned,
    T::Output: Serialize + DeserializeOwned,
{
    type Input = T::Input;
    type Output = T::Output;

    #[inline]
    fn call(&self, input: T::Input) -> Result<T::Output, TaskError> {
        self.run(input)
    }

    fn pack(&self) -> Result<Vec<u8>, String> {
        let mut packed = Vec::new();
        codec::encode(self, &mut packed).map_err(|e| format!("{}: {}", type_name::<T>(), e.into_words()))?;
        if packed.len() > codec::HEADER_LIMIT {
            let (bytes, limit) = (packed.len(), codec::HEADER_LIMIT);
            return Err(format!(
                "{}: its value takes {bytes} bytes, and at most {limit} bytes can be sent",
                type_name::<T>()
            ));
        }
        Ok(packed)
    }

    fn unpack(packed: &[u8]) -> Result<Self, String> {
        codec::decode(packed).map_err(|e| format!("{}: {}", type_name::<T>(), e.into_words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize)]
    struct Add(u64);

    impl Task for Add {
        type Input = u64;
        type Output = u64;
        fn name(&self) -> &str {
            "add"
        }
        fn run(&self, input: u64) -> Result<u64, TaskError> {
            Ok(input + self.0)
        }
    }

    fn there_and_back<M, W: Work<M, Input = u64, Output = u64>>(work: W) -> Result<u64, TaskError> {
        W::unpack(&work.pack().unwrap()).unwrap().call(1)
    }

    fn twice(n: u64) -> u64 {
        2 * n
    }

    fn odd(n: u64) -> Result<u64, TaskError> {
        if n % 2 == 1 { Err(TaskError::new("odd")) } else { Ok(n) }
    }

    #[test]
    fn functions_closures_and_tasks_are_work() {
        assert_eq!(there_and_back(twice), Ok(2));
        assert_eq!(there_and_back(|n: u64| n + 9), Ok(10));
        assert_eq!(there_and_back(Add(4)), Ok(5));
        assert_eq!(there_and_back(odd), Err(TaskError::new("odd")));
    }
}

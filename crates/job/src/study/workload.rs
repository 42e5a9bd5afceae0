//! The items of a study: one input, or one for each size.

use crate::error::InputError;
use crate::input::{Input, InputOptions, IntegerRange, ItemSource};
use procession_task::Items;

/// The items of a study.
pub enum Workload {
    /// One input; a size means its first items.
    Items(Input),
    /// The task decides what a size means: each size has an input and
    /// additional settings of the task.
    Sized(Box<dyn Fn(Option<u64>) -> Result<SizedWork, InputError>>),
}

/// The work of one size.
#[derive(Debug)]
pub struct SizedWork {
    /// The items.
    pub input: Input,
    /// The task's settings for this size, besides those of every run.
    pub params: Vec<(String, String)>,
}

impl Workload {
    /// The rows of a square picture, numbered from 0. A size is the side in
    /// pixels; the task receives it as the setting of this name.
    #[must_use]
    pub fn rows(side: &'static str) -> Self {
        Self::Sized(Box::new(move |size| {
            let pixels = size.ok_or_else(|| InputError::Counts("a picture needs a size".to_owned()))?;
            let range = IntegerRange::new(0, i128::from(pixels), 1, false)?;
            let input = Input::open(ItemSource::Range(range), InputOptions::new(Items::Words), Box::new(|_| ()))?;
            Ok(SizedWork { input, params: vec![(side.to_owned(), pixels.to_string())] })
        }))
    }
}

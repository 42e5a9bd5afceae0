//! The work of a task that makes a picture: its items are the picture's rows,
//! so that they follow from the size.

use crate::study::{SizedWork, Workload};
use crate::{Input, InputError, InputOptions, IntegerRange, ItemSource};
use procession_task::Items;

impl Workload {
    /// The rows of a square picture, numbered from 0. A size is its side in
    /// pixels, which the task is told by its setting of this name.
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

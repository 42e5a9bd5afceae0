//! The pool that people use: functions over values. It is made of jobs of
//! framed values; only the caller's thread touches the values themselves.

mod buffer_pool;
mod observers;
mod outcome;
mod work;

mod entries;

mod feed;
mod initializer;

mod init;
mod results;

mod handle;
mod map;

mod pool;

mod builder;

pub use builder::PoolBuilder;
pub use handle::Handle;
pub use init::init;
pub use map::{Map, MapUnordered};
pub use outcome::{ItemError, Outcome};
pub use pool::Pool;
pub use work::{Fallible, Function, Value, Work};

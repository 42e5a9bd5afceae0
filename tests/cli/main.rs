//! Black-box tests of the two binaries: what a user types, and what they get.
//!
//! One test binary with a module for each subject. Tests wait for events (a
//! line, an end of file, an exit), never for time.

mod browser;
mod chaos;
mod command;
mod dry_run;
mod executors;
mod failures;
mod faults;
mod filter;
mod hostile;
mod input;
mod inspect;
mod joblog;
mod late_output;
mod log;
mod looking;
mod mandelbrot;
mod marks;
mod memory;
mod order;
mod output;
mod own_worker;
mod pipe;
mod processes;
mod programs;
mod python;
mod resume;
mod signals;
mod study;
mod support;
mod surroundings;
mod times;
mod untouched;
mod verbs;

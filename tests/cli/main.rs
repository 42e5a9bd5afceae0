//! Black-box tests of the two binaries: what a user types, and what they get.
//!
//! One test binary with a module for each subject. Tests wait for events (a
//! line, an end of file, an exit), never for time.

mod support;
mod marks;
mod interrupted;
mod hostile;
mod inject;

mod attempts;
mod browser;
mod chaos;
mod command;
mod command_items;
mod descendants;
mod documents;
mod dry_run;
mod environment;
mod executors;
mod failures;
mod faults;
mod filter;
mod frozen;
mod input;
mod inspect;
mod joblog;
mod kinds;
mod last_lines;
mod late_output;
mod leftovers;
mod log;
mod mandelbrot;
mod memory;
mod mistakes;
mod numbers;
mod order;
mod other_tools;
mod output;
mod own_worker;
mod pipe;
mod process_one;
mod processes;
mod program_environment;
mod programs;
mod python;
mod report_files;
mod resume;
mod retry_failed;
mod resume_input;
mod shortage;
mod signals;
mod starts;
mod study;
mod subcommands;
mod tables;
mod terminal;
mod terminal_output;
mod times;
mod unmodified_files;
mod usage;

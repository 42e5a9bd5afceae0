//! See `procession_fuzz_bodies::csv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procession_fuzz_bodies::csv(bytes));

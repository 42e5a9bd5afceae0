//! See `procession_fuzz_bodies::jsonl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procession_fuzz_bodies::jsonl(bytes));

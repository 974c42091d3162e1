//! See `vexilla_fuzz::condition`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::condition::check(input));

//! See `vexilla_fuzz::request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::request::check(input));

//! See `vexilla_fuzz::webhook`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::webhook::check(input));

//! See `vexilla_fuzz::pattern`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::pattern::check(input));

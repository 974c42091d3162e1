//! See `vexilla_fuzz::archive`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::archive::check(input));

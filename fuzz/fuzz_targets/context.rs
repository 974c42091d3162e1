//! See `vexilla_fuzz::context`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::context::check(input));

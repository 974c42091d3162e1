//! See `vexilla_fuzz::flags`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vexilla_fuzz::flags::check(input));

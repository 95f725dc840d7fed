//! The target `session` for cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| flinks_fuzz::session::run(input));

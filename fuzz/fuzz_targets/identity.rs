//! The target `identity` for cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| flinks_fuzz::identity::run(input));

//! libFuzzer on the target `charset`.

#![no_main]

#[expect(dead_code, reason = "one of several targets")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::charset(data));

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kangmai_fuzz::take("copy", bytes));

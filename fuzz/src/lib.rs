//! What every fuzzer has beside its target: memory that ends.

use std::alloc::System;

use cap::Cap;

/// No input may make us ask for more than this at once, touched or not: libFuzzer's own limit counts only what is
/// touched.
const LIMIT: usize = 512 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, LIMIT);

/// Defines the fuzzer of one of `layer_fuzz::TARGETS`.
#[macro_export]
macro_rules! fuzzer {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| layer_fuzz::run($name, data));
    };
}

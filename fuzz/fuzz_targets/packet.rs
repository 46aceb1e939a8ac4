#![no_main]

layer_fuzzers::fuzzer!("packet");

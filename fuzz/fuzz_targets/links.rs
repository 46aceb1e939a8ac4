#![no_main]

layer_fuzzers::fuzzer!("links");

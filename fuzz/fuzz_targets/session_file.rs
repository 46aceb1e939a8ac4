#![no_main]

layer_fuzzers::fuzzer!("session_file");

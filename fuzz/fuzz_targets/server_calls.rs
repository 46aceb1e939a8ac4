#![no_main]

layer_fuzzers::fuzzer!("server_calls");

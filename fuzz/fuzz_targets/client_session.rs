#![no_main]

layer_fuzzers::fuzzer!("client_session");

#![no_main]

layer_fuzzers::fuzzer!("handshake_client");

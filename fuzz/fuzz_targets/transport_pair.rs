#![no_main]

layer_fuzzers::fuzzer!("transport_pair");

#![no_main]

layer_fuzzers::fuzzer!("faketls_client");

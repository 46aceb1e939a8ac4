//! An embedded Telegram-compatible data centre, for testing Telegram programs without an account or a network.

// Until the shell that serves it is in place.
#[allow(dead_code)]
mod random;
#[allow(dead_code, unused_imports)]
mod rpc;
#[allow(dead_code, unused_imports)]
mod world;

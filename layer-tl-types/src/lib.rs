//! Telegram's API (Layer 223) and MTProto schema as Rust types, generated at build time.

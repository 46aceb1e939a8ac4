//! An embedded Telegram-compatible data centre, for testing Telegram programs without an account or a network.

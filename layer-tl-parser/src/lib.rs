//! A parser for Telegram's TL schema language, with line and column in every error.

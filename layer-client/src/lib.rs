//! An async Telegram client for users and bots.

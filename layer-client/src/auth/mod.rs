//! Signing in and out: phone code, sign up, two-step verification, bot token.

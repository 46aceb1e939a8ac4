//! Who is signed in on which key.

/// Keys, login codes and passwords.
#[derive(Debug, Default)]
pub(crate) struct AuthBook {}

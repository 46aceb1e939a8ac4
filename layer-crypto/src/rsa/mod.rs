//! RSA as the handshake uses it: `RSA_PAD` (page `mtproto/auth_key`, 4.1), the older scheme with a
//! SHA-1 in front that many clients still speak, keys as PEM, and Telegram's own public keys.
//! 2048-bit keys only; nothing here signs.

mod error;
#[cfg(feature = "private-keys")]
mod generate;
#[cfg(feature = "private-keys")]
mod private;
mod public;
mod telegram;

pub use error::RsaError;
#[cfg(feature = "private-keys")]
pub use private::{Decrypted, PrivateKey, Scheme};
pub use public::PublicKey;
pub use telegram::telegram_keys;

/// The most bytes that `RSA_PAD` takes.
pub const MAX_PAD_DATA: usize = 144;

/// The most bytes that the older scheme takes: 255 less the SHA-1.
pub const MAX_LEGACY_DATA: usize = 235;

/// PEM texts longer than this are not keys.
const MAX_PEM: usize = 16 * 1024;

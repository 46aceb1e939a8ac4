//! Sessions that live in memory, or travel as text.

use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{SessionError, SessionStorage};

/// Keeps a session for as long as the program runs.
#[derive(Default)]
pub struct MemoryStorage(Mutex<Option<Zeroizing<Vec<u8>>>>);

impl MemoryStorage {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStorage(..)")
    }
}

impl SessionStorage for MemoryStorage {
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.as_ref().map(|bytes| bytes.to_vec()))
    }

    fn save(&self, bytes: &[u8]) -> Result<(), SessionError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Zeroizing::new(bytes.to_vec()));
        Ok(())
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}

/// A session that comes from text and can be had as text again (URL-safe base64): for places
/// without files, such as an environment variable. Whoever has the text has the account.
#[derive(Debug, Default)]
pub struct StringStorage(MemoryStorage);

impl StringStorage {
    /// From what [`export`](Self::export) gave; an empty text is an empty session.
    ///
    /// # Errors
    /// [`SessionError::Corrupt`] when the text is not base64.
    pub fn import(text: &str) -> Result<Self, SessionError> {
        let storage = Self::default();
        let text = text.trim();
        if !text.is_empty() {
            let bytes = decode(text).ok_or_else(|| SessionError::Corrupt {
                place: storage.name(),
                reason: "it is not URL-safe base64 or was cut short",
            })?;
            storage.0.save(&bytes)?;
        }
        Ok(storage)
    }

    /// The session as it was saved last, as text.
    #[must_use]
    pub fn export(&self) -> String {
        let bytes = self.0.load().ok().flatten().unwrap_or_default();
        encode(&bytes)
    }
}

impl SessionStorage for StringStorage {
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
        self.0.load()
    }

    fn save(&self, bytes: &[u8]) -> Result<(), SessionError> {
        self.0.save(bytes)
    }

    fn name(&self) -> String {
        "text".to_owned()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let index = (group >> (18 - 6 * at)) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    for chunk in text.as_bytes().chunks(4) {
        let mut group = 0u32;
        for symbol in chunk {
            let value = ALPHABET.iter().position(|known| known == symbol)?;
            group = group << 6 | u32::try_from(value).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        let whole = group.to_be_bytes();
        match chunk.len() {
            4 => bytes.extend_from_slice(&whole[1..]),
            3 if whole[3] == 0 => bytes.extend_from_slice(&whole[1..3]),
            2 if whole[2] == 0 && whole[3] == 0 => bytes.push(whole[1]),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_of_every_length_turn_into_each_other() {
        for len in 0..70u8 {
            let bytes: Vec<u8> = (0..len).map(|n| n.wrapping_mul(37) ^ 0xa5).collect();
            assert_eq!(*decode(&encode(&bytes)).unwrap(), bytes);
        }
        assert_eq!(encode(b"Man"), "TWFu");
        assert_eq!(encode(b"M"), "TQ");
    }

    #[test]
    fn text_that_is_not_base64_is_refused() {
        for bad in ["a", "ab*d", "TR", "é"] {
            assert!(StringStorage::import(bad).is_err(), "{bad}");
        }
        assert!(
            StringStorage::import(" ")
                .unwrap()
                .load()
                .unwrap()
                .is_none()
        );
    }
}

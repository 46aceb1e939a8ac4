//! Sessions that live in memory.

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

//! What survives a restart: keys, salts, who is signed in, where the updates stand, known peers.
//!
//! [`Session`] is the data, an envelope its form as bytes, [`SessionStorage`] where the bytes go
//! (a [`FileStorage`] unless the configuration says otherwise), and `Store` the one owner that
//! writes behind. Nothing here knows the network.

mod envelope;
mod file;
mod memory;
mod old;
mod state;
mod store;

use std::io;
use std::path::PathBuf;

pub use file::FileStorage;
pub use memory::{MemoryStorage, StringStorage};
pub use state::{
    DcOption, DcState, PeerKind, SavedKey, SavedPeer, SavedSalt, SelfUser, Session, UpdatesState,
};
pub(crate) use store::Store;

/// Where a session's bytes are kept.
///
/// The bytes are opaque: a header, a checksum and the data. Methods block; they are called from a
/// thread that may. An implementation must replace what it holds at once or not at all.
pub trait SessionStorage: Send + Sync {
    /// What was saved last, or `None` if nothing ever was.
    ///
    /// # Errors
    /// When the place cannot be read, or another process has it.
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError>;

    /// Replaces what is kept.
    ///
    /// # Errors
    /// When the place cannot be written; what was there before is then still there.
    fn save(&self, bytes: &[u8]) -> Result<(), SessionError>;

    /// How to call the place in a message to a person.
    fn name(&self) -> String;
}

impl Session {
    /// Reads what `storage` keeps; `None` if nothing ever was.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn load(storage: &dyn SessionStorage) -> Result<Option<Self>, SessionError> {
        let bytes = storage.load()?;
        bytes
            .map(|bytes| envelope::decode(&bytes, &storage.name()))
            .transpose()
    }

    /// Replaces what `storage` keeps.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is then still there.
    pub fn save(&self, storage: &dyn SessionStorage) -> Result<(), SessionError> {
        storage.save(&envelope::encode(self))
    }
}

/// What can be wrong with a session file.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// Reading, writing or locking failed.
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done to it (`read`, `write`, `lock`, …).
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process uses this session.
    #[non_exhaustive]
    InUse {
        /// The session file.
        path: PathBuf,
        /// The process that has it, if it left its id.
        pid: Option<u32>,
    },
    /// What is kept is damaged, or is no session of ours.
    #[non_exhaustive]
    Corrupt {
        /// Where it is kept.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What is kept was written by a newer version of this crate.
    #[non_exhaustive]
    TooNew {
        /// Where it is kept.
        place: String,
        /// Its format's version.
        version: u16,
    },
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io {
                path,
                doing,
                source,
            } => write!(
                f,
                "could not {doing} the session file {}: {source}; check the path and its permissions",
                path.display()
            ),
            Self::InUse {
                path,
                pid: Some(pid),
            } => write!(
                f,
                "the session file {} is in use by process {pid}; stop that one, or give this one a session file of its own",
                path.display()
            ),
            Self::InUse { path, pid: None } => write!(
                f,
                "the session file {} is in use by another process or another client of this one; give each its own session file",
                path.display()
            ),
            Self::Corrupt { place, reason } => write!(
                f,
                "the session in {place} cannot be read: {reason}; put a copy back if you have one, or move it away and sign in again"
            ),
            Self::TooNew { place, version } => write!(
                f,
                "the session in {place} has format {version}, which is newer than this program knows; update the program, or move it away and sign in again"
            ),
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

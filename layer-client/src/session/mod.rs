//! What survives a restart: keys, salts, who is signed in, where the updates stand, known peers.
//!
//! [`Session`] is the data, an envelope its form as bytes, [`SessionStorage`] where the bytes go
//! (a [`FileStorage`] unless the configuration says otherwise), and `Store` the one owner that
//! writes behind. Nothing here knows the network.
//!
//! With the feature `serde` a [`Session`] and its parts implement `Serialize` and `Deserialize`, to
//! be kept in a form of one's own. It holds the auth keys: whoever has it has the account.

mod envelope;
mod file;
mod memory;
mod old;
mod sealed;
mod state;
mod store;
mod text;

use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

pub use file::FileStorage;
pub use memory::MemoryStorage;
pub use sealed::{Encrypted, Passphrase, change_passphrase};
pub use state::{
    DcOption, DcState, PeerKind, SavedKey, SavedPeer, SavedSalt, SeenIn, SelfUser, Session,
    UpdatesState,
};
pub(crate) use store::Store;
pub use text::StringStorage;

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
        let bytes = storage.load()?.map(Zeroizing::new);
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
    /// What is kept is encrypted, and no passphrase was given.
    #[non_exhaustive]
    PassphraseRequired {
        /// Where it is kept.
        place: String,
    },
    /// What is kept is encrypted with another passphrase.
    #[non_exhaustive]
    WrongPassphrase {
        /// Where it is kept.
        place: String,
    },
    /// A passphrase was given, and what is kept is not encrypted.
    #[non_exhaustive]
    NotEncrypted {
        /// Where it is kept.
        place: String,
    },
    /// The operating system gives no random bytes, and nothing can be encrypted without.
    #[non_exhaustive]
    Random {
        /// What the operating system says.
        reason: String,
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
            Self::PassphraseRequired { place } => write!(
                f,
                "the session in {place} is encrypted; give its passphrase in Config::session_passphrase"
            ),
            Self::WrongPassphrase { place } => {
                write!(f, "the passphrase of the session in {place} is another one")
            }
            Self::NotEncrypted { place } => write!(
                f,
                "the session in {place} is not encrypted; encrypt it with session::change_passphrase, or give no passphrase"
            ),
            Self::Random { reason } => write!(
                f,
                "the session could not be encrypted for want of random bytes: {reason}"
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

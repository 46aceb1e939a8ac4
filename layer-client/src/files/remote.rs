//! What a download is of: a file of Telegram's, or one of the web that Telegram fetches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use layer_crypto::sha;
use layer_tl_types as tl;
use layer_tl_types::Serializable;

use super::FileLocation;
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};

/// Where the bytes are asked for.
#[derive(Clone, Debug)]
pub(in crate::files) enum Remote {
    /// `upload.getFile`.
    File(FileLocation),
    /// `upload.getWebFile`, in the data centre that is there for it.
    Web {
        location: Box<tl::enums::InputWebFileLocation>,
        dc_id: i32,
        /// Of which all parts have to be, if somebody wants to know.
        version: Option<Arc<Version>>,
    },
}

/// What the server says of a file of the web with each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Stamp {
    pub(in crate::files) size: u64,
    /// A hash of its MIME type and its kind.
    kind: [u8; 32],
    /// The time of its last change.
    time: [u8; 4],
}

impl Stamp {
    /// By its size and what else is said of it, which ends with the time.
    pub(in crate::files) fn new(size: u64, said: &[u8]) -> Self {
        let (kind, time) = said.split_last_chunk().unwrap_or((said, &[0; 4]));
        Self {
            size,
            kind: sha::sha256(&[kind]),
            time: *time,
        }
    }

    /// All but the size, to be written down.
    pub(in crate::files) fn to_bytes(self) -> Vec<u8> {
        [&self.kind[..], &self.time].concat()
    }

    pub(in crate::files) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (kind, time) = bytes.split_first_chunk()?;
        Some(Self {
            size,
            kind: *kind,
            time: time.try_into().ok()?,
        })
    }

    fn but_for_its_time(self, other: Self) -> bool {
        let time = other.time;
        Self { time, ..self } == other
    }
}

/// The one version of a file of the web that a download takes parts of: the first that it sees, or that
/// an earlier download saw.
///
/// A server may know no time of the last change, and tell another one with each part. So a time of its own
/// is a matter only to what an earlier download left, which is not worth the doubt.
#[derive(Debug, Default)]
pub(in crate::files) struct Version(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// Whether an earlier download saw it.
    earlier: bool,
    other: bool,
}

impl Version {
    pub(in crate::files) fn new(stamp: Option<Stamp>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Seen {
            stamp,
            earlier: stamp.is_some(),
            other: false,
        })))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a part with this stamp is of it.
    pub(in crate::files) fn takes(&self, stamp: Stamp) -> bool {
        let mut seen = self.seen();
        let first = *seen.stamp.get_or_insert(stamp);
        let same = first == stamp || (!seen.earlier && first.but_for_its_time(stamp));
        seen.other |= !same;
        same
    }

    /// As it is known.
    pub(in crate::files) fn stamp(&self) -> Option<Stamp> {
        self.seen().stamp
    }

    /// Whether a part of another version came.
    pub(in crate::files) fn has_changed(&self) -> bool {
        self.seen().other
    }

    /// Takes whichever comes next.
    pub(in crate::files) fn forget(&self) {
        *self.seen() = Seen::default();
    }
}

impl From<FileLocation> for Remote {
    fn from(file: FileLocation) -> Self {
        Self::File(file)
    }
}

impl Remote {
    pub(in crate::files) fn dc_id(&self) -> i32 {
        match self {
            Self::File(file) => file.dc_id,
            Self::Web { dc_id, .. } => *dc_id,
        }
    }

    /// The same in another data centre.
    pub(in crate::files) fn moved(&self, to: i32) -> Self {
        let mut moved = self.clone();
        match &mut moved {
            Self::File(file) => file.dc_id = to,
            Self::Web { dc_id, .. } => *dc_id = to,
        }
        moved
    }

    /// Its size in bytes, if that is known for certain. Of a file of the web nobody knows it before the
    /// first part comes: what a `webDocument` says is what a bot said.
    pub(in crate::files) fn size(&self) -> Option<u64> {
        match self {
            Self::File(file) => file.size,
            Self::Web { .. } => None,
        }
    }

    /// The version that the parts of a file of the web have to be of.
    pub(in crate::files) fn version(&self) -> Option<&Arc<Version>> {
        match self {
            Self::File(_) => None,
            Self::Web { version, .. } => version.as_ref(),
        }
    }

    /// The same, all parts of which are to be of one version.
    pub(in crate::files) fn of_version(mut self, of: Arc<Version>) -> Self {
        if let Self::Web { version, .. } = &mut self {
            *version = Some(of);
        }
        self
    }

    pub(in crate::files) fn is_web(&self) -> bool {
        matches!(self, Self::Web { .. })
    }

    /// What tells it from other files.
    pub(in crate::files) fn identity(&self) -> Vec<u8> {
        match self {
            Self::File(file) => file.identity(),
            Self::Web { location, .. } => location.to_bytes(),
        }
    }

    /// The same by a new file reference: see [`FileLocation::refresh`].
    pub(in crate::files) fn refresh<'a>(
        &'a self,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            match self {
                Self::File(file) => file.refresh(client).await.map(Self::File),
                Self::Web { .. } => Err(Error::input("a file of the web has no file reference")),
            }
        })
    }
}

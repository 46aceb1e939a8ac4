//! What a download is of: a file of Telegram's, or one of the web that Telegram fetches.

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
    },
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

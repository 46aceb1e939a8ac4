//! [`FileLocation`]: where a file's bytes lie, and how the right to fetch them is got again when it
//! has run out (page `api/file-references`).

use layer_tl_types as tl;
use layer_tl_types::Serializable;

use super::origin::{Origin, Source};
use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::messages::Message;

/// Where a file lies: what [`Client::download`] takes, cheap enough to keep for later.
///
/// The right to fetch a file (its file reference) runs out after some hours or days. A location
/// that came from a message, a profile or the like knows where it came from, and a download asks
/// there for a new one by itself.
#[derive(Clone, Debug)]
pub struct FileLocation {
    pub(crate) location: tl::enums::InputFileLocation,
    pub(crate) dc_id: i32,
    /// In bytes; `None` when nobody told.
    pub(crate) size: Option<u64>,
    origin: Origin,
}

/// What names a file that can be downloaded: a [`Message`], its [`Media`](super::Media), a [`FileLocation`].
pub trait Downloadable {
    /// Where the file lies; `None` when there is none.
    fn file_location(&self) -> Option<FileLocation>;
}

impl<T: Downloadable + ?Sized> Downloadable for &T {
    fn file_location(&self) -> Option<FileLocation> {
        T::file_location(self)
    }
}

impl Downloadable for FileLocation {
    fn file_location(&self) -> Option<FileLocation> {
        Some(self.clone())
    }
}

impl Downloadable for Message {
    fn file_location(&self) -> Option<FileLocation> {
        self.media()?.file_location()
    }
}

impl FileLocation {
    /// A file that the raw API named, in the data centre that it named (`document.dc_id` and the
    /// like). `size` is in bytes, if it is known.
    ///
    /// It does not know where a new file reference is got; see
    /// [`of_message`](Self::of_message).
    #[must_use]
    pub fn new(location: tl::enums::InputFileLocation, dc_id: i32, size: Option<u64>) -> Self {
        Self {
            location,
            dc_id,
            size,
            origin: Origin::None,
        }
    }

    /// The same file, of which a new file reference is found in this message.
    #[must_use]
    pub fn of_message(mut self, message: &Message) -> Self {
        self.origin = Origin::of(message);
        self
    }

    pub(crate) fn of(
        location: tl::enums::InputFileLocation,
        dc_id: i32,
        size: Option<u64>,
        source: Source<'_>,
    ) -> Self {
        Self {
            location,
            dc_id,
            size,
            origin: source.origin(),
        }
    }

    /// The same, of another size.
    pub(crate) fn sized(mut self, size: Option<u64>) -> Self {
        self.size = size;
        self
    }

    /// The data centre that has it, as far as is known.
    #[must_use]
    pub fn dc_id(&self) -> i32 {
        self.dc_id
    }

    /// Its size in bytes, if that is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(&self) -> &tl::enums::InputFileLocation {
        &self.location
    }

    /// The same file by a new reference, as its origin has it now.
    ///
    /// # Errors
    /// When there is no origin, when the origin has another file by now or none, and what Telegram
    /// answers.
    pub(crate) fn refresh<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            let mut fresh = self.clone();
            fresh.set_reference(self.origin.reference_of(client, &self.location).await?);
            Ok(fresh)
        })
    }

    /// What tells it from other files: all but the reference, which changes.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let mut nameless = self.clone();
        nameless.set_reference(Vec::new());
        nameless.location.to_bytes()
    }

    fn set_reference(&mut self, reference: Vec<u8>) {
        use tl::enums::InputFileLocation as L;
        match &mut self.location {
            L::InputDocumentFileLocation(at) => at.file_reference = reference,
            L::InputPhotoFileLocation(at) => at.file_reference = reference,
            L::InputPhotoLegacyFileLocation(at) => at.file_reference = reference,
            L::Location(at) => at.file_reference = reference,
            _ => {}
        }
    }
}

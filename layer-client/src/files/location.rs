//! [`FileLocation`]: where a file's bytes lie, and how the right to fetch them is got again when it
//! has run out (page `api/file-references`).

use layer_tl_types as tl;

use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::{Message, unexpected};
use crate::peers::Peer;

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

/// Where the file reference is got again.
#[derive(Clone, Debug, Default)]
pub(crate) enum Origin {
    /// Nowhere: what has run out stays so.
    #[default]
    None,
    /// A message that has the file.
    Message { peer: Peer, id: i32 },
}

impl Origin {
    /// The message, if it lies in a chat.
    fn of(message: &Message) -> Self {
        message.peer_id().map_or(Self::None, |peer| Self::Message {
            peer: peer.clone(),
            id: message.id(),
        })
    }
}

/// The same, borrowed from what shows the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    Message(&'a Message),
}

impl Source<'_> {
    fn origin(self) -> Origin {
        match self {
            Self::Message(message) => Origin::of(message),
        }
    }
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
            let Origin::Message { peer, id } = &self.origin else {
                return Err(Error::input(
                    "the file reference has run out; get the file anew from where it came from",
                ));
            };
            let messages = client.fetch_messages(peer.into(), vec![*id]).await?;
            let message = messages.into_iter().flatten().next();
            let reference = message.and_then(|message| self.found_in(message.raw()));
            let reference = reference.ok_or_else(|| {
                unexpected("messages.getMessages", "the message has this file no more")
            })?;
            let mut fresh = self.clone();
            fresh.set_reference(reference);
            Ok(fresh)
        })
    }

    /// The file reference, of those that have one.
    pub(crate) fn reference(&self) -> Option<&[u8]> {
        use tl::enums::InputFileLocation as L;
        match &self.location {
            L::InputDocumentFileLocation(at) => Some(&at.file_reference),
            L::InputPhotoFileLocation(at) => Some(&at.file_reference),
            _ => None,
        }
    }

    fn set_reference(&mut self, reference: Vec<u8>) {
        use tl::enums::InputFileLocation as L;
        match &mut self.location {
            L::InputDocumentFileLocation(at) => at.file_reference = reference,
            L::InputPhotoFileLocation(at) => at.file_reference = reference,
            _ => {}
        }
    }

    /// The reference that the message has for this very file.
    fn found_in(&self, message: &tl::enums::Message) -> Option<Vec<u8>> {
        let mut found = None;
        files_of(message, &mut |file| {
            let (id, reference) = match (file, &self.location) {
                (File::Photo(photo), tl::enums::InputFileLocation::InputPhotoFileLocation(at))
                    if photo.id == at.id =>
                {
                    (photo.id, &photo.file_reference)
                }
                (
                    File::Document(document),
                    tl::enums::InputFileLocation::InputDocumentFileLocation(at),
                ) if document.id == at.id => (document.id, &document.file_reference),
                _ => return,
            };
            log::debug!("file {id} has a new reference");
            found = Some(reference.clone());
        });
        found
    }
}

/// A file in a message.
enum File<'a> {
    Photo(&'a tl::types::Photo),
    Document(&'a tl::types::Document),
}

/// Shows each file that a message has.
fn files_of<'a>(message: &'a tl::enums::Message, see: &mut dyn FnMut(File<'a>)) {
    match message {
        tl::enums::Message::Message(message) => {
            if let Some(media) = &message.media {
                files_of_media(media, see);
            }
        }
        tl::enums::Message::Service(message) => {
            if let tl::enums::MessageAction::ChatEditPhoto(action) = &message.action {
                see_photo(Some(&action.photo), see);
            }
        }
        tl::enums::Message::Empty(_) => {}
    }
}

fn files_of_media<'a>(media: &'a tl::enums::MessageMedia, see: &mut dyn FnMut(File<'a>)) {
    use tl::enums::MessageMedia as M;
    let extended = |extended: &'a tl::enums::MessageExtendedMedia,
                    see: &mut dyn FnMut(File<'a>)| {
        if let tl::enums::MessageExtendedMedia::Media(extended) = extended {
            files_of_media(&extended.media, see);
        }
    };
    match media {
        M::Photo(media) => see_photo(media.photo.as_ref(), see),
        M::Document(media) => {
            see_document(media.document.as_ref(), see);
            for document in media.alt_documents.iter().flatten() {
                see_document(Some(document), see);
            }
            see_photo(media.video_cover.as_ref(), see);
        }
        M::WebPage(media) => {
            if let tl::enums::WebPage::Page(page) = &media.webpage {
                see_photo(page.photo.as_ref(), see);
                see_document(page.document.as_ref(), see);
                if let Some(tl::enums::Page::Page(page)) = &page.cached_page {
                    for photo in &page.photos {
                        see_photo(Some(photo), see);
                    }
                    for document in &page.documents {
                        see_document(Some(document), see);
                    }
                }
            }
        }
        M::Game(media) => {
            let tl::enums::Game::Game(game) = &media.game;
            see_photo(Some(&game.photo), see);
            see_document(game.document.as_ref(), see);
        }
        M::Invoice(media) => {
            if let Some(media) = &media.extended_media {
                extended(media, see);
            }
        }
        M::PaidMedia(media) => {
            for media in &media.extended_media {
                extended(media, see);
            }
        }
        _ => {}
    }
}

fn see_photo<'a>(photo: Option<&'a tl::enums::Photo>, see: &mut dyn FnMut(File<'a>)) {
    if let Some(tl::enums::Photo::Photo(photo)) = photo {
        see(File::Photo(photo));
    }
}

fn see_document<'a>(document: Option<&'a tl::enums::Document>, see: &mut dyn FnMut(File<'a>)) {
    if let Some(tl::enums::Document::Document(document)) = document {
        see(File::Document(document));
    }
}

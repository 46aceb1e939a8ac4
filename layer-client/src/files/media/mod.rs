//! [`Media`]: the photo, file or other medium in a message, what it is, and where its bytes lie.

mod file;
mod kind;
mod stripped;
mod thumb;
pub(in crate::files) mod waveform;

use std::time::Duration;

use layer_tl_types as tl;

pub use file::{Document, DocumentKind, Photo};
pub use kind::{MediaKind, WebPage};
pub use stripped::{outline_to_path, outline_to_svg, stripped_to_jpeg};
pub use thumb::Thumb;

use super::origin::Source;
use super::{Downloadable, FileLocation, WebFile};
use crate::messages::Message;

/// The medium in a message. [`kind`](Self::kind) tells what it is.
///
/// ```
/// use layer_client::Message;
/// use layer_client::files::MediaKind;
///
/// fn describe(message: &Message) -> String {
///     match message.media().map(|media| media.kind()) {
///         Some(MediaKind::Photo(photo)) => format!("a photo, {:?} pixels wide", photo.width()),
///         Some(MediaKind::Voice(voice)) => format!("{:?} of talk", voice.duration()),
///         Some(MediaKind::Sticker(sticker)) => sticker.sticker_emoji().unwrap_or("?").to_owned(),
///         Some(MediaKind::Geo(place)) => format!("{}, {}", place.lat, place.long),
///         Some(_) => "something else".to_owned(),
///         None => "nothing but text".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Media<'a> {
    raw: &'a tl::enums::MessageMedia,
    message: &'a Message,
}

impl<'a> Media<'a> {
    pub(crate) fn new(raw: &'a tl::enums::MessageMedia, message: &'a Message) -> Self {
        Self { raw, message }
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(self) -> &'a tl::enums::MessageMedia {
        self.raw
    }

    fn source(self) -> Source<'a> {
        Source::Message(self.message)
    }

    /// The photo, if it is one.
    #[must_use]
    pub fn photo(self) -> Option<Photo<'a>> {
        match self.raw {
            tl::enums::MessageMedia::Photo(media) => {
                Photo::new(media.photo.as_ref(), self.source())
            }
            _ => None,
        }
    }

    /// The file, if it is one: documents, videos, voice messages, stickers.
    #[must_use]
    pub fn document(self) -> Option<Document<'a>> {
        match self.raw {
            tl::enums::MessageMedia::Document(media) => {
                Document::new(media.document.as_ref(), self.source())
            }
            _ => None,
        }
    }

    /// The same video in other qualities.
    #[must_use]
    pub fn alt_documents(self) -> Vec<Document<'a>> {
        match self.raw {
            tl::enums::MessageMedia::Document(media) => {
                let documents = media.alt_documents.iter().flatten();
                documents
                    .filter_map(|document| Document::new(Some(document), self.source()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The cover of a video.
    #[must_use]
    pub fn cover(self) -> Option<Photo<'a>> {
        match self.raw {
            tl::enums::MessageMedia::Document(media) => {
                Photo::new(media.video_cover.as_ref(), self.source())
            }
            _ => None,
        }
    }

    /// After how many seconds from its first sight it destroys itself.
    #[must_use]
    pub fn ttl_seconds(self) -> Option<i32> {
        match self.raw {
            tl::enums::MessageMedia::Photo(media) => media.ttl_seconds,
            tl::enums::MessageMedia::Document(media) => media.ttl_seconds,
            _ => None,
        }
    }

    /// Whether it is hidden until somebody wants to see it.
    #[must_use]
    pub fn is_spoiler(self) -> bool {
        match self.raw {
            tl::enums::MessageMedia::Photo(media) => media.spoiler,
            tl::enums::MessageMedia::Document(media) => media.spoiler,
            _ => false,
        }
    }

    /// The id of the photo or document.
    pub(crate) fn file_id(self) -> Option<i64> {
        match self.photo() {
            Some(photo) => Some(photo.id),
            None => self.document().map(|document| document.id),
        }
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> Option<&'a str> {
        self.document()?.file_name()
    }

    /// The file's MIME type.
    #[must_use]
    pub fn mime_type(self) -> Option<&'a str> {
        if self.photo().is_some() {
            return Some("image/jpeg");
        }
        self.document().map(Document::mime_type)
    }

    /// The size in bytes; of a photo, that of its largest form.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        self.file_location()?.size()
    }

    /// The width of a photo, a picture or a video, in pixels.
    #[must_use]
    pub fn width(self) -> Option<i32> {
        match self.photo() {
            Some(photo) => photo.width(),
            None => self.document()?.width(),
        }
    }

    /// The height of a photo, a picture or a video, in pixels.
    #[must_use]
    pub fn height(self) -> Option<i32> {
        match self.photo() {
            Some(photo) => photo.height(),
            None => self.document()?.height(),
        }
    }

    /// How long video or sound lasts.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        self.document()?.duration()
    }

    /// The sizes of a photo, or the thumbnails of a file.
    #[must_use]
    pub fn thumbs(self) -> Vec<Thumb<'a>> {
        match self.photo() {
            Some(photo) => photo.thumbs(),
            None => self.document().map(Document::thumbs).unwrap_or_default(),
        }
    }

    /// The picture of an invoice, which lies in the web.
    #[must_use]
    pub fn web_file(self) -> Option<WebFile> {
        match self.raw {
            tl::enums::MessageMedia::Invoice(invoice) => invoice.photo.as_ref().map(WebFile::new),
            _ => None,
        }
    }

    /// The short videos of a photo or a file.
    #[must_use]
    pub fn videos(self) -> Vec<Thumb<'a>> {
        match self.photo() {
            Some(photo) => photo.videos(),
            None => self.document().map(Document::videos).unwrap_or_default(),
        }
    }

    /// The size, thumbnail or short video of this [name](Thumb::name), of a photo or a file.
    #[must_use]
    pub fn thumb(self, name: &str) -> Option<Thumb<'a>> {
        match self.photo() {
            Some(photo) => photo.thumb(name),
            None => self.document()?.thumb(name),
        }
    }

    /// The second at which a video begins to play.
    #[must_use]
    pub fn starts_at(self) -> Option<Duration> {
        match self.raw {
            tl::enums::MessageMedia::Document(media) => {
                let seconds = u64::try_from(media.video_timestamp?).ok()?;
                Some(Duration::from_secs(seconds))
            }
            _ => None,
        }
    }

    /// The medium for sending it again without uploading it.
    /// [`OutgoingMedia::copy`](super::OutgoingMedia::copy) does so too, and gets a file reference that has run out
    /// anew. `None` for what cannot be sent again: invoices, giveaways, stories.
    #[must_use]
    pub fn to_input(self) -> Option<tl::enums::InputMedia> {
        kind::to_input(self)
    }
}

impl Downloadable for Media<'_> {
    /// Of a web page or a game its file or, when it has none, its photo.
    fn file_location(&self) -> Option<FileLocation> {
        let (photo, document) = match self.kind() {
            MediaKind::WebPage(page) => (page.photo(), page.document()),
            MediaKind::Game(game) => (
                Photo::new(Some(&game.photo), self.source()),
                Document::new(game.document.as_ref(), self.source()),
            ),
            _ => (self.photo(), self.document()),
        };
        match document {
            Some(document) => document.file_location(),
            None => photo?.file_location(),
        }
    }
}

#[cfg(test)]
mod tests;

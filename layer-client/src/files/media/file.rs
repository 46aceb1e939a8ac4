//! [`Photo`] and [`Document`]: the two shapes that all files have, with the attributes that tell what
//! a document is.

use std::ops::Deref;
use std::time::Duration;

use layer_tl_types as tl;

use super::{Thumb, waveform};
use crate::files::origin::Source;
use crate::files::{Downloadable, FileLocation};

/// A photo of a message, a profile or a web page. It has several sizes and is no file of its own.
///
/// What is not offered here is in the raw photo that it stands for: `photo.id`, `photo.date`.
#[derive(Clone, Copy, Debug)]
pub struct Photo<'a> {
    raw: &'a tl::types::Photo,
    source: Source<'a>,
}

impl<'a> Photo<'a> {
    pub(crate) fn new(photo: Option<&'a tl::enums::Photo>, source: Source<'a>) -> Option<Self> {
        match photo? {
            tl::enums::Photo::Photo(raw) => Some(Self { raw, source }),
            tl::enums::Photo::Empty(_) => None,
        }
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(self) -> &'a tl::types::Photo {
        self.raw
    }

    /// All its sizes, also those of a few bytes that came with it, as the server lists them.
    #[must_use]
    pub fn thumbs(self) -> Vec<Thumb<'a>> {
        let at = |name: &str| self.at(name);
        let sizes = self.raw.sizes.iter();
        sizes.filter_map(|size| Thumb::new(size, &at)).collect()
    }

    /// The short silent video of an animated profile photo, in its sizes.
    #[must_use]
    pub fn videos(self) -> Vec<Thumb<'a>> {
        let at = |name: &str| self.at(name);
        let sizes = self.raw.video_sizes.iter().flatten();
        sizes.filter_map(|size| Thumb::video(size, &at)).collect()
    }

    /// The size or the video of this [name](Thumb::name), if there is one.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// let mut photos = client.iter_profile_photos("@durov");
    /// if let Some(photo) = photos.next().await?
    ///     && let Some(video) = photo.photo().and_then(|photo| photo.thumb("u"))
    /// {
    ///     client.download(video).to_path("durov.mp4").await?;
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn thumb(self, name: &str) -> Option<Thumb<'a>> {
        named(name, [self.thumbs(), self.videos()])
    }

    /// The largest of the sizes that can be downloaded.
    #[must_use]
    pub fn largest(self) -> Option<Thumb<'a>> {
        let sizes = self.thumbs().into_iter();
        sizes
            .filter(|size| size.file_location().is_some())
            .max_by_key(Thumb::area)
    }

    /// The width of the largest size, in pixels.
    #[must_use]
    pub fn width(self) -> Option<i32> {
        self.largest()?.width()
    }

    /// The height of the largest size, in pixels.
    #[must_use]
    pub fn height(self) -> Option<i32> {
        self.largest()?.height()
    }

    fn at(self, size: &str) -> FileLocation {
        let location = tl::types::InputPhotoFileLocation {
            id: self.raw.id,
            access_hash: self.raw.access_hash,
            file_reference: self.raw.file_reference.clone(),
            thumb_size: size.to_owned(),
        };
        FileLocation::of(location.into(), self.raw.dc_id, None, self.source)
    }
}

impl Deref for Photo<'_> {
    type Target = tl::types::Photo;

    fn deref(&self) -> &tl::types::Photo {
        self.raw
    }
}

impl Downloadable for Photo<'_> {
    fn file_location(&self) -> Option<FileLocation> {
        self.largest()?.file_location()
    }
}

fn named<'a>(name: &str, lists: [Vec<Thumb<'a>>; 2]) -> Option<Thumb<'a>> {
    let mut all = lists.into_iter().flatten();
    all.find(|thumb| thumb.name() == name)
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// A file like any other.
    Document,
    /// A video.
    Video,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A round video message.
    RoundVideo,
    /// A GIF, or a short video without sound that is shown as one.
    Animation,
    /// A sticker, also an animated one or a video, or a mask.
    Sticker,
    /// A custom emoji.
    CustomEmoji,
}

/// A file of a message, a web page or a sticker set.
///
/// What is not offered here is in the raw document that it stands for: `document.id`,
/// `document.attributes`.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    raw: &'a tl::types::Document,
    source: Source<'a>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(
        document: Option<&'a tl::enums::Document>,
        source: Source<'a>,
    ) -> Option<Self> {
        match document? {
            tl::enums::Document::Document(raw) => Some(Self { raw, source }),
            tl::enums::Document::Empty(_) => None,
        }
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(self) -> &'a tl::types::Document {
        self.raw
    }

    fn find<T>(self, what: impl FnMut(&'a tl::enums::DocumentAttribute) -> Option<T>) -> Option<T> {
        self.raw.attributes.iter().find_map(what)
    }

    fn video(self) -> Option<&'a tl::types::DocumentAttributeVideo> {
        self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Video(video) => Some(&**video),
            _ => None,
        })
    }

    fn audio(self) -> Option<&'a tl::types::DocumentAttributeAudio> {
        self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Audio(audio) => Some(&**audio),
            _ => None,
        })
    }

    /// What it is, by its attributes.
    #[must_use]
    pub fn kind(self) -> DocumentKind {
        use tl::enums::DocumentAttribute as A;
        // A video sticker is a video too, and an animation often: the most particular counts.
        let of = |attribute: &A| match attribute {
            A::CustomEmoji(_) => (5, DocumentKind::CustomEmoji),
            A::Sticker(_) => (4, DocumentKind::Sticker),
            A::Animated => (3, DocumentKind::Animation),
            A::Video(video) if video.round_message => (2, DocumentKind::RoundVideo),
            A::Video(_) => (1, DocumentKind::Video),
            A::Audio(audio) if audio.voice => (2, DocumentKind::Voice),
            A::Audio(_) => (1, DocumentKind::Audio),
            A::ImageSize(_) | A::Filename(_) | A::HasStickers => (0, DocumentKind::Document),
        };
        let kinds = self.raw.attributes.iter().map(of);
        kinds
            .max_by_key(|(rank, _)| *rank)
            .map_or(DocumentKind::Document, |(_, kind)| kind)
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> Option<&'a str> {
        self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Filename(name) => Some(name.file_name.as_str()),
            _ => None,
        })
    }

    /// The file's MIME type.
    #[must_use]
    pub fn mime_type(self) -> &'a str {
        &self.raw.mime_type
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        u64::try_from(self.raw.size).ok()
    }

    fn sides(self) -> Option<(i32, i32)> {
        self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Video(video) => Some((video.w, video.h)),
            tl::enums::DocumentAttribute::ImageSize(size) => Some((size.w, size.h)),
            _ => None,
        })
    }

    /// The width of a picture or a video, in pixels.
    #[must_use]
    pub fn width(self) -> Option<i32> {
        self.sides().map(|(width, _)| width)
    }

    /// The height of a picture or a video, in pixels.
    #[must_use]
    pub fn height(self) -> Option<i32> {
        self.sides().map(|(_, height)| height)
    }

    /// How long video or sound lasts.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        match (self.video(), self.audio()) {
            (Some(video), _) => Duration::try_from_secs_f64(video.duration).ok(),
            (None, audio) => u64::try_from(audio?.duration).ok().map(Duration::from_secs),
        }
    }

    /// The title of music.
    #[must_use]
    pub fn title(self) -> Option<&'a str> {
        self.audio()?.title.as_deref()
    }

    /// The performer of music.
    #[must_use]
    pub fn performer(self) -> Option<&'a str> {
        self.audio()?.performer.as_deref()
    }

    /// How loud a voice message is over its time, evenly spaced, from 0 to 31 each.
    #[must_use]
    pub fn waveform(self) -> Option<Vec<u8>> {
        Some(waveform::decode(self.audio()?.waveform.as_deref()?))
    }

    /// Whether a video can be played before it is there as a whole.
    #[must_use]
    pub fn supports_streaming(self) -> bool {
        self.video().is_some_and(|video| video.supports_streaming)
    }

    /// The emoji that a sticker or a custom emoji stands for.
    #[must_use]
    pub fn sticker_emoji(self) -> Option<&'a str> {
        self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Sticker(sticker) => Some(sticker.alt.as_str()),
            tl::enums::DocumentAttribute::CustomEmoji(emoji) => Some(emoji.alt.as_str()),
            _ => None,
        })
    }

    /// The set that a sticker or a custom emoji belongs to.
    #[must_use]
    pub fn sticker_set(self) -> Option<&'a tl::enums::InputStickerSet> {
        let set = self.find(|attribute| match attribute {
            tl::enums::DocumentAttribute::Sticker(sticker) => Some(&sticker.stickerset),
            tl::enums::DocumentAttribute::CustomEmoji(emoji) => Some(&emoji.stickerset),
            _ => None,
        });
        set.filter(|set| !matches!(set, tl::enums::InputStickerSet::Empty))
    }

    /// Its thumbnails, also those of a few bytes that came with it, as the server lists them.
    #[must_use]
    pub fn thumbs(self) -> Vec<Thumb<'a>> {
        let at = |name: &str| self.at(name, None);
        let sizes = self.raw.thumbs.iter().flatten();
        sizes.filter_map(|size| Thumb::new(size, &at)).collect()
    }

    /// Short silent previews of a video, and the effects of premium stickers.
    #[must_use]
    pub fn videos(self) -> Vec<Thumb<'a>> {
        let at = |name: &str| self.at(name, None);
        let sizes = self.raw.video_thumbs.iter().flatten();
        sizes.filter_map(|size| Thumb::video(size, &at)).collect()
    }

    /// The thumbnail or the preview of this [name](Thumb::name), if there is one: `m` a picture, `v` a
    /// video's preview, `f` a sticker's effect.
    #[must_use]
    pub fn thumb(self, name: &str) -> Option<Thumb<'a>> {
        named(name, [self.thumbs(), self.videos()])
    }

    fn at(self, thumb: &str, size: Option<u64>) -> FileLocation {
        let location = tl::types::InputDocumentFileLocation {
            id: self.raw.id,
            access_hash: self.raw.access_hash,
            file_reference: self.raw.file_reference.clone(),
            thumb_size: thumb.to_owned(),
        };
        FileLocation::of(location.into(), self.raw.dc_id, size, self.source)
    }
}

impl Deref for Document<'_> {
    type Target = tl::types::Document;

    fn deref(&self) -> &tl::types::Document {
        self.raw
    }
}

impl Downloadable for Document<'_> {
    fn file_location(&self) -> Option<FileLocation> {
        Some(self.at("", self.size()))
    }
}

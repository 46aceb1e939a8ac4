//! [`OutgoingMedia`]: what is sent besides text, and how it becomes what the raw API takes.

mod album;
mod attributes;
mod copy;
mod info;
mod known;
mod poll;
mod prepare;
mod source;

use std::time::Duration;

use layer_tl_types as tl;

pub(super) use info::Sample;
pub(crate) use known::{KnownFiles, file_id};
pub use poll::OutgoingPoll;
pub use source::MediaSource;

use super::{Downloadable, Media, MediaKind};
use crate::messages::InputMessage;
pub(super) use source::{Source, input_photo, not_received};

/// A photo, a file or another medium to be sent: [`Client::send_media`](crate::Client::send_media),
/// [`send_album`](crate::Client::send_album), [`edit_media`](crate::Client::edit_media).
///
/// What is not set is read from the file when the crate is built with the feature `media-info`:
/// width, height and duration of videos, duration, title and performer of music, the size of
/// pictures. Without it, or of a file that does not read, it is left out, and programs show a video
/// without its shape or length. Nothing is read of an [`Upload::reader`](super::Upload::reader), nor
/// of what was uploaded before.
///
/// ```no_run
/// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
/// use std::time::Duration;
/// use layer_client::files::{OutgoingMedia, Upload};
///
/// client.send_media("me", OutgoingMedia::photo("cat.jpg"), "Look!").await?;
/// let video = OutgoingMedia::video("film.mp4")
///     .dimensions(1280, 720)
///     .duration(Duration::from_secs(95))
///     .thumbnail("film.jpg");
/// client.send_media("@durov", video, "").await?;
/// let voice = OutgoingMedia::voice(Upload::bytes("voice.ogg", b"OggS")).waveform([1, 20, 31]);
/// client.send_media("me", voice, "").await?;
/// client.send_media("me", OutgoingMedia::venue(48.85, 2.35, "Notre-Dame", "Paris"), "").await?;
/// # Ok(()) }
/// ```
#[must_use = "it is sent by `Client::send_media`"]
pub struct OutgoingMedia<'a> {
    what: What<'a>,
    options: Options<'a>,
    /// The caption as one of several, and what else is set of the message.
    caption: InputMessage,
}

enum What<'a> {
    File(Kind, Source<'a>),
    PhotoUrl(String),
    DocumentUrl(String),
    /// Anything that has no file to be uploaded.
    Raw(Box<tl::enums::InputMedia>),
    /// A received medium that cannot be sent again.
    Nothing,
}

/// What a file is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Photo,
    Document,
    Video,
    Audio,
    Voice,
    RoundVideo,
    Animation,
    Sticker,
}

#[derive(Default)]
struct Options<'a> {
    thumbnail: Option<MediaSource<'a>>,
    cover: Option<MediaSource<'a>>,
    starts_at: Option<Duration>,
    spoiler: bool,
    ttl_seconds: Option<i32>,
    size: Option<(i32, i32)>,
    duration: Option<Duration>,
    title: Option<String>,
    performer: Option<String>,
    waveform: Option<Vec<u8>>,
    supports_streaming: Option<bool>,
    nosound: Option<bool>,
    file_name: Option<String>,
    mime_type: Option<String>,
    force_file: Option<bool>,
    emoji: String,
    attributes: Vec<tl::enums::DocumentAttribute>,
}

impl<'a> OutgoingMedia<'a> {
    fn new(what: What<'a>) -> Self {
        Self {
            what,
            options: Options::default(),
            caption: InputMessage::default(),
        }
    }

    fn file(kind: Kind, source: MediaSource<'a>) -> Self {
        Self::new(What::File(kind, source.0))
    }

    /// A photo, which Telegram makes smaller if it is large: JPEG, PNG or WebP, of at most 10 MB.
    pub fn photo(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Photo, source.into())
    }

    /// A file, byte for byte. Pictures and videos stay files too unless
    /// [`force_file(false)`](Self::force_file) leaves it to the server.
    pub fn document(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Document, source.into())
    }

    /// A video, MP4 best.
    pub fn video(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Video, source.into())
    }

    /// Music, MP3 or M4A best.
    pub fn audio(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Audio, source.into())
    }

    /// A voice message: Opus in Ogg.
    pub fn voice(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Voice, source.into())
    }

    /// A round video message: a square MP4 of at most a minute.
    pub fn round_video(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::RoundVideo, source.into())
    }

    /// A GIF, or an MP4 without sound that is shown as one.
    pub fn animation(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Animation, source.into())
    }

    /// A sticker: WebP with a side of 512, TGS or WebM (page `api/stickers`).
    pub fn sticker(source: impl Into<MediaSource<'a>>) -> Self {
        Self::file(Kind::Sticker, source.into())
    }

    /// A received medium once more, without uploading it: whatever [`Media::to_input`] makes of it.
    /// A file reference that has run out is got anew from the message that it came from.
    pub fn copy(media: Media<'_>) -> Self {
        let kind = match media.kind() {
            MediaKind::Photo(_) => Some(Kind::Photo),
            MediaKind::Video(_) => Some(Kind::Video),
            MediaKind::Audio(_) => Some(Kind::Audio),
            MediaKind::Voice(_) => Some(Kind::Voice),
            MediaKind::RoundVideo(_) => Some(Kind::RoundVideo),
            MediaKind::Animation(_) => Some(Kind::Animation),
            MediaKind::Sticker(_) => Some(Kind::Sticker),
            MediaKind::Document(_) => Some(Kind::Document),
            _ => None,
        };
        let mut copy = Self::new(match (kind, media.to_input()) {
            (Some(kind), _) => What::File(kind, Source::Received(media.file_location())),
            (None, Some(raw)) => What::Raw(Box::new(raw)),
            (None, None) => What::Nothing,
        });
        copy.options.spoiler = media.is_spoiler();
        copy.options.cover = media.cover().map(MediaSource::from);
        copy.options.starts_at = media.starts_at();
        copy
    }

    /// A photo that Telegram's servers fetch from this address, of at most 5 MB.
    pub fn photo_url(url: impl Into<String>) -> Self {
        Self::new(What::PhotoUrl(url.into()))
    }

    /// A file that Telegram's servers fetch from this address: PDF, GIF, MP4, of at most 20 MB.
    pub fn document_url(url: impl Into<String>) -> Self {
        Self::new(What::DocumentUrl(url.into()))
    }

    /// A place, in degrees north and east.
    pub fn geo_point(lat: f64, long: f64) -> Self {
        let geo_point = geo_point(lat, long);
        Self::raw(tl::types::InputMediaGeoPoint { geo_point })
    }

    /// A place with a name and an address, in degrees north and east.
    pub fn venue(
        lat: f64,
        long: f64,
        title: impl Into<String>,
        address: impl Into<String>,
    ) -> Self {
        Self::raw(tl::types::InputMediaVenue {
            geo_point: geo_point(lat, long),
            title: title.into(),
            address: address.into(),
            provider: String::new(),
            venue_id: String::new(),
            venue_type: String::new(),
        })
    }

    /// Somebody's number and name; the last name may be empty.
    pub fn contact(
        phone_number: impl Into<String>,
        first_name: impl Into<String>,
        last_name: impl Into<String>,
    ) -> Self {
        Self::raw(tl::types::InputMediaContact {
            phone_number: phone_number.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            vcard: String::new(),
        })
    }

    /// A poll or a quiz.
    pub fn poll(poll: OutgoingPoll) -> Self {
        Self::raw(poll.into_raw())
    }

    /// A die (`"🎲"`), or another emoji that chance decides: `"🎯"`, `"🏀"`, `"⚽"`, `"🎳"`, `"🎰"`.
    pub fn dice(emoticon: impl Into<String>) -> Self {
        Self::raw(tl::types::InputMediaDice {
            emoticon: emoticon.into(),
        })
    }

    /// Anything that the raw API can send.
    pub fn raw(media: impl Into<tl::enums::InputMedia>) -> Self {
        Self::new(What::Raw(Box::new(media.into())))
    }

    /// The caption. In an [album](crate::Client::send_album) each has its own; what else the first of them
    /// says (an answer to which message, silent, and so on) goes for the whole album.
    pub fn caption(mut self, caption: impl Into<InputMessage>) -> Self {
        self.caption = caption.into();
        self
    }

    /// A small picture that is shown while the file is not there: a JPEG of at most 200 kB, no side
    /// longer than 320. Not for photos, of which the server makes their own.
    pub fn thumbnail(mut self, picture: impl Into<MediaSource<'a>>) -> Self {
        self.options.thumbnail = Some(picture.into());
        self
    }

    /// The picture that a video shows until it is played, in place of one of its own. It is a photo:
    /// one that Telegram has already, such as the [cover](Media::cover) of another video, is not uploaded
    /// again.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// use std::time::Duration;
    /// use layer_client::files::OutgoingMedia;
    ///
    /// let video = OutgoingMedia::video("film.mp4")
    ///     .cover("poster.jpg")
    ///     .starts_at(Duration::from_secs(83));
    /// client.send_media("me", video, "The best part").await?;
    /// # Ok(()) }
    /// ```
    pub fn cover(mut self, picture: impl Into<MediaSource<'a>>) -> Self {
        self.options.cover = Some(picture.into());
        self
    }

    /// The moment at which a video begins to play, in whole seconds.
    pub fn starts_at(mut self, moment: Duration) -> Self {
        self.options.starts_at = Some(moment);
        self
    }

    /// Hides it until somebody wants to see it.
    pub fn spoiler(mut self, hidden: bool) -> Self {
        self.options.spoiler = hidden;
        self
    }

    /// Has it destroy itself so many seconds after its first sight, in private chats.
    pub fn ttl_seconds(mut self, seconds: i32) -> Self {
        self.options.ttl_seconds = Some(seconds);
        self
    }

    /// Width and height in pixels.
    pub fn dimensions(mut self, width: i32, height: i32) -> Self {
        self.options.size = Some((width, height));
        self
    }

    /// How long video or sound lasts.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.options.duration = Some(duration);
        self
    }

    /// The title of music.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.options.title = Some(title.into());
        self
    }

    /// The performer of music.
    pub fn performer(mut self, performer: impl Into<String>) -> Self {
        self.options.performer = Some(performer.into());
        self
    }

    /// How loud a voice message is over its time, evenly spaced, from 0 to 31 each; a hundred or so.
    pub fn waveform(mut self, values: impl AsRef<[u8]>) -> Self {
        self.options.waveform = Some(values.as_ref().to_vec());
        self
    }

    /// Whether a video can be played before it is there as a whole. MP4s can, unless told otherwise.
    pub fn supports_streaming(mut self, supported: bool) -> Self {
        self.options.supports_streaming = Some(supported);
        self
    }

    /// Whether a video has no sound.
    pub fn nosound(mut self, silent: bool) -> Self {
        self.options.nosound = Some(silent);
        self
    }

    /// Gives the file another name.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.options.file_name = Some(name.into());
        self
    }

    /// The MIME type, in place of the one that the name tells.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.options.mime_type = Some(mime_type.into());
        self
    }

    /// Whether the server shall take it as a file whatever it is.
    pub fn force_file(mut self, force: bool) -> Self {
        self.options.force_file = Some(force);
        self
    }

    /// The emoji that a sticker stands for.
    pub fn emoji(mut self, emoji: impl Into<String>) -> Self {
        self.options.emoji = emoji.into();
        self
    }

    /// Adds an attribute as the raw API has it, in place of one of its kind.
    pub fn attribute(mut self, attribute: tl::enums::DocumentAttribute) -> Self {
        self.options.attributes.push(attribute);
        self
    }
}

impl From<OutgoingPoll> for OutgoingMedia<'_> {
    fn from(poll: OutgoingPoll) -> Self {
        Self::poll(poll)
    }
}

fn geo_point(lat: f64, long: f64) -> tl::enums::InputGeoPoint {
    tl::types::InputGeoPoint {
        lat,
        long,
        accuracy_radius: None,
    }
    .into()
}

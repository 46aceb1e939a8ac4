//! Files: parts as they come in, what they become, and how they are read again.
//!
//! The rules of part sizes, offsets and limits are those of Telegram's page on files. What is stored is bounded in all;
//! abandoned uploads go first.

mod cdn;
mod clip;
mod content;
mod map;
mod photo;
mod picture;
mod rate;
mod read;
mod reference;
mod upload;
mod web;

use std::collections::BTreeMap;
use std::sync::Arc;

use layer_tl_types::enums;

use super::{Config, World, ids, image};
use crate::rpc::RpcError;
pub use cdn::CdnFiles;
pub(crate) use cdn::{Cdn, CdnDc};
use clip::Clip;
pub(crate) use clip::Moving;
pub(crate) use content::Content;
use content::Depot;
pub(crate) use photo::{LARGE, SMALL};
pub use rate::Speed;
pub(crate) use reference::ReferenceRule;
pub(crate) use upload::Part;

/// Files held at most, however small they are.
const MAX_FILES: usize = 50_000;

/// All files and uploads.
#[derive(Debug)]
pub(crate) struct Files {
    uploads: BTreeMap<upload::Key, upload::Upload>,
    stored: BTreeMap<i64, Stored>,
    depot: Depot,
    clock: u64,
    /// When old uploads were looked for last (Unix time).
    swept: i32,
    /// References of an older epoch have expired.
    epoch: i32,
    /// When references expire by themselves.
    pub(crate) references: ReferenceRule,
    pub(crate) rates: rate::Rates,
    pub(crate) cdn: Cdn,
    trusted: web::Trusted,
    drawn: web::Drawn,
}

/// Which of a file's contents is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The document itself.
    Main,
    /// The photo, thumbnail or short video of this name.
    Size(u8),
}

impl Variant {
    /// What `thumb_size` of a location names.
    fn named(thumb_size: &str) -> Option<Self> {
        match thumb_size.as_bytes() {
            [] => Some(Self::Main),
            [letter] => Self::of_letter(*letter),
            _ => None,
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            0 => Some(Self::Main),
            b'a'..=b'z' => Some(Self::Size(letter)),
            _ => None,
        }
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Main => 0,
            Self::Size(letter) => letter,
        }
    }
}

/// What a fault makes of a file's transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileBend {
    /// The bytes are others than those that are stored.
    pub(crate) wrong_bytes: bool,
    /// The hashes are others than those of the bytes.
    pub(crate) wrong_hashes: bool,
    /// The CDN has lost its files.
    pub(crate) forgets: bool,
    /// The part that is saved is lost.
    pub(crate) loses_part: bool,
}

impl FileBend {
    fn spoil(self, bytes: &mut [u8]) {
        if self.wrong_bytes
            && let Some(last) = bytes.last_mut()
        {
            *last ^= 1;
        }
    }
}

/// A photo or document.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The document itself; photos have none but their sizes.
    document: Option<Arc<Content>>,
    /// The sizes of a photo, or the thumbnails of a document, the smallest first.
    sizes: Vec<Size>,
    /// What moves: a profile photo's video, or the preview of a document that is one.
    clips: Vec<Clip>,
    /// A sticker on a background that moves in its place.
    markup: Option<enums::VideoSize>,
    /// What is shown before anything is loaded.
    stripped: Option<Vec<u8>>,
    pub(crate) dc_id: i32,
    pub(crate) date: i32,
    mime_type: String,
    attributes: Vec<enums::DocumentAttribute>,
    given: reference::Given,
}

/// A picture of a photo or document.
#[derive(Debug)]
struct Size {
    letter: u8,
    image: image::Image,
    content: Arc<Content>,
    /// How much of it shows it better and better, if it is made so.
    progress: Vec<i32>,
}

impl Stored {
    pub(crate) const fn is_photo(&self) -> bool {
        self.document.is_none()
    }

    /// What is stored under one of its names.
    fn content(&self, variant: Variant) -> Option<&Content> {
        match variant {
            Variant::Main => self.document.as_deref(),
            Variant::Size(letter) => {
                let size = self.sizes.iter().find(|size| size.letter == letter);
                let clip = || self.clips.iter().find(|clip| clip.letter == letter);
                size.map(|size| &*size.content)
                    .or_else(|| clip().map(|clip| &*clip.content))
            }
        }
    }

    /// What is shown of it before anything is loaded.
    pub(crate) fn stripped(&self) -> Option<Vec<u8>> {
        self.stripped.clone()
    }

    /// Whether something of it moves.
    pub(crate) const fn is_moving(&self) -> bool {
        !self.clips.is_empty() || self.markup.is_some()
    }

    /// What was uploaded.
    pub(crate) fn original(&self) -> Option<&Content> {
        let largest = self.sizes.last().map(|size| &*size.content);
        self.document.as_deref().or(largest)
    }
}

/// What a document is, by its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) video: bool,
    pub(crate) round: bool,
    pub(crate) voice: bool,
    pub(crate) audio: bool,
    pub(crate) animated: bool,
    pub(crate) sticker: bool,
}

impl Kind {
    /// Neither video, sound, animation nor sticker.
    pub(crate) fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// Shown moving in a small form before it is played.
    const fn is_shown_as_video(self) -> bool {
        self.video && !self.sticker
    }

    /// Marked as unread until it is played.
    pub(crate) const fn is_played(self) -> bool {
        self.voice || self.round
    }

    fn of(attributes: &[enums::DocumentAttribute]) -> Self {
        let mut kind = Self::default();
        for attribute in attributes {
            match attribute {
                enums::DocumentAttribute::Video(video) => {
                    kind.video = !video.round_message;
                    kind.round = video.round_message;
                }
                enums::DocumentAttribute::Audio(audio) => {
                    kind.voice = audio.voice;
                    kind.audio = !audio.voice;
                }
                enums::DocumentAttribute::Animated => kind.animated = true,
                enums::DocumentAttribute::Sticker(_) => kind.sticker = true,
                _ => {}
            }
        }
        kind
    }
}

impl Files {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            uploads: BTreeMap::new(),
            stored: BTreeMap::new(),
            depot: Depot::new(config.file_memory),
            clock: 0,
            swept: 0,
            epoch: 0,
            references: ReferenceRule::default(),
            rates: rate::Rates::default(),
            cdn: Cdn::default(),
            trusted: web::Trusted::new(),
            drawn: web::Drawn::default(),
        }
    }

    /// What the document is.
    pub(crate) fn kind(&self, id: i64) -> Kind {
        self.stored
            .get(&id)
            .map(|file| Kind::of(&file.attributes))
            .unwrap_or_default()
    }

    /// What is stored under this id.
    pub(crate) fn get(&self, id: i64) -> Option<&Stored> {
        self.stored.get(&id)
    }

    /// Bytes held in all.
    pub(crate) fn bytes(&self) -> u64 {
        self.depot.bytes()
    }

    /// Uploads that are under way or can be used again.
    #[cfg(test)]
    pub(crate) fn upload_count(&self) -> usize {
        self.uploads.len()
    }

    /// Of these, bytes in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> u64 {
        self.depot.in_memory()
    }
}

impl World {
    fn store(&mut self, file: Stored) -> Result<i64, RpcError> {
        if self.files.stored.len() >= MAX_FILES {
            return Err(RpcError::new(500, "STORAGE_FULL"));
        }
        let id = self.dice.positive();
        self.files.stored.insert(id, file);
        Ok(id)
    }

    fn file_hash(&self, id: i64) -> i64 {
        ids::keyed(self.config.secret, &[4, id])
    }
}

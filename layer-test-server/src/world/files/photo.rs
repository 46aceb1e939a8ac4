//! What is stored of a picture: several sizes of it, the largest as it came (documentation page `api/files`, "Image
//! thumbnail types"), and whose profile it shows.

use std::sync::Arc;

use layer_tl_types::{Serializable, enums, types};

use super::clip::{self, Clip, Moving};
use super::content::Content;
use super::picture::{jpeg, progress, seed, stripped};
use super::reference::Given;
use super::upload::storage;
use super::{Kind, Size, Stored, Variant, World};
use crate::rpc::RpcError;
use crate::world::blank;
use crate::world::image::{self, Image};

/// The largest photo.
const PHOTO_LIMIT: u64 = 10 * 1024 * 1024;
/// Width and height together.
const SIDES_LIMIT: i32 = 10_000;
/// How much longer than wide, or the other way round.
const RATIO_LIMIT: i32 = 20;
/// The sizes that are made of a larger photo: into which square each fits.
const BOXES: [(u8, i32); 3] = [(b'm', 320), (b'x', 800), (b'y', 1280)];
/// The squares that are made of a profile photo. The third, `c`, is the photo as it came.
const SQUARES: [(u8, i32); 2] = [(b'a', 160), (b'b', 320)];
/// How large and small profile photos are called.
pub(crate) const LARGE: Variant = Variant::Size(b'c');
pub(crate) const SMALL: Variant = Variant::Size(b'a');
/// Into which square the stripped form fits.
const STRIPPED: i32 = 40;
/// Bytes of what is said of a document, which is kept with each.
const ATTRIBUTES: usize = 4096;
/// The sides of the still picture that is made of a video.
const STILL: u16 = 640;
/// Bytes of a document's thumbnail that are looked at for its size.
const HEADER: usize = 256 * 1024;

/// A size as a JPEG wants it, which no checked picture exceeds.
fn side(side: i32) -> u16 {
    u16::try_from(side.max(1)).unwrap_or(u16::MAX)
}

impl Image {
    fn longest(self) -> i32 {
        self.width.max(self.height)
    }

    /// The same shape within a square.
    fn within(self, square: i32) -> Self {
        let scaled = |side: i32| {
            let side = i64::from(side) * i64::from(square) / i64::from(self.longest().max(1));
            i32::try_from(side.max(1)).unwrap_or(square)
        };
        if self.longest() <= square {
            return self;
        }
        Self {
            width: scaled(self.width),
            height: scaled(self.height),
        }
    }

    fn stripped(self, seed: u64) -> Vec<u8> {
        let small = self.within(STRIPPED);
        let side = |side: i32| u8::try_from(side).unwrap_or(u8::MAX);
        stripped(side(small.width), side(small.height), seed)
    }
}

impl World {
    /// Bytes that nobody uploaded, as the content of a file.
    pub(crate) fn content_of(&mut self, bytes: Vec<u8>) -> Result<Arc<Content>, RpcError> {
        self.make_room(bytes.len(), None)?;
        let content = self.files.depot.content(&bytes).map_err(storage)?;
        Ok(Arc::new(content))
    }

    /// A picture of this size.
    fn picture(&mut self, letter: u8, image: Image, seed: u64) -> Result<Size, RpcError> {
        let bytes = jpeg(side(image.width), side(image.height), seed);
        Ok(Size {
            letter,
            image,
            content: self.content_of(bytes)?,
            progress: Vec::new(),
        })
    }

    /// Makes a photo of what was uploaded.
    pub(crate) fn store_photo(
        &mut self,
        content: Arc<Content>,
        dc_id: i32,
    ) -> Result<i64, RpcError> {
        self.store_picture(content, dc_id, None)
    }

    /// Makes a profile photo of what was uploaded: a picture, something that moves, or both.
    pub(crate) fn store_profile_photo(
        &mut self,
        content: Option<Arc<Content>>,
        moving: Moving,
        dc_id: i32,
    ) -> Result<i64, RpcError> {
        if moving.markup.as_ref().is_some_and(|m| !clip::is_markup(m)) {
            return Err(RpcError::bad("EMOJI_MARKUP_INVALID"));
        }
        let content = match (content, &moving) {
            (Some(content), _) => content,
            (
                None,
                Moving {
                    video: None,
                    markup: None,
                    ..
                },
            ) => {
                return Err(RpcError::bad("PHOTO_FILE_MISSING"));
            }
            // The frame that the client names, or what it draws.
            (None, Moving { video, .. }) => {
                let first = match video {
                    Some(video) => video.read(0, HEADER).map_err(storage)?,
                    None => Vec::new(),
                };
                self.content_of(jpeg(STILL, STILL, seed(&first)))?
            }
        };
        self.store_picture(content, dc_id, Some(moving))
    }

    /// The video of a profile photo.
    fn portrait(&self, video: Arc<Content>, start: Option<f64>) -> Result<Clip, RpcError> {
        let invalid = || RpcError::bad("VIDEO_FILE_INVALID");
        if video.len() > PHOTO_LIMIT {
            return Err(invalid());
        }
        let image = clip::measure(&video.to_vec().map_err(storage)?).ok_or_else(invalid)?;
        if image.width != image.height || image.width > clip::LONGEST {
            return Err(invalid());
        }
        Ok(Clip {
            letter: clip::PORTRAIT,
            image,
            content: video,
            start,
        })
    }

    fn store_picture(
        &mut self,
        content: Arc<Content>,
        dc_id: i32,
        profile: Option<Moving>,
    ) -> Result<i64, RpcError> {
        if content.len() > PHOTO_LIMIT {
            return Err(RpcError::bad("PHOTO_SAVE_FILE_INVALID"));
        }
        let bytes = content.to_vec().map_err(storage)?;
        let image = image::measure(&bytes).ok_or_else(|| RpcError::bad("IMAGE_PROCESS_FAILED"))?;
        let shortest = image.width.min(image.height);
        if image.width.saturating_add(image.height) > SIDES_LIMIT
            || image.longest() / shortest > RATIO_LIMIT
        {
            return Err(RpcError::bad("PHOTO_INVALID_DIMENSIONS"));
        }
        let seed = seed(&bytes);
        let mut sizes = Vec::new();
        if profile.is_some() {
            for (letter, width) in SQUARES {
                let square = Image {
                    width,
                    height: width,
                };
                sizes.push(self.picture(letter, square, seed)?);
            }
        } else {
            for (letter, square) in BOXES {
                if image.longest() > square {
                    sizes.push(self.picture(letter, image.within(square), seed)?);
                }
            }
        }
        sizes.push(Size {
            letter: if profile.is_some() {
                b'c'
            } else {
                size_name(image)
            },
            image,
            progress: progress(&bytes),
            content,
        });
        let moving = profile.unwrap_or_default();
        let clip = moving
            .video
            .map(|video| self.portrait(video, moving.start))
            .transpose()?;
        self.store(Stored {
            document: None,
            sizes,
            clips: clip.into_iter().collect(),
            markup: moving.markup,
            stripped: Some(image.stripped(seed)),
            dc_id,
            date: self.now,
            mime_type: String::new(),
            attributes: Vec::new(),
            given: Given::default(),
        })
    }

    /// Makes a document of what was uploaded. Videos and pictures without a thumbnail are given one.
    pub(crate) fn store_document(
        &mut self,
        content: Arc<Content>,
        thumb: Option<Arc<Content>>,
        dc_id: i32,
        mime_type: String,
        attributes: Vec<enums::DocumentAttribute>,
    ) -> Result<i64, RpcError> {
        if attributes.to_bytes().len() + mime_type.len() > ATTRIBUTES {
            return Err(RpcError::bad("MEDIA_INVALID"));
        }
        let first = content.read(0, HEADER).map_err(storage)?;
        let shown = match thumb {
            Some(content) => {
                let bytes = content.read(0, HEADER).map_err(storage)?;
                image::measure(&bytes).map(|image| Size {
                    letter: b'm',
                    image,
                    content,
                    progress: Vec::new(),
                })
            }
            None => match picture_in(&attributes) {
                Some(image) => Some(self.picture(b'm', image.within(320), seed(&first))?),
                None => None,
            },
        };
        let stripped = shown.as_ref().map(|size| size.image.stripped(seed(&first)));
        let preview = match picture_in(&attributes) {
            Some(image) if Kind::of(&attributes).is_shown_as_video() => {
                let image = image.within(320);
                Some(Clip {
                    letter: clip::PREVIEW,
                    image,
                    content: self.content_of(clip::preview(image, seed(&first)))?,
                    start: None,
                })
            }
            _ => None,
        };
        self.store(Stored {
            document: Some(content),
            sizes: shown.into_iter().collect(),
            clips: preview.into_iter().collect(),
            markup: None,
            stripped,
            dc_id,
            date: self.now,
            mime_type,
            attributes,
            given: Given::default(),
        })
    }

    /// A photo as TL.
    pub(crate) fn tl_photo(&self, id: i64) -> enums::Photo {
        let Some(file) = self.files.get(id).filter(|file| file.is_photo()) else {
            return types::PhotoEmpty { id }.into();
        };
        types::Photo {
            has_stickers: false,
            id,
            access_hash: self.file_hash(id),
            file_reference: self.file_reference(id, file),
            date: file.date,
            sizes: file.tl_sizes(),
            video_sizes: file.tl_clips(),
            dc_id: file.dc_id,
        }
        .into()
    }

    /// A document as TL.
    pub(crate) fn tl_document(&self, id: i64) -> enums::Document {
        let found = self.files.get(id);
        let Some((file, content)) = found.and_then(|file| Some((file, file.document.as_ref()?)))
        else {
            return types::DocumentEmpty { id }.into();
        };
        types::Document {
            thumbs: Some(file.tl_sizes()).filter(|sizes| !sizes.is_empty()),
            video_thumbs: file.tl_clips(),
            ..blank::document(
                id,
                self.file_hash(id),
                self.file_reference(id, file),
                file.date,
                file.mime_type.clone(),
                i64::try_from(content.len()).unwrap_or(i64::MAX),
                file.dc_id,
                file.attributes.clone(),
            )
        }
        .into()
    }
}

impl Stored {
    fn tl_sizes(&self) -> Vec<enums::PhotoSize> {
        let stripped = self.stripped.iter().map(|bytes| {
            types::PhotoStrippedSize {
                r#type: "i".to_owned(),
                bytes: bytes.clone(),
            }
            .into()
        });
        stripped.chain(self.sizes.iter().map(Size::to_tl)).collect()
    }

    fn tl_clips(&self) -> Option<Vec<enums::VideoSize>> {
        let clips = self.clips.iter().map(Clip::to_tl);
        let all: Vec<_> = clips.chain(self.markup.clone()).collect();
        Some(all).filter(|all| !all.is_empty())
    }
}

impl Size {
    fn to_tl(&self) -> enums::PhotoSize {
        let r#type = char::from(self.letter).to_string();
        let Image {
            width: w,
            height: h,
        } = self.image;
        if self.progress.is_empty() {
            let size = i32::try_from(self.content.len()).unwrap_or(i32::MAX);
            types::PhotoSize { r#type, w, h, size }.into()
        } else {
            let sizes = self.progress.clone();
            types::PhotoSizeProgressive {
                r#type,
                w,
                h,
                sizes,
            }
            .into()
        }
    }
}

/// The size of what a document shows, if it says so.
fn picture_in(attributes: &[enums::DocumentAttribute]) -> Option<Image> {
    let sizes = attributes.iter().find_map(|attribute| match attribute {
        enums::DocumentAttribute::Video(video) => Some((video.w, video.h)),
        enums::DocumentAttribute::ImageSize(size) => Some((size.w, size.h)),
        _ => None,
    });
    let (width, height) = sizes?;
    (width > 0 && height > 0).then_some(Image { width, height })
}

/// The letter that Telegram gives a photo of this size.
fn size_name(size: Image) -> u8 {
    match size.longest() {
        ..=320 => b'm',
        321..=800 => b'x',
        801..=1280 => b'y',
        _ => b'w',
    }
}

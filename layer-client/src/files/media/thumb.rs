//! [`Thumb`]: one size of a photo, or a thumbnail of a file (page `api/files`, "image thumbnail
//! types").

use std::time::Duration;

use layer_tl_types as tl;

use super::stripped;
use crate::files::{Downloadable, FileLocation};

/// One size of a photo, or a thumbnail of a file; or a short video beside one (page `api/files`, "Video
/// types").
///
/// Those of a few bytes came with the photo and are [`inline`](Self::inline); the others are
/// [downloaded](crate::Client::download).
#[derive(Clone, Debug)]
pub struct Thumb<'a> {
    name: &'a str,
    size: Option<(i32, i32)>,
    form: Form<'a>,
    location: Option<FileLocation>,
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    Picture,
    Cached(&'a [u8]),
    Stripped(&'a [u8]),
    Outline(&'a [u8]),
    /// With the second of its still picture.
    Video(Option<f64>),
}

impl<'a> Thumb<'a> {
    pub(crate) fn new(
        size: &'a tl::enums::PhotoSize,
        at: &dyn Fn(&str) -> FileLocation,
    ) -> Option<Self> {
        use tl::enums::PhotoSize as S;
        let there = |name: &str, bytes: Option<i32>| {
            let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
            Some(at(name).sized(bytes))
        };
        let thumb = match size {
            S::Empty(_) => return None,
            S::Size(size) => Self {
                name: &size.r#type,
                size: Some((size.w, size.h)),
                form: Form::Picture,
                location: there(&size.r#type, Some(size.size)),
            },
            S::Progressive(size) => Self {
                name: &size.r#type,
                size: Some((size.w, size.h)),
                form: Form::Picture,
                // The last of them is the whole.
                location: there(&size.r#type, size.sizes.iter().copied().max()),
            },
            S::PhotoCachedSize(size) => Self {
                name: &size.r#type,
                size: Some((size.w, size.h)),
                form: Form::Cached(&size.bytes),
                location: there(&size.r#type, i32::try_from(size.bytes.len()).ok()),
            },
            S::PhotoStrippedSize(size) => Self {
                name: &size.r#type,
                size: match size.bytes.get(1..3) {
                    Some([height, width]) => Some((i32::from(*width), i32::from(*height))),
                    _ => None,
                },
                form: Form::Stripped(&size.bytes),
                location: None,
            },
            S::PhotoPathSize(size) => Self {
                name: &size.r#type,
                size: Some((512, 512)),
                form: Form::Outline(&size.bytes),
                location: None,
            },
        };
        Some(thumb)
    }

    pub(crate) fn video(
        size: &'a tl::enums::VideoSize,
        at: &dyn Fn(&str) -> FileLocation,
    ) -> Option<Self> {
        // The others are made of stickers, and no files.
        let tl::enums::VideoSize::Size(size) = size else {
            return None;
        };
        Some(Self {
            name: &size.r#type,
            size: Some((size.w, size.h)),
            form: Form::Video(size.video_start_ts),
            location: Some(at(&size.r#type).sized(u64::try_from(size.size).ok())),
        })
    }

    /// The letter that tells how it was made: `s`, `m`, `x`, `y`, `w` ever larger, `a` to `d` cropped
    /// to a square, `i` stripped, `j` an outline; `u`, `v` and `f` videos.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its width in pixels.
    #[must_use]
    pub fn width(&self) -> Option<i32> {
        self.size.map(|(width, _)| width)
    }

    /// Its height in pixels.
    #[must_use]
    pub fn height(&self) -> Option<i32> {
        self.size.map(|(_, height)| height)
    }

    pub(crate) fn area(&self) -> i64 {
        let (width, height) = self.size.unwrap_or_default();
        i64::from(width).saturating_mul(i64::from(height))
    }

    /// Its size in bytes, of those that are downloaded.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.location.as_ref()?.size()
    }

    /// Whether it is a short video.
    #[must_use]
    pub fn is_video(&self) -> bool {
        matches!(self.form, Form::Video(_))
    }

    /// The moment of a profile photo's video that its still pictures show, if it was said.
    #[must_use]
    pub fn starts_at(&self) -> Option<Duration> {
        match self.form {
            Form::Video(start) => Duration::try_from_secs_f64(start?).ok(),
            _ => None,
        }
    }

    /// The picture, of those that came with the photo: a stripped thumbnail made into a whole JPEG, a
    /// small picture as it is, a sticker's outline as an SVG image.
    #[must_use]
    pub fn inline(&self) -> Option<Vec<u8>> {
        match self.form {
            Form::Cached(bytes) => Some(bytes.to_vec()),
            Form::Stripped(bytes) => stripped::stripped_to_jpeg(bytes),
            Form::Outline(bytes) => Some(stripped::outline_to_svg(bytes).into_bytes()),
            Form::Picture | Form::Video(_) => None,
        }
    }

    /// A sticker's outline as an SVG path, in a square of 512.
    #[must_use]
    pub fn outline(&self) -> Option<String> {
        match self.form {
            Form::Outline(bytes) => Some(stripped::outline_to_path(bytes)),
            _ => None,
        }
    }
}

impl Downloadable for Thumb<'_> {
    fn file_location(&self) -> Option<FileLocation> {
        self.location.clone()
    }
}

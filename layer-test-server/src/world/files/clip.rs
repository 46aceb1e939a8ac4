//! Short videos beside a file: what animates a profile photo, and the previews of videos (documentation page `api/files`,
//! "Video types"). Of a video nothing is looked at but its shape, and nothing is cut or scaled: a preview is an MP4 of its
//! size without a frame in it, whose bytes follow from those that it stands for.

use std::sync::Arc;

use layer_tl_types::{enums, types};

use super::content::Content;
use crate::world::image::Image;

/// How a profile photo's video is called.
pub(super) const PORTRAIT: u8 = b'u';
/// How a video's preview is called.
pub(super) const PREVIEW: u8 = b'v';
/// The longest side of a profile photo's video.
pub(super) const LONGEST: i32 = 1080;
/// Boxes that are looked at on one level, of which real files have a dozen.
const BOXES: usize = 1000;

/// A video of a photo or document.
#[derive(Debug)]
pub(super) struct Clip {
    pub(super) letter: u8,
    pub(super) image: Image,
    pub(super) content: Arc<Content>,
    /// The second whose frame the still picture is.
    pub(super) start: Option<f64>,
}

impl Clip {
    pub(super) fn to_tl(&self) -> enums::VideoSize {
        types::VideoSize {
            r#type: char::from(self.letter).to_string(),
            w: self.image.width,
            h: self.image.height,
            size: i32::try_from(self.content.len()).unwrap_or(i32::MAX),
            video_start_ts: self.start,
        }
        .into()
    }
}

/// What moves in a profile photo, as the client names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moving {
    pub(crate) video: Option<Arc<Content>>,
    pub(crate) start: Option<f64>,
    /// A sticker on a background, in place of a video.
    pub(crate) markup: Option<enums::VideoSize>,
}

/// Whether it is a sticker on a background that there may be.
pub(super) fn is_markup(markup: &enums::VideoSize) -> bool {
    let colours = match markup {
        enums::VideoSize::EmojiMarkup(markup) => &markup.background_colors,
        enums::VideoSize::StickerMarkup(markup) => &markup.background_colors,
        enums::VideoSize::Size(_) => return false,
    };
    (1..=4).contains(&colours.len()) && colours.iter().all(|rgb| (0..=0xff_ffff).contains(rgb))
}

/// The boxes of ISO's media file format: their kinds, and what is in them.
fn boxes(mut data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let next = move || {
        let size = u32::from_be_bytes(*data.first_chunk()?);
        let kind = *data.get(4..)?.first_chunk()?;
        let (head, size) = match size {
            0 => (8, data.len()),
            1 => {
                let size = u64::from_be_bytes(*data.get(8..)?.first_chunk()?);
                (16, usize::try_from(size).ok()?)
            }
            size => (8, usize::try_from(size).ok()?),
        };
        let content = data.get(head..size)?;
        data = data.get(size..)?;
        Some((kind, content))
    };
    std::iter::from_fn(next).take(BOXES)
}

/// The shape of an MP4: that of its first track with a picture.
pub(super) fn measure(data: &[u8]) -> Option<Image> {
    let (first, _) = boxes(data).next()?;
    if first != *b"ftyp" {
        return None;
    }
    let (_, movie) = boxes(data).find(|(kind, _)| kind == b"moov")?;
    let tracks = boxes(movie).filter(|(kind, _)| kind == b"trak");
    let heads = tracks.filter_map(|(_, track)| boxes(track).find(|(kind, _)| kind == b"tkhd"));
    heads
        .filter_map(|(_, head)| {
            let at = if *head.first()? == 1 { 88 } else { 76 };
            // Sixteen bits of pixels, and as many of their fractions.
            let side = |at: usize| {
                let side = u16::from_be_bytes(*head.get(at..)?.first_chunk()?);
                Some(i32::from(side))
            };
            let (width, height) = (side(at)?, side(at + 4)?);
            Some(Image { width, height })
        })
        .find(|image| image.width > 0 && image.height > 0)
}

fn write_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&size.to_be_bytes(), &kind[..], content].concat()
}

/// A preview of this shape.
pub(super) fn preview(image: Image, seed: u64) -> Vec<u8> {
    let mut head = vec![0; 84];
    for (at, side) in [(76, image.width), (80, image.height)] {
        let side = u16::try_from(side).unwrap_or(u16::MAX);
        head[at..at + 2].copy_from_slice(&side.to_be_bytes());
    }
    let track = write_box(b"trak", &write_box(b"tkhd", &head));
    [
        write_box(b"ftyp", b"isom\0\0\0\0isommp42"),
        write_box(b"moov", &track),
        write_box(b"mdat", &seed.to_be_bytes()),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_video_is_read_and_nothing_else_is_one() {
        let image = Image {
            width: 320,
            height: 180,
        };
        let video = preview(image, 7);
        assert_eq!(measure(&video), Some(image));
        // The movie may lie behind the frames, in a box with a long size.
        let moved = [
            write_box(b"ftyp", b"isom"),
            [
                &1_u32.to_be_bytes()[..],
                b"mdat",
                &24_u64.to_be_bytes(),
                &[9; 8],
            ]
            .concat(),
            video[24..].to_vec(),
        ]
        .concat();
        assert_eq!(measure(&moved), Some(image));
        for cut in 0..video.len() - 16 {
            assert_eq!(measure(&video[..cut]), None, "{cut}");
        }
        assert_eq!(measure(b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(measure(&[0; 64]), None);
    }

    #[test]
    fn a_sticker_on_a_background_has_one_to_four_colours() {
        let markup = |colours: &[i32]| {
            is_markup(
                &types::VideoSizeEmojiMarkup {
                    emoji_id: 1,
                    background_colors: colours.to_vec(),
                }
                .into(),
            )
        };
        assert!(markup(&[0]) && markup(&[1, 2, 3, 0xff_ffff]));
        assert!(!markup(&[]) && !markup(&[1; 5]) && !markup(&[-1]) && !markup(&[0x100_0000]));
    }
}

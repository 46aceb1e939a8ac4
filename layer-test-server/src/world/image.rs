//! Width and height of an image, read from its header.

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// Reads the header of a PNG, JPEG, GIF or WebP.
pub(crate) fn measure(data: &[u8]) -> Option<Image> {
    let image = png(data)
        .or_else(|| gif(data))
        .or_else(|| webp(data))
        .or_else(|| jpeg(data))?;
    (image.width > 0 && image.height > 0).then_some(image)
}

fn big16(data: &[u8], at: usize) -> Option<i32> {
    let bytes: [u8; 2] = data.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(i32::from(u16::from_be_bytes(bytes)))
}

fn little16(data: &[u8], at: usize) -> Option<i32> {
    let bytes: [u8; 2] = data.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(i32::from(u16::from_le_bytes(bytes)))
}

fn png(data: &[u8]) -> Option<Image> {
    data.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let side = |at: usize| -> Option<i32> {
        let bytes: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
        i32::try_from(u32::from_be_bytes(bytes)).ok()
    };
    Some(Image {
        width: side(16)?,
        height: side(20)?,
    })
}

fn gif(data: &[u8]) -> Option<Image> {
    data.strip_prefix(b"GIF8")?;
    Some(Image {
        width: little16(data, 6)?,
        height: little16(data, 8)?,
    })
}

fn webp(data: &[u8]) -> Option<Image> {
    data.strip_prefix(b"RIFF")?;
    match data.get(8..16)? {
        b"WEBPVP8 " => Some(Image {
            width: little16(data, 26)? & 0x3fff,
            height: little16(data, 28)? & 0x3fff,
        }),
        b"WEBPVP8X" => {
            let side =
                |at: usize| Some(little16(data, at)? | (i32::from(*data.get(at + 2)?) << 16));
            Some(Image {
                width: side(24)?.saturating_add(1),
                height: side(27)?.saturating_add(1),
            })
        }
        b"WEBPVP8L" => {
            let bits: [u8; 4] = data.get(21..25)?.try_into().ok()?;
            let bits = u32::from_le_bytes(bits);
            let side = |bits: u32| i32::try_from(bits & 0x3fff).ok().map(|side| side + 1);
            Some(Image {
                width: side(bits)?,
                height: side(bits >> 14)?,
            })
        }
        _ => None,
    }
}

fn jpeg(data: &[u8]) -> Option<Image> {
    data.strip_prefix(b"\xff\xd8")?;
    let mut at = 2;
    // Segments: a marker, then a length that includes itself.
    while *data.get(at)? == 0xff {
        let marker = *data.get(at + 1)?;
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            return Some(Image {
                height: big16(data, at + 5)?,
                width: big16(data, at + 7)?,
            });
        }
        let length = usize::try_from(big16(data, at + 2)?).ok()?;
        at = at.checked_add(2)?.checked_add(length.max(2))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_and_jpeg_headers_are_read() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(640_u32.to_be_bytes());
        png.extend(480_u32.to_be_bytes());
        assert_eq!(
            measure(&png),
            Some(Image {
                width: 640,
                height: 480
            })
        );
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x01\xe0\x02\x80".to_vec();
        assert_eq!(
            measure(&jpeg),
            Some(Image {
                width: 640,
                height: 480
            })
        );
    }

    #[test]
    fn cut_headers_are_nothing() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0; 8]);
        for end in 0..png.len() {
            assert_eq!(measure(&png[..end]), None);
        }
        assert_eq!(measure(b"\xff\xd8\xff\xe0\xff\xff"), None);
        assert_eq!(measure(b"plain text"), None);
    }
}

//! Thumbnails that come inside of a message: a photo's few bytes made into a JPEG again
//! (`photoStrippedSize`), and a sticker's outline made into an SVG path (`photoPathSize`). Both are of
//! the page `api/files`.
//!
//! A stripped thumbnail is what a JPEG encoder of ordinary make writes at quality 20, without all
//! that it writes each time. So the header is put together here from the tables of the JPEG
//! standard (ITU-T T.81, annex K).

/// Luminance quantisation, table K.1, in zigzag order.
const LUMINANCE: [u8; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
    29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81,
    87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];
/// The beginning of chrominance quantisation, table K.2, in zigzag order; all that follow are 99.
const CHROMINANCE: [u8; 14] = [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66];
/// How many codes there are of each length, and what they stand for: tables K.3 to K.6.
const DC_LUMINANCE: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_CHROMINANCE: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const AC_LUMINANCE: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d];
const AC_CHROMINANCE: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77];
const AC_LUMINANCE_VALUES: &[u8; 162] = b"\
    \x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\
    \x23\x42\xb1\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\
    \x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\
    \x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89\
    \x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\
    \xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\
    \xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa";
const AC_CHROMINANCE_VALUES: &[u8; 162] = b"\
    \x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\
    \xa1\xb1\xc1\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\
    \x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\
    \x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87\
    \x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\
    \xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\
    \xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa";

/// Makes the bytes of a `photoStrippedSize` into a JPEG; `None` for those of another version than
/// the one that is known.
#[must_use]
pub fn stripped_to_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let [1, height, width, scan @ ..] = bytes else {
        return None;
    };
    let mut jpeg = Vec::with_capacity(640 + scan.len());
    // Start of image, and JFIF 1.1 without a resolution.
    jpeg.extend(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let chrominance = CHROMINANCE.iter().copied().chain([99].into_iter().cycle());
    quantisation(&mut jpeg, 0, LUMINANCE.into_iter());
    quantisation(&mut jpeg, 1, chrominance.take(64));
    // A frame of three components, the first sampled twice as finely as the others.
    jpeg.extend([0xff, 0xc0, 0, 17, 8, 0, *height, 0, *width, 3]);
    jpeg.extend([1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    let dc: [u8; 12] = std::array::from_fn(|value| u8::try_from(value).unwrap_or(0));
    huffman(&mut jpeg, 0x00, &DC_LUMINANCE, &dc);
    huffman(&mut jpeg, 0x10, &AC_LUMINANCE, AC_LUMINANCE_VALUES);
    huffman(&mut jpeg, 0x01, &DC_CHROMINANCE, &dc);
    huffman(&mut jpeg, 0x11, &AC_CHROMINANCE, AC_CHROMINANCE_VALUES);
    // The scan, of all components and coefficients; then the end.
    jpeg.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
    jpeg.extend(scan);
    jpeg.extend(b"\xff\xd9");
    Some(jpeg)
}

/// A quantisation table at quality 20: two and a half times the standard's, and a byte at most.
fn quantisation(jpeg: &mut Vec<u8>, id: u8, table: impl Iterator<Item = u8>) {
    jpeg.extend([0xff, 0xdb, 0, 67, id]);
    let scaled = |value| u8::try_from((u16::from(value) * 250 + 50) / 100).unwrap_or(u8::MAX);
    jpeg.extend(table.map(scaled));
}

fn huffman(jpeg: &mut Vec<u8>, id: u8, lengths: &[u8; 16], values: &[u8]) {
    let length = u16::try_from(19 + values.len()).unwrap_or(u16::MAX);
    jpeg.extend([0xff, 0xc4]);
    jpeg.extend(length.to_be_bytes());
    jpeg.push(id);
    jpeg.extend(lengths);
    jpeg.extend(values);
}

/// What bytes from 192 on stand for in an outline.
const OUTLINE: &[u8; 64] = b"AACAAAAHAAALMAAAQASTAVAAAZaacaaaahaaalmaaaqastava.az0123456789-,";

/// Makes the bytes of a `photoPathSize` into an SVG path (the attribute `d`), in a square of 512.
#[must_use]
pub fn outline_to_path(bytes: &[u8]) -> String {
    let mut path = String::with_capacity(bytes.len() * 2 + 2);
    path.push('M');
    for &byte in bytes {
        if byte >= 192 {
            let letter = OUTLINE.get(usize::from(byte - 192));
            path.push(letter.map_or(',', |letter| char::from(*letter)));
            continue;
        }
        match byte {
            128.. => path.push(','),
            64.. => path.push('-'),
            _ => {}
        }
        path.push_str(&(byte & 63).to_string());
    }
    path.push('z');
    path
}

/// The same as a whole SVG image.
#[must_use]
pub fn outline_to_svg(bytes: &[u8]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <svg version=\"1.1\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 512\">\
         <path d=\"{}\"/></svg>\n",
        outline_to_path(bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length and the checksum of the header that Telegram's own program has (tdesktop,
    /// `ui/image/image.cpp`, the page's link), with its two places for the size left at 0.
    #[test]
    fn the_header_is_that_of_telegrams_own_program() {
        let jpeg = stripped_to_jpeg(&[1, 0, 0, 0xaa, 0xbb]).unwrap();
        let (header, rest) = jpeg.split_at(623);
        assert_eq!(rest, [0xaa, 0xbb, 0xff, 0xd9]);
        assert_eq!(crc32fast::hash(header), 0xdc1e_4c9f);
    }

    #[test]
    fn the_size_stands_where_the_page_says() {
        let jpeg = stripped_to_jpeg(&[1, 30, 40]).unwrap();
        assert_eq!((jpeg[164], jpeg[166]), (30, 40));
    }

    #[test]
    fn another_version_is_not_made_up() {
        for bytes in [&b""[..], &[1], &[1, 2], &[2, 30, 40, 5], &[0, 0, 0]] {
            assert_eq!(stripped_to_jpeg(bytes), None);
        }
    }

    #[test]
    fn an_outline_becomes_a_path() {
        // 12, then a comma and 5, a minus and 63, and letters of the table.
        let bytes = [12, 128 + 5, 64 + 63, 192, 192 + 2, 192 + 63];
        assert_eq!(outline_to_path(&bytes), "M12,5-63AC,z");
        assert_eq!(outline_to_path(&[]), "Mz");
        let all: Vec<u8> = (0..=255).collect();
        assert!(outline_to_path(&all).is_ascii());
        let svg = outline_to_svg(&bytes);
        assert!(svg.contains("<path d=\"M12,5-63AC,z\"/>") && svg.contains("0 0 512 512"));
    }
}

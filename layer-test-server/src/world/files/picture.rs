//! Pictures that the data centre makes of others: JPEGs of a given size, and the stripped form of very small ones.
//!
//! Nothing is scaled: a picture is a mosaic whose colours follow from the bytes that it stands for, so that each is a real
//! JPEG of its size, and those of two photos differ. It is baseline JPEG with half the colours and the Huffman codes of
//! Annex K of the standard, of which blocks without detail need few.

use layer_crypto::sha;

use crate::world::ids;

/// Bits as they go into the data between markers.
#[derive(Default)]
struct Scan {
    bytes: Vec<u8>,
    bits: u32,
    count: u32,
}

impl Scan {
    fn push(&mut self, code: u32, length: u32) {
        for shift in (0..length).rev() {
            self.bits = (self.bits << 1) | ((code >> shift) & 1);
            self.count += 1;
            if self.count == 8 {
                let byte = u8::try_from(self.bits & 0xff).unwrap_or(0);
                self.bytes.push(byte);
                if byte == 0xff {
                    self.bytes.push(0);
                }
                (self.bits, self.count) = (0, 0);
            }
        }
    }

    /// A block of one colour: how it differs from the one before, and that there is nothing more.
    fn block(&mut self, table: &Table, difference: i32) {
        let size = 32 - difference.unsigned_abs().leading_zeros();
        let (code, length) = table.sizes[usize::try_from(size).unwrap_or(0).min(8)];
        self.push(code, length);
        let value = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        self.push(value.cast_unsigned() & ((1 << size) - 1), size);
        self.push(table.end.0, table.end.1);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let missing = 8 - self.count;
            self.push((1 << missing) - 1, missing);
        }
        self.bytes
    }
}

/// The codes of differences by their sizes in bits, and the one that ends a block; each with its length.
struct Table {
    sizes: [(u32, u32); 9],
    end: (u32, u32),
}

const LUMINANCE: Table = Table {
    sizes: [
        (0b00, 2),
        (0b010, 3),
        (0b011, 3),
        (0b100, 3),
        (0b101, 3),
        (0b110, 3),
        (0b1110, 4),
        (0b1_1110, 5),
        (0b11_1110, 6),
    ],
    end: (0b1010, 4),
};

const COLOUR: Table = Table {
    sizes: [
        (0b00, 2),
        (0b01, 2),
        (0b10, 2),
        (0b110, 3),
        (0b1110, 4),
        (0b1_1110, 5),
        (0b11_1110, 6),
        (0b111_1110, 7),
        (0b1111_1110, 8),
    ],
    end: (0b00, 2),
};

/// The Huffman tables that the codes above are of: class and number, how many codes of each length there are, values.
const HUFFMAN: [(u8, [u8; 16], &[u8]); 4] = [
    (
        0x00,
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
    // Of the codes for detail only those up to the end of a block.
    (
        0x10,
        [0, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 2, 3, 0],
    ),
    (
        0x01,
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
    (0x11, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0]),
];

/// The step in which colours are told: a difference of one is two of 256 shades.
const STEP: u8 = 16;

/// What the pictures of a file are made from.
pub(super) fn seed(bytes: &[u8]) -> u64 {
    let hash = sha::sha256(&[bytes]);
    u64::from_le_bytes(*hash.first_chunk().unwrap_or(&[0; 8]))
}

fn scan(width: u16, height: u16, seed: u64) -> Vec<u8> {
    let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
    let mut scan = Scan::default();
    let mut last = [0; 3];
    let shade = |column: i64, row: i64, colour: i64, most: i64| {
        let drawn = ids::keyed(seed, &[column, row, colour]);
        i32::try_from(drawn.rem_euclid(most * 2 + 1) - most).unwrap_or(0)
    };
    for row in 0..i64::from(rows) {
        for column in 0..i64::from(columns) {
            // Four blocks of light, then one of each colour.
            for (colour, blocks, most) in [(0, 4, 40), (1, 1, 12), (2, 1, 12)] {
                let table = if colour == 0 { &LUMINANCE } else { &COLOUR };
                for block in 0..blocks {
                    let at = i64::try_from(colour).unwrap_or(0) * 4 + block;
                    let now = shade(column, row, at, most);
                    scan.block(table, now - last[colour]);
                    last[colour] = now;
                }
            }
        }
    }
    scan.finish()
}

fn segment(into: &mut Vec<u8>, marker: u8, body: &[u8]) {
    into.extend([0xff, marker]);
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    into.extend(length.to_be_bytes());
    into.extend_from_slice(body);
}

/// A JPEG of this size.
pub(super) fn jpeg(width: u16, height: u16, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    segment(
        &mut bytes,
        0xe0,
        b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00",
    );
    segment(&mut bytes, 0xdb, &[&[0][..], &[STEP; 64]].concat());
    let mut frame = vec![8];
    frame.extend(height.to_be_bytes());
    frame.extend(width.to_be_bytes());
    frame.extend([3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    segment(&mut bytes, 0xc0, &frame);
    for (number, lengths, values) in HUFFMAN {
        segment(
            &mut bytes,
            0xc4,
            &[&[number][..], &lengths, values].concat(),
        );
    }
    segment(&mut bytes, 0xda, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    bytes.extend(scan(width, height, seed));
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// The bytes of a `photoStrippedSize`: a kind, height, width, and what lies between a JPEG's header and its end. All clients
/// have the same header for it, with Annex K's tables.
pub(super) fn stripped(width: u8, height: u8, seed: u64) -> Vec<u8> {
    let mut bytes = vec![1, height, width];
    bytes.extend(scan(width.into(), height.into(), seed));
    bytes
}

/// Where the scans of a progressive JPEG end: so much of it shows the picture better and better. Nothing for others.
pub(super) fn progress(bytes: &[u8]) -> Vec<i32> {
    let mut ends = Vec::new();
    let (mut at, mut progressive, mut in_scan) = (2, false, false);
    while let Some([0xff, marker]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<2>) {
        if in_scan {
            ends.push(i32::try_from(at).unwrap_or(i32::MAX));
            in_scan = false;
        }
        match marker {
            0xd9 => break,
            0xc2 => progressive = true,
            0xda => in_scan = true,
            _ => {}
        }
        let length = bytes.get(at + 2..).and_then(<[u8]>::first_chunk);
        let Some(length) = length.map(|length| u16::from_be_bytes(*length)) else {
            break;
        };
        at += 2 + usize::from(length.max(2));
        if in_scan {
            // Data goes on to the next marker that is neither an escaped byte nor a restart.
            while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
                let marker = rest.windows(2).position(|pair| {
                    pair[0] == 0xff && pair[1] != 0 && !(0xd0..=0xd7).contains(&pair[1])
                });
                at += marker.unwrap_or(rest.len());
                if marker.is_some() {
                    break;
                }
            }
        }
    }
    if progressive && bytes.starts_with(b"\xff\xd8") && ends.len() > 1 {
        // The last one ends with the file.
        if let Some(last) = ends.last_mut() {
            *last = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        }
        ends
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::image::measure;

    #[test]
    fn a_made_picture_says_its_size_and_differs_by_what_it_is_made_of() {
        for (width, height) in [(1, 1), (320, 240), (17, 800), (1280, 960)] {
            let picture = jpeg(width, height, 7);
            let size = measure(&picture).unwrap();
            assert_eq!((size.width, size.height), (width.into(), height.into()));
            assert!(picture.ends_with(&[0xff, 0xd9]));
            assert!(picture == jpeg(width, height, 7) && picture != jpeg(width, height, 8));
        }
        let small = stripped(40, 30, 7);
        assert_eq!(small[..3], [1, 30, 40]);
        // The same picture as the whole one of that size, without what all have.
        let whole = jpeg(40, 30, 7);
        assert!(whole[..whole.len() - 2].ends_with(&small[3..]));
    }

    #[test]
    fn the_scans_of_a_progressive_jpeg_are_found() {
        let mut bytes = vec![0xff, 0xd8];
        segment(&mut bytes, 0xc2, &[8, 0, 16, 0, 16, 1, 1, 0x11, 0]);
        let mut expected = Vec::new();
        for scan in 0..3 {
            segment(&mut bytes, 0xda, &[1, 1, 0, 0, 63, 0]);
            bytes.extend([1, 2, 0xff, 0x00, 3, 0xff, 0xd3, scan]);
            expected.push(i32::try_from(bytes.len()).unwrap());
        }
        bytes.extend([0xff, 0xd9]);
        expected[2] += 2;
        assert_eq!(progress(&bytes), expected);
        bytes[3] = 0xc0;
        assert!(
            progress(&bytes).is_empty(),
            "a baseline JPEG has one picture"
        );
        for end in 0..bytes.len() {
            progress(&bytes[..end]);
        }
        assert!(progress(&jpeg(64, 64, 1)).is_empty());
    }
}

//! The maps that the data centre draws of places: PNGs of streets and blocks, of the size, zoom and scale that were asked
//! for (constructor `inputWebFileGeoPointLocation`).
//!
//! They show no real place. Where a street runs and which colour a block has follows from where on the Mercator projection
//! it lies, so that two maps of the same zoom agree where they show the same.

use std::f64::consts::PI;
use std::io::{self, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use layer_tl_types::{enums, types};

use crate::world::ids;

/// Sides before scaling, in pixels.
const SIDES: std::ops::RangeInclusive<i32> = 16..=1024;
const ZOOMS: std::ops::RangeInclusive<i32> = 13..=20;
const SCALES: std::ops::RangeInclusive<i32> = 1..=3;

/// The side of a tile, and of what lies between the middles of two streets, before scaling.
const TILE: u32 = 256;
const BLOCK: u32 = 64;
/// How wide streets are, and those between tiles.
const STREET: u32 = 4;
const ROAD: u32 = 8;
/// Latitudes beyond are on no map of this projection.
const LAST: f64 = 85.051_128_779_806_59;

/// A street, a road between tiles, and blocks: lawn, houses, water.
const COLOURS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [253, 226, 147],
    [242, 239, 233],
    [232, 228, 218],
    [223, 219, 208],
    [200, 228, 190],
    [181, 214, 168],
    [170, 211, 223],
];
const STREETS: u8 = 0;
const ROADS: u8 = 1;
const BLOCKS: u8 = 2;

/// What a map shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    lat: f64,
    long: f64,
    width: u32,
    height: u32,
    zoom: u32,
    scale: u32,
}

impl View {
    /// What was asked for; `None` if there are no such maps.
    pub(super) fn of(at: &types::InputWebFileGeoPointLocation) -> Option<Self> {
        let enums::InputGeoPoint::Point(point) = &at.geo_point else {
            return None;
        };
        let fits = SIDES.contains(&at.w)
            && SIDES.contains(&at.h)
            && ZOOMS.contains(&at.zoom)
            && SCALES.contains(&at.scale)
            && (-90.0..=90.0).contains(&point.lat)
            && (-180.0..=180.0).contains(&point.long);
        if !fits {
            return None;
        }
        let number = |of: i32| u32::try_from(of).ok();
        Some(Self {
            lat: point.lat,
            long: point.long,
            width: number(at.w)?,
            height: number(at.h)?,
            zoom: number(at.zoom)?,
            scale: number(at.scale)?,
        })
    }

    /// The map.
    pub(super) fn draw(&self) -> io::Result<Vec<u8>> {
        let (width, height) = (self.width * self.scale, self.height * self.scale);
        let world = f64::from(TILE << self.zoom) * f64::from(self.scale);
        let radians = self.lat.clamp(-LAST, LAST).to_radians();
        let across = (self.long + 180.0) / 360.0;
        let down = (1.0 - radians.tan().asinh() / PI) / 2.0;
        let begin = |middle: f64, side: u32| i64::from(whole(middle * world)) - i64::from(side / 2);
        let (left, top) = (begin(across, width), begin(down, height));
        let mut last = None;
        png(width, height, &COLOURS, |y, row| {
            let band = self.band(top + i64::from(y));
            // Most rows are as the one above them.
            if last.replace(band) != Some(band) {
                for (x, pixel) in (left..).zip(row) {
                    *pixel = self.colour(band, self.band(x));
                }
            }
        })
    }

    /// What lies at this distance from the edge of the world: a road, a street, or which block.
    fn band(&self, at: i64) -> Band {
        let side = |of: u32| i64::from(of * self.scale);
        if at.rem_euclid(side(TILE)) < side(ROAD) {
            Band::Road
        } else if at.rem_euclid(side(BLOCK)) < side(STREET) {
            Band::Street
        } else {
            Band::Block(at.div_euclid(side(BLOCK)))
        }
    }

    fn colour(&self, row: Band, column: Band) -> u8 {
        match (row, column) {
            (Band::Road, _) | (_, Band::Road) => ROADS,
            (Band::Street, _) | (_, Band::Street) => STREETS,
            (Band::Block(row), Band::Block(column)) => {
                let drawn = ids::keyed(0, &[i64::from(self.zoom), row, column]);
                let blocks = COLOURS.len() - usize::from(BLOCKS);
                let blocks = i64::try_from(blocks).unwrap_or(1);
                BLOCKS + u8::try_from(drawn.rem_euclid(blocks)).unwrap_or(0)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Band {
    Road,
    Street,
    Block(i64),
}

/// The whole number below; of what is below 0 or is none, 0, and of what is too large, the largest there is.
fn whole(number: f64) -> u32 {
    let (mut rest, mut whole) = (number, 0);
    for bit in (0..32).rev() {
        let value = f64::from(1_u32 << bit);
        if rest >= value {
            rest -= value;
            whole |= 1 << bit;
        }
    }
    whole
}

/// A PNG of this size with at most 16 colours. `row` is given each row's number and what was in the row above, one byte
/// for each pixel, and makes this row of it.
fn png(
    width: u32,
    height: u32,
    colours: &[[u8; 3]],
    mut row: impl FnMut(u32, &mut [u8]),
) -> io::Result<Vec<u8>> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // Four bits for each pixel, which say what colour of the palette it has.
    header.extend([4, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", &colours.concat());
    let mut pixels = vec![0; usize::try_from(width).map_err(io::Error::other)?];
    let mut packed = Vec::with_capacity(1 + pixels.len() / 2 + 1);
    let mut data = ZlibEncoder::new(Vec::new(), Compression::fast());
    for y in 0..height {
        row(y, &mut pixels);
        packed.clear();
        // It is as it is, and no difference to another.
        packed.push(0);
        packed.extend(pixels.chunks(2).map(|pair| match pair {
            [left, right] => left << 4 | right & 15,
            [left] => left << 4,
            _ => 0,
        }));
        data.write_all(&packed)?;
    }
    chunk(&mut png, *b"IDAT", &data.finish()?);
    chunk(&mut png, *b"IEND", &[]);
    Ok(png)
}

fn chunk(into: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    into.extend(length.to_be_bytes());
    let mut checksum = Crc::new();
    for part in [&kind[..], body] {
        into.extend_from_slice(part);
        checksum.update(part);
    }
    into.extend(checksum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    fn asked(w: i32, h: i32, zoom: i32, scale: i32) -> types::InputWebFileGeoPointLocation {
        types::InputWebFileGeoPointLocation {
            geo_point: types::InputGeoPoint {
                lat: 48.8530,
                long: 2.3498,
                accuracy_radius: None,
            }
            .into(),
            access_hash: 1,
            w,
            h,
            zoom,
            scale,
        }
    }

    /// The pixels of a PNG as it is written here, each chunk of which is checked.
    fn pixels(png: &[u8]) -> (usize, Vec<Vec<u8>>) {
        let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let (mut size, mut data, mut kinds) = ((0, 0), Vec::new(), Vec::new());
        while let Some((length, more)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
            let (body, more) = more.split_at(4 + length);
            let (checksum, more) = more.split_first_chunk::<4>().unwrap();
            let mut crc = Crc::new();
            crc.update(body);
            assert_eq!(crc.sum(), u32::from_be_bytes(*checksum));
            let (kind, body) = body.split_at(4);
            kinds.push(kind.to_vec());
            let side = |at: usize| u32::from_be_bytes(*body[at..].first_chunk().unwrap());
            match kind {
                b"IHDR" => {
                    size = (side(0), side(4));
                    assert_eq!(body[8..], [4, 3, 0, 0, 0]);
                }
                b"PLTE" => assert_eq!(body, COLOURS.concat()),
                b"IDAT" => data.extend_from_slice(body),
                _ => assert!(body.is_empty()),
            }
            rest = more;
        }
        assert_eq!(
            kinds,
            [b"IHDR", b"PLTE", b"IDAT", b"IEND"].map(|k| k.to_vec())
        );
        let (width, height) = (size.0 as usize, size.1 as usize);
        let mut unpacked = Vec::new();
        ZlibDecoder::new(&data[..])
            .read_to_end(&mut unpacked)
            .unwrap();
        let line = 1 + width.div_ceil(2);
        assert_eq!(unpacked.len(), line * height);
        let rows = unpacked.chunks(line).map(|row| {
            assert_eq!(row[0], 0);
            let pixels = row[1..].iter().flat_map(|pair| [pair >> 4, pair & 15]);
            let row: Vec<_> = pixels.take(width).collect();
            assert!(
                row.iter()
                    .all(|colour| usize::from(*colour) < COLOURS.len())
            );
            row
        });
        (width, rows.collect())
    }

    fn map(w: i32, h: i32, zoom: i32, scale: i32) -> (usize, Vec<Vec<u8>>) {
        pixels(&View::of(&asked(w, h, zoom, scale)).unwrap().draw().unwrap())
    }

    #[test]
    fn a_map_has_the_size_that_was_asked_for_and_is_drawn_around_the_place() {
        for (w, h, zoom, scale) in [(16, 1024, 13, 1), (301, 200, 15, 2), (64, 64, 20, 3)] {
            let (width, rows) = map(w, h, zoom, scale);
            let side = |of: i32| usize::try_from(of * scale).unwrap();
            assert_eq!((width, rows.len()), (side(w), side(h)));
        }
        // A smaller one is the middle of a larger one.
        let ((_, large), (_, small)) = (map(400, 300, 16, 2), map(100, 100, 16, 2));
        let middle = large[200..400].iter().map(|row| row[300..500].to_vec());
        assert!(middle.collect::<Vec<_>>() == small);
        assert!(map(100, 100, 17, 2).1 != small);
        // There is something of everything.
        let seen: std::collections::BTreeSet<_> =
            map(1024, 1024, 16, 1).1.concat().into_iter().collect();
        assert_eq!(seen.len(), COLOURS.len());
    }

    #[test]
    fn there_are_no_maps_beyond_the_documented_sizes_nor_of_places_that_are_none() {
        for (w, h, zoom, scale) in [
            (15, 100, 15, 1),
            (1025, 100, 15, 1),
            (100, 15, 15, 1),
            (100, 1025, 15, 1),
            (100, 100, 12, 1),
            (100, 100, 21, 1),
            (100, 100, 15, 0),
            (100, 100, 15, 4),
            (i32::MIN, i32::MAX, i32::MAX, i32::MIN),
        ] {
            assert_eq!(View::of(&asked(w, h, zoom, scale)), None);
        }
        let mut nowhere = asked(100, 100, 15, 1);
        nowhere.geo_point = enums::InputGeoPoint::Empty;
        assert_eq!(View::of(&nowhere), None);
        for (lat, long, there) in [
            (90.0, 180.0, true),
            (-90.0, -180.0, true),
            (90.1, 0.0, false),
            (0.0, -180.1, false),
            (f64::NAN, 0.0, false),
            (0.0, f64::INFINITY, false),
        ] {
            let mut at = asked(16, 16, 20, 3);
            at.geo_point = types::InputGeoPoint {
                lat,
                long,
                accuracy_radius: None,
            }
            .into();
            let view = View::of(&at);
            assert_eq!(view.is_some(), there, "{lat} {long}");
            if let Some(view) = view {
                assert_eq!(pixels(&view.draw().unwrap()).0, 48);
            }
        }
    }

    #[test]
    fn numbers_are_rounded_down_and_never_wrap() {
        for (number, below) in [
            (0.0, 0),
            (0.99, 0),
            (1.0, 1),
            (805_306_367.9, 805_306_367),
            (-1.0, 0),
            (f64::NAN, 0),
            (1e300, u32::MAX),
        ] {
            assert_eq!(whole(number), below, "{number}");
        }
    }
}

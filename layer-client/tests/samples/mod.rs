//! Small files of the kinds that people send, written byte by byte by the rules of their formats.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // each test uses a part, and may fail

/// A PNG's signature and header.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(height.to_be_bytes());
    png.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    png
}

pub fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    gif.extend([0, 0, 0, b';']);
    gif
}

pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    jpeg.extend(b"\xff\xc0\0\x11\x08");
    jpeg.extend(height.to_be_bytes());
    jpeg.extend(width.to_be_bytes());
    jpeg.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9");
    jpeg
}

pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut webp = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0".to_vec();
    webp.extend(&(width - 1).to_le_bytes()[..3]);
    webp.extend(&(height - 1).to_le_bytes()[..3]);
    webp
}

/// A box of ISO's media file format.
pub fn mp4_box(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], kind, &content].concat()
}

/// An MP4 of so many milliseconds with a picture track of this size, and a track with sound if
/// asked for. `turned` has the picture shown upright, as telephones write it.
pub fn mp4(width: u16, height: u16, millis: u32, turned: bool, sound: bool) -> Vec<u8> {
    let one = 0x0001_0000_u32;
    let matrix: Vec<u8> = if turned {
        [
            0,
            one,
            0,
            one.wrapping_neg(),
            0,
            0,
            u32::from(height) << 16,
            0,
            0x4000_0000,
        ]
    } else {
        [one, 0, 0, 0, one, 0, 0, 0, 0x4000_0000]
    }
    .iter()
    .flat_map(|number| number.to_be_bytes())
    .collect();
    let duration = millis.to_be_bytes();
    let timescale = 1000_u32.to_be_bytes();
    let straight: Vec<u8> = [one, 0, 0, 0, one, 0, 0, 0, 0x4000_0000]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    let mvhd = mp4_box(
        b"mvhd",
        &[
            &[0; 12],
            &timescale,
            &duration,
            &[0, 1, 0, 0, 1, 0],
            &[0; 10],
            &straight,
            &[0; 24],
            &[0, 0, 0, 3],
        ],
    );
    let ftyp = mp4_box(b"ftyp", &[b"isom\0\0\x02\0isomiso2mp41"]);
    let mdhd = mp4_box(b"mdhd", &[&[0; 12], &timescale, &duration, b"\x55\xc4\0\0"]);
    // One sample as long as the whole, which lies in the `mdat` after the `moov`.
    let stts = mp4_box(
        b"stts",
        &[
            &[0; 4],
            &1_u32.to_be_bytes(),
            &1_u32.to_be_bytes(),
            &duration,
        ],
    );
    let stsc = mp4_box(
        b"stsc",
        &[
            &[0; 4],
            &1_u32.to_be_bytes(),
            &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
        ],
    );
    let stsz = mp4_box(
        b"stsz",
        &[&[0; 4], &16_u32.to_be_bytes(), &1_u32.to_be_bytes()],
    );
    let stco = mp4_box(
        b"stco",
        &[&[0; 4], &1_u32.to_be_bytes(), &36_u32.to_be_bytes()],
    );
    let dref = mp4_box(
        b"dref",
        &[
            &[0; 4],
            &1_u32.to_be_bytes(),
            &mp4_box(b"url ", &[&[0, 0, 0, 1]]),
        ],
    );
    let dinf = mp4_box(b"dinf", &[&dref]);
    let track =
        |id: u8, handler: &[u8; 4], header: &[u8], sides: [u16; 2], entry: &[u8], matrix: &[u8]| {
            let [width, height] = sides.map(|side| (u32::from(side) << 16).to_be_bytes());
            let tkhd = mp4_box(
                b"tkhd",
                &[
                    &[0, 0, 0, 3],
                    &[0; 8],
                    &[0, 0, 0, id],
                    &[0; 4],
                    &duration,
                    &[0; 16],
                    matrix,
                    &width,
                    &height,
                ],
            );
            let hdlr = mp4_box(b"hdlr", &[&[0; 8], handler, &[0; 12], b"\0"]);
            let stsd = mp4_box(b"stsd", &[&[0; 4], &1_u32.to_be_bytes(), entry]);
            let stbl = mp4_box(b"stbl", &[&stsd, &stts, &stsc, &stsz, &stco]);
            let minf = mp4_box(b"minf", &[header, &dinf, &stbl]);
            mp4_box(b"trak", &[&tkhd, &mp4_box(b"mdia", &[&mdhd, &hdlr, &minf])])
        };
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let avcc = mp4_box(b"avcC", &[&[1, 0x42, 0, 0x1e, 0xff, 0xe0, 0]]);
    let avc1 = mp4_box(
        b"avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &sides,
            &[0, 0x48, 0, 0, 0, 0x48, 0, 0],
            &[0; 4],
            &[0, 1],
            &[0; 32],
            &[0, 0x18, 0xff, 0xff],
            &avcc,
        ],
    );
    let vmhd = mp4_box(b"vmhd", &[&[0, 0, 0, 1], &[0; 8]]);
    let mut tracks = track(1, b"vide", &vmhd, [width, height], &avc1, &matrix);
    if sound {
        let esds = mp4_box(b"esds", &[&[0; 4], b"\x03\x19\0\x02\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x02\x12\x10\x06\x01\x02"]);
        let mp4a = mp4_box(
            b"mp4a",
            &[
                &[0, 0, 0, 0, 0, 0, 0, 1],
                &[0; 8],
                &[0, 2, 0, 16, 0, 0, 0, 0],
                &(44_100_u32 << 16).to_be_bytes(),
                &esds,
            ],
        );
        let smhd = mp4_box(b"smhd", &[&[0; 8]]);
        tracks.extend(track(2, b"soun", &smhd, [0, 0], &mp4a, &straight));
    }
    let moov = mp4_box(b"moov", &[&mvhd, &tracks]);
    [ftyp, mp4_box(b"mdat", &[&[0; 16]]), moov].concat()
}

/// Sound as it is, of one channel and 8000 samples a second.
pub fn wav(seconds: u32) -> Vec<u8> {
    let data = vec![0x80; usize::try_from(seconds * 8000).unwrap()];
    let size = u32::try_from(data.len()).unwrap();
    let mut wav = b"RIFF".to_vec();
    wav.extend((size + 36).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(b"\x01\0\x08\0data");
    wav.extend(size.to_le_bytes());
    wav.extend(data);
    wav
}

/// An MP3 of 128 kbit/s with a title and a performer before it.
pub fn mp3(frames: usize, title: &str, performer: &str) -> Vec<u8> {
    let text = |id: &[u8; 4], text: &str| {
        let size = u32::try_from(text.len() + 1).unwrap().to_be_bytes();
        [&id[..], &size, &[0, 0, 3], text.as_bytes()].concat()
    };
    let tags = [text(b"TIT2", title), text(b"TPE1", performer)].concat();
    let size = tags.len();
    let digit = |shift: usize| u8::try_from(size >> shift & 127).unwrap();
    let mut mp3 = b"ID3\x04\0\0".to_vec();
    mp3.extend([digit(21), digit(14), digit(7), digit(0)]);
    mp3.extend(tags);
    for _ in 0..frames {
        mp3.extend(b"\xff\xfb\x90\x64");
        mp3.resize(mp3.len() + 413, 0);
    }
    mp3
}

fn comments(title: &str, performer: &str) -> Vec<u8> {
    let text = |text: String| {
        let size = u32::try_from(text.len()).unwrap().to_le_bytes();
        [&size[..], text.as_bytes()].concat()
    };
    [
        text("test".into()),
        2_u32.to_le_bytes().to_vec(),
        text(format!("TITLE={title}")),
        text(format!("ARTIST={performer}")),
    ]
    .concat()
}

/// A FLAC's headers: of 44100 samples a second, of two channels.
pub fn flac(samples: u32, title: &str, performer: &str) -> Vec<u8> {
    let mut info = vec![0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0];
    // 20 bits of the rate, 3 of the channels, 5 of the depth, 36 of the number of samples.
    let packed = (44_100_u64 << 44) | (1 << 41) | (15 << 36) | u64::from(samples);
    info.extend(packed.to_be_bytes());
    info.extend([0; 16]);
    let comments = comments(title, performer);
    let mut flac = b"fLaC\0\0\0\x22".to_vec();
    flac.extend(info);
    flac.push(0x84);
    flac.extend(&u32::try_from(comments.len()).unwrap().to_be_bytes()[1..]);
    flac.extend(comments);
    // A frame's header, by which readers know that there is sound.
    flac.extend([0xff, 0xf8, 0xc9, 0x18, 0x00, 0xc2]);
    flac.extend([0; 64]);
    flac
}

/// A voice message: Opus in Ogg, of so many samples at 48000 a second.
pub fn opus(samples: u64) -> Vec<u8> {
    let head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
    let tags = [&b"OpusTags"[..], &comments("a", "b")].concat();
    [
        ogg_page(2, 0, 0, head),
        ogg_page(0, 0, 1, &tags),
        ogg_page(4, samples, 2, &[0xfc, 0xff, 0xfe]),
    ]
    .concat()
}

fn ogg_page(flags: u8, granule: u64, number: u32, packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(7_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.extend([1, u8::try_from(packet.len()).unwrap()]);
    page.extend(packet);
    let mut crc = 0_u32;
    for byte in &page {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = (crc << 1) ^ (if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 });
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

/// A WebM's headers: a picture track and how long it lasts.
pub fn webm(width: u16, height: u16, millis: u32) -> Vec<u8> {
    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap() | 0x1000_0000;
        [id, &size.to_be_bytes(), content].concat()
    }
    let head = element(
        b"\x1a\x45\xdf\xa3",
        &[
            element(b"\x42\x86", &[1]),
            element(b"\x42\xf7", &[1]),
            element(b"\x42\xf2", &[4]),
            element(b"\x42\xf3", &[8]),
            element(b"\x42\x82", b"webm"),
            element(b"\x42\x87", &[4]),
            element(b"\x42\x85", &[2]),
        ]
        .concat(),
    );
    let duration = f64::from(millis).to_be_bytes();
    let info = element(
        b"\x15\x49\xa9\x66",
        &[
            element(b"\x2a\xd7\xb1", &1_000_000_u32.to_be_bytes()),
            element(b"\x44\x89", &duration),
            element(b"\x4d\x80", b"t"),
            element(b"\x57\x41", b"t"),
        ]
        .concat(),
    );
    let video = element(
        b"\xe0",
        &[
            element(b"\xb0", &width.to_be_bytes()),
            element(b"\xba", &height.to_be_bytes()),
        ]
        .concat(),
    );
    let track = element(
        b"\xae",
        &[
            element(b"\xd7", &[1]),
            element(b"\x73\xc5", &[1]),
            element(b"\x83", &[1]),
            element(b"\x86", b"V_VP9"),
            video,
        ]
        .concat(),
    );
    let tracks = element(b"\x16\x54\xae\x6b", &track);
    let cluster = element(
        b"\x1f\x43\xb6\x75",
        &[
            element(b"\xe7", &[0]),
            element(b"\xa3", &[0x81, 0, 0, 0x80, 0]),
        ]
        .concat(),
    );
    [
        head,
        element(b"\x18\x53\x80\x67", &[info, tracks, cluster].concat()),
    ]
    .concat()
}

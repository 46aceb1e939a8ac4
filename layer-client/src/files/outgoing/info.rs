//! What a file says of itself: the size of a picture, the duration and the tags of sound, all of it
//! of video. With the feature `media-info`; without it every file is silent.
//!
//! The files may be broken or made to harm: whatever does not read is left out, and no reader gets
//! more than [`BUDGET`] bytes of a file, which bounds its time and its memory.

use std::time::Duration;

/// What is known of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileInfo {
    /// Width and height in pixels, as it is shown.
    pub(crate) size: Option<(i32, i32)>,
    pub(crate) duration: Option<Duration>,
    pub(crate) title: Option<String>,
    pub(crate) performer: Option<String>,
    /// Whether there is a track with sound, if that is known.
    pub(crate) sound: Option<bool>,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Width and height of a picture.
    Picture,
    /// Everything about sound and video.
    Tracks,
}

/// What there is to look at; nothing, without the feature.
#[cfg(not(feature = "media-info"))]
pub(crate) enum Sample {}

#[cfg(not(feature = "media-info"))]
pub(crate) async fn read(sample: Sample, _: Look) -> FileInfo {
    match sample {}
}

#[cfg(feature = "media-info")]
pub(crate) use sample::Sample;

#[cfg(feature = "media-info")]
mod sample {
    use std::path::PathBuf;

    /// Where to look, without keeping anybody's borrow.
    pub(crate) enum Sample {
        Path(PathBuf),
        Bytes(Bytes),
    }

    /// The beginning and the end of some bytes; the middle of large ones is left out.
    pub(crate) struct Bytes {
        pub(super) head: Vec<u8>,
        pub(super) tail: Vec<u8>,
        pub(super) len: usize,
    }

    /// Bytes that are copied of each end.
    const END: usize = 4 << 20;

    impl Sample {
        pub(crate) fn of(bytes: &[u8]) -> Self {
            let (head, rest) = bytes.split_at(bytes.len().min(END));
            Self::Bytes(Bytes {
                head: head.to_vec(),
                tail: rest[rest.len().saturating_sub(END)..].to_vec(),
                len: bytes.len(),
            })
        }
    }
}

#[cfg(feature = "media-info")]
pub(crate) use reading::read;

#[cfg(feature = "media-info")]
mod reading {
    use std::io::{self, BufReader, Read, Seek, SeekFrom};
    use std::time::Duration;

    use symphonia::core::codecs::CodecParameters;
    use symphonia::core::common::Limit;
    use symphonia::core::formats::probe::Hint;
    use symphonia::core::formats::{FormatOptions, FormatReader};
    use symphonia::core::io::{MediaSource, MediaSourceStream};
    use symphonia::core::meta::{MetadataOptions, StandardTag};
    use symphonia::core::units::{self, TimeBase};

    use super::sample::Bytes;
    use super::{FileInfo, Look, Sample};

    /// The most that is read of one file, in bytes. A long video's index is some megabytes.
    pub(super) const BUDGET: u64 = 32 << 20;
    /// What a read costs at least, so that their number is bounded too.
    const LEAST: u64 = 4096;
    /// Longer texts are no titles.
    const TEXT: usize = 4096;
    /// The largest width or height that is believed.
    const SIDE: i32 = 65_535;

    pub(crate) async fn read(sample: Sample, look: Look) -> FileInfo {
        // A reader that panics all the same has the file sent without attributes.
        tokio::task::spawn_blocking(move || inspect(sample, look).unwrap_or_default())
            .await
            .unwrap_or_default()
    }

    fn inspect(sample: Sample, look: Look) -> Option<FileInfo> {
        match sample {
            Sample::Path(path) => {
                let file = std::fs::File::open(path).ok()?;
                // Pipes and the like are not to be read twice.
                let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
                look_into(Metered::new(file, metadata.len()), look)
            }
            Sample::Bytes(bytes) => {
                let len = u64::try_from(bytes.len).unwrap_or(u64::MAX);
                look_into(Metered::new(Ends { bytes, at: 0 }, len), look)
            }
        }
    }

    pub(super) fn look_into<R: Read + Seek + Send + Sync + 'static>(
        source: Metered<R>,
        look: Look,
    ) -> Option<FileInfo> {
        match look {
            Look::Picture => picture(source),
            Look::Tracks => Some(tracks(source)),
        }
    }

    fn picture<R: Read + Seek>(source: Metered<R>) -> Option<FileInfo> {
        let size = imagesize::reader_size(BufReader::new(source)).ok()?;
        Some(FileInfo {
            size: believable(size.width.try_into().ok()?, size.height.try_into().ok()?),
            ..FileInfo::default()
        })
    }

    fn believable(width: i32, height: i32) -> Option<(i32, i32)> {
        let good = |side| (1..=SIDE).contains(&side);
        (good(width) && good(height)).then_some((width, height))
    }

    fn tracks<R: Read + Seek + Send + Sync + 'static>(mut source: Metered<R>) -> FileInfo {
        let mut info = FileInfo {
            size: mp4_size(&mut source),
            ..FileInfo::default()
        };
        if source.seek(SeekFrom::Start(0)).is_err() {
            return info;
        }
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        let tags = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(TEXT))
            .limit_visual_bytes(Limit::Maximum(0));
        let probe = symphonia::default::get_probe();
        let reader = probe.probe(&Hint::new(), stream, FormatOptions::default(), tags);
        if let Ok(mut reader) = reader {
            read_tracks(&mut *reader, &mut info);
        }
        info
    }

    fn read_tracks(reader: &mut dyn FormatReader, info: &mut FileInfo) {
        let mut sound = false;
        let whole = reader.media_info();
        info.duration = length(whole.time_base, whole.duration);
        for track in reader.tracks() {
            info.duration = info.duration.max(length(track.time_base, track.duration));
            match &track.codec_params {
                Some(CodecParameters::Audio(_)) => sound = true,
                Some(CodecParameters::Video(video)) if info.size.is_none() => {
                    info.size = video.width.zip(video.height).and_then(|(width, height)| {
                        believable(i32::from(width), i32::from(height))
                    });
                }
                _ => {}
            }
        }
        info.sound = (!reader.tracks().is_empty()).then_some(sound);
        let mut metadata = reader.metadata();
        loop {
            if let Some(revision) = metadata.current() {
                let per_track = revision.per_track.iter().map(|track| &track.metadata);
                for tags in std::iter::once(&revision.media).chain(per_track) {
                    for tag in &tags.tags {
                        match &tag.std {
                            Some(StandardTag::TrackTitle(text)) => note(&mut info.title, text),
                            Some(StandardTag::Artist(text)) => note(&mut info.performer, text),
                            _ => {}
                        }
                    }
                }
            }
            if metadata.pop().is_none() {
                return;
            }
        }
    }

    fn length(base: Option<TimeBase>, ticks: Option<units::Duration>) -> Option<Duration> {
        let time = base?.calc_duration(ticks?)?;
        u64::try_from(time.as_nanos())
            .ok()
            .map(Duration::from_nanos)
    }

    fn note(place: &mut Option<String>, text: &str) {
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if place.is_none() && !text.is_empty() && text.len() <= TEXT {
            *place = Some(text.to_owned());
        }
    }

    /// The size at which an MP4's first picture track is shown. Telephones film upright by turning
    /// the picture with the track header's matrix, which the crate that reads the rest leaves out.
    fn mp4_size<R: Read + Seek>(source: &mut Metered<R>) -> Option<(i32, i32)> {
        let len = source.len;
        let (start, end) = find_box(source, 0, len, *b"moov")?;
        let mut at = start;
        while let Some((start, next)) = find_box(source, at, end, *b"trak") {
            if let Some(size) = track_size(source, start, next) {
                return Some(size);
            }
            at = next;
        }
        None
    }

    fn track_size<R: Read + Seek>(
        source: &mut Metered<R>,
        start: u64,
        end: u64,
    ) -> Option<(i32, i32)> {
        let (at, _) = find_box(source, start, end, *b"tkhd")?;
        source.seek(SeekFrom::Start(at)).ok()?;
        let mut version = [0; 4];
        source.read_exact(&mut version).ok()?;
        // The times before the matrix are of 64 bits from version 1 on.
        let before = if version[0] == 0 { 36 } else { 48 };
        let mut rest = [0; 48 + 44];
        let rest = rest.get_mut(..before + 44)?;
        source.read_exact(rest).ok()?;
        let int = |index: usize| {
            let bytes = rest.get(before + index * 4..before + index * 4 + 4)?;
            Some(i32::from_be_bytes(bytes.try_into().ok()?))
        };
        // Fixed point, of which the whole part is wanted.
        let (width, height) = (int(9)? >> 16, int(10)? >> 16);
        // The matrix's first and fifth number are 0 when the sides change places.
        let turned = int(0)? == 0 && int(4)? == 0;
        if turned {
            believable(height, width)
        } else {
            believable(width, height)
        }
    }

    /// The first box of this kind between two places: where its content begins and ends.
    fn find_box<R: Read + Seek>(
        source: &mut Metered<R>,
        mut at: u64,
        end: u64,
        kind: [u8; 4],
    ) -> Option<(u64, u64)> {
        while at < end {
            source.seek(SeekFrom::Start(at)).ok()?;
            let mut head = [0; 8];
            source.read_exact(&mut head).ok()?;
            let (size, name) = head.split_at(4);
            let (mut size, mut begins) = (u64::from(u32::from_be_bytes(size.try_into().ok()?)), 8);
            if size == 1 {
                let mut large = [0; 8];
                source.read_exact(&mut large).ok()?;
                (size, begins) = (u64::from_be_bytes(large), 16);
            } else if size == 0 {
                size = end - at;
            }
            let next = at.checked_add(size.max(begins))?;
            if name == kind {
                return Some((at + begins, next.min(end)));
            }
            // A file that does not begin as such files do is none.
            if at == 0 && !name.iter().all(|c| c.is_ascii_alphanumeric()) {
                return None;
            }
            at = next;
        }
        None
    }

    /// Bytes of which both ends are there.
    struct Ends {
        bytes: Bytes,
        at: u64,
    }

    impl Read for Ends {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Ok(at) = usize::try_from(self.at) else {
                return Ok(0);
            };
            let bytes = &self.bytes;
            let from = match at.checked_sub(bytes.len - bytes.tail.len()) {
                Some(at) => bytes.tail.get(at..).unwrap_or_default(),
                None => bytes.head.get(at..).unwrap_or_default(),
            };
            if from.is_empty() && at < bytes.len {
                return Err(io::ErrorKind::Unsupported.into());
            }
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            self.at += u64::try_from(count).unwrap_or(0);
            Ok(count)
        }
    }

    impl Seek for Ends {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let len = u64::try_from(self.bytes.len).unwrap_or(u64::MAX);
            let to = match to {
                SeekFrom::Start(at) => Some(at),
                SeekFrom::End(by) => len.checked_add_signed(by),
                SeekFrom::Current(by) => self.at.checked_add_signed(by),
            };
            self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
            Ok(self.at)
        }
    }

    /// A source that gives so much and no more.
    pub(super) struct Metered<R> {
        inner: R,
        len: u64,
        left: u64,
    }

    impl<R> Metered<R> {
        pub(super) fn new(inner: R, len: u64) -> Self {
            Self {
                inner,
                len,
                left: BUDGET,
            }
        }
    }

    impl<R: Read> Read for Metered<R> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let wanted = u64::try_from(into.len()).unwrap_or(u64::MAX).max(LEAST);
            self.left = self
                .left
                .checked_sub(wanted)
                .ok_or(io::ErrorKind::QuotaExceeded)?;
            self.inner.read(into)
        }
    }

    impl<R: Seek> Seek for Metered<R> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.inner.seek(to)
        }
    }

    impl<R: Read + Seek + Send + Sync> MediaSource for Metered<R> {
        fn is_seekable(&self) -> bool {
            true
        }

        fn byte_len(&self) -> Option<u64> {
            Some(self.len)
        }
    }
}

#[cfg(all(test, feature = "media-info"))]
mod tests;

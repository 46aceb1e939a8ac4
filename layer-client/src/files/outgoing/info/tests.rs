#![allow(clippy::unwrap_used)] // a test is allowed to fail

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{FileInfo, Look, Sample, read, reading};

#[path = "../../../../tests/samples/mod.rs"]
mod samples;

async fn look(bytes: &[u8], look: Look) -> FileInfo {
    read(Sample::of(bytes), look).await
}

fn near(duration: Option<Duration>, millis: u64) -> bool {
    let millis = Duration::from_millis(millis);
    duration.is_some_and(|duration| duration.abs_diff(millis) < Duration::from_millis(60))
}

#[tokio::test]
async fn a_pictures_size_is_read() {
    for bytes in [
        samples::png(640, 480),
        samples::jpeg(640, 480),
        samples::gif(640, 480),
        samples::webp(640, 480),
    ] {
        assert_eq!(look(&bytes, Look::Picture).await.size, Some((640, 480)));
    }
    assert_eq!(look(&samples::png(0, 480), Look::Picture).await.size, None);
    assert_eq!(
        look(&samples::png(u32::MAX, 1), Look::Picture).await.size,
        None
    );
}

#[tokio::test]
async fn a_videos_size_duration_and_sound_are_read() {
    let info = look(&samples::mp4(1280, 720, 12_500, false, true), Look::Tracks).await;
    assert_eq!((info.size, info.sound), (Some((1280, 720)), Some(true)));
    assert!(near(info.duration, 12_500), "{info:?}");
    let silent = look(&samples::mp4(320, 240, 3000, false, false), Look::Tracks).await;
    assert_eq!((silent.size, silent.sound), (Some((320, 240)), Some(false)));
    let webm = look(&samples::webm(512, 384, 2900), Look::Tracks).await;
    assert_eq!(webm.size, Some((512, 384)));
    assert!(near(webm.duration, 2900), "{webm:?}");
}

#[tokio::test]
async fn a_video_filmed_upright_is_higher_than_wide() {
    let info = look(&samples::mp4(1920, 1080, 1000, true, false), Look::Tracks).await;
    assert_eq!(info.size, Some((1080, 1920)));
}

#[tokio::test]
async fn musics_duration_title_and_performer_are_read() {
    // 1152 samples a frame.
    let mp3 = samples::mp3(100, "A Title", "Some One");
    let flac = samples::flac(44_100 * 3, "A Title", "Some One");
    for (bytes, millis) in [(mp3, 2612), (flac, 3000)] {
        let info = look(&bytes, Look::Tracks).await;
        assert!(near(info.duration, millis), "{info:?}");
        assert_eq!(info.title.as_deref(), Some("A Title"));
        assert_eq!(info.performer.as_deref(), Some("Some One"));
        assert_eq!((info.size, info.sound), (None, Some(true)));
    }
    let info = look(&samples::wav(2), Look::Tracks).await;
    assert!(near(info.duration, 2000), "{info:?}");
    let info = look(&samples::opus(48_000 * 4), Look::Tracks).await;
    assert!(near(info.duration, 4000), "{info:?}");
}

#[tokio::test]
async fn the_end_of_a_large_file_is_found_without_its_middle() {
    let film = samples::mp4(640, 360, 9000, false, true);
    let (head, moov) = film.split_at(film.windows(4).position(|w| w == b"moov").unwrap() - 4);
    // The `mdat` grows to forty megabytes; the index after it stays where it is read.
    let mut large = head[..head.len() - 24].to_vec();
    large.extend(samples::mp4_box(b"mdat", &[&vec![0; 40 << 20]]));
    large.extend(moov);
    for sample in [Sample::of(&large), {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &large).unwrap();
        Sample::Path(file.into_temp_path().keep().unwrap())
    }] {
        let path = match &sample {
            Sample::Path(path) => Some(path.clone()),
            Sample::Bytes(_) => None,
        };
        let info = read(sample, Look::Tracks).await;
        assert_eq!(info.size, Some((640, 360)));
        assert!(near(info.duration, 9000), "{info:?}");
        if let Some(path) = path {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_no_file_says_nothing() {
    for bytes in [&b""[..], b"text", &[0; 100], b"\xff\xd8\xff\xe0\xff\xff"] {
        for look_for in [Look::Picture, Look::Tracks] {
            assert_eq!(look(bytes, look_for).await, FileInfo::default());
        }
    }
    let nowhere = Sample::Path("/does/not/exist".into());
    assert_eq!(read(nowhere, Look::Tracks).await, FileInfo::default());
    let folder = Sample::Path(std::env::temp_dir());
    assert_eq!(read(folder, Look::Tracks).await, FileInfo::default());
}

/// Boxes without an end, of which it is counted how much was read.
struct Endless {
    at: u64,
    read: Arc<AtomicU64>,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for byte in &mut *into {
            *byte = b"\0\0\0\x08free"[usize::try_from(self.at % 8).unwrap()];
            self.at += 1;
        }
        let read = u64::try_from(into.len()).unwrap();
        self.read.fetch_add(read, Ordering::SeqCst);
        Ok(into.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at,
            SeekFrom::End(by) => self.at = (1_u64 << 60).saturating_add_signed(by),
            SeekFrom::Current(by) => self.at = self.at.saturating_add_signed(by),
        }
        Ok(self.at)
    }
}

#[test]
fn no_more_is_read_of_a_file_than_its_budget() {
    let read = Arc::new(AtomicU64::new(0));
    let endless = Endless {
        at: 0,
        read: Arc::clone(&read),
    };
    let source = reading::Metered::new(endless, 1 << 60);
    assert_eq!(
        reading::look_into(source, Look::Tracks),
        Some(FileInfo::default())
    );
    let read = read.load(Ordering::SeqCst);
    assert!((1..=reading::BUDGET).contains(&read), "{read}");
}

/// Random bytes, and samples cut short, changed and glued together: a panic of a reader fails the
/// test, a reader that does not end hangs it.
#[test]
fn broken_files_neither_panic_nor_hang() {
    let seed = 20;
    let mut rng = fastrand::Rng::with_seed(seed);
    let whole = [
        samples::png(640, 480),
        samples::jpeg(640, 480),
        samples::gif(640, 480),
        samples::webp(640, 480),
        samples::mp4(1280, 720, 12_500, true, true),
        samples::webm(512, 384, 2900),
        samples::mp3(20, "A Title", "Some One"),
        samples::flac(44_100, "A Title", "Some One"),
        samples::wav(1),
        samples::opus(48_000),
    ];
    let mut slowest = Duration::ZERO;
    for round in 0..1500 {
        let mut bytes = whole[rng.usize(..whole.len())].clone();
        match round % 5 {
            0 => bytes.truncate(rng.usize(..=bytes.len())),
            1 => {
                for _ in 0..rng.usize(1..20) {
                    let at = rng.usize(..bytes.len());
                    bytes[at] = rng.u8(..);
                }
            }
            2 => {
                // Lengths of all sizes are where readers go wrong.
                let at = rng.usize(..bytes.len().saturating_sub(4).max(1));
                let size = [0, 1, 7, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX][rng.usize(..7)];
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&size.to_be_bytes()[..end - at]);
            }
            3 => {
                let from = rng.usize(..bytes.len());
                let more = bytes[from..].to_vec();
                let at = rng.usize(..bytes.len());
                bytes.splice(at..at, more);
            }
            _ => {
                let keep = rng.usize(..bytes.len().min(16));
                bytes.truncate(keep);
                bytes.extend((0..rng.usize(..3000)).map(|_| rng.u8(..)));
            }
        }
        for look in [Look::Picture, Look::Tracks] {
            let begun = Instant::now();
            let len = u64::try_from(bytes.len()).unwrap();
            let source = reading::Metered::new(io::Cursor::new(bytes.clone()), len);
            let known = std::panic::catch_unwind(|| reading::look_into(source, look));
            assert!(known.is_ok(), "seed {seed}, round {round}");
            slowest = slowest.max(begun.elapsed());
        }
    }
    println!("the slowest took {slowest:?}");
}

//! What is kept of a transfer on the disk, to go on from there after a crash: a few bytes, with a
//! version and a checksum. What is damaged or of another version is as good as nothing.

use super::set::PartSet;
use crate::record::{self, Decode, Encode, record};

const MAGIC: [u8; 4] = *b"LYTR";
const VERSION: u8 = 1;
/// No checkpoint is longer: a bit for each part of the largest file, and a little more.
pub(in crate::files) const LONGEST: u64 = 1 << 20;

/// How far a download has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub(in crate::files) struct DownloadState {
    /// Which bytes of which file these are.
    pub(in crate::files) of: DownloadOf,
    /// The parts that are on the disk.
    pub(in crate::files) done: PartSet,
}

/// What has to be the same for the parts to be those of the same download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub(in crate::files) struct DownloadOf {
    /// The location without its file reference, as TL.
    pub(in crate::files) file: Vec<u8>,
    pub(in crate::files) dc_id: i32,
    pub(in crate::files) size: u64,
    pub(in crate::files) from: u64,
    pub(in crate::files) to: u64,
    pub(in crate::files) part: u64,
}

/// How far an upload has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub(in crate::files) struct UploadState {
    /// The account, whose parts are found by no other.
    pub(in crate::files) user: i64,
    /// The source's path, size and time of the last change (seconds and nanoseconds since 1970).
    pub(in crate::files) path: String,
    pub(in crate::files) size: u64,
    pub(in crate::files) changed: (u64, u32),
    pub(in crate::files) part: u64,
    pub(in crate::files) file_id: i64,
    /// When the first part was saved: seconds since 1970. The server keeps parts for some hours.
    pub(in crate::files) begun: u64,
    /// The parts that the server has.
    pub(in crate::files) saved: PartSet,
}

record!(DownloadState { of, done });
record!(DownloadOf {
    file,
    dc_id,
    size,
    from,
    to,
    part,
});
record!(UploadState {
    user,
    path,
    size,
    changed,
    part,
    file_id,
    begun,
    saved,
});

impl DownloadState {
    /// Whether it is one of this download.
    pub(in crate::files) fn fits(&self, of: &DownloadOf) -> bool {
        self.of == *of && self.done.is_sound(of.size.div_ceil(of.part.max(1)))
    }
}

impl UploadState {
    /// Whether it is one of the same bytes by the same account.
    pub(in crate::files) fn fits(&self, now: &Self) -> bool {
        let same = |a: &Self, b: &Self| {
            (a.user, &a.path, a.size, a.changed, a.part)
                == (b.user, &b.path, b.size, b.changed, b.part)
        };
        same(self, now) && self.saved.is_sound(self.size.div_ceil(self.part.max(1)))
    }
}

/// As it lies on the disk.
pub(in crate::files) fn encode(state: &impl Encode) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[VERSION]].concat();
    bytes.extend_from_slice(&record::to_bytes(state));
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// What lay on the disk, if that is still what was written there.
pub(in crate::files) fn decode<T: Decode>(bytes: &[u8]) -> Option<T> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut payload = body.strip_prefix(&MAGIC)?.strip_prefix(&[VERSION])?;
    let state = T::decode(&mut payload)?;
    payload.is_empty().then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::against_postcard::agree;

    fn state() -> DownloadState {
        let mut done = PartSet::default();
        done.insert(2);
        DownloadState {
            of: DownloadOf {
                file: vec![1, 2, 3],
                dc_id: 2,
                size: 2500,
                from: 0,
                to: 2500,
                part: 1000,
            },
            done,
        }
    }

    #[test]
    fn checkpoints_are_written_and_read_as_postcard_does() {
        agree::<DownloadState>(1_000);
        agree::<UploadState>(1_000);
    }

    #[test]
    fn a_checkpoint_comes_back_or_is_none() {
        let bytes = encode(&state());
        assert_eq!(decode::<DownloadState>(&bytes), Some(state()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode::<DownloadState>(&damaged), None, "{at}");
            assert_eq!(decode::<DownloadState>(&bytes[..at]), None);
        }
        // Of another version, or with something behind its end, and the right checksum.
        let others: [fn(&mut Vec<u8>); 2] = [|body| body[4] += 1, |body| body.push(0)];
        for change in others {
            let mut other = bytes[..bytes.len() - 4].to_vec();
            change(&mut other);
            other.extend(crc32fast::hash(&other).to_le_bytes());
            assert_eq!(decode::<DownloadState>(&other), None);
        }
    }

    #[test]
    fn a_checkpoint_of_another_download_is_none() {
        let state = state();
        assert!(state.fits(&state.of));
        let others: [fn(&mut DownloadOf); 6] = [
            |of| of.file[0] = 9,
            |of| of.dc_id = 3,
            |of| of.size = 2499,
            |of| of.from = 1,
            |of| of.to = 1,
            |of| of.part = 500,
        ];
        for change in others {
            let mut other = state.of.clone();
            change(&mut other);
            assert!(!state.fits(&other), "{other:?}");
        }
        let mut beyond = state.clone();
        beyond.done.insert(3);
        assert!(!beyond.fits(&beyond.of));
    }
}

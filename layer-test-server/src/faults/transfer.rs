//! Which part of which file a call is about, for the rules that choose by it.

use layer_tl_types::{Deserializable, Identifiable, enums, functions as f};

use crate::rpc::wrap::Unwrapped;

/// What a call of `upload.*` moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// The id of the photo or document, or the one that the client gave to what it uploads.
    pub(crate) file: Option<i64>,
    /// The number of the part that is saved, from 0.
    pub(crate) part: Option<i32>,
    /// The bytes of the file that are read: the first, and how many.
    pub(crate) range: Option<(i64, i32)>,
}

impl Transfer {
    /// What a call moves; nothing if it moves no file.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let call = Unwrapped::new(body).ok()?;
        let bytes = call.body();
        match call.id()? {
            f::upload::SaveFilePart::CONSTRUCTOR_ID
            | f::upload::SaveBigFilePart::CONSTRUCTOR_ID => Some(Self {
                // The bytes of the part behind these are left where they are.
                file: Some(i64::from_le_bytes(*bytes.get(4..)?.first_chunk()?)),
                part: Some(i32::from_le_bytes(*bytes.get(12..)?.first_chunk()?)),
                range: None,
            }),
            f::upload::GetFile::CONSTRUCTOR_ID => {
                let call = f::upload::GetFile::from_bytes(bytes).ok()?;
                Some(Self {
                    file: located(&call.location),
                    part: None,
                    range: Some((call.offset, call.limit)),
                })
            }
            f::upload::GetWebFile::CONSTRUCTOR_ID => {
                let call = f::upload::GetWebFile::from_bytes(bytes).ok()?;
                Some(Self {
                    range: Some((i64::from(call.offset), call.limit)),
                    ..Self::default()
                })
            }
            f::upload::GetFileHashes::CONSTRUCTOR_ID => {
                let call = f::upload::GetFileHashes::from_bytes(bytes).ok()?;
                Some(Self {
                    file: located(&call.location),
                    part: None,
                    range: Some((call.offset, 1)),
                })
            }
            f::upload::GetCdnFile::CONSTRUCTOR_ID => {
                let call = f::upload::GetCdnFile::from_bytes(bytes).ok()?;
                Some(Self {
                    range: Some((call.offset, call.limit)),
                    ..Self::default()
                })
            }
            f::upload::GetCdnFileHashes::CONSTRUCTOR_ID => {
                let call = f::upload::GetCdnFileHashes::from_bytes(bytes).ok()?;
                Some(Self {
                    range: Some((call.offset, 1)),
                    ..Self::default()
                })
            }
            _ => None,
        }
    }

    /// Whether the byte at this place is among those that are read.
    pub(super) fn reads(&self, at: u64) -> bool {
        let Some((offset, limit)) = self.range else {
            return false;
        };
        let behind = i64::try_from(at).ok().and_then(|at| at.checked_sub(offset));
        behind.is_some_and(|behind| (0..i64::from(limit)).contains(&behind))
    }

    /// Bytes of a file that are asked for.
    pub(crate) fn wanted(&self) -> u64 {
        let limit = self.range.map_or(0, |(_, limit)| limit);
        u64::try_from(limit).unwrap_or(0)
    }
}

fn located(location: &enums::InputFileLocation) -> Option<i64> {
    match location {
        enums::InputFileLocation::InputDocumentFileLocation(at) => Some(at.id),
        enums::InputFileLocation::InputPhotoFileLocation(at) => Some(at.id),
        enums::InputFileLocation::InputPeerPhotoFileLocation(at) => Some(at.photo_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use layer_tl_types::Serializable;

    use super::*;

    #[test]
    fn a_call_tells_what_it_moves_however_it_is_wrapped_or_cut() {
        let save = f::InvokeWithoutUpdates {
            query: f::upload::SaveBigFilePart {
                file_id: 77,
                file_part: 3,
                file_total_parts: 9,
                bytes: vec![1; 1024],
            },
        };
        let bytes = save.to_bytes();
        let moved = Transfer::of(&bytes).unwrap();
        assert_eq!(
            (moved.file, moved.part, moved.range),
            (Some(77), Some(3), None)
        );
        let read = f::upload::GetCdnFile {
            file_token: vec![1; 22],
            offset: 4096,
            limit: 8192,
        };
        let moved = Transfer::of(&read.to_bytes()).unwrap();
        assert!(moved.reads(4096) && moved.reads(12_287) && moved.wanted() == 8192);
        assert!(!moved.reads(4095) && !moved.reads(12_288) && !moved.reads(u64::MAX));
        assert_eq!(Transfer::of(&f::help::GetConfig {}.to_bytes()), None);
        for end in 0..24 {
            let _ = Transfer::of(&bytes[..end]);
        }
    }
}

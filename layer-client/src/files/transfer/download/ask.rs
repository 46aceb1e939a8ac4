//! What the plan of a download asks for, and what it is told.

use std::sync::Arc;

use bytes::Bytes;

use crate::files::remote::Remote;
use crate::files::transfer::hashes::{Cipher, Hash};

/// What is downloaded, and how.
#[derive(Clone, Debug)]
pub(in crate::files) struct Settings {
    /// The file's size, if it is known.
    pub(in crate::files) size: Option<u64>,
    /// The first byte that is wanted.
    pub(in crate::files) from: u64,
    /// The first that is not wanted any more.
    pub(in crate::files) to: Option<u64>,
    /// Bytes of a part.
    pub(in crate::files) part: u64,
    /// Parts at a time, to begin with.
    pub(in crate::files) first: usize,
    /// Parts at a time at most.
    pub(in crate::files) most: usize,
    /// Whether parts are given out in order.
    pub(in crate::files) in_order: bool,
    /// Whether a CDN may be used.
    pub(in crate::files) cdn: bool,
    /// Whether parts are compared with `upload.getFileHashes`.
    pub(in crate::files) verify: bool,
}

/// Something to be asked.
#[derive(Debug)]
pub(in crate::files) struct Ask {
    pub(in crate::files) id: u64,
    pub(in crate::files) what: What,
}

#[derive(Debug)]
pub(in crate::files) enum What {
    /// `upload.getFile` or `upload.getWebFile`, in the location's data centre.
    Part {
        file: Arc<Remote>,
        piece: Piece,
        cdn_supported: bool,
        /// What the bytes are compared with, if there is anything.
        hashes: Vec<Hash>,
    },
    /// `upload.getCdnFile`.
    CdnPart {
        cdn: Arc<Redirect>,
        piece: Piece,
        hashes: Vec<Hash>,
    },
    /// `upload.getFileHashes`.
    Hashes { file: Arc<Remote>, offset: u64 },
    /// `upload.getCdnFileHashes`, in the main data centre.
    CdnHashes {
        dc_id: i32,
        cdn: Arc<Redirect>,
        offset: u64,
    },
    /// `upload.reuploadCdnFile`, in the main data centre.
    Reupload {
        dc_id: i32,
        cdn: Arc<Redirect>,
        request_token: Vec<u8>,
    },
    /// A new file reference.
    Refresh { file: Arc<Remote> },
}

/// The bytes that are asked for in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Piece {
    pub(in crate::files) offset: u64,
    pub(in crate::files) limit: u64,
    pub(in crate::files) precise: bool,
}

impl Piece {
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.limit)
    }
}

/// Where a file lies on a CDN, as the main data centre says (`upload.fileCdnRedirect`).
#[derive(Debug)]
pub(in crate::files) struct Redirect {
    pub(in crate::files) dc_id: i32,
    pub(in crate::files) token: Vec<u8>,
    pub(in crate::files) cipher: Cipher,
}

/// What came of something that was asked.
#[derive(Debug)]
pub(in crate::files) enum Answer {
    /// The bytes of a part, decrypted and compared with what they should be.
    Bytes(Bytes),
    /// Those of a file of the web, and how many there are in all.
    Sized {
        size: u64,
        bytes: Bytes,
    },
    /// The bytes are not what their hashes say.
    Tampered,
    /// The file is to be fetched from a CDN.
    Redirect(Redirect, Vec<Hash>),
    /// The CDN does not have it, and says what for.
    NotThere(Vec<u8>),
    Hashes(Vec<Hash>),
    Fresh(Remote),
}

/// Bytes for the one who wants the file.
#[derive(Debug)]
pub(in crate::files) struct Chunk {
    /// The part, to be named when they were [taken](Download::taken).
    pub(in crate::files) part: u64,
    /// Where in the file they begin.
    pub(in crate::files) offset: u64,
    pub(in crate::files) bytes: Bytes,
}

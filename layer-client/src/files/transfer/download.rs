//! The plan of a download: which part is asked for next, and where.
//!
//! A file is cut into parts of one size, which divides a MiB as the documentation wants it. A part
//! holds a slot from when it is first asked for until its bytes are taken away, and there are no more
//! slots than the [`Pace`] allows: that bounds the memory, and holds a download back whose reader is
//! slow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::hashes::{Cipher, Cover, Hash, Hashes};
use super::pace::Pace;
use super::set::PartSet;
use super::{Failure, TRIES, delay};
use crate::error::{Error, Result};
use crate::files::FileLocation;
use crate::messages::unexpected;

/// Nothing that is downloaded is longer than this.
const LONGEST: u64 = 1 << 40;
/// So often a file may be sent somewhere else, and its reference be renewed, without a part between.
const TURNS: u32 = 4;
/// So often in a row a CDN may fail a part before its main data centre is asked for it.
const CDN_TRIES: u32 = 3;
/// What `precise` requests are rounded to.
const KIB: u64 = 1024;

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
    /// `upload.getFile`, in the location's data centre.
    Part {
        file: Arc<FileLocation>,
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
    Hashes {
        file: Arc<FileLocation>,
        offset: u64,
    },
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
    Refresh { file: Arc<FileLocation> },
}

/// The bytes that are asked for in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Piece {
    pub(in crate::files) offset: u64,
    pub(in crate::files) limit: u64,
    pub(in crate::files) precise: bool,
}

impl Piece {
    fn end(&self) -> u64 {
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
    /// The bytes are not what their hashes say.
    Tampered,
    /// The file is to be fetched from a CDN.
    Redirect(Redirect, Vec<Hash>),
    /// The CDN does not have it, and says what for.
    NotThere(Vec<u8>),
    Hashes(Vec<Hash>),
    Fresh(FileLocation),
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

#[derive(Debug)]
struct Part {
    state: State,
    failures: u32,
    not_before: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Wanted,
    Asked,
    Here { offset: u64, bytes: Bytes },
    Out { len: u64 },
}

/// What is under way.
#[derive(Debug)]
struct Asked {
    what: About,
    epoch: u64,
    /// Which reference, data centre and CDN it was asked with; what another one says is old.
    reference: u64,
    dc_id: i32,
    cdn: Option<u64>,
    /// Whether it was said that we can use CDNs.
    offered: bool,
}

#[derive(Clone, Copy, Debug)]
enum About {
    Part { index: u64, piece: Piece },
    Hashes { offset: u64 },
    Reupload,
    Refresh,
}

/// Something that is done once for all parts while they wait.
#[derive(Debug)]
enum Errand<T> {
    Wanted(T),
    UnderWay,
}

#[derive(Debug)]
struct Cdn {
    number: u64,
    redirect: Arc<Redirect>,
    reupload: Option<Errand<Vec<u8>>>,
    /// Reuploads without a part between.
    reuploads: u32,
}

/// The plan.
pub(in crate::files) struct Download {
    settings: Settings,
    /// Where the wanted bytes end, as far as is known.
    end: Option<u64>,
    parts: BTreeMap<u64, Part>,
    next: u64,
    /// Parts that were taken away: those of an earlier time too.
    done: PartSet,
    done_bytes: u64,
    pace: Pace,
    asked: HashMap<u64, Asked>,
    last_id: u64,
    file: Arc<FileLocation>,
    /// Counts the references.
    reference: u64,
    refresh: Option<Errand<()>>,
    /// Renewals and moves since a part came.
    turns: u32,
    cdn: Option<Cdn>,
    cdns: u64,
    hashes: Hashes,
    hashes_end: Option<u64>,
    /// Offsets whose hashes are being asked for.
    hashes_asked: Vec<u64>,
    errand_failures: u32,
    errands_not_before: Option<Instant>,
    paused: bool,
    outcome: Option<Result<()>>,
}

impl Download {
    /// A download of a file, without the parts that are `done` already. The part size divides a MiB.
    pub(in crate::files) fn new(file: FileLocation, settings: Settings, done: PartSet) -> Self {
        let Settings {
            size,
            from,
            to,
            part,
            ..
        } = settings;
        let end = match (size, to) {
            (Some(size), Some(to)) => Some(size.min(to)),
            (size, to) => size.or(to),
        };
        let first = if size.is_some() { settings.first } else { 1 };
        let mut plan = Self {
            pace: Pace::new(first, settings.most),
            end,
            parts: BTreeMap::new(),
            next: from / part,
            done,
            done_bytes: 0,
            asked: HashMap::new(),
            last_id: 0,
            file: Arc::new(file),
            reference: 0,
            refresh: None,
            turns: 0,
            cdn: None,
            cdns: 0,
            hashes: Hashes::default(),
            hashes_end: None,
            hashes_asked: Vec::new(),
            errand_failures: 0,
            errands_not_before: None,
            paused: false,
            outcome: None,
            settings,
        };
        plan.done_bytes = plan.done.iter().map(|part| plan.wanted_of(part)).sum();
        plan.look_for_the_end();
        plan
    }

    /// The file as it is addressed now.
    pub(in crate::files) fn file(&self) -> &FileLocation {
        &self.file
    }

    /// Up to where parts were asked for.
    pub(in crate::files) fn asked_to(&self) -> u64 {
        self.next.saturating_mul(self.settings.part)
    }

    /// The parts that were taken away, unless they are given out in order.
    pub(in crate::files) fn done(&self) -> &PartSet {
        &self.done
    }

    /// Bytes that were taken away, and how many there will be in all.
    pub(in crate::files) fn progress(&self) -> (u64, Option<u64>) {
        let from = self.settings.from;
        let total = self.end.map(|end| end.saturating_sub(from));
        (self.done_bytes, total)
    }

    /// Asks for nothing more, or again.
    pub(in crate::files) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// How it ended, once it has. Whatever is under way then is of no use.
    pub(in crate::files) fn outcome(&self) -> Option<&Result<()>> {
        self.outcome.as_ref()
    }

    /// What is to be asked now; ask again until there is nothing.
    pub(in crate::files) fn poll(&mut self, now: Instant) -> Option<Ask> {
        if self.outcome.is_some() || self.paused || self.pace.held_until(now).is_some() {
            return None;
        }
        if self.errands_not_before.is_none_or(|then| then <= now)
            && let Some(errand) = self.errand()
        {
            return Some(errand);
        }
        // Without a reference nothing is found.
        if self.refresh.is_some() {
            return None;
        }
        let limit = self.pace.limit();
        let under_way = self
            .parts
            .values()
            .filter(|p| matches!(p.state, State::Asked))
            .count();
        if under_way >= limit {
            return None;
        }
        let again: Vec<u64> = self
            .parts
            .iter()
            .filter(|(_, part)| {
                matches!(part.state, State::Wanted) && part.not_before.is_none_or(|at| at <= now)
            })
            .map(|(index, _)| *index)
            .collect();
        for index in again {
            if let Some(ask) = self.ask_for(index, now) {
                return Some(ask);
            }
        }
        while self.parts.len() < limit && self.goes_on(self.next) {
            let index = self.next;
            self.next += 1;
            if self.done.contains(index) {
                continue;
            }
            let part = Part {
                state: State::Wanted,
                failures: 0,
                not_before: None,
            };
            self.parts.insert(index, part);
            if let Some(ask) = self.ask_for(index, now) {
                return Some(ask);
            }
        }
        None
    }

    /// When to look again if nothing happens.
    pub(in crate::files) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.outcome.is_some() || self.paused {
            return None;
        }
        let errand = self.errands_not_before.filter(|_| {
            matches!(self.refresh, Some(Errand::Wanted(())))
                || self
                    .cdn
                    .as_ref()
                    .is_some_and(|cdn| matches!(cdn.reupload, Some(Errand::Wanted(_))))
                || !self.parts.is_empty()
        });
        let parts = self.parts.values().filter_map(|part| match part.state {
            State::Wanted => part.not_before,
            _ => None,
        });
        let soonest = parts.chain(errand).filter(|at| *at > now).min();
        // Held back, nothing else is of interest.
        self.pace.held_until(now).or(soonest)
    }

    /// Bytes that are to be taken away, if there are any now.
    pub(in crate::files) fn poll_chunk(&mut self) -> Option<Chunk> {
        if matches!(self.outcome, Some(Err(_))) {
            return None;
        }
        let mut parts = self.parts.iter_mut();
        let here = |(_, part): &(&u64, &mut Part)| matches!(part.state, State::Here { .. });
        let (index, part) = if self.settings.in_order {
            parts.next().filter(here)
        } else {
            parts.find(here)
        }?;
        let State::Here { offset, bytes } = &mut part.state else {
            return None;
        };
        let (offset, bytes) = (*offset, std::mem::take(bytes));
        let len = u64::try_from(bytes.len()).unwrap_or(0);
        part.state = State::Out { len };
        Some(Chunk {
            part: *index,
            offset,
            bytes,
        })
    }

    /// A part's bytes were taken away: its slot is free.
    pub(in crate::files) fn taken(&mut self, part: u64) {
        let Some(&State::Out { len }) = self.parts.get(&part).map(|part| &part.state) else {
            return;
        };
        self.done_bytes += len;
        self.parts.remove(&part);
        // One with nothing in it only says where the file ends.
        if !self.settings.in_order && len > 0 {
            self.done.insert(part);
        }
        self.look_for_the_end();
    }

    /// What came of something that was asked.
    pub(in crate::files) fn answered(&mut self, id: u64, answer: Result<Answer>, now: Instant) {
        let Some(asked) = self.asked.remove(&id) else {
            return;
        };
        match asked.what {
            About::Refresh => self.refresh = Some(Errand::Wanted(())),
            About::Hashes { offset } => self.hashes_asked.retain(|asked| *asked != offset),
            About::Reupload => {}
            About::Part { index, .. } => {
                // Beyond the end, which was found meanwhile, nothing is waited for.
                let Some(part) = self.parts.get_mut(&index) else {
                    return;
                };
                part.state = State::Wanted;
            }
        }
        match answer {
            Ok(answer) => self.answer(&asked, answer, now),
            Err(error) => self.failure(&asked, Failure::of(error), now),
        }
    }

    fn answer(&mut self, asked: &Asked, answer: Answer, now: Instant) {
        match (asked.what, answer) {
            (About::Part { index, piece }, Answer::Bytes(bytes)) => {
                self.came(asked, index, piece, bytes, now);
            }
            (About::Part { index, .. }, Answer::Tampered) => {
                self.failed(index, asked.cdn, tampered(asked.cdn.is_some()), now);
            }
            (About::Part { .. }, Answer::Redirect(redirect, hashes))
                if asked.cdn.is_none() && asked.offered && redirect.dc_id > 0 =>
            {
                self.redirected(redirect, hashes);
            }
            (About::Part { index, .. }, Answer::NotThere(request_token)) => {
                if let Some(cdn) = self.current_cdn(asked)
                    && cdn.reupload.is_none()
                {
                    cdn.reuploads += 1;
                    cdn.reupload = Some(Errand::Wanted(request_token));
                    if cdn.reuploads > TURNS {
                        self.leave_cdn(false);
                    }
                } else if asked.cdn.is_none() {
                    self.failed(index, None, wrong("upload.getCdnFile"), now);
                }
            }
            (About::Hashes { offset }, Answer::Hashes(hashes)) => {
                self.errand_failures = 0;
                let useful = hashes.iter().any(|hash| hash.offset == offset);
                self.hashes.learn(hashes);
                if !useful && self.settings.size.is_none() && offset > 0 {
                    // Where a file ends whose size nobody told, its hashes do too.
                    self.hashes_end = Some(self.hashes_end.map_or(offset, |end| end.min(offset)));
                } else if !useful {
                    self.no_hashes(asked);
                }
            }
            (About::Reupload, Answer::Hashes(hashes)) => {
                self.errand_failures = 0;
                if let Some(cdn) = self.current_cdn(asked) {
                    cdn.reupload = None;
                    self.hashes.learn(hashes);
                }
            }
            (About::Refresh, Answer::Fresh(mut file)) => {
                self.errand_failures = 0;
                file.dc_id = self.file.dc_id;
                self.file = Arc::new(file);
                self.reference += 1;
                self.refresh = None;
            }
            _ => self.end_with(Err(wrong("upload.getFile"))),
        }
    }

    /// Something failed: who waits, who tries again, and whether it goes on.
    fn failure(&mut self, asked: &Asked, failure: Failure, now: Instant) {
        match (failure, asked.what) {
            (Failure::Wait(wait), what) => {
                self.pace.wait(asked.epoch, wait, now);
                if let About::Reupload = what {
                    self.again_reupload(asked);
                }
            }
            (Failure::Moved(dc_id), About::Part { .. } | About::Hashes { .. })
                if asked.cdn.is_none() && dc_id > 0 =>
            {
                if asked.dc_id == self.file.dc_id && dc_id != asked.dc_id {
                    self.turn(|plan| {
                        let mut file = (*plan.file).clone();
                        file.dc_id = dc_id;
                        plan.file = Arc::new(file);
                    });
                } else if dc_id == asked.dc_id {
                    self.end_with(Err(wrong("upload.getFile")));
                }
            }
            (Failure::Reference(error), About::Part { .. } | About::Hashes { .. })
                if asked.cdn.is_none() =>
            {
                if asked.reference == self.reference && self.refresh.is_none() {
                    if self.turns >= TURNS {
                        self.end_with(Err(error));
                    } else {
                        self.turn(|plan| plan.refresh = Some(Errand::Wanted(())));
                    }
                }
            }
            // Its main data centre has the file too, and can be reached.
            (Failure::Again(error), _) if asked.cdn.is_some() && error.is_connect() => {
                log::info!("the CDN is out of reach: {error}");
                if self.current_cdn(asked).is_some() {
                    self.leave_cdn(false);
                }
            }
            (Failure::Again(error), About::Part { index, .. }) => {
                self.failed(index, asked.cdn, error, now);
            }
            (Failure::Again(error), _) => self.errand_failed(asked, error, now),
            // An unknown size is found by asking until there is nothing.
            (Failure::Final(error), About::Part { index, piece })
                if self.settings.size.is_none()
                    && piece.offset > self.settings.from
                    && (error.is("OFFSET_INVALID") || error.is("LIMIT_INVALID")) =>
            {
                let nothing = Piece { limit: 0, ..piece };
                self.ends_at(piece.offset);
                self.came(asked, index, nothing, Bytes::new(), now);
            }
            (Failure::Final(error), _) if error.is_closed() || error.is_terminal() => {
                self.end_with(Err(error));
            }
            // What a CDN refuses, the main data centre has. It gives out new tokens, too.
            (failure, _) if asked.cdn.is_some() => {
                log::info!("the CDN is of no use: {failure:?}");
                if self.current_cdn(asked).is_some() {
                    self.leave_cdn(matches!(failure, Failure::Token));
                }
            }
            (Failure::Final(error) | Failure::Reference(error), _) => self.end_with(Err(error)),
            (Failure::Token | Failure::Moved(_), _) => {
                self.end_with(Err(wrong("upload.getFile")));
            }
        }
    }

    /// A part came.
    fn came(&mut self, asked: &Asked, index: u64, piece: Piece, bytes: Bytes, now: Instant) {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let came_to = piece.offset.saturating_add(len);
        let Settings { size, from, to, .. } = self.settings;
        let wanted_to = piece.end().min(self.end.unwrap_or(u64::MAX));
        let too_little = size.is_some() && came_to < wanted_to;
        if too_little || came_to > piece.end() || came_to > LONGEST {
            let error = unexpected(
                "upload.getFile",
                "a part is not as long as the file's size makes it; was the right size given?",
            );
            return self.failed(index, asked.cdn, error, now);
        }
        self.pace.well();
        self.turns = 0;
        if let Some(cdn) = self.current_cdn(asked) {
            cdn.reuploads = 0;
        }
        if size.is_none() && came_to < piece.end() && to.is_none_or(|to| came_to < to) {
            self.ends_at(came_to);
        }
        let begin = piece.offset.max(from).min(came_to);
        let end = came_to.min(self.end.unwrap_or(u64::MAX)).max(begin);
        let within = |at: u64| usize::try_from(at - piece.offset).unwrap_or(usize::MAX);
        let bytes = bytes.slice(within(begin)..within(end));
        if let Some(part) = self.parts.get_mut(&index) {
            part.failures = 0;
            part.state = State::Here {
                offset: begin,
                bytes,
            };
        }
        let oldest = self
            .parts
            .keys()
            .next()
            .map_or(0, |part| part * self.settings.part);
        self.hashes.forget_before(oldest);
    }

    /// The file turned out to end here, or before.
    fn ends_at(&mut self, at: u64) {
        let end = self.end.map_or(at, |end| end.min(at));
        self.end = Some(end);
        let part = self.settings.part;
        let beyond = |index: &u64| index.saturating_mul(part) >= end;
        let goes_on = self.parts.iter().any(|(index, part)| {
            let some = match &part.state {
                State::Here { bytes, .. } => !bytes.is_empty(),
                State::Out { len } => *len > 0,
                State::Wanted | State::Asked => false,
            };
            beyond(index) && some
        });
        if goes_on || self.done.iter().any(|index| beyond(&index)) {
            return self.end_with(Err(unexpected(
                "upload.getFile",
                "the file came to its end and goes on after it",
            )));
        }
        // The first of them may be the one that says so, and is still to be given out.
        self.parts.retain(|index, state| {
            let given = matches!(state.state, State::Out { .. });
            given || !beyond(index) || index.saturating_mul(part) == end
        });
        self.look_for_the_end();
    }

    /// Done when nothing is left to be asked for and all was taken away.
    fn look_for_the_end(&mut self) {
        while self.goes_on(self.next) && self.done.contains(self.next) {
            self.next += 1;
        }
        if self.outcome.is_none() && self.parts.is_empty() && !self.goes_on(self.next) {
            self.outcome = Some(Ok(()));
        }
    }

    /// Whether there may be anything in this part.
    fn goes_on(&self, index: u64) -> bool {
        let begin = index.saturating_mul(self.settings.part);
        let begin = begin.max(self.settings.from);
        begin < self.end.unwrap_or(LONGEST)
    }

    /// How many bytes of this part are wanted, of a file whose size is known.
    fn wanted_of(&self, index: u64) -> u64 {
        let begin = index.saturating_mul(self.settings.part);
        let end = begin.saturating_add(self.settings.part);
        let end = end.min(self.end.unwrap_or(u64::MAX));
        end.saturating_sub(begin.max(self.settings.from))
    }

    /// What is done once for all parts.
    fn errand(&mut self) -> Option<Ask> {
        if let Some(refresh @ Errand::Wanted(())) = &mut self.refresh {
            *refresh = Errand::UnderWay;
            let file = self.file.clone();
            return Some(self.ask(About::Refresh, None, What::Refresh { file }));
        }
        let dc_id = self.file.dc_id;
        let cdn = self.cdn.as_mut()?;
        let (number, redirect) = (cdn.number, cdn.redirect.clone());
        let request_token = match &mut cdn.reupload {
            Some(Errand::Wanted(token)) => token.clone(),
            _ => return None,
        };
        // Kept, to be asked again if that fails.
        cdn.reupload = Some(Errand::UnderWay);
        let what = What::Reupload {
            dc_id,
            cdn: redirect,
            request_token,
        };
        Some(self.ask(About::Reupload, Some(number), what))
    }

    /// Asks for a part, or for what is needed before. Nothing if that is under way.
    fn ask_for(&mut self, index: u64, now: Instant) -> Option<Ask> {
        let (cdn, waits) = match &self.cdn {
            Some(cdn) => (
                Some((cdn.number, cdn.redirect.clone())),
                cdn.reupload.is_some(),
            ),
            None => (None, false),
        };
        if waits {
            return None;
        }
        let hashed = cdn.is_some() || self.settings.verify;
        let piece = self.piece(index, hashed);
        let mut hashes = Vec::new();
        if hashed {
            let size = self.settings.size.or(self.hashes_end);
            match self.hashes.cover(piece.offset, piece.end(), size) {
                Cover::Whole(cover) => hashes = cover,
                Cover::Missing(offset) => {
                    let errands = self.errands_not_before.is_none_or(|then| then <= now);
                    if !errands || self.hashes_asked.contains(&offset) {
                        return None;
                    }
                    self.hashes_asked.push(offset);
                    let (number, what) = match cdn {
                        Some((number, cdn)) => {
                            let dc_id = self.file.dc_id;
                            (Some(number), What::CdnHashes { dc_id, cdn, offset })
                        }
                        None => {
                            let file = self.file.clone();
                            (None, What::Hashes { file, offset })
                        }
                    };
                    return Some(self.ask(About::Hashes { offset }, number, what));
                }
                Cover::Across => {
                    if cdn.is_some() {
                        log::info!("the CDN's hashes do not fit the parts");
                        self.leave_cdn(false);
                    } else {
                        self.settings.verify = false;
                    }
                    return self.ask_for(index, now);
                }
            }
        }
        if let Some(part) = self.parts.get_mut(&index) {
            part.state = State::Asked;
            part.not_before = None;
        }
        let about = About::Part { index, piece };
        Some(match cdn {
            Some((number, cdn)) => {
                let what = What::CdnPart { cdn, piece, hashes };
                self.ask(about, Some(number), what)
            }
            None => {
                let what = What::Part {
                    file: self.file.clone(),
                    piece,
                    cdn_supported: self.settings.cdn,
                    hashes,
                };
                self.ask(about, None, what)
            }
        })
    }

    fn ask(&mut self, about: About, cdn: Option<u64>, what: What) -> Ask {
        self.last_id += 1;
        let asked = Asked {
            what: about,
            epoch: self.pace.epoch(),
            reference: self.reference,
            dc_id: self.file.dc_id,
            cdn,
            offered: self.settings.cdn,
        };
        self.asked.insert(self.last_id, asked);
        Ask {
            id: self.last_id,
            what,
        }
    }

    /// The bytes to ask for: the part, or what is wanted of it if there are no hashes to compare it
    /// with, which are of whole parts.
    fn piece(&self, index: u64, whole: bool) -> Piece {
        let begin = index.saturating_mul(self.settings.part);
        let end = begin.saturating_add(self.settings.part);
        let (mut from, mut to) = (begin, end);
        if !whole {
            from = from.max(self.settings.from / KIB * KIB);
            if let Some(wanted) = self.settings.to {
                to = to.min(wanted.div_ceil(KIB).saturating_mul(KIB));
            }
        }
        Piece {
            offset: from,
            limit: to.saturating_sub(from),
            precise: (from, to) != (begin, end),
        }
    }

    /// The CDN that this was asked of or about, if it is still the one.
    fn current_cdn(&mut self, asked: &Asked) -> Option<&mut Cdn> {
        let number = asked.cdn?;
        self.cdn.as_mut().filter(|cdn| cdn.number == number)
    }

    fn redirected(&mut self, redirect: Redirect, hashes: Vec<Hash>) {
        if !self.settings.cdn {
            // We had enough of CDNs meanwhile, and ask again without.
            return;
        }
        if self
            .cdn
            .as_ref()
            .is_none_or(|cdn| cdn.redirect.token != redirect.token)
        {
            if self.cdns >= u64::from(TURNS) {
                self.settings.cdn = false;
                return;
            }
            self.cdns += 1;
            self.hashes = Hashes::default();
            self.cdn = Some(Cdn {
                number: self.cdns,
                redirect: Arc::new(redirect),
                reupload: None,
                reuploads: 0,
            });
        }
        self.hashes.learn(hashes);
    }

    /// Back to the main data centre, which may or may not send us to a CDN again.
    fn leave_cdn(&mut self, may_return: bool) {
        self.cdn = None;
        self.hashes = Hashes::default();
        self.settings.cdn &= may_return;
    }

    /// The server has no hashes of what is to be compared.
    fn no_hashes(&mut self, asked: &Asked) {
        if asked.cdn.is_none() {
            self.settings.verify = false;
        } else if self.current_cdn(asked).is_some() {
            log::info!("the CDN's file has no hashes");
            self.leave_cdn(false);
        }
    }

    /// Something happened that changes how all parts are asked for.
    fn turn(&mut self, change: impl FnOnce(&mut Self)) {
        self.turns += 1;
        if self.turns > TURNS {
            let error = unexpected(
                "upload.getFile",
                "the data centres send us from one to the other",
            );
            return self.end_with(Err(error));
        }
        change(self);
    }

    /// A part failed, and is tried again after a while, unless that was so too often.
    fn failed(&mut self, index: u64, cdn: Option<u64>, error: Error, now: Instant) {
        let Some(part) = self.parts.get_mut(&index) else {
            return;
        };
        part.failures += 1;
        part.not_before = Some(now + delay(part.failures));
        if cdn.is_some() && part.failures >= CDN_TRIES {
            log::info!("the CDN is of no use: {error}");
            part.failures = 0;
            part.not_before = None;
            if self.cdn.as_ref().map(|cdn| cdn.number) == cdn {
                self.leave_cdn(false);
            }
        } else if part.failures >= TRIES {
            self.end_with(Err(error));
        } else {
            log::info!("part {index}: {error}; trying again");
        }
    }

    fn errand_failed(&mut self, asked: &Asked, error: Error, now: Instant) {
        self.errand_failures += 1;
        self.errands_not_before = Some(now + delay(self.errand_failures));
        if self.errand_failures < TRIES {
            log::info!("{error}; trying again");
            self.again_reupload(asked);
        } else if asked.cdn.is_some() {
            self.errand_failures = 0;
            self.leave_cdn(false);
        } else {
            self.end_with(Err(error));
        }
    }

    /// The CDN is asked once more, and says what for again if it still does not have the file.
    fn again_reupload(&mut self, asked: &Asked) {
        if let About::Reupload = asked.what
            && let Some(cdn) = self.current_cdn(asked)
        {
            cdn.reupload = None;
        }
    }

    fn end_with(&mut self, outcome: Result<()>) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
        }
    }

    /// How long everything waits, if it does because the server wants it.
    pub(in crate::files) fn held_for(&self, now: Instant) -> Option<Duration> {
        self.pace
            .held_until(now)
            .map(|until| until.saturating_duration_since(now))
    }

    /// How many parts are in memory or on their way there.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.parts.len()
    }
}

fn wrong(method: &'static str) -> Error {
    unexpected(method, "the answer is not one to what was asked")
}

fn tampered(by_cdn: bool) -> Error {
    let method = if by_cdn {
        "upload.getCdnFile"
    } else {
        "upload.getFile"
    };
    unexpected(method, "the bytes are not what their hashes say")
}

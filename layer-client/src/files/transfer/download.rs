//! The plan of a download: which part is asked for next, and where.
//!
//! A file is cut into parts of one size, which divides a MiB as the documentation wants it. A part
//! holds a slot from when it is first asked for until its bytes are taken away, and there are no more
//! slots than the [`Pace`] allows: that bounds the memory, and holds a download back whose reader is
//! slow.

mod answers;
mod ask;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

pub(in crate::files) use self::ask::{Answer, Ask, Chunk, Piece, Redirect, Settings, What};
use super::hashes::{Cover, Hashes};
use super::pace::{Begun, Pace};
use super::set::PartSet;
use crate::error::Result;
use crate::files::remote::Remote;

/// Nothing that is downloaded is longer than this.
const LONGEST: u64 = 1 << 40;
/// What `precise` requests are rounded to.
const KIB: u64 = 1024;

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
    begun: Begun,
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
    file: Arc<Remote>,
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
    pub(in crate::files) fn new(file: Remote, settings: Settings, done: PartSet) -> Self {
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
    pub(in crate::files) fn file(&self) -> &Remote {
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
            && let Some(errand) = self.errand(now)
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

    /// It was asked only now.
    pub(in crate::files) fn sent(&mut self, id: u64, now: Instant) {
        if let Some(asked) = self.asked.get_mut(&id) {
            asked.begun = self.pace.begin(now);
        }
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
    fn errand(&mut self, now: Instant) -> Option<Ask> {
        if let Some(refresh @ Errand::Wanted(())) = &mut self.refresh {
            *refresh = Errand::UnderWay;
            let file = self.file.clone();
            return Some(self.ask(About::Refresh, None, What::Refresh { file }, now));
        }
        let dc_id = self.file.dc_id();
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
        Some(self.ask(About::Reupload, Some(number), what, now))
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
        // There are no precise requests for files of the web.
        let piece = self.piece(index, hashed || self.file.is_web());
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
                            let dc_id = self.file.dc_id();
                            (Some(number), What::CdnHashes { dc_id, cdn, offset })
                        }
                        None => {
                            let file = self.file.clone();
                            (None, What::Hashes { file, offset })
                        }
                    };
                    return Some(self.ask(About::Hashes { offset }, number, what, now));
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
                self.ask(about, Some(number), what, now)
            }
            None => {
                let what = What::Part {
                    file: self.file.clone(),
                    piece,
                    cdn_supported: self.settings.cdn,
                    hashes,
                };
                self.ask(about, None, what, now)
            }
        })
    }

    fn ask(&mut self, about: About, cdn: Option<u64>, what: What, now: Instant) -> Ask {
        self.last_id += 1;
        let asked = Asked {
            what: about,
            begun: self.pace.begin(now),
            reference: self.reference,
            dc_id: self.file.dc_id(),
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

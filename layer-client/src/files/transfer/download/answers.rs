//! What becomes of the plan of a download when something was answered or failed.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::ask::{Answer, Piece, Redirect};
use super::{About, Asked, Cdn, Download, Errand, LONGEST, Settings, State};
use crate::error::{Error, Result};
use crate::files::transfer::hashes::{Hash, Hashes};
use crate::files::transfer::{Failure, TRIES, delay};
use crate::messages::unexpected;

/// So often a file may be sent somewhere else, and its reference be renewed, without a part between.
const TURNS: u32 = 4;
/// So often in a row a CDN may fail a part before its main data centre is asked for it.
const CDN_TRIES: u32 = 3;

impl Download {
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
            (About::Part { index, piece }, Answer::Sized { size, bytes }) => {
                if self.has_size(index, size) {
                    self.came(asked, index, piece, bytes, now);
                }
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
            (About::Refresh, Answer::Fresh(file)) => {
                self.errand_failures = 0;
                self.file = Arc::new(file.moved(self.file.dc_id()));
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
                self.pace.wait(asked.begun, wait, now);
                if let About::Reupload = what {
                    self.again_reupload(asked);
                }
            }
            (Failure::Moved(dc_id), About::Part { .. } | About::Hashes { .. })
                if asked.cdn.is_none() && dc_id > 0 =>
            {
                if asked.dc_id == self.file.dc_id() && dc_id != asked.dc_id {
                    self.turn(|plan| {
                        plan.file = Arc::new(plan.file.moved(dc_id));
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
                if let Error::Timeout(_) = error {
                    self.pace.too_much(asked.begun);
                }
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
        self.pace.well(asked.begun, now);
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

    /// A part came with the size of the whole file. Whether that can be.
    fn has_size(&mut self, index: u64, size: u64) -> bool {
        if *self.settings.size.get_or_insert(size) != size {
            self.end_with(Err(unexpected(
                "upload.getWebFile",
                "the file has another size than before",
            )));
            return false;
        }
        let end = self.end.map_or(size, |end| end.min(size));
        self.end = Some(end);
        let part = self.settings.part;
        self.parts
            .retain(|other, _| *other == index || other.saturating_mul(part) < end);
        true
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
    pub(super) fn leave_cdn(&mut self, may_return: bool) {
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

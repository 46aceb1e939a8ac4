//! The plan of an upload: which part is sent next, and what becomes of those that were not taken.
//!
//! Parts come in order from a source that is read once, and stay in memory until the server has them.
//! The [`Pace`] says how many there may be.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::pace::{Begun, Pace};
use super::set::PartSet;
use super::{Failure, TRIES, delay};
use crate::error::{Error, Result};
use crate::messages::unexpected;

/// So many parts are sent at a time, as long as there is a reason to wait: together they are encrypted in less time.
const GROUP: usize = 8;

/// A part to be sent.
#[derive(Debug)]
pub(in crate::files) struct Send {
    pub(in crate::files) id: u64,
    /// The whole request (`upload.saveFilePart`, `upload.saveBigFilePart`).
    pub(in crate::files) body: Bytes,
    /// Whether it goes the same way as the one before it.
    pub(in crate::files) same_way: bool,
}

#[derive(Debug)]
struct Part {
    body: Bytes,
    len: u64,
    /// Whether it is on its way.
    sent: bool,
    failures: u32,
    not_before: Option<Instant>,
}

/// The plan.
pub(in crate::files) struct Upload {
    pace: Pace,
    parts: BTreeMap<u64, Part>,
    /// The parts that the server has.
    saved: PartSet,
    saved_bytes: u64,
    sent: HashMap<u64, (u64, Begun)>,
    last_id: u64,
    /// How many more parts of the group that is being sent there may be.
    amid_group: usize,
    /// Whether the source has no more.
    ended: bool,
    paused: bool,
    outcome: Option<Result<()>>,
}

impl Upload {
    /// An upload of which the server has some parts already, of so many bytes.
    pub(in crate::files) fn new(first: usize, most: usize, saved: PartSet, bytes: u64) -> Self {
        Self {
            pace: Pace::new(first, most),
            parts: BTreeMap::new(),
            saved,
            saved_bytes: bytes,
            sent: HashMap::new(),
            last_id: 0,
            amid_group: 0,
            ended: false,
            paused: false,
            outcome: None,
        }
    }

    /// The parts that the server has.
    pub(in crate::files) fn saved(&self) -> &PartSet {
        &self.saved
    }

    /// Bytes that the server has.
    pub(in crate::files) fn saved_bytes(&self) -> u64 {
        self.saved_bytes
    }

    /// Sends nothing more, or again.
    pub(in crate::files) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            self.amid_group = 0;
        }
    }

    /// How it ended, once it has.
    pub(in crate::files) fn outcome(&self) -> Option<&Result<()>> {
        self.outcome.as_ref()
    }

    /// Whether there is room for another part.
    pub(in crate::files) fn wants(&self) -> bool {
        !self.ended && !self.paused && self.parts.len() < self.pace.limit()
    }

    /// A part, with how many bytes of the file are in its request.
    pub(in crate::files) fn add(&mut self, part: u64, body: Bytes, len: u64) {
        let part_of_it = Part {
            body,
            len,
            sent: false,
            failures: 0,
            not_before: None,
        };
        self.parts.insert(part, part_of_it);
    }

    /// The source has no more.
    pub(in crate::files) fn end(&mut self) {
        self.ended = true;
        self.look_for_the_end();
    }

    /// The part to send now; ask again until there is none.
    pub(in crate::files) fn poll(&mut self, now: Instant) -> Option<Send> {
        let held = self.pace.held_until(now).is_some();
        if self.outcome.is_some() || self.paused || held || self.sent.len() >= self.pace.limit() {
            return None;
        }
        // While there is enough on its way, or something and more to come, nobody waits for the first of a group.
        let unsent = self.parts.len() - self.sent.len();
        let busy = self.sent.len() >= 2 * GROUP && !self.ended;
        let wants = !self.sent.is_empty() && self.wants();
        let first = self.amid_group == 0;
        if first {
            if unsent < GROUP && (busy || wants) {
                return None;
            }
            self.amid_group = unsent.min(GROUP);
        }
        let left = std::mem::take(&mut self.amid_group);
        let ready = |part: &Part| !part.sent && part.not_before.is_none_or(|at| at <= now);
        let (number, part) = self.parts.iter_mut().find(|(_, part)| ready(part))?;
        self.amid_group = left.saturating_sub(1);
        part.sent = true;
        self.last_id += 1;
        self.sent
            .insert(self.last_id, (*number, self.pace.begin(now)));
        Some(Send {
            id: self.last_id,
            body: part.body.clone(),
            // Where there are few at a time they are better off on different ways.
            same_way: !first && self.pace.limit() >= 4 * GROUP,
        })
    }

    /// A part was sent only now.
    pub(in crate::files) fn sent(&mut self, id: u64, now: Instant) {
        if let Some((_, begun)) = self.sent.get_mut(&id) {
            *begun = self.pace.begin(now);
        }
    }

    /// When to look again if nothing happens.
    pub(in crate::files) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.outcome.is_some() || self.paused {
            return None;
        }
        let again = self.parts.values().filter(|part| !part.sent);
        let again = again
            .filter_map(|part| part.not_before)
            .filter(|at| *at > now);
        self.pace.held_until(now).or(again.min())
    }

    /// What the server said to a part: whether it has it. Gives back a request that is needed no more.
    pub(in crate::files) fn answered(
        &mut self,
        id: u64,
        answer: Result<bool>,
        now: Instant,
    ) -> Option<Bytes> {
        let (number, begun) = self.sent.remove(&id)?;
        let part = self.parts.get_mut(&number)?;
        part.sent = false;
        let kept = answer.and_then(|kept| {
            kept.then_some(()).ok_or_else(|| {
                unexpected("upload.saveFilePart", "the server did not keep the part")
            })
        });
        match kept.map_err(Failure::of) {
            Ok(()) => {
                let len = part.len;
                let part = self.parts.remove(&number);
                self.pace.well(begun, now);
                if self.saved.insert(number) {
                    self.saved_bytes += len;
                }
                self.look_for_the_end();
                return part.map(|part| part.body);
            }
            Err(Failure::Wait(wait)) => self.pace.wait(begun, wait, now),
            Err(Failure::Again(error)) => {
                if let Error::Timeout(_) = error {
                    self.pace.too_much(begun);
                }
                part.failures += 1;
                part.not_before = Some(now + delay(part.failures));
                if part.failures >= TRIES {
                    self.end_with(error);
                } else {
                    log::info!("part {number}: {error}; trying again");
                }
            }
            Err(Failure::Final(error) | Failure::Reference(error)) => self.end_with(error),
            Err(Failure::Moved(_) | Failure::Token) => {
                self.end_with(unexpected(
                    "upload.saveFilePart",
                    "that is no answer to a part",
                ));
            }
        }
        None
    }

    /// How long everything waits, if it does because the server wants it.
    pub(in crate::files) fn held_for(&self, now: Instant) -> Option<Duration> {
        self.pace
            .held_until(now)
            .map(|until| until.saturating_duration_since(now))
    }

    fn look_for_the_end(&mut self) {
        if self.ended && self.parts.is_empty() && self.outcome.is_none() {
            self.outcome = Some(Ok(()));
        }
    }

    fn end_with(&mut self, error: Error) {
        if self.outcome.is_none() {
            self.outcome = Some(Err(error));
        }
    }

    /// How many parts are in memory.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.parts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RpcError;

    fn rpc(code: i32, message: &str) -> Error {
        RpcError::parse(code, message).into()
    }

    #[test]
    fn an_upload_brings_each_part_whatever_happens() {
        for seed in 0..400 {
            println!("seed {seed}");
            let mut rng = fastrand::Rng::with_seed(seed);
            let total = rng.u64(1..60);
            let most = rng.usize(1..9);
            let mut before = PartSet::default();
            for _ in 0..rng.usize(..9) {
                before.insert(rng.u64(..total));
            }
            let before_bytes = before.count();
            let mut plan = Upload::new(2, most, before.clone(), before_bytes);
            let mut now = Instant::now();
            let mut under_way: Vec<(Instant, Send)> = Vec::new();
            let mut kept = before;
            let mut next = 0;
            for _ in 0..100_000 {
                while plan.wants() {
                    while plan.saved().contains(next) {
                        next += 1;
                    }
                    if next >= total {
                        plan.end();
                    } else {
                        plan.add(next, Bytes::copy_from_slice(&next.to_le_bytes()), 1);
                        next += 1;
                    }
                }
                while let Some(send) = plan.poll(now) {
                    under_way.push((now + Duration::from_millis(rng.u64(..500)), send));
                }
                assert!(plan.slots() <= most && under_way.len() <= most);
                if plan.outcome().is_some() {
                    break;
                }
                let times = under_way.iter().map(|(at, _)| *at);
                now = times.chain(plan.poll_timeout(now)).min().unwrap().max(now);
                if let Some(at) = under_way.iter().position(|(at, _)| *at <= now) {
                    let (_, send) = under_way.swap_remove(at);
                    let answer = match rng.u32(..20) {
                        0 => Err(rpc(420, "FLOOD_PREMIUM_WAIT_3")),
                        1 => Err(rpc(500, "RPC_CALL_FAIL")),
                        2 => Ok(false),
                        _ => {
                            let part = u64::from_le_bytes(send.body.as_ref().try_into().unwrap());
                            assert!(kept.insert(part), "a part that was kept was sent again");
                            Ok(true)
                        }
                    };
                    plan.answered(send.id, answer, now);
                }
            }
            assert!(plan.outcome().unwrap().is_ok());
            assert_eq!((kept.count(), plan.saved_bytes()), (total, total));
        }
    }

    #[test]
    fn parts_are_sent_in_groups_where_nobody_waits_for_them() {
        let now = Instant::now();
        let add = |plan: &mut Upload, parts: std::ops::Range<u64>| {
            for part in parts {
                plan.add(part, Bytes::from_static(b"x"), 1);
            }
        };
        let sent = |plan: &mut Upload| {
            let sends = std::iter::from_fn(|| plan.poll(now));
            sends.map(|send| send.same_way).collect::<Vec<_>>()
        };
        let group = [false, true, true, true, true, true, true, true];
        let mut plan = Upload::new(32, 32, PartSet::default(), 0);
        // The first goes at once, those behind it when there are enough of them, and all of these the same way.
        add(&mut plan, 0..1);
        let first = plan.poll(now).unwrap();
        add(&mut plan, 1..8);
        assert!(sent(&mut plan).is_empty());
        add(&mut plan, 8..9);
        assert_eq!(sent(&mut plan), group);
        add(&mut plan, 9..24);
        assert_eq!(sent(&mut plan), group);
        // With as much as two groups on its way, nobody waits for the first of another, even where there is no room.
        add(&mut plan, 24..32);
        assert_eq!(sent(&mut plan), group);
        assert!(!plan.wants() && sent(&mut plan).is_empty());
        plan.answered(first.id, Ok(true), now);
        add(&mut plan, 32..33);
        assert_eq!(sent(&mut plan), group);
        // Where there is room for few, each goes its own way, and without room at once.
        let mut plan = Upload::new(12, 12, PartSet::default(), 0);
        add(&mut plan, 0..12);
        assert_eq!(sent(&mut plan), [false; 12]);
        // When there is no more to come, or nothing on its way, it is sent what there is.
        let mut plan = Upload::new(12, 12, PartSet::default(), 0);
        add(&mut plan, 0..1);
        let first = plan.poll(now).unwrap();
        add(&mut plan, 1..2);
        assert!(sent(&mut plan).is_empty());
        plan.answered(first.id, Ok(true), now);
        let second = plan.poll(now).unwrap();
        add(&mut plan, 2..3);
        assert!(sent(&mut plan).is_empty() && second.id == 2);
        plan.end();
        assert_eq!(sent(&mut plan).len(), 1);
    }

    #[test]
    fn a_paused_upload_sends_nothing_and_reads_nothing() {
        let mut plan = Upload::new(4, 4, PartSet::default(), 0);
        let now = Instant::now();
        for part in 0..2 {
            plan.add(part, Bytes::from_static(b"x"), 1);
        }
        let send = plan.poll(now).unwrap();
        assert!(plan.wants());
        plan.pause(true);
        assert!(plan.poll(now).is_none() && !plan.wants());
        // What was under way is kept, and what failed waits for the end of the pause.
        plan.answered(send.id, Err(rpc(500, "RPC_CALL_FAIL")), now);
        let later = now + Duration::from_secs(60);
        assert!(plan.poll(later).is_none() && plan.poll_timeout(now).is_none());
        plan.pause(false);
        assert!(plan.poll(later).is_some() && plan.poll(later).is_some() && plan.wants());
    }

    #[test]
    fn an_upload_that_cannot_succeed_ends_with_its_error() {
        for (code, message) in [(400, "FILE_PARTS_INVALID"), (500, "RPC_CALL_FAIL")] {
            let mut plan = Upload::new(2, 2, PartSet::default(), 0);
            let mut now = Instant::now();
            plan.add(0, Bytes::from_static(b"x"), 1);
            let mut tries = 0;
            while plan.outcome().is_none() {
                let send = plan.poll(now).unwrap();
                tries += 1;
                plan.answered(send.id, Err(rpc(code, message)), now);
                now = plan.poll_timeout(now).unwrap_or(now);
            }
            assert!(plan.outcome().unwrap().clone().unwrap_err().is(message));
            assert_eq!(tries, if code == 400 { 1 } else { TRIES });
        }
    }
}

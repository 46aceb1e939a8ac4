//! Whole transfers against a server that is made up, with a clock that is made up too: parts are
//! answered in any order, late, wrongly, too short, from elsewhere or not yet. Whatever happens, each
//! byte is given out once and is right, and no more parts are in memory than were allowed. A failure
//! prints its seed.

use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_tl_types as tl;

use super::download::{Answer, Ask, Download, Piece, Redirect, Settings, What};
use super::hashes::{Cipher, Hash, verify};
use super::set::PartSet;
use crate::error::{Error, Result, RpcError};
use crate::files::FileLocation;
use crate::files::remote::Remote;

const PART: usize = 4096;
const HASHED: usize = 2048;
const KEY: ([u8; 32], [u8; 16]) = ([3; 32], [5; 16]);

fn rpc(code: i32, message: &str) -> Error {
    RpcError::parse(code, message).into()
}

fn big(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

fn small(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

fn raw(file: &Remote) -> &tl::enums::InputFileLocation {
    match file {
        Remote::File(file) => file.raw(),
        Remote::Web { .. } => panic!("a file of the web"),
    }
}

fn location(reference: u8, dc_id: i32) -> Remote {
    let location = tl::types::InputDocumentFileLocation {
        id: 7,
        access_hash: 8,
        file_reference: vec![reference],
        thumb_size: String::new(),
    };
    FileLocation::new(location.into(), dc_id, None).into()
}

/// The download of a file of so many parts.
fn of_parts(count: usize) -> Download {
    let settings = settings(Some(PART * count), PART);
    Download::new(location(1, 2), settings, PartSet::default())
}

fn settings(size: Option<usize>, part: usize) -> Settings {
    Settings {
        size: size.map(big),
        from: 0,
        to: None,
        part: big(part),
        first: 2,
        most: 5,
        in_order: true,
        cdn: true,
        verify: false,
    }
}

/// How often, in a hundred answers, which trouble happens.
#[derive(Clone, Copy, Default)]
struct Trouble {
    wait: u32,
    fail: u32,
    short: u32,
    wrong: u32,
    expire: u32,
    migrate: u32,
    not_there: u32,
    token: u32,
}

struct Server {
    rng: fastrand::Rng,
    file: Vec<u8>,
    dc_id: i32,
    reference: u8,
    /// Whether files are on a CDN, and under which token.
    cdn: Option<u8>,
    stored: bool,
    trouble: Trouble,
    /// Something that turns all parts round happened since the last part.
    turned: bool,
    refreshes: usize,
    waits: usize,
}

impl Server {
    fn new(seed: u64, size: usize, cdn: bool, trouble: Trouble) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            file: (0..size).map(|_| rng.u8(..)).collect(),
            dc_id: 2,
            reference: 1,
            cdn: cdn.then_some(1),
            stored: false,
            trouble,
            turned: false,
            refreshes: 0,
            waits: 0,
            rng,
        }
    }

    fn happens(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    fn bytes(&self, piece: Piece) -> Vec<u8> {
        let from = small(piece.offset).min(self.file.len());
        let to = small(piece.offset + piece.limit).min(self.file.len());
        self.file[from..to].to_vec()
    }

    fn hashes(&self, offset: u64) -> Vec<Hash> {
        let pieces = self.file.chunks(HASHED).enumerate();
        let hashes = pieces.map(|(at, piece)| Hash::of(big(at * HASHED), piece));
        hashes.skip(small(offset) / HASHED).take(3).collect()
    }

    fn redirect(&self, token: u8) -> Redirect {
        Redirect {
            dc_id: 203,
            token: vec![token],
            cipher: Cipher::new(&KEY.0, &KEY.1).unwrap(),
        }
    }

    /// What every request may meet.
    fn hindrance(&mut self) -> Result<()> {
        if self.happens(self.trouble.wait) {
            self.waits += 1;
            let name = ["FLOOD_WAIT", "FLOOD_PREMIUM_WAIT"][self.rng.usize(..2)];
            return Err(rpc(420, &format!("{name}_{}", self.rng.u32(..30))));
        }
        if self.happens(self.trouble.fail) {
            return Err(rpc(500, "RPC_CALL_FAIL"));
        }
        Ok(())
    }

    fn at_home(&mut self, file: &Remote) -> Result<()> {
        if !self.turned && self.happens(self.trouble.expire) {
            self.reference += 1;
            self.turned = true;
        }
        if !self.turned && self.happens(self.trouble.migrate) {
            self.dc_id = 7 - self.dc_id;
            self.turned = true;
        }
        if file.dc_id() != self.dc_id {
            return Err(rpc(303, &format!("FILE_MIGRATE_{}", self.dc_id)));
        }
        let tl::enums::InputFileLocation::InputDocumentFileLocation(at) = raw(file) else {
            panic!("another location")
        };
        if at.file_reference != [self.reference] {
            return Err(rpc(400, "FILE_REFERENCE_EXPIRED"));
        }
        Ok(())
    }

    fn give(&mut self, piece: Piece, mut bytes: Vec<u8>, hashes: &[Hash]) -> Answer {
        self.turned = false;
        if !hashes.is_empty() && self.happens(self.trouble.wrong) && !bytes.is_empty() {
            let at = self.rng.usize(..bytes.len());
            bytes[at] ^= 1;
        }
        if !hashes.is_empty() && !verify(piece.offset, &bytes, hashes) {
            return Answer::Tampered;
        }
        Answer::Bytes(bytes.into())
    }

    fn answer(&mut self, what: What) -> Result<Answer> {
        self.hindrance()?;
        match what {
            What::Part {
                file,
                piece,
                cdn_supported,
                hashes,
            } => {
                check(piece);
                self.at_home(&file)?;
                if let Some(token) = self.cdn.filter(|_| cdn_supported) {
                    return Ok(Answer::Redirect(
                        self.redirect(token),
                        self.hashes(piece.offset),
                    ));
                }
                let mut bytes = self.bytes(piece);
                if self.happens(self.trouble.short) {
                    bytes.truncate(bytes.len() / 2);
                }
                Ok(self.give(piece, bytes, &hashes))
            }
            What::CdnPart { cdn, piece, hashes } => {
                check(piece);
                assert!(!piece.precise, "a CDN knows no precise requests");
                assert!(!hashes.is_empty() || small(piece.offset) >= self.file.len());
                if self.happens(self.trouble.token) {
                    self.cdn = self.cdn.map(|token| token + 1);
                }
                if Some(cdn.token[0]) != self.cdn {
                    return Err(rpc(400, "FILE_TOKEN_INVALID"));
                }
                self.stored &= !self.happens(self.trouble.not_there);
                if !self.stored {
                    return Ok(Answer::NotThere(vec![9]));
                }
                let mut bytes = self.bytes(piece);
                let stored = Cipher::new(&KEY.0, &KEY.1).unwrap();
                assert!(stored.apply(piece.offset, &mut bytes));
                assert!(cdn.cipher.apply(piece.offset, &mut bytes));
                Ok(self.give(piece, bytes, &hashes))
            }
            What::Hashes { file, offset } => {
                self.at_home(&file)?;
                Ok(Answer::Hashes(self.hashes(offset)))
            }
            What::CdnHashes { dc_id, cdn, offset } => {
                if dc_id != self.dc_id || Some(cdn.token[0]) != self.cdn {
                    return Err(rpc(400, "FILE_TOKEN_INVALID"));
                }
                Ok(Answer::Hashes(self.hashes(offset)))
            }
            What::Reupload {
                dc_id,
                cdn,
                request_token,
            } => {
                assert_eq!(request_token, [9]);
                if dc_id != self.dc_id || Some(cdn.token[0]) != self.cdn {
                    return Err(rpc(400, "REQUEST_TOKEN_INVALID"));
                }
                self.stored = true;
                Ok(Answer::Hashes(self.hashes(0)))
            }
            What::Refresh { .. } => {
                self.refreshes += 1;
                Ok(Answer::Fresh(location(self.reference, 99)))
            }
        }
    }
}

/// The documentation's rules for `upload.getFile`.
fn check(piece: Piece) {
    let grain = if piece.precise { 1024 } else { 4096 };
    assert!(
        piece.offset.is_multiple_of(grain) && piece.limit.is_multiple_of(grain),
        "{piece:?}"
    );
    assert!(
        piece.precise || (1_u64 << 20).is_multiple_of(piece.limit),
        "{piece:?}"
    );
    assert!(piece.limit > 0 && piece.offset >> 20 == (piece.offset + piece.limit - 1) >> 20);
}

/// Runs a download to its end; what was given out, and where.
fn run(server: &mut Server, mut plan: Download, most: usize) -> Result<Vec<(u64, Bytes)>> {
    let mut now = Instant::now();
    let mut under_way: Vec<(Instant, Ask)> = Vec::new();
    let mut in_hand: Vec<(Instant, u64)> = Vec::new();
    let mut got = Vec::new();
    for _ in 0..1_000_000 {
        let later = |rng: &mut fastrand::Rng| now + Duration::from_millis(rng.u64(..500));
        while let Some(ask) = plan.poll(now) {
            under_way.push((later(&mut server.rng), ask));
        }
        while let Some(chunk) = plan.poll_chunk() {
            got.push((chunk.offset, chunk.bytes));
            in_hand.push((later(&mut server.rng), chunk.part));
        }
        assert!(plan.slots() <= most, "{} parts in memory", plan.slots());
        if let Some(outcome) = plan.outcome() {
            outcome.clone()?;
            assert!(in_hand.is_empty());
            let given: usize = got.iter().map(|(_, bytes)| bytes.len()).sum();
            assert_eq!(plan.progress(), (big(given), Some(big(given))));
            return Ok(got);
        }
        let times = under_way.iter().map(|(at, _)| *at);
        let times = times.chain(in_hand.iter().map(|(at, _)| *at));
        let next = times.chain(plan.poll_timeout(now)).min();
        now = now.max(next.expect("it waits for nothing and is not done"));
        if let Some(at) = under_way.iter().position(|(at, _)| *at <= now) {
            let (_, ask) = under_way.swap_remove(at);
            let answer = server.answer(ask.what);
            plan.answered(ask.id, answer, now);
        }
        if let Some(at) = in_hand.iter().position(|(at, _)| *at <= now) {
            plan.taken(in_hand.swap_remove(at).1);
        }
    }
    panic!("it does not come to its end");
}

/// Each byte once and right.
fn assert_is(got: &[(u64, Bytes)], wanted: &[u8], from: usize, in_order: bool) {
    let mut pieces: Vec<_> = got.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    if !in_order {
        pieces.sort_by_key(|(offset, _)| *offset);
    }
    let mut at = big(from);
    let mut all = Vec::new();
    for (offset, bytes) in pieces {
        assert_eq!(*offset, at, "a hole, or bytes twice");
        at += big(bytes.len());
        all.extend_from_slice(bytes);
    }
    assert!(all == wanted, "other bytes");
}

#[test]
fn whatever_happens_each_byte_comes_once_and_right() {
    for seed in 0..400 {
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let size = rng.usize(..PART * 40);
        let trouble = Trouble {
            wait: rng.u32(..12),
            fail: rng.u32(..10),
            short: 0,
            wrong: rng.u32(..8),
            expire: rng.u32(..8),
            migrate: rng.u32(..8),
            not_there: rng.u32(..10),
            token: rng.u32(..3),
        };
        let known = rng.bool();
        let trouble = Trouble {
            short: if known { rng.u32(..8) } else { 0 },
            ..trouble
        };
        let mut settings = settings(known.then_some(size), PART);
        settings.most = rng.usize(1..9);
        settings.in_order = rng.bool();
        settings.verify = rng.bool();
        let from = if rng.bool() { 0 } else { rng.usize(..=size) };
        settings.from = big(from);
        let to = rng.bool().then(|| rng.usize(from..=size));
        settings.to = to.map(big);
        let cdn = rng.bool();
        let mut server = Server::new(seed, size, cdn, trouble);
        let (most, in_order) = (settings.most, settings.in_order);
        let plan = Download::new(location(1, 2), settings, PartSet::default());
        let got = run(&mut server, plan, most).unwrap();
        assert_is(&got, &server.file[from..to.unwrap_or(size)], from, in_order);
    }
}

#[test]
fn what_was_done_before_is_not_asked_for_again() {
    let size = PART * 10 + 5;
    let mut server = Server::new(1, size, false, Trouble::default());
    let mut done = PartSet::default();
    for part in [0, 1, 4, 10] {
        done.insert(part);
    }
    let mut settings = settings(Some(size), PART);
    settings.in_order = false;
    let plan = Download::new(location(1, 2), settings, done.clone());
    assert_eq!(plan.progress(), (big(3 * PART + 5), Some(big(size))));
    let mut parts = 0;
    let mut plan = plan;
    let now = Instant::now();
    while plan.outcome().is_none() {
        let ask = plan.poll(now).unwrap();
        let What::Part { piece, .. } = &ask.what else {
            panic!("{ask:?}")
        };
        assert!(!done.contains(piece.offset / big(PART)));
        parts += 1;
        plan.answered(ask.id, server.answer(ask.what), now);
        let chunk = plan.poll_chunk().unwrap();
        plan.taken(chunk.part);
    }
    assert_eq!((parts, plan.done().count()), (7, 11));
    assert_eq!(plan.progress(), (big(size), Some(big(size))));
}

#[test]
fn a_slow_reader_holds_the_window_back() {
    let mut server = Server::new(1, PART * 50, false, Trouble::default());
    let mut plan = of_parts(50);
    let now = Instant::now();
    // Nobody takes anything away: no more is asked for than there are slots.
    let mut asked = 0;
    while let Some(ask) = plan.poll(now) {
        asked += 1;
        plan.answered(ask.id, server.answer(ask.what), now);
    }
    assert_eq!(asked, 5);
    let chunk = plan.poll_chunk().unwrap();
    assert!(plan.poll(now).is_none() && plan.poll_chunk().is_none());
    plan.taken(chunk.part);
    assert!(plan.poll(now).is_some() && plan.poll(now).is_none());
}

#[test]
fn a_reference_that_ran_out_is_renewed_once_for_all_parts() {
    let mut server = Server::new(1, PART * 20, false, Trouble::default());
    server.reference = 2;
    let plan = of_parts(20);
    let got = run(&mut server, plan, 5).unwrap();
    assert_is(&got, &server.file, 0, true);
    assert_eq!(server.refreshes, 1);
}

#[test]
fn parts_wait_while_the_reference_is_renewed() {
    let mut plan = of_parts(20);
    let now = Instant::now();
    let (one, two) = (plan.poll(now).unwrap(), plan.poll(now).unwrap());
    plan.answered(one.id, Err(rpc(400, "FILE_REFERENCE_EXPIRED")), now);
    let refresh = plan.poll(now).unwrap();
    assert!(matches!(refresh.what, What::Refresh { .. }));
    plan.answered(two.id, Err(rpc(400, "FILE_REFERENCE_EXPIRED")), now);
    assert!(plan.poll(now).is_none());
    plan.answered(refresh.id, Ok(Answer::Fresh(location(2, 2))), now);
    let again = plan.poll(now).unwrap();
    assert!(matches!(&again.what, What::Part { file, piece, .. }
        if raw(file) == raw(&location(2, 2)) && piece.offset == 0));
    assert!(matches!(plan.poll(now).unwrap().what, What::Part { .. }));
}

#[test]
fn what_comes_of_the_old_reference_when_there_is_a_new_one_renews_nothing() {
    let mut plan = of_parts(20);
    let now = Instant::now();
    let (one, two) = (plan.poll(now).unwrap(), plan.poll(now).unwrap());
    plan.answered(one.id, Err(rpc(400, "FILE_REFERENCE_EXPIRED")), now);
    let refresh = plan.poll(now).unwrap();
    plan.answered(refresh.id, Ok(Answer::Fresh(location(2, 2))), now);
    plan.answered(two.id, Err(rpc(400, "FILE_REFERENCE_EXPIRED")), now);
    for part in 0..2 {
        let again = plan.poll(now).unwrap();
        assert!(
            matches!(&again.what, What::Part { file, piece, .. }
                if raw(file) == raw(&location(2, 2)) && piece.offset == big(PART) * part),
            "{again:?}"
        );
    }
}

#[test]
fn waits_never_end_a_transfer() {
    let trouble = Trouble {
        wait: 90,
        ..Trouble::default()
    };
    let mut server = Server::new(1, PART * 30, false, trouble);
    let plan = of_parts(30);
    let got = run(&mut server, plan, 5).unwrap();
    assert_is(&got, &server.file, 0, true);
    assert!(server.waits > 100, "{}", server.waits);
}

#[test]
fn what_cannot_succeed_ends_with_its_error() {
    let ends = |trouble: Trouble, change: fn(&mut Server)| {
        let mut server = Server::new(1, PART * 5, false, trouble);
        change(&mut server);
        let plan = of_parts(5);
        run(&mut server, plan, 5).unwrap_err()
    };
    let fail = Trouble {
        fail: 100,
        ..Trouble::default()
    };
    assert!(ends(fail, |_| {}).is("RPC_CALL_FAIL"));
    let short = Trouble {
        short: 100,
        ..Trouble::default()
    };
    assert!(ends(short, |_| {}).to_string().contains("size"));
    // It is shorter than was said.
    let error = ends(Trouble::default(), |server| server.file.truncate(PART));
    assert!(error.to_string().contains("size"), "{error}");
}

#[test]
fn a_file_sent_from_one_data_centre_to_the_next_comes_to_an_end() {
    let mut plan = of_parts(5);
    let now = Instant::now();
    for dc_id in 3..99 {
        let Some(ask) = plan.poll(now) else { break };
        plan.answered(ask.id, Err(rpc(303, &format!("FILE_MIGRATE_{dc_id}"))), now);
    }
    let error = plan.outcome().unwrap().clone().unwrap_err();
    assert!(
        error.to_string().contains("from one to the other"),
        "{error}"
    );
    // And so does one whose reference is refused however new it is.
    let mut plan = of_parts(5);
    for _ in 0..99 {
        let Some(ask) = plan.poll(now) else { break };
        let answer = match ask.what {
            What::Refresh { .. } => Ok(Answer::Fresh(location(1, 2))),
            _ => Err(rpc(400, "FILE_REFERENCE_INVALID")),
        };
        plan.answered(ask.id, answer, now);
    }
    assert!(
        plan.outcome()
            .unwrap()
            .clone()
            .unwrap_err()
            .is("FILE_REFERENCE_INVALID")
    );
}

#[test]
fn a_cdn_that_lies_is_left() {
    let trouble = Trouble {
        wrong: 100,
        ..Trouble::default()
    };
    let mut server = Server::new(1, PART * 9, true, trouble);
    let plan = of_parts(9);
    // Every part of the CDN is another than it should be; the main data centre's are not compared.
    let got = run(&mut server, plan, 5).unwrap();
    assert_is(&got, &server.file, 0, true);
}

#[test]
fn a_redirect_that_comes_late_is_none_and_one_that_was_not_asked_for_an_error() {
    let mut server = Server::new(1, PART * 9, true, Trouble::default());
    let file = location(1, 2);
    let mut plan = Download::new(
        file.clone(),
        settings(Some(PART * 9), PART),
        PartSet::default(),
    );
    let now = Instant::now();
    let (one, two) = (plan.poll(now).unwrap(), plan.poll(now).unwrap());
    plan.answered(one.id, server.answer(one.what), now);
    let at_cdn = plan.poll(now).unwrap();
    assert!(matches!(at_cdn.what, What::CdnPart { .. }));
    plan.answered(at_cdn.id, Err(rpc(400, "SOMETHING")), now);
    // We had enough of the CDN when the other part is sent there.
    plan.answered(two.id, server.answer(two.what), now);
    assert!(plan.outcome().is_none());
    let again = plan.poll(now).unwrap();
    assert!(matches!(
        again.what,
        What::Part {
            cdn_supported: false,
            ..
        }
    ));
    let redirect = Answer::Redirect(server.redirect(1), Vec::new());
    plan.answered(again.id, Ok(redirect), now);
    assert!(plan.outcome().unwrap().is_err());
}

#[test]
fn a_paused_download_asks_for_nothing() {
    let mut server = Server::new(1, PART * 5, false, Trouble::default());
    let mut plan = of_parts(5);
    let now = Instant::now();
    let ask = plan.poll(now).unwrap();
    plan.pause(true);
    assert!(plan.poll(now).is_none() && plan.poll_timeout(now).is_none());
    // What was under way still comes.
    plan.answered(ask.id, server.answer(ask.what), now);
    assert!(plan.poll_chunk().is_some() && plan.poll(now).is_none());
    plan.pause(false);
    assert!(plan.poll(now).is_some());
}

fn web_location() -> Remote {
    let location = tl::types::InputWebFileLocation {
        url: "https://example.org/a".to_owned(),
        access_hash: 8,
    };
    Remote::Web {
        location: Box::new(location.into()),
        dc_id: 4,
        version: None,
    }
}

#[test]
fn a_file_of_the_web_says_its_size_with_its_first_part() {
    for (size, from, to) in [
        (PART * 7 + 5, 0, None),
        (PART * 7, 0, None),
        (PART * 7, PART * 3 + 9, Some(PART * 5 + 1)),
        (5, 0, Some(PART * 9)),
        (0, 0, None),
    ] {
        let server = Server::new(1, size, false, Trouble::default());
        let mut settings = settings(None, PART);
        (settings.from, settings.to) = (big(from), to.map(big));
        let mut plan = Download::new(web_location(), settings, PartSet::default());
        let (now, mut got, mut asks) = (Instant::now(), Vec::new(), Vec::new());
        let mut asked = 0;
        while plan.outcome().is_none() {
            asks.extend(std::iter::from_fn(|| plan.poll(now)));
            let ask: Ask = asks.remove(0);
            asked += 1;
            let What::Part { file, piece, .. } = ask.what else {
                panic!("{ask:?}")
            };
            assert!(file.is_web() && !piece.precise && piece.limit == big(PART));
            let (size, bytes) = (big(size), server.bytes(piece).into());
            plan.answered(ask.id, Ok(Answer::Sized { size, bytes }), now);
            while let Some(chunk) = plan.poll_chunk() {
                plan.taken(chunk.part);
                got.push((chunk.offset, chunk.bytes));
            }
        }
        assert!(plan.outcome().unwrap().is_ok() && asks.is_empty());
        let end = to.unwrap_or(size).min(size);
        assert_is(&got, &server.file[from..end], from, true);
        assert_eq!(plan.progress().1, Some(big(end - from)));
        // Nothing is asked for beyond the end, which is known.
        assert_eq!(asked, end.div_ceil(PART).max(1) - from / PART, "{size}");
    }
}

#[test]
fn a_file_of_the_web_that_changes_on_the_way_is_none() {
    let plan = Download::new(web_location(), settings(None, PART), PartSet::default());
    let (mut plan, now) = (plan, Instant::now());
    for size in [PART * 4, PART * 4 + 1] {
        let ask = plan.poll(now).unwrap();
        let (size, bytes) = (big(size), vec![0; PART].into());
        plan.answered(ask.id, Ok(Answer::Sized { size, bytes }), now);
    }
    let error = plan.outcome().unwrap().clone().unwrap_err();
    assert!(error.to_string().contains("another size"), "{error}");
}

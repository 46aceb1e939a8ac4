//! The world of a run: what happens in it, the network, and the client's side of it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::model::{
    CHANNELS, COMMON, FIRST, Kind, PLACES, QTS, SEQ, Server, Shown, id_of, place_of,
};
use super::shell::Shell;
use super::weather::Weather;
use crate::session::UpdatesState;
use crate::tl::{Deserializable, Serializable};
use crate::updates::engine::packet::Seq;
use crate::updates::engine::*;

/// From where on the ids of users are that are strangers at first.
const STRANGERS: std::ops::Range<i64> = 100..104;

pub(super) enum Wire {
    /// With the events that it tells of.
    Push(Packet, Vec<(usize, usize)>),
    Garbled(Vec<u8>),
    Own(usize, i32, i32),
    Answer(Request),
    Connected,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) events: usize,
    pub(super) given: usize,
    pub(super) requests: usize,
    pub(super) missed: usize,
    pub(super) crashes: usize,
}

pub(super) struct Sim {
    pub(super) dice: fastrand::Rng,
    pub(super) weather: Weather,
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) server: Server,
    pub(super) wire: BTreeMap<(Instant, u64), Wire>,
    pub(super) sent: u64,
    /// Until when the connection is down.
    pub(super) cut: Option<Instant>,
    pub(super) shell: Shell,
    /// For each delivery, up to which state something may be missing when it says so.
    pub(super) horizons: Vec<(i32, i32)>,
    /// The state that a "too long" told.
    pub(super) told: Option<i32>,
    pub(super) stuck: Option<Instant>,
    pub(super) acquainted: HashSet<i64>,
    pub(super) opened: HashSet<usize>,
    pub(super) garbled: usize,
    pub(super) calm: bool,
    pub(super) tally: Tally,
}

impl Sim {
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let now = Instant::now() + Duration::from_secs(3600);
        let known = dice.usize(0..=CHANNELS);
        let mut cursor = UpdatesState::default();
        if !weather.fresh {
            cursor.pts = 1;
            cursor.qts = 1;
            cursor.date = 1;
            cursor
                .channels
                .extend((FIRST..FIRST + known).map(|place| (id_of(place), 1)));
        }
        let fresh = weather.fresh;
        let mut shell = Shell::new(cursor, now);
        shell.join(true, dice.u8(0..3) == 0);
        if weather.second {
            shell.join(true, dice.bool());
        }
        Self {
            dice,
            weather,
            start: now,
            now,
            server: Server::new(&|place| !fresh && place < FIRST + known),
            wire: BTreeMap::new(),
            sent: 0,
            cut: None,
            shell,
            horizons: Vec::new(),
            told: None,
            stuck: None,
            acquainted: HashSet::new(),
            opened: HashSet::new(),
            garbled: 0,
            calm: false,
            tally: Tally::default(),
        }
    }

    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        if std::env::var_os("SIM_TRACE").is_some() {
            eprintln!("{:>10.3} {}", self.at().as_secs_f64(), what());
        }
    }

    pub(super) fn at(&self) -> Duration {
        self.now - self.start
    }

    pub(super) fn chance(&mut self, of_1000: u32) -> bool {
        of_1000 > 0 && self.dice.u32(0..1000) < of_1000
    }

    /// The time as the engine is told it.
    pub(super) fn clock(&mut self) -> Instant {
        if self.weather.jitter && self.dice.bool() {
            self.now - Duration::from_millis(self.dice.u64(0..30))
        } else {
            self.now
        }
    }

    // -- what happens -------------------------------------------------------------------------------------

    pub(super) fn happen(&mut self, place: usize) {
        let kind = match (place, self.dice.u8(0..10)) {
            (QTS | SEQ, _) | (_, 0..5) => Kind::New,
            (_, 5..7) => Kind::Edit,
            (_, 7) => Kind::Delete,
            (_, 8) => Kind::Pin,
            (COMMON, _) => Kind::Pin,
            _ => Kind::Read,
        };
        let count = match kind {
            Kind::Delete => self.dice.i32(1..4),
            _ => 1,
        };
        let member = self.server.places[place].member;
        let own = place != QTS && place != SEQ && kind != Kind::Read && self.chance(60) && member;
        let at = self.at();
        let number = self.server.happen(place, kind, count, own, at);
        let event = self.server.places[place].events[number];
        self.note(|| format!("{place}/{number} {event:?}"));
        self.tally.events += 1;
        if own {
            return self.send(Wire::Own(place, event.end, event.count), false);
        }
        if member {
            self.push(place, number, event.end);
        }
    }

    fn push(&mut self, place: usize, number: usize, end: i32) {
        let told = vec![(place, number)];
        let weather = self.weather;
        if self.cut.is_some() || self.chance(weather.lose) {
            return self.lose(told);
        }
        if self.chance(weather.garble) && place != SEQ {
            self.lose(told);
            let update = self.server.update(place, number, true);
            let short = tl::types::UpdateShort { update, date: 1 };
            let mut bytes = tl::enums::Updates::from(short).to_bytes();
            bytes.truncate(self.dice.usize(0..bytes.len()));
            return self.send(Wire::Garbled(bytes), false);
        }
        if self.chance(weather.too_long) && place != SEQ {
            self.lose(told);
            let packet = if place >= FIRST {
                let pts = self.dice.u8(0..8) > 0;
                let named = tl::types::UpdateChannelTooLong {
                    channel_id: id_of(place),
                    pts: pts.then_some(end),
                };
                Packet {
                    updates: vec![named.into()],
                    ..Packet::default()
                }
            } else {
                Packet::new(tl::enums::Updates::TooLong, 1)
            };
            return self.send(Wire::Push(packet, Vec::new()), false);
        }
        let update = self.server.update(place, number, true);
        let mut packet = Packet {
            updates: vec![update],
            ..Packet::default()
        };
        if place == SEQ {
            packet.seq = Some(Seq { start: end, end });
        } else if place == COMMON && self.chance(weather.short) {
            packet.needs.push(PeerId::user(self.dice.i64(STRANGERS)));
        } else if self.dice.bool() {
            packet.seq = Some(Seq { start: 0, end: 0 });
        }
        let late = self.chance(weather.delay);
        if self.chance(weather.repeat) {
            let again = Packet {
                updates: packet.updates.clone(),
                seq: packet.seq,
                needs: packet.needs.clone(),
                ..Packet::default()
            };
            let late = self.dice.bool();
            self.send(Wire::Push(again, told.clone()), late);
        }
        self.send(Wire::Push(packet, told), late);
        // What no difference brings back: it may be dropped, and must do no harm.
        if self.dice.u8(0..10) == 0 {
            let action = tl::types::SendMessageTypingAction {}.into();
            let typing = tl::types::UpdateUserTyping {
                user_id: 1,
                top_msg_id: None,
                action,
            };
            let short = tl::types::UpdateShort {
                update: typing.into(),
                date: 1,
            };
            self.send(Wire::Push(Packet::new(short.into(), 1), Vec::new()), false);
        }
    }

    fn send(&mut self, what: Wire, late: bool) {
        let fastest = if self.weather.is_fair() { 10 } else { 1 };
        let delay = match (late, self.weather.is_fair()) {
            (true, _) => self.dice.u64(50..1500),
            // In order.
            (false, true) => fastest,
            (false, false) => self.dice.u64(fastest..40),
        };
        self.sent += 1;
        let at = self.now + Duration::from_millis(delay);
        self.wire.insert((at, self.sent), what);
    }

    fn lose(&mut self, told: Vec<(usize, usize)>) {
        for (place, number) in told {
            let place = &mut self.server.places[place];
            let away = !place.member;
            let event = &mut place.events[number];
            event.lost = true;
            event.doomed |= away;
        }
    }

    /// What is under way is lost; questions are asked again by the connection that comes next.
    pub(super) fn cut(&mut self, time: Duration) {
        let until = self.now + time;
        self.note(|| format!("cut for {time:?}"));
        for (_, what) in std::mem::take(&mut self.wire) {
            match what {
                Wire::Push(_, told) => self.lose(told),
                Wire::Garbled(_) | Wire::Connected => {}
                Wire::Own(..) | Wire::Answer(_) => {
                    self.sent += 1;
                    let at = until + Duration::from_millis(self.dice.u64(1..60));
                    self.wire.insert((at, self.sent), what);
                }
            }
        }
        self.cut = Some(until);
        self.sent += 1;
        self.wire.insert((until, self.sent), Wire::Connected);
    }

    pub(super) fn member(&mut self) {
        let place = self.dice.usize(FIRST..PLACES);
        let log = &mut self.server.places[place];
        log.member = !log.member;
        let member = log.member;
        self.note(|| format!("{place}: member {member}"));
        if member {
            return self.happen(place);
        }
        for event in &mut self.server.places[place].events {
            event.doomed |= event.lost;
        }
    }

    // -- the client ---------------------------------------------------------------------------------------

    pub(super) fn pump(&mut self) {
        for _ in 0..self.shell.pump() {
            let number = self.horizons.len();
            let upto = match self.shell.pushed[number] {
                Shown::Missed(place) => self.told.unwrap_or(self.server.places[place].end),
                _ => 0,
            };
            let shown = self.shell.pushed[number];
            self.note(|| format!("    {number}: {shown:?} {upto}"));
            self.horizons.push((upto, self.server.places[QTS].end));
        }
        self.told = None;
        while let Some(request) = self.shell.engine.poll_request() {
            self.note(|| format!("  {request:?}"));
            self.tally.requests += 1;
            let slow = self.dice.u8(0..20) == 0 && !self.weather.is_fair();
            let most = if slow { 1500 } else { 40 };
            let delay = Duration::from_millis(self.dice.u64(1..most));
            // Not before there is a connection.
            let from = self.cut.unwrap_or(self.now).max(self.now);
            self.sent += 1;
            self.wire
                .insert((from + delay, self.sent), Wire::Answer(request));
        }
    }

    fn answer(&mut self, request: Request) {
        let weather = self.weather;
        let now = self.clock();
        let failure = if self.chance(weather.fail) {
            Some(Failure::Temporary)
        } else if self.chance(weather.refuse) {
            Some(Failure::Reset)
        } else {
            None
        };
        let at = self.at();
        let view = if self.chance(weather.lag) {
            at.saturating_sub(Duration::from_millis(self.dice.u64(0..3000)))
        } else {
            at
        };
        let skip = self.chance(weather.skip);
        self.note(|| format!("  = {request:?}: {failure:?}, as of {view:?}, skip {skip}"));
        let engine = &mut self.shell.engine;
        match (request, failure) {
            (Request::State, None) => {
                let state = self.server.state(at);
                let fresh = !engine.common.reset;
                engine.handle_state(state, now);
                // What was before the beginning is past.
                if fresh {
                    self.shell.excuse(COMMON, state.pts);
                    self.shell.excuse(QTS, state.qts);
                }
                for place in (FIRST..PLACES).filter(|_| fresh) {
                    if !self.shell.engine.channels.contains_key(&id_of(place)) {
                        self.shell.excuse(place, self.server.places[place].end);
                    }
                }
            }
            (Request::State | Request::Difference { .. }, Some(failure)) => {
                engine.handle_common_failed(failure, now);
            }
            (Request::Difference { pts, qts, date }, None) => {
                let answer = self.server.difference(pts, qts, date, view, skip);
                if let CommonAnswer::TooLong { pts } = answer {
                    self.told = Some(pts);
                }
                engine.handle_difference(answer, now);
                self.acquainted.extend(STRANGERS);
            }
            (Request::Channel { id, .. }, Some(failure)) => {
                engine.handle_channel_failed(id, failure, now);
                if failure == Failure::Reset {
                    self.opened.remove(&place_of(id));
                }
            }
            (Request::Channel { id, pts }, None) => {
                match self.server.channel_difference(id, pts, view, skip) {
                    Ok(answer) => {
                        if let ChannelAnswer::TooLong { pts, .. } = &answer {
                            self.told = *pts;
                        }
                        engine.handle_channel_difference(id, answer, now);
                    }
                    Err(failure) => {
                        engine.handle_channel_failed(id, failure, now);
                        self.opened.remove(&place_of(id));
                    }
                }
            }
        }
    }

    pub(super) fn arrive(&mut self, what: Wire) {
        let now = self.clock();
        match what {
            Wire::Push(packet, told) => {
                self.note(|| format!("  > {told:?}"));
                // A channel of which nothing is known begins where the first push says.
                for (place, number) in told {
                    let event = self.server.places[place].events[number];
                    if place >= FIRST && !self.shell.engine.channels.contains_key(&id_of(place)) {
                        self.shell.excuse(place, event.end - event.count);
                    }
                }
                let acquainted = &self.acquainted;
                let known =
                    |id: PeerId| !STRANGERS.contains(&id.bare()) || acquainted.contains(&id.bare());
                self.shell.engine.handle_packet(packet, &known, now);
            }
            Wire::Garbled(bytes) => {
                assert!(tl::enums::Updates::from_bytes(&bytes).is_err());
                self.garbled += 1;
                self.shell.engine.handle_malformed();
            }
            Wire::Own(place, end, count) => {
                let key = if place == COMMON {
                    Key::Common
                } else {
                    Key::Channel(id_of(place))
                };
                // A channel of which nothing is known may begin here as well as with an update.
                if place != COMMON && !self.shell.engine.channels.contains_key(&id_of(place)) {
                    self.shell.excuse(place, end);
                }
                self.shell.engine.handle_own(key, end, count, now);
            }
            Wire::Answer(request) => self.answer(request),
            Wire::Connected => {
                self.cut = None;
                self.shell.engine.handle_lost();
            }
        }
        self.pump();
    }

    pub(super) fn begin_anew(&mut self, crash: bool) {
        self.tally.crashes += 1;
        self.note(|| format!("begins anew, by a crash: {crash}"));
        let (unhandled, cursor) = self.shell.unhandled();
        for shown in unhandled {
            let Shown::Event {
                place,
                number,
                kind,
            } = shown
            else {
                continue;
            };
            let covered = match place {
                COMMON => cursor.pts,
                QTS => cursor.qts,
                SEQ => cursor.seq,
                _ => cursor.channels.get(&id_of(place)).copied().unwrap_or(0),
            };
            // Where the server refused our state, what was given before may come again.
            let sure = kind != Kind::Read && self.weather.refuse == 0;
            let end = self.server.places[place].events[number].end;
            assert!(
                end > covered || !sure,
                "the cursor covers {shown:?}, which is not handled"
            );
        }
        if crash {
            for (_, what) in std::mem::take(&mut self.wire) {
                if let Wire::Push(_, told) = what {
                    self.lose(told);
                }
            }
            self.cut = None;
            self.shell.crash(&mut self.dice, self.now);
        } else {
            // Answers to an engine that is no more go nowhere.
            self.wire.retain(|_, what| !matches!(what, Wire::Answer(_)));
            self.shell.walk_out(self.now);
        }
        self.opened.clear();
        for place in self.server.places.iter_mut().filter(|place| !place.member) {
            for event in &mut place.events {
                event.doomed = true;
            }
        }
    }

    pub(super) fn read(&mut self) {
        if self.stuck.is_some_and(|until| until > self.now) {
            return;
        }
        self.stuck = None;
        for reader in 0..self.shell.readers.len() {
            let slow = if reader == 1 && self.weather.second && !self.calm {
                self.weather.slow.max(500)
            } else {
                self.weather.slow
            };
            if self.chance(slow) {
                continue;
            }
            for _ in 0..self.dice.usize(1..12) {
                let acks = self.dice.u8(0..10) == 0;
                if !self.shell.read(reader, acks, self.now) && !acks {
                    break;
                }
            }
        }
        self.shell.work(&mut self.dice, self.calm, self.now);
        self.pump();
    }
}

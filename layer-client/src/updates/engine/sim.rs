//! The engine against a model server, through loss, delay, duplication, reordering, failures, a
//! slow consumer and crashes, faster than real time. A failure prints its seed; `LAYER_SIM_SEEDS`
//! sets how many are tried, `LAYER_SIM_SEED` picks one.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::tests::{label, new, new_in};
use super::*;
use crate::session::UpdatesState;
use crate::updates::hub::apply;

/// What the consumer's queue holds before the engine is told to stop.
const QUEUE: usize = 12;
/// Events that a difference brings at most.
const SLICE: usize = 5;

#[derive(Clone, Copy)]
struct Event {
    pts: i32,
    date: i32,
    /// It came of a call of the client's own, whose answer told it.
    own: bool,
}

enum Wire {
    Push(Packet),
    Own(Key, i32, i32),
    Answer(Request),
}

struct World {
    rng: fastrand::Rng,
    start: Instant,
    now: Instant,
    server: BTreeMap<Key, Vec<Event>>,
    wire: Vec<(Instant, Wire)>,
    engine: Engine,
    queue: VecDeque<Delivery>,
    /// The mark of what the consumer was given last: handled when it asks for the next.
    given: Option<Mark>,
    cursor: UpdatesState,
    /// Ids in the order that they were delivered in, by box; `None` stands for a crash.
    seen: BTreeMap<Key, Vec<Option<i32>>>,
    faults: bool,
    stuck_consumer: bool,
    missed: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let now = Instant::now();
        let channels = rng.i64(0..6);
        let mut server = BTreeMap::from([(Key::Common, Vec::new())]);
        let mut cursor = UpdatesState {
            pts: 1,
            date: 1,
            ..UpdatesState::default()
        };
        for id in 1..=channels {
            server.insert(Key::Channel(id), Vec::new());
            // The first half is known from the start, the others are met on the way.
            if id * 2 <= channels {
                cursor.channels.insert(id, 1);
            }
        }
        let engine = restart(&cursor, now);
        Self {
            rng,
            start: now,
            now,
            server,
            wire: Vec::new(),
            engine,
            queue: VecDeque::new(),
            given: None,
            cursor,
            seen: BTreeMap::new(),
            faults: true,
            stuck_consumer: false,
            missed: 0,
        }
    }

    fn date(&self) -> i32 {
        i32::try_from((self.now - self.start).as_secs()).unwrap() + 1
    }

    fn pts(&self, key: Key) -> i32 {
        self.server[&key].last().map_or(1, |event| event.pts)
    }

    /// Something happens on the server, and is pushed, as well as the network does.
    fn happen(&mut self) {
        let keys: Vec<Key> = self.server.keys().copied().collect();
        let key = keys[self.rng.usize(0..keys.len())];
        let count = if self.rng.u8(0..5) == 0 { 2 } else { 1 };
        let own = self.rng.u8(0..10) == 0;
        let pts = self.pts(key) + count;
        let date = self.date();
        let events = self.server.get_mut(&key).unwrap();
        events.push(Event { pts, date, own });
        let id = i32::try_from(events.len()).unwrap();
        if own {
            let delay = self.delay();
            self.wire
                .push((self.now + delay, Wire::Own(key, pts, count)));
            return;
        }
        let copies = match self.rng.u8(0..100) {
            0..10 if self.faults => 0,
            10..20 if self.faults => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let update = match key {
                Key::Common => new(id, pts, count),
                Key::Channel(channel) => new_in(channel, id, pts, count),
            };
            let packet = Packet {
                updates: vec![update],
                ..Packet::default()
            };
            let delay = self.delay();
            self.wire.push((self.now + delay, Wire::Push(packet)));
        }
    }

    fn delay(&mut self) -> Duration {
        let most = if self.rng.u8(0..10) == 0 { 1500 } else { 60 };
        Duration::from_millis(self.rng.u64(1..most))
    }

    fn events_after(&self, key: Key, pts: i32) -> (Vec<tl::enums::Update>, i32, bool) {
        let events = &self.server[&key];
        let new_events: Vec<(usize, &Event)> = events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.pts > pts)
            .collect();
        let part = &new_events[..new_events.len().min(SLICE)];
        let updates = part
            .iter()
            .map(|(index, _)| {
                let id = i32::try_from(index + 1).unwrap();
                match key {
                    Key::Common => new(id, 0, 0),
                    Key::Channel(channel) => new_in(channel, id, 0, 0),
                }
            })
            .collect();
        let last = part.len() == new_events.len();
        let pts = part.last().map_or(self.pts(key), |(_, event)| event.pts);
        (updates, pts, last)
    }

    fn answer(&mut self, request: Request) {
        let fails = self.faults && self.rng.u8(0..10) == 0;
        match request {
            Request::State => unreachable!("the state is known from the start"),
            Request::Difference { .. } if fails => {
                self.engine
                    .handle_common_failed(Failure::Temporary, self.now);
            }
            Request::Channel { id, .. } if fails => {
                self.engine
                    .handle_channel_failed(id, Failure::Temporary, self.now);
            }
            Request::Difference { pts, date, .. } => {
                let (mut updates, pts, last) = self.events_after(Key::Common, pts);
                if last {
                    for (key, events) in &self.server {
                        let newest = events.last().filter(|event| event.date >= date);
                        if let (Key::Channel(channel_id), Some(event)) = (key, newest) {
                            let pts = Some(event.pts);
                            let channel_id = *channel_id;
                            updates
                                .push(tl::types::UpdateChannelTooLong { channel_id, pts }.into());
                        }
                    }
                }
                let answer = if updates.is_empty() {
                    CommonAnswer::Empty {
                        date: self.date(),
                        seq: 0,
                    }
                } else {
                    // A slice's date is that of the request: what its channels hold comes later.
                    let date = if last { self.date() } else { date };
                    let state = CommonState {
                        pts,
                        qts: 0,
                        seq: 0,
                        date,
                    };
                    CommonAnswer::Part {
                        updates,
                        peers: Arc::default(),
                        state,
                        last,
                    }
                };
                self.engine.handle_difference(answer, self.now);
            }
            Request::Channel { id, pts } => {
                let (updates, pts, last) = self.events_after(Key::Channel(id), pts);
                let timeout = Some(1);
                let answer = if updates.is_empty() {
                    ChannelAnswer::Empty { pts, last, timeout }
                } else {
                    ChannelAnswer::Part {
                        updates,
                        peers: Arc::default(),
                        pts,
                        last,
                        timeout,
                    }
                };
                self.engine.handle_channel_difference(id, answer, self.now);
            }
        }
    }

    /// Time goes by: the wire, the engine and the consumer do what is due.
    fn step(&mut self, time: Duration) {
        self.now += time;
        let now = self.now;
        let mut due: Vec<(Instant, Wire)> = Vec::new();
        let mut later = Vec::new();
        for item in self.wire.drain(..) {
            if item.0 <= now {
                due.push(item)
            } else {
                later.push(item)
            }
        }
        self.wire = later;
        due.sort_by_key(|(at, _)| *at);
        for (_, what) in due {
            match what {
                Wire::Push(packet) => self.engine.handle_packet(packet, &|_| true, now),
                Wire::Own(key, pts, count) => self.engine.handle_own(key, pts, count, now),
                Wire::Answer(request) => self.answer(request),
            }
            self.deliver();
        }
        self.engine.handle_timeout(now);
        self.deliver();
        while let Some(request) = self.engine.poll_request() {
            let delay = self.delay();
            self.wire.push((now + delay, Wire::Answer(request)));
        }
        if !self.stuck_consumer {
            for _ in 0..self.rng.usize(0..4) {
                self.consume();
            }
        }
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some(delivery) = self.engine.poll_delivery() {
            self.queue.push_back(delivery);
        }
        self.engine.set_paused(self.queue.len() >= QUEUE);
    }

    fn consume(&mut self) {
        if let Some(mark) = self.given.take() {
            apply(&mut self.cursor, mark);
        }
        while let Some(delivery) = self.queue.pop_front() {
            let Some(shown) = label(&delivery.payload) else {
                apply(&mut self.cursor, delivery.mark);
                continue;
            };
            self.given = Some(delivery.mark);
            let (key, id) = match shown.split_once('/') {
                Some((channel, id)) => (Key::Channel(channel.parse().unwrap()), id),
                None => (Key::Common, shown.as_str()),
            };
            match id.parse() {
                Ok(id) => self.seen.entry(key).or_default().push(Some(id)),
                Err(_) => self.missed += 1,
            }
            return;
        }
    }

    /// The process dies and starts again with the cursor that was saved.
    fn crash(&mut self) {
        self.wire.retain(|_| false);
        self.queue.clear();
        self.given = None;
        for seen in self.seen.values_mut() {
            seen.push(None);
        }
        self.engine = restart(&self.cursor, self.now);
    }

    fn check(&self, seed: u64) {
        // A channel that was never met is named when the difference does.
        let unmet = (self.server.len() - 1).div_ceil(2);
        assert!(
            self.missed <= unmet * 3,
            "seed {seed}: {} times too long",
            self.missed
        );
        for (&key, events) in &self.server {
            let known = match key {
                Key::Common => true,
                Key::Channel(id) => {
                    let channels = i64::try_from(self.server.len() - 1).unwrap();
                    id * 2 <= channels
                }
            };
            let empty = Vec::new();
            let seen = self.seen.get(&key).unwrap_or(&empty);
            let mut highest = None;
            let mut replaying = false;
            for id in seen {
                let Some(id) = *id else {
                    replaying = true;
                    continue;
                };
                // A channel that was never met begins wherever its first update does.
                let highest_so_far = highest.unwrap_or(if known { 0 } else { id - 1 });
                if id <= highest_so_far {
                    assert!(replaying, "seed {seed}: {key:?} {id} twice in {seen:?}");
                } else {
                    replaying = false;
                    let skipped = highest_so_far + 1..id;
                    for skipped in skipped {
                        let event = &events[usize::try_from(skipped - 1).unwrap()];
                        assert!(
                            event.own,
                            "seed {seed}: {key:?} {skipped} skipped in {seen:?}"
                        );
                    }
                    highest = Some(id);
                }
            }
            let from = usize::try_from(highest.unwrap_or(0)).unwrap();
            if known || highest.is_some() {
                let rest = &events[from..];
                assert!(
                    rest.iter().all(|event| event.own),
                    "seed {seed}: {key:?} ends at {from} of {}",
                    events.len()
                );
            }
        }
    }
}

fn restart(cursor: &UpdatesState, now: Instant) -> Engine {
    let state = CommonState {
        pts: cursor.pts,
        qts: cursor.qts,
        seq: cursor.seq,
        date: cursor.date,
    };
    let channels: Vec<(i64, i32)> = cursor
        .channels
        .iter()
        .map(|(&id, &pts)| (id, pts))
        .collect();
    Engine::new(Some(state), channels, now)
}

fn run(seed: u64, crashes: bool) {
    let mut world = World::new(seed);
    for _ in 0..world.rng.usize(50..300) {
        if world.rng.u8(0..3) == 0 {
            for _ in 0..world.rng.usize(1..4) {
                world.happen();
            }
        }
        match world.rng.u8(0..200) {
            0 if crashes => world.crash(),
            1 => world.stuck_consumer = true,
            2..10 => world.stuck_consumer = false,
            10 => world.engine.handle_lost(),
            _ => {}
        }
        let time = Duration::from_millis(world.rng.u64(1..200));
        world.step(time);
    }
    // The faults end; what was lost unnoticed comes to light by the silence at the latest.
    world.faults = false;
    world.stuck_consumer = false;
    for _ in 0..2_000 {
        world.step(Duration::from_secs(1));
    }
    for _ in 0..50 {
        world.consume();
    }
    world.check(seed);
}

fn seeds(ordinary: u64) -> std::ops::Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text: String| text.parse::<u64>().ok())
    };
    match (number("LAYER_SIM_SEED"), number("LAYER_SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(ordinary),
    }
}

#[test]
fn through_any_faults_every_update_is_delivered_once_and_in_order() {
    for seed in seeds(400) {
        run(seed, false);
    }
}

#[test]
fn through_crashes_every_update_is_delivered_at_least_once_and_in_order() {
    for seed in seeds(400) {
        run(seed, true);
    }
}

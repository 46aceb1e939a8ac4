//! The client's process: engine, queue and cursor, put together as the driver and the streams do.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::check::Step;
use super::model::{Shown, shown};
use crate::session::UpdatesState;
use crate::updates::engine::sequence::HELD_LIMIT;
use crate::updates::engine::{CommonState, Engine, Mark, channels};
use crate::updates::hub::apply;
use crate::updates::options::Filter;
use crate::updates::queue::{Item, Open, Queue};
use crate::updates::types::Update;

/// What the queue holds before the engine is told to stop.
const ROOM: usize = 24;
const BYTES: usize = 64 << 10;
/// What may come on top of that: a packet, and the differences that were under way.
const SLACK: usize = 160;
/// How late the cursor is saved at most.
const SAVED: Duration = Duration::from_millis(500);

/// One who reads the stream.
pub(super) struct Reader {
    id: u64,
    /// Which of all deliveries is its next.
    next: usize,
    /// What it was given, and when it had to begin anew.
    pub(super) steps: Vec<Step>,
    /// One that stays: its steps are held against the model.
    pub(super) stays: bool,
    /// What it hands to others, who are done with it in whatever order.
    pub(super) at_work: Option<Vec<u64>>,
    /// What it was given and has not handled, when it hands on nothing.
    in_hand: Option<usize>,
}

pub(super) struct Shell {
    pub(super) engine: Engine,
    queue: Queue,
    /// How many items the queue has taken, and which delivery each of those shows.
    taken: u64,
    shows: HashMap<u64, usize>,
    generation: u64,
    /// Everything that the engine delivered to be seen.
    pub(super) pushed: Vec<Shown>,
    pub(super) readers: Vec<Reader>,
    /// The cursor in memory, and what of it is not saved yet.
    session: UpdatesState,
    disk: UpdatesState,
    unsaved: VecDeque<(Instant, Mark)>,
}

fn begin(cursor: &UpdatesState, now: Instant) -> Engine {
    let state = CommonState {
        pts: cursor.pts,
        qts: cursor.qts,
        seq: cursor.seq,
        date: cursor.date,
    };
    let channels = cursor.channels.iter().map(|(&id, &pts)| (id, pts));
    Engine::new((cursor.pts != 0).then_some(state), channels, now)
}

impl Shell {
    pub(super) fn new(cursor: UpdatesState, now: Instant) -> Self {
        Self {
            engine: begin(&cursor, now),
            queue: Queue::with_room(ROOM, BYTES),
            taken: 0,
            shows: HashMap::new(),
            generation: 0,
            pushed: Vec::new(),
            readers: Vec::new(),
            session: cursor.clone(),
            disk: cursor,
            unsaved: VecDeque::new(),
        }
    }

    /// Someone begins to read, and hands on what is read, or not.
    pub(super) fn join(&mut self, stays: bool, hands_on: bool) {
        let id = self.queue.join(Filter::default());
        self.readers.push(Reader {
            id,
            next: self.pushed.len(),
            steps: Vec::new(),
            stays,
            at_work: hands_on.then(Vec::new),
            in_hand: None,
        });
    }

    /// Someone who does not stay goes.
    pub(super) fn guest_leaves(&mut self, now: Instant) {
        if let Some(at) = self.readers.iter().position(|reader| !reader.stays) {
            let reader = self.readers.remove(at);
            self.queue.leave(reader.id);
            self.commit(now);
        }
    }

    /// Takes what the engine has to say. Returns what is new to be seen.
    pub(super) fn pump(&mut self) -> usize {
        let before = self.pushed.len();
        while let Some(delivery) = self.engine.poll_delivery() {
            assert!(delivery.cost >= 64, "{delivery:?}");
            let (held, _) = self.queue.load();
            let shown = shown(&delivery.payload);
            let item = Item {
                // Which one it is, its number tells.
                update: shown.map(|_| Update::Damaged),
                mark: delivery.mark,
                cost: delivery.cost,
            };
            let all: Vec<u64> = self.readers.iter().map(|reader| reader.id).collect();
            self.queue.push(item, &all);
            if self.queue.load().0 > held {
                if let Some(shown) = shown {
                    self.shows.insert(self.taken, self.pushed.len());
                    self.pushed.push(shown);
                }
                self.taken += 1;
            } else {
                // A full queue may drop what no difference brings back.
                assert_eq!(shown, Some(Shown::Loose));
            }
        }
        let full = self.queue.is_full();
        self.engine.set_paused(full);
        self.check_bounds();
        self.pushed.len() - before
    }

    fn check_bounds(&self) {
        let (items, bytes) = self.queue.load();
        assert!(items <= ROOM + SLACK, "{items} items");
        assert!(bytes <= BYTES + SLACK * 4096, "{bytes} bytes");
        let engine = &self.engine;
        assert!(engine.outlet.held <= HELD_LIMIT);
        assert!(engine.running <= channels::CHANNELS_AT_ONCE);
        assert!(engine.timers.len() <= engine.channels.len());
        assert!(engine.unsettled.len() <= engine.channels.len());
        assert!(engine.ready.len() <= 2 * engine.channels.len() + 16);
        assert!(engine.stale.len() <= 2 * engine.channels.len());
        assert_eq!(engine.clock.len(), engine.channels.len());
    }

    /// A reader asks for its next, which says that it has handled what came before; or says so itself.
    pub(super) fn read(&mut self, reader: usize, acks: bool, now: Instant) -> bool {
        let Some(reader) = self.readers.get_mut(reader) else {
            return false;
        };
        let id = reader.id;
        self.queue.handled(id);
        reader.in_hand = None;
        if acks {
            self.commit(now);
            return false;
        }
        let taken = self.queue.take(id);
        if let Some((number, _)) = taken {
            let number = number.expect("it may miss none");
            let shown = self.shows[&number];
            // What was given back comes again.
            if reader.at_work.is_none() || shown >= reader.next {
                assert_eq!(shown, reader.next, "given to reader {id}");
                reader.steps.push(Step::Given(reader.next));
                reader.next += 1;
            }
            let open = if let Some(at_work) = &mut reader.at_work {
                at_work.push(number);
                Open::Receipt
            } else {
                reader.in_hand = Some(shown);
                Open::Given
            };
            self.queue.give(id, &[number], open);
        }
        self.commit(now);
        taken.is_some()
    }

    /// Those to whom a reader handed something on are done with some of it, or give it back.
    pub(super) fn work(&mut self, dice: &mut fastrand::Rng, all: bool, now: Instant) {
        for reader in &mut self.readers {
            let Some(at_work) = &mut reader.at_work else {
                continue;
            };
            while !at_work.is_empty() && (all || dice.u8(0..4) > 0) {
                let number = at_work.swap_remove(dice.usize(0..at_work.len()));
                let handled = all || dice.u8(0..10) > 0;
                self.queue.settle(reader.id, &[number], handled);
            }
        }
        self.commit(now);
    }

    /// What all have handled goes into the cursor, and a little later onto the disk.
    fn commit(&mut self, now: Instant) {
        for mark in self.queue.collect_marks() {
            apply(&mut self.session, mark);
            self.unsaved.push_back((now, mark));
        }
        while let Some(&(at, mark)) = self.unsaved.front()
            && at + SAVED < now
        {
            apply(&mut self.disk, mark);
            self.unsaved.pop_front();
        }
        let full = self.queue.is_full();
        self.engine.set_paused(full);
    }

    /// The process dies. What is found on the disk is the cursor of some moment in the last half second.
    pub(super) fn crash(&mut self, dice: &mut fastrand::Rng, now: Instant) {
        let saved = now - SAVED.mul_f64(dice.f64());
        for (at, mark) in std::mem::take(&mut self.unsaved) {
            if at <= saved {
                apply(&mut self.disk, mark);
            }
        }
        self.session = self.disk.clone();
        self.queue = Queue::with_room(ROOM, BYTES);
        self.generation = 0;
        self.taken = 0;
        self.begin_anew(now);
    }

    /// All readers leave, and come back to an engine that begins with what was handled.
    pub(super) fn walk_out(&mut self, now: Instant) {
        for reader in &self.readers {
            self.queue.leave(reader.id);
        }
        self.commit(now);
        assert_ne!(self.queue.generation(), self.generation);
        self.generation = self.queue.generation();
        self.begin_anew(now);
    }

    /// What was given to those who stay, and is not handled; and the cursor, which must not cover it.
    pub(super) fn unhandled(&self) -> (Vec<Shown>, &UpdatesState) {
        let mut numbers = Vec::new();
        for reader in self.readers.iter().filter(|reader| reader.stays) {
            numbers.extend(reader.in_hand);
            let at_work = reader.at_work.iter().flatten();
            numbers.extend(at_work.map(|number| self.shows[number]));
        }
        let shown = numbers.iter().map(|&number| self.pushed[number]);
        (shown.collect(), &self.session)
    }

    fn begin_anew(&mut self, now: Instant) {
        self.engine = begin(&self.session, now);
        self.shows.clear();
        self.readers.retain(|reader| reader.stays);
        for reader in &mut self.readers {
            reader.id = self.queue.join(Filter::default());
            reader.in_hand = None;
            if let Some(at_work) = &mut reader.at_work {
                at_work.clear();
            }
            reader.next = self.pushed.len();
            reader.steps.push(Step::Began(self.session.clone()));
        }
    }

    /// Says that a reader need not be given what lies before this state.
    pub(super) fn excuse(&mut self, place: usize, state: i32) {
        for reader in &mut self.readers {
            reader.steps.push(Step::Excused(place, state));
        }
    }
}

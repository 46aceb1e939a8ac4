//! The bounded queue between the driver and the program, with a place for each reader.
//!
//! An item stays until every reader that wants it has handled it, and the cursor moves over the
//! items that are gone. The slowest reader decides, unless it may miss some
//! ([`StreamOptions::lossy`](super::StreamOptions::lossy)).

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

use super::engine::Mark;
use super::options::Filter;
use super::types::Update;

/// From so many on, the engine stops taking live updates.
const SOFT_LIMIT: usize = 1000;
/// The same in bytes, as [`Item::cost`] counts them.
const SOFT_BYTES: usize = 4 << 20;
/// Beyond so many times that, updates that no difference brings back (typing and the like) are dropped.
const HARD: usize = 2;

pub(super) struct Queue {
    /// [`SOFT_LIMIT`] and [`SOFT_BYTES`].
    room: (usize, usize),
    items: VecDeque<Item>,
    /// What the items cost.
    bytes: usize,
    /// It has been filled to a limit, and not been emptied to half of it since.
    full: bool,
    /// The number of the first item; numbers go on for ever.
    first: u64,
    readers: Vec<Reader>,
    next_reader: u64,
    /// How often the last reader left. An engine that fed them is ahead of what was handled, so
    /// the next reader needs one of its own.
    generation: u64,
}

/// One step of the engine.
pub(super) struct Item {
    /// What there is to see; `None` when only the state moves on.
    pub(super) update: Option<Update>,
    pub(super) mark: Mark,
    /// About how many bytes of memory it holds.
    pub(super) cost: usize,
}

/// What a reader takes: an update, and the number by which it is told to be handled. What may be
/// missed has none.
pub(super) type Taken = (Option<u64>, Update);

/// What became of an item that was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// The stream has it, and the program has not seen it yet.
    Held,
    /// The program has it, and handles it before it asks for the next one.
    Given,
    /// The program has it, and tells by a receipt when it is handled.
    Receipt,
}

struct Reader {
    id: u64,
    filter: Filter,
    /// What it wants and has not taken; with the update itself when it may be missed.
    todo: VecDeque<(u64, Option<Update>)>,
    /// What it has taken and not handled, and how often it was taken.
    open: BTreeMap<u64, (Open, u32)>,
    /// What it gave back, and how often; it is taken before anything else.
    again: BTreeMap<u64, u32>,
    /// How many it missed since it was told.
    missed: u64,
    waker: Option<Waker>,
}

impl Reader {
    /// The first item that it still needs.
    fn needs(&self) -> Option<u64> {
        if self.filter.lossy.is_some() {
            return None;
        }
        let todo = self.todo.front().map(|&(number, _)| number);
        let open = self.open.keys().next().copied();
        let again = self.again.keys().next().copied();
        [todo, open, again].into_iter().flatten().min()
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::with_room(SOFT_LIMIT, SOFT_BYTES)
    }
}

impl Queue {
    pub(super) fn with_room(items: usize, bytes: usize) -> Self {
        Self {
            room: (items, bytes),
            items: VecDeque::new(),
            bytes: 0,
            full: false,
            first: 0,
            readers: Vec::new(),
            next_reader: 0,
            generation: 0,
        }
    }

    /// How many items are held, and their bytes.
    #[cfg(test)]
    pub(super) fn load(&self) -> (usize, usize) {
        (self.items.len(), self.bytes)
    }

    /// Whether the engine is to stop taking live updates.
    pub(super) fn is_full(&mut self) -> bool {
        let (items, bytes) = self.room;
        if self.items.len() >= items || self.bytes >= bytes {
            self.full = true;
        } else if self.items.len() <= items / 2 && self.bytes <= bytes / 2 {
            self.full = false;
        }
        self.full
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn has_readers(&self) -> bool {
        !self.readers.is_empty()
    }

    /// What each reader wants, to be looked up without holding the queue.
    pub(super) fn filters(&self) -> Vec<(u64, Filter)> {
        let filters = self.readers.iter();
        filters.map(|r| (r.id, r.filter.clone())).collect()
    }

    /// A new reader sees what comes from now on.
    pub(super) fn join(&mut self, filter: Filter) -> u64 {
        self.next_reader += 1;
        self.readers.push(Reader {
            id: self.next_reader,
            filter,
            todo: VecDeque::new(),
            open: BTreeMap::new(),
            again: BTreeMap::new(),
            missed: 0,
            waker: None,
        });
        self.next_reader
    }

    pub(super) fn leave(&mut self, reader: u64) {
        self.readers.retain(|r| r.id != reader);
        if self.readers.is_empty() {
            // What was not handled is fetched again by the next reader's difference.
            self.first = self.end();
            self.items.clear();
            self.bytes = 0;
            self.generation += 1;
        }
    }

    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Appends an item, which the readers with these ids want.
    pub(super) fn push(&mut self, item: Item, wanted: &[u64]) {
        if self.readers.is_empty() {
            return;
        }
        let (items, bytes) = self.room;
        let crowded = self.items.len() >= HARD * items || self.bytes >= HARD * bytes;
        if crowded && item.mark == Mark::Loose {
            log::warn!("the consumer of updates is too slow; one that cannot be fetched is lost");
            return;
        }
        let number = self.end();
        if let Some(update) = &item.update {
            for reader in self.readers.iter_mut().filter(|r| wanted.contains(&r.id)) {
                let copy = reader.filter.lossy.map(|capacity| {
                    if reader.todo.len() >= capacity && reader.todo.pop_front().is_some() {
                        reader.missed += 1;
                    }
                    update.clone()
                });
                reader.todo.push_back((number, copy));
                reader.wake();
            }
        }
        self.bytes += item.cost;
        self.items.push_back(item);
    }

    pub(super) fn wake(&mut self) {
        self.readers.iter_mut().for_each(Reader::wake);
    }

    fn reader(&mut self, id: u64) -> Option<&mut Reader> {
        self.readers.iter_mut().find(|r| r.id == id)
    }

    pub(super) fn wait(&mut self, reader: u64, waker: &Waker) {
        if let Some(reader) = self.reader(reader) {
            reader.waker = Some(waker.clone());
        }
    }

    /// The next item that this reader wants. It is held until it is said what becomes of it.
    pub(super) fn take(&mut self, reader: u64) -> Option<Taken> {
        let first = self.first;
        let reader = self.readers.iter_mut().find(|r| r.id == reader)?;
        if reader.missed > 0 {
            return Some((None, Update::Lagged(std::mem::take(&mut reader.missed))));
        }
        let (number, before) = match reader.again.pop_first() {
            Some(again) => again,
            None => match reader.todo.pop_front()? {
                (_, Some(update)) => return Some((None, update)),
                (number, None) => (number, 0),
            },
        };
        reader.open.insert(number, (Open::Held, before + 1));
        let at = usize::try_from(number.checked_sub(first)?).ok()?;
        let update = self.items.get(at)?.update.clone()?;
        Some((Some(number), update))
    }

    /// Says what became of what this reader has taken. Tells how often it was taken by now.
    pub(super) fn give(&mut self, reader: u64, numbers: &[u64], to: Open) -> u32 {
        let mut times = 1;
        if let Some(reader) = self.reader(reader) {
            for number in numbers {
                if let Some((open, taken)) = reader.open.get_mut(number) {
                    *open = to;
                    times = times.max(*taken);
                }
            }
        }
        times
    }

    /// Everything that was given to this reader is handled, but for what has a receipt.
    pub(super) fn handled(&mut self, reader: u64) {
        if let Some(reader) = self.reader(reader) {
            reader.open.retain(|_, (open, _)| *open != Open::Given);
        }
    }

    /// What this receipt is for is handled, or is to be taken again.
    pub(super) fn settle(&mut self, reader: u64, numbers: &[u64], handled: bool) {
        if let Some(reader) = self.reader(reader) {
            for &number in numbers {
                let open = reader.open.remove(&number);
                if let (Some((_, taken)), false) = (open, handled) {
                    reader.again.insert(number, taken);
                }
            }
            if !handled {
                reader.wake();
            }
        }
    }

    /// Lets go of what everyone has handled; the marks are for the cursor.
    pub(super) fn collect_marks(&mut self) -> Vec<Mark> {
        let needed = self.readers.iter().filter_map(Reader::needs).min();
        let done = needed.unwrap_or_else(|| self.end());
        let count = usize::try_from(done.saturating_sub(self.first)).unwrap_or(0);
        self.first += count as u64;
        let mut marks = Vec::new();
        for item in self.items.drain(..count.min(self.items.len())) {
            self.bytes = self.bytes.saturating_sub(item.cost);
            if !matches!(item.mark, Mark::None | Mark::Loose) {
                marks.push(item.mark);
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::super::StreamOptions;
    use super::*;

    fn item(pts: i32) -> Item {
        Item {
            update: Some(Update::Damaged),
            mark: Mark::Pts(pts),
            cost: 100,
        }
    }

    fn nothing(pts: i32) -> Item {
        Item {
            update: None,
            ..item(pts)
        }
    }

    fn lossy(capacity: usize) -> Filter {
        StreamOptions::new().lossy(capacity).filter
    }

    /// Takes the next one as a program does that handles one after the other.
    fn next(queue: &mut Queue, reader: u64) -> Option<u64> {
        let (number, _) = queue.take(reader)?;
        queue.give(reader, &[number?], Open::Given);
        number
    }

    #[test]
    fn an_update_counts_as_handled_when_the_next_is_asked_for() {
        let mut queue = Queue::default();
        let reader = queue.join(Filter::default());
        queue.push(item(1), &[reader]);
        queue.push(item(2), &[reader]);
        assert!(next(&mut queue, reader).is_some());
        assert_eq!(queue.collect_marks(), []);
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1)]);
        assert!(next(&mut queue, reader).is_some());
        assert_eq!(queue.collect_marks(), []);
    }

    #[test]
    fn a_mark_alone_counts_only_when_what_came_before_it_is_handled() {
        let mut queue = Queue::default();
        let reader = queue.join(Filter::default());
        queue.push(item(1), &[reader]);
        queue.push(nothing(2), &[reader]);
        assert!(next(&mut queue, reader).is_some());
        assert!(next(&mut queue, reader).is_none());
        assert_eq!(queue.collect_marks(), []);
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1), Mark::Pts(2)]);
        queue.push(nothing(3), &[reader]);
        assert_eq!(queue.collect_marks(), [Mark::Pts(3)]);
    }

    #[test]
    fn the_cursor_waits_for_the_slowest_reader() {
        let mut queue = Queue::default();
        let fast = queue.join(Filter::default());
        let slow = queue.join(Filter::default());
        queue.push(item(1), &[fast, slow]);
        for reader in [fast, slow] {
            assert!(next(&mut queue, reader).is_some());
        }
        queue.handled(fast);
        assert_eq!(queue.collect_marks(), []);
        queue.leave(slow);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1)]);
    }

    #[test]
    fn what_a_reader_does_not_want_it_holds_up_for_nobody() {
        let mut queue = Queue::default();
        let all = queue.join(Filter::default());
        let some = queue.join(Filter::default());
        for pts in 1..=4 {
            let wanted: &[u64] = if pts == 3 { &[all, some] } else { &[all] };
            queue.push(item(pts), wanted);
            assert!(next(&mut queue, all).is_some());
            queue.handled(all);
        }
        // The one that wants the third has read nothing at all.
        assert_eq!(queue.collect_marks(), [Mark::Pts(1), Mark::Pts(2)]);
        assert!(next(&mut queue, some).is_some());
        queue.handled(some);
        assert_eq!(queue.collect_marks(), [Mark::Pts(3), Mark::Pts(4)]);
    }

    #[test]
    fn receipts_in_any_order_move_the_cursor_over_what_is_handled_from_the_beginning() {
        let mut queue = Queue::default();
        let reader = queue.join(Filter::default());
        let mut taken = Vec::new();
        for pts in 1..=3 {
            queue.push(item(pts), &[reader]);
            let number = queue.take(reader).unwrap().0.unwrap();
            queue.give(reader, &[number], Open::Receipt);
            taken.push(number);
        }
        // Asking for the next says nothing about these.
        queue.handled(reader);
        queue.settle(reader, &[taken[1]], true);
        assert_eq!(queue.collect_marks(), []);
        queue.settle(reader, &[taken[0]], true);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1), Mark::Pts(2)]);
        // Given back, it comes again, and before anything else.
        queue.push(item(4), &[reader]);
        queue.settle(reader, &[taken[2]], false);
        assert_eq!(queue.collect_marks(), []);
        let (number, _) = queue.take(reader).unwrap();
        assert_eq!(number, Some(taken[2]));
        assert_eq!(queue.give(reader, &[taken[2]], Open::Given), 2);
        assert_eq!(next(&mut queue, reader), Some(taken[2] + 1));
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(3), Mark::Pts(4)]);
        // A receipt is good for once.
        queue.settle(reader, &[taken[2]], false);
        assert!(queue.take(reader).is_none());
    }

    #[test]
    fn a_reader_that_may_miss_some_holds_up_nobody_and_is_told_how_many() {
        let mut queue = Queue::default();
        let (whole, some) = (queue.join(Filter::default()), queue.join(lossy(2)));
        for pts in 1..=5 {
            queue.push(item(pts), &[whole, some]);
            assert!(next(&mut queue, whole).is_some());
            queue.handled(whole);
            assert_eq!(queue.collect_marks(), [Mark::Pts(pts)]);
        }
        assert!(matches!(queue.take(some), Some((None, Update::Lagged(3)))));
        for _ in 0..2 {
            assert!(matches!(queue.take(some), Some((None, Update::Damaged))));
        }
        assert!(queue.take(some).is_none() && queue.items.is_empty());
    }

    fn big(cost: usize, mark: Mark) -> Item {
        Item {
            mark,
            cost,
            ..item(1)
        }
    }

    #[test]
    fn it_is_full_by_count_or_by_bytes_until_it_is_half_empty() {
        for (cost, limit) in [(1, SOFT_LIMIT), (16384, SOFT_BYTES / 16384)] {
            let mut queue = Queue::default();
            let reader = queue.join(Filter::default());
            let mut pushed = 0;
            while !queue.is_full() {
                queue.push(big(cost, Mark::None), &[reader]);
                pushed += 1;
            }
            assert_eq!(pushed, limit);
            let mut taken = 0;
            while queue.is_full() {
                assert!(next(&mut queue, reader).is_some());
                queue.handled(reader);
                queue.collect_marks();
                taken += 1;
            }
            assert_eq!(taken, limit / 2);
        }
    }

    #[test]
    fn what_no_difference_brings_back_is_dropped_by_a_full_queue_and_nothing_else_is() {
        let mut queue = Queue::default();
        let reader = queue.join(Filter::default());
        for _ in 0..HARD * SOFT_LIMIT + 100 {
            queue.push(big(1, Mark::Loose), &[reader]);
        }
        assert_eq!(queue.items.len(), HARD * SOFT_LIMIT);
        // What a difference brought is named by the mark that comes behind it, and must not go.
        for n in 0..5000 {
            queue.push(big(1, Mark::None), &[reader]);
            queue.push(nothing(n), &[]);
        }
        assert_eq!(queue.items.len(), HARD * SOFT_LIMIT + 10_000);
        for _ in 0..HARD * SOFT_LIMIT + 5000 {
            assert!(next(&mut queue, reader).is_some());
        }
        assert!(queue.take(reader).is_none());
        queue.handled(reader);
        assert_eq!(queue.collect_marks().len(), 5000);
        assert_eq!((queue.items.len(), queue.bytes), (0, 0));

        for _ in 0..1000 {
            queue.push(big(16384, Mark::Loose), &[reader]);
        }
        assert_eq!(queue.bytes, HARD * SOFT_BYTES);
    }

    #[test]
    fn a_slow_reader_that_leaves_makes_room_for_the_others() {
        let mut queue = Queue::default();
        let fast = queue.join(Filter::default());
        let slow = queue.join(Filter::default());
        let mut given = 0;
        while !queue.is_full() {
            queue.push(item(1), &[fast, slow]);
            assert!(next(&mut queue, fast).is_some());
            queue.handled(fast);
            assert_eq!(queue.collect_marks(), []);
            given += 1;
        }
        queue.leave(slow);
        assert_eq!(queue.collect_marks().len(), given);
        assert!(!queue.is_full());
    }

    #[test]
    fn what_the_last_reader_did_not_handle_is_left_to_the_next_ones_difference() {
        let mut queue = Queue::default();
        let reader = queue.join(Filter::default());
        queue.push(item(1), &[reader]);
        queue.push(item(2), &[reader]);
        assert!(next(&mut queue, reader).is_some());
        queue.leave(reader);
        assert_eq!(queue.collect_marks(), []);
        assert_eq!((queue.generation(), queue.bytes), (1, 0));
        let reader = queue.join(Filter::default());
        assert!(queue.take(reader).is_none());
    }
}

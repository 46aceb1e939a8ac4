//! The bounded queue between the engine and the program, with a place for each reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::engine::{Delivery, Mark, Payload};
use crate::peers::PeerMap;

/// From so many on, the engine stops taking live updates.
const SOFT_LIMIT: usize = 1000;
/// Beyond so many, updates that no difference brings back (typing and the like) are dropped.
const HARD_LIMIT: usize = 4000;
/// The same two limits in bytes, as [`Delivery::cost`] counts them.
const SOFT_BYTES: usize = 4 << 20;
const HARD_BYTES: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Delivery>,
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

struct Reader {
    id: u64,
    /// The number of the next item to give.
    next: u64,
    /// Items before this number are handled.
    handled: u64,
    waker: Option<Waker>,
}

impl Queue {
    /// Whether the engine is to stop taking live updates.
    pub(super) fn is_full(&mut self) -> bool {
        if self.items.len() >= SOFT_LIMIT || self.bytes >= SOFT_BYTES {
            self.full = true;
        } else if self.items.len() <= SOFT_LIMIT / 2 && self.bytes <= SOFT_BYTES / 2 {
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

    /// A new reader sees what comes from now on.
    pub(super) fn join(&mut self) -> u64 {
        self.next_reader += 1;
        let end = self.end();
        self.readers.push(Reader {
            id: self.next_reader,
            next: end,
            handled: end,
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

    pub(super) fn push(&mut self, delivery: Delivery) {
        if self.readers.is_empty() {
            return;
        }
        let crowded = self.items.len() >= HARD_LIMIT || self.bytes >= HARD_BYTES;
        if crowded && delivery.mark == Mark::Loose {
            log::warn!("the consumer of updates is too slow; one that cannot be fetched is lost");
            return;
        }
        self.bytes += delivery.cost;
        self.items.push_back(delivery);
        self.wake();
    }

    pub(super) fn wake(&mut self) {
        for reader in &mut self.readers {
            if let Some(waker) = reader.waker.take() {
                waker.wake();
            }
        }
    }

    pub(super) fn wait(&mut self, reader: u64, waker: &Waker) {
        if let Some(reader) = self.readers.iter_mut().find(|r| r.id == reader) {
            reader.waker = Some(waker.clone());
        }
    }

    /// Everything that was given to this reader is handled.
    pub(super) fn handled(&mut self, reader: u64) {
        if let Some(reader) = self.readers.iter_mut().find(|r| r.id == reader) {
            reader.handled = reader.next;
        }
        self.pass_nothing();
    }

    /// What there is nothing to see of is handled with what came before it.
    fn pass_nothing(&mut self) {
        for reader in &mut self.readers {
            while reader.handled == reader.next
                && let Ok(at) = usize::try_from(reader.next - self.first)
                && let Some(item) = self.items.get(at)
                && matches!(item.payload, Payload::Nothing)
            {
                reader.next += 1;
                reader.handled = reader.next;
            }
        }
    }

    /// The next item that is something to see.
    pub(super) fn take(&mut self, reader: u64) -> Option<(Payload, Arc<PeerMap>)> {
        let alone = self.readers.len() == 1;
        let end = self.end();
        let reader = self.readers.iter_mut().find(|r| r.id == reader)?;
        while reader.next < end {
            let at = usize::try_from(reader.next - self.first).ok()?;
            let handled = reader.handled == reader.next;
            reader.next += 1;
            let item = self.items.get_mut(at)?;
            if matches!(item.payload, Payload::Nothing) {
                if handled {
                    reader.handled = reader.next;
                }
                continue;
            }
            let payload = if alone {
                std::mem::replace(&mut item.payload, Payload::Nothing)
            } else {
                item.payload.clone()
            };
            return Some((payload, Arc::clone(&item.peers)));
        }
        None
    }

    /// Lets go of what everyone has handled; the marks are for the cursor.
    pub(super) fn collect_marks(&mut self) -> Vec<Mark> {
        self.pass_nothing();
        let done = self
            .readers
            .iter()
            .map(|r| r.handled)
            .min()
            .unwrap_or(self.first);
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
    use super::*;

    fn item(pts: i32) -> Delivery {
        Delivery::new(Payload::Malformed, &Arc::default(), Mark::Pts(pts))
    }

    fn nothing(pts: i32) -> Delivery {
        Delivery {
            payload: Payload::Nothing,
            ..item(pts)
        }
    }

    #[test]
    fn an_update_counts_as_handled_when_the_next_is_asked_for() {
        let mut queue = Queue::default();
        let reader = queue.join();
        queue.push(item(1));
        queue.push(item(2));
        assert!(queue.take(reader).is_some());
        assert_eq!(queue.collect_marks(), []);
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1)]);
        assert!(queue.take(reader).is_some());
        assert_eq!(queue.collect_marks(), []);
    }

    #[test]
    fn a_mark_alone_counts_only_when_what_came_before_it_is_handled() {
        let mut queue = Queue::default();
        let reader = queue.join();
        queue.push(item(1));
        queue.push(nothing(2));
        assert!(queue.take(reader).is_some());
        assert!(queue.take(reader).is_none());
        assert_eq!(queue.collect_marks(), []);
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1), Mark::Pts(2)]);
        queue.push(nothing(3));
        assert!(queue.take(reader).is_none());
        assert_eq!(queue.collect_marks(), [Mark::Pts(3)]);
    }

    #[test]
    fn a_mark_behind_what_was_handled_last_counts_at_once() {
        let mut queue = Queue::default();
        let reader = queue.join();
        queue.push(item(1));
        queue.push(nothing(2));
        assert!(queue.take(reader).is_some());
        queue.handled(reader);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1), Mark::Pts(2)]);
    }

    #[test]
    fn the_cursor_waits_for_the_slowest_reader() {
        let mut queue = Queue::default();
        let (fast, slow) = (queue.join(), queue.join());
        queue.push(item(1));
        for reader in [fast, slow] {
            assert!(queue.take(reader).is_some());
        }
        queue.handled(fast);
        assert_eq!(queue.collect_marks(), []);
        queue.leave(slow);
        assert_eq!(queue.collect_marks(), [Mark::Pts(1)]);
    }

    fn message(length: usize, mark: Mark) -> Delivery {
        let peer = layer_tl_types::types::PeerUser { user_id: 7 }.into();
        let message = crate::messages::blank_message(1, peer, 0, "x".repeat(length));
        let update = layer_tl_types::types::UpdateNewMessage {
            message: message.into(),
            pts: 1,
            pts_count: 1,
        };
        Delivery::update(update.into(), &Arc::default(), mark, 1)
    }

    #[test]
    fn it_is_full_by_count_or_by_bytes_until_it_is_half_empty() {
        for (length, limit) in [(1, SOFT_LIMIT), (4096, SOFT_BYTES / (4 * 4096))] {
            let mut queue = Queue::default();
            let reader = queue.join();
            let mut pushed = 0;
            while !queue.is_full() {
                queue.push(message(length, Mark::None));
                pushed += 1;
                assert!(pushed <= limit, "{pushed} of {length} bytes");
            }
            assert!(pushed >= limit / 2, "{pushed} of {length} bytes");
            let mut taken = 0;
            while queue.is_full() {
                assert!(queue.take(reader).is_some());
                queue.handled(reader);
                queue.collect_marks();
                taken += 1;
            }
            let half = pushed.div_ceil(2);
            assert!(
                (half - 1..=half + 1).contains(&taken),
                "{taken} of {pushed}"
            );
        }
    }

    #[test]
    fn what_no_difference_brings_back_is_dropped_by_a_full_queue_and_nothing_else_is() {
        let mut queue = Queue::default();
        let reader = queue.join();
        for _ in 0..HARD_LIMIT + 100 {
            queue.push(message(1, Mark::Loose));
        }
        assert_eq!(queue.items.len(), HARD_LIMIT);
        // What a difference brought is named by the mark that comes behind it, and must not go.
        for n in 0..5000 {
            queue.push(message(1, Mark::None));
            queue.push(nothing(n));
        }
        assert_eq!(queue.items.len(), HARD_LIMIT + 10_000);
        for _ in 0..HARD_LIMIT + 5000 {
            assert!(queue.take(reader).is_some());
        }
        assert!(queue.take(reader).is_none());
        queue.handled(reader);
        assert_eq!(queue.collect_marks().len(), 5000);
        assert_eq!((queue.items.len(), queue.bytes), (0, 0));

        for _ in 0..1000 {
            queue.push(message(4096, Mark::Loose));
        }
        assert!(queue.bytes <= HARD_BYTES + 4 * 4200, "{}", queue.bytes);
    }

    #[test]
    fn a_slow_reader_that_leaves_makes_room_for_the_others() {
        let mut queue = Queue::default();
        let (fast, _slow) = (queue.join(), queue.join());
        let mut given = 0;
        while !queue.is_full() {
            queue.push(item(1));
            assert!(queue.take(fast).is_some());
            queue.handled(fast);
            assert_eq!(queue.collect_marks(), []);
            given += 1;
        }
        queue.leave(2);
        assert_eq!(queue.collect_marks().len(), given);
        assert!(!queue.is_full());
    }

    #[test]
    fn what_the_last_reader_did_not_handle_is_left_to_the_next_ones_difference() {
        let mut queue = Queue::default();
        let reader = queue.join();
        queue.push(item(1));
        queue.push(item(2));
        assert!(queue.take(reader).is_some());
        queue.leave(reader);
        assert_eq!(queue.collect_marks(), []);
        assert_eq!((queue.generation(), queue.bytes), (1, 0));
        let next = queue.join();
        assert!(queue.take(next).is_none());
    }
}

//! The bounded queue between the engine and the program, with a place for each reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::engine::{Delivery, Mark, Payload};
use crate::peers::PeerMap;

/// From so many on, the engine stops taking live updates.
pub(super) const SOFT_LIMIT: usize = 1000;
/// From so few on, it takes them again.
pub(super) const LOW_WATER: usize = 500;
/// Beyond so many, updates that no difference brings back (typing and the like) are dropped.
pub(super) const HARD_LIMIT: usize = 4000;

#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Delivery>,
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
    pub(super) fn len(&self) -> usize {
        self.items.len()
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
        if self.items.len() >= HARD_LIMIT && delivery.mark == Mark::None {
            log::warn!("the consumer of updates is too slow; one that cannot be fetched is lost");
            return;
        }
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
        let items = self.items.drain(..count.min(self.items.len()));
        items
            .map(|item| item.mark)
            .filter(|&mark| mark != Mark::None)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(pts: i32) -> Delivery {
        Delivery {
            payload: Payload::Malformed,
            peers: Arc::default(),
            mark: Mark::Pts(pts),
        }
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
}

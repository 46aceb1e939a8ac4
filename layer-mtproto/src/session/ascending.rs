//! A set of what mostly comes in ascending order, and mostly goes in the same.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// A sorted queue: what is higher than everything before is put behind it, and the lowest taken from the front,
/// for next to nothing. What comes late costs a search and the moving of what lies on the shorter side of it.
#[derive(Debug, Clone)]
pub(crate) struct Ascending<T>(VecDeque<T>);

impl<T> Default for Ascending<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Ord + Copy> Ascending<T> {
    /// Whether it was not there before.
    pub(crate) fn insert(&mut self, item: T) -> bool {
        match self.find(item) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, item);
                true
            }
        }
    }

    /// Where it is, or would have to go.
    fn find(&self, item: T) -> Result<usize, usize> {
        // At the end or close to it, mostly: what is in a container is older than the container.
        let nearly_all = self.0.len().saturating_sub(4);
        for (at, here) in self.0.range(nearly_all..).enumerate().rev() {
            match here.cmp(&item) {
                Ordering::Less => return Err(nearly_all + at + 1),
                Ordering::Equal => return Ok(nearly_all + at),
                Ordering::Greater => {}
            }
        }
        self.0.binary_search(&item)
    }

    /// As many [`insert`](Self::insert)s, for what may lie anywhere.
    pub(crate) fn insert_all(&mut self, items: impl IntoIterator<Item = T>) {
        let mut all = Vec::from(std::mem::take(&mut self.0));
        all.extend(items);
        all.sort_unstable();
        all.dedup();
        self.0 = all.into();
    }

    /// Whether it was there.
    pub(crate) fn remove(&mut self, item: T) -> bool {
        let found = match self.0.front() {
            Some(first) if *first == item => Ok(0),
            _ => self.find(item),
        };
        found.is_ok_and(|at| self.0.remove(at).is_some())
    }

    pub(crate) fn contains(&self, item: T) -> bool {
        self.find(item).is_ok()
    }

    pub(crate) fn first(&self) -> Option<T> {
        self.0.front().copied()
    }

    pub(crate) fn last(&self) -> Option<T> {
        self.0.back().copied()
    }

    pub(crate) fn pop_first(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    /// All of them; none are left.
    pub(crate) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.0).into()
    }

    /// Keeps no more room than what is there needs, and as much again.
    pub(crate) fn give_room_back(&mut self) {
        self.0.shrink_to(self.0.len() * 2);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        self.0.iter().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_does_what_an_ordered_set_does() {
        fastrand::seed(1);
        for _ in 0..50 {
            let (mut ours, mut theirs) = (Ascending::default(), BTreeSet::new());
            for step in 0..400 {
                // Mostly rising, sometimes not.
                let item = if fastrand::u8(..4) == 0 {
                    fastrand::i64(..400)
                } else {
                    step
                };
                match fastrand::u8(..8) {
                    0 => assert_eq!(ours.remove(item), theirs.remove(&item)),
                    1 => assert_eq!(ours.pop_first(), theirs.pop_first()),
                    2 => {
                        let more = [item, item - 7, item + 3, item];
                        ours.insert_all(more);
                        theirs.extend(more);
                    }
                    _ => assert_eq!(ours.insert(item), theirs.insert(item)),
                }
                assert_eq!(ours.contains(item), theirs.contains(&item));
                assert_eq!(
                    (ours.first(), ours.last()),
                    (theirs.first().copied(), theirs.last().copied())
                );
                assert_eq!(
                    (ours.len(), ours.is_empty()),
                    (theirs.len(), theirs.is_empty())
                );
                assert!(ours.iter().eq(theirs.iter().copied()));
            }
            assert_eq!(ours.take(), Vec::from_iter(theirs));
            assert!(ours.is_empty());
        }
    }
}

//! The hellos that came lately: who repeats one has overheard it.

use std::collections::{HashSet, VecDeque};

/// So many hellos are remembered.
const CAPACITY: usize = 64 * 1024;

/// The hellos that a server took lately, one for all of its connections.
///
/// Each is remembered until 65536 newer ones have come, which takes about 3 MiB. Time does not count, because the
/// time in a hello is not covered by its proof: who overhears one can move it to another. Only hellos made with the
/// secret are remembered, so that nobody else can drive them out.
#[derive(Debug, Default)]
pub struct Replays {
    known: HashSet<[u8; 16]>,
    /// In the order in which they came.
    order: VecDeque<[u8; 16]>,
}

impl Replays {
    /// Remembers a hello; `false` if it was known.
    pub(super) fn insert(&mut self, random: &[u8; 32]) -> bool {
        // The first half tells hellos apart as well as the whole, and has nothing of the time in it.
        let mut half = [0; 16];
        half.copy_from_slice(&random[..16]);
        if !self.known.insert(half) {
            return false;
        }
        self.order.push_back(half);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let mut replays = Replays::default();
        let mut insert = |number: usize| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&number.to_le_bytes());
            replays.insert(&random)
        };
        for number in 0..CAPACITY + 10 {
            assert!(insert(number));
        }
        assert!(!insert(10) && !insert(CAPACITY + 9));
        assert!(insert(0));
        let lengths = (replays.known.len(), replays.order.len());
        assert_eq!(lengths, (CAPACITY, CAPACITY));
    }
}

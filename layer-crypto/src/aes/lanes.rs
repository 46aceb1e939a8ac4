//! Which messages go at a time: each is a lane, and as soon as one is done the next takes its place.

use super::{Block, IgeJob};

/// Four blocks, which lie together in memory.
pub(crate) type Four = [Block; 4];

/// The most lanes that go at a time.
pub(crate) const MOST: usize = 16;

/// A message among others.
pub(crate) struct Lane<'a, C> {
    /// How far its chain of blocks has come.
    pub(crate) chain: C,
    rest: &'a mut [Block],
}

impl<'a, C> Lane<'a, C> {
    /// Takes the blocks of so many steps of four, of which there are as many.
    pub(crate) fn take(&mut self, steps: usize) -> &'a mut [Four] {
        let rest = std::mem::take(&mut self.rest);
        let (now, later) = rest.split_at_mut(steps * 4);
        self.rest = later;
        now.as_chunks_mut().0
    }
}

/// Takes `width` messages at a time, as long as there are as many. `begin` makes a chain, `together` does so many steps of
/// all lanes that it is given, and `alone` does the blocks of one.
#[inline(always)]
pub(crate) fn schedule<'a, C>(
    jobs: &'a mut [IgeJob<'_>],
    width: usize,
    mut begin: impl FnMut(&[u8; 32], &[u8; 32]) -> C,
    mut together: impl FnMut(&mut [Option<Lane<'a, C>>], usize),
    mut alone: impl FnMut(&mut C, &mut [Block]),
) {
    let mut jobs = jobs.iter_mut();
    let mut lanes: [Option<Lane<'a, C>>; MOST] = std::array::from_fn(|_| None);
    let mut count = 0;
    loop {
        while count < width.min(MOST)
            && let Some(job) = jobs.next()
        {
            lanes[count] = Some(Lane {
                chain: begin(job.key, job.iv),
                rest: job.data.as_chunks_mut().0,
            });
            count += 1;
        }
        if count == 0 {
            return;
        }
        let active = &mut lanes[..count];
        let steps = |lane: &Lane<'_, C>| lane.rest.len() / 4;
        let least = active.iter().flatten().map(steps).min().unwrap_or(0);
        if count > 1 && least > 0 {
            together(active, least);
        }
        // Those that have less than a step left, and the only one, go by themselves.
        let mut at = 0;
        while at < count {
            match &mut lanes[at] {
                Some(lane) if steps(lane) > 0 && count > 1 => at += 1,
                place => {
                    if let Some(mut lane) = place.take() {
                        alone(&mut lane.chain, lane.rest);
                    }
                    count -= 1;
                    lanes.swap(at, count);
                }
            }
        }
    }
}

//! How fast those who do not pay move files: beyond it they are told `FLOOD_PREMIUM_WAIT_X` (page `api/files`).

use std::collections::BTreeMap;

use super::World;
use crate::rpc::RpcError;

/// How fast accounts without Telegram Premium may move files; see [`Files::set_speed`](crate::Files::set_speed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed {
    /// Bytes in a second, both ways together.
    pub bytes_per_second: u64,
    /// Bytes that may go at once, after a rest. What is asked for in one call is never more than one mebibyte.
    pub burst: u64,
}

/// What accounts have moved.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    speed: Option<Speed>,
    /// Bytes that are still to be waited for, and when that was so. Accounts that rested are none of these.
    owed: BTreeMap<i64, (u64, i32)>,
}

impl Rates {
    /// Sets how fast it may be from now on.
    pub(crate) fn set(&mut self, speed: Option<Speed>) {
        self.speed = speed;
        self.owed.clear();
    }

    /// Whether so many bytes may go now, or after how many seconds.
    fn take(&mut self, user_id: i64, bytes: u64, now: i32) -> Result<(), u64> {
        let Some(speed) = self.speed else {
            return Ok(());
        };
        let rate = speed.bytes_per_second.max(1);
        let owed = |(owed, since): (u64, i32)| {
            let passed = u64::try_from(i64::from(now) - i64::from(since)).unwrap_or(0);
            owed.saturating_sub(passed.saturating_mul(rate))
        };
        self.owed.retain(|_, before| owed(*before) > 0);
        let before = self.owed.get(&user_id).map_or(0, |before| owed(*before));
        let after = before.saturating_add(bytes);
        // Who owes nothing may always ask: no call is larger than all that is ever allowed.
        if before > 0 && after > speed.burst {
            return Err((after - speed.burst.min(after)).div_ceil(rate).max(1));
        }
        self.owed.insert(user_id, (after, now));
        Ok(())
    }
}

impl World {
    /// Counts bytes that an account moves, or says how long it has to wait.
    pub(super) fn count_moved(&mut self, user_id: i64, bytes: usize) -> Result<(), RpcError> {
        if self.users.get(&user_id).is_some_and(|user| user.premium) {
            return Ok(());
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let taken = self.files.rates.take(user_id, bytes, self.now);
        taken.map_err(|seconds| {
            // No client would wait longer for a test.
            RpcError::new(420, format!("FLOOD_PREMIUM_WAIT_{}", seconds.min(3600)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_as_long_as_it_says_goes_on() {
        let mut rates = Rates::default();
        assert_eq!(rates.take(1, u64::MAX, 0), Ok(()), "no rule, no wait");
        rates.set(Some(Speed {
            bytes_per_second: 100,
            burst: 1000,
        }));
        assert_eq!(rates.take(1, 600, 0), Ok(()));
        assert_eq!(rates.take(1, 400, 0), Ok(()));
        assert_eq!(rates.take(1, 450, 0), Err(5));
        assert_eq!(rates.take(2, 450, 0), Ok(()), "each for itself");
        assert_eq!(rates.take(1, 450, 4), Err(1));
        assert_eq!(rates.take(1, 450, 5), Ok(()));
        // One call that is larger than everything does not wait for ever.
        assert_eq!(rates.take(3, 5000, 5), Ok(()));
        assert_eq!(rates.take(3, 1, 5), Err(41));
        assert_eq!(rates.take(3, 1, 46), Ok(()));
        // Those who rested are not remembered.
        rates.take(4, 1, 1000).unwrap();
        assert_eq!(rates.owed.len(), 1);
    }
}

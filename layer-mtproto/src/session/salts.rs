//! Server salts, on both sides.
//!
//! A salt belongs to the auth key and is good for a while. A client keeps some for the time ahead; a server
//! derives them, so that it has none to keep.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use layer_crypto::AuthKey;
use layer_crypto::sha::sha256;

/// A salt and when it is good, in server time since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FutureSalt {
    /// From when on.
    pub valid_since: i32,
    /// Until when.
    pub valid_until: i32,
    /// The salt.
    pub salt: i64,
}

/// For how long a salt is supposed to be good if nothing else is known: 30 minutes.
pub const SALT_PERIOD: Duration = Duration::from_secs(1800);

impl FutureSalt {
    /// A salt that was given without its time, at the server's time `since`.
    #[must_use]
    pub fn from(since: i64, salt: i64) -> Self {
        let since = i32::try_from(since).unwrap_or(i32::MAX);
        Self {
            valid_since: since,
            valid_until: since.saturating_add(1800),
            salt,
        }
    }
}

/// The salts that a client knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Salts {
    /// By the time from which they are good.
    known: Vec<FutureSalt>,
}

/// More than the 64 that a server gives are not kept.
const MAX_KNOWN: usize = 128;

impl Salts {
    pub(crate) fn new(known: Vec<FutureSalt>) -> Self {
        let mut salts = Self::default();
        salts.merge(known);
        salts
    }

    /// The salt for a message sent now; 0, which the server will correct, if none is known.
    pub(crate) fn current(&mut self, now: i64) -> i64 {
        let begun = self
            .known
            .partition_point(|salt| i64::from(salt.valid_since) <= now);
        // The youngest that is good already; the ones before it are done with.
        self.known.drain(..begun.saturating_sub(1));
        self.known.first().map_or(0, |salt| salt.salt)
    }

    /// Takes what the server gave on request.
    pub(crate) fn merge(&mut self, salts: impl IntoIterator<Item = FutureSalt>) {
        for salt in salts {
            if salt.valid_since < salt.valid_until {
                self.known
                    .retain(|known| known.valid_since != salt.valid_since);
                self.known.push(salt);
            }
        }
        self.known.sort_by_key(|salt| salt.valid_since);
        self.known.truncate(MAX_KNOWN);
    }

    /// Takes the salt that the server says is the right one now. One that we did not know means that what we
    /// know is worth nothing.
    pub(crate) fn correct(&mut self, now: i64, salt: i64) {
        match self.known.iter().position(|known| known.salt == salt) {
            Some(at) => {
                self.known.drain(..at);
                let first = &mut self.known[0];
                first.valid_since = first
                    .valid_since
                    .min(i32::try_from(now).unwrap_or(i32::MAX));
            }
            None => self.known = vec![FutureSalt::from(now, salt)],
        }
    }

    /// For how many seconds from now on salts are known.
    pub(crate) fn ahead(&self, now: i64) -> i64 {
        self.known
            .iter()
            .map(|salt| i64::from(salt.valid_until) - now)
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn known(&self) -> &[FutureSalt] {
        &self.known
    }
}

/// The salts that a server gives out for one auth key: one for each period, derived from the key. Clones are
/// the same book, so that all sessions of a key agree.
#[derive(Clone)]
pub struct SaltBook(Arc<Book>);

struct Book {
    seed: [u8; 32],
    period: i64,
    changing: Mutex<Changing>,
}

#[derive(Default)]
struct Changing {
    /// The salt that followed from the key exchange, and until when it is taken.
    first: Option<(i64, i64)>,
    /// How often all salts were thrown away.
    generation: u32,
}

impl SaltBook {
    /// The salts of a key. `first` is the salt that followed from the key exchange, which ended at `unix`.
    #[must_use]
    pub fn new(auth_key: &AuthKey, first: Option<i64>, unix: Duration) -> Self {
        Self::with_period(auth_key, first, unix, SALT_PERIOD)
    }

    /// As [`new`](Self::new), with another life of a salt: whole seconds, at least one.
    #[must_use]
    pub fn with_period(
        auth_key: &AuthKey,
        first: Option<i64>,
        unix: Duration,
        period: Duration,
    ) -> Self {
        let period = i64::try_from(period.as_secs())
            .unwrap_or(i64::MAX)
            .clamp(1, 1 << 20);
        let first = first.map(|salt| (salt, seconds(unix) + 2 * period));
        Self(Arc::new(Book {
            seed: sha256(&[b"server salts", auth_key.as_bytes()]),
            period,
            changing: Mutex::new(Changing {
                first,
                generation: 0,
            }),
        }))
    }

    fn changing(&self) -> std::sync::MutexGuard<'_, Changing> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn salt(&self, index: i64) -> i64 {
        let generation = self.changing().generation.to_le_bytes();
        let hash = sha256(&[&self.0.seed, &generation, &index.to_le_bytes()]);
        let mut salt = [0; 8];
        salt.copy_from_slice(&hash[..8]);
        i64::from_le_bytes(salt)
    }

    /// The salt of the present period.
    #[must_use]
    pub fn current(&self, unix: Duration) -> i64 {
        self.salt(seconds(unix) / self.0.period)
    }

    /// Whether a message with this salt is taken: that of the present period, or of the one before.
    #[must_use]
    pub fn accepts(&self, salt: i64, unix: Duration) -> bool {
        let now = seconds(unix);
        let index = now / self.0.period;
        let first = self.changing().first;
        salt == self.salt(index)
            || salt == self.salt(index - 1)
            || first.is_some_and(|(first, until)| salt == first && now < until)
    }

    /// The salts of `count` periods from the present one on, at least two and at most 64.
    #[must_use]
    pub fn future(&self, unix: Duration, count: usize) -> Vec<FutureSalt> {
        let period = self.0.period;
        let index = seconds(unix) / period;
        let time = |index: i64| i32::try_from(index.saturating_mul(period)).unwrap_or(i32::MAX);
        let count = i64::try_from(count.clamp(2, 64)).unwrap_or(2);
        (index..index + count)
            .map(|index| FutureSalt {
                valid_since: time(index),
                valid_until: time(index + 1),
                salt: self.salt(index),
            })
            .collect()
    }

    /// Throws all salts away, so that whoever uses one is told a new one.
    pub fn rotate(&self) {
        let mut changing = self.changing();
        changing.first = None;
        changing.generation = changing.generation.wrapping_add(1);
    }
}

impl fmt::Debug for SaltBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltBook")
            .field("period", &self.0.period)
            .finish_non_exhaustive()
    }
}

fn seconds(unix: Duration) -> i64 {
    i64::try_from(unix.as_secs())
        .unwrap_or(i64::MAX)
        .min(1 << 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(1_700_000_000);
    const NOW: i64 = 1_700_000_000;

    fn salt(since: i32, salt: i64) -> FutureSalt {
        FutureSalt {
            valid_since: since,
            valid_until: since + 100,
            salt,
        }
    }

    #[test]
    fn a_clients_salts_are_rotated_in_time() {
        let mut salts = Salts::new(vec![salt(200, 2), salt(100, 1), salt(300, 3)]);
        assert_eq!(salts.current(50), 1, "better than none");
        assert_eq!(
            [150, 199, 200, 250, 301, 9_999].map(|t| salts.current(t)),
            [1, 1, 2, 2, 3, 3]
        );
        assert_eq!(Salts::default().current(5), 0);
    }

    #[test]
    fn a_corrected_salt_is_used_at_once() {
        let mut salts = Salts::new(vec![salt(100, 1), salt(200, 2), salt(300, 3)]);
        salts.correct(150, 2);
        assert_eq!(salts.current(150), 2);
        assert_eq!(salts.current(300), 3, "the others are still good");
        salts.correct(310, 77);
        assert_eq!(salts.current(310), 77);
        assert_eq!(salts.known().len(), 1, "what was known is worth nothing");
        assert_eq!(salts.ahead(310), 1800);
    }

    #[test]
    fn known_salts_are_bounded_and_sane() {
        let mut salts = Salts::new((0..1000).map(|i| salt(i, i64::from(i))).collect());
        assert!(salts.known().len() <= MAX_KNOWN);
        salts.merge([FutureSalt {
            valid_since: 10,
            valid_until: 5,
            salt: 1,
        }]);
        assert!(salts.known().iter().all(|s| s.valid_since < s.valid_until));
    }

    #[test]
    fn a_servers_salts_expire_after_the_next_period() {
        let book = SaltBook::new(&AuthKey::from_bytes([1; 256]), Some(99), T);
        let current = book.current(T);
        assert!(book.accepts(current, T) && book.accepts(99, T));
        assert!(!book.accepts(5, T));
        let later = T + SALT_PERIOD;
        assert_ne!(book.current(later), current);
        assert!(book.accepts(current, later), "for a further period");
        assert!(!book.accepts(current, later + SALT_PERIOD));
        assert!(!book.accepts(99, later + SALT_PERIOD));
    }

    #[test]
    fn future_salts_come_true() {
        let book = SaltBook::new(&AuthKey::from_bytes([1; 256]), None, T);
        assert_eq!(book.future(T, 0).len(), 2);
        assert_eq!(book.future(T, 1000).len(), 64);
        let future = book.future(T, 64);
        assert!(i64::from(future[0].valid_since) <= NOW);
        for salt in future {
            let then = Duration::from_secs(u64::try_from(salt.valid_since).unwrap());
            assert_eq!(book.current(then), salt.salt);
        }
    }

    #[test]
    fn rotated_salts_are_refused_by_every_clone() {
        let book = SaltBook::new(&AuthKey::from_bytes([1; 256]), Some(99), T);
        let old = book.current(T);
        book.clone().rotate();
        assert!(!book.accepts(old, T) && !book.accepts(99, T));
        assert!(book.accepts(book.current(T), T));
    }
}

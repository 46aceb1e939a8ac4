//! What the server said of waits, and for which calls that holds.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Request;
use super::shape::{self, Chat};
use crate::error::RpcError;

/// As many waits are remembered at most. There are fewer methods; chats in slow mode and numbers
/// that somebody tries to sign in with may be any number.
const CAPACITY: usize = 1024;

/// The calls that a wait holds for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// All calls of a method.
    Method(&'static str),
    /// A method with these very arguments. Methods that sign in are refused for the number or the
    /// account that they name: whoever corrects a mistake need not wait.
    Exactly(&'static str, u64),
    /// All that is sent to a chat (slow mode).
    Chat(Chat),
}

impl Key {
    /// What may have been said that holds for this request.
    pub(super) fn of(request: &Request) -> Vec<Self> {
        let mut keys = Vec::with_capacity(2);
        match request.method() {
            Some(method) if method.starts_with("auth.") => {
                let mut hasher = DefaultHasher::new();
                request.body().hash(&mut hasher);
                keys.push(Self::Exactly(method, hasher.finish()));
            }
            Some(method) => keys.push(Self::Method(method)),
            None => {}
        }
        keys.extend(shape::sends_to(request.body()).map(Self::Chat));
        keys
    }

    /// Whether an error that a request with this key met holds for all that have it.
    pub(super) fn is_meant_by(&self, error: &RpcError) -> bool {
        matches!(self, Self::Chat(_)) == error.is("SLOWMODE_WAIT")
    }
}

/// The waits that are not over. The lock is held for the length of a look.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<Key, (RpcError, Instant)>>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (RpcError, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That calls with this key are refused until then.
    pub(super) fn remember(&self, key: Key, error: &RpcError, until: Instant) {
        let mut waits = self.lock();
        if waits.len() >= CAPACITY && !waits.contains_key(&key) {
            let now = Instant::now();
            waits.retain(|_, (_, until)| *until > now);
            if waits.len() >= CAPACITY {
                // The one that is over soonest costs least when it has to be asked for again.
                let soonest = waits.iter().min_by_key(|(_, (_, until))| *until);
                if let Some(key) = soonest.map(|(key, _)| key.clone()) {
                    waits.remove(&key);
                }
            }
        }
        waits.insert(key, (error.clone(), until));
    }

    /// What the server would answer to a call with these keys, and until when. Mostly there is nothing to look
    /// up, and the keys are not asked for.
    pub(super) fn refusal(&self, keys: impl FnOnce() -> Vec<Key>) -> Option<(RpcError, Instant)> {
        let mut waits = self.lock();
        if waits.is_empty() {
            return None;
        }
        let (keys, now) = (keys(), Instant::now());
        for key in &keys {
            if waits.get(key).is_some_and(|(_, until)| *until <= now) {
                waits.remove(key);
            }
        }
        let last = keys.iter().filter_map(|key| waits.get(key));
        let (error, until) = last.max_by_key(|(_, until)| *until)?;
        let mut error = error.clone();
        error.value = Some(seconds(until.saturating_duration_since(now)));
        Some((error, *until))
    }

    pub(super) fn forget(&self) {
        self.lock().clear();
    }
}

/// In whole seconds, and never too little.
fn seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded_and_keeps_the_longest_waits() {
        let memory = Memory::default();
        let error = RpcError::parse(420, "SLOWMODE_WAIT_5");
        let key = |n| Key::Chat(Chat::Group(n));
        let now = Instant::now();
        for n in 0..3000u32 {
            let until = now + Duration::from_secs(u64::from(n) + 1);
            memory.remember(key(n.into()), &error, until);
        }
        assert_eq!(memory.lock().len(), CAPACITY);
        assert!(memory.refusal(|| vec![key(2999)]).is_some());
        assert!(memory.refusal(|| vec![key(0)]).is_none());

        tokio::time::advance(Duration::from_secs(20_000)).await;
        memory.remember(key(0), &error, Instant::now() + Duration::from_secs(1));
        assert_eq!(memory.lock().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_waits_the_longer_is_told() {
        let memory = Memory::default();
        let now = Instant::now();
        let slow = RpcError::parse(420, "SLOWMODE_WAIT_5");
        let flood = RpcError::parse(420, "FLOOD_WAIT_9");
        let keys = [
            Key::Method("messages.sendMessage"),
            Key::Chat(Chat::Channel(1)),
        ];
        memory.remember(keys[0].clone(), &flood, now + Duration::from_secs(9));
        memory.remember(keys[1].clone(), &slow, now + Duration::from_secs(5));
        let (error, _) = memory.refusal(|| keys.to_vec()).unwrap();
        assert_eq!((error.name.as_str(), error.value), ("FLOOD_WAIT", Some(9)));
    }
}

//! A limit on how often methods are called, kept before the server has to say so. Off unless
//! [`Config::rate_limits`](crate::Config::rate_limits) has any.
//!
//! Each limit has a window that slides, or one for each chat. Callers take turns: whoever came first
//! goes first, and whoever goes away leaves no gap.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until};

use super::shape::{self, Chat};
use super::{FOR_EVER, Request};

/// The methods that send messages.
const SENDING: [&str; 5] = [
    "messages.sendMessage",
    "messages.sendMedia",
    "messages.sendMultiMedia",
    "messages.forwardMessages",
    "messages.sendInlineBotResult",
];
/// So many windows are kept at most. Those that are empty are as good as new ones and go first.
const CAPACITY: usize = 16 * 1024;

/// How many calls of which methods are made in which time.
#[derive(Clone, Debug)]
pub struct RateLimit {
    calls: u32,
    per: Duration,
    methods: Vec<String>,
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    All,
    Chat,
    Group,
}

impl RateLimit {
    /// At most `calls` calls in any stretch of time that is `per` long, at once or spread over it.
    /// Zero of either means no limit.
    #[must_use]
    pub fn new(calls: u32, per: Duration) -> Self {
        Self {
            calls,
            per: per.min(FOR_EVER),
            methods: Vec::new(),
            scope: Scope::All,
        }
    }

    /// Only for methods of this name; a trailing `*` stands for any end (`upload.*`). Said more
    /// than once, for any of them.
    #[must_use]
    pub fn method(mut self, name: impl Into<String>) -> Self {
        self.methods.push(name.into());
        self
    }

    /// Only for the methods that send messages: `messages.sendMessage`, `sendMedia`,
    /// `sendMultiMedia`, `forwardMessages`, `sendInlineBotResult`. A call counts as one, however
    /// many messages it sends.
    #[must_use]
    pub fn messages(mut self) -> Self {
        self.methods.extend(SENDING.map(str::to_owned));
        self
    }

    /// For each chat that is sent to by itself, whether it is a person, a group or a channel.
    #[must_use]
    pub fn per_chat(mut self) -> Self {
        self.scope = Scope::Chat;
        self
    }

    /// For each group, supergroup or channel that is sent to by itself.
    #[must_use]
    pub fn per_group(mut self) -> Self {
        self.scope = Scope::Group;
        self
    }

    /// Whose window a call falls into, if the limit holds for it.
    fn window(&self, method: &str, chat: Option<Chat>) -> Option<Option<Chat>> {
        let named = |name: &String| match name.strip_suffix('*') {
            Some(beginning) => method.starts_with(beginning),
            None => name == method,
        };
        if !self.methods.is_empty() && !self.methods.iter().any(named) {
            return None;
        }
        match (self.scope, chat) {
            (Scope::All, _) => Some(None),
            (Scope::Chat, Some(chat)) => Some(Some(chat)),
            (Scope::Group, Some(chat @ (Chat::Group(_) | Chat::Channel(_)))) => Some(Some(chat)),
            _ => None,
        }
    }

    fn is_limit(&self) -> bool {
        self.calls > 0 && !self.per.is_zero()
    }
}

/// All limits that a client keeps. A call waits until each of them has room for it.
///
/// ```
/// use std::time::Duration;
/// use layer_client::middleware::{RateLimit, RateLimits};
///
/// let hour = Duration::from_secs(60 * 60);
/// let config = layer_client::Config {
///     rate_limits: RateLimits::bot().and(RateLimit::new(50, hour).method("contacts.resolveUsername")),
///     ..Default::default()
/// };
/// ```
#[derive(Clone, Debug, Default)]
pub struct RateLimits(Vec<RateLimit>);

impl RateLimits {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// What Telegram asks of bots (<https://core.telegram.org/bots/faq#broadcasting-to-users>): 30
    /// messages a second altogether, 1 a second to each chat, 20 a minute to each group.
    #[must_use]
    pub fn bot() -> Self {
        let second = Duration::from_secs(1);
        Self::none()
            .and(RateLimit::new(20, 60 * second).messages().per_group())
            .and(RateLimit::new(1, second).messages().per_chat())
            .and(RateLimit::new(30, second).messages())
    }

    /// These and another one.
    #[must_use]
    pub fn and(mut self, limit: RateLimit) -> Self {
        self.0.push(limit);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.0.iter().any(RateLimit::is_limit)
    }
}

/// When the latest calls were made, the oldest first: as many as the limit allows, and no more.
#[derive(Debug, Default)]
struct Window(VecDeque<Instant>);

impl Window {
    /// Forgets what is too long ago to matter; says whether anything is left.
    fn slide(&mut self, limit: &RateLimit, now: Instant) -> bool {
        while self.0.front().is_some_and(|call| *call + limit.per <= now) {
            self.0.pop_front();
        }
        !self.0.is_empty()
    }

    /// When there is room for a call.
    fn ready(&self, limit: &RateLimit, now: Instant) -> Instant {
        let room = usize::try_from(limit.calls).is_ok_and(|calls| self.0.len() < calls);
        match self.0.front() {
            Some(oldest) if !room => *oldest + limit.per,
            _ => now,
        }
    }
}

type Turn = Arc<Turns<Window>>;
type Key = (usize, Option<Chat>);

/// The layer that keeps the limits.
pub(super) struct RateLimiter {
    limits: Vec<RateLimit>,
    /// Held for the length of a look-up; the windows are waited for one by one.
    windows: Mutex<HashMap<Key, Turn>>,
}

impl RateLimiter {
    pub(super) fn new(limits: &RateLimits) -> Self {
        let limits = limits.0.iter().filter(|limit| limit.is_limit());
        let mut limits: Vec<_> = limits.cloned().collect();
        // Whoever waits for a chat's turn must not hold up all the others.
        limits.sort_by_key(|limit| limit.scope == Scope::All);
        Self {
            limits,
            windows: Mutex::default(),
        }
    }

    fn turn(&self, key: Key) -> Turn {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= CAPACITY && !windows.contains_key(&key) {
            self.make_room(&mut windows, Instant::now());
        }
        windows.entry(key).or_default().clone()
    }

    /// Forgets the windows in which nothing is left, and if those are too few, all that nobody
    /// waits for.
    fn make_room(&self, windows: &mut HashMap<Key, Turn>, now: Instant) {
        windows.retain(
            |(limit, _), turn| match (self.limits.get(*limit), Arc::get_mut(turn)) {
                (Some(limit), Some(window)) => window.get_mut().slide(limit, now),
                (_, used) => used.is_none(),
            },
        );
        if windows.len() > CAPACITY / 2 {
            windows.retain(|(_, chat), turn| chat.is_none() || Arc::strong_count(turn) > 1);
        }
    }

    /// Waits until every limit has room, and takes it. `false` if that is after the deadline.
    pub(super) async fn wait(&self, request: &Request) -> bool {
        let Some(method) = request.method() else {
            return true;
        };
        let chat = shape::sends_to(request.body());
        let mut turns: Vec<OwnedMutexGuard<Window>> = Vec::new();
        for (at, limit) in self.limits.iter().enumerate() {
            let Some(whose) = limit.window(method, chat) else {
                continue;
            };
            let mut turn = self.turn((at, whose)).lock_owned().await;
            let now = Instant::now();
            turn.slide(limit, now);
            let ready = turn.ready(limit, now);
            if !request.has_time_for(ready.saturating_duration_since(now)) {
                return false;
            }
            if ready > now {
                log::debug!("{method}: waiting for its turn");
                sleep_until(ready).await;
                turn.slide(limit, Instant::now());
            }
            turns.push(turn);
        }
        let now = Instant::now();
        for turn in &mut turns {
            turn.0.push_back(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Script, call_body, channel, done, forward_to, get_config, message_to, user,
    };
    use super::super::{CallOptions, Chain};
    use super::*;
    use crate::client::Config;
    use crate::error::Error;
    use crate::tl::{Serializable, enums};

    const SECOND: Duration = Duration::from_secs(1);

    fn chain(rate_limits: RateLimits) -> Arc<Chain> {
        Arc::new(Chain::new(&Config {
            rate_limits,
            ..Config::default()
        }))
    }

    /// A wire that answers everything at once.
    fn wire() -> Arc<Script> {
        Arc::new(Script::new((0..1000).map(|_| done())))
    }

    fn message(peer: enums::InputPeer) -> Vec<u8> {
        message_to(peer).to_bytes()
    }

    async fn ask(chain: &Chain, wire: &Script, body: &[u8]) {
        call_body(chain, wire, body, CallOptions::default())
            .await
            .unwrap();
    }

    /// Makes all calls at once and says how many milliseconds after the first each was sent.
    async fn times(chain: &Arc<Chain>, bodies: Vec<Vec<u8>>) -> Vec<u128> {
        let wire = wire();
        let begun = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for body in bodies {
            let (chain, wire) = (chain.clone(), wire.clone());
            calls.spawn(async move {
                ask(&chain, &wire, &body).await;
                begun.elapsed().as_millis()
            });
        }
        let mut times = calls.join_all().await;
        times.sort_unstable();
        times
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_nothing_waits() {
        let chain = chain(RateLimits::none().and(RateLimit::new(0, SECOND)));
        let times = times(&chain, vec![get_config(); 500]).await;
        assert_eq!(times, [0; 500]);
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_calls_in_any_stretch_of_time() {
        let chain = chain(RateLimits::none().and(RateLimit::new(3, SECOND)));
        let times = times(&chain, vec![get_config(); 20]).await;
        for window in times.windows(4) {
            assert!(window[3] - window[0] >= 1000, "{times:?}");
        }
        // And no fewer than there may be.
        assert_eq!(*times.last().unwrap(), 6000, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn room_that_was_not_used_is_used_later() {
        let chain = chain(RateLimits::none().and(RateLimit::new(2, SECOND)));
        let wire = wire();
        ask(&chain, &wire, &get_config()).await;
        tokio::time::advance(Duration::from_millis(900)).await;
        let begun = Instant::now();
        ask(&chain, &wire, &get_config()).await;
        ask(&chain, &wire, &get_config()).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_for_the_methods_that_it_names() {
        let limit = RateLimit::new(1, SECOND)
            .method("help.*")
            .method("auth.signIn");
        let chain = chain(RateLimits::none().and(limit));
        let times = times(
            &chain,
            vec![
                get_config(),
                get_config(),
                message(user(1)),
                message(user(1)),
            ],
        );
        assert_eq!(times.await, [0, 0, 0, 1000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bot_sends_one_message_a_second_to_a_chat() {
        let chain = chain(RateLimits::bot());
        let mut bodies = vec![message(user(1)); 3];
        bodies.extend([message(user(2)), get_config(), get_config()]);
        assert_eq!(times(&chain, bodies).await, [0, 0, 0, 0, 1000, 2000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bot_sends_thirty_messages_a_second_altogether() {
        let chain = chain(RateLimits::bot());
        let times = times(&chain, (0..90).map(|id| message(user(id))).collect()).await;
        for window in times.windows(31) {
            assert!(window[30] - window[0] >= 1000, "{times:?}");
        }
        assert_eq!(*times.last().unwrap(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bot_sends_twenty_messages_a_minute_to_a_group() {
        let chain = chain(RateLimits::bot());
        let mut bodies = vec![message(channel(1)); 20];
        bodies.push(forward_to(channel(1)));
        let times = times(&chain, bodies).await;
        assert_eq!((times[19], times[20]), (19_000, 60_000), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_one_chat_does_not_hold_up_the_others() {
        let all = RateLimit::new(30, SECOND).messages();
        let each = RateLimit::new(1, SECOND).messages().per_chat();
        // Whatever the order in which they are named.
        for limits in [[all.clone(), each.clone()], [each, all]] {
            let [first, second] = limits;
            let chain = chain(RateLimits::none().and(first).and(second));
            let mut bodies = vec![message(user(1)); 100];
            bodies.extend((2..22).map(|id| message(user(id))));
            let times = times(&chain, bodies).await;
            assert_eq!(times.iter().filter(|time| **time == 0).count(), 21);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_leaves_no_gap() {
        let chain = chain(RateLimits::none().and(RateLimit::new(1, SECOND)));
        let wire = wire();
        ask(&chain, &wire, &get_config()).await;
        for _ in 0..10 {
            let body = get_config();
            let call = ask(&chain, &wire, &body);
            let dropped = tokio::time::timeout(Duration::from_millis(1), call).await;
            assert!(dropped.is_err());
        }
        let begun = Instant::now();
        ask(&chain, &wire, &get_config()).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(990));
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_after_the_deadline_is_not_waited_for() {
        let chain = chain(RateLimits::none().and(RateLimit::new(1, 60 * SECOND)));
        let wire = wire();
        ask(&chain, &wire, &get_config()).await;
        let options = CallOptions {
            deadline: Some(SECOND),
            ..CallOptions::default()
        };
        let begun = Instant::now();
        let error = call_body(&chain, &wire, &get_config(), options).await;
        let Err(Error::Timeout(error)) = error else {
            panic!("{error:?}")
        };
        assert!(!error.sent);
        assert_eq!((begun.elapsed(), wire.sent()), (Duration::ZERO, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_for_all_time_lets_its_calls_through_and_no_other() {
        let chain = chain(RateLimits::none().and(RateLimit::new(1, Duration::MAX)));
        let wire = wire();
        ask(&chain, &wire, &get_config()).await;
        let body = get_config();
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let second = tokio::time::timeout(year, ask(&chain, &wire, &body)).await;
        assert!(second.is_err());
        assert_eq!(wire.sent(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_windows_that_are_kept_are_bounded() {
        let limiter = RateLimiter::new(&RateLimits::bot());
        let request = |id| Request::new(message(user(id)), CallOptions::default());
        for id in 0..CAPACITY as i64 + 100 {
            assert!(limiter.wait(&request(id)).await);
        }
        let kept = limiter.windows.lock().unwrap().len();
        assert!(kept < CAPACITY, "{kept}");
        // What still matters was kept.
        let begun = Instant::now();
        assert!(limiter.wait(&request(CAPACITY as i64 + 99)).await);
        assert!(begun.elapsed() > SECOND / 2, "{:?}", begun.elapsed());
    }
}

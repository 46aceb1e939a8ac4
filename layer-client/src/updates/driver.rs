//! The driver: the one task that feeds the engine, makes its calls, and fills the queue.
//!
//! It runs while someone reads. Its calls hold the client only for as long as they take, and not
//! beyond the last clone that the program holds.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_core::Stream;
use layer_tl_types as tl;
use tokio::task::JoinSet;

use super::answers;
use super::engine::{
    ChannelAnswer, CommonAnswer, CommonState, Delivery, Engine, Failure, Key, Mark, Packet,
    Payload, Request,
};
use super::hub::{Inbound, Shared};
use super::queue::Item;
use super::types::{self, ConnectionEvent, Missed, Update, UpdateKind};
use super::watchdog::Watchdog;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::messages::Message;
use crate::net::ConnectionStates;
use crate::peers::{PeerId, PeerKind};
use crate::tl::Deserializable;

/// How often a running call looks whether anybody but us still holds the client.
const LOOK: Duration = Duration::from_millis(250);
/// How many events to ask for at once: of a channel as the documentation advises, for bots as many as
/// may wait; of the common box as many as may wait too.
const CHANNEL_LIMIT: i32 = 100;
const CHANNEL_LIMIT_BOT: i32 = 1000;
const COMMON_LIMIT: i32 = 1000;
/// Chats that are looked at in search of those that moved.
const DIALOGS: usize = 1000;

enum Answer {
    /// With the chats that moved since a state that the server does not take any more.
    State(CommonState, Option<Missed>),
    /// With the chats that too long a difference may be about.
    Common(CommonAnswer, Option<Missed>),
    Channel(ChannelAnswer),
}

/// Runs until nobody reads or the client is gone.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut running = Running(Some(&shared));
    loop {
        let reason = drive(&shared).await.err();
        if let Some(reason) = reason {
            log::debug!("updates end: {reason}");
            shared.close(reason);
        }
        let mut state = shared.lock();
        if state.closed.is_some() || !state.queue.has_readers() {
            state.driven = false;
            state.driven_on = false;
            running.0 = None;
            return;
        }
        // The last reader left and another came: from what was handled, once more.
    }
}

/// Sees to it that streams end with a driver that ends in the middle, because its runtime does.
struct Running<'a>(Option<&'a Shared>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.close(Error::Closed);
        }
    }
}

/// Where to go on from, or `None` for whatever the server says is now.
fn cursor(client: &Client, shared: &Shared) -> (Option<CommonState>, Vec<(i64, i32)>) {
    let begun = std::mem::replace(&mut shared.lock().begun, true);
    if !begun && !client.inner.config.catch_up {
        return (None, Vec::new());
    }
    client.inner.session.read(|session| {
        let at = &session.updates;
        let state = CommonState {
            pts: at.pts,
            qts: at.qts,
            seq: at.seq,
            date: at.date,
        };
        let channels = at.channels.iter().map(|(&id, &pts)| (id, pts)).collect();
        ((at.pts != 0).then_some(state), channels)
    })
}

async fn drive(shared: &Arc<Shared>) -> Result<()> {
    loop {
        let client = shared.client.upgrade().ok_or(Error::Closed)?;
        let signed_in = client.inner.session.read(|session| session.user.is_some());
        if signed_in && shared.lock().beginning == 0 {
            let generation = {
                let mut state = shared.lock();
                state.driven_on = true;
                state.queue.generation()
            };
            let (state, channels) = cursor(&client, shared);
            let states = client.connection_states();
            let config = &client.inner.config;
            let now = Instant::now();
            let mut engine = Engine::new(state, channels, now);
            let watchdog = Watchdog::new(config.update_check, now);
            engine.set_idle_wait(watchdog.patience(), now);
            engine.set_channels_at_once(config.channel_differences);
            drop(client);
            return Driver {
                shared,
                engine,
                calls: JoinSet::new(),
                generation,
                states,
                catching_up: false,
                watchdog,
                missed: None,
                lost_since: None,
            }
            .run()
            .await;
        }
        drop(client);
        tokio::select! {
            () = shared.wake.notified() => {}
            // Signing in may be told before we listen.
            () = tokio::time::sleep(LOOK) => {}
        }
        let state = shared.lock();
        if !state.queue.has_readers() || state.closed.is_some() {
            return Ok(());
        }
    }
}

struct Driver<'a> {
    shared: &'a Arc<Shared>,
    engine: Engine,
    calls: JoinSet<(Request, Result<Answer>)>,
    /// Which readers this engine feeds.
    generation: u64,
    states: ConnectionStates,
    /// Whether it was told that something is being fetched.
    catching_up: bool,
    watchdog: Watchdog,
    /// The chats to name when the engine says that the common box missed something.
    missed: Option<Missed>,
    /// The date of a state that the server does not take any more (Unix seconds).
    lost_since: Option<i32>,
}

impl Driver<'_> {
    async fn run(mut self) -> Result<()> {
        loop {
            if self.is_over() {
                return Ok(());
            }
            self.take_inbox()?;
            self.engine.handle_timeout(Instant::now());
            self.deliver();
            self.start_calls()?;
            self.tell_states().await;
            self.tell_catching_up();
            let timeout = self.engine.poll_timeout();
            let calling = !self.calls.is_empty();
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(state) = self.states.next() => {
                    self.tell(ConnectionEvent::State(state));
                }
                () = sleep_until(timeout), if timeout.is_some() => {}
                Some(done) = self.calls.join_next(), if calling => {
                    let (request, answer) = done.map_err(|_| Error::Closed)?;
                    self.handle(request, answer)?;
                }
                () = tokio::time::sleep(LOOK), if calling => self.check_alone()?,
            }
        }
    }

    fn is_over(&self) -> bool {
        let state = self.shared.lock();
        !state.queue.has_readers()
            || state.closed.is_some()
            || state.queue.generation() != self.generation
    }

    fn take_inbox(&mut self) -> Result<()> {
        let (inbox, overflowed) = self.shared.take_inbox();
        if inbox.is_empty() && !overflowed {
            return Ok(());
        }
        let client = self.shared.client.upgrade().ok_or(Error::Closed)?;
        for inbound in inbox {
            self.set_room();
            let now = Instant::now();
            match inbound {
                Inbound::Bytes(_) => self.watchdog.heard(now),
                Inbound::Lost => self.watchdog.lost(now),
                _ => {}
            }
            self.engine.set_idle_wait(self.watchdog.patience(), now);
            match inbound {
                Inbound::Bytes(bytes) => match tl::enums::Updates::from_bytes(&bytes) {
                    Ok(updates) => self.packet(Packet::new(updates, client.my_id()), &client),
                    Err(error) => {
                        log::warn!("updates that cannot be read: {error}");
                        self.engine.handle_malformed();
                    }
                },
                Inbound::Packet(packet) => self.packet(*packet, &client),
                Inbound::Own { key, pts, count } => {
                    self.engine.handle_own(key, pts, count, Instant::now());
                }
                Inbound::Note { id, pts } => self.engine.note_channel(id, pts),
                Inbound::Opened { id, opened } => self.engine.set_opened(id, opened),
                Inbound::Lost => self.engine.handle_lost(),
            }
            self.deliver();
        }
        if overflowed {
            self.engine.handle_lost();
        }
        Ok(())
    }

    fn packet(&mut self, packet: Packet, client: &Client) {
        client.remember(&packet.peers);
        let me = PeerId::user(client.my_id());
        let known = |id| id == me || client.cache().is_known(id);
        self.engine.handle_packet(packet, &known, Instant::now());
    }

    /// Tells the engine whether the consumer keeps up.
    fn set_room(&mut self) {
        let full = self.shared.lock().queue.is_full();
        self.engine.set_paused(full);
    }

    /// Puts what the engine gives into the queue, for those who want it.
    fn deliver(&mut self) {
        let mut filters = None;
        let client = self.shared.client.upgrade();
        while let Some(delivery) = self.engine.poll_delivery() {
            let filters = filters.get_or_insert_with(|| self.shared.lock().queue.filters());
            let missed = match delivery.payload {
                Payload::Missed(Key::Common) => self.missed.take(),
                _ => None,
            };
            let mut item = item(delivery, client.as_ref());
            if let Some(missed) = missed {
                item.update = Some(Update::Missed(missed));
            }
            let update = item.update.as_ref();
            let wanting = filters
                .iter()
                .filter(|(_, filter)| update.is_some_and(|update| filter.wants(update)));
            let wanted: Vec<u64> = wanting.map(|&(reader, _)| reader).collect();
            let mut state = self.shared.lock();
            if state.queue.generation() == self.generation {
                state.queue.push(item, &wanted);
            }
        }
        if filters.is_some() {
            // Perhaps nobody wanted any of it.
            self.shared.commit();
        }
        self.set_room();
    }

    /// Tells those who want to know about the connection.
    fn tell(&self, event: ConnectionEvent) {
        let mut state = self.shared.lock();
        let filters = state.queue.filters();
        let wanting = filters
            .iter()
            .filter(|(_, filter)| filter.wants_kind(UpdateKind::Connection));
        let wanted: Vec<u64> = wanting.map(|&(reader, _)| reader).collect();
        if wanted.is_empty() || state.queue.generation() != self.generation {
            return;
        }
        let item = Item {
            update: Some(Update::Connection(event)),
            mark: Mark::Loose,
            cost: size_of::<Item>(),
        };
        state.queue.push(item, &wanted);
    }

    /// Tells what the connection's state became. A new connection is told before it is made use of.
    async fn tell_states(&mut self) {
        let states = &mut self.states;
        let look = poll_fn(|context| Poll::Ready(Pin::new(&mut *states).poll_next(context)));
        if let Poll::Ready(Some(state)) = look.await {
            self.tell(ConnectionEvent::State(state));
        }
    }

    fn tell_catching_up(&mut self) {
        let now = !self.calls.is_empty();
        if std::mem::replace(&mut self.catching_up, now) != now {
            self.tell(if now {
                ConnectionEvent::CatchingUp
            } else {
                ConnectionEvent::CaughtUp
            });
        }
    }

    fn start_calls(&mut self) -> Result<()> {
        while let Some(request) = self.engine.poll_request() {
            let client = self.shared.client.upgrade().ok_or(Error::Closed)?;
            if let Request::Difference { .. } = request {
                self.watchdog.asked(Instant::now());
            }
            let lost_since = self.lost_since;
            self.calls.spawn(async move {
                let answer = call(&client, request, lost_since).await;
                (request, answer)
            });
        }
        Ok(())
    }

    /// Gives up when the only ones that hold the client are our own calls.
    fn check_alone(&mut self) -> Result<()> {
        let client = self.shared.client.upgrade().ok_or(Error::Closed)?;
        let ours = self.calls.len() + 1;
        if Arc::strong_count(&client.inner) <= ours {
            self.calls.abort_all();
            return Err(Error::Closed);
        }
        Ok(())
    }

    fn handle(&mut self, request: Request, answer: Result<Answer>) -> Result<()> {
        let now = Instant::now();
        match (request, answer) {
            (_, Ok(Answer::State(state, missed))) => {
                self.missed = missed;
                self.lost_since = None;
                self.engine.handle_state(state, now);
            }
            (_, Ok(Answer::Common(answer, missed))) => {
                self.missed = missed;
                let brought = !matches!(answer, CommonAnswer::Empty { .. });
                if self.watchdog.answered(brought, now)
                    && let Some(client) = self.shared.client.upgrade()
                {
                    client.inner.pool.renew(client.inner.home_dc());
                }
                self.engine.set_idle_wait(self.watchdog.patience(), now);
                self.engine.handle_difference(answer, now);
            }
            (Request::Channel { id, .. }, Ok(Answer::Channel(answer))) => {
                self.engine.handle_channel_difference(id, answer, now);
            }
            (_, Ok(Answer::Channel(_))) => {}
            (_, Err(error)) if error.is_terminal() || error.is_closed() => return Err(error),
            (Request::Channel { id, .. }, Err(error)) => {
                log::debug!("no difference of channel {id}: {error}");
                let failure = failure(&error);
                if failure == Failure::Gone
                    && error.rpc().is_some()
                    && let Some(client) = self.shared.client.upgrade()
                {
                    client.cache().remove(PeerId::channel(id));
                }
                self.engine.handle_channel_failed(id, failure, now);
            }
            (request, Err(error)) => {
                log::debug!("no difference: {error}");
                let failure = failure(&error);
                if let (Request::Difference { date, .. }, Failure::Reset) = (request, failure) {
                    self.lost_since = Some(date);
                }
                self.engine.handle_common_failed(failure, now);
            }
        }
        Ok(())
    }
}

fn item(delivery: Delivery, client: Option<&Client>) -> Item {
    Item {
        update: types::of_payload(delivery.payload, &delivery.peers, client),
        mark: delivery.mark,
        cost: delivery.cost,
    }
}

async fn sleep_until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}

fn failure(error: &Error) -> Failure {
    let gone = [
        "CHANNEL_PRIVATE",
        "CHANNEL_INVALID",
        "CHANNEL_PUBLIC_GROUP_NA",
        "CHAT_FORBIDDEN",
    ];
    if error.is("PERSISTENT_TIMESTAMP_OUTDATED") {
        // A replica that lags behind; the documentation wants it tried again.
        Failure::Temporary
    } else if error.is("PERSISTENT_TIMESTAMP_*") {
        Failure::Reset
    } else if gone.iter().any(|name| error.is(name)) || matches!(error, Error::PeerNotFound(_)) {
        Failure::Gone
    } else {
        Failure::Temporary
    }
}

/// The private chats and basic groups that have moved since that date (Unix seconds).
async fn moved_since(client: &Client, date: i32) -> Missed {
    let mut missed = Missed::unknown();
    let mut dialogs = client.iter_dialogs().limit(DIALOGS);
    let mut seen = 0;
    loop {
        let dialog = match dialogs.next().await {
            Ok(Some(dialog)) => dialog,
            Ok(None) => {
                missed.complete = seen < DIALOGS;
                return missed;
            }
            // Bots have no list of chats; and what cannot be had now must not hold up the rest.
            Err(error) => {
                log::debug!("which chats moved is not known: {error}");
                return missed;
            }
        };
        seen += 1;
        let newest = dialog.last_message().map_or(0, Message::date);
        if newest >= date && dialog.peer().kind() != PeerKind::Channel {
            missed.chats.push(dialog.peer().clone());
        } else if newest < date && !dialog.pinned() {
            // The rest is older still.
            missed.complete = true;
            return missed;
        }
    }
}

async fn call(client: &Client, request: Request, lost_since: Option<i32>) -> Result<Answer> {
    match request {
        Request::State => {
            let state = client.invoke(&tl::functions::updates::GetState {}).await?;
            let missed = match lost_since {
                Some(date) => Some(moved_since(client, date).await),
                None => None,
            };
            Ok(Answer::State(answers::state(state), missed))
        }
        Request::Difference { pts, qts, date } => {
            let request = tl::functions::updates::GetDifference {
                pts,
                pts_limit: Some(COMMON_LIMIT),
                pts_total_limit: None,
                // A date of 0 stands for the beginning of time, which the server does not take.
                date: date.max(1),
                qts,
                qts_limit: Some(COMMON_LIMIT),
            };
            let (answer, peers) = answers::common(client.invoke(&request).await?);
            client.remember(&peers);
            let missed = match answer {
                CommonAnswer::TooLong { .. } => Some(moved_since(client, date).await),
                _ => None,
            };
            Ok(Answer::Common(answer, missed))
        }
        Request::Channel { id, pts } => {
            let bot = client
                .inner
                .session
                .read(|s| s.user.is_some_and(|user| user.bot));
            let channel = client.channel(PeerId::channel(id).into()).await?;
            let request = tl::functions::updates::GetChannelDifference {
                force: false,
                channel,
                filter: tl::enums::ChannelMessagesFilter::Empty,
                pts,
                limit: if bot {
                    CHANNEL_LIMIT_BOT
                } else {
                    CHANNEL_LIMIT
                },
            };
            let (answer, peers) = answers::channel(client.invoke(&request).await?);
            client.remember(&peers);
            Ok(Answer::Channel(answer))
        }
    }
}

//! `Hub`: where the connection and the calls hand in what concerns updates.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::albums::Albums;
use super::begin::{self, Beginning, Early};
use super::engine::{Key, Mark, Packet};
use super::options::StreamOptions;
use super::queue::Queue;
use super::stream::UpdateStream;
use crate::client::{BoxFuture, Client, WeakClient};
use crate::error::{Error, Result};
use crate::peers::{PeerKind, PeerRef};
use crate::session::UpdatesState;

/// Packets that may wait for the driver, and their bytes. Beyond, a difference fetches them.
const INBOX_LIMIT: usize = 4096;
const INBOX_BYTES: usize = 16 << 20;

/// What was handed in.
pub(super) enum Inbound {
    Bytes(Vec<u8>),
    Packet(Box<Packet>),
    Own { key: Key, pts: i32, count: i32 },
    Note { id: i64, pts: i32 },
    Opened { id: i64, opened: bool },
    Lost,
}

/// Where the connection's owner hands in updates.
pub(crate) struct Hub {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) client: WeakClient,
    state: Mutex<State>,
    /// Something changed that the driver may act on.
    pub(super) wake: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) inbox: VecDeque<Inbound>,
    inbox_bytes: usize,
    /// The inbox overflowed.
    pub(super) overflowed: bool,
    pub(super) queue: Queue,
    /// A driver runs.
    pub(super) driven: bool,
    /// It has taken its state from the session.
    pub(super) driven_on: bool,
    /// How many calls look for the beginning of a new login.
    pub(super) beginning: usize,
    /// What was pushed while the state of a new login was not known.
    pub(super) early: Early,
    /// The state of this run is known: the session's, or, without `catch_up`, what the server said.
    pub(super) begun: bool,
    pub(super) closed: Option<Error>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, inbound: Inbound) {
        let mut state = self.lock();
        if !state.queue.has_readers() {
            return;
        }
        let bytes = match &inbound {
            Inbound::Bytes(bytes) => bytes.len(),
            _ => 64,
        };
        if state.inbox.len() >= INBOX_LIMIT || state.inbox_bytes + bytes > INBOX_BYTES {
            state.overflowed = true;
        } else {
            state.inbox_bytes += bytes;
            state.inbox.push_back(inbound);
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Whether no state is known to go on from.
    fn is_fresh(&self) -> bool {
        let client = self.client.upgrade();
        client.is_some_and(|client| {
            client
                .inner
                .session
                .read(|session| session.updates.pts == 0)
        })
    }

    pub(super) fn take_inbox(&self) -> (VecDeque<Inbound>, bool) {
        let mut state = self.lock();
        state.inbox_bytes = 0;
        let overflowed = std::mem::take(&mut state.overflowed);
        (std::mem::take(&mut state.inbox), overflowed)
    }

    pub(super) fn close(&self, reason: Error) {
        let mut state = self.lock();
        if state.closed.is_none() {
            state.closed = Some(reason);
        }
        state.early = Early::default();
        state.queue.wake();
        drop(state);
        self.wake.notify_one();
    }

    /// Moves the saved cursor over what was handled.
    pub(super) fn commit(&self) {
        // Let go of last: it may be the client's end, which closes us.
        let client = self.client.upgrade();
        let mut state = self.lock();
        let was_full = state.queue.is_full();
        let marks = state.queue.collect_marks();
        // After the end of a login the session is no longer that account's.
        let ended = state.closed.as_ref().is_some_and(Error::is_terminal);
        if !marks.is_empty()
            && !ended
            && let Some(client) = &client
        {
            // Under the lock: of two who commit, neither may overtake the other.
            client.inner.session.update(|session| {
                for mark in marks {
                    apply(&mut session.updates, mark);
                }
            });
        }
        let room = was_full && !state.queue.is_full();
        drop(state);
        if room {
            self.wake.notify_one();
        }
    }
}

/// Moves a cursor.
pub(super) fn apply(cursor: &mut UpdatesState, mark: Mark) {
    match mark {
        Mark::None | Mark::Loose => {}
        Mark::Pts(pts) => cursor.pts = pts,
        Mark::Qts(qts) => cursor.qts = qts,
        Mark::Seq(seq) => cursor.seq = seq,
        Mark::Date(date) => cursor.date = cursor.date.max(date),
        Mark::Channel { id, pts } => {
            cursor.channels.insert(id, pts);
        }
        Mark::ChannelGone(id) => {
            cursor.channels.remove(&id);
        }
        Mark::Common {
            pts,
            qts,
            seq,
            date,
        } => {
            cursor.pts = pts;
            cursor.qts = qts;
            cursor.seq = seq;
            cursor.date = date;
        }
    }
}

impl Hub {
    /// Made once a client, before it connects; everything it needs is reached by upgrading.
    pub(crate) fn new(client: WeakClient) -> Self {
        let shared = Shared {
            client,
            state: Mutex::default(),
            wake: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes the bytes of an `Updates`. Never blocks.
    pub(crate) fn handle_updates(&self, bytes: Vec<u8>) {
        if self.shared.is_fresh() {
            self.shared.lock().early.note(&bytes);
        }
        self.shared.put(Inbound::Bytes(bytes));
    }

    /// Takes updates that answered a call.
    pub(crate) fn handle_packet(&self, packet: Packet) {
        self.shared.put(Inbound::Packet(Box::new(packet)));
    }

    /// Takes the `pts` that a call moved a box to.
    pub(crate) fn handle_own(&self, key: Key, pts: i32, count: i32) {
        self.shared.put(Inbound::Own { key, pts, count });
    }

    /// Takes a channel's `pts`, told in passing.
    pub(crate) fn note_channel(&self, id: i64, pts: i32) {
        self.shared.put(Inbound::Note { id, pts });
    }

    /// The home connection was lost and is back, or the server made a new session of it: what was
    /// pushed in between is fetched by a difference.
    pub(crate) fn reconnected(&self) {
        self.shared.put(Inbound::Lost);
    }

    /// While this lives, no stream starts from the session's state: a login is about to be written
    /// there, and then its beginning.
    pub(crate) fn beginning(&self) -> Beginning<'_> {
        Beginning::new(&self.shared)
    }

    /// Someone has signed in: the state begins with what the server says, and is known when this
    /// returns, unless the server does not answer.
    pub(crate) async fn signed_in(&self) {
        {
            let mut state = self.shared.lock();
            if state
                .closed
                .as_ref()
                .is_some_and(|reason| !reason.is_closed())
            {
                // The end of an earlier login is not that of this one.
                state.closed = None;
                state.begun = false;
            }
        }
        begin::begin(Arc::clone(&self.shared)).await;
    }

    /// The login or the client came to its end; the stream ends with this reason.
    pub(crate) fn terminated(&self, reason: Arc<Error>) {
        self.shared.close((*reason).clone());
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.close(Error::Closed);
    }
}

impl Client {
    /// Says that the user looks at a channel: while a stream is open, it is polled as often as the
    /// server wants, which also brings the updates of a public channel that one is not in. At most
    /// 10 at once, as the documentation demands.
    ///
    /// # Errors
    /// When the channel cannot be found.
    pub async fn open_channel(&self, channel: impl Into<PeerRef>) -> Result<()> {
        self.set_open(channel.into(), true).await
    }

    /// Says that the user looks at something else.
    ///
    /// # Errors
    /// When the channel cannot be found.
    pub async fn close_channel(&self, channel: impl Into<PeerRef>) -> Result<()> {
        self.set_open(channel.into(), false).await
    }

    fn set_open(&self, channel: PeerRef, opened: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let peer = self.resolve(channel).await?;
            let hub = &self.inner.updates;
            if peer.kind() == PeerKind::Channel {
                let id = peer.id();
                hub.shared.put(Inbound::Opened { id, opened });
            }
            Ok(())
        })
    }

    /// Opens a stream of updates: new messages, edits, button presses and the rest. Every stream
    /// sees every update from when it was opened; the first of a run also sees what came while the
    /// program did not run, unless [`Config::catch_up`](crate::Config::catch_up) says otherwise.
    ///
    /// An update counts as handled when the next one is asked for. What was not handled when the
    /// program ends is delivered again at the next start; [`UpdateStream`] says more.
    pub fn stream_updates(&self) -> UpdateStream {
        self.stream_updates_with(StreamOptions::new())
    }

    /// As [`stream_updates`](Self::stream_updates), of what the options say, and as they say it.
    ///
    /// Streams do not take from each other, but there is one cursor: an update is handled when
    /// every stream that wants it has handled it, and a stream that is not read holds up the others
    /// once a thousand updates wait for it, unless it may miss some ([`StreamOptions::lossy`]). Drop
    /// a stream that is not read any more.
    pub fn stream_updates_with(&self, options: StreamOptions) -> UpdateStream {
        let shared = Arc::clone(&self.inner.updates.shared);
        let reader = shared.lock().queue.join(options.filter);
        let stream = UpdateStream::new(shared, reader, options.albums.map(Albums::new));
        stream.drive();
        stream
    }
}

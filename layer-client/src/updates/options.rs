//! What a stream of updates is to bring, and how.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::types::{Update, UpdateKind};
use crate::peers::{PeerId, PeerKind};

/// What a stream of updates is to bring: everything, unless more is said. For
/// [`Client::stream_updates_with`](crate::Client::stream_updates_with).
///
/// What a stream does not want counts as handled for it, and does not wake it.
///
/// ```no_run
/// # async fn example(client: layer_client::Client) {
/// use layer_client::update::{StreamOptions, UpdateKind};
///
/// let mut commands = client.stream_updates_with(
///     StreamOptions::new()
///         .kinds([UpdateKind::NewMessage])
///         .incoming()
///         .matching(|update| update.message().and_then(|m| m.text()).is_some_and(|t| t.starts_with('/'))),
/// );
/// while let Some(update) = commands.next().await {
///     println!("{:?}", update.message());
/// }
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct StreamOptions {
    pub(super) filter: Filter,
    pub(super) albums: Option<Duration>,
}

type Predicate = dyn Fn(&Update) -> bool + Send + Sync;

/// What a reader wants; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Filter {
    kinds: Option<Arc<HashSet<UpdateKind>>>,
    chats: Option<Arc<HashSet<PeerId>>>,
    incoming: bool,
    matching: Vec<Arc<Predicate>>,
    pub(super) lossy: Option<usize>,
}

impl StreamOptions {
    /// Everything but [`Update::Connection`], one after the other.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these kinds. [`UpdateKind::Connection`] must be named to come at all; and
    /// [`UpdateKind::Missed`] by a program that is to know when something was missed.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = UpdateKind>) -> Self {
        self.filter.kinds = Some(Arc::new(kinds.into_iter().collect()));
        self
    }

    /// Only what happens in these chats. What names no chat does not come, but for
    /// [`Update::Missed`], and the deletions in private chats and basic groups, of which the server
    /// does not say where they were: those come when one of the chats is of that kind.
    pub fn chats(mut self, chats: impl IntoIterator<Item = PeerId>) -> Self {
        self.filter.chats = Some(Arc::new(chats.into_iter().collect()));
        self
    }

    /// No messages that this account sent.
    pub fn incoming(mut self) -> Self {
        self.filter.incoming = true;
        self
    }

    /// Only what the function says yes to; it is called on the task that all updates pass, so it
    /// must not block. If it panics the update is delivered.
    pub fn matching(mut self, wanted: impl Fn(&Update) -> bool + Send + Sync + 'static) -> Self {
        self.filter.matching.push(Arc::new(wanted));
        self
    }

    /// The messages of an album together, as [`Update::Album`]: once 10 are there, something else
    /// happened in the chat, or `wait` has passed since the first (half a second is plenty). They are
    /// handled together.
    pub fn albums(mut self, wait: Duration) -> Self {
        self.albums = Some(wait);
        self
    }

    /// Lets a stream that is read too slowly miss updates: only the newest `capacity` wait for it,
    /// and [`Update::Lagged`] tells how many are missing. Such a stream has no part in the cursor
    /// and holds up no other: it is for what shows things as they are, such as a window.
    pub fn lossy(mut self, capacity: usize) -> Self {
        self.filter.lossy = Some(capacity.max(1));
        self
    }
}

impl std::fmt::Debug for StreamOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamOptions")
            .field("kinds", &self.filter.kinds)
            .field("chats", &self.filter.chats)
            .field("incoming", &self.filter.incoming)
            .field("predicates", &self.filter.matching.len())
            .field("lossy", &self.filter.lossy)
            .field("albums", &self.albums)
            .finish()
    }
}

impl Filter {
    pub(super) fn wants(&self, update: &Update) -> bool {
        self.wants_kind(update.kind())
            && self.wants_chat(update)
            && !(self.incoming && update.outgoing())
            && self.matching.iter().all(|wanted| ask(&**wanted, update))
    }

    pub(super) fn wants_kind(&self, kind: UpdateKind) -> bool {
        match &self.kinds {
            None => kind != UpdateKind::Connection,
            Some(kinds) => kinds.contains(&kind),
        }
    }

    fn wants_chat(&self, update: &Update) -> bool {
        let Some(chats) = &self.chats else {
            return true;
        };
        match (update.peer(), update) {
            (Some(peer), _) => chats.contains(&peer.key()),
            (None, Update::MessageDeleted(_)) => {
                chats.iter().any(|chat| chat.kind() != PeerKind::Channel)
            }
            (None, Update::Missed(_) | Update::Connection(_)) => true,
            (None, _) => false,
        }
    }
}

fn ask(wanted: &Predicate, update: &Update) -> bool {
    catch_unwind(AssertUnwindSafe(|| wanted(update))).unwrap_or_else(|_| {
        log::error!("a filter of updates panicked; what it was asked about is delivered");
        true
    })
}

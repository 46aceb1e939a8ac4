//! What an account must see: the messages of its chats, and what happens to it from a moment on.
//!
//! A test compares with it what its program made of the pushes and differences that it got:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use layer_test_server::expected::{Count, EventKind};
//! use layer_test_server::{NewUser, Server};
//!
//! let server = Server::builder().start().await?;
//! let ann = server.add_user(NewUser::named("+15550001", "Ann"));
//! let bob = server.add_user(NewUser::named("+15550002", "Bob"));
//! let watch = bob.watch();
//! let id = ann.send_message(bob.peer(), "helo")?;
//! ann.edit_message(bob.peer(), id, "hello")?;
//!
//! // What Bob's programs must have been told, in this order …
//! let events = watch.take();
//! assert!(matches!(&events[0].kind, EventKind::New(message) if message.text == "helo"));
//! assert!(matches!(&events[1].kind, EventKind::Edited(message) if message.text == "hello"));
//! assert_eq!(events[1].count, Count::Common { pts: 3, pts_count: 1 });
//! // … and what they must have in the end.
//! let chat = &bob.expected().chats[&ann.peer()];
//! assert_eq!(chat.messages[0].text, "hello");
//! assert!(chat.messages[0].edit_date.is_some());
//! # server.shutdown().await;
//! # Ok(()) }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use layer_tl_types::enums;

use crate::handles::{Peer, UserHandle};
use crate::net::Hub;
use crate::world::ids::PeerId;
use crate::world::secondary::qts;

/// What an account must have at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Expected {
    /// The state of the account's own box: private chats and basic groups.
    pub pts: i32,
    /// The state of the secondary sequence.
    pub qts: i32,
    /// The state of the sequence of `updates` containers.
    pub seq: i32,
    /// The chats that it has messages in, and the channels and supergroups that it is a member of.
    pub chats: BTreeMap<Peer, ExpectedChat>,
}

/// What an account must have of one chat.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExpectedChat {
    /// The state of a channel's or supergroup's own box.
    pub pts: Option<i32>,
    /// The messages that there are, oldest first.
    pub messages: Vec<ExpectedMessage>,
    /// Up to where the account has read.
    pub read_inbox: i32,
    /// Up to where others have read what the account wrote.
    pub read_outbox: i32,
}

/// A message as one account sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedMessage {
    /// Its id for the account.
    pub id: i32,
    /// Its text or caption; empty for service messages.
    pub text: String,
    /// Whether the account wrote it.
    pub outgoing: bool,
    /// Whether it tells of something that happened in the chat.
    pub service: bool,
    /// When it was edited last (Unix time).
    pub edit_date: Option<i32>,
}

impl ExpectedMessage {
    /// A message as a client gets it.
    #[must_use]
    pub fn of(message: &enums::Message) -> Self {
        match message {
            enums::Message::Empty(message) => Self {
                id: message.id,
                ..Self::default()
            },
            enums::Message::Message(message) => Self {
                id: message.id,
                text: message.message.clone(),
                outgoing: message.out,
                service: false,
                edit_date: message.edit_date,
            },
            enums::Message::Service(message) => Self {
                id: message.id,
                outgoing: message.out,
                service: true,
                ..Self::default()
            },
        }
    }
}

/// Something that an account's programs must be told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The chat that it happened in, if it is of one chat and the update names it: deletions outside of channels do
    /// not.
    pub chat: Option<Peer>,
    /// By what it is counted.
    pub count: Count,
    /// What happened.
    pub kind: EventKind,
    /// The session whose own call made it, if one did: that session learns it from the answer, and is not told again.
    pub by: Option<i64>,
}

/// By what an event is counted (documentation page `api/updates`), with the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Count {
    /// The `pts` of private chats and basic groups.
    Common {
        /// The state after it.
        pts: i32,
        /// By how much it moved.
        pts_count: i32,
    },
    /// The `pts` of the channel or supergroup.
    Channel {
        /// The state after it.
        pts: i32,
        /// By how much it moved.
        pts_count: i32,
    },
    /// The secondary sequence, which moves by one.
    Qts(i32),
    /// The sequence of `updates` containers, which moves by one a container.
    Seq(i32),
    /// Nothing; a difference has it by its date.
    Uncounted,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A message came or was sent.
    New(ExpectedMessage),
    /// A message is another one now.
    Edited(ExpectedMessage),
    /// Messages are gone.
    Deleted(Vec<i32>),
    /// The account has read a chat up to this message.
    ReadInbox(i32),
    /// Others have read the account's own messages up to this one.
    ReadOutbox(i32),
    /// Voice messages were listened to, or mentions seen.
    ContentsRead(Vec<i32>),
    /// Messages were pinned or unpinned.
    Pinned {
        /// Which ones.
        ids: Vec<i32>,
        /// Whether they are pinned now.
        pinned: bool,
    },
    /// Any other update, as it is.
    Other(Box<enums::Update>),
}

impl Event {
    /// What an update tells, for comparing what came with what was expected.
    #[must_use]
    pub fn of(update: &enums::Update) -> Self {
        use EventKind as K;
        use enums::Update as U;
        let uncounted = (None, Count::Uncounted);
        macro_rules! common {
            ($update:expr, $chat:expr) => {
                (
                    $chat,
                    Count::Common {
                        pts: $update.pts,
                        pts_count: $update.pts_count,
                    },
                )
            };
        }
        macro_rules! channel {
            ($update:expr, $chat:expr) => {
                (
                    $chat,
                    Count::Channel {
                        pts: $update.pts,
                        pts_count: $update.pts_count,
                    },
                )
            };
        }
        let other = || K::Other(Box::new(update.clone()));
        let ((chat, count), kind) = match update {
            U::NewMessage(u) => (
                common!(u, chat_of(&u.message)),
                K::New(ExpectedMessage::of(&u.message)),
            ),
            U::EditMessage(u) => (
                common!(u, chat_of(&u.message)),
                K::Edited(ExpectedMessage::of(&u.message)),
            ),
            U::DeleteMessages(u) => (common!(u, None), K::Deleted(u.messages.clone())),
            U::ReadHistoryInbox(u) => (common!(u, Some(peer(&u.peer))), K::ReadInbox(u.max_id)),
            U::ReadHistoryOutbox(u) => (common!(u, Some(peer(&u.peer))), K::ReadOutbox(u.max_id)),
            U::ReadMessagesContents(u) => (common!(u, None), K::ContentsRead(u.messages.clone())),
            U::PinnedMessages(u) => (
                common!(u, Some(peer(&u.peer))),
                K::Pinned {
                    ids: u.messages.clone(),
                    pinned: u.pinned,
                },
            ),
            U::NewChannelMessage(u) => (
                channel!(u, chat_of(&u.message)),
                K::New(ExpectedMessage::of(&u.message)),
            ),
            U::EditChannelMessage(u) => (
                channel!(u, chat_of(&u.message)),
                K::Edited(ExpectedMessage::of(&u.message)),
            ),
            U::DeleteChannelMessages(u) => (
                channel!(u, Some(Peer::Channel(u.channel_id))),
                K::Deleted(u.messages.clone()),
            ),
            U::PinnedChannelMessages(u) => (
                channel!(u, Some(Peer::Channel(u.channel_id))),
                K::Pinned {
                    ids: u.messages.clone(),
                    pinned: u.pinned,
                },
            ),
            U::ReadChannelInbox(u) => (
                (Some(Peer::Channel(u.channel_id)), Count::Uncounted),
                K::ReadInbox(u.max_id),
            ),
            U::ReadChannelOutbox(u) => (
                (Some(Peer::Channel(u.channel_id)), Count::Uncounted),
                K::ReadOutbox(u.max_id),
            ),
            U::Channel(u) => (
                (Some(Peer::Channel(u.channel_id)), Count::Uncounted),
                other(),
            ),
            U::Chat(u) => ((Some(Peer::Group(u.chat_id)), Count::Uncounted), other()),
            _ => match qts(update) {
                Some(qts) if qts > 0 => ((None, Count::Qts(qts)), other()),
                _ => (uncounted, other()),
            },
        };
        Self {
            chat,
            count,
            kind,
            by: None,
        }
    }
}

/// Those of these events that a program must have been told even if it slept all the while: a difference says
/// nothing of messages that are gone by then but that they are gone, and has the others as they are by then.
#[must_use]
pub fn lasting(events: &[Event]) -> Vec<&Event> {
    let channel = |event: &Event| event.chat.filter(|chat| matches!(chat, Peer::Channel(_)));
    let mut gone = BTreeSet::new();
    let mut lasting = Vec::new();
    for event in events.iter().rev() {
        match &event.kind {
            EventKind::Deleted(ids) => gone.extend(ids.iter().map(|id| (channel(event), *id))),
            EventKind::New(message) | EventKind::Edited(message)
                if gone.contains(&(channel(event), message.id)) =>
            {
                continue;
            }
            _ => {}
        }
        lasting.push(event);
    }
    lasting.reverse();
    lasting
}

fn peer(peer: &enums::Peer) -> Peer {
    PeerId::of_tl(peer).into()
}

fn chat_of(message: &enums::Message) -> Option<Peer> {
    match message {
        enums::Message::Empty(message) => message.peer_id.as_ref().map(peer),
        enums::Message::Message(message) => Some(peer(&message.peer_id)),
        enums::Message::Service(message) => Some(peer(&message.peer_id)),
    }
}

/// Notes what happens to an account, until it is dropped. What was not taken is kept: whoever watches for long takes
/// it now and then.
pub struct Watch {
    hub: Arc<Hub>,
    journal: u64,
}

impl Watch {
    /// What happened since the last time, in its order. Nothing of it is given twice.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        self.hub.world().journals.take(self.journal)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.hub.world().journals.close(self.journal);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl UserHandle {
    /// What the account must see now: see [`expected`](crate::expected).
    #[must_use]
    pub fn expected(&self) -> Expected {
        self.hub.world().expected(self.id)
    }

    /// Notes from now on what the account's programs must be told: see [`expected`](crate::expected).
    ///
    /// Typing, the comings and goings of others and how polls stand are not among it: nobody has to hear of them, and
    /// no difference has them.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch {
            journal: self.hub.world().journals.open(self.id),
            hub: Arc::clone(&self.hub),
        }
    }

    /// Pushes an update to all sessions of the account, for what this data centre does not make by itself. It counts
    /// in no sequence, and no difference has it. `named` are the peers to be described beside it.
    pub fn push(&self, update: enums::Update, named: &[Peer]) {
        self.push_as(update, named, false);
    }

    /// As [`UserHandle::push`], and differences from before have it, as they have changes of names.
    pub fn push_kept(&self, update: enums::Update, named: &[Peer]) {
        self.push_as(update, named, true);
    }

    fn push_as(&self, update: enums::Update, named: &[Peer], kept: bool) {
        let named: Vec<PeerId> = named.iter().map(|peer| (*peer).into()).collect();
        self.hub
            .act(|world| world.push_foreign(self.id, update, &named, kept));
    }

    /// Pushes an update of a kind that has a `qts`, whose value this data centre fills in: it is counted, and
    /// differences from before have it. Without effect for updates of another kind.
    pub fn push_qts(&self, update: enums::Update, named: &[Peer]) {
        let named: Vec<PeerId> = named.iter().map(|peer| (*peer).into()).collect();
        self.hub
            .act(|world| world.emit_qts(self.id, update, &named));
    }

    /// Pushes an `Updates` object of any kind to all sessions of the account, exactly as it is.
    pub fn push_object(&self, updates: enums::Updates) {
        self.hub.act(|world| world.push(self.id, updates, true));
    }
}

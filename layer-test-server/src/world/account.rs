//! An account's own store: its message box, its dialogs, its log of changes.
//!
//! Messages of private chats and basic groups have ids that count per account, so each participant holds an entry of
//! their own for a message; the text itself is stored once, as a [`Body`](super::message::Body). Every change that
//! counts in `pts` stands in the log, from which `updates.getDifference` is answered.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use layer_tl_types::enums;

use super::ids::PeerId;
use super::owed::Owed;
use super::secondary::Secondary;
use super::users::Contact;

/// A message as it lies in one account's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which body it shows.
    pub(crate) body: u64,
    /// The dialog it is in.
    pub(crate) peer: PeerId,
    /// The account is mentioned or replied to.
    pub(crate) mentioned: bool,
    /// Voice or round video not listened to, or a mention not seen.
    pub(crate) media_unread: bool,
}

/// What happened, in the account's terms. Each kind is one update with `pts` and `pts_count`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    New {
        id: i32,
    },
    Edit {
        id: i32,
    },
    Delete {
        ids: Vec<i32>,
    },
    ReadInbox {
        peer: PeerId,
        max_id: i32,
        still_unread: i32,
    },
    ReadOutbox {
        peer: PeerId,
        max_id: i32,
    },
    ReadContents {
        ids: Vec<i32>,
    },
    Pinned {
        peer: PeerId,
        ids: Vec<i32>,
        pinned: bool,
    },
}

impl Change {
    /// By how much it moves `pts`.
    pub(crate) fn count(&self) -> i32 {
        match self {
            Self::Delete { ids } | Self::ReadContents { ids } | Self::Pinned { ids, .. } => {
                i32::try_from(ids.len()).unwrap_or(i32::MAX)
            }
            _ => 1,
        }
    }
}

/// A change with the state after it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Logged {
    pub(crate) pts: i32,
    pub(crate) pts_count: i32,
    pub(crate) date: i32,
    pub(crate) change: Change,
}

/// Changes that count in no `pts` (names, participants, memberships), by the date a difference asks from.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) date: i32,
    pub(crate) update: enums::Update,
    pub(crate) names: Vec<PeerId>,
    /// The `seq` of the container that told of it; 0 if it had none.
    pub(crate) seq: i32,
}

/// A conversation of the account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialog {
    /// Ids of its messages; empty for channels, whose messages are their own.
    pub(crate) ids: BTreeSet<i32>,
    pub(crate) read_inbox: i32,
    pub(crate) read_outbox: i32,
    pub(crate) unread_mark: bool,
    pub(crate) draft: Option<enums::DraftMessage>,
    /// A dialog without messages stays listed until it is deleted.
    pub(crate) hidden: bool,
    /// Unix time of the last message, to order dialogs that lost all of theirs.
    pub(crate) touched: i32,
}

/// One account's state.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) pts: i32,
    pub(crate) next_id: i32,
    pub(crate) messages: BTreeMap<i32, Entry>,
    pub(crate) dialogs: BTreeMap<PeerId, Dialog>,
    /// Pinned dialogs, the topmost first.
    pub(crate) pinned: Vec<PeerId>,
    pub(crate) log: VecDeque<Logged>,
    pub(crate) notes: VecDeque<Noted>,
    /// The state of what counts in `qts`, and the log of it.
    pub(crate) qts: i32,
    pub(crate) secondary: VecDeque<Secondary>,
    /// How many containers were numbered.
    pub(crate) seq: i32,
    /// What did not reach programs, by their auth keys.
    pub(crate) owed: BTreeMap<i64, Owed>,
    /// The newest date that any session of this account was given.
    pub(crate) given_date: i32,
    /// Channels that changed, and when last.
    pub(crate) touched_channels: BTreeMap<i64, i32>,
    pub(crate) contacts: BTreeMap<i64, Contact>,
    /// Who is blocked, and since when.
    pub(crate) blocked: BTreeMap<PeerId, i32>,
    /// `random_id`s already used, with what they made.
    pub(crate) sent: HashMap<i64, (PeerId, i32)>,
    pub(crate) sent_order: VecDeque<i64>,
    /// How often each peer was written to, for `contacts.getTopPeers`.
    pub(crate) rating: BTreeMap<PeerId, u32>,
}

impl Account {
    /// A fresh account. Its `pts` is 1: with 0 some clients ask for the difference for ever.
    pub(crate) fn new() -> Self {
        Self {
            pts: 1,
            next_id: 1,
            messages: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            pinned: Vec::new(),
            log: VecDeque::new(),
            notes: VecDeque::new(),
            qts: 0,
            secondary: VecDeque::new(),
            seq: 0,
            owed: BTreeMap::new(),
            given_date: 0,
            touched_channels: BTreeMap::new(),
            contacts: BTreeMap::new(),
            blocked: BTreeMap::new(),
            sent: HashMap::new(),
            sent_order: VecDeque::new(),
            rating: BTreeMap::new(),
        }
    }

    /// Appends to the log and returns what was appended; the oldest entry goes when there are more than `limit`.
    pub(crate) fn append(&mut self, change: Change, date: i32, limit: usize) -> Logged {
        let pts_count = change.count();
        self.pts = self.pts.saturating_add(pts_count);
        let logged = Logged {
            pts: self.pts,
            pts_count,
            date,
            change,
        };
        self.log.push_back(logged.clone());
        while self.log.len() > limit {
            self.log.pop_front();
        }
        logged
    }

    /// The oldest `pts` from which the log can still lead to the present.
    pub(crate) fn oldest_pts(&self) -> i32 {
        self.log
            .front()
            .map_or(self.pts, |first| first.pts - first.pts_count)
    }

    /// Remembers what a `random_id` made, forgetting the oldest beyond `limit`.
    pub(crate) fn remember_sent(&mut self, random_id: i64, peer: PeerId, id: i32, limit: usize) {
        if self.sent.insert(random_id, (peer, id)).is_none() {
            self.sent_order.push_back(random_id);
        }
        while self.sent_order.len() > limit {
            if let Some(oldest) = self.sent_order.pop_front() {
                self.sent.remove(&oldest);
            }
        }
    }

    /// The dialog with `peer`, made if there is none.
    pub(crate) fn dialog(&mut self, peer: PeerId) -> &mut Dialog {
        self.dialogs.entry(peer).or_default()
    }

    /// The dialog's message ids, oldest first.
    pub(crate) fn ids(&self, peer: PeerId) -> impl DoubleEndedIterator<Item = i32> + '_ {
        self.dialogs
            .get(&peer)
            .into_iter()
            .flat_map(|dialog| dialog.ids.iter().copied())
    }
}

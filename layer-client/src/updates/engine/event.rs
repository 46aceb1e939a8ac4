//! What comes out of the engine: deliveries for the user, and calls to make.

use std::sync::Arc;

use layer_tl_types as tl;

use super::Key;
use crate::peers::PeerMap;
use crate::tl::Serializable;

/// What to tell the user.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// An update, as the server told it.
    Update(tl::enums::Update),
    /// Too much has happened: the history of this box must be fetched again to be complete.
    Missed(Key),
    /// The server sent something that could not be read; a difference is being taken.
    Malformed,
    /// Nothing: only the state moves on.
    Nothing,
}

/// How far the state has come once a delivery is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nowhere: what comes later moves the state past it.
    None,
    /// Nowhere, and no difference would bring it again (typing and the like).
    Loose,
    Pts(i32),
    Qts(i32),
    Seq(i32),
    Date(i32),
    Channel {
        id: i64,
        pts: i32,
    },
    ChannelGone(i64),
    Common {
        pts: i32,
        qts: i32,
        seq: i32,
        date: i32,
    },
}

/// One thing for the consumer, in its place.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) payload: Payload,
    /// The users and chats of the packet that it came in.
    pub(crate) peers: Arc<PeerMap>,
    pub(crate) mark: Mark,
    /// About how many bytes of memory it holds.
    pub(crate) cost: usize,
}

/// What an update takes in memory, however little it says: a message's fields have their places when they are empty.
const UPDATE: usize = 640;
/// What a byte on the wire becomes on top of that.
const SPREAD: usize = 4;
/// What a user or chat takes.
const PEER: usize = 512;

impl Delivery {
    pub(crate) fn new(payload: Payload, peers: &Arc<PeerMap>, mark: Mark) -> Self {
        Self {
            payload,
            peers: Arc::clone(peers),
            mark,
            cost: size_of::<Self>(),
        }
    }

    /// An update, one of `of` in a packet, which share what the packet's peers cost.
    pub(crate) fn update(
        update: tl::enums::Update,
        peers: &Arc<PeerMap>,
        mark: Mark,
        of: usize,
    ) -> Self {
        let mut bytes = Vec::with_capacity(512);
        update.serialize(&mut bytes);
        let cost = UPDATE + bytes.len() * SPREAD + peers.len() * PEER / of.max(1);
        let mut delivery = Self::new(Payload::Update(update), peers, mark);
        delivery.cost += cost;
        delivery
    }
}

/// A call that the engine wants made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `updates.getState`
    State,
    /// `updates.getDifference`
    Difference { pts: i32, qts: i32, date: i32 },
    /// `updates.getChannelDifference`
    Channel { id: i64, pts: i32 },
}

/// The state of the common box, as `updates.State` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommonState {
    pub(crate) pts: i32,
    pub(crate) qts: i32,
    pub(crate) seq: i32,
    pub(crate) date: i32,
}

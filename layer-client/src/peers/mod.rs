//! Users, groups and channels that were met, and how to address them.
//!
//! [`Peer`] is what results and updates show, [`PeerRef`] what calls take, the cache what lies between; it is
//! persisted with the session.

mod cache;
mod peer;
mod reference;
mod resolve;

pub use peer::{Peer, PeerId, PeerKind};
pub use reference::PeerRef;

pub(crate) use cache::PeerCache;
pub(crate) use peer::{MinContext, PeerMap, input_user, peer_of_chat};
pub(crate) use resolve::{Finder, unusable};

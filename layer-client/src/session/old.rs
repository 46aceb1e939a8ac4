//! Sessions as earlier versions of the envelope hold them, to be read and never written.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{
    DcOption, DcState, PeerKind, SavedKey, SavedPeer, SavedSalt, SelfUser, Session, UpdatesState,
};
use crate::record::record;

/// Version 1, which kept bare addresses.
#[cfg_attr(test, derive(Debug, PartialEq, serde::Serialize, serde::Deserialize))]
pub(super) struct Session1 {
    home_dc: i32,
    dcs: BTreeMap<i32, DcState1>,
    user: Option<SelfUser>,
    updates: UpdatesState,
    peers: Vec<SavedPeer2>,
}

/// Version 2, which kept no peers that are known in part.
#[cfg_attr(test, derive(Debug, PartialEq, serde::Serialize, serde::Deserialize))]
pub(super) struct Session2 {
    home_dc: i32,
    dcs: BTreeMap<i32, DcState>,
    user: Option<SelfUser>,
    updates: UpdatesState,
    peers: Vec<SavedPeer2>,
}

/// A peer as versions 1 and 2 have it.
#[cfg_attr(test, derive(Debug, PartialEq, serde::Serialize, serde::Deserialize))]
struct SavedPeer2 {
    kind: PeerKind,
    id: i64,
    access_hash: Option<i64>,
    usernames: Vec<String>,
    phone: Option<String>,
    name: String,
}

impl From<SavedPeer2> for SavedPeer {
    fn from(old: SavedPeer2) -> Self {
        Self {
            access_hash: old.access_hash,
            usernames: old.usernames,
            phone: old.phone,
            name: old.name,
            ..Self::new(old.kind, old.id)
        }
    }
}

impl From<Session2> for Session {
    fn from(old: Session2) -> Self {
        Self {
            home_dc: old.home_dc,
            dcs: old.dcs,
            user: old.user,
            updates: old.updates,
            peers: old.peers.into_iter().map(SavedPeer::from).collect(),
        }
    }
}

#[cfg_attr(test, derive(Debug, PartialEq, serde::Serialize, serde::Deserialize))]
struct DcState1 {
    addresses: Vec<SocketAddr>,
    auth_key: Option<SavedKey>,
    salts: Vec<SavedSalt>,
    time_offset: i64,
    authorized: bool,
}

impl From<Session1> for Session {
    fn from(old: Session1) -> Self {
        let dcs = old.dcs.into_iter().map(|(id, dc)| (id, dc.into()));
        Self {
            home_dc: old.home_dc,
            dcs: dcs.collect(),
            user: old.user,
            updates: old.updates,
            peers: old.peers.into_iter().map(SavedPeer::from).collect(),
        }
    }
}

impl From<DcState1> for DcState {
    fn from(old: DcState1) -> Self {
        Self {
            options: old.addresses.into_iter().map(DcOption::new).collect(),
            auth_key: old.auth_key,
            salts: old.salts,
            time_offset: old.time_offset,
            authorized: old.authorized,
        }
    }
}

record!(read Session1 {
    home_dc,
    dcs,
    user,
    updates,
    peers,
});
record!(read Session2 {
    home_dc,
    dcs,
    user,
    updates,
    peers,
});
record!(read SavedPeer2 {
    kind,
    id,
    access_hash,
    usernames,
    phone,
    name,
});
record!(read DcState1 {
    addresses,
    auth_key,
    salts,
    time_offset,
    authorized,
});

#[cfg(test)]
mod tests {
    use super::super::{SeenIn, envelope};
    use super::*;
    use crate::record::against_postcard::agree_in_reading;

    /// What each version wrote once, byte for byte. These files are never made anew: a version that
    /// cannot read them would cost people their logins.
    const WRITTEN: [&[u8]; 3] = [
        include_bytes!("fixtures/version-1.session"),
        include_bytes!("fixtures/version-2.session"),
        include_bytes!("fixtures/version-3.session"),
    ];

    /// What they hold: all of them the same, and from version 3 on a user who is known in part.
    fn held(version: usize) -> Session {
        let mut session = Session {
            home_dc: 2,
            user: Some(SelfUser::new(7, true)),
            ..Session::default()
        };
        let options = ["149.154.167.51:443", "[2001:67c:4e8:f002::a]:443"];
        let options = options.map(|address| DcOption::new(address.parse().unwrap()));
        let key = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let dc = session.dcs.entry(2).or_default();
        dc.options = options.into();
        dc.auth_key = Some(SavedKey::new(key));
        dc.salts = vec![SavedSalt::new(-5, 1, 2)];
        dc.time_offset = -3;
        dc.authorized = true;
        session.dcs.entry(4).or_default();
        session.updates.pts = 12;
        session.updates.qts = 1;
        session.updates.date = 1_700_000_000;
        session.updates.seq = 3;
        session.updates.channels.insert(77, 5);
        let mut peer = SavedPeer::new(PeerKind::Channel, 77);
        peer.access_hash = Some(-1_234_567_890_123);
        peer.usernames = vec!["one".to_owned(), "two".to_owned()];
        peer.phone = Some("15550001".to_owned());
        peer.name = "A channel".to_owned();
        session.peers.push(peer);
        if version >= 3 {
            let mut user = SavedPeer::new(PeerKind::User, 99);
            user.name = "A stranger".to_owned();
            user.min = true;
            let hash = Some(-1_234_567_890_123);
            user.seen_in = Some(SeenIn::new(PeerKind::Channel, 77, hash, 34));
            session.peers.push(user);
        }
        session
    }

    #[test]
    fn what_every_version_wrote_is_read_for_ever() {
        for (version, bytes) in (1..).zip(WRITTEN) {
            let read = envelope::decode(bytes, "x").unwrap();
            assert_eq!(read, held(version), "version {version}");
        }
    }

    #[test]
    fn the_newest_version_is_written_as_it_was() {
        let written = envelope::encode(&held(WRITTEN.len()));
        assert_eq!(Some(&written[..]), WRITTEN.last().copied());
        assert_eq!(usize::from(written[8]), WRITTEN.len());
    }

    #[test]
    fn old_sessions_are_read_as_postcard_does() {
        agree_in_reading::<Session1>(1_000);
        agree_in_reading::<Session2>(1_000);
    }
}

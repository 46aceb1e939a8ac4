//! Sessions as earlier versions of the envelope hold them, to be read and never written.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;

use super::{DcOption, DcState, SavedKey, SavedPeer, SavedSalt, SelfUser, Session, UpdatesState};

/// Version 1, which kept bare addresses.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Session1 {
    home_dc: i32,
    dcs: BTreeMap<i32, DcState1>,
    user: Option<SelfUser>,
    updates: UpdatesState,
    peers: Vec<SavedPeer>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
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
            peers: old.peers,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_the_first_version_keeps_its_login() {
        let address: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let dc = DcState1 {
            addresses: vec![address],
            auth_key: Some(SavedKey::new([9; 256])),
            salts: vec![SavedSalt::new(-5, 1, 2)],
            time_offset: -3,
            authorized: true,
        };
        let old = Session1 {
            home_dc: 2,
            dcs: [(2, dc)].into(),
            user: Some(SelfUser::new(7, true)),
            updates: UpdatesState::default(),
            peers: Vec::new(),
        };
        let bytes = postcard::to_stdvec(&old).unwrap();
        let bytes = super::super::envelope::tests::wrap(1, &bytes);
        let new = super::super::envelope::decode(&bytes, "x").unwrap();
        assert_eq!((new.home_dc, new.user), (2, Some(SelfUser::new(7, true))));
        let dc = &new.dcs[&2];
        assert_eq!(dc.options, [DcOption::new(address)]);
        assert_eq!(dc.auth_key, Some(SavedKey::new([9; 256])));
        assert!(dc.authorized && dc.time_offset == -3 && dc.salts.len() == 1);
    }
}

//! Keeping the key in a session file that layer-app, and any program of layer-client, goes on with.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use layer_client::session::{DcOption, FileStorage, SavedKey, SavedSalt, Session, SessionStorage};
use layer_mtproto::handshake::Outcome;
use layer_mtproto::session::FutureSalt;

use crate::exchange::Failure;

/// A session file that is to be made.
pub(crate) struct Keeper(FileStorage);

impl Keeper {
    /// Takes the file, before any work is done; one that is there already is somebody's account and is
    /// left alone.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let storage = FileStorage::open(path).map_err(failed)?;
        if storage.load().map_err(failed)?.is_some() {
            return Err(failed(format!(
                "{} holds a session already; name another file",
                path.display()
            )));
        }
        Ok(Self(storage))
    }

    /// Writes the session.
    pub(crate) fn save(
        &self,
        dc: i32,
        address: SocketAddr,
        outcome: &Outcome,
    ) -> Result<(), Failure> {
        let mut session = Session::default();
        session.home_dc = dc;
        let state = session.dcs.entry(dc).or_default();
        state.options = vec![DcOption::new(address)];
        state.auth_key = Some(SavedKey::new(*outcome.auth_key.as_bytes()));
        state.time_offset = outcome.time_offset_secs;
        let salt = FutureSalt::from(i64::from(outcome.server_time), outcome.first_salt);
        state.salts = vec![SavedSalt::new(
            salt.salt,
            salt.valid_since,
            salt.valid_until,
        )];
        session.save(&self.0).map_err(failed)
    }
}

fn failed(error: impl Display) -> Failure {
    Failure::Session(error.to_string())
}

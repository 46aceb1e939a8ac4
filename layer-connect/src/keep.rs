//! Keeping the key in a session file that layer-app, and any program of layer-client, goes on with.

use std::net::SocketAddr;
use std::path::Path;

use layer_client::session::{FileStorage, SavedKey, SavedSalt, Session};
use layer_mtproto::handshake::Outcome;
use layer_mtproto::session::FutureSalt;

use crate::exchange::Failure;

/// Writes a new session file; one that is there already is somebody's account and is left alone.
pub(crate) fn save(
    path: &Path,
    dc: i32,
    address: SocketAddr,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Session(error.to_string());
    let storage = FileStorage::open(path).map_err(|error| failed(&error))?;
    if Session::load(&storage)
        .map_err(|error| failed(&error))?
        .is_some()
    {
        return Err(failed(&format!(
            "{} holds a session already; name another file",
            path.display()
        )));
    }
    let mut session = Session::default();
    session.home_dc = dc;
    let state = session.dcs.entry(dc).or_default();
    state.addresses = vec![address];
    state.auth_key = Some(SavedKey::new(*outcome.auth_key.as_bytes()));
    state.time_offset = outcome.time_offset_secs;
    let salt = FutureSalt::from(i64::from(outcome.server_time), outcome.first_salt);
    state.salts = vec![SavedSalt::new(
        salt.salt,
        salt.valid_since,
        salt.valid_until,
    )];
    session.save(&storage).map_err(|error| failed(&error))
}

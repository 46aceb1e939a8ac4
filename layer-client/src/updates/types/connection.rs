//! How the connection stands, among the updates.

use crate::net::ConnectionState;

/// The connection to the account's data centre changed, or what came over it.
///
/// A program that shows "connecting…" and "updating…" reads these;
/// [`Client::connection_states`](crate::Client::connection_states) tells the states alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// It stands so now.
    State(ConnectionState),
    /// What is not here yet is being fetched: after the start, a lost connection, or a hole in what
    /// the server pushed.
    CatchingUp,
    /// Everything that is known to have happened was fetched.
    CaughtUp,
}

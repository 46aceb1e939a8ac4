//! `messages.*`.

pub(crate) mod dialogs;
pub(crate) mod groups;
pub(crate) mod lookup;
pub(crate) mod opinions;
pub(crate) mod sending;

use super::Handler;

/// The handler of a method of this namespace, by constructor id.
pub(crate) fn route(id: u32) -> Option<Handler> {
    sending::route(id)
        .or_else(|| lookup::route(id))
        .or_else(|| dialogs::route(id))
        .or_else(|| groups::route(id))
        .or_else(|| opinions::route(id))
}

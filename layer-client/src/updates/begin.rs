//! Where a new login's updates begin.
//!
//! The server pushes from the moment it signs us in, but `updates.getState` answers a little later
//! and counts what was pushed in between as past. So the lowest counters seen meanwhile are noted,
//! and the login begins below them: the first difference brings what came.

use std::collections::HashMap;
use std::sync::Arc;

use layer_tl_types as tl;

use super::answers;
use super::engine::{Order, Packet, order_of};
use super::hub::Shared;
use crate::tl::Deserializable;

/// Channels that are noted at most: what a server may push between signing in and the state.
const CHANNELS: usize = 1024;

/// The lowest states before anything that was pushed.
#[derive(Debug, Default)]
pub(super) struct Early {
    pts: Option<i32>,
    channels: HashMap<i64, i32>,
}

impl Early {
    /// Notes what the bytes of an `Updates` tell. What cannot be read is no loss: it was pushed once,
    /// and the state that comes next is above it.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let Ok(updates) = tl::enums::Updates::from_bytes(bytes) else {
            return;
        };
        for update in &Packet::new(updates, 0).updates {
            match order_of(update) {
                Order::Common { pts, count } => {
                    let before = before(pts, count);
                    self.pts = Some(self.pts.map_or(before, |low| low.min(before)));
                }
                Order::Channel { id, pts, count }
                    if self.channels.len() < CHANNELS || self.channels.contains_key(&id) =>
                {
                    let low = self.channels.entry(id).or_insert(i32::MAX);
                    *low = before(pts, count).min(*low);
                }
                _ => {}
            }
        }
    }
}

/// The state before an update; 0 is none that the server would take.
fn before(pts: i32, count: i32) -> i32 {
    pts.saturating_sub(count).max(1)
}

/// Says that the beginning is being looked for, for as long as it lives.
pub(crate) struct Beginning<'a>(&'a Shared);

impl<'a> Beginning<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        shared.lock().beginning += 1;
        Self(shared)
    }
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        self.0.lock().beginning -= 1;
        self.0.wake.notify_one();
    }
}

/// Asks for the state once after signing in. Streams, whenever they are opened, begin there.
pub(super) async fn begin(shared: Arc<Shared>) {
    let Some(client) = shared.client.upgrade() else {
        return;
    };
    let known = client
        .inner
        .session
        .read(|session| session.updates.pts != 0);
    if (known && client.inner.config.catch_up) || shared.lock().driven_on {
        return;
    }
    // Without an answer, whoever reads asks again.
    let Ok(state) = client.invoke(&tl::functions::updates::GetState {}).await else {
        return;
    };
    let state = answers::state(state);
    let early = {
        let mut hub = shared.lock();
        if hub.driven_on || std::mem::replace(&mut hub.begun, true) {
            return;
        }
        std::mem::take(&mut hub.early)
    };
    client.inner.session.update(|session| {
        let at = &mut session.updates;
        at.pts = early.pts.map_or(state.pts, |low| low.min(state.pts));
        at.qts = state.qts;
        at.seq = state.seq;
        at.date = state.date;
        at.channels.extend(early.channels);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::blank_message;
    use crate::tl::Serializable;

    fn new_message(pts: i32) -> Vec<u8> {
        let peer = tl::types::PeerUser { user_id: 1 }.into();
        let update = tl::types::UpdateNewMessage {
            message: blank_message(pts, peer, 0, String::new()).into(),
            pts,
            pts_count: 1,
        };
        let short = tl::types::UpdateShort {
            update: update.into(),
            date: 0,
        };
        tl::enums::Updates::from(short).to_bytes()
    }

    #[test]
    fn the_lowest_state_before_what_was_pushed_is_noted() {
        let mut early = Early::default();
        early.note(&new_message(8));
        early.note(&new_message(7));
        early.note(&new_message(9));
        assert_eq!(early.pts, Some(6));
    }

    #[test]
    fn a_login_never_begins_at_zero_and_garbage_is_nothing() {
        let mut early = Early::default();
        early.note(b"garbage");
        assert_eq!(early.pts, None);
        early.note(&new_message(1));
        assert_eq!(early.pts, Some(1));
    }
}

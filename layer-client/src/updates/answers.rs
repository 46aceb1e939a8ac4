//! What the server answers to a difference, in the engine's terms.

use std::sync::Arc;

use layer_tl_types as tl;

use super::engine::{ChannelAnswer, CommonAnswer, CommonState, channel_of_message};
use crate::peers::PeerMap;

pub(super) fn state(state: tl::enums::updates::State) -> CommonState {
    let tl::enums::updates::State::State(state) = state;
    CommonState {
        pts: state.pts,
        qts: state.qts,
        seq: state.seq,
        date: state.date,
    }
}

/// A message of a difference as an update. It has no place of its own: the difference has.
fn new_message(message: tl::enums::Message) -> tl::enums::Update {
    if channel_of_message(&message).is_some() {
        tl::types::UpdateNewChannelMessage {
            message,
            pts: 0,
            pts_count: 0,
        }
        .into()
    } else {
        tl::types::UpdateNewMessage {
            message,
            pts: 0,
            pts_count: 0,
        }
        .into()
    }
}

fn new_encrypted(message: tl::enums::EncryptedMessage) -> tl::enums::Update {
    tl::types::UpdateNewEncryptedMessage { message, qts: 0 }.into()
}

pub(super) fn common(answer: tl::enums::updates::Difference) -> (CommonAnswer, Arc<PeerMap>) {
    use tl::enums::updates::Difference as D;
    let (messages, encrypted, other, users, chats, at, last) = match answer {
        D::Empty(d) => {
            return (
                CommonAnswer::Empty {
                    date: d.date,
                    seq: d.seq,
                },
                Arc::default(),
            );
        }
        D::TooLong(d) => return (CommonAnswer::TooLong { pts: d.pts }, Arc::default()),
        D::Difference(d) => (
            d.new_messages,
            d.new_encrypted_messages,
            d.other_updates,
            d.users,
            d.chats,
            d.state,
            true,
        ),
        D::Slice(d) => {
            let at = d.intermediate_state;
            (
                d.new_messages,
                d.new_encrypted_messages,
                d.other_updates,
                d.users,
                d.chats,
                at,
                false,
            )
        }
    };
    let peers = Arc::new(PeerMap::collect(&users, &chats));
    let mut updates: Vec<tl::enums::Update> = messages.into_iter().map(new_message).collect();
    updates.extend(encrypted.into_iter().map(new_encrypted));
    updates.extend(other);
    let answer = CommonAnswer::Part {
        updates,
        peers: Arc::clone(&peers),
        state: state(at),
        last,
    };
    (answer, peers)
}

pub(super) fn channel(
    answer: tl::enums::updates::ChannelDifference,
) -> (ChannelAnswer, Arc<PeerMap>) {
    use tl::enums::updates::ChannelDifference as D;
    match answer {
        D::Empty(d) => {
            let answer = ChannelAnswer::Empty {
                pts: d.pts,
                last: d.r#final,
                timeout: d.timeout,
            };
            (answer, Arc::default())
        }
        D::TooLong(d) => {
            let peers = Arc::new(PeerMap::collect(&d.users, &d.chats));
            let pts = match &d.dialog {
                tl::enums::Dialog::Dialog(dialog) => dialog.pts,
                tl::enums::Dialog::Folder(_) => None,
            };
            let answer = ChannelAnswer::TooLong {
                pts,
                peers: Arc::clone(&peers),
                last: d.r#final,
                timeout: d.timeout,
            };
            (answer, peers)
        }
        D::Difference(d) => {
            let peers = Arc::new(PeerMap::collect(&d.users, &d.chats));
            let mut updates: Vec<tl::enums::Update> =
                d.new_messages.into_iter().map(new_message).collect();
            updates.extend(d.other_updates);
            let answer = ChannelAnswer::Part {
                updates,
                peers: Arc::clone(&peers),
                pts: d.pts,
                last: d.r#final,
                timeout: d.timeout,
            };
            (answer, peers)
        }
    }
}

//! That whatever an object names is described beside it.

use layer_tl_types::enums;

use super::replica::{message_peer, peer_of};
use crate::world::ids::PeerId;

fn is_described(peer: PeerId, users: &[enums::User], chats: &[enums::Chat]) -> bool {
    match peer {
        PeerId::User(id) => users
            .iter()
            .any(|user| matches!(user, enums::User::User(user) if user.id == id)),
        PeerId::Chat(id) => chats.iter().any(|chat| match chat {
            enums::Chat::Chat(chat) => chat.id == id,
            enums::Chat::Forbidden(chat) => chat.id == id,
            _ => false,
        }),
        PeerId::Channel(id) => chats.iter().any(|chat| match chat {
            enums::Chat::Channel(chat) => chat.id == id,
            enums::Chat::ChannelForbidden(chat) => chat.id == id,
            _ => false,
        }),
    }
}

fn check_peer(peer: PeerId, users: &[enums::User], chats: &[enums::Chat]) {
    assert!(
        is_described(peer, users, chats),
        "{peer:?} is named and not described"
    );
}

pub(super) fn check_message_named(
    message: &enums::Message,
    users: &[enums::User],
    chats: &[enums::Chat],
) {
    if let Some(peer) = message_peer(message) {
        check_peer(peer, users, chats);
    }
    let (from, forward) = match message {
        enums::Message::Message(message) => (message.from_id.as_ref(), message.fwd_from.as_ref()),
        enums::Message::Service(message) => (message.from_id.as_ref(), None),
        enums::Message::Empty(_) => (None, None),
    };
    if let Some(from) = from {
        check_peer(peer_of(from), users, chats);
    }
    if let Some(enums::MessageFwdHeader::Header(forward)) = forward
        && let Some(from) = &forward.from_id
    {
        check_peer(peer_of(from), users, chats);
    }
    if let enums::Message::Service(message) = message {
        let named: Vec<i64> = match &message.action {
            enums::MessageAction::ChatCreate(action) => action.users.clone(),
            enums::MessageAction::ChatAddUser(action) => action.users.clone(),
            enums::MessageAction::ChatDeleteUser(action) => vec![action.user_id],
            _ => Vec::new(),
        };
        for user in named {
            check_peer(PeerId::User(user), users, chats);
        }
    }
}

pub(super) fn check_named(update: &enums::Update, users: &[enums::User], chats: &[enums::Chat]) {
    match update {
        enums::Update::NewMessage(update) => check_message_named(&update.message, users, chats),
        enums::Update::EditMessage(update) => check_message_named(&update.message, users, chats),
        enums::Update::NewChannelMessage(update) => {
            check_message_named(&update.message, users, chats)
        }
        enums::Update::EditChannelMessage(update) => {
            check_message_named(&update.message, users, chats)
        }
        enums::Update::ReadHistoryInbox(update) => check_peer(peer_of(&update.peer), users, chats),
        enums::Update::ReadHistoryOutbox(update) => check_peer(peer_of(&update.peer), users, chats),
        enums::Update::Channel(update) => {
            check_peer(PeerId::Channel(update.channel_id), users, chats)
        }
        enums::Update::ChatParticipants(update) => {
            if let enums::ChatParticipants::Participants(list) = &update.participants {
                check_peer(PeerId::Chat(list.chat_id), users, chats);
                for participant in &list.participants {
                    let user = match participant {
                        enums::ChatParticipant::Participant(participant) => participant.user_id,
                        enums::ChatParticipant::Creator(participant) => participant.user_id,
                        enums::ChatParticipant::Admin(participant) => participant.user_id,
                    };
                    check_peer(PeerId::User(user), users, chats);
                }
            }
        }
        _ => {}
    }
}

//! What the middleware reads of a serialised request: which method it calls, inside whatever it is
//! wrapped in, and which chat it sends to.

use crate::tl::{self, Cursor, Deserializable, Identifiable, enums, functions};

/// Wrappers may stand in wrappers, though nobody needs as many as this.
const MAX_WRAPPERS: usize = 8;

/// A chat that something is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Chat {
    /// The account itself.
    Own,
    User(i64),
    Group(i64),
    /// A supergroup or a broadcast channel.
    Channel(i64),
}

impl Chat {
    fn of(peer: &enums::InputPeer) -> Option<Self> {
        Some(match peer {
            enums::InputPeer::Empty => return None,
            enums::InputPeer::PeerSelf => Self::Own,
            enums::InputPeer::Chat(chat) => Self::Group(chat.chat_id),
            enums::InputPeer::User(user) => Self::User(user.user_id),
            enums::InputPeer::Channel(channel) => Self::Channel(channel.channel_id),
            enums::InputPeer::UserFromMessage(user) => Self::User(user.user_id),
            enums::InputPeer::ChannelFromMessage(channel) => Self::Channel(channel.channel_id),
        })
    }
}

/// The name of the method that is called, as the schema has it.
pub(super) fn method(body: &[u8]) -> Option<&'static str> {
    let body = unwrapped(body);
    tl::name_for_id(Cursor::new(body).read_u32().ok()?)
}

/// The chat that a request sends messages to; `None` for a request that does something else.
pub(super) fn sends_to(body: &[u8]) -> Option<Chat> {
    let mut cursor = Cursor::new(unwrapped(body));
    let id = cursor.read_u32().ok()?;
    let forwards = id == functions::messages::ForwardMessages::CONSTRUCTOR_ID;
    if !forwards && !SENDING.contains(&id) {
        return None;
    }
    let _flags = cursor.read_u32().ok()?;
    let mut peer = enums::InputPeer::deserialize(&mut cursor).ok()?;
    if forwards {
        let _ids = Vec::<i32>::deserialize(&mut cursor).ok()?;
        let _random_ids = Vec::<i64>::deserialize(&mut cursor).ok()?;
        peer = enums::InputPeer::deserialize(&mut cursor).ok()?;
    }
    Chat::of(&peer)
}

/// Methods that send messages to the chat that stands right behind their flags.
const SENDING: [u32; 4] = [
    functions::messages::SendMessage::CONSTRUCTOR_ID,
    functions::messages::SendMedia::CONSTRUCTOR_ID,
    functions::messages::SendMultiMedia::CONSTRUCTOR_ID,
    functions::messages::SendInlineBotResult::CONSTRUCTOR_ID,
];

/// The request inside `invokeWithoutUpdates` and its like.
fn unwrapped(mut body: &[u8]) -> &[u8] {
    for _ in 0..MAX_WRAPPERS {
        match inside(body) {
            Some(inner) => body = inner,
            None => break,
        }
    }
    body
}

fn inside(body: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(body);
    match cursor.read_u32().ok()? {
        id if id == functions::InvokeWithoutUpdates::<tl::Blob>::CONSTRUCTOR_ID => {}
        id if id == functions::InvokeWithLayer::<tl::Blob>::CONSTRUCTOR_ID => {
            cursor.read_i32().ok()?;
        }
        id if id == functions::InvokeAfterMsg::<tl::Blob>::CONSTRUCTOR_ID
            || id == functions::InvokeWithTakeout::<tl::Blob>::CONSTRUCTOR_ID =>
        {
            cursor.read_i64().ok()?;
        }
        id if id == functions::InvokeAfterMsgs::<tl::Blob>::CONSTRUCTOR_ID => {
            Vec::<i64>::deserialize(&mut cursor).ok()?;
        }
        id if id == functions::InvokeWithMessagesRange::<tl::Blob>::CONSTRUCTOR_ID => {
            enums::MessageRange::deserialize(&mut cursor).ok()?;
        }
        id if id == functions::InvokeWithBusinessConnection::<tl::Blob>::CONSTRUCTOR_ID => {
            cursor.read_bytes_ref().ok()?;
        }
        _ => return None,
    }
    Some(cursor.remaining())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{channel, forward_to, message_to, send_code, user};
    use super::*;
    use crate::tl::Serializable;

    #[test]
    fn the_chat_that_is_sent_to_is_seen() {
        let chat = |peer| sends_to(&message_to(peer).to_bytes());
        assert_eq!(chat(channel(5)), Some(Chat::Channel(5)));
        assert_eq!(chat(user(6)), Some(Chat::User(6)));
        assert_eq!(chat(enums::InputPeer::PeerSelf), Some(Chat::Own));
        assert_eq!(chat(enums::InputPeer::Empty), None);
        assert_eq!(sends_to(&forward_to(channel(5))), Some(Chat::Channel(5)));
        assert_eq!(sends_to(&send_code("+1")), None);
    }

    #[test]
    fn wrappers_are_looked_through() {
        let wrapped = functions::InvokeWithLayer {
            layer: tl::LAYER,
            query: functions::InvokeAfterMsgs {
                msg_ids: vec![1, 2],
                query: functions::InvokeWithTakeout {
                    takeout_id: 3,
                    query: functions::InvokeWithMessagesRange {
                        range: tl::types::MessageRange {
                            min_id: 1,
                            max_id: 2,
                        }
                        .into(),
                        query: functions::InvokeWithBusinessConnection {
                            connection_id: "one".to_owned(),
                            query: functions::InvokeAfterMsg {
                                msg_id: 1,
                                query: message_to(channel(5)),
                            },
                        },
                    },
                },
            },
        };
        let body = wrapped.to_bytes();
        assert_eq!(method(&body), Some("messages.sendMessage"));
        assert_eq!(sends_to(&body), Some(Chat::Channel(5)));
        let updates = functions::InvokeWithoutUpdates { query: wrapped }.to_bytes();
        assert_eq!(method(&updates), Some("messages.sendMessage"));
    }

    #[test]
    fn what_is_no_request_is_none() {
        let body = message_to(channel(5)).to_bytes();
        for cut in 0..20 {
            assert_eq!(sends_to(&body[..cut]), None);
        }
        assert_eq!(method(&[1, 2, 3]), None);
        // Wrappers without an end.
        let id = functions::InvokeWithoutUpdates::<tl::Blob>::CONSTRUCTOR_ID;
        let body = id.to_le_bytes().repeat(1000);
        assert_eq!(method(&body), Some("invokeWithoutUpdates"));
    }
}

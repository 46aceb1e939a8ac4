//! What clients write to name a peer or a user, checked; and what the server finds in a text by itself.

use layer_tl_types::{enums, types};

use super::World;
use super::ids::{PeerId, SERVICE_ID};
use crate::rpc::RpcError;

impl World {
    /// The peer that an `InputPeer` names, if the access hash is right.
    pub(crate) fn peer(&self, viewer: i64, input: &enums::InputPeer) -> Result<PeerId, RpcError> {
        let invalid = || RpcError::bad("PEER_ID_INVALID");
        match input {
            enums::InputPeer::Empty => Err(invalid()),
            enums::InputPeer::PeerSelf => Ok(PeerId::User(viewer)),
            enums::InputPeer::Chat(chat) => self
                .group_of(viewer, chat.chat_id)
                .map(|group| PeerId::Chat(group.id))
                .map_err(|_| invalid()),
            enums::InputPeer::User(user) => {
                let peer = PeerId::User(user.user_id);
                let good = self.users.contains_key(&user.user_id)
                    && self.hash_fits(viewer, peer, user.access_hash);
                if good { Ok(peer) } else { Err(invalid()) }
            }
            enums::InputPeer::Channel(channel) => {
                self.channel_peer(viewer, channel.channel_id, channel.access_hash)
            }
            enums::InputPeer::UserFromMessage(from) => self
                .seen_in(viewer, &from.peer, from.msg_id, PeerId::User(from.user_id))
                .map_err(|_| invalid()),
            enums::InputPeer::ChannelFromMessage(from) => self
                .seen_in(
                    viewer,
                    &from.peer,
                    from.msg_id,
                    PeerId::Channel(from.channel_id),
                )
                .map_err(|_| invalid()),
        }
    }

    /// The user that an `InputUser` names.
    pub(crate) fn input_user(
        &self,
        viewer: i64,
        input: &enums::InputUser,
    ) -> Result<i64, RpcError> {
        let invalid = || RpcError::bad("USER_ID_INVALID");
        match input {
            enums::InputUser::Empty => Err(invalid()),
            enums::InputUser::UserSelf => Ok(viewer),
            enums::InputUser::User(user) => {
                let peer = PeerId::User(user.user_id);
                let good = self.users.contains_key(&user.user_id)
                    && self.hash_fits(viewer, peer, user.access_hash);
                if good {
                    Ok(user.user_id)
                } else {
                    Err(invalid())
                }
            }
            enums::InputUser::FromMessage(from) => self
                .seen_in(viewer, &from.peer, from.msg_id, PeerId::User(from.user_id))
                .map(PeerId::bare)
                .map_err(|_| invalid()),
        }
    }

    /// The channel that an `InputChannel` names, if the viewer may read it.
    pub(crate) fn input_channel(
        &self,
        viewer: i64,
        input: &enums::InputChannel,
    ) -> Result<i64, RpcError> {
        let peer = match input {
            enums::InputChannel::Empty => Err(RpcError::bad("CHANNEL_INVALID")),
            enums::InputChannel::Channel(channel) => {
                self.channel_peer(viewer, channel.channel_id, channel.access_hash)
            }
            enums::InputChannel::FromMessage(from) => self.seen_in(
                viewer,
                &from.peer,
                from.msg_id,
                PeerId::Channel(from.channel_id),
            ),
        }?;
        let id = peer.bare();
        self.channel_of(viewer, id).map(|channel| channel.id)
    }

    fn channel_peer(&self, viewer: i64, id: i64, access_hash: i64) -> Result<PeerId, RpcError> {
        let peer = PeerId::Channel(id);
        if !self.channels.contains_key(&id) || !self.hash_fits(viewer, peer, access_hash) {
            return Err(RpcError::bad("CHANNEL_INVALID"));
        }
        Ok(peer)
    }

    /// Bots may leave the hash out for those they have met.
    fn hash_fits(&self, viewer: i64, peer: PeerId, access_hash: i64) -> bool {
        if self.access_hash(viewer, peer) == access_hash || peer == PeerId::User(viewer) {
            return true;
        }
        // Everybody knows the service account; TDLib has it built in, with a hash of its own making.
        peer == PeerId::User(SERVICE_ID)
            || (access_hash == 0 && self.is_bot(viewer) && self.has_met(viewer, peer))
    }

    fn has_met(&self, viewer: i64, peer: PeerId) -> bool {
        if self
            .accounts
            .get(&viewer)
            .is_some_and(|account| account.dialogs.contains_key(&peer))
        {
            return true;
        }
        match peer {
            PeerId::User(user) => {
                self.chats.values().any(|group| {
                    group.members.contains_key(&viewer) && group.members.contains_key(&user)
                }) || self.channels.values().any(|channel| {
                    channel.members.contains_key(&viewer) && channel.members.contains_key(&user)
                })
            }
            PeerId::Channel(id) => self
                .channels
                .get(&id)
                .is_some_and(|channel| channel.members.contains_key(&viewer)),
            PeerId::Chat(_) => false,
        }
    }

    /// A peer named by a message in which the viewer saw it.
    fn seen_in(
        &self,
        viewer: i64,
        place: &enums::InputPeer,
        id: i32,
        wanted: PeerId,
    ) -> Result<PeerId, RpcError> {
        // A place that itself is named by a message would nest without end.
        if matches!(
            place,
            enums::InputPeer::UserFromMessage(_) | enums::InputPeer::ChannelFromMessage(_)
        ) {
            return Err(RpcError::bad("PEER_ID_INVALID"));
        }
        let place = self.peer(viewer, place)?;
        if let PeerId::Channel(channel) = place {
            self.channel_of(viewer, channel)?;
        }
        let body = self
            .body_of(viewer, place, id)
            .ok_or_else(|| RpcError::bad("MSG_ID_INVALID"))?;
        let mut named = super::named::Named::default();
        named.body(body);
        if named.holds(wanted) {
            Ok(wanted)
        } else {
            Err(RpcError::bad("PEER_ID_INVALID"))
        }
    }

    /// Entities as a client wrote them: names resolved, bounds checked, order kept.
    pub(crate) fn entities(
        &self,
        viewer: i64,
        text: &str,
        entities: Option<Vec<enums::MessageEntity>>,
    ) -> Result<Vec<enums::MessageEntity>, RpcError> {
        let length = text.encode_utf16().count();
        let mut checked = Vec::new();
        for entity in entities.unwrap_or_default() {
            let entity = match entity {
                enums::MessageEntity::InputMessageEntityMentionName(name) => {
                    let user_id = self.input_user(viewer, &name.user_id)?;
                    types::MessageEntityMentionName {
                        offset: name.offset,
                        length: name.length,
                        user_id,
                    }
                    .into()
                }
                other => other,
            };
            let (offset, span) = bounds(&entity);
            let end = usize::try_from(offset)
                .ok()
                .zip(usize::try_from(span).ok())
                .map(|(a, b)| a.saturating_add(b));
            match end {
                Some(end) if end <= length && span > 0 => checked.push(entity),
                // Telegram drops what lies outside of the text.
                Some(_) => {}
                None => return Err(RpcError::bad("ENTITY_BOUNDS_INVALID")),
            }
        }
        Ok(checked)
    }
}

/// Offset and length of an entity, in UTF-16 code units.
pub(crate) fn bounds(entity: &enums::MessageEntity) -> (i32, i32) {
    use enums::MessageEntity as E;
    macro_rules! of {
        ($($variant:ident)*) => { match entity { $(E::$variant(span) => (span.offset, span.length),)* } };
    }
    of!(Unknown Mention Hashtag BotCommand Url Email Bold Italic Code Pre TextUrl MentionName
        InputMessageEntityMentionName Phone Cashtag Underline Strike BankCard Spoiler CustomEmoji Blockquote FormattedDate)
}

/// Takes the white space off the end of a text and drops entities that lose their ground.
pub(crate) fn trim(text: &mut String, entities: &mut Vec<enums::MessageEntity>) {
    let kept = text.trim_end().len();
    text.truncate(kept);
    let length = i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX);
    entities.retain(|entity| {
        let (offset, span) = bounds(entity);
        offset.saturating_add(span) <= length
    });
}

/// Finds mentions, hashtags, commands and links, as the server does for clients that do not mark them.
pub(crate) fn detect_entities(text: &str, entities: &mut Vec<enums::MessageEntity>) {
    let mut offset = 0;
    let mut found = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word
            .trim_end()
            .trim_end_matches(['.', ',', '!', '?', ':', ';', ')']);
        let length = i32::try_from(bare.encode_utf16().count()).unwrap_or(0);
        if let Some(entity) = classify(bare, offset, length) {
            found.push(entity);
        }
        offset = offset.saturating_add(i32::try_from(word.encode_utf16().count()).unwrap_or(0));
    }
    found.retain(|entity| {
        let (start, length) = bounds(entity);
        !entities.iter().any(|other| {
            let (other_start, other_length) = bounds(other);
            start < other_start.saturating_add(other_length)
                && other_start < start.saturating_add(length)
        })
    });
    if !found.is_empty() {
        entities.extend(found);
        entities.sort_by_key(|entity| bounds(entity).0);
    }
}

fn classify(word: &str, offset: i32, length: i32) -> Option<enums::MessageEntity> {
    let name =
        |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || c == '_');
    if let Some(rest) = word.strip_prefix('@') {
        let good = rest.len() >= 3 && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        return good.then(|| types::MessageEntityMention { offset, length }.into());
    }
    if let Some(rest) = word.strip_prefix('#') {
        return name(rest).then(|| types::MessageEntityHashtag { offset, length }.into());
    }
    if let Some(rest) = word.strip_prefix('/') {
        let (command, bot) = rest.split_once('@').unwrap_or((rest, "bot"));
        let good = command.len() <= 64 && name(command) && name(bot);
        return good.then(|| types::MessageEntityBotCommand { offset, length }.into());
    }
    let link = ["https://", "http://", "t.me/"]
        .iter()
        .any(|start| word.len() > start.len() && word.starts_with(start));
    link.then(|| types::MessageEntityUrl { offset, length }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_finds_commands_mentions_hashtags_and_links() {
        let mut entities = Vec::new();
        detect_entities(
            "/start 😀 @echo_bot, see #news and https://example.org.",
            &mut entities,
        );
        let spans: Vec<(i32, i32)> = entities.iter().map(bounds).collect();
        assert_eq!(spans, [(0, 6), (10, 9), (25, 5), (35, 19)]);
        assert!(matches!(entities[0], enums::MessageEntity::BotCommand(_)));
        assert!(matches!(entities[1], enums::MessageEntity::Mention(_)));
        assert!(matches!(entities[2], enums::MessageEntity::Hashtag(_)));
        assert!(matches!(entities[3], enums::MessageEntity::Url(_)));
    }

    #[test]
    fn what_the_client_marked_stays() {
        let mut entities = vec![
            types::MessageEntityCode {
                offset: 0,
                length: 6,
            }
            .into(),
        ];
        detect_entities("/start", &mut entities);
        assert_eq!(entities.len(), 1);
    }

    #[test]
    fn trimming_drops_entities_beyond_the_end() {
        let mut text = "hi   ".to_owned();
        let mut entities = vec![
            types::MessageEntityBold {
                offset: 0,
                length: 5,
            }
            .into(),
        ];
        trim(&mut text, &mut entities);
        assert_eq!((text.as_str(), entities.len()), ("hi", 0));
    }
}

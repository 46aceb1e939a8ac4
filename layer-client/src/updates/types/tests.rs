use std::collections::BTreeSet;

use super::*;
use crate::messages::blank_message;

/// Updates that nobody has asked to have as more than [`Update::Raw`]. A new layer's are to be put
/// here or into one of the modules.
const RAW: &[&str] = &[
    // What the client itself acts upon.
    "ChannelTooLong",
    "Config",
    "DcOptions",
    "MessageId",
    "PtsChanged",
    "StoryId",
    // Lists that a client author fetches again.
    "AttachMenuBots",
    "AutoSaveSettings",
    "BotCommands",
    "BotMenuButton",
    "ContactsReset",
    "DialogFilter",
    "DialogFilterOrder",
    "DialogFilters",
    "FavedStickers",
    "LangPack",
    "LangPackTooLong",
    "MoveStickerSetToTop",
    "NewStickerSet",
    "NotifySettings",
    "PeerLocated",
    "PeerSettings",
    "PeerWallpaper",
    "Privacy",
    "ReadFeaturedEmojiStickers",
    "ReadFeaturedStickers",
    "RecentEmojiStatuses",
    "RecentReactions",
    "RecentStickers",
    "SavedGifs",
    "SavedReactionTags",
    "SavedRingtones",
    "StickerSets",
    "StickerSetsOrder",
    "Theme",
    // Calls and secret chats.
    "Encryption",
    "EncryptedChatTyping",
    "EncryptedMessagesRead",
    "GroupCall",
    "GroupCallChainBlocks",
    "GroupCallConnection",
    "GroupCallEncryptedMessage",
    "GroupCallMessage",
    "GroupCallParticipants",
    "DeleteGroupCallMessages",
    "NewEncryptedMessage",
    "PhoneCall",
    "PhoneCallSignalingData",
    // Parts of messages that change by themselves.
    "ChannelWebPage",
    "GeoLiveViewed",
    "MessageExtendedMedia",
    "TranscribedAudio",
    "WebPage",
    // Forums, Saved Messages and channels' direct messages.
    "ChannelViewForumAsMessages",
    "MonoForumNoPaidException",
    "PinnedForumTopic",
    "PinnedForumTopics",
    "PinnedSavedDialogs",
    "ReadMonoForumInbox",
    "ReadMonoForumOutbox",
    "SavedDialogPinned",
    // Whole lists of members, and titles in them.
    "ChatParticipants",
    "ChatParticipantRank",
    // Quick replies.
    "DeleteQuickReply",
    "DeleteQuickReplyMessages",
    "NewQuickReply",
    "QuickReplies",
    "QuickReplyMessage",
    // Stars, gifts and games.
    "EmojiGameInfo",
    "PaidReactionPrivacy",
    "StarGiftAuctionState",
    "StarGiftAuctionUserState",
    "StarGiftCraftFail",
    "StarsBalance",
    "StarsRevenueStatus",
    // Signing in, and what only Telegram's own programs need.
    "BotWebhookJson",
    "BotWebhookJsonQuery",
    "LoginToken",
    "SentPhoneCode",
    "SmsJob",
    "StoriesStealthMode",
    "WebViewResultSent",
];

/// The names of the variants, as layer-tl-gen makes them: `…JSON`, `…ID`, `…TTL` are words too.
fn of_the_schema() -> BTreeSet<String> {
    let schema = include_str!("../../../../layer-tl-types/tl/api.tl");
    let lines = schema.lines().filter(|line| line.ends_with("= Update;"));
    let names = lines.filter_map(|line| line.strip_prefix("update")?.split(['#', ' ']).next());
    names.map(words).collect()
}

fn words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let inside = at > 0 && letters[at - 1].is_uppercase();
        let begins_next = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if inside && !begins_next {
            text.extend(letter.to_lowercase());
        } else {
            text.push(*letter);
        }
    }
    text
}

/// The names of the variants that the modules have an arm for.
fn of_the_modules() -> BTreeSet<String> {
    let modules = [
        include_str!("business.rs"),
        include_str!("members.rs"),
        include_str!("messages.rs"),
        include_str!("payments.rs"),
        include_str!("people.rs"),
        include_str!("queries.rs"),
        include_str!("reactions.rs"),
    ];
    let arms = modules.iter().flat_map(|text| text.split("U::").skip(1));
    arms.map(|arm| {
        let letters = arm.chars().take_while(|c| c.is_alphanumeric());
        letters.collect()
    })
    .collect()
}

#[test]
fn every_update_of_the_schema_is_typed_or_known_to_be_raw() {
    let schema = of_the_schema();
    let typed = of_the_modules();
    let raw: BTreeSet<String> = RAW.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(raw.len(), RAW.len(), "one stands there twice");
    assert!(schema.len() > 150);
    let difference =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let forgotten: Vec<_> = schema
        .iter()
        .filter(|name| !typed.contains(*name) && !raw.contains(*name))
        .collect();
    assert!(forgotten.is_empty(), "neither typed nor raw: {forgotten:?}");
    assert_eq!(difference(&raw, &schema), [""; 0], "not in the schema");
    assert_eq!(difference(&typed, &schema), [""; 0], "not in the schema");
    let both: Vec<_> = typed.intersection(&raw).collect();
    assert!(both.is_empty(), "typed, and said to be raw: {both:?}");
}

/// A packet that describes the users 1 to 3, the group 4 and the channel 5.
fn packet() -> PeerMap {
    use crate::peers::PeerId;
    let mut peers = PeerMap::default();
    let ids = [
        PeerId::user(1),
        PeerId::user(2),
        PeerId::user(3),
        PeerId::group(4),
        PeerId::channel(5),
    ];
    for id in ids {
        peers.insert(Peer::named(id, &format!("peer {}", id.bare())));
    }
    peers
}

fn seen(update: impl Into<tl::enums::Update>) -> Update {
    let packet = Arc::new(packet());
    of_payload(Payload::Update(update.into()), &packet, None).unwrap()
}

fn user_peer(user_id: i64) -> tl::enums::Peer {
    tl::types::PeerUser { user_id }.into()
}

fn channel_peer() -> tl::enums::Peer {
    tl::types::PeerChannel { channel_id: 5 }.into()
}

/// What the accessors say: kind, chat, sender.
fn shown(update: &Update) -> (UpdateKind, Option<&str>, Option<&str>) {
    (
        update.kind(),
        update.peer().map(Peer::name),
        update.sender().map(Peer::name),
    )
}

#[test]
fn accessors_tell_chat_and_sender_by_the_names_of_the_packet() {
    use UpdateKind as K;
    let message = |id| {
        let mut message = blank_message(id, channel_peer(), 0, "text".to_owned());
        message.from_id = Some(user_peer(1));
        tl::enums::Message::from(message)
    };
    let emoji = |text: &str| {
        let emoticon = text.to_owned();
        tl::enums::Reaction::from(tl::types::ReactionEmoji { emoticon })
    };
    let chat = Some("peer 5");
    let one = Some("peer 1");
    let cases: Vec<(Update, _)> = vec![
        (
            seen(tl::types::UpdateNewChannelMessage {
                message: message(1),
                pts: 1,
                pts_count: 1,
            }),
            (K::NewMessage, chat, one),
        ),
        (
            seen(tl::types::UpdateEditChannelMessage {
                message: message(1),
                pts: 1,
                pts_count: 1,
            }),
            (K::MessageEdited, chat, one),
        ),
        (
            seen(tl::types::UpdateDeleteMessages {
                messages: vec![1],
                pts: 1,
                pts_count: 1,
            }),
            (K::MessageDeleted, None, None),
        ),
        (
            seen(tl::types::UpdateReadChannelInbox {
                folder_id: None,
                channel_id: 5,
                max_id: 9,
                still_unread_count: 2,
                pts: 1,
            }),
            (K::Read, chat, None),
        ),
        (
            seen(tl::types::UpdatePinnedChannelMessages {
                pinned: true,
                channel_id: 5,
                messages: vec![1],
                pts: 1,
                pts_count: 1,
            }),
            (K::PinnedMessages, chat, None),
        ),
        (
            seen(tl::types::UpdateBotMessageReaction {
                peer: channel_peer(),
                msg_id: 1,
                date: 2,
                actor: user_peer(1),
                old_reactions: vec![],
                new_reactions: vec![emoji("+")],
                qts: 1,
            }),
            (K::Reaction, chat, one),
        ),
        (
            seen(tl::types::UpdateMessagePollVote {
                poll_id: 1,
                peer: user_peer(1),
                options: vec![vec![1]],
                qts: 1,
            }),
            (K::PollVote, None, one),
        ),
        (
            seen(tl::types::UpdateChannelUserTyping {
                channel_id: 5,
                top_msg_id: Some(3),
                from_id: user_peer(1),
                action: tl::enums::SendMessageAction::SendMessageRecordAudioAction,
            }),
            (K::Typing, chat, one),
        ),
        (
            seen(tl::types::UpdateBotStopped {
                user_id: 1,
                date: 1,
                stopped: true,
                qts: 1,
            }),
            (K::BotStopped, None, one),
        ),
        (
            seen(tl::types::UpdateBotPurchasedPaidMedia {
                user_id: 1,
                payload: "p".to_owned(),
                qts: 1,
            }),
            (K::PaidMediaPurchase, None, one),
        ),
        (
            seen(tl::types::UpdateChatParticipantAdd {
                chat_id: 4,
                user_id: 2,
                inviter_id: 1,
                date: 3,
                version: 1,
            }),
            (K::ParticipantChange, Some("peer 4"), one),
        ),
        (
            seen(tl::types::UpdateUserPhone {
                user_id: 1,
                phone: "15550001".to_owned(),
            }),
            (K::UserChange, None, one),
        ),
        (seen(tl::types::UpdateSavedGifs {}), (K::Raw, None, None)),
    ];
    for (update, expected) in &cases {
        assert_eq!(shown(update), *expected, "{update:?}");
    }
}

#[test]
fn values_come_out_as_they_went_in() {
    let Update::UserStatus(status) = seen(tl::types::UpdateUserStatus {
        user_id: 1,
        status: tl::types::UserStatusOnline { expires: 77 }.into(),
    }) else {
        panic!()
    };
    assert_eq!(status.status, Presence::Online { until: 77 });

    let Update::Typing(typing) = seen(tl::types::UpdateUserTyping {
        user_id: 1,
        top_msg_id: None,
        action: tl::types::SendMessageUploadVideoAction { progress: 40 }.into(),
    }) else {
        panic!()
    };
    assert_eq!(typing.action, TypingAction::UploadingVideo(40));
    assert_eq!(typing.peer, typing.sender);

    let Update::Read(read) = seen(tl::types::UpdateReadChannelDiscussionInbox {
        channel_id: 5,
        top_msg_id: 3,
        read_max_id: 9,
        broadcast_id: None,
        broadcast_post: None,
    }) else {
        panic!()
    };
    assert_eq!(
        (read.topic, read.max_id, read.outgoing),
        (Some(3), 9, false)
    );

    let count = tl::types::ReactionCount {
        chosen_order: Some(0),
        reaction: tl::enums::Reaction::Paid,
        count: 3,
    };
    let Update::Reaction(change) = seen(tl::types::UpdateBotMessageReactions {
        peer: channel_peer(),
        msg_id: 1,
        date: 2,
        reactions: vec![count.into()],
        qts: 1,
    }) else {
        panic!()
    };
    let expected = ReactionCount {
        reaction: Reaction::Paid,
        count: 3,
        chosen: true,
    };
    assert_eq!((change.counts, change.date), (vec![expected], Some(2)));

    let banned = tl::types::UpdateChannelParticipant {
        via_chatlist: false,
        channel_id: 5,
        date: 9,
        actor_id: 2,
        user_id: 1,
        prev_participant: Some(
            tl::types::ChannelParticipant {
                user_id: 1,
                date: 1,
                subscription_until_date: None,
                rank: None,
            }
            .into(),
        ),
        new_participant: None,
        invite: None,
        qts: 1,
    };
    let Update::ParticipantChange(change) = seen(banned) else {
        panic!()
    };
    assert_eq!(change.change, Membership::Removed);
    assert_eq!(change.old, Some(crate::chats::Role::Member));
    assert!(!change.is_member() && change.actor.unwrap().id() == 2);

    let names = ["first", "second", "third"].map(|username| {
        let active = username != "second";
        let username = username.to_owned();
        tl::enums::Username::from(tl::types::Username {
            editable: false,
            active,
            username,
        })
    });
    let Update::UserChange(change) = seen(tl::types::UpdateUserName {
        user_id: 1,
        first_name: "Ann".to_owned(),
        last_name: String::new(),
        usernames: names.into(),
    }) else {
        panic!()
    };
    let UserChangeKind::Name { usernames, .. } = change.change else {
        panic!()
    };
    assert_eq!(usernames, ["first", "third"]);

    let draft = tl::types::DraftMessageEmpty { date: Some(5) };
    let Update::Draft(draft) = seen(tl::types::UpdateDraftMessage {
        peer: channel_peer(),
        top_msg_id: None,
        saved_peer_id: None,
        draft: draft.into(),
    }) else {
        panic!()
    };
    assert_eq!((draft.text, draft.date), (None, Some(5)));

    let Update::PreCheckoutQuery(query) = seen(tl::types::UpdateBotPrecheckoutQuery {
        query_id: 7,
        user_id: 1,
        payload: vec![1, 2],
        info: None,
        shipping_option_id: Some("fast".to_owned()),
        currency: "EUR".to_owned(),
        total_amount: 1999,
    }) else {
        panic!()
    };
    assert_eq!((query.query_id, query.total_amount), (7, 1999));
    assert_eq!(
        (query.currency.as_str(), query.user.name()),
        ("EUR", "peer 1")
    );
}

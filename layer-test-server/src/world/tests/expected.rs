//! That the journals and the model say what pushes and differences say. The random histories use this.

use std::collections::BTreeMap;

use layer_tl_types::{enums, functions, types};

use super::replica::Replica;
use super::{Session, Stage, two};
use crate::expected::{Count, Event, EventKind, Expected, ExpectedMessage, lasting};
use crate::handles::Peer;
use crate::world::ids::PeerId;

/// A live session heard exactly what was noted, in that order.
pub(super) fn check_pushes(noted: &[Event], told: &[Event]) {
    for (told, noted) in told.iter().zip(noted) {
        let noted = Event {
            by: None,
            ..noted.clone()
        };
        assert_eq!(*told, noted, "what was pushed");
    }
    assert_eq!(told.len(), noted.len(), "how much was pushed");
}

/// The kind of an event, for counting.
pub(super) fn kind(event: &Event) -> &'static str {
    if let EventKind::Other(update) = &event.kind {
        match &**update {
            enums::Update::BotMessageReaction(_) => return "reaction",
            enums::Update::MessagePollVote(_) => return "vote",
            enums::Update::BotChatInviteRequester(_) => return "asked",
            _ => {}
        }
    }
    match event.count {
        Count::Common { .. } => "common",
        Count::Channel { .. } => "channel",
        Count::Qts(_) => "qts",
        Count::Seq(_) => "seq",
        Count::Uncounted => "uncounted",
    }
}

/// What an event is about, without what changes until a difference tells of it.
fn essence(event: &Event) -> String {
    match &event.kind {
        EventKind::New(message) => format!("{:?} new {}", event.chat, message.id),
        EventKind::Edited(message) => format!("{:?} edited {}", event.chat, message.id),
        other => format!("{:?} {other:?}", event.chat),
    }
}

/// A difference told everything that lasts, but for channels that are not in both, and nothing else of the account's
/// own box. Somebody who was out of a channel for a while may hear of what happened in it meanwhile.
pub(super) fn check_difference(noted: &[Event], told: &[Event], channels: &[i64]) {
    let mut left: BTreeMap<String, (Count, usize)> = BTreeMap::new();
    for event in told {
        let entry = left.entry(essence(event)).or_insert((event.count, 0));
        entry.1 += 1;
    }
    // Whoever was out of a channel for a while did not hear there what was deleted meanwhile.
    let gone = |event: &Event| match &event.kind {
        EventKind::New(message) | EventKind::Edited(message) => told.iter().any(|told| {
            told.chat == event.chat
                && matches!(&told.kind, EventKind::Deleted(ids) if ids.contains(&message.id))
        }),
        _ => false,
    };
    for event in lasting(noted) {
        if let (Some(Peer::Channel(id)), Count::Channel { .. }) = (event.chat, event.count)
            && (!channels.contains(&id) || gone(event))
        {
            continue;
        }
        let essence = essence(event);
        let count = left
            .get_mut(&essence)
            .filter(|(_, count)| *count > 0)
            .unwrap_or_else(|| panic!("no difference told of: {essence}"));
        count.1 -= 1;
    }
    let own = |count: &Count| matches!(count, Count::Common { .. } | Count::Qts(_));
    let more = left.iter().find(|(_, (of, count))| *count > 0 && own(of));
    assert_eq!(more, None, "a difference told more than happened");
}

/// What the model says is what the session has.
pub(super) fn check_boxes(expected: &Expected, replica: &Replica) {
    assert_eq!(expected.pts, replica.pts);
    let mut chats: BTreeMap<Peer, Vec<ExpectedMessage>> = BTreeMap::new();
    for (peer, message) in replica.dialogs() {
        chats
            .entry(peer.into())
            .or_default()
            .push(ExpectedMessage::of(message));
    }
    for (id, copy) in &replica.channels {
        let messages = copy.messages.values().map(ExpectedMessage::of).collect();
        chats.insert(Peer::Channel(*id), messages);
    }
    let modelled: BTreeMap<Peer, Vec<ExpectedMessage>> = expected
        .chats
        .iter()
        .map(|(peer, chat)| (*peer, chat.messages.clone()))
        .collect();
    assert_eq!(modelled, chats);
}

#[test]
fn a_journal_begins_when_it_is_opened_and_gives_everything_once() {
    let (mut stage, ann, bob) = two();
    stage.say(ann, PeerId::User(bob.user), "before");
    let journal = stage.world.journals.open(bob.user);
    let id = stage.say(ann, PeerId::User(bob.user), "one");
    let request = functions::messages::DeleteMessages {
        revoke: true,
        id: vec![id],
    };
    stage.call(ann, &request).unwrap();
    let events = stage.world.journals.take(journal);
    assert_eq!(events.len(), 2);
    assert!(matches!(&events[0].kind, EventKind::New(message) if message.text == "one"));
    assert_eq!(events[0].chat, Some(Peer::User(ann.user)));
    assert!(matches!(&events[1].kind, EventKind::Deleted(ids) if *ids == [2]));
    let lasting = lasting(&events);
    assert_eq!(
        lasting,
        [&events[1]],
        "a difference says nothing of what is gone"
    );
    assert!(stage.world.journals.take(journal).is_empty());
    stage.world.journals.close(journal);
    stage.say(ann, PeerId::User(bob.user), "two");
    assert!(stage.world.journals.take(journal).is_empty());
}

#[test]
fn a_journal_says_which_session_did_it_by_a_call_of_its_own() {
    let (mut stage, ann, bob) = two();
    let (own, other) = (
        stage.world.journals.open(ann.user),
        stage.world.journals.open(bob.user),
    );
    stage.say(ann, PeerId::User(bob.user), "one");
    assert_eq!(stage.world.journals.take(own)[0].by, Some(ann.id));
    assert_eq!(stage.world.journals.take(other)[0].by, None);
}

#[test]
fn a_foreign_update_is_pushed_to_all_and_kept_if_it_is_to_be() {
    let (mut stage, ann, _) = two();
    let mut replica = Replica::fresh(&mut stage, ann);
    let update = |max_id| types::UpdateReadStories {
        peer: PeerId::User(ann.user).to_tl(),
        max_id,
    };
    let names = [PeerId::User(ann.user)];
    for kept in [false, true] {
        let update = update(i32::from(kept)).into();
        stage.world.push_foreign(ann.user, update, &names, kept);
        stage.sent = stage.world.take_outbox();
        assert_eq!(stage.pushed(ann.user).len(), 1);
    }
    replica.catch_up(&mut stage, ann, None);
    let told: Vec<_> = replica.told.iter().map(|event| &event.kind).collect();
    assert_eq!(told, [&EventKind::Other(Box::new(update(1).into()))]);
}

/// What a person's journal has since it was last asked.
pub(super) fn noted(stage: &mut Stage, journal: u64) -> Vec<Event> {
    stage.world.journals.take(journal)
}

/// The model of a session's account.
pub(super) fn model(stage: &Stage, session: Session) -> Expected {
    stage.world.expected(session.user)
}

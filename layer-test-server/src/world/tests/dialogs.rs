//! Dialogs, history and differences as single cases; random histories are in `simulation`.

use layer_tl_types::{enums, functions};

use super::{Session, Stage, two};
use crate::world::Config;
use crate::world::ids::PeerId;
use crate::world::tests::replica::{message_id, peer_of};

struct Shown {
    peers: Vec<PeerId>,
    total: usize,
    /// Date, id and peer of the last dialog's message.
    last: Option<(i32, i32, PeerId)>,
}

fn page(stage: &mut Stage, me: Session, after: Option<(i32, i32, PeerId)>, limit: i32) -> Shown {
    let (offset_date, offset_id, offset_peer) = match after {
        Some((date, id, peer)) => (date, id, stage.input(me, peer)),
        None => (0, 0, enums::InputPeer::Empty),
    };
    let request = functions::messages::GetDialogs {
        exclude_pinned: false,
        folder_id: None,
        offset_date,
        offset_id,
        offset_peer,
        limit,
        hash: 0,
    };
    let (dialogs, messages, total) = match stage.call(me, &request).unwrap() {
        enums::messages::Dialogs::Dialogs(all) => {
            let total = all.dialogs.len();
            (all.dialogs, all.messages, total)
        }
        enums::messages::Dialogs::Slice(slice) => (
            slice.dialogs,
            slice.messages,
            usize::try_from(slice.count).unwrap(),
        ),
        enums::messages::Dialogs::NotModified(_) => panic!("no hash was given"),
    };
    let tops: Vec<(PeerId, i32)> = dialogs
        .iter()
        .map(|dialog| match dialog {
            enums::Dialog::Dialog(dialog) => (peer_of(&dialog.peer), dialog.top_message),
            enums::Dialog::Folder(_) => panic!("no folders here"),
        })
        .collect();
    let last = tops.last().and_then(|(peer, top)| {
        let message = messages.iter().find(|message| {
            let place = match message {
                enums::Message::Message(message) => peer_of(&message.peer_id),
                enums::Message::Service(message) => peer_of(&message.peer_id),
                enums::Message::Empty(_) => return false,
            };
            place == *peer && message_id(message) == *top
        })?;
        let date = match message {
            enums::Message::Message(message) => message.date,
            enums::Message::Service(message) => message.date,
            enums::Message::Empty(_) => 0,
        };
        Some((date, *top, *peer))
    });
    Shown {
        peers: tops.into_iter().map(|(peer, _)| peer).collect(),
        total,
        last,
    }
}

#[test]
fn pages_of_dialogs_show_each_dialog_once_newest_first() {
    let (mut stage, ann, _) = two();
    let mut expected = Vec::new();
    for i in 0..37 {
        let other = stage.person(&format!("Person{i}"));
        if i % 3 == 0 {
            stage.now += 1;
        }
        stage.say(other, PeerId::User(ann.user), "hi");
        expected.push(PeerId::User(other.user));
    }
    let group = stage
        .world
        .create_group(ann.user, "Group", &[])
        .unwrap()
        .peer;
    let channel = stage
        .world
        .create_channel(ann.user, "Channel", "", true)
        .unwrap()
        .peer;
    expected.extend([group, channel]);
    let all = page(&mut stage, ann, None, 100);
    assert_eq!(all.peers.len(), 39);
    assert!(expected.iter().all(|peer| all.peers.contains(peer)));
    for limit in [1, 2, 7, 20, 38] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let shown = page(&mut stage, ann, after, limit);
            if shown.peers.is_empty() {
                break;
            }
            assert_eq!(shown.total, 39);
            seen.extend(shown.peers);
            after = shown.last;
        }
        assert_eq!(seen, all.peers, "pages of {limit}");
    }
}

#[test]
fn pinned_dialogs_come_first() {
    let (mut stage, ann, bob) = two();
    let carl = stage.person("Carl");
    stage.say(bob, PeerId::User(ann.user), "old");
    stage.now += 5;
    stage.say(carl, PeerId::User(ann.user), "new");
    assert_eq!(
        page(&mut stage, ann, None, 10).peers,
        [PeerId::User(carl.user), PeerId::User(bob.user)]
    );
    let peer = layer_tl_types::types::InputDialogPeer {
        peer: stage.input(ann, PeerId::User(bob.user)),
    }
    .into();
    stage
        .call(
            ann,
            &functions::messages::ToggleDialogPin { pinned: true, peer },
        )
        .unwrap();
    assert_eq!(
        page(&mut stage, ann, None, 10).peers,
        [PeerId::User(bob.user), PeerId::User(carl.user)]
    );
}

#[test]
fn history_pages_show_each_message_once() {
    let (mut stage, ann, bob) = two();
    let peer = PeerId::User(bob.user);
    let sent: Vec<i32> = (0..53)
        .map(|i| stage.say(ann, peer, &format!("message {i}")))
        .collect();
    let mut seen = Vec::new();
    let mut offset_id = 0;
    loop {
        let request = functions::messages::GetHistory {
            peer: stage.input(ann, peer),
            offset_id,
            offset_date: 0,
            add_offset: 0,
            limit: 10,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let messages = match stage.call(ann, &request).unwrap() {
            enums::messages::Messages::Slice(slice) => {
                assert_eq!(slice.count, 53);
                slice.messages
            }
            enums::messages::Messages::Messages(all) => all.messages,
            other => panic!("unexpected: {other:?}"),
        };
        let Some(last) = messages.last() else { break };
        offset_id = message_id(last);
        seen.extend(messages.iter().map(message_id));
    }
    seen.reverse();
    assert_eq!(seen, sent);
}

#[test]
fn a_hash_of_what_is_there_is_answered_shortly() {
    let (mut stage, ann, bob) = two();
    let peer = PeerId::User(bob.user);
    let ids: Vec<i32> = (0..5).map(|_| stage.say(ann, peer, "x")).collect();
    let hash = crate::world::history::list_hash(ids.iter().rev().map(|id| i64::from(*id)));
    let request = functions::messages::GetHistory {
        peer: stage.input(ann, peer),
        offset_id: 0,
        offset_date: 0,
        add_offset: 0,
        limit: 10,
        max_id: 0,
        min_id: 0,
        hash,
    };
    let answer = stage.call(ann, &request).unwrap();
    assert!(matches!(answer, enums::messages::Messages::NotModified(none) if none.count == 5));
}

#[test]
fn search_finds_by_text_and_author() {
    let (mut stage, ann, bob) = two();
    stage.say(ann, PeerId::User(bob.user), "The Quick fox");
    stage.say(bob, PeerId::User(ann.user), "a quick answer");
    stage.say(bob, PeerId::User(ann.user), "slow");
    let mut request = functions::messages::Search {
        peer: stage.input(ann, PeerId::User(bob.user)),
        q: "quick".to_owned(),
        from_id: None,
        saved_peer_id: None,
        saved_reaction: None,
        top_msg_id: None,
        filter: enums::MessagesFilter::InputMessagesFilterEmpty,
        min_date: 0,
        max_date: 0,
        offset_id: 0,
        add_offset: 0,
        limit: 10,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let ids = |answer| match answer {
        enums::messages::Messages::Messages(all) => {
            all.messages.iter().map(message_id).collect::<Vec<_>>()
        }
        other => panic!("unexpected: {other:?}"),
    };
    assert_eq!(ids(stage.call(ann, &request).unwrap()), [2, 1]);
    request.from_id = Some(enums::InputPeer::PeerSelf);
    assert_eq!(ids(stage.call(ann, &request).unwrap()), [1]);
    (request.from_id, request.peer) = (None, enums::InputPeer::Empty);
    assert_eq!(ids(stage.call(ann, &request).unwrap()), [2, 1]);
}

fn difference(
    stage: &mut Stage,
    me: Session,
    pts: i32,
    date: i32,
) -> Result<enums::updates::Difference, String> {
    let request = functions::updates::GetDifference {
        pts,
        pts_limit: None,
        pts_total_limit: None,
        date,
        qts: 0,
        qts_limit: None,
    };
    stage.call(me, &request).map_err(|error| error.message)
}

#[test]
fn a_fresh_accounts_difference_is_empty_and_its_pts_one() {
    let (mut stage, ann, _) = two();
    let enums::updates::State::State(state) =
        stage.call(ann, &functions::updates::GetState {}).unwrap();
    assert_eq!((state.pts, state.qts, state.seq), (1, 0, 0));
    let answer = difference(&mut stage, ann, state.pts, state.date).unwrap();
    assert!(matches!(answer, enums::updates::Difference::Empty(_)));
}

#[test]
fn impossible_states_are_refused() {
    let (mut stage, ann, _) = two();
    assert_eq!(
        difference(&mut stage, ann, 0, 0).unwrap_err(),
        "PERSISTENT_TIMESTAMP_EMPTY"
    );
    assert_eq!(
        difference(&mut stage, ann, 5, 0).unwrap_err(),
        "PERSISTENT_TIMESTAMP_INVALID"
    );
    assert_eq!(
        difference(&mut stage, ann, -5, 0).unwrap_err(),
        "PERSISTENT_TIMESTAMP_INVALID"
    );
}

#[test]
fn a_client_too_far_behind_is_told_so() {
    let mut stage = Stage::new(Config {
        log_limit: 10,
        ..Config::default()
    });
    let (ann, bob) = (stage.person("Anna"), stage.person("Robert"));
    for _ in 0..20 {
        stage.say(ann, PeerId::User(bob.user), "x");
    }
    let answer = difference(&mut stage, bob, 5, 1).unwrap();
    assert!(matches!(answer, enums::updates::Difference::TooLong(long) if long.pts == 21));
    let answer = difference(&mut stage, bob, 11, 1).unwrap();
    assert!(matches!(answer, enums::updates::Difference::Difference(_)));
}

#[test]
fn a_long_difference_comes_in_slices_that_keep_the_date() {
    let mut stage = Stage::new(Config {
        difference_limit: 7,
        ..Config::default()
    });
    let (ann, bob) = (stage.person("Anna"), stage.person("Robert"));
    for _ in 0..20 {
        stage.say(ann, PeerId::User(bob.user), "x");
    }
    let (mut pts, mut messages, mut slices) = (1, 0, 0);
    loop {
        match difference(&mut stage, bob, pts, 5).unwrap() {
            enums::updates::Difference::Slice(slice) => {
                let enums::updates::State::State(state) = &slice.intermediate_state;
                assert_eq!(state.date, 5);
                (pts, messages, slices) =
                    (state.pts, messages + slice.new_messages.len(), slices + 1);
            }
            enums::updates::Difference::Difference(last) => {
                messages += last.new_messages.len();
                break;
            }
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!((messages, slices), (20, 2));
}

#[test]
fn drafts_are_kept_told_and_cleared_by_sending() {
    let (mut stage, ann, bob) = two();
    let request = functions::messages::SaveDraft {
        no_webpage: false,
        invert_media: false,
        reply_to: None,
        peer: stage.input(ann, PeerId::User(bob.user)),
        message: "not yet".to_owned(),
        entities: None,
        media: None,
        effect: None,
        suggested_post: None,
    };
    stage.call(ann, &request).unwrap();
    assert!(
        stage.world.accounts[&ann.user].dialogs[&PeerId::User(bob.user)]
            .draft
            .is_some()
    );
    let mut request = stage.text(ann, PeerId::User(bob.user), "now");
    request.clear_draft = true;
    stage.call(ann, &request).unwrap();
    assert!(
        stage.world.accounts[&ann.user].dialogs[&PeerId::User(bob.user)]
            .draft
            .is_none()
    );
}

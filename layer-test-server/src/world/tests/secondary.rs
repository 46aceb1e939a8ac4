//! What bots are told by `qts`, and what `seq` numbers.

use layer_tl_types::{enums, functions, types};

use super::replica::Replica;
use super::{Session, Stage, two};
use crate::world::blank;
use crate::world::channels::all_rights;
use crate::world::ids::PeerId;
use crate::world::secondary::qts;

/// The updates with a `qts` that were pushed to an account by the last call.
fn told(stage: &Stage, user: Session) -> Vec<enums::Update> {
    let objects = stage.pushed(user.user).into_iter();
    let updates = objects.flat_map(|object| match object {
        enums::Updates::Updates(updates) => updates.updates,
        _ => Vec::new(),
    });
    updates.filter(|update| qts(update).is_some()).collect()
}

fn supergroup(stage: &mut Stage, creator: Session) -> i64 {
    let request = functions::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title: "Us".to_owned(),
        about: String::new(),
        geo_point: None,
        address: None,
        ttl_period: None,
    };
    stage.call(creator, &request).unwrap();
    *stage.world.channels.keys().next_back().unwrap()
}

fn promote(stage: &mut Stage, actor: Session, channel: i64, user: Session, admin: bool) {
    let rights = if admin {
        all_rights()
    } else {
        blank::no_admin_rights()
    };
    let request = functions::channels::EditAdmin {
        channel: stage.input_channel(actor, channel),
        user_id: stage.input_user(actor, user.user),
        admin_rights: rights.into(),
        rank: None,
    };
    stage.call(actor, &request).unwrap();
}

fn ban(stage: &mut Stage, actor: Session, channel: i64, user: Session, banned: bool) {
    let mut rights = blank::no_banned_rights(0);
    rights.view_messages = banned;
    let request = functions::channels::EditBanned {
        channel: stage.input_channel(actor, channel),
        participant: stage.input(actor, PeerId::User(user.user)),
        banned_rights: rights.into(),
    };
    stage.call(actor, &request).unwrap();
}

fn join(stage: &mut Stage, user: Session, hash: &str) -> Result<enums::Updates, String> {
    let hash = hash.to_owned();
    let joined = stage.call(user, &functions::messages::ImportChatInvite { hash });
    joined.map_err(|error| error.message)
}

#[test]
fn bots_that_are_administrators_hear_of_everybody_in_a_supergroup_and_others_of_themselves() {
    let (mut stage, ann, bob) = two();
    let (admin, plain) = (stage.bot(ann, "admin_bot"), stage.bot(ann, "plain_bot"));
    let channel = supergroup(&mut stage, ann);
    promote(&mut stage, ann, channel, admin, true);
    // It is put in, and then made an administrator.
    let own = told(&stage, admin);
    assert_eq!(own.iter().filter_map(qts).collect::<Vec<_>>(), [1, 2]);
    let invite = functions::channels::InviteToChannel {
        channel: stage.input_channel(ann, channel),
        users: vec![
            stage.input_user(ann, bob.user),
            stage.input_user(ann, plain.user),
        ],
    };
    stage.call(ann, &invite).unwrap();
    assert_eq!(told(&stage, admin).len(), 2);
    assert_eq!(told(&stage, plain).len(), 1, "it hears of itself alone");
    ban(&mut stage, ann, channel, bob, true);
    let banned = told(&stage, admin);
    let [enums::Update::ChannelParticipant(update)] = &banned[..] else {
        panic!("{banned:?}")
    };
    assert_eq!((update.actor_id, update.user_id), (ann.user, bob.user));
    assert!(matches!(
        update.prev_participant,
        Some(enums::ChannelParticipant::Participant(_))
    ));
    assert!(matches!(
        update.new_participant,
        Some(enums::ChannelParticipant::Banned(_))
    ));
    assert!(told(&stage, plain).is_empty());
    ban(&mut stage, ann, channel, bob, false);
    assert_eq!(told(&stage, admin).len(), 1);
    ban(&mut stage, ann, channel, bob, false);
    assert!(told(&stage, admin).is_empty(), "nothing changed");
    promote(&mut stage, ann, channel, admin, false);
    assert_eq!(told(&stage, admin).len(), 1);
    assert_eq!(stage.world.accounts[&admin.user].qts, 7);
    assert!(told(&stage, bob).is_empty(), "people have no qts");
    assert_eq!(stage.world.accounts[&bob.user].qts, 0);
}

#[test]
fn bots_hear_of_the_members_of_a_group() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "group_bot");
    let request = functions::messages::CreateChat {
        users: vec![stage.input_user(ann, bot.user)],
        title: "Group".to_owned(),
        ttl_period: None,
    };
    stage.call(ann, &request).unwrap();
    let chat_id = *stage.world.chats.keys().next_back().unwrap();
    let made = told(&stage, bot);
    let [enums::Update::ChatParticipant(update)] = &made[..] else {
        panic!("{made:?}")
    };
    assert_eq!(
        (update.user_id, update.prev_participant.is_none()),
        (bot.user, true)
    );
    let request = functions::messages::AddChatUser {
        chat_id,
        user_id: stage.input_user(ann, bob.user),
        fwd_limit: 0,
    };
    stage.call(ann, &request).unwrap();
    assert!(told(&stage, bot).is_empty(), "it is no administrator");
    let request = functions::messages::EditChatAdmin {
        chat_id,
        user_id: stage.input_user(ann, bot.user),
        is_admin: true,
    };
    stage.call(ann, &request).unwrap();
    assert_eq!(told(&stage, bot).len(), 1);
    let request = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id,
        user_id: stage.input_user(bob, bob.user),
    };
    stage.call(bob, &request).unwrap();
    let left = told(&stage, bot);
    let [enums::Update::ChatParticipant(update)] = &left[..] else {
        panic!("{left:?}")
    };
    assert!(update.prev_participant.is_some() && update.new_participant.is_none());
}

#[test]
fn a_bot_is_told_who_stopped_and_who_started_it() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "some_bot");
    let my_stories_from = false;
    for stopped in [true, false] {
        for changes in [true, false] {
            let id = stage.input(bob, PeerId::User(bot.user));
            if stopped {
                let request = functions::contacts::Block {
                    my_stories_from,
                    id,
                };
                stage.call(bob, &request).unwrap();
            } else {
                let request = functions::contacts::Unblock {
                    my_stories_from,
                    id,
                };
                stage.call(bob, &request).unwrap();
            }
            let told = told(&stage, bot);
            if !changes {
                assert!(told.is_empty(), "{told:?}");
                continue;
            }
            let [enums::Update::BotStopped(update)] = &told[..] else {
                panic!("{told:?}")
            };
            assert_eq!((update.user_id, update.stopped), (bob.user, stopped));
        }
    }
}

#[test]
fn whoever_needs_approval_asks_and_is_let_in_or_not() {
    let (mut stage, ann, bob) = two();
    let eve = stage.person("Evelyn");
    let bot = stage.bot(ann, "door_bot");
    let channel = supergroup(&mut stage, ann);
    promote(&mut stage, ann, channel, bot, true);
    let peer = PeerId::Channel(channel);
    let request = functions::messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: true,
        peer: stage.input(ann, peer),
        expire_date: None,
        usage_limit: None,
        title: Some("Door".to_owned()),
        subscription_pricing: None,
    };
    let enums::ExportedChatInvite::ChatInviteExported(invite) = stage.call(ann, &request).unwrap()
    else {
        panic!("an invite")
    };
    assert!(invite.request_needed && !invite.permanent);
    let hash = invite.link.rsplit('+').next().unwrap().to_owned();
    let request = functions::messages::CheckChatInvite { hash: hash.clone() };
    let enums::ChatInvite::Invite(seen) = stage.call(bob, &request).unwrap() else {
        panic!("not in yet")
    };
    assert!(seen.request_needed);
    for user in [bob, eve] {
        assert_eq!(
            join(&mut stage, user, &hash).unwrap_err(),
            "INVITE_REQUEST_SENT"
        );
        let asked = told(&stage, bot);
        let [enums::Update::BotChatInviteRequester(update)] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert_eq!(update.user_id, user.user);
        let pushed = stage.pushed(ann.user);
        let [enums::Updates::Updates(pushed)] = &pushed[..] else {
            panic!("{pushed:?}")
        };
        assert!(matches!(
            &pushed.updates[..],
            [enums::Update::PendingJoinRequests(_)]
        ));
    }
    assert_eq!(
        join(&mut stage, bob, &hash).unwrap_err(),
        "INVITE_REQUEST_SENT"
    );
    assert!(told(&stage, bot).is_empty(), "it was asked already");
    let answer = |stage: &Stage, from: Session, user: Session, approved| {
        functions::messages::HideChatJoinRequest {
            approved,
            peer: stage.input(from, peer),
            user_id: stage.input_user(from, user.user),
        }
    };
    let request = answer(&stage, bot, bob, true);
    stage.call(bot, &request).unwrap();
    let entered = told(&stage, bot);
    let [enums::Update::ChannelParticipant(update)] = &entered[..] else {
        panic!("{entered:?}")
    };
    assert_eq!((update.actor_id, update.user_id), (bot.user, bob.user));
    assert!(update.invite.is_some());
    assert!(
        stage.world.channels[&channel]
            .members
            .contains_key(&bob.user)
    );
    let request = answer(&stage, ann, eve, false);
    stage.call(ann, &request).unwrap();
    assert!(
        !stage.world.channels[&channel]
            .members
            .contains_key(&eve.user)
    );
    assert_eq!(stage.refused(ann, &request), "HIDE_REQUESTER_MISSING");
    let request = answer(&stage, bob, eve, true);
    assert_eq!(stage.refused(bob, &request), "CHAT_ADMIN_REQUIRED");
    let last = stage.world.channels[&channel].top();
    let body = stage.world.body_of(bob.user, peer, last).unwrap();
    assert_eq!(body.action, Some(enums::MessageAction::ChatJoinedByRequest));
}

#[test]
fn a_difference_brings_what_counts_in_qts_in_slices_and_never_runs_ahead() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "some_bot");
    let mut away = Replica::fresh(&mut stage, bot);
    for stopped in [true, false, true, false, true] {
        stage.world.bot_stopped(bot.user, bob.user, stopped);
    }
    let request = functions::updates::GetDifference {
        pts: away.pts,
        pts_limit: Some(2),
        pts_total_limit: None,
        date: away.date,
        qts: 1,
        qts_limit: None,
    };
    let enums::updates::Difference::Slice(slice) = stage.call(bot, &request).unwrap() else {
        panic!("more than two")
    };
    let numbers: Vec<i32> = slice.other_updates.iter().filter_map(qts).collect();
    let enums::updates::State::State(state) = slice.intermediate_state;
    assert_eq!((numbers, state.qts), (vec![2, 3], 3));
    away.catch_up(&mut stage, bot, Some(2));
    assert_eq!(away.qts, 5);
    let enums::updates::State::State(state) =
        stage.call(bot, &functions::updates::GetState {}).unwrap();
    assert_eq!(state.qts, 5);
}

#[test]
fn seq_numbers_what_concerns_the_account_for_all_its_sessions() {
    let (mut stage, ann, bob) = two();
    let mut away = Replica::fresh(&mut stage, ann);
    for pinned in [true, false] {
        let peer = types::InputDialogPeer {
            peer: stage.input(ann, PeerId::User(bob.user)),
        };
        let peer = peer.into();
        let request = functions::messages::ToggleDialogPin { pinned, peer };
        stage.call(ann, &request).unwrap();
        let pushed = stage.sent.first();
        let Some(crate::rpc::Out::Push(push)) = pushed else {
            panic!("{pushed:?}")
        };
        assert_eq!(
            push.except, None,
            "the session of the call must not miss a number"
        );
    }
    stage.say(bob, PeerId::User(ann.user), "one");
    stage.say(bob, PeerId::User(ann.user), "two");
    // A slice has none of the notes yet, and so not their numbers.
    let request = functions::updates::GetDifference {
        pts: away.pts,
        pts_limit: Some(1),
        pts_total_limit: None,
        date: away.date,
        qts: 0,
        qts_limit: None,
    };
    let enums::updates::Difference::Slice(slice) = stage.call(ann, &request).unwrap() else {
        panic!("two messages")
    };
    let enums::updates::State::State(state) = slice.intermediate_state;
    assert_eq!(state.seq, 0);
    away.catch_up(&mut stage, ann, None);
    assert_eq!(away.seq, 2);
}

//! Reactions and polls.

use layer_tl_types::{enums, functions, types};

use super::{Session, Stage, two};
use crate::world::channels::all_rights;
use crate::world::ids::PeerId;
use crate::world::secondary::qts;

pub(super) fn emoji(emoticon: &str) -> enums::Reaction {
    let emoticon = emoticon.to_owned();
    types::ReactionEmoji { emoticon }.into()
}

pub(super) fn react(
    stage: &Stage,
    from: Session,
    peer: PeerId,
    msg_id: i32,
    reaction: &[&str],
) -> functions::messages::SendReaction {
    functions::messages::SendReaction {
        big: false,
        add_to_recent: false,
        peer: stage.input(from, peer),
        msg_id,
        reaction: Some(reaction.iter().map(|reaction| emoji(reaction)).collect()),
    }
}

fn text(text: &str) -> enums::TextWithEntities {
    types::TextWithEntities {
        text: text.to_owned(),
        entities: Vec::new(),
    }
    .into()
}

pub(super) fn poll(public_voters: bool, multiple_choice: bool) -> types::Poll {
    let answer = |name: &str| {
        types::PollAnswer {
            text: text(name),
            option: name.as_bytes().to_vec(),
        }
        .into()
    };
    types::Poll {
        id: 0,
        closed: false,
        public_voters,
        multiple_choice,
        quiz: false,
        question: text("Which?"),
        answers: vec![answer("a"), answer("b"), answer("c")],
        close_period: None,
        close_date: None,
    }
}

pub(super) fn ask(
    stage: &mut Stage,
    from: Session,
    peer: PeerId,
    poll: types::Poll,
    correct: Option<&str>,
) -> functions::messages::SendMedia {
    let media = types::InputMediaPoll {
        poll: poll.into(),
        correct_answers: correct.map(|correct| vec![correct.as_bytes().to_vec()]),
        solution: correct.map(|_| "because".to_owned()),
        solution_entities: correct.map(|_| Vec::new()),
    };
    let random_id = stage.random();
    functions::messages::SendMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: stage.input(from, peer),
        reply_to: None,
        media: media.into(),
        message: String::new(),
        random_id,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

pub(super) fn vote(
    stage: &Stage,
    from: Session,
    peer: PeerId,
    msg_id: i32,
    options: &[&str],
) -> functions::messages::SendVote {
    functions::messages::SendVote {
        peer: stage.input(from, peer),
        msg_id,
        options: options.iter().map(|o| o.as_bytes().to_vec()).collect(),
    }
}

fn sent(updates: &enums::Updates) -> (i32, enums::Message) {
    let enums::Updates::Updates(updates) = updates else {
        panic!("{updates:?}")
    };
    let message = updates.updates.iter().find_map(|update| match update {
        enums::Update::NewMessage(update) => Some(update.message.clone()),
        enums::Update::NewChannelMessage(update) => Some(update.message.clone()),
        _ => None,
    });
    let message = message.unwrap();
    (super::replica::message_id(&message), message)
}

fn results(updates: &enums::Updates) -> types::PollResults {
    let enums::Updates::Updates(updates) = updates else {
        panic!("{updates:?}")
    };
    match &updates.updates[0] {
        enums::Update::MessagePoll(update) => {
            let enums::PollResults::Results(results) = &update.results;
            (**results).clone()
        }
        other => panic!("{other:?}"),
    }
}

/// The option names that are chosen, and how many voted for each.
fn standing(results: &types::PollResults) -> (Vec<String>, Vec<i32>) {
    let answers = results.results.clone().unwrap_or_default();
    let mut chosen = Vec::new();
    let mut voters = Vec::new();
    for answer in answers {
        let enums::PollAnswerVoters::Voters(answer) = answer;
        if answer.chosen {
            chosen.push(String::from_utf8(answer.option).unwrap());
        }
        voters.push(answer.voters);
    }
    (chosen, voters)
}

fn supergroup(stage: &mut Stage, creator: Session, others: &[Session], bot: Session) -> PeerId {
    stage
        .world
        .create_channel(creator.user, "Us", "", false)
        .unwrap();
    let id = *stage.world.channels.keys().next_back().unwrap();
    let others: Vec<i64> = others.iter().map(|other| other.user).collect();
    stage
        .world
        .invite_to_channel(creator.user, id, &others)
        .unwrap();
    stage
        .world
        .set_admin(creator.user, id, bot.user, all_rights(), None)
        .unwrap();
    stage.world.take_outbox();
    PeerId::Channel(id)
}

fn told_qts(stage: &Stage, user: Session) -> Vec<enums::Update> {
    let objects = stage.pushed(user.user).into_iter();
    let updates = objects.flat_map(|object| match object {
        enums::Updates::Updates(updates) => updates.updates,
        _ => Vec::new(),
    });
    updates.filter(|update| qts(update).is_some()).collect()
}

#[test]
fn the_author_is_told_of_a_reaction_and_everybody_sees_it_who_asks() {
    let (mut stage, ann, bob) = two();
    let eve = stage.person("Evelyn");
    let bot = stage.bot(ann, "admin_bot");
    let peer = supergroup(&mut stage, ann, &[bob, eve], bot);
    let id = stage.say(ann, peer, "hello");
    let pts = stage.world.channels[&peer.bare()].pts;
    let request = react(&stage, bob, peer, id, &["👍"]);
    let answer = stage.call(bob, &request).unwrap();
    let enums::Updates::Updates(answer) = answer else {
        panic!("{answer:?}")
    };
    let [enums::Update::MessageReactions(own)] = &answer.updates[..] else {
        panic!("{:?}", answer.updates)
    };
    let enums::MessageReactions::Reactions(own) = &own.reactions;
    let enums::ReactionCount::Count(count) = &own.results[0];
    assert_eq!((count.count, count.chosen_order), (1, Some(0)));
    assert_eq!(stage.pushed(ann.user).len(), 1, "it is her message");
    assert!(stage.pushed(eve.user).is_empty(), "others ask");
    assert_eq!(stage.world.channels[&peer.bare()].pts, pts);
    let told = told_qts(&stage, bot);
    let [enums::Update::BotMessageReaction(update)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(update.new_reactions, [emoji("👍")]);
    assert!(update.old_reactions.is_empty());
    let enums::Message::Message(seen) = stage.world.tl_any_message(eve.user, peer, id) else {
        panic!("a message")
    };
    let Some(enums::MessageReactions::Reactions(seen)) = seen.reactions else {
        panic!("reactions")
    };
    let enums::ReactionCount::Count(count) = &seen.results[0];
    assert_eq!((count.count, count.chosen_order), (1, None));
    // The same again changes nothing, another one takes its place.
    let refused = stage.refused(bob, &request);
    assert_eq!(refused, "MESSAGE_NOT_MODIFIED");
    for (reactions, error) in [
        (&["👍", "👎"][..], "REACTIONS_TOO_MANY"),
        (&["x"][..], "REACTION_INVALID"),
    ] {
        let request = react(&stage, bob, peer, id, reactions);
        assert_eq!(stage.refused(bob, &request), error);
    }
    let request = react(&stage, bob, peer, id, &["🔥"]);
    stage.call(bob, &request).unwrap();
    let request = react(&stage, eve, peer, id, &["👍"]);
    stage.call(eve, &request).unwrap();
    let list = functions::messages::GetMessageReactionsList {
        peer: stage.input(ann, peer),
        id,
        reaction: Some(emoji("🔥")),
        offset: None,
        limit: 10,
    };
    let enums::messages::MessageReactionsList::List(list) = stage.call(ann, &list).unwrap();
    assert_eq!((list.count, list.users.len()), (1, 1));
    let request = react(&stage, bob, peer, id, &[]);
    stage.call(bob, &request).unwrap();
    let request = functions::messages::GetMessagesReactions {
        peer: stage.input(ann, peer),
        id: vec![id],
    };
    let enums::Updates::Updates(answer) = stage.call(ann, &request).unwrap() else {
        panic!("a container")
    };
    let [enums::Update::MessageReactions(update)] = &answer.updates[..] else {
        panic!("{:?}", answer.updates)
    };
    let enums::MessageReactions::Reactions(left) = &update.reactions;
    assert_eq!(left.results.len(), 1);
}

#[test]
fn in_a_channel_nobody_sees_who_reacted_and_bots_get_the_counts() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "admin_bot");
    stage
        .world
        .create_channel(ann.user, "News", "", true)
        .unwrap();
    let id = *stage.world.channels.keys().next_back().unwrap();
    let (peer, rights) = (PeerId::Channel(id), all_rights());
    stage
        .world
        .invite_to_channel(ann.user, id, &[bob.user])
        .unwrap();
    stage
        .world
        .set_admin(ann.user, id, bot.user, rights, None)
        .unwrap();
    let post = stage.say(ann, peer, "news");
    let request = react(&stage, bob, peer, post, &["🎉"]);
    stage.call(bob, &request).unwrap();
    let told = told_qts(&stage, bot);
    let [enums::Update::BotMessageReactions(update)] = &told[..] else {
        panic!("{told:?}")
    };
    let enums::ReactionCount::Count(count) = &update.reactions[0];
    assert_eq!(count.count, 1);
    let list = functions::messages::GetMessageReactionsList {
        peer: stage.input(bob, peer),
        id: post,
        reaction: None,
        offset: None,
        limit: 10,
    };
    assert_eq!(stage.refused(bob, &list), "BROADCAST_FORBIDDEN");
}

#[test]
fn votes_are_counted_and_shown_to_those_who_voted() {
    let (mut stage, ann, bob) = two();
    let eve = stage.person("Evelyn");
    let bot = stage.bot(ann, "poll_bot");
    let peer = supergroup(&mut stage, ann, &[bob, eve], bot);
    let request = ask(&mut stage, bot, peer, poll(true, true), None);
    let (id, message) = sent(&stage.call(bot, &request).unwrap());
    let enums::Message::Message(message) = message else {
        panic!("a message")
    };
    assert!(matches!(message.media, Some(enums::MessageMedia::Poll(_))));
    let request = vote(&stage, bob, peer, id, &["a", "c"]);
    let answer = results(&stage.call(bob, &request).unwrap());
    assert_eq!(
        standing(&answer),
        (vec!["a".to_owned(), "c".to_owned()], vec![1, 0, 1])
    );
    let told = told_qts(&stage, bot);
    let [enums::Update::MessagePollVote(update)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(update.options.len(), 2);
    let seen = functions::messages::GetPollResults {
        peer: stage.input(eve, peer),
        msg_id: id,
    };
    let hidden = results(&stage.call(eve, &seen).unwrap());
    assert_eq!((hidden.results, hidden.total_voters), (None, Some(1)));
    let votes = functions::messages::GetPollVotes {
        peer: stage.input(eve, peer),
        id,
        option: None,
        offset: None,
        limit: 10,
    };
    assert_eq!(stage.refused(eve, &votes), "POLL_VOTE_REQUIRED");
    let request = vote(&stage, eve, peer, id, &["a"]);
    let answer = results(&stage.call(eve, &request).unwrap());
    assert_eq!(standing(&answer).1, [2, 0, 1]);
    assert_eq!(stage.pushed(bob.user).len(), 1, "he voted before");
    let enums::messages::VotesList::List(list) = stage.call(eve, &votes).unwrap();
    assert_eq!((list.count, list.votes.len(), list.users.len()), (2, 2, 2));
    let request = vote(&stage, bob, peer, id, &[]);
    let answer = results(&stage.call(bob, &request).unwrap());
    assert_eq!(answer.total_voters, Some(1), "he took it back");
    let request = vote(&stage, bob, peer, id, &["x"]);
    assert_eq!(stage.refused(bob, &request), "OPTION_INVALID");
}

#[test]
fn a_closed_poll_takes_no_votes_and_shows_how_it_ended() {
    let (mut stage, ann, bob) = two();
    let peer = PeerId::User(bob.user);
    let request = ask(&mut stage, ann, peer, poll(false, false), None);
    let (id, _) = sent(&stage.call(ann, &request).unwrap());
    let request = vote(&stage, ann, peer, id, &["a", "b"]);
    assert_eq!(stage.refused(ann, &request), "OPTIONS_TOO_MUCH");
    let request = vote(&stage, ann, peer, id, &["b"]);
    stage.call(ann, &request).unwrap();
    let mut closed = poll(false, false);
    closed.closed = true;
    let media = ask(&mut stage, ann, peer, closed, None).media;
    let edit = functions::messages::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer: stage.input(ann, peer),
        id,
        message: None,
        media: Some(media),
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
    };
    stage.call(ann, &edit).unwrap();
    assert_eq!(stage.refused(ann, &edit), "MESSAGE_NOT_MODIFIED");
    let theirs = PeerId::User(ann.user);
    let request = vote(&stage, bob, theirs, 1, &["a"]);
    assert_eq!(stage.refused(bob, &request), "MESSAGE_POLL_CLOSED");
    let seen = functions::messages::GetPollResults {
        peer: stage.input(bob, theirs),
        msg_id: 1,
    };
    let ended = results(&stage.call(bob, &seen).unwrap());
    assert_eq!(standing(&ended), (vec![], vec![0, 1, 0]));
}

#[test]
fn a_quiz_takes_one_vote_and_tells_what_was_right() {
    let (mut stage, ann, bob) = two();
    let peer = PeerId::User(bob.user);
    let quiz = types::Poll {
        quiz: true,
        ..poll(false, false)
    };
    for (correct, error) in [
        (None, "QUIZ_CORRECT_ANSWERS_EMPTY"),
        (Some("x"), "QUIZ_CORRECT_ANSWER_INVALID"),
    ] {
        let request = ask(&mut stage, ann, peer, quiz.clone(), correct);
        assert_eq!(stage.refused(ann, &request), error);
    }
    let request = ask(&mut stage, ann, peer, quiz, Some("b"));
    stage.call(ann, &request).unwrap();
    let theirs = PeerId::User(ann.user);
    let request = vote(&stage, bob, theirs, 1, &["a"]);
    let answer = results(&stage.call(bob, &request).unwrap());
    assert_eq!(answer.solution.as_deref(), Some("because"));
    let right = answer.results.unwrap().into_iter().find_map(|answer| {
        let enums::PollAnswerVoters::Voters(answer) = answer;
        answer.correct.then_some(answer.option)
    });
    assert_eq!(right.as_deref(), Some(&b"b"[..]));
    let request = vote(&stage, bob, theirs, 1, &["b"]);
    assert_eq!(stage.refused(bob, &request), "REVOTE_NOT_ALLOWED");
    let bad = types::Poll {
        answers: Vec::new(),
        ..poll(false, false)
    };
    let request = ask(&mut stage, ann, peer, bad, None);
    assert_eq!(stage.refused(ann, &request), "POLL_ANSWERS_INVALID");
}

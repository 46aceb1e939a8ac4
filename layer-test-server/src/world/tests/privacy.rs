//! What bots see of groups.

use layer_tl_types::{enums, functions, types};

use super::replica::Replica;
use super::{Session, Stage, two};
use crate::world::channels::all_rights;
use crate::world::ids::{BOT_FATHER_ID, PeerId};

/// A group or supergroup of two people and two bots.
fn chat(stage: &mut Stage, ann: Session, others: &[Session], supergroup: bool) -> PeerId {
    let others: Vec<i64> = others.iter().map(|other| other.user).collect();
    let peer = if supergroup {
        stage
            .world
            .create_channel(ann.user, "Us", "", false)
            .unwrap();
        let id = *stage.world.channels.keys().next_back().unwrap();
        stage
            .world
            .invite_to_channel(ann.user, id, &others)
            .unwrap();
        PeerId::Channel(id)
    } else {
        stage.world.create_group(ann.user, "Us", &others).unwrap();
        PeerId::Chat(*stage.world.chats.keys().next_back().unwrap())
    };
    stage.world.take_outbox();
    peer
}

/// The texts that a bot has of a chat.
fn texts(stage: &Stage, bot: Session, peer: PeerId) -> Vec<String> {
    let expected = stage.world.expected(bot.user);
    let messages = expected.chats[&peer.into()].messages.iter();
    messages
        .filter(|message| !message.service)
        .map(|message| message.text.clone())
        .collect()
}

fn reply(stage: &mut Stage, from: Session, peer: PeerId, to: i32, text: &str) -> i32 {
    let mut request = stage.text(from, peer, text);
    request.reply_to = Some(
        types::InputReplyToMessage {
            reply_to_msg_id: to,
            top_msg_id: None,
            reply_to_peer_id: None,
            quote_text: None,
            quote_entities: None,
            quote_offset: None,
            monoforum_peer_id: None,
            todo_item_id: None,
        }
        .into(),
    );
    let enums::Updates::Updates(updates) = stage.call(from, &request).unwrap() else {
        panic!("a container")
    };
    updates
        .updates
        .iter()
        .find_map(|update| match update {
            enums::Update::MessageId(id) => Some(id.id),
            _ => None,
        })
        .unwrap()
}

#[test]
fn a_bot_in_privacy_mode_sees_what_is_meant_for_it() {
    for supergroup in [false, true] {
        let (mut stage, ann, bob) = two();
        let (bot, other) = (stage.bot(ann, "first_bot"), stage.bot(ann, "other_bot"));
        let peer = chat(&mut stage, ann, &[bob, bot, other], supergroup);
        let mut live = Replica::fresh(&mut stage, bot);
        stage.say(bob, peer, "hello");
        stage.say(bob, peer, "/start");
        stage.say(bob, peer, "/start@other_bot");
        stage.say(bob, peer, "/go@first_bot");
        stage.say(bob, peer, "look, @first_bot");
        stage.say(bot, peer, "from the bot");
        stage.say(bob, peer, "/for_the_last");
        stage.say(other, peer, "from the other bot");
        stage.say(bob, peer, "/for_the_other");
        let seen = [
            "/start",
            "/go@first_bot",
            "look, @first_bot",
            "from the bot",
            "/for_the_last",
        ];
        assert_eq!(texts(&stage, bot, peer), seen, "supergroup: {supergroup}");
        let known = stage.world.expected(bob.user);
        let known = known.chats[&peer.into()].messages.iter();
        let mut own = known.filter(|message| message.text == "from the bot");
        let own = own.next_back().unwrap().id;
        reply(&mut stage, bob, peer, own, "an answer");
        assert_eq!(texts(&stage, bot, peer).len(), seen.len() + 1);
        live.catch_up(&mut stage, bot, None);
        assert_eq!(live.pts, stage.world.accounts[&bot.user].pts);
        assert_eq!(texts(&stage, bob, peer).len(), 10);
    }
}

#[test]
fn an_administrator_and_a_bot_without_privacy_see_all_that_people_write() {
    for by_rights in [false, true] {
        let (mut stage, ann, bob) = two();
        let (bot, other) = (stage.bot(ann, "first_bot"), stage.bot(ann, "other_bot"));
        let peer = chat(&mut stage, ann, &[bob, bot, other], true);
        stage.say(bob, peer, "unseen");
        if by_rights {
            stage
                .world
                .set_admin(ann.user, peer.bare(), bot.user, all_rights(), None)
                .unwrap();
        } else {
            let father = PeerId::User(BOT_FATHER_ID);
            for text in ["/setprivacy", "@first_bot", "Disable"] {
                stage.say(ann, father, text);
            }
        }
        stage.say(bob, peer, "hello");
        stage.say(other, peer, "from the other bot");
        assert_eq!(texts(&stage, bot, peer), ["hello"]);
        assert!(texts(&stage, other, peer).len() == 1);
    }
}

#[test]
fn the_box_that_a_bot_has_of_a_supergroup_counts_without_gaps() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "first_bot");
    let peer = chat(&mut stage, ann, &[bob, bot], true);
    let PeerId::Channel(id) = peer else {
        panic!("a supergroup")
    };
    let live = Replica::fresh(&mut stage, bot);
    let mut away = live.clone();
    let mut live = live;
    let hear = |stage: &Stage, live: &mut Replica| {
        for updates in stage.pushed(bot.user) {
            live.apply(bot.user, &updates);
        }
    };
    let mut said = Vec::new();
    for text in ["hello", "/one", "nothing", "/two", "nothing"] {
        said.push(stage.say(bob, peer, text));
        hear(&stage, &mut live);
    }
    let request = functions::channels::DeleteMessages {
        channel: stage.input_channel(bob, id),
        id: said[..2].to_vec(),
    };
    stage.call(bob, &request).unwrap();
    hear(&stage, &mut live);
    let channel = &stage.world.channels[&id];
    assert_eq!(channel.pts_for(bot.user) + 4, channel.pts);
    assert_eq!(live.channels[&id].pts, channel.pts_for(bot.user));
    assert!(live.channels[&id].messages.contains_key(&said[3]));
    away.catch_up(&mut stage, bot, Some(1));
    assert_eq!(away.channels, live.channels);
    // What it says itself is answered in its own numbers.
    stage.say(bot, peer, "from the bot");
    away.catch_up(&mut stage, bot, None);
    let present = stage.world.channels[&id].pts_for(bot.user);
    assert_eq!(away.channels[&id].pts, present);
}

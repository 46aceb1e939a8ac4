//! @BotFather, @echo, callbacks and inline queries.

use layer_tl_types::{Deserializable, enums, functions, types};

use super::{Session, Stage, two};
use crate::rpc::Out;
use crate::world::bots::keyboard;
use crate::world::ids::{BOT_FATHER_ID, ECHO_ID, PeerId};

const FATHER: PeerId = PeerId::User(BOT_FATHER_ID);
const ECHO: PeerId = PeerId::User(ECHO_ID);

/// Says something and returns what the built-in bot answered.
fn ask(stage: &mut Stage, me: Session, bot: PeerId, text: &str) -> String {
    stage.say(me, bot, text);
    stage.texts(me, bot).last().unwrap().clone()
}

#[test]
fn bot_father_makes_a_bot() {
    let (mut stage, ann, bob) = two();
    assert!(ask(&mut stage, ann, FATHER, "/help").contains("/newbot"));
    assert!(ask(&mut stage, ann, FATHER, "/newbot").contains("name"));
    assert!(ask(&mut stage, ann, FATHER, "My Bot").contains("username"));
    assert!(ask(&mut stage, ann, FATHER, "mine").contains("must end in"));
    assert!(ask(&mut stage, ann, FATHER, "1bot").contains("invalid"));
    let done = ask(&mut stage, ann, FATHER, "my_first_bot");
    let token = done.lines().find(|line| line.contains(":AA")).unwrap();
    let id = stage.world.user_by_token(token).unwrap();
    assert_eq!(
        stage.world.peer_by_username("@My_First_Bot"),
        Some(PeerId::User(id))
    );
    assert!(ask(&mut stage, ann, FATHER, "/mybots").contains("@my_first_bot"));
    // Names are taken once, and one's bots are one's own.
    ask(&mut stage, bob, FATHER, "/newbot");
    ask(&mut stage, bob, FATHER, "Other");
    assert!(ask(&mut stage, bob, FATHER, "my_first_bot").contains("taken"));
    assert!(ask(&mut stage, bob, FATHER, "/cancel").contains("stopped"));
    assert!(ask(&mut stage, bob, FATHER, "/mybots").contains("no bots"));
    assert!(ask(&mut stage, bob, FATHER, "/cancel").contains("nothing to cancel"));
}

#[test]
fn bot_father_shows_and_renews_tokens() {
    let (mut stage, ann, _) = two();
    let (id, token) = stage.world.create_bot(ann.user, "Bot", "some_bot");
    ask(&mut stage, ann, FATHER, "/token");
    assert!(ask(&mut stage, ann, FATHER, "@some_bot").contains(&token));
    ask(&mut stage, ann, FATHER, "/revoke");
    assert!(!ask(&mut stage, ann, FATHER, "some_bot").contains(&token));
    assert_eq!(stage.world.user_by_token(&token), None);
    let fresh = stage.world.users[&id].bot.as_ref().unwrap().token.clone();
    assert_eq!(stage.world.user_by_token(&fresh), Some(id));
}

#[test]
fn echo_reads_and_sends_back_within_the_call() {
    let (mut stage, ann, _) = two();
    stage.say(ann, ECHO, "hello *there*");
    assert_eq!(stage.texts(ann, ECHO), ["hello *there*", "hello *there*"]);
    // The caller's own session hears of the answer too, after the answer to its call.
    let pushes: Vec<_> = stage
        .sent
        .iter()
        .filter_map(|out| match out {
            Out::Push(push) if push.user_id == ann.user && push.except.is_none() => {
                Some(&push.updates)
            }
            _ => None,
        })
        .collect();
    assert_eq!(pushes.len(), 2, "that it was read, and the echo");
    assert!(ask(&mut stage, ann, ECHO, "/start").starts_with("Hello, Anna"));
}

#[test]
fn echo_answers_its_buttons() {
    let (mut stage, ann, _) = two();
    stage.say(ann, ECHO, "/keyboard");
    let id = *stage.world.accounts[&ann.user]
        .messages
        .keys()
        .next_back()
        .unwrap();
    let mut press = |data: &[u8]| {
        let request = functions::messages::GetBotCallbackAnswer {
            game: false,
            peer: stage.input(ann, ECHO),
            msg_id: id,
            data: Some(data.to_vec()),
            password: None,
        };
        stage.call(ann, &request).map_err(|error| error.message)
    };
    let enums::messages::BotCallbackAnswer::Answer(answer) = press(b"ping").unwrap();
    assert_eq!(answer.message.as_deref(), Some("Pong!"));
    let enums::messages::BotCallbackAnswer::Answer(answer) = press(b"alert").unwrap();
    assert!(answer.alert);
    press(b"edit").unwrap();
    assert_eq!(
        press(b"ping").unwrap_err(),
        "DATA_INVALID",
        "the edit took the keyboard away"
    );
    assert_eq!(
        stage.texts(ann, ECHO).last().unwrap(),
        "Anna pressed the button."
    );
}

fn keyboard_message(stage: &mut Stage, bot: Session, to: Session) -> i32 {
    stage.say(to, PeerId::User(bot.user), "/start");
    let mut request = stage.text(bot, PeerId::User(to.user), "choose");
    request.reply_markup = Some(keyboard(&[("A", b"a")]));
    stage.call(bot, &request).unwrap();
    *stage.world.accounts[&to.user]
        .messages
        .keys()
        .next_back()
        .unwrap()
}

#[test]
fn a_callback_waits_for_the_bots_answer() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "asked_bot");
    let id = keyboard_message(&mut stage, bot, ann);
    let press = functions::messages::GetBotCallbackAnswer {
        game: false,
        peer: stage.input(ann, PeerId::User(bot.user)),
        msg_id: id,
        data: Some(b"a".to_vec()),
        password: None,
    };
    assert_eq!(stage.refused(ann, &press), "DEFERRED");
    let pushed = stage.pushed(bot.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    let [enums::Update::BotCallbackQuery(query)] = updates.updates.as_slice() else {
        panic!("no query")
    };
    assert_eq!(
        (query.user_id, query.data.as_deref()),
        (ann.user, Some(&b"a"[..]))
    );
    assert_eq!(query.msg_id, 2, "the bot's own id of its message");
    assert_eq!(updates.users.len(), 1);
    let mut answer = functions::messages::SetBotCallbackAnswer {
        alert: false,
        query_id: query.query_id,
        message: Some("Done!".to_owned()),
        url: None,
        cache_time: 0,
    };
    assert_eq!(stage.refused(bob, &answer), "USER_BOT_REQUIRED");
    let other = stage.bot(ann, "other_bot");
    assert_eq!(stage.refused(other, &answer), "QUERY_ID_INVALID");
    assert!(stage.call(bot, &answer).unwrap());
    assert!(
        stage
            .sent
            .iter()
            .any(|out| matches!(out, Out::Answer(answer) if answer.result.is_ok()))
    );
    assert_eq!(
        stage.refused(bot, &answer),
        "QUERY_ID_INVALID",
        "a query is answered once"
    );
    answer.query_id = 1;
    assert_eq!(stage.refused(bot, &answer), "QUERY_ID_INVALID");
    let wrong = functions::messages::GetBotCallbackAnswer {
        data: Some(b"z".to_vec()),
        ..press
    };
    assert_eq!(stage.refused(ann, &wrong), "DATA_INVALID");
}

#[test]
fn a_callback_that_nobody_waits_for_cannot_be_answered() {
    let (mut stage, ann, _) = two();
    let bot = stage.bot(ann, "slow_bot");
    let id = keyboard_message(&mut stage, bot, ann);
    let ticket = stage
        .world
        .ask_callback(ann.user, PeerId::User(bot.user), id, Some(b"a".to_vec()))
        .unwrap();
    stage.world.take_outbox();
    stage.world.give_up(ticket);
    let answer = functions::messages::SetBotCallbackAnswer {
        alert: false,
        query_id: 0,
        message: None,
        url: None,
        cache_time: 0,
    };
    assert_eq!(stage.refused(bot, &answer), "QUERY_ID_INVALID");
}

#[test]
fn people_have_no_keyboards() {
    let (mut stage, ann, bob) = two();
    let mut request = stage.text(ann, PeerId::User(bob.user), "choose");
    request.reply_markup = Some(keyboard(&[("A", b"a")]));
    assert_eq!(stage.refused(ann, &request), "REPLY_MARKUP_INVALID");
    let bot = stage.bot(ann, "long_bot");
    stage.say(ann, PeerId::User(bot.user), "/start");
    let mut request = stage.text(bot, PeerId::User(ann.user), "choose");
    request.reply_markup = Some(keyboard(&[("A", &[0; 65])]));
    assert_eq!(stage.refused(bot, &request), "BUTTON_DATA_INVALID");
}

fn named(url: &str) -> enums::InputWebDocument {
    types::InputWebDocument {
        url: url.to_owned(),
        size: 9,
        mime_type: "image/png".to_owned(),
        attributes: Vec::new(),
    }
    .into()
}

/// A file of the web is had by its address and hash, of the data centre that is there for it.
fn fetch_thumb(stage: &mut Stage, me: Session, thumb: &types::WebDocument) {
    let get = |access_hash, offset, limit| functions::upload::GetWebFile {
        location: types::InputWebFileLocation {
            url: thumb.url.clone(),
            access_hash,
        }
        .into(),
        offset,
        limit,
    };
    let hash = thumb.access_hash;
    assert_eq!(stage.refused(me, &get(hash, 0, 4096)), "LOCATION_INVALID");
    let file = ("cat.png".to_owned(), "image/png".to_owned(), vec![7; 5000]);
    let (url, none) = (thumb.url.clone(), String::new());
    let page = stage
        .world
        .add_page(url, none.clone(), none, None, Some(file));
    page.unwrap();
    for (offset, bytes) in [(0, 4096), (4096, 904), (8192, 0)] {
        let answer = stage.call(me, &get(hash, offset, 4096)).unwrap();
        let enums::upload::WebFile::File(file) = answer;
        assert_eq!((file.size, file.bytes), (5000, vec![7; bytes]));
        assert_eq!(file.mime_type, "image/png");
    }
    assert_eq!(
        stage.refused(me, &get(hash + 1, 0, 4096)),
        "LOCATION_INVALID"
    );
    assert_eq!(stage.refused(me, &get(hash, 1, 4096)), "OFFSET_INVALID");
    assert_eq!(stage.refused(me, &get(hash, 0, 5)), "LIMIT_INVALID");
    let elsewhere = stage.world.read_web_file(me.user, 1, &get(hash, 0, 4096));
    assert_eq!(elsewhere.unwrap_err().message, "LOCATION_INVALID");
}

#[test]
fn an_inline_result_is_sent_via_its_bot() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "inline_bot");
    let mut ask = functions::messages::GetInlineBotResults {
        bot: stage.input_user(ann, bot.user),
        peer: enums::InputPeer::PeerSelf,
        geo_point: None,
        query: "cats".to_owned(),
        offset: String::new(),
    };
    assert_eq!(stage.refused(ann, &ask), "BOT_INLINE_DISABLED");
    let info = stage
        .world
        .users
        .get_mut(&bot.user)
        .unwrap()
        .bot
        .as_mut()
        .unwrap();
    info.inline_placeholder = Some("Search".to_owned());
    assert_eq!(stage.refused(ann, &ask), "DEFERRED");
    let pushed = stage.pushed(bot.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    let [enums::Update::BotInlineQuery(query)] = updates.updates.as_slice() else {
        panic!("no query")
    };
    let text = types::InputBotInlineMessageText {
        no_webpage: false,
        invert_media: false,
        message: "a cat".to_owned(),
        entities: None,
        reply_markup: Some(keyboard(&[("More", b"more")])),
    };
    let result = types::InputBotInlineResult {
        id: "1".to_owned(),
        r#type: "article".to_owned(),
        title: Some("Cat".to_owned()),
        description: None,
        url: None,
        thumb: Some(named("https://example.org/cat.png")),
        content: Some(named("https://trusted.example/cat.png")),
        send_message: text.into(),
    };
    let answer = functions::messages::SetInlineBotResults {
        gallery: false,
        private: false,
        query_id: query.query_id,
        results: vec![result.into()],
        cache_time: 0,
        next_offset: None,
        switch_pm: None,
        switch_webview: None,
    };
    stage.world.trust_host("Trusted.example");
    assert!(stage.call(bot, &answer).unwrap());
    let shown = stage.sent.iter().find_map(|out| match out {
        Out::Answer(answer) => answer.result.as_ref().ok(),
        Out::Push(_) => None,
    });
    let enums::messages::BotResults::Results(shown) =
        enums::messages::BotResults::from_bytes(shown.unwrap()).unwrap();
    let enums::BotInlineResult::Result(shown) = &shown.results[0] else {
        panic!("{:?}", shown.results)
    };
    let (Some(enums::WebDocument::Document(thumb)), Some(enums::WebDocument::NoProxy(content))) =
        (&shown.thumb, &shown.content)
    else {
        panic!("{:?} {:?}", shown.thumb, shown.content)
    };
    assert_eq!(content.url, "https://trusted.example/cat.png");
    fetch_thumb(&mut stage, ann, thumb);
    let random_id = stage.random();
    let send = functions::messages::SendInlineBotResult {
        silent: false,
        background: false,
        clear_draft: false,
        hide_via: false,
        peer: stage.input(ann, PeerId::User(bob.user)),
        reply_to: None,
        random_id,
        query_id: query.query_id,
        id: "1".to_owned(),
        schedule_date: None,
        send_as: None,
        quick_reply_shortcut: None,
        allow_paid_stars: None,
    };
    stage.call(ann, &send).unwrap();
    let enums::Message::Message(message) = stage.world.tl_message(bob.user, 1) else {
        panic!("no message")
    };
    assert_eq!(
        (message.via_bot_id, message.message.as_str()),
        (Some(bot.user), "a cat")
    );
    assert!(message.reply_markup.is_some());
    ask.bot = stage.input_user(ann, bob.user);
    assert_eq!(stage.refused(ann, &ask), "BOT_INVALID");
}

//! Keys, sessions, the order of calls, faults on demand, and the way of updates.

#![allow(clippy::unwrap_used)]

mod util;

use std::time::{Duration, Instant};

use layer_mtproto::session::{ClientEvent, SessionParams, SubmitOptions};
use layer_test_server::tl::{
    Deserializable, Identifiable, Serializable, enums, functions as f, types,
};
use layer_test_server::{ApiError, Limits, NewUser, Server, ServerConfig, UserHandle};
use util::{Client, Gone, Raw, Way, Wire, error, in_time, is};

const ANN: &str = "+15550001";
const BOB: &str = "+15550002";

async fn server() -> (Server, UserHandle, UserHandle) {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let ann = server.add_user(NewUser::named(ANN, "Ann"));
    let bob = server.add_user(NewUser::named(BOB, "Bob"));
    (server, ann, bob)
}

/// A client signed in as Ann that listens for updates.
async fn signed_in(server: &Server) -> Client {
    let mut client = Client::connect(server, 1).await;
    client.enter(server, ANN).await;
    client.invoke(&f::updates::GetState {}).await.unwrap();
    client
}

fn config() -> Vec<u8> {
    f::help::GetConfig {}.to_bytes()
}

// -- keys ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_unknown_key_is_refused_with_404() {
    let (server, ..) = server().await;
    in_time(async {
        for way in layer_mtproto::transport::TransportKind::ALL {
            let way = Way {
                kind: way,
                obfuscation: None,
            };
            let mut wire = Wire::open(server.address(1).unwrap(), way).await;
            wire.send(&[9; 88]).await;
            assert_eq!(wire.receive().await, Err(Gone::Transport(-404)));
            assert_eq!(wire.receive().await, Err(Gone::Closed));
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_the_data_centre_it_was_made_with() {
    let (server, ..) = server().await;
    in_time(async {
        let client = Client::connect(&server, 1).await;
        let mut other = client.sibling(server.address(2).unwrap()).await;
        assert_eq!(error(other.hello().await), is(-1, "Transport(-404)"));
    })
    .await;
}

#[tokio::test]
async fn a_key_serves_any_number_of_connections_and_sessions() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        let address = server.address(1).unwrap();
        for _ in 0..5 {
            let mut sibling = client.sibling(address).await;
            sibling.hello().await.unwrap();
            sibling.invoke(&f::updates::GetState {}).await.unwrap();
        }
        client.reconnect(address).await;
        client.invoke(&f::updates::GetState {}).await.unwrap();
        assert_eq!(server.key_count(), 1);
        assert_eq!(server.sessions().len(), 6);
    })
    .await;
}

#[tokio::test]
async fn the_first_packet_of_a_connection_may_carry_a_part_of_a_file() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        client.reconnect(server.address(1).unwrap()).await;
        let part = f::upload::SaveFilePart {
            file_id: 1,
            file_part: 0,
            bytes: (0..512 * 1024).map(|_| fastrand::u8(..)).collect(),
        };
        assert!(client.invoke(&part).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_key_ends_its_connections() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        server.forget_keys();
        assert_eq!(client.wire.receive().await, Err(Gone::Transport(-404)));
        assert_eq!(server.sessions().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_sessions_of_a_key_are_bounded() {
    let limits = Limits {
        sessions_per_key: 3,
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let client = Client::connect(&server, 1).await;
        for _ in 0..10 {
            client
                .sibling(server.address(1).unwrap())
                .await
                .hello()
                .await
                .unwrap();
            assert!(server.sessions().len() <= 3);
        }
    })
    .await;
}

// -- salts, sessions, acknowledgements ------------------------------------------------------------------------

#[tokio::test]
async fn rotated_salts_are_told() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        server.rotate_salts();
        client.invoke(&f::help::GetConfig {}).await.unwrap();
        let changed = |event: &ClientEvent| matches!(event, ClientEvent::SaltsChanged);
        assert!(client.events.iter().any(changed), "{:?}", client.events);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_clock_is_told() {
    let (server, ..) = server().await;
    server.skew_clock(4000);
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(&config()).await;
        let notice = raw.find(|_| true).await;
        assert_eq!(notice.id(), types::BadMsgNotification::CONSTRUCTOR_ID);
        // A client that learns the time gets through.
        Client::connect(&server, 1).await.hello().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_session_begins_anew() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.events.clear();
        server.forget_sessions();
        client.invoke(&f::help::GetConfig {}).await.unwrap();
        let new = |event: &ClientEvent| matches!(event, ClientEvent::NewSession { .. });
        assert!(client.events.iter().any(new), "{:?}", client.events);
    })
    .await;
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again_on_the_next_connection() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let first = raw.result_of(call).await;
        // No acknowledgement; the connection is lost and another one takes over.
        raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        raw.send(&f::Ping { ping_id: 1 }.to_bytes()).await;
        let again = raw.result_of(call).await;
        assert_eq!(first, again);
        // Once it is acknowledged it comes no more.
        let mut head = 0xf35c_6d01_u32.to_le_bytes().to_vec();
        head.extend_from_slice(&call.to_le_bytes());
        raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        raw.send(&f::Ping { ping_id: 2 }.to_bytes()).await;
        let message = raw.find(|message| message.body.starts_with(&head)).await;
        let ack = enums::MsgsAck::from(types::MsgsAck {
            msg_ids: vec![message.msg_id],
        });
        let id = raw.next_id();
        raw.send_as(id, 6, &ack.to_bytes()).await;
        raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        raw.send(&f::Ping { ping_id: 3 }.to_bytes()).await;
        loop {
            let messages = raw.receive().await.unwrap();
            assert!(
                !messages
                    .iter()
                    .any(|message| message.body.starts_with(&head))
            );
            if messages
                .iter()
                .any(|message| message.id() == types::Pong::CONSTRUCTOR_ID)
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn ping_delay_disconnect_is_obeyed() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(
            &f::PingDelayDisconnect {
                ping_id: 1,
                disconnect_delay: 1,
            }
            .to_bytes(),
        )
        .await;
        let begun = Instant::now();
        while raw.receive().await.is_ok() {}
        assert!(begun.elapsed() >= Duration::from_millis(900));
    })
    .await;
}

#[tokio::test]
async fn future_salts_come_bare() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let asked = raw.send(&f::GetFutureSalts { num: 5 }.to_bytes()).await;
        let answer = raw
            .find(|message| message.id() == types::FutureSalts::CONSTRUCTOR_ID)
            .await;
        let enums::FutureSalts::Salts(salts) =
            enums::FutureSalts::from_bytes(&answer.body).unwrap();
        assert_eq!(salts.req_msg_id, asked);
        assert_eq!(salts.salts.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_destroyed_session_is_forgotten() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        let mut sibling = client.sibling(server.address(1).unwrap()).await;
        sibling.hello().await.unwrap();
        assert_eq!(server.sessions().len(), 2);
        client.session.destroy_session(sibling.session.session_id());
        client.invoke(&f::help::GetConfig {}).await.unwrap();
        assert_eq!(server.sessions().len(), 1);
    })
    .await;
}

// -- calls --------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_no_method_and_what_is_cut_off_is_an_error_of_the_api() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let message = |bytes: Vec<u8>| {
            types::RpcError::from(enums::RpcError::from_bytes(&bytes).unwrap()).error_message
        };
        let call = raw.send(&0x1234_5678_u32.to_le_bytes()).await;
        assert!(message(raw.result_of(call).await).starts_with("INPUT_METHOD_INVALID_305419896"));
        let call = raw
            .send(&f::auth::ExportAuthorization::CONSTRUCTOR_ID.to_le_bytes())
            .await;
        assert_eq!(message(raw.result_of(call).await), "INPUT_FETCH_ERROR");
        let call = raw.send(&f::updates::GetState {}.to_bytes()).await;
        assert_eq!(message(raw.result_of(call).await), "AUTH_KEY_UNREGISTERED");
    })
    .await;
}

#[tokio::test]
async fn large_answers_are_packed() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let list = f::help::GetCountriesList {
            lang_code: "en".into(),
            hash: 0,
        };
        let call = raw.send(&list.to_bytes()).await;
        assert_eq!(
            raw.result_of(call).await[..4],
            0x3072_cfa1_u32.to_le_bytes()
        );
        Client::connect(&server, 1)
            .await
            .invoke(&list)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_call_waits_for_the_one_it_names_and_fails_with_it() {
    let (server, ..) = server().await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let after = |msg_id: i64, query: Vec<u8>| {
            let id = f::InvokeAfterMsg::<()>::CONSTRUCTOR_ID.to_bytes();
            [id, msg_id.to_bytes(), query].concat()
        };
        let message = |bytes: Vec<u8>| {
            types::RpcError::from(enums::RpcError::from_bytes(&bytes).unwrap()).error_message
        };
        let refused = raw.send(&f::updates::GetState {}.to_bytes()).await;
        assert_eq!(
            message(raw.result_of(refused).await),
            "AUTH_KEY_UNREGISTERED"
        );
        let call = raw.send(&after(refused, config())).await;
        assert_eq!(message(raw.result_of(call).await), "MSG_WAIT_FAILED");
        let call = raw.send(&after(4, config())).await;
        assert_eq!(message(raw.result_of(call).await), "MSG_WAIT_TIMEOUT");
    })
    .await;
}

#[tokio::test]
async fn a_chain_of_calls_is_served_in_order() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        let mut last = None;
        let mut ids = Vec::new();
        for n in 0..10 {
            let request = send(&ann, &bob, &n.to_string());
            let mut options = SubmitOptions::default();
            options.after = last.into_iter().collect();
            let id = client
                .session
                .submit(request.to_bytes(), options, Instant::now());
            ids.push(id);
            last = Some(id);
        }
        for id in ids {
            client.answer(id).await.unwrap();
        }
        let texts: Vec<_> = bob
            .messages(ann.peer())
            .into_iter()
            .map(|m| m.text)
            .collect();
        assert_eq!(texts, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    })
    .await;
}

fn send(from: &UserHandle, to: &UserHandle, text: &str) -> f::messages::SendMessage {
    let mut random = [0; 8];
    util::rng().fill(&mut random);
    f::messages::SendMessage {
        no_webpage: false,
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: from.input_peer(to.peer()),
        reply_to: None,
        message: text.into(),
        random_id: i64::from_le_bytes(random),
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

#[tokio::test]
async fn flood_waits_come_on_demand_and_end() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        server.flood_wait("help.getConfig", 1);
        let config = f::help::GetConfig {};
        assert_eq!(error(client.invoke(&config).await), is(420, "FLOOD_WAIT_1"));
        client.invoke(&f::help::GetNearestDc {}).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        client.invoke(&config).await.unwrap();
        server.fail("help.*", ApiError::new(500, "RPC_CALL_FAIL"), Some(1));
        assert_eq!(
            error(client.invoke(&config).await),
            is(500, "RPC_CALL_FAIL")
        );
        client.invoke(&config).await.unwrap();
        server.fail("*", ApiError::new(400, "NO"), None);
        assert_eq!(error(client.invoke(&config).await), is(400, "NO"));
        server.clear_faults(None);
        client.invoke(&config).await.unwrap();
    })
    .await;
}

// -- updates ------------------------------------------------------------------------------------------------

#[tokio::test]
async fn updates_reach_every_session_that_asked_for_them() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut one = signed_in(&server).await;
        let mut two = one.sibling(server.address(1).unwrap()).await;
        two.hello().await.unwrap();
        let mut silent = one.sibling(server.address(1).unwrap()).await;
        silent
            .invoke(&f::InvokeWithoutUpdates {
                query: f::updates::GetState {},
            })
            .await
            .unwrap();
        bob.send_message(ann.peer(), "hello").unwrap();
        for client in [&mut one, &mut two] {
            let update = client.until(|client| client.updates.pop()).await;
            let enums::Updates::Updates(updates) = update else {
                panic!("{update:?}")
            };
            let [enums::Update::NewMessage(new)] = &*updates.updates else {
                panic!("{updates:?}")
            };
            let enums::Message::Message(message) = &new.message else {
                panic!("{new:?}")
            };
            assert_eq!(message.message, "hello");
        }
        silent
            .invoke(&f::InvokeWithoutUpdates {
                query: f::help::GetConfig {},
            })
            .await
            .unwrap();
        assert!(silent.updates.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_session_that_acts_hears_of_it_by_its_answer_and_the_others_by_an_update() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut one = signed_in(&server).await;
        let mut two = one.sibling(server.address(1).unwrap()).await;
        two.hello().await.unwrap();
        one.invoke(&send(&ann, &bob, "from one")).await.unwrap();
        two.until(|two| two.updates.pop()).await;
        one.invoke(&f::help::GetConfig {}).await.unwrap();
        assert!(one.updates.is_empty(), "{:?}", one.updates);
        assert_eq!(bob.messages(ann.peer()).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn updates_wait_for_a_session_that_is_away_for_a_moment() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        server.drop_connections();
        assert_eq!(client.wire.receive().await, Err(Gone::Closed));
        while server.sessions().iter().any(|session| session.connected) {
            tokio::task::yield_now().await;
        }
        bob.send_message(ann.peer(), "one").unwrap();
        bob.send_message(ann.peer(), "two").unwrap();
        client.reconnect(server.address(1).unwrap()).await;
        client.session.ping();
        client
            .until(|client| (client.updates.len() == 2).then_some(()))
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_missed_too_much_is_told_to_ask() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        server.drop_connections();
        assert_eq!(client.wire.receive().await, Err(Gone::Closed));
        while server.sessions().iter().any(|session| session.connected) {
            tokio::task::yield_now().await;
        }
        for n in 0..300 {
            bob.send_message(ann.peer(), &n.to_string()).unwrap();
        }
        client.reconnect(server.address(1).unwrap()).await;
        client.session.ping();
        let too_long = |client: &mut Client| {
            client
                .updates
                .iter()
                .any(|u| matches!(u, enums::Updates::TooLong))
                .then_some(())
        };
        client.until(too_long).await;
        assert!(client.updates.len() < 200);
    })
    .await;
}

#[tokio::test]
async fn a_button_is_pressed_and_the_bot_answers_over_the_wire() {
    let (server, ann, _) = server().await;
    let helper = server.add_bot(&ann, "Helper", "helper_bot");
    in_time(async {
        let mut bot = Client::connect(&server, 1).await;
        bot.invoke(&f::auth::ImportBotAuthorization {
            flags: 0,
            api_id: 1,
            api_hash: "hash".into(),
            bot_auth_token: helper.token().into(),
        })
        .await
        .unwrap();
        bot.invoke(&f::updates::GetState {}).await.unwrap();
        ann.send_message(helper.peer(), "/start").unwrap();
        let button = types::KeyboardButtonCallback {
            requires_password: false,
            style: None,
            text: "Press".into(),
            data: b"data".to_vec(),
        };
        let row = types::KeyboardButtonRow {
            buttons: vec![button.into()],
        };
        let markup = types::ReplyInlineMarkup {
            rows: vec![row.into()],
        };
        helper
            .send_with_markup(ann.peer(), "buttons", markup.into())
            .unwrap();
        let shown = ann.messages(helper.peer()).last().unwrap().id;
        let pressed = tokio::spawn({
            let (ann, peer) = (ann.clone(), helper.peer());
            async move { ann.press(peer, shown, b"data").await }
        });
        let query_id = bot
            .until(|bot| {
                bot.updates.drain(..).find_map(|updates| {
                    let list = match updates {
                        enums::Updates::Updates(updates) => updates.updates,
                        enums::Updates::UpdateShort(short) => vec![short.update],
                        _ => vec![],
                    };
                    list.into_iter().find_map(|update| match update {
                        enums::Update::BotCallbackQuery(query) => Some(query.query_id),
                        _ => None,
                    })
                })
            })
            .await;
        bot.invoke(&f::messages::SetBotCallbackAnswer {
            alert: false,
            query_id,
            message: Some("Done!".into()),
            url: None,
            cache_time: 0,
        })
        .await
        .unwrap();
        assert_eq!(
            pressed.await.unwrap().unwrap().message.as_deref(),
            Some("Done!")
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_goes_on_over_another_data_centres_proxy_route() {
    let secret = [3; 16];
    let server = Server::builder()
        .mtproxy_secret(secret)
        .start()
        .await
        .unwrap();
    in_time(async {
        let client = Client::connect(&server, 2).await;
        let way = Way {
            kind: layer_mtproto::transport::TransportKind::PaddedIntermediate,
            obfuscation: Some(layer_mtproto::transport::ObfuscationParams {
                secret: Some(secret),
                dc_id: 2,
            }),
        };
        let wire = Wire::open(server.address(1).unwrap(), way).await;
        let mut through = Client::with(wire, SessionParams::new(client.key()));
        through.hello().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_test_waits_for_what_a_program_sends() {
    let (server, ann, bob) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        let before = bob.send_message(ann.peer(), "are you there?").unwrap();
        let nothing = bob
            .wait_for_message(ann.peer(), 0, Duration::from_millis(20))
            .await;
        assert_eq!(nothing, None, "one's own messages do not count");
        let request = send(&ann, &bob, "yes");
        let (answer, sent) = tokio::join!(
            bob.wait_for_message(ann.peer(), before, Duration::from_secs(10)),
            client.invoke(&request),
        );
        sent.unwrap();
        assert_eq!(answer.unwrap().text, "yes");
    })
    .await;
}

#[tokio::test]
async fn settings_are_kept_for_the_account_and_lists_come_empty() {
    let (server, ..) = server().await;
    in_time(async {
        let mut client = signed_in(&server).await;
        let peer = enums::InputNotifyPeer::InputNotifyUsers;
        let settings = types::InputPeerNotifySettings {
            show_previews: Some(false),
            silent: None,
            mute_until: Some(77),
            sound: None,
            stories_muted: None,
            stories_hide_sender: None,
            stories_sound: None,
        };
        let update = f::account::UpdateNotifySettings {
            peer: peer.clone(),
            settings: settings.into(),
        };
        assert!(client.invoke(&update).await.unwrap());
        let kept = client
            .invoke(&f::account::GetNotifySettings { peer })
            .await
            .unwrap();
        assert_eq!(types::PeerNotifySettings::from(kept).mute_until, Some(77));
        let key = enums::InputPrivacyKey::PhoneNumber;
        let rules = vec![enums::InputPrivacyRule::InputPrivacyValueDisallowAll];
        client
            .invoke(&f::account::SetPrivacy {
                key: key.clone(),
                rules,
            })
            .await
            .unwrap();
        let kept = client
            .invoke(&f::account::GetPrivacy { key })
            .await
            .unwrap();
        let kept = types::account::PrivacyRules::from(kept);
        assert!(matches!(
            *kept.rules,
            [enums::PrivacyRule::PrivacyValueDisallowAll]
        ));
        let themes = client
            .invoke(&f::account::GetChatThemes { hash: 0 })
            .await
            .unwrap();
        assert!(matches!(themes, enums::account::Themes::Themes(list) if list.themes.is_empty()));
        let languages = f::langpack::GetLanguages {
            lang_pack: "tdesktop".into(),
        };
        assert_eq!(client.invoke(&languages).await.unwrap().len(), 1);
    })
    .await;
}

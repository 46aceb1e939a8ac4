//! What happens to calls and their answers.

use layer_mtproto::session::inflate_packed;
use layer_test_server::faults::{Action, Fault, Where};
use layer_test_server::tl::{
    Deserializable, Identifiable, Serializable, enums, functions as f, types,
};
use layer_test_server::{NewUser, Server};

use super::{config, fired, server};
use crate::util::{Client, Gone, PATIENCE, Raw, error, in_time, is};

const GZIP_PACKED: u32 = 0x3072_cfa1;

fn starts_with(bytes: &[u8], id: u32) -> bool {
    bytes.starts_with(&id.to_le_bytes())
}

#[tokio::test]
async fn every_error_can_be_had_as_often_as_wanted() {
    for (action, code, message) in [
        (Action::FloodWait(3), 420, "FLOOD_WAIT_3"),
        (Action::FloodPremiumWait(4), 420, "FLOOD_PREMIUM_WAIT_4"),
        (Action::SlowmodeWait(5), 420, "SLOWMODE_WAIT_5"),
        ("migrate phone 2".parse().unwrap(), 303, "PHONE_MIGRATE_2"),
        ("migrate user 3".parse().unwrap(), 303, "USER_MIGRATE_3"),
        (
            "migrate network 4".parse().unwrap(),
            303,
            "NETWORK_MIGRATE_4",
        ),
        ("migrate file 5".parse().unwrap(), 303, "FILE_MIGRATE_5"),
        ("migrate stats 1".parse().unwrap(), 303, "STATS_MIGRATE_1"),
        ("error -503 Timeout".parse().unwrap(), -503, "Timeout"),
    ] {
        let server = Server::builder().start().await.unwrap();
        in_time(async {
            let mut client = Client::connect(&server, 1).await;
            let rule = Fault::on(Where::method("help.*")).times(2).then(action);
            let id = server.faults().add(rule).unwrap();
            for _ in 0..2 {
                let refused = client.invoke(&f::help::GetConfig {}).await;
                assert_eq!(error(refused), is(code, message));
            }
            client.invoke(&f::help::GetConfig {}).await.unwrap();
            assert_eq!(server.faults().fired(id), 2);
            assert!(server.faults().wait_until_fired(id, 2, PATIENCE).await);
        })
        .await;
    }
}

#[tokio::test]
async fn a_rule_for_an_account_leaves_others_alone() {
    let server = Server::builder().start().await.unwrap();
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    server.add_user(NewUser::named("+15550002", "Bob"));
    in_time(async {
        let mut first = Client::connect(&server, 1).await;
        first.enter(&server, "+15550001").await;
        let mut second = Client::connect(&server, 1).await;
        second.enter(&server, "+15550002").await;
        let rule = Where::method("updates.getState").user(ann.id());
        let rule = Fault::on(rule).then(Action::FloodWait(9));
        server.faults().add(rule).unwrap();
        let refused = first.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(refused), is(420, "FLOOD_WAIT_9"));
        second.invoke(&f::updates::GetState {}).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_answer_can_be_compressed_however_small() {
    let server = server(&["method=help.getNearestDc: gzip"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&f::help::GetNearestDc {}.to_bytes()).await;
        let result = raw.result_of(call).await;
        assert!(starts_with(&result, GZIP_PACKED));
        let plain = inflate_packed(&result, 1 << 20).unwrap();
        assert!(enums::NearestDc::from_bytes(&plain).is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_bomb_inflates_to_what_it_was_ordered_to() {
    let server = server(&["call nth=1: gzip-bomb 3MiB"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let result = raw.result_of(call).await;
        assert!(result.len() < 64 * 1024, "{}", result.len());
        let plain = inflate_packed(&result, 3 << 20).unwrap();
        assert_eq!(plain, vec![0; 3 << 20]);
        assert!(inflate_packed(&result, (3 << 20) - 1).is_err());
    })
    .await;
}

#[tokio::test]
async fn an_answer_can_be_garbage() {
    let server = server(&["call times=1: garbage 64"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let result = raw.result_of(call).await;
        assert_eq!(result.len(), 64);
        assert!(enums::Config::from_bytes(&result).is_err());
    })
    .await;
}

#[tokio::test]
async fn an_answer_can_come_twice() {
    let server = server(&["call: duplicate"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let messages = raw.until_pong().await;
        let answers: Vec<_> = messages.iter().filter(|m| m.answers(call)).collect();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0].body, answers[1].body);
        assert_ne!(answers[0].msg_id, answers[1].msg_id);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_call_is_acknowledged_and_nothing_more() {
    let server = server(&["method=help.getConfig: drop"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let acked = raw
            .find(|message| {
                let ack = enums::MsgsAck::from_bytes(&message.body);
                ack.is_ok_and(|enums::MsgsAck::Ack(ack)| ack.msg_ids.contains(&call))
            })
            .await;
        assert_eq!(acked.id(), types::MsgsAck::CONSTRUCTOR_ID);
        assert!(!raw.until_pong().await.iter().any(|m| m.answers(call)));
        assert_eq!(fired(&server), 1);
    })
    .await;
}

#[tokio::test]
async fn a_delayed_call_is_overtaken() {
    let server = server(&["method=help.getConfig: delay 300ms"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let slow = raw.send(&config()).await;
        let fast = raw.send(&f::help::GetNearestDc {}.to_bytes()).await;
        assert_eq!(raw.order_of(&[slow, fast]).await, [fast, slow]);
    })
    .await;
}

#[tokio::test]
async fn a_connection_closes_before_or_after_the_acknowledgement_and_the_answer_waits() {
    for (rule, acked) in [
        ("call times=1: close-before-ack", false),
        ("call times=1: close-after-ack", true),
    ] {
        let server = server(&[rule]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            let call = raw.send(&config()).await;
            let mut seen = Vec::new();
            while let Ok(mut messages) = raw.receive().await {
                seen.append(&mut messages);
            }
            let ack = |message: &crate::util::Message| {
                let ack = enums::MsgsAck::from_bytes(&message.body);
                ack.is_ok_and(|enums::MsgsAck::Ack(ack)| ack.msg_ids.contains(&call))
            };
            assert_eq!(seen.iter().any(ack), acked, "{rule}");
            assert!(!seen.iter().any(|message| message.answers(call)), "{rule}");
            // It was done, and is answered without being asked for again.
            raw.reconnect(server.address(1).unwrap()).await;
            raw.result_of(call).await;
            assert_eq!(fired(&server), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_call_can_be_refused_below_the_api_wherever_it_came_in() {
    for (action, id, code) in [
        ("bad-msg 32", types::BadMsgNotification::CONSTRUCTOR_ID, 32),
        ("bad-server-salt", types::BadServerSalt::CONSTRUCTOR_ID, 48),
    ] {
        let server = server(&[&format!("method=help.getConfig: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            let other = f::help::GetNearestDc {}.to_bytes();
            let (_, ids) = raw.send_container(&[config(), other]).await;
            let mut seen = Vec::new();
            while !seen
                .iter()
                .any(|m: &crate::util::Message| m.answers(ids[1]))
            {
                seen.append(&mut raw.receive().await.unwrap());
            }
            let notice = seen.iter().find(|message| message.id() == id).unwrap();
            assert_eq!(
                (notice.long(4), notice.int(12), notice.int(16)),
                (ids[0], 1, code)
            );
            assert!(!seen.iter().any(|message| message.answers(ids[0])));
        })
        .await;
    }
}

#[tokio::test]
async fn a_new_session_forgets_the_call_that_it_happens_to() {
    let server = server(&["method=help.getConfig nth=2: new-session"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let before = raw.send(&config()).await;
        raw.result_of(before).await;
        let call = raw.send(&config()).await;
        let seen = raw.until_pong().await;
        let new = types::NewSessionCreated::CONSTRUCTOR_ID;
        let notice = seen.iter().find(|message| message.id() == new).unwrap();
        assert!(
            notice.long(4) > call,
            "what came before is to be sent again"
        );
        assert!(!seen.iter().any(|message| message.answers(call)));
        // Of a container all comes again, also what was answered.
        let rule = "method=help.getNearestDc times=1: new-session";
        server.faults().add(rule.parse().unwrap()).unwrap();
        let nearest = f::help::GetNearestDc {}.to_bytes();
        let (container, calls) = raw.send_container(&[config(), nearest]).await;
        let seen = raw.until_pong().await;
        let notice = seen.iter().find(|message| message.id() == new).unwrap();
        assert!(notice.long(4) > container);
        let answered: Vec<_> = calls
            .iter()
            .map(|call| seen.iter().any(|message| message.answers(*call)))
            .collect();
        assert_eq!(answered, [true, false]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_named_and_comes_when_it_is_asked_for() {
    let server = server(&["method=help.getConfig: detailed-info"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let info = types::MsgDetailedInfo::CONSTRUCTOR_ID;
        let seen = raw.until_pong().await;
        let named = seen.iter().find(|message| message.id() == info).unwrap();
        assert!(!seen.iter().any(|message| message.answers(call)));
        assert_eq!(named.long(4), call);
        let answer_msg_id = named.long(12);
        let msg_ids = vec![answer_msg_id];
        let mut wish = types::MsgResendReq::CONSTRUCTOR_ID.to_le_bytes().to_vec();
        types::MsgResendReq { msg_ids }.serialize(&mut wish);
        raw.send(&wish).await;
        let answer = raw.find(|message| message.answers(call)).await;
        assert_eq!(answer.msg_id, answer_msg_id);
        assert_eq!(named.int(20), i32::try_from(answer.body.len()).unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_state_of_an_answer_is_asked_for_before_it_comes() {
    let server = server(&["method=help.getConfig: state-request"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let request = types::MsgsStateReq::CONSTRUCTOR_ID;
        let asked = raw.find(|m| m.id() == request || m.answers(call)).await;
        assert_eq!(asked.id(), request);
        let answer = raw.find(|message| message.answers(call)).await;
        assert_eq!(asked.long(12), answer.msg_id);
    })
    .await;
}

#[tokio::test]
async fn a_call_can_cost_the_connection() {
    for (action, expected) in [
        ("close", Gone::Closed),
        ("transport-error -429", Gone::Transport(-429)),
        ("forget-key permanent", Gone::Transport(-404)),
    ] {
        let server = server(&[&format!("method=help.getConfig: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            raw.send(&config()).await;
            let gone = loop {
                if let Err(gone) = raw.receive().await {
                    break gone;
                }
            };
            assert_eq!(gone, expected, "{action}");
        })
        .await;
    }
}

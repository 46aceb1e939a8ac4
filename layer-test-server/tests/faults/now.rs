//! What happens at once, and how rules come and go.

use layer_test_server::faults::{Action, Fault, RuleError, Where};
use layer_test_server::tl::{Identifiable, types};

use super::{config, server};
use crate::util::{Client, Gone, Raw, in_time};

#[tokio::test]
async fn connections_of_one_data_centre_are_closed() {
    let server = server(&[]).await;
    in_time(async {
        let mut first = Client::connect(&server, 1).await;
        let mut second = Client::connect(&server, 2).await;
        server
            .faults()
            .add("now dc=2: close".parse().unwrap())
            .unwrap();
        assert_eq!(second.wire.receive().await, Err(Gone::Closed));
        first.hello().await.unwrap();
        server
            .faults()
            .add("now: transport-error -429".parse().unwrap())
            .unwrap();
        assert_eq!(first.wire.receive().await, Err(Gone::Transport(-429)));
    })
    .await;
}

#[tokio::test]
async fn keys_of_one_data_centre_are_forgotten() {
    let server = server(&[]).await;
    in_time(async {
        let mut first = Client::connect(&server, 1).await;
        Client::connect(&server, 2).await;
        let rule = "now dc=2: forget-key permanent".parse().unwrap();
        server.faults().add(rule).unwrap();
        assert_eq!(server.key_count(), 1);
        first.hello().await.unwrap();
        server
            .faults()
            .add("now: forget-key permanent".parse().unwrap())
            .unwrap();
        assert_eq!(first.wire.receive().await, Err(Gone::Transport(-404)));
    })
    .await;
}

#[tokio::test]
async fn salts_of_one_data_centre_are_thrown_away() {
    let server = server(&[]).await;
    in_time(async {
        let bad = types::BadServerSalt::CONSTRUCTOR_ID;
        let mut notices = Vec::new();
        let mut raws = [
            Raw::connect(&server, 1).await,
            Raw::connect(&server, 2).await,
        ];
        server
            .faults()
            .add("now dc=2: rotate-salts".parse().unwrap())
            .unwrap();
        for raw in &mut raws {
            let call = raw.send(&config()).await;
            let answer = raw.find(|m| m.id() == bad || m.answers(call)).await;
            notices.push(answer.id() == bad);
        }
        assert_eq!(notices, [false, true]);
    })
    .await;
}

#[tokio::test]
async fn no_clock_is_too_wrong() {
    let server = server(&[]).await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        for seconds in [i64::MIN, -4_000_000_000, -1, 86_400, 1 << 40, i64::MAX] {
            let mut raw = Raw::connect(&server, 1).await;
            let right = i64::from(server.unix_time());
            server.skew_clock(seconds);
            let wrong = i64::from(server.unix_time());
            assert_eq!((wrong - right).signum(), seconds.signum(), "{seconds}");
            raw.send(&config()).await;
            let _ = raw.receive().await;
            server.skew_clock(0);
            client.hello().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn rules_come_and_go_while_the_server_runs() {
    let server = server(&["call: drop"]).await;
    in_time(async {
        let id = server.faults().list()[0].id;
        assert!(server.faults().remove(id) && !server.faults().remove(id));
        let mut client = Client::connect(&server, 1).await;
        let rule = Fault::on(Where::method("help.getConfig")).then(Action::FloodWait(1));
        server.faults().add(rule.clone()).unwrap();
        assert!(client.hello().await.is_err());
        let listed = server.faults().list();
        assert_eq!(
            (listed.len(), &listed[0].fault, listed[0].fired),
            (1, &rule, 1)
        );
        server.faults().clear();
        client.hello().await.unwrap();
        assert!(server.faults().list().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_when_it_is_given() {
    let server = server(&[]).await;
    let misplaced = Fault::on(Where::connections()).then(Action::FloodWait(1));
    let refused = server.faults().add(misplaced).unwrap_err();
    assert!(matches!(refused, RuleError::Misplaced { .. }), "{refused}");
    let empty = Fault::on(Where::calls());
    assert_eq!(server.faults().add(empty), Err(RuleError::NoAction));
    let unlikely = Fault::on(Where::calls())
        .chance(f64::NAN)
        .then(Action::Drop);
    assert!(server.faults().add(unlikely).is_err());
    assert!(server.faults().list().is_empty());
}

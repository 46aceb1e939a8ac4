//! What happens to the key exchange.

use layer_crypto::dh::DhError;
use layer_mtproto::handshake::{HandshakeErrorKind, Outcome, Purpose, Stage, Step};
use layer_mtproto::session::SessionParams;
use layer_test_server::Server;

use super::{fired, server};
use crate::util::{Broken, Client, Gone, Way, Wire, in_time};

async fn exchange(server: &Server) -> Result<(Outcome, Vec<Step>), Broken> {
    let mut wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
    wire.exchange(server.public_key_pem(), 1, Purpose::Permanent)
        .await
}

/// At which step, and why, a client refuses a server on which this goes wrong.
async fn refusal(rule: &str) -> (Stage, HandshakeErrorKind) {
    let server = server(&[rule]).await;
    let refused = in_time(exchange(&server)).await;
    assert_eq!(fired(&server), 1, "{rule}");
    assert_eq!(server.key_count(), 0, "{rule}");
    match refused {
        Err(Broken::Rules(error)) => (error.stage, error.kind),
        other => panic!("{rule}: {other:?}"),
    }
}

#[tokio::test]
async fn keys_are_refused_so_often_and_then_taken() {
    for times in [1, 5] {
        let server = server(&[&format!("exchange times={times}: dh-gen-retry")]).await;
        in_time(async {
            let (_, steps) = exchange(&server).await.unwrap();
            let retries = steps
                .iter()
                .filter(|step| matches!(step, Step::RetryWanted { .. }))
                .count();
            assert_eq!(u64::try_from(retries).unwrap(), times);
            assert_eq!(fired(&server), times);
            assert_eq!(server.key_count(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn the_server_gives_up() {
    let (stage, kind) = refusal("exchange times=1: dh-gen-fail").await;
    assert_eq!((stage, kind), (Stage::DhGen, HandshakeErrorKind::DhGenFail));
}

#[tokio::test]
async fn a_foreign_safe_prime_makes_a_key_that_works() {
    let server = server(&["exchange times=1: foreign-prime"]).await;
    in_time(async {
        let mut wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        let purpose = Purpose::Permanent;
        let (outcome, steps) = wire
            .exchange(server.public_key_pem(), 1, purpose)
            .await
            .unwrap();
        let foreign = |step: &Step| match step {
            Step::DhParamsReceived { prime_known, g, .. } => !prime_known && *g == 2,
            _ => false,
        };
        assert!(steps.iter().any(foreign));
        let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
        client.hello().await.unwrap();
        // The next exchange is with Telegram's again.
        let (_, steps) = exchange(&server).await.unwrap();
        assert!(!steps.iter().any(foreign));
    })
    .await;
}

#[tokio::test]
async fn a_group_that_is_not_safe_is_offered() {
    let (stage, kind) = refusal("exchange: bad-prime").await;
    assert_eq!(
        (stage, kind),
        (
            Stage::DhParams,
            HandshakeErrorKind::Group(DhError::NotSafePrime)
        )
    );
    let (_, kind) = refusal("exchange: bad-generator").await;
    let residue = DhError::GeneratorResidue { g: 2 };
    assert_eq!(kind, HandshakeErrorKind::Group(residue));
    let (_, kind) = refusal("exchange: bad-public").await;
    assert!(matches!(kind, HandshakeErrorKind::Public(_)), "{kind:?}");
}

#[tokio::test]
async fn nonces_are_wrong_at_any_step() {
    for (step, stage) in [
        ("pq", Stage::Pq),
        ("dh", Stage::DhParams),
        ("gen", Stage::DhGen),
    ] {
        let rule = format!("exchange step={step}: wrong-nonce");
        if step != "gen" {
            assert_eq!(refusal(&rule).await, (stage, HandshakeErrorKind::Nonce));
        }
    }
    let rule = "exchange step=dh: wrong-server-nonce";
    assert_eq!(
        refusal(rule).await,
        (Stage::DhParams, HandshakeErrorKind::ServerNonce)
    );
    let rule = "exchange: wrong-inner-nonce";
    assert_eq!(
        refusal(rule).await,
        (Stage::DhParams, HandshakeErrorKind::Nonce)
    );
}

#[tokio::test]
async fn the_last_answer_is_wrong() {
    // By then the server has the key; the client must not take it.
    for (action, expected) in [
        ("wrong-nonce", HandshakeErrorKind::Nonce),
        ("wrong-server-nonce", HandshakeErrorKind::ServerNonce),
        ("wrong-hash", HandshakeErrorKind::NewNonceHash),
    ] {
        let server = server(&[&format!("exchange step=gen: {action}")]).await;
        match in_time(exchange(&server)).await {
            Err(Broken::Rules(error)) => {
                assert_eq!((error.stage, error.kind), (Stage::DhGen, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_encrypted_answer_has_a_wrong_hash() {
    assert_eq!(
        refusal("exchange step=dh: wrong-hash").await,
        (Stage::DhParams, HandshakeErrorKind::EncryptedHash)
    );
}

#[tokio::test]
async fn an_answer_ends_in_the_middle_or_is_garbage() {
    for step in ["pq", "dh"] {
        let (_, kind) = refusal(&format!("exchange step={step}: malformed")).await;
        assert!(
            matches!(kind, HandshakeErrorKind::Malformed { .. }),
            "{kind:?}"
        );
        let (_, kind) = refusal(&format!("exchange step={step}: garbage 64")).await;
        assert!(matches!(kind, HandshakeErrorKind::Plain(_)), "{kind:?}");
    }
}

#[tokio::test]
async fn the_exchange_costs_the_connection() {
    for (action, expected) in [
        ("close", Gone::Closed),
        ("cut 7", Gone::Closed),
        ("transport-error -429", Gone::Transport(-429)),
    ] {
        for step in ["pq", "dh", "gen"] {
            let server = server(&[&format!("exchange step={step}: {action}")]).await;
            match in_time(exchange(&server)).await {
                Err(Broken::Gone(gone)) => assert_eq!(gone, expected, "{action} {step}"),
                other => panic!("{action} {step}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn answers_of_the_exchange_come_late_split_or_twice_and_are_the_same() {
    for action in ["delay 50ms", "split"] {
        let server = server(&[&format!("exchange: {action}")]).await;
        in_time(exchange(&server)).await.unwrap();
        assert_eq!(fired(&server), 3);
    }
    let server = server(&["exchange step=gen: duplicate"]).await;
    in_time(async {
        let mut wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        wire.exchange(server.public_key_pem(), 1, Purpose::Permanent)
            .await
            .unwrap();
        wire.receive().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_request_of_the_exchange_is_lost() {
    let server = server(&["exchange step=dh: drop"]).await;
    let patience = std::time::Duration::from_millis(300);
    let made = tokio::time::timeout(patience, exchange(&server)).await;
    assert!(made.is_err());
    assert_eq!(fired(&server), 1);
}

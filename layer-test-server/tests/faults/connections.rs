//! What happens to connections as a whole.

use std::time::{Duration, Instant};

use layer_mtproto::handshake::Purpose;
use layer_mtproto::transport::TransportKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{fired, server};
use crate::util::{Client, Gone, Way, Wire, in_time};

fn way(kind: TransportKind) -> Way {
    Way {
        kind,
        obfuscation: None,
    }
}

#[tokio::test]
async fn the_nth_connection_is_closed_and_the_next_is_not() {
    let server = server(&["connect nth=2: close"]).await;
    in_time(async {
        let address = server.address(1).unwrap();
        Client::connect(&server, 1).await;
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert_eq!(refused.read(&mut [0; 8]).await.unwrap_or(0), 0);
        Client::connect(&server, 1).await;
        assert_eq!(fired(&server), 1);
    })
    .await;
}

#[tokio::test]
async fn a_rule_for_one_data_centre_or_transport_leaves_others_alone() {
    let server = server(&["connect dc=2: close", "connect transport=abridged: close"]).await;
    in_time(async {
        let purpose = Purpose::Permanent;
        let pem = server.public_key_pem();
        for (dc, kind, served) in [
            (1, TransportKind::Full, true),
            (1, TransportKind::Abridged, false),
            (2, TransportKind::Full, false),
        ] {
            let mut wire = Wire::open(server.address(dc).unwrap(), way(kind)).await;
            let made = wire.handshake(pem, dc, purpose).await;
            assert_eq!(made.is_ok(), served, "{dc} {kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_connection_takes_everything_and_says_nothing() {
    let server = server(&["connect times=1: silence"]).await;
    in_time(async {
        let mut wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        let patience = Duration::from_millis(300);
        let made = wire.handshake(server.public_key_pem(), 1, Purpose::Permanent);
        assert!(tokio::time::timeout(patience, made).await.is_err());
        Client::connect(&server, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_transport_error_answers_the_first_bytes() {
    for code in [-404, -429, -444, -1] {
        let server = server(&[&format!("connect: transport-error {code}")]).await;
        in_time(async {
            for kind in TransportKind::ALL {
                let mut wire = Wire::open(server.address(1).unwrap(), way(kind)).await;
                let made = wire.handshake(server.public_key_pem(), 1, Purpose::Permanent);
                assert_eq!(made.await.unwrap_err(), Gone::Transport(code), "{kind}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_is_served_late() {
    let server = server(&["connect: delay 300ms"]).await;
    in_time(async {
        let begun = Instant::now();
        Client::connect(&server, 1).await;
        assert!(begun.elapsed() >= Duration::from_millis(300));
    })
    .await;
}

#[tokio::test]
async fn a_connection_served_one_byte_at_a_time_is_the_same_connection() {
    let server = server(&["connect: split"]).await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.hello().await.unwrap();
        // In the small: the first answer comes in pieces that are shorter than it.
        let mut stream = TcpStream::connect(server.address(1).unwrap())
            .await
            .unwrap();
        stream.write_all(&[0xee; 4]).await.unwrap();
        stream.write_all(&40_u32.to_le_bytes()).await.unwrap();
        stream.write_all(&req_pq()).await.unwrap();
        let count = stream.read(&mut [0; 1000]).await.unwrap();
        assert!((1..88).contains(&count), "{count}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_cut_after_so_many_bytes() {
    let server = server(&["connect: cut 10"]).await;
    in_time(async {
        let mut stream = TcpStream::connect(server.address(1).unwrap())
            .await
            .unwrap();
        stream.write_all(&[0xee; 4]).await.unwrap();
        stream.write_all(&40_u32.to_le_bytes()).await.unwrap();
        stream.write_all(&req_pq()).await.unwrap();
        let mut came = Vec::new();
        let _ = stream.read_to_end(&mut came).await;
        assert_eq!(came.len(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_connection_begins_with_noise() {
    let server = server(&["connect: noise 24"]).await;
    in_time(async {
        let mut stream = TcpStream::connect(server.address(1).unwrap())
            .await
            .unwrap();
        let mut noise = [0; 24];
        stream.read_exact(&mut noise).await.unwrap();
        assert_ne!(noise, [0; 24]);
    })
    .await;
}

#[tokio::test]
async fn connections_are_counted_from_when_the_rule_was_given() {
    let server = server(&[]).await;
    in_time(async {
        Client::connect(&server, 1).await;
        let rule = "exchange connection=2: close".parse().unwrap();
        let id = server.faults().add(rule).unwrap();
        Client::connect(&server, 1).await;
        let mut second = Wire::open(server.address(1).unwrap(), Way::default()).await;
        let made = second.handshake(server.public_key_pem(), 1, Purpose::Permanent);
        assert_eq!(made.await.unwrap_err(), Gone::Closed);
        assert_eq!(server.faults().fired(id), 1);
    })
    .await;
}

/// `req_pq_multi` as a plain message.
fn req_pq() -> Vec<u8> {
    use layer_test_server::tl::{Serializable, functions};
    let mut packet = Vec::new();
    let body = functions::ReqPqMulti { nonce: [7; 16] }.to_bytes();
    layer_mtproto::plain::pack(&mut packet, 0x6789_0000_0000_0000, &body);
    packet
}

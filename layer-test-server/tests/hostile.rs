//! Whatever comes in on a port: the server neither dies nor hangs, and what it holds for it is bounded.

#![allow(clippy::unwrap_used)]

mod util;

use std::time::{Duration, Instant};

use layer_mtproto::transport::TransportKind;
use layer_test_server::tl::{Serializable, functions as f};
use layer_test_server::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use util::{Client, Gone, Raw, Way, Wire, in_time};

async fn is_alive(server: &Server) {
    Client::connect(server, 1).await.hello().await.unwrap();
}

#[tokio::test]
async fn garbage_on_the_port_does_no_harm() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::builder()
        .limits(limits)
        .mtproxy_secret([1; 16])
        .start()
        .await
        .unwrap();
    in_time(async {
        for round in 0..200 {
            let mut stream = TcpStream::connect(server.address(1).unwrap())
                .await
                .unwrap();
            let mut bytes: Vec<u8> = (0..random.usize(..2000)).map(|_| random.u8(..)).collect();
            // Every other time it begins as a transport does.
            let start: &[u8] = match round % 6 {
                0 => &[0xef],
                1 => &[0xee; 4],
                2 => &[0xdd; 4],
                3 => b"GET / HTTP/1.1\r\n",
                _ => &[],
            };
            bytes.splice(0..0, start.iter().copied());
            let _ = stream.write_all(&bytes).await;
            if random.bool() {
                let _ = tokio::time::timeout(Duration::from_millis(5), stream.read(&mut [0; 1000]))
                    .await;
            }
        }
        is_alive(&server).await;
    })
    .await;
}

#[tokio::test]
async fn damaged_packets_end_the_connection_and_nothing_else() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let config = f::help::GetConfig {}.to_bytes();
        let call = raw.send(&config).await;
        raw.result_of(call).await;
        let id = raw.next_id();
        let good = raw.packet(id, 3, &config);
        for position in [8, 23, 24, good.len() - 1] {
            let mut bad = good.clone();
            bad[position] ^= 1;
            raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
            raw.wire.send(&bad).await;
            assert_eq!(raw.receive().await.unwrap_err(), Gone::Closed);
        }
        raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        let call = raw.send(&config).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn too_long_a_packet_is_refused_before_it_comes() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        let mut stream = TcpStream::connect(server.address(1).unwrap())
            .await
            .unwrap();
        stream.write_all(&[0xee; 4]).await.unwrap();
        stream
            .write_all(&(1_u32 << 22).to_le_bytes())
            .await
            .unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
    })
    .await;
}

#[tokio::test]
async fn connections_are_bounded_and_places_come_back() {
    let limits = Limits {
        connections: 8,
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let address = server.address(1).unwrap();
        let mut held = Vec::new();
        for _ in 0..8 {
            let mut raw = Raw::connect(&server, 1).await;
            let call = raw.send(&f::help::GetConfig {}.to_bytes()).await;
            raw.result_of(call).await;
            held.push(raw);
        }
        for _ in 0..100 {
            let mut extra = TcpStream::connect(address).await.unwrap();
            assert_eq!(
                extra.read(&mut [0; 8]).await.unwrap_or(0),
                0,
                "closed at once"
            );
        }
        held.clear();
        // The places are free as soon as the server has noticed.
        loop {
            let mut wire = Wire::open(address, Way::default()).await;
            wire.send(&[9; 88]).await;
            if wire.receive().await == Err(Gone::Transport(-404)) {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let limits = Limits {
        handshake: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        for begin in [
            &[][..],
            &[0xee; 4],
            &[0xee, 0xee, 0xee, 0xee, 40, 0, 0, 0, 1],
        ] {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(server.address(1).unwrap())
                .await
                .unwrap();
            stream.write_all(begin).await.unwrap();
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
            assert!(begun.elapsed() >= Duration::from_millis(150));
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let limits = Limits {
        stall: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let list = f::help::GetCountriesList {
            lang_code: "en".into(),
            hash: 0,
        }
        .to_bytes();
        // Asks and asks, and never reads.
        for _ in 0..200_000 {
            raw.send(&list).await;
            if !server.sessions().iter().any(|session| session.connected) && raw.seqno() > 10 {
                return;
            }
        }
        panic!("the connection is still open");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_was_silent_for_long_is_answered() {
    let stall = Duration::from_millis(100);
    let limits = Limits {
        stall,
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.hello().await.unwrap();
        // There was nothing to read all the while.
        tokio::time::sleep(3 * stall).await;
        client.hello().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn every_split_of_the_stream_is_the_same_stream() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        for kind in TransportKind::ALL {
            let client = Client::connect(&server, 1).await;
            let way = Way {
                kind,
                obfuscation: None,
            };
            let mut raw = Raw::new(
                Wire::open(server.address(1).unwrap(), way).await,
                &client.key(),
                client.session.salts()[0].salt,
            );
            let id = raw.next_id();
            let seqno = raw.next_seqno();
            let packet = raw.packet(id, seqno, &f::help::GetConfig {}.to_bytes());
            raw.wire.send_in_bytes(&packet).await;
            raw.result_of(id).await;
        }
    })
    .await;
}

#[tokio::test]
async fn shutting_down_closes_every_connection_in_order() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        let address = server.address(1).unwrap();
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&f::help::GetConfig {}.to_bytes()).await;
        raw.result_of(call).await;
        server.shutdown().await;
        assert_eq!(raw.receive().await.unwrap_err(), Gone::Closed);
        assert!(TcpStream::connect(address).await.is_err());
    })
    .await;
}

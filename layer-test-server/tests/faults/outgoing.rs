//! What happens to packets that go out.

use layer_crypto::message::HEADER;
use layer_test_server::Server;
use layer_test_server::tl::{Identifiable, Serializable, functions as f, types};
use tokio::io::AsyncReadExt;

use super::{config, fired, server};
use crate::util::{Gone, PATIENCE, Raw, in_time};

fn int(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(*bytes[at..].first_chunk().unwrap())).unwrap()
}

#[tokio::test]
async fn a_dropped_packet_never_goes() {
    let server = server(&["out packet=2: drop"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.until_pong().await;
        let lost = raw.send(&config()).await;
        let id = server.faults().list()[0].id;
        assert!(server.faults().wait_until_fired(id, 1, PATIENCE).await);
        assert!(!raw.until_pong().await.iter().any(|m| m.answers(lost)));
        assert_eq!(fired(&server), 1);
    })
    .await;
}

#[tokio::test]
async fn a_duplicated_packet_goes_twice_to_the_bit() {
    let server = server(&["out packet=1: duplicate"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(&config()).await;
        let first = raw.wire.receive().await.unwrap();
        assert_eq!(first, raw.wire.receive().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn an_earlier_packet_is_replayed() {
    let server = server(&["out nth=1: replay 2"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let mut packets = Vec::new();
        for _ in 0..3 {
            raw.send(&f::Ping { ping_id: 1 }.to_bytes()).await;
            packets.push(raw.wire.receive().await.unwrap());
        }
        assert_eq!(
            packets[2], packets[0],
            "the first one again, before the third"
        );
        assert_ne!(raw.wire.receive().await.unwrap(), packets[0]);
    })
    .await;
}

#[tokio::test]
async fn packets_are_late_or_change_places() {
    for action in ["delay 300ms", "reorder"] {
        let server = server(&[&format!("out packet=2: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            raw.until_pong().await;
            let first = raw.send(&config()).await;
            // Its answer is on its way before the next is asked for.
            let id = server.faults().list()[0].id;
            assert!(server.faults().wait_until_fired(id, 1, PATIENCE).await);
            let second = raw.send(&f::help::GetNearestDc {}.to_bytes()).await;
            let order = raw.order_of(&[first, second]).await;
            assert_eq!(order, [second, first], "{action}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_packet_names_another_session() {
    let server = server(&["out packet=1: wrong-session"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(&config()).await;
        let plain = raw.receive_plain().await.unwrap().expect("rightly sealed");
        assert_ne!(plain[8..16], raw.session_id.to_le_bytes());
    })
    .await;
}

#[tokio::test]
async fn padding_is_too_short_or_too_long() {
    for (action, expected) in [("short-padding", 0..=11), ("long-padding", 1025..=2048)] {
        let server = server(&[&format!("out: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            for _ in 0..8 {
                raw.send(&config()).await;
                let plain = raw.receive_plain().await.unwrap().expect("rightly sealed");
                let padding = plain.len() - 32 - int(&plain, 28);
                assert!(expected.contains(&padding), "{action}: {padding}");
                assert!(int(&plain, 28).is_multiple_of(4));
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_packet_is_damaged_or_garbage() {
    for (action, length) in [("wrong-msg-key", None), ("garbage 64", Some(64))] {
        let server = server(&[&format!("out packet=1: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            raw.send(&config()).await;
            let id = raw.next_id();
            let ours = raw.packet(id, 0, &[])[..8].to_vec();
            let packet = raw.wire.receive().await.unwrap();
            match length {
                None => assert_eq!(packet[..8], ours[..], "the key is named rightly"),
                Some(length) => assert_eq!(packet.len(), length),
            }
            assert!(packet.len() > HEADER);
            // Only that one.
            raw.until_pong().await;
        })
        .await;
    }
    let server = server(&["out packet=1: wrong-msg-key"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(&config()).await;
        assert_eq!(raw.receive_plain().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_packet_is_cut_at_any_byte() {
    for bytes in [0, 1, 4, 30] {
        let server = server(&[&format!("out packet=2: cut {bytes}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            raw.until_pong().await;
            raw.send(&config()).await;
            let mut came = Vec::new();
            let _ = raw.wire.stream.read_to_end(&mut came).await;
            assert_eq!(came.len(), bytes);
        })
        .await;
    }
}

#[tokio::test]
async fn noise_stands_between_packets() {
    let server = server(&["out packet=2: noise 5"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.until_pong().await;
        raw.send(&f::Ping { ping_id: 1 }.to_bytes()).await;
        let mut came = vec![0; 9];
        raw.wire.stream.read_exact(&mut came).await.unwrap();
        // A pong of 20 bytes in a packet of at least 24 + 32 + 20 + 12.
        let length = int(&came, 5);
        assert!((88..200).contains(&length), "{length}");
    })
    .await;
}

#[tokio::test]
async fn noise_takes_the_place_of_a_packet() {
    let server = server(&["out packet=2: drop, noise 5, cut 9"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.until_pong().await;
        raw.send(&f::Ping { ping_id: 1 }.to_bytes()).await;
        let id = server.faults().list()[0].id;
        assert!(server.faults().wait_until_fired(id, 1, PATIENCE).await);
        raw.send(&f::Ping { ping_id: 2 }.to_bytes()).await;
        let mut came = Vec::new();
        let _ = raw.wire.stream.read_to_end(&mut came).await;
        // The noise, and what is left until the cut of the packet behind it.
        assert_eq!(came.len(), 5 + 9);
    })
    .await;
}

#[tokio::test]
async fn a_packet_comes_one_byte_at_a_time_and_whole() {
    let server = server(&["out packet=2: split"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.until_pong().await;
        let call = raw.send(&config()).await;
        let mut first = [0; 1000];
        let count = raw.wire.stream.read(&mut first).await.unwrap();
        assert!((1..300).contains(&count), "{count}");
        raw.wire.feed(&first[..count]);
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_lost_follows_from_the_seed() {
    /// The pings of 40 that are answered.
    async fn answered(seed: u64) -> Vec<i64> {
        let rule = "in method=ping chance=40%: drop".parse().unwrap();
        let server = Server::builder().fault(rule).fault_seed(seed);
        let server = server.start().await.unwrap();
        let mut raw = Raw::connect(&server, 1).await;
        for ping_id in 0..40 {
            raw.send(&f::Ping { ping_id }.to_bytes()).await;
        }
        let last = raw.send(&config()).await;
        let mut pings = Vec::new();
        loop {
            let messages = raw.receive().await.unwrap();
            let pongs = messages
                .iter()
                .filter(|message| message.id() == types::Pong::CONSTRUCTOR_ID);
            pings.extend(pongs.map(|pong| pong.long(12)));
            if messages.iter().any(|message| message.answers(last)) {
                return pings;
            }
        }
    }
    in_time(async {
        let first = answered(3).await;
        assert!((10..39).contains(&first.len()), "{first:?}");
        assert_eq!(first, answered(3).await);
        assert_ne!(first, answered(4).await);
    })
    .await;
}

#[tokio::test]
async fn the_connection_is_closed_instead() {
    let server = server(&["out packet=1: close"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.send(&config()).await;
        assert_eq!(raw.receive().await.unwrap_err(), Gone::Closed);
    })
    .await;
}

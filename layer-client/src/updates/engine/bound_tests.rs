//! A consumer that does not read: what it costs, and that it loses nothing for it.

use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::sequence::HELD_LIMIT;
use super::tests::packet;
use super::*;
use crate::messages::blank_message;
use crate::peers::PeerKind;
use crate::updates::options::Filter;
use crate::updates::queue::{Item, Open, Queue};
use crate::updates::types::{Update, of_payload};

/// What the queue may hold: its room, and what was under way when it was full.
const MOST: usize = 6 << 20;

/// A server with messages of 4 KB in one private chat and in channels, whose differences bring a hundred at once.
struct Server {
    common: i32,
    channels: Vec<i32>,
}

fn message(id: i32, peer: tl::enums::Peer) -> tl::enums::Message {
    blank_message(id, peer, 0, "x".repeat(4000)).into()
}

impl Server {
    fn update(place: usize, pts: i32) -> tl::enums::Update {
        let pts_count = 1;
        if place == 0 {
            let peer = tl::types::PeerUser { user_id: 7 }.into();
            let message = message(pts, peer);
            return tl::types::UpdateNewMessage {
                message,
                pts,
                pts_count,
            }
            .into();
        }
        let channel_id = i64::try_from(place).unwrap();
        let peer = tl::types::PeerChannel { channel_id }.into();
        let message = message(pts, peer);
        tl::types::UpdateNewChannelMessage {
            message,
            pts,
            pts_count,
        }
        .into()
    }

    fn push(&mut self, place: usize) -> tl::enums::Update {
        let pts = if place == 0 {
            &mut self.common
        } else {
            &mut self.channels[place - 1]
        };
        *pts += 1;
        Self::update(place, *pts)
    }

    fn answer(&self, engine: &mut Engine, request: Request, now: Instant) {
        let part = |place: usize, pts: i32, end: i32| {
            let upto = end.min(pts + 100);
            let updates: Vec<_> = (pts + 1..=upto)
                .map(|pts| Self::update(place, pts))
                .collect();
            (updates, upto, upto == end)
        };
        let peers = Arc::default();
        match request {
            Request::State => unreachable!("the state is known"),
            Request::Difference { pts, .. } => {
                let (updates, pts, last) = part(0, pts, self.common);
                let state = CommonState {
                    pts,
                    qts: 0,
                    seq: 0,
                    date: 1,
                };
                let answer = CommonAnswer::Part {
                    updates,
                    peers,
                    state,
                    last,
                };
                engine.handle_difference(answer, now);
            }
            Request::Channel { id, pts } => {
                let place = usize::try_from(id).unwrap();
                let (updates, pts, last) = part(place, pts, self.channels[place - 1]);
                let answer = ChannelAnswer::Part {
                    updates,
                    peers,
                    pts,
                    last,
                    timeout: None,
                };
                engine.handle_channel_difference(id, answer, now);
            }
        }
    }
}

fn pump(engine: &mut Engine, queue: &mut Queue) {
    while let Some(delivery) = engine.poll_delivery() {
        let item = Item {
            update: of_payload(delivery.payload, &delivery.peers, None),
            mark: delivery.mark,
            cost: delivery.cost,
        };
        queue.push(item, &[1]);
    }
    engine.set_paused(queue.is_full());
    let (_, bytes) = queue.load();
    let held = engine.outlet.held;
    assert!(bytes <= MOST && held <= HELD_LIMIT, "{bytes}, {held}");
}

#[test]
fn a_consumer_that_does_not_read_costs_a_fixed_number_of_bytes_and_then_gets_everything() {
    let mut now = Instant::now();
    let state = CommonState {
        pts: 1,
        qts: 0,
        seq: 0,
        date: 1,
    };
    let mut engine = Engine::new(Some(state), (1..=20).map(|id| (id, 1)), now);
    let mut queue = Queue::default();
    let reader = queue.join(Filter::default());
    let mut server = Server {
        common: 1,
        channels: vec![1; 20],
    };
    let typing = || {
        let action = tl::types::SendMessageTypingAction {}.into();
        tl::types::UpdateUserTyping {
            user_id: 1,
            top_msg_id: None,
            action,
        }
        .into()
    };
    let mut most = 0;
    for n in 0..100_000_usize {
        // Some are lost, so that there are holes everywhere; the last are not.
        let update = server.push(n % 21);
        if n % 11 != 0 || n > 99_900 {
            engine.handle_packet(packet(vec![update]), &|_| true, now);
        }
        if n % 3 == 0 {
            engine.handle_packet(packet(vec![typing()]), &|_| true, now);
        }
        now += Duration::from_millis(1);
        engine.handle_timeout(now);
        pump(&mut engine, &mut queue);
        while let Some(request) = engine.poll_request() {
            server.answer(&mut engine, request, now);
            pump(&mut engine, &mut queue);
        }
        most = most.max(queue.load().1);
    }
    eprintln!("at most {most} bytes in the queue");
    // It reads after all.
    let mut given = [1; 21];
    let mut idle = 0;
    while idle < 200 {
        now += Duration::from_millis(10);
        engine.handle_timeout(now);
        while let Some(request) = engine.poll_request() {
            server.answer(&mut engine, request, now);
            pump(&mut engine, &mut queue);
        }
        queue.handled(reader);
        queue.collect_marks();
        let Some((number, update)) = queue.take(reader) else {
            pump(&mut engine, &mut queue);
            idle += 1;
            continue;
        };
        idle = 0;
        queue.give(reader, &number.into_iter().collect::<Vec<_>>(), Open::Given);
        pump(&mut engine, &mut queue);
        let Update::NewMessage(message) = update else {
            continue;
        };
        let place = match message.peer_id().map(|peer| (peer.kind(), peer.id())) {
            Some((PeerKind::Channel, id)) => usize::try_from(id).unwrap(),
            _ => 0,
        };
        given[place] += 1;
        assert_eq!(message.id(), given[place], "in place {place}");
    }
    assert_eq!(given[0], server.common);
    assert_eq!(given[1..], server.channels);
}

//! The rules of "Working with Updates", one test each, with a made-up clock.

use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::*;
use crate::messages::blank_message;

/// An engine, a clock, and what was delivered: message ids, or a word for what is no message.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: Instant,
}

pub(super) fn user_message(id: i32) -> tl::enums::Message {
    let peer = tl::types::PeerUser { user_id: 7 }.into();
    blank_message(id, peer, 0, String::new()).into()
}

pub(super) fn channel_message(channel_id: i64, id: i32) -> tl::enums::Message {
    let peer = tl::types::PeerChannel { channel_id }.into();
    blank_message(id, peer, 0, String::new()).into()
}

pub(super) fn new(id: i32, pts: i32, pts_count: i32) -> tl::enums::Update {
    let message = user_message(id);
    tl::types::UpdateNewMessage {
        message,
        pts,
        pts_count,
    }
    .into()
}

pub(super) fn new_in(channel: i64, id: i32, pts: i32, pts_count: i32) -> tl::enums::Update {
    let message = channel_message(channel, id);
    tl::types::UpdateNewChannelMessage {
        message,
        pts,
        pts_count,
    }
    .into()
}

pub(super) fn secret(id: i64, qts: i32) -> tl::enums::Update {
    tl::types::UpdateBotStopped {
        user_id: id,
        date: 0,
        stopped: true,
        qts,
    }
    .into()
}

pub(super) fn phone(id: i64) -> tl::enums::Update {
    tl::types::UpdateUserPhone {
        user_id: id,
        phone: String::new(),
    }
    .into()
}

pub(super) fn packet(updates: Vec<tl::enums::Update>) -> Packet {
    Packet {
        updates,
        ..Packet::default()
    }
}

/// What a delivery shows, for comparing.
pub(super) fn label(payload: &Payload) -> Option<String> {
    use tl::enums::Update as U;
    Some(match payload {
        Payload::Nothing => return None,
        Payload::Malformed => "malformed".to_owned(),
        Payload::Missed(key) => format!("missed {key:?}"),
        Payload::Update(U::NewMessage(u)) => u.message_id().to_string(),
        Payload::Update(U::NewChannelMessage(u)) => {
            let channel = channel_of_message(&u.message).unwrap();
            format!("{channel}/{}", u.message_id())
        }
        Payload::Update(U::BotStopped(u)) => format!("q{}", u.user_id),
        Payload::Update(U::UserPhone(u)) => format!("s{}", u.user_id),
        Payload::Update(U::UserTyping(_)) => "typing".to_owned(),
        Payload::Update(other) => format!("{other:?}"),
    })
}

pub(super) trait MessageId {
    fn message_id(&self) -> i32;
}

impl MessageId for tl::types::UpdateNewMessage {
    fn message_id(&self) -> i32 {
        id_of(&self.message)
    }
}

impl MessageId for tl::types::UpdateNewChannelMessage {
    fn message_id(&self) -> i32 {
        id_of(&self.message)
    }
}

fn id_of(message: &tl::enums::Message) -> i32 {
    match message {
        tl::enums::Message::Message(m) => m.id,
        tl::enums::Message::Service(m) => m.id,
        tl::enums::Message::Empty(m) => m.id,
    }
}

impl Bench {
    pub(super) fn at(pts: i32, qts: i32, seq: i32) -> Self {
        let now = Instant::now();
        let state = CommonState {
            pts,
            qts,
            seq,
            date: 100,
        };
        let mut engine = Engine::new(Some(state), [(5, 10)], now);
        // The difference that every start takes.
        assert!(matches!(
            engine.poll_request(),
            Some(Request::Difference { .. })
        ));
        engine.handle_difference(CommonAnswer::Empty { date: 100, seq }, now);
        let mut bench = Self { engine, now };
        assert_eq!(bench.delivered(), [""; 0]);
        bench
    }

    pub(super) fn push(&mut self, updates: Vec<tl::enums::Update>) {
        self.engine
            .handle_packet(packet(updates), &|_| true, self.now);
    }

    pub(super) fn push_seq(&mut self, updates: Vec<tl::enums::Update>, start: i32, end: i32) {
        let mut packet = packet(updates);
        packet.seq = Some(packet::Seq { start, end });
        self.engine.handle_packet(packet, &|_| true, self.now);
    }

    pub(super) fn delivered(&mut self) -> Vec<String> {
        let mut labels = Vec::new();
        while let Some(delivery) = self.engine.poll_delivery() {
            labels.extend(label(&delivery.payload));
        }
        labels
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.engine.handle_timeout(self.now);
    }

    pub(super) fn answer(&mut self, updates: Vec<tl::enums::Update>, pts: i32, qts: i32, seq: i32) {
        let state = CommonState {
            pts,
            qts,
            seq,
            date: 100,
        };
        let peers = Arc::default();
        let answer = CommonAnswer::Part {
            updates,
            peers,
            state,
            last: true,
        };
        self.engine.handle_difference(answer, self.now);
    }

    pub(super) fn answer_channel(
        &mut self,
        id: i64,
        updates: Vec<tl::enums::Update>,
        pts: i32,
        last: bool,
    ) {
        let peers = Arc::default();
        let answer = ChannelAnswer::Part {
            updates,
            peers,
            pts,
            last,
            timeout: None,
        };
        self.engine.handle_channel_difference(id, answer, self.now);
    }
}

pub(super) const GAP: Duration = Duration::from_millis(500);

#[test]
fn the_next_update_is_applied_and_an_old_one_is_dropped() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(1, 11, 1)]);
    bench.push(vec![new(1, 11, 1)]);
    bench.push(vec![new(2, 13, 2)]);
    bench.push(vec![new(9, 12, 1)]);
    assert_eq!(bench.delivered(), ["1", "2"]);
    bench.wait(GAP);
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn updates_out_of_order_are_delivered_in_order_without_a_request() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(3, 13, 1)]);
    bench.push(vec![new(2, 12, 1)]);
    assert_eq!(bench.delivered(), [""; 0]);
    bench.push(vec![new(1, 11, 1)]);
    assert_eq!(bench.delivered(), ["1", "2", "3"]);
    bench.wait(GAP);
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn a_gap_waits_half_a_second_and_then_takes_a_difference() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(2, 12, 1)]);
    bench.wait(GAP - Duration::from_millis(1));
    assert_eq!(bench.engine.poll_request(), None);
    bench.wait(Duration::from_millis(1));
    let wanted = Request::Difference {
        pts: 10,
        qts: 0,
        date: 100,
    };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
    assert_eq!(bench.engine.poll_request(), None);
    bench.answer(vec![new(1, 0, 0), new(2, 0, 0)], 12, 0, 0);
    assert_eq!(bench.delivered(), ["1", "2"]);
}

#[test]
fn a_trickle_does_not_put_the_deadline_off() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(2, 12, 1)]);
    let deadline = bench.engine.poll_timeout();
    for id in 3..9 {
        bench.wait(Duration::from_millis(80));
        bench.push(vec![new(id, 10 + id, 1)]);
        assert_eq!(bench.engine.poll_timeout(), deadline);
    }
    bench.wait(Duration::from_millis(80));
    assert!(bench.engine.poll_request().is_some());
}

#[test]
fn live_updates_that_overlap_a_difference_are_delivered_once() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.push(vec![new(1, 11, 1)]);
    bench.push(vec![new(2, 12, 1), new(3, 13, 1)]);
    assert_eq!(bench.delivered(), [""; 0]);
    bench.answer(vec![new(1, 0, 0), new(2, 0, 0)], 12, 0, 0);
    assert_eq!(bench.delivered(), ["1", "2", "3"]);
}

#[test]
fn slices_are_asked_for_until_the_last() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    let state = CommonState {
        pts: 11,
        ..CommonState::default()
    };
    let answer = CommonAnswer::Part {
        updates: vec![new(1, 0, 0)],
        peers: Arc::default(),
        state,
        last: false,
    };
    bench.engine.handle_difference(answer, bench.now);
    let wanted = Request::Difference {
        pts: 11,
        qts: 0,
        date: 100,
    };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
    bench.answer(vec![new(2, 0, 0)], 12, 0, 0);
    assert_eq!(bench.engine.poll_request(), None);
    assert_eq!(bench.delivered(), ["1", "2"]);
}

#[test]
fn a_slice_without_progress_is_not_asked_for_at_full_speed() {
    for (updates, pts) in [(vec![], 10), (vec![], 9), (vec![new(1, 0, 0)], 10)] {
        let mut bench = Bench::at(10, 0, 0);
        bench.engine.handle_lost();
        let mut asked = 0;
        for _ in 0..100 {
            while bench.engine.poll_request().is_some() {
                asked += 1;
                assert!(asked < 1000, "at full speed");
                let state = CommonState {
                    pts,
                    ..CommonState::default()
                };
                let answer = CommonAnswer::Part {
                    updates: updates.clone(),
                    peers: Arc::default(),
                    state,
                    last: false,
                };
                bench.engine.handle_difference(answer, bench.now);
            }
            bench.wait(Duration::from_millis(100));
        }
        assert!(asked <= 6, "{asked} times in 10 seconds");
    }
}

#[test]
fn a_difference_that_is_too_long_tells_the_user_and_goes_on_from_there() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench
        .engine
        .handle_difference(CommonAnswer::TooLong { pts: 5000 }, bench.now);
    assert_eq!(bench.delivered(), ["missed Common"]);
    let wanted = Request::Difference {
        pts: 5000,
        qts: 0,
        date: 100,
    };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
}

#[test]
fn updates_too_long_takes_a_difference_at_once() {
    let mut bench = Bench::at(10, 0, 0);
    let too_long = Packet::new(tl::enums::Updates::TooLong, 1);
    bench.engine.handle_packet(too_long, &|_| true, bench.now);
    assert!(bench.engine.poll_request().is_some());
}

#[test]
fn qts_has_its_own_order_and_zero_resets_nothing() {
    for qts in [20, 2_000_000] {
        let mut bench = Bench::at(10, qts, 0);
        bench.push(vec![secret(2, qts + 2)]);
        bench.push(vec![secret(1, qts + 1), secret(9, 0)]);
        assert_eq!(bench.delivered(), ["q1", "q2", "q9"]);
        bench.engine.handle_lost();
        assert!(bench.engine.poll_request().is_some());
        bench.answer(vec![new(1, 0, 0)], 11, 0, 0);
        bench.push(vec![secret(3, qts + 3)]);
        assert_eq!(bench.delivered(), ["1", "q3"]);
    }
}

#[test]
fn seq_orders_what_has_no_number_of_its_own() {
    let mut bench = Bench::at(10, 0, 5);
    bench.push_seq(vec![phone(1)], 6, 6);
    bench.push_seq(vec![phone(1)], 6, 6);
    bench.push_seq(vec![phone(3), new(1, 11, 1)], 8, 8);
    assert_eq!(bench.delivered(), ["s1", "1"]);
    bench.push_seq(vec![phone(2)], 7, 7);
    bench.push_seq(vec![phone(0)], 0, 0);
    assert_eq!(bench.delivered(), ["s2", "s3", "s0"]);
}

#[test]
fn a_gap_in_seq_takes_a_difference() {
    let mut bench = Bench::at(10, 0, 5);
    bench.push_seq(vec![phone(1)], 7, 8);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![phone(0), phone(1)], 10, 0, 8);
    assert_eq!(bench.delivered(), ["s0", "s1"]);
}

#[test]
fn the_first_update_of_a_channel_never_seen_is_delivered() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(77, 1, 4000, 1)]);
    bench.push(vec![new_in(77, 2, 4001, 1)]);
    assert_eq!(bench.delivered(), ["77/1", "77/2"]);
}

#[test]
fn the_cursor_knows_a_channel_before_its_first_update_is_handled() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(77, 1, 4000, 1)]);
    let marks: Vec<Mark> = std::iter::from_fn(|| bench.engine.poll_delivery())
        .map(|delivery| delivery.mark)
        .collect();
    let at = |pts| Mark::Channel { id: 77, pts };
    assert_eq!(marks, [at(3999), at(4000)]);
}

#[test]
fn the_date_waits_for_the_channels_that_a_difference_named() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    let named = tl::types::UpdateChannelTooLong {
        channel_id: 5,
        pts: Some(12),
    };
    let state = CommonState {
        pts: 10,
        qts: 0,
        seq: 0,
        date: 200,
    };
    let answer = CommonAnswer::Part {
        updates: vec![named.into()],
        peers: Arc::default(),
        state,
        last: true,
    };
    bench.engine.handle_difference(answer, bench.now);
    assert!(bench.engine.poll_request().is_some());
    let dates = |engine: &mut Engine| -> Vec<i32> {
        let marks = std::iter::from_fn(|| engine.poll_delivery()).map(|delivery| delivery.mark);
        marks
            .filter_map(|mark| match mark {
                Mark::Common { date, .. } | Mark::Date(date) => Some(date),
                _ => None,
            })
            .collect()
    };
    assert_eq!(dates(&mut bench.engine), [100]);
    bench.answer_channel(5, vec![new_in(5, 1, 0, 0), new_in(5, 2, 0, 0)], 12, true);
    assert_eq!(dates(&mut bench.engine), [200]);
}

#[test]
fn each_channel_has_its_own_gap() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![
        new_in(5, 2, 12, 1),
        new_in(6, 1, 50, 1),
        new(1, 11, 1),
    ]);
    assert_eq!(bench.delivered(), ["6/1", "1"]);
    bench.wait(GAP);
    assert_eq!(
        bench.engine.poll_request(),
        Some(Request::Channel { id: 5, pts: 10 })
    );
    bench.push(vec![new_in(5, 3, 13, 1)]);
    bench.answer_channel(5, vec![new_in(5, 1, 0, 0), new_in(5, 2, 0, 0)], 12, true);
    assert_eq!(bench.delivered(), ["5/1", "5/2", "5/3"]);
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn a_channel_difference_that_is_not_final_goes_on() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_packet(
        packet(vec![
            tl::types::UpdateChannelTooLong {
                channel_id: 5,
                pts: None,
            }
            .into(),
        ]),
        &|_| true,
        bench.now,
    );
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(5, vec![new_in(5, 1, 0, 0)], 11, false);
    assert_eq!(
        bench.engine.poll_request(),
        Some(Request::Channel { id: 5, pts: 11 })
    );
}

#[test]
fn a_channel_difference_that_is_too_long_tells_which_channel() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(5, 9, 900, 1)]);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    let answer = ChannelAnswer::TooLong {
        pts: Some(899),
        peers: Arc::default(),
        last: true,
        timeout: None,
    };
    bench.engine.handle_channel_difference(5, answer, bench.now);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/9"]);
}

#[test]
fn an_open_channel_is_polled_after_its_timeout_and_others_are_not() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_opened(5, true);
    assert!(bench.engine.poll_request().is_some());
    let empty = |timeout| ChannelAnswer::Empty {
        pts: 10,
        last: true,
        timeout,
    };
    bench
        .engine
        .handle_channel_difference(5, empty(Some(30)), bench.now);
    bench.wait(Duration::from_millis(29_999));
    assert_eq!(bench.engine.poll_request(), None);
    bench.wait(Duration::from_millis(1));
    assert!(bench.engine.poll_request().is_some());
    bench.engine.set_opened(5, false);
    bench
        .engine
        .handle_channel_difference(5, empty(Some(30)), bench.now);
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn only_some_channel_differences_run_at_once() {
    let mut bench = Bench::at(10, 0, 0);
    for id in 100..120 {
        bench.push(vec![new_in(id, 1, 10, 1), new_in(id, 3, 12, 1)]);
    }
    bench.delivered();
    bench.wait(GAP);
    let mut running = Vec::new();
    while let Some(Request::Channel { id, .. }) = bench.engine.poll_request() {
        running.push(id);
    }
    assert_eq!(running.len(), channels::CHANNELS_AT_ONCE);
    bench.answer_channel(running[0], vec![new_in(running[0], 2, 0, 0)], 11, true);
    assert!(bench.engine.poll_request().is_some());
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn fifteen_minutes_of_silence_take_a_difference() {
    let mut bench = Bench::at(10, 0, 0);
    bench.wait(Duration::from_secs(14 * 60));
    bench.push(vec![new(1, 11, 1)]);
    bench.wait(Duration::from_secs(14 * 60));
    assert_eq!(bench.engine.poll_request(), None);
    bench.wait(Duration::from_secs(60));
    assert!(bench.engine.poll_request().is_some());
}

#[test]
fn a_short_message_from_a_stranger_takes_a_difference_instead() {
    let mut bench = Bench::at(10, 0, 0);
    let short = |pts| {
        let short = tl::types::UpdateShortMessage {
            out: false,
            mentioned: false,
            media_unread: false,
            silent: false,
            id: 1,
            user_id: 7,
            message: "hello".into(),
            pts,
            pts_count: 1,
            date: 0,
            fwd_from: None,
            via_bot_id: None,
            reply_to: None,
            entities: None,
            ttl_period: None,
        };
        Packet::new(short.into(), 1)
    };
    let stranger = |_| false;
    bench.engine.handle_packet(short(11), &stranger, bench.now);
    assert_eq!(bench.delivered(), [""; 0]);
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![new(1, 0, 0)], 11, 0, 0);
    assert_eq!(bench.delivered(), ["1"]);
    let friend = |id| id == PeerId::user(7);
    bench.engine.handle_packet(short(12), &friend, bench.now);
    assert_eq!(bench.delivered(), ["1"]);
}

#[test]
fn results_of_own_calls_advance_the_state() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_own(Key::Common, 12, 2, bench.now);
    bench.push(vec![new(1, 13, 1)]);
    bench.engine.handle_own(Key::Channel(5), 11, 1, bench.now);
    bench.push(vec![new_in(5, 1, 12, 1)]);
    let sent = Packet {
        own: Some((14, 1)),
        ..Packet::default()
    };
    bench.engine.handle_packet(sent, &|_| true, bench.now);
    bench.push(vec![new(2, 15, 1)]);
    assert_eq!(bench.delivered(), ["1", "5/1", "2"]);
    bench.wait(GAP);
    assert_eq!(bench.engine.poll_request(), None);
}

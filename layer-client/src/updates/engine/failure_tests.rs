//! What the engine does when things go wrong: refusals, failures, nonsense, a consumer that does
//! not keep up.

use std::time::{Duration, Instant};

use super::tests::{Bench, GAP, new, new_in, phone, secret};
use super::*;

#[test]
fn a_private_channel_ends_its_entry_and_stops_nothing_else() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(5, 2, 12, 1)]);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench
        .engine
        .handle_channel_failed(5, Failure::Gone, bench.now);
    bench.push(vec![new(1, 11, 1)]);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/2", "1"]);
    bench.push(vec![new_in(5, 7, 99, 1)]);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/7"]);
}

#[test]
fn a_timestamp_that_the_server_refuses_is_reset() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.engine.handle_common_failed(Failure::Reset, bench.now);
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    let state = CommonState {
        pts: 3,
        qts: 0,
        seq: 0,
        date: 100,
    };
    bench.engine.handle_state(state, bench.now);
    bench.push(vec![new(4, 4, 1)]);
    assert_eq!(bench.delivered(), ["missed Common", "4"]);
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![], 4, 0, 0);

    bench.push(vec![new_in(5, 2, 12, 1)]);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench
        .engine
        .handle_channel_failed(5, Failure::Reset, bench.now);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/2"]);
}

#[test]
fn failures_are_tried_again_with_growing_pauses() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    let mut asked = 0;
    for _ in 0..600 {
        while bench.engine.poll_request().is_some() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench
                .engine
                .handle_common_failed(Failure::Temporary, bench.now);
        }
        bench.push(vec![new(1, 99, 1)]);
        bench.wait(Duration::from_millis(100));
    }
    assert!((5..=8).contains(&asked), "{asked} times in a minute");
}

#[test]
fn malformed_updates_take_a_difference_and_tell_once() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_malformed();
    bench.engine.handle_malformed();
    assert_eq!(bench.delivered(), ["malformed"]);
    assert!(bench.engine.poll_request().is_some());
    bench.engine.handle_malformed();
    assert_eq!(bench.delivered(), [""; 0]);
}

#[test]
fn a_hole_that_no_difference_fills_does_not_hold_up_for_ever() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(2, 12, 1)]);
    let mut asked = 0;
    for _ in 0..600 {
        bench.wait(Duration::from_millis(100));
        while bench.engine.poll_request().is_some() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            let empty = CommonAnswer::Empty { date: 0, seq: 0 };
            bench.engine.handle_difference(empty, bench.now);
        }
    }
    assert_eq!(bench.delivered(), ["missed Common", "2"]);
    assert!(asked <= 7, "{asked} times in a minute");
}

#[test]
fn while_the_consumer_has_no_room_nothing_is_taken_and_then_differences_fill_the_hole() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_paused(true);
    bench.push(vec![
        new(1, 11, 1),
        new_in(5, 1, 11, 1),
        new_in(8, 1, 70, 1),
    ]);
    bench.push(vec![new(2, 12, 1)]);
    bench.wait(Duration::from_secs(2));
    assert_eq!(bench.delivered(), [""; 0]);
    assert_eq!(bench.engine.poll_request(), None);
    bench.engine.set_paused(false);
    let mut wanted = Vec::new();
    while let Some(request) = bench.engine.poll_request() {
        wanted.push(request);
    }
    assert_eq!(
        wanted,
        [
            Request::Difference {
                pts: 10,
                qts: 0,
                date: 100
            },
            Request::Channel { id: 5, pts: 10 },
            Request::Channel { id: 8, pts: 69 },
        ]
    );
}

#[test]
fn a_fresh_account_begins_with_the_state_and_keeps_what_was_pushed_meanwhile() {
    let now = Instant::now();
    let engine = Engine::new(None, [], now);
    let mut bench = Bench { engine, now };
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    bench.push(vec![new(2, 2, 1)]);
    assert_eq!(bench.delivered(), [""; 0]);
    let state = CommonState {
        pts: 2,
        qts: 0,
        seq: 0,
        date: 100,
    };
    bench.engine.handle_state(state, now);
    bench.push(vec![new(2, 2, 1), new(3, 3, 1)]);
    assert_eq!(bench.delivered(), ["2", "3"]);
}

#[test]
fn hostile_numbers_do_no_harm() {
    let numbers = [i32::MIN, -1, 0, 1, 10, 11, i32::MAX];
    let mut bench = Bench::at(10, 20, 5);
    for pts in numbers {
        for count in numbers {
            bench.push(vec![new(1, pts, count), new_in(5, 1, pts, count)]);
            bench.push(vec![new_in(i64::from(pts), 1, pts, count), secret(1, pts)]);
            bench.push_seq(vec![phone(1)], pts, count);
            bench.engine.handle_own(Key::Common, pts, count, bench.now);
            bench.wait(GAP);
            while let Some(request) = bench.engine.poll_request() {
                match request {
                    Request::Channel { id, .. } => bench.answer_channel(id, vec![], count, false),
                    Request::Difference { .. } => bench.answer(vec![], pts, count, count),
                    Request::State => {}
                }
            }
        }
    }
    bench.delivered();
}

#[test]
fn a_hole_in_one_counter_is_given_up_while_another_moves_on() {
    let mut bench = Bench::at(10, 20, 0);
    bench.push(vec![secret(2, 22)]);
    let (mut asked, mut pts) = (0, 10);
    let mut shown = Vec::new();
    for _ in 0..1200 {
        pts += 1;
        bench.push(vec![new(pts, pts, 1)]);
        bench.wait(Duration::from_millis(100));
        while bench.engine.poll_request().is_some() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench.answer(vec![], pts, 20, 0);
        }
        shown.extend(bench.delivered());
    }
    assert!(asked <= 7, "{asked} times in two minutes");
    assert_eq!(shown.iter().filter(|shown| *shown == "q2").count(), 1);
    assert!(shown.contains(&"missed Common".to_owned()));
}

#[test]
fn a_channels_failures_are_tried_again_with_growing_pauses_whatever_is_pushed() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(5, 2, 12, 1)]);
    let mut asked = 0;
    for n in 0..600 {
        bench.wait(Duration::from_millis(100));
        bench.push(vec![new_in(5, n, 13 + n, 1)]);
        while let Some(Request::Channel { .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench
                .engine
                .handle_channel_failed(5, Failure::Temporary, bench.now);
        }
    }
    assert!((5..=8).contains(&asked), "{asked} times in a minute");
}

#[test]
fn a_difference_that_stays_too_long_is_not_asked_for_at_full_speed() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    let mut asked = 0;
    for _ in 0..600 {
        while let Some(Request::Difference { pts, .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            let answer = CommonAnswer::TooLong { pts: pts + 1000 };
            bench.engine.handle_difference(answer, bench.now);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((2..=9).contains(&asked), "{asked} times in a minute");
}

#[test]
fn what_cannot_be_read_is_told_once_for_each_difference_that_mends_it() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.engine.handle_malformed();
    assert_eq!(bench.delivered(), ["malformed"]);
    bench.engine.handle_malformed();
    assert_eq!(bench.delivered(), [""; 0]);
    bench.answer(vec![], 10, 0, 0);
    // What was lost while it ran, it may not have covered.
    bench.wait(Duration::from_secs(1));
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![], 10, 0, 0);
    bench.engine.handle_malformed();
    assert_eq!(bench.delivered(), ["malformed"]);
}

#[test]
fn what_is_pushed_beyond_the_first_state_waits_for_what_comes_before_it() {
    let now = Instant::now();
    let engine = Engine::new(None, [], now);
    let mut bench = Bench { engine, now };
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    bench.push(vec![new(10, 10, 1), new(12, 12, 1), new(99, i32::MAX, 1)]);
    let state = CommonState {
        pts: 10,
        qts: 0,
        seq: 0,
        date: 100,
    };
    bench.engine.handle_state(state, now);
    assert_eq!(bench.delivered(), ["10"]);
    bench.push(vec![new(11, 11, 1)]);
    assert_eq!(bench.delivered(), ["11", "12"]);
}

#[test]
fn a_fresh_account_without_any_state_is_asked_for_from_one_on() {
    let now = Instant::now();
    let engine = Engine::new(None, [], now);
    let mut bench = Bench { engine, now };
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    bench.engine.handle_state(CommonState::default(), now);
    bench.engine.handle_lost();
    assert!(matches!(
        bench.engine.poll_request(),
        Some(Request::Difference { pts: 1, .. })
    ));
    let empty = CommonAnswer::Empty { date: 1, seq: 0 };
    bench.engine.handle_difference(empty, now);
    bench.push(vec![new(1, 1, 1), new(2, 2, 1)]);
    assert_eq!(bench.delivered(), ["1", "2"]);
}

#[test]
fn a_clock_that_jumps_ahead_or_a_little_back_does_no_harm() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new(2, 12, 1), new_in(5, 2, 12, 1)]);
    bench.now -= Duration::from_millis(20);
    bench.wait(Duration::ZERO);
    bench.wait(Duration::ZERO);
    assert_eq!(bench.engine.poll_request(), None);
    // A laptop that slept for a month.
    bench.wait(Duration::from_secs(30 * 24 * 3600));
    let mut asked = 0;
    while let Some(request) = bench.engine.poll_request() {
        asked += 1;
        assert!(asked < 1000, "at full speed");
        match request {
            Request::Channel { id, .. } => {
                bench.answer_channel(id, vec![new_in(5, 1, 0, 0), new_in(5, 2, 0, 0)], 12, true);
            }
            _ => bench.answer(vec![new(1, 0, 0), new(2, 0, 0)], 12, 0, 0),
        }
    }
    assert_eq!(asked, 2);
    assert_eq!(bench.delivered(), ["1", "2", "5/1", "5/2"]);
    assert!(bench.engine.poll_timeout() > Some(bench.now + Duration::from_secs(800)));
}

fn state(pts: i32, date: i32) -> CommonState {
    CommonState {
        pts,
        qts: 0,
        seq: 0,
        date,
    }
}

#[test]
fn after_a_reset_a_difference_from_the_old_date_names_the_channels() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.engine.handle_common_failed(Failure::Reset, bench.now);
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    bench.engine.handle_state(state(50, 900), bench.now);
    let wanted = Request::Difference {
        pts: 50,
        qts: 0,
        date: 100,
    };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
}

#[test]
fn a_server_that_refuses_every_state_is_not_asked_at_full_speed() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    let mut asked = 0;
    for _ in 0..600 {
        while let Some(request) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            match request {
                Request::State => bench.engine.handle_state(state(50, 900), bench.now),
                _ => bench.engine.handle_common_failed(Failure::Reset, bench.now),
            }
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((4..=16).contains(&asked), "{asked} times in a minute");
}

#[test]
fn channels_met_before_the_first_state_are_asked_for_when_it_comes() {
    let now = Instant::now();
    let engine = Engine::new(None, [(6, 20)], now);
    let mut bench = Bench { engine, now };
    assert_eq!(bench.engine.poll_request(), Some(Request::State));
    bench.push(vec![new_in(5, 1, 11, 1)]);
    bench.engine.handle_state(state(2, 900), now);
    let mut asked: Vec<_> = std::iter::from_fn(|| bench.engine.poll_request()).collect();
    asked.sort_by_key(|request| format!("{request:?}"));
    let wanted = [(5, 11), (6, 20)].map(|(id, pts)| Request::Channel { id, pts });
    assert_eq!(asked, wanted);
}

#[test]
fn while_the_consumer_has_no_room_the_date_stays() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.engine.set_paused(true);
    let named = tl::types::UpdateChannelTooLong {
        channel_id: 77,
        pts: Some(12),
    };
    let answer = CommonAnswer::Part {
        updates: vec![named.into()],
        peers: Arc::default(),
        state: state(10, 900),
        last: true,
    };
    bench.engine.handle_difference(answer, bench.now);
    bench.engine.set_paused(false);
    // It is named again.
    let wanted = Request::Difference {
        pts: 10,
        qts: 0,
        date: 100,
    };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
}

#[test]
fn too_long_a_difference_of_a_replica_that_lags_takes_the_cursor_nowhere_back() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    let answer = CommonAnswer::TooLong { pts: 8 };
    bench.engine.handle_difference(answer, bench.now);
    let missed = bench.engine.poll_delivery().unwrap();
    assert_eq!(missed.mark, Mark::Pts(10));
}

#[test]
fn what_was_turned_away_is_asked_for_until_a_replica_has_it() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_paused(true);
    bench.push(vec![new(1, 11, 1), new(2, 12, 1)]);
    bench.engine.set_paused(false);
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![new(1, 0, 0)], 11, 0, 0);
    assert_eq!(bench.delivered(), ["1"]);
    bench.wait(Duration::from_secs(2));
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![new(2, 0, 0)], 12, 0, 0);
    assert_eq!(bench.delivered(), ["2"]);
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn news_spoken_of_are_asked_for_again_where_a_difference_is_empty_and_not_for_ever() {
    let mut bench = Bench::at(10, 0, 0);
    let too_long = Packet {
        too_long: true,
        ..Packet::default()
    };
    bench.engine.handle_packet(too_long, &|_| true, bench.now);
    let mut asked = 0;
    for _ in 0..1200 {
        while bench.engine.poll_request().is_some() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            let empty = CommonAnswer::Empty { date: 9, seq: 0 };
            bench.engine.handle_difference(empty, bench.now);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((4..=7).contains(&asked), "{asked} times in two minutes");
    assert!(bench.delivered().is_empty());
}

//! What becomes of channels: left, forgotten, named from afar, and what they cost.

use std::time::Duration;

use layer_tl_types as tl;

use super::channels::{CHANNEL_LIMIT, CHANNEL_ROOM, Channel};
use super::sequence::HELD_LIMIT;
use super::tests::{Bench, GAP, new, new_in, packet};
use super::*;

fn too_long(channel_id: i64, pts: Option<i32>) -> tl::enums::Update {
    tl::types::UpdateChannelTooLong { channel_id, pts }.into()
}

fn read(channel_id: i64, pts: i32) -> tl::enums::Update {
    tl::types::UpdateReadChannelInbox {
        folder_id: None,
        channel_id,
        max_id: pts,
        still_unread_count: 0,
        pts,
    }
    .into()
}

impl Bench {
    fn marks(&mut self) -> Vec<Mark> {
        std::iter::from_fn(|| self.engine.poll_delivery())
            .map(|delivery| delivery.mark)
            .collect()
    }

    fn fail_channel(&mut self, id: i64, failure: Failure) {
        self.engine.handle_channel_failed(id, failure, self.now);
    }
}

#[test]
fn a_read_without_a_count_names_a_state_that_must_have_been_reached() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![read(5, 10)]);
    assert_eq!(bench.delivered().len(), 1);
    bench.push(vec![read(5, 12)]);
    assert_eq!(bench.delivered(), [""; 0]);
    bench.push(vec![new_in(5, 1, 11, 1), new_in(5, 2, 12, 1)]);
    let delivered = bench.delivered();
    assert_eq!(delivered[..2], ["5/1", "5/2"]);
    assert_eq!(delivered.len(), 3);
    bench.push(vec![read(5, 11)]);
    assert_eq!(bench.delivered(), [""; 0]);
}

#[test]
fn a_channel_that_one_left_and_joined_again_goes_on_and_tells_that_something_came_between() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(5, 1, 11, 1)]);
    bench.push(vec![too_long(5, Some(13))]);
    assert!(bench.engine.poll_request().is_some());
    bench.fail_channel(5, Failure::Gone);
    assert_eq!(bench.delivered(), ["5/1", "missed Channel(5)"]);
    // A copy of the past that comes late, and then the first after joining again.
    bench.push(vec![new_in(5, 1, 11, 1)]);
    assert_eq!(bench.delivered(), [""; 0]);
    bench.push(vec![new_in(5, 40, 50, 1), new_in(5, 41, 51, 1)]);
    let at = |pts| Mark::Channel { id: 5, pts };
    // The first of these says that something came between.
    assert_eq!(bench.marks(), [at(49), at(50), at(51)]);
    bench.wait(GAP);
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn a_channel_that_is_gone_is_said_to_be_missing_only_what_we_knew_to_be_missing() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_opened(5, true);
    assert!(bench.engine.poll_request().is_some());
    bench.push(vec![new_in(5, 1, 11, 1)]);
    bench.fail_channel(5, Failure::Gone);
    assert_eq!(bench.delivered(), ["5/1"]);
    bench.push(vec![new_in(5, 9, 20, 1), new_in(5, 11, 22, 1)]);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.fail_channel(5, Failure::Gone);
    let shown = [
        // What came between, and what no difference will bring any more.
        "missed Channel(5)",
        "5/9",
        "missed Channel(5)",
        "5/11",
    ];
    assert_eq!(bench.delivered(), shown);
}

#[test]
fn a_channel_that_is_gone_is_not_asked_for_until_something_happens_there() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_opened(5, true);
    assert!(bench.engine.poll_request().is_some());
    bench.fail_channel(5, Failure::Gone);
    bench.wait(Duration::from_secs(3600));
    bench.push(vec![too_long(5, Some(10))]);
    while let Some(request) = bench.engine.poll_request() {
        assert!(matches!(request, Request::Difference { .. }));
    }
    bench.engine.set_opened(5, true);
    assert_eq!(
        bench.engine.poll_request(),
        Some(Request::Channel { id: 5, pts: 10 })
    );
}

#[test]
fn a_channel_never_seen_that_is_too_long_is_named_and_begins_with_its_newest() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(77, Some(900))]);
    assert_eq!(bench.delivered(), ["missed Channel(77)"]);
    assert_eq!(
        bench.engine.poll_request(),
        Some(Request::Channel { id: 77, pts: 899 })
    );
    bench.push(vec![too_long(78, None)]);
    assert_eq!(bench.delivered(), ["missed Channel(78)"]);
    assert_eq!(bench.engine.poll_request(), None);
}

#[test]
fn a_channel_that_a_push_begins_before_the_difference_comes_may_lack_something() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.push(vec![new_in(77, 6, 16, 1)]);
    assert_eq!(bench.delivered(), ["missed Channel(77)", "77/6"]);
    bench.answer(vec![too_long(77, Some(16))], 10, 0, 0);
    bench.push(vec![new_in(78, 1, 2, 1)]);
    assert_eq!(bench.delivered(), ["78/1"]);
    // Nor when the difference is for the sake of a stranger, whose message came.
    let mut packet = packet(vec![]);
    packet.needs.push(PeerId::user(7));
    bench.engine.handle_packet(packet, &|_| false, bench.now);
    assert!(bench.engine.poll_request().is_some());
    bench.push(vec![new_in(79, 1, 2, 1)]);
    assert_eq!(bench.delivered(), ["79/1"]);
    bench.engine.handle_lost();
    bench.push(vec![new_in(80, 1, 2, 1)]);
    assert_eq!(bench.delivered(), ["missed Channel(80)", "80/1"]);
}

#[test]
fn a_channel_that_a_read_in_a_difference_begins_may_lack_something() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![read(77, 16), too_long(77, Some(18))], 10, 0, 0);
    assert_eq!(bench.delivered()[0], "missed Channel(77)");
    assert_eq!(
        bench.engine.poll_request(),
        Some(Request::Channel { id: 77, pts: 16 })
    );
}

#[test]
fn the_cursor_knows_a_channel_that_lacks_something_when_the_user_does() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(77, Some(900))]);
    let first = bench.engine.poll_delivery().unwrap();
    assert!(matches!(first.payload, Payload::Missed(Key::Channel(77))));
    assert_eq!(first.mark, Mark::Channel { id: 77, pts: 899 });
    assert!(bench.engine.poll_delivery().is_none());
}

#[test]
fn a_channel_that_is_as_far_as_the_server_says_is_not_fetched() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, Some(10))]);
    assert_eq!(bench.engine.poll_request(), None);
    bench.push(vec![too_long(5, Some(11))]);
    assert!(bench.engine.poll_request().is_some());
}

#[test]
fn a_server_that_names_a_channel_again_and_again_is_not_asked_at_full_speed() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, Some(50))]);
    let mut asked = 0;
    for _ in 0..600 {
        while let Some(Request::Channel { .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench.push(vec![too_long(5, Some(50))]);
            let empty = ChannelAnswer::Empty {
                pts: 10,
                last: true,
                timeout: None,
            };
            bench.engine.handle_channel_difference(5, empty, bench.now);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((2..=9).contains(&asked), "{asked} times in a minute");
}

#[test]
fn a_channel_that_stays_too_long_is_not_asked_for_at_full_speed() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, None)]);
    let mut asked = 0;
    for _ in 0..600 {
        while let Some(Request::Channel { pts, .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            let answer = ChannelAnswer::TooLong {
                pts: Some(pts + 1000),
                peers: Arc::default(),
                last: false,
                timeout: None,
            };
            bench.engine.handle_channel_difference(5, answer, bench.now);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((2..=9).contains(&asked), "{asked} times in a minute");
}

#[test]
fn a_last_part_short_of_what_the_server_spoke_of_is_asked_for_again_and_then_told() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, Some(12))]);
    let mut asked = 0;
    for _ in 0..1200 {
        while let Some(Request::Channel { .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench.answer_channel(5, vec![], 10, true);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((4..=7).contains(&asked), "{asked} times in two minutes");
    assert_eq!(bench.delivered(), ["missed Channel(5)"]);
    bench.push(vec![too_long(5, Some(12))]);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(5, vec![], 10, true);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(5, vec![new_in(5, 2, 0, 0)], 12, true);
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.engine.poll_request(), None);
    assert_eq!(bench.delivered(), ["5/2"]);
}

#[test]
fn news_spoken_of_without_a_state_are_asked_for_again_and_not_for_ever() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, None)]);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(5, vec![], 10, true);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(5, vec![new_in(5, 2, 0, 0)], 11, true);
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.engine.poll_request(), None);
    assert_eq!(bench.delivered(), ["5/2"]);
    // Where there is nothing, nothing was missed.
    bench.push(vec![too_long(5, None)]);
    let mut asked = 0;
    for _ in 0..1200 {
        while let Some(Request::Channel { .. }) = bench.engine.poll_request() {
            asked += 1;
            assert!(asked < 1000, "at full speed");
            bench.answer_channel(5, vec![], 11, true);
        }
        bench.wait(Duration::from_millis(100));
    }
    assert!((4..=7).contains(&asked), "{asked} times in two minutes");
    assert!(bench.delivered().is_empty());
}

#[test]
fn a_channel_first_heard_of_as_too_long_is_asked_for_until_what_was_spoken_of_comes() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(77, Some(12))]);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(77, vec![], 11, true);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.answer_channel(77, vec![new_in(77, 2, 0, 0)], 12, true);
    assert_eq!(bench.delivered(), ["missed Channel(77)", "77/2"]);
}

#[test]
fn a_replica_that_lags_behind_takes_nothing_back() {
    let mut bench = Bench::at(500, 20, 0);
    bench.push(vec![new_in(5, 1, 11, 1), too_long(5, None)]);
    assert!(bench.engine.poll_request().is_some());
    let empty = ChannelAnswer::Empty {
        pts: 8,
        last: true,
        timeout: None,
    };
    bench.engine.handle_channel_difference(5, empty, bench.now);
    bench.push(vec![new_in(5, 1, 11, 1), new_in(5, 2, 12, 1)]);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![], 490, 18, 0);
    bench.push(vec![new(1, 500, 1), new(2, 501, 1)]);
    assert_eq!(bench.delivered(), ["5/1", "5/2", "2"]);
    // A numbering that begins anew is believed.
    let mut bench = Bench::at(1_000_000, 0, 0);
    bench.engine.handle_lost();
    assert!(bench.engine.poll_request().is_some());
    bench.answer(vec![], 3, 0, 0);
    bench.push(vec![new(4, 4, 1)]);
    assert_eq!(bench.delivered(), ["4"]);
}

#[test]
fn at_most_ten_channels_are_polled() {
    let mut bench = Bench::at(10, 0, 0);
    for id in 100..120 {
        bench.engine.set_opened(id, true);
        bench.engine.set_opened(id, true);
    }
    let mut asked = Vec::new();
    while let Some(Request::Channel { id, .. }) = bench.engine.poll_request() {
        asked.push(id);
        bench.answer_channel(id, vec![], 1, true);
    }
    assert_eq!(asked, (100..110).collect::<Vec<i64>>());
    bench.engine.set_opened(100, false);
    bench.engine.set_opened(100, false);
    bench.engine.set_opened(115, true);
    bench.engine.set_opened(116, true);
    let wanted = Request::Channel { id: 115, pts: 1 };
    assert_eq!(bench.engine.poll_request(), Some(wanted));
    assert_eq!(bench.engine.poll_request(), None);
}

/// A server that names channels without end.
#[test]
fn channels_without_number_cost_a_bounded_number_of_bytes() {
    let mut bench = Bench::at(10, 0, 0);
    let limit = i64::try_from(CHANNEL_LIMIT).unwrap();
    let mut out = 0;
    for id in 1000..1000 + limit * 3 / 2 {
        bench.push(vec![new_in(id, 1, 50, 1)]);
        // One that is in use all the time, and one that lacks something.
        if id % 64 == 0 {
            bench.push(vec![new_in(5, 1, i32::try_from(id).unwrap(), 1)]);
        }
        out += bench.delivered().len();
    }
    assert!(out > CHANNEL_LIMIT);
    let engine = &bench.engine;
    assert_eq!(engine.channels.len(), CHANNEL_LIMIT);
    assert_eq!(engine.clock.len(), CHANNEL_LIMIT);
    assert!(engine.ready.len() <= 2 * CHANNEL_LIMIT + 64);
    assert!(engine.channels.contains_key(&5), "it is in use");
    assert!(!engine.channels.contains_key(&1000), "it is not");
}

#[test]
fn a_channel_that_is_forgotten_while_it_lacks_something_is_named() {
    let mut bench = Bench::at(10, 0, 0);
    let limit = i64::try_from(CHANNEL_LIMIT).unwrap();
    let mut missed = 0;
    for id in 1000..1000 + limit + 100 {
        bench.push(vec![new_in(id, 1, 50, 1), new_in(id, 3, 52, 1)]);
        let shown = bench.delivered();
        missed += shown
            .iter()
            .filter(|shown| shown.starts_with("missed"))
            .count();
    }
    assert!((100..=102).contains(&missed), "{missed}");
    assert_eq!(bench.engine.channels.len(), CHANNEL_LIMIT);
    assert!(bench.engine.outlet.held <= HELD_LIMIT);
}

#[test]
fn while_the_consumer_has_no_room_no_channel_beyond_the_limit_is_met() {
    let mut bench = Bench::at(10, 0, 0);
    bench.engine.set_paused(true);
    let limit = i64::try_from(CHANNEL_LIMIT).unwrap();
    for id in 1000..1000 + limit * 2 {
        bench.push(vec![new_in(id, 1, 50, 1)]);
    }
    let engine = &bench.engine;
    assert_eq!(engine.channels.len(), CHANNEL_LIMIT);
    assert!(engine.stale.len() <= CHANNEL_LIMIT);
    assert!(engine.outlet.ready.len() <= CHANNEL_LIMIT);
    assert!(engine.common.stale, "the difference will name the others");
}

#[test]
fn what_waits_in_all_channels_together_is_bounded() {
    let mut bench = Bench::at(10, 0, 0);
    for id in 1000..3000 {
        bench.push(vec![new_in(id, 1, 10, 1)]);
        for n in 0..100 {
            bench.push(vec![new_in(id, n, 20 + n, 1)]);
        }
        bench.delivered();
        assert!(bench.engine.outlet.held <= HELD_LIMIT);
    }
    // It is counted to the byte: nothing waits, nothing is held.
    for id in 1000..3000 {
        bench.wait(Duration::from_secs(1));
        while let Some(Request::Channel { id, .. }) = bench.engine.poll_request() {
            bench.answer_channel(id, vec![], 500, true);
        }
        let _ = id;
    }
    assert_eq!(bench.engine.outlet.held, 0);
}

#[test]
fn a_channel_costs_a_bounded_number_of_bytes() {
    // Idle: its entry, its place in the order of forgetting, and a table at most half empty.
    let idle = size_of::<(i64, Channel)>() * 2 + 2 * size_of::<i64>();
    assert!(idle <= 320, "{idle}");
    // With its room full of messages as short as they come.
    let mut bench = Bench::at(10, 0, 0);
    for id in 0..100_000 {
        bench.push(vec![new_in(5, id, 100 + id * 2, 1)]);
        bench.push(vec![new(id, 100 + id * 2, 1)]);
    }
    let channel = &bench.engine.channels[&5];
    assert!(channel.pts.waiting() <= usize::try_from(CHANNEL_ROOM).unwrap());
    assert!(bench.engine.common.pts.waiting() <= usize::try_from(COMMON_ROOM).unwrap());
    let mut bench = Bench::at(10, 0, 0);
    for id in 0..1000 {
        bench.push(vec![new_in(5, id, 100 + id * 2, 1)]);
    }
    let full = bench.engine.outlet.held;
    assert!(full <= 64 * 1024, "{full}");
    eprintln!("a channel: {idle} bytes at rest, {full} with its room full");
}

#[test]
fn the_same_update_twice_needs_no_second_place() {
    let mut bench = Bench::at(10, 0, 0);
    for _ in 0..200 {
        bench.push(vec![new_in(5, 2, 12, 1)]);
    }
    assert_eq!(bench.engine.channels[&5].pts.waiting(), 1);
    bench.push(vec![new_in(5, 1, 11, 1)]);
    assert_eq!(bench.delivered(), ["5/1", "5/2"]);
}

#[test]
fn a_short_message_that_names_a_stranger_anywhere_takes_a_difference() {
    let blank = tl::types::UpdateShortMessage {
        out: false,
        mentioned: false,
        media_unread: false,
        silent: false,
        id: 1,
        user_id: 7,
        message: "hello".into(),
        pts: 11,
        pts_count: 1,
        date: 0,
        fwd_from: None,
        via_bot_id: None,
        reply_to: None,
        entities: None,
        ttl_period: None,
    };
    let user = |user_id| tl::enums::Peer::from(tl::types::PeerUser { user_id });
    let forward = tl::types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: Some(user(8)),
        from_name: None,
        date: 0,
        channel_post: None,
        post_author: None,
        saved_from_peer: Some(user(9)),
        saved_from_msg_id: Some(1),
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    };
    let story = tl::types::MessageReplyStoryHeader {
        peer: user(10),
        story_id: 1,
    };
    let mention = tl::types::MessageEntityMentionName {
        offset: 0,
        length: 1,
        user_id: 11,
    };
    let mut forwarded = blank.clone();
    forwarded.fwd_from = Some(forward.into());
    let mut replying = blank.clone();
    replying.reply_to = Some(story.into());
    let mut mentioning = blank.clone();
    mentioning.entities = Some(vec![mention.into()]);
    let mut inline = blank.clone();
    inline.via_bot_id = Some(12);
    for (short, stranger) in [
        (blank, 7),
        (forwarded.clone(), 8),
        (forwarded, 9),
        (replying, 10),
        (mentioning, 11),
        (inline, 12),
    ] {
        let known = move |id| id != PeerId::user(stranger);
        let mut bench = Bench::at(10, 0, 0);
        let packet = Packet::new(short.clone().into(), 1);
        bench.engine.handle_packet(packet, &known, bench.now);
        assert_eq!(bench.delivered(), [""; 0], "{stranger}");
        assert!(bench.engine.poll_request().is_some(), "{stranger}");
        let mut bench = Bench::at(10, 0, 0);
        let packet = Packet::new(short.into(), 1);
        bench.engine.handle_packet(packet, &|_| true, bench.now);
        assert_eq!(bench.delivered(), ["1"], "{stranger}");
    }
}

/// Each numbered update of the schema has its arm in `order.rs`.
#[test]
fn every_numbered_update_of_the_schema_has_its_place() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../layer-tl-types/tl/api.tl");
    let schema = std::fs::read_to_string(schema).unwrap();
    let order = include_str!("order.rs");
    let mut numbered = 0;
    for line in schema.lines().filter(|line| line.ends_with("= Update;")) {
        if !line.contains(" pts:") && !line.contains(" qts:") && !line.contains(" pts_count:") {
            continue;
        }
        let name = line.split('#').next().unwrap();
        let name = name.strip_prefix("update").unwrap();
        assert!(order.contains(&format!("Update::{name}(u)")), "{name}");
        numbered += 1;
    }
    assert!(numbered >= 29, "{numbered}");
    let _ = packet(vec![]);
}

#[test]
fn a_channel_whose_state_was_refused_goes_on_where_the_server_stands() {
    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![new_in(5, 2, 12, 1)]);
    bench.wait(GAP);
    assert!(bench.engine.poll_request().is_some());
    bench.fail_channel(5, Failure::Reset);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/2"]);
    // What was pushed told where that is.
    bench.push(vec![new_in(5, 2, 12, 1), too_long(5, Some(12))]);
    assert_eq!(bench.delivered(), [""; 0]);
    bench.push(vec![new_in(5, 3, 13, 1)]);
    assert_eq!(bench.delivered(), ["5/3"]);

    let mut bench = Bench::at(10, 0, 0);
    bench.push(vec![too_long(5, Some(12))]);
    assert!(bench.engine.poll_request().is_some());
    bench.fail_channel(5, Failure::Reset);
    assert_eq!(bench.delivered(), ["missed Channel(5)"]);
    // A numbering that begins lower is believed.
    bench.push(vec![new_in(5, 3, 3, 1)]);
    assert_eq!(bench.delivered(), ["missed Channel(5)", "5/3"]);
}

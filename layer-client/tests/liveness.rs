//! Connections whose other end goes quiet, stops reading, sleeps or is not there: each is found out
//! within a bound and told, and no request is lost for it. The clock is tokio's, stopped, so that
//! each test asks for exact times and takes none.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod peer;

use std::time::Duration;

use layer_client::{Client, Config, ConnectCause, ConnectionState, ConnectionStates, Error, tl};
use layer_mtproto::transport::TransportKind;
use peer::{Call, Peer, Reply, basics, nearest};
use tl::Identifiable;
use tokio::time::{Instant, advance, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

type Nearest = tl::functions::help::GetNearestDc;

/// The next state, which comes within an hour.
async fn next(states: &mut ConnectionStates) -> ConnectionState {
    let next = timeout(3600 * SECOND, states.next()).await;
    next.expect("no state came").unwrap()
}

async fn ask(client: &Client) -> Result<tl::enums::NearestDc, Error> {
    client.invoke(&Nearest {}).await
}

/// Meets the first call of `M` with this.
fn first<M: Identifiable>(reply: fn() -> Reply) -> impl Fn(&Call) -> Reply + Send + Sync {
    let met = std::sync::atomic::AtomicBool::new(false);
    move |call| {
        if call.is::<M>() && !met.swap(true, std::sync::atomic::Ordering::AcqRel) {
            reply()
        } else {
            basics(call)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_goes_silent_under_a_request_is_found_out_and_the_request_answered_on_the_next()
 {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.vanish(true);
    let begun = Instant::now();
    let call = tokio::spawn(async move { ask(&client).await });
    sleep(5 * SECOND).await;
    // The connection stays dead; the next one is not.
    peer.vanish(false);
    call.await.unwrap().unwrap();
    let took = begun.elapsed();
    // Ten seconds of quiet, ten to answer a ping, and the way back.
    assert!(took >= 20 * SECOND && took < 25 * SECOND, "{took:?}");
    assert_eq!(peer.connections().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_goes_silent_with_nobody_asking_is_found_out_by_the_pings() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let mut states = client.connection_states();
    assert!(next(&mut states).await.is_online());
    peer.vanish(true);
    let begun = Instant::now();
    let state = next(&mut states).await;
    let took = begun.elapsed();
    let error = state.error().unwrap();
    assert!(matches!(error.cause, ConnectCause::Timeout(_)), "{error}");
    // A ping each thirty seconds, and twenty to answer it.
    assert!(took >= 20 * SECOND && took <= 51 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_kept_with_pings_that_ask_to_be_disconnected_without_them() {
    let peer = Peer::new(basics).await;
    let _client = Client::connect(peer.config()).await.unwrap();
    sleep(600 * SECOND).await;
    assert_eq!(peer.connections().len(), 1);
    let pings = peer.messages_of(tl::functions::PingDelayDisconnect::CONSTRUCTOR_ID);
    assert!((15..=25).contains(&pings.len()), "{}", pings.len());
    let delay = i32::from_le_bytes(*pings[0].body[12..].first_chunk().unwrap());
    // Two pings that do not come, and some.
    assert_eq!(delay, 80);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_reading_is_given_up_and_the_requests_go_to_the_next_connection() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(Config {
        request_timeout: 600 * SECOND,
        ..peer.config()
    })
    .await
    .unwrap();
    peer.answer(|call| {
        if call.is::<tl::functions::upload::SaveFilePart>() {
            Reply::Result(0x9972_75b5_u32.to_le_bytes().to_vec())
        } else {
            basics(call)
        }
    });
    peer.vanish(true);
    // More than the operating system takes for us.
    let mut rng = fastrand::Rng::with_seed(7);
    let calls: Vec<_> = (0..64)
        .map(|file_part| {
            let request = tl::functions::upload::SaveFilePart {
                file_id: 1,
                file_part,
                bytes: (0..512 * 1024).map(|_| rng.u8(..)).collect(),
            };
            let client = client.clone();
            tokio::spawn(async move { client.invoke(&request).await })
        })
        .collect();
    let mut states = client.connection_states();
    assert!(next(&mut states).await.is_online());
    let begun = Instant::now();
    let state = next(&mut states).await;
    assert!(begun.elapsed() < 25 * SECOND, "{:?}", begun.elapsed());
    assert!(
        matches!(state.error().unwrap().cause, ConnectCause::Timeout(_)),
        "{state}"
    );
    peer.vanish(false);
    for call in calls {
        assert!(call.await.unwrap().unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_the_connection_is_asked_at_once_and_kept_if_it_answers() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    sleep(SECOND).await;
    let pings = || peer.messages_of(tl::functions::Ping::CONSTRUCTOR_ID).len();
    let before = pings();
    advance(3600 * SECOND).await;
    peer.until(|_| pings() > before).await;
    sleep(60 * SECOND).await;
    ask(&client).await.unwrap();
    assert_eq!(peer.connections().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_a_connection_that_is_gone_is_found_out_in_seconds() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let mut states = client.connection_states();
    assert!(next(&mut states).await.is_online());
    sleep(SECOND).await;
    peer.vanish(true);
    advance(3600 * SECOND).await;
    let begun = Instant::now();
    let state = next(&mut states).await;
    assert!(state.error().is_some(), "{state}");
    assert!(begun.elapsed() <= 11 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn attempts_come_ever_more_slowly_and_begin_anew_after_a_connection_that_lasted() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    sleep(60 * SECOND).await;
    peer.refuse(true);
    peer.cut();
    let begun = Instant::now();
    sleep(300 * SECOND).await;
    let attempts: Vec<_> = peer.connections()[1..]
        .iter()
        .map(|at| *at - begun)
        .collect();
    // From 0.3 s to 30 s doubling, with up to half of it taken off.
    assert!((12..=30).contains(&attempts.len()), "{attempts:?}");
    let waits: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| *wait <= 31 * SECOND), "{waits:?}");
    assert!(waits[waits.len() - 1] >= 15 * SECOND, "{waits:?}");
    // It comes back, lasts, and breaks: the next attempt is soon again.
    peer.refuse(false);
    ask(&client).await.unwrap();
    sleep(60 * SECOND).await;
    let before = peer.connections().len();
    peer.cut();
    let begun = Instant::now();
    peer.until(|peer| peer.connections().len() > before).await;
    assert!(begun.elapsed() <= SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_lasts_is_not_made_at_full_speed() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.answer(|call| match basics(call) {
        Reply::Result(_) => Reply::Cut,
        other => other,
    });
    let error = ask(&client).await.unwrap_err();
    assert!(
        error.is_timeout() || error.is_connect() || matches!(error, Error::Request(_)),
        "{error:?}"
    );
    assert!(
        peer.connections().len() <= 25,
        "{}",
        peer.connections().len()
    );
}

#[tokio::test(start_paused = true)]
async fn connections_that_bring_an_answer_before_they_break_are_made_again_without_a_growing_wait()
{
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    for _ in 0..20 {
        peer.cut();
        let begun = Instant::now();
        ask(&client).await.unwrap();
        assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_too_many_connections_is_left_alone_for_a_while() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.refuse_with(-429);
    peer.cut();
    sleep(100 * SECOND).await;
    let attempts = &peer.connections()[1..];
    assert!((3..=10).contains(&attempts.len()), "{}", attempts.len());
    for pair in attempts.windows(2) {
        assert!(pair[1] - pair[0] >= 10 * SECOND, "{:?}", pair[1] - pair[0]);
    }
    peer.refuse_with(0);
    ask(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_serve_the_data_centre_is_not_asked_again_unasked() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.refuse_with(-444);
    peer.cut();
    let refused = timeout(5 * SECOND, ask(&client)).await;
    let error = refused.expect("it goes on asking").unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    let attempts = peer.connections().len();
    sleep(600 * SECOND).await;
    assert_eq!(peer.connections().len(), attempts);
    // Who asks anew has it tried anew.
    peer.refuse_with(0);
    ask(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_refusal_of_a_permanent_key_may_be_a_mistake_and_costs_nothing() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let (before, _) = peer.keys();
    peer.refuse_with(-404);
    peer.cut();
    let refused = peer.connections().len();
    peer.until(|peer| peer.connections().len() > refused).await;
    peer.refuse_with(0);
    ask(&client).await.unwrap();
    assert_eq!(peer.keys().0, before);
}

#[tokio::test(start_paused = true)]
async fn every_state_of_the_connection_is_told_until_the_last() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let mut states = client.connection_states();
    assert!(next(&mut states).await.is_online());
    assert!(client.connection_state().is_online());
    peer.refuse(true);
    peer.cut();
    let state = next(&mut states).await;
    let ConnectionState::WaitingToRetry {
        attempt,
        after,
        error,
        ..
    } = state
    else {
        panic!("{state}")
    };
    assert_eq!(attempt, 1);
    assert!(
        after <= SECOND && matches!(error.cause, ConnectCause::HungUp),
        "{error}"
    );
    let state = next(&mut states).await;
    let ConnectionState::Connecting {
        attempt,
        last_error,
        ..
    } = state
    else {
        panic!("{state}")
    };
    assert!(attempt == 2 && last_error.is_some());
    peer.refuse(false);
    while !next(&mut states).await.is_online() {}
    client.disconnect().await.unwrap();
    let last = next(&mut states).await;
    assert!(
        matches!(
            last,
            ConnectionState::Closed {
                reason: Error::Closed,
                ..
            }
        ),
        "{last}"
    );
    let after = timeout(SECOND, states.next()).await;
    assert!(after.unwrap().is_none());
    assert!(matches!(
        client.connection_state(),
        ConnectionState::Closed { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn the_first_connection_is_told_of_from_the_beginning() {
    let peer = Peer::new(basics).await;
    let config = peer.config();
    // The session is empty, so a key is made on the way.
    let client = Client::connect(config).await.unwrap();
    assert!(client.connection_state().is_online());
    let (permanent, temporary) = peer.keys();
    assert_eq!((permanent.len(), temporary.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_received_is_acknowledged_before_the_end() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    sleep(5 * SECOND).await;
    ask(&client).await.unwrap();
    let acks = || peer.messages_of(tl::types::MsgsAck::CONSTRUCTOR_ID).len();
    let before = acks();
    client.disconnect().await.unwrap();
    peer.until(|peer| peer.open_connections() == 0).await;
    assert_eq!(acks(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_end_with_the_client() {
    let peer = Peer::new(first::<Nearest>(|| Reply::Silence)).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let call = tokio::spawn({
        let client = client.clone();
        async move { ask(&client).await }
    });
    peer.until(|peer| !peer.calls::<Nearest>().is_empty()).await;
    client.disconnect().await.unwrap();
    assert!(call.await.unwrap().unwrap_err().is_closed());
    assert!(ask(&client).await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_does_not_keep_the_client_from_closing() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.vanish(true);
    let begun = Instant::now();
    client.disconnect().await.unwrap();
    assert!(begun.elapsed() <= 4 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_called_off_at_the_server() {
    let peer = Peer::new(first::<Nearest>(|| Reply::Silence)).await;
    let client = Client::connect(peer.config()).await.unwrap();
    timeout(SECOND, ask(&client)).await.unwrap_err();
    let dropped = tl::functions::RpcDropAnswer::CONSTRUCTOR_ID;
    peer.until(|peer| !peer.messages_of(dropped).is_empty())
        .await;
    let drop = peer.messages_of(dropped).remove(0);
    let named = i64::from_le_bytes(*drop.body[4..].first_chunk().unwrap());
    assert_eq!(named, peer.calls::<Nearest>()[0].msg_id);
    ask(&client).await.unwrap();
    assert_eq!(peer.messages_of(dropped).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_again_under_its_name_when_its_connection_breaks() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.answer(first::<Nearest>(|| Reply::Silence));
    let call = tokio::spawn({
        let client = client.clone();
        async move { ask(&client).await }
    });
    peer.until(|peer| !peer.calls::<Nearest>().is_empty()).await;
    let msg_id = peer.calls::<Nearest>()[0].msg_id;
    peer.cut();
    let sent = |peer: &Peer| {
        let mut messages = peer.messages();
        messages.retain(|message| message.msg_id == msg_id);
        messages.len()
    };
    peer.until(|peer| sent(peer) == 2).await;
    // The server knows it by its name, and does not do it twice.
    assert_eq!(peer.calls::<Nearest>().len(), 1);
    peer.respond(msg_id, nearest(1));
    call.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_must_not_be_sent_again_is_not_and_says_that_it_was_sent() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.answer(first::<Nearest>(|| Reply::Cut));
    let options = layer_client::middleware::CallOptions {
        no_resend: true,
        ..Default::default()
    };
    let error = client.invoke_with(&Nearest {}, options).await.unwrap_err();
    let Error::Request(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.sent, "{error}");
    sleep(60 * SECOND).await;
    let nearest = peer.messages_of(Nearest::CONSTRUCTOR_ID);
    assert_eq!(nearest.len() + introduced(&peer), 1);
}

/// How often the call came with who we are.
fn introduced(peer: &Peer) -> usize {
    peer.calls::<Nearest>()
        .iter()
        .filter(|call| call.introduced)
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_deadline_says_whether_the_request_was_sent() {
    let peer = Peer::new(first::<Nearest>(|| Reply::Silence)).await;
    let client = Client::connect(Config {
        request_timeout: 5 * SECOND,
        ..peer.config()
    })
    .await
    .unwrap();
    let begun = Instant::now();
    let options = || layer_client::middleware::CallOptions {
        no_resend: true,
        ..Default::default()
    };
    let error = client
        .invoke_with(&Nearest {}, options())
        .await
        .unwrap_err();
    let Error::Timeout(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.sent && begun.elapsed() == 5 * SECOND, "{error}");
    // Without a connection nothing was sent, and it is the connection that is told of.
    peer.stop_listening();
    peer.cut();
    sleep(SECOND).await;
    let error = client
        .invoke_with(&Nearest {}, options())
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_bound_wait_for_their_turn_and_are_all_answered() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.answer(|call| {
        if call.is::<Nearest>() {
            Reply::Silence
        } else {
            basics(call)
        }
    });
    let calls: Vec<_> = (0..1500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { ask(&client).await })
        })
        .collect();
    sleep(2 * SECOND).await;
    // The rest waits with us.
    assert_eq!(peer.calls::<Nearest>().len(), 1024);
    let mut answered = 0;
    while answered < 1500 {
        for call in &peer.calls::<Nearest>()[answered..] {
            peer.respond(call.msg_id, nearest(1));
            answered += 1;
        }
        sleep(SECOND / 10).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_order_name_the_one_before_and_go_together() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let order = client.in_order();
    let calls = [
        order.invoke(&Nearest {}),
        order.invoke(&Nearest {}),
        order.invoke(&Nearest {}),
    ];
    let [a, b, c] = calls;
    // Whichever is waited for first.
    let (c, b, a) = tokio::join!(c, b, a);
    for answer in [a, b, c] {
        answer.unwrap();
    }
    let calls = peer.calls::<Nearest>();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0].after, None);
    assert_eq!(calls[1].after, Some(calls[0].msg_id));
    assert_eq!(calls[2].after, Some(calls[1].msg_id));
    assert!(calls[2].at - calls[0].at < SECOND);
}

#[tokio::test(start_paused = true)]
async fn calls_in_order_wait_for_the_end_of_one_that_was_refused() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    // As a server does: the first has to wait, and those behind it fail with it.
    let refused = std::sync::Mutex::new(Vec::new());
    peer.answer(move |call| {
        if !call.is::<Nearest>() {
            return basics(call);
        }
        let mut refused = refused.lock().unwrap();
        let first = refused.is_empty();
        if call.after.is_some_and(|after| refused.contains(&after)) {
            refused.push(call.msg_id);
            return Reply::Error(400, "MSG_WAIT_FAILED");
        }
        if first {
            refused.push(call.msg_id);
            return Reply::Error(420, "FLOOD_WAIT_3");
        }
        basics(call)
    });
    let done = std::sync::Mutex::new(Vec::new());
    let order = client.in_order();
    let call = |name: char| {
        let call = order.invoke(&Nearest {});
        let done = &done;
        async move {
            call.await.unwrap();
            done.lock().unwrap().push(name);
        }
    };
    tokio::join!(call('a'), call('b'), call('c'));
    assert_eq!(*done.lock().unwrap(), ['a', 'b', 'c']);
    // What was executed came in order: the last three that were not refused.
    let calls = peer.calls::<Nearest>();
    assert!(calls[calls.len() - 3].at - calls[0].at >= 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_order_that_fails_for_good_lets_the_next_be_executed() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let refused = std::sync::Mutex::new(Vec::new());
    peer.answer(move |call| {
        let mut refused = refused.lock().unwrap();
        let behind = call.after.is_some_and(|after| refused.contains(&after));
        if call.is::<Nearest>() && (behind || refused.is_empty()) {
            refused.push(call.msg_id);
            let error = if behind {
                "MSG_WAIT_FAILED"
            } else {
                "PEER_ID_INVALID"
            };
            return Reply::Error(400, error);
        }
        basics(call)
    });
    let order = client.in_order();
    let (a, b, c) = (
        order.invoke(&Nearest {}),
        order.invoke(&Nearest {}),
        order.invoke(&Nearest {}),
    );
    let (a, b, c) = tokio::join!(a, b, c);
    assert!(a.unwrap_err().is("PEER_ID_INVALID"));
    for answer in [b, c] {
        answer.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_order_keep_their_order_across_a_lost_connection() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    peer.answer(|call| {
        if call.is::<Nearest>() {
            Reply::Silence
        } else {
            basics(call)
        }
    });
    let order = client.in_order();
    let a = tokio::spawn(order.invoke(&Nearest {}));
    let b = tokio::spawn(order.invoke(&Nearest {}));
    peer.until(|peer| peer.calls::<Nearest>().len() == 2).await;
    peer.forget_sessions();
    peer.cut();
    // A server that forgot its sessions is asked both anew, in order.
    peer.until(|peer| peer.calls::<Nearest>().len() == 4).await;
    let calls = peer.calls::<Nearest>();
    assert_eq!(calls[2].after, None);
    assert_eq!(calls[3].after, Some(calls[2].msg_id));
    peer.respond(calls[2].msg_id, nearest(1));
    peer.respond(calls[3].msg_id, nearest(1));
    a.await.unwrap().unwrap();
    b.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_in_order_that_is_dropped_does_not_hold_up_the_next() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let order = client.in_order();
    let never = order.invoke(&Nearest {});
    let next = order.invoke(&Nearest {});
    let kept = order.invoke(&Nearest {});
    drop(never);
    next.await.unwrap();
    kept.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_servers_configuration_is_asked_for_again_when_its_time_has_passed_or_it_changed() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(peer.config()).await.unwrap();
    let asked = || peer.calls::<tl::functions::help::GetConfig>().len();
    assert_eq!(asked(), 1);
    sleep(3590 * SECOND).await;
    assert_eq!(asked(), 1);
    sleep(20 * SECOND).await;
    assert_eq!(asked(), 2);
    sleep(100 * SECOND).await;
    let changed = tl::types::UpdateShort {
        update: tl::types::UpdateConfig {}.into(),
        date: 1,
    };
    // However often it says so, it is asked once a minute at most.
    for _ in 0..50 {
        peer.push(&changed.clone().into());
        sleep(SECOND).await;
    }
    assert_eq!(asked(), 3);
    sleep(60 * SECOND).await;
    assert_eq!(asked(), 4);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn every_transport_reports_a_server_that_goes_away() {
    for transport in TransportKind::ALL {
        let peer = Peer::new(basics).await;
        let client = Client::connect(Config {
            transport: transport.into(),
            ..peer.config()
        })
        .await
        .unwrap();
        peer.cut();
        ask(&client).await.unwrap();
        assert_eq!(peer.connections().len(), 2, "{transport}");
    }
}

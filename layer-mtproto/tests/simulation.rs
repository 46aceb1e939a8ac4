//! Client and server against each other in every weather, from key exchange to last answer, without a socket.
//!
//! Seeded: a failure prints its seed, and `SIM_SEED=n` with the test's name replays it, `SIM_TRACE=1` with every
//! packet. `SIM_RUNS=n` makes as many runs of each test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sim;
mod util;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::{FAIR, Tally, Weather};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs `count` seeds, or as the environment asks, on two threads.
fn simulate(name: &str, count: u64, weather: impl Fn(&mut fastrand::Rng) -> Weather + Sync) {
    let (first, last) = match number("SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => {
            let from = number("SIM_FROM").unwrap_or(0);
            (from, from + number("SIM_RUNS").unwrap_or(count))
        }
    };
    let next = AtomicU64::new(first);
    let work = || {
        let mut total = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                return total;
            }
            let weather = weather(&mut fastrand::Rng::with_seed(seed));
            match std::panic::catch_unwind(|| sim::run(seed, weather)) {
                Ok(tally) => {
                    let gentle = weather.refuse == 0 && weather.corrupt == 0;
                    assert!(
                        tally.terminals == 0 || !gentle,
                        "{name}: SIM_SEED={seed} ended a session in {weather:?}"
                    );
                    total.requests += tally.requests;
                    total.packets += tally.packets;
                    total.terminals += tally.terminals;
                }
                Err(panic) => {
                    eprintln!("{name}: SIM_SEED={seed} with {weather:?}");
                    next.store(last, Ordering::Relaxed);
                    std::panic::resume_unwind(panic);
                }
            }
        }
    };
    let total = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let ours = work();
        match other.join() {
            Ok(theirs) => [ours, theirs],
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    eprintln!("{name}: {} runs, {total:?}", last - first);
}

/// Temporary keys in half of the runs, some of which end soon.
fn keys(rng: &mut fastrand::Rng, weather: Weather) -> Weather {
    let life = [20, 60, 3600][rng.usize(..3)];
    Weather {
        temporary: rng.bool().then(|| Duration::from_secs(life)),
        ..weather
    }
}

#[test]
fn in_fair_weather_everything_is_answered() {
    simulate("fair", 200, |rng| keys(rng, FAIR));
}

#[test]
fn cut_and_dead_connections_lose_nothing_and_repeat_nothing() {
    simulate("cuts", 300, |rng| {
        let weather = Weather {
            cut: rng.u32(1..60),
            stall: rng.u32(..40),
            deaf: rng.u32(..200),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn rotated_salts_lose_nothing_and_repeat_nothing() {
    simulate("salts", 200, |rng| {
        let weather = Weather {
            rotate: rng.u32(1..100),
            cut: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn lost_repeated_and_reordered_packets_lose_nothing_and_repeat_nothing() {
    simulate("packets", 300, |rng| {
        let weather = Weather {
            lose: rng.u32(..60),
            repeat: rng.u32(..100),
            reorder: rng.u32(..100),
            cut: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn a_server_that_forgets_sessions_and_keys_gets_everything_again() {
    simulate("forgets", 300, |rng| {
        let weather = Weather {
            forget: rng.u32(1..40),
            forget_key: rng.u32(..20),
            cut: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn clocks_that_jump_and_stand_still_are_set_right() {
    simulate("clocks", 300, |rng| {
        let weather = Weather {
            jump: rng.u32(..20),
            sleep: rng.u32(..20),
            skew: [0, 20, -200, 4000, -90_000, 400_000_000][rng.usize(..6)],
            cut: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn refusals_of_every_kind_lose_nothing_and_repeat_nothing() {
    simulate("refusals", 300, |rng| {
        let weather = Weather {
            refuse: rng.u32(1..150),
            cut: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn nonsense_and_damage_do_no_harm() {
    simulate("nonsense", 300, |rng| {
        let weather = Weather {
            nonsense: rng.u32(1..200),
            corrupt: rng.u32(..20),
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn keys_are_made_bound_and_renewed_in_any_weather() {
    simulate("keys", 40, |rng| {
        let weather = Weather {
            exchange: true,
            retry_keys: 300,
            corrupt: rng.u32(..10),
            cut: rng.u32(..40),
            deaf: rng.u32(..100),
            forget_key: rng.u32(..20),
            skew: [0, -5000, 5000][rng.usize(..3)],
            ..FAIR
        };
        keys(rng, weather)
    });
}

#[test]
fn in_the_worst_weather_every_request_has_one_outcome() {
    simulate("storm", 600, |rng| {
        let weather = Weather {
            cut: rng.u32(..40),
            corrupt: rng.u32(..5),
            lose: rng.u32(..20),
            repeat: rng.u32(..60),
            reorder: rng.u32(..60),
            stall: rng.u32(..20),
            deaf: rng.u32(..100),
            refuse: rng.u32(..60),
            rotate: rng.u32(..20),
            forget: rng.u32(..10),
            forget_key: rng.u32(..10),
            nonsense: rng.u32(..60),
            slow: rng.u32(..300),
            jump: rng.u32(..10),
            sleep: rng.u32(..10),
            skew: [0, 0, 100, -1000, 100_000][rng.usize(..5)],
            ..FAIR
        };
        keys(rng, weather)
    });
}

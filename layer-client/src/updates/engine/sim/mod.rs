//! The engine, its queue and its cursor against a model server, in every weather, faster than real time.
//!
//! Everything follows from a seed. `weather` says what is to go wrong; `model` is the server and knows what happened;
//! `shell` is the client's process, put together as the driver does; `world` joins them by a made-up network, and
//! `course` leads through a made-up time; `check` holds what each reader was given against the model. A failure prints
//! its seed, and `SIM_SEED=n` with the test's name replays it, `SIM_TRACE=1` with all that happens. `SIM_RUNS=n` makes
//! as many runs of each test, from `SIM_FROM` on.

mod check;
mod course;
mod model;
mod shell;
mod weather;
mod world;

use weather::{FAIR, Weather};
use world::{Sim, Tally};

/// Runs `count` seeds, or as the environment asks.
fn simulate(name: &str, count: u64, weather: impl Fn(&mut fastrand::Rng) -> Weather) {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let (first, last) = match number("SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => {
            let from = number("SIM_FROM").unwrap_or(0);
            (from, from + number("SIM_RUNS").unwrap_or(count))
        }
    };
    let mut total = Tally::default();
    for seed in first..last {
        let weather = weather(&mut fastrand::Rng::with_seed(seed));
        let run = || Sim::new(seed, weather).run();
        match std::panic::catch_unwind(run) {
            Ok(tally) => {
                total.events += tally.events;
                total.given += tally.given;
                total.requests += tally.requests;
                total.missed += tally.missed;
                total.crashes += tally.crashes;
            }
            Err(panic) => {
                eprintln!("{name}: SIM_SEED={seed} with {weather:?}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    eprintln!("{name}: {} runs, {total:?}", last - first);
}

#[test]
fn in_fair_weather_every_update_is_given_once_and_in_order() {
    simulate("fair", 150, |rng| Weather {
        short: [0, 50][rng.usize(..2)],
        open: [0, 50][rng.usize(..2)],
        fresh: rng.u8(..4) == 0,
        second: rng.bool(),
        ..FAIR
    });
}

#[test]
fn lost_repeated_and_reordered_pushes_are_given_once_and_in_order() {
    simulate("pushes", 300, |rng| Weather {
        lose: rng.u32(..200),
        repeat: rng.u32(..200),
        delay: rng.u32(..200),
        jitter: rng.bool(),
        fresh: rng.u8(..4) == 0,
        ..FAIR
    });
}

#[test]
fn cuts_and_clocks_that_jump_lose_nothing_and_repeat_nothing() {
    simulate("cuts", 300, |rng| Weather {
        cut: rng.u32(..100),
        sleep: rng.u32(..60),
        delay: rng.u32(..60),
        fail: rng.u32(..100),
        jitter: rng.bool(),
        open: rng.u32(..60),
        ..FAIR
    });
}

#[test]
fn strangers_garbage_and_too_long_pushes_are_made_good_by_differences() {
    simulate("pretexts", 300, |rng| Weather {
        short: rng.u32(..500),
        garble: rng.u32(..100),
        too_long: rng.u32(..100),
        lose: rng.u32(..50),
        repeat: rng.u32(..50),
        ..FAIR
    });
}

#[test]
fn differences_that_fail_lag_or_are_refused_stop_nothing() {
    simulate("answers", 300, |rng| Weather {
        fail: rng.u32(..400),
        refuse: rng.u32(..60),
        lag: rng.u32(..300),
        lose: rng.u32(..100),
        delay: rng.u32(..60),
        too_long: rng.u32(..40),
        ..FAIR
    });
}

#[test]
fn what_is_too_long_to_tell_is_said_to_be_missing_and_nothing_else_is() {
    simulate("long", 300, |rng| Weather {
        skip: rng.u32(1..900),
        cut: rng.u32(..100),
        burst: rng.u32(..60),
        lose: rng.u32(..100),
        stuck: rng.u32(..30),
        ..FAIR
    });
}

#[test]
fn channels_that_one_leaves_and_joins_again_stop_nothing() {
    simulate("members", 300, |rng| Weather {
        member: rng.u32(1..300),
        lose: rng.u32(..60),
        cut: rng.u32(..40),
        repeat: rng.u32(..100),
        delay: rng.u32(..60),
        open: rng.u32(..60),
        stuck: rng.u32(..20),
        ..FAIR
    });
}

#[test]
fn slow_readers_cost_a_fixed_amount_and_miss_nothing() {
    simulate("readers", 300, |rng| Weather {
        slow: rng.u32(..900),
        stuck: rng.u32(..60),
        burst: rng.u32(..100),
        guest: rng.u32(..100),
        walk_out: rng.u32(..30),
        lose: rng.u32(..40),
        cut: rng.u32(..20),
        second: rng.bool(),
        ..FAIR
    });
}

#[test]
fn through_crashes_every_update_is_given_at_least_once_and_in_order() {
    simulate("crashes", 400, |rng| Weather {
        crash: rng.u32(1..100),
        slow: rng.u32(..600),
        lose: rng.u32(..60),
        cut: rng.u32(..40),
        burst: rng.u32(..40),
        walk_out: rng.u32(..20),
        second: rng.bool(),
        fresh: rng.u8(..4) == 0,
        ..FAIR
    });
}

#[test]
fn in_the_worst_weather_nothing_is_lost_without_a_word() {
    simulate("storm", 600, |rng| Weather {
        lose: rng.u32(..100),
        repeat: rng.u32(..100),
        delay: rng.u32(..100),
        garble: rng.u32(..30),
        too_long: rng.u32(..30),
        short: rng.u32(..100),
        fail: rng.u32(..150),
        refuse: rng.u32(..20),
        lag: rng.u32(..100),
        skip: rng.u32(..200),
        cut: rng.u32(..40),
        sleep: rng.u32(..20),
        member: rng.u32(..60),
        burst: rng.u32(..30),
        crash: rng.u32(..30),
        stuck: rng.u32(..30),
        guest: rng.u32(..30),
        walk_out: rng.u32(..15),
        open: rng.u32(..40),
        slow: rng.u32(..400),
        jitter: rng.bool(),
        fresh: rng.u8(..6) == 0,
        second: rng.u8(..3) == 0,
    });
}

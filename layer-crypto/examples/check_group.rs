//! How long the check of a group takes: of the prime that is known, of a foreign safe prime, and of a number that
//! is none. `cargo run --release -p layer-crypto --example check_group [runs]`

use std::time::{Duration, Instant};

use layer_crypto::dh::{TELEGRAM_PRIME, check_group};

/// The hexadecimal digits in a text.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}

fn measure(what: &str, prime: &[u8], g: i32, runs: usize) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            let _ = std::hint::black_box(check_group(std::hint::black_box(prime), g));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (least, median) = (times[0], times[times.len() / 2]);
    let verdict = if check_group(prime, g).is_ok() {
        "accepted"
    } else {
        "refused"
    };
    println!("{what:<28} {verdict}  least {least:>10.3?}  median {median:>10.3?}");
}

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(50)
        .max(1);
    let foreign = unhex(include_str!("../tests/vectors/rfc3526_group_14.txt"));
    let mut composite = foreign.clone();
    composite[200] ^= 1;
    measure("the known prime", &TELEGRAM_PRIME, 3, runs);
    measure("a foreign safe prime", &foreign, 2, runs);
    measure("a number that is no prime", &composite, 2, runs);
}

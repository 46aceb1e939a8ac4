//! Two ways to do the same, measured in turn in one run, so that what disturbs one disturbs the other.

pub mod payload;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long one measurement takes at least.
const SLICE: Duration = Duration::from_millis(20);
/// Measurements of each.
const ROUNDS: usize = 25;

/// Nanoseconds a call, the median of the rounds, ours and theirs.
pub struct Pair {
    /// Ours.
    pub ours: f64,
    /// The peer's.
    pub theirs: f64,
    /// How many times as fast ours is: the median of the rounds' ratios.
    pub ratio: f64,
}

/// Measures both in turn.
pub fn compare<A, B>(mut ours: impl FnMut() -> A, mut theirs: impl FnMut() -> B) -> Pair {
    let (our_calls, their_calls) = (calls(&mut ours), calls(&mut theirs));
    let rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (time(our_calls, &mut ours), time(their_calls, &mut theirs)))
        .collect();
    Pair {
        ours: median(rounds.iter().map(|(a, _)| *a)),
        theirs: median(rounds.iter().map(|(_, b)| *b)),
        ratio: median(rounds.iter().map(|(a, b)| b / a)),
    }
}

/// How many calls a measurement makes.
fn calls<T>(work: &mut impl FnMut() -> T) -> u32 {
    let mut calls = 1;
    loop {
        let nanoseconds = time(calls, work) * f64::from(calls);
        if nanoseconds >= SLICE.as_nanos() as f64 {
            return calls;
        }
        calls *= 2;
    }
}

fn time<T>(calls: u32, work: &mut impl FnMut() -> T) -> f64 {
    let begun = Instant::now();
    for _ in 0..calls {
        black_box(work());
    }
    begun.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A row of the table.
pub fn row(what: &str, ours: &str, theirs: &str, ratio: f64, target: &str) {
    println!("| {what} | {theirs} | {ours} | {ratio:.2}× | {target} |");
}

/// The head of the table.
pub fn head(peer: &str) {
    println!("| what | {peer} | layer | ratio | at least |\n|---|---|---|---|---|");
}

/// Bytes in nanoseconds as a rate.
pub fn rate(bytes: usize, nanoseconds: f64) -> String {
    format!("{:.2} GB/s", bytes as f64 / nanoseconds)
}

/// Nanoseconds as a time.
pub fn took(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

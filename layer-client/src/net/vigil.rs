//! Watches over one connection: when to doubt that anybody is at the other end, and when to give
//! it up. A socket is no help there: a peer that vanished, or a computer that slept, leaves it open.
//!
//! Holds no timer and asks no clock: times are handed in, and the wall clock is looked at for one
//! thing, to see that time passed without us.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// How long requests may wait without a word from the server before it is asked for one.
const QUIET: Duration = Duration::from_secs(10);
/// How long the server may take for that word.
const ANSWER: Duration = Duration::from_secs(10);
/// How long bytes may wait to be written without one of them going out.
const STALL: Duration = Duration::from_secs(20);
/// On a slow line an answer waits behind what is on the way already: each so many bytes that went
/// in or out since the last word give it another second.
const SLOWEST: u64 = 8 * 1024;
/// A clock that is so far from the other one, or a timer that is so late, has slept.
const SLEPT: Duration = Duration::from_secs(5);
/// Timers do not run while a computer sleeps, so somebody has to look now and then.
const LOOK: Duration = Duration::from_secs(15);

/// What to do about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// To ask for a sign of life: it is in doubt.
    Ask,
    /// To give it up; nothing was heard for so long.
    Dead(Duration),
}

/// What is known of one connection.
pub(super) struct Vigil {
    /// When a packet that could only be the server's came last, or the connection was opened.
    heard: Instant,
    /// Bytes that went in or out since.
    moved: u64,
    /// Since when requests wait.
    waiting: Option<Instant>,
    /// Since when an answer is waited for that must come soon.
    asked: Option<Instant>,
    /// Since when bytes cannot be written.
    stuck: Option<Instant>,
    /// When was looked last, by both clocks, and when the next look was due.
    looked: (Instant, SystemTime),
    due: Option<Instant>,
}

impl Vigil {
    pub(super) fn new(now: Instant, wall: SystemTime) -> Self {
        Self {
            heard: now,
            moved: 0,
            waiting: None,
            asked: None,
            stuck: None,
            looked: (now, wall),
            due: None,
        }
    }

    /// A valid packet came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.moved = 0;
        self.asked = None;
    }

    /// Bytes came or went.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.moved = self
            .moved
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Bytes went out.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.moved(bytes);
        self.stuck = None;
    }

    /// A ping was not answered in the session's time.
    pub(super) fn silent(&mut self, now: Instant) {
        self.asked
            .get_or_insert(now.checked_sub(ANSWER).unwrap_or(now));
    }

    /// To be asked whenever something happened or [`next_look`](Self::next_look) came, with whether
    /// requests wait for answers and bytes to be written.
    pub(super) fn look(
        &mut self,
        now: Instant,
        wall: SystemTime,
        requests: bool,
        unwritten: bool,
    ) -> Verdict {
        let slept = self.slept(now, wall);
        self.waiting = requests.then(|| self.waiting.unwrap_or(now));
        self.stuck = unwritten.then(|| self.stuck.unwrap_or(now));
        if let Some(deadline) = self.asked_until()
            && deadline <= now
        {
            // A sleeper's peer had no time to answer.
            if !slept {
                return Verdict::Dead(now - self.heard);
            }
            self.asked = None;
        }
        if let Some(since) = self.stuck
            && since + STALL <= now
        {
            if !slept {
                return Verdict::Dead(now - since);
            }
            self.stuck = Some(now);
        }
        let quiet = self.quiet_until().is_some_and(|until| until <= now);
        if self.asked.is_none() && (slept || quiet) {
            self.asked = Some(now);
            return Verdict::Ask;
        }
        Verdict::Fine
    }

    /// When to look again if nothing happens.
    pub(super) fn next_look(&mut self, now: Instant) -> Instant {
        let stuck = self.stuck.map(|since| since + STALL);
        let quiet = self.quiet_until().filter(|_| self.asked.is_none());
        let next = [self.asked_until(), stuck, quiet]
            .into_iter()
            .flatten()
            .fold(now + LOOK, Instant::min);
        self.due = Some(next);
        next
    }

    fn asked_until(&self) -> Option<Instant> {
        let allowance = Duration::from_secs(self.moved / SLOWEST);
        self.asked.map(|asked| asked + ANSWER + allowance)
    }

    fn quiet_until(&self) -> Option<Instant> {
        self.waiting.map(|since| since.max(self.heard) + QUIET)
    }

    /// Whether time passed in which we did not run. The monotonic clock stands still while some
    /// systems sleep and goes on in others; a wall clock that somebody set costs one ping.
    fn slept(&mut self, now: Instant, wall: SystemTime) -> bool {
        let (then, wall_then) = std::mem::replace(&mut self.looked, (now, wall));
        let by_wall = wall.duration_since(wall_then).unwrap_or_default();
        let jumped = by_wall.saturating_sub(now - then) >= SLEPT;
        let late = self.due.take().is_some_and(|due| due + SLEPT <= now);
        jumped || late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A vigil and both its clocks.
    struct Watch {
        vigil: Vigil,
        now: Instant,
        wall: SystemTime,
        requests: bool,
        unwritten: bool,
    }

    impl Watch {
        fn new() -> Self {
            let (now, wall) = (Instant::now(), SystemTime::now());
            Self {
                vigil: Vigil::new(now, wall),
                now,
                wall,
                requests: false,
                unwritten: false,
            }
        }

        fn look(&mut self) -> Verdict {
            let verdict = self
                .vigil
                .look(self.now, self.wall, self.requests, self.unwritten);
            self.vigil.next_look(self.now);
            verdict
        }

        fn pass(&mut self, time: Duration) {
            self.now += time;
            self.wall += time;
        }

        /// Lets time pass as a task would that wakes when it asked to, until there is a verdict.
        fn until_verdict(&mut self, most: Duration) -> (Duration, Verdict) {
            let begun = self.now;
            loop {
                let verdict = self.look();
                if verdict != Verdict::Fine || self.now - begun >= most {
                    return (self.now - begun, verdict);
                }
                let next = self.vigil.next_look(self.now);
                assert!(next > self.now, "no busy loop");
                self.pass(next - self.now);
            }
        }
    }

    #[test]
    fn a_server_that_says_nothing_while_requests_wait_is_asked_and_then_given_up() {
        let mut watch = Watch::new();
        watch.requests = true;
        assert_eq!(watch.until_verdict(60 * SECOND), (QUIET, Verdict::Ask));
        let (after, verdict) = watch.until_verdict(60 * SECOND);
        assert_eq!((after, verdict), (ANSWER, Verdict::Dead(QUIET + ANSWER)));
    }

    #[test]
    fn a_word_in_time_is_enough() {
        let mut watch = Watch::new();
        watch.requests = true;
        for _ in 0..10 {
            assert_eq!(watch.until_verdict(60 * SECOND), (QUIET, Verdict::Ask));
            watch.pass(ANSWER - SECOND);
            assert_eq!(watch.look(), Verdict::Fine);
            watch.vigil.heard(watch.now);
        }
    }

    #[test]
    fn a_quiet_connection_that_nobody_waits_for_is_left_to_the_pings() {
        let mut watch = Watch::new();
        let (_, verdict) = watch.until_verdict(3600 * SECOND);
        assert_eq!(verdict, Verdict::Fine);
        watch.vigil.silent(watch.now);
        assert!(matches!(watch.look(), Verdict::Dead(_)));
    }

    #[test]
    fn a_slow_line_that_moves_is_not_a_dead_one() {
        let mut watch = Watch::new();
        watch.requests = true;
        // 512 KiB went out, and take more than a minute at the slowest.
        watch.vigil.wrote(512 * 1024);
        assert_eq!(watch.until_verdict(60 * SECOND).1, Verdict::Ask);
        watch.pass(60 * SECOND);
        watch.vigil.due = None;
        assert_eq!(watch.look(), Verdict::Fine);
        watch.vigil.silent(watch.now);
        assert_eq!(watch.look(), Verdict::Fine);
        let (_, verdict) = watch.until_verdict(60 * SECOND);
        assert!(matches!(verdict, Verdict::Dead(_)));
    }

    #[test]
    fn bytes_that_nobody_takes_end_the_connection() {
        let mut watch = Watch::new();
        watch.unwritten = true;
        let (after, verdict) = watch.until_verdict(60 * SECOND);
        assert_eq!((after, verdict), (STALL, Verdict::Dead(STALL)));
        // One that takes some, however slowly, is alive.
        let mut watch = Watch::new();
        watch.unwritten = true;
        for _ in 0..20 {
            watch.pass(3 * SECOND);
            assert_eq!(watch.look(), Verdict::Fine);
            watch.vigil.wrote(1);
        }
    }

    #[test]
    fn after_a_sleep_the_server_is_asked_at_once() {
        // The monotonic clock stood still.
        let mut watch = Watch::new();
        watch.look();
        watch.wall += 3600 * SECOND;
        watch.pass(SECOND);
        assert_eq!(watch.look(), Verdict::Ask);
        assert_eq!(watch.until_verdict(60 * SECOND).0, ANSWER);
        // Or it went on.
        let mut watch = Watch::new();
        watch.look();
        watch.pass(3600 * SECOND);
        assert_eq!(watch.look(), Verdict::Ask);
    }

    #[test]
    fn a_sleep_in_the_middle_of_a_question_is_not_held_against_the_server() {
        let mut watch = Watch::new();
        watch.requests = true;
        assert_eq!(watch.until_verdict(60 * SECOND).1, Verdict::Ask);
        watch.pass(3600 * SECOND);
        assert_eq!(watch.look(), Verdict::Ask);
        assert_eq!(watch.until_verdict(60 * SECOND).0, ANSWER);
    }

    #[test]
    fn a_wall_clock_that_is_set_ends_nothing() {
        let mut watch = Watch::new();
        watch.look();
        watch.wall -= 86_400 * SECOND;
        assert_eq!(watch.look(), Verdict::Fine);
        watch.wall += 86_400 * SECOND;
        // It may have been a sleep, and costs a ping.
        assert_eq!(watch.look(), Verdict::Ask);
        watch.vigil.heard(watch.now);
        assert_eq!(watch.until_verdict(60 * SECOND).1, Verdict::Fine);
    }
}

//! The course of a run: steps, time, the end of all faults, and what must hold then.

use std::time::{Duration, Instant};

use super::check;
use super::model::{CHANNELS, COMMON, FIRST, PLACES, QTS, SEQ, Shown, id_of};
use super::weather::Weather;
use super::world::{Sim, Tally};

impl Sim {
    fn step(&mut self) {
        let weather = self.weather;
        let mut things = self.dice.usize(0..4);
        let burst = self.chance(weather.burst);
        if burst {
            things += self.dice.usize(10..80);
        }
        let favourite = self.place();
        for _ in 0..things {
            let place = if burst && self.dice.bool() {
                favourite
            } else {
                self.place()
            };
            self.happen(place);
        }
        if self.chance(weather.member) {
            self.member();
        }
        if self.chance(weather.cut) {
            let time = Duration::from_millis(self.dice.u64(1..20_000));
            self.cut(time);
        }
        if self.chance(weather.sleep) {
            let time = Duration::from_secs(self.dice.u64(60..400_000));
            self.note(|| format!("sleeps for {time:?}"));
            // Half of the time the connection does not survive it.
            if self.dice.bool() {
                self.cut(time);
            }
            self.now += time;
        }
        if self.chance(weather.stuck) {
            self.stuck = Some(self.now + Duration::from_millis(self.dice.u64(100..20_000)));
        }
        if self.chance(weather.guest) {
            if self.dice.bool() {
                let hands_on = self.dice.bool();
                self.shell.join(false, hands_on);
            } else {
                self.shell.guest_leaves(self.now);
            }
        }
        if self.chance(weather.open) {
            let place = self.dice.usize(FIRST..PLACES);
            let open = self.server.places[place].known && self.opened.len() < 5;
            if open && self.opened.insert(place) {
                self.shell.engine.set_opened(id_of(place), true);
            } else if self.opened.remove(&place) {
                self.shell.engine.set_opened(id_of(place), false);
            }
        }
        if self.chance(weather.crash) {
            self.begin_anew(true);
        }
        if self.chance(weather.walk_out) {
            self.begin_anew(false);
        }
        self.pump();
    }

    fn place(&mut self) -> usize {
        match self.dice.u8(0..20) {
            0..6 => COMMON,
            6..8 => QTS,
            8 => SEQ,
            // Some channels are busier than others.
            _ => {
                let most = self.dice.usize(1..=CHANNELS);
                FIRST + self.dice.usize(0..most)
            }
        }
    }

    /// Goes on to `end`, through everything that is due before.
    fn advance(&mut self, end: Instant) {
        let (mut moment, mut turns) = (self.now, 0);
        loop {
            turns = if moment == self.now { turns + 1 } else { 0 };
            moment = self.now;
            assert!(turns < 10_000, "what is due is never done");
            let wire = self.wire.first_key_value().map(|(&(at, _), _)| at);
            let timer = self.shell.engine.poll_timeout();
            let next = [wire, timer].into_iter().flatten().min();
            let Some(next) = next.filter(|&next| next <= end) else {
                break;
            };
            // Timers may be due for a clock that went back a little.
            self.now = next.max(self.now);
            if wire.is_some_and(|at| at <= self.now) {
                if let Some((_, what)) = self.wire.pop_first() {
                    self.arrive(what);
                }
            } else {
                let now = self.now;
                self.shell.engine.handle_timeout(now);
                self.pump();
            }
        }
        self.now = end.max(self.now);
        let now = self.clock();
        self.shell.engine.handle_timeout(now);
        self.pump();
    }

    /// Time goes by and all who read do so.
    fn rest(&mut self, time: Duration, steps: u32) {
        for _ in 0..steps {
            let end = self.now + time / steps;
            self.advance(end);
            for _ in 0..200 {
                let before = self
                    .shell
                    .readers
                    .iter()
                    .map(|r| r.steps.len())
                    .sum::<usize>();
                self.read();
                let after = self
                    .shell
                    .readers
                    .iter()
                    .map(|r| r.steps.len())
                    .sum::<usize>();
                if before == after {
                    break;
                }
            }
        }
    }

    pub(super) fn run(&mut self) -> Tally {
        self.pump();
        self.advance(self.now + Duration::from_millis(100));
        for _ in 0..self.dice.usize(20..90) {
            self.step();
            let pause = match self.dice.u8(0..12) {
                0 => self.dice.u64(300..20_000),
                _ => self.dice.u64(1..300),
            };
            let end = self.now + Duration::from_millis(pause);
            self.advance(end);
            self.read();
        }
        self.note(|| "the sky clears".to_owned());
        let weather = self.weather;
        self.weather = weather.cleared();
        self.stuck = None;
        self.calm = true;
        while self.shell.readers.iter().any(|reader| !reader.stays) {
            self.shell.guest_leaves(self.now);
        }
        for place in FIRST..PLACES {
            if !self.server.places[place].member {
                self.server.places[place].member = true;
                self.happen(place);
            }
        }
        for place in std::mem::take(&mut self.opened) {
            self.shell.engine.set_opened(id_of(place), false);
        }
        // What was lost comes to light at once, and what was lost unnoticed by the silence at the latest. So does what was
        // pushed to a process or a connection that ended then, when a replica that lags behind says there is nothing.
        self.rest(Duration::from_secs(300), 60);
        let hidden = weather.lag > 0 && (weather.crash > 0 || weather.cut > 0);
        if weather.lose == 0 && !hidden {
            self.check_readers(weather);
        }
        let asked = self.tally.requests;
        self.rest(Duration::from_secs(3600), 4);
        // Every quarter of an hour, and whatever channels the first of these names.
        let more = self.tally.requests - asked;
        assert!(more <= 8 + 2 * CHANNELS, "{more} requests in a quiet hour");
        let asked = self.tally.requests;
        self.rest(Duration::from_secs(3600), 4);
        let more = self.tally.requests - asked;
        assert!(more <= 5, "{more} requests in the second quiet hour");
        self.verdict(weather);
        self.tally
    }

    fn check_readers(&mut self, weather: Weather) {
        for reader in &self.shell.readers {
            let places = &self.server.places;
            let (pushed, steps) = (&self.shell.pushed, &reader.steps);
            let refused = weather.refuse > 0;
            let missed = check::check(places, pushed, &self.horizons, steps, refused);
            assert!(
                missed == 0 || !weather.keeps_all(),
                "{missed} times missing, out of nothing"
            );
            self.tally.missed = missed;
            self.tally.given = reader.steps.len();
        }
    }

    fn verdict(&mut self, weather: Weather) {
        let engine = &self.shell.engine;
        assert_eq!((engine.outlet.held, engine.running), (0, 0));
        assert!(engine.unsettled.is_empty() && engine.timers.is_empty());
        assert_eq!(engine.common.date, engine.common.next_date);
        self.check_readers(weather);
        let shown = |what| self.shell.pushed.iter().filter(|&&s| s == what).count();
        assert!(shown(Shown::Damaged) <= self.garbled);
        if self.garbled > 0 && self.tally.crashes == 0 {
            assert!(
                shown(Shown::Damaged) > 0,
                "nothing was said of {} garbled",
                self.garbled
            );
        }
        let quick = !weather.second && self.shell.readers[0].at_work.is_none();
        if weather.is_fair() && weather.short == 0 && quick {
            let seq = |shown: &&Shown| matches!(shown, Shown::Event { place: SEQ, .. });
            let told = self.shell.pushed.iter().filter(seq).count();
            assert_eq!(told, self.server.places[SEQ].events.len());
        }
        // Where nothing goes wrong there is nothing to ask, but at the beginning and in the silence of the end.
        if weather.is_fair() && weather.short == 0 && weather.open == 0 && quick {
            assert!(self.tally.requests <= 16, "{:?}", self.tally);
        }
        // Nothing that happens costs more than a few questions.
        let most = 60 + 4 * self.tally.events + 60 * self.tally.crashes;
        assert!(self.tally.requests <= most, "{:?}", self.tally);
    }
}

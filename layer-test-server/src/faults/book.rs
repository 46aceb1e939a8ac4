//! The rules that a server has, and what they make of what happens.

use std::time::Instant;

use super::{
    Action, Carrier, Fault, KeyKind, Point, RuleError, Step, Transfer, TransportKind, Where,
};

/// Rules held at most; those that have fired for the last time go first, then the oldest.
const MAX_RULES: usize = 1_000;

/// Names a rule that was given to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub(crate) u64);

impl FaultId {
    /// The number by which `--control` names the rule.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// The rule of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// A rule that a server has, and what became of it so far.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FaultStatus {
    /// Its name.
    pub id: FaultId,
    /// The rule.
    pub fault: Fault,
    /// How often it fired.
    pub fired: u64,
}

/// The connection on which something happens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) dc: i32,
    /// Its number among all that were accepted, from 1.
    pub(crate) connection: u64,
    /// Its framing and carrier, once they are known.
    pub(crate) transport: Option<TransportKind>,
    pub(crate) over: Option<Carrier>,
}

/// What happens.
pub(crate) enum Event<'a> {
    /// The connection is there, or its transport is known.
    Connect,
    /// The nth request of the key exchange came.
    Exchange { step: Step, number: u64 },
    /// The nth encrypted packet came.
    In {
        number: u64,
        key: KeyKind,
        container: bool,
        /// Whether a call of it has a name that fits.
        holds: &'a dyn Fn(&str) -> bool,
    },
    /// A call came.
    Call {
        method: &'a str,
        user: Option<i64>,
        key: KeyKind,
        /// What it moves, if it is about a file.
        transfer: &'a dyn Fn() -> Option<Transfer>,
    },
    /// Updates are to go to a session of an account.
    Push {
        user: i64,
        key: KeyKind,
        /// Whether the object or an update in it has a name that fits.
        holds: &'a dyn Fn(&str) -> bool,
    },
    /// The nth encrypted packet is to go out. So many of those before it can be sent again.
    Out {
        number: u64,
        key: KeyKind,
        kept: usize,
    },
}

/// What a rule wants done.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decision {
    pub(crate) actions: Vec<Action>,
    /// The seconds that are left of a rule that ends.
    pub(crate) left: Option<u32>,
}

struct Rule {
    id: FaultId,
    fault: Fault,
    /// How many connections had been accepted when it was given.
    base: u64,
    /// How often something fitted.
    seen: u64,
    fired: u64,
    ends: Option<Instant>,
}

/// All rules.
pub(crate) struct Book {
    rules: Vec<Rule>,
    next: u64,
    /// How many connections were accepted.
    connections: u64,
    random: fastrand::Rng,
}

impl Book {
    /// A book without rules. Chances are drawn from `random`.
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self {
            rules: Vec::new(),
            next: 1,
            connections: 0,
            random,
        }
    }

    /// Draws chances from another source from now on.
    pub(crate) fn reseed(&mut self, random: fastrand::Rng) {
        self.random = random;
    }

    /// Random bytes, for what goes out as noise.
    pub(crate) fn noise(&mut self, bytes: u32) -> Vec<u8> {
        (0..bytes).map(|_| self.random.u8(..)).collect()
    }

    /// A number for a new connection, from 1.
    pub(crate) fn connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// Takes a rule from now on. One that applies at once is only kept to be counted.
    pub(crate) fn add(&mut self, fault: Fault, now: Instant) -> Result<FaultId, RuleError> {
        fault.check()?;
        if self.rules.len() >= MAX_RULES {
            let done = self.rules.iter().position(|rule| rule.is_done(now));
            self.rules.remove(done.unwrap_or(0));
        }
        let id = FaultId(self.next);
        self.next += 1;
        self.rules.push(Rule {
            id,
            base: self.connections,
            seen: 0,
            fired: u64::from(fault.place.point == Point::Now),
            ends: fault.life.map(|life| now + life),
            fault,
        });
        Ok(id)
    }

    /// Forgets a rule; false when there is none of that name.
    pub(crate) fn remove(&mut self, id: FaultId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    /// Forgets the rules that are written for this method, or all.
    pub(crate) fn clear(&mut self, method: Option<&str>) {
        self.rules
            .retain(|rule| method.is_some() && rule.fault.place.method.as_deref() != method);
    }

    /// The rules, oldest first.
    pub(crate) fn list(&self) -> Vec<FaultStatus> {
        let status = |rule: &Rule| FaultStatus {
            id: rule.id,
            fault: rule.fault.clone(),
            fired: rule.fired,
        };
        self.rules.iter().map(status).collect()
    }

    /// How often a rule fired; 0 when there is none of that name.
    pub(crate) fn fired(&self, id: FaultId) -> u64 {
        let rule = self.rules.iter().find(|rule| rule.id == id);
        rule.map_or(0, |rule| rule.fired)
    }

    /// Whether any rule could apply at this point.
    pub(crate) fn watches(&self, point: Point) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.fault.place.point == point)
    }

    /// What is to be done about an event. Nothing, most of the time.
    pub(crate) fn decide(&mut self, scene: &Scene, event: &Event<'_>, now: Instant) -> Decision {
        for rule in self.rules.iter_mut().rev() {
            if rule.is_done(now) || !rule.fits(scene, event) {
                continue;
            }
            rule.seen += 1;
            if rule.seen <= rule.fault.after {
                continue;
            }
            if let Some(chance) = rule.fault.chance
                && self.random.f64() >= chance
            {
                continue;
            }
            rule.fired += 1;
            log::debug!(
                "fault {}, for the {}. time: {}",
                rule.id.0,
                rule.fired,
                rule.fault
            );
            return Decision {
                actions: rule.fault.actions.clone(),
                left: rule.ends.map(|ends| {
                    let left = ends.saturating_duration_since(now);
                    // Whoever waits so many whole seconds comes after the end.
                    let seconds = left.as_millis().div_ceil(1000);
                    u32::try_from(seconds).unwrap_or(u32::MAX)
                }),
            };
        }
        Decision::default()
    }
}

impl Rule {
    /// Whether it will not fire again.
    fn is_done(&self, now: Instant) -> bool {
        self.fault.place.point == Point::Now
            || self.fault.times.is_some_and(|times| self.fired >= times)
            || self.ends.is_some_and(|ends| ends <= now)
    }

    fn fits(&self, scene: &Scene, event: &Event<'_>) -> bool {
        let Where {
            point,
            method,
            connection,
            user,
            key,
            packet,
            container,
            step,
            update,
            ..
        } = &self.fault.place;
        // A connection of before the rule has no number for it.
        let nth = scene
            .connection
            .checked_sub(self.base)
            .filter(|nth| *nth > 0);
        if !self.fault.place.covers(scene) || (connection.is_some() && nth != *connection) {
            return false;
        }
        let same_key = |wanted: KeyKind| key.is_none_or(|key| key == wanted) && self.needs(wanted);
        let same_number = |number: u64| packet.is_none_or(|packet| packet == number);
        match event {
            Event::Connect => {
                // Those that ask for the transport are decided when it is known, all others before.
                let asks = self.fault.place.transport.is_some() || self.fault.place.over.is_some();
                *point == Point::Connect && asks == scene.transport.is_some()
            }
            Event::Exchange {
                step: wanted,
                number,
            } => {
                let can = |action: &Action| action.steps().contains(wanted);
                *point == Point::Exchange
                    && step.is_none_or(|step| step == *wanted)
                    && same_number(*number)
                    && self.fault.actions.iter().all(can)
            }
            Event::In {
                number,
                key,
                container: is_container,
                holds,
            } => {
                *point == Point::In
                    && same_number(*number)
                    && same_key(*key)
                    && (*is_container || !container)
                    && method.as_ref().is_none_or(|pattern| holds(pattern))
            }
            Event::Call {
                method: name,
                user: caller,
                key,
                transfer,
            } => {
                *point == Point::Call
                    && same_key(*key)
                    && (user.is_none() || user == caller)
                    && method.as_ref().is_none_or(|pattern| matches(pattern, name))
                    && (!self.fault.place.asks_for_files()
                        || transfer().is_some_and(|moved| self.fault.place.moves(&moved)))
            }
            Event::Push {
                user: hears,
                key,
                holds,
            } => {
                *point == Point::Push
                    && same_key(*key)
                    && user.is_none_or(|user| user == *hears)
                    && update.as_ref().is_none_or(|pattern| holds(pattern))
            }
            Event::Out { number, key, kept } => {
                let replays = |action: &Action| match action {
                    Action::Replay(back) => *kept >= usize::from(*back),
                    _ => true,
                };
                *point == Point::Out
                    && same_number(*number)
                    && same_key(*key)
                    && self.fault.actions.iter().all(replays)
            }
        }
    }

    /// A temporary key can only be forgotten where there is one.
    fn needs(&self, kind: KeyKind) -> bool {
        kind == KeyKind::Temporary
            || !self
                .fault
                .actions
                .contains(&Action::ForgetKey(KeyKind::Temporary))
    }
}

impl Where {
    /// Whether this data centre is meant.
    pub(crate) fn is_of(&self, dc_id: i32) -> bool {
        self.dc.is_none_or(|dc| dc == dc_id)
    }

    /// Whether the connection is one that is meant, as far as that does not depend on when the rule was given.
    pub(crate) fn covers(&self, scene: &Scene) -> bool {
        self.is_of(scene.dc)
            && (self.transport.is_none() || self.transport == scene.transport)
            && (self.over.is_none() || self.over == scene.over)
    }
}

/// Whether a name fits a pattern, in which a star stands for anything.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| matches(rest, name.get(at..).unwrap_or_default()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SCENE: Scene = Scene {
        dc: 1,
        connection: 1,
        transport: Some(TransportKind::Abridged),
        over: Some(Carrier::Tcp),
    };

    fn book(rules: &[&str], now: Instant) -> Book {
        let mut book = Book::new(fastrand::Rng::with_seed(1));
        for rule in rules {
            book.add(rule.parse().unwrap(), now).unwrap();
        }
        book
    }

    fn call<'a>(method: &'a str) -> Event<'a> {
        Event::Call {
            transfer: &|| None,
            method,
            user: Some(7),
            key: KeyKind::Permanent,
        }
    }

    fn fires(book: &mut Book, scene: &Scene, event: &Event<'_>, now: Instant) -> bool {
        !book.decide(scene, event, now).actions.is_empty()
    }

    #[test]
    fn a_rule_fires_as_often_as_it_says_and_is_counted() {
        let now = Instant::now();
        let mut book = book(&["method=help.* after=1 times=2: drop"], now);
        let fired: Vec<_> = (0..5)
            .map(|_| fires(&mut book, &SCENE, &call("help.getConfig"), now))
            .collect();
        assert_eq!(fired, [false, true, true, false, false]);
        assert_eq!(book.fired(FaultId(1)), 2);
        assert_eq!(book.fired(FaultId(2)), 0);
    }

    #[test]
    fn a_rule_ends_and_tells_what_is_left() {
        let now = Instant::now();
        let mut book = book(&["method=* for=3s: flood-wait 9"], now);
        let mut left = |after| {
            let decision = book.decide(&SCENE, &call("a.b"), now + Duration::from_millis(after));
            decision
                .actions
                .first()
                .and_then(|action| action.refusal(decision.left))
        };
        let wait = |seconds| Some((420, format!("FLOOD_WAIT_{seconds}")));
        assert_eq!(left(0), wait(3));
        assert_eq!(left(1_500), wait(2));
        assert_eq!(left(2_999), wait(1));
        assert_eq!(left(3_000), None);
    }

    #[test]
    fn the_rule_given_last_decides_and_leaves_the_rest_to_the_one_before() {
        let now = Instant::now();
        let mut book = book(&["call: drop", "call times=1: duplicate"], now);
        let decide = |book: &mut Book| book.decide(&SCENE, &call("a.b"), now).actions;
        assert_eq!(decide(&mut book), [Action::Duplicate]);
        assert_eq!(decide(&mut book), [Action::Drop]);
        assert!(book.remove(FaultId(1)) && !book.remove(FaultId(1)));
        assert_eq!(decide(&mut book), []);
    }

    #[test]
    fn each_selector_narrows() {
        let now = Instant::now();
        let packet = |number, key, container| Event::In {
            number,
            key,
            container,
            holds: &|pattern| matches(pattern, "messages.sendMessage"),
        };
        let plain = packet(1, KeyKind::Permanent, false);
        let second = Scene {
            connection: 2,
            ..SCENE
        };
        for (rule, scene, event, fits) in [
            ("in dc=1: drop", SCENE, &plain, true),
            ("in dc=2: drop", SCENE, &plain, false),
            ("in connection=1: drop", SCENE, &plain, true),
            ("in connection=1: drop", second, &plain, false),
            ("in transport=abridged: drop", SCENE, &plain, true),
            ("in transport=full: drop", SCENE, &plain, false),
            ("in over=tcp: drop", SCENE, &plain, true),
            ("in over=wss: drop", SCENE, &plain, false),
            ("in packet=1: drop", SCENE, &plain, true),
            ("in packet=2: drop", SCENE, &plain, false),
            ("in container: drop", SCENE, &plain, false),
            (
                "in container: drop",
                SCENE,
                &packet(1, KeyKind::Permanent, true),
                true,
            ),
            ("in key=permanent: drop", SCENE, &plain, true),
            ("in key=temporary: drop", SCENE, &plain, false),
            ("in: forget-key temporary", SCENE, &plain, false),
            (
                "in: forget-key temporary",
                SCENE,
                &packet(1, KeyKind::Temporary, false),
                true,
            ),
            ("in method=messages.*: drop", SCENE, &plain, true),
            ("in method=help.*: drop", SCENE, &plain, false),
            (
                "call method=*.getConfig: drop",
                SCENE,
                &call("help.getConfig"),
                true,
            ),
            ("call user=7: drop", SCENE, &call("help.getConfig"), true),
            ("call user=8: drop", SCENE, &call("help.getConfig"), false),
            ("call: drop", SCENE, &plain, false),
            ("connect: close", SCENE, &Event::Connect, false),
            (
                "connect transport=abridged: close",
                SCENE,
                &Event::Connect,
                true,
            ),
            ("connect: close", Scene::default(), &Event::Connect, true),
            (
                "connect transport=abridged: close",
                Scene::default(),
                &Event::Connect,
                false,
            ),
            (
                "out: replay 2",
                SCENE,
                &Event::Out {
                    number: 9,
                    key: KeyKind::Permanent,
                    kept: 1,
                },
                false,
            ),
            (
                "exchange: foreign-prime",
                SCENE,
                &Event::Exchange {
                    step: Step::Pq,
                    number: 1,
                },
                false,
            ),
            (
                "exchange step=gen packet=3: wrong-hash",
                SCENE,
                &Event::Exchange {
                    step: Step::DhGen,
                    number: 3,
                },
                true,
            ),
        ] {
            let mut book = book(&[rule], now);
            assert_eq!(fires(&mut book, &scene, event, now), fits, "{rule}");
        }
    }

    #[test]
    fn connections_count_from_when_the_rule_was_given() {
        let now = Instant::now();
        let mut book = book(&[], now);
        let early = book.connection();
        book.add("in connection=1: drop".parse().unwrap(), now)
            .unwrap();
        let late = book.connection();
        let event = Event::In {
            number: 1,
            key: KeyKind::Permanent,
            container: false,
            holds: &|_| false,
        };
        for (connection, fits) in [(early, false), (late, true), (late + 1, false)] {
            let scene = Scene {
                connection,
                ..SCENE
            };
            assert_eq!(fires(&mut book, &scene, &event, now), fits, "{connection}");
        }
    }

    #[test]
    fn chances_follow_from_the_seed() {
        let now = Instant::now();
        let draw = |seed| {
            let mut book = book(&["call chance=30%: drop"], now);
            book.reseed(fastrand::Rng::with_seed(seed));
            (0..400)
                .map(|_| fires(&mut book, &SCENE, &call("a.b"), now))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        let hits = draw(5).iter().filter(|hit| **hit).count();
        assert!((80..160).contains(&hits), "{hits}");
    }

    #[test]
    fn rules_are_bounded_and_those_that_are_done_go_first() {
        let now = Instant::now();
        let mut book = book(&["call: drop", "method=a.b times=1: gzip"], now);
        assert!(fires(&mut book, &SCENE, &call("a.b"), now));
        for _ in 2..MAX_RULES {
            book.add("in: drop".parse().unwrap(), now).unwrap();
        }
        assert_eq!(book.rules.len(), MAX_RULES);
        book.add("in: drop".parse().unwrap(), now).unwrap();
        assert_eq!(book.rules.len(), MAX_RULES);
        assert_eq!(
            (book.rules[0].id, book.rules[1].id),
            (FaultId(1), FaultId(3))
        );
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.bc", true),
            ("a.*", "b.a.c", false),
            ("*.get*s", "users.getUsers", true),
            ("*.get*s", "users.getUser", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}

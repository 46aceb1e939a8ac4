//! A client and a server without sockets: the core's state machines joined by a made-up network and made-up clocks.
//!
//! Everything follows from a seed. `weather` says what is to go wrong; `link` carries bytes, `world` is the server,
//! `shell` the client's program around the core, and `fates` keeps what became of each request and holds it
//! against what must not be.

mod clock;
mod fates;
mod link;
mod nonsense;
mod order;
mod shell;
mod trace;
mod weather;
mod world;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use layer_crypto::SecureRandom;
use layer_crypto::rsa::PrivateKey;
use layer_mtproto::session::{RequestId, SubmitOptions};

pub(crate) use self::weather::{FAIR, Weather};

use self::clock::{Clock, Time};
use self::fates::{End, Fates};
use self::link::{Link, Meddler, pace};
use self::shell::Shell;
use self::world::World;
use crate::util::pair::call;
use crate::util::{TestRng, server_keys};

const SECRET: [u8; 16] = *b"a proxy's secret";
const BIND: u32 = 0xcdd4_2a05;
/// What introduces the client. Only its being there matters.
const PREAMBLE: [u8; 12] = *b"\xfe\xfe\xfe\xfewho I am";
/// How long the weather lasts.
const STORM: Time = Duration::from_secs(45);
/// By when everything must have come to rest after it has cleared.
const REST: Time = Duration::from_secs(1500);
/// A run that sends more than this goes round in circles.
const MAX_PACKETS: usize = 6000;

/// Random numbers, as they are needed here.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    fn chance(&mut self, of_1000: u32) -> bool {
        of_1000 > 0 && self.0.u32(..1000) < of_1000
    }

    fn below(&mut self, n: usize) -> usize {
        self.0.usize(..n)
    }

    fn bits(&mut self) -> u32 {
        self.0.u32(..)
    }

    fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.0.u64(low..=high))
    }

    fn rng(&mut self) -> Box<dyn SecureRandom + Send> {
        TestRng::boxed(self.next())
    }
}

struct Sim {
    dice: Dice,
    weather: Weather,
    clock: Clock,
    link: Option<Link>,
    up: Meddler,
    down: Meddler,
    world: World,
    shell: Shell,
    fates: Fates,
    next_step: Time,
}

impl Sim {
    fn new(seed: u64, weather: Weather) -> Self {
        static KEYS: OnceLock<Arc<[PrivateKey]>> = OnceLock::new();
        let rsa = KEYS.get_or_init(server_keys);
        Self {
            dice: Dice(fastrand::Rng::with_seed(seed)),
            weather,
            clock: Clock::new(weather.skew),
            link: None,
            up: Meddler::default(),
            down: Meddler::default(),
            world: World::new(rsa.clone()),
            shell: Shell::new(rsa.clone()),
            fates: Fates::default(),
            next_step: Time::ZERO,
        }
    }

    // -- the network --------------------------------------------------------------------------------------

    fn connect(&mut self) {
        let deaf = self.dice.chance(self.weather.deaf);
        self.link = Some(Link {
            deaf,
            ..Link::default()
        });
        self.world.accept(&self.weather, &mut self.dice);
        self.shell.connected(
            &mut self.world,
            &self.clock,
            &self.weather,
            &mut self.dice,
            &mut self.fates,
        );
    }

    fn cut(&mut self) {
        if self.link.take().is_some() {
            self.world.hang_up();
            self.shell.lost(&self.clock, &mut self.dice);
        }
    }

    /// Brings what has arrived.
    fn deliver(&mut self) {
        let Some(link) = &mut self.link else {
            return;
        };
        let now = self.clock.now;
        let (up, down) = (link.up.read(now), link.down.read(now));
        if !link.deaf && !up.is_empty() {
            let Some(packets) = self.world.unframe(&up) else {
                return self.cut();
            };
            for packet in packets {
                let passed = self.up.pass(packet, now, &self.weather, &mut self.dice);
                if !passed.into_iter().all(|packet| self.hand_to_server(packet)) {
                    return self.cut();
                }
            }
        }
        if !down.is_empty() {
            let Some(packets) = self.shell.unframe(&down) else {
                return self.cut();
            };
            for packet in packets {
                let passed = self
                    .down
                    .pass(packet.into(), now, &self.weather, &mut self.dice);
                if !passed.into_iter().all(|packet| self.hand_to_client(packet)) {
                    return self.cut();
                }
            }
        }
        let again = self.up.again(now);
        let back = self.down.again(now);
        let fine = again.into_iter().all(|packet| self.hand_to_server(packet))
            && back.into_iter().all(|packet| self.hand_to_client(packet));
        if !fine {
            self.cut();
        }
    }

    fn hand_to_server(&mut self, packet: Vec<u8>) -> bool {
        self.world.on_packet(
            packet,
            &self.clock,
            &self.weather,
            &mut self.dice,
            &mut self.fates,
        )
    }

    fn hand_to_client(&mut self, packet: Vec<u8>) -> bool {
        self.shell.on_packet(
            packet,
            &mut self.world,
            &self.clock,
            &self.weather,
            &mut self.dice,
            &mut self.fates,
        )
    }

    /// Lets both do what is due, and puts what they say on its way.
    fn work(&mut self) {
        let pushes = &mut self.world.pushes;
        let fine = self
            .shell
            .work(&self.clock, &mut self.dice, &mut self.fates, pushes);
        if !fine {
            self.cut();
        }
        let fine = self
            .world
            .work(&self.clock, &self.weather, &mut self.dice, &mut self.fates);
        if !fine {
            self.cut();
        }
        let now = self.clock.now;
        if let Some(link) = &mut self.link {
            let up = std::mem::take(&mut self.shell.outgoing);
            link.up.write(&up, now, &self.weather, &mut self.dice);
            let down = std::mem::take(&mut self.world.outgoing);
            link.down.write(&down, now, &self.weather, &mut self.dice);
        }
    }

    // -- requests -----------------------------------------------------------------------------------------

    fn submit(&mut self) {
        let number = self.fates.len();
        let body = match self.dice.chance(self.weather.long) {
            true => call(&format!(
                "r{number} {}",
                "long ".repeat(50 + self.dice.below(200))
            )),
            false => call(&format!("r{number}")),
        };
        let mut options = SubmitOptions::default();
        let may_repeat = !self.dice.chance(self.weather.forbid);
        if !may_repeat {
            options.ask_before_resend = self.dice.below(2) == 0;
            options.resend_on_reconnect = options.ask_before_resend;
        }
        if self.dice.chance(self.weather.deadline) {
            options.deadline = Some(self.clock.client() + self.dice.millis(0, 20_000));
        }
        if self.dice.chance(self.weather.chain) {
            options.after = self.predecessors();
        }
        let after = options.after.clone();
        if let Some(id) = self.shell.submit(body.clone(), options, &self.clock) {
            self.fates.submitted(id, body, may_repeat, after);
        }
    }

    fn predecessors(&mut self) -> Vec<RequestId> {
        let mut ids: Vec<_> = self.fates.last().into_iter().collect();
        while self.dice.below(4) == 0
            && let Some(id) = self.fates.nth(self.dice.below(self.fates.len().max(1)))
        {
            ids.push(id);
        }
        ids
    }

    fn cancel(&mut self) {
        let n = self.dice.below(self.fates.len().max(1));
        if let (Some(id), Some(session)) = (self.fates.nth(n), &mut self.shell.session) {
            session.cancel(id, self.clock.client());
        }
    }

    // -- time ---------------------------------------------------------------------------------------------

    fn step(&mut self) {
        let weather = self.weather;
        match self.dice.below(10) {
            0..4 => self.submit(),
            4 => self.world.push(),
            _ => {}
        }
        if self.dice.chance(weather.cancel) {
            self.cancel();
        }
        if self.dice.chance(weather.cut) {
            self.cut();
        }
        if self.dice.chance(weather.rotate) {
            trace::note(&self.clock, "the salts rotate");
            self.world.rotate_salts();
        }
        if self.dice.chance(weather.forget) {
            self.forget();
        }
        if self.dice.chance(weather.forget_key) {
            trace::note(&self.clock, "the server forgets a key");
            if self.world.forget_key(&mut self.dice) {
                self.up.forget();
                self.fates.sessions_lost();
            }
        }
        if self.dice.chance(weather.nonsense) {
            self.world.say_nonsense(&self.clock, &mut self.dice);
        }
        if self.dice.chance(weather.jump) {
            let by = i64::try_from(self.dice.below(1200)).unwrap() - 600;
            trace::note(&self.clock, &format!("the server's clock jumps by {by} s"));
            self.clock.server_skew += by;
            self.clock.server_jumps += 1;
            // Time goes back where another machine takes over: msg_ids of one session never do.
            if by < 0 {
                self.forget();
            }
            // Somebody sets the client's wall clock, which matters to what begins after that only.
            if self.dice.below(2) == 0 {
                self.clock.client_skew -= by * 100;
            }
        }
        if self.dice.chance(weather.sleep) {
            let time = self.dice.millis(1000, 400_000);
            trace::note(&self.clock, &format!("the client sleeps for {time:?}"));
            self.clock.sleep(time);
        }
    }

    fn forget(&mut self) {
        trace::note(&self.clock, "the server forgets its sessions");
        self.world.forget_sessions();
        self.up.forget();
        self.fates.sessions_lost();
    }

    /// Goes on to the next moment at which something happens, or to `end`.
    fn advance(&mut self, end: Time) {
        let link = self.link.as_ref().and_then(Link::next);
        let meddlers = [self.up.next(), self.down.next()];
        let meddlers = meddlers
            .into_iter()
            .flatten()
            .filter(|_| self.link.is_some());
        let next = [
            link,
            self.shell.next(&self.clock),
            self.world.next(&self.clock),
            Some(self.next_step).filter(|_| self.clock.now < STORM),
        ];
        let next = next.into_iter().flatten().chain(meddlers).min();
        // Time goes on a little in any case: what is due for ever would stop it.
        let least = self.clock.now + Duration::from_micros(50);
        self.clock.now = next.unwrap_or(end).clamp(least, end.max(least));
        if self.shell.connect_at.is_some_and(|at| at <= self.clock.now) {
            self.connect();
        }
        self.deliver();
        self.work();
        self.check();
    }

    fn check(&self) {
        let packets = self.shell.packets;
        assert!(packets < MAX_PACKETS, "{packets} packets and no end");
        if let Some(session) = &self.shell.session {
            let kept = session.footprint();
            // One more while a key is being bound; less while outcomes wait to be asked for.
            let (requests, open) = (kept.requests, self.fates.open());
            assert!(
                requests <= open + 1 && requests + kept.events >= open,
                "{open} requests are open: {kept:?}"
            );
            assert!(kept.names <= requests * 64, "{kept:?}");
            assert!(kept.sent <= 1024 + kept.names, "{kept:?}");
            assert!(kept.service <= 300 && kept.acks <= 8192, "{kept:?}");
            assert!(kept.seen <= 4096 && kept.distrusted <= 1024, "{kept:?}");
            assert!(
                kept.successors <= requests && kept.events <= 500,
                "{kept:?}"
            );
        }
    }

    fn run(&mut self) {
        while self.clock.now < STORM {
            if self.next_step <= self.clock.now {
                self.step();
                self.next_step = self.clock.now + pace(&mut self.dice);
            }
            self.advance(STORM);
        }
        trace::note(&self.clock, "the sky clears");
        self.weather = self.weather.cleared();
        self.up.forget();
        self.down.forget();
        self.cut();
        let end = self.clock.now + REST;
        while self.clock.now < end && (self.fates.open() > 0 || !self.is_at_rest()) {
            self.advance(end);
        }
        self.fates.verdict();
        // And it is of use.
        let body = call("at last");
        let mut asked = None;
        let end = self.clock.now + REST;
        while self.clock.now < end {
            if asked.is_none() {
                let options = SubmitOptions::default();
                asked = self.shell.submit(body.clone(), options, &self.clock);
                if let Some(id) = asked {
                    self.fates.submitted(id, body.clone(), true, Vec::new());
                }
            }
            self.advance(end);
            if asked.is_some_and(|id| self.fates.get(id).end.is_some()) && self.is_at_rest() {
                break;
            }
        }
        let id = asked.expect("a session");
        assert_eq!(self.fates.get(id).end, Some(End::Answered), "of no use");
        let kept = self.shell.session.as_ref().unwrap().footprint();
        assert_eq!((kept.requests, kept.names, kept.successors), (0, 0, 0));
        assert_eq!(self.world.unacknowledged(), 0, "acknowledged in the end");
    }

    /// Whether neither has anything to say.
    fn is_at_rest(&mut self) -> bool {
        let quiet = self.shell.session.as_ref().is_none_or(|session| {
            let kept = session.footprint();
            kept.acks == 0 && kept.service == 0
        });
        let flying = self.link.as_ref().and_then(Link::next).is_some();
        self.shell.is_connected() && quiet && !flying && self.world.unacknowledged() == 0
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) requests: usize,
    pub(crate) packets: usize,
    pub(crate) terminals: u32,
}

/// Runs one seed to its end; panics when something happens that must not.
pub(crate) fn run(seed: u64, weather: Weather) -> Tally {
    let mut sim = Sim::new(seed, weather);
    sim.run();
    Tally {
        requests: sim.fates.len(),
        packets: sim.shell.packets,
        terminals: sim.shell.terminals,
    }
}

//! Client and server sessions against each other through a network that loses, repeats and reorders packets, cuts
//! connections, and a server that refuses, forgets and changes its salts. Seeded: a failure prints its seed, and
//! `SIM_SEED=n` replays it. `SIM_RUNS=n` makes more runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use layer_crypto::message::{self, Sender};
use layer_mtproto::session::{
    ClientEvent, ClientSession, RequestId, SaltBook, ServerSession, ServerSessionConfig,
    ServerSessionEvent, SessionParams, SubmitOptions, open_packet,
};
use util::pair::{call, key, result_of};
use util::{TestRng, UNIX};

/// What the network and the server do in a run, in chances of 1000 for each step.
#[derive(Debug, Clone, Copy)]
struct Weather {
    cut: u32,
    lose: u32,
    repeat: u32,
    reorder: u32,
    refuse: u32,
    rotate: u32,
    forget: u32,
    jump: u32,
}

const FAIR: Weather = Weather {
    cut: 0,
    lose: 0,
    repeat: 0,
    reorder: 0,
    refuse: 0,
    rotate: 0,
    forget: 0,
    jump: 0,
};

/// What became of one request.
#[derive(Debug, Default)]
struct Fate {
    text: String,
    may_repeat: bool,
    executions: u32,
    outcomes: u32,
    /// How often a session was lost while it lived.
    sessions_lost: u32,
}

struct Sim {
    rng: fastrand::Rng,
    start: Instant,
    now: Instant,
    skew: Duration,
    client: ClientSession,
    servers: BTreeMap<i64, ServerSession>,
    salts: SaltBook,
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    connected: bool,
    fates: BTreeMap<RequestId, Fate>,
    running: Vec<(i64, i64, Vec<u8>)>,
    /// Pushed texts, their session, and how often they came.
    pushes: BTreeMap<Vec<u8>, (i64, u32)>,
    packets: usize,
    /// Whether the packet at the front of the queue went through before.
    front_is_copy: bool,
    terminal: bool,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let now = Instant::now();
        let salts = SaltBook::new(&key(), None, UNIX);
        let mut params = SessionParams::new(key());
        params.salts = salts.future(UNIX, 4);
        let client = ClientSession::new(params, TestRng::boxed(rng.u64(..)), now, UNIX);
        Self {
            start: now,
            now,
            skew: Duration::ZERO,
            client,
            servers: BTreeMap::new(),
            salts,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            connected: true,
            fates: BTreeMap::new(),
            running: Vec::new(),
            pushes: BTreeMap::new(),
            packets: 0,
            front_is_copy: false,
            terminal: false,
            rng,
        }
    }

    fn unix(&self) -> Duration {
        UNIX + (self.now - self.start) + self.skew
    }

    fn chance(&mut self, of_1000: u32) -> bool {
        self.rng.u32(..1000) < of_1000
    }

    fn submit(&mut self) {
        let text = format!("r{}", self.fates.len());
        let mut options = SubmitOptions::default();
        options.resend_on_reconnect = self.rng.u32(..5) != 0;
        if self.rng.u32(..10) == 0 {
            options.deadline = Some(self.now + Duration::from_millis(self.rng.u64(..20_000)));
        }
        let may_repeat = options.resend_on_reconnect;
        let id = self.client.submit(call(&text), options, self.now);
        self.fates.insert(
            id,
            Fate {
                text,
                may_repeat,
                ..Fate::default()
            },
        );
    }

    /// Moves what both have to say onto the wire.
    fn pump(&mut self) {
        if self.connected {
            for _ in 0..100 {
                let mut out = Vec::new();
                if !self.client.poll_transmit(self.now, &mut out) {
                    break;
                }
                self.packets += 1;
                trace(self.now - self.start, "client", &out);
                self.to_server.push_back(out);
            }
            let unix = self.unix();
            for server in self.servers.values_mut() {
                for _ in 0..100 {
                    let mut out = Vec::new();
                    if !server.poll_transmit(self.now, unix, &mut out) {
                        break;
                    }
                    trace(self.now - self.start, "server", &out);
                    self.to_client.push_back(out);
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: ClientEvent) {
        let id = match event {
            ClientEvent::Response { id, body } => {
                let fate = &self.fates[&id];
                assert_eq!(body, result_of(&call(&fate.text)), "somebody else's answer");
                assert!(fate.executions > 0, "an answer to what was never done");
                id
            }
            ClientEvent::RpcError { id, .. } | ClientEvent::Failed { id, .. } => id,
            ClientEvent::Updates(body) => {
                let push = self
                    .pushes
                    .get_mut(&body)
                    .expect("an update that was never pushed");
                push.1 += 1;
                assert!(push.1 <= 1, "an update came twice");
                return;
            }
            ClientEvent::Terminal(_) => {
                self.terminal = true;
                return;
            }
            _ => return,
        };
        let fate = self.fates.get_mut(&id).unwrap();
        fate.outcomes += 1;
        assert_eq!(fate.outcomes, 1, "{} has two outcomes", fate.text);
    }

    fn on_server(&mut self, mut packet: Vec<u8>, refuse: Option<i32>) {
        let opened = open_packet(&key(), &mut packet).unwrap();
        let session_id = opened.session_id;
        let seed = self.rng.u64(..);
        let salts = self.salts.clone();
        let server = self.servers.entry(session_id).or_insert_with(|| {
            let config = ServerSessionConfig::default();
            ServerSession::new(key(), session_id, salts, TestRng::boxed(seed), config)
        });
        let unix = UNIX + (self.now - self.start) + self.skew;
        if let Some(code) = refuse {
            server.reject(opened.msg_id, opened.seqno, code);
            return;
        }
        server
            .handle_opened(&opened, &packet, self.now, unix)
            .unwrap();
        let events: Vec<_> = std::iter::from_fn(|| server.poll_event()).collect();
        for event in events {
            match event {
                ServerSessionEvent::Request { msg_id, body, .. } => {
                    let fate = self
                        .fates
                        .values_mut()
                        .find(|fate| call(&fate.text) == body)
                        .unwrap();
                    fate.executions += 1;
                    let allowed = 1 + if fate.may_repeat {
                        fate.sessions_lost
                    } else {
                        0
                    };
                    assert!(fate.executions <= allowed, "{} was done twice", fate.text);
                    self.running.push((session_id, msg_id, body));
                }
                ServerSessionEvent::DestroySession { session_id: old } => {
                    let existed = self.servers.remove(&old).is_some();
                    if let Some(server) = self.servers.get_mut(&session_id) {
                        server.respond_destroy_session(old, existed);
                    }
                }
                _ => {}
            }
        }
    }

    fn answer_one(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.running.len());
        let (session_id, msg_id, body) = self.running.swap_remove(at);
        if let Some(server) = self.servers.get_mut(&session_id) {
            server.respond(msg_id, result_of(&body));
        }
    }

    fn push(&mut self) {
        let session_id = self.client.session_id();
        if let Some(server) = self.servers.get_mut(&session_id) {
            let body = call(&format!("push {}", self.pushes.len()));
            server.push(body.clone());
            self.pushes.insert(body, (session_id, 0));
        }
    }

    fn cut(&mut self) {
        note(self.now - self.start, "cut");
        self.to_server.clear();
        self.front_is_copy = false;
        self.to_client.clear();
        self.connected = false;
        self.client.connection_lost(self.now);
    }

    fn reconnect(&mut self) {
        note(self.now - self.start, "reconnect");
        self.connected = true;
        let session_id = self.client.session_id();
        if let Some(server) = self.servers.get_mut(&session_id) {
            server.connected();
        }
    }

    fn note_lost_sessions(&mut self) {
        self.fates
            .values_mut()
            .for_each(|fate| fate.sessions_lost += 1);
    }

    fn timers(&mut self) {
        self.client.handle_timeout(self.now);
        self.servers
            .values_mut()
            .for_each(|server| server.handle_timeout(self.now));
    }

    fn step(&mut self, weather: &Weather) {
        let session = self.client.session_id();
        match self.rng.u32(..100) {
            0..15 => self.submit(),
            15..20 => self.push(),
            20..40 => self.answer_one(),
            40..60 => {
                if let Some(packet) = self.to_server.pop_front() {
                    let code = [16, 17, 18, 19, 20, 32, 33, 34, 35, 64][self.rng.usize(..10)];
                    let refuse = self.chance(weather.refuse * 5).then_some(code);
                    // A packet that was taken is not refused when it comes again.
                    let refuse = refuse.filter(|_| !self.front_is_copy);
                    self.front_is_copy = refuse.is_none() && self.chance(weather.repeat * 5);
                    if self.front_is_copy {
                        self.to_server.push_front(packet.clone());
                    }
                    if !self.chance(weather.lose * 5) {
                        self.on_server(packet, refuse);
                    }
                }
            }
            60..80 => {
                let at = usize::from(self.chance(weather.reorder * 5));
                if let Some(mut packet) = self
                    .to_client
                    .remove(at.min(self.to_client.len().saturating_sub(1)))
                {
                    if self.chance(weather.repeat * 5) {
                        self.to_client.push_front(packet.clone());
                    }
                    if !self.chance(weather.lose * 5)
                        && let Err(violation) = self.client.handle_packet(&mut packet, self.now)
                    {
                        assert!(!violation.is_fatal(), "{violation}");
                    }
                }
            }
            80..85 => {
                let ids: Vec<_> = self.fates.keys().copied().collect();
                if !ids.is_empty() && self.rng.u32(..4) == 0 {
                    self.client
                        .cancel(ids[self.rng.usize(..ids.len())], self.now);
                }
            }
            _ => {
                self.now += Duration::from_millis(self.rng.u64(..1500));
                self.timers();
            }
        }
        if self.connected && self.chance(weather.cut) {
            self.cut();
        } else if !self.connected && self.chance(200) {
            self.reconnect();
        }
        if self.chance(weather.rotate) {
            note(self.now - self.start, "salts rotate");
            self.salts.rotate();
        }
        if self.chance(weather.forget) {
            note(self.now - self.start, "the server forgets");
            // A restart takes time, if only a moment.
            self.now += Duration::from_millis(1);
            // A copy of what was done before would be done again: no client can keep that from happening.
            if std::mem::take(&mut self.front_is_copy) {
                self.to_server.pop_front();
            }
            self.servers.clear();
            self.running.clear();
            self.note_lost_sessions();
        }
        if self.chance(weather.jump) {
            self.skew += Duration::from_secs(self.rng.u64(..400));
        }
        self.pump();
        if self.client.session_id() != session {
            self.note_lost_sessions();
        }
    }

    /// Everything works from now on: whatever is still open must come to its end.
    fn heal(&mut self) {
        if !self.connected {
            self.reconnect();
        }
        let end = self.now + Duration::from_secs(600);
        let session = self.client.session_id();
        while self.now < end {
            self.pump();
            while let Some(packet) = self.to_server.pop_front() {
                self.on_server(packet, None);
            }
            while !self.running.is_empty() {
                self.answer_one();
            }
            while let Some(mut packet) = self.to_client.pop_front() {
                if let Err(violation) = self.client.handle_packet(&mut packet, self.now) {
                    assert!(!violation.is_fatal(), "{violation}");
                }
            }
            self.pump();
            if self.client.session_id() != session {
                self.note_lost_sessions();
            }
            if self.to_server.is_empty() && self.to_client.is_empty() {
                self.now += Duration::from_millis(200);
                self.timers();
            }
        }
    }

    fn verdict(&self) {
        for fate in self.fates.values() {
            assert_eq!(fate.outcomes, 1, "{} has no outcome", fate.text);
        }
        assert_eq!(self.client.pending(), 0);
        let session_id = self.client.session_id();
        let Some(server) = self.servers.get(&session_id) else {
            return;
        };
        if self.terminal {
            return;
        }
        assert_eq!(server.unacknowledged(), 0, "acknowledged in the end");
        for (push, (session, came)) in &self.pushes {
            if *session == session_id && self.fates.values().all(|fate| fate.sessions_lost == 0) {
                assert_eq!(
                    *came,
                    1,
                    "{} did not come",
                    String::from_utf8_lossy(&push[4..])
                );
            }
        }
    }
}

fn tracing() -> bool {
    std::env::var_os("SIM_TRACE").is_some()
}

fn note(at: Duration, what: &str) {
    if tracing() {
        eprintln!("{:>9.3} {what}", at.as_secs_f64());
    }
}

/// Prints the messages of a packet, with `SIM_TRACE`.
fn trace(at: Duration, who: &str, packet: &[u8]) {
    if !tracing() {
        return;
    }
    let mut packet = packet.to_vec();
    let from = if who == "client" {
        Sender::Client
    } else {
        Sender::Server
    };
    let plain = message::open(&key(), from, &mut packet).unwrap();
    let long = |at: usize| i64::from_le_bytes(plain[at..at + 8].try_into().unwrap());
    let length = usize::try_from(i32::from_le_bytes(plain[28..32].try_into().unwrap())).unwrap();
    eprint!(
        "{:>9.3} {who} [{:04x}] {:x}:",
        at.as_secs_f64(),
        long(8) & 0xffff,
        long(16)
    );
    let mut rest = &plain[32..32 + length];
    let one = |body: &[u8]| {
        let text: String = body[4..]
            .iter()
            .map(|b| {
                if (32..127).contains(b) {
                    char::from(*b)
                } else {
                    '.'
                }
            })
            .take(24)
            .collect();
        format!(
            "{:08x}({text})",
            u32::from_le_bytes(body[..4].try_into().unwrap())
        )
    };
    if rest[..4] != 0x73f1_f8dc_u32.to_le_bytes() {
        eprintln!(" {}", one(rest));
        return;
    }
    rest = &rest[8..];
    while !rest.is_empty() {
        let size = usize::try_from(i32::from_le_bytes(rest[12..16].try_into().unwrap())).unwrap();
        let id = i64::from_le_bytes(rest[..8].try_into().unwrap());
        eprint!(" {id:x} {}", one(&rest[16..16 + size]));
        rest = &rest[16 + size..];
    }
    eprintln!();
}

fn runs() -> u64 {
    std::env::var("SIM_RUNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(60)
}

fn simulate(name: &str, weather: impl Fn(&mut fastrand::Rng) -> Weather) {
    let only: Option<u64> = std::env::var("SIM_SEED").ok().and_then(|n| n.parse().ok());
    let seeds = only.map_or(0..runs(), |seed| seed..seed + 1);
    for seed in seeds {
        let weather = weather(&mut fastrand::Rng::with_seed(seed));
        let run = move || {
            let mut sim = Sim::new(seed);
            for _ in 0..400 {
                sim.step(&weather);
            }
            sim.heal();
            if std::env::var("SIM_TRACE").is_ok() {
                eprintln!(
                    "{:#?}",
                    sim.fates
                        .values()
                        .filter(|f| f.outcomes == 0)
                        .collect::<Vec<_>>()
                );
                eprintln!(
                    "pending {} connected {} timeout {:?}",
                    sim.client.pending(),
                    sim.connected,
                    sim.client
                        .poll_timeout()
                        .map(|t| t.saturating_duration_since(sim.now))
                );
            }
            sim.verdict();
            assert!(sim.packets < 20_000, "{} packets", sim.packets);
            sim.terminal
        };
        match std::panic::catch_unwind(run) {
            Ok(terminal) => {
                let gentle = weather.refuse == 0;
                assert!(
                    !(terminal && gentle),
                    "{name}: seed {seed} ended the session"
                );
            }
            Err(panic) => {
                eprintln!("{name}: SIM_SEED={seed} with {weather:?}");
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[test]
fn in_fair_weather_everything_is_answered() {
    simulate("fair", |_| FAIR);
}

#[test]
fn cut_connections_lose_nothing_and_repeat_nothing() {
    simulate("cuts", |rng| Weather {
        cut: rng.u32(1..60),
        ..FAIR
    });
}

#[test]
fn rotated_salts_lose_nothing_and_repeat_nothing() {
    simulate("salts", |rng| Weather {
        rotate: rng.u32(1..20),
        cut: rng.u32(..20),
        ..FAIR
    });
}

#[test]
fn lost_repeated_and_reordered_packets_lose_nothing_and_repeat_nothing() {
    simulate("packets", |rng| Weather {
        lose: rng.u32(..20),
        repeat: rng.u32(..40),
        reorder: rng.u32(..40),
        cut: rng.u32(..20),
        ..FAIR
    });
}

#[test]
fn a_server_that_forgets_its_sessions_gets_everything_again() {
    simulate("forgets", |rng| Weather {
        forget: rng.u32(1..10),
        cut: rng.u32(..20),
        ..FAIR
    });
}

#[test]
fn a_clock_that_stands_still_is_set_right() {
    simulate("clock", |rng| Weather {
        jump: rng.u32(1..10),
        cut: rng.u32(..20),
        ..FAIR
    });
}

#[test]
fn in_the_worst_weather_every_request_has_one_outcome() {
    simulate("storm", |rng| Weather {
        cut: rng.u32(..40),
        lose: rng.u32(..10),
        repeat: rng.u32(..20),
        reorder: rng.u32(..20),
        refuse: rng.u32(1..40),
        rotate: rng.u32(..10),
        forget: rng.u32(..5),
        jump: rng.u32(..5),
    });
}

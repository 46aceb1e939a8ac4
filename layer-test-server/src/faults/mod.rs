//! Faults on demand: what a test wants to go wrong, where and how often.
//!
//! A [`Fault`] is a rule: where it applies ([`Where`]), how often, and what then happens ([`Action`]). Rules are given
//! to a running server by [`Server::faults`](crate::Server::faults), as values or as text:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use layer_test_server::faults::{Action, Fault, Where};
//! use layer_test_server::Server;
//!
//! let server = Server::builder().start().await?;
//! // The next two messages that anybody sends are refused for three seconds: does your bot wait?
//! let flood = server.faults().add(
//!     Fault::on(Where::method("messages.sendMessage")).times(2).then(Action::FloodWait(3)),
//! )?;
//! // The same, as `--fault` of the program and lines on its standard input take it.
//! server.faults().add("method=messages.sendMessage times=2: flood-wait 3".parse()?)?;
//! // One packet in twenty is lost on its way out, the same ones for the same seed.
//! server.faults().seed(7);
//! server.faults().add(Fault::on(Where::outgoing()).chance(0.05).then(Action::Drop))?;
//!
//! // One update in ten never comes, and no session layer sends it again: only a difference has it.
//! server.faults().add(Fault::on(Where::pushes()).chance(0.1).then(Action::Drop))?;
//!
//! // … let your program run against the server …
//! assert_eq!(server.faults().fired(flood), 0);
//! # server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # The text of a rule
//!
//! `WHERE: ACTION`, with more selectors before the colon and more actions, parted by commas, after it.
//!
//! | point | what happens there |
//! |---|---|
//! | `connect` | a connection is accepted; with `transport=` or `over=`, when that is known |
//! | `exchange` | a request of the key exchange comes |
//! | `in` | an encrypted packet comes |
//! | `call` | a call of the API comes; `method=` alone means this point |
//! | `out` | an encrypted packet goes out |
//! | `push` | updates go to a session, before the session layer has them: what is lost here it does not send again |
//! | `now` | at once, and once: to all connections, keys and sessions that fit |
//!
//! | selector | fits |
//! |---|---|
//! | `method=messages.*` | calls of such methods; at `in`, packets that hold one. `*` stands for anything |
//! | `dc=2` | connections to this data centre |
//! | `connection=3` | the third connection that is accepted after the rule was given |
//! | `transport=abridged` | also `intermediate`, `padded`, `full` |
//! | `over=tcp` | also `ws`, `wss`, `faketls`: what carries the transport |
//! | `user=1000001` | calls of this account, or updates for it |
//! | `update=updateNewMessage` | objects of updates that are or hold such a one; stars as above |
//! | `part=3` | calls that save this part of a file, counted from 0 |
//! | `offset=4MiB` | calls of `upload.*` that read the byte of a file at this place |
//! | `file=77` | calls of `upload.*` about this photo, document or upload |
//! | `key=temporary` | packets and calls under such keys; also `permanent` |
//! | `packet=3` | the third packet or step in its direction on its connection |
//! | `container` | packets that hold a container |
//! | `step=pq` | this request of the key exchange; also `dh`, `gen` |
//!
//! | count | meaning |
//! |---|---|
//! | `times=2` | no more than twice; without it, every time |
//! | `after=5` | not the first five times |
//! | `nth=3` | the third time only |
//! | `chance=10%` | one time in ten |
//! | `for=30s` | until so much time has passed |
//!
//! What goes wrong with files is in [`Files`](crate::Files), and what a CDN can do wrong in [`Cdn`](crate::Cdn).
//!
//! At `connect`, `noise` comes before anything else, also before TLS; `split` and `cut` count the bytes of the
//! transport, within WebSocket, TLS or FakeTLS.
//!
//! [`Action`] lists the actions. When several rules fit, the one given last decides, and what it does not take
//! (because of `after`, `times` or `chance`) goes to the one before it.
//!
//! # How it is built
//!
//! The module decides and does nothing: it has no clock, no socket and no randomness but what it is handed. The
//! network side asks it at each point, and does what it says.

mod action;
mod book;
mod text;
mod transfer;

use std::fmt;
use std::time::Duration;

pub(crate) use action::MAX_REPLAY;
pub use action::{Action, Migration};
pub(crate) use book::{Book, Decision, Event, Scene, matches};
pub use book::{FaultId, FaultStatus};
pub use layer_mtproto::transport::TransportKind;
pub use text::RuleError;
pub(crate) use transfer::Transfer;

/// At which point of the server's work a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// A connection is accepted.
    Connect,
    /// A request of the key exchange comes.
    Exchange,
    /// An encrypted packet comes.
    In,
    /// A call comes.
    Call,
    /// An encrypted packet goes out.
    Out,
    /// Updates go to a session.
    Push,
    /// At once.
    Now,
}

impl Point {
    const ALL: [(&'static str, Self); 7] = [
        ("connect", Self::Connect),
        ("exchange", Self::Exchange),
        ("in", Self::In),
        ("call", Self::Call),
        ("out", Self::Out),
        ("push", Self::Push),
        ("now", Self::Now),
    ];

    /// Those at which something happens again and again.
    const RECURRING: &'static [Self] = &[
        Self::Connect,
        Self::Exchange,
        Self::In,
        Self::Call,
        Self::Out,
        Self::Push,
    ];

    /// Those at which it is known on which connection something happens.
    const CONNECTED: &'static [Self] = &[
        Self::Connect,
        Self::Exchange,
        Self::In,
        Self::Call,
        Self::Out,
    ];

    /// The same, and what can be done to all connections at once.
    const CARRIED: &'static [Self] = &[
        Self::Connect,
        Self::Exchange,
        Self::In,
        Self::Call,
        Self::Out,
        Self::Now,
    ];
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::name_of(&Self::ALL, *self))
    }
}

/// What carries a connection's transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carrier {
    /// TCP, and nothing between.
    Tcp,
    /// A WebSocket.
    WebSocket,
    /// A WebSocket over TLS.
    SecureWebSocket,
    /// What an MTProxy client with an `ee` secret makes look like TLS.
    FakeTls,
}

impl Carrier {
    const ALL: [(&'static str, Self); 4] = [
        ("tcp", Self::Tcp),
        ("ws", Self::WebSocket),
        ("wss", Self::SecureWebSocket),
        ("faketls", Self::FakeTls),
    ];
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::name_of(&Self::ALL, *self))
    }
}

/// The kind of an auth key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// One that stays.
    Permanent,
    /// One of perfect forward secrecy, bound to a permanent one or not.
    Temporary,
}

impl KeyKind {
    const ALL: [(&'static str, Self); 2] = [
        ("permanent", Self::Permanent),
        ("temporary", Self::Temporary),
    ];
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::name_of(&Self::ALL, *self))
    }
}

/// A request of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `req_pq_multi`, answered by `resPQ`.
    Pq,
    /// `req_DH_params`, answered by `server_DH_params_ok`.
    DhParams,
    /// `set_client_DH_params`, answered by `dh_gen_ok`.
    DhGen,
}

impl Step {
    const ALL: [(&'static str, Self); 3] = [
        ("pq", Self::Pq),
        ("dh", Self::DhParams),
        ("gen", Self::DhGen),
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::name_of(&Self::ALL, *self))
    }
}

/// Where a rule applies. Begin with one of the points, and narrow it down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Where {
    point: Point,
    method: Option<String>,
    dc: Option<i32>,
    connection: Option<u64>,
    transport: Option<TransportKind>,
    over: Option<Carrier>,
    user: Option<i64>,
    key: Option<KeyKind>,
    packet: Option<u64>,
    container: bool,
    step: Option<Step>,
    update: Option<String>,
    part: Option<i32>,
    offset: Option<u64>,
    file: Option<i64>,
}

impl Where {
    const fn at(point: Point) -> Self {
        Self {
            point,
            method: None,
            dc: None,
            connection: None,
            transport: None,
            over: None,
            user: None,
            key: None,
            packet: None,
            container: false,
            step: None,
            update: None,
            part: None,
            offset: None,
            file: None,
        }
    }

    /// For the reader of texts, which learns the point on its way.
    fn anywhere() -> Self {
        Self::at(Point::Now)
    }

    /// Calls of a method such as `messages.sendMessage`; `*` stands for anything: `messages.*`, `*`.
    pub fn method(name: impl Into<String>) -> Self {
        Self {
            method: Some(name.into()),
            ..Self::at(Point::Call)
        }
    }

    /// All calls.
    pub fn calls() -> Self {
        Self::at(Point::Call)
    }

    /// Encrypted packets that come.
    pub fn incoming() -> Self {
        Self::at(Point::In)
    }

    /// Encrypted packets that go out.
    pub fn outgoing() -> Self {
        Self::at(Point::Out)
    }

    /// Updates that go to a session, before the session layer has them: it sends nothing again of what is lost here.
    pub fn pushes() -> Self {
        Self::at(Point::Push)
    }

    /// Of updates, those objects that are or hold such a one: `updateNewMessage`, `update*Channel*`.
    pub fn update(mut self, name: impl Into<String>) -> Self {
        self.update = Some(name.into());
        self
    }

    /// Connections, as they are accepted.
    pub fn connections() -> Self {
        Self::at(Point::Connect)
    }

    /// Requests of the key exchange.
    pub fn key_exchange() -> Self {
        Self::at(Point::Exchange)
    }

    /// At once, and once.
    pub fn now() -> Self {
        Self::at(Point::Now)
    }

    /// Of incoming packets, those that hold a call of this method.
    pub fn holding(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only on connections to this data centre.
    pub fn dc(mut self, dc_id: i32) -> Self {
        self.dc = Some(dc_id);
        self
    }

    /// Only on the nth connection, from 1, that is accepted after the rule was given.
    pub fn connection(mut self, nth: u64) -> Self {
        self.connection = Some(nth);
        self
    }

    /// Only on connections with this framing.
    pub fn transport(mut self, kind: TransportKind) -> Self {
        self.transport = Some(kind);
        self
    }

    /// Only on connections that come this way.
    pub fn over(mut self, carrier: Carrier) -> Self {
        self.over = Some(carrier);
        self
    }

    /// Only calls of this account, or updates for it.
    pub fn user(mut self, user_id: i64) -> Self {
        self.user = Some(user_id);
        self
    }

    /// Only what comes under such an auth key.
    pub fn key(mut self, kind: KeyKind) -> Self {
        self.key = Some(kind);
        self
    }

    /// Only the nth packet in its direction on its connection, from 1; in the key exchange, the nth request.
    pub fn packet(mut self, nth: u64) -> Self {
        self.packet = Some(nth);
        self
    }

    /// Only packets that hold a container.
    pub fn container(mut self) -> Self {
        self.container = true;
        self
    }

    /// Only this request of the key exchange.
    pub fn step(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// Only calls that save the part of a file with this number, from 0.
    pub fn part(mut self, number: i32) -> Self {
        self.part = Some(number);
        self
    }

    /// Only calls of `upload.*` that read the byte of a file at this place, or hashes from there on.
    pub fn offset(mut self, bytes: u64) -> Self {
        self.offset = Some(bytes);
        self
    }

    /// Only calls of `upload.*` about the photo or document with this id, or about what is uploaded with it. A CDN
    /// is not told which file it is.
    pub fn file(mut self, id: i64) -> Self {
        self.file = Some(id);
        self
    }

    /// Whether it asks what a call of `upload.*` moves.
    fn asks_for_files(&self) -> bool {
        self.part.is_some() || self.offset.is_some() || self.file.is_some()
    }

    /// Whether what a call moves is meant.
    fn moves(&self, transfer: &Transfer) -> bool {
        self.part.is_none_or(|part| transfer.part == Some(part))
            && self.file.is_none_or(|file| transfer.file == Some(file))
            && self.offset.is_none_or(|at| transfer.reads(at))
    }

    /// Whether each selector has a meaning at the point.
    fn check(&self) -> Result<(), RuleError> {
        use Point::{Call, Exchange, In, Out, Push};
        let table: [(&str, bool, &'static [Point]); 13] = [
            ("method", self.method.is_some(), &[In, Call]),
            ("user", self.user.is_some(), &[Call, Push]),
            ("update", self.update.is_some(), &[Push]),
            ("part", self.part.is_some(), &[Call]),
            ("offset", self.offset.is_some(), &[Call]),
            ("file", self.file.is_some(), &[Call]),
            ("key", self.key.is_some(), &[In, Call, Out, Push]),
            ("packet", self.packet.is_some(), &[In, Out, Exchange]),
            ("container", self.container, &[In]),
            ("step", self.step.is_some(), &[Exchange]),
            ("connection", self.connection.is_some(), Point::CONNECTED),
            ("transport", self.transport.is_some(), Point::CARRIED),
            ("over", self.over.is_some(), Point::CARRIED),
        ];
        for (selector, given, points) in table {
            if given && !points.contains(&self.point) {
                return Err(RuleError::Selector {
                    selector,
                    point: self.point,
                    points,
                });
            }
        }
        let names = [
            (
                "method",
                &self.method,
                "a name such as messages.sendMessage",
            ),
            ("update", &self.update, "a name such as updateNewMessage"),
        ];
        for (selector, name, expected) in names {
            if let Some(name) = name
                && !text::is_name(name)
            {
                return Err(RuleError::value(selector, format!("{name:?}"), expected));
            }
        }
        Ok(())
    }
}

/// A rule: where it applies, how often, and what then happens.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a rule does nothing until it is given to a server"]
pub struct Fault {
    place: Where,
    after: u64,
    times: Option<u64>,
    chance: Option<f64>,
    life: Option<Duration>,
    actions: Vec<Action>,
}

impl Fault {
    /// A rule for this place, which does nothing yet: see [`Fault::then`].
    pub fn on(place: Where) -> Self {
        Self {
            place,
            after: 0,
            times: None,
            chance: None,
            life: None,
            actions: Vec::new(),
        }
    }

    /// Fires so often, and then no more. Without it, it fires every time.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many pass first.
    pub fn after(mut self, passed: u64) -> Self {
        self.after = passed;
        self
    }

    /// Fires the nth time only, from 1.
    pub fn nth(self, nth: u64) -> Self {
        self.after(nth.saturating_sub(1)).times(1)
    }

    /// Fires with this probability, 0 to 1. Which ones it hits follows from the server's seed.
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = Some(chance);
        self
    }

    /// Ends after so much time, of milliseconds at the finest.
    pub fn lasting(mut self, life: Duration) -> Self {
        self.life = Some(Duration::from_millis(
            u64::try_from(life.as_millis()).unwrap_or(u64::MAX),
        ));
        self
    }

    /// What happens, after what the rule does already.
    pub fn then(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// At which point it applies.
    #[must_use]
    pub fn point(&self) -> Point {
        self.place.point
    }

    pub(crate) fn place(&self) -> &Where {
        &self.place
    }

    pub(crate) fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Whether the rule makes sense as a whole.
    fn check(&self) -> Result<(), RuleError> {
        self.place.check()?;
        if self.actions.is_empty() {
            return Err(RuleError::NoAction);
        }
        if self.place.point == Point::Now {
            let by_connection = self.place.transport.is_some() || self.place.over.is_some();
            let elsewhere = self
                .actions
                .iter()
                .find(|action| !action.is_of_connection());
            if let Some(action) = elsewhere.filter(|_| by_connection) {
                let expected = "no transport or carrier, which only connections have";
                return Err(RuleError::value(action.name(), "one".into(), expected));
            }
            let counts = [
                ("after", self.after > 0),
                ("times", self.times.is_some()),
                ("chance", self.chance.is_some()),
                ("for", self.life.is_some()),
            ];
            if let Some((selector, _)) = counts.into_iter().find(|(_, given)| *given) {
                return Err(RuleError::Selector {
                    selector,
                    point: Point::Now,
                    points: Point::RECURRING,
                });
            }
        }
        if let Some(chance) = self.chance
            && !(0.0..=1.0).contains(&chance)
        {
            return Err(RuleError::value("chance", chance.to_string(), "0 to 1"));
        }
        for action in &self.actions {
            action.check()?;
            if !action.points().contains(&self.place.point) {
                return Err(RuleError::Misplaced {
                    action: action.name(),
                    point: self.place.point,
                    points: action.points(),
                });
            }
            if let Some(step) = self.place.step
                && !action.steps().contains(&step)
            {
                let steps: Vec<_> = action.steps().iter().map(Step::to_string).collect();
                return Err(RuleError::value(
                    "step",
                    step.to_string(),
                    &steps.join(" or "),
                ));
            }
        }
        Ok(())
    }
}

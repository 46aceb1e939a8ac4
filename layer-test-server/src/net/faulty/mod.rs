//! Where a connection asks what is to go wrong, and does it.
//!
//! What happens, and how often, is for [`faults`](crate::faults) to say. Here is the doing: at each point the
//! actions of the rule that fired are taken in their order. This file has what happens to a connection as a whole;
//! `exchange`, `incoming`, `calls` and `outgoing` the rest.

mod calls;
mod exchange;
mod incoming;
mod outgoing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_tl_types::name_for_id;

pub(in crate::net) use self::exchange::prepare;
use super::connection::{AUTH_KEY_NOT_FOUND, Close, Connection};
use super::packets::Incoming;
use super::{Hub, Live, lock};
use crate::faults::{Action, Decision, Event, KeyKind, Point, Scene, Where};
use crate::rpc::wrap::Unwrapped;

/// So many packets of one connection are put off at most.
const MAX_DELAYED: usize = 1_000;
/// How long a packet waits for another one to change places with.
const SWAP_PATIENCE: Duration = Duration::from_millis(500);

/// What faults make of a connection.
#[derive(Default)]
pub(in crate::net) struct Trouble {
    /// It is to end without another word.
    pub(in crate::net) lost: bool,
    /// It says nothing any more.
    pub(in crate::net) silent: bool,
    /// Nothing is looked at before.
    pub(in crate::net) asleep_until: Option<Instant>,
    /// The transport error that it is to be refused with, once its transport is known.
    pub(in crate::net) refusal: Option<i32>,
    /// What was put off, and until when.
    delayed: Vec<(Instant, Delayed)>,
    /// What waits for another packet to change places with, and until when at most.
    swapped_in: Option<(Instant, Incoming)>,
    swapped_out: Option<(Instant, Vec<u8>)>,
    /// What went out last, as long as there are rules for it.
    earlier: Vec<Vec<u8>>,
    /// What its files take of its bandwidth.
    way: Way,
    incoming: u64,
    outgoing: u64,
    exchanged: u64,
}

/// A way that so many bytes go in a second: until when it is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::net) struct Way(Option<Instant>);

impl Way {
    /// Puts so many bytes behind those that are under way; how long it takes until they are through.
    fn take(&mut self, bytes: u64, rate: u64, now: Instant) -> Duration {
        let start = self.0.map_or(now, |until| until.max(now));
        let millis = bytes.saturating_mul(1000) / rate.max(1);
        // Nothing waits longer than a day, as everywhere in rules.
        let until = start + Duration::from_millis(millis.min(24 * 3_600_000));
        self.0 = Some(until);
        until - now
    }
}

enum Delayed {
    In(Box<Incoming>),
    /// A packet that is ready to go out.
    Out(Vec<u8>),
}

/// How a packet goes out.
#[derive(Default)]
struct Manner {
    noise: Option<u32>,
    split: bool,
    cut: Option<u64>,
    twice: bool,
    delay: Option<Duration>,
    /// It does not go, but for what goes with it.
    lost: bool,
}

impl Manner {
    /// Takes an action of this kind; false when it is another.
    fn take(&mut self, action: &Action) -> bool {
        match action {
            Action::Noise(bytes) => self.noise = Some(*bytes),
            Action::Split => self.split = true,
            Action::Cut(bytes) => self.cut = Some(*bytes),
            Action::Duplicate => self.twice = true,
            Action::Delay(time) => self.delay = Some(*time),
            Action::Drop => self.lost = true,
            _ => return false,
        }
        true
    }
}

impl Trouble {
    /// When something is due.
    pub(in crate::net) fn deadline(&self) -> Option<Instant> {
        let delayed = self.delayed.iter().map(|(due, _)| *due);
        delayed
            .chain(self.asleep_until)
            .chain(self.swapped_in.as_ref().map(|(due, _)| *due))
            .chain(self.swapped_out.as_ref().map(|(due, _)| *due))
            .min()
    }

    pub(in crate::net) fn is_asleep(&self, now: Instant) -> bool {
        self.asleep_until.is_some_and(|until| until > now)
    }
}

impl Connection {
    fn scene(&self) -> Scene {
        Scene {
            dc: self.dc_id,
            connection: self.id,
            transport: self.kind(),
            over: self.kind().is_some().then_some(self.carrier),
        }
    }

    fn decide(&self, event: &Event<'_>, now: Instant) -> Decision {
        let decision = self.hub.faults().decide(&self.scene(), event, now);
        if !decision.actions.is_empty() {
            self.hub.changed.notify_waiters();
        }
        decision
    }

    pub(in crate::net) fn watches(&self, point: Point) -> bool {
        self.hub.faults().watches(point)
    }

    // -- the connection as a whole ------------------------------------------------------------------------

    /// The connection is there, or its transport is known now.
    pub(in crate::net) fn on_connect(&mut self, now: Instant) {
        let scene = self.scene();
        self.hub
            .live()
            .entry(self.id)
            .or_insert_with(|| Live {
                scene,
                orders: Vec::new(),
                wake: Arc::clone(&self.wake),
            })
            .scene = scene;
        for action in self.decide(&Event::Connect, now).actions {
            match action {
                Action::Delay(time) => self.trouble.asleep_until = Some(now + time),
                Action::Split => self.out.split_until(u64::MAX),
                Action::Cut(bytes) => self.out.cut_at(self.out.end() + bytes),
                Action::Noise(bytes) => self.make_noise(bytes),
                other => {
                    self.upset(&other);
                }
            }
        }
    }

    /// Does what was ordered for this connection from outside.
    pub(in crate::net) fn take_orders(&mut self) {
        let orders = match self.hub.live().get_mut(&self.id) {
            Some(live) => std::mem::take(&mut live.orders),
            None => return,
        };
        orders.iter().for_each(|order| {
            self.upset(order);
        });
    }

    /// Does what an action does to a whole connection or server; true when that ends what was under way.
    fn upset(&mut self, action: &Action) -> bool {
        match action {
            Action::Close => self.trouble.lost = true,
            Action::TransportError(code) => match self.kind() {
                Some(_) => self.refuse(*code),
                None => self.trouble.refusal = Some(*code),
            },
            Action::Silence => {
                self.trouble.silent = true;
                self.detach();
                self.out.discard();
            }
            Action::SkewClock(seconds) => {
                self.hub.clock.set_skew(*seconds);
                return false;
            }
            _ => return false,
        }
        true
    }

    fn forget_key(&mut self, id: i64, kind: KeyKind) {
        self.hub.act(|world| {
            let id = match kind {
                KeyKind::Permanent => world.auth.permanent(id),
                KeyKind::Temporary => id,
            };
            world.auth.forget_key(id);
        });
        self.refuse(AUTH_KEY_NOT_FOUND);
    }

    /// Puts something off, unless too much is already: that is lost then.
    fn put_off(&mut self, due: Instant, delayed: Delayed) {
        if self.trouble.delayed.len() < MAX_DELAYED {
            self.trouble.delayed.push((due, delayed));
        } else {
            log::warn!(
                "connection {}: too much is put off, and some of it is lost",
                self.id
            );
        }
    }

    fn make_noise(&mut self, bytes: u32) {
        let noise = self.hub.faults().noise(bytes);
        self.out.buffer().extend_from_slice(&noise);
    }

    /// Does what was put off and is due.
    pub(in crate::net) fn run_delayed(&mut self, now: Instant) -> Result<(), Close> {
        if let Some((due, _)) = &self.trouble.swapped_out
            && *due <= now
        {
            self.send_swapped()?;
        }
        if let Some((due, _)) = &self.trouble.swapped_in
            && *due <= now
        {
            self.take_swapped(now)?;
        }
        while let Some(at) = self.trouble.delayed.iter().position(|(due, _)| *due <= now) {
            match self.trouble.delayed.remove(at).1 {
                Delayed::In(incoming) => self.take(*incoming, now)?,
                Delayed::Out(packet) => self.frame(&packet)?,
            }
        }
        Ok(())
    }
}

/// The name of the method that a message calls, without its wrappers.
fn method(body: &[u8]) -> String {
    let id = Unwrapped::new(body).ok().and_then(|call| call.id());
    id.and_then(name_for_id).unwrap_or_default().to_owned()
}

impl Hub {
    /// Does something with the bandwidth that all connections to a data centre share.
    fn way<T>(&self, dc_id: i32, action: impl FnOnce(&mut Way) -> T) -> T {
        action(lock(&self.ways).entry(dc_id).or_default())
    }

    /// Does something at once to all that a rule means.
    pub(crate) fn at_once(self: &Arc<Self>, place: &Where, actions: &[Action]) {
        for action in actions {
            match action {
                Action::SkewClock(seconds) => self.clock.set_skew(*seconds),
                Action::ExpireReferences => self.act(|world| world.expire_references(None)),
                Action::ExpireTokens => self.act(|world| world.files.cdn.expire_tokens()),
                Action::CdnForgets => self.act(|world| world.files.cdn.forget()),
                Action::RotateSalts => self
                    .world()
                    .auth
                    .rotate_salts(|record| place.is_of(record.dc_id)),
                Action::ForgetKey(kind) => self.act(|world| {
                    world
                        .auth
                        .forget_keys(|record| place.is_of(record.dc_id) && record.kind() == *kind);
                }),
                Action::NewSession => self.forget_sessions(place),
                other => {
                    for live in self.live().values_mut() {
                        if place.covers(&live.scene) {
                            live.orders.push(other.clone());
                            live.wake.notify_one();
                        }
                    }
                }
            }
        }
    }

    /// Forgets sessions, which begin anew with their clients' next messages.
    fn forget_sessions(&self, place: &Where) {
        let world = self.world();
        let mut registry = self.registry();
        for slot in registry.all() {
            let record = world.auth.record(slot.auth_key_id);
            if record.is_none_or(|record| place.is_of(record.dc_id)) {
                registry.remove(slot.auth_key_id, slot.session_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_a_way_waits_for_what_goes_before_it() {
        let (mut way, now) = (Way::default(), Instant::now());
        let seconds = Duration::from_secs;
        assert_eq!(way.take(2048, 1024, now), seconds(2));
        assert_eq!(way.take(1024, 1024, now), seconds(3));
        assert_eq!(way.take(1024, 1024, now + seconds(1)), seconds(3));
        // A rest is not made up for.
        assert_eq!(way.take(1024, 1024, now + seconds(100)), seconds(1));
        assert_eq!(
            way.take(u64::MAX, 1, now + seconds(200)),
            seconds(24 * 3600)
        );
    }
}

//! A connection: bytes in order, cut into pieces and put together at random, until it breaks.

use std::collections::VecDeque;
use std::time::Duration;

use super::Dice;
use super::clock::Time;
use super::weather::Weather;

/// One direction.
#[derive(Default)]
pub(crate) struct Pipe {
    pieces: VecDeque<(Time, Vec<u8>)>,
    last: Time,
}

impl Pipe {
    pub(crate) fn write(&mut self, bytes: &[u8], now: Time, weather: &Weather, dice: &mut Dice) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = match dice.below(4) {
                0 => dice.below(rest.len()) + 1,
                _ => rest.len(),
            };
            let (piece, after) = rest.split_at(length);
            rest = after;
            let mut piece = piece.to_vec();
            if dice.chance(weather.corrupt) {
                let at = dice.below(piece.len());
                piece[at] ^= 1 << dice.below(8);
            }
            let mut delay = dice.millis(1, 80);
            if dice.chance(weather.stall) {
                delay += dice.millis(1000, 8000);
            }
            self.last = self.last.max(now + delay);
            self.pieces.push_back((self.last, piece));
        }
    }

    /// What has arrived.
    pub(crate) fn read(&mut self, now: Time) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((at, _)) = self.pieces.front()
            && *at <= now
        {
            let (_, piece) = self.pieces.pop_front().unwrap();
            bytes.extend_from_slice(&piece);
        }
        bytes
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.pieces.front().map(|(at, _)| *at)
    }
}

/// Both directions of one connection.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    /// Whether nobody is at the other end.
    pub(crate) deaf: bool,
}

impl Link {
    pub(crate) fn next(&self) -> Option<Time> {
        let up = self.up.next().filter(|_| !self.deaf);
        [up, self.down.next()].into_iter().flatten().min()
    }
}

/// Somebody between the two who sees packets, and may keep, repeat, exchange and drop them.
#[derive(Default)]
pub(crate) struct Meddler {
    /// Packets that come after the next one.
    late: Vec<Vec<u8>>,
    /// Packets that come again some time.
    kept: VecDeque<(Time, Vec<u8>)>,
}

impl Meddler {
    /// What becomes of a packet: what is to be delivered in its place.
    pub(crate) fn pass(
        &mut self,
        packet: Vec<u8>,
        now: Time,
        weather: &Weather,
        dice: &mut Dice,
    ) -> Vec<Vec<u8>> {
        if dice.chance(weather.reorder) {
            self.late.push(packet);
            return Vec::new();
        }
        let mut out = Vec::new();
        if dice.chance(weather.repeat) {
            if dice.below(2) == 0 {
                out.push(packet.clone());
            } else if self.kept.len() < 16 {
                self.kept
                    .push_back((now + dice.millis(100, 20_000), packet.clone()));
            }
        }
        if !dice.chance(weather.lose) {
            out.push(packet);
        }
        out.append(&mut self.late);
        out
    }

    /// Packets that come again now.
    pub(crate) fn again(&mut self, now: Time) -> Vec<Vec<u8>> {
        let (due, later): (VecDeque<_>, _) = self.kept.drain(..).partition(|(at, _)| *at <= now);
        self.kept = later;
        due.into_iter().map(|(_, packet)| packet).collect()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.kept.iter().map(|(at, _)| *at).min()
    }

    /// A server without memory would do again what it has done: no client can keep that from happening.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// How long until the next step.
pub(crate) fn pace(dice: &mut Dice) -> Duration {
    dice.millis(0, 700)
}

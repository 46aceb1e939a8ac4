//! What came in: bytes to frames, frames to packets, which are decrypted several at a time, and one after the other to
//! what they are for.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use layer_mtproto::session::{Opened, open_packets};
use layer_mtproto::transport::Frame;

use super::connection::{AUTH_KEY_NOT_FOUND, Close, Connection, Stage};
use crate::world::auth::Known;

/// So much that came is decrypted together: several parts of a file.
const TOGETHER: usize = (4 * 1024 + 64) * 1024;
/// When so much comes at once, more of it is about to.
const FLOOD: usize = 16 * 1024;

/// A packet that was opened with its key.
#[derive(Clone)]
pub(super) struct Incoming {
    pub(super) known: Known,
    pub(super) opened: Opened,
    pub(super) packet: Bytes,
    pub(super) wants_quick_ack: bool,
}

impl Incoming {
    /// The body of its message or container.
    pub(super) fn body(&self) -> &[u8] {
        self.packet
            .get(self.opened.body.clone())
            .unwrap_or_default()
    }
}

impl Connection {
    /// So many bytes came. What is in them is looked at once no more come at the moment, or there is enough of them.
    pub(super) fn gather(&mut self, came: usize, now: Instant) -> Result<(), Close> {
        if self.trouble.silent {
            return Ok(());
        }
        self.last_heard = now;
        self.gathered += came;
        if came >= FLOOD && self.gathered < TOGETHER {
            return Ok(());
        }
        self.read_frames(now)
    }

    /// Whether bytes came that nobody has looked at.
    pub(super) fn has_gathered(&self) -> bool {
        self.gathered > 0
    }

    /// Takes the packets that are whole.
    pub(super) fn read_frames(&mut self, now: Instant) -> Result<(), Close> {
        self.gathered = 0;
        while self.listens(now) {
            let Stage::Speaking(codec) = &mut self.stage else {
                break;
            };
            let (mut packets, mut quick_acks, mut size) = (Vec::new(), Vec::new(), 0);
            let end = loop {
                match codec.next_frame() {
                    Ok(Some(Frame::Packet(packet))) => {
                        size += packet.len();
                        packets.push(packet);
                        quick_acks.push(codec.quick_ack_requested());
                        if size >= TOGETHER {
                            break None;
                        }
                    }
                    Ok(None) => break Some(Ok(())),
                    // Nothing but packets comes from clients.
                    Ok(Some(_)) => {
                        break Some(Err(Close::because("a frame that only servers send")));
                    }
                    Err(error) => break Some(Err(Close::because(error))),
                }
            };
            // What came before the end counts, whatever the end is.
            self.on_packets(packets, &quick_acks, now)?;
            if let Some(end) = end {
                return end;
            }
        }
        Ok(())
    }

    fn on_packets(
        &mut self,
        mut packets: Vec<BytesMut>,
        mut quick_acks: &[bool],
        now: Instant,
    ) -> Result<(), Close> {
        let key_id = |packet: &BytesMut| packet.first_chunk().copied().map(i64::from_le_bytes);
        for packets in packets.chunk_by_mut(|one, other| key_id(one) == key_id(other)) {
            let (asked, rest) = quick_acks.split_at(packets.len());
            quick_acks = rest;
            match packets.first().and_then(key_id) {
                None => return Err(Close::because("a packet shorter than a key id")),
                Some(0) => {
                    for packet in packets {
                        if self.listens(now) {
                            self.on_plain(packet, now)?;
                        }
                    }
                }
                Some(id) => self.on_encrypted(id, packets, asked, now)?,
            }
        }
        Ok(())
    }

    /// Takes packets of one key.
    fn on_encrypted(
        &mut self,
        id: i64,
        packets: &mut [BytesMut],
        quick_acks: &[bool],
        now: Instant,
    ) -> Result<(), Close> {
        if !self.listens(now) {
            return Ok(());
        }
        let Some(known) = self.known(id, now) else {
            return Ok(());
        };
        let opened = open_packets(&known.key, packets);
        let mut first = Some(known);
        for ((packet, opened), asked) in packets.iter_mut().zip(opened).zip(quick_acks) {
            // What came before may have ended the connection, or the key.
            if !self.listens(now) {
                break;
            }
            let Some(known) = first.take().or_else(|| self.known(id, now)) else {
                break;
            };
            let opened = opened.map_err(Close::because)?;
            self.proven = true;
            let incoming = Incoming {
                known,
                opened,
                packet: std::mem::take(packet).freeze(),
                wants_quick_ack: *asked,
            };
            self.take_or_fail(incoming, now)?;
        }
        Ok(())
    }

    /// What is known of a key. If that is nothing, the connection ends.
    fn known(&mut self, id: i64, now: Instant) -> Option<Known> {
        let seconds = self.hub.clock.seconds(now);
        let (dc_id, ip) = (self.dc_id, self.peer.ip());
        let known = self.hub.world().auth.open_key(id, dc_id, seconds, ip);
        if known.is_none() {
            log::debug!("DC {dc_id}: {} came with an unknown key", self.peer);
            self.refuse(AUTH_KEY_NOT_FOUND);
        }
        known
    }
}

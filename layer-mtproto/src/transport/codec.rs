//! One connection's codec: framing, the obfuscation around it, and the records around both.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use layer_crypto::SecureRandom;

use super::framing::{self, Found, Role};
use super::obfuscation::{self, Ciphers};
use super::{Frame, MAX_PACKET, ObfuscationParams, TransportError, TransportKind};
use crate::faketls::Records;

/// More room than this is kept only while it is used, and packets that are longer are not copied out of it.
const SPACIOUS: usize = 64 * 1024;

/// Packets to bytes and back, for one connection.
///
/// Bytes may be [fed](Self::feed) in pieces of any size. What is kept is at most one unfinished packet and the
/// piece fed last, provided that the frames are taken out after each piece.
pub struct Codec {
    kind: TransportKind,
    role: Role,
    limit: usize,
    ciphers: Option<Ciphers>,
    records: Option<Records>,
    /// What goes before the first packet.
    preamble: Vec<u8>,
    incoming: BytesMut,
    /// How much of `incoming` is without its obfuscation.
    clear: usize,
    /// Whether `incoming` had much in it.
    spacious: bool,
    next_incoming: u32,
    next_outgoing: u32,
    quick_ack_requested: bool,
    failed: Option<TransportError>,
    /// What `failed` becomes once the frames before it are taken.
    broken: Option<TransportError>,
    rng: Box<dyn SecureRandom + Send>,
}

impl Codec {
    /// The codec of a client. The preamble that tells the server which transport this is goes out with the
    /// first packet.
    #[must_use]
    pub fn client(
        kind: TransportKind,
        obfuscation: Option<ObfuscationParams>,
        mut rng: Box<dyn SecureRandom + Send>,
    ) -> Self {
        let (preamble, ciphers) = match (obfuscation, kind) {
            (Some(params), _) => {
                let (init, ciphers) = obfuscation::open(kind, &params, &mut *rng);
                (init.to_vec(), Some(ciphers))
            }
            (None, TransportKind::Abridged) => (vec![0xef], None),
            (None, _) => (kind.tag().map_or_else(Vec::new, Vec::from), None),
        };
        Self {
            preamble,
            ..Self::new(kind, Role::Client, ciphers, rng)
        }
    }

    /// The codec of a server for a transport that is known already.
    pub(super) fn server(
        kind: TransportKind,
        ciphers: Option<Ciphers>,
        rng: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self::new(kind, Role::Server, ciphers, rng)
    }

    fn new(
        kind: TransportKind,
        role: Role,
        ciphers: Option<Ciphers>,
        rng: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self {
            kind,
            role,
            limit: MAX_PACKET,
            ciphers,
            records: None,
            preamble: Vec::new(),
            incoming: BytesMut::new(),
            clear: 0,
            spacious: false,
            next_incoming: 0,
            next_outgoing: 0,
            quick_ack_requested: false,
            failed: None,
            broken: None,
            rng,
        }
    }

    /// The same inside of FakeTLS's records. What came with the hello is fed: ask for frames before feeding more.
    #[must_use]
    pub fn within(mut self, mut records: Records) -> Self {
        let early = records.take_early();
        self.records = Some(records);
        self.feed(&early);
        self
    }

    /// The framing in use.
    #[must_use]
    pub fn kind(&self) -> TransportKind {
        self.kind
    }

    /// Sets the largest packet in bytes that is taken from now on, [`MAX_PACKET`] at first. A server keeps it
    /// small until the other side has shown an auth key.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Appends the packet to `out` in its frame, obfuscated if the connection is. The first packet of a client
    /// also gets the preamble before it.
    ///
    /// # Errors
    /// If the packet is not a multiple of four bytes or too long for the transport; `out` is unchanged.
    pub fn pack(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), TransportError> {
        self.pack_with(packet, false, out)
    }

    /// As [`pack`](Self::pack), and asks the server for a quick acknowledgement of this packet, which comes
    /// back as [`Frame::QuickAck`]. The full transport has none and sends the packet without the wish.
    ///
    /// # Errors
    /// As [`pack`](Self::pack).
    pub fn pack_with_quick_ack(
        &mut self,
        packet: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        self.pack_with(packet, true, out)
    }

    fn pack_with(
        &mut self,
        packet: &[u8],
        quick_ack: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let mut padding = [0; 16];
        let mut padded = 0;
        if self.kind == TransportKind::PaddedIntermediate {
            self.rng.fill(&mut padding);
            // Clients pad by 0..=15. Of servers, some clients take no more than 3.
            let mask = if self.role == Role::Client { 15 } else { 3 };
            padded = usize::from(padding[15] & mask);
        }
        let start = out.len();
        framing::wrap(
            self.kind,
            packet,
            &mut self.next_outgoing,
            quick_ack,
            &padding[..padded],
            out,
        )?;
        self.finish(out, start);
        Ok(())
    }

    /// Obfuscates what was put together, and puts the preamble before it.
    fn finish(&mut self, packet: &mut Vec<u8>, start: usize) {
        if let Some(ciphers) = &mut self.ciphers {
            ciphers.outgoing.apply(&mut packet[start..]);
        }
        if !self.preamble.is_empty() {
            packet.splice(start..start, self.preamble.drain(..));
        }
        if let Some(records) = &mut self.records {
            records.seal(packet, start);
        }
    }

    /// Appends a transport error such as -404 to `out`, framed, as a server answers where no session can.
    pub fn pack_error(&mut self, code: i32, out: &mut Vec<u8>) {
        // Four bytes fit every transport.
        let _ = self.pack(&code.to_le_bytes(), out);
    }

    /// Appends a quick acknowledgement to `out`. `token` is the first four bytes of the SHA-256 that msg_key
    /// was taken from, little-endian.
    pub fn pack_quick_ack(&mut self, token: u32, out: &mut Vec<u8>) {
        let token = token | 1 << 31;
        let start = out.len();
        match self.kind {
            TransportKind::Abridged => out.extend_from_slice(&token.to_be_bytes()),
            TransportKind::Intermediate | TransportKind::PaddedIntermediate => {
                out.extend_from_slice(&token.to_le_bytes());
            }
            TransportKind::Full => return,
        }
        self.finish(out, start);
    }

    /// Where what comes from the connection may be read to, so that it need not be [fed](Self::feed): it is to be appended
    /// there. There is room for `room` bytes at least. `None` within FakeTLS.
    pub fn buffer(&mut self, room: usize) -> Option<&mut BytesMut> {
        if self.records.is_some() {
            return None;
        }
        self.incoming.reserve(room);
        Some(&mut self.incoming)
    }

    /// Takes bytes that came from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(records) = &mut self.records {
            // A record that breaks the rules ends the stream where it begins.
            if let Err(error) = records.open(bytes, &mut self.incoming) {
                self.broken = Some(error.into());
            }
        } else {
            self.incoming.extend_from_slice(bytes);
        }
    }

    /// The next whole frame of what was fed, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// If the stream breaks the rules of the transport. The error is repeated from then on.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let len = self.incoming.len();
        let is_little = len > self.clear && len < SPACIOUS / 16;
        if let Some(new) = self.incoming.get_mut(self.clear..)
            && let Some(ciphers) = &mut self.ciphers
        {
            ciphers.incoming.apply(new);
        }
        let frame = self.find_frame();
        self.clear = self.incoming.len();
        // A connection that has become quiet needs no room for large packets.
        self.spacious |= len > SPACIOUS;
        if self.spacious && self.clear == 0 && is_little {
            self.incoming = BytesMut::new();
            self.spacious = false;
        }
        frame
    }

    fn find_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        let found = framing::find(
            self.kind,
            self.role,
            self.limit,
            &mut self.next_incoming,
            &self.incoming,
        );
        let found = match (found, self.broken.take()) {
            (Ok(Found::Incomplete), Some(error)) => Err(error),
            (found, broken) => {
                self.broken = broken;
                found
            }
        };
        let frame = match found {
            Err(error) => {
                self.failed = Some(error.clone());
                self.incoming = BytesMut::new();
                return Err(error);
            }
            Ok(Found::Incomplete) => return Ok(None),
            Ok(Found::QuickAck { token, consumed }) => {
                self.incoming.advance(consumed);
                Frame::QuickAck(token)
            }
            Ok(Found::Error { code, consumed }) => {
                self.incoming.advance(consumed);
                Frame::Error(code)
            }
            Ok(Found::Payload {
                payload,
                consumed,
                wants_quick_ack,
            }) => {
                self.quick_ack_requested = wants_quick_ack;
                self.take(payload, consumed)
            }
        };
        Ok(Some(frame))
    }

    /// Takes a payload, and all that is consumed with it.
    fn take(&mut self, place: Range<usize>, consumed: usize) -> Frame {
        let payload = &self.incoming[place.clone()];
        let padded = self.kind == TransportKind::PaddedIntermediate;
        // No packet is shorter than a plain message's header of 20 bytes, so what is, is an error and padding.
        let is_error = if padded {
            payload.len() < 20
        } else {
            payload.len() == 4
        };
        if is_error
            && self.role == Role::Client
            && let Some(code) = payload.first_chunk()
        {
            let code = i32::from_le_bytes(*code);
            self.incoming.advance(consumed);
            return Frame::Error(code);
        }
        let length = if padded {
            without_padding(payload)
        } else {
            payload.len()
        };
        // Short ones would keep the memory of long ones beside them for as long as somebody has them.
        if length < SPACIOUS {
            let packet = BytesMut::from(&payload[..length]);
            self.incoming.advance(consumed);
            return Frame::Packet(packet);
        }
        self.incoming.advance(place.start);
        let packet = self.incoming.split_to(length);
        self.incoming.advance(consumed - place.start - length);
        Frame::Packet(packet)
    }

    /// Whether the packet that [`next_frame`](Self::next_frame) gave last asks for a quick acknowledgement.
    #[must_use]
    pub fn quick_ack_requested(&self) -> bool {
        self.quick_ack_requested
    }
}

/// The length of a packet without the padding of the padded transport: plain messages carry their length, and
/// encrypted ones are a header of 24 bytes and whole blocks of 16.
fn without_padding(payload: &[u8]) -> usize {
    let plain = payload.starts_with(&[0; 8]);
    match payload.get(16..).and_then(<[u8]>::first_chunk) {
        Some(length) if plain => usize::try_from(u32::from_le_bytes(*length))
            .ok()
            .and_then(|length| length.checked_add(20))
            .map_or(payload.len(), |length| length.min(payload.len())),
        _ if payload.len() >= 24 => payload.len() - (payload.len() - 24) % 16,
        _ => payload.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl SecureRandom for Zeros {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0);
        }
    }

    #[test]
    fn a_connection_that_has_become_quiet_keeps_no_room_for_large_packets() {
        let mut codec = Codec::client(TransportKind::Intermediate, None, Box::new(Zeros));
        let mut send = |length: usize| {
            let header = u32::try_from(length).unwrap().to_le_bytes();
            codec.feed(&header);
            codec.feed(&vec![7; length]);
            let frame = codec.next_frame();
            assert!(matches!(frame, Ok(Some(Frame::Packet(packet))) if packet.len() == length));
            codec.incoming.capacity()
        };
        send(1 << 20);
        send(1 << 20);
        assert!(send(100) < 1000);
    }
}

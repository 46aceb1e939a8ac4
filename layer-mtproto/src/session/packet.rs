//! Encrypted packets: the inner header, containers, padding (`mtproto/description#encrypted-message`).

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use layer_crypto::message::{self, HEADER, Sender};
use layer_crypto::{AuthKey, SecureRandom};

use super::error::{ContainerError, Violation};
use super::wire::{MSG_CONTAINER, MSG_COPY};

/// The most messages that we put into a container.
pub(crate) const MAX_MESSAGES: usize = 1020;
/// The most bytes of messages that we put into a container.
pub(crate) const MAX_CONTAINER: usize = 1 << 20;
/// The longest body that is sent at all; with what goes around it, it fits every transport's limit.
pub(crate) const MAX_BODY: usize = (16 << 20) - 4096;
/// The most messages that a container may hold.
const MAX_ACCEPTED: u32 = 1024;
/// salt 8, session_id 8, msg_id 8, seqno 4, length 4.
const INNER: usize = 32;

/// The parts of a packet that was decrypted and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The server salt.
    pub salt: i64,
    /// The session.
    pub session_id: i64,
    /// The message, or the container around all of them.
    pub msg_id: i64,
    /// Its sequence number.
    pub seqno: i32,
    /// Where in the packet its body lies.
    pub body: Range<usize>,
}

/// Decrypts a client's packet in place and verifies it: auth_key_id and msg_key first of all, then the lengths.
/// What session it belongs to, and whether its salt and msg_id will do, is for the session to say.
///
/// # Errors
/// If it was not made with this key, or is malformed.
pub fn open_packet(key: &AuthKey, packet: &mut [u8]) -> Result<Opened, Violation> {
    open(key, Sender::Client, packet)
}

pub(crate) fn open(key: &AuthKey, from: Sender, packet: &mut [u8]) -> Result<Opened, Violation> {
    read(message::open(key, from, packet).map_err(Violation::Sealed)?)
}

/// [`open_packet`] of several packets of a key at a time, each for itself: many times as fast where they are large.
pub fn open_packets(key: &AuthKey, packets: &mut [BytesMut]) -> Vec<Result<Opened, Violation>> {
    open_many(key, Sender::Client, packets)
}

/// [`open`] of several packets at a time, each for itself.
pub(crate) fn open_many(
    key: &AuthKey,
    from: Sender,
    packets: &mut [BytesMut],
) -> Vec<Result<Opened, Violation>> {
    let mut opened = Vec::with_capacity(packets.len());
    let mut packets: Vec<&mut [u8]> = packets.iter_mut().map(|packet| &mut packet[..]).collect();
    message::open_many(key, from, &mut packets, |plain| {
        opened.push(
            plain
                .map_err(Violation::Sealed)
                .and_then(|plain| read(plain)),
        );
    });
    opened
}

/// The parts of what was in a packet.
fn read(plain: &[u8]) -> Result<Opened, Violation> {
    let available = plain.len().saturating_sub(INNER);
    let Some((header, rest)) = plain.split_first_chunk::<INNER>() else {
        return Err(Violation::Length {
            declared: 0,
            available,
        });
    };
    let long = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&header[at..at + 8]);
        i64::from_le_bytes(bytes)
    };
    let int = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&header[at..at + 4]);
        i32::from_le_bytes(bytes)
    };
    let declared = int(28);
    let length = usize::try_from(declared)
        .ok()
        .filter(|length| length.is_multiple_of(4) && *length <= rest.len())
        .ok_or(Violation::Length {
            declared,
            available,
        })?;
    let padding = rest.len() - length;
    if !(12..=1024).contains(&padding) {
        return Err(Violation::Padding { length: padding });
    }
    let start = HEADER + INNER;
    Ok(Opened {
        salt: long(0),
        session_id: long(8),
        msg_id: long(16),
        seqno: int(24),
        body: start..start + length,
    })
}

/// A part of a packet to keep. Where it is most of it, that and no copy, so that the parts of files that come are not
/// moved about. `packet` is where it may be kept.
pub(crate) fn keep(packet: Option<&Bytes>, part: &[u8]) -> Bytes {
    match packet {
        Some(packet) if part.len() >= packet.len() / 2 => packet.slice_ref(part),
        _ => Bytes::copy_from_slice(part),
    }
}

/// A message with its name and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) msg_id: i64,
    pub(crate) seqno: i32,
    pub(crate) body: &'a [u8],
}

impl Message<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.msg_id.to_le_bytes());
        out.extend_from_slice(&self.seqno.to_le_bytes());
        out.extend_from_slice(
            &i32::try_from(self.body.len())
                .unwrap_or(i32::MAX)
                .to_le_bytes(),
        );
        out.extend_from_slice(self.body);
    }
}

/// Encrypts a packet that an [`Envelope`] made.
pub(crate) fn seal(key: &AuthKey, from: Sender, packet: &mut [u8]) {
    // Whole blocks, as envelopes are padded.
    let _ = message::seal(key, from, packet);
}

/// Fills `out` with the packets that `compose` appends, and `ends` with where each ends; none is begun once there are
/// `enough` bytes.
pub(crate) fn compose_many(
    enough: usize,
    out: &mut Vec<u8>,
    ends: &mut Vec<usize>,
    mut compose: impl FnMut(&mut Vec<u8>) -> bool,
) {
    out.clear();
    ends.clear();
    while out.len() < enough && compose(out) {
        ends.push(out.len());
    }
}

/// Encrypts packets that an [`Envelope`] made, each of which ends at one of `ends`, all at a time.
pub(crate) fn seal_many(key: &AuthKey, from: Sender, mut packets: &mut [u8], ends: &[usize]) {
    let mut begun = 0;
    if ends.len() == 1 {
        return seal(key, from, packets);
    }
    let mut slices = Vec::with_capacity(ends.len());
    for &end in ends {
        let (packet, rest) = packets.split_at_mut(end - begun);
        slices.push(packet);
        (packets, begun) = (rest, end);
    }
    // Whole blocks, as envelopes are padded.
    let _ = message::seal_many(key, from, &mut slices);
}

/// What every packet of a session says first.
pub(crate) struct Envelope {
    pub(crate) salt: i64,
    pub(crate) session_id: i64,
}

impl Envelope {
    /// Appends the packet of one message to `out`, which is yet to be sealed.
    pub(crate) fn hold(&self, message: Message<'_>, rng: &mut dyn SecureRandom, out: &mut Vec<u8>) {
        let start = self.begin(out);
        message.write(out);
        pad(out, start, rng);
    }

    /// Appends the packet of a container of `messages` to `out`, which is yet to be sealed. `container` has no body of
    /// its own.
    pub(crate) fn hold_all<'a>(
        &self,
        container: Message<'_>,
        messages: impl ExactSizeIterator<Item = Message<'a>>,
        rng: &mut dyn SecureRandom,
        out: &mut Vec<u8>,
    ) {
        let start = self.begin(out);
        let at = out.len();
        container.write(out);
        let body = out.len();
        out.extend_from_slice(&MSG_CONTAINER.to_le_bytes());
        out.extend_from_slice(
            &u32::try_from(messages.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        messages.for_each(|message| message.write(out));
        let length = i32::try_from(out.len() - body).unwrap_or(i32::MAX);
        out[at + 12..at + 16].copy_from_slice(&length.to_le_bytes());
        pad(out, start, rng);
    }

    fn begin(&self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.resize(start + HEADER, 0);
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&self.session_id.to_le_bytes());
        start
    }
}

/// Pads by 12 to 75 random bytes, so that lengths tell less, to whole blocks.
fn pad(out: &mut Vec<u8>, start: usize, rng: &mut dyn SecureRandom) {
    let end = out.len();
    let padded = (end - start - HEADER + 12).next_multiple_of(16);
    // The most that there can be, and a byte that says how much of it there is.
    let mut random = [0; 12 + 15 + 3 * 16 + 1];
    rng.fill(&mut random);
    let [more, padding @ ..] = random;
    let blocks = padded + usize::from(more & 3) * 16;
    out.extend_from_slice(&padding[..start + HEADER + blocks - end]);
}

/// The messages of a container, all of them checked before the first is looked at.
pub(crate) fn parse_container(
    container_id: i64,
    body: &[u8],
) -> Result<Vec<Message<'_>>, ContainerError> {
    let (head, mut rest) = body
        .split_first_chunk::<8>()
        .ok_or(ContainerError::Malformed)?;
    let [_, _, _, _, count @ ..] = *head;
    let count = u32::from_le_bytes(count);
    if count > MAX_ACCEPTED {
        return Err(ContainerError::TooMany { count });
    }
    let mut messages = Vec::new();
    for _ in 0..count {
        let (message, after) = parse_message(rest)?;
        if message.msg_id >= container_id {
            return Err(ContainerError::Order);
        }
        messages.push(message);
        rest = after;
    }
    Ok(messages)
}

/// The message in a `msg_copy`.
pub(crate) fn parse_copy(copy_id: i64, body: &[u8]) -> Result<Message<'_>, ContainerError> {
    let (_, rest) = body
        .split_first_chunk::<4>()
        .ok_or(ContainerError::Malformed)?;
    let (message, _) = parse_message(rest)?;
    if message.msg_id >= copy_id {
        Err(ContainerError::Order)
    } else {
        Ok(message)
    }
}

fn parse_message(bytes: &[u8]) -> Result<(Message<'_>, &[u8]), ContainerError> {
    let (head, rest) = bytes
        .split_first_chunk::<16>()
        .ok_or(ContainerError::Malformed)?;
    let [i0, i1, i2, i3, i4, i5, i6, i7, s0, s1, s2, s3, length @ ..] = *head;
    let length = usize::try_from(i32::from_le_bytes(length))
        .ok()
        .filter(|length| length.is_multiple_of(4))
        .ok_or(ContainerError::Malformed)?;
    let (body, after) = rest
        .split_at_checked(length)
        .ok_or(ContainerError::Malformed)?;
    for nested in [MSG_CONTAINER, MSG_COPY] {
        if body.starts_with(&nested.to_le_bytes()) {
            return Err(ContainerError::Nested);
        }
    }
    let message = Message {
        msg_id: i64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7]),
        seqno: i32::from_le_bytes([s0, s1, s2, s3]),
        body,
    };
    Ok((message, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ramp;
    impl SecureRandom for Ramp {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.iter_mut().zip(3..).for_each(|(d, i)| *d = i);
        }
    }

    fn key() -> AuthKey {
        AuthKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap_or(0)))
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; HEADER];
        packet.extend_from_slice(plain);
        message::seal(&key(), Sender::Client, &mut packet).unwrap();
        packet
    }

    fn header(length: i32) -> Vec<u8> {
        let mut plain = vec![0; 28];
        plain.extend_from_slice(&length.to_le_bytes());
        plain
    }

    #[test]
    fn a_packet_comes_back() {
        let envelope = Envelope {
            salt: 1,
            session_id: 2,
        };
        for length in (0..200).step_by(4) {
            let body = vec![7; length];
            let mut packet = vec![9; 3];
            let message = Message {
                msg_id: 4,
                seqno: 5,
                body: &body,
            };
            envelope.hold(message, &mut Ramp, &mut packet);
            seal(&key(), Sender::Client, &mut packet[3..]);
            let packet = &mut packet[3..];
            let opened = open_packet(&key(), packet).unwrap();
            assert_eq!(
                (opened.salt, opened.session_id, opened.msg_id, opened.seqno),
                (1, 2, 4, 5)
            );
            assert_eq!(packet[opened.body], body);
        }
    }

    #[test]
    fn a_container_comes_back() {
        let envelope = Envelope {
            salt: 1,
            session_id: 2,
        };
        let bodies = [vec![1; 4], vec![2; 16], vec![]];
        let messages: Vec<_> = (0..3)
            .map(|i| Message {
                msg_id: i64::from(i),
                seqno: i,
                body: &bodies[usize::try_from(i).unwrap()],
            })
            .collect();
        let mut packet = Vec::new();
        let container = Message {
            msg_id: 8,
            seqno: 6,
            body: &[],
        };
        envelope.hold_all(container, messages.iter().copied(), &mut Ramp, &mut packet);
        seal(&key(), Sender::Client, &mut packet);
        let opened = open_packet(&key(), &mut packet).unwrap();
        let parsed = parse_container(8, &packet[opened.body]).unwrap();
        assert_eq!(parsed.len(), 3);
        for (was, is) in messages.iter().zip(&parsed) {
            assert_eq!(
                (was.msg_id, was.seqno, was.body),
                (is.msg_id, is.seqno, is.body)
            );
        }
    }

    #[test]
    fn the_length_must_fit_and_be_a_multiple_of_four() {
        for length in [-4, 1, 2, 3, 5, 36, 4096, i32::MIN, i32::MAX] {
            let mut plain = header(length);
            plain.resize(64, 0);
            let error = open_packet(&key(), &mut sealed(&plain)).unwrap_err();
            assert_eq!(
                error,
                Violation::Length {
                    declared: length,
                    available: 32
                }
            );
        }
        for short in [16, 32] {
            let error = open_packet(&key(), &mut sealed(&vec![0; short])).unwrap_err();
            assert!(matches!(
                error,
                Violation::Length { .. } | Violation::Padding { length: 0 }
            ));
        }
    }

    #[test]
    fn padding_must_be_12_to_1024_bytes() {
        for (length, total, ok) in [
            (20, 64, true),
            (24, 64, false),
            (32, 64, false),
            (0, 1056, true),
            (0, 1072, false),
        ] {
            let mut plain = header(length);
            plain.resize(total, 0);
            let result = open_packet(&key(), &mut sealed(&plain));
            assert_eq!(result.is_ok(), ok, "{length} of {total}");
        }
    }

    #[test]
    fn nothing_is_parsed_before_msg_key_is_right() {
        let mut plain = header(-1);
        plain.resize(64, 0);
        let mut packet = sealed(&plain);
        packet[40] ^= 1;
        assert!(matches!(
            open_packet(&key(), &mut packet),
            Err(Violation::Sealed(_))
        ));
        // And a client's packet is not one of the server's.
        let mut packet = sealed(&plain);
        assert!(matches!(
            open(&key(), Sender::Server, &mut packet),
            Err(Violation::Sealed(_))
        ));
    }

    #[test]
    fn bad_containers_are_refused_as_a_whole() {
        let message = |id: i64, body: &[u8]| {
            let mut out = Vec::new();
            Message {
                msg_id: id,
                seqno: 1,
                body,
            }
            .write(&mut out);
            out
        };
        let container = |count: u32, messages: &[Vec<u8>]| {
            let mut out = MSG_CONTAINER.to_le_bytes().to_vec();
            out.extend_from_slice(&count.to_le_bytes());
            out.extend(messages.concat());
            out
        };
        let parse = |bytes: &[u8]| parse_container(100, bytes).map(|m| m.len());
        let good = message(1, &[1; 8]);
        assert_eq!(parse(&container(0, &[])), Ok(0));
        assert_eq!(parse(&container(2, &[good.clone(), good.clone()])), Ok(2));
        let malformed = Err(ContainerError::Malformed);
        assert_eq!(
            parse(&container(3, &[good.clone(), good.clone()])),
            malformed
        );
        assert_eq!(parse(&container(1, &[message(1, &[1; 7])])), malformed);
        assert_eq!(parse(&[1, 2, 3]), malformed);
        assert_eq!(
            parse(&container(u32::MAX, &[])),
            Err(ContainerError::TooMany { count: u32::MAX })
        );
        assert_eq!(
            parse(&container(1, &[message(100, &[1; 8])])),
            Err(ContainerError::Order)
        );
        let nested = message(2, &container(1, &[good]));
        assert_eq!(parse(&container(1, &[nested])), Err(ContainerError::Nested));
    }
}

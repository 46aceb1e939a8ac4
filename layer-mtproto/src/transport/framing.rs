//! The four envelopes, without state but for the sequence numbers of the full transport.

use std::ops::Range;

use super::{TransportError, TransportKind};

/// Which end of the connection we are: some bits mean something only in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// One envelope found at the start of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Not all of it is here.
    Incomplete,
    /// `payload` lies within the first `consumed` bytes.
    Payload {
        payload: Range<usize>,
        consumed: usize,
        wants_quick_ack: bool,
    },
    /// A quick acknowledgement of `consumed` bytes.
    QuickAck { token: u32, consumed: usize },
    /// An error without an envelope, as servers answer on the full transport.
    Error { code: i32, consumed: usize },
}

const QUICK_ACK: u32 = 1 << 31;
/// Length, sequence number and checksum of the full transport.
const FULL_OVERHEAD: usize = 12;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_le_bytes(*b))
}

fn checked(length: usize, limit: usize) -> Result<usize, TransportError> {
    if (4..=limit).contains(&length) {
        Ok(length)
    } else {
        Err(TransportError::Length { length, limit })
    }
}

fn to_usize(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Looks for one envelope at the start of `bytes`. Lengths are checked as soon as they can be read.
pub(super) fn find(
    kind: TransportKind,
    role: Role,
    limit: usize,
    sequence: &mut u32,
    bytes: &[u8],
) -> Result<Found, TransportError> {
    match kind {
        TransportKind::Abridged => find_abridged(role, limit, bytes),
        TransportKind::Intermediate => find_intermediate(role, limit, bytes),
        // The padding is not part of the packet that the limit is about.
        TransportKind::PaddedIntermediate => {
            find_intermediate(role, limit.saturating_add(15), bytes)
        }
        TransportKind::Full => find_full(role, limit, sequence, bytes),
    }
}

fn payload(header: usize, length: usize, available: usize, wants_quick_ack: bool) -> Found {
    let consumed = header + length;
    if available < consumed {
        Found::Incomplete
    } else {
        Found::Payload {
            payload: header..consumed,
            consumed,
            wants_quick_ack,
        }
    }
}

fn find_abridged(role: Role, limit: usize, bytes: &[u8]) -> Result<Found, TransportError> {
    let Some(&first) = bytes.first() else {
        return Ok(Found::Incomplete);
    };
    let quick = first & 0x80 != 0;
    if quick && role == Role::Client {
        // The token's bytes come swapped, so that the set bit is in the first byte.
        return Ok(match bytes.first_chunk() {
            Some(token) => Found::QuickAck {
                token: u32::from_be_bytes(*token),
                consumed: 4,
            },
            None => Found::Incomplete,
        });
    }
    let (header, words) = match first & 0x7f {
        0x7f => match word(bytes, 0) {
            Some(header) => (4, to_usize(header >> 8)),
            None => return Ok(Found::Incomplete),
        },
        words => (1, usize::from(words)),
    };
    let length = checked(words.saturating_mul(4), limit)?;
    Ok(payload(header, length, bytes.len(), quick))
}

fn find_intermediate(role: Role, limit: usize, bytes: &[u8]) -> Result<Found, TransportError> {
    let Some(header) = word(bytes, 0) else {
        return Ok(Found::Incomplete);
    };
    let quick = header & QUICK_ACK != 0;
    if quick && role == Role::Client {
        return Ok(Found::QuickAck {
            token: header,
            consumed: 4,
        });
    }
    let length = checked(to_usize(header & !QUICK_ACK), limit)?;
    Ok(payload(4, length, bytes.len(), quick))
}

fn find_full(
    role: Role,
    limit: usize,
    sequence: &mut u32,
    bytes: &[u8],
) -> Result<Found, TransportError> {
    let Some(total) = word(bytes, 0) else {
        return Ok(Found::Incomplete);
    };
    let code = i32::from_le_bytes(total.to_le_bytes());
    if code < 0 && role == Role::Client {
        return Ok(Found::Error { code, consumed: 4 });
    }
    let total = to_usize(total);
    let length = checked(total.saturating_sub(FULL_OVERHEAD), limit)?;
    let Some(number) = word(bytes, 4) else {
        return Ok(Found::Incomplete);
    };
    if number != *sequence {
        return Err(TransportError::Sequence {
            expected: *sequence,
            got: number,
        });
    }
    let Some(got) = word(bytes, total - 4) else {
        return Ok(Found::Incomplete);
    };
    let expected = crc32fast::hash(&bytes[..total - 4]);
    if expected != got {
        return Err(TransportError::Checksum { expected, got });
    }
    *sequence = sequence.wrapping_add(1);
    Ok(Found::Payload {
        payload: 8..8 + length,
        consumed: total,
        wants_quick_ack: false,
    })
}

/// Appends the packet in its envelope to `out`. `padding` follows the payload on the padded transport.
pub(super) fn wrap(
    kind: TransportKind,
    packet: &[u8],
    sequence: &mut u32,
    quick_ack: bool,
    padding: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), TransportError> {
    // The abridged length has 24 bits of words, which is the narrowest of the four.
    const LIMIT: usize = 0x00ff_ffff * 4;
    let length = packet.len();
    if !length.is_multiple_of(4) {
        return Err(TransportError::Unaligned { length });
    }
    checked(length, LIMIT)?;
    let too_long = |_| TransportError::Length {
        length,
        limit: LIMIT,
    };
    let quick = u32::from(quick_ack) << 31;
    match kind {
        TransportKind::Abridged => {
            let words = u32::try_from(length / 4).map_err(too_long)?;
            match u8::try_from(words) {
                Ok(words @ ..0x7f) => {
                    let mark = if quick_ack { 0x80 } else { 0 };
                    out.push(words | mark);
                }
                _ => {
                    let mark = if quick_ack { 0xff } else { 0x7f };
                    out.extend_from_slice(&(words << 8 | mark).to_le_bytes());
                }
            }
            out.extend_from_slice(packet);
        }
        TransportKind::Intermediate => {
            let header = u32::try_from(length).map_err(too_long)? | quick;
            out.extend_from_slice(&header.to_le_bytes());
            out.extend_from_slice(packet);
        }
        TransportKind::PaddedIntermediate => {
            let header = u32::try_from(length + padding.len()).map_err(too_long)? | quick;
            out.extend_from_slice(&header.to_le_bytes());
            out.extend_from_slice(packet);
            out.extend_from_slice(padding);
        }
        TransportKind::Full => {
            let total = u32::try_from(length + FULL_OVERHEAD).map_err(too_long)?;
            let start = out.len();
            out.extend_from_slice(&total.to_le_bytes());
            out.extend_from_slice(&sequence.to_le_bytes());
            out.extend_from_slice(packet);
            let checksum = crc32fast::hash(&out[start..]);
            out.extend_from_slice(&checksum.to_le_bytes());
            *sequence = sequence.wrapping_add(1);
        }
    }
    Ok(())
}

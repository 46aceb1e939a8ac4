//! Packets of the server's made wrong on purpose, and looked into.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use layer_crypto::message::{self, HEADER, Sender};
use layer_crypto::{AuthKey, SecureRandom};
use layer_tl_types::Serializable;

use crate::rpc::wrap::GZIP_PACKED;

const MSG_CONTAINER: u32 = 0x73f1_f8dc;
const RPC_RESULT: u32 = 0xf35c_6d01;
/// salt 8, session_id 8, msg_id 8, seqno 4, length 4.
const INNER: usize = 32;
/// Where the length of the message stands in what is encrypted.
const LENGTH: usize = 28;

/// Opens a packet of the server's, lets `change` have what is in it, and seals it again.
fn reseal(key: &AuthKey, packet: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Option<Vec<u8>> {
    let mut packet = packet.to_vec();
    let mut plain = message::open(key, Sender::Server, &mut packet)
        .ok()?
        .to_vec();
    change(&mut plain);
    let mut again = vec![0; HEADER];
    again.append(&mut plain);
    message::seal(key, Sender::Server, &mut again).ok()?;
    Some(again)
}

/// The packet, as one of another session.
pub(crate) fn wrong_session(key: &AuthKey, packet: &[u8]) -> Option<Vec<u8>> {
    reseal(key, packet, |plain| {
        if let Some(byte) = plain.get_mut(8) {
            *byte ^= 1;
        }
    })
}

/// The packet with 8 bytes of padding: its message says that it is longer than it is.
pub(crate) fn short_padding(key: &AuthKey, packet: &[u8]) -> Option<Vec<u8>> {
    reseal(key, packet, |plain| {
        let length = plain.len().saturating_sub(INNER + 8);
        if let (Some(field), Ok(length)) = (plain.get_mut(LENGTH..INNER), u32::try_from(length)) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    })
}

/// The packet with 1024 bytes of padding more than it has.
pub(crate) fn long_padding(
    key: &AuthKey,
    packet: &[u8],
    rng: &mut dyn SecureRandom,
) -> Option<Vec<u8>> {
    reseal(key, packet, |plain| {
        let end = plain.len();
        plain.resize(end + 1024, 0);
        rng.fill(&mut plain[end..]);
    })
}

/// The packet with one bit of its msg_key changed.
pub(crate) fn wrong_msg_key(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if let Some(byte) = packet.get_mut(8) {
        *byte ^= 1;
    }
    packet
}

/// The message of a packet of the server's that answers a call: its msg_id and its length.
pub(crate) fn answer_in(key: &AuthKey, packet: &[u8], req_msg_id: i64) -> Option<(i64, usize)> {
    let mut packet = packet.to_vec();
    let plain = message::open(key, Sender::Server, &mut packet).ok()?;
    let mut head = RPC_RESULT.to_le_bytes().to_vec();
    head.extend_from_slice(&req_msg_id.to_le_bytes());
    let (msg_id, body) = split(plain.get(16..)?)?;
    std::iter::once((msg_id, body))
        .chain(contained(body))
        .find(|(_, body)| body.starts_with(&head))
        .map(|(msg_id, body)| (msg_id, body.len()))
}

/// Whether a message's body is a container.
pub(crate) fn is_container(body: &[u8]) -> bool {
    body.starts_with(&MSG_CONTAINER.to_le_bytes())
}

/// The messages in a container, as far as they can be read; none if it is none.
pub(crate) fn contained(body: &[u8]) -> impl Iterator<Item = (i64, &[u8])> {
    let mut rest = if is_container(body) {
        body.get(8..).unwrap_or_default()
    } else {
        &[]
    };
    std::iter::from_fn(move || {
        let message = split(rest)?;
        rest = rest.get(16 + message.1.len()..)?;
        Some(message)
    })
}

/// msg_id 8, seqno 4, length 4, body.
fn split(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let msg_id = i64::from_le_bytes(*bytes.first_chunk()?);
    let length = u32::from_le_bytes(*bytes.get(12..16)?.first_chunk()?);
    let end = usize::try_from(length).ok()?.checked_add(16)?;
    Some((msg_id, bytes.get(16..end)?))
}

/// `gzip_packed`.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    let packed = encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .ok()?;
    Some(boxed_gzip(&packed))
}

/// `gzip_packed` of so many zeros.
pub(crate) fn bomb(bytes: u64) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = std::io::Read::take(std::io::repeat(0), bytes);
    std::io::copy(
        &mut std::io::BufReader::with_capacity(1 << 16, zeros),
        &mut encoder,
    )
    .ok()?;
    Some(boxed_gzip(&encoder.finish().ok()?))
}

fn boxed_gzip(packed: &[u8]) -> Vec<u8> {
    let mut bytes = GZIP_PACKED.to_bytes();
    packed.to_vec().serialize(&mut bytes);
    bytes
}

/// `rpc_result`.
pub(crate) fn rpc_result(req_msg_id: i64, result: &[u8]) -> Vec<u8> {
    let mut bytes = RPC_RESULT.to_le_bytes().to_vec();
    bytes.extend_from_slice(&req_msg_id.to_le_bytes());
    bytes.extend_from_slice(result);
    bytes
}

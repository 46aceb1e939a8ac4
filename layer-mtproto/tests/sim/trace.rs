//! What happened, in words, with `SIM_TRACE=1`.

use layer_crypto::AuthKey;
use layer_crypto::message::{self, Sender};

use super::clock::Clock;

fn tracing() -> bool {
    std::env::var_os("SIM_TRACE").is_some()
}

pub(crate) fn note(clock: &Clock, what: &str) {
    if tracing() {
        eprintln!("{:>9.3} {what}", clock.now.as_secs_f64());
    }
}

/// Prints the messages of a packet.
pub(crate) fn trace(clock: &Clock, from: Sender, key: &AuthKey, packet: &[u8]) {
    if !tracing() {
        return;
    }
    let mut packet = packet.to_vec();
    let plain = message::open(key, from, &mut packet).unwrap();
    let long = |at: usize| i64::from_le_bytes(plain[at..at + 8].try_into().unwrap());
    let length = |bytes: &[u8]| {
        usize::try_from(u32::from_le_bytes(bytes[..4].try_into().unwrap())).unwrap_or(0)
    };
    let mut line = format!(
        "{from:?} [{:04x}/{:04x}] {:x}:",
        key.id() & 0xffff,
        long(8) & 0xffff,
        long(16)
    );
    let mut rest = &plain[32..32 + length(&plain[28..])];
    if rest.get(..4) == Some(&0x73f1_f8dc_u32.to_le_bytes()[..]) {
        rest = rest.get(8..).unwrap_or_default();
        while rest.len() > 16 {
            let size = length(&rest[12..]);
            let id = i64::from_le_bytes(rest[..8].try_into().unwrap());
            line += &format!(
                " {id:x} {}",
                one(rest.get(16..16 + size).unwrap_or_default())
            );
            rest = rest.get(16 + size..).unwrap_or_default();
        }
    } else {
        line += &one(rest);
    }
    note(clock, &line);
}

/// A body's name, and the readable part of its beginning.
fn one(body: &[u8]) -> String {
    let Some(id) = body.first_chunk() else {
        return "()".to_owned();
    };
    let name = match u32::from_le_bytes(*id) {
        0x62d6_b459 => "acks".to_owned(),
        0xf35c_6d01 => "result".to_owned(),
        0x7e57_ca11 => "call".to_owned(),
        0xcb9f_372d => "after".to_owned(),
        0xa7ef_f811 => "bad_msg".to_owned(),
        0xedab_447b => "bad_salt".to_owned(),
        0x9ec2_0908 => "new_session".to_owned(),
        0xda69_fb52 => "state_req".to_owned(),
        0x04de_b57d => "state_info".to_owned(),
        0xcdd4_2a05 => "bind".to_owned(),
        0x7abe_77ec | 0xf342_7b8c => "ping".to_owned(),
        0x3477_73c5 => "pong".to_owned(),
        id => format!("{id:08x}"),
    };
    let mut text = String::new();
    for word in body[4..].chunks(8).take(6) {
        if word.iter().all(|byte| (32..127).contains(byte)) {
            text += &String::from_utf8_lossy(word);
        } else {
            text += &word
                .iter()
                .rev()
                .map(|b| format!("{b:02x}"))
                .collect::<String>();
            text.push(' ');
        }
    }
    format!("{name}({})", text.trim())
}

//! Plain messages, which carry the key exchange: auth_key_id 0, msg_id, length, body.

use std::fmt;

/// The length in bytes of what comes before a plain message's body.
pub const HEADER: usize = 20;

/// A packet that is no plain message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainError {
    /// Shorter than the header.
    TooShort {
        /// The packet's length in bytes.
        length: usize,
    },
    /// The packet is encrypted with an auth key.
    Encrypted {
        /// The id of that key.
        auth_key_id: i64,
    },
    /// The body's length does not fit the packet.
    Length {
        /// The length in bytes that the header gives.
        declared: i32,
        /// How many bytes there are.
        available: usize,
    },
}

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { length } => {
                write!(
                    f,
                    "{length} bytes, expected a plain message of at least {HEADER}"
                )
            }
            Self::Encrypted { auth_key_id } => {
                write!(
                    f,
                    "expected a plain message, got one for auth key {auth_key_id:016x}"
                )
            }
            Self::Length {
                declared,
                available,
            } => {
                write!(
                    f,
                    "a plain message of {declared} bytes, but {available} came"
                )
            }
        }
    }
}

impl std::error::Error for PlainError {}

/// Appends the plain message of `body` to `out`.
///
/// The body of a key exchange has a few hundred bytes; one of 2 GiB or more would be cut off at the receiver.
pub fn pack(out: &mut Vec<u8>, msg_id: i64, body: &[u8]) {
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&msg_id.to_le_bytes());
    out.extend_from_slice(&i32::try_from(body.len()).unwrap_or(i32::MAX).to_le_bytes());
    out.extend_from_slice(body);
}

/// The msg_id and the body of a plain message. Up to 15 bytes of a transport's padding may follow the body.
///
/// # Errors
/// If the packet is too short, encrypted, or its length is wrong.
pub fn unpack(packet: &[u8]) -> Result<(i64, &[u8]), PlainError> {
    let Some((header, rest)) = packet.split_first_chunk::<HEADER>() else {
        return Err(PlainError::TooShort {
            length: packet.len(),
        });
    };
    let [key @ .., m0, m1, m2, m3, m4, m5, m6, m7, l0, l1, l2, l3] = *header;
    let auth_key_id = i64::from_le_bytes(key);
    if auth_key_id != 0 {
        return Err(PlainError::Encrypted { auth_key_id });
    }
    let declared = i32::from_le_bytes([l0, l1, l2, l3]);
    let wrong = PlainError::Length {
        declared,
        available: rest.len(),
    };
    let length = usize::try_from(declared).map_err(|_| wrong)?;
    let body = rest
        .get(..length)
        .filter(|_| rest.len() - length <= 15)
        .ok_or(wrong)?;
    Ok((i64::from_le_bytes([m0, m1, m2, m3, m4, m5, m6, m7]), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_message_comes_back() {
        let mut packet = Vec::new();
        pack(&mut packet, 0x0102_0304_0506_0708, b"body");
        assert_eq!(unpack(&packet), Ok((0x0102_0304_0506_0708, &b"body"[..])));
        packet.extend_from_slice(&[7; 15]);
        assert_eq!(unpack(&packet), Ok((0x0102_0304_0506_0708, &b"body"[..])));
        packet.push(7);
        assert!(matches!(
            unpack(&packet),
            Err(PlainError::Length {
                declared: 4,
                available: 20
            })
        ));
    }

    #[test]
    fn what_is_no_plain_message_is_refused() {
        let mut packet = Vec::new();
        pack(&mut packet, 4, b"body");
        for length in 0..HEADER {
            assert_eq!(
                unpack(&packet[..length]),
                Err(PlainError::TooShort { length })
            );
        }
        assert!(matches!(
            unpack(&packet[..HEADER + 3]),
            Err(PlainError::Length { .. })
        ));
        packet[16..20].copy_from_slice(&(-1_i32).to_le_bytes());
        assert!(matches!(
            unpack(&packet),
            Err(PlainError::Length { declared: -1, .. })
        ));
        packet[0] = 1;
        assert_eq!(
            unpack(&packet),
            Err(PlainError::Encrypted { auth_key_id: 1 })
        );
    }
}

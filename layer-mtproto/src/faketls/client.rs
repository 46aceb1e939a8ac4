//! The client's half: a hello, and whether the answer is that of someone who knows the secret.

use std::time::Duration;

use layer_crypto::sha::hmac_sha256;
use layer_crypto::{SecureRandom, constant_time_eq};
use zeroize::Zeroizing;

use super::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC_RECORD, FakeTlsError, HANDSHAKE, HEADER, MAX_TAKEN,
    RANDOM, Records, hello,
};

/// The client's side of the hellos.
///
/// Send [`hello`](Self::hello), then [feed](Self::feed) what comes until there are [`Records`]. No more than the
/// answer is kept, which is less than 34 KiB.
pub struct Client {
    secret: Zeroizing<[u8; 16]>,
    hello: Vec<u8>,
    incoming: Vec<u8>,
    finished: bool,
}

impl Client {
    /// A hello with the secret, for the domain (no more than [`MAX_DOMAIN`](crate::transport::MAX_DOMAIN) bytes of
    /// it are used). The server compares `unix`, the time since 1970, with its own clock.
    #[must_use]
    pub fn new(
        secret: &[u8; 16],
        domain: &str,
        unix: Duration,
        rng: &mut dyn SecureRandom,
    ) -> Self {
        let mut hello = hello::client(domain, rng);
        let mut random = hmac_sha256(secret, &[&hello]);
        for (byte, time) in random[28..].iter_mut().zip(seconds(unix).to_le_bytes()) {
            *byte ^= time;
        }
        hello[RANDOM].copy_from_slice(&random);
        Self {
            secret: Zeroizing::new(*secret),
            hello,
            incoming: Vec::new(),
            finished: false,
        }
    }

    /// The bytes that open the connection.
    #[must_use]
    pub fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// Takes bytes that came from the connection; `None` means that more are needed.
    ///
    /// # Errors
    /// If they are not the answer of an MTProxy that knows the secret. Nothing more is to be sent then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Records>, FakeTlsError> {
        if self.finished {
            return Err(FakeTlsError::Finished);
        }
        self.incoming.extend_from_slice(bytes);
        let answer = match find_answer(&self.incoming) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.finished = true;
                self.incoming = Vec::new();
                return Err(error);
            }
        };
        self.finished = true;
        let early = self.incoming.split_off(answer);
        let mut answer = std::mem::take(&mut self.incoming);
        let mut random = [0; 32];
        random.copy_from_slice(&answer[RANDOM]);
        answer[RANDOM].fill(0);
        let expected = hmac_sha256(&self.secret, &[&self.hello[RANDOM], &answer]);
        if !constant_time_eq(&expected, &random) {
            return Err(FakeTlsError::WrongSecret);
        }
        Ok(Some(Records::client(early)))
    }
}

/// The length of the whole answer at the start of `bytes`: a record with the server's hello, a ChangeCipherSpec, and
/// a record of application data. Everything is checked as soon as it can be read.
fn find_answer(bytes: &[u8]) -> Result<Option<usize>, FakeTlsError> {
    let Some((mut end, whole)) = record(bytes, HANDSHAKE, RANDOM.end - HEADER)? else {
        return Ok(None);
    };
    if let Some(&kind) = bytes.get(HEADER)
        && kind != hello::SERVER_HELLO
    {
        return Err(FakeTlsError::WrongSecret);
    }
    if !whole {
        return Ok(None);
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let compared = rest.len().min(CHANGE_CIPHER_SPEC_RECORD.len());
    if rest[..compared] != CHANGE_CIPHER_SPEC_RECORD[..compared] {
        // A server of TLS 1.2 goes on with its certificate.
        return Err(FakeTlsError::WrongSecret);
    }
    if compared < CHANGE_CIPHER_SPEC_RECORD.len() {
        return Ok(None);
    }
    end += compared;
    let Some((length, whole)) = record(bytes.get(end..).unwrap_or_default(), APPLICATION_DATA, 0)?
    else {
        return Ok(None);
    };
    Ok(whole.then_some(end + length))
}

/// The length of the record of this kind that `bytes` begin with, and whether all of it is here; `None` if that
/// cannot be told yet.
fn record(
    bytes: &[u8],
    expected: u8,
    at_least: usize,
) -> Result<Option<(usize, bool)>, FakeTlsError> {
    match bytes {
        [] => return Ok(None),
        [ALERT, 3, _, 0, 2, _, description, ..] => {
            return Err(FakeTlsError::Alert {
                description: *description,
            });
        }
        [ALERT, ..] if bytes.len() < HEADER + 2 => return Ok(None),
        [kind, ..] if *kind != expected && expected == HANDSHAKE => {
            return Err(FakeTlsError::NotTls { got: *kind });
        }
        _ => {}
    }
    let Some(&[kind, major, minor, high, low]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let version = u16::from_be_bytes([major, minor]);
    let length = usize::from(u16::from_be_bytes([high, low]));
    if kind != expected || version != 0x0303 || !(at_least..=MAX_TAKEN).contains(&length) {
        return Err(FakeTlsError::Record {
            kind,
            version,
            length,
        });
    }
    Ok(Some((HEADER + length, bytes.len() >= HEADER + length)))
}

/// Unix time as the hello has it.
fn seconds(unix: Duration) -> u32 {
    u32::try_from(unix.as_secs()).unwrap_or(u32::MAX)
}

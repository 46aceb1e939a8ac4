//! The server's half: whether a connection begins with a hello that was made with a secret of ours, just now, and
//! for the first time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::sha::hmac_sha256;
use layer_crypto::{SecureRandom, constant_time_eq};

use super::{FakeTlsError, HANDSHAKE, HEADER, RANDOM, Records, Replays, hello};
use crate::transport::ProxySecret;

/// The longest hello that is taken, in bytes without the record's header. Today's have about 1800.
const MAX_HELLO: usize = 4096;
/// The shortest one: up to the end of `random` and the session id.
const MIN_HELLO: usize = RANDOM.end - HEADER + 33;
/// So far may the client's clock be behind ours: whoever's clock is wrong learns the time only later.
const MAX_BEHIND: Duration = Duration::from_secs(600);
/// So far may it be ahead of ours.
const MAX_AHEAD: Duration = Duration::from_secs(60);

/// The first look at a connection of a server that has `ee` secrets, before the
/// [`Acceptor`](crate::transport::Acceptor): is it FakeTLS?
///
/// No more than one hello is kept, 4101 bytes.
pub struct Server {
    secrets: Arc<[ProxySecret]>,
    incoming: Vec<u8>,
    finished: bool,
}

/// What a connection turned out to be.
#[derive(Debug)]
#[must_use]
pub enum Opening {
    /// Too early to tell.
    NeedMore,
    /// No TLS. These are the bytes that came, for an [`Acceptor`](crate::transport::Acceptor).
    NotTls(Vec<u8>),
    /// FakeTLS with one of the secrets.
    Tls(Accepted),
}

/// A client that knows a secret.
#[derive(Debug)]
pub struct Accepted {
    /// The secret that the client used.
    pub secret: ProxySecret,
    /// What the rest of the connection goes through:
    /// give it to [`Acceptor::within`](crate::transport::Acceptor::within).
    pub records: Records,
}

impl Server {
    /// For one connection. Of the secrets those with a domain are looked at.
    #[must_use]
    pub fn new(secrets: Arc<[ProxySecret]>) -> Self {
        Self {
            secrets,
            incoming: Vec::new(),
            finished: false,
        }
    }

    /// Takes bytes that came at `unix`, the time since 1970. What is to be sent, before anything else, is appended
    /// to `out`.
    ///
    /// # Errors
    /// If the connection is TLS, and its hello is not one to be answered. A server that wants to look like the
    /// domain passes the connection on to it; nothing was sent yet.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        unix: Duration,
        replays: &mut Replays,
        rng: &mut dyn SecureRandom,
        out: &mut Vec<u8>,
    ) -> Result<Opening, FakeTlsError> {
        if self.finished {
            return Err(FakeTlsError::Finished);
        }
        self.incoming.extend_from_slice(bytes);
        let end = match begins_tls(&self.incoming) {
            Begins::Undecided => return Ok(Opening::NeedMore),
            Begins::Otherwise => {
                self.finished = true;
                return Ok(Opening::NotTls(std::mem::take(&mut self.incoming)));
            }
            Begins::Hello { end } if self.incoming.len() < end => return Ok(Opening::NeedMore),
            Begins::Hello { end } => end,
        };
        self.finished = true;
        let early = self.incoming.split_off(end);
        let mut record = std::mem::take(&mut self.incoming);
        let mut random = [0; 32];
        random.copy_from_slice(&record[RANDOM]);
        record[RANDOM].fill(0);

        let (secret, made) = self.recognise(&record, &random)?;
        let (secret, domain) = (secret.clone(), secret.domain().unwrap_or_default());
        let hello = hello::read_client(&record).map_err(FakeTlsError::Hello)?;
        if !hello.domain.eq_ignore_ascii_case(domain.as_bytes()) {
            return Err(FakeTlsError::Domain);
        }
        check_time(made, unix)?;
        if !replays.insert(&random) {
            return Err(FakeTlsError::Replayed);
        }

        let mut answer = hello::server(&hello.session, rng);
        let proof = hmac_sha256(secret.key(), &[&random, &answer]);
        answer[RANDOM].copy_from_slice(&proof);
        out.extend_from_slice(&answer);
        Ok(Opening::Tls(Accepted {
            secret,
            records: Records::server(early),
        }))
    }

    /// The secret that the hello (with its `random` taken out) was made with, and when.
    fn recognise(
        &self,
        record: &[u8],
        random: &[u8; 32],
    ) -> Result<(&ProxySecret, u32), FakeTlsError> {
        for secret in self
            .secrets
            .iter()
            .filter(|secret| secret.domain().is_some())
        {
            let expected = hmac_sha256(secret.key(), &[record]);
            if constant_time_eq(&expected[..28], &random[..28]) {
                let mut time = [0; 4];
                for (at, byte) in time.iter_mut().enumerate() {
                    *byte = expected[28 + at] ^ random[28 + at];
                }
                return Ok((secret, u32::from_le_bytes(time)));
            }
        }
        Err(FakeTlsError::UnknownSecret)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

enum Begins {
    Undecided,
    Otherwise,
    /// A record of this length, its header included.
    Hello {
        end: usize,
    },
}

/// Whether a connection begins with a record that can hold a hello. An obfuscated connection never begins with the
/// four bytes that say "a hello of 512 to 767 bytes", and by chance with others too seldom to matter.
fn begins_tls(bytes: &[u8]) -> Begins {
    let compared = bytes.len().min(3);
    if bytes[..compared] != [HANDSHAKE, 3, 1][..compared] {
        return Begins::Otherwise;
    }
    let Some(&[_, _, _, high, low]) = bytes.first_chunk() else {
        return Begins::Undecided;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if (MIN_HELLO..=MAX_HELLO).contains(&length) {
        Begins::Hello {
            end: HEADER + length,
        }
    } else {
        Begins::Otherwise
    }
}

fn check_time(made: u32, unix: Duration) -> Result<(), FakeTlsError> {
    let made = Duration::from_secs(made.into());
    if made > unix.saturating_add(MAX_AHEAD) || made.saturating_add(MAX_BEHIND) < unix {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let ahead = seconds(made).saturating_sub(seconds(unix));
        return Err(FakeTlsError::Clock { ahead });
    }
    Ok(())
}

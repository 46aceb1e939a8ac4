//! A server's first look at a connection: which transport is it?

use layer_crypto::SecureRandom;

use super::obfuscation::{self, INIT, Reading};
use super::{Codec, MAX_PACKET, TransportError, TransportKind};
use crate::faketls::Records;

/// Tells the transport from the first bytes of a connection, obfuscated or not, however they are split.
pub struct Acceptor {
    secrets: Vec<[u8; 16]>,
    secret_required: bool,
    limit: usize,
    seen: Vec<u8>,
    records: Option<Records>,
    /// Taken by the codec once the transport is known.
    rng: Option<Box<dyn SecureRandom + Send>>,
}

/// A connection whose transport is known.
pub struct Accepted {
    /// The codec, which has been fed what came after the preamble: ask it for frames before feeding it more.
    pub codec: Codec,
    /// The framing.
    pub kind: TransportKind,
    /// Whether the connection is obfuscated.
    pub obfuscated: bool,
    /// The DC that a client of the MTProxy asks for: + 10000 for test DCs, negative for media DCs. `None` if
    /// no secret was used, because then the field means nothing.
    pub dc_id: Option<i16>,
    /// Whether the client knew one of the MTProxy secrets.
    pub secret_used: bool,
}

impl Acceptor {
    /// An acceptor for one connection. Obfuscated connections may use one of `secrets`, or none.
    #[must_use]
    pub fn new(secrets: Vec<[u8; 16]>, rng: Box<dyn SecureRandom + Send>) -> Self {
        Self {
            secrets,
            secret_required: false,
            limit: MAX_PACKET,
            seen: Vec::new(),
            records: None,
            rng: Some(rng),
        }
    }

    /// Takes no obfuscated connection that uses none of the secrets.
    #[must_use]
    pub fn require_secret(mut self) -> Self {
        self.secret_required = true;
        self
    }

    /// Sets the largest packet in bytes that the codec will take at first; see [`Codec::set_limit`].
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Looks inside of FakeTLS's records. The codec will write such records as well.
    #[must_use]
    pub fn within(mut self, records: Records) -> Self {
        self.records = Some(records);
        self
    }

    /// Takes bytes that came from the connection; `None` means that more are needed.
    ///
    /// # Errors
    /// If the first bytes are no transport of MTProto.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Accepted>, TransportError> {
        if self.rng.is_none() {
            return Err(TransportError::AlreadyAccepted);
        }
        if let Some(records) = &mut self.records {
            let early = records.take_early();
            records.open(&early, &mut self.seen)?;
            records.open(bytes, &mut self.seen)?;
        } else {
            self.seen.extend_from_slice(bytes);
        }
        self.recognise()
    }

    fn recognise(&mut self) -> Result<Option<Accepted>, TransportError> {
        let seen = self.seen.as_slice();
        if seen.first() == Some(&0xef) {
            return self.accept(TransportKind::Abridged, 1, None, false);
        }
        let Some(first) = seen.first_chunk::<4>() else {
            return Ok(None);
        };
        match first {
            [0xee, 0xee, 0xee, 0xee] => {
                return self.accept(TransportKind::Intermediate, 4, None, false);
            }
            [0xdd, 0xdd, 0xdd, 0xdd] => {
                return self.accept(TransportKind::PaddedIntermediate, 4, None, false);
            }
            b"GET " | b"POST" | b"HEAD" | b"OPTI" => return Err(TransportError::Http),
            [0x16, 3, 1, 2] => return Err(TransportError::Tls),
            _ => {}
        }
        let Some(head) = seen.first_chunk::<8>() else {
            return Ok(None);
        };
        if head[4..] == [0; 4] {
            // Number 0 in the second word: the full transport, which has no preamble.
            return self.accept(TransportKind::Full, 0, None, false);
        }
        let Some(init) = seen.first_chunk::<INIT>() else {
            return Ok(None);
        };
        let candidates: Vec<_> = self
            .secrets
            .iter()
            .copied()
            .map(Some)
            .chain((!self.secret_required).then_some(None))
            .collect();
        for secret in &candidates {
            let reading = obfuscation::read(init, secret.as_ref());
            if let Some(kind) = TransportKind::from_tag(reading.tag) {
                return self.accept(kind, INIT, Some(reading), secret.is_some());
            }
        }
        // The full transport has no tag: its first length and number must make sense instead.
        let Some(head) = seen[INIT..].first_chunk::<8>() else {
            return Ok(None);
        };
        for secret in &candidates {
            if begins_full(head, obfuscation::read(init, secret.as_ref())) {
                let reading = obfuscation::read(init, secret.as_ref());
                return self.accept(TransportKind::Full, INIT, Some(reading), secret.is_some());
            }
        }
        Err(if self.secret_required {
            TransportError::SecretRequired
        } else {
            TransportError::UnknownTransport
        })
    }

    fn accept(
        &mut self,
        kind: TransportKind,
        preamble: usize,
        reading: Option<Reading>,
        secret_used: bool,
    ) -> Result<Option<Accepted>, TransportError> {
        let rng = self.rng.take().ok_or(TransportError::AlreadyAccepted)?;
        let obfuscated = reading.is_some();
        let dc_id = reading
            .as_ref()
            .filter(|_| secret_used)
            .map(|reading| reading.dc_id);
        let mut codec = Codec::server(kind, reading.map(|reading| reading.ciphers), rng);
        codec.set_limit(self.limit);
        codec.feed(&self.seen[preamble..]);
        if let Some(records) = self.records.take() {
            codec = codec.within(records);
        }
        self.seen = Vec::new();
        Ok(Some(Accepted {
            codec,
            kind,
            obfuscated,
            dc_id,
            secret_used,
        }))
    }
}

/// Whether `head`, once decrypted, is the length and number of a first packet of the full transport.
fn begins_full(head: &[u8; 8], mut reading: Reading) -> bool {
    let mut head = *head;
    reading.ciphers.incoming.apply(&mut head);
    let [a, b, c, d, number @ ..] = head;
    let total = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    number == [0; 4] && total.is_multiple_of(4) && (16..=MAX_PACKET).contains(&total)
}

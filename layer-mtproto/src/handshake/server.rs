//! The server's side of the key exchange.
//!
//! It takes every form that clients in use speak: both RSA schemes, `req_pq` and `req_pq_multi`, all four kinds
//! of `p_q_inner_data`. A request that comes again word for word is answered again word for word.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::dh::{self, TELEGRAM_PRIME};
use layer_crypto::rsa::PrivateKey;
use layer_crypto::{AuthKey, SecureRandom};
use layer_tl_types::{Identifiable, Serializable, enums, functions, types};
use zeroize::Zeroizing;

use super::{HandshakeError, HandshakeErrorKind, Stage, envelope, first_salt, small_number};
use crate::session::msg_id::{MsgIds, MsgKind};
use crate::{plain, tl};

/// Telegram's group: its generator and its prime.
const TELEGRAM_GROUP: (i32, [u8; 256]) = (3, TELEGRAM_PRIME);
/// Changes what the server says within its encrypted answer.
type Forge = Box<dyn FnOnce(&mut types::ServerDhInnerData) + Send>;

/// What happened in a server's key exchange.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A key was made; the client will use it as soon as it has our answer.
    Done(ServerOutcome),
}

/// A finished key exchange.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerOutcome {
    /// The key.
    pub auth_key: AuthKey,
    /// The salt that goes with the first messages.
    pub first_salt: i64,
    /// After how long a temporary key ends; `None` for a permanent one.
    pub temporary: Option<Duration>,
    /// The DC that the client meant, if it said so: + 10000 for test DCs, negative for media DCs.
    pub dc_id: Option<i32>,
}

struct Nonces {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
}

/// What the client said in `p_q_inner_data`.
struct Wish {
    new_nonce: Zeroizing<[u8; 32]>,
    dc_id: Option<i32>,
    expires_in: Option<i32>,
}

enum State {
    Idle,
    DhParams { nonces: Nonces, p: u32, q: u32 },
    DhGen(Box<ClientHalf>),
}

/// The server's side of the key exchanges of one connection, one after another.
pub struct Server {
    keys: Arc<[PrivateKey]>,
    dc_id: i32,
    checks_dc: bool,
    /// How many more keys to refuse.
    refuse: u8,
    fail: bool,
    group: (i32, [u8; 256]),
    forge: Option<Forge>,
    rng: Box<dyn SecureRandom + Send>,
    ids: MsgIds,
    state: State,
    /// The last request and its answer.
    last: Option<(Vec<u8>, Vec<u8>)>,
    outgoing: VecDeque<Vec<u8>>,
    events: VecDeque<ServerEvent>,
}

impl Server {
    /// A server that is DC `dc_id` and has `keys`.
    #[must_use]
    pub fn new(keys: Arc<[PrivateKey]>, dc_id: i32, rng: Box<dyn SecureRandom + Send>) -> Self {
        Self {
            keys,
            dc_id,
            checks_dc: false,
            refuse: 0,
            fail: false,
            group: TELEGRAM_GROUP,
            forge: None,
            rng,
            ids: MsgIds::default(),
            state: State::Idle,
            last: None,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Refuses clients that name another DC; by default [`ServerOutcome::dc_id`] only tells. Media DCs and test
    /// DCs of the same number are the same DC here.
    #[must_use]
    pub fn checking_dc(mut self) -> Self {
        self.checks_dc = true;
        self
    }

    /// Answers the next `count` keys with `dh_gen_retry`, for tests of clients.
    pub fn refuse_keys(&mut self, count: u8) {
        self.refuse = count;
    }

    /// Answers every key with `dh_gen_fail`, for tests of clients.
    pub fn fail_keys(&mut self, fail: bool) {
        self.fail = fail;
    }

    /// Offers this generator and safe prime of 2048 bits from the next exchange on, or Telegram's when `None`; for
    /// tests of clients.
    pub fn use_group(&mut self, group: Option<(i32, [u8; 256])>) {
        self.group = group.unwrap_or(TELEGRAM_GROUP);
    }

    /// Changes what the next `server_DH_inner_data` says before it is encrypted, for tests of clients.
    pub fn forge_answer(
        &mut self,
        forge: impl FnOnce(&mut types::ServerDhInnerData) + Send + 'static,
    ) {
        self.forge = Some(Box::new(forge));
    }

    /// Takes a packet from the client. `unix` is the time since 1970.
    ///
    /// # Errors
    /// If it fails one of the checks; the documentation's answer is the transport error -404, for this packet
    /// and all that follow.
    pub fn handle_packet(&mut self, packet: &[u8], unix: Duration) -> Result<(), HandshakeError> {
        let stage = match self.state {
            State::Idle => Stage::Pq,
            State::DhParams { .. } => Stage::DhParams,
            State::DhGen(_) => Stage::DhGen,
        };
        let result = plain::unpack(packet)
            .map_err(HandshakeErrorKind::Plain)
            .and_then(|(_, body)| self.handle_body(body, unix));
        match result {
            Ok(answer) => {
                let mut packet = Vec::with_capacity(plain::HEADER + answer.len());
                plain::pack(&mut packet, self.ids.next(unix, MsgKind::Response), &answer);
                self.outgoing.push_back(packet);
                Ok(())
            }
            Err(kind) => {
                self.state = State::Idle;
                self.last = None;
                Err(HandshakeError { stage, kind })
            }
        }
    }

    fn handle_body(&mut self, body: &[u8], unix: Duration) -> Result<Vec<u8>, HandshakeErrorKind> {
        if let Some((request, answer)) = &self.last
            && request == body
        {
            return Ok(answer.clone());
        }
        let answer = match tl::constructor_id(body) {
            Some(functions::ReqPqMulti::CONSTRUCTOR_ID) => {
                let request: functions::ReqPqMulti =
                    tl::read_function(body).ok_or_else(|| malformed("req_pq_multi", body))?;
                self.on_req_pq(request.nonce)
            }
            Some(functions::ReqPq::CONSTRUCTOR_ID) => {
                let request: functions::ReqPq =
                    tl::read_function(body).ok_or_else(|| malformed("req_pq", body))?;
                self.on_req_pq(request.nonce)
            }
            _ => match std::mem::replace(&mut self.state, State::Idle) {
                State::Idle => Err(malformed("req_pq_multi", body)),
                State::DhParams { nonces, p, q } => self.on_req_dh_params(nonces, p, q, body, unix),
                State::DhGen(half) => self.on_set_client_dh_params(*half, body),
            },
        }?;
        self.last = Some((body.to_vec(), answer.clone()));
        Ok(answer)
    }

    fn on_req_pq(&mut self, nonce: [u8; 16]) -> Result<Vec<u8>, HandshakeErrorKind> {
        let mut server_nonce = [0; 16];
        self.rng.fill(&mut server_nonce);
        let p = self.prime();
        let q = loop {
            let q = self.prime();
            if q != p {
                break q;
            }
        };
        let (p, q) = (p.min(q), p.max(q));
        let pq = u64::from(p) * u64::from(q);
        let answer: enums::ResPq = types::ResPq {
            nonce,
            server_nonce,
            pq: pq.to_be_bytes().to_vec(),
            server_public_key_fingerprints: self
                .keys
                .iter()
                .map(|key| key.public().fingerprint())
                .collect(),
        }
        .into();
        self.state = State::DhParams {
            nonces: Nonces {
                nonce,
                server_nonce,
            },
            p,
            q,
        };
        Ok(answer.to_bytes())
    }

    /// A prime of exactly 31 bits, so that pq always has 8 bytes and fits an i64.
    fn prime(&mut self) -> u32 {
        loop {
            let mut bytes = [0; 4];
            self.rng.fill(&mut bytes);
            let mut candidate = u32::from_le_bytes(bytes) >> 1 | 1 << 30 | 1;
            while candidate < 1 << 31 {
                if is_prime(candidate) {
                    return candidate;
                }
                candidate += 2;
            }
        }
    }

    fn on_req_dh_params(
        &mut self,
        nonces: Nonces,
        p: u32,
        q: u32,
        body: &[u8],
        unix: Duration,
    ) -> Result<Vec<u8>, HandshakeErrorKind> {
        let request: functions::ReqDhParams =
            tl::read_function(body).ok_or_else(|| malformed("req_DH_params", body))?;
        nonces.check(&request.nonce, &request.server_nonce)?;
        let factors = |p_bytes: &[u8], q_bytes: &[u8]| {
            let same = small_number(p_bytes) == Some(u64::from(p))
                && small_number(q_bytes) == Some(u64::from(q));
            same.then_some(()).ok_or(HandshakeErrorKind::Factors)
        };
        factors(&request.p, &request.q)?;
        let fingerprint = request.public_key_fingerprint;
        let key = self
            .keys
            .iter()
            .find(|key| key.public().fingerprint() == fingerprint)
            .ok_or(HandshakeErrorKind::UnknownFingerprint(fingerprint))?;
        let decrypted = key
            .decrypt(&request.encrypted_data)
            .map_err(HandshakeErrorKind::Rsa)?;
        let inner = InnerData::read(&decrypted.data)?;
        nonces.check(&inner.nonce, &inner.server_nonce)?;
        factors(&inner.p, &inner.q)?;
        if small_number(&inner.pq) != Some(u64::from(p) * u64::from(q)) {
            return Err(HandshakeErrorKind::Pq { pq: inner.pq });
        }
        if let Some(got) = inner.wish.dc_id
            && self.checks_dc
            && got.unsigned_abs() % 10_000 != self.dc_id.unsigned_abs() % 10_000
        {
            return Err(HandshakeErrorKind::WrongDc {
                expected: self.dc_id,
                got,
            });
        }

        let (secret, g_a) = self.draw_secret()?;
        let (g, prime) = self.group;
        let mut answer = types::ServerDhInnerData {
            nonce: nonces.nonce,
            server_nonce: nonces.server_nonce,
            g,
            dh_prime: prime.to_vec(),
            g_a: g_a.to_vec(),
            server_time: i32::try_from(unix.as_secs()).unwrap_or(i32::MAX),
        };
        if let Some(forge) = self.forge.take() {
            forge(&mut answer);
        }
        let encrypted_answer = envelope::seal(
            &enums::ServerDhInnerData::from(answer).to_bytes(),
            &nonces.server_nonce,
            &inner.wish.new_nonce,
            &mut *self.rng,
        );
        let answer: enums::ServerDhParams = types::ServerDhParamsOk {
            nonce: nonces.nonce,
            server_nonce: nonces.server_nonce,
            encrypted_answer,
        }
        .into();
        let half = ClientHalf {
            nonces,
            wish: inner.wish,
            secret,
            prime,
            retry_id: 0,
            retries: 0,
        };
        self.state = State::DhGen(Box::new(half));
        Ok(answer.to_bytes())
    }

    fn draw_secret(&mut self) -> Result<(dh::Secret, [u8; 256]), HandshakeErrorKind> {
        let mut last = None;
        // One draw in 2^64 is out of range; more than one is a broken source of randomness.
        for _ in 0..3 {
            let secret = dh::Secret::generate(&mut *self.rng);
            let (g, prime) = &self.group;
            // What is out of range is refused where it is computed.
            match secret.public(*g, prime) {
                Ok(g_a) => return Ok((secret, g_a)),
                Err(error) => last = Some(HandshakeErrorKind::Public(error)),
            }
        }
        Err(last.unwrap_or(HandshakeErrorKind::DhGenFail))
    }

    fn on_set_client_dh_params(
        &mut self,
        half: ClientHalf,
        body: &[u8],
    ) -> Result<Vec<u8>, HandshakeErrorKind> {
        let ClientHalf {
            nonces,
            wish,
            secret,
            prime,
            retry_id,
            retries,
        } = half;
        let request: functions::SetClientDhParams =
            tl::read_function(body).ok_or_else(|| malformed("set_client_DH_params", body))?;
        nonces.check(&request.nonce, &request.server_nonce)?;
        let data = envelope::open(
            &request.encrypted_data,
            &nonces.server_nonce,
            &wish.new_nonce,
        )?;
        let inner: types::ClientDhInnerData =
            tl::read(&data).ok_or_else(|| malformed("client_DH_inner_data", &data))?;
        nonces.check(&inner.nonce, &inner.server_nonce)?;
        if inner.retry_id != retry_id {
            return Err(HandshakeErrorKind::RetryId {
                expected: retry_id,
                got: inner.retry_id,
            });
        }
        // Checks the number first.
        let auth_key = secret
            .agree(&inner.g_b, &prime)
            .map_err(HandshakeErrorKind::Public)?;
        let Nonces {
            nonce,
            server_nonce,
        } = nonces;
        let hash = |n| auth_key.new_nonce_hash(&wish.new_nonce, n);
        let answer: enums::SetClientDhParamsAnswer = if self.fail {
            types::DhGenFail {
                nonce,
                server_nonce,
                new_nonce_hash3: hash(3),
            }
            .into()
        } else if retries < self.refuse {
            let answer = types::DhGenRetry {
                nonce,
                server_nonce,
                new_nonce_hash2: hash(2),
            };
            let retry_id = auth_key.aux_hash();
            let half = ClientHalf {
                nonces,
                wish,
                secret,
                prime,
                retry_id,
                retries: retries.saturating_add(1),
            };
            self.state = State::DhGen(Box::new(half));
            answer.into()
        } else {
            let answer = types::DhGenOk {
                nonce,
                server_nonce,
                new_nonce_hash1: hash(1),
            };
            self.events.push_back(ServerEvent::Done(ServerOutcome {
                first_salt: first_salt(&wish.new_nonce, &server_nonce),
                temporary: wish
                    .expires_in
                    .map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))),
                dc_id: wish.dc_id,
                auth_key,
            }));
            answer.into()
        };
        Ok(answer.to_bytes())
    }

    /// Appends the packet that is to be sent now to `out`, if there is one.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(packet) = self.outgoing.pop_front() else {
            return false;
        };
        out.extend_from_slice(&packet);
        true
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }
}

/// What is remembered until the client's public number comes.
struct ClientHalf {
    nonces: Nonces,
    wish: Wish,
    secret: dh::Secret,
    prime: [u8; 256],
    retry_id: i64,
    retries: u8,
}

impl Nonces {
    fn check(&self, nonce: &[u8; 16], server_nonce: &[u8; 16]) -> Result<(), HandshakeErrorKind> {
        if *nonce != self.nonce {
            Err(HandshakeErrorKind::Nonce)
        } else if *server_nonce != self.server_nonce {
            Err(HandshakeErrorKind::ServerNonce)
        } else {
            Ok(())
        }
    }
}

/// The four kinds of `p_q_inner_data`.
struct InnerData {
    pq: Vec<u8>,
    p: Vec<u8>,
    q: Vec<u8>,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    wish: Wish,
}

impl InnerData {
    fn read(data: &[u8]) -> Result<Self, HandshakeErrorKind> {
        macro_rules! read {
            ($kind:ty, $dc_id:expr, $expires_in:expr) => {
                if let Some(inner) = tl::read::<$kind>(data) {
                    let dc_id: fn(&$kind) -> Option<i32> = $dc_id;
                    let expires_in: fn(&$kind) -> Option<i32> = $expires_in;
                    return Ok(Self {
                        wish: Wish {
                            new_nonce: Zeroizing::new(inner.new_nonce),
                            dc_id: dc_id(&inner),
                            expires_in: expires_in(&inner),
                        },
                        pq: inner.pq,
                        p: inner.p,
                        q: inner.q,
                        nonce: inner.nonce,
                        server_nonce: inner.server_nonce,
                    });
                }
            };
        }
        read!(types::PQInnerDataDc, |i| Some(i.dc), |_| None);
        read!(types::PQInnerDataTempDc, |i| Some(i.dc), |i| Some(
            i.expires_in
        ));
        read!(types::PQInnerData, |_| None, |_| None);
        read!(types::PQInnerDataTemp, |_| None, |i| Some(i.expires_in));
        Err(malformed("p_q_inner_data", data))
    }
}

fn malformed(expected: &'static str, body: &[u8]) -> HandshakeErrorKind {
    HandshakeErrorKind::Malformed {
        expected,
        got: tl::constructor_id(body),
    }
}

/// Miller-Rabin with bases that decide for every number of 32 bits.
fn is_prime(n: u32) -> bool {
    if n < 2 {
        return false;
    }
    for small in [2, 3, 5, 7, 61] {
        if n.is_multiple_of(small) {
            return n == small;
        }
    }
    let modulus = u64::from(n);
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    [2_u64, 7, 61].into_iter().all(|base| {
        let mut x = 1;
        for bit in (0..32).rev() {
            x = x * x % modulus;
            if odd >> bit & 1 == 1 {
                x = x * base % modulus;
            }
        }
        x == 1
            || (0..twos).any(|_| {
                let was_minus_one = x == modulus - 1;
                x = x * x % modulus;
                was_minus_one
            })
    })
}

#[cfg(test)]
mod tests {
    use super::is_prime;

    #[test]
    fn primes_are_told_from_composites() {
        let naive = |n: u32| {
            n > 1
                && (2..n)
                    .take_while(|d| d * d <= n)
                    .all(|d| !n.is_multiple_of(d))
        };
        for n in 0..5_000 {
            assert_eq!(is_prime(n), naive(n), "{n}");
        }
        // Strong pseudoprimes to one of the bases, the largest prime below 2^31, and Carmichael numbers.
        for (n, expected) in [
            (3_215_031_751, false),
            (2_147_483_647, true),
            (825_265, false),
        ] {
            assert_eq!(is_prime(n), expected, "{n}");
        }
    }
}

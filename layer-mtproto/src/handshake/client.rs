//! The client's side of the key exchange.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use layer_crypto::dh::{self, TELEGRAM_PRIME};
use layer_crypto::rsa::PublicKey;
use layer_crypto::{AuthKey, SecureRandom, constant_time_eq, factorize};
use layer_tl_types::{Serializable, enums, functions, types};
use zeroize::Zeroizing;

use super::{
    Event, HandshakeError, HandshakeErrorKind, MAX_RETRIES, Outcome, Purpose, Stage, Step,
    envelope, first_salt, short_bytes, small_number,
};
use crate::session::clock::Clock;
use crate::session::msg_id::{MsgIds, MsgKind};
use crate::{plain, tl};

/// What a client wants of a key exchange.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The RSA keys that we trust a server by.
    pub keys: Vec<PublicKey>,
    /// The DC that we mean to talk to: + 10000 for test DCs, negative for media DCs. `None` leaves it out, as
    /// clients did before servers asked for it.
    pub dc_id: Option<i32>,
    /// What the key is made for.
    pub purpose: Purpose,
    /// How long the whole exchange may take: 30 seconds at first.
    pub timeout: Duration,
}

impl ClientConfig {
    /// A configuration with the default timeout.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>, dc_id: i32, purpose: Purpose) -> Self {
        Self {
            keys,
            dc_id: Some(dc_id),
            purpose,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Both nonces and the secret one, once they are known.
struct Nonces {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: Zeroizing<[u8; 32]>,
}

/// The server's half, checked.
struct ServerHalf {
    g: i32,
    dh_prime: Vec<u8>,
    g_a: Vec<u8>,
    server_time: i32,
    time_offset: i64,
}

enum State {
    Pq {
        nonce: [u8; 16],
    },
    DhParams(Nonces),
    DhGen {
        nonces: Nonces,
        server: Box<ServerHalf>,
        auth_key: Box<AuthKey>,
        retry: u8,
    },
    Finished,
}

/// The client's side of one key exchange.
///
/// The first message is ready at once: ask [`poll_transmit`](Self::poll_transmit).
pub struct Client {
    config: ClientConfig,
    rng: Box<dyn SecureRandom + Send>,
    clock: Clock,
    ids: MsgIds,
    state: State,
    outgoing: Option<Vec<u8>>,
    events: VecDeque<Event>,
    deadline: Instant,
}

impl Client {
    /// Begins an exchange. At `now` our wall clock says `unix` since 1970.
    #[must_use]
    pub fn new(
        config: ClientConfig,
        mut rng: Box<dyn SecureRandom + Send>,
        now: Instant,
        unix: Duration,
    ) -> Self {
        let mut nonce = [0; 16];
        rng.fill(&mut nonce);
        let deadline = now + config.timeout;
        Self {
            config,
            rng,
            clock: Clock::new(now, unix),
            ids: MsgIds::default(),
            state: State::Pq { nonce },
            outgoing: Some(functions::ReqPqMulti { nonce }.to_bytes()),
            events: VecDeque::from([Event::Step(Step::PqRequested { nonce })]),
            deadline,
        }
    }

    /// The step that is waited for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.state {
            State::Pq { .. } => Stage::Pq,
            State::DhParams(_) => Stage::DhParams,
            State::DhGen { .. } => Stage::DhGen,
            State::Finished => Stage::Finished,
        }
    }

    /// Takes a packet from the server.
    ///
    /// # Errors
    /// If it fails one of the checks. The exchange is over then.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) -> Result<(), HandshakeError> {
        let stage = self.stage();
        let result = plain::unpack(packet)
            .map_err(HandshakeErrorKind::Plain)
            .and_then(|(_, body)| self.handle_body(body, now));
        result.map_err(|kind| {
            self.state = State::Finished;
            self.outgoing = None;
            HandshakeError { stage, kind }
        })
    }

    fn handle_body(&mut self, body: &[u8], now: Instant) -> Result<(), HandshakeErrorKind> {
        match std::mem::replace(&mut self.state, State::Finished) {
            State::Pq { nonce } => self.on_res_pq(nonce, body),
            State::DhParams(nonces) => self.on_dh_params(nonces, body, now),
            State::DhGen {
                nonces,
                server,
                auth_key,
                retry,
            } => self.on_dh_gen(nonces, server, auth_key, retry, body),
            State::Finished => Err(HandshakeErrorKind::Finished),
        }
    }

    fn step(&mut self, step: Step) {
        self.events.push_back(Event::Step(step));
    }

    fn on_res_pq(&mut self, nonce: [u8; 16], body: &[u8]) -> Result<(), HandshakeErrorKind> {
        let answer: types::ResPq = tl::read(body).ok_or_else(|| malformed("resPQ", body))?;
        if answer.nonce != nonce {
            return Err(HandshakeErrorKind::Nonce);
        }
        let wrong_pq = || HandshakeErrorKind::Pq {
            pq: answer.pq.clone(),
        };
        let pq = small_number(&answer.pq).ok_or_else(wrong_pq)?;
        let server_nonce = answer.server_nonce;
        let fingerprints = answer.server_public_key_fingerprints.clone();
        self.step(Step::PqReceived {
            server_nonce,
            pq,
            fingerprints,
        });

        let offered = &answer.server_public_key_fingerprints;
        let key = self
            .config
            .keys
            .iter()
            .find(|key| offered.contains(&key.fingerprint()));
        let Some(key) = key.cloned() else {
            return Err(HandshakeErrorKind::UnknownFingerprints {
                offered: offered.clone(),
            });
        };
        let (p, q) = factorize(pq).filter(|(p, q)| p < q).ok_or_else(wrong_pq)?;
        self.step(Step::PqFactored { p, q });

        let mut new_nonce = Zeroizing::new([0; 32]);
        self.rng.fill(&mut *new_nonce);
        let nonces = Nonces {
            nonce,
            server_nonce,
            new_nonce,
        };
        let (inner, expires_in) = self.inner_data(&nonces, &answer.pq, p, q);
        let encrypted = key
            .encrypt_pad(&inner, &mut *self.rng)
            .map_err(HandshakeErrorKind::Rsa)?;
        let request = functions::ReqDhParams {
            nonce,
            server_nonce,
            p: short_bytes(p),
            q: short_bytes(q),
            public_key_fingerprint: key.fingerprint(),
            encrypted_data: encrypted.to_vec(),
        };
        self.outgoing = Some(request.to_bytes());
        self.step(Step::DhParamsRequested {
            fingerprint: key.fingerprint(),
            dc_id: self.config.dc_id,
            expires_in,
        });
        self.state = State::DhParams(nonces);
        Ok(())
    }

    /// `p_q_inner_data` in the form that the configuration asks for.
    fn inner_data(
        &self,
        nonces: &Nonces,
        pq: &[u8],
        p: u64,
        q: u64,
    ) -> (Zeroizing<Vec<u8>>, Option<i32>) {
        let Nonces {
            nonce,
            server_nonce,
            new_nonce,
        } = nonces;
        let (nonce, server_nonce, new_nonce) = (*nonce, *server_nonce, **new_nonce);
        let (pq, p, q) = (pq.to_vec(), short_bytes(p), short_bytes(q));
        let expires_in = match self.config.purpose {
            Purpose::Permanent => None,
            Purpose::Temporary { expires_in } => {
                Some(i32::try_from(expires_in.as_secs()).unwrap_or(i32::MAX))
            }
        };
        let data: enums::PQInnerData = match (self.config.dc_id, expires_in) {
            (Some(dc), None) => types::PQInnerDataDc {
                pq,
                p,
                q,
                nonce,
                server_nonce,
                new_nonce,
                dc,
            }
            .into(),
            (Some(dc), Some(expires_in)) => types::PQInnerDataTempDc {
                pq,
                p,
                q,
                nonce,
                server_nonce,
                new_nonce,
                dc,
                expires_in,
            }
            .into(),
            (None, None) => types::PQInnerData {
                pq,
                p,
                q,
                nonce,
                server_nonce,
                new_nonce,
            }
            .into(),
            (None, Some(expires_in)) => types::PQInnerDataTemp {
                pq,
                p,
                q,
                nonce,
                server_nonce,
                new_nonce,
                expires_in,
            }
            .into(),
        };
        (Zeroizing::new(data.to_bytes()), expires_in)
    }

    fn on_dh_params(
        &mut self,
        nonces: Nonces,
        body: &[u8],
        now: Instant,
    ) -> Result<(), HandshakeErrorKind> {
        if let Some(fail) = tl::read::<types::ServerDhParamsFail>(body) {
            nonces.check(&fail.nonce, &fail.server_nonce)?;
            // The 128 lower-order bits of SHA1(new_nonce).
            let hash = layer_crypto::sha::sha1(&[&*nonces.new_nonce]);
            return Err(if constant_time_eq(&hash[4..], &fail.new_nonce_hash) {
                HandshakeErrorKind::DhParamsFail
            } else {
                HandshakeErrorKind::NewNonceHash
            });
        }
        let answer: types::ServerDhParamsOk =
            tl::read(body).ok_or_else(|| malformed("server_DH_params_ok", body))?;
        nonces.check(&answer.nonce, &answer.server_nonce)?;
        let data = envelope::open(
            &answer.encrypted_answer,
            &nonces.server_nonce,
            &nonces.new_nonce,
        )?;
        let inner: types::ServerDhInnerData =
            tl::read(&data).ok_or_else(|| malformed("server_DH_inner_data", &data))?;
        nonces.check(&inner.nonce, &inner.server_nonce)?;
        dh::check_group(&inner.dh_prime, inner.g).map_err(HandshakeErrorKind::Group)?;
        dh::check_public(&inner.g_a, &inner.dh_prime).map_err(HandshakeErrorKind::Public)?;

        let ours = Clock::server_seconds(&self.clock, now);
        let time_offset = i64::from(inner.server_time) - ours;
        self.step(Step::DhParamsReceived {
            g: inner.g,
            dh_prime: inner.dh_prime.clone(),
            prime_known: inner.dh_prime == TELEGRAM_PRIME,
            g_a: inner.g_a.clone(),
            server_time: inner.server_time,
            time_offset,
        });
        let server = Box::new(ServerHalf {
            g: inner.g,
            dh_prime: inner.dh_prime,
            g_a: inner.g_a,
            server_time: inner.server_time,
            time_offset,
        });
        self.send_half(nonces, server, 0, 0)
    }

    /// Draws our secret and sends its public number. `retry_id` names the key that the server refused.
    fn send_half(
        &mut self,
        nonces: Nonces,
        server: Box<ServerHalf>,
        retry: u8,
        retry_id: i64,
    ) -> Result<(), HandshakeErrorKind> {
        let secret = dh::Secret::generate(&mut *self.rng);
        let g_b = secret
            .public(server.g, &server.dh_prime)
            .map_err(HandshakeErrorKind::Public)?;
        dh::check_public(&g_b, &server.dh_prime).map_err(HandshakeErrorKind::Public)?;
        let auth_key = secret
            .agree(&server.g_a, &server.dh_prime)
            .map(Box::new)
            .map_err(HandshakeErrorKind::Public)?;
        let leading = g_b.iter().take_while(|byte| **byte == 0).count();
        let g_b = g_b[leading..].to_vec();
        let inner: enums::ClientDhInnerData = types::ClientDhInnerData {
            nonce: nonces.nonce,
            server_nonce: nonces.server_nonce,
            retry_id,
            g_b: g_b.clone(),
        }
        .into();
        let encrypted_data = envelope::seal(
            &inner.to_bytes(),
            &nonces.server_nonce,
            &nonces.new_nonce,
            &mut *self.rng,
        );
        let request = functions::SetClientDhParams {
            nonce: nonces.nonce,
            server_nonce: nonces.server_nonce,
            encrypted_data,
        };
        self.outgoing = Some(request.to_bytes());
        self.step(Step::DhGenRequested { retry, g_b });
        self.state = State::DhGen {
            nonces,
            server,
            auth_key,
            retry,
        };
        Ok(())
    }

    fn on_dh_gen(
        &mut self,
        nonces: Nonces,
        server: Box<ServerHalf>,
        auth_key: Box<AuthKey>,
        retry: u8,
        body: &[u8],
    ) -> Result<(), HandshakeErrorKind> {
        let check = |n: u8, nonce, server_nonce, hash: &[u8; 16]| {
            nonces.check(nonce, server_nonce)?;
            let expected = auth_key.new_nonce_hash(&nonces.new_nonce, n);
            if constant_time_eq(&expected, hash) {
                Ok(())
            } else {
                Err(HandshakeErrorKind::NewNonceHash)
            }
        };
        if let Some(answer) = tl::read::<types::DhGenOk>(body) {
            check(
                1,
                &answer.nonce,
                &answer.server_nonce,
                &answer.new_nonce_hash1,
            )?;
        } else if let Some(answer) = tl::read::<types::DhGenRetry>(body) {
            check(
                2,
                &answer.nonce,
                &answer.server_nonce,
                &answer.new_nonce_hash2,
            )?;
            let retry = retry + 1;
            if retry > MAX_RETRIES {
                return Err(HandshakeErrorKind::TooManyRetries(retry));
            }
            self.step(Step::RetryWanted { retry });
            let refused = auth_key.aux_hash();
            return self.send_half(nonces, server, retry, refused);
        } else if let Some(answer) = tl::read::<types::DhGenFail>(body) {
            check(
                3,
                &answer.nonce,
                &answer.server_nonce,
                &answer.new_nonce_hash3,
            )?;
            return Err(HandshakeErrorKind::DhGenFail);
        } else {
            return Err(malformed("dh_gen_ok", body));
        }
        let first_salt = first_salt(&nonces.new_nonce, &nonces.server_nonce);
        self.step(Step::KeyConfirmed {
            auth_key_id: auth_key.id(),
            first_salt,
        });
        let expires_at = match self.config.purpose {
            Purpose::Permanent => None,
            Purpose::Temporary { expires_in } => {
                let life = i32::try_from(expires_in.as_secs()).unwrap_or(i32::MAX);
                Some(server.server_time.saturating_add(life))
            }
        };
        self.events.push_back(Event::Done(Box::new(Outcome {
            auth_key: *auth_key,
            first_salt,
            time_offset_secs: server.time_offset,
            server_time: server.server_time,
            expires_at,
        })));
        Ok(())
    }

    /// Appends the packet that is to be sent now to `out`, if there is one.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let Some(body) = self.outgoing.take() else {
            return false;
        };
        let msg_id = self.ids.next(self.clock.server_time(now), MsgKind::Client);
        plain::pack(out, msg_id, &body);
        true
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.stage() != Stage::Finished).then_some(self.deadline)
    }

    /// Ends the exchange if its time is up.
    ///
    /// # Errors
    /// [`HandshakeErrorKind::Timeout`].
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        let stage = self.stage();
        if stage == Stage::Finished || now < self.deadline {
            return Ok(());
        }
        self.state = State::Finished;
        self.outgoing = None;
        Err(HandshakeError {
            stage,
            kind: HandshakeErrorKind::Timeout,
        })
    }
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

fn malformed(expected: &'static str, body: &[u8]) -> HandshakeErrorKind {
    HandshakeErrorKind::Malformed {
        expected,
        got: tl::constructor_id(body),
    }
}

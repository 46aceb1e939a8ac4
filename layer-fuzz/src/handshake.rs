//! The key exchange, with a server and with a client that know the nonces and cheat in what they say.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use layer_crypto::aes::ige_encrypt;
use layer_crypto::rsa::PrivateKey;
use layer_crypto::sha::sha1;
use layer_crypto::{SecureRandom, nonce_key_iv};
use layer_mtproto::handshake::{Client, ClientConfig, Event, Purpose, Server, Stage};
use layer_mtproto::plain;

use crate::input::Input;
use crate::wire::{Seeded, Tl, UNIX, start};

fn keys() -> Arc<[PrivateKey]> {
    static KEYS: OnceLock<Arc<[PrivateKey]>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let pem = include_str!("../../layer-mtproto/tests/util/test_key.pem");
        Arc::from_iter(PrivateKey::from_pem(pem))
    });
    assert_eq!(keys.len(), 1);
    Arc::clone(keys)
}

/// Seeded randomness whose draws are known to the other side.
struct Watched {
    rng: Box<dyn SecureRandom + Send>,
    draws: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl SecureRandom for Watched {
    fn fill(&mut self, dest: &mut [u8]) {
        self.rng.fill(dest);
        let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        draws.push(dest.to_vec());
    }
}

fn body(packet: &[u8]) -> Vec<u8> {
    plain::unpack(packet).map_or_else(|_| Vec::new(), |(_, body)| body.to_vec())
}

fn packet(body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    plain::pack(&mut packet, 5, body);
    packet
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; N])
}

/// Changes some bytes of what was honest.
fn spoil(input: &mut Input<'_>, bytes: &mut Vec<u8>) {
    for _ in 0..input.byte() % 4 {
        let at = usize::from(input.short());
        let value = input.byte();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= value;
        } else {
            bytes.truncate(at / 64);
        }
    }
}

/// `SHA1(data) + data + padding`, encrypted with the exchange's temporary key.
fn envelope(
    input: &mut Input<'_>,
    data: &[u8],
    server_nonce: &[u8; 16],
    new_nonce: &[u8; 32],
) -> Vec<u8> {
    let mut sealed = sha1(&[data]).to_vec();
    sealed.extend_from_slice(data);
    let extra = match input.byte() {
        how if how < 8 => usize::from(how) * 16,
        _ => 0,
    };
    sealed.resize(sealed.len().next_multiple_of(16) + extra, 3);
    let (key, iv) = nonce_key_iv(server_nonce, new_nonce);
    assert_eq!(ige_encrypt(&key, &iv, &mut sealed), Ok(()));
    sealed
}

/// A client asks, and is answered honestly, honestly but for some bytes, or with what the input says under the right
/// nonces.
pub(crate) fn client(input: &[u8]) {
    let mut input = Input::new(input);
    let draws = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let rng = Watched {
        rng: Seeded::boxed(u64::from(input.byte())),
        draws: Arc::clone(&draws),
    };
    let public = keys().iter().map(|key| key.public().clone()).collect();
    let config = ClientConfig::new(public, 2, Purpose::Permanent);
    let mut client = Client::new(config, Box::new(rng), start(), UNIX);
    let mut server = Server::new(keys(), 2, Seeded::boxed(9));
    for _ in 0..8 {
        let mut asked = Vec::new();
        if !client.poll_transmit(start(), &mut asked) {
            break;
        }
        let nonce = chunk::<16>(&asked, plain::HEADER + 4);
        let server_nonce = chunk::<16>(&asked, plain::HEADER + 20);
        let drawn = draws
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(1)
            .cloned();
        let new_nonce = chunk::<32>(&drawn.unwrap_or_default(), 0);
        let how = input.byte();
        if how & 0x40 != 0 {
            server.refuse_keys(input.byte() % 8);
        }
        let mut honest = Vec::new();
        if server.handle_packet(&asked, UNIX).is_ok() {
            server.poll_transmit(&mut honest);
        }
        let answer = match how & 3 {
            0 => honest,
            1 => {
                spoil(&mut input, &mut honest);
                honest
            }
            2 => packet(input.piece()),
            _ => {
                let nonces = |id: u32| Tl::new(id).raw(&nonce).raw(&server_nonce);
                packet(&match client.stage() {
                    Stage::Pq => {
                        let random = input.array::<16>();
                        let pq = input.piece();
                        let fingerprint = keys()[0].public().fingerprint();
                        let offered = [input.long(), fingerprint];
                        Tl::new(0x0516_2463)
                            .raw(&nonce)
                            .raw(&random)
                            .bytes(pq)
                            .longs(&offered)
                            .0
                    }
                    Stage::DhParams if how & 4 != 0 => {
                        nonces(0x79cb_045d).raw(&input.array::<16>()).0
                    }
                    Stage::DhParams => {
                        let g = input.int();
                        let mut prime = layer_crypto::dh::TELEGRAM_PRIME.to_vec();
                        let mut g_a = vec![5; 256];
                        spoil(&mut input, &mut prime);
                        spoil(&mut input, &mut g_a);
                        let inner = nonces(0xb589_0dba)
                            .int(g)
                            .bytes(&prime)
                            .bytes(&g_a)
                            .int(input.int());
                        let inner = inner.raw(input.piece()).0;
                        let sealed = envelope(&mut input, &inner, &server_nonce, &new_nonce);
                        nonces(0xd0e8_075c).bytes(&sealed).0
                    }
                    _ => {
                        let ids = [0x3bcb_f734, 0x46dc_1fb9, 0xa69d_ae02];
                        nonces(input.choose(&ids)).raw(&input.array::<16>()).0
                    }
                })
            }
        };
        let taken = client.handle_packet(&answer, start());
        if let Err(error) = &taken {
            let _ = error.to_string();
        }
        while let Some(event) = client.poll_event() {
            if let Event::Done(outcome) = event {
                assert!(taken.is_ok());
                assert_ne!(outcome.auth_key.as_bytes(), &[0; 256]);
            }
        }
        if taken.is_err() {
            let more = client.poll_transmit(start(), &mut Vec::new());
            assert!(!more, "it goes on after a failure");
        }
    }
}

/// A server is asked: by an honest client but for some bytes, or for what the input says under the right nonces.
pub(crate) fn server(input: &[u8]) {
    let mut input = Input::new(input);
    let mut server = Server::new(keys(), 2, Seeded::boxed(u64::from(input.byte())));
    let public = keys()[0].public().clone();
    let config = ClientConfig::new(vec![public.clone()], 2, Purpose::Permanent);
    let mut client = Client::new(config, Seeded::boxed(1), start(), UNIX);
    let new_nonce = [7; 32];
    let (mut nonce, mut server_nonce, mut pq) = ([0; 16], [0; 16], Vec::new());
    let mut asked = Vec::new();
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        let how = input.byte();
        if how & 0x20 != 0 {
            // Otherwise the same again.
            asked.clear();
            client.poll_transmit(start(), &mut asked);
        }
        let mut honest = asked.clone();
        let request = match how & 7 {
            0 => honest,
            1 => {
                spoil(&mut input, &mut honest);
                honest
            }
            2 => packet(input.piece()),
            3 => {
                nonce = input.array();
                let ids = [0xbe7e_8ef1, 0x6046_9778];
                packet(&Tl::new(input.choose(&ids)).raw(&nonce).0)
            }
            4 | 5 => {
                let number = pq
                    .iter()
                    .fold(0_u64, |n, byte: &u8| n << 8 | u64::from(*byte));
                let p = layer_crypto::factorize(number).map_or(3, |(p, _)| p);
                let q = number.checked_div(p).unwrap_or(5);
                let four = |n: u64| n.to_be_bytes()[4..].to_vec();
                let ids = [0xa9f5_5f95, 0x83c9_5aec, 0x56fd_dda1, 0x3c68_4f50];
                let mut inner = Tl::new(input.choose(&ids))
                    .bytes(&pq)
                    .bytes(&four(p))
                    .bytes(&four(q));
                inner = inner.raw(&nonce).raw(&server_nonce).raw(&new_nonce);
                let mut inner = inner.int(input.int()).int(input.int()).0;
                spoil(&mut input, &mut inner);
                let mut rng = Seeded::boxed(5);
                let sealed = if how & 7 == 4 {
                    public.encrypt_pad(&inner, &mut *rng)
                } else {
                    public.encrypt_legacy(&inner, &mut *rng)
                };
                let mut sealed = sealed.map_or_else(|_| Vec::new(), |sealed| sealed.to_vec());
                spoil(&mut input, &mut sealed);
                let request = Tl::new(0xd712_e4be).raw(&nonce).raw(&server_nonce);
                let request = request
                    .bytes(&four(p))
                    .bytes(&four(q))
                    .long(public.fingerprint());
                packet(&request.bytes(&sealed).0)
            }
            _ => {
                let mut g_b = vec![5; 256];
                spoil(&mut input, &mut g_b);
                let inner = Tl::new(0x6643_b654).raw(&nonce).raw(&server_nonce);
                let inner = inner.long(input.long()).bytes(&g_b).raw(input.piece()).0;
                let sealed = envelope(&mut input, &inner, &server_nonce, &new_nonce);
                packet(
                    &Tl::new(0xf504_5f1f)
                        .raw(&nonce)
                        .raw(&server_nonce)
                        .bytes(&sealed)
                        .0,
                )
            }
        };
        let Ok(()) = server.handle_packet(&request, UNIX) else {
            continue;
        };
        let mut answer = Vec::new();
        while server.poll_transmit(&mut answer) {
            let said = body(&answer);
            if said.starts_with(&0x0516_2463_u32.to_le_bytes()) {
                (nonce, server_nonce) = (chunk(&said, 4), chunk(&said, 20));
                pq = said.get(37..45).unwrap_or_default().to_vec();
            }
            let _ = client.handle_packet(&answer, start());
            answer.clear();
        }
        while server.poll_event().is_some() {}
    }
}

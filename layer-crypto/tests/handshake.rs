//! The numbers of two whole key exchanges, recomputed: one recorded with a test data centre in 2023
//! (`vectors/auth_key_handshake_2023.json` says where it comes from), and the walk-through on the page
//! `mtproto/samples-auth_key` of Telegram's documentation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Recorded, hex};
use layer_crypto::dh::{self, Secret, TELEGRAM_PRIME};
use layer_crypto::rsa::telegram_keys;
use layer_crypto::{aes, factorize, nonce_key_iv, sha};

/// A recorded message and how far it was read.
struct Reader(Vec<u8>, usize);

impl Reader {
    fn take(&mut self, len: usize) -> Vec<u8> {
        self.1 += len;
        self.0[self.1 - len..self.1].to_vec()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap()
    }

    /// TL `bytes`.
    fn bytes(&mut self) -> Vec<u8> {
        let first = self.take(1)[0];
        let len = match first {
            254 => {
                let [a, b, c] = self.array();
                usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
            }
            len => usize::from(len),
        };
        let bytes = self.take(len);
        self.1 = self.1.next_multiple_of(4);
        bytes
    }
}

struct Vectors(serde_json::Value);

impl Vectors {
    fn recorded() -> Self {
        Self(serde_json::from_str(include_str!("vectors/auth_key_handshake_2023.json")).unwrap())
    }

    fn documented() -> Self {
        Self(serde_json::from_str(include_str!("vectors/samples_auth_key.json")).unwrap())
    }

    fn hex(&self, name: &str) -> Vec<u8> {
        hex(self.0[name].as_str().unwrap())
    }

    fn reader(&self, name: &str) -> Reader {
        Reader(self.hex(name), 0)
    }
}

fn serialize_bytes(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 254);
    let mut out = vec![u8::try_from(bytes.len()).unwrap()];
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

#[test]
fn the_recorded_handshake_is_recomputed_from_its_randomness() {
    let vectors = Vectors::recorded();
    let random2 = vectors.hex("step2_random");
    let random3 = vectors.hex("step3_random");
    let new_nonce: [u8; 32] = random2[..32].try_into().unwrap();

    // resPQ
    let mut response = vectors.reader("step1_response");
    response.take(4);
    let nonce: [u8; 16] = response.array();
    let server_nonce: [u8; 16] = response.array();
    let pq = response.bytes();
    let (p, q) = factorize(u64::from_be_bytes(pq.clone().try_into().unwrap())).unwrap();

    // req_DH_params
    let mut request = vectors.reader("step2_request");
    request.take(4 + 32);
    let (p_bytes, q_bytes) = (request.bytes(), request.bytes());
    assert_eq!(p_bytes, u32::try_from(p).unwrap().to_be_bytes());
    assert_eq!(q_bytes, u32::try_from(q).unwrap().to_be_bytes());
    let fingerprint = i64::from_le_bytes(request.array());
    let key = telegram_keys()
        .into_iter()
        .find(|key| key.fingerprint() == fingerprint)
        .unwrap();

    // p_q_inner_data#83c95aec
    let mut data = 0x83c9_5aec_u32.to_le_bytes().to_vec();
    for number in [&pq, &p_bytes, &q_bytes] {
        data.extend(serialize_bytes(number));
    }
    data.extend(nonce);
    data.extend(server_nonce);
    data.extend(new_nonce);
    // The recorder drew 224 bytes at once: padding from the front, the temporary key from 192 on.
    let mut drawn = random2[32..32 + 192 - data.len()].to_vec();
    drawn.extend_from_slice(&random2[32 + 192..]);
    let encrypted = key.encrypt_pad(&data, &mut Recorded(drawn)).unwrap();
    assert_eq!(request.bytes(), encrypted);

    // server_DH_params_ok
    let mut response = vectors.reader("step2_response");
    response.take(4 + 32);
    let mut answer = response.bytes();
    let (tmp_key, tmp_iv) = nonce_key_iv(&server_nonce, &new_nonce);
    aes::ige_decrypt(&tmp_key, &tmp_iv, &mut answer).unwrap();
    let mut inner = Reader(answer, 20);
    inner.take(4 + 32);
    let g = i32::from_le_bytes(inner.array());
    let prime = inner.bytes();
    let g_a = inner.bytes();
    let server_time = i32::from_le_bytes(inner.array());
    assert_eq!(sha::sha1(&[&inner.0[20..inner.1]]), inner.0[..20]);
    assert_eq!(
        i64::from(server_time),
        vectors.0["step3_now"].as_i64().unwrap()
    );
    assert_eq!(prime, TELEGRAM_PRIME);
    dh::check_group(&prime, g).unwrap();

    // set_client_DH_params
    let secret = Secret::generate(&mut Recorded(random3[..256].to_vec()));
    let g_b = secret.public(g, &prime).unwrap();
    let mut inner = 0x6643_b654_u32.to_le_bytes().to_vec();
    inner.extend(nonce);
    inner.extend(server_nonce);
    inner.extend([0; 8]);
    inner.extend([254, 0, 1, 0]);
    inner.extend(g_b);
    let mut packed = sha::sha1(&[&inner]).to_vec();
    packed.extend(&inner);
    let padding = packed.len().next_multiple_of(16) - packed.len();
    packed.extend_from_slice(&random3[256..256 + padding]);
    aes::ige_encrypt(&tmp_key, &tmp_iv, &mut packed).unwrap();
    let mut request = vectors.reader("step3_request");
    request.take(4 + 32);
    assert_eq!(request.bytes(), packed);

    // dh_gen_ok
    let auth_key = secret.agree(&g_a, &prime).unwrap();
    assert_eq!(auth_key.as_bytes()[..], vectors.hex("expected_auth_key"));
    let mut response = vectors.reader("step3_response");
    response.take(4 + 32);
    assert_eq!(
        auth_key.new_nonce_hash(&new_nonce, 1),
        response.array::<16>()
    );
    let salt: Vec<u8> = new_nonce[..8]
        .iter()
        .zip(&server_nonce)
        .map(|(a, b)| a ^ b)
        .collect();
    assert_eq!(
        i64::from_le_bytes(salt.try_into().unwrap()),
        vectors.0["expected_first_salt"].as_i64().unwrap()
    );
}

#[test]
fn the_documented_walk_through_is_recomputed() {
    let vectors = Vectors::documented();
    let server_nonce = vectors.hex("server_nonce").try_into().unwrap();
    let new_nonce = vectors.hex("new_nonce").try_into().unwrap();
    let number = |name: &str| vectors.0[name].as_u64().unwrap();
    assert_eq!(factorize(number("pq")), Some((number("p"), number("q"))));

    let (key, iv) = nonce_key_iv(&server_nonce, &new_nonce);
    assert_eq!(key[..], vectors.hex("tmp_aes_key"));
    assert_eq!(iv[..], vectors.hex("tmp_aes_iv"));

    let mut answer = vectors.hex("encrypted_answer");
    aes::ige_decrypt(&key, &iv, &mut answer).unwrap();
    assert_eq!(answer, vectors.hex("answer_with_hash"));
    let mut inner = Reader(answer, 20 + 4 + 32);
    let g = i32::from_le_bytes(inner.array());
    let prime = inner.bytes();
    let g_a = inner.bytes();
    inner.take(4);
    assert_eq!(sha::sha1(&[&inner.0[20..inner.1]]), inner.0[..20]);
    dh::check_group(&prime, g).unwrap();

    let secret = Secret::generate(&mut Recorded(vectors.hex("b")));
    assert_eq!(secret.public(g, &prime).unwrap()[..], vectors.hex("g_b"));

    let data = vectors.hex("data");
    let mut packed = sha::sha1(&[&data]).to_vec();
    packed.extend(data);
    packed.extend(vectors.hex("padding"));
    aes::ige_encrypt(&key, &iv, &mut packed).unwrap();
    assert_eq!(packed, vectors.hex("encrypted_data"));

    let auth_key = secret.agree(&g_a, &prime).unwrap();
    assert_eq!(auth_key.as_bytes()[..], vectors.hex("auth_key"));
    assert_eq!(
        auth_key.new_nonce_hash(&new_nonce, 1)[..],
        vectors.hex("new_nonce_hash1")
    );
    // The three answers of the server are told apart.
    assert_ne!(
        auth_key.new_nonce_hash(&new_nonce, 1),
        auth_key.new_nonce_hash(&new_nonce, 2)
    );
    assert_ne!(
        auth_key.new_nonce_hash(&new_nonce, 2),
        auth_key.new_nonce_hash(&new_nonce, 3)
    );
}

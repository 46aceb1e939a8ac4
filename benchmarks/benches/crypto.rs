//! layer-crypto against grammers-crypto and num-bigint.

use layer_benchmarks::{compare, head, rate, row, took};
use layer_crypto::AuthKey;
use layer_crypto::aes::{IgeJob, ige_decrypt, ige_decrypt_many, ige_encrypt, ige_encrypt_many};
use layer_crypto::dh::Secret;
use layer_crypto::message::{HEADER, Sender, open, seal};
use num_bigint::BigUint;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let parts: [(&str, fn()); 5] = [
        ("ige", ige),
        ("many", many),
        ("opening", opening),
        ("factors", factors),
        ("powers", powers),
    ];
    head("peer");
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            part();
        }
    }
}

fn ige() {
    let (key, iv) = ([7; 32], [9; 32]);
    for size in [1 << 10, 16 << 10, 1 << 20] {
        let (mut ours, mut theirs) = (vec![3; size], vec![3; size]);
        let pair = compare(
            || ige_encrypt(&key, &iv, &mut ours),
            || grammers_crypto::aes::ige_encrypt(&mut theirs, &key, &iv),
        );
        let what = format!("AES-256-IGE encrypt, one stream, {} KiB", size >> 10);
        row(
            &what,
            &rate(size, pair.ours),
            &rate(size, pair.theirs),
            pair.ratio,
            "1.85×",
        );
        let pair = compare(
            || ige_decrypt(&key, &iv, &mut ours),
            || grammers_crypto::aes::ige_decrypt(&mut theirs, &key, &iv),
        );
        let what = format!("AES-256-IGE decrypt, one stream, {} KiB", size >> 10);
        row(
            &what,
            &rate(size, pair.ours),
            &rate(size, pair.theirs),
            pair.ratio,
            "1.85×",
        );
    }
}

fn many() {
    const SIZE: usize = 64 << 10;
    let keys: Vec<([u8; 32], [u8; 32])> = (0..16u8).map(|n| ([n; 32], [n ^ 0x55; 32])).collect();
    for count in [2, 4, 8, 16] {
        for decrypt in [false, true] {
            let mut ours = vec![vec![1; SIZE]; count];
            let mut theirs = ours.clone();
            let pair = compare(
                || {
                    let jobs = ours.iter_mut().zip(&keys);
                    let mut jobs: Vec<_> = jobs
                        .map(|(data, (key, iv))| IgeJob { key, iv, data })
                        .collect();
                    if decrypt {
                        ige_decrypt_many(&mut jobs)
                    } else {
                        ige_encrypt_many(&mut jobs)
                    }
                },
                || {
                    for (data, (key, iv)) in theirs.iter_mut().zip(&keys) {
                        if decrypt {
                            grammers_crypto::aes::ige_decrypt(data, key, iv);
                        } else {
                            grammers_crypto::aes::ige_encrypt(data, key, iv);
                        }
                    }
                },
            );
            let way = if decrypt { "decrypt" } else { "encrypt" };
            let what = format!("AES-256-IGE {way}, {count} messages of 64 KiB");
            let bytes = SIZE * count;
            row(
                &what,
                &rate(bytes, pair.ours),
                &rate(bytes, pair.theirs),
                pair.ratio,
                "10×; 20× with VAES",
            );
        }
    }
}

fn opening() {
    const SIZE: usize = 1 << 20;
    let key = AuthKey::from_bytes([5; 256]);
    let mut packet = vec![1; HEADER + SIZE];
    seal(&key, Sender::Server, &mut packet).unwrap();
    let their_key = grammers_crypto::AuthKey::from_bytes([5; 256]);
    let (mut buffer, mut their_buffer) = (packet.clone(), packet.clone());
    let pair = compare(
        || {
            buffer.copy_from_slice(&packet);
            open(&key, Sender::Server, &mut buffer).unwrap().len()
        },
        || {
            their_buffer.copy_from_slice(&packet);
            grammers_crypto::decrypt_data_v2(&mut their_buffer, &their_key)
                .unwrap()
                .len()
        },
    );
    row(
        "decrypt and check, 1 MiB",
        &rate(SIZE, pair.ours),
        &rate(SIZE, pair.theirs),
        pair.ratio,
        "2.2×",
    );
}

fn factors() {
    let mut rng = fastrand::Rng::with_seed(1);
    let numbers: Vec<u64> = (0..200)
        .map(|_| {
            loop {
                let (p, q) = (prime(&mut rng), prime(&mut rng));
                if p != q && (p * q) >> 62 == 1 {
                    break p * q;
                }
            }
        })
        .collect();
    let pair = compare(
        || {
            numbers
                .iter()
                .map(|pq| layer_crypto::factorize(*pq).unwrap().0)
                .sum::<u64>()
        },
        || {
            numbers
                .iter()
                .map(|pq| grammers_crypto::factorize(*pq).0)
                .fold(0, u64::wrapping_add)
        },
    );
    let each = numbers.len() as f64;
    row(
        "PQ factorisation, 63 bits, mean",
        &took(pair.ours / each),
        &took(pair.theirs / each),
        pair.ratio,
        "25×",
    );
}

fn prime(rng: &mut fastrand::Rng) -> u64 {
    loop {
        let candidate = rng.u64(1 << 30..1 << 32) | 1;
        let root = candidate.isqrt();
        if (3..=root).step_by(2).all(|d| candidate % d != 0) {
            return candidate;
        }
    }
}

/// The client's two powers of an exchange: `g^b` and `g_a^b`.
fn powers() {
    let mut rng = fastrand::Rng::with_seed(3);
    let prime = &layer_crypto::dh::TELEGRAM_PRIME;
    let secret = Secret::generate(&mut Rng(fastrand::Rng::with_seed(4)));
    let theirs: Vec<u8> = (0..256)
        .map(|at| if at == 0 { 0x55 } else { rng.u8(..) })
        .collect();
    let (p, g) = (BigUint::from_bytes_be(prime), BigUint::from(3u8));
    let exponent = BigUint::from_bytes_be(&theirs);
    let g_a = BigUint::from_bytes_be(&theirs);
    let pair = compare(
        || {
            (
                secret.public(3, prime).unwrap(),
                secret.agree(&theirs, prime).unwrap().id(),
            )
        },
        || (g.modpow(&exponent, &p), g_a.modpow(&exponent, &p)),
    );
    row(
        "the client's two DH powers, constant time",
        &took(pair.ours),
        &took(pair.theirs),
        pair.ratio,
        "2×; 6× where the CPU helps",
    );
}

struct Rng(fastrand::Rng);

impl layer_crypto::SecureRandom for Rng {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

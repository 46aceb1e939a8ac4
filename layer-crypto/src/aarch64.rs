//! AES-256-IGE by the AES instructions of AArch64, one message at a time or several. All `unsafe` code of the crate for
//! this architecture is here: loads and stores of whole arrays, and calls of functions whose instructions were found to
//! be there.
//!
//! As on x86-64, a block has to wait for the one before it and for nothing else: what is mixed into its last state (the
//! last round key, the input before) and into the next block's first (the next input) is mixed beforehand.

#![allow(unsafe_code, reason = "see above: the instructions have no other form")]

use std::arch::aarch64::{
    uint8x16_t, vaesdq_u8, vaeseq_u8, vaesimcq_u8, vaesmcq_u8, vdupq_n_u8, vdupq_n_u32, veorq_u8,
    vgetq_lane_u32, vld1q_u8, vreinterpretq_u8_u32, vreinterpretq_u32_u8, vst1q_u8,
};
use std::arch::is_aarch64_feature_detected;
use std::array::from_fn;

use zeroize::Zeroizing;

use crate::aes::lanes::{self, Four};
use crate::aes::{Block, IgeJob, halves};

/// Proof that the processor has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Aes(());

impl Aes {
    pub(crate) fn new() -> Option<Self> {
        is_aarch64_feature_detected!("aes").then_some(Self(()))
    }

    #[cfg(test)]
    pub(crate) fn ways(self) -> Vec<Self> {
        vec![self]
    }

    pub(crate) fn encrypt(self, key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
        // SAFETY: `Self` is only made where there are AES instructions.
        unsafe { one::<false>(key, iv, blocks) }
    }

    pub(crate) fn decrypt(self, key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
        // SAFETY: as above.
        unsafe { one::<true>(key, iv, blocks) }
    }

    /// Not at the same time here.
    pub(crate) fn decrypt_hashed(
        self,
        _key: &[u8; 32],
        _iv: &[u8; 32],
        _prefix: &[u8; 32],
        _blocks: &mut [Block],
    ) -> Option<[u8; 32]> {
        None
    }

    pub(crate) fn encrypt_many(self, jobs: &mut [IgeJob<'_>]) {
        // SAFETY: as above.
        unsafe { many::<false>(jobs) }
    }

    pub(crate) fn decrypt_many(self, jobs: &mut [IgeJob<'_>]) {
        // SAFETY: as above.
        unsafe { many::<true>(jobs) }
    }
}

fn load(block: &Block) -> uint8x16_t {
    // SAFETY: 16 bytes that may be read; the instruction asks for no alignment.
    unsafe { vld1q_u8(block.as_ptr()) }
}

fn store(block: &mut Block, value: uint8x16_t) {
    // SAFETY: 16 bytes that may be written; the instruction asks for no alignment.
    unsafe { vst1q_u8(block.as_mut_ptr(), value) }
}

/// The fifteen round keys, in the order in which they are used.
struct Keys(Zeroizing<[Block; 15]>);

impl Keys {
    /// FIPS 197, 5.2; for decryption 5.3.5 (the equivalent inverse cipher).
    #[target_feature(enable = "aes")]
    fn new<const DECRYPT: bool>(key: &[u8; 32]) -> Self {
        let mut keys = expand(key, |word| substitute(word));
        if DECRYPT {
            keys.reverse();
            for key in &mut keys[1..14] {
                let mixed = vaesimcq_u8(load(key));
                store(key, mixed);
            }
        }
        Self(keys)
    }

    #[inline]
    #[target_feature(enable = "aes")]
    fn load(&self) -> [uint8x16_t; 15] {
        from_fn(|at| load(&self.0[at]))
    }
}

/// The S-box of each byte: a round without a key, of equal words, for which the shift of the rows changes nothing.
#[target_feature(enable = "aes")]
fn substitute(word: u32) -> u32 {
    let words = vreinterpretq_u8_u32(vdupq_n_u32(word));
    vgetq_lane_u32::<0>(vreinterpretq_u32_u8(vaeseq_u8(words, vdupq_n_u8(0))))
}

/// A round: the key is mixed in first, and the columns at its end.
#[inline]
#[target_feature(enable = "aes")]
fn round<const DECRYPT: bool>(state: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    if DECRYPT {
        vaesimcq_u8(vaesdq_u8(state, key))
    } else {
        vaesmcq_u8(vaeseq_u8(state, key))
    }
}

/// The last round, without the key that comes after it.
#[inline]
#[target_feature(enable = "aes")]
fn last_round<const DECRYPT: bool>(state: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    if DECRYPT {
        vaesdq_u8(state, key)
    } else {
        vaeseq_u8(state, key)
    }
}

/// One message and how far it has come: encryption and decryption differ in the cipher alone.
struct Chain {
    keys: Keys,
    /// The last block that went in, and the last that came out.
    input: uint8x16_t,
    output: uint8x16_t,
}

impl Chain {
    #[target_feature(enable = "aes")]
    fn new<const DECRYPT: bool>(key: &[u8; 32], iv: &[u8; 32]) -> Self {
        let (cipher, plain) = halves(iv);
        let (input, output) = if DECRYPT {
            (cipher, plain)
        } else {
            (plain, cipher)
        };
        Self {
            keys: Keys::new::<DECRYPT>(key),
            input: load(&input),
            output: load(&output),
        }
    }

    #[target_feature(enable = "aes")]
    fn advance<const DECRYPT: bool>(&mut self, blocks: &mut [Block]) {
        let Some(first) = blocks.first() else { return };
        let keys = self.keys.load();
        let mut input = load(first);
        let mut state = veorq_u8(input, self.output);
        for at in 0..blocks.len() {
            let next = match blocks.get(at + 1) {
                Some(next) => load(next),
                None => vdupq_n_u8(0),
            };
            for key in &keys[..13] {
                state = round::<DECRYPT>(state, *key);
            }
            state = last_round::<DECRYPT>(state, keys[13]);
            let last = veorq_u8(keys[14], self.input);
            self.output = veorq_u8(state, last);
            state = veorq_u8(state, veorq_u8(last, next));
            store(&mut blocks[at], self.output);
            (self.input, input) = (input, next);
        }
    }
}

#[target_feature(enable = "aes")]
fn one<const DECRYPT: bool>(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
    Chain::new::<DECRYPT>(key, iv).advance::<DECRYPT>(blocks);
}

type Lane<'a> = lanes::Lane<'a, Chain>;

/// Lanes that go at a time.
const WIDTH: usize = 8;

#[target_feature(enable = "aes")]
fn many<const DECRYPT: bool>(jobs: &mut [IgeJob<'_>]) {
    lanes::schedule(
        jobs,
        WIDTH,
        |key, iv| Chain::new::<DECRYPT>(key, iv),
        |lanes, steps| together::<DECRYPT>(lanes, steps),
        |chain, blocks| chain.advance::<DECRYPT>(blocks),
    );
}

#[expect(
    clippy::needless_range_loop,
    reason = "each number counts in several arrays at a time"
)]
#[target_feature(enable = "aes")]
fn together<const DECRYPT: bool>(lanes: &mut [Option<Lane<'_>>], steps: usize) {
    let zero = vdupq_n_u8(0);
    let nothing = [zero; 15];
    let mut keys = [nothing; WIDTH];
    let (mut inputs, mut outputs) = ([zero; WIDTH], [zero; WIDTH]);
    let mut data: [&mut [Four]; WIDTH] = from_fn(|_| Default::default());
    for (at, lane) in lanes.iter_mut().enumerate() {
        if let Some(lane) = lane {
            data[at] = lane.take(steps);
            keys[at] = lane.chain.keys.load();
            (inputs[at], outputs[at]) = (lane.chain.input, lane.chain.output);
        }
    }
    for step in 0..steps {
        for block in 0..4 {
            let mut now = [zero; WIDTH];
            let mut states = [zero; WIDTH];
            for at in 0..WIDTH {
                if let Some(four) = data[at].get(step) {
                    now[at] = load(&four[block]);
                }
                states[at] = veorq_u8(now[at], outputs[at]);
            }
            for number in 0..13 {
                for at in 0..WIDTH {
                    states[at] = round::<DECRYPT>(states[at], keys[at][number]);
                }
            }
            for at in 0..WIDTH {
                let state = last_round::<DECRYPT>(states[at], keys[at][13]);
                outputs[at] = veorq_u8(state, veorq_u8(keys[at][14], inputs[at]));
                inputs[at] = now[at];
                if let Some(four) = data[at].get_mut(step) {
                    store(&mut four[block], outputs[at]);
                }
            }
        }
    }
    for (at, lane) in lanes.iter_mut().enumerate() {
        if let Some(lane) = lane {
            (lane.chain.input, lane.chain.output) = (inputs[at], outputs[at]);
        }
    }
}

/// The round keys (FIPS 197, 5.2). `substitute` puts each byte of a word through the S-box.
fn expand(key: &[u8; 32], substitute: impl Fn(u32) -> u32) -> Zeroizing<[Block; 15]> {
    let mut words = Zeroizing::new([0; 60]);
    for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let mut constant = 1;
    for at in 8..60 {
        let word = match (words[at - 1], at % 8) {
            (word, 0) => {
                let word = substitute(word.rotate_right(8)) ^ constant;
                constant <<= 1;
                word
            }
            (word, 4) => substitute(word),
            (word, _) => word,
        };
        words[at] = words[at - 8] ^ word;
    }
    let mut keys = Zeroizing::new([[0; 16]; 15]);
    for (bytes, word) in keys
        .as_flattened_mut()
        .chunks_exact_mut(4)
        .zip(words.iter())
    {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    keys
}

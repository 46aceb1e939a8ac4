//! AES-256-IGE by the AES instructions of x86-64, and for many messages at a time by those that take four blocks
//! (VAES with AVX-512); with SHA-256 at the same time where both are wanted.
//!
//! # How one message goes as fast as it can
//!
//! The fourteen rounds of a block have to wait for the block before it. Nothing else has to: the last round mixes
//! in a round key, and this key may as well be the mix of that key, the input before, the next input and the first
//! round key. So the state of the next block comes straight out of the last round of this one, and the output is
//! made beside it by a last round of its own.
//!
//! # How many go at a time
//!
//! Each message is a lane. Sixteen lanes are four registers of four blocks: while one of them waits for its round,
//! the others have theirs. The four blocks of a lane that lie together in memory are turned so that each register
//! holds one block of each of its four lanes.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_aesdec_si128, _mm_aesdeclast_si128, _mm_aesenc_si128,
    _mm_aesenclast_si128, _mm_aesimc_si128, _mm_or_si128, _mm_set1_epi32, _mm_setzero_si128,
    _mm_shuffle_epi32, _mm_slli_epi32, _mm_slli_si128, _mm_srli_epi32, _mm_xor_si128,
    _mm512_aesdec_epi128, _mm512_aesdeclast_epi128, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_castsi128_si512, _mm512_extracti32x4_epi32, _mm512_inserti32x4, _mm512_loadu_si512,
    _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_xor_si512,
};
use std::array::from_fn;

use zeroize::{Zeroize, Zeroizing};

use crate::aes::lanes::{self, Four};
use crate::aes::{Block, IgeJob, halves};
use crate::sha;
use crate::x86_64::sha::{Sha256, is_there};
use crate::x86_64::{load, store};

/// Proof that the processor has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Aes {
    /// Whether it also has those that take four blocks.
    wide: bool,
    /// Whether it also has those for SHA-256.
    sha: bool,
}

impl Aes {
    pub(crate) fn new() -> Option<Self> {
        let wide = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx512f");
        let sha = is_there();
        is_x86_feature_detected!("aes").then_some(Self { wide, sha })
    }

    /// With all instructions that there are, and with the least.
    #[cfg(test)]
    pub(crate) fn ways(self) -> Vec<Self> {
        let narrow = Self {
            wide: false,
            sha: false,
        };
        vec![narrow, self]
    }

    pub(crate) fn encrypt(self, key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
        // SAFETY: `Self` is only made where there are AES instructions.
        unsafe { one::<false>(key, iv, blocks) }
    }

    pub(crate) fn decrypt(self, key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
        // SAFETY: as above.
        unsafe { one::<true>(key, iv, blocks) }
    }

    /// `None`, and nothing is done, without instructions for SHA-256.
    pub(crate) fn decrypt_hashed(
        self,
        key: &[u8; 32],
        iv: &[u8; 32],
        prefix: &[u8; 32],
        blocks: &mut [Block],
    ) -> Option<[u8; 32]> {
        // SAFETY: `sha` says that the instructions are there.
        self.sha
            .then(|| unsafe { decrypt_hashed(key, iv, prefix, blocks) })
    }

    pub(crate) fn encrypt_many(self, jobs: &mut [IgeJob<'_>]) {
        // SAFETY: as above.
        unsafe { many::<false>(self.wide, jobs) }
    }

    pub(crate) fn decrypt_many(self, jobs: &mut [IgeJob<'_>]) {
        // SAFETY: as above.
        unsafe { many::<true>(self.wide, jobs) }
    }
}

#[target_feature(enable = "avx512f")]
fn load_four(blocks: &Four) -> __m512i {
    // SAFETY: 64 bytes that may be read; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn store_four(blocks: &mut Four, value: __m512i) {
    // SAFETY: 64 bytes that may be written; the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), value) }
}

/// The fifteen round keys, in the order in which they are used.
struct Keys([__m128i; 15]);

impl Drop for Keys {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Keys {
    /// FIPS 197, 5.2; for decryption 5.3.5 (the equivalent inverse cipher).
    #[target_feature(enable = "aes")]
    fn new<const DECRYPT: bool>(key: &[u8; 32]) -> Self {
        let (halves, _) = key.as_chunks();
        let [mut even, mut odd] = [load(&halves[0]), load(&halves[1])];
        let mut keys = [_mm_setzero_si128(); 15];
        let mut constant = 1;
        for pair in keys.chunks_mut(2) {
            pair[0] = even;
            if let Some(second) = pair.get_mut(1) {
                *second = odd;
            }
            // The S-box of each byte is a last round of equal words, for which the shift of the rows changes nothing.
            let last = _mm_shuffle_epi32::<0xff>(odd);
            let last = _mm_or_si128(_mm_srli_epi32::<8>(last), _mm_slli_epi32::<24>(last));
            let last = _mm_aesenclast_si128(last, _mm_set1_epi32(constant));
            even = _mm_xor_si128(sums(even), last);
            let last = _mm_shuffle_epi32::<0xff>(even);
            let last = _mm_aesenclast_si128(last, _mm_setzero_si128());
            odd = _mm_xor_si128(sums(odd), last);
            constant <<= 1;
        }
        if DECRYPT {
            keys.reverse();
            for key in &mut keys[1..14] {
                *key = _mm_aesimc_si128(*key);
            }
        }
        Self(keys)
    }
}

/// Each word with those before it.
#[inline]
#[target_feature(enable = "sse2")]
fn sums(words: __m128i) -> __m128i {
    let words = _mm_xor_si128(words, _mm_slli_si128::<4>(words));
    _mm_xor_si128(words, _mm_slli_si128::<8>(words))
}

#[inline]
#[target_feature(enable = "aes")]
fn round<const DECRYPT: bool>(state: __m128i, key: __m128i) -> __m128i {
    if DECRYPT {
        _mm_aesdec_si128(state, key)
    } else {
        _mm_aesenc_si128(state, key)
    }
}

#[inline]
#[target_feature(enable = "aes")]
fn last_round<const DECRYPT: bool>(state: __m128i, key: __m128i) -> __m128i {
    if DECRYPT {
        _mm_aesdeclast_si128(state, key)
    } else {
        _mm_aesenclast_si128(state, key)
    }
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn round_four<const DECRYPT: bool>(state: __m512i, key: __m512i) -> __m512i {
    if DECRYPT {
        _mm512_aesdec_epi128(state, key)
    } else {
        _mm512_aesenc_epi128(state, key)
    }
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn last_round_four<const DECRYPT: bool>(state: __m512i, key: __m512i) -> __m512i {
    if DECRYPT {
        _mm512_aesdeclast_epi128(state, key)
    } else {
        _mm512_aesenclast_epi128(state, key)
    }
}

/// One message and how far it has come: encryption and decryption differ in the cipher alone.
struct Chain {
    keys: Keys,
    /// The last block that went in, and the last that came out.
    input: __m128i,
    output: __m128i,
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

    #[inline]
    #[target_feature(enable = "aes")]
    fn advance<const DECRYPT: bool>(&mut self, blocks: &mut [Block]) {
        let Some(first) = blocks.first() else { return };
        let mut link = self.link(first);
        for at in 0..blocks.len() {
            let next = match blocks.get(at + 1) {
                Some(next) => load(next),
                None => _mm_setzero_si128(),
            };
            store(&mut blocks[at], link.step::<DECRYPT>(&self.keys, next));
        }
        (self.input, self.output) = (link.before, link.output);
    }

    /// What goes from block to block.
    #[inline]
    #[target_feature(enable = "aes")]
    fn link(&self, first: &Block) -> Link {
        let input = load(first);
        Link {
            before: self.input,
            input,
            output: self.output,
            state: _mm_xor_si128(_mm_xor_si128(input, self.output), self.keys.0[0]),
        }
    }
}

/// What goes from block to block, in registers.
struct Link {
    /// The input before, and the output that came of it.
    before: __m128i,
    output: __m128i,
    /// The next input, and the state of the cipher that is begun with it.
    input: __m128i,
    state: __m128i,
}

impl Link {
    /// The output of a block; `next` is the input of the next.
    #[inline]
    #[target_feature(enable = "aes")]
    fn step<const DECRYPT: bool>(&mut self, Keys(keys): &Keys, next: __m128i) -> __m128i {
        for key in &keys[1..14] {
            self.state = round::<DECRYPT>(self.state, *key);
        }
        let last = _mm_xor_si128(keys[14], self.before);
        self.output = last_round::<DECRYPT>(self.state, last);
        let last = _mm_xor_si128(last, _mm_xor_si128(keys[0], next));
        self.state = last_round::<DECRYPT>(self.state, last);
        (self.before, self.input) = (self.input, next);
        self.output
    }
}

#[target_feature(enable = "aes")]
fn one<const DECRYPT: bool>(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
    Chain::new::<DECRYPT>(key, iv).advance::<DECRYPT>(blocks);
}

/// Decrypts, and hashes behind: while the rounds of AES wait for each other, the processor has those of SHA-256 to do.
/// They are told apart finely, four rounds of the hash after each quarter of what a block takes, for no more of them
/// than a few dozen can wait in the processor.
#[target_feature(enable = "aes,sha,ssse3,sse4.1")]
fn decrypt_hashed(
    key: &[u8; 32],
    iv: &[u8; 32],
    prefix: &[u8; 32],
    blocks: &mut [Block],
) -> [u8; 32] {
    let mut chain = Chain::new::<true>(key, iv);
    let mut hash = Sha256::new();
    // The prefix is half a block of the hash, and what comes first the other half.
    let mut before = Zeroizing::new([0; 64]);
    let (head, rest) = blocks.split_at_mut(blocks.len().min(2));
    chain.advance::<true>(head);
    let head = head.as_flattened();
    before[..32].copy_from_slice(prefix);
    before[32..32 + head.len()].copy_from_slice(head);
    if rest.is_empty() {
        return sha::finish(hash.state(), &before[..32 + head.len()], 32 + head.len());
    }
    let len = 64 + rest.len() * 16;
    let mut link = chain.link(&rest[0]);
    let whole = rest.len() / 4 * 4;
    for at in (0..whole).step_by(4) {
        let mut hashing = hash.block(&before);
        for block in 0..4 {
            let next = match rest.get(at + block + 1) {
                Some(next) => load(next),
                None => _mm_setzero_si128(),
            };
            let output = link.step::<true>(&chain.keys, next);
            store(&mut rest[at + block], output);
            for four in 0..4 {
                hashing.four_rounds(&sha::ROUNDS[block * 4 + four]);
            }
        }
        hash = hashing.end();
        before.copy_from_slice(rest[at..at + 4].as_flattened());
    }
    (chain.input, chain.output) = (link.before, link.output);
    let tail = &mut rest[whole..];
    chain.advance::<true>(tail);
    let last = sha::compress(hash.state(), &before);
    sha::finish(last, tail.as_flattened(), len)
}

type Lane<'a> = lanes::Lane<'a, Chain>;

#[target_feature(enable = "aes")]
fn many<const DECRYPT: bool>(wide: bool, jobs: &mut [IgeJob<'_>]) {
    lanes::schedule(
        jobs,
        if wide { lanes::MOST } else { WIDTH },
        |key, iv| Chain::new::<DECRYPT>(key, iv),
        |lanes, steps| {
            if !wide {
                return together::<DECRYPT>(lanes, steps);
            }
            // SAFETY: `wide` says that the instructions are there.
            unsafe { staggered::<DECRYPT>(lanes, steps) }
        },
        |chain, blocks| chain.advance::<DECRYPT>(blocks),
    );
}

/// How many steps of 64 bytes one group of four lanes is ahead of the next: a page of memory and a quarter.
const AHEAD: usize = 64 + 16;
/// With fewer steps than this it is not worth the trouble.
const FAR: usize = 8 * AHEAD;

/// Up to sixteen lanes by the instructions that take four blocks. Messages often lie a power of two apart. Then all that
/// is at the same place in them shares one set of the cache, and its pages one set of the processor's table of pages, and
/// neither has room for sixteen. So each group of four is ahead of the next by a page and some lines, and is done so much
/// earlier: a fifth is gained.
#[target_feature(enable = "avx512f,vaes,aes")]
fn staggered<const DECRYPT: bool>(lanes: &mut [Option<Lane<'_>>], mut steps: usize) {
    if lanes.len() > 8 && steps >= FAR {
        for groups in 1..lanes.len().div_ceil(4) {
            side_by_side::<DECRYPT>(&mut lanes[..4 * groups], AHEAD);
            steps -= AHEAD;
        }
    }
    side_by_side::<DECRYPT>(lanes, steps);
}

#[target_feature(enable = "avx512f,vaes,aes")]
fn side_by_side<const DECRYPT: bool>(lanes: &mut [Option<Lane<'_>>], steps: usize) {
    match lanes.len().div_ceil(4) {
        1 => together_wide::<DECRYPT, 1>(lanes, steps),
        2 => together_wide::<DECRYPT, 2>(lanes, steps),
        3 => together_wide::<DECRYPT, 3>(lanes, steps),
        _ => together_wide::<DECRYPT, 4>(lanes, steps),
    }
}

/// The blocks of so many steps of a lane; none where there is no lane.
fn take<'a>(lane: Option<&mut Option<Lane<'a>>>, steps: usize) -> &'a mut [Four] {
    lane.and_then(Option::as_mut)
        .map_or(&mut [], |lane| lane.take(steps))
}

/// Lanes that go at a time by the instructions that take one block.
const WIDTH: usize = 8;

/// Up to eight lanes by the instructions that take one block.
#[target_feature(enable = "aes")]
fn together<const DECRYPT: bool>(lanes: &mut [Option<Lane<'_>>], steps: usize) {
    let data: [&mut [Four]; WIDTH] = from_fn(|at| take(lanes.get_mut(at), steps));
    let nothing = Keys([_mm_setzero_si128(); 15]);
    let (mut inputs, mut outputs) = ([_mm_setzero_si128(); WIDTH], [_mm_setzero_si128(); WIDTH]);
    for (at, lane) in lanes.iter().enumerate() {
        if let Some(lane) = lane {
            (inputs[at], outputs[at]) = (lane.chain.input, lane.chain.output);
        }
    }
    let keys: [&Keys; WIDTH] = from_fn(|at| match lanes.get(at) {
        Some(Some(lane)) => &lane.chain.keys,
        _ => &nothing,
    });
    for step in 0..steps {
        for block in 0..4 {
            let mut states = [_mm_setzero_si128(); WIDTH];
            let mut now = states;
            for at in 0..WIDTH {
                if let Some(four) = data[at].get(step) {
                    now[at] = load(&four[block]);
                }
                states[at] = _mm_xor_si128(_mm_xor_si128(now[at], outputs[at]), keys[at].0[0]);
            }
            for number in 1..14 {
                for at in 0..WIDTH {
                    states[at] = round::<DECRYPT>(states[at], keys[at].0[number]);
                }
            }
            for at in 0..WIDTH {
                let key = _mm_xor_si128(keys[at].0[14], inputs[at]);
                outputs[at] = last_round::<DECRYPT>(states[at], key);
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

/// Up to `4 * GROUPS` lanes by the instructions that take four blocks.
#[expect(
    clippy::needless_range_loop,
    reason = "each number counts in several arrays at a time"
)]
#[target_feature(enable = "avx512f,vaes,aes")]
fn together_wide<const DECRYPT: bool, const GROUPS: usize>(
    lanes: &mut [Option<Lane<'_>>],
    steps: usize,
) {
    let zero = _mm512_setzero_si512();
    let data: [[&mut [Four]; 4]; GROUPS] =
        from_fn(|group| from_fn(|at| take(lanes.get_mut(4 * group + at), steps)));
    let of_lanes = |lanes: &[Option<Lane<'_>>], group: usize, part: &dyn Fn(&Chain) -> __m128i| {
        let part = |at: usize| match lanes.get(4 * group + at) {
            Some(Some(lane)) => part(&lane.chain),
            _ => _mm_setzero_si128(),
        };
        join([part(0), part(1), part(2), part(3)])
    };
    // The keys of a round lie together.
    let mut keys = [[zero; GROUPS]; 15];
    let (mut inputs, mut outputs) = ([zero; GROUPS], [zero; GROUPS]);
    for group in 0..GROUPS {
        for (number, keys) in keys.iter_mut().enumerate() {
            keys[group] = of_lanes(lanes, group, &|chain| chain.keys.0[number]);
        }
        inputs[group] = of_lanes(lanes, group, &|chain| chain.input);
        outputs[group] = of_lanes(lanes, group, &|chain| chain.output);
    }
    // The compiler would put all rounds of one group before those of the next, and the processor cannot look as far
    // ahead as to turn that back. A loop whose end it does not know stays one.
    let rounds = std::hint::black_box(14);
    for step in 0..steps {
        let mut blocks = [[zero; 4]; GROUPS];
        for group in 0..GROUPS {
            let mut rows = [zero; 4];
            for at in 0..4 {
                if let Some(four) = data[group][at].get(step) {
                    rows[at] = load_four(four);
                }
            }
            blocks[group] = turn(rows);
        }
        for block in 0..4 {
            let mut states = [zero; GROUPS];
            for group in 0..GROUPS {
                let mixed = _mm512_xor_si512(blocks[group][block], outputs[group]);
                states[group] = _mm512_xor_si512(mixed, keys[0][group]);
            }
            for keys in &keys[1..rounds] {
                for group in 0..GROUPS {
                    states[group] = round_four::<DECRYPT>(states[group], keys[group]);
                }
            }
            for group in 0..GROUPS {
                let key = _mm512_xor_si512(keys[14][group], inputs[group]);
                outputs[group] = last_round_four::<DECRYPT>(states[group], key);
                inputs[group] = blocks[group][block];
                blocks[group][block] = outputs[group];
            }
        }
        for group in 0..GROUPS {
            let rows = turn(blocks[group]);
            for at in 0..4 {
                if let Some(four) = data[group][at].get_mut(step) {
                    store_four(four, rows[at]);
                }
            }
        }
    }
    for group in 0..GROUPS {
        let (inputs, outputs) = (part(inputs[group]), part(outputs[group]));
        for at in 0..4 {
            if let Some(Some(lane)) = lanes.get_mut(4 * group + at) {
                (lane.chain.input, lane.chain.output) = (inputs[at], outputs[at]);
            }
        }
    }
    for round in &mut keys {
        round.zeroize();
    }
}

/// The four blocks of a register.
#[target_feature(enable = "avx512f")]
fn part(four: __m512i) -> [__m128i; 4] {
    [
        _mm512_extracti32x4_epi32::<0>(four),
        _mm512_extracti32x4_epi32::<1>(four),
        _mm512_extracti32x4_epi32::<2>(four),
        _mm512_extracti32x4_epi32::<3>(four),
    ]
}

/// A register of four blocks.
#[target_feature(enable = "avx512f")]
fn join([a, b, c, d]: [__m128i; 4]) -> __m512i {
    let four = _mm512_castsi128_si512(a);
    let four = _mm512_inserti32x4::<1>(four, b);
    let four = _mm512_inserti32x4::<2>(four, c);
    _mm512_inserti32x4::<3>(four, d)
}

/// Rows of blocks become columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn turn([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let low_ab = _mm512_shuffle_i32x4::<0b01_00_01_00>(a, b);
    let high_ab = _mm512_shuffle_i32x4::<0b11_10_11_10>(a, b);
    let low_cd = _mm512_shuffle_i32x4::<0b01_00_01_00>(c, d);
    let high_cd = _mm512_shuffle_i32x4::<0b11_10_11_10>(c, d);
    [
        _mm512_shuffle_i32x4::<0b10_00_10_00>(low_ab, low_cd),
        _mm512_shuffle_i32x4::<0b11_01_11_01>(low_ab, low_cd),
        _mm512_shuffle_i32x4::<0b10_00_10_00>(high_ab, high_cd),
        _mm512_shuffle_i32x4::<0b11_01_11_01>(high_ab, high_cd),
    ]
}

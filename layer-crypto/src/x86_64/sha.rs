//! SHA-256 by the instructions for it: in steps that go between those of something else, and of two messages at a time.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_set_epi32, _mm_set_epi64x, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};
use std::array::from_fn;

use zeroize::Zeroizing;

use super::{load, store};
use crate::sha;

/// Whether the processor has the instructions.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

/// The hashes of two messages that begin with the same; `None` without the instructions.
pub(crate) fn of_two(prefix: &[u8; 32], messages: [&[u8]; 2]) -> Option<[[u8; 32]; 2]> {
    // SAFETY: the instructions are there.
    is_there().then(|| unsafe { two(prefix, messages) })
}

/// The rounds of a block have to wait for each other, and the processor has time for those of another message.
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn two(prefix: &[u8; 32], messages: [&[u8]; 2]) -> [[u8; 32]; 2] {
    // The prefix is half a block, and what comes first the other half.
    let heads = messages.map(|message| message.first_chunk::<32>());
    let [Some(one), Some(other)] = heads else {
        return messages.map(|message| sha::sha256(&[prefix, message]));
    };
    let first = [one, other].map(|head| {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(prefix);
        block[32..].copy_from_slice(head);
        block
    });
    let mut hashes = both([Sha256::new(); 2], [&first[0], &first[1]]);
    let rests = messages.map(|message| message[32..].as_chunks::<64>());
    let [(ones, _), (others, _)] = rests;
    for (one, other) in ones.iter().zip(others) {
        hashes = both(hashes, [one, other]);
    }
    let done = ones.len().min(others.len());
    from_fn(|at| {
        let (blocks, tail) = rests[at];
        let mut state = hashes[at].state();
        sha2::block_api::compress256(&mut state, &blocks[done..]);
        sha::finish(state, tail, 32 + messages[at].len())
    })
}

/// A block of each of two messages.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn both([one, other]: [Sha256; 2], [first, second]: [&[u8; 64]; 2]) -> [Sha256; 2] {
    let (mut one, mut other) = (one.block(first), other.block(second));
    for constants in &sha::ROUNDS {
        one.four_rounds(constants);
        other.four_rounds(constants);
    }
    [one.end(), other.end()]
}

/// The state of SHA-256, in the order in which the instructions want it.
#[derive(Clone, Copy)]
pub(super) struct Sha256 {
    abef: __m128i,
    cdgh: __m128i,
}

/// A block that is being hashed.
pub(super) struct Hashing {
    before: Sha256,
    now: Sha256,
    /// The last sixteen words of the schedule.
    words: [__m128i; 4],
}

impl Sha256 {
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn new() -> Self {
        let [a, b, c, d, e, f, g, h] = sha::BEGIN.map(u32::cast_signed);
        Self {
            abef: _mm_set_epi32(a, b, e, f),
            cdgh: _mm_set_epi32(c, d, g, h),
        }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn state(self) -> [u32; 8] {
        let [abef, cdgh] = [self.abef, self.cdgh].map(|words| {
            let mut block = [0; 16];
            store(&mut block, words);
            let (words, _) = block.as_chunks::<4>();
            [words[0], words[1], words[2], words[3]].map(u32::from_le_bytes)
        });
        let ([f, e, b, a], [h, g, d, c]) = (abef, cdgh);
        [a, b, c, d, e, f, g, h]
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn block(self, block: &[u8; 64]) -> Hashing {
        let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let (parts, _) = block.as_chunks::<16>();
        Hashing {
            before: self,
            now: self,
            words: from_fn(|at| _mm_shuffle_epi8(load(&parts[at]), big_endian)),
        }
    }
}

impl Hashing {
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn four_rounds(&mut self, constants: &[u32; 4]) {
        let [oldest, older, newer, newest] = self.words;
        let [a, b, c, d] = constants.map(u32::cast_signed);
        let sum = _mm_add_epi32(oldest, _mm_set_epi32(d, c, b, a));
        let Sha256 { abef, cdgh } = &mut self.now;
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(sum));
        // The words of the last three times are never used, and cost nothing that anything waits for.
        let next = _mm_sha256msg1_epu32(oldest, older);
        let next = _mm_add_epi32(next, _mm_alignr_epi8::<4>(newest, newer));
        let next = _mm_sha256msg2_epu32(next, newest);
        self.words = [older, newer, newest, next];
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn end(self) -> Sha256 {
        Sha256 {
            abef: _mm_add_epi32(self.before.abef, self.now.abef),
            cdgh: _mm_add_epi32(self.before.cdgh, self.now.cdgh),
        }
    }
}

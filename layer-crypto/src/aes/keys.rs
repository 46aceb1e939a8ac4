//! The round keys of AES-256, for those whose processor does the rounds.

use zeroize::Zeroizing;

use super::Block;

/// FIPS 197, 5.2. `substitute` puts each byte of a word through the S-box.
#[inline(always)]
pub(crate) fn expand(key: &[u8; 32], substitute: impl Fn(u32) -> u32) -> Zeroizing<[Block; 15]> {
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

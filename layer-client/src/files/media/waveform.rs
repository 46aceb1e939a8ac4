//! The waveform of a voice message: values of five bits, one after the other, the low bits first
//! (constructor `documentAttributeAudio`).

/// How loud a voice message is over its time, evenly spaced, from 0 to 31 each.
#[must_use]
pub(crate) fn decode(packed: &[u8]) -> Vec<u8> {
    let count = packed.len().saturating_mul(8) / 5;
    (0..count)
        .map(|index| {
            let bit = index * 5;
            let at = |index: usize| packed.get(index).copied().unwrap_or(0);
            let pair = u16::from_le_bytes([at(bit / 8), at(bit / 8 + 1)]);
            ((pair >> (bit % 8)) & 31).to_le_bytes()[0]
        })
        .collect()
}

/// Packs such values; what is above 31 counts as 31.
#[must_use]
pub(crate) fn encode(values: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; values.len().saturating_mul(5).div_ceil(8)];
    for (index, value) in values.iter().enumerate() {
        let bit = index * 5;
        let [low, high] = (u16::from((*value).min(31)) << (bit % 8)).to_le_bytes();
        for (at, bits) in [(bit / 8, low), (bit / 8 + 1, high)] {
            if let Some(byte) = packed.get_mut(at) {
                *byte |= bits;
            }
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn five_bits_a_value_the_low_ones_first() {
        assert_eq!(encode(&[1, 2, 3]), [0b0100_0001, 0b0000_1100]);
        assert_eq!(decode(&[0b0100_0001, 0b0000_1100]), [1, 2, 3]);
        assert_eq!(encode(&[31; 8]), [255; 5]);
        assert_eq!(encode(&[200]), [31]);
        assert_eq!((decode(&[]), encode(&[])), (vec![], vec![]));
    }

    #[test]
    fn what_was_packed_comes_back() {
        let mut rng = fastrand::Rng::with_seed(5);
        for len in 0..300 {
            let values: Vec<u8> = (0..len).map(|_| rng.u8(0..32)).collect();
            let back = decode(&encode(&values));
            // Bits left over in the last byte may make one value more.
            assert_eq!(back.get(..len), Some(&values[..]));
            assert!(back.len() <= len + 1 && back[len..].iter().all(|more| *more == 0));
        }
    }
}

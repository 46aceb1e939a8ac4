//! Which parts of a file are done.

use crate::record::record;

/// A set of part numbers: a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub(in crate::files) struct PartSet {
    words: Vec<u64>,
    count: u64,
}

record!(PartSet { words, count });

impl PartSet {
    fn place(part: u64) -> Option<(usize, u64)> {
        Some((usize::try_from(part / 64).ok()?, 1 << (part % 64)))
    }

    pub(in crate::files) fn contains(&self, part: u64) -> bool {
        Self::place(part)
            .and_then(|(word, bit)| Some(self.words.get(word)? & bit != 0))
            .unwrap_or(false)
    }

    /// Whether it was not there before. The caller sees that numbers stay within a file's.
    pub(in crate::files) fn insert(&mut self, part: u64) -> bool {
        let Some((word, bit)) = Self::place(part) else {
            return false;
        };
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    /// How many there are.
    pub(in crate::files) fn count(&self) -> u64 {
        self.count
    }

    /// Those that there are.
    pub(in crate::files) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let words = (0_u64..).zip(&self.words);
        words.flat_map(|(at, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| at * 64 + bit)
        })
    }

    /// Whether the set is one, after it was read from a disk, with no number beyond `parts`.
    pub(super) fn is_sound(&self, parts: u64) -> bool {
        let ones: u64 = self.words.iter().map(|w| u64::from(w.count_ones())).sum();
        ones == self.count && self.iter().all(|part| part < parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_in_it_once() {
        let mut set = PartSet::default();
        assert!(set.insert(70) && !set.insert(70) && set.insert(3));
        assert!(set.contains(70) && !set.contains(6) && !set.contains(u64::MAX));
        assert_eq!(
            (set.count(), set.iter().collect::<Vec<_>>()),
            (2, vec![3, 70])
        );
        assert!(set.is_sound(71) && !set.is_sound(70));
        set.count = 7;
        assert!(!set.is_sound(71));
    }
}

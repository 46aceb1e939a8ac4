//! Peer ids, access hashes and the other numbers a Telegram server hands out.
//!
//! Everything is derived from the world's secret, so that two runs with one seed give the same numbers, and an access
//! hash is different for each viewer and stable for as long as the world lives.

use layer_tl_types::{enums, types};

/// Who a message can be exchanged with, as one account sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PeerId {
    /// A person or bot.
    User(i64),
    /// A basic group.
    Chat(i64),
    /// A supergroup or channel.
    Channel(i64),
}

impl PeerId {
    /// The peer as TL.
    pub(crate) fn to_tl(self) -> enums::Peer {
        match self {
            Self::User(user_id) => types::PeerUser { user_id }.into(),
            Self::Chat(chat_id) => types::PeerChat { chat_id }.into(),
            Self::Channel(channel_id) => types::PeerChannel { channel_id }.into(),
        }
    }

    /// The peer that TL names.
    pub(crate) fn of_tl(peer: &enums::Peer) -> Self {
        match peer {
            enums::Peer::User(peer) => Self::User(peer.user_id),
            enums::Peer::Chat(peer) => Self::Chat(peer.chat_id),
            enums::Peer::Channel(peer) => Self::Channel(peer.channel_id),
        }
    }

    /// The bare id, without its kind.
    pub(crate) const fn bare(self) -> i64 {
        match self {
            Self::User(id) | Self::Chat(id) | Self::Channel(id) => id,
        }
    }
}

/// The id of Telegram's service account, which sends login codes.
pub(crate) const SERVICE_ID: i64 = 777_000;
/// The id of @BotFather, as in production.
pub(crate) const BOT_FATHER_ID: i64 = 93_372_553;
/// The id of the built-in @echo bot.
pub(crate) const ECHO_ID: i64 = 93_372_554;

/// One step of splitmix64: spreads a counter or a key over 64 bits.
pub(crate) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A keyed hash of a few numbers. Unguessable enough for a test server, and not meant for more.
pub(crate) fn keyed(secret: u64, parts: &[i64]) -> i64 {
    let hash = parts
        .iter()
        .fold(mix(secret), |hash, part| mix(hash ^ part.cast_unsigned()));
    hash.cast_signed()
}

/// A generator of ids, tokens and hashes, seeded by the world's secret.
#[derive(Debug)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// A generator that starts from `seed`.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// The next number that is neither 0 nor negative.
    pub(crate) fn positive(&mut self) -> i64 {
        ((self.next() >> 1) | 1).cast_signed()
    }

    /// A string of `length` characters that are allowed in a bot token or an invite link.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| {
                let index = usize::try_from(self.next() & 63).unwrap_or(0);
                char::from(ALPHABET[index])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_hash_is_stable_and_differs_by_viewer() {
        assert_eq!(keyed(7, &[1, 2]), keyed(7, &[1, 2]));
        assert_ne!(keyed(7, &[1, 2]), keyed(7, &[2, 1]));
        assert_ne!(keyed(7, &[1, 2]), keyed(8, &[1, 2]));
    }

    #[test]
    fn dice_text_has_its_length() {
        assert_eq!(Dice::new(3).text(35).len(), 35);
    }
}

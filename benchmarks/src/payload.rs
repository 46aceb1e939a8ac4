//! A `messages.messages` of 100 messages, written by hand.
//!
//! The peers speak later layers. What differs in what is used here are five constructors that have more optional fields
//! there, so that the same values are the same bytes but for their ids.

/// The ids that differ between the layers.
pub struct Ids {
    message: u32,
    user: u32,
    channel: u32,
    reply: u32,
    photo: u32,
}

/// Those of Layer 223.
pub const OURS: Ids = Ids {
    message: 0x3ae5_6482,
    user: 0x3177_4388,
    channel: 0x1c32_b11c,
    reply: 0x6917_560b,
    photo: 0x6951_50d7,
};
/// Those of the peers' layers.
pub const THEIRS: Ids = Ids {
    message: 0x7600_b9d3,
    user: 0xb1b8_cc83,
    channel: 0xd49f_34c6,
    reply: 0x1b97_dd66,
    photo: 0xe216_eb63,
};

const VECTOR: u32 = 0x1cb5_c415;

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn int(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn long(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(&mut self, value: &[u8]) -> &mut Self {
        let begun = self.0.len();
        match u8::try_from(value.len()) {
            Ok(length @ ..254) => self.0.push(length),
            _ => {
                let [a, b, c, ..] = u32::try_from(value.len()).unwrap().to_le_bytes();
                self.0.extend([254, a, b, c]);
            }
        }
        self.0.extend(value);
        let padded = (self.0.len() - begun).next_multiple_of(4);
        self.0.resize(begun + padded, 0);
        self
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    fn vector(&mut self, count: u32) -> &mut Self {
        self.int(VECTOR).int(count)
    }

    fn peer_user(&mut self, n: u64) -> &mut Self {
        self.int(0x5951_1722).long(5_000_000 + n)
    }

    fn peer_channel(&mut self, n: u64) -> &mut Self {
        self.int(0xa2a5_371e).long(1_000_000 + n)
    }

    fn size(&mut self, name: &str, side: u32) -> &mut Self {
        self.int(0x75c7_8e60)
            .text(name)
            .int(side)
            .int(side * 3 / 4)
            .int(side * 97)
    }

    fn photo(&mut self, n: u64) -> &mut Self {
        self.int(0xfb19_7a65)
            .int(0)
            .long(7_000_000 + n)
            .long(n * 77)
            .bytes(&[1; 29])
            .int(1_700_000_000);
        self.vector(4).int(0xe0b0_bc2e).text("i").bytes(&[9; 160]);
        self.size("m", 320).size("x", 800).size("y", 1280).int(2)
    }

    fn document(&mut self, n: u64) -> &mut Self {
        self.int(0x8fd4_c4d8)
            .int(1)
            .long(8_000_000 + n)
            .long(n * 99)
            .bytes(&[2; 29])
            .int(1_700_000_000);
        self.text("video/mp4")
            .long(3_000_000)
            .vector(1)
            .size("m", 320)
            .int(4)
            .vector(2);
        self.int(0x43c5_7c48)
            .int(2)
            .long(12.5f64.to_bits())
            .int(1280)
            .int(720);
        self.int(0x1559_0068).text("a holiday in the mountains.mp4")
    }

    fn message(&mut self, ids: &Ids, n: u64) -> &mut Self {
        let at = |step: u64| n.is_multiple_of(step);
        let (forwarded, replies, media) = (at(9), at(3), at(5) || at(7));
        let (entities, reactions, commented) = (at(2), at(4), at(6));
        let flag = |is: bool, bit: u32| u32::from(is) << bit;
        let flags = flag(true, 8) | flag(forwarded, 2) | flag(replies, 3) | flag(media, 9);
        let flags =
            flags | flag(entities, 7) | flag(true, 10) | flag(commented, 23) | flag(reactions, 20);
        let id = u32::try_from(n).unwrap();
        self.int(ids.message)
            .int(flags)
            .int(0)
            .int(1000 + id)
            .peer_user(n % 40)
            .peer_channel(1);
        if forwarded {
            self.int(0x4e4d_f4bb)
                .int(1)
                .peer_user(n % 30)
                .int(1_600_000_000);
        }
        if replies {
            self.int(ids.reply)
                .int(1 << 4 | 1 << 1)
                .int(900 + id)
                .int(800);
        }
        self.int(1_700_000_000 + id);
        self.text("The quick brown fox jumps over the lazy dog, and then once more, for it was not yet tired.");
        if at(5) {
            self.int(ids.photo).int(1).photo(n);
        } else if at(7) {
            self.int(0x52d8_ccd9).int(1 | 1 << 6).document(n);
        }
        if entities {
            self.vector(3).int(0xbd61_0bc9).int(4).int(5);
            self.int(0x76a6_d327)
                .int(10)
                .int(5)
                .text("https://example.org/of-foxes");
            self.int(0x6ed0_2538).int(20).int(5);
        }
        self.int(1234 + id).int(3);
        if commented {
            self.int(0x83d6_0fc2).int(1 << 1).int(4).int(99).vector(3);
            self.peer_user(1).peer_user(2).peer_user(3);
        }
        if reactions {
            self.int(0x0a33_9f0b).int(1 << 2).vector(3);
            for emoji in ["👍", "❤", "🔥"] {
                self.int(0xa3d1_cb80)
                    .int(0)
                    .int(0x1b22_86b8)
                    .text(emoji)
                    .int(17);
            }
        }
        self
    }

    fn user(&mut self, ids: &Ids, n: u64) -> &mut Self {
        let flags = 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6;
        self.int(ids.user)
            .int(flags)
            .int(0)
            .long(5_000_000 + n)
            .long(n * 31);
        self.text("Ann")
            .text("Example")
            .text(&format!("ann_example_{n}"));
        self.int(0x82d1_f706)
            .int(1 << 1)
            .long(n)
            .bytes(&[8; 60])
            .int(2);
        self.int(0x008c_703f).int(1_700_000_000)
    }

    fn channel(&mut self, ids: &Ids, n: u64) -> &mut Self {
        let flags = 1 << 8 | 1 << 13 | 1 << 6 | 1 << 17;
        self.int(ids.channel)
            .int(flags)
            .int(0)
            .long(1_000_000 + n)
            .long(n * 41);
        self.text("Foxes and dogs").text("foxes_and_dogs");
        self.int(0x1c6e_1c11)
            .int(0)
            .long(n)
            .int(2)
            .int(1_500_000_000)
            .int(1200)
    }
}

/// The bytes of it.
pub fn messages(ids: &Ids) -> Vec<u8> {
    let mut out = Writer::default();
    out.int(0x1d73_e7ea).vector(100);
    for n in 0..100 {
        out.message(ids, n);
    }
    out.vector(0)
        .vector(2)
        .channel(ids, 1)
        .channel(ids, 2)
        .vector(40);
    for n in 0..40 {
        out.user(ids, n);
    }
    out.0
}

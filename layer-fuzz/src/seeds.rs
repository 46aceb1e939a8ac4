//! The inputs that fuzzers begin with: what is valid, and reaches deep. Made anew by whoever wants them, the same each
//! time; what fuzzers make of them and is worth keeping is in `fuzz/corpus`.

mod schema;

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use layer_client::session::{
    DcOption, DcState, MemoryStorage, PeerKind, SavedKey, SavedPeer, SavedSalt, SelfUser, Session,
    SessionStorage, StringStorage,
};
use layer_mtproto::transport::{Codec, ObfuscationParams, TransportKind};

use crate::TARGETS;
use crate::wire::{Seeded, Tl};

const MARKUP: &[&str] = &[
    "**bold** __italic__ ~~gone~~ ||hidden|| `code` [link](https://e.org/a_(b)) plain \\*",
    "```rust\nfn main() {}\n```\n> a quote\n> goes on\n![\u{1f44d}](tg://emoji?id=5) [me](tg://user?id=9)",
    "<b>bold</b> <i>it<u>al</u>ic</i> <s>gone</s> <tg-spoiler>hidden</tg-spoiler> &lt;&amp;&#x41;&#1114112;",
    "<pre><code class=\"language-c++\">int x;</code></pre><a href=\"tg://user?id=9\">me</a><blockquote expandable>q</blockquote>",
    "<tg-emoji emoji-id=\"5\">\u{1f44d}</tg-emoji><b><b>x</i></b> <a href='x'>\u{10ffff}\u{301}</a",
];

const LINKS: &[&str] = &[
    "me self @durov durov +1 (234) 567-890 -1001234567890 9223372036854775807 -1000000000000",
    "https://t.me/durov/15?start=1 t.me/c/123/4 t.me/+AbCdEf_1 t.me/joinchat/AbCd durov.t.me/ t.me/s/durov",
    "tg://resolve?domain=durov&post=1 tg://resolve?phone=1 tg://user?id=42 tg://join?invite=x tg://privatepost?channel=1",
    "00112233445566778899aabbccddeeff dd00112233445566778899aabbccddeeff",
    "ee00112233445566778899aabbccddeeff676f6f676c652e636f6d 7gARIjNEVWZ3iJmqu8zd7v9nb29nbGUuY29t",
    "tg://proxy?server=127.0.0.1&port=443&secret=dd00112233445566778899aabbccddeeff",
    "https://t.me/proxy?server=example.org&port=443&secret=7gARIjNEVWZ3iJmqu8zd7v9nb29nbGUuY29t",
    "tg://socks?server=127.0.0.1&port=1080&user=a&pass=b%20c",
];

/// The seeds of a target; none for a name that is not one.
#[must_use]
pub fn of(name: &str) -> Vec<Vec<u8>> {
    let with = |first: &[u8], rest: &[u8]| [first, rest].concat();
    match name {
        "schema" => schema::texts(),
        "values" => schema::values(),
        "server_calls" => schema::calls(),
        "markup" => [0, 1]
            .iter()
            .flat_map(|how| {
                MARKUP
                    .iter()
                    .map(move |text| with(&[*how], text.as_bytes()))
            })
            .collect(),
        "links" => LINKS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "session_file" => session_files(),
        "transport_accept" => streams(),
        "transport_client" => (0..16)
            .map(|choice| with(&[choice, 1, 9, 64, 255], &answers(choice)))
            .collect(),
        "faketls_client" | "faketls_server" => scripts(&[
            &[0, 1, 9, 64, 255, 0, 3, 5, 1, 2, 3, 4, 5, 1, 3, 2, 9, 9],
            &[1, 3, 3, 3, 3],
        ]),
        // Scripts: any bytes are one.
        "handshake_client" => scripts(&[
            &[1, 0, 0, 0, 0],
            &[2, 0, 0, 0x40, 1, 0, 0, 0],
            &[3, 3],
            &[4, 0, 3],
            &[5, 0, 0, 3],
        ]),
        "handshake_server" => scripts(&[
            &[1, 0x20, 0x20, 0x20],
            &[2, 0x20, 0x20, 0x20, 0, 0],
            &[3, 3, 4],
            &[4, 0x20, 4, 3, 6],
            &[5, 0x20, 5, 3, 7],
        ]),
        _ => scripts(&[]),
    }
}

/// Writes the seeds of every target into folders of its name, and what tells constructors apart as a dictionary for
/// libFuzzer.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    for target in TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in of(target.name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
    }
    let mut dictionary = String::new();
    for id in schema::ids() {
        let [a, b, c, d] = id.to_le_bytes();
        writeln!(dictionary, "\"\\x{a:02x}\\x{b:02x}\\x{c:02x}\\x{d:02x}\"")
            .map_err(io::Error::other)?;
    }
    for letter in crate::server_calls::MARKS {
        writeln!(
            dictionary,
            "\"{}\"",
            char::from(*letter).to_string().repeat(8)
        )
        .map_err(io::Error::other)?;
    }
    fs::write(folder.join("ids.dict"), dictionary)
}

fn scripts(first: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut scripts: Vec<Vec<u8>> = first.iter().map(|script| script.to_vec()).collect();
    for len in [4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        for _ in 0..8 {
            scripts.push((0..len).map(|_| rng.u8(..)).collect());
        }
    }
    scripts
}

/// What clients send first, in every transport, plain and obfuscated.
fn streams() -> Vec<Vec<u8>> {
    let mut streams = Vec::new();
    for kind in TransportKind::ALL {
        for secret in [None, Some(None), Some(Some(*b"sixteen bytes !!"))] {
            let params = secret.map(|secret| ObfuscationParams { secret, dc_id: 2 });
            let mut codec = Codec::client(kind, params, Seeded::boxed(1));
            let mut stream = vec![0, 1, 9, 64, 255];
            for len in [40, 600, 40] {
                // Whole words, and not too many.
                let _ = codec.pack(&vec![5; len], &mut stream);
            }
            streams.push(stream);
        }
    }
    // Behind a beginning that the target makes.
    for choice in 0..4 {
        let frame = [&[10, 0, 0, 0], [5; 40].as_slice()].concat();
        streams.push(
            [
                &[2 | choice << 2, 3, 3, 3, 3],
                [9; 64].as_slice(),
                &frame,
                &frame,
            ]
            .concat(),
        );
    }
    streams
}

/// What a server says before obfuscation: an error and a packet, framed as each transport has it.
fn answers(choice: u8) -> Vec<u8> {
    let packet = Tl::new(1).raw(&[5; 36]).0;
    let error = (-404_i32).to_le_bytes();
    let mut out = Vec::new();
    for (number, payload) in [packet.as_slice(), &error, &packet].into_iter().enumerate() {
        let len = crate::wire::int(payload.len());
        match choice % 4 {
            0 => out.push(u8::try_from(len / 4).unwrap_or(0)),
            1 | 2 => out.extend_from_slice(&len.to_le_bytes()),
            _ => {
                let begun = out.len();
                out.extend_from_slice(&(len + 12).to_le_bytes());
                out.extend_from_slice(&crate::wire::int(number).to_le_bytes());
                out.extend_from_slice(payload);
                let mut crc = flate2::Crc::new();
                crc.update(&out[begun..]);
                out.extend_from_slice(&crc.sum().to_le_bytes());
                continue;
            }
        }
        out.extend_from_slice(payload);
    }
    out
}

fn session_files() -> Vec<Vec<u8>> {
    let mut session = Session::default();
    session.home_dc = 2;
    session.user = Some(SelfUser::new(7, true));
    let mut dc = DcState::default();
    dc.options = vec![DcOption::new(([127, 0, 0, 1], 443).into())];
    dc.auth_key = Some(SavedKey::new([9; 256]));
    dc.salts = vec![SavedSalt::new(-5, 1, 2)];
    dc.time_offset = -3;
    session.dcs.insert(2, dc);
    session.updates.pts = 12;
    session.updates.channels.insert(77, 5);
    let mut peer = SavedPeer::new(PeerKind::User, 1);
    peer.usernames = vec!["ada".to_owned()];
    peer.phone = Some("123".to_owned());
    session.peers.push(peer);

    let mut seeds = Vec::new();
    for session in [Session::default(), session] {
        let (memory, text) = (MemoryStorage::new(), StringStorage::default());
        // Memory takes everything.
        let _ = (session.save(&memory), session.save(&text));
        let bytes = memory.load().ok().flatten().unwrap_or_default();
        seeds.push([&[0], bytes.as_slice()].concat());
        // The data alone, as each of the three versions.
        for version in 0..3 {
            seeds.push([&[1 + 4 * version], bytes.get(20..).unwrap_or_default()].concat());
        }
        seeds.push([&[3], text.export().as_bytes()].concat());
    }
    for cost in [
        [8, 1, 1],
        [1 << 18, 16, 8],
        [i32::MAX, 1, 1],
        [8, i32::MAX, 1],
        [8, 1, -1],
    ] {
        let cost: Vec<u8> = cost
            .iter()
            .flat_map(|word: &i32| word.to_le_bytes())
            .collect();
        seeds.push([&[2, 1, 1, 1, 0], cost.as_slice(), &[7; 100]].concat());
    }
    seeds
}

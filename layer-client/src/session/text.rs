//! Sessions as text, for places without files: an environment variable, a secret store. Our own form
//! is `layer1.` and the session's bytes in URL-safe base64; the session strings of Telethon, GramJS
//! and Pyrogram are read as well. Whoever has the text has the account.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{
    DcOption, MemoryStorage, SavedKey, SelfUser, Session, SessionError, SessionStorage, envelope,
};

const PREFIX: &str = "layer";
const VERSION: u16 = 1;

/// Written without padding, read with or without.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl Session {
    /// The login as text: the account, its data centre, and the auth keys. Not what can be had
    /// again: peers, salts, where the updates stand.
    #[must_use]
    pub fn export(&self) -> String {
        let mut login = Self {
            home_dc: self.home_dc,
            user: self.user,
            ..Self::default()
        };
        for (id, dc) in &self.dcs {
            let Some(key) = &dc.auth_key else { continue };
            let kept = login.dcs.entry(*id).or_default();
            kept.options.clone_from(&dc.options);
            kept.auth_key = Some(key.clone());
            kept.time_offset = dc.time_offset;
            kept.authorized = dc.authorized;
        }
        written(&envelope::encode(&login))
    }

    /// From text: what [`export`](Self::export) and [`StringStorage::export`] gave, or a session
    /// string of Telethon, GramJS or Pyrogram. Those of Telethon and GramJS do not say who is signed
    /// in; [`Client::is_authorized`](crate::Client::is_authorized) asks the server. A session of the
    /// test servers goes with [`Config::test_mode`](crate::Config::test_mode).
    ///
    /// # Errors
    /// [`SessionError::Corrupt`] when it is none of these; [`SessionError::TooNew`] when a newer
    /// version of this crate wrote it.
    pub fn import(text: &str) -> Result<Self, SessionError> {
        let text = text.trim();
        if let Some(foreign) = telethon(text).or_else(|| pyrogram(text)) {
            return Ok(foreign);
        }
        envelope::decode(&read(text)?, PLACE)
    }
}

const PLACE: &str = "text";

fn corrupt(reason: &'static str) -> SessionError {
    SessionError::Corrupt {
        place: PLACE.to_owned(),
        reason,
    }
}

fn written(bytes: &[u8]) -> String {
    let text = Zeroizing::new(URL_SAFE.encode(bytes));
    format!("{PREFIX}{VERSION}.{}", *text)
}

/// The bytes of text that is ours. The first texts had no prefix.
fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, SessionError> {
    let prefixed = text
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('.'));
    let base64 = match prefixed {
        None => text,
        Some((version, base64)) => match version.parse() {
            Ok(VERSION) => base64,
            Ok(version) => {
                return Err(SessionError::TooNew {
                    place: PLACE.to_owned(),
                    version,
                });
            }
            Err(_) => return Err(corrupt("its version is not a number")),
        },
    };
    let bytes = URL_SAFE
        .decode(base64)
        .map_err(|_| corrupt("it is not URL-safe base64, or was cut short"))?;
    Ok(Zeroizing::new(bytes))
}

/// Telethon's and GramJS's: `1`, and in base64 the data centre, its address and port, and the key.
/// Telethon has the address as 4 or 16 bytes, GramJS as text behind its length.
fn telethon(text: &str) -> Option<Session> {
    let base64 = text.strip_prefix('1')?;
    let bytes = URL_SAFE.decode(base64).or_else(|_| STANDARD.decode(base64));
    let bytes = Zeroizing::new(bytes.ok()?);
    let (dc_id, rest) = bytes.split_first()?;
    let (middle, key) = rest.split_last_chunk::<256>()?;
    let (address, port) = middle.split_last_chunk::<2>()?;
    let address: Option<IpAddr> = match <&[u8; 4]>::try_from(address) {
        Ok(v4) => Some((*v4).into()),
        // First: a text of 14 bytes behind its length is as long as an IPv6 address.
        Err(_) => match text_of(address) {
            // The name of a WebSocket's host, where it is no address: each data centre's is known anyway.
            Some(name) => name.parse().ok(),
            None => Some(<[u8; 16]>::try_from(address).ok()?.into()),
        },
    };
    let address = address.map(|address| SocketAddr::new(address, u16::from_be_bytes(*port)));
    Some(foreign(*dc_id, *key, address, None))
}

/// Text behind its length.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let (len, text) = bytes.split_first_chunk::<2>()?;
    let whole = usize::from(u16::from_be_bytes(*len)) == text.len();
    std::str::from_utf8(text).ok().filter(|_| whole)
}

/// Pyrogram's: the data centre, (since version 2 the `api_id`,) whether it is a test server, the key,
/// the account's id (once in 4 bytes, now in 8) and whether it is a bot.
fn pyrogram(text: &str) -> Option<Session> {
    let bytes = Zeroizing::new(URL_SAFE.decode(text).ok()?);
    let before = match bytes.len() {
        271 => 6,
        263 | 267 => 2,
        _ => return None,
    };
    let (head, rest) = bytes.split_at_checked(before)?;
    let (key, rest) = rest.split_first_chunk::<256>()?;
    let (bot, id) = rest.split_last()?;
    let [dc_id, .., 0 | 1] = head else {
        return None;
    };
    let id = id.iter().fold(0u64, |id, byte| id << 8 | u64::from(*byte));
    let user = (id != 0).then_some(SelfUser::new(i64::try_from(id).ok()?, *bot != 0));
    Some(foreign(*dc_id, *key, None, user))
}

fn foreign(
    dc_id: u8,
    key: [u8; 256],
    address: Option<SocketAddr>,
    user: Option<SelfUser>,
) -> Session {
    let mut session = Session {
        home_dc: dc_id.into(),
        user,
        ..Session::default()
    };
    let dc = session.dcs.entry(dc_id.into()).or_default();
    dc.options.extend(address.map(DcOption::new));
    dc.auth_key = Some(SavedKey::new(key));
    session
}

/// A session that comes from text and can be had as text again.
#[derive(Debug, Default)]
pub struct StringStorage(MemoryStorage);

impl StringStorage {
    /// From text as [`Session::import`] takes it; an empty text is an empty session.
    ///
    /// # Errors
    /// As [`Session::import`].
    pub fn import(text: &str) -> Result<Self, SessionError> {
        let storage = Self::default();
        if !text.trim().is_empty() {
            Session::import(text)?.save(&storage)?;
        }
        Ok(storage)
    }

    /// The session as it was saved last, whole, as text; empty if it never was.
    #[must_use]
    pub fn export(&self) -> String {
        match self.0.load() {
            Ok(Some(bytes)) => written(&Zeroizing::new(bytes)),
            _ => String::new(),
        }
    }
}

impl SessionStorage for StringStorage {
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
        self.0.load()
    }

    fn save(&self, bytes: &[u8]) -> Result<(), SessionError> {
        self.0.save(bytes)
    }

    fn name(&self) -> String {
        PLACE.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PeerKind, SavedPeer, SavedSalt};
    use super::*;

    fn sample() -> Session {
        let mut session = Session {
            home_dc: 2,
            user: Some(SelfUser::new(77, true)),
            ..Session::default()
        };
        let dc = session.dcs.entry(2).or_default();
        dc.options
            .push(DcOption::new("127.0.0.1:443".parse().unwrap()));
        dc.auth_key = Some(SavedKey::new([9; 256]));
        dc.salts.push(SavedSalt::new(1, 2, 3));
        dc.authorized = true;
        session.dcs.entry(4).or_default();
        session.updates.pts = 5;
        session.peers.push(SavedPeer::new(PeerKind::User, 1));
        session
    }

    fn key() -> [u8; 256] {
        std::array::from_fn(|n| u8::try_from(n).unwrap() ^ 0x5a)
    }

    /// A session string as other libraries write it.
    fn packed(parts: &[&[u8]]) -> String {
        URL_SAFE.encode(parts.concat())
    }

    #[test]
    fn a_login_travels_as_text_and_takes_nothing_with_it_that_can_be_had_again() {
        let text = sample().export();
        assert!(text.starts_with("layer1."), "{text}");
        assert!(text.chars().all(|c| c.is_ascii_graphic()), "{text}");
        let read = Session::import(&format!(" {text}\n")).unwrap();
        let (before, after) = (&sample().dcs[&2], &read.dcs[&2]);
        assert_eq!((read.home_dc, read.user), (2, sample().user));
        assert_eq!(after.auth_key, before.auth_key);
        assert_eq!(after.options, before.options);
        assert!(after.authorized && after.salts.is_empty());
        assert_eq!(
            (read.dcs.len(), read.peers.len(), read.updates.pts),
            (1, 0, 0)
        );
    }

    #[test]
    fn a_storage_keeps_the_whole_session_as_text() {
        let storage = StringStorage::default();
        assert_eq!(storage.export(), "");
        sample().save(&storage).unwrap();
        let again = StringStorage::import(&storage.export()).unwrap();
        assert_eq!(Session::load(&again).unwrap(), Some(sample()));
        let empty = StringStorage::import(" ").unwrap();
        assert_eq!(Session::load(&empty).unwrap(), None);
    }

    #[test]
    fn texts_without_a_prefix_are_read_for_ever() {
        let text = URL_SAFE.encode(envelope::encode(&sample()));
        assert_eq!(Session::import(&text).unwrap(), sample());
    }

    #[test]
    fn what_is_no_session_is_refused_and_what_is_newer_is_told_apart() {
        let good = sample().export();
        let cut = &good[..good.len() - 1];
        for bad in [
            "",
            "1",
            "a",
            "layer1.",
            "layer1.*",
            "layerx.AAAA",
            "é",
            "AAAA",
            cut,
        ] {
            let error = Session::import(bad).unwrap_err();
            assert!(
                matches!(error, SessionError::Corrupt { .. }),
                "{bad}: {error}"
            );
        }
        let error = Session::import("layer2.AAAA").unwrap_err();
        assert!(
            matches!(error, SessionError::TooNew { version: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn no_text_makes_it_panic() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let good = sample().export();
        for _ in 0..5000 {
            let mut bytes = good.clone().into_bytes();
            bytes.truncate(random.usize(..=bytes.len()));
            for _ in 0..random.usize(..4) {
                if let Some(byte) = random.choice(&mut bytes) {
                    *byte = random.u8(b' '..=b'~');
                }
            }
            // Whatever it is, it is a session or an error.
            let _ = Session::import(&String::from_utf8(bytes).unwrap());
            let len = *random
                .choice(&[0, 259, 262, 263, 267, 271, 275, 300])
                .unwrap();
            let noise: Vec<_> = (0..len).map(|_| random.u8(..)).collect();
            let _ = Session::import(&packed(&[&noise]));
            let _ = Session::import(&format!("1{}", packed(&[&noise])));
        }
    }

    #[test]
    fn telethons_strings_are_read() {
        let port = 443u16.to_be_bytes();
        let v4 = packed(&[&[2], &[149, 154, 167, 51], &port, &key()]);
        let mut v6 = [0; 16];
        v6[..4].copy_from_slice(&[0x20, 0x01, 0x06, 0x7c]);
        let v6 = packed(&[&[2], &v6, &port, &key()]);
        for (text, address) in [(v4, "149.154.167.51:443"), (v6, "[2001:67c::]:443")] {
            // Telethon pads.
            for text in [format!("1{text}"), format!("1{text}=")] {
                let session = Session::import(&text).unwrap();
                assert_eq!((session.home_dc, session.user), (2, None));
                let dc = &session.dcs[&2];
                assert_eq!(dc.options, [DcOption::new(address.parse().unwrap())]);
                assert_eq!(dc.auth_key, Some(SavedKey::new(key())));
            }
        }
    }

    #[test]
    fn gramjss_strings_are_read() {
        let name = b"149.154.167.51";
        let bytes = [
            &[4][..],
            &14u16.to_be_bytes(),
            name,
            &80u16.to_be_bytes(),
            &key(),
        ]
        .concat();
        let text = format!("1{}", STANDARD.encode(bytes));
        let session = Session::import(&text).unwrap();
        let address = "149.154.167.51:80".parse().unwrap();
        assert_eq!(session.home_dc, 4);
        assert_eq!(session.dcs[&4].options, [DcOption::new(address)]);
        assert_eq!(session.dcs[&4].auth_key, Some(SavedKey::new(key())));
    }

    #[test]
    fn pyrograms_strings_of_all_versions_are_read() {
        let id = 5_000_000_000u64;
        let now = packed(&[
            &[2],
            &12345u32.to_be_bytes(),
            &[0],
            &key(),
            &id.to_be_bytes(),
            &[1],
        ]);
        let wide = packed(&[&[2, 0], &key(), &id.to_be_bytes(), &[1]]);
        for text in [now, wide] {
            let session = Session::import(&text).unwrap();
            assert_eq!(session.home_dc, 2);
            assert_eq!(session.user, Some(SelfUser::new(5_000_000_000, true)));
            assert_eq!(session.dcs[&2].auth_key, Some(SavedKey::new(key())));
        }
        let old = packed(&[&[2, 0], &key(), &77u32.to_be_bytes(), &[0]]);
        let session = Session::import(&old).unwrap();
        assert_eq!(session.user, Some(SelfUser::new(77, false)));
    }

    #[test]
    fn strings_that_the_libraries_themselves_wrote_are_read() {
        let fixture = include_str!("fixtures/foreign.txt");
        let lines: Vec<&str> = fixture.lines().skip(1).collect();
        let sessions: Vec<_> = lines
            .chunks(2)
            .map(|pair| Session::import(pair[1]).unwrap_or_else(|e| panic!("{}: {e}", pair[0])))
            .collect();
        let read: Vec<_> = sessions
            .iter()
            .map(|session| {
                let dc = &session.dcs[&session.home_dc];
                let key: [u8; 256] = std::array::from_fn(|n| u8::try_from(n).unwrap());
                assert_eq!(dc.auth_key, Some(SavedKey::new(key)));
                let address = dc.options.first().map(|option| option.address.to_string());
                (session.home_dc, address, session.user)
            })
            .collect();
        let address = |text: &str| Some(text.to_owned());
        let bot = Some(SelfUser::new(1_234_567_890_123, true));
        assert_eq!(
            read,
            [
                (2, address("149.154.167.51:443"), None),
                (2, address("[2001:67c:4e8:f002::a]:443"), None),
                (2, address("149.154.167.51:443"), None),
                (2, None, bot),
                (4, None, None),
            ]
        );
    }
}

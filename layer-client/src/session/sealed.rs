//! A session under a passphrase.
//!
//! ```text
//! "LAYERENC" | version: u8 | KDF: u8 | cipher: u8 | 0 | memory in KiB, passes, lanes: 3 × u32 LE |
//! salt: 16 | check: 16 | crc32 of all that: u32 LE | nonce: 24 | ciphertext and tag
//! ```
//! Argon2id makes 48 bytes of the passphrase: the key for XChaCha20-Poly1305, and the check, by which
//! a wrong passphrase is told from damage. All before the nonce is authenticated with the data. The
//! key is made once, when the storage is opened; each save has a nonce of its own. What a file asks
//! of the KDF is bounded before any of it is spent.

use std::fmt;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use layer_crypto::constant_time_eq;
use zeroize::Zeroizing;

use super::{SessionError, SessionStorage, envelope};

const MAGIC: &[u8; 8] = b"LAYERENC";
const VERSION: u8 = 1;
const ARGON2ID: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const SALT: usize = 16;
const CHECK: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
const KEY: usize = 32;
/// Up to the checksum; with it, what is authenticated.
const SUMMED: usize = 8 + 4 + 12 + SALT + CHECK;
const HEADER: usize = SUMMED + 4;
/// No file makes us take more memory than this, in KiB, or time.
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 8;

/// Whether these bytes are a session under a passphrase.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What a session is encrypted with. Wiped when dropped, and never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What the KDF spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// The memory and the passes that RFC 9106 recommends where memory is scarce: a fraction of a
/// second.
const COST: Cost = Cost {
    memory: 64 * 1024,
    passes: 3,
    lanes: 1,
};

/// Another storage's session under a passphrase.
///
/// [`FileStorage::encrypted`](super::FileStorage::encrypted) makes one of a file;
/// [`Config::session_passphrase`](crate::Config::session_passphrase) of whatever the client keeps its
/// session in.
pub struct Encrypted {
    storage: Arc<dyn SessionStorage>,
    header: Header,
    key: Zeroizing<[u8; KEY]>,
}

impl Encrypted {
    /// Puts what `storage` keeps under a passphrase; makes the key, which takes a moment on purpose.
    /// An empty storage takes any passphrase. One that holds a session without a passphrase is not
    /// touched: see [`change_passphrase`].
    ///
    /// # Errors
    /// [`SessionError::WrongPassphrase`]; [`SessionError::NotEncrypted`]; [`SessionError::Corrupt`]
    /// when what is there is damaged; and what the storage says.
    pub fn open(
        storage: Arc<dyn SessionStorage>,
        passphrase: &Passphrase,
    ) -> Result<Self, SessionError> {
        Self::open_at(storage, passphrase, COST)
    }

    fn open_at(
        storage: Arc<dyn SessionStorage>,
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Self, SessionError> {
        let name = storage.name();
        let (header, key) = match storage.load()?.map(Zeroizing::new) {
            Some(bytes) => {
                let header = Header::read(&bytes, &name)?;
                let key = header.key(passphrase, &name)?;
                (header, key)
            }
            None => Header::make(passphrase, cost, &name)?,
        };
        Ok(Self {
            storage,
            header,
            key,
        })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key))
    }

    fn seal(&self, data: &[u8]) -> Result<Vec<u8>, SessionError> {
        let header = self.header.to_bytes();
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        // Room for the tag, so that no copy of the data is left behind by growing.
        let mut sealed = Zeroizing::new(Vec::with_capacity(data.len() + TAG));
        sealed.extend_from_slice(data);
        self.cipher()
            .encrypt_in_place(&XNonce::from(nonce), &header, &mut *sealed)
            .map_err(|_| corrupt(&self.name(), "it is too long to be encrypted"))?;
        Ok([&header[..], &nonce, &sealed].concat())
    }

    fn unseal(&self, bytes: &[u8]) -> Result<Vec<u8>, SessionError> {
        let name = self.name();
        let header = Header::read(bytes, &name)?;
        if header != self.header {
            return Err(corrupt(&name, "it was encrypted anew by somebody else"));
        }
        let damaged = || corrupt(&name, "it is damaged behind its header");
        let rest = bytes.get(HEADER..).ok_or_else(damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let mut data = Zeroizing::new(sealed.to_vec());
        self.cipher()
            .decrypt_in_place(&XNonce::from(*nonce), &header.to_bytes(), &mut *data)
            .map_err(|_| damaged())?;
        Ok(std::mem::take(&mut *data))
    }
}

impl SessionStorage for Encrypted {
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
        let bytes = self.storage.load()?;
        bytes.map(|bytes| self.unseal(&bytes)).transpose()
    }

    fn save(&self, bytes: &[u8]) -> Result<(), SessionError> {
        self.storage.save(&self.seal(bytes)?)
    }

    fn name(&self) -> String {
        self.storage.name()
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypted({})", self.name())
    }
}

/// Changes the passphrase of what a storage keeps, sets one (`from` is `None`), or takes it away
/// (`to` is `None`). The session is read first, so that nothing is made of what cannot be read; it
/// is replaced as a whole or not at all. An empty storage stays empty.
///
/// # Errors
/// As [`Encrypted::open`]; [`SessionError::PassphraseRequired`] when there is one and `from` is
/// `None`.
pub fn change_passphrase(
    storage: Arc<dyn SessionStorage>,
    from: Option<&Passphrase>,
    to: Option<&Passphrase>,
) -> Result<(), SessionError> {
    change_at(storage, from, to, COST)
}

fn change_at(
    storage: Arc<dyn SessionStorage>,
    from: Option<&Passphrase>,
    to: Option<&Passphrase>,
    cost: Cost,
) -> Result<(), SessionError> {
    let data = match from {
        Some(passphrase) => Encrypted::open_at(storage.clone(), passphrase, cost)?.load()?,
        None => storage.load()?,
    };
    let Some(data) = data.map(Zeroizing::new) else {
        return Ok(());
    };
    let name = storage.name();
    envelope::decode(&data, &name)?;
    let Some(passphrase) = to else {
        return storage.save(&data);
    };
    let (header, key) = Header::make(passphrase, cost, &name)?;
    let encrypted = Encrypted {
        storage,
        header,
        key,
    };
    encrypted.save(&data)
}

/// What stands before the nonce.
#[derive(Clone, PartialEq, Eq)]
struct Header {
    cost: Cost,
    salt: [u8; SALT],
    check: [u8; CHECK],
}

impl Header {
    /// A new one, with a new salt, and the key that goes with it.
    fn make(
        passphrase: &Passphrase,
        cost: Cost,
        name: &str,
    ) -> Result<(Self, Zeroizing<[u8; KEY]>), SessionError> {
        let mut salt = [0; SALT];
        random(&mut salt)?;
        let (key, check) = derive(passphrase, &salt, cost, name)?;
        Ok((Self { cost, salt, check }, key))
    }

    /// The key, if the passphrase is the right one.
    fn key(
        &self,
        passphrase: &Passphrase,
        name: &str,
    ) -> Result<Zeroizing<[u8; KEY]>, SessionError> {
        let (key, check) = derive(passphrase, &self.salt, self.cost, name)?;
        if constant_time_eq(&check, &self.check) {
            return Ok(key);
        }
        Err(SessionError::WrongPassphrase {
            place: name.to_owned(),
        })
    }

    fn to_bytes(&self) -> [u8; HEADER] {
        let fields: [&[u8]; 7] = [
            MAGIC,
            &[VERSION, ARGON2ID, XCHACHA20_POLY1305, 0],
            &self.cost.memory.to_le_bytes(),
            &self.cost.passes.to_le_bytes(),
            &self.cost.lanes.to_le_bytes(),
            &self.salt,
            &self.check,
        ];
        let summed = fields.concat();
        let sum = crc32fast::hash(&summed).to_le_bytes();
        let mut bytes = [0; HEADER];
        for (to, from) in bytes.iter_mut().zip(summed.iter().chain(&sum)) {
            *to = *from;
        }
        bytes
    }

    fn read(bytes: &[u8], name: &str) -> Result<Self, SessionError> {
        if envelope::is_plain(bytes) {
            return Err(SessionError::NotEncrypted {
                place: name.to_owned(),
            });
        }
        if !is_sealed(bytes) {
            return Err(corrupt(name, "it is not a session file of this crate"));
        }
        let short = || corrupt(name, "it is too short");
        let (summed, rest) = bytes.split_first_chunk::<SUMMED>().ok_or_else(short)?;
        let (sum, _) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        if crc32fast::hash(summed).to_le_bytes() != *sum {
            return Err(corrupt(name, "its header's checksum is wrong"));
        }
        let mut fields = Fields(summed);
        let _magic = fields.take::<8>();
        let [version, kdf, cipher, _] = fields.take();
        if (version, kdf, cipher) != (VERSION, ARGON2ID, XCHACHA20_POLY1305) {
            return Err(SessionError::TooNew {
                place: name.to_owned(),
                version: version.into(),
            });
        }
        let cost = Cost {
            memory: u32::from_le_bytes(fields.take()),
            passes: u32::from_le_bytes(fields.take()),
            lanes: u32::from_le_bytes(fields.take()),
        };
        if cost.memory > MAX_MEMORY || cost.passes > MAX_PASSES || cost.lanes > MAX_LANES {
            return Err(corrupt(name, "its passphrase would cost too much to try"));
        }
        Ok(Self {
            cost,
            salt: fields.take(),
            check: fields.take(),
        })
    }
}

/// Fields of fixed length, one behind the other; zeros behind the end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk::<N>().unwrap_or((&[0; N], &[]));
        self.0 = rest;
        *field
    }
}

/// The key and the check.
fn derive(
    passphrase: &Passphrase,
    salt: &[u8; SALT],
    cost: Cost,
    name: &str,
) -> Result<(Zeroizing<[u8; KEY]>, [u8; CHECK]), SessionError> {
    let refused = || corrupt(name, "its passphrase cannot be tried at the cost it names");
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(KEY + CHECK));
    let params = params.map_err(|_| refused())?;
    let mut made = Zeroizing::new([0; KEY + CHECK]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, &mut *made)
        .map_err(|_| refused())?;
    let mut fields = Fields(&*made);
    Ok((Zeroizing::new(fields.take()), fields.take()))
}

fn random(bytes: &mut [u8]) -> Result<(), SessionError> {
    getrandom::fill(bytes).map_err(|error| SessionError::Random {
        reason: error.to_string(),
    })
}

fn corrupt(place: &str, reason: &'static str) -> SessionError {
    SessionError::Corrupt {
        place: place.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{FileStorage, MemoryStorage, SelfUser, Session};
    use super::*;

    /// Next to nothing, so that tests are quick.
    const CHEAP: Cost = Cost {
        memory: 8,
        passes: 1,
        lanes: 1,
    };

    fn session() -> Session {
        Session {
            home_dc: 2,
            user: Some(SelfUser::new(77, false)),
            ..Session::default()
        }
    }

    fn memory() -> Arc<MemoryStorage> {
        Arc::new(MemoryStorage::new())
    }

    fn holding(bytes: &[u8]) -> Arc<MemoryStorage> {
        let storage = memory();
        storage.save(bytes).unwrap();
        storage
    }

    fn open(storage: &Arc<MemoryStorage>, passphrase: &str) -> Result<Encrypted, SessionError> {
        Encrypted::open_at(storage.clone(), &passphrase.into(), CHEAP)
    }

    fn change(
        storage: &Arc<MemoryStorage>,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), SessionError> {
        let (from, to) = (from.map(Passphrase::from), to.map(Passphrase::from));
        change_at(storage.clone(), from.as_ref(), to.as_ref(), CHEAP)
    }

    /// `session()` under the passphrase `right`.
    fn sealed() -> Vec<u8> {
        let storage = memory();
        session().save(&open(&storage, "right").unwrap()).unwrap();
        storage.load().unwrap().unwrap()
    }

    /// A header that was changed, and its checksum with it.
    fn with(bytes: &[u8], at: usize, value: &[u8]) -> Arc<MemoryStorage> {
        let mut bytes = bytes.to_vec();
        bytes[at..at + value.len()].copy_from_slice(value);
        let sum = crc32fast::hash(&bytes[..SUMMED]).to_le_bytes();
        bytes[SUMMED..HEADER].copy_from_slice(&sum);
        holding(&bytes)
    }

    #[test]
    fn what_was_saved_under_a_passphrase_is_read_with_it() {
        let again = open(&holding(&sealed()), "right").unwrap();
        assert_eq!(Session::load(&again).unwrap(), Some(session()));
    }

    #[test]
    fn nothing_of_the_session_can_be_read_without_the_passphrase() {
        let storage = memory();
        let encrypted = open(&storage, "right").unwrap();
        encrypted.save(&[b'x'; 4096]).unwrap();
        let bytes = storage.load().unwrap().unwrap();
        assert!(!bytes.windows(8).any(|window| window == [b'x'; 8]));
        let error = Session::load(&*storage).unwrap_err();
        assert!(
            matches!(error, SessionError::PassphraseRequired { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_damage() {
        let good = sealed();
        for wrong in ["", "Right", "right "] {
            let error = open(&holding(&good), wrong).unwrap_err();
            assert!(
                matches!(error, SessionError::WrongPassphrase { .. }),
                "{error}"
            );
        }
        let read = |bytes: &[u8]| {
            let opened = open(&holding(bytes), "right");
            opened.and_then(|storage| Session::load(&storage))
        };
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let error = read(&bad).unwrap_err();
            assert!(
                matches!(error, SessionError::Corrupt { .. }),
                "{at}: {error}"
            );
            let error = read(&good[..at]).unwrap_err();
            assert!(
                matches!(error, SessionError::Corrupt { .. }),
                "{at}: {error}"
            );
        }
    }

    #[test]
    fn each_save_has_a_nonce_of_its_own() {
        let storage = memory();
        let encrypted = open(&storage, "right").unwrap();
        let mut seen = HashSet::new();
        for _ in 0..100 {
            encrypted.save(b"the same").unwrap();
            let bytes = storage.load().unwrap().unwrap();
            assert!(seen.insert(bytes[HEADER..HEADER + NONCE].to_vec()));
        }
    }

    #[test]
    fn one_passphrase_makes_another_key_for_each_storage() {
        let one = open(&memory(), "same").unwrap();
        let two = open(&memory(), "same").unwrap();
        assert!(one.header.salt != two.header.salt && *one.key != *two.key);
    }

    #[test]
    fn a_file_cannot_make_us_spend_more_than_the_bounds() {
        let bytes = sealed();
        for (at, value) in [
            (12, u32::MAX),
            (12, MAX_MEMORY + 1),
            (12, 0),
            (16, MAX_PASSES + 1),
            (16, 0),
            (20, MAX_LANES + 1),
            (20, 0),
        ] {
            let error = open(&with(&bytes, at, &value.to_le_bytes()), "right").unwrap_err();
            assert!(matches!(error, SessionError::Corrupt { .. }), "{error}");
        }
    }

    #[test]
    fn another_way_of_encrypting_is_told_from_damage() {
        let bytes = sealed();
        for at in 8..11 {
            let error = open(&with(&bytes, at, &[9]), "right").unwrap_err();
            assert!(matches!(error, SessionError::TooNew { .. }), "{error}");
        }
    }

    #[test]
    fn a_session_without_a_passphrase_is_not_taken_for_one_with() {
        let storage = memory();
        session().save(&*storage).unwrap();
        let error = open(&storage, "right").unwrap_err();
        assert!(
            matches!(error, SessionError::NotEncrypted { .. }),
            "{error}"
        );
        assert_eq!(Session::load(&*storage).unwrap(), Some(session()));
    }

    #[test]
    fn a_passphrase_is_set_changed_and_taken_away() {
        let storage = memory();
        session().save(&*storage).unwrap();
        change(&storage, None, Some("one")).unwrap();
        let error = change(&storage, None, Some("two")).unwrap_err();
        assert!(
            matches!(error, SessionError::PassphraseRequired { .. }),
            "{error}"
        );
        change(&storage, Some("one"), Some("two")).unwrap();
        assert!(open(&storage, "one").is_err());
        let read = Session::load(&open(&storage, "two").unwrap()).unwrap();
        assert_eq!(read, Some(session()));
        let error = change(&storage, Some("one"), None).unwrap_err();
        assert!(
            matches!(error, SessionError::WrongPassphrase { .. }),
            "{error}"
        );
        change(&storage, Some("two"), None).unwrap();
        assert_eq!(Session::load(&*storage).unwrap(), Some(session()));
    }

    #[test]
    fn an_empty_storage_stays_empty_and_nothing_is_made_of_damage() {
        let empty = memory();
        change(&empty, None, Some("one")).unwrap();
        assert!(empty.load().unwrap().is_none());
        let damaged = holding(b"no session");
        assert!(change(&damaged, None, Some("one")).is_err());
        assert_eq!(damaged.load().unwrap().unwrap(), b"no session");
    }

    #[test]
    fn a_file_is_encrypted_at_the_cost_that_is_meant() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.session");
        let storage = FileStorage::encrypted(&path, &"secret".into()).unwrap();
        session().save(&storage).unwrap();
        drop(storage);
        let bytes = std::fs::read(&path).unwrap();
        assert!(Header::read(&bytes, "x").unwrap().cost == COST);
        let storage = FileStorage::encrypted(&path, &"secret".into()).unwrap();
        assert_eq!(Session::load(&storage).unwrap(), Some(session()));
        assert!(storage.name().ends_with("a.session"));
    }

    #[test]
    fn what_the_first_version_wrote_is_read_for_ever() {
        let storage = holding(include_bytes!("fixtures/sealed-1.session"));
        let read = Session::load(&open(&storage, "fixture").unwrap()).unwrap();
        assert_eq!(read.unwrap().user, Some(SelfUser::new(7, true)));
    }

    #[test]
    fn passphrases_are_not_printed() {
        let passphrase = Passphrase::from("hunter2");
        let storage = Encrypted::open_at(memory(), &passphrase, CHEAP).unwrap();
        assert!(!format!("{passphrase:?}{storage:?}").contains("hunter"));
    }
}

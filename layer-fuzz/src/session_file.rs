//! Sessions at rest: any bytes are a session or an error, and a session that was saved is the one that is loaded.

use std::sync::Arc;

use layer_client::session::{Encrypted, MemoryStorage, Session, SessionStorage, StringStorage};

use crate::input::Input;

/// The form of a version around these bytes, with the right length and checksum.
fn envelope(version: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = [&b"LAYERSES"[..], &[version, 0, 0, 0]].concat();
    bytes.extend_from_slice(&crate::wire::int(data.len()).to_le_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(data);
    bytes.extend_from_slice(&crc.sum().to_le_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let kind = input.byte();
    match kind % 4 {
        0 => load(input.rest()),
        1 => load(&envelope(kind / 4 % 3 + 1, input.rest())),
        2 => sealed(&mut input),
        _ => {
            let text = String::from_utf8_lossy(input.rest());
            if let Ok(storage) = StringStorage::import(&text) {
                let exported = storage.export();
                let again = StringStorage::import(&exported).map(|again| again.export());
                assert_eq!(again.ok(), Some(exported));
                let _ = Session::load(&storage);
            }
        }
    }
}

/// A session under a passphrase whose head has the right checksum, and asks the KDF for whatever the input says: no more than
/// is allowed is ever spent. What is allowed is made small here, for it would only be slow.
fn sealed(input: &mut Input<'_>) {
    let mut bytes = b"LAYERENC".to_vec();
    bytes.extend_from_slice(&input.array::<4>());
    let allowed = |value: i32, most: i32| (0..=most).contains(&value);
    let (memory, passes, lanes) = (input.int(), input.int(), input.int());
    let small = allowed(memory, 256 * 1024) && allowed(passes, 16) && allowed(lanes, 8);
    let memory = if small { memory % 64 } else { memory };
    for word in [memory, passes, lanes] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(&input.array::<32>());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    bytes.extend_from_slice(&crc.sum().to_le_bytes());
    bytes.extend_from_slice(input.rest());
    let storage = Arc::new(MemoryStorage::new());
    assert!(storage.save(&bytes).is_ok());
    match Encrypted::open(storage, &"passphrase".into()) {
        Ok(encrypted) => _ = Session::load(&encrypted),
        Err(error) => _ = error.to_string(),
    }
}

fn load(bytes: &[u8]) {
    let storage = MemoryStorage::new();
    assert!(storage.save(bytes).is_ok());
    match Session::load(&storage) {
        Ok(Some(session)) => {
            assert!(session.save(&storage).is_ok());
            match Session::load(&storage) {
                Ok(again) => assert_eq!(again, Some(session)),
                Err(error) => panic!("what was saved is not loaded: {error}"),
            }
        }
        Ok(None) => {}
        Err(error) => _ = error.to_string(),
    }
}

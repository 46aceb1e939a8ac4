//! The one owner of the session while the program runs: readers and writers of its fields come
//! here, and it sees to it that changes reach the storage soon, and at the latest at the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Session, SessionError, SessionStorage, envelope};

/// Owns the session. The lock is held for the length of a closure, never across an await.
pub(crate) struct Store {
    session: Mutex<Session>,
    storage: Arc<dyn SessionStorage>,
    /// Counts changes, and which of them the storage has.
    changed: AtomicU64,
    saved: AtomicU64,
    /// Held by who is writing, so that an older state never overwrites a newer one.
    writing: Mutex<()>,
    dirty: Arc<Notify>,
}

impl Store {
    /// Reads what the storage has. If nothing is there, it begins with what `text` says, or with an
    /// empty session; damage is an error.
    pub(crate) fn open(
        storage: Arc<dyn SessionStorage>,
        text: Option<&str>,
    ) -> Result<Self, SessionError> {
        let kept = Session::load(&*storage)?;
        let imported = match text {
            Some(text) if kept.is_none() => Some(Session::import(text)?),
            _ => None,
        };
        let changed = u64::from(imported.is_some());
        let session = kept.or(imported).unwrap_or_default();
        Ok(Self {
            session: Mutex::new(session),
            storage,
            changed: AtomicU64::new(changed),
            saved: AtomicU64::new(0),
            writing: Mutex::new(()),
            dirty: Arc::default(),
        })
    }

    /// Looks at the session.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(&self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the session; it is written behind.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Session) -> T) -> T {
        let result = change(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner));
        self.touch();
        result
    }

    /// Says that something which is collected at saving time (the peers) has changed.
    pub(crate) fn touch(&self) {
        self.changed.fetch_add(1, Ordering::AcqRel);
        self.dirty.notify_one();
    }

    /// Notified when there is something to write.
    pub(crate) fn signal(&self) -> Arc<Notify> {
        self.dirty.clone()
    }

    #[cfg(test)]
    pub(crate) fn is_dirty(&self) -> bool {
        self.changed.load(Ordering::Acquire) != self.saved.load(Ordering::Acquire)
    }

    /// Writes now what was not written yet. Blocks for as long as the storage does.
    pub(crate) fn save(&self) -> Result<(), SessionError> {
        self.save_with(|_| ())
    }

    /// As [`save`](Self::save), after `complete` has put in what others own: nothing else comes in
    /// between, so that what is written fits together.
    pub(crate) fn save_with(
        &self,
        complete: impl FnOnce(&mut Session),
    ) -> Result<(), SessionError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.changed.load(Ordering::Acquire);
        if changed == self.saved.load(Ordering::Acquire) {
            return Ok(());
        }
        let bytes = {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            complete(&mut session);
            envelope::encode(&session)
        };
        self.storage.save(&bytes)?;
        self.saved.store(changed, Ordering::Release);
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            log::error!("the session was not saved: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FileStorage, MemoryStorage, SelfUser};
    use super::*;

    #[test]
    fn changes_are_saved_at_the_end_without_being_asked() {
        let storage = Arc::new(MemoryStorage::new());
        let store = Store::open(storage.clone(), None).unwrap();
        assert!(!store.is_dirty());
        store.update(|session| session.user = Some(SelfUser::new(5, false)));
        assert!(store.is_dirty());
        drop(store);
        let store = Store::open(storage, None).unwrap();
        assert_eq!(
            store.read(|session| session.user),
            Some(SelfUser::new(5, false))
        );
    }

    #[test]
    fn a_damaged_session_is_an_error_and_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.session");
        std::fs::write(&path, b"not a session at all, but somebody's text").unwrap();
        let storage = Arc::new(FileStorage::open(&path).unwrap());
        let Err(error) = Store::open(storage, None) else {
            panic!("it was read")
        };
        assert!(matches!(error, SessionError::Corrupt { .. }));
        assert!(error.to_string().contains("a.session"), "{error}");
        assert_eq!(
            std::fs::read(&path).unwrap(),
            b"not a session at all, but somebody's text"
        );
    }

    #[tokio::test]
    async fn the_writer_is_woken_by_a_change() {
        let store = Store::open(Arc::new(MemoryStorage::new()), None).unwrap();
        store.touch();
        store.signal().notified().await;
        store.save().unwrap();
        assert!(!store.is_dirty());
    }

    #[test]
    fn text_is_what_an_empty_storage_begins_with_and_is_kept() {
        let text = |id| {
            let session = Session {
                user: Some(SelfUser::new(id, false)),
                ..Session::default()
            };
            session.export()
        };
        let storage = Arc::new(MemoryStorage::new());
        let user = |store: &Store| store.read(|session| session.user.map(|user| user.id));
        let store = Store::open(storage.clone(), Some(&text(5))).unwrap();
        assert!(store.is_dirty() && user(&store) == Some(5));
        drop(store);
        let store = Store::open(storage, Some(&text(6))).unwrap();
        assert!(!store.is_dirty() && user(&store) == Some(5));
    }
}

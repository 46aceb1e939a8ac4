//! A session in one file: replaced at once or not at all, held by one process, readable by its
//! owner only.
//!
//! Saving writes `NAME.tmp`, fsyncs it, renames it over `NAME` and fsyncs the directory, so that
//! `kill -9` or a power cut at any point leaves the old session or the new one. `NAME.lock` is
//! held locked for as long as the storage lives and holds the process id; the lock itself goes
//! away with the process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Encrypted, Passphrase, SessionError, SessionStorage};
use crate::disk::{beside, sync_directory};

/// A session larger than this is none of ours.
const MAX_SIZE: u64 = 1 << 30;
/// How long to wait for another client of the same process to let go.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps a session in one file.
#[derive(Debug)]
pub struct FileStorage {
    path: PathBuf,
    /// Writers take turns: two at once would share the temporary file.
    writing: Mutex<()>,
    /// Locked for as long as it is open.
    _lock: File,
}

impl FileStorage {
    /// Takes the session file at `path` for this process. The file itself need not exist yet; its
    /// directory must.
    ///
    /// # Errors
    /// [`SessionError::InUse`] when another process, or another storage of this one, has it;
    /// [`SessionError::Io`] when the lock file cannot be made.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SessionError> {
        let path = behind_links(path.into());
        let lock_path = beside(&path, ".lock");
        let failed = |doing, source| SessionError::Io {
            path: lock_path.clone(),
            doing,
            source,
        };
        let mut lock = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| failed("open the lock beside", error))?;
        let begun = Instant::now();
        let mut locked = lock.try_lock();
        // A client of this process that is closing lets go in a moment.
        while matches!(locked, Err(TryLockError::WouldBlock))
            && begun.elapsed() < PATIENCE
            && holder(&mut lock) == Some(std::process::id())
        {
            std::thread::sleep(Duration::from_millis(10));
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = holder(&mut lock);
                return Err(SessionError::InUse { path, pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        lock.set_len(0)
            .and_then(|()| lock.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(lock, "{}", std::process::id()))
            .map_err(|error| failed("write the lock beside", error))?;
        Ok(Self {
            path,
            writing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// As [`open`](Self::open), with the session under a passphrase; makes the key, which takes a
    /// moment on purpose.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`Encrypted::open`].
    pub fn encrypted(
        path: impl Into<PathBuf>,
        passphrase: &Passphrase,
    ) -> Result<Encrypted, SessionError> {
        Encrypted::open(Arc::new(Self::open(path)?), passphrase)
    }

    /// The session file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> SessionError + '_ {
        move |source| SessionError::Io {
            path: self.path.clone(),
            doing,
            source,
        }
    }
}

impl SessionStorage for FileStorage {
    fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("open")(error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(self.failed("read"))?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(SessionError::Corrupt {
                place: self.name(),
                reason: "it is larger than a session can be",
            });
        }
        Ok(Some(bytes))
    }

    fn save(&self, bytes: &[u8]) -> Result<(), SessionError> {
        self.replace(|file| file.write_all(bytes))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

impl FileStorage {
    /// Puts what `write` writes in the place of the session, at once or not at all.
    fn replace(&self, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), SessionError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let temporary = beside(&self.path, ".tmp");
        let written = (|| {
            // One that a killed process left behind may have any permissions.
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private().write(true).create_new(true).open(&temporary)?;
            write(&mut file)?;
            file.sync_all()?;
            drop(file);
            fs::rename(&temporary, &self.path)?;
            sync_directory(&self.path)
        })();
        if written.is_err() {
            // The old session is untouched; what is left of the new one is of no use.
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(self.failed("write"))
    }
}

/// The process that the lock file names. The id is a courtesy: whoever has the lock may not have
/// written it yet.
fn holder(lock: &mut File) -> Option<u32> {
    let mut pid = String::new();
    lock.seek(SeekFrom::Start(0)).ok()?;
    lock.take(32).read_to_string(&mut pid).ok()?;
    pid.trim().parse().ok()
}

/// The file itself: replacing a link by a file would part the two, and two links to one session
/// must meet at one lock.
fn behind_links(path: PathBuf) -> PathBuf {
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(&path).unwrap_or(path),
        _ => path,
    }
}

fn private() -> OpenOptions {
    #[allow(unused_mut)]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_saved_is_loaded_and_nothing_else_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(directory.path().join("a.session")).unwrap();
        assert!(storage.load().unwrap().is_none());
        storage.save(b"one").unwrap();
        storage.save(b"two").unwrap();
        assert_eq!(storage.load().unwrap().unwrap(), b"two");
        assert_eq!(names(directory.path()), ["a.session", "a.session.lock"]);
    }

    #[test]
    fn the_second_holder_is_told_who_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.session");
        let first = FileStorage::open(&path).unwrap();
        let error = FileStorage::open(&path).unwrap_err();
        let SessionError::InUse { pid, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(*pid, Some(std::process::id()));
        assert!(error.to_string().contains(&std::process::id().to_string()));
        drop(first);
        FileStorage::open(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(directory.path().join("a.session")).unwrap();
        // What a killed process left must not lend its permissions.
        fs::write(directory.path().join("a.session.tmp"), b"junk").unwrap();
        storage.save(b"secret").unwrap();
        let mode = |name: &str| {
            fs::metadata(directory.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode("a.session"), mode("a.session.lock")), (0o600, 0o600));
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_session() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(directory.path().join("a.session")).unwrap();
        storage.save(b"old").unwrap();
        // A directory in the temporary file's place cannot be removed or written.
        fs::create_dir_all(directory.path().join("a.session.tmp/x")).unwrap();
        assert!(matches!(storage.save(b"new"), Err(SessionError::Io { .. })));
        assert_eq!(storage.load().unwrap().unwrap(), b"old");
    }

    #[test]
    fn a_disk_that_fills_up_half_way_leaves_the_old_session_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(directory.path().join("a.session")).unwrap();
        storage.save(b"old").unwrap();
        let error = storage
            .replace(|file| {
                file.write_all(b"ne")?;
                Err(io::ErrorKind::StorageFull.into())
            })
            .unwrap_err();
        let SessionError::Io { source, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("a.session"), "{error}");
        assert_eq!(storage.load().unwrap().unwrap(), b"old");
        assert_eq!(names(directory.path()), ["a.session", "a.session.lock"]);
        storage.save(b"new").unwrap();
        assert_eq!(storage.load().unwrap().unwrap(), b"new");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_full_disk_says_reaches_the_caller() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(directory.path().join("a.session")).unwrap();
        storage.save(b"old").unwrap();
        let full = |_: &mut File| {
            OpenOptions::new()
                .write(true)
                .open("/dev/full")?
                .write_all(b"x")
        };
        let error = storage.replace(full).unwrap_err();
        let SessionError::Io { source, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(storage.load().unwrap().unwrap(), b"old");
    }

    /// Where nobody may make a file, whoever they are.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_with_its_path() {
        let error = FileStorage::open("/proc/a.session").unwrap_err();
        assert!(
            matches!(error, SessionError::Io { doing, .. } if doing.contains("lock")),
            "{error}"
        );
        assert!(error.to_string().contains("/proc/a.session"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_does_not_get_round_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (
            directory.path().join("a.session"),
            directory.path().join("link"),
        );
        FileStorage::open(&path).unwrap().save(b"old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let storage = FileStorage::open(&link).unwrap();
        assert!(matches!(
            FileStorage::open(&path),
            Err(SessionError::InUse { .. })
        ));
        storage.save(b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_half_written_temporary_file_is_never_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.session");
        FileStorage::open(&path).unwrap().save(b"whole").unwrap();
        fs::write(directory.path().join("a.session.tmp"), b"ha").unwrap();
        let storage = FileStorage::open(&path).unwrap();
        assert_eq!(storage.load().unwrap().unwrap(), b"whole");
        storage.save(b"next").unwrap();
        assert_eq!(storage.load().unwrap().unwrap(), b"next");
    }

    #[test]
    fn a_directory_that_does_not_exist_is_an_error_with_its_path() {
        let error = FileStorage::open("/nowhere/at/all/a.session").unwrap_err();
        assert!(
            error.to_string().contains("/nowhere/at/all/a.session"),
            "{error}"
        );
    }
}

//! The bytes of files, as their parts came: in memory, and beyond a bound in a file that has no name.
//!
//! A part is written once and never moved: what an upload becomes is made of its parts. Reading copies what was asked for
//! and nothing else. This is the one place of the world that does I/O, and only for files too large for its memory: what
//! it writes lies in the system's cache most of the time, and a test wants the answer before it asks the next question.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use layer_tl_types::enums::storage::FileType;

/// The largest piece, and the distance of pieces in the file. Where less is written, the rest is a hole.
pub(super) const SLOT: usize = 512 * 1024;

/// Where the bytes of all files are.
#[derive(Clone, Debug, Default)]
pub(super) struct Depot(Arc<Mutex<Shelves>>);

#[derive(Debug, Default)]
struct Shelves {
    /// Bytes that may be in memory.
    memory_limit: u64,
    memory: u64,
    disk: u64,
    file: Option<File>,
    /// Slots of the file that were given back.
    free: Vec<u64>,
    /// Slots that the file has.
    slots: u64,
}

/// What a piece counts for: no less than it costs to keep it.
fn charge(length: usize, in_memory: bool) -> u64 {
    if in_memory {
        bytes_of(length.max(1024))
    } else {
        bytes_of(length.max(1).next_multiple_of(4096))
    }
}

/// One piece of a file. Dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Piece {
    place: Place,
    length: usize,
    depot: Depot,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    Slot(u64),
}

fn bytes_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Depot {
    /// A place where so many bytes stay in memory.
    pub(super) fn new(memory_limit: u64) -> Self {
        Self(Arc::new(Mutex::new(Shelves {
            memory_limit,
            ..Shelves::default()
        })))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes held in all.
    pub(super) fn bytes(&self) -> u64 {
        let shelves = self.shelves();
        shelves.memory.saturating_add(shelves.disk)
    }

    /// Bytes that are in memory.
    #[cfg(test)]
    pub(super) fn in_memory(&self) -> u64 {
        self.shelves().memory
    }

    /// Keeps a piece of at most [`SLOT`] bytes.
    pub(super) fn keep(&self, bytes: &[u8]) -> io::Result<Piece> {
        let length = bytes.len();
        if length > SLOT {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut shelves = self.shelves();
        let memory = shelves.memory.saturating_add(charge(length, true));
        let place = if memory <= shelves.memory_limit {
            shelves.memory = memory;
            Place::Memory(bytes.to_vec())
        } else {
            let slot = shelves.write(bytes)?;
            shelves.disk = shelves.disk.saturating_add(charge(length, false));
            Place::Slot(slot)
        };
        drop(shelves);
        Ok(Piece {
            place,
            length,
            depot: self.clone(),
        })
    }

    /// Keeps bytes that came in one.
    pub(super) fn content(&self, bytes: &[u8]) -> io::Result<Content> {
        let pieces = bytes.chunks(SLOT).map(|piece| self.keep(piece));
        Content::new(pieces.collect::<io::Result<_>>()?)
    }
}

impl Shelves {
    fn write(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let slot = self.free.last().copied().unwrap_or(self.slots);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(slot.saturating_mul(bytes_of(SLOT))))?;
        file.write_all(bytes)?;
        // Taken only now that the bytes are there.
        if self.free.pop().is_none() {
            self.slots += 1;
        }
        Ok(slot)
    }

    fn read(&mut self, slot: u64, from: usize, into: &mut [u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let start = slot.saturating_mul(bytes_of(SLOT));
        file.seek(SeekFrom::Start(start.saturating_add(bytes_of(from))))?;
        file.read_exact(into)
    }
}

impl Piece {
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Adds what it has between two places.
    fn read(&self, from: usize, to: usize, into: &mut Vec<u8>) -> io::Result<()> {
        match &self.place {
            Place::Memory(bytes) => {
                into.extend_from_slice(bytes.get(from..to).unwrap_or_default());
                Ok(())
            }
            Place::Slot(slot) => {
                let start = into.len();
                into.resize(start + to.saturating_sub(from), 0);
                let room = into.get_mut(start..).unwrap_or_default();
                self.depot.shelves().read(*slot, from, room)
            }
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut shelves = self.depot.shelves();
        match &self.place {
            Place::Memory(_) => {
                shelves.memory = shelves.memory.saturating_sub(charge(self.length, true));
            }
            Place::Slot(slot) => {
                shelves.disk = shelves.disk.saturating_sub(charge(self.length, false));
                shelves.free.push(*slot);
            }
        }
    }
}

/// The bytes of a file.
#[derive(Debug)]
pub(crate) struct Content {
    pieces: Vec<Piece>,
    /// Of all pieces but the last.
    size: usize,
    length: u64,
    kind: FileType,
}

impl Content {
    /// Made of pieces of one size, but for the last, which may be smaller.
    pub(super) fn new(pieces: Vec<Piece>) -> io::Result<Self> {
        let size = pieces.first().map_or(1, Piece::len).max(1);
        let length = pieces.iter().map(|piece| bytes_of(piece.len())).sum();
        let mut content = Self {
            pieces,
            size,
            length,
            kind: FileType::FilePartial,
        };
        content.kind = file_type(&content.read(0, 16)?);
        Ok(content)
    }

    /// Bytes of the whole.
    pub(crate) const fn len(&self) -> u64 {
        self.length
    }

    /// What the first bytes say that it is.
    pub(super) fn kind(&self) -> FileType {
        self.kind.clone()
    }

    /// What there is of a range.
    pub(super) fn read(&self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(bytes_of(limit)).min(self.length);
        let count = usize::try_from(end.saturating_sub(offset)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(count);
        let size = bytes_of(self.size);
        let mut at = offset;
        while at < end {
            let number = usize::try_from(at / size).unwrap_or(usize::MAX);
            let Some(piece) = self.pieces.get(number) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let from = usize::try_from(at % size).unwrap_or(usize::MAX);
            let to = piece.len().min(from.saturating_add(count - bytes.len()));
            if to <= from {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            piece.read(from, to, &mut bytes)?;
            at = at.saturating_add(bytes_of(to - from));
        }
        Ok(bytes)
    }

    /// All of it. For small files, and for those who test.
    pub(crate) fn to_vec(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length);
        self.read(0, length.map_err(|_| io::ErrorKind::OutOfMemory)?)
    }

    /// All of it, one piece after the other.
    pub(super) fn pieces(&self) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        self.pieces.iter().map(|piece| {
            let mut bytes = Vec::with_capacity(piece.len());
            piece.read(0, piece.len(), &mut bytes).map(|()| bytes)
        })
    }
}

/// What a file is, by its first bytes.
fn file_type(first: &[u8]) -> FileType {
    match first {
        [0xff, 0xd8, 0xff, ..] => FileType::FileJpeg,
        [0x89, b'P', b'N', b'G', ..] => FileType::FilePng,
        [b'G', b'I', b'F', b'8', ..] => FileType::FileGif,
        [b'%', b'P', b'D', b'F', ..] => FileType::FilePdf,
        [b'I', b'D', b'3', ..] => FileType::FileMp3,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => FileType::FileWebp,
        [_, _, _, _, b'f', b't', b'y', b'p', b'q', b't', ..] => FileType::FileMov,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => FileType::FileMp4,
        _ => FileType::FilePartial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect()
    }

    /// The bytes in pieces of this size.
    fn content(depot: &Depot, bytes: &[u8], size: usize) -> Content {
        let pieces = bytes.chunks(size).map(|piece| depot.keep(piece));
        Content::new(pieces.collect::<io::Result<_>>().unwrap()).unwrap()
    }

    #[test]
    fn a_range_is_read_across_pieces_wherever_they_are() {
        let bytes = numbered(10_000);
        for memory in [0, 4096, u64::MAX] {
            let depot = Depot::new(memory);
            let content = content(&depot, &bytes, 1024);
            assert_eq!(content.to_vec().unwrap(), bytes);
            for (offset, limit) in [(0, 1), (1023, 2), (1024, 1024), (5, 9000), (9_999, 10)] {
                let end = (offset + limit).min(bytes.len());
                let read = content.read(u64::try_from(offset).unwrap(), limit).unwrap();
                assert_eq!(read, bytes[offset..end], "{offset} {limit} with {memory}");
                assert!(read.capacity() <= limit, "no more than was asked for");
            }
            assert!(content.read(10_000, 10).unwrap().is_empty());
            assert!(content.read(u64::MAX, 10).unwrap().is_empty());
        }
    }

    #[test]
    fn memory_is_bounded_and_places_are_given_back_and_used_again() {
        let depot = Depot::new(3000);
        for round in 0..20 {
            let bytes = numbered(8_000 + round);
            let content = content(&depot, &bytes, 1024);
            assert!(depot.in_memory() <= 3000);
            assert!((content.len()..content.len() + 6 * 4096).contains(&depot.bytes()));
            assert_eq!(content.to_vec().unwrap(), bytes);
        }
        assert_eq!((depot.bytes(), depot.in_memory()), (0, 0));
        assert!(depot.shelves().slots <= 8, "slots are used again");
    }

    #[test]
    fn what_comes_in_one_is_kept_in_pieces() {
        let bytes = numbered(SLOT * 2 + 5);
        let content = Depot::new(u64::MAX).content(&bytes).unwrap();
        assert_eq!(
            (content.pieces.len(), content.len()),
            (3, bytes_of(bytes.len()))
        );
        assert_eq!(content.to_vec().unwrap(), bytes);
    }
}

//! Where an upload's bytes come from, cut into parts. Each is read to where it is sent from: the
//! request is written round it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use layer_tl_types::{Identifiable, Serializable, functions};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::files::transfer::set::PartSet;

/// What goes before a part's bytes at most: the method, file_id, file_part, file_total_parts and the
/// length.
const HEAD: usize = 24;
/// From this length on, TL writes lengths in four bytes.
const LONG: usize = 254;

/// Bytes that come by themselves.
pub(super) type Chunks<'a> = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + 'a>>;

/// Where bytes come from.
pub(super) enum Source<'a> {
    Path(&'a Path),
    Bytes(&'a [u8]),
    // Boxed, so that an upload may be used where a shorter-lived one is wanted. With the number of
    // bytes, if that is known.
    Reader(Box<dyn AsyncRead + Send + Unpin + 'a>, Option<u64>),
    Stream(Chunks<'a>),
}

/// A part that was read.
pub(super) struct Part {
    pub(super) number: u64,
    /// The bytes, with room for what goes before.
    buffer: BytesMut,
    /// Whether no part comes after it.
    pub(super) last: bool,
}

impl Part {
    /// How many bytes of the file it is.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - HEAD
    }

    /// The request that saves it: `upload.saveBigFilePart` if there is a total, else
    /// `upload.saveFilePart`.
    pub(super) fn into_request(self, file_id: i64, total: Option<i32>) -> Bytes {
        let file_part = i32::try_from(self.number).unwrap_or(i32::MAX);
        let len = self.len();
        if len < LONG {
            let bytes = self.buffer[HEAD..].to_vec();
            return Bytes::from(match total {
                Some(file_total_parts) => functions::upload::SaveBigFilePart {
                    file_id,
                    file_part,
                    file_total_parts,
                    bytes,
                }
                .to_bytes(),
                None => functions::upload::SaveFilePart {
                    file_id,
                    file_part,
                    bytes,
                }
                .to_bytes(),
            });
        }
        let mut head = Vec::with_capacity(HEAD);
        head.extend(match total {
            Some(_) => functions::upload::SaveBigFilePart::CONSTRUCTOR_ID.to_le_bytes(),
            None => functions::upload::SaveFilePart::CONSTRUCTOR_ID.to_le_bytes(),
        });
        head.extend(file_id.to_le_bytes());
        head.extend(file_part.to_le_bytes());
        if let Some(total) = total {
            head.extend(total.to_le_bytes());
        }
        // Three bytes are enough for 16 MiB, and a part has half a MiB at most.
        let length = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        head.extend([254, length[0], length[1], length[2]]);
        let mut buffer = self.buffer;
        let begin = HEAD - head.len();
        buffer[begin..HEAD].copy_from_slice(&head);
        buffer.resize(buffer.len().next_multiple_of(4), 0);
        buffer.freeze().slice(begin..)
    }
}

/// Cuts a source into parts.
pub(super) struct Parts<'a> {
    from: From<'a>,
    /// Bytes of a part.
    size: usize,
    next: u64,
    /// How many parts there are, if that is known.
    total: Option<u64>,
    /// A whole part of a source whose end nobody knows, until it is seen whether more comes.
    held: Option<Part>,
    /// Where parts were that are saved: those that come are read there.
    spare: Vec<BytesMut>,
}

/// So many places of parts are kept to be used again.
const SPARE: usize = 4;

enum From<'a> {
    File {
        file: Arc<Mutex<File>>,
        bytes: u64,
        reading: Option<JoinHandle<io::Result<BytesMut>>>,
    },
    Bytes(&'a [u8]),
    Reader {
        reader: Box<dyn AsyncRead + Send + Unpin + 'a>,
        /// What is still to come, if that is known.
        left: Option<u64>,
        filling: Filling,
    },
    Stream {
        chunks: Chunks<'a>,
        rest: Bytes,
        filling: Filling,
    },
}

/// A part that is being read.
struct Filling {
    buffer: BytesMut,
    filled: usize,
    ended: bool,
}

impl Filling {
    fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            filled: HEAD,
            ended: false,
        }
    }

    fn begin(&mut self, size: usize, spare: &mut Vec<BytesMut>) {
        if self.buffer.is_empty() {
            self.buffer = spare.pop().unwrap_or_default();
            self.buffer.resize(HEAD + size, 0);
            self.filled = HEAD;
        }
    }

    fn take(&mut self) -> BytesMut {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.truncate(self.filled);
        buffer
    }
}

impl<'a> Parts<'a> {
    fn new(from: From<'a>, size: usize, bytes: Option<u64>) -> Self {
        let part = u64::try_from(size).unwrap_or(u64::MAX);
        Self {
            from,
            size,
            next: 0,
            total: bytes.map(|bytes| bytes.div_ceil(part)),
            held: None,
            spare: Vec::new(),
        }
    }

    /// Nobody needs this request any more, in which a part is.
    pub(super) fn reuse(&mut self, request: Bytes) {
        if self.spare.len() < SPARE
            && let Ok(place) = request.try_into_mut()
        {
            self.spare.push(place);
        }
    }

    /// Of a file that has so many bytes.
    pub(super) fn of_file(file: File, bytes: u64, size: usize) -> Self {
        let from = From::File {
            file: Arc::new(Mutex::new(file)),
            bytes,
            reading: None,
        };
        Self::new(from, size, Some(bytes))
    }

    pub(super) fn of_bytes(bytes: &'a [u8], size: usize) -> Self {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self::new(From::Bytes(bytes), size, Some(len))
    }

    pub(super) fn of_reader(
        reader: Box<dyn AsyncRead + Send + Unpin + 'a>,
        bytes: Option<u64>,
        size: usize,
    ) -> Self {
        let from = From::Reader {
            reader,
            left: bytes,
            filling: Filling::new(),
        };
        Self::new(from, size, bytes)
    }

    pub(super) fn of_stream(chunks: Chunks<'a>, size: usize) -> Self {
        let from = From::Stream {
            chunks,
            rest: Bytes::new(),
            filling: Filling::new(),
        };
        Self::new(from, size, None)
    }

    /// Whether the bytes are there when they are wanted, and nobody else has to come on with them.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.from, From::File { .. } | From::Bytes(_))
    }

    /// The next part that is not in `saved`; `None` after the last. Nothing is lost if the caller
    /// looks away before it is there.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        saved: &PartSet,
    ) -> Poll<io::Result<Option<Part>>> {
        loop {
            if let From::File { .. } | From::Bytes(_) = self.from {
                // Those can be read from anywhere.
                while self.total.is_some_and(|total| self.next < total) && saved.contains(self.next)
                {
                    self.next += 1;
                }
            }
            if self.total.is_some_and(|total| self.next >= total) {
                return Poll::Ready(Ok(None));
            }
            let buffer = ready!(self.poll_buffer(cx))?;
            if let Some(total) = self.total {
                let part = self.part(buffer, |next| next >= total);
                return Poll::Ready(Ok(Some(part)));
            }
            // Of a source that may go on or not: a part is the last if nothing comes after it.
            let whole = buffer.len() == HEAD + self.size;
            if buffer.len() == HEAD {
                self.total = Some(self.next);
                return Poll::Ready(Ok(self.held.take().map(|held| Part { last: true, ..held })));
            }
            let part = self.part(buffer, |_| !whole);
            let last = part.last;
            match self.held.replace(part) {
                Some(held) => return Poll::Ready(Ok(Some(held))),
                None if last => {
                    self.total = Some(self.next);
                    return Poll::Ready(Ok(self.held.take()));
                }
                None => {}
            }
        }
    }

    fn part(&mut self, buffer: BytesMut, last: impl FnOnce(u64) -> bool) -> Part {
        let number = self.next;
        self.next += 1;
        Part {
            number,
            buffer,
            last: last(self.next),
        }
    }

    /// The bytes of a part behind the room for its head: as many as there are.
    fn poll_buffer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BytesMut>> {
        let size = self.size;
        let spare = &mut self.spare;
        let part = u64::try_from(size).unwrap_or(u64::MAX);
        match &mut self.from {
            From::File {
                file,
                bytes,
                reading,
            } => {
                let offset = self.next.saturating_mul(part);
                let len = bytes.saturating_sub(offset).min(part);
                let reading = reading.get_or_insert_with(|| {
                    let file = file.clone();
                    let mut buffer = spare.pop().unwrap_or_default();
                    spawn_blocking(move || {
                        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                        buffer.resize(HEAD + usize::try_from(len).unwrap_or(size), 0);
                        file.seek(SeekFrom::Start(offset))?;
                        file.read_exact(&mut buffer[HEAD..])?;
                        Ok(buffer)
                    })
                });
                let read = ready!(Pin::new(reading).poll(cx));
                if let From::File { reading, .. } = &mut self.from {
                    *reading = None;
                }
                Poll::Ready(read.map_err(io::Error::other).flatten())
            }
            From::Bytes(bytes) => {
                let begin = usize::try_from(self.next).unwrap_or(usize::MAX);
                let begin = begin.saturating_mul(size).min(bytes.len());
                let end = begin.saturating_add(size).min(bytes.len());
                let mut buffer = spare.pop().unwrap_or_default();
                buffer.clear();
                buffer.reserve(HEAD + size + 3);
                buffer.resize(HEAD, 0);
                buffer.extend_from_slice(&bytes[begin..end]);
                Poll::Ready(Ok(buffer))
            }
            From::Reader {
                reader,
                left,
                filling,
            } => {
                let wanted = match *left {
                    Some(left) => usize::try_from(left).unwrap_or(size).min(size),
                    None => size,
                };
                filling.begin(wanted, spare);
                while !filling.ended && filling.filled < filling.buffer.len() {
                    let mut room = ReadBuf::new(&mut filling.buffer[filling.filled..]);
                    ready!(Pin::new(&mut *reader).poll_read(cx, &mut room))?;
                    let read = room.filled().len();
                    filling.filled += read;
                    filling.ended = read == 0;
                }
                if let Some(left) = left {
                    if filling.filled < filling.buffer.len() {
                        let message =
                            "the reader ended before as many bytes came as were announced";
                        let error = io::Error::new(io::ErrorKind::UnexpectedEof, message);
                        return Poll::Ready(Err(error));
                    }
                    *left -= u64::try_from(wanted).unwrap_or(*left).min(*left);
                }
                Poll::Ready(Ok(filling.take()))
            }
            From::Stream {
                chunks,
                rest,
                filling,
            } => {
                filling.begin(size, spare);
                while !filling.ended && filling.filled < filling.buffer.len() {
                    if rest.is_empty() {
                        match ready!(chunks.as_mut().poll_next(cx)) {
                            Some(chunk) => *rest = chunk?,
                            None => filling.ended = true,
                        }
                    }
                    let room = filling.buffer.len() - filling.filled;
                    let some = rest.split_to(rest.len().min(room));
                    let end = filling.filled + some.len();
                    filling.buffer[filling.filled..end].copy_from_slice(&some);
                    filling.filled = end;
                }
                Poll::Ready(Ok(filling.take()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn parts_are_read_to_where_parts_were_that_are_saved() {
        let bytes: Vec<u8> = (0..3500_u16).map(|at| at.to_le_bytes()[0]).collect();
        let mut parts = Parts::of_bytes(&bytes, 1024);
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = |parts: &mut Parts<'_>| {
            let Poll::Ready(part) = parts.poll_next(&mut cx, &PartSet::default()) else {
                panic!("it is there")
            };
            part.unwrap().map(|part| {
                let begin = usize::try_from(part.number).unwrap() * 1024;
                let is_whole = part.buffer[HEAD..] == bytes[begin..][..part.len()];
                (part.buffer.as_ptr().addr(), is_whole, part)
            })
        };
        let (place, is_whole, first) = next(&mut parts).unwrap();
        assert!(is_whole);
        let (other, is_whole, second) = next(&mut parts).unwrap();
        assert!(is_whole && other != place);
        // Somebody still has the second one, and it stays what it is.
        let kept = second.into_request(1, Some(4));
        parts.reuse(first.into_request(1, Some(4)));
        parts.reuse(kept.clone());
        // Were it free, it would be here now.
        let taken = Vec::<u8>::with_capacity(HEAD + 1024 + 3);
        let (again, is_whole, third) = next(&mut parts).unwrap();
        assert!(is_whole && again == place && third.len() == 1024);
        drop(taken);
        let (new, is_whole, last) = next(&mut parts).unwrap();
        assert!(is_whole && new != place && last.len() == 3500 - 3 * 1024);
        assert_eq!(kept[HEAD..], bytes[1024..2048]);
        assert!(next(&mut parts).is_none());
    }
}

//! A file in Telegram as a file to read from and to jump about in.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use super::driver::Driver;
use crate::client::Client;
use crate::files::control::Hooks;
use crate::files::remote::Remote;
use crate::files::transfer::download::Settings;
use crate::files::transfer::set::PartSet;

/// Reads a remote file, in order or from wherever one likes: [`Download::reader`](super::Download::reader).
///
/// Positions count from the beginning of the range that was asked for. It fetches ahead, at first a
/// little and then more; a jump to what is about to come costs nothing, one to elsewhere begins anew
/// there. `SeekFrom::End` needs a file whose size is known.
#[must_use = "nothing is downloaded until it is read from"]
pub struct FileReader<'a> {
    settings: Settings,
    /// `None` for no longer than it takes to begin anew.
    driver: Option<Driver<'a>>,
    /// Where in the file the next byte is read.
    position: u64,
    /// The part at hand, with where its rest begins.
    chunk: Option<(u64, u64, Bytes)>,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(client: Client, file: Remote, settings: Settings, hooks: Hooks<'a>) -> Self {
        let driver = Driver::new(client, file, settings.clone(), PartSet::default(), hooks);
        Self {
            position: settings.from,
            driver: Some(driver),
            settings,
            chunk: None,
        }
    }

    /// How many bytes there are to read in all, if that is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.end().map(|end| end.saturating_sub(self.settings.from))
    }

    fn end(&self) -> Option<u64> {
        let to = self.settings.to.unwrap_or(u64::MAX);
        self.settings.size.map(|size| size.min(to))
    }

    /// Goes to a place in the file.
    fn go_to(&mut self, target: u64) {
        // What was asked for already comes whether it is skipped or not.
        let asked_to = self
            .driver
            .as_ref()
            .map_or(0, |driver| driver.plan().asked_to());
        let ahead = (self.position..asked_to).contains(&target);
        self.position = target;
        if !ahead && !self.within_chunk() {
            self.begin_anew();
        }
    }

    fn within_chunk(&self) -> bool {
        self.chunk.as_ref().is_some_and(|(_, begin, bytes)| {
            let len = u64::try_from(bytes.len()).unwrap_or(0);
            (*begin..begin.saturating_add(len)).contains(&self.position)
        })
    }

    /// A download from the position on, of the file as it is addressed by now.
    fn begin_anew(&mut self) {
        self.chunk = None;
        let Some(driver) = self.driver.take() else {
            return;
        };
        let settings = Settings {
            from: self.position,
            ..self.settings.clone()
        };
        self.driver = Some(driver.anew(settings));
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<&[u8]>>> {
        while !self.within_chunk() {
            if self.end().is_some_and(|end| self.position >= end) {
                return Poll::Ready(Ok(None));
            }
            let Some(driver) = &mut self.driver else {
                return Poll::Ready(Ok(None));
            };
            if let Some((part, ..)) = self.chunk.take() {
                driver.taken(part);
            }
            match ready!(driver.poll_chunk(cx)) {
                Some(Ok(chunk)) => {
                    driver.rest();
                    self.chunk = Some((chunk.part, chunk.offset, chunk.bytes));
                }
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(None)),
            }
        }
        let here = self.chunk.as_ref().and_then(|(_, begin, bytes)| {
            bytes.get(usize::try_from(self.position - begin).ok()?..)
        });
        Poll::Ready(Ok(here))
    }
}

impl AsyncRead for FileReader<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if let Some(here) = ready!(this.poll_fill(cx))? {
            let len = here.len().min(buf.remaining());
            buf.put_slice(&here[..len]);
            this.position += u64::try_from(len).unwrap_or(0);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for FileReader<'_> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        let this = self.get_mut();
        let begin = this.settings.from;
        let target = match position {
            SeekFrom::Start(at) => begin.checked_add(at),
            SeekFrom::Current(by) => this.position.checked_add_signed(by),
            SeekFrom::End(by) => match this.end() {
                Some(end) => end.checked_add_signed(by),
                None => {
                    let message = "where the file ends is not known";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, message));
                }
            },
        };
        match target.filter(|target| *target >= begin) {
            Some(target) => {
                this.go_to(target);
                Ok(())
            }
            None => {
                let message = "there is no such place in the file";
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
        }
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position - self.settings.from))
    }
}

impl std::fmt::Debug for FileReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileReader")
            .field("position", &(self.position - self.settings.from))
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

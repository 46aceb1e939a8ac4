//! A download as a stream of chunks, in order.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::driver::Driver;
use crate::error::Result;

/// The bytes of a file, in order, in chunks of up to a MiB: [`Download::stream`](super::Download::stream).
///
/// Parts are fetched ahead as far as the window goes, and no further while nobody takes them.
/// Dropping it ends the download.
#[must_use = "nothing is downloaded until chunks are asked for"]
pub struct DownloadStream<'a> {
    driver: Driver<'a>,
    /// The part that was given out last; when the next is asked for, it is done with.
    given: Option<u64>,
    over: bool,
}

impl<'a> DownloadStream<'a> {
    pub(super) fn new(driver: Driver<'a>) -> Self {
        Self {
            driver,
            given: None,
            over: false,
        }
    }

    /// The next chunk; `None` at the end. After an error there is nothing more. Giving up waiting
    /// for it loses nothing.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// How many bytes it gives in all, if that is known.
    #[must_use]
    pub fn len_hint(&self) -> Option<u64> {
        self.driver.plan().progress().1
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some(part) = self.given.take() {
            self.driver.taken(part);
        }
        if self.over {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.driver.poll_chunk(cx)) {
            Some(Ok(chunk)) => {
                self.driver.rest();
                self.given = Some(chunk.part);
                Some(Ok(chunk.bytes))
            }
            Some(Err(error)) => {
                self.over = true;
                Some(Err(error))
            }
            None => {
                self.over = true;
                None
            }
        })
    }
}

impl futures_core::Stream for DownloadStream<'_> {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl std::fmt::Debug for DownloadStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (done, total) = self.driver.plan().progress();
        f.debug_struct("DownloadStream")
            .field("done", &done)
            .field("total", &total)
            .finish_non_exhaustive()
    }
}

//! Writing down how far a transfer has come: now and then, beside everything else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::error::Result;

/// Begins to write what there is by now, on a thread that may wait for the disk.
pub(super) type Saving = JoinHandle<io::Result<()>>;

/// When to write.
pub(super) struct Saver {
    every: Duration,
    changed: bool,
    saving: Option<Saving>,
    saved_at: Instant,
    alarm: Alarm,
}

impl Saver {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            changed: false,
            saving: None,
            saved_at: Instant::now(),
            alarm: Alarm::default(),
        }
    }

    /// There is something new to be written.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// Whether nothing is being written.
    pub(super) fn is_idle(&self) -> bool {
        self.saving.is_none()
    }

    /// Begins to write when it is time. Whether something was written since the last call.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut begin: impl FnMut() -> Option<Saving>,
    ) -> Result<bool> {
        let mut done = false;
        loop {
            if let Some(saving) = &mut self.saving {
                let Poll::Ready(saved) = Pin::new(saving).poll(cx) else {
                    return Ok(done);
                };
                self.saving = None;
                self.saved_at = Instant::now();
                saved.map_err(io::Error::other)??;
                done = true;
            }
            if !self.changed {
                return Ok(done);
            }
            if self.alarm.poll(self.saved_at + self.every, cx).is_pending() {
                return Ok(done);
            }
            self.changed = false;
            self.saving = begin();
        }
    }

    /// Writes what is not written yet, now. Whether anything was.
    pub(super) async fn finish(&mut self, begin: impl FnOnce() -> Option<Saving>) -> Result<bool> {
        let mut done = false;
        if let Some(saving) = self.saving.take() {
            saving.await.map_err(io::Error::other)??;
            done = true;
        }
        if std::mem::take(&mut self.changed)
            && let Some(saving) = begin()
        {
            saving.await.map_err(io::Error::other)??;
            done = true;
        }
        Ok(done)
    }
}

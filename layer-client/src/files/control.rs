//! Looking at a transfer and steering it from another task: [`TransferControl`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::Progress;
use crate::error::{Error, Result};

/// Over so long the rate is smoothed.
const SMOOTH: f64 = 3.0;
/// A rate is taken no more often than this.
const GLANCE: Duration = Duration::from_millis(100);

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// Bytes done, those of an earlier run included.
    pub done: u64,
    /// Bytes in all, if that is known.
    pub total: Option<u64>,
    /// Bytes in a second, smoothed over some seconds. 0 before anything was measured and in a pause.
    pub rate: u64,
    /// How long it will take at this rate.
    pub left: Option<Duration>,
    /// How long the server wants the transfer to wait (`FLOOD_WAIT`, `FLOOD_PREMIUM_WAIT`).
    pub held: Option<Duration>,
}

/// A handle on a download or upload, for another task: pauses it, goes on, ends it, and tells how far
/// it is. Clones are the same handle; one handle may steer several transfers.
///
/// ```no_run
/// use layer_client::files::TransferControl;
///
/// # async fn example(
/// #     client: layer_client::Client,
/// #     message: layer_client::Message,
/// # ) -> Result<(), layer_client::Error> {
/// let control = TransferControl::new();
/// let download = client.download(&message).control(&control);
/// let task = tokio::spawn(async move { download.to_path("holiday.mp4").await });
/// control.pause();
/// println!("{} bytes so far", control.progress().done);
/// control.resume();
/// # task.await.unwrap()
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TransferControl {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    paused: bool,
    cancelled: bool,
    progress: TransferProgress,
    transfers: u64,
    /// The transfers that look whether anything changed, by their numbers.
    wakers: BTreeMap<u64, Waker>,
}

impl TransferControl {
    /// A handle on nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_values().for_each(Waker::wake);
    }

    /// Asks for no more parts. Those under way still come, and nothing is lost.
    pub fn pause(&self) {
        self.change(|state| state.paused = true);
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.change(|state| state.paused = false);
    }

    /// Ends the transfer with [`Error::Cancelled`]. What it has of a checkpoint stays, so that the
    /// same transfer begun again goes on from there.
    pub fn cancel(&self) {
        self.change(|state| state.cancelled = true);
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state().paused
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> TransferProgress {
        self.state().progress
    }
}

/// What a transfer tells, and whom it listens to.
pub(super) struct Hooks<'a> {
    pub(super) callback: Option<Progress<'a>>,
    pub(super) control: Option<TransferControl>,
    meter: Meter,
    told: Option<u64>,
    /// Which of the handle's transfers this is.
    number: u64,
}

impl<'a> Hooks<'a> {
    pub(super) fn new(callback: Option<Progress<'a>>, control: Option<TransferControl>) -> Self {
        let number = control.as_ref().map_or(0, |control| {
            let mut state = control.state();
            state.transfers += 1;
            state.transfers
        });
        Self {
            callback,
            control,
            meter: Meter::default(),
            told: None,
            number,
        }
    }

    /// Whether to pause; an error if it is over. Whoever asks is woken when that changes.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Result<bool> {
        let Some(control) = &self.control else {
            return Ok(false);
        };
        let mut state = control.state();
        if state.cancelled {
            return Err(Error::Cancelled);
        }
        let waker = state.wakers.entry(self.number);
        waker
            .or_insert_with(|| cx.waker().clone())
            .clone_from(cx.waker());
        Ok(state.paused)
    }

    /// Tells how far it is.
    pub(super) fn tell(
        &mut self,
        (done, total): (u64, Option<u64>),
        held: Option<Duration>,
        now: Instant,
    ) {
        let begun = self.told.is_none();
        let more = self.told.replace(done) != Some(done);
        if let Some(callback) = self.callback
            && more
            && !(begun && done == 0)
        {
            callback(done, total.unwrap_or(0).max(done));
        }
        let Some(control) = &self.control else {
            return;
        };
        let mut state = control.state();
        let rate = self.meter.rate(done, state.paused, now);
        let left = total.filter(|_| rate > 0).map(|total| {
            let seconds = total.saturating_sub(done) / rate;
            Duration::from_secs(seconds)
        });
        state.progress = TransferProgress {
            done,
            total,
            rate,
            left,
            held,
        };
    }
}

impl Drop for Hooks<'_> {
    fn drop(&mut self) {
        if let Some(control) = &self.control {
            control.state().wakers.remove(&self.number);
        }
    }
}

/// How fast it goes.
#[derive(Debug, Default)]
struct Meter {
    last: Option<(Instant, u64)>,
    rate: Option<f64>,
}

impl Meter {
    /// Bytes in a second, when so many are done by now.
    fn rate(&mut self, done: u64, paused: bool, now: Instant) -> u64 {
        if paused {
            *self = Self::default();
            return 0;
        }
        let (then, before) = *self.last.get_or_insert((now, done));
        let passed = now.saturating_duration_since(then);
        if passed >= GLANCE {
            let seconds = passed.as_secs_f64();
            // Far below where a float would count no single bytes.
            #[allow(clippy::cast_precision_loss)]
            let rate = done.saturating_sub(before) as f64 / seconds;
            let weight = 1.0 - (-seconds / SMOOTH).exp();
            self.rate = Some(match self.rate {
                Some(smooth) => smooth + (rate - smooth) * weight,
                None => rate,
            });
            self.last = Some((now, done));
        }
        // Never negative, and a float turns into the nearest number that there is.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rate = self.rate.unwrap_or(0.0).round() as u64;
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_smoothed_and_tells_the_time_left() {
        let control = TransferControl::new();
        let mut hooks = Hooks::new(None, Some(control.clone()));
        let begun = Instant::now();
        // A kilobyte every second, on top of what an earlier run had.
        for second in 0..60 {
            let now = begun + Duration::from_secs(second);
            hooks.tell((50_000 + second * 1000, Some(200_000)), None, now);
        }
        let progress = control.progress();
        assert_eq!((progress.done, progress.rate), (109_000, 1000));
        assert_eq!(progress.left, Some(Duration::from_secs(91)));
        // One fast second does not change it at once, and many do.
        hooks.tell(
            (119_000, Some(200_000)),
            None,
            begun + Duration::from_secs(60),
        );
        let rate = control.progress().rate;
        assert!((2000..6000).contains(&rate), "{rate}");
        for second in 61..90 {
            let now = begun + Duration::from_secs(second);
            hooks.tell((119_000 + (second - 60) * 10, Some(200_000)), None, now);
        }
        let rate = control.progress().rate;
        assert!((9..50).contains(&rate), "{rate}");
        control.pause();
        hooks.tell(
            (119_300, Some(200_000)),
            None,
            begun + Duration::from_secs(99),
        );
        assert_eq!(control.progress().rate, 0);
    }

    #[test]
    fn a_callback_hears_of_each_step_once() {
        let seen = Mutex::new(Vec::new());
        let callback = |done, total| seen.lock().unwrap().push((done, total));
        let mut hooks = Hooks::new(Some(&callback), None);
        let now = Instant::now();
        for done in [0, 0, 5, 5, 9] {
            hooks.tell((done, Some(9)), None, now);
        }
        hooks.tell((12, None), None, now);
        assert_eq!(*seen.lock().unwrap(), [(5, 9), (9, 9), (12, 12)]);
    }

    #[test]
    fn whoever_waits_is_woken_by_each_change() {
        let control = TransferControl::new();
        let hooks = Hooks::new(None, Some(control.clone()));
        let cx = Context::from_waker(Waker::noop());
        assert!(!hooks.poll(&cx).unwrap() && !hooks.poll(&cx).unwrap());
        assert_eq!(control.state().wakers.len(), 1);
        control.pause();
        assert!(control.state().wakers.is_empty() && hooks.poll(&cx).unwrap());
        control.resume();
        assert!(!hooks.poll(&cx).unwrap());
        assert_eq!(control.state().wakers.len(), 1);
        control.cancel();
        assert!(matches!(hooks.poll(&cx), Err(Error::Cancelled)));
    }
}

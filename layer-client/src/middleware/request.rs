//! A call on its way through the chain: what is asked, how the caller wants it done, and how far it
//! has come.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::shape;
use crate::net::{Lane, Over, Resend};

/// How one call is to be made. What is not said here is as the [`Config`](crate::Config) says.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// The data centre to ask; `None` is the account's home, wherever that moves. The account's
    /// authorisation is taken there first if that was not done yet.
    pub dc: Option<i32>,
    /// How long to wait for one answer; `None` is
    /// [`Config::request_timeout`](crate::Config::request_timeout). Flood waits and the pauses
    /// between attempts are not counted.
    pub timeout: Option<Duration>,
    /// How long the call may take altogether: attempts, flood waits, pauses and layers.
    pub deadline: Option<Duration>,
    /// Never ask twice what the server may have seen: a request that was sent is not sent again
    /// when its connection breaks, when the server fails, or when no answer comes.
    pub no_resend: bool,
    /// Never have done twice what the server may have done. Other than with
    /// [`no_resend`](Self::no_resend), a request whose connection broke is asked about and sent again if
    /// the server certainly never had it, and answered if it had. Where the server cannot tell any more, the
    /// call ends with an error whose `sent` says so: look whether it was done.
    pub at_most_once: bool,
}

impl CallOptions {
    /// Whether it must not be asked for twice by whoever does not know what became of it.
    pub(super) fn is_once(&self) -> bool {
        self.no_resend || self.at_most_once
    }

    pub(super) fn resend(&self) -> Resend {
        match (self.no_resend, self.at_most_once) {
            (true, _) => Resend::Never,
            (false, true) => Resend::IfNotReceived,
            (false, false) => Resend::Always,
        }
    }
}

/// One call on its way. Layers look at it, and may change what is asked and how.
pub struct Request {
    pub(super) body: Bytes,
    method: Option<&'static str>,
    options: CallOptions,
    /// Where it was sent on to, or is being sent.
    pub(super) target: Option<i32>,
    pub(super) attempts: u32,
    pub(super) deadline: Option<Instant>,
    pub(super) sent: bool,
    pub(super) lane: Lane,
}

impl Request {
    pub(crate) fn new(body: impl Into<Bytes>, options: CallOptions) -> Self {
        let body = body.into();
        Self {
            method: shape::method(&body),
            body,
            target: None,
            options,
            attempts: 0,
            deadline: None,
            sent: false,
            lane: Lane::default(),
        }
    }

    /// The method that is called, as the schema names it (`messages.sendMessage`): the one inside,
    /// if it is wrapped in `invokeWithoutUpdates` or its like.
    #[must_use]
    pub fn method(&self) -> Option<&'static str> {
        self.method
    }

    /// The serialised request.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Asks something else from here on.
    pub fn set_body(&mut self, body: Vec<u8>) {
        self.method = shape::method(&body);
        self.body = body.into();
    }

    /// How the caller wants it done.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// Changes how it is done from here on. (Where it goes and until when is settled by then for
    /// the layers of an attempt.)
    pub fn options_mut(&mut self) -> &mut CallOptions {
        &mut self.options
    }

    /// The data centre that it goes to; `None` is the account's home. Layers of an attempt always
    /// see a number.
    #[must_use]
    pub fn dc(&self) -> Option<i32> {
        self.target.or(self.options.dc)
    }

    /// How often it was given to a connection so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When the whole call is over, if it has a deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether it belongs to an upload or a download, which waits, asks again and follows the file
    /// by itself: it does so for all its parts at once.
    pub(super) fn is_of_transfer(&self) -> bool {
        self.lane.over != Over::Main
    }

    /// Whether the call would still be in time after so long a wait.
    pub(super) fn has_time_for(&self, wait: Duration) -> bool {
        self.deadline.is_none_or(|deadline| {
            let then = Instant::now().checked_add(wait);
            then.is_some_and(|then| then < deadline)
        })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the body: it may hold a password.
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("dc", &self.dc())
            .field("attempts", &self.attempts)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

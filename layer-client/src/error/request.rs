//! Requests that got no answer, or none that could be read.

use std::fmt;
use std::time::Duration;

/// A request that got no answer in time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimeoutError {
    /// The method that was called, as the schema names it.
    pub method: Option<&'static str>,
    /// How long it was waited for.
    pub after: Duration,
    /// Whether the request had been written to a connection. If not, the server has not seen it.
    pub sent: bool,
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.unwrap_or("the request");
        let after = self.after.as_secs_f32();
        if self.sent {
            write!(
                f,
                "no answer to {method} within {after} s; it was sent, so the server may have done it: look before you repeat it"
            )
        } else {
            write!(
                f,
                "{method} could not be sent within {after} s for want of a connection; check the network and call it again"
            )
        }
    }
}

impl std::error::Error for TimeoutError {}

/// A request that the session gave up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestError {
    /// The method that was called, as the schema names it.
    pub method: Option<&'static str>,
    /// What happened, as a sentence.
    pub reason: String,
    /// Whether the server may have seen the request.
    pub sent: bool,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed: {}",
            self.method.unwrap_or("the request"),
            self.reason
        )
    }
}

impl std::error::Error for RequestError {}

/// A result that could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeserializeError {
    /// The method whose result it is.
    pub method: Option<&'static str>,
    /// What was expected and what came.
    pub reason: String,
}

impl fmt::Display for DeserializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the answer to {} cannot be read: {}; the server and this program speak different layers",
            self.method.unwrap_or("the request"),
            self.reason
        )
    }
}

impl std::error::Error for DeserializeError {}

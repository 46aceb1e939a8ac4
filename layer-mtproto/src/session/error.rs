//! What can be wrong with a packet, and how a request can end without an answer.

use std::fmt;

use layer_crypto::message::MessageError;

use super::gzip::GzipError;

/// A packet that breaks the rules. Nothing of it was used, or nothing of the message that the variant names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Its auth_key_id, msg_key or length is wrong: it was not made with this key, or damaged.
    Sealed(MessageError),
    /// The body's length does not fit the packet, or is not a multiple of four.
    Length {
        /// The length in bytes that the packet gives.
        declared: i32,
        /// The bytes there are.
        available: usize,
    },
    /// The padding is not 12 to 1024 bytes.
    Padding {
        /// Its length in bytes.
        length: usize,
    },
    /// The packet belongs to another session.
    SessionId {
        /// Our session.
        expected: i64,
        /// The session that it names.
        got: i64,
    },
    /// The msg_id is not one that the other side may give.
    MsgIdParity {
        /// The msg_id.
        msg_id: i64,
    },
    /// The msg_id came before.
    Duplicate {
        /// The msg_id.
        msg_id: i64,
    },
    /// The msg_id is older than all that are remembered.
    Forgotten {
        /// The msg_id.
        msg_id: i64,
    },
    /// The msg_id is more than 300 seconds behind our time or more than 30 seconds ahead.
    Time {
        /// The msg_id.
        msg_id: i64,
        /// How many seconds it is ahead of our time.
        ahead: i64,
    },
    /// A container that does not hold what it says, or holds what it must not.
    Container(ContainerError),
    /// A compressed message that cannot be or must not be unpacked.
    Gzip(GzipError),
    /// A service message that is cut short.
    Malformed {
        /// Its constructor's id, if as much as that is there.
        constructor: Option<u32>,
    },
}

impl Violation {
    /// Whether the connection should be given up: the packet was not made by someone who has the key, or by
    /// one who does not know the protocol. Others are dropped and life goes on.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Sealed(_)
            | Self::Length { .. }
            | Self::Padding { .. }
            | Self::MsgIdParity { .. } => true,
            Self::SessionId { .. }
            | Self::Duplicate { .. }
            | Self::Forgotten { .. }
            | Self::Time { .. }
            | Self::Container(_)
            | Self::Gzip(_)
            | Self::Malformed { .. } => false,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed(error) => error.fmt(f),
            Self::Length {
                declared,
                available,
            } => {
                write!(
                    f,
                    "a message of {declared} bytes in a packet that has {available}"
                )
            }
            Self::Padding { length } => {
                write!(f, "padding of {length} bytes, expected 12 to 1024")
            }
            Self::SessionId { expected, got } => {
                write!(
                    f,
                    "a message for session {got:016x}, expected {expected:016x}"
                )
            }
            Self::MsgIdParity { msg_id } => {
                write!(f, "msg_id {msg_id:016x} is not one of the other side's")
            }
            Self::Duplicate { msg_id } => write!(f, "msg_id {msg_id:016x} came before"),
            Self::Forgotten { msg_id } => {
                write!(
                    f,
                    "msg_id {msg_id:016x} is older than all that are remembered"
                )
            }
            Self::Time { msg_id, ahead } => {
                write!(
                    f,
                    "msg_id {msg_id:016x} is {ahead} s ahead of time, expected -300 to 30"
                )
            }
            Self::Container(error) => error.fmt(f),
            Self::Gzip(error) => error.fmt(f),
            Self::Malformed {
                constructor: Some(id),
            } => {
                write!(f, "a message {id:08x} that cannot be read")
            }
            Self::Malformed { constructor: None } => f.write_str("a message without a constructor"),
        }
    }
}

impl std::error::Error for Violation {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sealed(error) => Some(error),
            Self::Container(error) => Some(error),
            Self::Gzip(error) => Some(error),
            _ => None,
        }
    }
}

/// What is wrong with a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContainerError {
    /// It is cut short, or one of its messages is not a multiple of four bytes.
    Malformed,
    /// It says that it holds more messages than a container may.
    TooMany {
        /// How many it says.
        count: u32,
    },
    /// It holds a container.
    Nested,
    /// It holds a message whose msg_id is not below its own.
    Order,
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("a container that is cut short"),
            Self::TooMany { count } => {
                write!(f, "a container of {count} messages, expected at most 1024")
            }
            Self::Nested => f.write_str("a container in a container"),
            Self::Order => f.write_str("a message in a container that is younger than it"),
        }
    }
}

impl std::error::Error for ContainerError {}

/// Why a request ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestFailure {
    /// The caller cancelled it.
    Cancelled,
    /// Its deadline passed.
    Deadline {
        /// Whether it had been sent: then the server may have done what was asked.
        sent: bool,
    },
    /// The connection was lost after it was sent, and it must not be sent again, or was sent too often. The
    /// server may have done what was asked.
    ConnectionLost,
    /// The server refused to take the message, each time it was sent.
    Rejected {
        /// The error_code of `bad_msg_notification`.
        code: i32,
        /// How often it was sent.
        attempts: u8,
    },
    /// It is longer than a packet may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The answer came, but cannot be unpacked.
    InvalidResponse(GzipError),
    /// The session is over.
    Terminated(Terminal),
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::Deadline { sent: true } => {
                f.write_str("no answer before the deadline; the request had been sent")
            }
            Self::Deadline { sent: false } => {
                f.write_str("the deadline passed before the request could be sent")
            }
            Self::ConnectionLost => f.write_str("the connection was lost before the answer came"),
            Self::Rejected { code, attempts } => {
                write!(
                    f,
                    "the server refused the message {attempts} times (code {code})"
                )
            }
            Self::TooLong { length } => {
                write!(
                    f,
                    "a request of {length} bytes is longer than a packet may be"
                )
            }
            Self::InvalidResponse(error) => write!(f, "the answer cannot be unpacked: {error}"),
            Self::Terminated(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for RequestFailure {}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Terminal {
    /// Its owner closed it.
    Closed,
    /// The server refused one message after another, whatever was changed.
    Rejected {
        /// The error_code it gave last.
        code: i32,
    },
}

impl fmt::Display for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the session was closed"),
            Self::Rejected { code } => {
                write!(
                    f,
                    "the server refuses every message of the session (code {code})"
                )
            }
        }
    }
}

impl std::error::Error for Terminal {}

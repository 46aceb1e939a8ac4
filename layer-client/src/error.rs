//! Everything that can go wrong, as types: [`Error`] for any call, [`RpcError`] for what Telegram
//! answered, [`Terminal`] for the ends of a login. Messages are sentences that say what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::session::SessionError;

/// The result of most calls of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not succeed. Cheap to clone.
///
/// Match on it, or ask it: [`is`](Error::is) looks for the name of an error of Telegram,
/// [`is_timeout`](Error::is_timeout), [`is_connect`](Error::is_connect) and
/// [`is_terminal`](Error::is_terminal) for what most programs tell apart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// Telegram answered the request with an error.
    Rpc(RpcError),
    /// The login is over; nothing that needs it will succeed until someone signs in again.
    Terminal(Terminal),
    /// No connection to a data centre could be made.
    Connect(ConnectError),
    /// No answer came in time.
    Timeout(TimeoutError),
    /// The request could not be delivered or was given up by the session.
    Request(RequestError),
    /// The session file could not be read, locked or written.
    Session(Arc<SessionError>),
    /// What the server sent as a result is not what its schema says.
    Deserialize(DeserializeError),
    /// An argument cannot be used; the sentence says which and why. Nothing was sent.
    Input(String),
    /// A chat, user or channel is not known here: its access hash was never seen, or the name
    /// belongs to nobody.
    PeerNotFound(String),
    /// Reading or writing a file of the caller's failed.
    Io(Arc<io::Error>),
    /// The client was disconnected, or its last clone dropped.
    Closed,
}

impl Error {
    /// Says that an argument cannot be used.
    pub(crate) fn input(sentence: impl Into<String>) -> Self {
        Self::Input(sentence.into())
    }

    /// Says that the answer to `method` is not what the schema says.
    pub(crate) fn unreadable(method: &'static str, error: &dyn fmt::Display) -> Self {
        Self::Deserialize(DeserializeError {
            method: Some(method),
            reason: error.to_string(),
        })
    }

    /// Whether Telegram answered with an error of this name. A trailing `*` stands for any end:
    /// `error.is("FLOOD_*")`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.rpc().is_some_and(|error| error.is(name))
    }

    /// What Telegram answered, when it is Telegram that said no.
    #[must_use]
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Rpc(error) => Some(error),
            Self::Terminal(Terminal::Rpc { error, .. }) => Some(error),
            _ => None,
        }
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Connect(error) => matches!(error.cause, ConnectCause::Timeout(_)),
            _ => false,
        }
    }

    /// Whether no connection could be made.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_))
    }

    /// Whether the login is over and someone has to sign in again.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Whether the client itself was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rpc(error) => error.fmt(f),
            Self::Terminal(reason) => reason.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Timeout(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::Deserialize(error) => error.fmt(f),
            Self::Input(sentence) | Self::PeerNotFound(sentence) => f.write_str(sentence),
            Self::Io(error) => error.fmt(f),
            Self::Closed => {
                f.write_str("the client is disconnected; connect a new one with Client::connect")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => error.source(),
            Self::Session(error) => error.source(),
            Self::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Session(Arc::new(error))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// An error that Telegram answered a request with, taken apart.
///
/// `FLOOD_WAIT_31` has the name `FLOOD_WAIT` and the value 31; `FILE_PART_3_MISSING` the name
/// `FILE_PART_MISSING` and the value 3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcError {
    /// As HTTP has them: 303 see another data centre, 400 bad request, 401 not signed in,
    /// 403 forbidden, 404 not found, 406 not acceptable, 420 flood, 500 the server failed.
    pub code: i32,
    /// What happened, in Telegram's capital letters, without the number it may hold.
    pub name: String,
    /// The number that stood in the name: seconds to wait, a data centre, a part of a file.
    pub value: Option<u32>,
    /// The method that was called, as the schema names it (`messages.sendMessage`).
    pub method: Option<&'static str>,
}

impl RpcError {
    /// The code of errors that mean: not so often.
    pub(crate) const FLOOD: i32 = 420;

    /// Takes apart what came over the wire.
    #[must_use]
    pub fn parse(code: i32, message: &str) -> Self {
        let mut name = String::with_capacity(message.len());
        let mut value = None;
        for segment in message.split('_') {
            let digits = segment.len()
                - segment
                    .trim_start_matches(|c: char| c.is_ascii_digit())
                    .len();
            let (number, rest) = segment.split_at(digits);
            // `2FA_…` begins with a digit and is a word; `…_5MIN` is a number with its unit.
            let is_number = !number.is_empty() && (rest.is_empty() || rest == "MIN");
            let parsed = if is_number && value.is_none() {
                number.parse().ok()
            } else {
                None
            };
            let word = match parsed {
                Some(number) => {
                    value = Some(number);
                    rest
                }
                None => segment,
            };
            if !word.is_empty() {
                if !name.is_empty() {
                    name.push('_');
                }
                name.push_str(word);
            }
        }
        Self {
            code,
            name,
            value,
            method: None,
        }
    }

    /// Whether this is the error of that name. A trailing `*` stands for any end, a leading one
    /// for any beginning: `is("FLOOD_*")`, `is("*_MIGRATE")`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        if let Some(beginning) = name.strip_suffix('*') {
            self.name.starts_with(beginning)
        } else if let Some(end) = name.strip_prefix('*') {
            self.name.ends_with(end)
        } else {
            self.name == name
        }
    }

    /// How long the server wants us to wait, when that is what it said: `FLOOD_WAIT`,
    /// `FLOOD_PREMIUM_WAIT`, `SLOWMODE_WAIT`, `TAKEOUT_INIT_DELAY` and their like (code 420), and
    /// those that say it with another code (`SESSION_TOO_FRESH`, `PASSWORD_TOO_FRESH`,
    /// `PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN`).
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        let value = u64::from(self.value?);
        match self.name.as_str() {
            "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN" => Some(Duration::from_secs(value * 60)),
            "SESSION_TOO_FRESH" | "PASSWORD_TOO_FRESH" => Some(Duration::from_secs(value)),
            name if self.code == Self::FLOOD
                && (name.contains("WAIT") || name.contains("DELAY")) =>
            {
                Some(Duration::from_secs(value))
            }
            _ => None,
        }
    }

    /// The data centre to go to instead, for `PHONE_MIGRATE`, `USER_MIGRATE`, `NETWORK_MIGRATE`,
    /// `FILE_MIGRATE` and `STATS_MIGRATE`.
    #[must_use]
    pub fn migrate_to(&self) -> Option<i32> {
        (self.code == 303 && self.is("*_MIGRATE"))
            .then_some(self.value)
            .flatten()
            .and_then(|dc| i32::try_from(dc).ok())
    }

    /// Whether the server itself failed, so that asking again may help: a code that is none of
    /// those that blame the request (as the documentation has it, any other counts as 500), or one
    /// of the names that mean it whatever the code (`RPC_CALL_FAIL`, …).
    #[must_use]
    pub fn is_server_failure(&self) -> bool {
        !(300..500).contains(&self.code)
            || self.is("RPC_CALL_FAIL")
            || self.is("RPC_MCGET_FAIL")
            || self.is("INTERDC_*")
            || self.is("WORKER_BUSY_*")
    }

    fn advice(&self) -> Option<String> {
        if let Some(wait) = self.wait() {
            return Some(format!(
                "wait {} seconds before you call it again",
                wait.as_secs()
            ));
        }
        if let Some(dc) = self.migrate_to() {
            return Some(format!("ask data centre {dc} instead"));
        }
        let text = match self.name.as_str() {
            "API_ID_INVALID" => "check api_id and api_hash against https://my.telegram.org",
            "API_ID_PUBLISHED_FLOOD" => {
                "this api_id is public; get your own at https://my.telegram.org"
            }
            "PHONE_NUMBER_INVALID" => {
                "write the number in the international form, with its country code"
            }
            "PHONE_NUMBER_BANNED" => "this number is banned from Telegram",
            "PHONE_NUMBER_UNOCCUPIED" => "nobody has signed up with this number",
            "PHONE_CODE_INVALID" => "the code is wrong; ask for it again",
            "PHONE_CODE_EXPIRED" => "the code is too old; request a new one",
            "PHONE_CODE_EMPTY" => "the code is missing",
            "PASSWORD_HASH_INVALID" => "the two-step verification password is wrong",
            "SESSION_PASSWORD_NEEDED" => {
                "the account has two-step verification; check the password"
            }
            "ACCESS_TOKEN_INVALID" | "ACCESS_TOKEN_EXPIRED" => {
                "get the bot's token from @BotFather"
            }
            "AUTH_KEY_UNREGISTERED" => "sign in first",
            "PEER_ID_INVALID" => "the chat does not exist, or this account never met it",
            "USERNAME_NOT_OCCUPIED" | "USERNAME_INVALID" => "nobody has this username",
            "CHANNEL_PRIVATE" => "this account is not a member, or was banned",
            "CHAT_WRITE_FORBIDDEN" => "this account may not write here",
            "MESSAGE_ID_INVALID" => "there is no such message",
            "MESSAGE_NOT_MODIFIED" => "the new text is the same as the old",
            "MESSAGE_EMPTY" => "a message needs a text",
            "MESSAGE_TOO_LONG" => "split the text: a message has at most 4096 characters",
            "BOT_METHOD_INVALID" => "bots may not call this method",
            "USER_BOT_REQUIRED" => "only bots may call this method",
            "INPUT_METHOD_INVALID" | "METHOD_INVALID" => "the server does not know this method",
            _ if self.is_server_failure() => "the server failed; try again later",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            Some(method) => write!(f, "Telegram refused {method}: {}", self.name)?,
            None => write!(f, "Telegram refused the request: {}", self.name)?,
        }
        if let Some(value) = self.value {
            write!(f, " ({value})")?;
        }
        write!(f, ", code {}", self.code)?;
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RpcError {}

/// How a login ends without its owner having asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Terminal {
    /// The server said so.
    #[non_exhaustive]
    Rpc {
        /// Which of the ends it is.
        reason: TerminalReason,
        /// The error as it came.
        error: RpcError,
    },
    /// The server no longer knows the permanent auth key (transport error -404, twice).
    AuthKeyLost,
    /// [`Client::sign_out`](crate::Client::sign_out) was called.
    SignedOut,
}

/// Which error of Telegram ended the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TerminalReason {
    /// `AUTH_KEY_UNREGISTERED`: the key is signed in as nobody any more.
    AuthKeyUnregistered,
    /// `AUTH_KEY_INVALID`: the server does not accept the key.
    AuthKeyInvalid,
    /// `AUTH_KEY_DUPLICATED`: the same key was used from two places at once.
    AuthKeyDuplicated,
    /// `SESSION_REVOKED`: the user ended this session from another device.
    SessionRevoked,
    /// `SESSION_EXPIRED`: the session was not used for too long.
    SessionExpired,
    /// `USER_DEACTIVATED` or `USER_DEACTIVATED_BAN`: the account was deleted or banned.
    UserDeactivated,
}

impl Terminal {
    /// Tells whether an error of Telegram is the end of a login.
    pub(crate) fn from_rpc(error: &RpcError) -> Option<Self> {
        let reason = match error.name.as_str() {
            "AUTH_KEY_UNREGISTERED" => TerminalReason::AuthKeyUnregistered,
            "AUTH_KEY_INVALID" => TerminalReason::AuthKeyInvalid,
            "AUTH_KEY_DUPLICATED" => TerminalReason::AuthKeyDuplicated,
            "SESSION_REVOKED" => TerminalReason::SessionRevoked,
            "SESSION_EXPIRED" => TerminalReason::SessionExpired,
            "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN" => TerminalReason::UserDeactivated,
            _ => return None,
        };
        matches!(error.code, 401 | 406).then(|| Self::Rpc {
            reason,
            error: error.clone(),
        })
    }

    /// Which of the errors of Telegram it was; `None` when it was none of them.
    #[must_use]
    pub fn reason(&self) -> Option<TerminalReason> {
        match self {
            Self::Rpc { reason, .. } => Some(*reason),
            Self::AuthKeyLost | Self::SignedOut => None,
        }
    }
}

impl fmt::Display for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AuthKeyLost => {
                "the server no longer knows this session's auth key; sign in again"
            }
            Self::SignedOut => "this session was signed out; sign in again",
            Self::Rpc { reason, .. } => match reason {
                TerminalReason::AuthKeyUnregistered => {
                    "this session is not signed in any more (AUTH_KEY_UNREGISTERED); sign in again"
                }
                TerminalReason::AuthKeyInvalid => {
                    "the server does not accept this session's auth key (AUTH_KEY_INVALID); sign in again"
                }
                TerminalReason::AuthKeyDuplicated => {
                    "this session was used from two places at once and Telegram ended it \
                     (AUTH_KEY_DUPLICATED); sign in again, and use each session file in one process"
                }
                TerminalReason::SessionRevoked => {
                    "this session was ended from another device (SESSION_REVOKED); sign in again"
                }
                TerminalReason::SessionExpired => {
                    "this session was not used for too long (SESSION_EXPIRED); sign in again"
                }
                TerminalReason::UserDeactivated => {
                    "the account was deleted or banned (USER_DEACTIVATED)"
                }
            },
        })
    }
}

impl std::error::Error for Terminal {}

/// Why no connection to a data centre could be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The data centre.
    pub dc_id: i32,
    /// The address that was tried last, if there was any to try.
    pub address: Option<SocketAddr>,
    /// What happened there.
    pub cause: ConnectCause,
}

/// What happened when a connection was tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectCause {
    /// No address of this data centre is known.
    NoAddress,
    /// The operating system said no.
    Io(Arc<io::Error>),
    /// The other side did not answer in this time.
    Timeout(Duration),
    /// The other side hung up before it had said anything of use.
    HungUp,
    /// The key exchange failed; the sentence says where.
    Handshake(String),
    /// The other side does not speak the transport that was chosen; the sentence says what came.
    Transport(String),
    /// The other side refused with a transport error (-404, -429, -444).
    Refused(i32),
}

impl ConnectError {
    /// Whether trying again cannot help: nothing about the network would have to change for it.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(
            self.cause,
            ConnectCause::NoAddress | ConnectCause::Refused(-444)
        )
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not connect to data centre {}", self.dc_id)?;
        if let Some(address) = self.address {
            write!(f, " at {address}")?;
        }
        match &self.cause {
            ConnectCause::NoAddress => {
                f.write_str(": no address of it is known; put one into Config::dc_addresses")
            }
            ConnectCause::Io(error) => {
                write!(f, ": {error}; check the network and the address")
            }
            ConnectCause::Timeout(after) => write!(
                f,
                ": no answer within {} s; check that a server listens there and that no firewall is in between",
                after.as_secs_f32()
            ),
            ConnectCause::HungUp => f.write_str(
                ": the other side hung up without a word; check that it is a Telegram server, the transport and the proxy secret",
            ),
            ConnectCause::Handshake(what) => write!(f, ": the key exchange failed: {what}"),
            ConnectCause::Transport(what) => write!(
                f,
                ": {what}; check that it is a Telegram server and that the transport is right"
            ),
            ConnectCause::Refused(-404) => f.write_str(
                ": it refuses the auth key (transport error -404); try again later",
            ),
            ConnectCause::Refused(-429) => f.write_str(
                ": too many connections from this address (transport error -429); wait before you try again",
            ),
            ConnectCause::Refused(-444) => f.write_str(
                ": it does not serve this data centre (transport error -444); check the data centre's number and the test mode",
            ),
            ConnectCause::Refused(code) => write!(f, ": it refuses with transport error {code}"),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            ConnectCause::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_taken_apart_into_name_and_value() {
        let cases = [
            ("FLOOD_WAIT_31", "FLOOD_WAIT", Some(31)),
            ("FILE_PART_3_MISSING", "FILE_PART_MISSING", Some(3)),
            ("PHONE_MIGRATE_4", "PHONE_MIGRATE", Some(4)),
            ("2FA_CONFIRM_WAIT_86400", "2FA_CONFIRM_WAIT", Some(86400)),
            (
                "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_5MIN",
                "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN",
                Some(5),
            ),
            ("PEER_ID_INVALID", "PEER_ID_INVALID", None),
            ("INTERDC_2_CALL_ERROR", "INTERDC_CALL_ERROR", Some(2)),
            ("", "", None),
            (
                "FLOOD_WAIT_99999999999999",
                "FLOOD_WAIT_99999999999999",
                None,
            ),
        ];
        for (message, name, value) in cases {
            let error = RpcError::parse(420, message);
            assert_eq!(
                (error.name.as_str(), error.value),
                (name, value),
                "{message}"
            );
        }
    }

    #[test]
    fn names_match_whole_or_by_their_beginning_or_end() {
        let error = RpcError::parse(420, "FLOOD_WAIT_31");
        assert!(
            error.is("FLOOD_WAIT") && error.is("FLOOD_*") && error.is("*_WAIT") && error.is("*")
        );
        assert!(!error.is("FLOOD") && !error.is("SLOWMODE_*"));
        assert!(Error::from(error).is("FLOOD_*"));
    }

    #[test]
    fn a_wait_is_only_what_has_the_code_of_one() {
        let wait = |code, message| RpcError::parse(code, message).wait().map(|d| d.as_secs());
        assert_eq!(wait(420, "FLOOD_WAIT_31"), Some(31));
        assert_eq!(wait(420, "FLOOD_PREMIUM_WAIT_3"), Some(3));
        assert_eq!(wait(420, "SLOWMODE_WAIT_7"), Some(7));
        assert_eq!(wait(400, "FLOOD_WAIT_31"), None);
        assert_eq!(wait(420, "FROZEN_METHOD_INVALID"), None);
    }

    #[test]
    fn each_end_of_a_login_is_distinct() {
        let reason = |code, message| {
            Terminal::from_rpc(&RpcError::parse(code, message)).and_then(|t| t.reason())
        };
        assert_eq!(
            reason(401, "AUTH_KEY_UNREGISTERED"),
            Some(TerminalReason::AuthKeyUnregistered)
        );
        assert_eq!(
            reason(401, "SESSION_REVOKED"),
            Some(TerminalReason::SessionRevoked)
        );
        assert_eq!(
            reason(401, "USER_DEACTIVATED_BAN"),
            Some(TerminalReason::UserDeactivated)
        );
        assert_eq!(
            reason(406, "AUTH_KEY_DUPLICATED"),
            Some(TerminalReason::AuthKeyDuplicated)
        );
        assert_eq!(reason(401, "SESSION_PASSWORD_NEEDED"), None);
    }

    #[test]
    fn messages_name_the_method_and_say_what_to_do() {
        let mut error = RpcError::parse(420, "FLOOD_WAIT_31");
        error.method = Some("messages.sendMessage");
        assert_eq!(
            error.to_string(),
            "Telegram refused messages.sendMessage: FLOOD_WAIT (31), code 420; wait 31 seconds before you call it again"
        );
    }

    #[test]
    fn errors_can_travel_between_threads_and_stay_small() {
        fn travels<T: Send + Sync + Clone + 'static>() {}
        travels::<Error>();
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
    }
}

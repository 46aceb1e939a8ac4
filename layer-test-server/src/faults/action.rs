//! What a rule does when it fires, and where each action has a meaning.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::{self, RuleError};
use super::{KeyKind, Point, Step};

/// What happens when a rule fires. Each is written in a rule's text by the name that its description begins with.
///
/// [`Action::points`] tells at which points an action has a meaning; elsewhere the rule that names it is refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    // -- the connection ---------------------------------------------------------------------------------------
    /// `delay 200ms`: what came or goes waits so long: the connection, the packet, the call or the answer.
    /// Others overtake it.
    Delay(Duration),
    /// `close`: the connection is closed. What came is not looked at, what waited to be written is lost.
    Close,
    /// `close-before-ack`: the call is done, but the connection is closed before anything is said about it. Its
    /// answer waits for the session's next connection.
    CloseBeforeAck,
    /// `close-after-ack`: the call is acknowledged and done, and the connection is closed before its answer, which
    /// waits for the session's next connection.
    CloseAfterAck,
    /// `transport-error -404`: answers with this transport error and closes the connection.
    TransportError(i32),
    /// `silence`: from here on the connection stays open, takes everything and says nothing.
    Silence,
    /// `split`: the bytes go out one at a time: those of the packet, or all of the connection.
    Split,
    /// `cut 10`: so many bytes go out of the packet or the connection, then the connection is closed.
    Cut(u64),
    /// `noise 16`: so many random bytes go into the stream, outside of any frame.
    Noise(u32),

    // -- packets ----------------------------------------------------------------------------------------------
    /// `drop`: what came or goes is lost. A call is acknowledged, but never done or answered.
    Drop,
    /// `duplicate`: it comes or goes twice. A call is done once, and its answer comes in two messages.
    Duplicate,
    /// `reorder`: the packet changes places with the one after it.
    Reorder,
    /// `replay 3`: the packet that went out so many packets before goes out once more, to the byte. At most 16.
    Replay(u8),
    /// `wrong-session`: the packet names another session.
    WrongSession,
    /// `short-padding`: the packet has less padding than the 12 bytes that it must have.
    ShortPadding,
    /// `long-padding`: the packet has more padding than the 1024 bytes that it may have.
    LongPadding,
    /// `wrong-msg-key`: one bit of the packet's msg_key is another.
    WrongMsgKey,
    /// `garbage 64`: so many random bytes take the place of the packet in its frame, or of the result of a call.
    Garbage(u32),

    // -- messages ---------------------------------------------------------------------------------------------
    /// `bad-msg 16`: the packet is ignored, and `bad_msg_notification` with this code names its message or its
    /// container; or the call is not done, and the notification names its message wherever it came in.
    BadMsg(i32),
    /// `bad-server-salt`: as `bad-msg 48`, with the salt that is right.
    BadServerSalt,
    /// `resend-request`: the packet is ignored, and `msg_resend_req` asks for its message or container again.
    ResendRequest,
    /// `new-session`: the session is forgotten and begins anew, as `new_session_created` says. A call that it
    /// happens to is forgotten too, and named as one to send again.
    NewSession,
    /// `rotate-salts`: throws the salts of the auth key away; at once, those of all keys.
    RotateSalts,
    /// `forget-key permanent` or `forget-key temporary`: forgets the auth key under which the packet or call came,
    /// or the permanent key behind it, and with a permanent key its login; at once, all keys of the kind.
    ForgetKey(KeyKind),
    /// `skew-clock 3600`: the server's clock is wrong by so many seconds from here on; 0 makes it right.
    SkewClock(i64),

    // -- calls ------------------------------------------------------------------------------------------------
    /// `error 400 PEER_ID_INVALID`: the call is not done, and answered with this error.
    RpcError {
        /// The code: 303, 400, 401, 403, 404, 406, 420, 500 or any other.
        code: i32,
        /// The name of the error, with its number if it has one.
        message: String,
    },
    /// `flood-wait 5`: 420 `FLOOD_WAIT_5`. In a rule that ends, no wait reaches beyond the end.
    FloodWait(u32),
    /// `flood-premium-wait 5`: 420 `FLOOD_PREMIUM_WAIT_5`, as `flood-wait`.
    FloodPremiumWait(u32),
    /// `slowmode-wait 5`: 420 `SLOWMODE_WAIT_5`, as `flood-wait`.
    SlowmodeWait(u32),
    /// `migrate user 2`: 303 `USER_MIGRATE_2`; also `phone`, `network`, `file` and `stats`.
    Migrate(Migration, i32),
    /// `gzip`: the answer comes compressed, however small it is.
    Gzip,
    /// `gzip-bomb 64MiB`: the answer is a `gzip_packed` of zeros that inflates to so many bytes. At most 1 GiB.
    GzipBomb(u64),
    /// `state-request`: `msgs_state_req` asks whether the client has the answer, which comes only a second later.
    StateRequest,
    /// `too-long`: `updatesTooLong` takes the place of the updates; or the call, if it is `updates.getDifference` or
    /// `updates.getChannelDifference`, is answered as if the client were too far behind.
    TooLong,
    /// `slice 5`: the difference that the call asks for has no more than so many changes in one answer.
    Slice(u32),
    /// `channel-timeout 5`: the difference of a channel that the call asks for names so many seconds as its timeout.
    ChannelTimeout(u32),
    /// `bandwidth 256KiB`: what the calls and their answers move of files takes its time: so many bytes go over each
    /// connection in a second. At least 1 KiB.
    Bandwidth(u64),
    /// `shared-bandwidth 1MiB`: the same for all connections to a data centre together.
    SharedBandwidth(u64),
    /// `expire-references`: the file references that clients hold have expired before the call is served; see
    /// [`Files::expire_references`](crate::Files::expire_references).
    ExpireReferences,
    /// `expire-tokens`: so have the tokens of the CDN; see [`Cdn::expire_tokens`](crate::Cdn::expire_tokens).
    ExpireTokens,
    /// `wrong-bytes`: a bit of the bytes that `upload.getFile`, `upload.getWebFile` or `upload.getCdnFile` answers with is
    /// wrong.
    WrongBytes,
    /// `wrong-hashes`: the hashes that `upload.getFile`, `getFileHashes`, `getCdnFileHashes` or `reuploadCdnFile`
    /// answers with are wrong.
    WrongHashes,
    /// `lose-part`: the part of a file that the call saves is lost, though it is answered as if it were not: it is
    /// missing when the file is sent.
    LosePart,
    /// `cdn-forgets`: the CDN has lost its files before it serves the call.
    CdnForgets,
    /// `detailed-info`: `msg_detailed_info` names the answer, which comes when it is asked for.
    DetailedInfo,

    // -- the key exchange -------------------------------------------------------------------------------------
    /// `dh-gen-retry`: the server refuses the key and asks for another one.
    DhGenRetry,
    /// `dh-gen-fail`: the server gives the exchange up.
    DhGenFail,
    /// `foreign-prime`: a safe prime of 2048 bits that is not Telegram's, with a fitting generator.
    ForeignPrime,
    /// `bad-prime`: a number of 2048 bits that is no prime.
    BadPrime,
    /// `bad-generator`: a generator that does not fit the prime.
    BadGenerator,
    /// `bad-public`: the public number 1.
    BadPublic,
    /// `wrong-inner-nonce`: the nonce within the encrypted answer is another.
    WrongInnerNonce,
    /// `wrong-nonce`: the nonce of the answer is not the client's.
    WrongNonce,
    /// `wrong-server-nonce`: the server_nonce of the answer is not the one before.
    WrongServerNonce,
    /// `wrong-hash`: the hash of the encrypted answer, or new_nonce_hash, is not right.
    WrongHash,
    /// `malformed`: the answer, or the object of updates, ends in the middle.
    Malformed,
}

/// Which of the `_MIGRATE_` errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migration {
    /// `PHONE_MIGRATE`
    Phone,
    /// `USER_MIGRATE`
    User,
    /// `NETWORK_MIGRATE`
    Network,
    /// `FILE_MIGRATE`
    File,
    /// `STATS_MIGRATE`
    Stats,
}

impl Migration {
    const ALL: [(&'static str, Self); 5] = [
        ("phone", Self::Phone),
        ("user", Self::User),
        ("network", Self::Network),
        ("file", Self::File),
        ("stats", Self::Stats),
    ];
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::name_of(&Self::ALL, *self))
    }
}

/// The most bytes that a bomb inflates to.
const MAX_BOMB: u64 = 1 << 30;
/// The most random bytes of one action.
const MAX_RANDOM: u32 = 1 << 20;
/// How far back a replay reaches at most.
pub(crate) const MAX_REPLAY: u8 = 16;

/// The actions that take nothing, by their names.
const PLAIN: [(&str, Action); 37] = [
    ("close", Action::Close),
    ("close-before-ack", Action::CloseBeforeAck),
    ("close-after-ack", Action::CloseAfterAck),
    ("silence", Action::Silence),
    ("split", Action::Split),
    ("drop", Action::Drop),
    ("duplicate", Action::Duplicate),
    ("reorder", Action::Reorder),
    ("wrong-session", Action::WrongSession),
    ("short-padding", Action::ShortPadding),
    ("long-padding", Action::LongPadding),
    ("wrong-msg-key", Action::WrongMsgKey),
    ("bad-server-salt", Action::BadServerSalt),
    ("resend-request", Action::ResendRequest),
    ("new-session", Action::NewSession),
    ("rotate-salts", Action::RotateSalts),
    ("gzip", Action::Gzip),
    ("state-request", Action::StateRequest),
    ("detailed-info", Action::DetailedInfo),
    ("wrong-bytes", Action::WrongBytes),
    ("wrong-hashes", Action::WrongHashes),
    ("lose-part", Action::LosePart),
    ("expire-references", Action::ExpireReferences),
    ("expire-tokens", Action::ExpireTokens),
    ("cdn-forgets", Action::CdnForgets),
    ("too-long", Action::TooLong),
    ("dh-gen-retry", Action::DhGenRetry),
    ("dh-gen-fail", Action::DhGenFail),
    ("foreign-prime", Action::ForeignPrime),
    ("bad-prime", Action::BadPrime),
    ("bad-generator", Action::BadGenerator),
    ("bad-public", Action::BadPublic),
    ("wrong-inner-nonce", Action::WrongInnerNonce),
    ("wrong-nonce", Action::WrongNonce),
    ("wrong-server-nonce", Action::WrongServerNonce),
    ("wrong-hash", Action::WrongHash),
    ("malformed", Action::Malformed),
];

/// The actions that take something, each with an example of it.
pub(super) const TAKING: [&str; 19] = [
    "delay 200ms",
    "transport-error -404",
    "cut 10",
    "noise 16",
    "replay 3",
    "garbage 64",
    "bad-msg 16",
    "forget-key temporary",
    "skew-clock 3600",
    "error 400 PEER_ID_INVALID",
    "flood-wait 5",
    "flood-premium-wait 5",
    "slowmode-wait 5",
    "migrate user 2",
    "gzip-bomb 64MiB",
    "slice 5",
    "bandwidth 256KiB",
    "shared-bandwidth 1MiB",
    "channel-timeout 5",
];

impl Action {
    /// An example of each action there is, as it is written in a rule.
    pub fn examples() -> impl Iterator<Item = &'static str> {
        PLAIN.iter().map(|(name, _)| *name).chain(TAKING)
    }

    /// The name in a rule's text.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::TransportError(_) => "transport-error",
            Self::Cut(_) => "cut",
            Self::Noise(_) => "noise",
            Self::Replay(_) => "replay",
            Self::Garbage(_) => "garbage",
            Self::BadMsg(_) => "bad-msg",
            Self::ForgetKey(_) => "forget-key",
            Self::SkewClock(_) => "skew-clock",
            Self::RpcError { .. } => "error",
            Self::FloodWait(_) => "flood-wait",
            Self::FloodPremiumWait(_) => "flood-premium-wait",
            Self::SlowmodeWait(_) => "slowmode-wait",
            Self::Migrate(..) => "migrate",
            Self::GzipBomb(_) => "gzip-bomb",
            Self::Slice(_) => "slice",
            Self::ChannelTimeout(_) => "channel-timeout",
            Self::Bandwidth(_) => "bandwidth",
            Self::SharedBandwidth(_) => "shared-bandwidth",
            plain => PLAIN
                .iter()
                .find(|(_, action)| action == plain)
                .map_or("", |(name, _)| name),
        }
    }

    /// Where the action has a meaning.
    #[must_use]
    pub fn points(&self) -> &'static [Point] {
        use Point::{Call, Connect, Exchange, In, Now, Out, Push};
        match self {
            Self::Delay(_) => &[Connect, In, Out, Call, Exchange, Push],
            Self::Close | Self::SkewClock(_) => &[Connect, In, Out, Call, Exchange, Now],
            Self::TransportError(_) | Self::Silence => &[Connect, In, Call, Exchange, Now],
            Self::Split | Self::Cut(_) | Self::Noise(_) => &[Connect, Out, Exchange],
            Self::Drop | Self::Duplicate => &[In, Out, Call, Exchange, Push],
            Self::Reorder => &[In, Out, Push],
            Self::Garbage(_) => &[Out, Call, Exchange, Push],
            Self::TooLong => &[Call, Push],
            Self::Replay(_)
            | Self::WrongSession
            | Self::ShortPadding
            | Self::LongPadding
            | Self::WrongMsgKey => &[Out],
            Self::BadMsg(_) | Self::BadServerSalt => &[In, Call],
            Self::ResendRequest => &[In],
            Self::NewSession | Self::RotateSalts | Self::ForgetKey(_) => &[In, Call, Now],
            Self::ExpireReferences | Self::ExpireTokens | Self::CdnForgets => &[Call, Now],
            Self::CloseBeforeAck
            | Self::CloseAfterAck
            | Self::RpcError { .. }
            | Self::FloodWait(_)
            | Self::FloodPremiumWait(_)
            | Self::SlowmodeWait(_)
            | Self::Migrate(..)
            | Self::Gzip
            | Self::GzipBomb(_)
            | Self::StateRequest
            | Self::DetailedInfo
            | Self::WrongBytes
            | Self::WrongHashes
            | Self::LosePart
            | Self::Bandwidth(_)
            | Self::SharedBandwidth(_)
            | Self::Slice(_)
            | Self::ChannelTimeout(_) => &[Call],
            Self::DhGenRetry
            | Self::DhGenFail
            | Self::ForeignPrime
            | Self::BadPrime
            | Self::BadGenerator
            | Self::BadPublic
            | Self::WrongInnerNonce
            | Self::WrongNonce
            | Self::WrongServerNonce
            | Self::WrongHash => &[Exchange],
            Self::Malformed => &[Exchange, Push],
        }
    }

    /// Whether it happens to a connection, and not to keys, sessions or the clock.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Close | Self::TransportError(_) | Self::Silence)
    }

    /// The requests of the key exchange whose answers it can happen to.
    pub(super) fn steps(&self) -> &'static [Step] {
        match self {
            Self::DhGenRetry | Self::DhGenFail => &[Step::DhGen],
            Self::ForeignPrime
            | Self::BadPrime
            | Self::BadGenerator
            | Self::BadPublic
            | Self::WrongInnerNonce => &[Step::DhParams],
            Self::WrongHash => &[Step::DhParams, Step::DhGen],
            _ => &[Step::Pq, Step::DhParams, Step::DhGen],
        }
    }

    /// Whether what it takes is within its bounds.
    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let wrong = |got: String, expected: &str| Err(RuleError::value(self.name(), got, expected));
        match self {
            Self::TransportError(code) if *code >= 0 => {
                wrong(code.to_string(), "a negative number such as -404")
            }
            Self::Bandwidth(bytes) | Self::SharedBandwidth(bytes) if *bytes < 1024 => {
                wrong(bytes.to_string(), "at least 1KiB in a second")
            }
            Self::Slice(0) => wrong("0".into(), "at least 1 change"),
            Self::Replay(0) => wrong("0".into(), "1 to 16 packets"),
            Self::Replay(back) if *back > MAX_REPLAY => wrong(back.to_string(), "1 to 16 packets"),
            Self::GzipBomb(bytes) if !(1..=MAX_BOMB).contains(bytes) => {
                wrong(bytes.to_string(), "at most 1024MiB")
            }
            Self::Noise(bytes) | Self::Garbage(bytes) if !(1..=MAX_RANDOM).contains(bytes) => {
                wrong(bytes.to_string(), "1 to 1048576 bytes")
            }
            Self::Garbage(bytes) if !bytes.is_multiple_of(4) => wrong(
                bytes.to_string(),
                "a multiple of 4 bytes, as every packet is",
            ),
            Self::RpcError { message, .. } if !text::is_name(message) => wrong(
                format!("{message:?}"),
                "the name of an error, such as PEER_ID_INVALID",
            ),
            _ => Ok(()),
        }
    }

    /// The error that answers a call, if that is what the action does. No flood wait is longer than `most`.
    pub(crate) fn refusal(&self, most: Option<u32>) -> Option<(i32, String)> {
        let flood = |name: &str, seconds: u32| {
            let seconds = most.map_or(seconds, |most| seconds.min(most));
            Some((420, format!("{name}_{seconds}")))
        };
        match self {
            Self::RpcError { code, message } => Some((*code, message.clone())),
            Self::FloodWait(seconds) => flood("FLOOD_WAIT", *seconds),
            Self::FloodPremiumWait(seconds) => flood("FLOOD_PREMIUM_WAIT", *seconds),
            Self::SlowmodeWait(seconds) => flood("SLOWMODE_WAIT", *seconds),
            Self::Migrate(kind, dc) => Some((
                303,
                format!("{}_MIGRATE_{dc}", kind.to_string().to_uppercase()),
            )),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Delay(time) => write!(f, " {}", text::duration(*time)),
            Self::TransportError(number) | Self::BadMsg(number) => write!(f, " {number}"),
            Self::Cut(number) => write!(f, " {number}"),
            Self::Noise(number) | Self::Garbage(number) => write!(f, " {number}"),
            Self::Replay(number) => write!(f, " {number}"),
            Self::ForgetKey(kind) => write!(f, " {kind}"),
            Self::SkewClock(seconds) => write!(f, " {seconds}"),
            Self::RpcError { code, message } => write!(f, " {code} {message}"),
            Self::FloodWait(seconds)
            | Self::FloodPremiumWait(seconds)
            | Self::SlowmodeWait(seconds)
            | Self::ChannelTimeout(seconds) => write!(f, " {seconds}"),
            Self::Slice(changes) => write!(f, " {changes}"),
            Self::Migrate(kind, dc) => write!(f, " {kind} {dc}"),
            Self::GzipBomb(bytes) | Self::Bandwidth(bytes) | Self::SharedBandwidth(bytes) => {
                write!(f, " {}", text::size(*bytes))
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Action {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut words = text.split_whitespace();
        let Some(name) = words.next() else {
            return Err(RuleError::NoAction);
        };
        let mut words = text::Arguments::new(name, words);
        let plain = PLAIN.iter().find(|(known, _)| *known == name);
        let action = match name {
            _ if let Some((_, action)) = plain => action.clone(),
            "delay" => {
                Self::Delay(words.take("a duration such as 200ms or 3s", text::parse_duration)?)
            }
            "transport-error" => Self::TransportError(words.number("a code such as -404")?),
            "cut" => Self::Cut(words.number("how many bytes still go out")?),
            "noise" => Self::Noise(words.number("how many bytes")?),
            "replay" => Self::Replay(words.number("how many packets back, 1 to 16")?),
            "garbage" => Self::Garbage(words.number("how many bytes")?),
            "bad-msg" => Self::BadMsg(words.number("a code such as 16")?),
            "forget-key" => Self::ForgetKey(words.one_of(&KeyKind::ALL)?),
            "skew-clock" => Self::SkewClock(words.number("seconds, negative for a slow clock")?),
            "error" => Self::RpcError {
                code: words.number("a code such as 400")?,
                message: words.take("the name of an error, such as PEER_ID_INVALID", |name| {
                    Some(name.to_owned())
                })?,
            },
            "flood-wait" => Self::FloodWait(words.number("seconds")?),
            "flood-premium-wait" => Self::FloodPremiumWait(words.number("seconds")?),
            "slice" => Self::Slice(words.number("how many changes")?),
            "channel-timeout" => Self::ChannelTimeout(words.number("seconds")?),
            "slowmode-wait" => Self::SlowmodeWait(words.number("seconds")?),
            "migrate" => Self::Migrate(
                words.one_of(&Migration::ALL)?,
                words.number("the number of a data centre")?,
            ),
            "bandwidth" => Self::Bandwidth(words.take("bytes such as 256KiB", text::parse_size)?),
            "shared-bandwidth" => {
                Self::SharedBandwidth(words.take("bytes such as 1MiB", text::parse_size)?)
            }
            "gzip-bomb" => Self::GzipBomb(words.take("a size such as 64MiB", text::parse_size)?),
            _ => {
                return Err(RuleError::Unknown {
                    what: "action",
                    got: name.to_owned(),
                    expected: Self::examples().collect::<Vec<_>>().join(", "),
                });
            }
        };
        words.end()?;
        action.check()?;
        Ok(action)
    }
}

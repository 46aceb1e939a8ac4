//! [`Terminal`]: the ends of a login, each distinct.

use std::fmt;

use super::RpcError;

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

#[cfg(test)]
mod tests {
    use super::*;

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
            reason(401, "SESSION_EXPIRED"),
            Some(TerminalReason::SessionExpired)
        );
        assert_eq!(
            reason(401, "AUTH_KEY_INVALID"),
            Some(TerminalReason::AuthKeyInvalid)
        );
        assert_eq!(
            reason(401, "USER_DEACTIVATED"),
            Some(TerminalReason::UserDeactivated)
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
}

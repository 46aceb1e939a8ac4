//! [`RpcError`]: what Telegram answered, taken apart.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::info::{ErrorInfo, error_info};

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

/// No error of Telegram's has a name of so many characters; whatever is longer is cut.
const MAX_NAME: usize = 256;

impl RpcError {
    /// The code of errors that mean: not so often.
    pub(crate) const FLOOD: i32 = 420;

    /// Takes apart what came over the wire.
    #[must_use]
    pub fn parse(code: i32, message: &str) -> Self {
        let end = message.char_indices().nth(MAX_NAME);
        let message = end.map_or(message, |(end, _)| message.split_at(end).0);
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
    /// of the names that mean it whatever the code (`RPC_CALL_FAIL`, …). Not those that have such a
    /// code and will be the same again: `RANDOM_ID_DUPLICATE`, `MSG_WAIT_FAILED`,
    /// `CALL_OCCUPY_FAILED`.
    #[must_use]
    pub fn is_server_failure(&self) -> bool {
        let again = [
            "RANDOM_ID_DUPLICATE",
            "MSG_WAIT_FAILED",
            "CALL_OCCUPY_FAILED",
        ];
        if again.contains(&self.name.as_str()) {
            return false;
        }
        !(300..500).contains(&self.code)
            || self.is("RPC_CALL_FAIL")
            || self.is("RPC_MCGET_FAIL")
            || self.is("INTERDC_*")
            || self.is("WORKER_BUSY_*")
    }

    /// What an error of this name means, when it is one of those that Telegram documents.
    #[must_use]
    pub fn description(&self) -> Option<&'static str> {
        self.info().map(ErrorInfo::description)
    }

    /// What to do about it, as one would tell a person, when there is something to be done.
    #[must_use]
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        if let Some(wait) = self.wait() {
            let seconds = wait.as_secs();
            return Some(format!("wait {seconds} seconds before you call it again").into());
        }
        if let Some(dc) = self.migrate_to() {
            return Some(format!("ask data centre {dc} instead").into());
        }
        match self.info().and_then(ErrorInfo::advice) {
            None if self.is_server_failure() => Some("try again later".into()),
            advice => advice.map(Into::into),
        }
    }

    /// All that is known of errors of this name.
    #[must_use]
    pub fn info(&self) -> Option<&'static ErrorInfo> {
        error_info(&self.name)
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
        if let Some(description) = self.description() {
            write!(f, ": {description}")?;
        }
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RpcError {}

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
    fn a_name_without_end_is_cut() {
        for long in [
            "X".repeat(1 << 20),
            "é".repeat(1 << 20),
            "_".repeat(1 << 20),
        ] {
            let error = RpcError::parse(420, &long);
            assert!(error.name.len() <= 2 * MAX_NAME, "{}", error.name.len());
        }
    }

    #[test]
    fn names_match_whole_or_by_their_beginning_or_end() {
        let error = RpcError::parse(420, "FLOOD_WAIT_31");
        assert!(
            error.is("FLOOD_WAIT") && error.is("FLOOD_*") && error.is("*_WAIT") && error.is("*")
        );
        assert!(!error.is("FLOOD") && !error.is("SLOWMODE_*"));
        assert!(super::super::Error::from(error).is("FLOOD_*"));
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
    fn waits_with_other_codes_are_waits_too() {
        let wait = |code, message| RpcError::parse(code, message).wait().map(|d| d.as_secs());
        assert_eq!(wait(420, "2FA_CONFIRM_WAIT_604800"), Some(604_800));
        assert_eq!(wait(420, "TAKEOUT_INIT_DELAY_60"), Some(60));
        assert_eq!(wait(420, "FLOOD_TEST_PHONE_WAIT_9"), Some(9));
        assert_eq!(wait(400, "SESSION_TOO_FRESH_9"), Some(9));
        assert_eq!(wait(400, "PASSWORD_TOO_FRESH_9"), Some(9));
        let minutes = wait(406, "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_5MIN");
        assert_eq!(minutes, Some(300));
        // The length of a code, not a time.
        assert_eq!(wait(400, "EMAIL_UNCONFIRMED_6"), None);
    }

    #[test]
    fn failures_of_the_server_are_told_from_mistakes_of_the_request() {
        let fails = |code, message| RpcError::parse(code, message).is_server_failure();
        for (code, message) in [
            (500, "RPC_CALL_FAIL"),
            (400, "RPC_CALL_FAIL"),
            (400, "RPC_MCGET_FAIL"),
            (500, "INTERDC_2_CALL_ERROR"),
            (500, "WORKER_BUSY_TOO_LONG_RETRY"),
            (-503, "Timeout"),
            (555, ""),
        ] {
            assert!(fails(code, message), "{code} {message}");
        }
        for name in [
            "RANDOM_ID_DUPLICATE",
            "MSG_WAIT_FAILED",
            "CALL_OCCUPY_FAILED",
        ] {
            assert!(!fails(500, name), "{name}");
        }
        for code in [303, 400, 401, 403, 404, 406, 420] {
            assert!(!fails(code, "PEER_ID_INVALID"), "{code}");
        }
    }

    #[test]
    fn messages_name_the_method_and_say_what_to_do() {
        let mut error = RpcError::parse(420, "FLOOD_WAIT_31");
        error.method = Some("messages.sendMessage");
        assert_eq!(
            error.to_string(),
            "Telegram refused messages.sendMessage: FLOOD_WAIT (31), code 420: \
             the method was called too often; wait 31 seconds before you call it again"
        );
    }

    #[test]
    fn what_an_error_means_and_what_to_do_about_it_can_be_asked_for() {
        let error = RpcError::parse(400, "FILE_PART_3_MISSING");
        assert!(error.description().unwrap().contains("did not arrive"));
        assert_eq!(error.advice().unwrap(), "upload that part again");
        let told = error.to_string();
        assert!(
            told.contains("FILE_PART_MISSING (3), code 400: a part of the file did not arrive")
                && told.ends_with("; upload that part again"),
            "{told}"
        );
        let moved = RpcError::parse(303, "FILE_MIGRATE_4");
        assert_eq!(moved.advice().unwrap(), "ask data centre 4 instead");

        let unknown = RpcError::parse(400, "SOMETHING_NEW");
        assert_eq!((unknown.description(), unknown.advice()), (None, None));
        let failed = RpcError::parse(500, "SOMETHING_NEW");
        assert_eq!(failed.advice().unwrap(), "try again later");
    }
}

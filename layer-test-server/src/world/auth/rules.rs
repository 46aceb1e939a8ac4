//! Refusals on demand: flood waits, migrations and any other error, by method.
//!
//! A test or a command gives a rule; the dispatcher asks [`RuleBook::refusal`] before each call. Faults below
//! the calls (lost packets, cut connections) belong to the network side and do not pass here.

use crate::rpc::RpcError;

/// Rules held at most; the oldest go first.
const MAX_RULES: usize = 1_000;

/// What a rule does to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    /// `FLOOD_WAIT` with the seconds that are left until this Unix time.
    Flood { prefix: String, until: i32 },
    /// This error, so many times; for ever when absent.
    Error {
        code: i32,
        message: String,
        times: Option<u32>,
    },
}

/// One refusal.
#[derive(Clone, Debug)]
struct Rule {
    /// A method's name, a namespace followed by `.*`, or `*`.
    method: String,
    /// Only calls of this account.
    user_id: Option<i64>,
    action: Action,
}

/// All refusals, the newest asked first.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    rules: Vec<Rule>,
}

impl RuleBook {
    /// From now until `seconds` have passed, `method` answers `420 FLOOD_WAIT_n` with the seconds left.
    pub(crate) fn flood_wait(&mut self, method: &str, user: Option<i64>, seconds: i32, now: i32) {
        let until = now.saturating_add(seconds);
        self.add(
            method,
            user,
            Action::Flood {
                prefix: "FLOOD_WAIT_".to_owned(),
                until,
            },
        );
    }

    /// The next `times` calls of `method` answer this error; all of them when `times` is absent.
    pub(crate) fn fail(
        &mut self,
        method: &str,
        user: Option<i64>,
        code: i32,
        message: &str,
        times: Option<u32>,
    ) {
        self.add(
            method,
            user,
            Action::Error {
                code,
                message: message.to_owned(),
                times,
            },
        );
    }

    /// Forgets the rules for a method, or all of them.
    pub(crate) fn clear(&mut self, method: Option<&str>) {
        self.rules
            .retain(|rule| method.is_some_and(|method| rule.method != method));
    }

    fn add(&mut self, method: &str, user_id: Option<i64>, action: Action) {
        if self.rules.len() >= MAX_RULES {
            self.rules.remove(0);
        }
        self.rules.push(Rule {
            method: method.to_owned(),
            user_id,
            action,
        });
    }

    /// The error that a call is to be answered with instead of being done.
    pub(crate) fn refusal(
        &mut self,
        method: &str,
        user_id: Option<i64>,
        now: i32,
    ) -> Option<RpcError> {
        self.rules.retain(|rule| match &rule.action {
            Action::Flood { until, .. } => *until > now,
            Action::Error { times, .. } => *times != Some(0),
        });
        let rule = self.rules.iter_mut().rev().find(|rule| {
            matches(&rule.method, method) && (rule.user_id.is_none() || rule.user_id == user_id)
        })?;
        Some(match &mut rule.action {
            Action::Flood { prefix, until } => {
                RpcError::new(420, format!("{prefix}{}", until.saturating_sub(now)))
            }
            Action::Error {
                code,
                message,
                times,
            } => {
                if let Some(left) = times {
                    *left = left.saturating_sub(1);
                }
                RpcError::new(*code, message.clone())
            }
        })
    }
}

fn matches(pattern: &str, method: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => method.starts_with(prefix),
        None => pattern == method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_wait_counts_down_and_ends() {
        let mut rules = RuleBook::default();
        rules.flood_wait("messages.sendMessage", None, 3, 100);
        let wait = |rules: &mut RuleBook, now| {
            rules
                .refusal("messages.sendMessage", Some(1), now)
                .map(|error| error.message)
        };
        assert_eq!(wait(&mut rules, 100).as_deref(), Some("FLOOD_WAIT_3"));
        assert_eq!(wait(&mut rules, 102).as_deref(), Some("FLOOD_WAIT_1"));
        assert_eq!(
            rules
                .refusal("messages.getDialogs", Some(1), 102)
                .map(|e| e.code),
            None
        );
        assert_eq!(wait(&mut rules, 103), None);
    }

    #[test]
    fn an_error_can_be_had_so_many_times_and_for_one_account() {
        let mut rules = RuleBook::default();
        rules.fail("help.*", Some(7), 500, "RPC_CALL_FAIL", Some(2));
        let call = |rules: &mut RuleBook, user| {
            rules
                .refusal("help.getConfig", Some(user), 0)
                .map(|error| error.code)
        };
        assert_eq!(call(&mut rules, 8), None);
        assert_eq!(call(&mut rules, 7), Some(500));
        assert_eq!(call(&mut rules, 7), Some(500));
        assert_eq!(call(&mut rules, 7), None);
    }
}

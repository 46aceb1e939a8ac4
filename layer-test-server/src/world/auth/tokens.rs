//! Bytes that carry a login from one place to another: exported authorizations and QR login tokens.

use std::collections::HashMap;

/// Tokens of a kind held at most.
const MAX_TOKENS: usize = 10_000;
/// An exported authorization is good for this many seconds.
const EXPORT_LIFETIME: i32 = 300;
/// A login token is good for this many seconds.
pub(crate) const LOGIN_TOKEN_LIFETIME: i32 = 30;
/// A login token that was accepted waits this many seconds to be fetched.
const ACCEPTED_LIFETIME: i32 = 300;

/// Permission to sign in on another data centre.
#[derive(Clone, Debug)]
struct Export {
    user_id: i64,
    dc_id: i32,
    expires: i32,
}

/// A request to be signed in by somebody who is.
#[derive(Clone, Debug)]
pub(crate) struct LoginToken {
    /// The permanent key that asked.
    pub(crate) auth_key_id: i64,
    /// The account that said yes.
    pub(crate) accepted_by: Option<i64>,
    pub(crate) expires: i32,
}

/// All tokens.
#[derive(Debug, Default)]
pub(crate) struct TokenBook {
    exports: HashMap<Vec<u8>, Export>,
    logins: HashMap<Vec<u8>, LoginToken>,
}

impl TokenBook {
    /// Keeps an exported authorization for data centre `dc_id`.
    pub(crate) fn export(&mut self, bytes: Vec<u8>, user_id: i64, dc_id: i32, now: i32) {
        self.exports.retain(|_, export| export.expires > now);
        if self.exports.len() < MAX_TOKENS {
            let expires = now.saturating_add(EXPORT_LIFETIME);
            self.exports.insert(
                bytes,
                Export {
                    user_id,
                    dc_id,
                    expires,
                },
            );
        }
    }

    /// Takes an exported authorization: it works once, for its account, on its data centre.
    pub(crate) fn import(&mut self, bytes: &[u8], user_id: i64, dc_id: i32, now: i32) -> bool {
        let fits = self.exports.get(bytes).is_some_and(|export| {
            export.user_id == user_id && export.dc_id == dc_id && export.expires > now
        });
        fits && self.exports.remove(bytes).is_some()
    }

    /// Keeps a login token of a key; the one it had before is void unless it was accepted.
    pub(crate) fn offer(&mut self, token: Vec<u8>, auth_key_id: i64, now: i32) -> i32 {
        self.logins
            .retain(|_, login| login.expires > now && login.auth_key_id != auth_key_id);
        let expires = now.saturating_add(LOGIN_TOKEN_LIFETIME);
        if self.logins.len() < MAX_TOKENS {
            self.logins.insert(
                token,
                LoginToken {
                    auth_key_id,
                    accepted_by: None,
                    expires,
                },
            );
        }
        expires
    }

    /// The token of a key that somebody accepted.
    pub(crate) fn accepted(&self, auth_key_id: i64, now: i32) -> Option<(Vec<u8>, i64)> {
        self.logins
            .iter()
            .filter(|(_, login)| login.auth_key_id == auth_key_id && login.expires > now)
            .find_map(|(token, login)| login.accepted_by.map(|user| (token.clone(), user)))
    }

    pub(crate) fn find(&self, token: &[u8]) -> Option<&LoginToken> {
        self.logins.get(token)
    }

    /// Notes that `user_id` said yes to a token.
    pub(crate) fn accept(&mut self, token: &[u8], user_id: i64, now: i32) {
        if let Some(login) = self.logins.get_mut(token) {
            login.accepted_by = Some(user_id);
            login.expires = now.saturating_add(ACCEPTED_LIFETIME);
        }
    }

    /// Forgets a login token.
    pub(crate) fn spend(&mut self, token: &[u8]) {
        self.logins.remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exported_authorization_works_once_and_only_where_it_was_meant_for() {
        let mut tokens = TokenBook::default();
        tokens.export(vec![1, 2], 7, 2, 100);
        assert!(!tokens.import(&[1, 2], 7, 1, 100));
        assert!(!tokens.import(&[1, 2], 8, 2, 100));
        assert!(!tokens.import(&[1, 2], 7, 2, 100 + EXPORT_LIFETIME));
        assert!(tokens.import(&[1, 2], 7, 2, 101));
        assert!(!tokens.import(&[1, 2], 7, 2, 101));
    }

    #[test]
    fn a_new_login_token_voids_the_one_before() {
        let mut tokens = TokenBook::default();
        tokens.offer(vec![1], 5, 0);
        tokens.offer(vec![2], 5, 1);
        assert!(tokens.find(&[1]).is_none());
        tokens.accept(&[2], 77, 2);
        assert_eq!(tokens.accepted(5, 3), Some((vec![2], 77)));
        tokens.spend(&[2]);
        assert_eq!(tokens.accepted(5, 3), None);
    }
}

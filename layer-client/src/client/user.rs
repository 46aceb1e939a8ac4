//! The account that is signed in, as people see it.

use std::fmt;

use crate::raw::Raw;
use crate::tl;

/// An account: what signing in and [`me`](crate::Client::me) give. Prints as the person's name.
#[derive(Clone, Debug)]
pub struct User {
    raw: Raw<tl::types::User>,
}

impl User {
    /// From what the server sent, unless that is an empty user.
    pub(crate) fn from_raw(user: tl::enums::User) -> Option<Self> {
        match user {
            tl::enums::User::User(raw) => Some(Self {
                raw: Raw::new(into_plain(raw)),
            }),
            tl::enums::User::Empty(_) => None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.raw.id
    }

    /// The first name; a deleted account has none.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.raw.first_name.as_deref()
    }

    /// The last name.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.raw.last_name.as_deref()
    }

    /// The username, without `@`; the first of them if there are several.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.raw.username.as_deref().or_else(|| {
            self.raw.usernames.as_ref()?.iter().find_map(|username| {
                let tl::enums::Username::Username(username) = username;
                username.active.then_some(username.username.as_str())
            })
        })
    }

    /// The phone number in international form, digits only.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.raw.phone.as_deref()
    }

    /// Whether it is a bot.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.raw.bot
    }

    /// Everything that the server said.
    #[must_use]
    pub fn raw(&self) -> &tl::types::User {
        &self.raw
    }
}

/// The generator boxes what is large; whether it does is not our concern.
fn into_plain(raw: impl Into<Box<tl::types::User>>) -> tl::types::User {
    *raw.into()
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first_name(), self.last_name()) {
            (Some(first), Some(last)) => write!(f, "{first} {last}"),
            (Some(name), None) | (None, Some(name)) => f.write_str(name),
            (None, None) => write!(f, "user {}", self.id()),
        }
    }
}

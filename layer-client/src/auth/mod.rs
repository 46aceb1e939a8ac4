//! Signing in and out: phone code, sign up, two-step verification, bot token. Who is signed in is
//! kept in the session; taking the authorisation to other data centres is the pool's work.

mod account;
mod bot;
mod error;
mod password;
mod phone;

pub use error::SignInError;
pub use password::PasswordToken;
pub use phone::{CodeDelivery, LoginToken};

use crate::client::{Inner, User};
use crate::error::{DeserializeError, Error, Result};
use crate::session::SelfUser;
use crate::tl;

/// An answer of another form than the schema allows in this place.
fn unexpected(method: &'static str, what: &str) -> Error {
    Error::Deserialize(DeserializeError {
        method: Some(method),
        reason: what.to_owned(),
    })
}

/// Remembers who is signed in now.
async fn accept(inner: &Inner, method: &'static str, user: tl::enums::User) -> Result<User> {
    let user = User::from_raw(user).ok_or_else(|| unexpected(method, "it names no user"))?;
    inner
        .signed_in(SelfUser::new(user.id(), user.is_bot()))
        .await;
    Ok(user)
}

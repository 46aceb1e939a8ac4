//! What can come of signing in, besides being signed in.

use std::fmt;

use super::{LoginToken, PasswordToken};
use crate::error::Error;

/// Why [`sign_in`](crate::Client::sign_in) did not end with a user. Most are the next step rather
/// than an end.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignInError {
    /// The account has two-step verification: give this and the password to
    /// [`check_password`](crate::Client::check_password).
    PasswordRequired(PasswordToken),
    /// The password is wrong; this asks for it again.
    InvalidPassword(PasswordToken),
    /// Nobody has this number yet: give this and a name to [`sign_up`](crate::Client::sign_up).
    SignUpRequired(LoginToken),
    /// The code is wrong; the token is good for another try.
    InvalidCode,
    /// Something else.
    Other(Error),
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PasswordRequired(token) => {
                f.write_str(
                    "the account has two-step verification; call check_password with its password",
                )?;
                hint(f, token)
            }
            Self::InvalidPassword(token) => {
                f.write_str(
                    "the two-step verification password is wrong; call check_password with another",
                )?;
                hint(f, token)
            }
            Self::SignUpRequired(_) => {
                f.write_str("nobody has signed up with this phone number; call sign_up with a name")
            }
            Self::InvalidCode => f.write_str("the code is wrong; call sign_in with the right one"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

fn hint(f: &mut fmt::Formatter<'_>, token: &PasswordToken) -> fmt::Result {
    token
        .hint()
        .map_or(Ok(()), |hint| write!(f, " (hint: {hint})"))
}

impl std::error::Error for SignInError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Other(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Error> for SignInError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<SignInError> for Error {
    /// For programs that treat all of them alike.
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Other(error) => error,
            step => Self::Input(step.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_boxed_and_sent_as_any_error() {
        fn boxed(error: SignInError) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            error.into()
        }
        assert!(
            boxed(SignInError::InvalidCode)
                .to_string()
                .contains("code is wrong")
        );
    }
}

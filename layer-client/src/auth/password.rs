//! Two-step verification by SRP (page `api/srp`): checking, setting, changing, removing.

use std::future::Future;

use layer_crypto::srp::{self, PasswordKdf};
use zeroize::Zeroizing;

use super::{SignInError, accept, unexpected};
use crate::client::{BoxFuture, Client, User};
use crate::error::{Error, Result};
use crate::net::OsRandom;
use crate::tl;

/// A login that wants the two-step verification password. Good for one try.
pub struct PasswordToken {
    challenge: Box<Challenge>,
}

struct Challenge {
    hint: Option<String>,
    kdf: PasswordKdf,
    srp_b: Vec<u8>,
    srp_id: i64,
}

impl PasswordToken {
    /// What the owner wrote to be reminded of the password.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.challenge.hint.as_deref()
    }
}

impl std::fmt::Debug for PasswordToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordToken")
            .field("hint", &self.hint())
            .finish_non_exhaustive()
    }
}

type Secret = Zeroizing<String>;

fn secret(text: &str) -> Secret {
    Zeroizing::new(text.to_owned())
}

impl Client {
    /// Finishes a login with the two-step verification password.
    ///
    /// # Errors
    /// [`SignInError::InvalidPassword`] with a new token when the password is wrong.
    pub fn check_password(
        &self,
        token: PasswordToken,
        password: &str,
    ) -> impl Future<Output = Result<User, SignInError>> + Send + use<'_> {
        self.check(token, secret(password))
    }

    /// Gives the account a two-step verification password where it has none.
    ///
    /// # Errors
    /// `PASSWORD_HASH_INVALID` when it has one already; see [`Error`].
    pub fn set_password(
        &self,
        password: &str,
        hint: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<'_> {
        self.update_password(None, Some((secret(password), hint.to_owned())))
    }

    /// Changes the two-step verification password.
    ///
    /// # Errors
    /// `PASSWORD_HASH_INVALID` when `current` is wrong; see [`Error`].
    pub fn change_password(
        &self,
        current: &str,
        new: &str,
        hint: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<'_> {
        self.update_password(Some(secret(current)), Some((secret(new), hint.to_owned())))
    }

    /// Takes the two-step verification password away.
    ///
    /// # Errors
    /// `PASSWORD_HASH_INVALID` when `current` is wrong; see [`Error`].
    pub fn remove_password(
        &self,
        current: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<'_> {
        self.update_password(Some(secret(current)), None)
    }

    /// Asks for a new challenge of the account that is signing in.
    pub(super) async fn password_token(&self) -> Result<PasswordToken> {
        let password = self.get_password().await?;
        let challenge = challenge(&password)?
            .ok_or_else(|| unexpected("account.getPassword", "the account has no password"))?;
        Ok(PasswordToken {
            challenge: Box::new(challenge),
        })
    }

    async fn get_password(&self) -> Result<tl::types::account::Password> {
        let tl::enums::account::Password::Password(password) =
            self.invoke(&tl::functions::account::GetPassword {}).await?;
        Ok(into_plain(password))
    }

    fn check(
        &self,
        token: PasswordToken,
        password: Secret,
    ) -> BoxFuture<'_, Result<User, SignInError>> {
        Box::pin(async move {
            let password = prove(Some(token.challenge), password).await?;
            match self
                .invoke(&tl::functions::auth::CheckPassword { password })
                .await
            {
                Ok(tl::enums::auth::Authorization::Authorization(authorization)) => Ok(accept(
                    &self.inner,
                    "auth.checkPassword",
                    authorization.user.clone(),
                )
                .await?),
                Ok(_) => Err(unexpected("auth.checkPassword", "it asks to sign up").into()),
                Err(error) if error.is("PASSWORD_HASH_INVALID") || error.is("SRP_*") => {
                    Err(SignInError::InvalidPassword(self.password_token().await?))
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn update_password(
        &self,
        current: Option<Secret>,
        new: Option<(Secret, String)>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let state = self.get_password().await?;
            let proof = match current {
                Some(current) => prove(challenge(&state)?.map(Box::new), current).await?,
                None => tl::enums::InputCheckPasswordSrp::InputCheckPasswordEmpty,
            };
            let new_settings = match new {
                Some((password, hint)) => new_settings(&state, password, hint).await?,
                None => settings(
                    tl::enums::PasswordKdfAlgo::Unknown,
                    Vec::new(),
                    String::new(),
                ),
            };
            let request = tl::functions::account::UpdatePasswordSettings {
                password: proof,
                new_settings: new_settings.into(),
            };
            if self.invoke(&request).await? {
                Ok(())
            } else {
                Err(unexpected(
                    "account.updatePasswordSettings",
                    "the server changed nothing",
                ))
            }
        })
    }
}

fn settings(
    algo: tl::enums::PasswordKdfAlgo,
    hash: Vec<u8>,
    hint: String,
) -> tl::types::account::PasswordInputSettings {
    tl::types::account::PasswordInputSettings {
        new_algo: Some(algo),
        new_password_hash: Some(hash),
        hint: Some(hint),
        email: None,
        new_secure_settings: None,
    }
}

async fn new_settings(
    state: &tl::types::account::Password,
    password: Secret,
    hint: String,
) -> Result<tl::types::account::PasswordInputSettings> {
    let kdf = kdf(&state.new_algo)?.renew(&mut OsRandom);
    let algo = kdf.clone();
    let hash = blocking(move || srp::verifier(password.as_bytes(), &kdf)).await?;
    let algo = tl::types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: algo.salt1,
        salt2: algo.salt2,
        g: algo.g,
        p: algo.p,
    };
    Ok(settings(algo.into(), hash.to_vec(), hint))
}

/// The challenge in an account's password state, if it has a password.
fn challenge(state: &tl::types::account::Password) -> Result<Option<Challenge>> {
    let (Some(algo), Some(srp_b), Some(srp_id)) = (&state.current_algo, &state.srp_b, state.srp_id)
    else {
        return Ok(None);
    };
    Ok(Some(Challenge {
        hint: state.hint.clone(),
        kdf: kdf(algo)?,
        srp_b: srp_b.clone(),
        srp_id,
    }))
}

fn kdf(algo: &tl::enums::PasswordKdfAlgo) -> Result<PasswordKdf> {
    match algo {
        tl::enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo) => {
            Ok(PasswordKdf {
                salt1: algo.salt1.clone(),
                salt2: algo.salt2.clone(),
                g: algo.g,
                p: algo.p.clone(),
            })
        }
        tl::enums::PasswordKdfAlgo::Unknown => Err(Error::input(
            "the account's password uses a scheme that this program does not know; update the program",
        )),
    }
}

/// Proves the password, or that there is none to prove.
async fn prove(
    challenge: Option<Box<Challenge>>,
    password: Secret,
) -> Result<tl::enums::InputCheckPasswordSrp> {
    let Some(challenge) = challenge else {
        return Ok(tl::enums::InputCheckPasswordSrp::InputCheckPasswordEmpty);
    };
    let srp_id = challenge.srp_id;
    let proof = blocking(move || {
        srp::prove(
            password.as_bytes(),
            &challenge.kdf,
            &challenge.srp_b,
            &mut OsRandom,
        )
    })
    .await?;
    Ok(tl::types::InputCheckPasswordSrp {
        srp_id,
        a: proof.a.to_vec(),
        m1: proof.m1.to_vec(),
    }
    .into())
}

/// Passwords are stretched for a tenth of a second; connections must not wait for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, srp::SrpError> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| {
            Error::Input(format!(
                "the server's password parameters cannot be used: {error}"
            ))
        }),
        Err(_) => Err(Error::Closed),
    }
}

fn into_plain(
    password: impl Into<Box<tl::types::account::Password>>,
) -> tl::types::account::Password {
    *password.into()
}

//! Signing in with a phone number and the code that Telegram sends (page `api/auth`).

use std::future::Future;
use std::time::Duration;

use super::{SignInError, accept, unexpected};
use crate::client::{BoxFuture, Client, User};
use crate::error::{Error, Result};
use crate::tl;

/// A login that has begun: a code was sent. Give it to [`Client::sign_in`] with the code.
#[derive(Clone)]
pub struct LoginToken {
    phone: String,
    phone_code_hash: String,
    delivery: CodeDelivery,
    next_in: Option<Duration>,
    terms: Option<String>,
    /// Some logins need no code at all.
    done: Option<User>,
}

/// How the code comes, and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeDelivery {
    /// A message from Telegram on the account's other devices.
    App(usize),
    /// A text message.
    Sms(usize),
    /// A voice reads it on the phone.
    Call(usize),
    /// A call; its number ends with the code.
    MissedCall(usize),
    /// An email to an address of this form.
    Email(String),
    /// A message on <https://fragment.com>.
    Fragment(usize),
    /// Another way, as the schema calls it.
    Other(&'static str),
}

impl LoginToken {
    /// The number that was given, digits only.
    #[must_use]
    pub fn phone(&self) -> &str {
        &self.phone
    }

    /// How the code comes.
    #[must_use]
    pub fn delivery(&self) -> &CodeDelivery {
        &self.delivery
    }

    /// After how long [`Client::resend_login_code`] makes sense, if it does.
    #[must_use]
    pub fn resend_after(&self) -> Option<Duration> {
        self.next_in
    }

    /// The terms of service to show before signing up, if Telegram sent any.
    #[must_use]
    pub fn terms(&self) -> Option<&str> {
        self.terms.as_deref()
    }
}

impl std::fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginToken")
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks Telegram to send a login code to this phone number, in international form.
    ///
    /// # Errors
    /// `PHONE_NUMBER_INVALID` and its like; see [`Error`].
    pub fn request_login_code(
        &self,
        phone: &str,
    ) -> impl Future<Output = Result<LoginToken>> + Send + use<'_> {
        self.send_code(phone.chars().filter(char::is_ascii_digit).collect())
    }

    /// Asks for the code once more, by the next way that Telegram has.
    ///
    /// # Errors
    /// `SEND_CODE_UNAVAILABLE` when there is no other way; see [`Error`].
    pub fn resend_login_code(
        &self,
        token: &LoginToken,
    ) -> impl Future<Output = Result<LoginToken>> + Send + use<'_> {
        self.resend_code(token.clone())
    }

    /// Signs in with the code.
    ///
    /// # Errors
    /// See [`SignInError`]: a password or a sign-up may be wanted next.
    pub fn sign_in(
        &self,
        token: &LoginToken,
        code: &str,
    ) -> impl Future<Output = Result<User, SignInError>> + Send + use<'_> {
        self.enter_code(token.clone(), code.trim().to_owned())
    }

    /// Makes an account for a number that has none, after `sign_in` has said so. By this the
    /// [terms](LoginToken::terms) are accepted.
    ///
    /// # Errors
    /// `FIRSTNAME_INVALID` and its like; see [`Error`].
    pub fn sign_up(
        &self,
        token: &LoginToken,
        first_name: &str,
        last_name: &str,
    ) -> impl Future<Output = Result<User>> + Send + use<'_> {
        self.register(token.clone(), first_name.to_owned(), last_name.to_owned())
    }

    fn send_code(&self, phone: String) -> BoxFuture<'_, Result<LoginToken>> {
        Box::pin(async move {
            if phone.is_empty() {
                return Err(Error::input(
                    "a phone number is written in the international form, such as +1234567890",
                ));
            }
            let config = &self.inner.config;
            let request = tl::functions::auth::SendCode {
                phone_number: phone.clone(),
                api_id: config.api_id,
                api_hash: config.api_hash.clone(),
                settings: tl::types::CodeSettings {
                    allow_flashcall: false,
                    current_number: false,
                    allow_app_hash: false,
                    allow_missed_call: false,
                    allow_firebase: false,
                    unknown_number: false,
                    logout_tokens: None,
                    token: None,
                    app_sandbox: None,
                }
                .into(),
            };
            let sent = self.invoke(&request).await?;
            self.code_sent("auth.sendCode", phone, sent).await
        })
    }

    fn resend_code(&self, token: LoginToken) -> BoxFuture<'_, Result<LoginToken>> {
        Box::pin(async move {
            let request = tl::functions::auth::ResendCode {
                phone_number: token.phone.clone(),
                phone_code_hash: token.phone_code_hash,
                reason: None,
            };
            let sent = self.invoke(&request).await?;
            self.code_sent("auth.resendCode", token.phone, sent).await
        })
    }

    async fn code_sent(
        &self,
        method: &'static str,
        phone: String,
        sent: tl::enums::auth::SentCode,
    ) -> Result<LoginToken> {
        let token = LoginToken {
            phone,
            phone_code_hash: String::new(),
            delivery: CodeDelivery::Other("none"),
            next_in: None,
            terms: None,
            done: None,
        };
        match sent {
            tl::enums::auth::SentCode::Code(code) => Ok(LoginToken {
                delivery: delivery(&code.r#type),
                next_in: code
                    .timeout
                    .and_then(|s| u64::try_from(s).ok())
                    .map(Duration::from_secs),
                phone_code_hash: code.phone_code_hash.clone(),
                ..token
            }),
            tl::enums::auth::SentCode::Success(success) => match success.authorization.clone() {
                tl::enums::auth::Authorization::Authorization(authorization) => {
                    let user = accept(&self.inner, method, authorization.user.clone()).await?;
                    Ok(LoginToken {
                        done: Some(user),
                        ..token
                    })
                }
                _ => Err(unexpected(method, "it is a login without a user")),
            },
            tl::enums::auth::SentCode::PaymentRequired(_) => Err(Error::input(
                "Telegram wants to be paid for codes to this number; sign in with an official app first",
            )),
        }
    }

    fn enter_code(
        &self,
        token: LoginToken,
        code: String,
    ) -> BoxFuture<'_, Result<User, SignInError>> {
        Box::pin(async move {
            if let Some(user) = token.done {
                return Ok(user);
            }
            let request = tl::functions::auth::SignIn {
                phone_number: token.phone.clone(),
                phone_code_hash: token.phone_code_hash.clone(),
                phone_code: Some(code),
                email_verification: None,
            };
            match self.invoke(&request).await {
                Ok(tl::enums::auth::Authorization::Authorization(authorization)) => {
                    Ok(accept(&self.inner, "auth.signIn", authorization.user.clone()).await?)
                }
                Ok(tl::enums::auth::Authorization::SignUpRequired(required)) => {
                    let terms = required.terms_of_service.clone().map(|terms| {
                        let tl::enums::help::TermsOfService::Service(terms) = terms;
                        terms.text
                    });
                    Err(SignInError::SignUpRequired(LoginToken { terms, ..token }))
                }
                Err(error) if error.is("PHONE_NUMBER_UNOCCUPIED") => {
                    Err(SignInError::SignUpRequired(token))
                }
                Err(error) if error.is("PHONE_CODE_INVALID") || error.is("PHONE_CODE_EMPTY") => {
                    Err(SignInError::InvalidCode)
                }
                Err(error) if error.is("SESSION_PASSWORD_NEEDED") => {
                    Err(SignInError::PasswordRequired(self.password_token().await?))
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn register(
        &self,
        token: LoginToken,
        first_name: String,
        last_name: String,
    ) -> BoxFuture<'_, Result<User>> {
        Box::pin(async move {
            let request = tl::functions::auth::SignUp {
                no_joined_notifications: false,
                phone_number: token.phone,
                phone_code_hash: token.phone_code_hash,
                first_name,
                last_name,
            };
            match self.invoke(&request).await? {
                tl::enums::auth::Authorization::Authorization(authorization) => {
                    accept(&self.inner, "auth.signUp", authorization.user.clone()).await
                }
                _ => Err(unexpected("auth.signUp", "it asks to sign up")),
            }
        })
    }
}

fn delivery(kind: &tl::enums::auth::SentCodeType) -> CodeDelivery {
    use tl::enums::auth::SentCodeType as Kind;
    let digits = |length: i32| usize::try_from(length).unwrap_or_default();
    match kind {
        Kind::App(kind) => CodeDelivery::App(digits(kind.length)),
        Kind::Sms(kind) => CodeDelivery::Sms(digits(kind.length)),
        Kind::Call(kind) => CodeDelivery::Call(digits(kind.length)),
        Kind::FlashCall(_) => CodeDelivery::Other("flash call"),
        Kind::MissedCall(kind) => CodeDelivery::MissedCall(digits(kind.length)),
        Kind::EmailCode(kind) => CodeDelivery::Email(kind.email_pattern.clone()),
        Kind::SetUpEmailRequired(_) => CodeDelivery::Other("an email address must be set up"),
        Kind::FragmentSms(kind) => CodeDelivery::Fragment(digits(kind.length)),
        Kind::FirebaseSms(kind) => CodeDelivery::Sms(digits(kind.length)),
        Kind::SmsWord(_) => CodeDelivery::Other("a word by text message"),
        Kind::SmsPhrase(_) => CodeDelivery::Other("a phrase by text message"),
    }
}

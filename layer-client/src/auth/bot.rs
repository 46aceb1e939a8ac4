//! Signing in as a bot.

use std::future::Future;

use super::{accept, unexpected};
use crate::client::{BoxFuture, Client, User};
use crate::error::{Error, Result};
use crate::tl;

impl Client {
    /// Signs in as a bot with the token from @BotFather. A session that is signed in as this bot
    /// already stays so, and nothing is asked of the server but whether it agrees.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_INVALID` and its like; [`Error::Input`] when the session belongs to someone
    /// else.
    pub fn bot_sign_in(&self, token: &str) -> impl Future<Output = Result<User>> + Send + use<'_> {
        self.import_bot(token.trim().to_owned())
    }

    fn import_bot(&self, token: String) -> BoxFuture<'_, Result<User>> {
        Box::pin(async move {
            let id = token
                .split_once(':')
                .and_then(|(id, _)| id.parse::<i64>().ok());
            let Some(id) = id else {
                return Err(Error::input(
                    "a bot's token has the form 1234567890:ABCdef; get it from @BotFather",
                ));
            };
            if let Some(user) = self.inner.session.read(|session| session.user) {
                if user.id != id {
                    return Err(Error::Input(format!(
                        "this session is signed in as {}, not as bot {id}; sign out first or use another session file",
                        user.id
                    )));
                }
                match self.me().await {
                    Err(error) if error.is("AUTH_KEY_UNREGISTERED") => {}
                    result => return result,
                }
            }
            let config = &self.inner.config;
            let request = tl::functions::auth::ImportBotAuthorization {
                flags: 0,
                api_id: config.api_id,
                api_hash: config.api_hash.clone(),
                bot_auth_token: token,
            };
            let method = "auth.importBotAuthorization";
            match self.invoke(&request).await? {
                tl::enums::auth::Authorization::Authorization(authorization) => {
                    accept(&self.inner, method, authorization.user.clone()).await
                }
                _ => Err(unexpected(method, "it asks to sign up")),
            }
        })
    }
}

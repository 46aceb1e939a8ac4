//! Who is signed in, and signing out.

use std::future::Future;
use std::sync::Arc;

use super::unexpected;
use crate::client::{BoxFuture, Client, User};
use crate::error::{Error, Result, Terminal};
use crate::session::{SelfUser, UpdatesState};
use crate::tl;

impl Client {
    /// Whether someone is signed in, as the server sees it.
    ///
    /// # Errors
    /// When the server could not be asked.
    pub fn is_authorized(&self) -> impl Future<Output = Result<bool>> + Send + use<'_> {
        self.ask_authorized()
    }

    /// The account that is signed in.
    ///
    /// # Errors
    /// `AUTH_KEY_UNREGISTERED` when nobody is; see [`Error`].
    pub fn me(&self) -> impl Future<Output = Result<User>> + Send + use<'_> {
        self.get_self()
    }

    /// Signs out: the server forgets this session, updates end, and what was known of the account
    /// is forgotten. The client stays connected and can sign in again.
    ///
    /// # Errors
    /// When the server could not be told; the session is then still signed in.
    pub fn sign_out(&self) -> impl Future<Output = Result<()>> + Send + use<'_> {
        self.log_out()
    }

    fn ask_authorized(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            match self.get_self().await {
                Ok(_) => Ok(true),
                Err(Error::Terminal(_)) => Ok(false),
                Err(Error::Rpc(error)) if error.code == 401 => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn get_self(&self) -> BoxFuture<'_, Result<User>> {
        Box::pin(async move {
            let request = tl::functions::users::GetUsers {
                id: vec![tl::enums::InputUser::UserSelf],
            };
            let users = self.invoke(&request).await?;
            let user = users
                .into_iter()
                .find_map(User::from_raw)
                .ok_or_else(|| unexpected("users.getUsers", "it names no user"))?;
            let known = SelfUser::new(user.id(), user.is_bot());
            if self.inner.session.read(|session| session.user) != Some(known) {
                self.inner.signed_in(known).await;
            }
            Ok(user)
        })
    }

    fn log_out(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.invoke(&tl::functions::auth::LogOut {}).await {
                Ok(_) => {}
                // Nobody was signed in: that is what was wanted.
                Err(Error::Terminal(_)) => return Ok(()),
                Err(error) if error.is("AUTH_KEY_UNREGISTERED") => {}
                Err(error) => return Err(error),
            }
            self.inner.signed_out();
            self.inner
                .updates
                .terminated(Arc::new(Error::Terminal(Terminal::SignedOut)));
            Ok(())
        })
    }
}

impl crate::client::Inner {
    /// Nobody is signed in any more. The home's key stays; those of other data centres carry an
    /// authorisation that is no longer there.
    fn signed_out(&self) {
        let home = self.home_dc();
        let others = self.session.update(|session| {
            session.user = None;
            session.updates = UpdatesState::default();
            let mut others = Vec::new();
            for (id, dc) in &mut session.dcs {
                dc.authorized = false;
                if *id != home && dc.auth_key.take().is_some() {
                    dc.salts.clear();
                    others.push(*id);
                }
            }
            others
        });
        for dc_id in others {
            self.pool
                .retire(dc_id, &Error::Terminal(Terminal::SignedOut));
        }
    }
}

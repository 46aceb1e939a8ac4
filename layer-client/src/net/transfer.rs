//! Taking the account's authorisation from its home to another data centre
//! (`auth.exportAuthorization`, `auth.importAuthorization`; page `api/datacenter`).

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::call::Sending;
use super::dc::Dc;
use super::pool::Pool;
use crate::client::Inner;
use crate::error::{Error, Terminal};
use crate::tl::{self, Deserializable, Serializable};

/// What is exported is good for one import and not for long: so often it is exported anew.
const ATTEMPTS: u32 = 3;

impl Pool {
    /// Takes the authorisation, if there is one, to a data centre that is to become home.
    pub(crate) async fn bring(
        &self,
        inner: &Inner,
        dc_id: i32,
        within: Duration,
    ) -> Result<(), Error> {
        if !inner.is_signed_in() || dc_id == inner.home_dc() {
            return Ok(());
        }
        let dc = self.dc(dc_id)?;
        self.authorize(inner, dc_id, &dc, Instant::now() + within)
            .await
    }

    /// Takes the authorisation to this data centre, unless it is there. However many requests wait
    /// for it, it is taken once; each waits no longer than to its own deadline.
    pub(super) async fn authorize(
        &self,
        inner: &Inner,
        dc_id: i32,
        dc: &Dc,
        deadline: Instant,
    ) -> Result<(), Error> {
        let begun = Instant::now();
        let cell = dc.authorized();
        let transfer = cell.get_or_try_init(|| self.transfer(inner, dc_id, dc, deadline));
        match timeout_at(deadline, transfer).await {
            Ok(transferred) => transferred.copied(),
            Err(_) => Err(dc.too_late(
                false,
                Some("auth.importAuthorization"),
                deadline.saturating_duration_since(begun),
            )),
        }
    }

    async fn transfer(
        &self,
        inner: &Inner,
        dc_id: i32,
        dc: &Dc,
        deadline: Instant,
    ) -> Result<(), Error> {
        let there = |session: &crate::session::Session| {
            session.dcs.get(&dc_id).is_some_and(|dc| dc.authorized)
        };
        if inner.session.read(there) {
            return Ok(());
        }
        let mut outcome = Ok(Bytes::new());
        for _ in 0..ATTEMPTS {
            let login = inner.login();
            let exported = self.export(inner, dc_id, deadline).await?;
            let import = tl::functions::auth::ImportAuthorization {
                id: exported.id,
                bytes: exported.bytes,
            };
            let import = import.to_bytes().into();
            outcome = dc.call(deadline, &sending(&import, deadline)).await;
            match &outcome {
                // If someone else signed in meanwhile, it is theirs that is needed.
                Ok(_) if inner.login() != login => {}
                Ok(_) => {
                    inner.session.update(|session| {
                        session.dcs.entry(dc_id).or_default().authorized = true;
                    });
                    return Ok(());
                }
                // It was used already, or is too old.
                Err(error) if error.is("AUTH_BYTES_INVALID") => {}
                Err(_) => break,
            }
        }
        match outcome {
            Ok(_) => Err(Error::Terminal(Terminal::SignedOut)),
            Err(error) => Err(error),
        }
    }

    async fn export(
        &self,
        inner: &Inner,
        dc_id: i32,
        deadline: Instant,
    ) -> Result<tl::types::auth::ExportedAuthorization, Error> {
        let login = inner.login();
        let export = tl::functions::auth::ExportAuthorization { dc_id };
        let home = self.dc(inner.home_dc())?;
        let export = export.to_bytes().into();
        let answer = home.call(deadline, &sending(&export, deadline)).await;
        if let Err(Error::Rpc(error)) = &answer
            && let Some(reason) = Terminal::from_rpc(error)
        {
            // It is home that says so: the login is over.
            if inner.login() == login {
                inner.terminate(&reason);
            }
            return Err(Error::Terminal(reason));
        }
        let tl::enums::auth::ExportedAuthorization::Authorization(exported) =
            tl::enums::auth::ExportedAuthorization::from_bytes(&answer?)
                .map_err(|error| Error::unreadable("auth.exportAuthorization", &error))?;
        Ok(exported)
    }
}

fn sending(body: &Bytes, deadline: Instant) -> Sending<'_> {
    Sending::new(body, deadline.saturating_duration_since(Instant::now()))
}

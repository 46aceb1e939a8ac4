//! [`Client`]: a cheap handle on connections, session, peers and updates.

mod config;
mod connect;
mod in_order;
mod inner;
mod invoke;
mod options;
mod transport;
mod user;
mod weak;
#[cfg(feature = "websocket")]
mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::net::{ConnectionState, ConnectionStates};
use crate::session::Session;

pub use config::{Config, DcAddress, RsaPublicKey, TransportKind};
pub use in_order::InOrder;
pub(crate) use inner::Inner;
pub(crate) use options::may_change_options;
pub(crate) use transport::check_way;
pub use transport::{IpVersions, Transport, UnknownTransport};
pub use user::User;
pub(crate) use weak::WeakClient;
#[cfg(feature = "websocket")]
pub use websocket::WebSocket;

/// A future that is not generic: what is called through `dyn`, and what the insides of public
/// methods return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a task behind the scenes. All are of one type for the runtime, which is compiled anew for each.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn::<BoxFuture<'static, ()>>(Box::pin(task))
}

/// A connection to Telegram as one account, or as none yet.
///
/// Clones are cheap and share everything. When the last is dropped the connections are closed and
/// the session is saved; [`disconnect`](Client::disconnect) does the same and waits for it.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    /// Clones that users hold have it; those of our own tasks do not, and keep nothing alive.
    _owner: Option<Arc<Owner>>,
}

/// What all clones in users' hands share: the last one gone, the client closes.
struct Owner(Arc<Inner>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.shut();
    }
}

impl Client {
    /// A client in its first user's hands.
    fn owned(inner: Arc<Inner>) -> Self {
        let owner = Owner(inner.clone());
        Self {
            inner,
            _owner: Some(Arc::new(owner)),
        }
    }

    /// A client in the hands of one of our own tasks.
    fn borrowed(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            _owner: None,
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("home_dc", &self.inner.home_dc())
            .field("user", &self.inner.session.read(|session| session.user))
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Opens the session, connects to the account's data centre (the configuration's first, when
    /// the session is new), makes an auth key if there is none, and asks for the server's
    /// configuration.
    ///
    /// # Errors
    /// When the session file is damaged or in use; when no connection can be made within
    /// [`Config::connect_timeout`]. Once connected, a lost connection is made again for as long as
    /// the client lives.
    pub fn connect(config: Config) -> impl Future<Output = Result<Self>> + Send {
        connect::connect(config)
    }

    /// How the connection to the account's home data centre stands now.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.inner.pool.state()
    }

    /// How the connection to the account's home data centre stands, now and whenever it changes,
    /// for a program that shows it. Calls wait for the connection by themselves.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) {
    /// let mut states = client.connection_states();
    /// while let Some(state) = states.next().await {
    ///     println!("{state}");
    /// }
    /// # }
    /// ```
    pub fn connection_states(&self) -> ConnectionStates {
        self.inner.pool.states()
    }

    /// Saves the session now. It is also saved a moment after it changed, and at the end.
    ///
    /// # Errors
    /// When it cannot be written; what was saved before is then still there.
    pub fn save_session(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        save(self.inner.clone())
    }

    /// The login as text: the account, its data centre and its auth keys, for
    /// [`Config::session_string`]. Whoever has the text has the account; used from two places at once
    /// it ends.
    #[must_use]
    pub fn export_session(&self) -> String {
        self.inner.session.read(Session::export)
    }

    /// Ends the connections in order (what was received is acknowledged), ends the updates, and
    /// saves the session. Calls that are still under way, and later ones, end with
    /// [`Error::Closed`]; clones of this client are of no further use.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub fn disconnect(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        close(self.inner.clone())
    }
}

fn close(inner: Arc<Inner>) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        inner.pool.close().await;
        inner.updates.terminated(Arc::new(Error::Closed));
        save(inner).await
    })
}

/// The disk is waited for on a thread that may.
fn save(inner: Arc<Inner>) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(move || inner.save()).await {
            Ok(saved) => Ok(saved?),
            // The runtime is shutting down; dropping the client saves as well.
            Err(_) => Err(Error::Closed),
        }
    })
}

//! The data centres as a library: starting them, ordering faults, looking at connections, shutting down.
//!
//! Who acts as a person or a bot of the data centre finds that in [`handles`](crate::handles).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::rsa::{PrivateKey, RsaError};
use layer_mtproto::transport::ProxySecret;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::control::Faults;
use crate::faults::{Action, Fault, KeyKind, RuleError, Where};
use crate::handles::{ApiError, BotHandle, NewUser, UserHandle};
#[cfg(feature = "web")]
use crate::net::web::Tls;
use crate::net::{Hub, Parts, listener, now};
use crate::random;
use crate::world::auth::codes::normalise_phone;
use crate::world::auth::{AuthBook, AuthSettings, Listing};
use crate::world::{self, World};

/// The RSA key of every server that is not given another: made once for this crate, secret to nobody.
const TEST_KEY: &str = include_str!("test_key.pem");

/// What a [`Server`] is to be. The default listens on free loopback ports with two data centres.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where DC 1 listens; port 0 takes a free one. The other data centres listen on the next free ports of
    /// the same address.
    pub listen: SocketAddr,
    /// Where the data centres listen besides, in the same way: on IPv6, for example.
    pub also_listen: Vec<SocketAddr>,
    /// Where the data centres listen besides for clients that fetch and store files: `help.getConfig` names these
    /// addresses with `media_only`.
    pub media_listen: Vec<SocketAddr>,
    /// How many data centres there are, 1 to 50. Their ids count from 1.
    pub dc_count: u8,
    /// The data centre of accounts that do not say otherwise; 1 unless set.
    pub home_dc: i32,
    /// The private RSA key as PEM (PKCS#1 or PKCS#8); the crate's own test key when absent.
    pub rsa_key: Option<String>,
    /// Makes every login code this one; random codes of five digits when absent.
    pub login_code: Option<String>,
    /// The only `api_id` and `api_hash` that are taken; any that could be ones when absent.
    pub application: Option<(i32, String)>,
    /// Secrets by which MTProxy clients may come. They reach every data centre through any of the ports; by one with
    /// a domain (`ee`) only in what looks like TLS.
    pub mtproxy_secrets: Vec<ProxySecret>,
    /// The certificate of WebSockets over TLS; one that its own key has signed, made at the start, when absent.
    #[cfg(feature = "web")]
    pub tls: Option<TlsIdentity>,
    /// Bounds on what clients can take.
    pub limits: Limits,
    /// What goes wrong from the start; see [`Server::faults`].
    pub faults: Vec<Fault>,
    /// Decides which ones of many a fault with a chance hits; random when absent.
    pub fault_seed: Option<u64>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            also_listen: Vec::new(),
            media_listen: Vec::new(),
            dc_count: 2,
            home_dc: 1,
            rsa_key: None,
            login_code: None,
            application: None,
            mtproxy_secrets: Vec::new(),
            #[cfg(feature = "web")]
            tls: None,
            limits: Limits::default(),
            faults: Vec::new(),
            fault_seed: None,
        }
    }
}

/// A certificate for TLS, and its private key.
#[cfg(feature = "web")]
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, and those that lead to one that clients know, as PEM.
    pub certificate: String,
    /// The private key as PEM.
    pub private_key: String,
}

#[cfg(feature = "web")]
impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// Bounds on what clients can take of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections over all data centres; further ones are closed at once.
    pub connections: usize,
    /// Sessions of one auth key; beyond it the one longest unused is forgotten.
    pub sessions_per_key: usize,
    /// Sessions in all.
    pub sessions: usize,
    /// Temporary keys that are bound to one permanent key; a further one replaces the one longest unused. The page
    /// `api/pfs` speaks of one, but clients that open several connections bind one for each.
    pub temporary_keys: usize,
    /// The largest packet in bytes.
    pub packet: usize,
    /// How long a connection may take to show an auth key.
    pub handshake: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long a client may refuse to read what it is sent.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            sessions_per_key: 64,
            sessions: 20_000,
            temporary_keys: 32,
            packet: 2 * 1024 * 1024,
            handshake: Duration::from_secs(60),
            idle: Duration::from_secs(600),
            stall: Duration::from_secs(30),
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address could not be listened on.
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The RSA key is none that MTProto can use.
    Key(RsaError),
    /// The number of data centres is not in 1..=50, or the home data centre is none of them.
    DataCentres,
    /// The certificate for TLS, or its key, cannot be used.
    #[cfg(feature = "web")]
    Tls(String),
    /// A fault that makes no sense.
    Fault(RuleError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(
                    f,
                    "cannot listen on {address}: {error}; choose another port, or 0 for any"
                )
            }
            Self::Key(error) => {
                write!(
                    f,
                    "the RSA key cannot be used: {error}; MTProto wants 2048 bits in PEM"
                )
            }
            #[cfg(feature = "web")]
            Self::Tls(error) => write!(f, "TLS cannot be served: {error}"),
            Self::Fault(error) => write!(f, "a fault that cannot be: {error}"),
            Self::DataCentres => {
                f.write_str("expected 1 to 50 data centres, and a home data centre among them")
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } => Some(error),
            Self::Key(error) => Some(error),
            Self::Fault(error) => Some(error),
            #[cfg(feature = "web")]
            Self::Tls(_) => None,
            Self::DataCentres => None,
        }
    }
}

/// Chooses what a [`Server`] is to be, step by step; see [`ServerConfig`] for what each step means.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct ServerBuilder {
    config: ServerConfig,
}

impl ServerBuilder {
    /// Where DC 1 listens.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.config.listen = address;
        self
    }

    /// Where the data centres listen besides.
    pub fn also_listen(mut self, address: SocketAddr) -> Self {
        self.config.also_listen.push(address);
        self
    }

    /// Where the data centres listen besides for files only.
    pub fn media_listen(mut self, address: SocketAddr) -> Self {
        self.config.media_listen.push(address);
        self
    }

    /// How many data centres there are.
    pub fn data_centres(mut self, count: u8) -> Self {
        self.config.dc_count = count;
        self
    }

    /// The data centre of accounts that do not say otherwise.
    pub fn home_dc(mut self, dc_id: i32) -> Self {
        self.config.home_dc = dc_id;
        self
    }

    /// The private RSA key as PEM.
    pub fn rsa_key(mut self, pem: impl Into<String>) -> Self {
        self.config.rsa_key = Some(pem.into());
        self
    }

    /// Makes every login code this one.
    pub fn login_code(mut self, code: impl Into<String>) -> Self {
        self.config.login_code = Some(code.into());
        self
    }

    /// Adds a secret by which MTProxy clients may come.
    pub fn mtproxy_secret(mut self, secret: impl Into<ProxySecret>) -> Self {
        self.config.mtproxy_secrets.push(secret.into());
        self
    }

    /// The certificate of WebSockets over TLS.
    #[cfg(feature = "web")]
    pub fn tls(mut self, identity: TlsIdentity) -> Self {
        self.config.tls = Some(identity);
        self
    }

    /// Bounds on what clients can take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Adds something that goes wrong from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.faults.push(fault);
        self
    }

    /// Decides which ones of many a fault with a chance hits.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.config.fault_seed = Some(seed);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start(self) -> Result<Server, StartError> {
        Server::start(self.config).await
    }
}

/// Running data centres. Dropping it ends them at once; [`Server::shutdown`] does so in order.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use layer_test_server::{NewUser, Server, ServerConfig};
///
/// let server = Server::start(ServerConfig::default()).await?;
/// let ann = server.add_user(NewUser::named("+15550001", "Ann"));
/// let bob = server.add_user(NewUser::named("+15550002", "Bob"));
/// ann.send_message(bob.peer(), "hello")?;
/// assert_eq!(bob.messages(ann.peer())[0].text, "hello");
/// println!("point your program at {:?}", server.addresses());
/// server.shutdown().await;
/// # Ok(()) }
/// ```
pub struct Server {
    hub: Arc<Hub>,
    listings: Vec<Listing>,
    tasks: JoinSet<()>,
    public_key: String,
    fingerprint: i64,
}

impl Server {
    /// A builder, for those who prefer steps to a [`ServerConfig`].
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Opens the ports and serves them on the current tokio runtime.
    ///
    /// # Errors
    /// If a port cannot be had, or the configuration makes no sense.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let dcs: Vec<i32> = (1..=i32::from(config.dc_count)).collect();
        if !(1..=50).contains(&config.dc_count) || !dcs.contains(&config.home_dc) {
            return Err(StartError::DataCentres);
        }
        let key = PrivateKey::from_pem(config.rsa_key.as_deref().unwrap_or(TEST_KEY))
            .map_err(StartError::Key)?;
        let public_key = key.public().to_pem();
        let fingerprint = key.public().fingerprint();
        let (mut listeners, mut listings) = (Vec::new(), Vec::new());
        let open = [config.listen].into_iter().chain(config.also_listen);
        let media = config.media_listen.into_iter();
        for (asked, media_only) in open.map(|at| (at, false)).chain(media.map(|at| (at, true))) {
            let failed = |error| StartError::Listen {
                address: asked,
                error,
            };
            for (dc_id, listener) in listener::bind(asked, &dcs).await.map_err(failed)? {
                listings.push(Listing {
                    dc_id,
                    address: reachable(listener.local_addr().map_err(failed)?),
                    media_only,
                });
                listeners.push((dc_id, listener));
            }
        }
        #[cfg(feature = "web")]
        let tls = {
            let addresses: Vec<_> = listings.iter().map(|listing| listing.address).collect();
            Tls::new(config.tls, &addresses).map_err(StartError::Tls)?
        };

        let mut rng = random::source();
        let mut draw = || {
            let mut number = [0; 8];
            rng.fill(&mut number);
            u64::from_le_bytes(number)
        };
        let secret = draw();
        let fault_seed = config.fault_seed.unwrap_or_else(draw);
        let mut world = World::new(world::Config {
            secret,
            home_dc: config.home_dc,
            ..world::Config::default()
        });
        let settings = AuthSettings {
            login_code: config.login_code,
            api: config.application,
            dcs: listings.clone(),
            temporary_keys: config.limits.temporary_keys,
        };
        world.auth = AuthBook::new(settings, rng);

        let keys = Arc::from([key]);
        let hub = Arc::new(Hub::new(Parts {
            world,
            keys,
            secrets: config.mtproxy_secrets.into(),
            #[cfg(feature = "web")]
            tls,
            dcs,
            limits: config.limits,
            seed: fault_seed,
        }));
        for fault in config.faults {
            Faults::of(&hub).add(fault).map_err(StartError::Fault)?;
        }
        hub.act(|_| ());
        let places = Arc::new(Semaphore::new(config.limits.connections));
        let mut tasks = JoinSet::new();
        for (dc, listener) in listeners {
            tasks.spawn(listener::accept(
                Arc::clone(&hub),
                dc,
                listener,
                Arc::clone(&places),
            ));
        }
        Ok(Self {
            hub,
            listings,
            tasks,
            public_key,
            fingerprint,
        })
    }

    /// Closes ports and connections, and waits until what was under way is written.
    pub async fn shutdown(mut self) {
        self.hub.stopping.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }

    /// Where each data centre listens, by its id; more than once if there are several addresses.
    #[must_use]
    pub fn addresses(&self) -> Vec<(i32, SocketAddr)> {
        self.listed(false)
    }

    /// Where each data centre listens for files only.
    #[must_use]
    pub fn media_addresses(&self) -> Vec<(i32, SocketAddr)> {
        self.listed(true)
    }

    fn listed(&self, media_only: bool) -> Vec<(i32, SocketAddr)> {
        let fits = |listing: &&Listing| listing.media_only == media_only;
        let listings = self.listings.iter().filter(fits);
        listings
            .map(|listing| (listing.dc_id, listing.address))
            .collect()
    }

    /// Where a data centre listens: the first of its addresses.
    #[must_use]
    pub fn address(&self, dc_id: i32) -> Option<SocketAddr> {
        let mut listings = self.listings.iter();
        listings
            .find(|listing| listing.dc_id == dc_id)
            .map(|listing| listing.address)
    }

    /// The certificate that `wss` clients have to trust, as PEM.
    #[cfg(feature = "web")]
    #[must_use]
    pub fn tls_certificate_pem(&self) -> &str {
        self.hub.tls.certificate()
    }

    /// The public RSA key that clients have to trust, as PKCS#1 PEM.
    #[must_use]
    pub fn public_key_pem(&self) -> &str {
        &self.public_key
    }

    /// The fingerprint of that key.
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    // -- people -------------------------------------------------------------------------------------------

    /// Makes a person.
    pub fn add_user(&self, new: NewUser) -> UserHandle {
        let password = new.password.clone();
        let id = self.hub.act(|world| world.create_user(new.into()));
        let user = UserHandle::new(Arc::clone(&self.hub), id);
        if let Some(password) = password {
            user.set_password(&password, "");
        }
        user
    }

    /// Makes a bot that belongs to `owner`, with a username of the caller's choice (without `@`).
    pub fn add_bot(&self, owner: &UserHandle, name: &str, username: &str) -> BotHandle {
        let (id, token) = self
            .hub
            .act(|world| world.create_bot(owner.id(), name, username));
        BotHandle::new(UserHandle::new(Arc::clone(&self.hub), id), token)
    }

    /// The person with this phone number, in any way of writing it.
    #[must_use]
    pub fn user_by_phone(&self, phone: &str) -> Option<UserHandle> {
        let phone = normalise_phone(phone)?;
        let id = self.hub.world().user_by_phone(&phone)?;
        Some(UserHandle::new(Arc::clone(&self.hub), id))
    }

    /// The person or bot with this id.
    #[must_use]
    pub fn user(&self, id: i64) -> Option<UserHandle> {
        let known = self.hub.world().users.contains_key(&id);
        known.then(|| UserHandle::new(Arc::clone(&self.hub), id))
    }

    /// The login code that was last "sent" to a number.
    #[must_use]
    pub fn login_code(&self, phone: &str) -> Option<String> {
        let phone = normalise_phone(phone)?;
        self.hub
            .world()
            .auth
            .codes
            .latest(&phone)
            .map(str::to_owned)
    }

    /// Waits until a login code is sent to a number that had none, for `patience` at most.
    pub async fn wait_for_login_code(&self, phone: &str, patience: Duration) -> Option<String> {
        let sent = self.hub.until(|| self.login_code(phone));
        tokio::time::timeout(patience, sent).await.ok()
    }

    // -- faults -------------------------------------------------------------------------------------------

    /// Lets things go wrong: rules that say where, how often, and what happens then.
    #[must_use]
    pub fn faults(&self) -> Faults<'_> {
        Faults::of(&self.hub)
    }

    /// From now until `seconds` have passed, `method` answers `420 FLOOD_WAIT_n` with the seconds left.
    ///
    /// `method` is a name of the API (`messages.sendMessage`), in which a star stands for anything
    /// (`messages.*`, `*`).
    pub fn flood_wait(&self, method: &str, seconds: u32) {
        let rule = Fault::on(Where::method(method))
            .lasting(Duration::from_secs(seconds.into()))
            .then(Action::FloodWait(seconds));
        self.order(rule);
    }

    /// The next `times` calls of `method` answer this error (all calls when `times` is `None`), such as
    /// `(500, "RPC_CALL_FAIL")` or `(303, "NETWORK_MIGRATE_2")`.
    pub fn fail(&self, method: &str, error: ApiError, times: Option<u32>) {
        let rule = Fault::on(Where::method(method)).then(Action::RpcError {
            code: error.code,
            message: error.message,
        });
        self.order(match times {
            Some(times) => rule.times(times.into()),
            None => rule,
        });
    }

    /// Ends the faults that were given for `method`, written in the same way, or all when `None`.
    pub fn clear_faults(&self, method: Option<&str>) {
        self.hub.faults().clear(method);
    }

    /// Cuts all connections, without a word.
    pub fn drop_connections(&self) {
        self.order(Fault::on(Where::now()).then(Action::Close));
    }

    /// Throws all server salts away: the next message of each session is answered by `bad_server_salt`.
    pub fn rotate_salts(&self) {
        self.order(Fault::on(Where::now()).then(Action::RotateSalts));
    }

    /// Forgets all auth keys, and with them who was signed in: clients get the transport error -404.
    pub fn forget_keys(&self) {
        self.order(
            Fault::on(Where::now())
                .then(Action::ForgetKey(KeyKind::Permanent))
                .then(Action::ForgetKey(KeyKind::Temporary)),
        );
    }

    /// Forgets the temporary auth keys only, as if they had expired.
    pub fn forget_temporary_keys(&self) {
        self.order(Fault::on(Where::now()).then(Action::ForgetKey(KeyKind::Temporary)));
    }

    /// Makes the file references that clients hold expire: they are answered `FILE_REFERENCE_EXPIRED`.
    pub fn expire_file_references(&self) {
        self.hub.act(|world| world.files.expire_references());
    }

    /// Forgets all sessions: clients are told by `new_session_created`.
    pub fn forget_sessions(&self) {
        self.order(Fault::on(Where::now()).then(Action::NewSession));
    }

    /// Makes the server's clock wrong by so many seconds from now on.
    pub fn skew_clock(&self, seconds: i64) {
        self.order(Fault::on(Where::now()).then(Action::SkewClock(seconds)));
    }

    /// Gives a rule that is known to make sense, unless a method is no name: that fits nothing, and neither does it.
    fn order(&self, rule: Fault) {
        if let Err(error) = self.faults().add(rule) {
            log::warn!("a fault that fits nothing: {error}");
        }
    }

    // -- looking ------------------------------------------------------------------------------------------

    /// The sessions that the server remembers.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let world = self.hub.world();
        self.hub
            .registry()
            .all()
            .into_iter()
            .map(|session| {
                let record = world.auth.record(world.auth.permanent(session.auth_key_id));
                let device = record
                    .map(|record| record.device.clone())
                    .unwrap_or_default();
                SessionInfo {
                    auth_key_id: session.auth_key_id,
                    session_id: session.session_id,
                    user_id: record
                        .and_then(|record| record.login.as_ref())
                        .map(|l| l.user_id),
                    connected: session.is_connected(),
                    layer: record.map_or(0, |record| record.layer),
                    device_model: device.model,
                    app_version: device.app_version,
                    lang_code: device.lang_code,
                }
            })
            .collect()
    }

    /// How many auth keys the server remembers, temporary ones included.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.hub.world().auth.key_ids().len()
    }

    /// How many bytes of files the server holds.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.hub.world().files.bytes()
    }

    /// Unix time by the server's clock.
    #[must_use]
    pub fn unix_time(&self) -> i32 {
        self.hub.clock.seconds(now())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.hub.stopping.send_replace(true);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

/// A session as the server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The key that it runs under, temporary or permanent.
    pub auth_key_id: i64,
    /// The id that the client gave it.
    pub session_id: i64,
    /// Who is signed in on its key.
    pub user_id: Option<i64>,
    /// Whether a connection serves it at present.
    pub connected: bool,
    /// The layer that its client named last; 0 when it named none.
    pub layer: i32,
    /// The device that its client named in `initConnection`.
    pub device_model: String,
    /// The version of the client.
    pub app_version: String,
    /// The language of the client.
    pub lang_code: String,
}

/// The address to give to clients for a port that listens everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

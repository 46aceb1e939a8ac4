//! The data centres as a library: starting them, ordering faults, looking at connections, shutting down.
//!
//! Who acts as a person or a bot of the data centre finds that in [`handles`](crate::handles).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::rsa::PrivateKey;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cdn::Cdn;
use crate::config::{ServerBuilder, ServerConfig, StartError};
use crate::control::Faults;
use crate::faults::{Action, Fault, KeyKind, Where};
use crate::files::Files;
use crate::handles::{ApiError, BotHandle, NewUser, UserHandle};
#[cfg(feature = "web")]
use crate::net::web::Tls;
use crate::net::{self, Hub, Parts, listener, now};
use crate::random;
use crate::world::auth::codes::normalise_phone;
use crate::world::auth::{AuthBook, AuthSettings, Listing};
use crate::world::files::CdnDc;
use crate::world::{self, World};

/// The RSA key of every server that is not given another: made once for this crate, secret to nobody.
const TEST_KEY: &str = include_str!("test_key.pem");
/// The RSA key of every server's CDN.
const CDN_KEY: &str = include_str!("cdn_key.pem");
/// The id of the CDN's data centre, as Telegram numbers them.
const CDN_DC: i32 = 203;

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
    pub(crate) hub: Arc<Hub>,
    pub(crate) listings: Vec<Listing>,
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
        let mut dcs: Vec<i32> = (1..=i32::from(config.dc_count)).collect();
        if !(1..=50).contains(&config.dc_count) || !dcs.contains(&config.home_dc) {
            return Err(StartError::DataCentres);
        }
        let key = PrivateKey::from_pem(config.rsa_key.as_deref().unwrap_or(TEST_KEY))
            .map_err(StartError::Key)?;
        let public_key = key.public().to_pem();
        let fingerprint = key.public().fingerprint();
        let cdn = match config.cdn {
            Some(_) => {
                let key = PrivateKey::from_pem(CDN_KEY).map_err(StartError::Key)?;
                Some((key.public().to_pem(), Arc::from([key])))
            }
            None => None,
        };
        let media_dcs = dcs.clone();
        dcs.extend(cdn.iter().map(|_| CDN_DC));
        let (mut listeners, mut listings) = (Vec::new(), Vec::new());
        let open = [config.listen].into_iter().chain(config.also_listen);
        let media = config.media_listen.into_iter();
        for (asked, media_only) in open.map(|at| (at, false)).chain(media.map(|at| (at, true))) {
            let failed = |error| StartError::Listen {
                address: asked,
                error,
            };
            let of = if media_only { &media_dcs } else { &dcs };
            for (dc_id, listener) in listener::bind(asked, of).await.map_err(failed)? {
                listings.push(Listing {
                    dc_id,
                    address: reachable(listener.local_addr().map_err(failed)?),
                    media_only,
                    cdn: dc_id == CDN_DC,
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
            message_limit: config.limits.message_limit,
            file_bytes_limit: config.limits.file_bytes,
            file_memory: config.limits.file_memory,
            file_parts: config.limits.file_parts,
            file_parts_premium: config.limits.file_parts_premium,
            upload_life: i32::try_from(config.limits.upload_life.as_secs()).unwrap_or(i32::MAX),
            log_limit: config.limits.log_limit,
            difference_limit: config.limits.difference_limit,
            channel_difference_limit: config.limits.channel_difference_limit,
            channel_timeout: i32::try_from(config.limits.channel_timeout.as_secs())
                .unwrap_or(i32::MAX),
            ..world::Config::default()
        });
        let settings = AuthSettings {
            login_code: config.login_code,
            api: config.application,
            dcs: listings.clone(),
            temporary_keys: config.limits.temporary_keys,
        };
        world.auth = AuthBook::new(settings, rng);
        world.files.cdn.files = config.cdn.unwrap_or_default();
        world.files.cdn.dc = cdn.as_ref().map(|(public_key, _)| CdnDc {
            dc_id: CDN_DC,
            public_key: public_key.clone(),
        });

        let keys = Arc::from([key]);
        let hub = Arc::new(Hub::new(Parts {
            world,
            keys,
            cdn: cdn.map(|(_, keys)| net::Cdn {
                dc_id: CDN_DC,
                keys,
            }),
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
        let fits = |listing: &&Listing| listing.media_only == media_only && !listing.cdn;
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

    // -- files --------------------------------------------------------------------------------------------

    /// The files: their references, their parts, and what they take.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files::of(self)
    }

    /// The CDN's data centre; see [`ServerConfig::cdn`].
    #[must_use]
    pub fn cdn(&self) -> Cdn<'_> {
        Cdn::of(self)
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
        self.files().expire_references();
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

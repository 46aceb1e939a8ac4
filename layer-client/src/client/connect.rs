//! From a configuration to a connected client.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::transport::check_way;
use super::{BoxFuture, Client, Config, Inner, WeakClient, options};
use crate::error::{ConnectCause, ConnectError, Error, Result};
use crate::files;
use crate::middleware::Chain;
use crate::net::{OsRandom, Plan, Pool, Role};
use crate::peers::PeerCache;
use crate::proxy::Proxy;
use crate::session::{Encrypted, FileStorage, MemoryStorage, SessionError, SessionStorage, Store};
use crate::tl::{self, Serializable};
use crate::updates::Hub;

/// The first connection may fail this often in a row before the caller hears of it.
const FIRST_ATTEMPTS: u32 = 3;

pub(super) fn connect(config: Config) -> BoxFuture<'static, Result<Client>> {
    Box::pin(async move {
        check(&config)?;
        OsRandom::check()?;
        let (config, store) = match tokio::task::spawn_blocking(|| open(config)).await {
            Ok(opened) => opened?,
            Err(_) => return Err(Error::Closed),
        };
        let client = assemble(config, store);
        let within = client.inner.config.connect_timeout;
        match timeout(within, first_contact(&client)).await {
            Ok(result) => result?,
            Err(_) => return Err(too_late(&client, within)),
        }
        Ok(client)
    })
}

fn check(config: &Config) -> Result<()> {
    if config.api_id <= 0 || config.api_hash.is_empty() {
        return Err(Error::input(
            "Config::api_id and Config::api_hash are missing; get yours at https://my.telegram.org",
        ));
    }
    if config.dc_id <= 0 {
        return Err(Error::input(
            "Config::dc_id must be the number of a data centre, such as 2",
        ));
    }
    check_way(config)
}

fn open(mut config: Config) -> Result<(Config, Store), SessionError> {
    let mut storage: Arc<dyn SessionStorage> = match &config.session_storage {
        Some(storage) => storage.clone(),
        None if config.session_path.as_os_str().is_empty() => Arc::new(MemoryStorage::new()),
        None => Arc::new(FileStorage::open(&config.session_path)?),
    };
    // Taken, so that neither stays in memory for as long as the client lives.
    if let Some(passphrase) = config.session_passphrase.take() {
        storage = Arc::new(Encrypted::open(storage, &passphrase)?);
    }
    let text = config.session_string.take().map(Zeroizing::new);
    let store = Store::open(storage, text.as_ref().map(|text| text.as_str()))?;
    Ok((config, store))
}

fn assemble(config: Config, store: Store) -> Client {
    let peers = store.read(|session| session.peers.clone());
    let inner = Arc::new_cyclic(|weak| {
        let weak = WeakClient::from(weak.clone());
        let plan = Plan::new(&config, init_prefix(&config), cdn_init_prefix(&config));
        Inner {
            chain: Chain::new(&config),
            pool: Pool::new(plan, weak.clone()),
            peers: Mutex::new(PeerCache::load(peers)),
            updates: Hub::new(weak),
            files: files::Shared::new(&config),
            logins: AtomicU64::new(0),
            tasks: Mutex::default(),
            options_changed: Arc::default(),
            webfile_dc: AtomicI32::new(0),
            force_try_ipv6: AtomicBool::new(false),
            session: store,
            config,
        }
    });
    let client = Client::owned(inner);
    let inner = &client.inner;
    let changed = inner.session.signal();
    let delay = inner.config.save_delay;
    inner.spawn(write_behind(client.downgrade(), changed, delay));
    client
}

/// Writes the session a little after it changed.
async fn write_behind(client: WeakClient, changed: Arc<tokio::sync::Notify>, delay: Duration) {
    loop {
        changed.notified().await;
        sleep(delay).await;
        let Some(client) = client.upgrade() else {
            return;
        };
        if let Err(error) = super::save(client.inner).await {
            log::error!("the session was not saved: {error}");
        }
    }
}

/// `invokeWithLayer` and `initConnection` up to the request that they hold.
fn init_prefix(config: &Config) -> Vec<u8> {
    let init = tl::functions::InitConnection {
        api_id: config.api_id,
        device_model: config.device_model.clone(),
        system_version: config.system_version.clone(),
        app_version: config.app_version.clone(),
        system_lang_code: config.system_lang_code.clone(),
        lang_pack: String::new(),
        lang_code: config.lang_code.clone(),
        proxy: match &config.proxy {
            Some(Proxy::MtProxy { server, .. }) => Some(
                tl::types::InputClientProxy {
                    address: server.host(),
                    port: server.port().into(),
                }
                .into(),
            ),
            _ => None,
        },
        params: None,
        query: tl::Blob(Vec::new()),
    };
    tl::functions::InvokeWithLayer {
        layer: tl::LAYER,
        query: init,
    }
    .to_bytes()
}

/// The same for a CDN: nothing in it tells who we are or what we run on (page `cdn`).
fn cdn_init_prefix(config: &Config) -> Vec<u8> {
    let unsaid = || "n/a".to_owned();
    init_prefix(&Config {
        api_id: config.api_id,
        device_model: unsaid(),
        system_version: unsaid(),
        system_lang_code: "en".to_owned(),
        lang_code: "en".to_owned(),
        ..Config::default()
    })
}

/// The first request, which also shows whether there is anybody to talk to.
async fn first_contact(client: &Client) -> Result<()> {
    let inner = &*client.inner;
    let home = inner.pool.dc(inner.home_dc())?;
    let request = tl::functions::help::GetConfig {}.to_bytes();
    let bytes = tokio::select! {
        answer = client.invoke_bytes(None, request) => answer?,
        failed = home.gave_up(FIRST_ATTEMPTS) => return Err(Error::Connect(failed)),
    };
    let life = options::keep(inner, &bytes)?;
    inner.spawn(options::refresh(
        client.downgrade(),
        inner.options_changed.clone(),
        life,
    ));
    Ok(())
}

fn too_late(client: &Client, within: Duration) -> Error {
    let inner = &*client.inner;
    let dc_id = inner.home_dc();
    let last = inner.pool.dc(dc_id).ok().and_then(|dc| dc.last_failure());
    Error::Connect(last.unwrap_or_else(|| {
        ConnectError {
            dc_id,
            address: inner
                .addresses(dc_id, Role::Main)
                .0
                .first()
                .map(|target| target.address.clone()),
            cause: ConnectCause::Timeout(within),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    /// When the session was written.
    #[derive(Default)]
    struct Diary(Mutex<Vec<Instant>>);

    impl SessionStorage for Diary {
        fn load(&self) -> Result<Option<Vec<u8>>, SessionError> {
            Ok(None)
        }

        fn save(&self, _: &[u8]) -> Result<(), SessionError> {
            self.0.lock().unwrap().push(Instant::now());
            Ok(())
        }

        fn name(&self) -> String {
            "a diary".to_owned()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_is_written_after_the_delay_however_often_it_changes() {
        let diary = Arc::new(Diary::default());
        let delay = Duration::from_millis(700);
        let config = Config {
            session_storage: Some(diary.clone()),
            save_delay: delay,
            ..Config::default()
        };
        let (config, store) = open(config).unwrap();
        let client = assemble(config, store);
        sleep(delay * 3).await;
        assert!(diary.0.lock().unwrap().is_empty(), "nothing has changed");
        let begun = Instant::now();
        while begun.elapsed() < delay * 10 {
            client.inner.session.touch();
            sleep(delay / 50).await;
        }
        sleep(delay).await;
        let written = diary.0.lock().unwrap().clone();
        assert!((9..=11).contains(&written.len()), "{written:?}");
        let mut before = begun;
        for at in written {
            // The next change after a writing is what the next one waits for.
            assert!(at - before <= delay + delay / 25, "{:?}", at - before);
            before = at;
        }
    }
}

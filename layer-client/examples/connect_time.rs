//! How long connecting takes with and without perfect forward secrecy, against the embedded data
//! centre on this machine: with no key yet, and with a session that has one.
//!
//! ```text
//! cargo run --release -p layer-client --example connect_time
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_client::session::MemoryStorage;
use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use layer_test_server::Server;

/// Of so many runs the one in the middle counts.
const RUNS: usize = 21;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().start().await?;
    let address = server.address(1).ok_or("no data centre 1")?;
    let config = |pfs: bool, storage: &Arc<MemoryStorage>| -> Result<Config, String> {
        let key = RsaPublicKey::from_pem(server.public_key_pem());
        Ok(Config {
            api_id: 1,
            api_hash: "hash".into(),
            dc_id: 1,
            dc_addresses: vec![DcAddress::new(1, address)],
            rsa_keys: vec![key.map_err(|error| error.to_string())?],
            session_storage: Some(storage.clone()),
            pfs,
            ..Config::default()
        })
    };
    let mut middles = Vec::new();
    for known in [false, true] {
        for pfs in [false, true] {
            let mut times = Vec::new();
            for _ in 0..RUNS {
                let storage = Arc::new(MemoryStorage::new());
                if known {
                    let client = Client::connect(config(pfs, &storage)?).await?;
                    client.disconnect().await?;
                }
                let begun = Instant::now();
                let client = Client::connect(config(pfs, &storage)?).await?;
                times.push(begun.elapsed());
                client.disconnect().await?;
            }
            times.sort_unstable();
            let middle = times[RUNS / 2];
            println!(
                "{} key, {} temporary keys: {middle:?} ({:?} to {:?})",
                if known { "with a" } else { "with no" },
                if pfs { "with" } else { "without" },
                times[0],
                times[RUNS - 1],
            );
            middles.push(middle);
        }
    }
    let ratio = |with: Duration, without: Duration| with.as_secs_f64() / without.as_secs_f64();
    println!(
        "temporary keys take {:.1} times as long at first, {:.1} times as long after",
        ratio(middles[1], middles[0]),
        ratio(middles[3], middles[2]),
    );
    server.shutdown().await;
    Ok(())
}

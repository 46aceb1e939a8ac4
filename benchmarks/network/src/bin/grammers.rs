//! grammers-client, with the sender pool of grammers-mtsender below it.

use std::net::SocketAddr;
use std::sync::Arc;

use grammers_client::Client;
use grammers_client::media::Downloadable;
use grammers_mtsender::SenderPool;
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::DcOption;
use grammers_tl_types as tl;
use layer_benchmarks_network::{Account, Outcome, Task, World, arguments, calls, mark, run, unhex};

fn main() -> Outcome<()> {
    run(client())
}

async fn client() -> Outcome<()> {
    let (world, task) = arguments()?;
    let (client, _updates) = connect(&world, world.first()?).await?;
    mark("ready").await?;
    let mut idle = Vec::new();
    match task {
        Task::Requests { count, in_flight } => {
            let call = || {
                let client = client.clone();
                async move {
                    client.invoke(&tl::functions::help::GetNearestDc {}).await?;
                    Ok(())
                }
            };
            calls(count, in_flight, call).await?;
        }
        Task::Download(path) => client.download_media(&File(world), path).await?,
        Task::Upload(path) => {
            client.upload_file(path).await?;
        }
        Task::Idle(count) => {
            for account in world.others(count)? {
                idle.push(connect(&world, account).await?);
            }
        }
    }
    mark("done").await
}

type Updates = tokio::sync::mpsc::Receiver<grammers_session::updates::UpdatesLike>;

async fn connect(world: &World, account: &Account) -> Outcome<(Client, Updates)> {
    let SocketAddr::V4(ipv4) = world.address else {
        return Err("an IPv4 address".into());
    };
    let mut data = SessionData {
        home_dc: world.dc_id,
        ..SessionData::default()
    };
    let option = DcOption {
        id: world.dc_id,
        ipv4,
        ipv6: std::net::SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0),
        auth_key: Some(account.key()?),
    };
    data.dc_options.insert(world.dc_id, option);
    let pool = SenderPool::new(Arc::new(MemorySession::from(data)), 1);
    tokio::spawn(pool.runner.run());
    let client = Client::new(pool.handle);
    client.invoke(&tl::functions::help::GetNearestDc {}).await?;
    Ok((client, pool.updates))
}

struct File(World);

impl Downloadable for File {
    fn to_raw_input_location(&self) -> Option<tl::enums::InputFileLocation> {
        let document = self.0.document.as_ref()?;
        let location = tl::types::InputDocumentFileLocation {
            id: document.id.parse().ok()?,
            access_hash: document.access_hash.parse().ok()?,
            file_reference: unhex(&document.file_reference).ok()?,
            thumb_size: String::new(),
        };
        Some(location.into())
    }

    fn size(&self) -> Option<usize> {
        usize::try_from(self.0.document.as_ref()?.size).ok()
    }

    fn dc_id(&self) -> Option<i32> {
        Some(self.0.dc_id)
    }
}

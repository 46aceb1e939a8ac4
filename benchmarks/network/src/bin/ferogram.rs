//! ferogram.

use std::sync::Arc;

use ferogram::media::Downloadable;
use ferogram::session_backend::{InMemoryBackend, PersistedSession, SessionBackend};
use ferogram::{Client, ShutdownToken, tl};
use ferogram_session::DcEntry;
use layer_benchmarks_network::{Account, Outcome, Task, World, arguments, calls, mark, run, unhex};

fn main() -> Outcome<()> {
    run(client())
}

async fn client() -> Outcome<()> {
    let (world, task) = arguments()?;
    let (client, _stop) = connect(&world, world.first()?).await?;
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
        Task::Download(path) => {
            client.download_file(&File(world), path).await?;
        }
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

async fn connect(world: &World, account: &Account) -> Outcome<(Client, ShutdownToken)> {
    let (host, port) = (world.address.ip().to_string(), world.address.port());
    let mut dc = DcEntry::from_parts(world.dc_id, &host, port, Default::default());
    dc.auth_key = Some(account.key()?);
    let session = PersistedSession {
        home_dc_id: world.dc_id,
        dcs: vec![dc],
        ..PersistedSession::default()
    };
    let backend = InMemoryBackend::new();
    backend.save(&session)?;
    let builder = Client::builder().api_id(1).api_hash("hash");
    let builder = builder.session_backend(Arc::new(backend));
    let (client, stop) = builder.connect().await.map_err(|error| error.to_string())?;
    client.invoke(&tl::functions::help::GetNearestDc {}).await?;
    Ok((client, stop))
}

struct File(World);

impl Downloadable for File {
    fn to_input_location(&self) -> Option<tl::enums::InputFileLocation> {
        let document = self.0.document.as_ref()?;
        let location = tl::types::InputDocumentFileLocation {
            id: document.id.parse().ok()?,
            access_hash: document.access_hash.parse().ok()?,
            file_reference: unhex(&document.file_reference).ok()?,
            thumb_size: String::new(),
        };
        Some(tl::enums::InputFileLocation::InputDocumentFileLocation(
            location,
        ))
    }

    fn size(&self) -> Option<usize> {
        usize::try_from(self.0.document.as_ref()?.size).ok()
    }

    fn dc_id(&self) -> i32 {
        self.0.dc_id
    }
}

//! layer-client.

use layer_benchmarks_network::{Account, Outcome, Task, World, arguments, calls, mark, run, unhex};
use layer_client::files::{FileLocation, Upload};
use layer_client::tl::{functions, types};
use layer_client::{Client, Config, DcAddress};

fn main() -> Outcome<()> {
    run(client())
}

async fn client() -> Outcome<()> {
    let (world, task) = arguments()?;
    let client = connect(&world, world.first()?).await?;
    mark("ready").await?;
    let mut idle = Vec::new();
    match task {
        Task::Requests { count, in_flight } => {
            let call = || {
                let client = client.clone();
                async move {
                    client.invoke(&functions::help::GetNearestDc {}).await?;
                    Ok(())
                }
            };
            calls(count, in_flight, call).await?;
        }
        Task::Download(path) => {
            let document = world.document()?;
            let location = types::InputDocumentFileLocation {
                id: document.id.parse()?,
                access_hash: document.access_hash.parse()?,
                file_reference: unhex(&document.file_reference)?,
                thumb_size: String::new(),
            };
            let file = FileLocation::new(location.into(), world.dc_id, Some(document.size));
            client.download(&file).to_path(&path).await?;
        }
        Task::Upload(path) => {
            drop(client.upload_file(Upload::path(&path)).await?);
        }
        Task::Idle(count) => {
            for account in world.others(count)? {
                idle.push(connect(&world, account).await?);
            }
        }
    }
    mark("done").await
}

async fn connect(world: &World, account: &Account) -> Outcome<Client> {
    let config = Config {
        api_id: 1,
        api_hash: "hash".into(),
        session_string: Some(account.layer.clone()),
        dc_id: world.dc_id,
        dc_addresses: vec![DcAddress::new(world.dc_id, world.address)],
        ..Config::default()
    };
    let client = Client::connect(config).await?;
    client.invoke(&functions::help::GetNearestDc {}).await?;
    Ok(client)
}

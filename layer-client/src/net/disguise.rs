//! The FakeTLS hellos over a stream: what an MTProxy with an `ee` secret wants to see first.

use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::faketls::{Client, Records};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::random::OsRandom;
use crate::error::ConnectCause;

/// Exchanges hellos with a server that knows `key`, and whose clock says `unix`.
pub(super) async fn hello(
    stream: &mut TcpStream,
    key: &[u8; 16],
    domain: &str,
    unix: Duration,
) -> Result<Records, ConnectCause> {
    let io = |error| ConnectCause::Io(Arc::new(error));
    let mut client = Client::new(key, domain, unix, &mut OsRandom);
    stream.write_all(client.hello()).await.map_err(io)?;
    let mut incoming = vec![0; 4096];
    loop {
        let read = match stream.read(&mut incoming).await {
            Ok(0) => return Err(ConnectCause::HungUp),
            Ok(read) => read,
            Err(error) => return Err(io(error)),
        };
        let records = client
            .feed(&incoming[..read])
            .map_err(ConnectCause::FakeTls)?;
        if let Some(records) = records {
            return Ok(records);
        }
    }
}

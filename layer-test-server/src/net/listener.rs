//! Ports: one for each data centre, a bounded number of connections over all of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::connection::{self, Connection};
use super::{Hub, now};

/// Ports tried after the first for the data centres that follow.
const PORTS_TRIED: u16 = 200;
/// A rest after the system refused to accept, as when it is out of file descriptors.
const REST: Duration = Duration::from_millis(50);

/// Opens the port of DC 1 where it was asked for, and those of the others on the next free ports.
pub(crate) async fn bind(listen: SocketAddr, dcs: &[i32]) -> io::Result<Vec<(i32, TcpListener)>> {
    let mut listeners = Vec::with_capacity(dcs.len());
    let mut port = listen.port();
    for (position, dc) in dcs.iter().enumerate() {
        let listener = if position == 0 || listen.port() == 0 {
            TcpListener::bind(SocketAddr::new(listen.ip(), listen.port())).await?
        } else {
            next_free(listen, port).await?
        };
        port = listener.local_addr()?.port();
        listeners.push((*dc, listener));
    }
    Ok(listeners)
}

async fn next_free(listen: SocketAddr, after: u16) -> io::Result<TcpListener> {
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for step in 1..=PORTS_TRIED {
        let Some(port) = after.checked_add(step) else {
            break;
        };
        match TcpListener::bind(SocketAddr::new(listen.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    // The ports above are taken, or there are none: any other will do.
    TcpListener::bind(SocketAddr::new(listen.ip(), 0))
        .await
        .map_err(|_| refused)
}

/// Accepts the connections of one data centre until the server stops, then waits for them to end.
pub(crate) async fn accept(
    hub: Arc<Hub>,
    dc_id: i32,
    listener: TcpListener,
    places: Arc<Semaphore>,
) {
    let mut stopping = hub.stopping.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(&hub, dc_id, stream, peer, &places, &mut connections),
                Err(error) => {
                    log::warn!("DC {dc_id}: cannot accept a connection: {error}");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
    drop(listener);
    let ended = tokio::time::timeout(hub.limits.stall, async {
        while connections.join_next().await.is_some() {}
    });
    if ended.await.is_err() {
        connections.shutdown().await;
    }
}

fn admit(
    hub: &Arc<Hub>,
    dc_id: i32,
    stream: TcpStream,
    peer: SocketAddr,
    places: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
) {
    // With no place left the connection is dropped: its owner sees it closed and comes again.
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        log::debug!("DC {dc_id}: no place for {peer}");
        return;
    };
    // Numbered here, in the order in which they come.
    let connection = Connection::accept(Arc::clone(hub), dc_id, peer, now());
    connections.spawn(async move {
        connection::run(connection, stream).await;
        drop(place);
    });
}

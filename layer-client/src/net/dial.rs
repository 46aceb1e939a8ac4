//! From addresses to a TCP stream: all of a data centre's addresses are tried, each a little after
//! the one before it, and the first that answers is taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::error::ConnectCause;

/// How much later the next address is tried while the one before it has not answered
/// (RFC 8305 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);
/// More addresses than this are not tried in one go.
const MAX_PARALLEL: usize = 8;

/// Connects to the first address that answers within `within`. On failure tells which address said
/// what last.
pub(crate) async fn dial(
    addresses: &[SocketAddr],
    within: Duration,
) -> Result<(TcpStream, SocketAddr), (Option<SocketAddr>, ConnectCause)> {
    let mut attempts = JoinSet::new();
    for (turn, address) in (0u32..).zip(addresses.iter().take(MAX_PARALLEL).copied()) {
        attempts.spawn(async move {
            sleep(STAGGER * turn).await;
            (address, TcpStream::connect(address).await)
        });
    }
    let first = async {
        let mut last = (None, ConnectCause::NoAddress);
        while let Some(joined) = attempts.join_next().await {
            let Ok((address, result)) = joined else {
                continue;
            };
            match result {
                Ok(stream) => {
                    // Packets are written whole; waiting for more to send only adds delay.
                    if let Err(error) = stream.set_nodelay(true) {
                        log::debug!("{address}: TCP_NODELAY: {error}");
                    }
                    return Ok((stream, address));
                }
                Err(error) => last = (Some(address), ConnectCause::Io(Arc::new(error))),
            }
        }
        Err(last)
    };
    match timeout(within, first).await {
        Ok(result) => result,
        Err(_) => Err((addresses.first().copied(), ConnectCause::Timeout(within))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_dead_address_does_not_keep_from_a_live_one() {
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let addresses = [dead, live.local_addr().unwrap()];
        let (_, address) = dial(&addresses, Duration::from_secs(10)).await.unwrap();
        assert_eq!(address, addresses[1]);
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_address() {
        let dead = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let (address, cause) = dial(&[dead], Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(address, Some(dead));
        assert!(matches!(cause, ConnectCause::Io(_)), "{cause:?}");
    }

    #[tokio::test]
    async fn no_address_at_all_is_an_error_at_once() {
        let (address, cause) = dial(&[], Duration::from_secs(10)).await.unwrap_err();
        assert!(address.is_none() && matches!(cause, ConnectCause::NoAddress));
    }
}

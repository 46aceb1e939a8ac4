//! From addresses to a TCP stream, and the race that finds the first of several ways to be open
//! (RFC 8305).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::IpVersions;
use crate::proxy::Address;

/// How much later the next address is tried while the one before it has not answered.
pub(super) const STAGGER: Duration = Duration::from_millis(250);
/// More ways than this are not tried in one go.
const MAX_PARALLEL: usize = 8;

/// One way to be tried.
pub(super) type Attempt<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Tries all ways, each `stagger` after the one before it or as soon as one has failed. The first to
/// succeed wins, and the others are given up. On failure tells what the last one said, but for what
/// is told `only_if_nothing_else`; `None` if there was none to try.
pub(super) async fn race<T, E>(
    attempts: Vec<Attempt<T, E>>,
    stagger: Duration,
    only_if_nothing_else: fn(&E) -> bool,
) -> Result<T, Option<E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let mut waiting = attempts.into_iter().take(MAX_PARALLEL);
    // Dropped at the end, and with it the attempts that lost.
    let mut running = JoinSet::new();
    let mut last = None;
    loop {
        if let Some(attempt) = waiting.next() {
            running.spawn(attempt);
        } else if running.is_empty() {
            return Err(last);
        }
        tokio::select! {
            Some(joined) = running.join_next() => match joined {
                Ok(Ok(won)) => return Ok(won),
                Ok(Err(error)) if last.is_some() && only_if_nothing_else(&error) => {}
                Ok(Err(error)) => last = Some(error),
                Err(panicked) => log::error!("an attempt at a connection panicked: {panicked}"),
            },
            () = sleep(stagger), if waiting.len() > 0 => {}
        }
    }
}

/// Why there is no TCP connection.
#[derive(Debug)]
pub(super) enum DialError {
    /// The name could not be looked up, or has no address that may be used.
    Resolve(Arc<io::Error>),
    /// The operating system said no.
    Io(Arc<io::Error>),
}

/// Looks the host up, if it is a name, and connects to the first of its addresses that answers.
pub(super) async fn dial(address: &Address, versions: IpVersions) -> Result<TcpStream, DialError> {
    let found = match address.socket_addr() {
        // Who gives an address means it.
        Some(address) => vec![address],
        None => {
            let found = tokio::net::lookup_host((address.host(), address.port()))
                .await
                .map_err(|error| DialError::Resolve(Arc::new(error)))?;
            let found = interleave(found.collect(), versions, |address| address.is_ipv6());
            if found.is_empty() {
                let error = io::Error::new(
                    io::ErrorKind::NotFound,
                    "it has no address of the IP version allowed",
                );
                return Err(DialError::Resolve(Arc::new(error)));
            }
            found
        }
    };
    let attempts = found.into_iter().map(|address| -> Attempt<_, _> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Packets are written whole; waiting for more to send only adds delay.
            if let Err(error) = stream.set_nodelay(true) {
                log::debug!("{address}: TCP_NODELAY: {error}");
            }
            Ok(stream)
        })
    });
    race(attempts.collect(), STAGGER, is_unreachable)
        .await
        .map_err(|error: Option<io::Error>| {
            let error = error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
            DialError::Io(Arc::new(error))
        })
}

/// Whether the machine has no network for that address: with IPv4 alone, that is what every IPv6
/// address says.
pub(crate) fn is_unreachable(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(
        error.kind(),
        E::NetworkUnreachable | E::HostUnreachable | E::AddrNotAvailable
    )
}

/// In the order in which they are tried: the two versions in turn, each in the order given, the
/// preferred one first, and one that is not allowed left out.
pub(super) fn interleave<T>(
    all: Vec<T>,
    versions: IpVersions,
    is_v6: impl Fn(&T) -> bool,
) -> Vec<T> {
    let (v6, v4): (Vec<T>, Vec<T>) = all.into_iter().partition(|one| is_v6(one));
    let (first, second) = match versions {
        IpVersions::PreferV4 => (v4, v6),
        IpVersions::PreferV6 => (v6, v4),
        IpVersions::OnlyV4 => (v4, Vec::new()),
        IpVersions::OnlyV6 => (v6, Vec::new()),
    };
    let mut order = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let before = order.len();
        order.extend(first.next());
        order.extend(second.next());
        if order.len() == before {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    fn after(delay: u64, result: Result<u64, u64>) -> Attempt<u64, u64> {
        Box::pin(async move {
            sleep(Duration::from_millis(delay)).await;
            result
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_succeed_wins_and_the_others_are_given_up() {
        struct Dropped(tokio::sync::mpsc::UnboundedSender<()>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.send(()).ok();
            }
        }
        let (sender, mut dropped) = tokio::sync::mpsc::unbounded_channel();
        let loser = Dropped(sender);
        let hangs: Attempt<u64, u64> = Box::pin(async move {
            let _held = loser;
            std::future::pending().await
        });
        let begun = Instant::now();
        let won = race(
            vec![hangs, after(10, Ok(2)), after(0, Ok(3))],
            STAGGER,
            |error| *error == 0,
        )
        .await;
        assert_eq!(won, Ok(2));
        assert_eq!(begun.elapsed(), STAGGER + Duration::from_millis(10));
        assert_eq!(dropped.recv().await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_the_next_is_tried_at_once() {
        let begun = Instant::now();
        let attempts = vec![after(10, Err(1)), after(0, Err(2)), after(5, Ok(3))];
        assert_eq!(race(attempts, STAGGER, |error| *error == 0).await, Ok(3));
        assert_eq!(begun.elapsed(), Duration::from_millis(15));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_last_word_is_told() {
        let attempts = vec![after(700, Err(1)), after(10, Err(2))];
        assert_eq!(
            race(attempts, STAGGER, |error| *error == 0).await,
            Err(Some(1))
        );
        let attempts = vec![after(0, Err(0)), after(0, Err(3)), after(0, Err(0))];
        assert_eq!(
            race(attempts, STAGGER, |error| *error == 0).await,
            Err(Some(3))
        );
        assert_eq!(
            race(Vec::<Attempt<u64, u64>>::new(), STAGGER, |error| *error
                == 0)
            .await,
            Err(None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_eight_are_tried() {
        let attempts = (0..20).map(|n| after(1, Err(n))).collect();
        assert_eq!(
            race(attempts, STAGGER, |error| *error == 0).await,
            Err(Some(7))
        );
    }

    #[test]
    fn the_two_versions_take_turns() {
        let order = |all: &str, versions| -> String {
            interleave(all.chars().collect(), versions, char::is_ascii_uppercase)
                .into_iter()
                .collect()
        };
        assert_eq!(order("abcXY", IpVersions::PreferV4), "aXbYc");
        assert_eq!(order("abXYZ", IpVersions::PreferV6), "XaYbZ");
        assert_eq!(order("aXbY", IpVersions::OnlyV4), "ab");
        assert_eq!(order("aXbY", IpVersions::OnlyV6), "XY");
        assert_eq!(order("", IpVersions::PreferV6), "");
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let expected = listener.local_addr().unwrap();
        let address = Address::new("localhost", expected.port()).unwrap();
        let stream = dial(&address, IpVersions::OnlyV4).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), expected);
        let nowhere = Address::new("name.invalid", 1).unwrap();
        let error = dial(&nowhere, IpVersions::PreferV4).await.unwrap_err();
        assert!(matches!(error, DialError::Resolve(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = listener.local_addr().unwrap();
        drop(listener);
        let error = dial(&dead.into(), IpVersions::PreferV4).await.unwrap_err();
        assert!(matches!(error, DialError::Io(_)), "{error:?}");
    }
}

//! One connection before it has a session: a way to the data centre is opened, whatever lies on it,
//! and its transport chosen. Keys are exchanged in [`exchange`](super::exchange).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::transport::{Codec, ObfuscationParams, ProxySecret};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::addresses::Target;
use super::dial::{Attempt, DialError, STAGGER, dial, race};
use super::exchange::unix_now;
use super::plan::Plan;
use super::random::OsRandom;
use super::stream::Stream;
use super::{disguise, tunnel};
use crate::error::{ConnectCause, ConnectError};
use crate::proxy::{Address, Proxy, ProxyError, ProxyFailure};

/// Read this much at a time.
pub(super) const READ_SIZE: usize = 64 * 1024;
/// Through a proxy a way takes longer to open, and the proxy is asked for no more ways than needed.
const PROXY_STAGGER: Duration = Duration::from_secs(1);

/// A connection and what puts packets on it.
pub(super) struct Wire {
    pub(super) stream: Stream,
    pub(super) codec: Codec,
    pub(super) address: Address,
    /// Whether the other side is one of the servers for files only.
    pub(super) media: bool,
}

/// Opens one of the ways to a data centre, which lead to servers for files only or not: the first
/// that is open all along wins. Each part of a way may take a third of the plan's time, and all
/// together may take all of it.
pub(super) async fn open(
    plan: Arc<Plan>,
    dc_id: i32,
    targets: Vec<Target>,
    media: bool,
) -> Result<Wire, ConnectError> {
    let failed = |address, cause| ConnectError {
        dc_id,
        address,
        cause,
    };
    let first = targets.first().map(|target| target.address.clone());
    let attempts = targets.into_iter().map(|target| -> Attempt<_, _> {
        let plan = plan.clone();
        Box::pin(async move {
            let address = target.address.clone();
            let opened = attempt(&plan, dc_id, target, media).await;
            opened.map_err(|cause| ConnectError {
                dc_id,
                address: Some(address),
                cause,
            })
        })
    });
    let stagger = match plan.proxy {
        Some(_) => PROXY_STAGGER,
        None => STAGGER,
    };
    let race = race(attempts.collect(), stagger, |error| {
        error.cause.is_unreachable()
    });
    match timeout(plan.timeout, race).await {
        Ok(Ok(wire)) => Ok(wire),
        Ok(Err(error)) => Err(error.unwrap_or_else(|| failed(None, ConnectCause::NoAddress))),
        Err(_) => Err(failed(first, ConnectCause::Timeout(plan.timeout))),
    }
}

/// Opens one way, part by part.
async fn attempt(
    plan: &Plan,
    dc_id: i32,
    target: Target,
    media: bool,
) -> Result<Wire, ConnectCause> {
    let Target {
        address,
        secret,
        obfuscated,
        time_offset,
    } = target;
    let limit = plan.timeout / 3;
    let mut stream = tcp(plan, &address, limit).await?;
    let mut records = None;
    if let Some((secret, domain)) = secret.as_ref().and_then(|s| Some((s, s.domain()?))) {
        let unix = moved(unix_now(), time_offset);
        let hello = disguise::hello(&mut stream, secret.key(), domain, unix);
        records = Some(within("the TLS hello of the MTProxy", limit, hello).await?);
    }
    let stream = over(plan, stream, &address, limit).await?;

    let demanded = secret.as_ref().and_then(ProxySecret::framing);
    let framing = demanded.unwrap_or_else(|| plan.transport.framing());
    let obfuscated = obfuscated || secret.is_some() || plan.transport.is_obfuscated();
    let obfuscation = obfuscated.then(|| ObfuscationParams {
        secret: secret.map(|secret| *secret.key()),
        dc_id: i16::try_from(wire_dc(dc_id, plan.test_mode, media)).unwrap_or_default(),
    });
    let mut codec = Codec::client(framing, obfuscation, OsRandom::boxed());
    if let Some(records) = records {
        codec = codec.within(records);
    }
    Ok(Wire {
        stream,
        codec,
        address,
        media,
    })
}

/// A stream to the address, through the proxy if there is one between.
async fn tcp(plan: &Plan, address: &Address, limit: Duration) -> Result<TcpStream, ConnectCause> {
    let Some(proxy) = &plan.proxy else {
        return match timeout(limit, dial(address, plan.versions)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(DialError::Resolve(error))) => Err(ConnectCause::Resolve(error)),
            Ok(Err(DialError::Io(error))) => Err(ConnectCause::Io(error)),
            Err(_) => Err(ConnectCause::Timeout(limit)),
        };
    };
    let failed = |error| {
        let proxy = proxy.to_string();
        ConnectCause::Proxy(Arc::new(ProxyFailure { proxy, error }))
    };
    let slow = |_| failed(ProxyError::Timeout(limit));
    let stream = timeout(limit, dial(proxy.server(), plan.versions))
        .await
        .map_err(slow)?
        .map_err(|error| match error {
            DialError::Resolve(error) => failed(ProxyError::Resolve(error)),
            DialError::Io(error) => failed(ProxyError::Io(error)),
        })?;
    match proxy {
        // It is itself the other side.
        Proxy::MtProxy { .. } => Ok(stream),
        Proxy::Socks5 { credentials, .. } => {
            let asked = tunnel::socks5(stream, address, credentials.as_ref());
            timeout(limit, asked).await.map_err(slow)?.map_err(failed)
        }
        Proxy::Http { credentials, .. } => {
            let asked = tunnel::http(stream, address, credentials.as_ref());
            timeout(limit, asked).await.map_err(slow)?.map_err(failed)
        }
    }
}

/// What the packets travel over: the stream, or a WebSocket on top of it.
#[cfg(feature = "websocket")]
async fn over(
    plan: &Plan,
    stream: TcpStream,
    address: &Address,
    limit: Duration,
) -> Result<Stream, ConnectCause> {
    use super::websocket;
    use crate::client::Transport;

    let Transport::WebSocket(socket) = &plan.transport else {
        return Ok(Stream::Tcp(stream));
    };
    let host = socket.host().map_or_else(|| address.host(), str::to_owned);
    let stream = match &plan.tls {
        Some(tls) => within("the TLS handshake", limit, tls.wrap(stream, &host)).await?,
        None => Box::new(stream),
    };
    let authority = Address::new(&host, address.port())
        .map_err(|error| ConnectCause::WebSocket(error.to_string()))?
        .to_string();
    let secure = socket.is_secure();
    let usual = if secure { ":443" } else { ":80" };
    let authority = authority.strip_suffix(usual).unwrap_or(&authority);
    let asked = websocket::upgrade(stream, secure, authority, plan.test_mode);
    let stream = within("the WebSocket's opening", limit, asked).await?;
    Ok(Stream::Other(stream))
}

#[cfg(not(feature = "websocket"))]
async fn over(
    _: &Plan,
    stream: TcpStream,
    _: &Address,
    _: Duration,
) -> Result<Stream, ConnectCause> {
    Ok(Stream::Tcp(stream))
}

/// The time on a clock that is ahead by so many seconds.
fn moved(unix: Duration, ahead: i64) -> Duration {
    let seconds = Duration::from_secs(ahead.unsigned_abs());
    if ahead < 0 {
        unix.saturating_sub(seconds)
    } else {
        unix.saturating_add(seconds)
    }
}

/// A part of the way, which may take so long.
async fn within<T>(
    during: &'static str,
    limit: Duration,
    part: impl Future<Output = Result<T, ConnectCause>>,
) -> Result<T, ConnectCause> {
    match timeout(limit, part).await {
        Ok(result) => result,
        Err(_) => Err(ConnectCause::Stalled {
            during,
            after: limit,
        }),
    }
}

/// A data centre's number as the protocol has it: test servers count from 10000, and servers for
/// files only are negative.
pub(super) fn wire_dc(dc_id: i32, test_mode: bool, media: bool) -> i32 {
    let number = if test_mode {
        dc_id.saturating_add(10_000)
    } else {
        dc_id
    };
    if media { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_centre_is_numbered_as_the_protocol_has_it() {
        assert_eq!(wire_dc(2, false, false), 2);
        assert_eq!(wire_dc(2, true, false), 10_002);
        assert_eq!(wire_dc(2, false, true), -2);
        assert_eq!(wire_dc(2, true, true), -10_002);
    }
}

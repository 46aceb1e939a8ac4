//! The first bytes of a connection: what carries its transport?
//!
//! A TLS hello that was made with one of our `ee` secrets begins FakeTLS, any other one TLS; `GET` begins a WebSocket,
//! in TLS or not; everything else is left to the transport's acceptor. Whoever takes too long is shown out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use layer_mtproto::faketls::{self, Opening, Records};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::{Hub, lock, now};
use crate::faults::Carrier;
use crate::random;

/// Bytes read at once while it is not known what comes.
const READ_CHUNK: usize = 4096;

/// A stream of bytes, both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of which is known what carries its transport.
pub(super) struct Entered {
    /// Where the transport's bytes come from and go to.
    pub(super) stream: Box<dyn Duplex>,
    pub(super) carrier: Carrier,
    /// The records that the transport is in, and the secret with which it must go on.
    pub(super) fake_tls: Option<(Records, [u8; 16])>,
}

/// How a stream begins.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    Undecided,
    Tls,
    Http,
    Other,
}

fn beginning(first: &[u8]) -> Beginning {
    let mut undecided = false;
    for (mark, means) in [
        (&[0x16, 3, 1][..], Beginning::Tls),
        (b"GET ", Beginning::Http),
    ] {
        if first.starts_with(mark) {
            return means;
        }
        undecided |= mark.starts_with(first);
    }
    if undecided {
        Beginning::Undecided
    } else {
        Beginning::Other
    }
}

/// Reads until it is known what carries the transport, and makes a stream of the transport's bytes.
pub(super) async fn enter(hub: &Hub, stream: TcpStream) -> io::Result<Entered> {
    let mut stream = Begun::new(stream);
    match stream.look(beginning).await? {
        Beginning::Tls => {}
        Beginning::Http => return web_socket(hub, stream, Carrier::WebSocket).await,
        Beginning::Undecided | Beginning::Other => {
            return Ok(Entered {
                stream: Box::new(stream),
                carrier: Carrier::Tcp,
                fake_tls: None,
            });
        }
    }
    match fake_tls(hub, &mut stream).await? {
        Some((records, secret)) => Ok(Entered {
            stream: Box::new(stream),
            carrier: Carrier::FakeTls,
            fake_tls: Some((records, secret)),
        }),
        None => tls(hub, stream).await,
    }
}

/// Answers a hello that was made with one of our secrets. Any other stays unread.
async fn fake_tls(
    hub: &Hub,
    stream: &mut Begun<TcpStream>,
) -> io::Result<Option<(Records, [u8; 16])>> {
    let mut server = faketls::Server::new(hub.secrets.clone());
    let mut fed = 0;
    loop {
        let mut answer = Vec::new();
        let unix = hub.clock.unix(now());
        let opening = server.feed(
            stream.first.get(fed..).unwrap_or_default(),
            unix,
            &mut lock(&hub.replays),
            &mut *random::source(),
            &mut answer,
        );
        fed = stream.first.len();
        match opening {
            Ok(Opening::NeedMore) => stream.read_more().await?,
            Ok(Opening::NotTls(_)) => return Ok(None),
            Ok(Opening::Tls(accepted)) => {
                // What came behind the hello is in the records already.
                stream.first.clear();
                stream.stream.write_all(&answer).await?;
                return Ok(Some((accepted.records, *accepted.secret.key())));
            }
            Err(error) => {
                log::debug!("no FakeTLS: {error}");
                return Ok(None);
            }
        }
    }
}

#[cfg(feature = "web")]
async fn tls(hub: &Hub, stream: Begun<TcpStream>) -> io::Result<Entered> {
    let mut stream = Begun::new(hub.tls.accept(stream).await?);
    match stream.look(beginning).await? {
        Beginning::Http => web_socket(hub, stream, Carrier::SecureWebSocket).await,
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "within TLS a WebSocket is expected",
        )),
    }
}

#[cfg(not(feature = "web"))]
async fn tls(_: &Hub, _: Begun<TcpStream>) -> io::Result<Entered> {
    Err(unsupported())
}

#[cfg(feature = "web")]
async fn web_socket(
    hub: &Hub,
    stream: impl Duplex + 'static,
    carrier: Carrier,
) -> io::Result<Entered> {
    let stream = super::web::accept(stream, hub.limits.packet).await?;
    Ok(Entered {
        stream: Box::new(stream),
        carrier,
        fake_tls: None,
    })
}

#[cfg(not(feature = "web"))]
async fn web_socket(_: &Hub, _: impl Duplex, _: Carrier) -> io::Result<Entered> {
    Err(unsupported())
}

#[cfg(not(feature = "web"))]
fn unsupported() -> io::Error {
    let why = "this server was built without the feature \"web\"";
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// A stream whose first bytes were looked at, and are read again.
struct Begun<S> {
    first: Vec<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> Begun<S> {
    fn new(stream: S) -> Self {
        Self {
            first: Vec::new(),
            stream,
        }
    }

    /// Reads until it is decided how the stream begins.
    async fn look(&mut self, decide: impl Fn(&[u8]) -> Beginning) -> io::Result<Beginning> {
        loop {
            match decide(&self.first) {
                Beginning::Undecided => self.read_more().await?,
                decided => return Ok(decided),
            }
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; READ_CHUNK];
        match self.stream.read(&mut chunk).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.first
                    .extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let count = self.first.len().min(into.remaining());
        let first: Vec<_> = self.first.drain(..count).collect();
        into.put_slice(&first);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_tls_or_http_is_told_however_little_of_it_came() {
        for (first, means) in [
            (&b""[..], Beginning::Undecided),
            (b"G", Beginning::Undecided),
            (b"GET", Beginning::Undecided),
            (b"GET /apiws", Beginning::Http),
            (b"GOT ", Beginning::Other),
            (&[0x16], Beginning::Undecided),
            (&[0x16, 3, 1, 2, 0], Beginning::Tls),
            (&[0x16, 3, 4], Beginning::Other),
            (&[0xef], Beginning::Other),
        ] {
            assert_eq!(beginning(first), means, "{first:?}");
        }
    }
}

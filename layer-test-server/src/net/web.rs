//! WebSockets, and the TLS around them (documentation page `mtproto/transports`).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::entrance::Duplex;
use crate::config::TlsIdentity;

/// No message that goes is longer, in bytes.
const MAX_WRITTEN: usize = 64 * 1024;
/// What may be around a packet in a message.
const OVERHEAD: usize = 1024;

/// The server's side of TLS.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: String,
}

impl Tls {
    /// TLS with this certificate and key, or with one made now for `localhost` and the addresses.
    pub(crate) fn new(
        identity: Option<TlsIdentity>,
        addresses: &[SocketAddr],
    ) -> Result<Self, String> {
        let identity = match identity {
            Some(identity) => identity,
            None => make(addresses)?,
        };
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("the certificate: {error}"))?;
        if chain.is_empty() {
            return Err("the certificate: expected PEM that begins with BEGIN CERTIFICATE".into());
        }
        let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes())
            .map_err(|error| format!("the private key: {error}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| error.to_string())?;
        // Browsers would take HTTP/2 otherwise, and other clients may name nothing.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate: identity.certificate,
        })
    }

    /// The certificate as PEM, which clients may trust.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(super) async fn accept<S: Duplex>(&self, stream: S) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }
}

/// A certificate that nobody has signed but its own key.
fn make(addresses: &[SocketAddr]) -> Result<TlsIdentity, String> {
    let mut names = vec!["localhost".to_owned()];
    for address in addresses {
        let name = address.ip().to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| format!("no certificate can be made: {error}"))?;
    Ok(TlsIdentity {
        certificate: made.cert.pem(),
        private_key: made.signing_key.serialize_pem(),
    })
}

/// Grants the wish for a WebSocket. No message may be much longer than a packet.
pub(super) async fn accept<S: Duplex>(
    stream: S,
    packet: usize,
) -> io::Result<impl Duplex + use<S>> {
    let longest = packet.saturating_add(OVERHEAD);
    let config = WebSocketConfig::default()
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_WRITTEN);
    let socket = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config)).await;
    Ok(Messages {
        socket: socket.map_err(broken)?,
        unread: Bytes::new(),
        unsent: false,
    })
}

/// Telegram's servers have their WebSockets at `/apiws`, and at such paths as `/apiws_test`, and speak `binary` there.
#[expect(
    clippy::result_large_err,
    reason = "the signature is that of tungstenite"
)]
fn check(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let refuse = |status: StatusCode, why: &str| {
        let mut refusal = ErrorResponse::new(Some(why.to_owned()));
        *refusal.status_mut() = status;
        Err(refusal)
    };
    if !request.uri().path().starts_with("/apiws") {
        return refuse(StatusCode::NOT_FOUND, "the WebSocket is at /apiws\n");
    }
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "binary");
    if !speaks {
        let why = "Sec-WebSocket-Protocol must offer: binary\n";
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    response
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("binary"));
    Ok(response)
}

/// The messages of a WebSocket as a stream of bytes.
struct Messages<S> {
    socket: WebSocketStream<S>,
    /// The rest of the message that came last.
    unread: Bytes,
    /// Whether a message may still wait in the socket. Whoever reads sees it off, too.
    unsent: bool,
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, format!("WebSocket: {error}")),
    }
}

impl<S: Duplex> Messages<S> {
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(broken)?;
            self.unsent = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Duplex> AsyncRead for Messages<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(error)) = self.poll_sent(cx) {
            return Poll::Ready(Err(error));
        }
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
                // Pings are answered by the socket itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    let why = "WebSocket: a message of text, expected binary ones";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                }
                None
                | Some(
                    Ok(Message::Close(_))
                    | Err(
                        Error::ConnectionClosed
                        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                    ),
                ) => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let count = self.unread.len().min(into.remaining());
        into.put_slice(&self.unread.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S: Duplex> AsyncWrite for Messages<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // One message at a time, so that a slow reader holds us up.
        ready!(self.poll_sent(cx))?;
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(broken)?;
        let bytes = bytes.get(..MAX_WRITTEN).unwrap_or(bytes);
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket)
            .start_send(message)
            .map_err(broken)?;
        self.unsent = true;
        // It is taken, whether or not it can go at once.
        match self.poll_sent(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(broken)
    }
}

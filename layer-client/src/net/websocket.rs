//! A WebSocket as a stream of bytes (`mtproto/transports#websocket`): what is written goes out in
//! binary messages, and what comes in such messages is read, wherever one ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::stream::Duplex;
use crate::client::WebSocket;
use crate::error::ConnectCause;

/// No message that comes may be longer, in bytes: as long as the largest packet, with what is around it.
const MAX_MESSAGE: usize = layer_mtproto::transport::MAX_PACKET + 1024;
/// No message that goes is longer.
const MAX_WRITTEN: usize = 64 * 1024;

/// TLS for WebSockets.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    pub(super) fn new(socket: &WebSocket) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(socket.roots())
            .with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// The same stream within TLS, with a server that has a certificate for `host`.
    pub(super) async fn wrap(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<Box<dyn Duplex>, ConnectCause> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConnectCause::Tls(format!("{host:?} is no name of a host")))?;
        let stream = self.0.connect(name, stream).await.map_err(|error| {
            let is_tls = error
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>());
            match (is_tls, error.kind()) {
                (true, _) => ConnectCause::Tls(error.to_string()),
                (false, io::ErrorKind::UnexpectedEof) => ConnectCause::HungUp,
                (false, _) => ConnectCause::Io(Arc::new(error)),
            }
        })?;
        Ok(Box::new(stream))
    }
}

/// Asks for a WebSocket. `authority` is the host that is asked for, with its port unless that is
/// the usual one.
pub(super) async fn upgrade(
    stream: Box<dyn Duplex>,
    secure: bool,
    authority: &str,
    test_mode: bool,
) -> Result<Box<dyn Duplex>, ConnectCause> {
    let scheme = if secure { "wss" } else { "ws" };
    let path = if test_mode { "apiws_test" } else { "apiws" };
    let mut request = format!("{scheme}://{authority}/{path}")
        .into_client_request()
        .map_err(refused)?;
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", HeaderValue::from_static("binary"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_WRITTEN);
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
        .await
        .map_err(refused)?;
    Ok(Box::new(Messages {
        socket,
        unread: Bytes::new(),
        unsent: false,
    }))
}

fn refused(error: Error) -> ConnectCause {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => ConnectCause::HungUp,
        Error::Io(error) => ConnectCause::Io(Arc::new(error)),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => ConnectCause::HungUp,
        Error::Http(answer) => ConnectCause::WebSocket(format!("HTTP {}", answer.status())),
        error => ConnectCause::WebSocket(error.to_string()),
    }
}

/// The messages of a WebSocket as a stream of bytes.
struct Messages {
    socket: WebSocketStream<Box<dyn Duplex>>,
    /// The rest of the message that came last.
    unread: Bytes,
    /// Whether a message may not be with the operating system yet. Whoever reads sees it off, too.
    unsent: bool,
}

impl Messages {
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(broken)?;
            self.unsent = false;
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, format!("WebSocket: {error}")),
    }
}

impl AsyncRead for Messages {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // What is left to be sent does not wait for someone who writes.
        if let Poll::Ready(Err(error)) = self.poll_sent(cx) {
            return Poll::Ready(Err(error));
        }
        while self.unread.is_empty() {
            self.unread = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None | Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed)) => {
                    return Poll::Ready(Ok(()));
                }
                Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                    return Poll::Ready(Ok(()));
                }
                Some(Ok(Message::Binary(bytes))) => bytes,
                // Pings are answered by themselves.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Bytes::new(),
                Some(Ok(Message::Text(_))) => {
                    let error = "WebSocket: a message of text, expected binary ones";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            };
        }
        let taken = self.unread.len().min(into.remaining());
        into.put_slice(&self.unread.split_to(taken));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Messages {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // One message at a time, so that a slow reader holds us up.
        ready!(self.poll_sent(cx))?;
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(broken)?;
        let bytes = &bytes[..bytes.len().min(MAX_WRITTEN)];
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket)
            .start_send(message)
            .map_err(broken)?;
        self.unsent = true;
        // It is taken, whether or not all of it can go now.
        if let Poll::Ready(Err(error)) = self.poll_sent(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(broken)
    }
}

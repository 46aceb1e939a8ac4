//! A server of WebSockets that hands on what comes in binary messages.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::Middleman;

/// A certificate for these names, and what signs connections with it.
pub struct Identity {
    pub pem: String,
    config: Arc<ServerConfig>,
}

pub fn identity(names: &[&str]) -> Identity {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    Identity {
        pem: made.cert.pem(),
        config: Arc::new(config),
    }
}

/// Hands on to `target`. Notes who was asked for, as `host path`.
pub async fn websocket(target: SocketAddr, identity: Option<&Identity>) -> Middleman {
    let tls = identity.map(|identity| TlsAcceptor::from(identity.config.clone()));
    Middleman::start(move |stream, asked| {
        let tls = tls.clone();
        async move {
            let note = move |text| asked.lock().unwrap().push(text);
            match tls {
                Some(tls) => serve(tls.accept(stream).await.ok()?, target, note).await,
                None => serve(stream, target, note).await,
            }
        }
    })
    .await
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    target: SocketAddr,
    note: impl FnOnce(String),
) -> Option<()> {
    let mut asked = String::new();
    #[allow(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    let callback = |request: &Request, mut response: Response| {
        let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok());
        assert_eq!(header("sec-websocket-protocol"), Some("binary"));
        asked = format!(
            "{} {}",
            header("host").unwrap_or_default(),
            request.uri().path()
        );
        let headers = response.headers_mut();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("binary"));
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, callback)
        .await
        .ok()?;
    note(asked);
    let (mut messages, mut incoming) = socket.split();
    let mut onward = TcpStream::connect(target).await.ok()?;
    let mut bytes = vec![0; 4000];
    loop {
        tokio::select! {
            message = incoming.next() => match message?.ok()? {
                Message::Binary(bytes) => onward.write_all(&bytes).await.ok()?,
                Message::Close(_) => return Some(()),
                Message::Text(_) => panic!("a message of text"),
                _ => {}
            },
            read = onward.read(&mut bytes) => match read.ok()? {
                0 => return Some(()),
                read => {
                    // A ping in between must not matter.
                    messages.send(Message::Ping(vec![1].into())).await.ok()?;
                    let part = bytes[..read].to_vec();
                    messages.send(Message::Binary(part.into())).await.ok()?;
                }
            },
        }
    }
}

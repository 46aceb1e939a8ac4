//! WebSockets, plain and over TLS, on the ports of everything else.

#![allow(clippy::unwrap_used)]

mod util;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use layer_mtproto::handshake::Purpose;
use layer_mtproto::session::SessionParams;
use layer_mtproto::transport::{ObfuscationParams, TransportKind};
use layer_test_server::tl::{enums, functions as f};
use layer_test_server::{Limits, Server, TlsIdentity};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use util::{Client, Duplex, Gone, Way, Wire, in_time};

type Socket = WebSocketStream<Box<dyn Duplex>>;

fn way(kind: TransportKind) -> Way {
    let params = ObfuscationParams {
        secret: None,
        dc_id: 0,
    };
    Way {
        kind,
        obfuscation: Some(params),
    }
}

async fn tcp(server: &Server) -> TcpStream {
    TcpStream::connect(server.address(1).unwrap())
        .await
        .unwrap()
}

/// TLS with a server that has this certificate for that host.
async fn tls(server: &Server, pem: &str, host: &str) -> std::io::Result<Box<dyn Duplex>> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp(server).await);
    Ok(Box::new(stream.await?))
}

/// Asks for a WebSocket.
async fn upgrade(
    stream: Box<dyn Duplex>,
    path: &str,
    protocol: Option<&str>,
) -> Result<Socket, Error> {
    let mut request = format!("ws://localhost{path}").into_client_request()?;
    if let Some(protocol) = protocol {
        let value = protocol.parse().unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", value);
    }
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}

async fn send(socket: &mut Socket, message: Message) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await?;
    Pin::new(&mut *socket).start_send(message)?;
    poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx)).await
}

async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await
}

/// The bytes of a WebSocket's messages.
fn bytes_of(mut socket: Socket) -> DuplexStream {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        let mut buffer = vec![0; 4096];
        loop {
            tokio::select! {
                message = next(&mut socket) => match message {
                    Some(Ok(Message::Binary(bytes))) => far.write_all(&bytes).await.unwrap(),
                    _ => return,
                },
                count = far.read(&mut buffer) => match count {
                    Ok(count @ 1..) => {
                        let bytes = buffer[..count].to_vec();
                        send(&mut socket, Message::binary(bytes)).await.unwrap();
                    }
                    _ => return,
                },
            }
        }
    });
    near
}

async fn signed_on(server: &Server, socket: Socket, kind: TransportKind) -> Client {
    let mut wire = Wire::over(bytes_of(socket), way(kind));
    let outcome = wire
        .handshake(server.public_key_pem(), 1, Purpose::Permanent)
        .await
        .unwrap();
    let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
    let enums::Config::Config(config) = client.hello().await.unwrap();
    assert_eq!(config.this_dc, 1);
    client
}

/// A server that counts the connections that come this way.
async fn counting(carrier: &str) -> Server {
    let rule = format!("connect over={carrier}: skew-clock 0");
    let server = Server::builder().fault(rule.parse().unwrap());
    server.start().await.unwrap()
}

#[tokio::test]
async fn a_web_socket_carries_every_transport() {
    let server = counting("ws").await;
    in_time(async {
        for (kind, path) in TransportKind::ALL.into_iter().zip([
            "/apiws",
            "/apiws",
            "/apiws_test",
            "/apiws_premium",
        ]) {
            let stream = Box::new(tcp(&server).await);
            let socket = upgrade(stream, path, Some("binary")).await.unwrap();
            signed_on(&server, socket, kind).await;
        }
        assert_eq!(server.faults().list()[0].fired, 4);
    })
    .await;
}

#[tokio::test]
async fn a_web_socket_over_tls_is_trusted_by_the_certificate_that_the_server_shows() {
    let server = counting("wss").await;
    in_time(async {
        let pem = server.tls_certificate_pem();
        for host in ["localhost", "127.0.0.1"] {
            let stream = tls(&server, pem, host).await.unwrap();
            let socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
            signed_on(&server, socket, TransportKind::Intermediate).await;
        }
        assert_eq!(server.faults().list()[0].fired, 2);
        // It is no other's certificate, and no other certificate will do.
        assert!(tls(&server, pem, "telegram.org").await.is_err());
        let other = Server::builder().start().await.unwrap();
        let pem = other.tls_certificate_pem();
        assert!(tls(&server, pem, "localhost").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_certificate_can_be_given() {
    let made = rcgen::generate_simple_self_signed(vec!["venus.example".to_owned()]).unwrap();
    let identity = TlsIdentity {
        certificate: made.cert.pem(),
        private_key: made.signing_key.serialize_pem(),
    };
    assert!(!format!("{identity:?}").contains("PRIVATE"));
    let server = Server::builder().tls(identity).start().await.unwrap();
    in_time(async {
        assert_eq!(server.tls_certificate_pem(), made.cert.pem());
        let stream = tls(&server, &made.cert.pem(), "venus.example")
            .await
            .unwrap();
        let socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
        signed_on(&server, socket, TransportKind::PaddedIntermediate).await;
    })
    .await;
    let wrong = TlsIdentity {
        certificate: "none".into(),
        private_key: "none".into(),
    };
    let refused = Server::builder().tls(wrong).start().await.unwrap_err();
    assert!(
        refused.to_string().contains("BEGIN CERTIFICATE"),
        "{refused}"
    );
}

#[tokio::test]
async fn only_binary_web_sockets_at_apiws_are_granted() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        for (path, protocol, status) in [
            ("/", Some("binary"), 404),
            ("/apiws", None, 400),
            ("/apiws", Some("chat"), 400),
        ] {
            let stream = Box::new(tcp(&server).await);
            match upgrade(stream, path, protocol).await {
                Err(Error::Http(answer)) => assert_eq!(answer.status(), status),
                other => panic!("{path} {protocol:?}: {:?}", other.map(|_| ())),
            }
        }
        let stream = Box::new(tcp(&server).await);
        upgrade(stream, "/apiws", Some("chat, binary"))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_does_not_belong_into_a_web_socket_ends_it() {
    let limits = Limits {
        packet: 64 * 1024,
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        // A transport that is not obfuscated, text, and more than a packet at once.
        for message in [
            Message::binary(vec![0xee; 4]),
            Message::text("hello"),
            Message::binary(vec![7; 128 * 1024]),
        ] {
            let stream = Box::new(tcp(&server).await);
            let mut socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
            // A server that has hung up shows when we read.
            let _ = send(&mut socket, message).await;
            while let Some(Ok(message)) = next(&mut socket).await {
                assert!(matches!(message, Message::Close(_)), "{message:?}");
            }
        }
        // Within TLS there is nothing else.
        let pem = server.tls_certificate_pem();
        let mut stream = tls(&server, pem, "localhost").await.unwrap();
        stream.write_all(&[0xef; 8]).await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
    })
    .await;
}

#[tokio::test]
async fn pings_of_a_web_socket_are_answered() {
    let server = Server::builder().start().await.unwrap();
    in_time(async {
        let stream = Box::new(tcp(&server).await);
        let mut socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
        send(&mut socket, Message::Ping(b"there?".to_vec().into()))
            .await
            .unwrap();
        let answer = next(&mut socket).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(b"there?".to_vec().into()));
    })
    .await;
}

#[tokio::test]
async fn large_calls_and_answers_pass() {
    let server = Server::builder().start().await.unwrap();
    let ann = server.add_user(layer_test_server::NewUser::named("+15550001", "Ann"));
    in_time(async {
        let pem = server.tls_certificate_pem();
        let stream = tls(&server, pem, "localhost").await.unwrap();
        let socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
        let mut client = signed_on(&server, socket, TransportKind::Intermediate).await;
        client.enter(&server, "+15550001").await;
        for file_part in 0..2 {
            let part = f::upload::SaveFilePart {
                file_id: 1,
                file_part,
                bytes: (0..512 * 1024).map(|_| fastrand::u8(..)).collect(),
            };
            assert!(client.invoke(&part).await.unwrap());
        }
        let _ = ann;
    })
    .await;
}

#[tokio::test]
async fn a_silent_web_socket_is_closed() {
    let limits = Limits {
        handshake: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let stream = Box::new(tcp(&server).await);
        let mut socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
        while let Some(Ok(message)) = next(&mut socket).await {
            assert!(matches!(message, Message::Close(_)), "{message:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn faults_happen_within_a_web_socket() {
    let rule = "out over=ws packet=2: cut 10".parse().unwrap();
    let server = Server::builder().fault(rule).start().await.unwrap();
    in_time(async {
        let stream = Box::new(tcp(&server).await);
        let socket = upgrade(stream, "/apiws", Some("binary")).await.unwrap();
        let mut wire = Wire::over(bytes_of(socket), way(TransportKind::Intermediate));
        let outcome = wire
            .handshake(server.public_key_pem(), 1, Purpose::Permanent)
            .await
            .unwrap();
        let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
        client.hello().await.unwrap();
        client.submit(&f::help::GetConfig {});
        while client.turn().await.is_ok() {}
        assert_eq!(client.wire.receive().await, Err(Gone::Closed));
        assert_eq!(server.faults().list()[0].fired, 1);
    })
    .await;
}

//! WebSockets, with TLS and without, straight and through proxies, and servers that have none.

#![cfg(feature = "websocket")]
#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod middlemen;
mod support;

use std::sync::Arc;
use std::time::Duration;

use layer_client::files::Upload;
use layer_client::proxy::ProxySecret;
use layer_client::session::MemoryStorage;
use layer_client::{
    Client, Config, ConnectCause, DcAddress, Error, Proxy, Transport, TransportKind, WebSocket, tl,
};
use layer_test_server::Server;
use middlemen::websocket::{Identity, identity, websocket};
use middlemen::{Middleman, http, socks5};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn ask(config: Config) -> Result<(), Error> {
    let client = Client::connect(config).await?;
    let asked = client.invoke(&tl::functions::help::GetConfig {}).await?;
    let tl::enums::Config::Config(config) = asked;
    assert!(!config.dc_options.is_empty());
    client.disconnect().await
}

/// For the server, by way of a server of WebSockets before it.
fn over(socket: WebSocket, middleman: &Middleman, server: &Server) -> Config {
    Config {
        transport: socket.into(),
        dc_addresses: vec![DcAddress::new(1, middleman.address)],
        ..config(server)
    }
}

fn secure(identity: &Identity) -> WebSocket {
    WebSocket::new()
        .with_root_certificates(&identity.pem)
        .unwrap()
}

async fn cause(config: Config) -> (ConnectCause, String) {
    let error = Client::connect(config).await.unwrap_err();
    let sentence = error.to_string();
    match error {
        Error::Connect(error) => (error.cause, sentence),
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn every_framing_goes_over_websockets() {
    let server = server().await;
    let target = server.address(1).unwrap();
    let identity = identity(&["127.0.0.1"]);
    let (plain, tls) = (
        websocket(target, None).await,
        websocket(target, Some(&identity)).await,
    );
    for (times, framing) in (1..).zip(TransportKind::ALL) {
        for (socket, middleman) in [(WebSocket::insecure(), &plain), (secure(&identity), &tls)] {
            let config = over(socket.with_framing(framing), middleman, &server);
            let shown = config.transport.to_string();
            ask(config)
                .await
                .unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert_eq!(middleman.times_asked(), times, "{shown}");
            let asked_for = format!("{} /apiws", middleman.address);
            assert_eq!(middleman.last_asked(), asked_for);
        }
    }
}

#[tokio::test]
async fn someone_signs_in_and_sends_a_file_over_a_websocket() {
    let server = server().await;
    let person = person(&server);
    let identity = identity(&["127.0.0.1"]);
    let middleman = websocket(server.address(1).unwrap(), Some(&identity)).await;
    let client = Client::connect(over(secure(&identity), &middleman, &server))
        .await
        .unwrap();
    let user = sign_in(&server, &client).await.unwrap();
    assert_eq!(user.id(), person.id());
    // Larger than any one message that is written, both ways.
    let bytes: Vec<u8> = (0..1_500_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let upload = Upload::bytes("large.bin", &bytes);
    let sent = client.send_file("me", upload, "").await.unwrap();
    assert!(client.download_bytes(&sent).await.unwrap() == bytes);
    client.disconnect().await.unwrap();
}

#[tokio::test]
async fn websockets_go_through_proxies_which_look_the_name_up() {
    let server = server().await;
    let target = server.address(1).unwrap();
    let plain = websocket(target, None).await;
    let names = Some(plain.address);
    let (socks, http) = (socks5(None, names).await, http(None, names).await);
    for (proxy, middleman) in [
        (Proxy::socks5(socks.address.into()), &socks),
        (Proxy::http(http.address.into()), &http),
    ] {
        // An address of one's own.
        let own = Config {
            proxy: Some(proxy.clone()),
            ..over(WebSocket::insecure(), &plain, &server)
        };
        ask(own.clone()).await.unwrap();
        assert_eq!(middleman.last_asked(), plain.address.to_string());
        // Telegram's, whose names no test resolves: the proxy does.
        let telegrams = Config {
            dc_addresses: Vec::new(),
            ..own.clone()
        };
        ask(telegrams.clone()).await.unwrap();
        assert_eq!(middleman.last_asked(), "pluto.web.telegram.org:80");
        assert_eq!(plain.last_asked(), "pluto.web.telegram.org /apiws");
        // And its test servers', which are told apart by the path.
        let tests = Config {
            test_mode: true,
            ..telegrams
        };
        let _ = Client::connect(Config {
            connect_timeout: Duration::from_secs(2),
            ..tests
        })
        .await;
        assert_eq!(plain.last_asked(), "pluto.web.telegram.org /apiws_test");
    }
}

#[tokio::test]
async fn tls_goes_through_proxies_too() {
    let server = server().await;
    let identity = identity(&["data.example"]);
    let tls = websocket(server.address(1).unwrap(), Some(&identity)).await;
    let proxy = socks5(None, None).await;
    let socket = secure(&identity).with_host("data.example").unwrap();
    let config = Config {
        proxy: Some(Proxy::socks5(proxy.address.into())),
        ..over(socket, &tls, &server)
    };
    ask(config).await.unwrap();
    assert_eq!(
        tls.last_asked(),
        format!("data.example:{} /apiws", tls.address.port())
    );
    assert_eq!(proxy.last_asked(), tls.address.to_string());
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused() {
    let server = server().await;
    let right = identity(&["127.0.0.1"]);
    let other = identity(&["data.example"]);
    let middleman = websocket(server.address(1).unwrap(), Some(&other)).await;
    for socket in [
        WebSocket::new(), // signed by nobody we know
        secure(&right),   // signed by another
        secure(&other),   // for another name
    ] {
        let (cause, sentence) = cause(over(socket, &middleman, &server)).await;
        assert!(matches!(cause, ConnectCause::Tls(_)), "{cause:?}");
        assert!(sentence.contains("with_root_certificates"), "{sentence}");
    }
    assert_eq!(middleman.times_asked(), 0);
}

#[tokio::test]
async fn servers_without_websockets_are_told_as_such() {
    let server = server().await;
    for (answer, words) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP 404",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "HTTP 200"),
        (
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "opens no WebSocket",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "opens no WebSocket"),
    ] {
        let middleman = Middleman::saying(answer.into(), true).await;
        let (cause, sentence) = cause(over(WebSocket::insecure(), &middleman, &server)).await;
        assert!(
            matches!(cause, ConnectCause::WebSocket(_)),
            "{answer}: {cause:?}"
        );
        assert!(sentence.contains(words), "{sentence}");
    }
    let no_tls = Middleman::saying(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true).await;
    let (cause, _) = cause(over(WebSocket::new(), &no_tls, &server)).await;
    assert!(matches!(cause, ConnectCause::Tls(_)), "{cause:?}");
}

#[tokio::test]
async fn a_server_that_hangs_during_the_opening_is_given_up_in_time() {
    let server = server().await;
    for (socket, words) in [
        (WebSocket::insecure(), "WebSocket's opening"),
        (WebSocket::new(), "TLS handshake"),
    ] {
        let middleman = Middleman::saying(Vec::new(), false).await;
        let config = Config {
            connect_timeout: Duration::from_secs(3),
            ..over(socket, &middleman, &server)
        };
        let error = Client::connect(config).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_opening_cut_off_at_any_byte_is_an_error() {
    let server = server().await;
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
    let mut running = tokio::task::JoinSet::new();
    for at_byte in (0..answer.len()).step_by(3) {
        let middleman = Middleman::saying(answer[..at_byte].to_vec(), true).await;
        let config = over(WebSocket::insecure(), &middleman, &server);
        running.spawn(async move {
            let cause = cause(config).await.0;
            drop(middleman);
            cause
        });
    }
    while let Some(cause) = running.join_next().await {
        let cause = cause.unwrap();
        assert!(
            matches!(cause, ConnectCause::HungUp | ConnectCause::WebSocket(_)),
            "{cause:?}"
        );
    }
}

/// Opens a WebSocket as RFC 6455 says, and then sends `frames`.
async fn misbehaving(frames: Vec<u8>) -> Middleman {
    Middleman::start(move |mut stream, _| {
        let frames = frames.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            let head = String::from_utf8(head).ok()?;
            let key = head
                .lines()
                .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))?;
            use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.ok()?;
            stream.write_all(&frames).await.ok()?;
            while stream.read(&mut [0; 4096]).await.ok()? > 0 {}
            Some(())
        }
    })
    .await
}

#[tokio::test]
async fn messages_that_break_the_rules_end_the_connection() {
    let server = server().await;
    let oversized = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
    let just_oversized = [&[0x82, 127][..], &(17_u64 << 20).to_be_bytes()].concat();
    for (frames, words) in [
        (vec![0x81, 2, b'h', b'i'], "text"),
        (oversized, "WebSocket"),
        (just_oversized, "WebSocket"),
        (vec![0xff; 20], "WebSocket"),
        (vec![0x88, 0], "hung up"),
    ] {
        let middleman = misbehaving(frames).await;
        let (cause, sentence) = cause(over(WebSocket::insecure(), &middleman, &server)).await;
        assert!(
            matches!(cause, ConnectCause::Io(_) | ConnectCause::HungUp),
            "{cause:?}"
        );
        assert!(sentence.contains(words), "{sentence}");
    }
}

#[tokio::test]
async fn the_text_of_a_transport_is_enough_for_a_websocket() {
    let server = server().await;
    let plain = websocket(server.address(1).unwrap(), None).await;
    let transport: Transport = "ws-intermediate".parse().unwrap();
    let config = Config {
        transport,
        ..over(WebSocket::insecure(), &plain, &server)
    };
    ask(config).await.unwrap();
}

/// Every framing, plain, obfuscated and in WebSockets, straight to the embedded data centre and through
/// each kind of proxy: whatever can be configured leads there.
#[tokio::test]
async fn every_combination_leads_to_the_embedded_data_centre() {
    let secrets = [
        ProxySecret::plain([1; 16]),
        ProxySecret::padded([1; 16]),
        ProxySecret::fake_tls([2; 16], "www.example.com").unwrap(),
    ];
    let server = Server::builder()
        .mtproxy_secret([1; 16])
        .mtproxy_secret(secrets[2].clone())
        .start()
        .await
        .unwrap();
    let wss = WebSocket::new()
        .with_root_certificates(server.tls_certificate_pem())
        .unwrap();
    let (socks, http) = (socks5(None, None).await, http(None, None).await);
    let proxies = [
        None,
        Some(Proxy::socks5(socks.address.into())),
        Some(Proxy::http(http.address.into())),
    ];
    let mut combinations = Vec::new();
    for kind in TransportKind::ALL {
        for transport in [
            Transport::Plain(kind),
            Transport::Obfuscated(kind),
            WebSocket::insecure().with_framing(kind).into(),
            wss.clone().with_framing(kind).into(),
        ] {
            combinations.extend(proxies.clone().map(|proxy| (transport.clone(), proxy)));
        }
        for transport in [Transport::Plain(kind), Transport::Obfuscated(kind)] {
            for secret in &secrets {
                if kind != TransportKind::Full || secret.framing().is_some() {
                    let address = server.address(1).unwrap().into();
                    let proxy = Proxy::mtproxy(address, secret.clone());
                    combinations.push((transport.clone(), Some(proxy)));
                }
            }
        }
    }
    // One key for all, so that it is the ways that take the time.
    let storage = Arc::new(MemoryStorage::new());
    let count = combinations.len();
    for (transport, proxy) in combinations {
        let shown = format!("{transport} {proxy:?}");
        let config = Config {
            transport,
            proxy,
            session_storage: Some(storage.clone()),
            ..config(&server)
        };
        ask(config)
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
    }
    assert_eq!((count, server.key_count()), (4 * 4 * 3 + 4 * 2 * 3 - 2, 1));
    assert_eq!((socks.times_asked(), http.times_asked()), (16, 16));
}

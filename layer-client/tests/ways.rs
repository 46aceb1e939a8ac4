//! Every way to a data centre, over real sockets: proxies, WebSockets, addresses that are dead.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod middlemen;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_client::proxy::{Address, ProxyError, ProxySecret};
use layer_client::session::{DcOption, MemoryStorage, Session};
use layer_client::{
    Client, Config, ConnectCause, DcAddress, Error, Proxy, Transport, TransportKind, tl,
};
use layer_test_server::Server;
use middlemen::mtproxy::mtproxy;
use middlemen::{Middleman, http, socks5};
use support::*;

const KEY: [u8; 16] = *b"sixteen bytes ok";

/// Asks the data centre for something, over a connection of its own.
async fn ask(config: Config) -> Result<(), Error> {
    let client = Client::connect(config).await?;
    let tl::enums::Config::Config(config) =
        client.invoke(&tl::functions::help::GetConfig {}).await?;
    assert!(!config.dc_options.is_empty());
    client.disconnect().await
}

fn through(proxy: Proxy, config: Config) -> Config {
    Config {
        proxy: Some(proxy),
        ..config
    }
}

/// For a server that nobody need reach.
fn nowhere() -> Config {
    Config {
        api_id: 1,
        api_hash: "hash".to_owned(),
        dc_addresses: vec![DcAddress::new(2, "127.0.0.1:9".parse().unwrap())],
        connect_timeout: Duration::from_secs(20),
        ..Config::default()
    }
}

/// What a proxy did wrong, in the client's words; both as a type and as a sentence.
async fn failure(proxy: Proxy) -> (ProxyError, String) {
    let name = proxy.to_string();
    let error = Client::connect(through(proxy, nowhere()))
        .await
        .unwrap_err();
    let sentence = error.to_string();
    let Error::Connect(error) = error else {
        panic!("{error:?}");
    };
    let ConnectCause::Proxy(failure) = error.cause else {
        panic!("{error:?}");
    };
    assert!(sentence.contains(&name), "{sentence}");
    (failure.error.clone(), sentence)
}

fn at(middleman: &Middleman) -> Address {
    middleman.address.into()
}

/// An address that nobody listens at.
async fn dead() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Both framings and obfuscations, without WebSockets.
fn over_tcp() -> impl Iterator<Item = Transport> {
    TransportKind::ALL
        .into_iter()
        .flat_map(|kind| [Transport::Plain(kind), Transport::Obfuscated(kind)])
}

#[tokio::test]
async fn every_transport_goes_through_a_socks5_proxy() {
    let server = server().await;
    let proxy = socks5(None, None).await;
    for (times, transport) in (1..).zip(over_tcp()) {
        let shown = transport.to_string();
        let config = through(
            Proxy::socks5(at(&proxy)),
            Config {
                transport,
                ..config(&server)
            },
        );
        ask(config)
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(proxy.times_asked(), times, "{shown}");
    }
    assert_eq!(proxy.last_asked(), server.address(1).unwrap().to_string());
}

#[tokio::test]
async fn every_transport_goes_through_an_http_proxy() {
    let server = server().await;
    let proxy = http(None, None).await;
    for (times, transport) in (1..).zip(over_tcp()) {
        let shown = transport.to_string();
        let config = through(
            Proxy::http(at(&proxy)),
            Config {
                transport,
                ..config(&server)
            },
        );
        ask(config)
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(proxy.times_asked(), times, "{shown}");
    }
    assert_eq!(proxy.last_asked(), server.address(1).unwrap().to_string());
}

#[tokio::test]
async fn proxies_are_told_the_name_and_the_password() {
    let server = server().await;
    let socks = socks5(Some(("ada", "love:lace")), None).await;
    let http = http(Some("YWRhOmxvdmU6bGFjZQ=="), None).await;
    for proxy in [Proxy::socks5(at(&socks)), Proxy::http(at(&http))] {
        let config = |proxy| through(proxy, config(&server));
        ask(config(proxy.clone().with_credentials("ada", "love:lace")))
            .await
            .unwrap();
        let (error, sentence) = failure(proxy.clone()).await;
        assert!(
            matches!(error, ProxyError::CredentialsRequired),
            "{error:?}"
        );
        assert!(
            sentence.contains("put them into Config::proxy"),
            "{sentence}"
        );
        let (error, sentence) = failure(proxy.with_credentials("ada", "babbage")).await;
        assert!(matches!(error, ProxyError::CredentialsRefused), "{error:?}");
        assert!(!sentence.contains("babbage"), "{sentence}");
    }
    assert_eq!((socks.times_asked(), http.times_asked()), (1, 1));
}

#[tokio::test]
async fn someone_signs_in_through_each_kind_of_proxy() {
    let server = server().await;
    let person = person(&server);
    let target = server.address(1).unwrap();
    let secret = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
    let (socks, http) = (socks5(None, None).await, http(None, None).await);
    let own = mtproxy(secret.clone(), target).await;
    for proxy in [
        Proxy::socks5(at(&socks)),
        Proxy::http(at(&http)),
        Proxy::mtproxy(at(&own), secret),
    ] {
        let client = Client::connect(through(proxy, config(&server)))
            .await
            .unwrap();
        let user = sign_in(&server, &client).await.unwrap();
        assert_eq!(user.id(), person.id());
        client.send_message("me", "through a proxy").await.unwrap();
        // Larger than a record of TLS.
        let long = "x".repeat(4000);
        for _ in 0..6 {
            client.send_message("me", long.as_str()).await.unwrap();
        }
        client.sign_out().await.unwrap();
    }
    assert!(socks.times_asked() > 0 && http.times_asked() > 0 && own.times_asked() > 0);
}

#[tokio::test]
async fn an_mtproxy_is_gone_through_with_each_kind_of_secret() {
    let server = server().await;
    let target = server.address(1).unwrap();
    for (secret, transport, expected) in [
        (ProxySecret::plain(KEY), Transport::default(), "1 abridged"),
        (
            ProxySecret::plain(KEY),
            Transport::Plain(TransportKind::Intermediate),
            "1 intermediate",
        ),
        (ProxySecret::padded(KEY), Transport::default(), "1 padded"),
        (
            ProxySecret::fake_tls(KEY, "www.example.com").unwrap(),
            Transport::default(),
            "1 padded",
        ),
    ] {
        let proxy = mtproxy(secret.clone(), target).await;
        let config = Config {
            transport,
            // The proxy knows where the data centre is.
            dc_addresses: vec![DcAddress::new(1, dead().await)],
            ..config(&server)
        };
        ask(through(Proxy::mtproxy(at(&proxy), secret), config))
            .await
            .unwrap();
        assert_eq!(proxy.last_asked(), expected);
    }
}

#[tokio::test]
async fn a_proxy_may_have_a_name() {
    let server = server().await;
    let proxy = socks5(None, None).await;
    let named = Address::new("localhost", proxy.address.port()).unwrap();
    ask(through(Proxy::socks5(named), config(&server)))
        .await
        .unwrap();
    assert_eq!(proxy.times_asked(), 1);
    let unknown = Address::new("no-such-proxy.invalid", 1).unwrap();
    let (error, sentence) = failure(Proxy::http(unknown)).await;
    assert!(matches!(error, ProxyError::Resolve(_)), "{error:?}");
    assert!(sentence.contains("check the name"), "{sentence}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_as_such() {
    let (error, sentence) = failure(Proxy::socks5(dead().await.into())).await;
    assert!(matches!(error, ProxyError::Io(_)), "{error:?}");
    assert!(sentence.contains("check that it runs there"), "{sentence}");
}

#[tokio::test]
async fn what_socks5_refuses_is_told_in_words() {
    for (code, words) in [
        (1, "general failure"),
        (2, "rules forbid"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "time to live"),
        (7, "does not connect"),
        (8, "type of address"),
    ] {
        let answer = [&[5, 0][..], &[5, code, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
        let proxy = Middleman::saying(answer, false).await;
        let (error, sentence) = failure(Proxy::socks5(at(&proxy))).await;
        assert!(matches!(error, ProxyError::Refused(_)), "{error:?}");
        assert!(sentence.contains(words), "{sentence}");
    }
    // A name that does not fit into the protocol is told before anything is said.
    let proxy = Middleman::saying(vec![5, 2], false).await;
    let long = Proxy::socks5(at(&proxy)).with_credentials(&"x".repeat(256), "y");
    let (error, _) = failure(long).await;
    assert!(matches!(error, ProxyError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn what_an_http_proxy_refuses_is_told_in_its_words() {
    for (answer, words) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP 403 Forbidden"),
        ("HTTP/1.0 502 Bad\u{7} Gateway\r\nA: b\r\n\r\n", "HTTP 502"),
        ("HTTP/1.1 503\r\n\r\n", "HTTP 503"),
    ] {
        let proxy = Middleman::saying(answer.into(), false).await;
        let (error, sentence) = failure(Proxy::http(at(&proxy))).await;
        assert!(
            matches!(error, ProxyError::Refused(_) | ProxyError::Protocol(_)),
            "{error:?}"
        );
        assert!(
            sentence.contains(words) || sentence.contains("not HTTP"),
            "{sentence}"
        );
    }
}

#[tokio::test]
async fn garbage_from_a_proxy_is_refused_without_waiting_for_its_end() {
    let endless = vec![b'a'; 100_000];
    let mut head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
    head.extend_from_slice(&endless);
    for answer in [endless, head] {
        let proxy = Middleman::saying(answer.clone(), false).await;
        let begun = Instant::now();
        let (error, _) = failure(Proxy::http(at(&proxy))).await;
        assert!(matches!(error, ProxyError::Protocol(_)), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(15));
        let proxy = Middleman::saying(answer, false).await;
        let (error, _) = failure(Proxy::socks5(at(&proxy))).await;
        assert!(matches!(error, ProxyError::Protocol(_)), "{error:?}");
    }
}

/// What comes of a proxy's answer that is cut off after so many bytes.
async fn cut_off(answer: &[u8], at_byte: usize, proxy: fn(Address) -> Proxy) -> ProxyError {
    let middleman = Middleman::saying(answer[..at_byte].to_vec(), true).await;
    failure(proxy(at(&middleman))).await.0
}

#[tokio::test]
async fn an_answer_cut_off_at_any_byte_is_an_error() {
    let socks = [&[5, 0][..], &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]].concat();
    let http = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
    let mut running = tokio::task::JoinSet::new();
    for at_byte in 0..socks.len() {
        let socks = socks.clone();
        running.spawn(async move { cut_off(&socks, at_byte, Proxy::socks5).await });
    }
    for at_byte in 0..http.len() {
        running.spawn(async move { cut_off(http, at_byte, Proxy::http).await });
    }
    while let Some(error) = running.join_next().await {
        let error = error.unwrap();
        assert!(
            matches!(error, ProxyError::HungUp | ProxyError::Io(_)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_is_given_up_in_time() {
    let socks = Proxy::socks5 as fn(Address) -> Proxy;
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for (proxy, said) in [
        (socks, &b""[..]),
        (socks, &[5]),
        (socks, &[5, 0, 5, 0, 0, 3, 200, b'x']),
        (Proxy::http, b""),
        (Proxy::http, b"HTTP/1.1 200 OK\r\n"),
    ] {
        running.spawn(async move {
            let middleman = Middleman::saying(said.to_vec(), false).await;
            let config = Config {
                connect_timeout: Duration::from_secs(3),
                ..nowhere()
            };
            Client::connect(through(proxy(at(&middleman)), config))
                .await
                .unwrap_err()
        });
    }
    while let Some(error) = running.join_next().await {
        let error = error.unwrap();
        assert!(error.is_timeout(), "{error:?}");
        assert!(
            error.to_string().contains("no answer within 1 s"),
            "{error}"
        );
    }
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn an_mtproxy_with_another_secret_is_found_out() {
    let target = dead().await;
    let right = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
    let wrong = ProxySecret::fake_tls([1; 16], "www.example.com").unwrap();
    let proxy = mtproxy(right, target).await;
    // It hangs up, as it would pass us on to the domain.
    let config = through(Proxy::mtproxy(at(&proxy), wrong.clone()), nowhere());
    let error = Client::connect(config).await.unwrap_err();
    assert!(error.to_string().contains("proxy secret"), "{error}");
    // And what answers for the domain is no proxy.
    let web = Middleman::saying(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true).await;
    let alert = Middleman::saying(vec![21, 3, 3, 0, 2, 2, 40], true).await;
    for (server, words) in [(web, "does not speak TLS"), (alert, "TLS alert 40")] {
        let config = through(Proxy::mtproxy(at(&server), wrong.clone()), nowhere());
        let error = Client::connect(config).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        let Error::Connect(error) = error else {
            panic!("{error:?}")
        };
        assert!(matches!(error.cause, ConnectCause::FakeTls(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_mtproxy_that_hangs_up_in_the_middle_of_its_hello_is_an_error() {
    let hello = [
        &[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3][..],
        &[0; 116],
        &[20, 3, 3, 0, 1],
    ]
    .concat();
    let secret = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
    let mut running = tokio::task::JoinSet::new();
    for at_byte in (0..16).chain([126, 127, hello.len()]) {
        let (part, secret) = (hello[..at_byte].to_vec(), secret.clone());
        running.spawn(async move {
            let proxy = Middleman::saying(part, true).await;
            let config = through(Proxy::mtproxy(at(&proxy), secret), nowhere());
            Client::connect(config).await.unwrap_err()
        });
    }
    while let Some(error) = running.join_next().await {
        let Error::Connect(error) = error.unwrap() else {
            panic!("another error")
        };
        assert!(matches!(error.cause, ConnectCause::HungUp), "{error:?}");
        assert!(error.to_string().contains("proxy secret"), "{error}");
    }
}

#[tokio::test]
async fn an_mtproxy_that_hangs_is_given_up_in_time() {
    let proxy = Middleman::saying(Vec::new(), false).await;
    let secret = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
    let config = Config {
        connect_timeout: Duration::from_secs(3),
        ..through(Proxy::mtproxy(at(&proxy), secret), nowhere())
    };
    let error = Client::connect(config).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(
        error.to_string().contains("TLS hello of the MTProxy"),
        "{error}"
    );
}

#[tokio::test]
async fn a_dead_address_does_not_keep_from_a_live_one() {
    let server = server().await;
    let alive = server.address(1).unwrap();
    let gone = dead().await;
    let gone_v6 = SocketAddr::new("::1".parse().unwrap(), gone.port());
    let addresses = [gone, gone_v6, alive];
    let config = Config {
        dc_addresses: addresses.map(|addr| DcAddress::new(1, addr)).into(),
        ..config(&server)
    };
    let begun = Instant::now();
    ask(config).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_data_centre_is_reached_over_ipv6() {
    let server = server().await;
    let alive = server.address(1).unwrap();
    let relay = Middleman::relay_at("[::1]:0", alive).await;
    let config = Config {
        dc_addresses: vec![DcAddress::new(1, relay.address)],
        ..config(&server)
    };
    ask(config.clone()).await.unwrap();
    assert_eq!(relay.times_asked(), 1);
    let socks = socks5(None, None).await;
    ask(through(Proxy::socks5(at(&socks)), config.clone()))
        .await
        .unwrap();
    assert_eq!(socks.last_asked(), relay.address.to_string());
    let http = http(None, None).await;
    ask(through(Proxy::http(at(&http)), config)).await.unwrap();
    assert_eq!(http.last_asked(), relay.address.to_string());
}

#[tokio::test]
async fn combinations_that_nobody_understands_are_refused_at_once() {
    let secret = ProxySecret::plain(KEY);
    let proxy = Proxy::mtproxy("127.0.0.1:1".parse().unwrap(), secret);
    #[allow(unused_mut, reason = "there are more with the feature")]
    let mut refused = vec![(Transport::Plain(TransportKind::Full), "intermediate one")];
    #[cfg(feature = "websocket")]
    refused.push((
        layer_client::WebSocket::new().into(),
        "an MTProxy takes none",
    ));
    for (transport, words) in refused {
        let config = Config {
            transport,
            ..through(proxy.clone(), nowhere())
        };
        let error = Client::connect(config).await.unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// A configuration that knows a data centre by nothing but what `help.getConfig` said of it.
fn knowing(server: &Server, option: DcOption) -> Config {
    let mut session = Session::default();
    session.home_dc = 1;
    session.dcs.entry(1).or_default().options = vec![option];
    let storage = Arc::new(MemoryStorage::new());
    session.save(&*storage).unwrap();
    Config {
        session_storage: Some(storage),
        dc_addresses: Vec::new(),
        connect_timeout: Duration::from_secs(10),
        ..config(server)
    }
}

#[tokio::test]
async fn an_address_with_a_secret_is_spoken_to_with_it() {
    let fake_tls = ProxySecret::fake_tls([2; 16], "www.example.com").unwrap();
    let server = Server::builder()
        .mtproxy_secret(ProxySecret::plain(KEY))
        .mtproxy_secret(fake_tls.clone())
        .start()
        .await
        .unwrap();
    let own = Middleman::start({
        let target = server.address(1).unwrap();
        move |mut stream, asked| async move {
            // Notes whether it began as TLS does, or as the plain abridged transport does.
            let mut first = [0; 1];
            stream.peek(&mut first).await.ok()?;
            asked.lock().unwrap().push(format!("{:02x}", first[0]));
            let mut onward = tokio::net::TcpStream::connect(target).await.ok()?;
            tokio::io::copy_bidirectional(&mut stream, &mut onward)
                .await
                .ok()?;
            Some(())
        }
    })
    .await;
    let mut option = DcOption::new(own.address);
    ask(knowing(&server, option.clone())).await.unwrap();
    assert_eq!(own.last_asked(), "ef");
    let bytes = |secret: &ProxySecret| -> Vec<u8> {
        let text = secret.expose();
        let digits = text.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    for secret in [
        None,
        Some(ProxySecret::plain(KEY)),
        Some(ProxySecret::padded(KEY)),
    ] {
        option.tcpo_only = true;
        option.secret = secret.as_ref().map(bytes);
        ask(knowing(&server, option.clone())).await.unwrap();
        assert_ne!(own.last_asked(), "ef", "it is obfuscated");
    }
    option.secret = Some(bytes(&fake_tls));
    ask(knowing(&server, option.clone())).await.unwrap();
    assert_eq!(own.last_asked(), "16", "a TLS hello");
    // A secret that the server does not have is of no use.
    option.secret = Some(vec![9; 16]);
    let error = ask(knowing(&server, option)).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn a_hello_has_the_time_of_the_servers_clock() {
    let secret = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
    let server = Server::builder()
        .mtproxy_secret(secret.clone())
        .start()
        .await
        .unwrap();
    for skew in [-50_000, 50_000] {
        server.skew_clock(skew);
        let proxy = Proxy::mtproxy(server.address(1).unwrap().into(), secret.clone());
        let mut session = Session::default();
        session.home_dc = 1;
        for known in [0, skew] {
            session.dcs.entry(1).or_default().time_offset = known;
            let storage = Arc::new(MemoryStorage::new());
            session.save(&*storage).unwrap();
            let config = Config {
                session_storage: Some(storage),
                connect_timeout: Duration::from_secs(10),
                ..through(proxy.clone(), config(&server))
            };
            let asked = ask(config).await;
            assert_eq!(asked.is_ok(), known == skew, "{skew} {known}: {asked:?}");
        }
    }
}

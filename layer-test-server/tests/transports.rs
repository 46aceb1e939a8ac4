//! The server tells every transport from its first bytes.

#![allow(clippy::unwrap_used)]

mod util;

use std::net::SocketAddr;
use std::time::Duration;

use layer_mtproto::faketls;
use layer_mtproto::handshake::Purpose;
use layer_mtproto::session::SessionParams;
use layer_mtproto::transport::{ObfuscationParams, TransportKind};
use layer_test_server::tl::{enums, functions as f};
use layer_test_server::{Limits, ProxySecret, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use util::{Client, Gone, Way, Wire, in_time, rng, unix};

const SECRET: [u8; 16] = *b"0123456789abcdef";

async fn server() -> Server {
    Server::builder()
        .mtproxy_secret([9; 16])
        .mtproxy_secret(SECRET)
        .start()
        .await
        .unwrap()
}

async fn this_dc(client: &mut Client) -> i32 {
    let enums::Config::Config(config) = client.hello().await.unwrap();
    assert_eq!(config.dc_options.len(), 2);
    config.this_dc
}

fn obfuscated(kind: TransportKind, secret: Option<[u8; 16]>, dc_id: i16) -> Way {
    Way {
        kind,
        obfuscation: Some(ObfuscationParams { secret, dc_id }),
    }
}

#[tokio::test]
async fn each_transport_is_served_plain() {
    let server = server().await;
    for kind in TransportKind::ALL {
        in_time(async {
            let way = Way {
                kind,
                obfuscation: None,
            };
            let mut client = Client::connect_by(&server, 2, way).await;
            assert_eq!(this_dc(&mut client).await, 2, "{kind}");
        })
        .await;
    }
}

#[tokio::test]
async fn each_transport_is_served_obfuscated() {
    let server = server().await;
    for kind in TransportKind::ALL {
        in_time(async {
            let mut client = Client::connect_by(&server, 1, obfuscated(kind, None, 0)).await;
            assert_eq!(this_dc(&mut client).await, 1, "{kind}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_proxy_secret_leads_to_the_data_centre_that_the_header_names() {
    let server = server().await;
    for kind in TransportKind::ALL {
        // Media and test data centres are the data centre of that number.
        for named in [2, -2, 10_002, -10_002] {
            in_time(async {
                // The port is that of DC 1.
                let way = obfuscated(kind, Some(SECRET), named);
                let mut wire = Wire::open(server.address(1).unwrap(), way).await;
                let outcome = wire
                    .handshake(
                        server.public_key_pem(),
                        i32::from(named),
                        Purpose::Permanent,
                    )
                    .await
                    .unwrap();
                let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
                assert_eq!(this_dc(&mut client).await, 2, "{kind} {named}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_data_centre_that_does_not_exist_is_refused() {
    let server = server().await;
    let way = obfuscated(TransportKind::Intermediate, Some(SECRET), 4);
    let mut wire = Wire::open(server.address(1).unwrap(), way).await;
    let refused = in_time(wire.handshake(server.public_key_pem(), 4, Purpose::Permanent)).await;
    assert_eq!(refused.unwrap_err(), Gone::Transport(-444));
}

#[tokio::test]
async fn a_key_for_another_data_centre_is_refused() {
    let server = server().await;
    in_time(async {
        for (named, made) in [
            (1, true),
            (-1, true),
            (10_001, true),
            (-10_001, true),
            (2, false),
            (7, false),
        ] {
            let mut wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
            let outcome = wire
                .handshake(server.public_key_pem(), named, Purpose::Permanent)
                .await;
            match outcome {
                Ok(_) => assert!(made, "{named}"),
                Err(gone) => assert_eq!((made, gone), (false, Gone::Transport(-444)), "{named}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_secret_the_header_means_nothing() {
    let server = server().await;
    let way = obfuscated(TransportKind::Abridged, None, 2);
    let mut client = in_time(Client::connect_by(&server, 1, way)).await;
    assert_eq!(this_dc(&mut client).await, 1);
}

#[tokio::test]
async fn a_wrong_secret_is_not_served() {
    let server = server().await;
    let way = obfuscated(TransportKind::Intermediate, Some([7; 16]), 2);
    let mut wire = Wire::open(server.address(1).unwrap(), way).await;
    wire.send(&[0; 40]).await;
    assert_eq!(in_time(wire.receive()).await, Err(Gone::Closed));
}

#[tokio::test]
async fn the_config_names_every_data_centre() {
    let server = Server::builder().data_centres(3).start().await.unwrap();
    let mut client = Client::connect(&server, 3).await;
    let enums::Config::Config(config) = in_time(client.invoke(&f::help::GetConfig {}))
        .await
        .unwrap();
    let listed: Vec<_> = config
        .dc_options
        .iter()
        .map(|option| {
            let enums::DcOption::Option(option) = option;
            (
                option.id,
                format!("{}:{}", option.ip_address, option.port)
                    .parse()
                    .unwrap(),
            )
        })
        .collect();
    assert_eq!(listed, server.addresses());
}

// -- FakeTLS ------------------------------------------------------------------------------------------------

const DOMAIN: &str = "www.example.com";

async fn disguised() -> Server {
    Server::builder()
        .mtproxy_secret(SECRET)
        .mtproxy_secret(ProxySecret::fake_tls([5; 16], DOMAIN).unwrap())
        .fault(
            "connect over=faketls times=9: skew-clock 0"
                .parse()
                .unwrap(),
        )
        .start()
        .await
        .unwrap()
}

/// Says hello, and takes the server's answer.
async fn say_hello(
    stream: &mut TcpStream,
    client: &mut faketls::Client,
) -> Result<faketls::Records, String> {
    stream.write_all(client.hello()).await.unwrap();
    let mut buffer = [0; 1000];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return Err("closed".into());
        }
        match client.feed(&buffer[..count]) {
            Ok(None) => {}
            Ok(Some(records)) => return Ok(records),
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[tokio::test]
async fn fake_tls_is_told_from_its_hello_and_leads_to_every_data_centre() {
    let server = disguised().await;
    in_time(async {
        for named in [1, 2, -2] {
            let mut stream = TcpStream::connect(server.address(1).unwrap())
                .await
                .unwrap();
            let mut client = faketls::Client::new(&[5; 16], DOMAIN, unix(), &mut *rng());
            let records = say_hello(&mut stream, &mut client).await.unwrap();
            let way = obfuscated(TransportKind::PaddedIntermediate, Some([5; 16]), named);
            let mut wire = Wire::over(stream, way).within(records);
            let dc = i32::from(named);
            let outcome = wire
                .handshake(server.public_key_pem(), dc, Purpose::Permanent)
                .await
                .unwrap();
            let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
            assert_eq!(this_dc(&mut client).await, dc.abs());
        }
        assert_eq!(
            server.faults().list()[0].fired,
            3,
            "what carries it is known"
        );
    })
    .await;
}

#[tokio::test]
async fn a_disguised_secret_is_worth_nothing_without_its_disguise() {
    let server = disguised().await;
    let way = obfuscated(TransportKind::PaddedIntermediate, Some([5; 16]), 1);
    let mut wire = Wire::open(server.address(1).unwrap(), way).await;
    wire.send(&[0; 40]).await;
    assert_eq!(in_time(wire.receive()).await, Err(Gone::Closed));
}

#[tokio::test]
async fn a_hello_of_another_or_an_overheard_one_gets_no_proof() {
    let server = disguised().await;
    in_time(async {
        let address = server.address(1).unwrap();
        let late = unix() - Duration::from_secs(3600);
        for (secret, domain, time) in [
            ([6; 16], DOMAIN, unix()),
            ([5; 16], "example.org", unix()),
            ([5; 16], DOMAIN, late),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut client = faketls::Client::new(&secret, domain, time, &mut *rng());
            say_hello(&mut stream, &mut client).await.unwrap_err();
        }
        let mut client = faketls::Client::new(&[5; 16], DOMAIN, unix(), &mut *rng());
        let overheard = client.hello().to_vec();
        let mut stream = TcpStream::connect(address).await.unwrap();
        say_hello(&mut stream, &mut client).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&overheard).await.unwrap();
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_millis(300), reading).await;
        // An answer of FakeTLS is three records: hello, change cipher spec, application data.
        assert_ne!(answer.first(), Some(&23));
        assert_eq!(server.faults().list()[0].fired, 0);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_say_how_to_be_served_is_shown_out() {
    let limits = Limits {
        handshake: Duration::from_millis(200),
        connections: 1,
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    in_time(async {
        let address = server.address(1).unwrap();
        for first in [
            &b""[..],
            b"GE",
            b"GET /apiws HTTP/1.1\r\n",
            &[0x16, 3, 1, 4],
        ] {
            let mut slow = TcpStream::connect(address).await.unwrap();
            slow.write_all(first).await.unwrap();
            // It takes the only place.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let mut other = TcpStream::connect(address).await.unwrap();
            assert_eq!(other.read(&mut [0; 8]).await.unwrap_or(0), 0);
            let mut rest = Vec::new();
            let _ = slow.read_to_end(&mut rest).await;
        }
    })
    .await;
}

// -- addresses ----------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_config_tells_ipv6_and_media_addresses() {
    let any = |address: &str| -> SocketAddr { address.parse().unwrap() };
    let server = Server::builder()
        .also_listen(any("[::1]:0"))
        .media_listen(any("127.0.0.1:0"))
        .start()
        .await
        .unwrap();
    in_time(async {
        assert_eq!(server.addresses().len(), 4);
        assert_eq!(server.media_addresses().len(), 2);
        let mut client = Client::connect(&server, 2).await;
        let config = client.invoke(&f::help::GetConfig {}).await.unwrap();
        let enums::Config::Config(config) = config;
        assert_eq!(config.dc_options.len(), 6);
        for option in config.dc_options {
            let enums::DcOption::Option(option) = option;
            let ip = option.ip_address.parse().unwrap();
            let address = SocketAddr::new(ip, u16::try_from(option.port).unwrap());
            let listed = if option.media_only {
                server.media_addresses()
            } else {
                server.addresses()
            };
            assert!(listed.contains(&(option.id, address)), "{address}");
            assert_eq!(option.ipv6, address.is_ipv6());
            // Whichever way, it is that data centre.
            let mut wire = Wire::open(address, Way::default()).await;
            let outcome = wire
                .handshake(server.public_key_pem(), -option.id, Purpose::Permanent)
                .await
                .unwrap();
            let mut client = Client::with(wire, SessionParams::after_handshake(&outcome));
            let enums::Config::Config(config) = client.hello().await.unwrap();
            assert_eq!(config.this_dc, option.id);
        }
    })
    .await;
}

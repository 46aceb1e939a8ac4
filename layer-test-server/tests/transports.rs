//! The server tells every transport from its first bytes.

#![allow(clippy::unwrap_used)]

mod util;

use layer_mtproto::handshake::Purpose;
use layer_mtproto::session::SessionParams;
use layer_mtproto::transport::{ObfuscationParams, TransportKind};
use layer_test_server::Server;
use layer_test_server::tl::{enums, functions as f};
use util::{Client, Gone, Way, Wire, in_time};

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

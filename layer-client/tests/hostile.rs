//! Whatever listens at the other end, connecting ends with an error that says why, in time.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use layer_client::{Client, Config, ConnectCause, DcAddress, Error, TransportKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const WITHIN: Duration = Duration::from_secs(2);

fn config(addr: SocketAddr) -> Config {
    Config {
        api_id: 1,
        api_hash: "hash".to_owned(),
        dc_addresses: vec![DcAddress::new(2, addr)],
        connect_timeout: WITHIN,
        ..Config::default()
    }
}

/// Connects to a listener that does this with everyone, and gives the error.
async fn meet<F>(config_of: impl FnOnce(SocketAddr) -> Config, serve: fn(TcpStream) -> F) -> Error
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let begun = Instant::now();
    let error = Client::connect(config_of(addr)).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took < WITHIN + Duration::from_secs(2), "{took:?}: {error}");
    assert!(error.to_string().contains(&addr.to_string()), "{error}");
    server.abort();
    error
}

fn cause(error: &Error) -> &ConnectCause {
    let Error::Connect(error) = error else {
        panic!("{error:?}")
    };
    &error.cause
}

#[tokio::test]
async fn nobody_listens() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let begun = Instant::now();
    let error = Client::connect(config(addr)).await.unwrap_err();
    assert!(begun.elapsed() < WITHIN + Duration::from_secs(2));
    assert!(matches!(cause(&error), ConnectCause::Io(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("check the network and the address"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let error = meet(config, |mut stream| async move {
        let mut bytes = [0; 1024];
        while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_at_once() {
    let error = meet(config, |stream| async move { drop(stream) }).await;
    assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_on_the_first_words() {
    let error = meet(config, |mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_floods_with_garbage() {
    for transport in TransportKind::ALL {
        let error = meet(
            |addr| Config {
                transport: transport.into(),
                ..config(addr)
            },
            |mut stream| async move {
                let mut rng = fastrand::Rng::with_seed(7);
                loop {
                    let junk: Vec<u8> = (0..4096).map(|_| rng.u8(..)).collect();
                    if stream.write_all(&junk).await.is_err() {
                        return;
                    }
                }
            },
        )
        .await;
        assert!(error.is_connect(), "{transport}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_of_another_kind() {
    let error = meet(config, |mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            .await;
        let _ = stream.shutdown().await;
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_refuses_with_transport_errors() {
    for (code, word) in [(-404i32, "-404"), (-429, "-429"), (-444, "-444")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 1024]).await;
                    let mut frame = 4u32.to_le_bytes().to_vec();
                    frame.extend_from_slice(&code.to_le_bytes());
                    let _ = stream.write_all(&frame).await;
                    let _ = stream.read(&mut [0; 1024]).await;
                });
            }
        });
        let config = Config {
            transport: TransportKind::Intermediate.into(),
            ..config(addr)
        };
        let begun = Instant::now();
        let error = Client::connect(config).await.unwrap_err();
        assert!(begun.elapsed() < WITHIN + Duration::from_secs(2));
        assert!(
            matches!(cause(&error), ConnectCause::Refused(_)),
            "{error:?}"
        );
        assert!(error.to_string().contains(word), "{error}");
        server.abort();
    }
}

#[tokio::test]
async fn arguments_that_cannot_work_are_refused_before_anything_is_sent() {
    let error = Client::connect(Config::default()).await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error:?}");
    assert!(error.to_string().contains("my.telegram.org"), "{error}");
    let nowhere = Config {
        api_id: 1,
        api_hash: "hash".to_owned(),
        dc_addresses: vec![DcAddress::new(9, "127.0.0.1:1".parse().unwrap())],
        ..Config::default()
    };
    let error = Client::connect(nowhere).await.unwrap_err();
    assert!(error.to_string().contains("dc_addresses"), "{error}");
}

#[tokio::test]
async fn a_session_in_use_names_the_process_that_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let _held = layer_client::session::FileStorage::open(&path).unwrap();
    let config = Config {
        session_path: path,
        ..config("127.0.0.1:1".parse().unwrap())
    };
    let error = Client::connect(config).await.unwrap_err();
    assert!(
        error.to_string().contains(&std::process::id().to_string()),
        "{error}"
    );
}

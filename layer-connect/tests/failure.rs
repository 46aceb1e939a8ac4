//! Whatever listens at the other end, and whatever is typed: a status that is not 0 and one line that says at which
//! step it ended and why, within `--timeout`.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use layer_test_server::{ApiError, Server};
use support::{Key, Run, layer_connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The program is started and ended besides what `--timeout 1` allows, on machines that do other things too.
const WITHIN: Duration = Duration::from_secs(8);
/// One that nobody else has, for listeners that never come as far as using theirs.
const ANY_KEY: &str = include_str!("any_key.pem");

/// A listener that does this with everyone who comes.
async fn listener<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Runs the program against an address, with a second's patience.
async fn connect(address: SocketAddr, pem: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, pem).unwrap();
    let address = address.to_string();
    let key = key.to_str().unwrap();
    let mut args = vec!["--server", &address, "--rsa-key", key, "--timeout", "1"];
    args.extend(more);
    let run = layer_connect(&args).await;
    assert!(run.took < WITHIN, "{run:?}");
    run
}

async fn meet<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let run = connect(listener(serve).await, ANY_KEY, &[]).await;
    let line = run.failure().to_owned();
    assert!(line.contains("asking for pq (step 1)"), "{line}");
    assert!(!run.out.contains("resPQ"), "{run:?}");
    line
}

/// Holds the connection open until the other side has enough of it.
async fn listen_on(stream: &mut TcpStream) {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

#[tokio::test]
async fn silence() {
    let line = meet(|mut stream| async move { listen_on(&mut stream).await }).await;
    assert!(line.contains("within 1 s (--timeout)"), "{line}");
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once() {
    let line = meet(|stream| async move { drop(stream) }).await;
    assert!(line.contains("closed the connection"), "{line}");
}

#[tokio::test]
async fn a_connection_that_is_closed_after_the_first_words() {
    let line = meet(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    assert!(line.contains("does it speak MTProto"), "{line}");
}

#[tokio::test]
async fn garbage_without_end_on_every_transport() {
    let address = listener(|mut stream| async move {
        let mut random = fastrand::Rng::with_seed(7);
        loop {
            let junk: Vec<u8> = (0..4096).map(|_| random.u8(..)).collect();
            if stream.write_all(&junk).await.is_err() {
                return;
            }
        }
    })
    .await;
    for transport in ["abridged", "intermediate", "padded", "full"] {
        let run = connect(address, ANY_KEY, &["--transport", transport]).await;
        run.failure();
        let run = connect(
            address,
            ANY_KEY,
            &["--transport", transport, "--obfuscated"],
        )
        .await;
        run.failure();
    }
}

#[tokio::test]
async fn another_protocol() {
    meet(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        listen_on(&mut stream).await;
    })
    .await;
}

#[tokio::test]
async fn one_byte_a_second() {
    let line = meet(|mut stream| async move {
        // The length of a packet that would take a minute to come.
        for byte in [60, 0, 0, 0].into_iter().chain([0; 60]) {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    assert!(line.contains("within 1 s (--timeout)"), "{line}");
}

/// Frames of the intermediate transport: the length, then so many bytes.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn transport_errors() {
    for (code, word) in [
        (-404_i32, "-404"),
        (-429, "too many connections"),
        (-444, "no such data centre"),
        (-999, "transport error -999"),
    ] {
        let line = meet(move |mut stream| async move {
            let _ = stream.write_all(&frame(&code.to_le_bytes())).await;
            listen_on(&mut stream).await;
        })
        .await;
        assert!(line.contains(word), "{line}");
    }
}

#[tokio::test]
async fn a_packet_of_two_gigabytes() {
    let line = meet(|mut stream| async move {
        let _ = stream.write_all(&0x7fff_fffc_u32.to_le_bytes()).await;
        listen_on(&mut stream).await;
    })
    .await;
    assert!(!line.contains("--timeout"), "it was waited for: {line}");
}

#[tokio::test]
async fn frames_without_end_that_mean_nothing() {
    // Quick acknowledgements, which nobody asked for, may be skipped, but not for ever.
    let line = meet(|mut stream| async move {
        let many = 0x8000_0001_u32.to_le_bytes().repeat(4096);
        while stream.write_all(&many).await.is_ok() {}
    })
    .await;
    assert!(line.contains("--timeout"), "{line}");
}

#[tokio::test]
async fn well_formed_messages_that_answer_nothing() {
    meet(|mut stream| async move {
        let mut message = vec![0; 8];
        message.extend(0x5f00_0000_0000_0001_u64.to_le_bytes());
        message.extend(20_u32.to_le_bytes());
        message.extend([0x63, 0x24, 0x16, 0x05]);
        message.extend([7; 16]);
        let many = frame(&message).repeat(100);
        while stream.write_all(&many).await.is_ok() {}
    })
    .await;
}

#[tokio::test]
async fn a_server_with_another_rsa_key() {
    let server = Server::builder().start().await.unwrap();
    let run = connect(server.address(2).unwrap(), ANY_KEY, &[]).await;
    let line = run.failure();
    assert!(line.contains("asking for pq (step 1)"), "{line}");
    assert!(line.contains("RSA key"), "{line}");
}

/// Passes on what the client sends until its three packets of the key exchange are through, then does something else.
async fn after_the_handshake<F>(
    server: &Server,
    then: impl Fn(TcpStream) -> F + Send + Sync + Copy + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = server.address(2).unwrap();
    listener(move |mut client| async move {
        let mut server = TcpStream::connect(address).await.unwrap();
        let mut tag = [0; 4];
        client.read_exact(&mut tag).await.unwrap();
        server.write_all(&tag).await.unwrap();
        for _ in 0..3 {
            for (from, to) in [(0, 1), (1, 0)] {
                let [one, other] = [&mut client, &mut server];
                let (from, to) = if from < to {
                    (one, other)
                } else {
                    (other, one)
                };
                let mut length = [0; 4];
                from.read_exact(&mut length).await.unwrap();
                let mut body = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap()];
                from.read_exact(&mut body).await.unwrap();
                to.write_all(&frame(&body)).await.unwrap();
            }
        }
        then(client).await;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_after_the_key_exchange() {
    let server = Server::builder().start().await.unwrap();
    let step = "asking for the configuration (help.getConfig)";

    let silent = after_the_handshake(&server, |mut stream| async move {
        listen_on(&mut stream).await;
    })
    .await;
    let run = connect(silent, server.public_key_pem(), &[]).await;
    assert!(run.out.contains("dh_gen_ok"), "{run:?}");
    let line = run.failure();
    assert!(line.contains(step) && line.contains("--timeout"), "{line}");

    let gone = after_the_handshake(&server, |stream| async move { drop(stream) }).await;
    let run = connect(gone, server.public_key_pem(), &[]).await;
    let line = run.failure();
    assert!(line.contains(step) && line.contains("closed"), "{line}");

    let forgetful = after_the_handshake(&server, |mut stream| async move {
        let _ = stream.write_all(&frame(&(-404_i32).to_le_bytes())).await;
        listen_on(&mut stream).await;
    })
    .await;
    let run = connect(forgetful, server.public_key_pem(), &[]).await;
    let line = run.failure();
    assert!(line.contains(step) && line.contains("-404"), "{line}");

    let noisy = after_the_handshake(&server, |mut stream| async move {
        let mut random = fastrand::Rng::with_seed(11);
        loop {
            let junk: Vec<u8> = (0..120).map(|_| random.u8(..)).collect();
            if stream.write_all(&frame(&junk)).await.is_err() {
                return;
            }
        }
    })
    .await;
    let run = connect(noisy, server.public_key_pem(), &[]).await;
    let line = run.failure();
    assert!(line.contains(step), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_the_request() {
    let server = Server::builder().start().await.unwrap();
    let refused = ApiError::new(400, "CONNECTION_API_ID_INVALID");
    server.fail("help.getConfig", refused, None);
    let address = server.address(2).unwrap();
    let run = connect(address, server.public_key_pem(), &[]).await;
    let line = run.failure();
    assert!(line.contains("CONNECTION_API_ID_INVALID"), "{line}");
    assert!(line.contains("TG_API_ID"), "{line}");
}

#[tokio::test]
async fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let run = connect(address, ANY_KEY, &[]).await;
    let line = run.failure();
    assert!(line.contains("while connecting"), "{line}");
    assert!(line.contains("is the server running"), "{line}");
}

#[tokio::test]
async fn options_that_cannot_be_followed() {
    let key = Key::of(&Server::builder().start().await.unwrap());
    let nothing = key.folder.path().join("nothing.pem");
    let nothing = nothing.to_str().unwrap();
    let text = key.folder.path().join("text.pem");
    std::fs::write(&text, "no key at all").unwrap();
    let text = text.to_str().unwrap();
    let server = ["--server", "127.0.0.1:1"];
    let cases: [(&[&str], &str); 13] = [
        (&["--dc", "9"], "has DCs 1, 2, not 9"),
        (&server, "--rsa-key FILE"),
        (&["--rsa-key", key.path()], "--server <HOST:PORT>"),
        (
            &["--server", "127.0.0.1:1", "--rsa-key", text],
            "holds no RSA key",
        ),
        (
            &["--server", "127.0.0.1:1", "--rsa-key", nothing],
            "cannot read the RSA key",
        ),
        (
            &["--server", "127.0.0.1", "--rsa-key", key.path()],
            "is no address, such as",
        ),
        (
            &[
                "--server",
                "no.such.host.invalid:1",
                "--rsa-key",
                key.path(),
            ],
            "no.such.host.invalid",
        ),
        (
            &["--transport", "pigeon"],
            "abridged, intermediate, padded or full",
        ),
        (
            &["--proxy", "gopher://example.com"],
            "not a link to a proxy",
        ),
        (
            &["--proxy", "tg://proxy?server=a&port=1&secret=hunter2!"],
            "not the secret of an MTProxy",
        ),
        (&["--timeout", "0"], "1..=86400"),
        (&["--production", "--test"], "cannot be used with"),
        (&["--frobnicate"], "--frobnicate"),
    ];
    for (options, word) in cases {
        let mut args = options.to_vec();
        if !options.contains(&"--timeout") {
            args.extend(["--timeout", "2"]);
        }
        let run = layer_connect(&args).await;
        assert!(run.took < WITHIN, "{run:?}");
        let line = run.failure();
        assert!(line.contains(word), "{options:?}: {line}");
        assert!(line.contains("reading the options"), "{options:?}: {line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_help() {
    let refusing = listener(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n").await;
        listen_on(&mut stream).await;
    })
    .await;
    let dead = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for (proxy, words) in [
        (
            format!("http://{refusing}"),
            "user name and a password: --proxy",
        ),
        (format!("http://a:hunter2@{refusing}"), "does not accept"),
        (format!("socks5://{refusing}"), "what is not SOCKS5"),
        (format!("socks5://{dead}"), "check that it runs there"),
    ] {
        let run = connect(dead, ANY_KEY, &["--proxy", &proxy]).await;
        let line = run.failure();
        assert!(line.contains("while connecting"), "{line}");
        assert!(line.contains(words), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn help_is_no_failure() {
    let run = layer_connect(&["--help"]).await;
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    assert!(run.out.contains("--rsa-key <FILE>") && run.out.contains("Examples:"));
}

//! The program against servers that do what they should.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use layer_mtproto::transport::ProxySecret;
use layer_test_server::Server;
use support::{Key, layer_connect};

#[tokio::test]
async fn without_options_it_meets_the_embedded_data_centre() {
    let run = layer_connect(&[]).await;
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{run:?}");
    for told in [
        "an embedded data centre on this machine, DC 2",
        "intermediate, plain",
        "req_pq_multi",
        "server_nonce",
        "RSA key",
        "dh_prime",
        "dh_gen_ok",
        "auth_key_id",
        "help.getConfig",
        "this_dc        2",
    ] {
        assert!(run.out.contains(told), "{told} is missing in:\n{}", run.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_leads_to_the_configuration() {
    let server = Server::builder().start().await.unwrap();
    let key = Key::of(&server);
    let address = server.address(1).unwrap().to_string();
    let mut runs = tokio::task::JoinSet::new();
    for transport in ["abridged", "intermediate", "padded", "full"] {
        for obfuscated in [false, true] {
            let (address, pem) = (address.clone(), key.path().to_owned());
            runs.spawn(async move {
                let mut args = vec!["--server", &address, "--dc", "1", "--rsa-key", &pem];
                args.extend(["--transport", transport]);
                if obfuscated {
                    args.push("--obfuscated");
                }
                let run = layer_connect(&args).await;
                assert_eq!(run.status, Some(0), "{transport} {obfuscated}: {run:?}");
                let way = if obfuscated { "obfuscated" } else { "plain" };
                assert!(run.out.contains(&format!("{transport}, {way}")), "{run:?}");
                assert!(run.out.contains("this_dc        1"), "{run:?}");
            });
        }
    }
    runs.join_all().await;
    assert_eq!(server.key_count(), 8);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_and_proxies_lead_to_the_configuration() {
    let plain = "00112233445566778899aabbccddeeff";
    let tls = format!("ee{plain}{}", "612e6578616d706c65"); // a.example
    let server = Server::builder()
        .mtproxy_secret(plain.parse::<ProxySecret>().unwrap())
        .mtproxy_secret(tls.parse::<ProxySecret>().unwrap())
        .start()
        .await
        .unwrap();
    let key = Key::of(&server);
    let certificate = key.folder.path().join("certificate.pem");
    std::fs::write(&certificate, server.tls_certificate_pem()).unwrap();
    let address = server.address(1).unwrap();
    let link = |secret: &str| {
        let port = address.port();
        format!("tg://proxy?server=127.0.0.1&port={port}&secret={secret}")
    };
    for (options, told) in [
        (vec!["--transport", "ws"], "padded, in a WebSocket\n"),
        (
            vec![
                "--transport",
                "wss-full",
                "--certificate",
                certificate.to_str().unwrap(),
            ],
            "full, in a WebSocket with TLS\n",
        ),
        (
            vec!["--proxy", &link(plain)],
            "Through:     MTProxy 127.0.0.1",
        ),
        (
            vec!["--proxy", &link(&format!("dd{plain}"))],
            "Through:     MTProxy",
        ),
        (vec!["--proxy", &link(&tls)], "Through:     MTProxy"),
    ] {
        let server = address.to_string();
        let mut args = vec!["--server", &server, "--dc", "1", "--rsa-key", key.path()];
        args.extend(&options);
        let run = layer_connect(&args).await;
        assert_eq!(run.status, Some(0), "{options:?}: {run:?}");
        assert!(run.out.contains(told), "{options:?}: {run:?}");
        assert!(run.out.contains("this_dc        1"), "{run:?}");
        assert!(!run.out.contains(plain), "a secret is not printed: {run:?}");
    }
    // The embedded data centre's own certificate is trusted without being asked.
    let run = layer_connect(&["--transport", "wss"]).await;
    assert_eq!(run.status, Some(0), "{run:?}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_was_kept_is_used_by_the_next_program() {
    let server = Server::builder().start().await.unwrap();
    let key = Key::of(&server);
    let address = server.address(2).unwrap();
    let session = key.folder.path().join("kept.session");
    let shown = address.to_string();
    let mut args = vec!["--server", &shown, "--rsa-key", key.path()];
    args.extend(["--session", session.to_str().unwrap()]);
    let run = layer_connect(&args).await;
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(server.key_count(), 1);
    let made = server.sessions()[0].auth_key_id;
    assert!(run.out.contains(&format!("{made:016x}")), "{}", run.out);

    let client = Client::connect(Config {
        session_path: session.clone(),
        api_id: 1,
        api_hash: "hash".into(),
        dc_addresses: vec![DcAddress::new(2, address)],
        rsa_keys: vec![RsaPublicKey::from_pem(server.public_key_pem()).unwrap()],
        ..Config::default()
    })
    .await
    .unwrap();
    assert!(!client.is_authorized().await.unwrap());
    client.disconnect().await.unwrap();
    drop(client);
    assert_eq!(server.key_count(), 1, "a second key was made");
    assert!(server.sessions().iter().all(|s| s.auth_key_id == made));

    // A session is somebody's account: it is not written over.
    let before = std::fs::read(&session).unwrap();
    let again = layer_connect(&args).await;
    let line = again.failure();
    assert!(line.contains("reading the options"), "{line}");
    assert!(line.contains("name another file"), "{line}");
    assert_eq!(std::fs::read(&session).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure() {
    let program = env!("CARGO_BIN_EXE_layer-connect");
    let line = format!("'{program}' | head -n 1; echo \"status ${{PIPESTATUS[0]}}\"");
    let output = tokio::process::Command::new("bash")
        .args(["-c", &line])
        .kill_on_drop(true)
        .output()
        .await;
    // Where there is no bash there is nothing to try.
    let Ok(output) = output else { return };
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.starts_with("Data centre: an embedded"), "{out}");
    assert!(out.ends_with("status 0\n"), "{out}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

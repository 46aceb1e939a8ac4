//! The program: one line when it is ready, codes on standard error, an end in order.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_layer-test-server"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ready(child: &mut Child) -> serde_json::Value {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    serde_json::from_str(&line).unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
#[cfg(unix)]
fn it_says_where_it_is_and_ends_in_order() {
    for name in ["INT", "TERM"] {
        let mut child = start(&[
            "--listen",
            "127.0.0.1:0",
            "--login-code",
            "22222",
            "--dcs",
            "3",
        ]);
        let said = ready(&mut child);
        let dcs = said["dcs"].as_array().unwrap();
        assert_eq!(dcs.len(), 3);
        for (dc, id) in dcs.iter().zip(1..) {
            assert_eq!(dc["id"], id);
            let address: std::net::SocketAddr = dc["address"].as_str().unwrap().parse().unwrap();
            assert!(address.port() != 0 && std::net::TcpStream::connect(address).is_ok());
        }
        let fingerprint: i64 = said["fingerprint"].as_str().unwrap().parse().unwrap();
        let pem = said["public_key"].as_str().unwrap();
        let key = layer_crypto::rsa::PublicKey::from_pem(pem).unwrap();
        assert_eq!(key.fingerprint(), fingerprint);
        signal(&child, name);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn further_addresses_and_the_certificate_are_in_the_line() {
    let mut child = start(&[
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "[::1]:0",
        "--listen-media",
        "127.0.0.1:0",
        "--mtproxy-secret",
        "ee00112233445566778899aabbccddeeff6578616d706c652e636f6d",
    ]);
    let said = ready(&mut child);
    let listed: Vec<_> = said["dcs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dc| {
            let host: std::net::IpAddr = dc["host"].as_str().unwrap().parse().unwrap();
            let media_only = dc["media_only"].as_bool().unwrap_or(false);
            (dc["id"].as_i64().unwrap(), host.is_ipv6(), media_only)
        })
        .collect();
    let kinds = [(false, false), (true, false), (false, true)];
    let expected: Vec<_> = kinds
        .into_iter()
        .flat_map(|(ipv6, media)| [(1, ipv6, media), (2, ipv6, media)])
        .collect();
    assert_eq!(listed, expected);
    #[cfg(feature = "web")]
    {
        let pem = said["tls_certificate"].as_str().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn data_centres_take_the_ports_that_follow() {
    // A port that is free now.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut child = start(&["--listen", &free.to_string()]);
    let said = ready(&mut child);
    let address = |n: usize| -> std::net::SocketAddr {
        said["dcs"][n]["address"].as_str().unwrap().parse().unwrap()
    };
    assert_eq!(address(0), free);
    assert!(address(1).port() != free.port());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, word) in [
        (&["--listen", &taken][..], "listen"),
        (&["--rsa-key", "/nowhere/key.pem"], "key.pem"),
        (&["--mtproxy-secret", "abc"], "32 hexadecimal digits"),
        (&["--home-dc", "9"], "home data centre"),
        (&["--fault", "connect: explode"], "\"explode\" is no action"),
        (&["--fault", "connect: gzip"], "it goes with call"),
    ] {
        let mut child = start(arguments);
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn faults_are_given_at_the_start_and_on_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_layer-test-server"))
        .args([
            "--fault",
            "connect dc=2: close",
            "--fault",
            "connect dc=1 nth=2: noise 8",
        ])
        .args(["--fault-seed", "7", "--control", "--cdn", "1000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line =
        || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let said = line();
    assert_eq!(said["dcs"][2]["id"], 203);
    assert_eq!(said["dcs"][2]["cdn"], true);
    assert_ne!(said["cdn_public_key"], said["public_key"]);
    let connect = |dc: usize| {
        let address = said["dcs"][dc - 1]["address"].as_str().unwrap();
        let stream = std::net::TcpStream::connect(address).unwrap();
        let patience = std::time::Duration::from_secs(20);
        stream.set_read_timeout(Some(patience)).unwrap();
        stream
    };
    // What the rules at the start say.
    let _first = connect(1);
    connect(1).read_exact(&mut [0; 8]).unwrap();
    assert!(matches!(connect(2).read(&mut [0; 8]), Ok(0) | Err(_)));
    // And those that come later.
    let mut ask = |command: &str| {
        writeln!(input, "{command}").unwrap();
        line()
    };
    let given = ask("connect dc=1: noise 12");
    assert_eq!(given["fault"], 3);
    assert_eq!(given["rule"], "connect dc=1: noise 12");
    connect(1).read_exact(&mut [0; 12]).unwrap();
    let refused = ask("connect dc=1: gzip");
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("it goes with call")
    );
    let listed = ask("list");
    let fired: Vec<_> = listed["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["fault"].as_u64().unwrap(),
                fault["fired"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(fired, [(1, 1), (2, 1), (3, 1)]);
    assert_eq!(ask("remove 3")["removed"], true);
    assert_eq!(ask("remove 3")["removed"], false);
    assert!(ask("remove it")["error"].is_string());
    assert_eq!(ask("cdn 4096")["cdn"], 203);
    assert_eq!(ask("cdn nothing")["cdn"], 203);
    assert!(ask("cdn soon")["error"].is_string());
    assert_eq!(ask("clear")["removed"], true);
    assert_eq!(ask("list")["faults"], serde_json::json!([]));
    // The end of its input does not end it.
    drop(input);
    let mut again = connect(2);
    let patience = std::time::Duration::from_millis(100);
    again.set_read_timeout(Some(patience)).unwrap();
    assert!(again.read(&mut [0; 8]).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn help_teaches() {
    let output = Command::new(env!("CARGO_BIN_EXE_layer-test-server"))
        .arg("--help")
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    for example in layer_test_server::Action::examples() {
        let name = example.split(' ').next().unwrap();
        assert!(text.contains(name), "{name}");
    }
    for word in [
        "--listen",
        "--rsa-key",
        "--login-code",
        "--mtproxy-secret",
        "--fault",
        "--control",
        "--cdn",
        "--tls-cert",
        "apiws",
        "[::1]",
        "BotFather",
        "JSON",
    ] {
        assert!(text.contains(word), "{word}");
    }
}

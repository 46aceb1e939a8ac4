//! The program: one line when it is ready, codes on standard error, an end in order.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
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
fn help_teaches() {
    let output = Command::new(env!("CARGO_BIN_EXE_layer-test-server"))
        .arg("--help")
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    for word in [
        "--listen",
        "--rsa-key",
        "--login-code",
        "--mtproxy-secret",
        "BotFather",
        "JSON",
    ] {
        assert!(text.contains(word), "{word}");
    }
}

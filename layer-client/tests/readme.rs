//! The README's samples: they are the examples, and the examples do what they say, as they stand,
//! against the embedded data centre.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use layer_client::{Config, DcAddress, RsaPublicKey, tl};
use layer_test_server::{NewUser, Server, ServerConfig};

#[allow(dead_code)] // its `main` is for the reader
#[path = "../examples/user.rs"]
mod user;

#[allow(dead_code)] // its `main` is for the reader
#[path = "../examples/bot.rs"]
mod bot;

const README: &str = include_str!("../../README.md");
const PATIENCE: Duration = Duration::from_secs(60);
const PHONE: &str = "+9996620001";
/// Tells a copy of this program where the data centre is and by which key it is trusted.
const WHERE: &str = "LAYER_README_SERVER";
const KEY: &str = "LAYER_README_KEY";

/// A keyboard of one button.
fn button() -> tl::enums::ReplyMarkup {
    let button = tl::types::KeyboardButtonCallback {
        requires_password: false,
        style: None,
        text: "Go".into(),
        data: b"x".to_vec(),
    };
    let row = tl::types::KeyboardButtonRow {
        buttons: vec![button.into()],
    };
    tl::types::ReplyInlineMarkup {
        rows: vec![row.into()],
    }
    .into()
}

fn code_of(example: &str) -> &str {
    let (comment, code) = example
        .split_once("\n\n")
        .expect("a comment comes before the code");
    assert!(comment.starts_with("//! "), "{comment}");
    code
}

#[test]
fn the_readme_shows_the_examples_as_they_are() {
    for example in [
        include_str!("../examples/user.rs"),
        include_str!("../examples/bot.rs"),
    ] {
        let block = format!("```rust,no_run\n{}```\n", code_of(example));
        assert!(
            README.contains(&block),
            "the README does not have:\n{block}"
        );
    }
}

fn config(addresses: Vec<DcAddress>, key: &str) -> Config {
    Config {
        api_id: 1,
        api_hash: "any".into(),
        dc_addresses: addresses,
        rsa_keys: vec![RsaPublicKey::from_pem(key).expect("the server has a key")],
        ..Default::default()
    }
}

fn config_of(server: &Server) -> Config {
    let addresses = server.addresses().into_iter();
    let addresses = addresses
        .map(|(id, address)| DcAddress::new(id, address))
        .collect();
    config(addresses, server.public_key_pem())
}

/// Runs only as a child of the test below, which gives it standard input to read the code from.
#[tokio::test]
async fn as_a_child_the_user_example_runs() {
    let (Ok(place), Ok(key)) = (std::env::var(WHERE), std::env::var(KEY)) else {
        return;
    };
    let address = DcAddress::new(2, place.parse().unwrap());
    user::run(config(vec![address], &key), PHONE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_example_signs_in_with_code_and_password_and_writes_to_itself() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let mut ada = NewUser::named(PHONE, "Ada");
    ada.password = Some("correct horse".into());
    ada.dc_id = 2;
    let ada = server.add_user(ada);

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_a_child_the_user_example_runs", "--nocapture"])
        .env(WHERE, server.address(2).unwrap().to_string())
        .env(KEY, server.public_key_pem())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let code = server.wait_for_login_code(PHONE, PATIENCE).await.unwrap();
    let mut input = child.stdin.take().unwrap();
    write!(input, "{code}\ncorrect horse\n").unwrap();
    drop(input);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output())
        .await
        .unwrap()
        .unwrap();

    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("Signed in as Ada"), "{printed}");
    let saved = ada.messages(ada.peer());
    assert_eq!(saved.last().unwrap().text, "Hello from layer");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_example_repeats_what_it_is_told_and_answers_buttons() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let ada = server.add_user(NewUser::named(PHONE, "Ada"));
    let bot = server.add_bot(&ada, "Parrot", "parrot_bot");
    let parrot = bot.user().peer();

    let (config, token) = (config_of(&server), bot.token().to_owned());
    let running = tokio::spawn(async move { bot::run(config, &token).await.unwrap() });

    assert!(bot.user().wait_for_login(PATIENCE).await);
    let asked = ada.send_message(parrot, "hello").unwrap();
    let answer = ada.wait_for_message(parrot, asked, PATIENCE).await.unwrap();
    assert_eq!(answer.text, "You said: hello");

    let keyboard = bot
        .user()
        .send_with_markup(ada.peer(), "Press it", button())
        .unwrap();
    assert!(keyboard > 0);
    let shown = ada.messages(parrot).pop().unwrap();
    let pressed = ada.press(parrot, shown.id, b"x").await.unwrap();
    assert_eq!(pressed.message.as_deref(), Some("Done!"));

    running.abort();
    server.shutdown().await;
}

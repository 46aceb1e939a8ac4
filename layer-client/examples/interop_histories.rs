//! An embedded data centre that plays random histories on one account, for `interop/`: the account's programs are others' and ours.
//!
//! It takes the options of the program `layer-test-server` that the scenarios give, and prints the same first line of JSON. Then it
//! answers each line on standard input by one of JSON: `begin SEED CHATS` makes the chats, `play STEPS` lets things happen in them
//! while things go wrong, `say TEXT` says something wherever the account hears it, and `chats` tells what the account has now.

#[path = "../tests/histories/mod.rs"]
mod histories;

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Duration;

use histories::{Player, WEATHER};
use layer_test_server::{NewUser, Server};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The account whose chats these are.
const PHONE: &str = "+15550001";
/// What other clients do not bear, as the scenarios say of them: a lost session is noticed late, and updates that end in the middle are
/// no reason to ask.
const NOT_FOR_OTHERS: [&str; 2] = ["new-session", "malformed"];

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut builder = Server::builder();
    let mut options = std::env::args().skip(1);
    while let Some(option) = options.next() {
        let mut value = || options.next().ok_or("an option needs a value");
        builder = match option.as_str() {
            "--login-code" => builder.login_code(value()?),
            "--mtproxy-secret" => {
                let secret: layer_test_server::ProxySecret = value()?.parse()?;
                builder.mtproxy_secret(secret)
            }
            "--listen" => builder.listen(value()?.parse()?),
            _ => builder,
        };
    }
    let server = builder.start().await?;
    let me = server.add_user(NewUser::named(PHONE, "Ann"));
    let dcs: Vec<Value> = server
        .addresses()
        .into_iter()
        .map(|(id, address)| json!({ "id": id, "address": address.to_string() }))
        .collect();
    say(&json!({ "dcs": dcs, "public_key": server.public_key_pem(), "phone": PHONE }))?;

    let weather: Vec<&str> = WEATHER
        .iter()
        .copied()
        .filter(|rule| !NOT_FOR_OTHERS.iter().any(|not| rule.contains(not)))
        .collect();
    let mut player: Option<Player<'_>> = None;
    let (lines, mut commands) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        if command == "begin" {
            let (seed, chats) = rest.split_once(' ').ok_or("begin SEED CHATS")?;
            player = Some(Player::new(
                &server,
                me.clone(),
                seed.parse()?,
                chats.parse()?,
                &weather,
            ));
        }
        let Some(player) = &mut player else {
            say(&json!({ "error": "begin first" }))?;
            continue;
        };
        let answer = match command {
            "begin" => json!({}),
            "play" => {
                for _ in 0..rest.parse()? {
                    player.step();
                    // Time goes by in the history; nobody waits for anything.
                    tokio::time::sleep(Duration::from_millis(player.rng.u64(0..16))).await;
                }
                player.clear_up();
                json!({})
            }
            "say" => {
                player.say_everywhere(rest);
                json!({})
            }
            "chats" => json!(player.chats()),
            _ => json!({ "error": format!("there is no command {command}") }),
        };
        say(&answer)?;
    }
    drop(player);
    server.shutdown().await;
    Ok(())
}

fn say(answer: &Value) -> Outcome<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{answer}\n").as_bytes())?;
    output.flush()?;
    Ok(())
}

//! A user (or a bot) of layer-client that another program drives, for `interop/`: one command a line on standard input, its words
//! separated by tabs; for each a line `ok …` or `error …` on standard output, and lines `event …` as updates come.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use layer_client::files::Upload;
use layer_client::tl::functions;
use layer_client::update::Update;
use layer_client::{
    Button, Client, Config, DcAddress, InputMessage, Keyboard, Message, Peer, RsaPublicKey,
    SignInError,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    log::set_logger(&Stderr)?;
    log::set_max_level(log::LevelFilter::Debug);
    let client = Client::connect(config(std::env::args().skip(1))?).await?;
    let mut updates = client.stream_updates();
    let asking = client.clone();
    tokio::spawn(async move {
        while let Some(update) = updates.next().await {
            if let Update::Missed(missed) = &update {
                for chat in &missed.chats {
                    // A chat that one is not in any more has nothing to say.
                    if let Ok(event) = whole(&asking, chat).await {
                        say(&event);
                    }
                }
            }
            for event in events(&update) {
                say(&event);
            }
        }
    });

    let (lines, mut commands) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        let words: Vec<&str> = line.split('\t').collect();
        match obey(&client, &words).await {
            Ok(answer) => say(&[vec!["ok".to_owned()], answer].concat()),
            Err(error) => say(&["error".to_owned(), error.to_string()]),
        }
    }
    client.disconnect().await?;
    Ok(())
}

/// `--dc ID=HOST:PORT` (repeated; the first is where to begin), `--rsa-key FILE`, `--session FILE`, `--transport NAME`,
/// `--proxy LINK`, `--pfs true`.
fn config(mut arguments: impl Iterator<Item = String>) -> Outcome<Config> {
    let mut config = Config {
        api_id: 12345,
        api_hash: "0123456789abcdef0123456789abcdef".into(),
        // Where connections are cut on purpose, nobody wants to wait half a minute for the next.
        max_reconnect_delay: Duration::from_secs(2),
        ..Config::default()
    };
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--dc" => {
                let (id, address) = value.split_once('=').ok_or("--dc wants ID=HOST:PORT")?;
                let address = DcAddress::new(id.parse()?, address.parse()?);
                config.dc_addresses.push(address);
            }
            "--rsa-key" => {
                let pem = std::fs::read_to_string(value)?;
                config.rsa_keys.push(RsaPublicKey::from_pem(&pem)?);
            }
            "--transport" => config.transport = value.parse()?,
            "--proxy" => config.proxy = Some(value.parse()?),
            "--pfs" => config.pfs = value.parse()?,
            "--session" => config.session_path = PathBuf::from(value),
            _ => return Err(format!("there is no option {name}").into()),
        }
    }
    config.dc_id = config.dc_addresses.first().ok_or("--dc is needed")?.id;
    Ok(config)
}

async fn obey(client: &Client, words: &[&str]) -> Outcome<Vec<String>> {
    match *words {
        ["sign_up", phone, code, name] => {
            let token = client.request_login_code(phone).await?;
            match client.sign_in(&token, code).await {
                Err(SignInError::SignUpRequired(token)) => {
                    let me = client.sign_up(&token, name, "").await?;
                    Ok(vec![me.id().to_string()])
                }
                Err(error) => Err(error.into()),
                Ok(_) => Err("this number has an account already".into()),
            }
        }
        ["sign_in", phone, code] => {
            let token = client.request_login_code(phone).await?;
            let me = client.sign_in(&token, code).await?;
            client.save_session().await?;
            Ok(vec![me.id().to_string()])
        }
        ["username", name] => {
            let username = name.to_owned();
            let request = functions::account::UpdateUsername { username };
            client.invoke(&request).await?;
            Ok(vec![])
        }
        ["send", peer, text] => {
            let message = client.send_message(peer, text).await?;
            Ok(vec![message.id().to_string()])
        }
        ["history", peer, count] => {
            let mut texts = Vec::new();
            let mut messages = client.iter_messages(peer);
            while texts.len() < count.parse()? {
                let Some(message) = messages.next().await? else {
                    break;
                };
                texts.push(message.text().unwrap_or_default().to_owned());
            }
            Ok(texts)
        }
        ["edit", peer, id, text] => {
            client.edit_message(peer, id.parse()?, text).await?;
            Ok(vec![])
        }
        ["delete", peer, id] => {
            client.delete_messages(peer, &[id.parse()?]).await?;
            Ok(vec![])
        }
        ["upload", peer, path] => {
            let message = client.send_file(peer, Upload::path(path), "").await?;
            Ok(vec![message.id().to_string()])
        }
        ["photo", peer, path] => {
            let message = client.send_photo(peer, Upload::path(path), "").await?;
            Ok(vec![message.id().to_string()])
        }
        ["download", peer, id, path] => {
            let messages = client.get_messages(peer, &[id.parse()?]).await?;
            let message = messages.into_iter().flatten().next();
            client
                .download_media(&message.ok_or("there is no such message")?, path)
                .await?;
            Ok(vec![])
        }
        ["press", peer, id, data] => {
            let answer = client.press_button(peer, id.parse()?, data).await?;
            let shown = if answer.alert { "alert" } else { "toast" };
            Ok(vec![answer.message.unwrap_or_default(), shown.to_owned()])
        }
        ["bot_sign_in", token] => {
            let me = client.bot_sign_in(token).await?;
            Ok(vec![me.id().to_string()])
        }
        ["keyboard", peer, text, label, data] => {
            let keyboard = Keyboard::inline().row([Button::callback(label, data)]);
            let message = InputMessage::text(text).keyboard(keyboard);
            let message = client.send_message(peer, message).await?;
            Ok(vec![message.id().to_string()])
        }
        ["answer", query_id, text] => {
            client
                .answer_callback_query(query_id.parse()?, Some(text), false)
                .await?;
            Ok(vec![])
        }
        _ => Err(format!("there is no command {words:?}").into()),
    }
}

/// What an update is as lines: `new` and `edited` with chat, id, direction, text, and name and size of a file;
/// `deleted` with an id and the channel, 0 for all else; `callback` with
/// the query's id and the button's data. Where something was missed there is `whole` with a chat, and ids and texts of all its messages.
fn events(update: &Update) -> Vec<Vec<String>> {
    match update {
        Update::NewMessage(message) => vec![of_message("new", message)],
        Update::MessageEdited(message) => vec![of_message("edited", message)],
        Update::MessageDeleted(deletion) => deletion
            .msg_ids
            .iter()
            .map(|id| {
                let channel = deletion.peer.as_ref().map_or(0, |peer| peer.key().marked());
                let words = ["event", "deleted"].map(str::to_owned);
                [&words[..], &[id.to_string(), channel.to_string()]].concat()
            })
            .collect(),
        Update::CallbackQuery(query) => vec![vec![
            "event".to_owned(),
            "callback".to_owned(),
            query.query_id.to_string(),
            String::from_utf8_lossy(query.data().unwrap_or_default()).into_owned(),
        ]],
        _ => vec![],
    }
}

async fn whole(client: &Client, chat: &Peer) -> layer_client::Result<Vec<String>> {
    let mut event = ["event", "whole"].map(str::to_owned).to_vec();
    event.push(chat.key().marked().to_string());
    let mut messages = client.iter_messages(chat);
    while let Some(message) = messages.next().await? {
        let text = message.text().unwrap_or_default().to_owned();
        event.extend([message.id().to_string(), text]);
    }
    Ok(event)
}

fn of_message(kind: &str, message: &Message) -> Vec<String> {
    let chat = message.peer_id().map_or(0, |peer| peer.key().marked());
    let direction = if message.outgoing() { "out" } else { "in" };
    let mut words = vec![
        "event".to_owned(),
        kind.to_owned(),
        chat.to_string(),
        message.id().to_string(),
        direction.to_owned(),
        message.text().unwrap_or_default().to_owned(),
    ];
    if let Some(media) = message.media() {
        words.push(media.file_name().unwrap_or_default().to_owned());
        words.push(media.size().unwrap_or_default().to_string());
    }
    words
}

fn say(words: &[String]) {
    let words: Vec<String> = words
        .iter()
        .map(|word| word.replace(['\t', '\n'], " "))
        .collect();
    let mut output = std::io::stdout().lock();
    // When nobody reads any more there is nobody to tell.
    let _ = writeln!(output, "{}", words.join("\t")).and_then(|()| output.flush());
}

/// The library's log, for whoever reads standard error.
struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("layer_")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

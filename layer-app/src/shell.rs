//! The prompt: reads a line, does what it says, prints what comes of it.

use std::time::Duration;

use layer_client::update::UpdateStream;
use layer_client::{Client, ConnectionState, ConnectionStates, Error, Message, Terminal, tl};
use tokio::task::JoinHandle;

use crate::Failure;
use crate::command::{COMMANDS, Command, usage};
use crate::console::{Console, Line, Printer};
use crate::output::{self, say};
use crate::raw::Schema;
use crate::{sign_in, transfer, view};

const PROMPT: &str = "layer> ";

/// How a person leaves the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Quit,
    SignedOut,
}

pub(crate) struct Shell<'a> {
    client: &'a Client,
    console: &'a mut Console,
    /// The account that is signed in.
    me: i64,
    schema: Option<Schema>,
    updates: JoinHandle<()>,
    connection: JoinHandle<()>,
}

impl Drop for Shell<'_> {
    fn drop(&mut self) {
        self.updates.abort();
        self.connection.abort();
    }
}

impl<'a> Shell<'a> {
    pub(crate) fn new(client: &'a Client, me: i64, console: &'a mut Console) -> Self {
        let updates = client.stream_updates();
        let updates = tokio::spawn(show_updates(updates, me, console.printer()));
        let states = client.connection_states();
        let connection = tokio::spawn(show_connection(states, console.printer()));
        Self {
            client,
            console,
            me,
            schema: None,
            updates,
            connection,
        }
    }

    /// Runs until the person leaves, or the script ends or fails.
    pub(crate) async fn run(mut self) -> Result<Left, Failure> {
        loop {
            if output::reader_gone() {
                return Err(output::ReaderGone.into());
            }
            let line = match self.console.line(PROMPT).await? {
                Line::Text(line) => line,
                Line::Interrupted => continue,
                Line::End => return Ok(Left::Quit),
            };
            let outcome = match Command::parse(&line) {
                Ok(None) => continue,
                Ok(Some(Command::Quit)) => return Ok(Left::Quit),
                Ok(Some(command)) => {
                    if self.console.is_script() {
                        say!("{PROMPT}{}", line.trim());
                    }
                    let leaving = command == Command::Logout;
                    let outcome = self.interruptible(command).await;
                    if leaving && outcome.is_ok() {
                        return Ok(Left::SignedOut);
                    }
                    outcome
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = outcome {
                if self.console.is_script() {
                    return Err(format!("in '{}': {error}", line.trim()).into());
                }
                say!("error: {error}");
            }
        }
    }

    /// Ctrl-C ends what is being done, not the program. A script is ended as a whole, elsewhere.
    async fn interruptible(&mut self, command: Command) -> Result<(), Failure> {
        if self.console.is_script() {
            return self.perform(command).await;
        }
        crate::unless_interrupted(self.perform(command)).await
    }

    async fn perform(&mut self, command: Command) -> Result<(), Failure> {
        let client = self.client;
        match command {
            Command::Dialogs { limit } => {
                let mut dialogs = client.iter_dialogs().limit(limit);
                let mut none = true;
                while let Some(dialog) = dialogs.next().await? {
                    none = false;
                    say!("{}", view::dialog(&dialog));
                }
                if none {
                    say!("no chats yet; 'send @echo hello' begins one");
                }
            }
            Command::History { peer, limit } => {
                let messages = client
                    .iter_messages(peer.as_str())
                    .limit(limit)
                    .collect()
                    .await?;
                print_oldest_first(messages, self.me);
            }
            Command::Search { peer, query } => {
                let found = client
                    .iter_messages(peer.as_str())
                    .search(query)
                    .limit(50)
                    .collect()
                    .await?;
                print_oldest_first(found, self.me);
            }
            Command::Send { peer, text } => {
                let sent = client.send_message(peer.as_str(), text).await?;
                say!("{}", view::message(&sent, self.me));
            }
            Command::Reply {
                peer,
                message,
                text,
            } => {
                let answer = layer_client::InputMessage::text(text).reply_to(message);
                let sent = client.send_message(peer.as_str(), answer).await?;
                say!("{}", view::message(&sent, self.me));
            }
            Command::Edit {
                peer,
                message,
                text,
            } => {
                let edited = client.edit_message(peer.as_str(), message, text).await?;
                say!("{}", view::message(&edited, self.me));
            }
            Command::Delete { peer, messages } => {
                client.delete_messages(peer.as_str(), &messages).await?;
                say!("deleted");
            }
            Command::Forward { from, message, to } => {
                let copies = client
                    .forward_messages(to.as_str(), from.as_str(), &[message])
                    .await?;
                for copy in copies.into_iter().flatten() {
                    say!("{}", view::message(&copy, self.me));
                }
            }
            Command::Read { peer } => {
                client.mark_as_read(peer.as_str()).await?;
                say!("read");
            }
            Command::Press {
                peer,
                message,
                button,
            } => self.press(&peer, message, &button).await?,
            Command::Upload {
                peer,
                path,
                caption,
            } => {
                let sent =
                    transfer::upload(client, &self.console.printer(), &peer, &path, &caption)
                        .await?;
                say!("{}", view::message(&sent, self.me));
            }
            Command::Download {
                peer,
                message,
                path,
            } => {
                let message = self.message(&peer, message).await?;
                let path =
                    transfer::download(client, &self.console.printer(), &message, path).await?;
                say!("saved as {}", path.display());
            }
            Command::Resolve { peer } => {
                let found = client.resolve_peer(peer.as_str()).await?;
                say!(
                    "{:?} {}, id {}",
                    found.kind(),
                    view::peer(&found),
                    found.id()
                );
            }
            Command::Whoami => self.whoami().await?,
            Command::Password => {
                let new = sign_in::ask_secret(self.console, "The new password: ").await?;
                if new.is_empty() {
                    return Err("a password has at least one character".into());
                }
                client.set_password(&new, "").await?;
                say!("the next sign-in will ask for it");
            }
            Command::Raw { call } => self.raw(&call).await?,
            Command::Wait {
                seconds,
                words: None,
            } => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Command::Wait {
                seconds,
                words: Some(words),
            } => {
                let patience = Duration::from_secs(seconds);
                if !self.console.printer().wait_for(&words, patience).await {
                    return Err(format!("'{words}' did not arrive within {seconds} s").into());
                }
            }
            Command::Logout => {
                client.sign_out().await?;
                say!("signed out");
            }
            Command::Help { topic } => help(topic.as_deref())?,
            Command::Quit => {}
        }
        Ok(())
    }

    async fn message(&self, peer: &str, id: i32) -> Result<Message, Failure> {
        let found = self.client.get_messages(peer, &[id]).await?;
        let found = found.into_iter().flatten().next();
        Ok(found.ok_or_else(|| format!("there is no message {id} in that chat"))?)
    }

    async fn press(&self, peer: &str, id: i32, wanted: &str) -> Result<(), Failure> {
        let message = self.message(peer, id).await?;
        let buttons = view::buttons(&message).concat();
        let number = wanted
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let button = buttons
            .iter()
            .find(|button| view::text_of(button) == wanted)
            .or_else(|| buttons.get(number?))
            .ok_or_else(|| {
                let texts: Vec<&str> = buttons.iter().map(view::text_of).collect();
                match texts[..] {
                    [] => "this message has no buttons".to_owned(),
                    _ => format!("no button '{wanted}'; there are: {}", texts.join(", ")),
                }
            })?;
        match button {
            tl::enums::KeyboardButton::Callback(button) => {
                let answer = self
                    .client
                    .press_button(peer, id, button.data.clone())
                    .await?;
                say!(
                    "{}",
                    answer
                        .message
                        .or(answer.url)
                        .unwrap_or_else(|| "pressed".into())
                );
            }
            tl::enums::KeyboardButton::Url(button) => say!("leads to {}", button.url),
            _ => return Err("only buttons with an answer or a link can be pressed here".into()),
        }
        Ok(())
    }

    async fn whoami(&self) -> Result<(), Failure> {
        let me = self.client.me().await?;
        say!("{me}");
        say!("  id        {}", me.id());
        if let Some(username) = me.username() {
            say!("  username  @{username}");
        }
        if let Some(phone) = me.phone() {
            say!("  phone     +{phone}");
        }
        Ok(())
    }

    async fn raw(&mut self, line: &str) -> Result<(), Failure> {
        let schema = match self.schema.take() {
            Some(schema) => schema,
            None => Schema::load()?,
        };
        let schema = self.schema.insert(schema);
        let call = schema.encode(line, random_id()?)?;
        let tl::Blob(answer) = self.client.invoke(&tl::Blob(call.body)).await?;
        say!("{}", schema.show(&answer, &call.returns)?);
        Ok(())
    }
}

fn random_id() -> Result<i64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}

fn print_oldest_first(messages: Vec<Message>, me: i64) {
    if messages.is_empty() {
        say!("no messages");
    }
    for message in messages.iter().rev() {
        say!("{}", view::message(message, me));
    }
}

fn help(topic: Option<&str>) -> Result<(), Failure> {
    let Some(topic) = topic else {
        for entry in COMMANDS {
            say!("  {:<28} {}", usage(entry.name), entry.does);
        }
        say!(
            "\nPEER is me, @username, a phone number, a t.me link or an id. \\n in TEXT is a new line."
        );
        return Ok(());
    };
    let Some(entry) = COMMANDS.iter().find(|entry| entry.name == topic) else {
        return Err(format!("there is no command '{topic}'; 'help' lists them").into());
    };
    say!("{}\n  {}", usage(entry.name), entry.does);
    if entry.name == "raw" {
        say!(
            "  CALL is a method of the schema and its parameters, name:value each:\n    \
             raw help.getNearestDc\n    \
             raw messages.getHistory peer:inputPeerSelf offset_id:0 offset_date:0 add_offset:0 limit:3 max_id:0 min_id:0 hash:0\n    \
             raw users.getUsers id:[inputUserSelf, (inputUser user_id:1 access_hash:2)]\n  \
             Optional parameters may be left out, random_id is taken at random, bytes are 0x…."
        );
    }
    Ok(())
}

async fn show_updates(mut updates: UpdateStream, me: i64, printer: Printer) {
    while let Some(update) = updates.next().await {
        if let Some(text) = view::update(&update, me) {
            printer.print(&text);
        }
    }
    match updates.reason() {
        // Whoever signed out knows.
        None | Some(Error::Closed | Error::Terminal(Terminal::SignedOut)) => {}
        Some(reason) => printer.print(&format!("« no more updates: {reason}")),
    }
}

/// Tells when the connection is lost, and when it is back.
async fn show_connection(mut states: ConnectionStates, printer: Printer) {
    let mut lost = false;
    while let Some(state) = states.next().await {
        match state {
            ConnectionState::WaitingToRetry { after, .. } => {
                let seconds = after.as_secs_f32();
                printer.print(&format!(
                    "« connection lost, trying again in {seconds:.1} s"
                ));
                lost = true;
            }
            ConnectionState::Online if lost => {
                printer.print("« online again");
                lost = false;
            }
            _ => {}
        }
    }
}

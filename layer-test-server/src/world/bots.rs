//! The built-in accounts: Telegram's service account, @BotFather and @echo.
//!
//! They live inside the world and react as soon as a message to them is stored, within the same call.

use layer_tl_types::{enums, types};

use super::World;
use super::edit::Edit;
use super::ids::{BOT_FATHER_ID, ECHO_ID, PeerId, SERVICE_ID};
use super::message::Place;
use super::send::Draft;
use super::users::{BotInfo, User, valid_username};

/// How far somebody has come with @BotFather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Asked for the name of a new bot.
    NewName,
    /// Asked for its username.
    Username { name: String },
    /// Asked which bot's token to show or renew.
    WhichBot { renew: bool },
    /// Asked whose privacy mode to switch.
    WhosePrivacy,
    /// Asked how to switch it.
    Privacy { bot: i64 },
}

/// How many bots one person may have, as on Telegram.
const BOTS_LIMIT: usize = 20;
/// How many messages the built-in bots answer before a call ends; what is left is dropped.
const REACTIONS_LIMIT: usize = 1_000;

const UNKNOWN_BOT: &str =
    "I do not know such a bot of yours. Please send me its username, or /cancel.";

const HELP: &str = "I can help you create and manage Telegram bots.\n\n\
You can control me by sending these commands:\n\n\
/newbot - create a new bot\n\
/mybots - list your bots\n\
/token - show a bot's token\n\
/revoke - replace a bot's token\n\
/setprivacy - choose what a bot sees of groups\n\
/cancel - stop what we are doing\n\
/help - show this text";

impl World {
    /// Makes the accounts that every world has.
    pub(super) fn make_residents(&mut self) {
        self.insert_user(User {
            id: SERVICE_ID,
            phone: Some("42777".to_owned()),
            first_name: "Telegram".to_owned(),
            last_name: String::new(),
            username: None,
            about: String::new(),
            bot: None,
            home_dc: self.config.home_dc,
            online_until: 0,
            last_seen: 0,
            deleted: false,
            verified: true,
            support: true,
            premium: false,
            photos: Vec::new(),
        });
        for (id, name, username, commands) in [
            (
                BOT_FATHER_ID,
                "BotFather",
                "BotFather",
                vec![
                    ("newbot", "create a new bot"),
                    ("mybots", "list your bots"),
                    ("token", "show a bot's token"),
                    ("revoke", "replace a bot's token"),
                    ("setprivacy", "choose what a bot sees of groups"),
                    ("cancel", "stop what we are doing"),
                    ("help", "show what I can do"),
                ],
            ),
            (
                ECHO_ID,
                "Echo",
                "echo",
                vec![
                    ("start", "say hello"),
                    ("keyboard", "show an inline keyboard"),
                ],
            ),
        ] {
            let token = self.new_token(id);
            self.insert_user(User {
                id,
                phone: None,
                first_name: name.to_owned(),
                last_name: String::new(),
                username: Some(username.to_owned()),
                about: String::new(),
                bot: Some(BotInfo {
                    token,
                    owner: SERVICE_ID,
                    description: String::new(),
                    commands: commands
                        .into_iter()
                        .map(|(name, what)| (name.to_owned(), what.to_owned()))
                        .collect(),
                    inline_placeholder: None,
                    privacy: false,
                }),
                home_dc: self.config.home_dc,
                online_until: 0,
                last_seen: 0,
                deleted: false,
                verified: id == BOT_FATHER_ID,
                support: false,
                premium: false,
                photos: Vec::new(),
            });
        }
    }

    /// Whether the account is one of those that react by themselves.
    pub(crate) const fn is_resident(&self, id: i64) -> bool {
        id == BOT_FATHER_ID || id == ECHO_ID
    }

    /// Lets the built-in bots react to what they were sent.
    pub(super) fn run_bots(&mut self) {
        for _ in 0..REACTIONS_LIMIT {
            let Some((bot, peer, id)) = self.bot_mail.pop_front() else {
                return;
            };
            let Some(body) = self.body_of(bot, peer, id) else {
                continue;
            };
            if self.is_bot(body.from) || body.action.is_some() {
                continue;
            }
            let (from, text, media, entities) = (
                body.from,
                body.text.clone(),
                body.media.clone(),
                body.entities.clone(),
            );
            let private = matches!(body.place, Place::Private(..));
            match peer {
                PeerId::Channel(channel) => {
                    // Reading a channel fails only when the bot was just removed from it.
                    let _ = self.read_channel(bot, channel, id);
                }
                _ => {
                    self.read_history(bot, peer, id);
                }
            }
            match bot {
                BOT_FATHER_ID if private => {
                    let answer = self.bot_father(from, text.trim());
                    self.bot_says(
                        bot,
                        peer,
                        Draft {
                            text: answer,
                            ..Draft::default()
                        },
                    );
                }
                ECHO_ID => {
                    let draft = self.echo(from, &text, media, entities);
                    self.bot_says(bot, peer, draft);
                }
                _ => {}
            }
        }
        self.bot_mail.clear();
    }

    fn bot_says(&mut self, bot: i64, peer: PeerId, draft: Draft) {
        // Whoever blocked the bot or left the group meanwhile gets no answer.
        let _ = self.send(bot, peer, draft);
    }

    fn echo(
        &self,
        from: i64,
        text: &str,
        media: Option<super::message::Media>,
        entities: Vec<enums::MessageEntity>,
    ) -> Draft {
        let command = text.split_whitespace().next().unwrap_or_default();
        match command.split('@').next().unwrap_or_default() {
            "/start" => {
                let name = self
                    .users
                    .get(&from)
                    .map_or("there", |user| user.first_name.as_str());
                Draft {
                    text: format!(
                        "Hello, {name}! Send me anything and I will send it back. /keyboard shows an inline keyboard."
                    ),
                    ..Draft::default()
                }
            }
            "/keyboard" => Draft {
                text: "Press a button.".to_owned(),
                markup: Some(keyboard(&[
                    ("Ping", b"ping"),
                    ("Alert", b"alert"),
                    ("Edit", b"edit"),
                ])),
                ..Draft::default()
            },
            _ => Draft {
                text: text.to_owned(),
                media,
                entities,
                ..Draft::default()
            },
        }
    }

    /// A button of a built-in bot was pressed.
    pub(super) fn resident_callback(
        &mut self,
        bot: i64,
        query_id: i64,
        user_id: i64,
        peer: PeerId,
        msg_id: i32,
        data: &[u8],
    ) {
        let answer = |alert: bool, message: &str| types::messages::BotCallbackAnswer {
            alert,
            has_url: false,
            native_ui: true,
            message: Some(message.to_owned()),
            url: None,
            cache_time: 0,
        };
        let answer = match data {
            b"ping" => answer(false, "Pong!"),
            b"alert" => answer(true, "This is an alert."),
            b"edit" => {
                let name = self
                    .users
                    .get(&user_id)
                    .map_or("Somebody", |user| user.first_name.as_str());
                let text = Some(format!("{name} pressed the button."));
                let origin = self.origin.take();
                // A second press finds the text as it is, which is no harm.
                let _ = self.edit(
                    bot,
                    peer,
                    msg_id,
                    Edit {
                        text,
                        ..Edit::default()
                    },
                );
                self.origin = origin;
                answer(false, "Edited.")
            }
            _ => answer(false, "?"),
        };
        let answered = self.answer_callback(bot, query_id, answer);
        debug_assert!(answered.is_ok(), "the query was opened just before");
    }

    fn bots_of(&self, owner: i64) -> Vec<&User> {
        self.users
            .values()
            .filter(|user| user.bot.as_ref().is_some_and(|bot| bot.owner == owner))
            .collect()
    }

    /// One turn of the conversation with @BotFather.
    fn bot_father(&mut self, from: i64, text: &str) -> String {
        let talk = self.bot_talks.remove(&from);
        match text {
            "/start" | "/help" => return HELP.to_owned(),
            "/cancel" => {
                return match talk {
                    Some(_) => {
                        "All right, I have stopped. What next? Send /help for a list of commands."
                    }
                    None => "There is nothing to cancel: I was not doing anything.",
                }
                .to_owned();
            }
            "/newbot" => {
                if self.bots_of(from).len() >= BOTS_LIMIT {
                    return format!("You have {BOTS_LIMIT} bots already, and cannot have more.");
                }
                self.bot_talks.insert(from, Talk::NewName);
                return "All right, a new bot. What shall it be called? Please choose a name for it.".to_owned();
            }
            "/mybots" => {
                let list: Vec<String> = self
                    .bots_of(from)
                    .iter()
                    .filter_map(|bot| bot.username.clone())
                    .collect();
                if list.is_empty() {
                    return "You have no bots yet. Send /newbot to create one.".to_owned();
                }
                return format!("Your bots:\n\n@{}", list.join("\n@"));
            }
            "/token" | "/revoke" | "/setprivacy" => {
                if self.bots_of(from).is_empty() {
                    return "You have no bots yet. Send /newbot to create one.".to_owned();
                }
                let renew = text == "/revoke";
                let talk = if text == "/setprivacy" {
                    Talk::WhosePrivacy
                } else {
                    Talk::WhichBot { renew }
                };
                self.bot_talks.insert(from, talk);
                return "Which bot? Please send me its username.".to_owned();
            }
            _ => {}
        }
        match talk {
            Some(Talk::NewName)
                if text.is_empty() || text.chars().count() > 64 || text.starts_with('/') =>
            {
                self.bot_talks.insert(from, Talk::NewName);
                "Sorry, this is no good name. It must have 1 to 64 characters.".to_owned()
            }
            Some(Talk::NewName) => {
                self.bot_talks.insert(
                    from,
                    Talk::Username {
                        name: text.to_owned(),
                    },
                );
                "Good. Now choose a username for your bot. It must end in `bot`, like this: TetrisBot or tetris_bot."
                    .to_owned()
            }
            Some(Talk::Username { name }) => self.name_new_bot(from, name, text),
            Some(Talk::WhichBot { renew }) => self.show_token(from, text, renew),
            Some(Talk::WhosePrivacy) => match self.own_bot(from, text) {
                Some(bot) => {
                    self.bot_talks.insert(from, Talk::Privacy { bot });
                    "'Enable' - the bot will only receive messages that are meant for it.\n\
                     'Disable' - the bot will receive all messages that people send to groups."
                        .to_owned()
                }
                None => {
                    self.bot_talks.insert(from, Talk::WhosePrivacy);
                    UNKNOWN_BOT.to_owned()
                }
            },
            Some(Talk::Privacy { bot }) => match text.to_lowercase().as_str() {
                "enable" | "disable" => {
                    self.set_privacy(bot, text.eq_ignore_ascii_case("enable"));
                    "Success! The new setting holds from now on.".to_owned()
                }
                _ => {
                    self.bot_talks.insert(from, Talk::Privacy { bot });
                    "Please say 'Enable' or 'Disable', or /cancel.".to_owned()
                }
            },
            None => "I do not understand this. Send /help for a list of commands.".to_owned(),
        }
    }

    fn name_new_bot(&mut self, from: i64, name: String, text: &str) -> String {
        let username = text.trim_start_matches('@').to_owned();
        let problem = if !username.to_lowercase().ends_with("bot") {
            Some("Sorry, the username must end in 'bot', for example 'tetris_bot' or 'TetrisBot'.")
        } else if username.len() < 5 || !valid_username(&username) {
            Some(
                "Sorry, this username is invalid: 5 to 32 letters, digits and underscores, a letter first.",
            )
        } else if self.peer_by_username(&username).is_some() {
            Some("Sorry, this username is already taken. Please try something different.")
        } else {
            None
        };
        if let Some(problem) = problem {
            self.bot_talks.insert(from, Talk::Username { name });
            return problem.to_owned();
        }
        let (_, token) = self.create_bot(from, &name, &username);
        format!(
            "Done! Congratulations on your new bot. You will find it at t.me/{username}.\n\n\
             Use this token to access the HTTP API:\n{token}\n\
             Keep your token secure and store it safely, it can be used by anyone to control your bot."
        )
    }

    /// The bot of that name, if it is this person's.
    fn own_bot(&self, owner: i64, name: &str) -> Option<i64> {
        let wanted = name.trim_start_matches('@');
        let is_it = |bot: &&User| {
            let name = bot.username.as_deref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        };
        let bots = self.bots_of(owner);
        bots.into_iter().find(is_it).map(|bot| bot.id)
    }

    fn show_token(&mut self, from: i64, text: &str, renew: bool) -> String {
        let Some(id) = self.own_bot(from, text) else {
            self.bot_talks.insert(from, Talk::WhichBot { renew });
            return UNKNOWN_BOT.to_owned();
        };
        let fresh = renew.then(|| self.new_token(id));
        let Some(bot) = self.users.get_mut(&id).and_then(|user| user.bot.as_mut()) else {
            return HELP.to_owned();
        };
        if let Some(fresh) = fresh {
            bot.token = fresh;
        }
        format!(
            "You can use this token to access the HTTP API:\n{}",
            bot.token
        )
    }
}

/// An inline keyboard of one row.
pub(crate) fn keyboard(buttons: &[(&str, &[u8])]) -> enums::ReplyMarkup {
    let buttons = buttons
        .iter()
        .map(|(text, data)| {
            types::KeyboardButtonCallback {
                requires_password: false,
                style: None,
                text: (*text).to_owned(),
                data: data.to_vec(),
            }
            .into()
        })
        .collect();
    types::ReplyInlineMarkup {
        rows: vec![types::KeyboardButtonRow { buttons }.into()],
    }
    .into()
}

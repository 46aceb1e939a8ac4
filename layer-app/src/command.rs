//! The lines a person types, parsed: one table of commands serves the parser, `help` and completion.
//!
//! Parsing knows nothing of Telegram or of the terminal, so a script and a keyboard are read alike.

use std::fmt;
use std::path::PathBuf;

/// One line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Dialogs {
        limit: usize,
    },
    History {
        peer: String,
        limit: usize,
    },
    Search {
        peer: String,
        query: String,
    },
    Send {
        peer: String,
        text: String,
    },
    Reply {
        peer: String,
        message: i32,
        text: String,
    },
    Edit {
        peer: String,
        message: i32,
        text: String,
    },
    Delete {
        peer: String,
        messages: Vec<i32>,
    },
    Forward {
        from: String,
        message: i32,
        to: String,
    },
    Read {
        peer: String,
    },
    Press {
        peer: String,
        message: i32,
        button: String,
    },
    Upload {
        peer: String,
        path: PathBuf,
        caption: String,
    },
    Download {
        peer: String,
        message: i32,
        path: Option<PathBuf>,
    },
    Resolve {
        peer: String,
    },
    Whoami,
    Password,
    Raw {
        call: String,
    },
    Wait {
        seconds: u64,
        words: Option<String>,
    },
    Logout,
    Help {
        topic: Option<String>,
    },
    Quit,
}

/// What a command is called, what follows it, and what it does.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) does: &'static str,
}

const fn entry(name: &'static str, arguments: &'static str, does: &'static str) -> Entry {
    Entry {
        name,
        arguments,
        does,
    }
}

/// Every command, in the order `help` shows them.
pub(crate) const COMMANDS: &[Entry] = &[
    entry(
        "dialogs",
        "[COUNT]",
        "your chats, the newest first (20 unless told)",
    ),
    entry(
        "history",
        "PEER [COUNT]",
        "the last messages of a chat (20 unless told)",
    ),
    entry(
        "search",
        "PEER WORDS",
        "messages of a chat that contain the words",
    ),
    entry("send", "PEER TEXT", "send a message"),
    entry("reply", "PEER ID TEXT", "answer a message"),
    entry("edit", "PEER ID TEXT", "change a message of yours"),
    entry(
        "delete",
        "PEER ID [ID …]",
        "delete messages, for everyone where that is allowed",
    ),
    entry(
        "forward",
        "PEER ID TO",
        "forward a message of PEER to another chat",
    ),
    entry("read", "PEER", "mark a chat as read"),
    entry(
        "press",
        "PEER ID BUTTON",
        "press a button under a message, by its text or its number",
    ),
    entry(
        "upload",
        "PEER FILE [CAPTION]",
        "send a file, with a progress bar",
    ),
    entry(
        "download",
        "PEER ID [FILE]",
        "save a message's file, with a progress bar",
    ),
    entry(
        "resolve",
        "PEER",
        "who a username, phone number, link or id stands for",
    ),
    entry("whoami", "", "the account that is signed in"),
    entry(
        "password",
        "",
        "set a two-factor password, which is asked for next",
    ),
    entry(
        "raw",
        "CALL",
        "any method of the API, e.g. raw help.getNearestDc",
    ),
    entry(
        "wait",
        "SECONDS [WORDS]",
        "print what arrives; with WORDS, until they do, or fail (for scripts)",
    ),
    entry("logout", "", "sign out and forget the session"),
    entry("help", "[COMMAND]", "this list, or more on one command"),
    entry("quit", "", "leave (so does Ctrl-D)"),
];

/// Why a line is not a command; the text tells what would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParseError {
    Unknown {
        name: String,
        near: Option<&'static str>,
    },
    Usage {
        name: &'static str,
    },
    Number {
        name: &'static str,
        what: &'static str,
        found: String,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                name,
                near: Some(near),
            } => {
                write!(f, "there is no command '{name}'; did you mean '{near}'?")
            }
            Self::Unknown { name, near: None } => {
                write!(f, "there is no command '{name}'; 'help' lists them")
            }
            Self::Usage { name } => write!(f, "usage: {}", usage(name)),
            Self::Number { name, what, found } => {
                write!(f, "'{found}' is not {what}; usage: {}", usage(name))
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// `send PEER TEXT`, from the table.
pub(crate) fn usage(name: &str) -> String {
    match COMMANDS.iter().find(|entry| entry.name == name) {
        Some(entry) if entry.arguments.is_empty() => entry.name.to_owned(),
        Some(entry) => format!("{} {}", entry.name, entry.arguments),
        None => name.to_owned(),
    }
}

/// Splits the first word off; what follows keeps its inner spaces.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    }
}

struct Arguments<'a> {
    name: &'static str,
    rest: &'a str,
}

impl<'a> Arguments<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = word(self.rest);
        self.rest = rest;
        (!first.is_empty()).then_some(first)
    }

    fn required(&mut self) -> Result<&'a str, ParseError> {
        self.next().ok_or(ParseError::Usage { name: self.name })
    }

    /// A file name: quoted when it holds spaces.
    fn path(&mut self) -> Result<PathBuf, ParseError> {
        let usage = ParseError::Usage { name: self.name };
        if let Some(quoted) = self.rest.strip_prefix('"') {
            let (path, rest) = quoted.split_once('"').ok_or(usage)?;
            self.rest = rest.trim();
            return Ok(path.into());
        }
        self.required().map(PathBuf::from)
    }

    fn text(self) -> Result<String, ParseError> {
        if self.rest.is_empty() {
            return Err(ParseError::Usage { name: self.name });
        }
        Ok(self.rest.replace("\\n", "\n"))
    }

    fn number<T: std::str::FromStr>(
        &self,
        word: &str,
        what: &'static str,
    ) -> Result<T, ParseError> {
        word.parse().map_err(|_| ParseError::Number {
            name: self.name,
            what,
            found: word.to_owned(),
        })
    }

    fn message(&mut self) -> Result<i32, ParseError> {
        let word = self.required()?;
        self.number(word, "a message's id")
    }

    fn count(&mut self) -> Result<usize, ParseError> {
        match self.next() {
            None => Ok(20),
            Some(word) => self.number(word, "a count"),
        }
    }
}

impl Command {
    /// Reads one line; `None` for an empty one or a comment (`# …`).
    pub(crate) fn parse(line: &str) -> Result<Option<Self>, ParseError> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (name, rest) = word(line.strip_prefix('/').unwrap_or(line));
        let name = match name {
            "exit" | "q" => "quit",
            "me" => "whoami",
            other => other,
        };
        let Some(entry) = COMMANDS.iter().find(|entry| entry.name == name) else {
            return Err(ParseError::Unknown {
                name: name.to_owned(),
                near: nearest(name),
            });
        };
        let mut args = Arguments {
            name: entry.name,
            rest,
        };
        Ok(Some(match entry.name {
            "dialogs" => Self::Dialogs {
                limit: args.count()?,
            },
            "history" => Self::History {
                peer: args.required()?.into(),
                limit: args.count()?,
            },
            "search" => Self::Search {
                peer: args.required()?.into(),
                query: args.text()?,
            },
            "send" => Self::Send {
                peer: args.required()?.into(),
                text: args.text()?,
            },
            "reply" => Self::Reply {
                peer: args.required()?.into(),
                message: args.message()?,
                text: args.text()?,
            },
            "edit" => Self::Edit {
                peer: args.required()?.into(),
                message: args.message()?,
                text: args.text()?,
            },
            "delete" => {
                let peer = args.required()?.into();
                let mut messages = vec![args.message()?];
                while let Some(word) = args.next() {
                    messages.push(args.number(word, "a message's id")?);
                }
                Self::Delete { peer, messages }
            }
            "forward" => Self::Forward {
                from: args.required()?.into(),
                message: args.message()?,
                to: args.required()?.into(),
            },
            "read" => Self::Read {
                peer: args.required()?.into(),
            },
            "press" => Self::Press {
                peer: args.required()?.into(),
                message: args.message()?,
                button: args.text()?,
            },
            "upload" => Self::Upload {
                peer: args.required()?.into(),
                path: args.path()?,
                caption: args.rest.to_owned(),
            },
            "download" => Self::Download {
                peer: args.required()?.into(),
                message: args.message()?,
                path: if args.rest.is_empty() {
                    None
                } else {
                    Some(args.path()?)
                },
            },
            "resolve" => Self::Resolve {
                peer: args.required()?.into(),
            },
            "whoami" => Self::Whoami,
            "password" => Self::Password,
            "raw" => Self::Raw { call: args.text()? },
            "wait" => {
                let word = args.required()?;
                Self::Wait {
                    seconds: args.number(word, "a number of seconds")?,
                    words: args.text().ok(),
                }
            }
            "logout" => Self::Logout,
            "help" => Self::Help {
                topic: args.next().map(str::to_owned),
            },
            _ => Self::Quit,
        }))
    }
}

/// The command that a mistyped name was probably meant to be.
fn nearest(name: &str) -> Option<&'static str> {
    COMMANDS
        .iter()
        .map(|entry| (distance(name, entry.name), entry.name))
        .min()
        .filter(|(distance, near)| *distance <= 2 && *distance < near.len())
        .map(|(_, near)| near)
}

/// Edit distance (Levenshtein), for names of a few letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        Command::parse(line).unwrap().unwrap()
    }

    #[test]
    fn a_message_keeps_its_inner_spaces_and_escaped_line_ends() {
        assert_eq!(
            parsed("send @echo  one  two\\nthree "),
            Command::Send {
                peer: "@echo".into(),
                text: "one  two\nthree".into()
            }
        );
    }

    #[test]
    fn empty_lines_and_comments_are_nothing() {
        assert_eq!(Command::parse("   "), Ok(None));
        assert_eq!(Command::parse("# a remark"), Ok(None));
    }

    #[test]
    fn a_missing_argument_shows_the_usage_of_that_command() {
        let error = Command::parse("send @echo").unwrap_err();
        assert_eq!(error.to_string(), "usage: send PEER TEXT");
    }

    #[test]
    fn a_wrong_number_is_quoted() {
        let error = Command::parse("edit me twelve hello").unwrap_err();
        assert_eq!(
            error.to_string(),
            "'twelve' is not a message's id; usage: edit PEER ID TEXT"
        );
    }

    #[test]
    fn a_mistyped_command_is_guessed_and_a_strange_one_is_not() {
        let near = |line| match Command::parse(line).unwrap_err() {
            ParseError::Unknown { near, .. } => near,
            other => panic!("{other:?}"),
        };
        assert_eq!(near("snd me hi"), Some("send"));
        assert_eq!(near("dialog"), Some("dialogs"));
        assert_eq!(near("frobnicate"), None);
    }

    #[test]
    fn quoted_paths_may_hold_spaces() {
        assert_eq!(
            parsed("upload me \"a b.txt\" the caption"),
            Command::Upload {
                peer: "me".into(),
                path: "a b.txt".into(),
                caption: "the caption".into()
            }
        );
        assert!(Command::parse("upload me \"a b.txt").is_err());
    }

    #[test]
    fn several_messages_are_deleted_at_once() {
        assert_eq!(
            parsed("delete me 1 2 3"),
            Command::Delete {
                peer: "me".into(),
                messages: vec![1, 2, 3]
            }
        );
    }

    #[test]
    fn every_command_of_the_table_is_parsed_by_its_name() {
        for entry in COMMANDS {
            let line = format!("{} me 1 2 3", entry.name);
            let outcome = Command::parse(&line);
            assert!(
                !matches!(outcome, Err(ParseError::Unknown { .. })) && outcome != Ok(None),
                "{line}: {outcome:?}"
            );
            if entry.name != "quit" {
                assert_ne!(outcome, Ok(Some(Command::Quit)), "{line}");
            }
        }
    }
}

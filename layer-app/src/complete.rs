//! Help while a line is typed: names are completed, secrets are not shown.

use std::borrow::Cow;
use std::cell::OnceCell;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::command::COMMANDS;
use crate::raw::Schema;

/// What the line editor asks.
#[derive(Default)]
pub(crate) struct Assistant {
    /// Whether the line that is typed is a password.
    pub(crate) secret: bool,
    schema: OnceCell<Option<Schema>>,
}

impl Assistant {
    fn schema(&self) -> Option<&Schema> {
        self.schema.get_or_init(|| Schema::load().ok()).as_ref()
    }

    /// The names that the last word of `typed` may become.
    fn names(&self, typed: &str) -> Vec<String> {
        let (before, word) = typed.rsplit_once(' ').unwrap_or(("", typed));
        let mut before = before.split_whitespace();
        let command = before.next().map(|name| name.trim_start_matches('/'));
        let word = if command.is_none() {
            word.trim_start_matches('/')
        } else {
            word
        };
        match (command, before.next()) {
            (None | Some("help"), None) => {
                let names = COMMANDS.iter().map(|entry| entry.name);
                let fit = names.filter(|name| name.starts_with(word));
                fit.map(str::to_owned).collect()
            }
            (Some("raw"), None) => self
                .schema()
                .map(|schema| schema.methods(word))
                .unwrap_or_default(),
            (Some("raw"), Some(method)) => {
                let parameters = self.schema().map(|schema| schema.parameters(method));
                let fit = parameters.unwrap_or_default().into_iter();
                fit.map(|name| format!("{name}:"))
                    .filter(|name| name.starts_with(word) && !typed.contains(&format!(" {name}")))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        if self.secret {
            return Ok((position, Vec::new()));
        }
        let words = typed.split_whitespace().count() + usize::from(typed.ends_with(' '));
        let file = typed.starts_with("upload ") && words == 3
            || typed.starts_with("download ") && words == 4;
        if file {
            return FilenameCompleter::new().complete(line, position, context);
        }
        // Commands may be typed as bots have them: /send.
        let slash = usize::from(typed.starts_with('/'));
        let start = typed.rfind(' ').map_or(slash, |space| space + 1);
        let names = self.names(typed);
        let only = names.len() == 1;
        let pair = |name: String| {
            let space = if only && !name.ends_with(':') {
                " "
            } else {
                ""
            };
            Pair {
                replacement: format!("{name}{space}"),
                display: name,
            }
        };
        Ok((start, names.into_iter().map(pair).collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.secret {
            "*".repeat(line.chars().count()).into()
        } else {
            line.into()
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.secret
    }
}

impl Validator for Assistant {}
impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_completed_at_the_beginning_and_after_help() {
        let assistant = Assistant::default();
        assert_eq!(assistant.names("di"), ["dialogs"]);
        assert_eq!(assistant.names("/di"), ["dialogs"]);
        assert_eq!(assistant.names("help for"), ["forward"]);
        assert!(assistant.names("").len() > 15);
        assert!(assistant.names("send di").is_empty());
    }

    #[test]
    fn methods_and_their_parameters_are_completed() {
        let assistant = Assistant::default();
        let methods = assistant.names("raw help.getC");
        assert!(
            methods.contains(&"help.getConfig".to_owned()),
            "{methods:?}"
        );
        assert!(methods.iter().all(|name| name.starts_with("help.getC")));
        assert_eq!(
            assistant.names("raw messages.getHistory off"),
            ["offset_id:", "offset_date:"]
        );
        assert_eq!(
            assistant.names("raw messages.getHistory offset_id:0 off"),
            ["offset_date:"]
        );
        assert!(assistant.names("raw no.such ").is_empty());
    }

    #[test]
    fn secrets_are_stars() {
        let assistant = Assistant {
            secret: true,
            ..Assistant::default()
        };
        assert_eq!(assistant.highlight("päss", 0), "****");
    }
}

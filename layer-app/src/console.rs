//! Where lines come from and where text goes: a line editor at a terminal, plain lines from a pipe.

use std::cell::OnceCell;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, ExternalPrinter, Helper};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::sync::{mpsc, oneshot};

use crate::command::COMMANDS;
use crate::raw::Schema;

/// A line that was asked for, or why there is none.
pub(crate) enum Line {
    Text(String),
    /// Ctrl-C: forget what was typed.
    Interrupted,
    /// Ctrl-D, or the end of the script.
    End,
}

pub(crate) struct Console {
    source: Source,
    printer: Printer,
}

enum Source {
    Terminal(mpsc::UnboundedSender<Ask>),
    Pipe(Lines<BufReader<Stdin>>),
}

struct Ask {
    prompt: String,
    secret: bool,
    answer: oneshot::Sender<rustyline::Result<String>>,
}

/// Prints above the line that is being typed. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Printer(Option<Arc<Mutex<dyn ExternalPrinter + Send>>>);

impl Printer {
    pub(crate) fn print(&self, text: &str) {
        let printed = match &self.0 {
            Some(printer) => printer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .print(format!("{text}\n"))
                .is_ok(),
            None => false,
        };
        if !printed {
            let mut out = io::stdout().lock();
            // A reader that has gone away wants nothing more.
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
    }
}

impl Console {
    pub(crate) fn open() -> Self {
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            match Self::terminal() {
                Ok(console) => return console,
                Err(error) => eprintln!("no line editor here ({error}); reading plain lines"),
            }
        }
        let lines = BufReader::new(tokio::io::stdin()).lines();
        Self {
            source: Source::Pipe(lines),
            printer: Printer::default(),
        }
    }

    fn terminal() -> rustyline::Result<Self> {
        let config = rustyline::Config::builder().auto_add_history(false).build();
        let mut editor: Editor<Commands, DefaultHistory> = Editor::with_config(config)?;
        editor.set_helper(Some(Commands::default()));
        let printer = editor.create_external_printer()?;
        let (asks, mut asked) = mpsc::unbounded_channel::<Ask>();
        // The editor blocks, so it lives on a thread of its own and answers one question at a time.
        thread::spawn(move || {
            while let Some(ask) = asked.blocking_recv() {
                if let Some(helper) = editor.helper_mut() {
                    helper.secret = ask.secret;
                }
                let line = editor.readline(&ask.prompt);
                if let Ok(line) = &line
                    && !ask.secret
                    && !line.trim().is_empty()
                {
                    let _ = editor.add_history_entry(line.as_str());
                }
                let _ = ask.answer.send(line);
            }
        });
        let printer: Arc<Mutex<dyn ExternalPrinter + Send>> = Arc::new(Mutex::new(printer));
        Ok(Self {
            source: Source::Terminal(asks),
            printer: Printer(Some(printer)),
        })
    }

    /// Whether lines come from a script rather than from a person.
    pub(crate) fn is_script(&self) -> bool {
        matches!(self.source, Source::Pipe(_))
    }

    pub(crate) fn printer(&self) -> Printer {
        self.printer.clone()
    }

    pub(crate) async fn line(&mut self, prompt: &str) -> io::Result<Line> {
        self.ask(prompt, false).await
    }

    /// A line that is not shown while it is typed, and not remembered.
    pub(crate) async fn secret(&mut self, prompt: &str) -> io::Result<Line> {
        self.ask(prompt, true).await
    }

    async fn ask(&mut self, prompt: &str, secret: bool) -> io::Result<Line> {
        match &mut self.source {
            Source::Pipe(lines) => Ok(lines.next_line().await?.map_or(Line::End, Line::Text)),
            Source::Terminal(asks) => {
                let (answer, answered) = oneshot::channel();
                let ask = Ask {
                    prompt: prompt.to_owned(),
                    secret,
                    answer,
                };
                if asks.send(ask).is_err() {
                    return Ok(Line::End);
                }
                match answered.await {
                    Ok(Ok(text)) => Ok(Line::Text(text)),
                    Ok(Err(ReadlineError::Interrupted)) => Ok(Line::Interrupted),
                    Ok(Err(ReadlineError::Eof)) | Err(_) => Ok(Line::End),
                    Ok(Err(error)) => Err(io::Error::other(error)),
                }
            }
        }
    }
}

/// Completes the names of commands and methods, and hides what is secret.
#[derive(Default)]
struct Commands {
    secret: bool,
    schema: OnceCell<Option<Schema>>,
}

impl Commands {
    fn methods(&self, prefix: &str) -> Vec<String> {
        let schema = self.schema.get_or_init(|| Schema::load().ok());
        schema
            .as_ref()
            .map(|schema| schema.methods(prefix))
            .unwrap_or_default()
    }
}

impl Completer for Commands {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        if let Some(method) = typed.strip_prefix("raw ") {
            let pair = |name: String| Pair {
                display: name.clone(),
                replacement: name,
            };
            let names = if method.contains(' ') {
                Vec::new()
            } else {
                self.methods(method)
            };
            return Ok((
                position - method.len(),
                names.into_iter().map(pair).collect(),
            ));
        }
        if self.secret || typed.contains(' ') {
            return Ok((position, Vec::new()));
        }
        let matching = COMMANDS
            .iter()
            .filter(|entry| entry.name.starts_with(typed))
            .map(|entry| Pair {
                display: entry.name.to_owned(),
                replacement: format!("{} ", entry.name),
            })
            .collect();
        Ok((0, matching))
    }
}

impl Hinter for Commands {
    type Hint = String;
}

impl Highlighter for Commands {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> std::borrow::Cow<'l, str> {
        if self.secret {
            "*".repeat(line.chars().count()).into()
        } else {
            line.into()
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: rustyline::highlight::CmdKind) -> bool {
        self.secret
    }
}

impl Validator for Commands {}
impl Helper for Commands {}

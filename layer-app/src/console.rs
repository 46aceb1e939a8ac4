//! Where lines come from and where text goes: a line editor at a terminal, plain lines from a pipe.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::MultiProgress;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Editor, ExternalPrinter};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::complete::Assistant;
use crate::output::{complain, harmless, say};

/// A line that was asked for, or why there is none.
pub(crate) enum Line {
    Text(String),
    /// Ctrl-C: forget what was typed.
    Interrupted,
    /// Ctrl-D, or the end of the script.
    End,
}

/// Asks for lines. Reading blocks, so it is done on a thread of its own, a question at a time.
pub(crate) struct Console {
    asks: mpsc::Sender<Ask>,
    ahead: Option<Line>,
    script: bool,
    printer: Printer,
}

struct Ask {
    prompt: String,
    secret: bool,
    answer: oneshot::Sender<io::Result<Line>>,
}

impl Console {
    pub(crate) fn open() -> Self {
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            match Self::terminal() {
                Ok(console) => return console,
                Err(error) => complain(&format!(
                    "no line editor here ({error}); reading plain lines"
                )),
            }
        }
        Self::new(true, Printer::default(), |_| {
            let mut line = String::new();
            match io::stdin().read_line(&mut line).map_err(readable)? {
                0 => Ok(Line::End),
                _ => Ok(Line::Text(line.trim_end_matches(['\r', '\n']).to_owned())),
            }
        })
    }

    fn terminal() -> rustyline::Result<Self> {
        let config = rustyline::Config::builder()
            .auto_add_history(false)
            .completion_type(CompletionType::List)
            .build();
        let mut editor: Editor<Assistant, DefaultHistory> = Editor::with_config(config)?;
        editor.set_helper(Some(Assistant::default()));
        let printer = Printer::above(editor.create_external_printer()?);
        let next = move |ask: &Ask| {
            if let Some(helper) = editor.helper_mut() {
                helper.secret = ask.secret;
            }
            match editor.readline(&ask.prompt) {
                Ok(line) => {
                    if !ask.secret && !line.trim().is_empty() {
                        let _ = editor.add_history_entry(line.as_str());
                    }
                    Ok(Line::Text(line))
                }
                Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(error) => Err(io::Error::other(error)),
            }
        };
        Ok(Self::new(false, printer, next))
    }

    fn new(
        script: bool,
        printer: Printer,
        mut next: impl FnMut(&Ask) -> io::Result<Line> + Send + 'static,
    ) -> Self {
        let (asks, mut asked) = mpsc::channel::<Ask>(1);
        thread::spawn(move || {
            while let Some(ask) = asked.blocking_recv() {
                let line = next(&ask);
                let _ = ask.answer.send(line);
            }
        });
        Self {
            asks,
            ahead: None,
            script,
            printer,
        }
    }

    /// Whether lines come from a script rather than from a person.
    pub(crate) fn is_script(&self) -> bool {
        self.script
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

    /// Whether a script has lines left. A person may always have something to say.
    pub(crate) async fn goes_on(&mut self) -> io::Result<bool> {
        if self.script && self.ahead.is_none() {
            self.ahead = Some(self.ask("", false).await?);
        }
        Ok(!matches!(self.ahead, Some(Line::End)))
    }

    async fn ask(&mut self, prompt: &str, secret: bool) -> io::Result<Line> {
        if let Some(line) = self.ahead.take() {
            return Ok(line);
        }
        let (answer, answered) = oneshot::channel();
        let ask = Ask {
            prompt: harmless(prompt).into_owned(),
            secret,
            answer,
        };
        if self.asks.send(ask).await.is_err() {
            return Ok(Line::End);
        }
        answered.await.unwrap_or(Ok(Line::End))
    }
}

fn readable(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidData => io::Error::other("a line of the script is not UTF-8 text"),
        _ => error,
    }
}

/// Prints what happens meanwhile: above the line that is being typed, and above progress bars.
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Printer {
    above: Option<Arc<Mutex<dyn ExternalPrinter + Send>>>,
    bars: MultiProgress,
    seen: Arc<Seen>,
}

impl Printer {
    fn above(printer: impl ExternalPrinter + Send + 'static) -> Self {
        Self {
            above: Some(Arc::new(Mutex::new(printer))),
            ..Self::default()
        }
    }

    /// The place where progress bars are drawn.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    pub(crate) fn print(&self, text: &str) {
        let printed = match &self.above {
            Some(printer) => self.bars.suspend(|| {
                let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
                printer.print(format!("{}\n", harmless(text))).is_ok()
            }),
            None => false,
        };
        if !printed {
            say!("{text}");
        }
        self.seen.add(text);
    }

    /// Waits until something with these words in it is printed, or was since the last such wait.
    pub(crate) async fn wait_for(&self, words: &str, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.seen.wait_for(words))
            .await
            .is_ok()
    }
}

/// What was printed and not waited for yet.
#[derive(Default)]
struct Seen {
    texts: Mutex<VecDeque<String>>,
    more: Notify,
}

impl Seen {
    /// What lies further back is forgotten.
    const KEPT: usize = 1_000;

    fn add(&self, text: &str) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() == Self::KEPT {
            texts.pop_front();
        }
        texts.push_back(text.to_owned());
        self.more.notify_one();
    }

    /// Takes everything up to the text that has the words in it.
    fn take(&self, words: &str) -> bool {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = texts.iter().position(|text| text.contains(words));
        texts.drain(..found.map_or(0, |at| at + 1));
        found.is_some()
    }

    async fn wait_for(&self, words: &str) {
        while !self.take(words) {
            self.more.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_came_before_the_wait_counts_once() {
        let seen = Seen::default();
        for text in ["one", "two", "three"] {
            seen.add(text);
        }
        seen.wait_for("tw").await;
        assert!(!seen.take("one") && !seen.take("two"));
        assert!(seen.take("three"));
    }

    #[tokio::test]
    async fn what_comes_later_ends_the_wait() {
        let seen = Arc::new(Seen::default());
        let later = seen.clone();
        let waiting = tokio::spawn(async move { later.wait_for("words").await });
        tokio::task::yield_now().await;
        seen.add("other");
        seen.add("the words");
        waiting.await.unwrap();
    }

    #[test]
    fn what_nobody_waits_for_is_bounded() {
        let seen = Seen::default();
        for number in 0..3_000 {
            seen.add(&number.to_string());
        }
        assert_eq!(seen.texts.lock().unwrap().len(), Seen::KEPT);
    }

    #[tokio::test]
    async fn a_script_is_looked_at_ahead_without_losing_a_line() {
        let mut lines = ["one", "two"].into_iter();
        let next = move |_: &Ask| {
            let line = lines.next();
            Ok(line.map_or(Line::End, |line| Line::Text(line.to_owned())))
        };
        let mut console = Console::new(true, Printer::default(), next);
        for expected in ["one", "two"] {
            assert!(console.goes_on().await.unwrap());
            assert!(console.goes_on().await.unwrap());
            let Line::Text(line) = console.line("").await.unwrap() else {
                panic!("no line")
            };
            assert_eq!(line, expected);
        }
        assert!(!console.goes_on().await.unwrap());
        assert!(matches!(console.line("").await.unwrap(), Line::End));
    }
}

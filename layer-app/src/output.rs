//! Text for the person or the pipe at the other end, which may have gone away (`| head -1`):
//! `println!` would panic then.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_GONE: AtomicBool = AtomicBool::new(false);

/// A line to standard output.
macro_rules! say {
    ($($argument:tt)*) => { $crate::output::line(format_args!($($argument)*)) };
}
pub(crate) use say;

pub(crate) fn line(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    let mut out = io::stdout().lock();
    if writeln!(out, "{}", harmless(&text))
        .and_then(|()| out.flush())
        .is_err()
    {
        READER_GONE.store(true, Ordering::Relaxed);
    }
}

/// Whether a line could not be written: nobody reads what else would be said.
pub(crate) fn reader_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// A line to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Without what would command the terminal: names and messages are written by strangers.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(harmful) {
        text.replace(harmful, "\u{fffd}").into()
    } else {
        text.into()
    }
}

/// Ends a program that talks to nobody any more, as a closed pipe ends others: without a word.
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output any more")
    }
}

impl std::error::Error for ReaderGone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_commands_the_terminal_from_afar() {
        assert_eq!(harmless("two\nlines\tand é 日本"), "two\nlines\tand é 日本");
        assert_eq!(
            harmless("\u{1b}[2J\u{7}\r\u{9b}1m"),
            "\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}1m"
        );
    }
}

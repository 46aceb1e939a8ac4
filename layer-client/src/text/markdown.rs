//! Markdown as Telegram's own clients take it.
//!
//! `**bold**`, `__italic__`, `--underline--`, `~~strike~~`, `||spoiler||`, `` `code` ``, fenced code with a language,
//! `[text](url)`, `[name](tg://user?id=…)`, `[emoji](tg://emoji?id=…)`. A backslash takes the meaning of the
//! punctuation mark after it. A mark without its partner is plain text. Quotes have no form here; HTML has.

use layer_tl_types as tl;

use super::FormattedText;
use super::spans::{Span, Step, Style, to_entities, walk};

const PAIRS: [(&str, Style); 5] = [
    ("**", Style::Bold),
    ("__", Style::Italic),
    ("--", Style::Underline),
    ("~~", Style::Strike),
    ("||", Style::Spoiler),
];

const FENCE: &str = "```";

/// A piece of the source.
enum Token<'a> {
    Char(char),
    /// Index into [`PAIRS`].
    Mark(usize),
    LinkOpen,
    LinkClose {
        url: String,
        source: &'a str,
    },
    Code {
        text: String,
        style: Style,
    },
}

/// Reads Markdown.
#[must_use]
pub fn parse(source: &str) -> FormattedText {
    let tokens = tokens(source);
    let partner = partners(&tokens);

    let mut text = String::with_capacity(source.len());
    let mut units = 0;
    let mut spans = Vec::new();
    let mut starts = vec![0; tokens.len()];
    for (i, token) in tokens.iter().enumerate() {
        starts[i] = units;
        let add: &str = match (token, partner[i]) {
            (Token::Char(c), _) => {
                text.push(*c);
                units += c.len_utf16();
                continue;
            }
            (Token::Code { text: code, style }, _) => {
                let end = units + super::utf16_len(code);
                spans.push(Span {
                    start: units,
                    end,
                    style: style.clone(),
                });
                code
            }
            (Token::Mark(pair), Some(other)) => {
                if other < i {
                    spans.push(Span {
                        start: starts[other],
                        end: units,
                        style: PAIRS[*pair].1.clone(),
                    });
                }
                continue;
            }
            (Token::LinkClose { url, .. }, Some(other)) => {
                spans.push(Span {
                    start: starts[other],
                    end: units,
                    style: Style::from_url(url),
                });
                continue;
            }
            (Token::LinkOpen, Some(_)) => continue,
            (Token::Mark(pair), None) => PAIRS[*pair].0,
            (Token::LinkOpen, None) => "[",
            (Token::LinkClose { source, .. }, None) => source,
        };
        text.push_str(add);
        units += super::utf16_len(add);
    }
    FormattedText {
        text,
        entities: to_entities(spans),
    }
}

/// Which token closes or opens which.
fn partners(tokens: &[Token<'_>]) -> Vec<Option<usize>> {
    let mut partner = vec![None; tokens.len()];
    let mut open = [None; PAIRS.len()];
    let mut link = None;
    for (i, token) in tokens.iter().enumerate() {
        let opener = match token {
            Token::Mark(pair) => match open[*pair].take() {
                Some(opener) => opener,
                None => {
                    open[*pair] = Some(i);
                    continue;
                }
            },
            Token::LinkOpen => {
                link = Some(i);
                continue;
            }
            Token::LinkClose { .. } => match link.take() {
                Some(opener) => opener,
                None => continue,
            },
            Token::Char(_) | Token::Code { .. } => continue,
        };
        // Marks around nothing are text.
        if opener + 1 < i {
            partner[opener] = Some(i);
            partner[i] = Some(opener);
        }
    }
    partner
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if let Some((token, len)) = markup(rest) {
            tokens.push(token);
            rest = &rest[len..];
            continue;
        }
        let mut taken = &rest[c.len_utf8()..];
        let mut shown = c;
        if c == '\\'
            && let Some(escaped) = taken.chars().next().filter(char::is_ascii_punctuation)
        {
            shown = escaped;
            taken = &taken[escaped.len_utf8()..];
        }
        tokens.push(Token::Char(shown));
        rest = taken;
    }
    tokens
}

/// A piece of markup at the beginning of the text, and its length.
fn markup(rest: &str) -> Option<(Token<'_>, usize)> {
    if let Some(body) = rest.strip_prefix(FENCE)
        && let Some((code, len)) = until(body, FENCE)
    {
        let (language, code) = split_language(&code);
        if !code.is_empty() {
            let style = Style::Pre(language.to_owned());
            return Some((
                Token::Code {
                    text: code.to_owned(),
                    style,
                },
                FENCE.len() * 2 + len,
            ));
        }
    }
    if let Some(body) = rest.strip_prefix('`') {
        let (text, len) = until(body, "`").filter(|(text, _)| !text.is_empty())?;
        return Some((
            Token::Code {
                text,
                style: Style::Code,
            },
            len + 2,
        ));
    }
    if rest.starts_with('[') {
        return Some((Token::LinkOpen, 1));
    }
    if let Some(body) = rest.strip_prefix("](") {
        let (url, len) = until(body, ")").filter(|(url, _)| !url.is_empty())?;
        let len = len + 3;
        return Some((
            Token::LinkClose {
                url,
                source: &rest[..len],
            },
            len,
        ));
    }
    let pair = PAIRS.iter().position(|(mark, _)| rest.starts_with(mark))?;
    Some((Token::Mark(pair), 2))
}

/// The text up to an end mark, with backslashes taken out, and its length in the source.
fn until(body: &str, end: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = 0;
    loop {
        let rest = &body[at..];
        if rest.starts_with(end) {
            return Some((text, at));
        }
        let mut chars = rest.chars();
        let mut c = chars.next()?;
        at += c.len_utf8();
        if c == '\\'
            && let Some(escaped) = chars.next().filter(|c| matches!(c, '\\' | '`' | ')'))
        {
            c = escaped;
            at += 1;
        }
        text.push(c);
    }
}

/// Fenced code's first line names its language, if it is one word.
fn split_language(code: &str) -> (&str, &str) {
    match code.split_once('\n') {
        Some((first, rest))
            if first
                .chars()
                .all(|c| c.is_alphanumeric() || "+-#._".contains(c)) =>
        {
            (first, rest)
        }
        _ => ("", code),
    }
}

/// Writes Markdown. Reading it gives the same styles on the same text.
#[must_use]
pub fn render(text: &str, entities: &[tl::enums::MessageEntity]) -> String {
    let mut out = String::with_capacity(text.len());
    walk(text, entities, &mut |step| match step {
        Step::Text { text, literal } => {
            for c in text.chars() {
                let special = if literal { "\\`" } else { "\\`*_-~|[]()" };
                if special.contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        Step::Open(Style::Pre(language)) => {
            out.push_str(FENCE);
            out.push_str(language);
            out.push('\n');
        }
        Step::Close(Style::Pre(_)) => out.push_str(FENCE),
        Step::Open(Style::Code) | Step::Close(Style::Code) => out.push('`'),
        Step::Open(style) if style.url().is_some() => out.push('['),
        Step::Close(style) => match style.url() {
            Some(url) => {
                out.push_str("](");
                for c in url.chars() {
                    if "\\`)".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push(')');
            }
            None => out.push_str(mark(style)),
        },
        Step::Open(style) => out.push_str(mark(style)),
    });
    out
}

fn mark(style: &Style) -> &'static str {
    PAIRS
        .iter()
        .find(|(_, other)| other == style)
        .map_or("", |(mark, _)| mark)
}

//! HTML as bots write it.
//!
//! `b strong i em u ins s strike del tg-spoiler code pre a blockquote tg-emoji`, `<span class="tg-spoiler">`,
//! `<pre><code class="language-…">`, `<blockquote expandable>`, `<a href="tg://user?id=…">`, and the named and
//! numeric character references. A tag that is none of these, or has no beginning, is plain text; one without an end
//! reaches to the end.

use layer_tl_types as tl;

use super::spans::{Span, Step, Style, to_entities, walk};
use super::{FormattedText, utf16_len};

struct Open<'a> {
    name: &'a str,
    start: usize,
    style: Option<Style>,
}

/// Reads HTML.
#[must_use]
pub fn parse(source: &str) -> FormattedText {
    let mut reader = Reader {
        text: String::with_capacity(source.len()),
        units: 0,
        open: Vec::new(),
        spans: Vec::new(),
    };
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '<' => reader.tag(rest),
            '&' => reference(rest).map(|(c, len)| {
                reader.push(c);
                len
            }),
            _ => None,
        };
        rest = if let Some(len) = len {
            &rest[len..]
        } else {
            reader.push(c);
            &rest[c.len_utf8()..]
        };
    }
    while let Some(open) = reader.open.pop() {
        reader.finish(open);
    }
    FormattedText {
        text: reader.text,
        entities: to_entities(reader.spans),
    }
}

struct Reader<'a> {
    text: String,
    units: usize,
    open: Vec<Open<'a>>,
    spans: Vec<Span>,
}

impl<'a> Reader<'a> {
    fn push(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
    }

    fn finish(&mut self, open: Open<'a>) {
        if let Some(style) = open.style {
            self.spans.push(Span {
                start: open.start,
                end: self.units,
                style,
            });
        }
    }

    /// Takes the tag that the text begins with, and tells its length.
    fn tag(&mut self, rest: &'a str) -> Option<usize> {
        let end = tag_end(rest)?;
        let inner = &rest[1..end];
        if let Some(name) = inner.strip_prefix('/') {
            let name = name.trim();
            let at = self
                .open
                .iter()
                .rposition(|open| open.name.eq_ignore_ascii_case(name))?;
            let open = self.open.remove(at);
            self.finish(open);
            return Some(end + 1);
        }
        let name_len = inner
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_len);
        let style = self.style(name, attributes)?;
        self.open.push(Open {
            name,
            start: self.units,
            style,
        });
        Some(end + 1)
    }

    /// The style of a tag; `Some(None)` for one that is known and shows nothing, `None` for one that is not known.
    fn style(&mut self, name: &str, attributes: &str) -> Option<Option<Style>> {
        let style = match name.to_ascii_lowercase().as_str() {
            "b" | "strong" => Style::Bold,
            "i" | "em" => Style::Italic,
            "u" | "ins" => Style::Underline,
            "s" | "strike" | "del" => Style::Strike,
            "tg-spoiler" => Style::Spoiler,
            "span" if attribute(attributes, "class").as_deref() == Some("tg-spoiler") => {
                Style::Spoiler
            }
            "pre" => Style::Pre(String::new()),
            "code" => {
                let class = attribute(attributes, "class").unwrap_or_default();
                let language = class.strip_prefix("language-").unwrap_or_default();
                // Code right within preformatted text only names its language.
                if let Some(Open {
                    start,
                    style: Some(Style::Pre(of)),
                    ..
                }) = self.open.last_mut()
                    && *start == self.units
                {
                    *of = language.to_owned();
                    return Some(None);
                }
                Style::Code
            }
            "a" => match attribute(attributes, "href") {
                Some(url) if !url.is_empty() => Style::from_url(&url),
                _ => return Some(None),
            },
            "blockquote" => Style::Quote(
                attributes
                    .split_ascii_whitespace()
                    .any(|word| word == "expandable"),
            ),
            "tg-emoji" => match attribute(attributes, "emoji-id").and_then(|id| id.parse().ok()) {
                Some(id) => Style::Emoji(id),
                None => return Some(None),
            },
            _ => return None,
        };
        Some(Some(style))
    }
}

/// Where a tag's `>` stands: the first outside of quotes.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '<') if at > 0 => return None,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// An attribute's value, with its character references resolved.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let name_len = rest
            .find(|c: char| c == '=' || c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let (this, after) = rest.split_at(name_len);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            if name_len == 0 {
                return None;
            }
            rest = after.trim_start();
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => value[1..].split_once(quote)?,
            None => value.split_at(
                value
                    .find(|c: char| c.is_ascii_whitespace())
                    .unwrap_or(value.len()),
            ),
        };
        if this.eq_ignore_ascii_case(name) {
            return Some(unescape(value));
        }
        rest = after.trim_start();
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (c, len) = reference(rest).unwrap_or((c, c.len_utf8()));
        out.push(c);
        rest = &rest[len..];
    }
    out
}

/// The character reference that the text begins with, and its length.
fn reference(rest: &str) -> Option<(char, usize)> {
    let body = rest.strip_prefix('&')?;
    let end = body.bytes().take(10).position(|b| b == b';')?;
    let name = &body[..end];
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 2))
}

/// Writes HTML. Reading it gives the same styles on the same text.
#[must_use]
pub fn render(text: &str, entities: &[tl::enums::MessageEntity]) -> String {
    let mut out = String::with_capacity(text.len() + utf16_len(text) / 8);
    walk(text, entities, &mut |step| match step {
        Step::Text { text, .. } => escape(text, &mut out),
        Step::Open(style) => open_tag(style, &mut out),
        Step::Close(style) => out.push_str(match style {
            Style::Bold => "</b>",
            Style::Italic => "</i>",
            Style::Underline => "</u>",
            Style::Strike => "</s>",
            Style::Spoiler => "</tg-spoiler>",
            Style::Code => "</code>",
            Style::Pre(language) if language.is_empty() => "</pre>",
            Style::Pre(_) => "</code></pre>",
            Style::Link(_) | Style::Mention(_) => "</a>",
            Style::Emoji(_) => "</tg-emoji>",
            Style::Quote(_) => "</blockquote>",
        }),
    });
    out
}

fn open_tag(style: &Style, out: &mut String) {
    let simple = match style {
        Style::Bold => "<b>",
        Style::Italic => "<i>",
        Style::Underline => "<u>",
        Style::Strike => "<s>",
        Style::Spoiler => "<tg-spoiler>",
        Style::Code => "<code>",
        Style::Quote(false) => "<blockquote>",
        Style::Quote(true) => "<blockquote expandable>",
        Style::Pre(language) if language.is_empty() => "<pre>",
        Style::Pre(language) => {
            out.push_str("<pre><code class=\"language-");
            escape(language, out);
            "\">"
        }
        Style::Emoji(id) => {
            out.push_str(&format!("<tg-emoji emoji-id=\"{id}"));
            "\">"
        }
        Style::Link(_) | Style::Mention(_) => {
            out.push_str("<a href=\"");
            escape(&style.url().unwrap_or_default(), out);
            "\">"
        }
    };
    out.push_str(simple);
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

//! What Markdown and HTML share: the kinds of style, and the walk over nested and overlapping entities.

use layer_tl_types as tl;
use tl::enums::MessageEntity as E;

/// A style that markup can express.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Style {
    Bold,
    Italic,
    Underline,
    Strike,
    Spoiler,
    Code,
    Pre(String),
    Link(String),
    Mention(i64),
    Emoji(i64),
    Quote(bool),
}

impl Style {
    /// Code takes its contents literally.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Code | Self::Pre(_))
    }

    /// A link's target, where some addresses stand for other styles.
    pub(super) fn from_url(url: &str) -> Self {
        let number = |prefix: &str| url.strip_prefix(prefix).and_then(|id| id.parse().ok());
        if let Some(id) = number("tg://user?id=") {
            Self::Mention(id)
        } else if let Some(id) = number("tg://emoji?id=") {
            Self::Emoji(id)
        } else {
            Self::Link(url.to_owned())
        }
    }

    /// The address that [`from_url`](Self::from_url) reads.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Link(url) => Some(url.clone()),
            Self::Mention(id) => Some(format!("tg://user?id={id}")),
            Self::Emoji(id) => Some(format!("tg://emoji?id={id}")),
            _ => None,
        }
    }
}

/// A style with its place, in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) style: Style,
}

/// Spans to entities. Those too far into a text to be numbered are left out.
pub(super) fn to_entities(mut spans: Vec<Span>) -> Vec<E> {
    spans.retain(|span| span.start < span.end);
    spans.sort_by(|a, b| {
        a.start
            .cmp(&b.start)
            .then(b.end.cmp(&a.end))
            .then(a.style.cmp(&b.style))
    });
    spans.into_iter().filter_map(to_entity).collect()
}

fn to_entity(span: Span) -> Option<E> {
    let offset = i32::try_from(span.start).ok()?;
    let length = i32::try_from(span.end - span.start).ok()?;
    Some(match span.style {
        Style::Bold => tl::types::MessageEntityBold { offset, length }.into(),
        Style::Italic => tl::types::MessageEntityItalic { offset, length }.into(),
        Style::Underline => tl::types::MessageEntityUnderline { offset, length }.into(),
        Style::Strike => tl::types::MessageEntityStrike { offset, length }.into(),
        Style::Spoiler => tl::types::MessageEntitySpoiler { offset, length }.into(),
        Style::Code => tl::types::MessageEntityCode { offset, length }.into(),
        Style::Pre(language) => tl::types::MessageEntityPre {
            offset,
            length,
            language,
        }
        .into(),
        Style::Link(url) => tl::types::MessageEntityTextUrl {
            offset,
            length,
            url,
        }
        .into(),
        Style::Mention(user_id) => tl::types::MessageEntityMentionName {
            offset,
            length,
            user_id,
        }
        .into(),
        Style::Emoji(document_id) => tl::types::MessageEntityCustomEmoji {
            offset,
            length,
            document_id,
        }
        .into(),
        Style::Quote(collapsed) => tl::types::MessageEntityBlockquote {
            collapsed,
            offset,
            length,
        }
        .into(),
    })
}

/// The span of an entity, for those that markup can express.
fn from_entity(entity: &E) -> Option<Span> {
    let (offset, length, style) = match entity {
        E::Bold(e) => (e.offset, e.length, Style::Bold),
        E::Italic(e) => (e.offset, e.length, Style::Italic),
        E::Underline(e) => (e.offset, e.length, Style::Underline),
        E::Strike(e) => (e.offset, e.length, Style::Strike),
        E::Spoiler(e) => (e.offset, e.length, Style::Spoiler),
        E::Code(e) => (e.offset, e.length, Style::Code),
        E::Pre(e) => (e.offset, e.length, Style::Pre(e.language.clone())),
        E::TextUrl(e) => (e.offset, e.length, Style::Link(e.url.clone())),
        E::MentionName(e) => (e.offset, e.length, Style::Mention(e.user_id)),
        E::CustomEmoji(e) => (e.offset, e.length, Style::Emoji(e.document_id)),
        E::Blockquote(e) => (e.offset, e.length, Style::Quote(e.collapsed)),
        _ => return None,
    };
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    (start < end).then_some(Span { start, end, style })
}

/// What a writer is told, in order.
pub(super) enum Step<'a> {
    Open(&'a Style),
    Close(&'a Style),
    Text { text: &'a str, literal: bool },
}

/// Walks over a text and the styles on it. Every `Close` belongs to the last `Open`: where styles
/// overlap, the inner one is closed and opened again. Within code there are no others.
pub(super) fn walk(text: &str, entities: &[E], step: &mut dyn FnMut(Step<'_>)) {
    let mut spans: Vec<Span> = entities.iter().filter_map(from_entity).collect();
    spans.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    let mut cuts: Vec<usize> = spans.iter().flat_map(|s| [s.start, s.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut cuts = cuts.into_iter().peekable();

    let mut open: Vec<&Span> = Vec::new();
    let (mut units, mut from) = (0, 0);
    for (at, c) in text.char_indices() {
        // A cut within a surrogate pair counts as before it.
        let next = units + c.len_utf16();
        if cuts.peek().is_some_and(|&cut| cut < next) {
            while cuts.next_if(|&cut| cut < next).is_some() {}
            emit(&text[from..at], &open, step);
            from = at;
            let covers = |s: &&Span| s.start < next && s.end >= next;
            let wanted = without_inside_code(spans.iter().filter(covers));
            change(&mut open, wanted, step);
        }
        units = next;
    }
    emit(&text[from..], &open, step);
    change(&mut open, Vec::new(), step);
}

fn emit(text: &str, open: &[&Span], step: &mut dyn FnMut(Step<'_>)) {
    if !text.is_empty() {
        let literal = open.last().is_some_and(|span| span.style.is_literal());
        step(Step::Text { text, literal });
    }
}

/// Code ends the list: what lies within it is text. The same style counts once.
fn without_inside_code<'a>(spans: impl Iterator<Item = &'a Span>) -> Vec<&'a Span> {
    let mut list: Vec<&Span> = Vec::new();
    for span in spans {
        if list.last().is_some_and(|outer| outer.style.is_literal()) {
            break;
        }
        if list.iter().all(|outer| outer.style != span.style) {
            list.push(span);
        }
    }
    list
}

/// Closes and opens what it takes to get from one list of styles to the other.
fn change<'a>(open: &mut Vec<&'a Span>, wanted: Vec<&'a Span>, step: &mut dyn FnMut(Step<'_>)) {
    let same = open
        .iter()
        .zip(&wanted)
        .take_while(|(a, b)| a.style == b.style);
    let same = same.count();
    for span in open[same..].iter().rev() {
        step(Step::Close(&span.style));
    }
    for span in &wanted[same..] {
        step(Step::Open(&span.style));
    }
    *open = wanted;
}

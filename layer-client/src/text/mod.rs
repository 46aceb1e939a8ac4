//! Formatted text: Markdown and HTML to Telegram's entities, and back.
//!
//! Entities count in UTF-16 code units (documentation: "Styled text with message entities"). Both parsers take any
//! input: what is not markup stays as it was written. Kinds of entity that a form cannot express are left out when
//! it is written.

pub mod html;
pub mod markdown;
mod spans;

#[cfg(test)]
mod tests;

use layer_tl_types as tl;

/// A text and its entities.
#[derive(Debug, Default)]
pub struct FormattedText {
    /// The text without markup.
    pub text: String,
    /// What is bold, a link, and so on; offsets and lengths in UTF-16 code units.
    pub entities: Vec<tl::enums::MessageEntity>,
}

/// The length of a text as entities count it.
#[must_use]
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The part of a text that an entity covers; `None` when its bounds do not lie in the text or split a character.
#[must_use]
pub fn utf16_slice(text: &str, offset: usize, length: usize) -> Option<&str> {
    let end = offset.checked_add(length)?;
    let (mut from, mut to) = (None, None);
    let mut units = 0;
    for (at, c) in text
        .char_indices()
        .map(|(at, c)| (at, Some(c)))
        .chain([(text.len(), None)])
    {
        if units == offset {
            from = from.or(Some(at));
        }
        if units == end {
            to = Some(at);
            break;
        }
        units += c.map_or(0, char::len_utf16);
    }
    text.get(from?..to?)
}

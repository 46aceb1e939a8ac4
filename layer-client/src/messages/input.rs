//! `InputMessage`: a message to be sent.

use layer_tl_types as tl;

use super::Keyboard;
use crate::raw::Raw;
use crate::text::{FormattedText, html, markdown};

/// A message to be sent. A `&str` or `String` is one too.
///
/// ```
/// use layer_client::{Button, InputMessage, Keyboard};
///
/// let message = InputMessage::markdown("**Hello**, [world](https://example.org)")
///     .silent(true)
///     .keyboard(Keyboard::inline().row([Button::callback("Press me", "pressed")]));
/// # let _ = message;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InputMessage {
    pub(crate) text: String,
    pub(crate) entities: Vec<tl::enums::MessageEntity>,
    pub(crate) reply_to: Option<i32>,
    pub(crate) markup: Option<Raw<tl::enums::ReplyMarkup>>,
    pub(crate) media: Option<Raw<tl::enums::InputMedia>>,
    pub(crate) no_preview: bool,
    pub(crate) silent: bool,
    pub(crate) background: bool,
    pub(crate) clear_draft: bool,
    pub(crate) protected: bool,
    pub(crate) schedule: Option<i32>,
}

impl InputMessage {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Text in [Markdown](crate::text::markdown).
    pub fn markdown(source: impl AsRef<str>) -> Self {
        Self::formatted(markdown::parse(source.as_ref()))
    }

    /// Text in [HTML](crate::text::html).
    pub fn html(source: impl AsRef<str>) -> Self {
        Self::formatted(html::parse(source.as_ref()))
    }

    /// Text with entities.
    pub fn formatted(formatted: FormattedText) -> Self {
        Self {
            text: formatted.text,
            entities: formatted.entities,
            ..Self::default()
        }
    }

    /// Sets the entities; offsets and lengths in UTF-16 code units.
    pub fn entities(mut self, entities: Vec<tl::enums::MessageEntity>) -> Self {
        self.entities = entities;
        self
    }

    /// Names the message of the same chat that it answers.
    pub fn reply_to(mut self, msg_id: impl Into<Option<i32>>) -> Self {
        self.reply_to = msg_id.into();
        self
    }

    /// Puts buttons under it, or another keyboard in place of the user's.
    pub fn keyboard(mut self, keyboard: Keyboard) -> Self {
        self.markup = Some(Raw::new(keyboard.into_raw()));
        self
    }

    /// Sets the markup as the raw API has it.
    pub fn reply_markup(mut self, markup: tl::enums::ReplyMarkup) -> Self {
        self.markup = Some(Raw::new(markup));
        self
    }

    /// Whether a link in the text is shown with a preview; it is unless told otherwise.
    pub fn link_preview(mut self, shown: bool) -> Self {
        self.no_preview = !shown;
        self
    }

    /// Whether it arrives without a sound.
    pub fn silent(mut self, silent: bool) -> Self {
        self.silent = silent;
        self
    }

    /// Whether it is sent in the background.
    pub fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Whether sending it takes away the chat's draft.
    pub fn clear_draft(mut self, clear: bool) -> Self {
        self.clear_draft = clear;
        self
    }

    /// Whether it may not be forwarded nor saved.
    pub fn protected(mut self, protected: bool) -> Self {
        self.protected = protected;
        self
    }

    /// Sends it later, at this Unix time.
    pub fn schedule(mut self, date: i32) -> Self {
        self.schedule = Some(date);
        self
    }

    /// Adds a medium; the text is its caption then.
    /// [`Client::input_media`](crate::Client::input_media),
    /// [`UploadedFile`](crate::files::UploadedFile) and [`Media`](crate::files::Media) make these.
    pub fn media(self, media: impl Into<tl::enums::InputMedia>) -> Self {
        self.with_media(media.into())
    }

    /// The same, with another's text if it has none of its own.
    pub(crate) fn or_caption(mut self, other: Self) -> Self {
        if self.text.is_empty() {
            (self.text, self.entities) = (other.text, other.entities);
        }
        self
    }

    fn with_media(mut self, media: tl::enums::InputMedia) -> Self {
        self.media = Some(Raw::new(media));
        self
    }
}

impl From<&str> for InputMessage {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<&&str> for InputMessage {
    fn from(text: &&str) -> Self {
        Self::text(*text)
    }
}

impl From<String> for InputMessage {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for InputMessage {
    fn from(text: &String) -> Self {
        Self::text(text.as_str())
    }
}

impl From<FormattedText> for InputMessage {
    fn from(formatted: FormattedText) -> Self {
        Self::formatted(formatted)
    }
}

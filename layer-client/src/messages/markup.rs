//! Keyboards: buttons under a message, and those in place of the user's own keyboard.

use layer_tl_types as tl;

/// A button.
#[derive(Clone, Debug)]
#[must_use]
pub struct Button(tl::enums::KeyboardButton);

impl Button {
    /// Sends its own text, or, in an inline keyboard, nothing.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(tl::types::KeyboardButton { style: None, text }.into())
    }

    /// Sends `data` (at most 64 bytes) to the bot, as a callback query.
    pub fn callback(text: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self(
            tl::types::KeyboardButtonCallback {
                requires_password: false,
                style: None,
                text: text.into(),
                data: data.into(),
            }
            .into(),
        )
    }

    /// Opens a link.
    pub fn url(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self(
            tl::types::KeyboardButtonUrl {
                style: None,
                text: text.into(),
                url: url.into(),
            }
            .into(),
        )
    }

    /// Begins an inline query, in this chat or in one that the user chooses.
    pub fn switch_inline(
        text: impl Into<String>,
        query: impl Into<String>,
        same_chat: bool,
    ) -> Self {
        Self(
            tl::types::KeyboardButtonSwitchInline {
                same_peer: same_chat,
                style: None,
                text: text.into(),
                query: query.into(),
                peer_types: None,
            }
            .into(),
        )
    }

    /// Copies a text.
    pub fn copy(text: impl Into<String>, copied: impl Into<String>) -> Self {
        Self(
            tl::types::KeyboardButtonCopy {
                style: None,
                text: text.into(),
                copy_text: copied.into(),
            }
            .into(),
        )
    }

    /// Asks the user for their phone number.
    pub fn request_phone(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(tl::types::KeyboardButtonRequestPhone { style: None, text }.into())
    }

    /// Any button of the raw API.
    pub fn raw(button: tl::enums::KeyboardButton) -> Self {
        Self(button)
    }
}

/// Rows of buttons.
#[derive(Clone, Debug)]
#[must_use]
pub struct Keyboard {
    inline: bool,
    once: bool,
    rows: Vec<tl::enums::KeyboardButtonRow>,
}

impl Keyboard {
    /// Buttons under the message.
    pub fn inline() -> Self {
        Self {
            inline: true,
            once: false,
            rows: Vec::new(),
        }
    }

    /// Buttons in place of the user's keyboard.
    pub fn reply() -> Self {
        Self {
            inline: false,
            once: false,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let buttons = buttons.into_iter().map(|button| button.0).collect();
        self.rows
            .push(tl::types::KeyboardButtonRow { buttons }.into());
        self
    }

    /// A reply keyboard that goes away when it was used.
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(crate) fn into_raw(self) -> tl::enums::ReplyMarkup {
        if self.inline {
            return tl::types::ReplyInlineMarkup { rows: self.rows }.into();
        }
        tl::types::ReplyKeyboardMarkup {
            resize: true,
            single_use: self.once,
            selective: false,
            persistent: false,
            rows: self.rows,
            placeholder: None,
        }
        .into()
    }
}

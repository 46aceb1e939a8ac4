//! How things look on the terminal, a line each.

use layer_client::update::Update;
use layer_client::{Dialog, Message, Peer, tl};

/// `2026-11-22 14:05`, in the local time zone.
fn time(unix: i32) -> String {
    jiff::Timestamp::from_second(unix.into()).map_or_else(
        |_| "?".into(),
        |at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        },
    )
}

/// What a peer is called, with the handle to write to it.
pub(crate) fn peer(peer: &Peer) -> String {
    match (peer.name(), peer.username()) {
        ("", Some(username)) => format!("@{username}"),
        ("", None) => format!("id {}", peer.id()),
        (name, Some(username)) => format!("{name} (@{username})"),
        (name, None) => name.to_owned(),
    }
}

/// Whether this account wrote it. What it writes to itself does not count as outgoing with Telegram.
fn is_own(message: &Message, me: i64) -> bool {
    message.outgoing() || message.sender().is_some_and(|sender| sender.id() == me)
}

fn who(message: &Message, me: i64) -> String {
    if is_own(message, me) {
        return "you".into();
    }
    message
        .sender()
        .or(message.peer_id())
        .map_or_else(|| "?".into(), short)
}

fn short(peer: &Peer) -> String {
    match peer.name() {
        "" => peer
            .username()
            .map_or_else(|| peer.id().to_string(), |name| format!("@{name}")),
        name => name.to_owned(),
    }
}

/// A message without its chat: id, time, sender (`me` is the account that looks), what it says and
/// carries.
pub(crate) fn message(message: &Message, me: i64) -> String {
    let mut line = format!(
        "{:>6}  {}  {}: ",
        message.id(),
        time(message.date()),
        who(message, me)
    );
    line.push_str(&content(message));
    if message.edit_date().is_some() {
        line.push_str("  (edited)");
    }
    for row in buttons(message) {
        let row: Vec<String> = row
            .iter()
            .map(|button| format!("[{}]", text_of(button)))
            .collect();
        line.push_str("\n        ");
        line.push_str(&row.join(" "));
    }
    line
}

fn content(message: &Message) -> String {
    let mut parts = Vec::new();
    if let Some(media) = message.media() {
        let name = media.file_name().unwrap_or(if media.photo().is_some() {
            "photo"
        } else {
            "media"
        });
        parts.push(match media.size() {
            Some(size) => format!("[{name}, {}]", indicatif::HumanBytes(size)),
            None => format!("[{name}]"),
        });
    }
    if let Some(text) = message.text().filter(|text| !text.is_empty()) {
        parts.push(text.replace('\n', "\n        "));
    }
    if let Some(action) = message.action() {
        parts.push(format!("[{}]", action_name(action)));
    }
    parts.join(" ")
}

fn action_name(action: &tl::enums::MessageAction) -> &'static str {
    use tl::enums::MessageAction as A;
    match action {
        A::ChatCreate(_) => "created the group",
        A::ChannelCreate(_) => "created the channel",
        A::ChatAddUser(_) => "added a member",
        A::ChatDeleteUser(_) => "removed a member",
        A::ChatEditTitle(_) => "changed the title",
        A::PinMessage => "pinned a message",
        A::ContactSignUp => "joined Telegram",
        A::HistoryClear => "history cleared",
        _ => "service message",
    }
}

/// The inline buttons under a message, row by row.
pub(crate) fn buttons(message: &Message) -> Vec<Vec<tl::enums::KeyboardButton>> {
    let Some(tl::enums::ReplyMarkup::ReplyInlineMarkup(markup)) = message.reply_markup() else {
        return Vec::new();
    };
    let rows = markup.rows.iter();
    rows.map(|tl::enums::KeyboardButtonRow::Row(row)| row.buttons.clone())
        .collect()
}

/// What stands on a button.
pub(crate) fn text_of(button: &tl::enums::KeyboardButton) -> &str {
    use tl::enums::KeyboardButton as B;
    match button {
        B::Callback(button) => &button.text,
        B::Url(button) => &button.text,
        B::Button(button) => &button.text,
        B::SwitchInline(button) => &button.text,
        B::Copy(button) => &button.text,
        B::WebView(button) => &button.text,
        _ => "button",
    }
}

pub(crate) fn dialog(dialog: &Dialog) -> String {
    let unread = match dialog.unread_count() {
        0 => String::new(),
        count => format!("  {count} unread"),
    };
    let last = dialog.last_message().map(content).unwrap_or_default();
    let last: String = last
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(48)
        .collect();
    format!("{:<32}{unread:<12}  {last}", peer(dialog.peer()))
}

/// What happened, if it is worth a line.
pub(crate) fn update(update: &Update, me: i64) -> Option<String> {
    Some(match update {
        Update::NewMessage(new) if is_own(new, me) => return None,
        Update::NewMessage(new) => {
            let chat = new.peer_id().map(peer).unwrap_or_default();
            format!("« {chat}\n{}", message(new, me))
        }
        Update::MessageEdited(edited) => {
            let chat = edited.peer_id().map(peer).unwrap_or_default();
            format!("« {chat} (changed)\n{}", message(edited, me))
        }
        Update::MessageDeleted(deleted) => {
            let ids: Vec<String> = deleted.msg_ids.iter().map(i32::to_string).collect();
            format!("« deleted: {}", ids.join(", "))
        }
        Update::Typing(typing) => format!("« {} is typing", short(&typing.sender)),
        Update::Read(read) if read.outgoing => {
            format!("« {} has read up to {}", short(&read.peer), read.max_id)
        }
        Update::CallbackQuery(_) => "« someone pressed a button of this bot".into(),
        Update::Missed(missed) => match &missed.peer {
            Some(chat) => format!(
                "« more happened in {} than was told; see: history",
                peer(chat)
            ),
            None if missed.chats.is_empty() => "« more happened than was told; see: dialogs".into(),
            None => {
                let chats: Vec<String> = missed.chats.iter().map(peer).collect();
                format!("« more happened than was told in {}", chats.join(", "))
            }
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_and_impossible_ones_are_not_a_crash() {
        assert_eq!(time(1_700_000_000).len(), "2023-11-14 22:13".len());
        assert_eq!(time(i32::MIN).len(), "1901-12-13 20:45".len());
    }
}

//! What users do and become: online, typing, another name, a story.

use layer_tl_types as tl;

use super::{Other, Update, user};
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// A user came online or went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserStatus {
    /// Who.
    pub user: Peer,
    /// What they are now.
    pub status: Presence,
}

/// Whether someone is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// Now, and until then unless more is heard.
    Online {
        /// Unix seconds.
        until: i32,
    },
    /// Not now.
    Offline {
        /// Since when, Unix seconds.
        since: i32,
    },
    /// Within the last three days; they hide when exactly.
    Recently,
    /// Within the last week.
    LastWeek,
    /// Within the last month.
    LastMonth,
    /// Longer ago, or never.
    LongAgo,
}

impl From<&tl::enums::UserStatus> for Presence {
    fn from(status: &tl::enums::UserStatus) -> Self {
        use tl::enums::UserStatus as S;
        match status {
            S::Online(s) => Self::Online { until: s.expires },
            S::Offline(s) => Self::Offline {
                since: s.was_online,
            },
            S::Recently(_) => Self::Recently,
            S::LastWeek(_) => Self::LastWeek,
            S::LastMonth(_) => Self::LastMonth,
            S::Empty => Self::LongAgo,
        }
    }
}

/// Someone types, records, uploads, or has stopped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Typing {
    /// Where.
    pub peer: Peer,
    /// The topic or comment thread, if it is in one.
    pub topic: Option<i32>,
    /// Who.
    pub sender: Peer,
    /// What exactly.
    pub action: TypingAction,
}

/// What someone does that will become a message. Progress is in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypingAction {
    /// Types.
    Typing,
    /// Has stopped.
    Cancelled,
    /// Records a video.
    RecordingVideo,
    /// Uploads a video.
    UploadingVideo(i32),
    /// Records a voice message.
    RecordingVoice,
    /// Uploads a voice message or a song.
    UploadingVoice(i32),
    /// Uploads a photo.
    UploadingPhoto(i32),
    /// Uploads a file.
    UploadingFile(i32),
    /// Records a round video.
    RecordingRound,
    /// Uploads a round video.
    UploadingRound(i32),
    /// Chooses a place to send.
    ChoosingLocation,
    /// Chooses a contact to send.
    ChoosingContact,
    /// Chooses a sticker.
    ChoosingSticker,
    /// Plays a game.
    PlayingGame,
    /// Speaks in the chat's call.
    SpeakingInCall,
    /// Brings messages from another app in.
    ImportingHistory(i32),
    /// Something else: [`Update::Typing`] tells no more of it.
    Other,
}

impl From<&tl::enums::SendMessageAction> for TypingAction {
    fn from(action: &tl::enums::SendMessageAction) -> Self {
        use tl::enums::SendMessageAction as A;
        match action {
            A::SendMessageTypingAction => Self::Typing,
            A::SendMessageCancelAction => Self::Cancelled,
            A::SendMessageRecordVideoAction => Self::RecordingVideo,
            A::SendMessageUploadVideoAction(a) => Self::UploadingVideo(a.progress),
            A::SendMessageRecordAudioAction => Self::RecordingVoice,
            A::SendMessageUploadAudioAction(a) => Self::UploadingVoice(a.progress),
            A::SendMessageUploadPhotoAction(a) => Self::UploadingPhoto(a.progress),
            A::SendMessageUploadDocumentAction(a) => Self::UploadingFile(a.progress),
            A::SendMessageRecordRoundAction => Self::RecordingRound,
            A::SendMessageUploadRoundAction(a) => Self::UploadingRound(a.progress),
            A::SendMessageGeoLocationAction => Self::ChoosingLocation,
            A::SendMessageChooseContactAction => Self::ChoosingContact,
            A::SendMessageChooseStickerAction => Self::ChoosingSticker,
            A::SendMessageGamePlayAction => Self::PlayingGame,
            A::SpeakingInGroupCallAction => Self::SpeakingInCall,
            A::SendMessageHistoryImportAction(a) => Self::ImportingHistory(a.progress),
            _ => Self::Other,
        }
    }
}

/// A user changed something about themselves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserChange {
    /// Who. The name is that from before, unless the same packet told the new one.
    pub user: Peer,
    /// What.
    pub change: UserChangeKind,
}

/// What a user changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UserChangeKind {
    /// The name, the usernames, or both.
    #[non_exhaustive]
    Name {
        /// The first name.
        first: String,
        /// The last name, perhaps empty.
        last: String,
        /// The usernames that lead to them, the main one first, without `@`.
        usernames: Vec<String>,
    },
    /// The phone number, digits only.
    Phone(String),
    /// The emoji beside the name: the document's id, or `None` without one.
    EmojiStatus(Option<i64>),
    /// This account blocked them, or does no longer.
    Blocked(bool),
    /// Something that is to be fetched (`users.getUsers`).
    Anything,
}

/// A story was posted, changed or deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoryChange {
    /// Whose.
    pub peer: Peer,
    /// Which.
    pub story_id: i32,
    /// Whether it is gone.
    pub deleted: bool,
    /// As the raw API has it.
    pub raw: Raw<tl::enums::StoryItem>,
}

/// Stories were seen by this account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoriesRead {
    /// Whose.
    pub peer: Peer,
    /// Up to which.
    pub max_id: i32,
}

/// The account was signed in somewhere else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewLogin {
    /// What `account.changeAuthorizationSettings` and `account.resetAuthorization` name it by.
    pub hash: i64,
    /// Whether the server asks that it be confirmed.
    pub unconfirmed: bool,
    /// When, Unix seconds.
    pub date: Option<i32>,
    /// With which app on what.
    pub device: Option<String>,
    /// From where.
    pub location: Option<String>,
}

/// Telegram has something to say to the person.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceNotification {
    /// What kind, by which an app knows which it has shown already.
    pub kind: String,
    /// The text.
    pub text: String,
    /// Whether it is to be shown in a way that cannot be overlooked.
    pub popup: bool,
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let peer = |peer: &tl::enums::Peer| finder.find(PeerId::from(peer));
    let change = |user_id, change| {
        let user = user(finder, user_id);
        Update::UserChange(UserChange { user, change })
    };
    Ok(match update {
        U::UserStatus(u) => Update::UserStatus(UserStatus {
            user: user(finder, u.user_id),
            status: Presence::from(&u.status),
        }),
        U::UserTyping(u) => {
            let sender = user(finder, u.user_id);
            Update::Typing(Typing {
                peer: sender.clone(),
                topic: u.top_msg_id,
                sender,
                action: TypingAction::from(&u.action),
            })
        }
        U::ChatUserTyping(u) => Update::Typing(Typing {
            peer: finder.find(PeerId::group(u.chat_id)),
            topic: None,
            sender: peer(&u.from_id),
            action: TypingAction::from(&u.action),
        }),
        U::ChannelUserTyping(u) => Update::Typing(Typing {
            peer: finder.find(PeerId::channel(u.channel_id)),
            topic: u.top_msg_id,
            sender: peer(&u.from_id),
            action: TypingAction::from(&u.action),
        }),
        U::UserName(u) => {
            let names = u.usernames.into_iter().filter_map(|name| match name {
                tl::enums::Username::Username(name) => name.active.then_some(name.username),
            });
            let kind = UserChangeKind::Name {
                first: u.first_name,
                last: u.last_name,
                usernames: names.collect(),
            };
            change(u.user_id, kind)
        }
        U::UserPhone(u) => change(u.user_id, UserChangeKind::Phone(u.phone)),
        U::UserEmojiStatus(u) => {
            let id = match &u.emoji_status {
                tl::enums::EmojiStatus::Status(status) => Some(status.document_id),
                _ => None,
            };
            change(u.user_id, UserChangeKind::EmojiStatus(id))
        }
        U::User(u) => change(u.user_id, UserChangeKind::Anything),
        U::PeerBlocked(u) => Update::UserChange(UserChange {
            user: peer(&u.peer_id),
            change: UserChangeKind::Blocked(u.blocked),
        }),
        U::Story(u) => {
            let (story_id, deleted) = match &u.story {
                tl::enums::StoryItem::Item(story) => (story.id, false),
                tl::enums::StoryItem::Skipped(story) => (story.id, false),
                tl::enums::StoryItem::Deleted(story) => (story.id, true),
            };
            Update::Story(StoryChange {
                peer: peer(&u.peer),
                story_id,
                deleted,
                raw: Raw::new(u.story),
            })
        }
        U::ReadStories(u) => Update::StoriesRead(StoriesRead {
            peer: peer(&u.peer),
            max_id: u.max_id,
        }),
        U::NewAuthorization(u) => Update::NewLogin(NewLogin {
            hash: u.hash,
            unconfirmed: u.unconfirmed,
            date: u.date,
            device: u.device,
            location: u.location,
        }),
        U::ServiceNotification(u) => Update::ServiceNotification(ServiceNotification {
            kind: u.r#type,
            text: u.message,
            popup: u.popup,
        }),
        other => return Err(other),
    })
}

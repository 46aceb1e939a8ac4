//! The photos of profiles: of users, groups and channels.

use std::collections::VecDeque;

use layer_tl_types as tl;

use super::media::{Photo, stripped_to_jpeg};
use super::origin::{Origin, Source, chat_photo};
use super::{Downloadable, FileLocation};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::peers::{Peer, PeerKind, PeerRef, unusable};
use crate::raw::Raw;

/// The most that the server gives at once.
const PAGE: i32 = 100;

/// The photo that a user, group or channel shows now (constructors `userProfilePhoto`, `chatPhoto`).
/// As a [`Downloadable`] it is the [large](Self::large) one.
#[derive(Clone, Debug)]
pub struct PeerPhoto {
    peer: tl::enums::InputPeer,
    photo_id: i64,
    has_video: bool,
    stripped: Option<Vec<u8>>,
    dc_id: i32,
}

impl PeerPhoto {
    /// Its id, which tells whether it is another one than before.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.photo_id
    }

    /// Whether there is a short video too; [`Client::iter_profile_photos`] has it.
    #[must_use]
    pub fn has_video(&self) -> bool {
        self.has_video
    }

    /// The JPEG of a few pixels that came with it.
    #[must_use]
    pub fn stripped(&self) -> Option<Vec<u8>> {
        stripped_to_jpeg(self.stripped.as_deref()?)
    }

    /// Its small form, 160 pixels wide and high.
    #[must_use]
    pub fn small(&self) -> FileLocation {
        self.at(false)
    }

    /// Its large form, 640 pixels wide and high.
    #[must_use]
    pub fn large(&self) -> FileLocation {
        self.at(true)
    }

    // These have no file reference: whoever may see the peer may see its photo.
    fn at(&self, big: bool) -> FileLocation {
        let location = tl::types::InputPeerPhotoFileLocation {
            big,
            peer: self.peer.clone(),
            photo_id: self.photo_id,
        };
        FileLocation::new(location.into(), self.dc_id, None)
    }
}

impl Downloadable for PeerPhoto {
    fn file_location(&self) -> Option<FileLocation> {
        Some(self.large())
    }
}

/// A photo of a profile, whether it is shown now or was before. As a [`Downloadable`] it is the largest
/// of its sizes.
#[derive(Clone, Debug)]
pub struct ProfilePhoto {
    id: i64,
    raw: Raw<tl::enums::Photo>,
    origin: Origin,
}

impl ProfilePhoto {
    fn new(raw: tl::enums::Photo, origin: Origin) -> Option<Self> {
        let tl::enums::Photo::Photo(photo) = &raw else {
            return None;
        };
        Some(Self {
            id: photo.id,
            raw: Raw::new(raw),
            origin,
        })
    }

    /// One that this user has.
    pub(super) fn of_user(raw: tl::enums::Photo, user: Peer) -> Option<Self> {
        Self::new(raw, Origin::User(user))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Its sizes and videos.
    #[must_use]
    pub fn photo(&self) -> Option<Photo<'_>> {
        Photo::new(Some(&self.raw), Source::Origin(&self.origin))
    }
}

impl Downloadable for ProfilePhoto {
    fn file_location(&self) -> Option<FileLocation> {
        self.photo()?.file_location()
    }
}

/// The photos of a profile, the newest first. Made by [`Client::iter_profile_photos`].
#[must_use]
pub struct ProfilePhotoIter {
    client: Client,
    whose: Whose,
    offset: i32,
    limit: usize,
    given: usize,
    total: Option<usize>,
    buffer: VecDeque<ProfilePhoto>,
    /// The one that a chat shows now, which comes again with the message that says so.
    now: Option<i64>,
    done: bool,
}

enum Whose {
    Unresolved(Option<PeerRef>),
    User(Peer),
    /// Of which nothing was asked yet.
    NewChat(Peer),
    Chat(Peer),
}

impl Client {
    /// The photo that a user, group or channel shows now; `None` if there is none.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// if let Some(photo) = client.peer_photo("@durov").await? {
    ///     client.download(photo.small()).to_path("durov.jpg").await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`users.getUsers`,
    /// `messages.getChats`, `channels.getChannels`).
    pub async fn peer_photo(&self, peer: impl Into<PeerRef>) -> Result<Option<PeerPhoto>> {
        self.fetch_peer_photo(peer.into()).await
    }

    /// Iterates over all photos of a profile, the newest first.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// let mut photos = client.iter_profile_photos("@durov").limit(10);
    /// while let Some(photo) = photos.next().await? {
    ///     client.download(&photo).to_path(format!("{}.jpg", photo.id())).await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn iter_profile_photos(&self, peer: impl Into<PeerRef>) -> ProfilePhotoIter {
        ProfilePhotoIter {
            client: self.clone(),
            whose: Whose::Unresolved(Some(peer.into())),
            offset: 0,
            limit: usize::MAX,
            given: 0,
            total: None,
            buffer: VecDeque::new(),
            now: None,
            done: false,
        }
    }

    fn fetch_peer_photo(&self, peer: PeerRef) -> BoxFuture<'_, Result<Option<PeerPhoto>>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let input = peer.to_input().ok_or_else(|| unusable(peer.key()))?;
            let chat = match (peer.to_input_user(), peer.to_input_channel()) {
                (Some(user), _) => {
                    let request = tl::functions::users::GetUsers { id: vec![user] };
                    let users = self.invoke(&request).await?;
                    self.learn(&users, &[]);
                    return Ok(users.iter().find_map(|user| match user {
                        tl::enums::User::User(user) => of_user(input.clone(), user.photo.as_ref()?),
                        tl::enums::User::Empty(_) => None,
                    }));
                }
                (None, Some(channel)) => {
                    let id = vec![channel];
                    let request = tl::functions::channels::GetChannels { id };
                    self.invoke(&request).await?
                }
                (None, None) => {
                    let id = vec![peer.id()];
                    self.invoke(&tl::functions::messages::GetChats { id })
                        .await?
                }
            };
            let chats = match chat {
                tl::enums::messages::Chats::Chats(answer) => answer.chats,
                tl::enums::messages::Chats::Slice(answer) => answer.chats,
            };
            self.learn(&[], &chats);
            Ok(chats.iter().find_map(|chat| match chat {
                tl::enums::Chat::Chat(chat) => of_chat(input.clone(), &chat.photo),
                tl::enums::Chat::Channel(channel) => of_chat(input.clone(), &channel.photo),
                _ => None,
            }))
        })
    }
}

fn of_user(peer: tl::enums::InputPeer, photo: &tl::enums::UserProfilePhoto) -> Option<PeerPhoto> {
    match photo {
        tl::enums::UserProfilePhoto::Photo(photo) => Some(PeerPhoto {
            peer,
            photo_id: photo.photo_id,
            has_video: photo.has_video,
            stripped: photo.stripped_thumb.clone(),
            dc_id: photo.dc_id,
        }),
        tl::enums::UserProfilePhoto::Empty => None,
    }
}

fn of_chat(peer: tl::enums::InputPeer, photo: &tl::enums::ChatPhoto) -> Option<PeerPhoto> {
    match photo {
        tl::enums::ChatPhoto::Photo(photo) => Some(PeerPhoto {
            peer,
            photo_id: photo.photo_id,
            has_video: photo.has_video,
            stripped: photo.stripped_thumb.clone(),
            dc_id: photo.dc_id,
        }),
        tl::enums::ChatPhoto::Empty => None,
    }
}

impl ProfilePhotoIter {
    /// At most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The next photo; `None` after the last.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`photos.getUserPhotos`; for groups
    /// and channels `messages.getFullChat`, `channels.getFullChannel` and `messages.search`). The
    /// next call tries again.
    pub async fn next(&mut self) -> Result<Option<ProfilePhoto>> {
        while self.buffer.is_empty() && !self.done && self.given < self.limit {
            self.fetch().await?;
        }
        if self.given >= self.limit {
            return Ok(None);
        }
        let photo = self.buffer.pop_front();
        self.given += usize::from(photo.is_some());
        Ok(photo)
    }

    /// How many there are in all, of a user's, as far as the server tells.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn total(&mut self) -> Result<Option<usize>> {
        if self.total.is_none() && !self.done {
            self.fetch().await?;
        }
        Ok(self.total)
    }

    /// All that are left, in one list.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<ProfilePhoto>> {
        let mut all = Vec::new();
        while let Some(photo) = self.next().await? {
            all.push(photo);
        }
        Ok(all)
    }

    fn fetch(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if let Whose::Unresolved(peer) = &mut self.whose {
                let Some(peer) = peer.take() else {
                    self.done = true;
                    return Ok(());
                };
                let peer = self.client.resolve(peer).await?;
                self.whose = if peer.kind() == PeerKind::User {
                    Whose::User(peer)
                } else {
                    Whose::NewChat(peer)
                };
            }
            match &self.whose {
                Whose::User(peer) => {
                    let peer = peer.clone();
                    self.page_of_user(peer).await
                }
                Whose::NewChat(peer) => {
                    let peer = peer.clone();
                    self.first_of_chat(peer).await
                }
                Whose::Chat(peer) => {
                    let peer = peer.clone();
                    self.page_of_chat(peer).await
                }
                Whose::Unresolved(_) => Ok(()),
            }
        })
    }

    async fn page_of_user(&mut self, peer: Peer) -> Result<()> {
        let user_id = peer
            .to_input_user()
            .ok_or_else(|| Error::input(format!("{:?} is not a user", peer.key())))?;
        let request = tl::functions::photos::GetUserPhotos {
            user_id,
            offset: self.offset,
            max_id: 0,
            limit: PAGE,
        };
        let (photos, users, total, complete) = match self.client.invoke(&request).await? {
            tl::enums::photos::Photos::Photos(page) => {
                let total = self.offset.saturating_add(len(&page.photos));
                (page.photos, page.users, total, true)
            }
            tl::enums::photos::Photos::Slice(page) => (page.photos, page.users, page.count, false),
        };
        self.client.learn(&users, &[]);
        self.offset = self.offset.saturating_add(len(&photos));
        self.total = usize::try_from(total).ok();
        self.done = complete || photos.is_empty() || self.offset >= total;
        let origin = Origin::User(peer);
        let photos = photos.into_iter();
        self.buffer
            .extend(photos.filter_map(|photo| ProfilePhoto::new(photo, origin.clone())));
        Ok(())
    }

    async fn first_of_chat(&mut self, peer: Peer) -> Result<()> {
        let photo = chat_photo(&self.client, &peer).await?;
        self.whose = Whose::Chat(peer.clone());
        let photo = photo.and_then(|photo| ProfilePhoto::new(photo, Origin::Chat(peer)));
        self.now = photo.as_ref().map(ProfilePhoto::id);
        self.buffer.extend(photo);
        Ok(())
    }

    /// Earlier photos of a chat are found in the messages that told of them.
    async fn page_of_chat(&mut self, peer: Peer) -> Result<()> {
        let request = tl::functions::messages::Search {
            peer: peer.to_input().ok_or_else(|| unusable(peer.key()))?,
            q: String::new(),
            from_id: None,
            saved_peer_id: None,
            saved_reaction: None,
            top_msg_id: None,
            filter: tl::enums::MessagesFilter::InputMessagesFilterChatPhotos,
            min_date: 0,
            max_date: 0,
            offset_id: self.offset,
            add_offset: 0,
            limit: PAGE,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let page = self.client.page(self.client.invoke(&request).await?);
        let before = self.offset;
        let new = page
            .messages
            .iter()
            .filter(|message| before == 0 || message.id() < before);
        let mut last = None;
        for message in new {
            last = Some(message.id());
            if let Some(tl::enums::MessageAction::ChatEditPhoto(action)) = message.action() {
                let photo = ProfilePhoto::new(action.photo.clone(), Origin::of(message));
                let photo = photo.filter(|photo| self.now != Some(photo.id()));
                self.buffer.extend(photo);
            }
        }
        self.done = page.complete || last.is_none_or(|last| last <= 1);
        self.offset = last.unwrap_or(self.offset);
        Ok(())
    }
}

fn len(photos: &[tl::enums::Photo]) -> i32 {
    i32::try_from(photos.len()).unwrap_or(i32::MAX)
}

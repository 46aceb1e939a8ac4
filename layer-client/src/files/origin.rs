//! [`Origin`]: where a file came from, and with it where its file reference is got again (page
//! `api/file-references`).

use layer_tl_types as tl;

use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::Message;
use crate::peers::Peer;

/// Where a file reference is got again.
#[derive(Clone, Debug, Default)]
pub(crate) enum Origin {
    /// Nowhere: what has run out stays so.
    #[default]
    None,
    /// A message that has the file.
    Message { peer: Peer, id: i32 },
    /// The profile photos of a user.
    User(Peer),
    /// The photo that a group or channel has now.
    Chat(Peer),
    /// The page that a message showed. The page itself stays when the message goes.
    WebPage { url: String, shown_in: Box<Self> },
    /// A sticker set.
    StickerSet(Box<tl::enums::InputStickerSet>),
}

/// The same, borrowed from what shows the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    Message(&'a Message),
    WebPage(&'a Message, &'a str),
    Origin(&'a Origin),
}

impl Source<'_> {
    pub(super) fn origin(self) -> Origin {
        match self {
            Self::Message(message) => Origin::of(message),
            Self::WebPage(message, url) => Origin::WebPage {
                url: url.to_owned(),
                shown_in: Box::new(Origin::of(message)),
            },
            Self::Origin(origin) => origin.clone(),
        }
    }
}

impl Origin {
    /// The message, if it lies in a chat.
    pub(super) fn of(message: &Message) -> Self {
        message.peer_id().map_or(Self::None, |peer| Self::Message {
            peer: peer.clone(),
            id: message.id(),
        })
    }

    /// The reference that this very file has now.
    ///
    /// # Errors
    /// When there is no origin, when the origin has another file by now or none, and what Telegram
    /// answers.
    pub(super) fn reference_of<'a>(
        &'a self,
        client: &'a Client,
        file: &'a tl::enums::InputFileLocation,
    ) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let mut wanted = Wanted { file, found: None };
            let method = match self {
                Self::None => {
                    return Err(Error::input(
                        "the file reference has run out; get the file anew from where it came from",
                    ));
                }
                Self::Message { peer, id } => {
                    let messages = client.fetch_messages(peer.into(), vec![*id]).await?;
                    for message in messages.iter().flatten() {
                        wanted.in_message(message.raw());
                    }
                    "messages.getMessages"
                }
                Self::User(peer) => {
                    let photos = user_photos(client, peer, wanted.id()).await?;
                    photos.iter().for_each(|photo| wanted.in_photo(Some(photo)));
                    "photos.getUserPhotos"
                }
                Self::Chat(peer) => {
                    wanted.in_photo(chat_photo(client, peer).await?.as_ref());
                    "messages.getFullChat"
                }
                Self::WebPage { url, shown_in } => {
                    if let Ok(reference) = shown_in.reference_of(client, file).await {
                        return Ok(reference);
                    }
                    let url = url.clone();
                    let request = tl::functions::messages::GetWebPage { url, hash: 0 };
                    let tl::enums::messages::WebPage::Page(answer) =
                        client.invoke(&request).await?;
                    wanted.in_page(&answer.webpage);
                    "messages.getWebPage"
                }
                Self::StickerSet(set) => {
                    let request = tl::functions::messages::GetStickerSet {
                        stickerset: (**set).clone(),
                        hash: 0,
                    };
                    if let tl::enums::messages::StickerSet::Set(set) =
                        client.invoke(&request).await?
                    {
                        let documents = set.documents.iter();
                        documents.for_each(|document| wanted.in_document(Some(document)));
                    }
                    "messages.getStickerSet"
                }
            };
            // Asking again would not bring it back.
            wanted.found.ok_or_else(|| {
                Error::input(format!(
                    "the file reference has run out, and where it came from ({method}) the file is no more",
                ))
            })
        })
    }
}

/// The photo of this id among a user's.
async fn user_photos(client: &Client, peer: &Peer, id: i64) -> Result<Vec<tl::enums::Photo>> {
    let user_id = peer
        .to_input_user()
        .ok_or_else(|| Error::input("the user cannot be addressed any more"))?;
    // Page `method/photos.getUserPhotos`: how a single one is fetched.
    let request = tl::functions::photos::GetUserPhotos {
        user_id,
        offset: -1,
        max_id: id,
        limit: 1,
    };
    Ok(match client.invoke(&request).await? {
        tl::enums::photos::Photos::Photos(answer) => answer.photos,
        tl::enums::photos::Photos::Slice(answer) => answer.photos,
    })
}

/// The photo that a group or channel has now.
pub(super) async fn chat_photo(client: &Client, peer: &Peer) -> Result<Option<tl::enums::Photo>> {
    let answer = match peer.to_input_channel() {
        Some(channel) => {
            let request = tl::functions::channels::GetFullChannel { channel };
            client.invoke(&request).await?
        }
        None => {
            let request = tl::functions::messages::GetFullChat { chat_id: peer.id() };
            client.invoke(&request).await?
        }
    };
    let tl::enums::messages::ChatFull::Full(answer) = answer;
    client.learn(&answer.users, &answer.chats);
    Ok(match answer.full_chat {
        tl::enums::ChatFull::Full(chat) => chat.chat_photo.clone(),
        tl::enums::ChatFull::ChannelFull(channel) => Some(channel.chat_photo.clone()),
    })
}

/// A file that is looked for, and its reference when it was seen.
struct Wanted<'a> {
    file: &'a tl::enums::InputFileLocation,
    found: Option<Vec<u8>>,
}

impl Wanted<'_> {
    fn id(&self) -> i64 {
        match self.file {
            tl::enums::InputFileLocation::InputPhotoFileLocation(at) => at.id,
            tl::enums::InputFileLocation::InputDocumentFileLocation(at) => at.id,
            _ => 0,
        }
    }

    fn in_photo(&mut self, photo: Option<&tl::enums::Photo>) {
        if let Some(tl::enums::Photo::Photo(photo)) = photo
            && let tl::enums::InputFileLocation::InputPhotoFileLocation(at) = self.file
            && photo.id == at.id
        {
            self.found = Some(photo.file_reference.clone());
        }
    }

    fn in_document(&mut self, document: Option<&tl::enums::Document>) {
        if let Some(tl::enums::Document::Document(document)) = document
            && let tl::enums::InputFileLocation::InputDocumentFileLocation(at) = self.file
            && document.id == at.id
        {
            self.found = Some(document.file_reference.clone());
        }
    }

    fn in_message(&mut self, message: &tl::enums::Message) {
        match message {
            tl::enums::Message::Message(message) => {
                if let Some(media) = &message.media {
                    self.in_media(media);
                }
            }
            tl::enums::Message::Service(message) => {
                if let tl::enums::MessageAction::ChatEditPhoto(action) = &message.action {
                    self.in_photo(Some(&action.photo));
                }
            }
            tl::enums::Message::Empty(_) => {}
        }
    }

    fn in_media(&mut self, media: &tl::enums::MessageMedia) {
        use tl::enums::MessageMedia as M;
        match media {
            M::Photo(media) => self.in_photo(media.photo.as_ref()),
            M::Document(media) => {
                self.in_document(media.document.as_ref());
                for document in media.alt_documents.iter().flatten() {
                    self.in_document(Some(document));
                }
                self.in_photo(media.video_cover.as_ref());
            }
            M::WebPage(media) => self.in_page(&media.webpage),
            M::Game(media) => {
                let tl::enums::Game::Game(game) = &media.game;
                self.in_photo(Some(&game.photo));
                self.in_document(game.document.as_ref());
            }
            M::Invoice(media) => media
                .extended_media
                .iter()
                .for_each(|media| self.in_extended(media)),
            M::PaidMedia(media) => media
                .extended_media
                .iter()
                .for_each(|media| self.in_extended(media)),
            _ => {}
        }
    }

    fn in_extended(&mut self, media: &tl::enums::MessageExtendedMedia) {
        if let tl::enums::MessageExtendedMedia::Media(media) = media {
            self.in_media(&media.media);
        }
    }

    fn in_page(&mut self, page: &tl::enums::WebPage) {
        let tl::enums::WebPage::Page(page) = page else {
            return;
        };
        self.in_photo(page.photo.as_ref());
        self.in_document(page.document.as_ref());
        if let Some(tl::enums::Page::Page(page)) = &page.cached_page {
            for photo in &page.photos {
                self.in_photo(Some(photo));
            }
            for document in &page.documents {
                self.in_document(Some(document));
            }
        }
    }
}

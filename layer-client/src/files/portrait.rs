//! Setting and deleting the photos of profiles, and of groups and channels (page `api/files`,
//! "Uploading profile or chat pictures").

use std::future::Future;
use std::time::Duration;

use layer_tl_types as tl;

use super::outgoing::{MediaSource, Source, input_photo, not_received};
use super::{Downloadable, FileLocation, ProfilePhoto, UploadedFile};
use crate::chats::group_id;
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::unexpected;
use crate::middleware::CallOptions;
use crate::peers::{Peer, PeerRef, unusable};
use crate::tl::RemoteCall;

/// What is to be the photo of a profile, a group or a channel: a picture, a video, or an emoji.
///
/// ```no_run
/// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
/// use std::time::Duration;
/// use layer_client::files::NewProfilePhoto;
///
/// client.set_profile_photo(NewProfilePhoto::picture("me.jpg")).await?;
/// let video = NewProfilePhoto::video("me.mp4").starts_at(Duration::from_millis(1500));
/// client.set_profile_photo(video).await?;
/// client.set_chat_photo("@our_channel", NewProfilePhoto::picture("us.jpg")).await?;
/// # Ok(()) }
/// ```
#[must_use = "it is set by `Client::set_profile_photo` or `Client::set_chat_photo`"]
pub struct NewProfilePhoto<'a> {
    picture: Option<MediaSource<'a>>,
    video: Option<MediaSource<'a>>,
    markup: Option<tl::enums::VideoSize>,
    start: Option<Duration>,
    bot: Option<PeerRef>,
}

impl<'a> NewProfilePhoto<'a> {
    fn new() -> Self {
        Self {
            picture: None,
            video: None,
            markup: None,
            start: None,
            bot: None,
        }
    }

    /// A picture: a JPEG or PNG, best a square of at least 640 pixels. A photo that Telegram has
    /// already, such as an earlier [`ProfilePhoto`], is not uploaded again.
    pub fn picture(source: impl Into<MediaSource<'a>>) -> Self {
        Self {
            picture: Some(source.into()),
            ..Self::new()
        }
    }

    /// A short video: a square MP4 of at most 1080 pixels, best of 800. It has to be uploaded.
    pub fn video(source: impl Into<MediaSource<'a>>) -> Self {
        Self {
            video: Some(source.into()),
            ..Self::new()
        }
    }

    /// A sticker or a custom emoji on a background (constructors `videoSizeEmojiMarkup`,
    /// `videoSizeStickerMarkup`), of one to four colours.
    pub fn markup(markup: impl Into<tl::enums::VideoSize>) -> Self {
        Self {
            markup: Some(markup.into()),
            ..Self::new()
        }
    }

    /// The still picture of a video or an emoji, where there is to be another than the server makes.
    pub fn still(mut self, picture: impl Into<MediaSource<'a>>) -> Self {
        self.picture = Some(picture.into());
        self
    }

    /// The moment of a video that is the still picture.
    pub fn starts_at(mut self, moment: Duration) -> Self {
        self.start = Some(moment);
        self
    }

    /// For this bot of one's own, in place of oneself. Not for groups and channels.
    pub fn of_bot(mut self, bot: impl Into<PeerRef>) -> Self {
        self.bot = Some(bot.into());
        self
    }

    /// Uploads what is not uploaded yet.
    async fn prepare(self, client: &'a Client) -> Result<Prepared> {
        let moves = self.video.is_some() || self.markup.is_some();
        let video = match self.video {
            None => None,
            Some(MediaSource(video)) => {
                let what = "the video of a profile photo";
                Some(video.uploaded(client, what).await?)
            }
        };
        let picture = match self.picture {
            None => None,
            Some(MediaSource(Source::Received(file))) => {
                let photo = file.ok_or_else(no_photo)?;
                known_photo(&photo)?;
                if moves {
                    return Err(not_received(STILL));
                }
                return Ok(Prepared::Known(Box::new(photo)));
            }
            Some(MediaSource(picture)) => Some(picture.uploaded(client, STILL).await?),
        };
        let input = |file: &Option<UploadedFile>| file.as_ref().map(|file| file.input().clone());
        let photo = tl::types::InputChatUploadedPhoto {
            file: input(&picture),
            video: input(&video),
            video_start_ts: self.start.filter(|_| moves).map(|at| at.as_secs_f64()),
            video_emoji_markup: self.markup,
        };
        let only = match (picture, video) {
            (Some(file), None) | (None, Some(file)) => Some(file),
            _ => None,
        };
        Ok(Prepared::Uploaded(Box::new((photo, only))))
    }
}

/// What a picture is called beside a video or an emoji.
const STILL: &str = "the still picture of a video";

impl std::fmt::Debug for NewProfilePhoto<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewProfilePhoto")
            .field("picture", &self.picture.is_some())
            .field("video", &self.video.is_some())
            .field("markup", &self.markup.is_some())
            .finish_non_exhaustive()
    }
}

/// What can be set now.
enum Prepared {
    Known(Box<FileLocation>),
    /// With the file whose parts can be sent again if the server lost some: of two nobody knows which one it
    /// means.
    Uploaded(Box<(tl::types::InputChatUploadedPhoto, Option<UploadedFile>)>),
}

fn photo_id(photo: &tl::enums::Photo) -> i64 {
    match photo {
        tl::enums::Photo::Photo(photo) => photo.id,
        tl::enums::Photo::Empty(photo) => photo.id,
    }
}

fn no_photo() -> Error {
    Error::input("there is no photo to be set")
}

fn known_photo(file: &FileLocation) -> Result<tl::enums::InputPhoto> {
    match file.raw() {
        tl::enums::InputFileLocation::InputPhotoFileLocation(at) => Ok(input_photo(at)),
        _ => Err(Error::input(
            "only a photo can become a profile photo without uploading it",
        )),
    }
}

/// As [`with_photos`], with one.
async fn with_photo<T, F>(
    client: &Client,
    file: &FileLocation,
    act: impl Fn(tl::enums::InputPhoto) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let first = |photos: Vec<_>| photos.into_iter().next();
    let act = |photos| act(first(photos).unwrap_or(tl::enums::InputPhoto::Empty));
    with_photos(client, vec![file.clone()], act).await
}

/// Does something with photos that Telegram has; once more with new file references if the old ones
/// have run out.
async fn with_photos<T, F>(
    client: &Client,
    mut files: Vec<FileLocation>,
    act: impl Fn(Vec<tl::enums::InputPhoto>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut renewed = false;
    loop {
        let photos = files.iter().map(known_photo).collect::<Result<_>>()?;
        match act(photos).await {
            Err(error) if error.is("FILE_REFERENCE_*") && !renewed => {
                renewed = true;
                for file in &mut files {
                    *file = file.refresh(client).await?;
                }
            }
            outcome => return outcome,
        }
    }
}

impl Client {
    /// Sets one's profile photo, or that of a bot of one's own; the earlier ones stay in the profile
    /// behind it. It is set once, also when the answer got lost: where no one else can tell, the profile is
    /// looked at, and a photo that was not there before is taken for this one.
    ///
    /// # Errors
    /// When a file cannot be read, and what Telegram answers (`photos.uploadProfilePhoto`,
    /// `photos.updateProfilePhoto`): `PHOTO_CROP_SIZE_SMALL`, `VIDEO_FILE_INVALID`, and the like.
    pub async fn set_profile_photo(&self, photo: NewProfilePhoto<'_>) -> Result<ProfilePhoto> {
        self.set_portrait(photo).await
    }

    /// Takes one's profile photo away; the one before it is shown again, if there is any.
    ///
    /// # Errors
    /// What Telegram answers (`photos.updateProfilePhoto`).
    pub async fn remove_profile_photo(&self) -> Result<()> {
        self.remove_portrait().await
    }

    /// Deletes photos of one's profile, whether they are shown now or were before. The ids of those
    /// that there were.
    ///
    /// # Errors
    /// When a photo's file reference has run out and the photo is no more, and what Telegram answers
    /// (`photos.deletePhotos`).
    pub async fn delete_profile_photos<'a>(
        &self,
        photos: impl IntoIterator<Item = &'a ProfilePhoto>,
    ) -> Result<Vec<i64>> {
        let photos = photos.into_iter();
        let files = photos.filter_map(Downloadable::file_location).collect();
        self.delete_portraits(files).await
    }

    /// Sets the photo of a group, supergroup or channel.
    ///
    /// # Errors
    /// When the chat cannot be found or a file cannot be read, and what Telegram answers
    /// (`messages.editChatPhoto`, `channels.editPhoto`): `CHAT_ADMIN_REQUIRED`, and the like.
    pub async fn set_chat_photo(
        &self,
        chat: impl Into<PeerRef>,
        photo: NewProfilePhoto<'_>,
    ) -> Result<()> {
        self.set_photo_of(chat.into(), photo).await
    }

    /// Takes the photo of a group, supergroup or channel away.
    ///
    /// # Errors
    /// When the chat cannot be found, and what Telegram answers (`messages.editChatPhoto`,
    /// `channels.editPhoto`): `CHAT_NOT_MODIFIED` when there is none, and the like.
    pub async fn delete_chat_photo(&self, chat: impl Into<PeerRef>) -> Result<()> {
        let chat = self.resolve(chat.into()).await?;
        self.edit_photo(&chat, tl::enums::InputChatPhoto::Empty)
            .await
    }

    fn set_portrait<'a>(
        &'a self,
        photo: NewProfilePhoto<'a>,
    ) -> BoxFuture<'a, Result<ProfilePhoto>> {
        Box::pin(async move {
            let mut photo = photo;
            let whose = match photo.bot.take() {
                Some(bot) => self.resolve(bot).await?,
                None => self.myself()?,
            };
            let bot = if whose.id() == self.my_id() {
                None
            } else {
                let bot = whose.to_input_user();
                Some(bot.ok_or_else(|| Error::input(format!("{:?} is no bot", whose.key())))?)
            };
            let prepared = photo.prepare(self).await?;
            let (method, answer) = match &prepared {
                Prepared::Known(file) => {
                    let choose = |photo| self.choose_portrait(bot.clone(), photo);
                    let answer = with_photo(self, file, choose).await?;
                    ("photos.updateProfilePhoto", answer)
                }
                Prepared::Uploaded(uploaded) => {
                    let (photo, only) = &**uploaded;
                    let request = tl::functions::photos::UploadProfilePhoto {
                        fallback: false,
                        bot,
                        file: photo.file.clone(),
                        video: photo.video.clone(),
                        video_start_ts: photo.video_start_ts,
                        video_emoji_markup: photo.video_emoji_markup.clone(),
                    };
                    let before = photo_id(&self.newest_portrait(&whose).await?);
                    let send = || self.change_portrait(&request, &whose, before);
                    let answer = UploadedFile::mended(only.as_ref(), self, send).await?;
                    ("photos.uploadProfilePhoto", answer)
                }
            };
            ProfilePhoto::of_user(answer, whose)
                .ok_or_else(|| unexpected(method, "the new photo was not shown"))
        })
    }

    fn remove_portrait(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = tl::functions::photos::UpdateProfilePhoto {
                fallback: false,
                bot: None,
                id: tl::enums::InputPhoto::Empty,
            };
            let me = self.myself()?;
            let before = photo_id(&self.newest_portrait(&me).await?);
            self.change_portrait(&request, &me, before).await.map(drop)
        })
    }

    /// Does what gives a profile another newest photo than `before`, and would give it yet another if it
    /// were done twice. When nobody can tell whether it was done, the profile is looked at.
    async fn change_portrait<R>(
        &self,
        request: &R,
        whose: &Peer,
        before: i64,
    ) -> Result<tl::enums::Photo>
    where
        R: RemoteCall<Return = tl::enums::photos::Photo>,
    {
        let options = CallOptions {
            at_most_once: true,
            ..CallOptions::default()
        };
        let mut attempt = 0;
        loop {
            let error = match self.invoke_with(request, options.clone()).await {
                Ok(tl::enums::photos::Photo::Photo(answer)) => {
                    self.learn(&answer.users, &[]);
                    return Ok(answer.photo);
                }
                Err(error) => error,
            };
            // Whether it is over and may be asked for again, if it was not done.
            let over = match &error {
                Error::Request(error) if error.sent => true,
                Error::Rpc(error) if error.is_server_failure() => true,
                // The server may still be at it.
                Error::Timeout(error) if error.sent => false,
                _ => return Err(error),
            };
            let delay = self.inner.config.retry.delay(attempt);
            tokio::time::sleep(delay.unwrap_or_default()).await;
            let Ok(newest) = self.newest_portrait(whose).await else {
                return Err(error);
            };
            if photo_id(&newest) != before {
                log::info!("{error}; but it was done");
                return Ok(newest);
            }
            if !over || delay.is_none() {
                return Err(error);
            }
            log::info!("{error}; it was not done, and is asked for again");
            attempt += 1;
        }
    }

    /// The photo that a user shows now.
    async fn newest_portrait(&self, whose: &Peer) -> Result<tl::enums::Photo> {
        let user_id = whose.to_input_user();
        let request = tl::functions::photos::GetUserPhotos {
            user_id: user_id.ok_or_else(|| unusable(whose.key()))?,
            offset: 0,
            max_id: 0,
            limit: 1,
        };
        let photos = match self.invoke(&request).await? {
            tl::enums::photos::Photos::Photos(page) => page.photos,
            tl::enums::photos::Photos::Slice(page) => page.photos,
        };
        let none = || tl::types::PhotoEmpty { id: 0 }.into();
        Ok(photos.into_iter().next().unwrap_or_else(none))
    }

    /// Makes an earlier photo the one that is shown.
    fn choose_portrait(
        &self,
        bot: Option<tl::enums::InputUser>,
        id: tl::enums::InputPhoto,
    ) -> BoxFuture<'_, Result<tl::enums::Photo>> {
        Box::pin(async move {
            let request = tl::functions::photos::UpdateProfilePhoto {
                fallback: false,
                bot,
                id,
            };
            let tl::enums::photos::Photo::Photo(answer) = self.invoke(&request).await?;
            self.learn(&answer.users, &[]);
            Ok(answer.photo)
        })
    }

    fn delete_portraits(&self, files: Vec<FileLocation>) -> BoxFuture<'_, Result<Vec<i64>>> {
        Box::pin(async move {
            if files.is_empty() {
                return Ok(Vec::new());
            }
            let delete = |id| async move {
                let request = tl::functions::photos::DeletePhotos { id };
                self.invoke(&request).await
            };
            with_photos(self, files, delete).await
        })
    }

    fn set_photo_of<'a>(
        &'a self,
        chat: PeerRef,
        photo: NewProfilePhoto<'a>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if photo.bot.is_some() {
                return Err(Error::input("a group or channel is no bot"));
            }
            // Before the upload, which may take its time.
            let chat = self.resolve(chat).await?;
            if chat.to_input_channel().is_none() {
                group_id(&chat)?;
            }
            let prepared = photo.prepare(self).await?;
            match &prepared {
                Prepared::Known(file) => {
                    let set = |id| self.edit_photo(&chat, tl::types::InputChatPhoto { id }.into());
                    with_photo(self, file, set).await
                }
                Prepared::Uploaded(uploaded) => {
                    let (photo, only) = &**uploaded;
                    let send = || self.edit_photo(&chat, photo.clone().into());
                    UploadedFile::mended(only.as_ref(), self, send).await
                }
            }
        })
    }

    fn edit_photo<'a>(
        &'a self,
        chat: &'a Peer,
        photo: tl::enums::InputChatPhoto,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let updates = if let Some(channel) = chat.to_input_channel() {
                let request = tl::functions::channels::EditPhoto { channel, photo };
                self.invoke(&request).await?
            } else {
                let chat_id = group_id(chat)?;
                let request = tl::functions::messages::EditChatPhoto { chat_id, photo };
                self.invoke(&request).await?
            };
            self.absorb(updates);
            Ok(())
        })
    }
}

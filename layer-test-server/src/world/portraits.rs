//! Profile photos of people, and photos of groups and channels (documentation page `api/files`, "Uploading profile or
//! chat pictures").

use layer_tl_types::{enums, types};

use super::World;
use super::channels::Right;
use super::files::{LARGE, Moving, SMALL, Variant};
use super::ids::PeerId;
use super::send::{Draft, Sent};
use crate::rpc::RpcError;

/// Profile photos that one account keeps; the oldest go.
const MAX_PHOTOS: usize = 100;

impl World {
    /// Whose profile is meant: one's own, or that of a bot of one's own.
    pub(crate) fn portrayed(
        &self,
        user_id: i64,
        bot: Option<&enums::InputUser>,
    ) -> Result<i64, RpcError> {
        let Some(bot) = bot else {
            return Ok(user_id);
        };
        let id = self.input_user(user_id, bot)?;
        let owner = self.user(id)?.bot.as_ref().map(|bot| bot.owner);
        if owner == Some(user_id) {
            Ok(id)
        } else {
            Err(RpcError::bad("BOT_INVALID"))
        }
    }

    /// Makes a profile photo of what the account uploaded to the data centre `dc_id`.
    pub(crate) fn make_portrait(
        &mut self,
        user_id: i64,
        dc_id: i32,
        photo: &types::InputChatUploadedPhoto,
    ) -> Result<i64, RpcError> {
        let mut take = |file: &Option<_>| {
            let file = file.as_ref();
            file.map(|file| self.take_upload(user_id, dc_id, file))
                .transpose()
        };
        let file = take(&photo.file)?;
        let moving = Moving {
            video: take(&photo.video)?,
            start: photo.video_start_ts,
            markup: photo.video_emoji_markup.clone(),
        };
        self.store_profile_photo(file, moving, dc_id)
    }

    /// Makes a photo the account's first, be it new or an earlier one.
    pub(crate) fn set_portrait(&mut self, user_id: i64, photo: i64) {
        if let Some(user) = self.users.get_mut(&user_id) {
            user.photos.retain(|known| *known != photo);
            user.photos.insert(0, photo);
            user.photos.truncate(MAX_PHOTOS);
        }
        self.tell_of_user(user_id);
    }

    /// Takes profile photos away; those that there were.
    pub(crate) fn delete_portraits(&mut self, user_id: i64, photos: &[i64]) -> Vec<i64> {
        let mut gone = Vec::new();
        if let Some(user) = self.users.get_mut(&user_id) {
            user.photos.retain(|known| {
                let deleted = photos.contains(known);
                gone.extend(deleted.then_some(*known));
                !deleted
            });
        }
        if !gone.is_empty() {
            self.tell_of_user(user_id);
        }
        gone
    }

    /// Tells those who know somebody to look again.
    fn tell_of_user(&mut self, user_id: i64) {
        let mut hear = self.acquaintances(user_id);
        hear.push(user_id);
        for other in hear {
            self.push_short(other, types::UpdateUser { user_id }.into(), false);
        }
    }

    /// The photo of an account, as a `user` shows it.
    pub(super) fn tl_user_photo(&self, user_id: i64) -> Option<enums::UserProfilePhoto> {
        let id = *self.users.get(&user_id)?.photos.first()?;
        let file = self.files.get(id)?;
        let photo = types::UserProfilePhoto {
            has_video: file.is_moving(),
            personal: false,
            photo_id: id,
            stripped_thumb: file.stripped(),
            dc_id: file.dc_id,
        };
        Some(photo.into())
    }

    /// The photo of a group or channel, as a `chat` shows it.
    pub(super) fn tl_chat_photo(&self, photo: Option<i64>) -> enums::ChatPhoto {
        let found = photo.and_then(|id| Some((id, self.files.get(id)?)));
        let Some((photo_id, file)) = found else {
            return enums::ChatPhoto::Empty;
        };
        types::ChatPhoto {
            has_video: file.is_moving(),
            photo_id,
            stripped_thumb: file.stripped(),
            dc_id: file.dc_id,
        }
        .into()
    }

    /// What an `InputChatPhoto` stands for; nothing takes the photo away.
    fn input_chat_photo(
        &mut self,
        user_id: i64,
        dc_id: i32,
        photo: &enums::InputChatPhoto,
    ) -> Result<Option<i64>, RpcError> {
        match photo {
            enums::InputChatPhoto::Empty => Ok(None),
            enums::InputChatPhoto::InputChatUploadedPhoto(photo) => {
                self.make_portrait(user_id, dc_id, photo).map(Some)
            }
            enums::InputChatPhoto::Photo(photo) => self.input_photo(&photo.id),
        }
    }

    /// The photo that an `InputPhoto` names, if any.
    pub(crate) fn input_photo(
        &mut self,
        photo: &enums::InputPhoto,
    ) -> Result<Option<i64>, RpcError> {
        let enums::InputPhoto::Photo(photo) = photo else {
            return Ok(None);
        };
        let file = self.locate(photo.id, photo.access_hash, &photo.file_reference)?;
        if file.is_photo() {
            Ok(Some(photo.id))
        } else {
            Err(RpcError::bad("PHOTO_INVALID"))
        }
    }

    /// `messages.editChatPhoto` and `channels.editPhoto`.
    pub(crate) fn set_chat_photo(
        &mut self,
        actor: i64,
        dc_id: i32,
        peer: PeerId,
        photo: &enums::InputChatPhoto,
    ) -> Result<Sent, RpcError> {
        match peer {
            PeerId::Chat(id) => self.may_write_group(actor, id)?,
            PeerId::Channel(id) => self.require(actor, id, Right::Info)?,
            PeerId::User(_) => return Err(RpcError::bad("PEER_ID_INVALID")),
        }
        let photo = self.input_chat_photo(actor, dc_id, photo)?;
        let place = match peer {
            PeerId::Chat(id) => self.chats.get_mut(&id).map(|group| &mut group.photo),
            PeerId::Channel(id) => self.channels.get_mut(&id).map(|channel| &mut channel.photo),
            PeerId::User(_) => None,
        };
        let place = place.ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
        if *place == photo {
            return Err(RpcError::bad("CHAT_NOT_MODIFIED"));
        }
        *place = photo;
        let action = match photo {
            Some(id) => types::MessageActionChatEditPhoto {
                photo: self.tl_photo(id),
            }
            .into(),
            None => enums::MessageAction::ChatDeletePhoto,
        };
        match peer {
            PeerId::Channel(id) => self.channel_service(actor, id, action),
            _ => {
                let draft = Draft {
                    action: Some(action),
                    ..Draft::default()
                };
                self.send_group(actor, peer.bare(), draft, &[], Vec::new(), &[])
            }
        }
    }

    /// A service message as it is shown now: a file reference in it is good.
    pub(super) fn tl_action(&self, action: &enums::MessageAction) -> enums::MessageAction {
        match action {
            enums::MessageAction::ChatEditPhoto(edit) => match &edit.photo {
                enums::Photo::Photo(photo) => types::MessageActionChatEditPhoto {
                    photo: self.tl_photo(photo.id),
                }
                .into(),
                enums::Photo::Empty(_) => action.clone(),
            },
            other => other.clone(),
        }
    }

    /// What `inputPeerPhotoFileLocation` names: a profile photo, small or large.
    pub(super) fn peer_photo_at(
        &self,
        viewer: i64,
        at: &types::InputPeerPhotoFileLocation,
    ) -> Result<(i64, Variant), RpcError> {
        let peer = match (self.peer(viewer, &at.peer), &at.peer) {
            (Ok(peer), _) => peer,
            // A hash that came with a message only is good for this.
            (Err(error), enums::InputPeer::User(user)) => {
                let peer = PeerId::User(user.user_id);
                if user.access_hash != self.min_access_hash(viewer, peer) {
                    return Err(error);
                }
                peer
            }
            (Err(error), enums::InputPeer::Channel(channel)) => {
                let peer = PeerId::Channel(channel.channel_id);
                if channel.access_hash != self.min_access_hash(viewer, peer) {
                    return Err(error);
                }
                peer
            }
            (Err(error), _) => return Err(error),
        };
        let shown = match peer {
            PeerId::User(id) => {
                let user = self.users.get(&id);
                user.is_some_and(|user| user.photos.contains(&at.photo_id))
            }
            PeerId::Chat(id) => {
                let group = self.chats.get(&id);
                group.is_some_and(|group| group.photo == Some(at.photo_id))
            }
            PeerId::Channel(id) => {
                let channel = self.channels.get(&id);
                channel.is_some_and(|channel| channel.photo == Some(at.photo_id))
            }
        };
        if !shown {
            return Err(RpcError::bad("LOCATION_INVALID"));
        }
        Ok((at.photo_id, if at.big { LARGE } else { SMALL }))
    }
}

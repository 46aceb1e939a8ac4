//! `photos.*`: the profile photos of people and bots.

use layer_tl_types::{enums, functions as f, types};

use super::{Call, RpcError, routes};
use crate::world::World;

routes! {
    f::photos::UploadProfilePhoto => upload,
    f::photos::UpdateProfilePhoto => update,
    f::photos::DeletePhotos => delete,
    f::photos::GetUserPhotos => user_photos,
}

/// The most photos of one answer.
const LIMIT: usize = 100;

fn upload(
    world: &mut World,
    call: &Call,
    request: f::photos::UploadProfilePhoto,
) -> Result<enums::photos::Photo, RpcError> {
    let user_id = call.user()?;
    let whose = world.portrayed(user_id, request.bot.as_ref())?;
    let photo = types::InputChatUploadedPhoto {
        file: request.file,
        video: request.video,
        video_start_ts: request.video_start_ts,
        video_emoji_markup: request.video_emoji_markup,
    };
    let id = world.make_portrait(user_id, call.dc_id, &photo)?;
    world.set_portrait(whose, id);
    Ok(shown(world, user_id, whose, id))
}

fn update(
    world: &mut World,
    call: &Call,
    request: f::photos::UpdateProfilePhoto,
) -> Result<enums::photos::Photo, RpcError> {
    let user_id = call.user()?;
    let whose = world.portrayed(user_id, request.bot.as_ref())?;
    let Some(id) = world.input_photo(&request.id)? else {
        let first = world.user(whose)?.photos.first().copied();
        world.delete_portraits(whose, first.as_slice());
        return Ok(shown(world, user_id, whose, 0));
    };
    if !world.user(whose)?.photos.contains(&id) {
        return Err(RpcError::bad("PHOTO_ID_INVALID"));
    }
    world.set_portrait(whose, id);
    Ok(shown(world, user_id, whose, id))
}

fn shown(world: &World, viewer: i64, whose: i64, id: i64) -> enums::photos::Photo {
    types::photos::Photo {
        photo: world.tl_photo(id),
        users: vec![world.tl_user(viewer, whose)],
    }
    .into()
}

fn delete(
    world: &mut World,
    call: &Call,
    request: f::photos::DeletePhotos,
) -> Result<Vec<i64>, RpcError> {
    let user_id = call.user()?;
    let mut ids = Vec::new();
    for photo in &request.id {
        ids.extend(world.input_photo(photo)?);
    }
    Ok(world.delete_portraits(user_id, &ids))
}

fn user_photos(
    world: &mut World,
    call: &Call,
    request: f::photos::GetUserPhotos,
) -> Result<enums::photos::Photos, RpcError> {
    let viewer = call.user()?;
    let whose = world.input_user(viewer, &request.user_id)?;
    let photos = &world.user(whose)?.photos;
    let count = photos.len();
    let offset = usize::try_from(request.offset).unwrap_or(0);
    let limit = match usize::try_from(request.limit) {
        Ok(limit @ 1..=LIMIT) => limit,
        _ => LIMIT,
    };
    let listed: Vec<_> = photos
        .iter()
        .filter(|id| request.max_id == 0 || **id == request.max_id)
        .skip(offset)
        .take(limit)
        .map(|id| world.tl_photo(*id))
        .collect();
    let users = vec![world.tl_user(viewer, whose)];
    if request.max_id == 0 && listed.len() == count {
        let photos = listed;
        return Ok(types::photos::Photos { photos, users }.into());
    }
    Ok(types::photos::PhotosSlice {
        count: i32::try_from(count).unwrap_or(i32::MAX),
        photos: listed,
        users,
    }
    .into())
}

//! `messages.*` about messages: sending, editing, deleting, reading, looking up.

use layer_tl_types::{enums, functions, types};

use crate::rpc::{Call, RpcError, routes};
use crate::world::World;
use crate::world::edit::{Affected, Edit};
use crate::world::ids::PeerId;
use crate::world::inputs;
use crate::world::message::{Forward, ForwardFrom, Place};
use crate::world::named::Named;
use crate::world::send::{Draft, Sent};

use super::lookup::readable;

routes! {
    functions::messages::SendMessage => send_message,
    functions::messages::SendMedia => send_media,
    functions::messages::SendMultiMedia => send_multi_media,
    functions::messages::UploadMedia => upload_media,
    functions::messages::ForwardMessages => forward_messages,
    functions::messages::EditMessage => edit_message,
    functions::messages::GetMessageEditData => edit_data,
    functions::messages::DeleteMessages => delete_messages,
    functions::messages::DeleteHistory => delete_history,
    functions::messages::ReadHistory => read_history,
    functions::messages::ReadMessageContents => read_contents,
    functions::messages::ReceivedMessages => received,
    functions::messages::SetTyping => set_typing,
    functions::messages::UpdatePinnedMessage => pin_message,
}

fn affected(affected: Affected) -> enums::messages::AffectedMessages {
    types::messages::AffectedMessages {
        pts: affected.pts,
        pts_count: affected.pts_count,
    }
    .into()
}

pub(super) fn affected_history(affected: Affected) -> enums::messages::AffectedHistory {
    types::messages::AffectedHistory {
        pts: affected.pts,
        pts_count: affected.pts_count,
        offset: 0,
    }
    .into()
}

/// The message that an `InputReplyTo` names, if it is in the same dialog.
fn reply_to(reply: Option<&enums::InputReplyTo>) -> Option<i32> {
    match reply {
        Some(enums::InputReplyTo::Message(reply)) => Some(reply.reply_to_msg_id),
        _ => None,
    }
}

fn check_schedule(date: Option<i32>) -> Result<(), RpcError> {
    match date {
        None | Some(0) => Ok(()),
        Some(_) => Err(RpcError::bad("SCHEDULE_DATE_INVALID")),
    }
}

fn send_message(
    world: &mut World,
    call: &Call,
    request: functions::messages::SendMessage,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    check_schedule(request.schedule_date)?;
    let mut text = request.message;
    let mut entities = world.entities(user_id, &text, request.entities)?;
    inputs::trim(&mut text, &mut entities);
    let draft = Draft {
        text,
        entities,
        markup: request.reply_markup,
        reply_to: reply_to(request.reply_to.as_ref()),
        random_id: request.random_id,
        silent: request.silent,
        noforwards: request.noforwards,
        invert_media: request.invert_media,
        clear_draft: request.clear_draft,
        no_webpage: request.no_webpage,
        ..Draft::default()
    };
    let sent = world.send(user_id, peer, draft)?;
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

fn send_media(
    world: &mut World,
    call: &Call,
    request: functions::messages::SendMedia,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    check_schedule(request.schedule_date)?;
    // Nothing is used up when the message could not be sent anyway.
    world.may_write(user_id, peer, true)?;
    let mut text = request.message;
    let mut entities = world.entities(user_id, &text, request.entities)?;
    inputs::trim(&mut text, &mut entities);
    let media = world
        .input_media(user_id, call.dc_id, request.media)?
        .ok_or_else(|| RpcError::bad("MEDIA_EMPTY"))?;
    let draft = Draft {
        text,
        entities,
        media: Some(media),
        markup: request.reply_markup,
        reply_to: reply_to(request.reply_to.as_ref()),
        random_id: request.random_id,
        silent: request.silent,
        noforwards: request.noforwards,
        invert_media: request.invert_media,
        clear_draft: request.clear_draft,
        ..Draft::default()
    };
    let sent = world.send(user_id, peer, draft)?;
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

/// One answer for several messages that were sent together.
fn sent_together(world: &mut World, user_id: i64, sent: &[Sent]) -> enums::Updates {
    let mut named = Named::default();
    let mut updates = Vec::new();
    for one in sent {
        updates.push(
            types::UpdateMessageId {
                id: one.id,
                random_id: one.random_id,
            }
            .into(),
        );
    }
    for one in sent {
        updates.push(world.sent_update(user_id, one, &mut named));
    }
    world.container(user_id, updates, &named)
}

fn send_multi_media(
    world: &mut World,
    call: &Call,
    request: functions::messages::SendMultiMedia,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    check_schedule(request.schedule_date)?;
    world.may_write(user_id, peer, true)?;
    if request.multi_media.is_empty() || request.multi_media.len() > 10 {
        return Err(RpcError::bad("MULTI_MEDIA_TOO_LONG"));
    }
    let grouped_id = Some(world.dice.positive());
    let mut drafts = Vec::new();
    for (place, single) in request.multi_media.into_iter().enumerate() {
        let enums::InputSingleMedia::Media(single) = single;
        let entities = world.entities(user_id, &single.message, single.entities)?;
        let media = world
            .input_media(user_id, call.dc_id, single.media)
            .map_err(|error| in_album(place, error))?
            .ok_or_else(|| RpcError::bad("MEDIA_EMPTY"))?;
        drafts.push(Draft {
            text: single.message,
            entities,
            media: Some(media),
            reply_to: reply_to(request.reply_to.as_ref()),
            random_id: single.random_id,
            silent: request.silent,
            noforwards: request.noforwards,
            clear_draft: request.clear_draft,
            grouped_id,
            ..Draft::default()
        });
    }
    let sent = drafts
        .into_iter()
        .map(|draft| world.send(user_id, peer, draft))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(sent_together(world, user_id, &sent))
}

/// The error of a file reference names the file's place in its album (page `api/files`).
fn in_album(place: usize, error: RpcError) -> RpcError {
    match error.message.strip_prefix("FILE_REFERENCE_") {
        Some(what) => RpcError::new(error.code, format!("FILE_REFERENCE_{place}_{what}")),
        None => error,
    }
}

fn upload_media(
    world: &mut World,
    call: &Call,
    request: functions::messages::UploadMedia,
) -> Result<enums::MessageMedia, RpcError> {
    let user_id = call.user()?;
    world.peer(user_id, &request.peer)?;
    let media = world
        .input_media(user_id, call.dc_id, request.media)?
        .ok_or_else(|| RpcError::bad("MEDIA_EMPTY"))?;
    Ok(world.tl_media(user_id, &media))
}

fn forward_messages(
    world: &mut World,
    call: &Call,
    request: functions::messages::ForwardMessages,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let from = world.peer(user_id, &request.from_peer)?;
    let to = world.peer(user_id, &request.to_peer)?;
    check_schedule(request.schedule_date)?;
    if let PeerId::Channel(channel) = from {
        world.channel_of(user_id, channel)?;
    }
    if request.id.is_empty() || request.id.len() > 100 {
        return Err(RpcError::bad("MESSAGE_IDS_EMPTY"));
    }
    if request.id.len() != request.random_id.len() {
        return Err(RpcError::bad("RANDOM_ID_INVALID"));
    }
    world.may_write(user_id, to, false)?;
    let mut drafts = Vec::new();
    for (id, random_id) in request.id.iter().zip(&request.random_id) {
        let Some(body) = world.body_of(user_id, from, *id) else {
            continue;
        };
        if body.action.is_some() {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        if body.noforwards {
            return Err(RpcError::bad("CHAT_FORWARDS_RESTRICTED"));
        }
        let author = match (body.as_channel, body.place) {
            (Some(id), Place::Channel { message, .. }) => {
                ForwardFrom::Channel { id, post: message }
            }
            _ => ForwardFrom::User(body.from),
        };
        // What was forwarded already keeps its first author.
        let mut forward = body.forward.clone().unwrap_or(Forward {
            from: author,
            date: body.date,
            saved_from: None,
        });
        forward.saved_from = (to == PeerId::User(user_id)).then_some((from, *id));
        let captioned = body.media.is_some() && request.drop_media_captions;
        drafts.push(Draft {
            text: if captioned {
                String::new()
            } else {
                body.text.clone()
            },
            entities: if captioned {
                Vec::new()
            } else {
                body.entities.clone()
            },
            media: body.media.clone(),
            forward: (!request.drop_author).then_some(forward),
            via_bot: body.via_bot,
            random_id: *random_id,
            silent: request.silent,
            noforwards: request.noforwards,
            ..Draft::default()
        });
    }
    if drafts.is_empty() {
        return Err(RpcError::bad("MESSAGE_ID_INVALID"));
    }
    let sent = drafts
        .into_iter()
        .map(|draft| world.send(user_id, to, draft))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(sent_together(world, user_id, &sent))
}

fn edit_message(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditMessage,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    check_schedule(request.schedule_date)?;
    let entities = match &request.message {
        Some(text) => world.entities(user_id, text, request.entities)?,
        None => Vec::new(),
    };
    let close_poll = matches!(
        &request.media,
        Some(enums::InputMedia::Poll(media)) if matches!(&media.poll, enums::Poll::Poll(poll) if poll.closed)
    );
    let media = match request.media {
        Some(_) if close_poll => None,
        Some(media) => world.input_media(user_id, call.dc_id, media)?,
        None => None,
    };
    let edit = Edit {
        close_poll,
        text: request.message,
        entities,
        media,
        markup: request.reply_markup,
    };
    let done = world.edit(user_id, peer, request.id, edit)?;
    let mut named = Named::of(&[peer]);
    let message = world.tl_any_message(user_id, peer, request.id);
    let (pts, pts_count) = (done.pts, done.pts_count);
    let update: enums::Update = match peer {
        PeerId::Channel(channel) => {
            world.name_channel_message(channel, request.id, &mut named);
            types::UpdateEditChannelMessage {
                message,
                pts,
                pts_count,
            }
            .into()
        }
        _ => {
            world.name_message(user_id, request.id, &mut named);
            types::UpdateEditMessage {
                message,
                pts,
                pts_count,
            }
            .into()
        }
    };
    Ok(world.container(user_id, vec![update], &named))
}

fn edit_data(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetMessageEditData,
) -> Result<enums::messages::MessageEditData, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let body = world
        .body_of(user_id, peer, request.id)
        .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
    if body.from != user_id {
        return Err(RpcError::forbidden("MESSAGE_AUTHOR_REQUIRED"));
    }
    Ok(types::messages::MessageEditData {
        caption: body.media.is_some(),
    }
    .into())
}

fn delete_messages(
    world: &mut World,
    call: &Call,
    request: functions::messages::DeleteMessages,
) -> Result<enums::messages::AffectedMessages, RpcError> {
    let user_id = call.user()?;
    // A bot deletes for everybody, whatever it says.
    let revoke = request.revoke || world.is_bot(user_id);
    Ok(affected(world.delete(user_id, &request.id, revoke)))
}

fn delete_history(
    world: &mut World,
    call: &Call,
    request: functions::messages::DeleteHistory,
) -> Result<enums::messages::AffectedHistory, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    if matches!(peer, PeerId::Channel(_)) {
        return Err(RpcError::bad("PEER_ID_INVALID"));
    }
    let done = world.delete_history(
        user_id,
        peer,
        request.max_id,
        request.just_clear,
        request.revoke,
    );
    Ok(affected_history(done))
}

fn read_history(
    world: &mut World,
    call: &Call,
    request: functions::messages::ReadHistory,
) -> Result<enums::messages::AffectedMessages, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    if matches!(peer, PeerId::Channel(_)) {
        return Err(RpcError::bad("PEER_ID_INVALID"));
    }
    Ok(affected(world.read_history(user_id, peer, request.max_id)))
}

fn read_contents(
    world: &mut World,
    call: &Call,
    request: functions::messages::ReadMessageContents,
) -> Result<enums::messages::AffectedMessages, RpcError> {
    Ok(affected(world.read_contents(call.user()?, &request.id)))
}

fn received(
    _: &mut World,
    call: &Call,
    _: functions::messages::ReceivedMessages,
) -> Result<Vec<enums::ReceivedNotifyMessage>, RpcError> {
    call.user().map(|_| Vec::new())
}

fn set_typing(
    world: &mut World,
    call: &Call,
    request: functions::messages::SetTyping,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    world.typing(user_id, peer, &request.action)?;
    Ok(true)
}

fn pin_message(
    world: &mut World,
    call: &Call,
    request: functions::messages::UpdatePinnedMessage,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    let pinned = !request.unpin;
    let done = world.pin(user_id, peer, request.id, pinned, request.pm_oneside)?;
    let (messages, pts, pts_count) = (vec![request.id], done.pts, done.pts_count);
    let mut named = Named::of(&[peer]);
    let mut updates: Vec<enums::Update> = vec![match peer {
        PeerId::Channel(channel_id) => types::UpdatePinnedChannelMessages {
            pinned,
            channel_id,
            messages,
            pts,
            pts_count,
        }
        .into(),
        _ => types::UpdatePinnedMessages {
            pinned,
            peer: peer.to_tl(),
            messages,
            pts,
            pts_count,
        }
        .into(),
    }];
    if pinned && !request.silent && !request.pm_oneside {
        let draft = Draft {
            action: Some(enums::MessageAction::PinMessage),
            reply_to: Some(request.id),
            ..Draft::default()
        };
        let sent = world.send(user_id, peer, draft)?;
        updates.push(world.sent_update(user_id, &sent, &mut named));
    }
    Ok(world.container(user_id, updates, &named))
}

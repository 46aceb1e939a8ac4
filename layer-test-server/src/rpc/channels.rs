//! `channels.*`.

use layer_tl_types::{enums, functions, types};

use super::messages::lookup::message_ids;
use super::{Call, RpcError, routes};
use crate::world::channels::Right;
use crate::world::ids::PeerId;
use crate::world::named::Named;
use crate::world::send::Sent;
use crate::world::{World, blank};

routes! {
    functions::channels::CreateChannel => create,
    functions::channels::GetChannels => get_channels,
    functions::channels::GetFullChannel => get_full,
    functions::channels::GetMessages => get_messages,
    functions::channels::DeleteMessages => delete_messages,
    functions::channels::ReadHistory => read_history,
    functions::channels::ReadMessageContents => read_contents,
    functions::channels::GetParticipants => get_participants,
    functions::channels::GetParticipant => get_participant,
    functions::channels::InviteToChannel => invite,
    functions::channels::JoinChannel => join,
    functions::channels::LeaveChannel => leave,
    functions::channels::EditTitle => edit_title,
    functions::channels::EditPhoto => edit_photo,
    functions::channels::EditAdmin => edit_admin,
    functions::channels::EditBanned => edit_banned,
    functions::channels::CheckUsername => check_username,
    functions::channels::UpdateUsername => update_username,
    functions::channels::DeleteChannel => delete_channel,
    functions::channels::ExportMessageLink => message_link,
    functions::channels::GetSendAs => send_as,
    functions::channels::GetAdminedPublicChannels => admined_public,
    functions::channels::GetLeftChannels => left_channels,
    functions::channels::GetGroupsForDiscussion => groups_for_discussion,
    functions::channels::GetChannelRecommendations => recommendations,
}

fn create(
    world: &mut World,
    call: &Call,
    request: functions::channels::CreateChannel,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    if world.is_bot(user_id) {
        return Err(RpcError::bad("BOT_METHOD_INVALID"));
    }
    let broadcast = request.broadcast && !request.megagroup;
    let sent = world.create_channel(user_id, &request.title, &request.about, broadcast)?;
    let channel_id = sent.peer.bare();
    let joined = types::UpdateChannel { channel_id }.into();
    Ok(world.sent_updates(user_id, &sent, vec![joined]))
}

fn get_channels(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetChannels,
) -> Result<enums::messages::Chats, RpcError> {
    let user_id = call.user()?;
    let mut chats = Vec::new();
    for input in request.id.iter().take(100) {
        let id = world.input_channel(user_id, input)?;
        chats.extend(world.tl_channel(user_id, id));
    }
    Ok(types::messages::Chats { chats }.into())
}

fn get_full(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetFullChannel,
) -> Result<enums::messages::ChatFull, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let peer = PeerId::Channel(id);
    let channel = world.channel_of(user_id, id)?;
    let count = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let admin = channel.creator == user_id || channel.has_right(user_id, Right::Info);
    let admins = channel
        .members
        .values()
        .filter(|member| member.admin.is_some())
        .count()
        + 1;
    let bots: Vec<i64> = channel
        .members
        .keys()
        .copied()
        .filter(|id| world.is_bot(*id))
        .collect();
    let bot_info = bots
        .iter()
        .map(|id| {
            types::BotInfo {
                user_id: Some(*id),
                ..blank::bot_info()
            }
            .into()
        })
        .collect();
    let read_inbox = world.read_inbox(user_id, peer);
    let account = world.accounts.get(&user_id);
    let read_outbox = account
        .and_then(|account| account.dialogs.get(&peer))
        .map_or(0, |dialog| dialog.read_outbox);
    let member = channel.members.contains_key(&user_id);
    let full = types::ChannelFull {
        can_view_participants: !channel.broadcast || admin,
        can_set_username: channel.creator == user_id,
        can_delete_channel: channel.creator == user_id,
        participants_count: count(channel.members.len()),
        admins_count: if admin { count(admins) } else { None },
        kicked_count: if admin {
            count(channel.banned.len())
        } else {
            None
        },
        banned_count: if admin { Some(0) } else { None },
        exported_invite: channel
            .invite
            .as_ref()
            .filter(|_| admin)
            .map(|hash| world.tl_invite(hash)),
        pinned_msg_id: world.pinned_in(user_id, peer),
        available_reactions: Some(
            types::ChatReactionsAll {
                allow_custom: false,
            }
            .into(),
        ),
        ..blank::channel_full(
            id,
            channel.about.clone(),
            read_inbox,
            read_outbox,
            if member {
                world.unread_after(user_id, peer, read_inbox)
            } else {
                0
            },
            world.tl_photo(channel.photo.unwrap_or(0)),
            blank::notify_settings().into(),
            bot_info,
            channel.pts_for(user_id),
        )
    };
    let mut named = Named::of(&[peer]);
    bots.iter().for_each(|id| named.user(*id));
    let (users, chats) = world.describe(user_id, &named);
    Ok(types::messages::ChatFull {
        full_chat: full.into(),
        chats,
        users,
    }
    .into())
}

fn get_messages(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetMessages,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let ids = message_ids(world, user_id, Some(id), &request.id);
    Ok(world.messages(user_id, PeerId::Channel(id), &ids, None))
}

fn delete_messages(
    world: &mut World,
    call: &Call,
    request: functions::channels::DeleteMessages,
) -> Result<enums::messages::AffectedMessages, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let done = world.delete_in_channel(user_id, id, &request.id)?;
    Ok(types::messages::AffectedMessages {
        pts: done.pts,
        pts_count: done.pts_count,
    }
    .into())
}

fn read_history(
    world: &mut World,
    call: &Call,
    request: functions::channels::ReadHistory,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    world.read_channel(user_id, id, request.max_id)
}

fn read_contents(
    world: &mut World,
    call: &Call,
    request: functions::channels::ReadMessageContents,
) -> Result<bool, RpcError> {
    world
        .input_channel(call.user()?, &request.channel)
        .map(|_| true)
}

fn get_participants(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetParticipants,
) -> Result<enums::channels::ChannelParticipants, RpcError> {
    use enums::ChannelParticipantsFilter as Filter;
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let channel = world.channel_of(user_id, id)?;
    let admin = channel.creator == user_id || channel.has_right(user_id, Right::Ban);
    if channel.broadcast && !admin {
        return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
    }
    let matches = |user: i64, wanted: &str| {
        let wanted = wanted.to_lowercase();
        world.users.get(&user).is_some_and(|user| {
            let name = format!("{} {}", user.first_name, user.last_name).to_lowercase();
            name.contains(&wanted)
                || user
                    .username
                    .as_ref()
                    .is_some_and(|name| name.to_lowercase().contains(&wanted))
        })
    };
    let members = || channel.members.keys().copied();
    let found: Vec<i64> = match &request.filter {
        Filter::ChannelParticipantsRecent => members().collect(),
        Filter::ChannelParticipantsAdmins => members()
            .filter(|id| {
                *id == channel.creator
                    || channel
                        .members
                        .get(id)
                        .is_some_and(|member| member.admin.is_some())
            })
            .collect(),
        Filter::ChannelParticipantsBots => members().filter(|id| world.is_bot(*id)).collect(),
        Filter::ChannelParticipantsSearch(filter) => {
            members().filter(|id| matches(*id, &filter.q)).collect()
        }
        Filter::ChannelParticipantsContacts(filter) => members()
            .filter(|id| {
                world
                    .accounts
                    .get(&user_id)
                    .is_some_and(|account| account.contacts.contains_key(id))
            })
            .filter(|id| matches(*id, &filter.q))
            .collect(),
        Filter::ChannelParticipantsMentions(filter) => members()
            .filter(|id| filter.q.as_ref().is_none_or(|wanted| matches(*id, wanted)))
            .collect(),
        Filter::ChannelParticipantsKicked(_) if !admin => {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        Filter::ChannelParticipantsKicked(filter) => channel
            .banned
            .keys()
            .copied()
            .filter(|id| matches(*id, &filter.q))
            .collect(),
        Filter::ChannelParticipantsBanned(filter) => members()
            .filter(|id| {
                channel
                    .members
                    .get(id)
                    .is_some_and(|member| member.restricted.is_some())
            })
            .filter(|id| matches(*id, &filter.q))
            .collect(),
    };
    let offset = usize::try_from(request.offset).map_err(|_| RpcError::bad("OFFSET_INVALID"))?;
    let limit = usize::try_from(request.limit.clamp(0, 200)).unwrap_or(200);
    let page: Vec<i64> = found.iter().skip(offset).take(limit).copied().collect();
    if request.hash != 0 && crate::world::history::list_hash(page.iter().copied()) == request.hash {
        return Ok(enums::channels::ChannelParticipants::NotModified);
    }
    let mut named = Named::of(&[PeerId::Channel(id)]);
    let participants = page
        .iter()
        .filter_map(|member| {
            let participant = world.tl_channel_member(user_id, id, *member)?;
            name_participant(&participant, &mut named);
            named.user(*member);
            Some(participant)
        })
        .collect();
    let (users, chats) = world.describe(user_id, &named);
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    Ok(types::channels::ChannelParticipants {
        count,
        participants,
        chats,
        users,
    }
    .into())
}

/// Adds those who invited, promoted or banned somebody.
fn name_participant(participant: &enums::ChannelParticipant, named: &mut Named) {
    match participant {
        enums::ChannelParticipant::ParticipantSelf(p) => named.user(p.inviter_id),
        enums::ChannelParticipant::Admin(p) => {
            named.user(p.promoted_by);
            p.inviter_id.into_iter().for_each(|id| named.user(id));
        }
        enums::ChannelParticipant::Banned(p) => named.user(p.kicked_by),
        _ => {}
    }
}

fn get_participant(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetParticipant,
) -> Result<enums::channels::ChannelParticipant, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let PeerId::User(member) = world.peer(user_id, &request.participant)? else {
        return Err(RpcError::bad("PARTICIPANT_ID_INVALID"));
    };
    let participant = world
        .tl_channel_member(user_id, id, member)
        .ok_or_else(|| RpcError::bad("USER_NOT_PARTICIPANT"))?;
    let mut named = Named::of(&[PeerId::Channel(id), PeerId::User(member)]);
    name_participant(&participant, &mut named);
    let (users, chats) = world.describe(user_id, &named);
    Ok(types::channels::ChannelParticipant {
        participant,
        chats,
        users,
    }
    .into())
}

fn invite(
    world: &mut World,
    call: &Call,
    request: functions::channels::InviteToChannel,
) -> Result<enums::messages::InvitedUsers, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let users: Vec<i64> = request
        .users
        .iter()
        .map(|user| world.input_user(user_id, user))
        .collect::<Result<_, _>>()?;
    let sent = world.invite_to_channel(user_id, id, &users)?;
    let updates = answer(world, user_id, id, sent);
    Ok(types::messages::InvitedUsers {
        updates,
        missing_invitees: Vec::new(),
    }
    .into())
}

/// An answer that says that something about the channel changed.
fn channel_updates(world: &mut World, user_id: i64, channel_id: i64) -> enums::Updates {
    let named = Named::of(&[PeerId::Channel(channel_id)]);
    world.container(
        user_id,
        vec![types::UpdateChannel { channel_id }.into()],
        &named,
    )
}

/// Joins a channel and answers as `channels.joinChannel` does.
pub(super) fn joined(
    world: &mut World,
    user_id: i64,
    id: i64,
    invite: Option<&str>,
) -> Result<enums::Updates, RpcError> {
    let sent = world.join_channel(user_id, id, invite)?;
    Ok(answer(world, user_id, id, sent))
}

/// An answer that says that the channel changed, with the service message if there is one.
fn answer(world: &mut World, user_id: i64, channel_id: i64, sent: Option<Sent>) -> enums::Updates {
    match sent {
        Some(sent) => {
            let changed = types::UpdateChannel { channel_id }.into();
            world.sent_updates(user_id, &sent, vec![changed])
        }
        None => channel_updates(world, user_id, channel_id),
    }
}

fn join(
    world: &mut World,
    call: &Call,
    request: functions::channels::JoinChannel,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    joined(world, user_id, id, None)
}

fn leave(
    world: &mut World,
    call: &Call,
    request: functions::channels::LeaveChannel,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    world.leave_channel(user_id, id)?;
    Ok(channel_updates(world, user_id, id))
}

fn edit_title(
    world: &mut World,
    call: &Call,
    request: functions::channels::EditTitle,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let sent = world.rename_channel(user_id, id, &request.title)?;
    Ok(world.sent_updates(
        user_id,
        &sent,
        vec![types::UpdateChannel { channel_id: id }.into()],
    ))
}

fn edit_photo(
    world: &mut World,
    call: &Call,
    request: functions::channels::EditPhoto,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let peer = PeerId::Channel(id);
    let sent = world.set_chat_photo(user_id, call.dc_id, peer, &request.photo)?;
    let changed = types::UpdateChannel { channel_id: id }.into();
    Ok(world.sent_updates(user_id, &sent, vec![changed]))
}

fn edit_admin(
    world: &mut World,
    call: &Call,
    request: functions::channels::EditAdmin,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let member = world.input_user(user_id, &request.user_id)?;
    let enums::ChatAdminRights::Rights(rights) = request.admin_rights;
    world.set_admin(user_id, id, member, rights, request.rank)?;
    Ok(channel_updates(world, user_id, id))
}

fn edit_banned(
    world: &mut World,
    call: &Call,
    request: functions::channels::EditBanned,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let PeerId::User(member) = world.peer(user_id, &request.participant)? else {
        return Err(RpcError::bad("PARTICIPANT_ID_INVALID"));
    };
    let enums::ChatBannedRights::Rights(rights) = request.banned_rights;
    let sent = world.set_banned(user_id, id, member, rights)?;
    Ok(answer(world, user_id, id, sent))
}

fn check_username(
    world: &mut World,
    call: &Call,
    request: functions::channels::CheckUsername,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let peer = match &request.channel {
        enums::InputChannel::Empty => PeerId::Channel(0),
        channel => PeerId::Channel(world.input_channel(user_id, channel)?),
    };
    match world.check_username(peer, &request.username) {
        Ok(()) => Ok(true),
        Err(error) if error.message == "USERNAME_OCCUPIED" => Ok(false),
        Err(error) => Err(error),
    }
}

fn update_username(
    world: &mut World,
    call: &Call,
    request: functions::channels::UpdateUsername,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    world
        .set_channel_username(user_id, id, &request.username)
        .map(|()| true)
}

fn delete_channel(
    world: &mut World,
    call: &Call,
    request: functions::channels::DeleteChannel,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    if world.channel_of(user_id, id)?.creator != user_id {
        return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
    }
    world.delete_channel(id);
    Ok(channel_updates(world, user_id, id))
}

fn message_link(
    world: &mut World,
    call: &Call,
    request: functions::channels::ExportMessageLink,
) -> Result<enums::ExportedMessageLink, RpcError> {
    let user_id = call.user()?;
    let id = world.input_channel(user_id, &request.channel)?;
    let channel = world.channel_of(user_id, id)?;
    if !channel.messages.contains_key(&request.id) {
        return Err(RpcError::bad("MESSAGE_ID_INVALID"));
    }
    let link = match &channel.username {
        Some(name) => format!("https://t.me/{name}/{}", request.id),
        None => format!("https://t.me/c/{id}/{}", request.id),
    };
    Ok(types::ExportedMessageLink {
        link,
        html: String::new(),
    }
    .into())
}

fn send_as(
    world: &mut World,
    call: &Call,
    request: functions::channels::GetSendAs,
) -> Result<enums::channels::SendAsPeers, RpcError> {
    let user_id = call.user()?;
    world.peer(user_id, &request.peer)?;
    let own = PeerId::User(user_id);
    let peers = vec![
        types::SendAsPeer {
            premium_required: false,
            peer: own.to_tl(),
        }
        .into(),
    ];
    let (users, chats) = world.describe(user_id, &Named::of(&[own]));
    Ok(types::channels::SendAsPeers {
        peers,
        chats,
        users,
    }
    .into())
}

fn admined_public(
    world: &mut World,
    call: &Call,
    _: functions::channels::GetAdminedPublicChannels,
) -> Result<enums::messages::Chats, RpcError> {
    let user_id = call.user()?;
    let own: Vec<PeerId> = world
        .channels
        .values()
        .filter(|channel| channel.creator == user_id && channel.username.is_some())
        .map(|channel| PeerId::Channel(channel.id))
        .collect();
    let (_, chats) = world.describe(user_id, &Named::of(&own));
    Ok(types::messages::Chats { chats }.into())
}

fn no_chats(call: &Call) -> Result<enums::messages::Chats, RpcError> {
    call.user()?;
    Ok(types::messages::Chats { chats: Vec::new() }.into())
}

fn left_channels(
    _: &mut World,
    call: &Call,
    _: functions::channels::GetLeftChannels,
) -> Result<enums::messages::Chats, RpcError> {
    no_chats(call)
}

fn groups_for_discussion(
    _: &mut World,
    call: &Call,
    _: functions::channels::GetGroupsForDiscussion,
) -> Result<enums::messages::Chats, RpcError> {
    no_chats(call)
}

fn recommendations(
    _: &mut World,
    call: &Call,
    _: functions::channels::GetChannelRecommendations,
) -> Result<enums::messages::Chats, RpcError> {
    no_chats(call)
}

//! `messages.*` about basic groups and invite links.

use layer_tl_types::{enums, functions, types};

use crate::rpc::{Call, RpcError, channels, routes};
use crate::world::ids::PeerId;
use crate::world::invites::Invite;
use crate::world::named::Named;
use crate::world::send::Sent;
use crate::world::{World, blank};

routes! {
    functions::messages::CreateChat => create_chat,
    functions::messages::GetChats => get_chats,
    functions::messages::GetFullChat => get_full_chat,
    functions::messages::AddChatUser => add_chat_user,
    functions::messages::DeleteChatUser => delete_chat_user,
    functions::messages::EditChatTitle => edit_title,
    functions::messages::EditChatPhoto => edit_photo,
    functions::messages::EditChatAbout => edit_about,
    functions::messages::EditChatAdmin => edit_admin,
    functions::messages::GetCommonChats => common_chats,
    functions::messages::GetOnlines => onlines,
    functions::messages::ExportChatInvite => export_invite,
    functions::messages::CheckChatInvite => check_invite,
    functions::messages::ImportChatInvite => import_invite,
    functions::messages::HideChatJoinRequest => answer_request,
    functions::messages::HideAllChatJoinRequests => answer_all_requests,
    functions::messages::GetChatInviteImporters => importers,
}

fn create_chat(
    world: &mut World,
    call: &Call,
    request: functions::messages::CreateChat,
) -> Result<enums::messages::InvitedUsers, RpcError> {
    let user_id = call.user()?;
    if world.is_bot(user_id) {
        return Err(RpcError::bad("BOT_METHOD_INVALID"));
    }
    let users: Vec<i64> = request
        .users
        .iter()
        .map(|user| world.input_user(user_id, user))
        .collect::<Result<_, _>>()?;
    let sent = world.create_group(user_id, &request.title, &users)?;
    let updates = group_updates(world, user_id, &sent);
    Ok(types::messages::InvitedUsers {
        updates,
        missing_invitees: Vec::new(),
    }
    .into())
}

fn get_chats(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetChats,
) -> Result<enums::messages::Chats, RpcError> {
    let user_id = call.user()?;
    let mut chats = Vec::new();
    for id in request.id.iter().take(100) {
        world.group_of(user_id, *id)?;
        chats.extend(world.tl_group(user_id, *id));
    }
    Ok(types::messages::Chats { chats }.into())
}

fn get_full_chat(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetFullChat,
) -> Result<enums::messages::ChatFull, RpcError> {
    let user_id = call.user()?;
    let id = request.chat_id;
    let group = world.group_of(user_id, id)?;
    let member = group.members.contains_key(&user_id);
    let participants = if member {
        world.tl_participants(id)
    } else {
        types::ChatParticipantsForbidden {
            chat_id: id,
            self_participant: None,
        }
        .into()
    };
    let bots = group.members.keys().filter(|id| world.is_bot(**id));
    let bot_info: Vec<enums::BotInfo> = bots
        .map(|id| {
            types::BotInfo {
                user_id: Some(*id),
                ..blank::bot_info()
            }
            .into()
        })
        .collect();
    let invite = group.invite.as_ref().filter(|_| group.creator == user_id);
    let full = types::ChatFull {
        exported_invite: invite.map(|hash| world.tl_invite(hash)),
        bot_info: (!bot_info.is_empty()).then_some(bot_info),
        pinned_msg_id: world.pinned_in(user_id, PeerId::Chat(id)),
        chat_photo: group.photo.map(|photo| world.tl_photo(photo)),
        available_reactions: Some(
            types::ChatReactionsAll {
                allow_custom: false,
            }
            .into(),
        ),
        ..blank::chat_full(
            id,
            group.about.clone(),
            participants,
            blank::notify_settings().into(),
        )
    };
    let named = if member {
        Named::of(&world.group_names(id))
    } else {
        Named::of(&[PeerId::Chat(id)])
    };
    let (users, chats) = world.describe(user_id, &named);
    Ok(types::messages::ChatFull {
        full_chat: full.into(),
        chats,
        users,
    }
    .into())
}

fn add_chat_user(
    world: &mut World,
    call: &Call,
    request: functions::messages::AddChatUser,
) -> Result<enums::messages::InvitedUsers, RpcError> {
    let user_id = call.user()?;
    world.group_of(user_id, request.chat_id)?;
    let added = world.input_user(user_id, &request.user_id)?;
    let sent = world.add_to_group(user_id, request.chat_id, added)?;
    let updates = group_updates(world, user_id, &sent);
    Ok(types::messages::InvitedUsers {
        updates,
        missing_invitees: Vec::new(),
    }
    .into())
}

fn delete_chat_user(
    world: &mut World,
    call: &Call,
    request: functions::messages::DeleteChatUser,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    world.group_of(user_id, request.chat_id)?;
    let removed = world.input_user(user_id, &request.user_id)?;
    let sent = world.remove_from_group(user_id, request.chat_id, removed)?;
    Ok(group_updates(world, user_id, &sent))
}

fn edit_title(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditChatTitle,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    world.group_of(user_id, request.chat_id)?;
    let sent = world.rename_group(user_id, request.chat_id, &request.title)?;
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

fn edit_photo(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditChatPhoto,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    world.group_of(user_id, request.chat_id)?;
    let peer = PeerId::Chat(request.chat_id);
    let sent = world.set_chat_photo(user_id, call.dc_id, peer, &request.photo)?;
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

fn edit_about(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditChatAbout,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    if request.about.chars().count() > 255 {
        return Err(RpcError::bad("CHAT_ABOUT_TOO_LONG"));
    }
    let about = match world.peer(user_id, &request.peer)? {
        PeerId::Chat(id) => {
            world.may_write(user_id, PeerId::Chat(id), false)?;
            world.chats.get_mut(&id).map(|group| &mut group.about)
        }
        PeerId::Channel(id) => {
            if world.channel_of(user_id, id)?.creator != user_id {
                return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
            }
            world
                .channels
                .get_mut(&id)
                .map(|channel| &mut channel.about)
        }
        PeerId::User(_) => None,
    };
    let about = about.ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
    if *about == request.about {
        return Err(RpcError::bad("CHAT_ABOUT_NOT_MODIFIED"));
    }
    *about = request.about;
    Ok(true)
}

fn edit_admin(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditChatAdmin,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    world.group_of(user_id, request.chat_id)?;
    let member = world.input_user(user_id, &request.user_id)?;
    world
        .set_group_admin(user_id, request.chat_id, member, request.is_admin)
        .map(|()| true)
}

fn common_chats(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetCommonChats,
) -> Result<enums::messages::Chats, RpcError> {
    let user_id = call.user()?;
    let other = world.input_user(user_id, &request.user_id)?;
    let both = |has: &dyn Fn(i64) -> bool| has(user_id) && has(other);
    let mut found: Vec<PeerId> = Vec::new();
    for (id, group) in &world.chats {
        if both(&|user| group.members.contains_key(&user)) {
            found.push(PeerId::Chat(*id));
        }
    }
    for (id, channel) in &world.channels {
        if !channel.broadcast && both(&|user| channel.members.contains_key(&user)) {
            found.push(PeerId::Channel(*id));
        }
    }
    found.retain(|peer| request.max_id == 0 || peer.bare() < request.max_id);
    found.truncate(usize::try_from(request.limit.clamp(1, 100)).unwrap_or(100));
    let (_, chats) = world.describe(user_id, &Named::of(&found));
    Ok(types::messages::Chats { chats }.into())
}

fn onlines(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetOnlines,
) -> Result<enums::ChatOnlines, RpcError> {
    let user_id = call.user()?;
    let members = match world.peer(user_id, &request.peer)? {
        PeerId::Chat(id) => world.group_members(id),
        PeerId::Channel(id) => world.channel_members(id),
        PeerId::User(_) => return Err(RpcError::bad("PEER_ID_INVALID")),
    };
    let online = |id: &i64| {
        world
            .users
            .get(id)
            .is_some_and(|user| user.online_until > world.now)
    };
    let onlines = members.iter().filter(|id| online(id)).count();
    Ok(types::ChatOnlines {
        onlines: i32::try_from(onlines).unwrap_or(i32::MAX).max(1),
    }
    .into())
}

fn export_invite(
    world: &mut World,
    call: &Call,
    request: functions::messages::ExportChatInvite,
) -> Result<enums::ExportedChatInvite, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    if let PeerId::User(_) = peer {
        return Err(RpcError::bad("PEER_ID_INVALID"));
    }
    if !world.may_invite(user_id, peer) {
        return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
    }
    if request.request_needed || request.title.is_some() {
        let title = request.title.map(|title| title.chars().take(32).collect());
        let hash = world.extra_link(peer, user_id, request.request_needed, title);
        return Ok(world.tl_invite(&hash));
    }
    let hash = world
        .invite_link(peer, request.legacy_revoke_permanent)
        .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
    Ok(world.tl_invite(&hash))
}

/// `messages.hideChatJoinRequest`
fn answer_request(
    world: &mut World,
    call: &Call,
    request: functions::messages::HideChatJoinRequest,
) -> Result<enums::Updates, RpcError> {
    let actor = call.user()?;
    let peer = world.peer(actor, &request.peer)?;
    let user_id = world.input_user(actor, &request.user_id)?;
    world.answer_request(actor, peer, user_id, request.approved)?;
    let (update, names) = world.pending(peer);
    Ok(world.container(actor, vec![update], &Named::of(&names)))
}

/// `messages.hideAllChatJoinRequests`
fn answer_all_requests(
    world: &mut World,
    call: &Call,
    request: functions::messages::HideAllChatJoinRequests,
) -> Result<enums::Updates, RpcError> {
    let actor = call.user()?;
    let peer = world.peer(actor, &request.peer)?;
    let link = request.link.as_deref().map(hash_of);
    for (user_id, asked) in world.requests(peer) {
        if link.is_none_or(|hash| hash == asked.invite) {
            world.answer_request(actor, peer, user_id, request.approved)?;
        }
    }
    let (update, names) = world.pending(peer);
    Ok(world.container(actor, vec![update], &Named::of(&names)))
}

/// `messages.getChatInviteImporters`, of which there are those who ask.
fn importers(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetChatInviteImporters,
) -> Result<enums::messages::ChatInviteImporters, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    if !world.may_invite(viewer, peer) {
        return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
    }
    let link = request.link.as_deref().map(hash_of);
    let mut list = world.requests(peer);
    list.retain(|(_, asked)| request.requested && link.is_none_or(|hash| hash == asked.invite));
    let count = i32::try_from(list.len()).unwrap_or(i32::MAX);
    let limit = usize::try_from(request.limit.clamp(1, 100)).unwrap_or(1);
    let before = |date: i32| request.offset_date <= 0 || date < request.offset_date;
    list.retain(|(_, asked)| before(asked.date));
    list.truncate(limit);
    let mut named = Named::default();
    let importers = list
        .into_iter()
        .map(|(user_id, asked)| {
            named.user(user_id);
            let about = world.users.get(&user_id).map(|user| user.about.clone());
            types::ChatInviteImporter {
                requested: true,
                via_chatlist: false,
                user_id,
                date: asked.date,
                about: about.filter(|about| !about.is_empty()),
                approved_by: None,
            }
            .into()
        })
        .collect();
    let (users, _) = world.describe(viewer, &named);
    Ok(types::messages::ChatInviteImporters {
        count,
        importers,
        users,
    }
    .into())
}

/// The hash in a link, or what stands there instead.
fn hash_of(link: &str) -> &str {
    let last = link.rsplit('/').next().unwrap_or(link);
    last.trim_start_matches('+')
}

fn check_invite(
    world: &mut World,
    call: &Call,
    request: functions::messages::CheckChatInvite,
) -> Result<enums::ChatInvite, RpcError> {
    let user_id = call.user()?;
    let invite = invited(world, &request.hash)?;
    let (peer, request_needed) = (invite.peer, invite.request_needed);
    let (inside, title, about, count, channel, broadcast) = match peer {
        PeerId::Channel(id) => {
            let c = world
                .channels
                .get(&id)
                .ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
            (
                c.members.contains_key(&user_id),
                c.title.clone(),
                c.about.clone(),
                c.members.len(),
                true,
                c.broadcast,
            )
        }
        other => {
            let g = world
                .chats
                .get(&other.bare())
                .ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
            (
                g.members.contains_key(&user_id),
                g.title.clone(),
                g.about.clone(),
                g.members.len(),
                false,
                false,
            )
        }
    };
    if inside {
        let (_, chats) = world.describe(user_id, &Named::of(&[peer]));
        let chat = chats
            .into_iter()
            .next()
            .ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
        return Ok(types::ChatInviteAlready { chat }.into());
    }
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    Ok(types::ChatInvite {
        channel,
        broadcast,
        megagroup: channel && !broadcast,
        request_needed,
        about: (!about.is_empty()).then_some(about),
        ..blank::chat_invite(title, types::PhotoEmpty { id: 0 }.into(), count, 0)
    }
    .into())
}

fn import_invite(
    world: &mut World,
    call: &Call,
    request: functions::messages::ImportChatInvite,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let invite = invited(world, &request.hash)?;
    if invite.request_needed {
        world.ask_to_join(user_id, &request.hash)?;
        return Err(RpcError::bad("INVITE_REQUEST_SENT"));
    }
    match invite.peer {
        PeerId::Channel(id) => channels::joined(world, user_id, id, Some(&request.hash)),
        peer => {
            let sent = world.join_group(user_id, peer.bare(), &request.hash)?;
            Ok(group_updates(world, user_id, &sent))
        }
    }
}

/// The answer of a call that changed who is in a group: its service message and the new list.
fn group_updates(world: &mut World, user_id: i64, sent: &Sent) -> enums::Updates {
    let chat = sent.peer.bare();
    let mut named = Named::of(&world.group_names(chat));
    let mut updates = Vec::new();
    if sent.random_id != 0 {
        updates.push(
            types::UpdateMessageId {
                id: sent.id,
                random_id: sent.random_id,
            }
            .into(),
        );
    }
    updates.push(world.sent_update(user_id, sent, &mut named));
    updates.push(
        types::UpdateChatParticipants {
            participants: world.tl_participants(chat),
        }
        .into(),
    );
    world.container(user_id, updates, &named)
}

fn invited(world: &World, hash: &str) -> Result<Invite, RpcError> {
    if hash.is_empty() {
        return Err(RpcError::bad("INVITE_HASH_EMPTY"));
    }
    let invite = world.invites.get(hash).cloned();
    invite.ok_or_else(|| RpcError::bad("INVITE_HASH_INVALID"))
}

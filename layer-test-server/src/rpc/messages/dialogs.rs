//! `messages.*` about dialogs and basic groups.

use layer_tl_types::{enums, functions, types};

use crate::rpc::{Call, RpcError, routes};
use crate::world::dialogs::{DialogOffset, Page};
use crate::world::ids::PeerId;
use crate::world::named::Named;
use crate::world::send::check_text;
use crate::world::{World, blank};

routes! {
    functions::messages::GetDialogs => get_dialogs,
    functions::messages::GetPeerDialogs => get_peer_dialogs,
    functions::messages::GetPinnedDialogs => get_pinned_dialogs,
    functions::messages::ToggleDialogPin => toggle_pin,
    functions::messages::ReorderPinnedDialogs => reorder_pinned,
    functions::messages::MarkDialogUnread => mark_unread,
    functions::messages::GetDialogUnreadMarks => unread_marks,
    functions::messages::GetPeerSettings => peer_settings,
    functions::messages::HidePeerSettingsBar => hide_settings,
    functions::messages::SaveDraft => save_draft,
    functions::messages::GetAllDrafts => all_drafts,
    functions::messages::ClearAllDrafts => clear_drafts,
}

fn get_dialogs(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetDialogs,
) -> Result<enums::messages::Dialogs, RpcError> {
    let user_id = call.user()?;
    if world.is_bot(user_id) {
        return Err(RpcError::bad("BOT_METHOD_INVALID"));
    }
    // The archive is there, and empty.
    if request.folder_id.is_some_and(|folder| folder != 0) {
        let (dialogs, messages, chats, users) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Ok(types::messages::Dialogs {
            dialogs,
            messages,
            chats,
            users,
        }
        .into());
    }
    let offset = DialogOffset {
        date: request.offset_date,
        id: request.offset_id,
        peer: match &request.offset_peer {
            enums::InputPeer::Empty => None,
            peer => world.peer(user_id, peer).ok(),
        },
    };
    let limit = match usize::try_from(request.limit) {
        Ok(0) => 20,
        Ok(limit) => limit.min(100),
        Err(_) => return Err(RpcError::bad("LIMIT_INVALID")),
    };
    let (page, total) = world.dialogs(user_id, offset, limit, request.exclude_pinned);
    let Page {
        dialogs,
        messages,
        chats,
        users,
    } = page;
    let first_page = offset.date == 0 && offset.id == 0 && offset.peer.is_none();
    if first_page && dialogs.len() >= total {
        return Ok(types::messages::Dialogs {
            dialogs,
            messages,
            chats,
            users,
        }
        .into());
    }
    let count = i32::try_from(total).unwrap_or(i32::MAX);
    Ok(types::messages::DialogsSlice {
        count,
        dialogs,
        messages,
        chats,
        users,
    }
    .into())
}

fn peer_dialogs(world: &mut World, user_id: i64, peers: &[PeerId]) -> enums::messages::PeerDialogs {
    let Page {
        dialogs,
        messages,
        chats,
        users,
    } = world.page(user_id, peers);
    let state = world.state(user_id).into();
    types::messages::PeerDialogs {
        dialogs,
        messages,
        chats,
        users,
        state,
    }
    .into()
}

/// The peers that `InputDialogPeer`s name; folders are passed over.
fn dialog_peers(
    world: &World,
    user_id: i64,
    inputs: &[enums::InputDialogPeer],
) -> Result<Vec<PeerId>, RpcError> {
    inputs
        .iter()
        .take(100)
        .filter_map(|input| match input {
            enums::InputDialogPeer::Peer(input) => Some(&input.peer),
            enums::InputDialogPeer::Folder(_) => None,
        })
        .map(|peer| {
            let peer = world.peer(user_id, peer)?;
            if let PeerId::Channel(channel) = peer {
                world.channel_of(user_id, channel)?;
            }
            Ok(peer)
        })
        .collect()
}

fn get_peer_dialogs(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetPeerDialogs,
) -> Result<enums::messages::PeerDialogs, RpcError> {
    let user_id = call.user()?;
    let peers = dialog_peers(world, user_id, &request.peers)?;
    Ok(peer_dialogs(world, user_id, &peers))
}

fn get_pinned_dialogs(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetPinnedDialogs,
) -> Result<enums::messages::PeerDialogs, RpcError> {
    let user_id = call.user()?;
    let pinned = if request.folder_id == 0 {
        world
            .accounts
            .get(&user_id)
            .map(|account| account.pinned.clone())
            .unwrap_or_default()
    } else {
        Vec::new()
    };
    Ok(peer_dialogs(world, user_id, &pinned))
}

fn one_dialog(
    world: &World,
    user_id: i64,
    input: &enums::InputDialogPeer,
) -> Result<PeerId, RpcError> {
    let peers = dialog_peers(world, user_id, std::slice::from_ref(input))?;
    peers
        .first()
        .copied()
        .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))
}

fn toggle_pin(
    world: &mut World,
    call: &Call,
    request: functions::messages::ToggleDialogPin,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let peer = one_dialog(world, user_id, &request.peer)?;
    world
        .pin_dialog(user_id, peer, request.pinned)
        .map(|()| true)
}

fn reorder_pinned(
    world: &mut World,
    call: &Call,
    request: functions::messages::ReorderPinnedDialogs,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let order = dialog_peers(world, user_id, &request.order)?;
    world.reorder_pinned(user_id, order, request.force);
    Ok(true)
}

fn mark_unread(
    world: &mut World,
    call: &Call,
    request: functions::messages::MarkDialogUnread,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let peer = one_dialog(world, user_id, &request.peer)?;
    world.mark_unread(user_id, peer, request.unread);
    Ok(true)
}

fn unread_marks(
    world: &mut World,
    call: &Call,
    _: functions::messages::GetDialogUnreadMarks,
) -> Result<Vec<enums::DialogPeer>, RpcError> {
    let user_id = call.user()?;
    let dialogs = world
        .accounts
        .get(&user_id)
        .into_iter()
        .flat_map(|account| &account.dialogs);
    Ok(dialogs
        .filter(|(_, dialog)| dialog.unread_mark)
        .map(|(peer, _)| types::DialogPeer { peer: peer.to_tl() }.into())
        .collect())
}

fn peer_settings(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetPeerSettings,
) -> Result<enums::messages::PeerSettings, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let settings = match peer {
        PeerId::User(id) => world.peer_settings(user_id, id),
        _ => blank::peer_settings().into(),
    };
    let (users, chats) = world.describe(user_id, &Named::of(&[peer]));
    Ok(types::messages::PeerSettings {
        settings,
        chats,
        users,
    }
    .into())
}

fn hide_settings(
    world: &mut World,
    call: &Call,
    request: functions::messages::HidePeerSettingsBar,
) -> Result<bool, RpcError> {
    world.peer(call.user()?, &request.peer).map(|_| true)
}

fn save_draft(
    world: &mut World,
    call: &Call,
    request: functions::messages::SaveDraft,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let empty = request.message.is_empty() && request.reply_to.is_none() && request.media.is_none();
    let entities = world.entities(user_id, &request.message, request.entities)?;
    if !request.message.is_empty() {
        check_text(&request.message, &entities, false)?;
    }
    let draft = (!empty).then(|| types::DraftMessage {
        no_webpage: request.no_webpage,
        invert_media: request.invert_media,
        reply_to: request.reply_to,
        message: request.message,
        entities: (!entities.is_empty()).then_some(entities),
        media: request.media,
        date: world.now,
        effect: request.effect,
        suggested_post: request.suggested_post,
    });
    world.save_draft(user_id, peer, draft);
    Ok(true)
}

fn drafted(world: &World, user_id: i64) -> Vec<PeerId> {
    let dialogs = world
        .accounts
        .get(&user_id)
        .into_iter()
        .flat_map(|account| &account.dialogs);
    dialogs
        .filter(|(_, dialog)| dialog.draft.is_some())
        .map(|(peer, _)| *peer)
        .collect()
}

fn all_drafts(
    world: &mut World,
    call: &Call,
    _: functions::messages::GetAllDrafts,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peers = drafted(world, user_id);
    let updates = peers
        .iter()
        .filter_map(|peer| {
            let draft = world
                .accounts
                .get(&user_id)?
                .dialogs
                .get(peer)?
                .draft
                .clone()?;
            let peer = peer.to_tl();
            Some(
                types::UpdateDraftMessage {
                    peer,
                    top_msg_id: None,
                    saved_peer_id: None,
                    draft,
                }
                .into(),
            )
        })
        .collect();
    Ok(world.container(user_id, updates, &Named::of(&peers)))
}

fn clear_drafts(
    world: &mut World,
    call: &Call,
    _: functions::messages::ClearAllDrafts,
) -> Result<bool, RpcError> {
    let user_id = call.user()?;
    for peer in drafted(world, user_id) {
        world.save_draft(user_id, peer, None);
    }
    Ok(true)
}

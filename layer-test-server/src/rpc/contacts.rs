//! `contacts.*`.

use layer_tl_types::{enums, functions, types};

use super::{Call, RpcError, routes};
use crate::world::World;
use crate::world::history::list_hash;
use crate::world::ids::PeerId;
use crate::world::named::Named;
use crate::world::users::{Contact, digits};

routes! {
    functions::contacts::ResolveUsername => resolve_username,
    functions::contacts::ResolvePhone => resolve_phone,
    functions::contacts::GetContacts => get_contacts,
    functions::contacts::GetContactIds => get_contact_ids,
    functions::contacts::GetStatuses => get_statuses,
    functions::contacts::ImportContacts => import_contacts,
    functions::contacts::AddContact => add_contact,
    functions::contacts::AcceptContact => accept_contact,
    functions::contacts::DeleteContacts => delete_contacts,
    functions::contacts::DeleteByPhones => delete_by_phones,
    functions::contacts::Search => search,
    functions::contacts::GetTopPeers => top_peers,
    functions::contacts::ToggleTopPeers => toggle_top_peers,
    functions::contacts::ResetTopPeerRating => reset_rating,
    functions::contacts::Block => block,
    functions::contacts::Unblock => unblock,
    functions::contacts::GetBlocked => get_blocked,
    functions::contacts::GetSaved => get_saved,
    functions::contacts::ResetSaved => reset_saved,
    functions::contacts::GetBirthdays => get_birthdays,
    functions::contacts::GetSponsoredPeers => sponsored_peers,
}

fn resolved(world: &World, viewer: i64, peer: PeerId) -> enums::contacts::ResolvedPeer {
    let (users, chats) = world.describe(viewer, &Named::of(&[peer]));
    types::contacts::ResolvedPeer {
        peer: peer.to_tl(),
        chats,
        users,
    }
    .into()
}

fn resolve_username(
    world: &mut World,
    call: &Call,
    request: functions::contacts::ResolveUsername,
) -> Result<enums::contacts::ResolvedPeer, RpcError> {
    let viewer = call.user()?;
    let name = request.username.trim_start_matches('@');
    let good = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !good {
        return Err(RpcError::bad("USERNAME_INVALID"));
    }
    let peer = world
        .peer_by_username(name)
        .ok_or_else(|| RpcError::bad("USERNAME_NOT_OCCUPIED"))?;
    Ok(resolved(world, viewer, peer))
}

fn resolve_phone(
    world: &mut World,
    call: &Call,
    request: functions::contacts::ResolvePhone,
) -> Result<enums::contacts::ResolvedPeer, RpcError> {
    let viewer = call.user()?;
    let id = world
        .user_by_phone(&request.phone)
        .ok_or_else(|| RpcError::bad("PHONE_NOT_OCCUPIED"))?;
    Ok(resolved(world, viewer, PeerId::User(id)))
}

fn contact_ids(world: &World, owner: i64) -> Vec<i64> {
    world
        .accounts
        .get(&owner)
        .map(|account| account.contacts.keys().copied().collect())
        .unwrap_or_default()
}

fn is_mutual(world: &World, owner: i64, other: i64) -> bool {
    world
        .accounts
        .get(&other)
        .is_some_and(|account| account.contacts.contains_key(&owner))
}

fn get_contacts(
    world: &mut World,
    call: &Call,
    request: functions::contacts::GetContacts,
) -> Result<enums::contacts::Contacts, RpcError> {
    let owner = call.user()?;
    let ids = contact_ids(world, owner);
    // The count goes before the ids into this hash.
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    if request.hash != 0
        && request.hash == list_hash(std::iter::once(count).chain(ids.iter().copied()))
    {
        return Ok(enums::contacts::Contacts::NotModified);
    }
    let contacts = ids
        .iter()
        .map(|id| {
            types::Contact {
                user_id: *id,
                mutual: is_mutual(world, owner, *id),
            }
            .into()
        })
        .collect();
    let users = ids.iter().map(|id| world.tl_user(owner, *id)).collect();
    let saved_count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    Ok(types::contacts::Contacts {
        contacts,
        saved_count,
        users,
    }
    .into())
}

fn get_contact_ids(
    world: &mut World,
    call: &Call,
    _: functions::contacts::GetContactIds,
) -> Result<Vec<i32>, RpcError> {
    // The method is from before ids had 64 bits; larger ones cannot be told.
    Ok(contact_ids(world, call.user()?)
        .into_iter()
        .filter_map(|id| i32::try_from(id).ok())
        .collect())
}

fn get_statuses(
    world: &mut World,
    call: &Call,
    _: functions::contacts::GetStatuses,
) -> Result<Vec<enums::ContactStatus>, RpcError> {
    let owner = call.user()?;
    Ok(contact_ids(world, owner)
        .into_iter()
        .filter_map(|user_id| {
            let status = world.tl_status(world.users.get(&user_id)?);
            Some(types::ContactStatus { user_id, status }.into())
        })
        .collect())
}

fn import_contacts(
    world: &mut World,
    call: &Call,
    request: functions::contacts::ImportContacts,
) -> Result<enums::contacts::ImportedContacts, RpcError> {
    let owner = call.user()?;
    let mut imported = Vec::new();
    let mut users = Vec::new();
    for contact in request.contacts.into_iter().take(1_000) {
        let enums::InputContact::InputPhoneContact(contact) = contact;
        let Some(user_id) = world.user_by_phone(&contact.phone) else {
            continue;
        };
        world.set_contact(
            owner,
            user_id,
            Contact {
                first_name: contact.first_name.clone(),
                last_name: contact.last_name.clone(),
                phone: digits(&contact.phone),
            },
        );
        imported.push(
            types::ImportedContact {
                user_id,
                client_id: contact.client_id,
            }
            .into(),
        );
        users.push(user_id);
    }
    users.sort_unstable();
    users.dedup();
    let users = users
        .into_iter()
        .map(|id| world.tl_user(owner, id))
        .collect();
    let (popular_invites, retry_contacts) = (Vec::new(), Vec::new());
    Ok(types::contacts::ImportedContacts {
        imported,
        popular_invites,
        retry_contacts,
        users,
    }
    .into())
}

/// Tells the owner's sessions how somebody looks to them now.
fn contact_changed(world: &mut World, owner: i64, user_id: i64) -> enums::Updates {
    let settings = world.peer_settings(owner, user_id);
    let update: enums::Update = types::UpdatePeerSettings {
        peer: PeerId::User(user_id).to_tl(),
        settings,
    }
    .into();
    world.note(owner, vec![update.clone()], &[PeerId::User(user_id)]);
    world.container(owner, vec![update], &Named::of(&[PeerId::User(user_id)]))
}

fn add_contact(
    world: &mut World,
    call: &Call,
    request: functions::contacts::AddContact,
) -> Result<enums::Updates, RpcError> {
    let owner = call.user()?;
    let user_id = world.input_user(owner, &request.id)?;
    if user_id == owner {
        return Err(RpcError::bad("CONTACT_ID_INVALID"));
    }
    if request.first_name.is_empty() {
        return Err(RpcError::bad("CONTACT_NAME_EMPTY"));
    }
    let contact = Contact {
        first_name: request.first_name,
        last_name: request.last_name,
        phone: digits(&request.phone),
    };
    world.set_contact(owner, user_id, contact);
    Ok(contact_changed(world, owner, user_id))
}

fn accept_contact(
    world: &mut World,
    call: &Call,
    request: functions::contacts::AcceptContact,
) -> Result<enums::Updates, RpcError> {
    let owner = call.user()?;
    let user_id = world.input_user(owner, &request.id)?;
    let user = world.user(user_id)?;
    let contact = Contact {
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        phone: user.phone.clone().unwrap_or_default(),
    };
    world.set_contact(owner, user_id, contact);
    Ok(contact_changed(world, owner, user_id))
}

fn delete_contacts(
    world: &mut World,
    call: &Call,
    request: functions::contacts::DeleteContacts,
) -> Result<enums::Updates, RpcError> {
    let owner = call.user()?;
    let ids: Vec<i64> = request
        .id
        .iter()
        .map(|user| world.input_user(owner, user))
        .collect::<Result<_, _>>()?;
    let mut updates = Vec::new();
    let mut peers = Vec::new();
    for id in ids {
        if let Some(account) = world.accounts.get_mut(&owner) {
            account.contacts.remove(&id);
        }
        let settings = world.peer_settings(owner, id);
        updates.push(
            types::UpdatePeerSettings {
                peer: PeerId::User(id).to_tl(),
                settings,
            }
            .into(),
        );
        peers.push(PeerId::User(id));
    }
    world.note(owner, updates.clone(), &peers);
    Ok(world.container(owner, updates, &Named::of(&peers)))
}

fn delete_by_phones(
    world: &mut World,
    call: &Call,
    request: functions::contacts::DeleteByPhones,
) -> Result<bool, RpcError> {
    let owner = call.user()?;
    for phone in &request.phones {
        if let Some(id) = world.user_by_phone(phone)
            && let Some(account) = world.accounts.get_mut(&owner)
        {
            account.contacts.remove(&id);
        }
    }
    Ok(true)
}

fn search(
    world: &mut World,
    call: &Call,
    request: functions::contacts::Search,
) -> Result<enums::contacts::Found, RpcError> {
    let viewer = call.user()?;
    let wanted = request.q.trim_start_matches('@').to_lowercase();
    if wanted.is_empty() {
        return Err(RpcError::bad("SEARCH_QUERY_EMPTY"));
    }
    let limit = usize::try_from(request.limit.clamp(1, 50)).unwrap_or(50);
    let account = world.accounts.get(&viewer);
    let known = |peer: PeerId| {
        account.is_some_and(|account| {
            account.dialogs.contains_key(&peer)
                || matches!(peer, PeerId::User(id) if account.contacts.contains_key(&id))
        })
    };
    let mut mine = Vec::new();
    let mut others = Vec::new();
    for (id, user) in &world.users {
        let peer = PeerId::User(*id);
        let name = format!("{} {}", user.first_name, user.last_name).to_lowercase();
        let named = name
            .split_whitespace()
            .any(|word| word.starts_with(&wanted))
            || name.starts_with(&wanted);
        let handle = user
            .username
            .as_ref()
            .is_some_and(|name| name.to_lowercase().starts_with(&wanted));
        if known(peer) && (named || handle) {
            mine.push(peer);
        } else if handle && wanted.len() >= 4 {
            others.push(peer);
        }
    }
    for (id, channel) in &world.channels {
        let peer = PeerId::Channel(*id);
        let titled = channel.title.to_lowercase().contains(&wanted);
        let handle = channel
            .username
            .as_ref()
            .is_some_and(|name| name.to_lowercase().starts_with(&wanted));
        if channel.members.contains_key(&viewer) && (titled || handle) {
            mine.push(peer);
        } else if handle && wanted.len() >= 4 && channel.is_open_to(viewer, world.now) {
            others.push(peer);
        }
    }
    for (id, group) in &world.chats {
        if group.members.contains_key(&viewer) && group.title.to_lowercase().contains(&wanted) {
            mine.push(PeerId::Chat(*id));
        }
    }
    mine.truncate(limit);
    others.truncate(limit);
    let mut named = Named::of(&mine);
    others.iter().for_each(|peer| named.add(*peer));
    let (users, chats) = world.describe(viewer, &named);
    let tl = |peers: Vec<PeerId>| peers.into_iter().map(PeerId::to_tl).collect();
    Ok(types::contacts::Found {
        my_results: tl(mine),
        results: tl(others),
        chats,
        users,
    }
    .into())
}

fn top_peers(
    world: &mut World,
    call: &Call,
    request: functions::contacts::GetTopPeers,
) -> Result<enums::contacts::TopPeers, RpcError> {
    let viewer = call.user()?;
    let limit = usize::try_from(request.limit.clamp(1, 100)).unwrap_or(100);
    let mut rated: Vec<(u32, PeerId)> = world
        .accounts
        .get(&viewer)
        .map(|account| {
            account
                .rating
                .iter()
                .map(|(peer, rating)| (*rating, *peer))
                .collect()
        })
        .unwrap_or_default();
    rated.sort_unstable_by(|a, b| b.cmp(a));
    let mut named = Named::default();
    let mut categories: Vec<enums::TopPeerCategoryPeers> = Vec::new();
    let mut category =
        |wanted: bool, category: enums::TopPeerCategory, fits: &dyn Fn(PeerId) -> bool| {
            let peers: Vec<enums::TopPeer> = rated
                .iter()
                .filter(|(_, peer)| wanted && fits(*peer))
                .take(limit)
                .map(|(rating, peer)| {
                    named.add(*peer);
                    types::TopPeer {
                        peer: peer.to_tl(),
                        rating: f64::from(*rating),
                    }
                    .into()
                })
                .collect();
            if !peers.is_empty() {
                let count = i32::try_from(peers.len()).unwrap_or(i32::MAX);
                categories.push(
                    types::TopPeerCategoryPeers {
                        category,
                        count,
                        peers,
                    }
                    .into(),
                );
            }
        };
    let bot = |peer| matches!(peer, PeerId::User(id) if world.is_bot(id));
    let person = |peer| matches!(peer, PeerId::User(id) if id != viewer && !world.is_bot(id));
    let broadcast = |peer| world.is_broadcast(peer);
    category(
        request.correspondents,
        enums::TopPeerCategory::Correspondents,
        &person,
    );
    category(request.bots_pm, enums::TopPeerCategory::BotsPm, &bot);
    category(request.groups, enums::TopPeerCategory::Groups, &|peer| {
        matches!(peer, PeerId::Chat(_) | PeerId::Channel(_)) && !broadcast(peer)
    });
    category(
        request.channels,
        enums::TopPeerCategory::Channels,
        &broadcast,
    );
    let (users, chats) = world.describe(viewer, &named);
    Ok(types::contacts::TopPeers {
        categories,
        chats,
        users,
    }
    .into())
}

fn toggle_top_peers(
    _: &mut World,
    call: &Call,
    _: functions::contacts::ToggleTopPeers,
) -> Result<bool, RpcError> {
    call.user().map(|_| true)
}

fn reset_rating(
    world: &mut World,
    call: &Call,
    request: functions::contacts::ResetTopPeerRating,
) -> Result<bool, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    if let Some(account) = world.accounts.get_mut(&viewer) {
        account.rating.remove(&peer);
    }
    Ok(true)
}

fn set_blocked(
    world: &mut World,
    call: &Call,
    peer: &enums::InputPeer,
    blocked: bool,
) -> Result<bool, RpcError> {
    let viewer = call.user()?;
    let peer = world
        .peer(viewer, peer)
        .map_err(|_| RpcError::bad("CONTACT_ID_INVALID"))?;
    if peer == PeerId::User(viewer) {
        return Err(RpcError::bad("CONTACT_ID_INVALID"));
    }
    world.set_blocked(viewer, peer, blocked);
    Ok(true)
}

fn block(
    world: &mut World,
    call: &Call,
    request: functions::contacts::Block,
) -> Result<bool, RpcError> {
    set_blocked(world, call, &request.id, true)
}

fn unblock(
    world: &mut World,
    call: &Call,
    request: functions::contacts::Unblock,
) -> Result<bool, RpcError> {
    set_blocked(world, call, &request.id, false)
}

fn get_blocked(
    world: &mut World,
    call: &Call,
    request: functions::contacts::GetBlocked,
) -> Result<enums::contacts::Blocked, RpcError> {
    let viewer = call.user()?;
    let all: Vec<(PeerId, i32)> = world
        .accounts
        .get(&viewer)
        .map(|account| {
            account
                .blocked
                .iter()
                .map(|(peer, date)| (*peer, *date))
                .collect()
        })
        .unwrap_or_default();
    let offset = usize::try_from(request.offset).unwrap_or(0);
    let limit = usize::try_from(request.limit.clamp(1, 100)).unwrap_or(100);
    let page: Vec<(PeerId, i32)> = all.iter().skip(offset).take(limit).copied().collect();
    let mut named = Named::default();
    page.iter().for_each(|(peer, _)| named.add(*peer));
    let (users, chats) = world.describe(viewer, &named);
    let blocked = page
        .iter()
        .map(|(peer, date)| {
            types::PeerBlocked {
                peer_id: peer.to_tl(),
                date: *date,
            }
            .into()
        })
        .collect();
    if page.len() < all.len() {
        let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
        return Ok(types::contacts::BlockedSlice {
            count,
            blocked,
            chats,
            users,
        }
        .into());
    }
    Ok(types::contacts::Blocked {
        blocked,
        chats,
        users,
    }
    .into())
}

fn get_saved(
    world: &mut World,
    call: &Call,
    _: functions::contacts::GetSaved,
) -> Result<Vec<enums::SavedContact>, RpcError> {
    let owner = call.user()?;
    let date = world.now;
    let contacts = world
        .accounts
        .get(&owner)
        .into_iter()
        .flat_map(|account| account.contacts.values());
    Ok(contacts
        .map(|contact| {
            types::SavedPhoneContact {
                phone: contact.phone.clone(),
                first_name: contact.first_name.clone(),
                last_name: contact.last_name.clone(),
                date,
            }
            .into()
        })
        .collect())
}

fn reset_saved(
    _: &mut World,
    call: &Call,
    _: functions::contacts::ResetSaved,
) -> Result<bool, RpcError> {
    call.user().map(|_| true)
}

fn get_birthdays(
    _: &mut World,
    call: &Call,
    _: functions::contacts::GetBirthdays,
) -> Result<enums::contacts::ContactBirthdays, RpcError> {
    call.user()?;
    Ok(types::contacts::ContactBirthdays {
        contacts: Vec::new(),
        users: Vec::new(),
    }
    .into())
}

fn sponsored_peers(
    _: &mut World,
    call: &Call,
    _: functions::contacts::GetSponsoredPeers,
) -> Result<enums::contacts::SponsoredPeers, RpcError> {
    call.user().map(|_| enums::contacts::SponsoredPeers::Empty)
}

//! `messages.*` that look messages up.

use layer_tl_types::{enums, functions, types};

use crate::rpc::{Call, RpcError, routes};
use crate::world::World;
use crate::world::history::{Query, Window};
use crate::world::ids::PeerId;
use crate::world::named::Named;

use super::sending::affected_history;

routes! {
    functions::messages::GetMessages => get_messages,
    functions::messages::GetHistory => get_history,
    functions::messages::Search => search,
    functions::messages::SearchGlobal => search_global,
    functions::messages::GetSearchCounters => search_counters,
    functions::messages::GetUnreadMentions => unread_mentions,
    functions::messages::ReadMentions => read_mentions,
    functions::messages::GetMessagesViews => views,
    functions::messages::GetWebPagePreview => web_page_preview,
    functions::messages::GetWebPage => web_page,
}

fn get_messages(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetMessages,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let ids = message_ids(world, user_id, None, &request.id);
    Ok(world.own_messages(user_id, &ids))
}

/// The ids that `InputMessage`s stand for; 0 for what cannot be found.
pub(crate) fn message_ids(
    world: &World,
    user_id: i64,
    channel: Option<i64>,
    inputs: &[enums::InputMessage],
) -> Vec<i32> {
    inputs
        .iter()
        .take(100)
        .map(|input| match input {
            enums::InputMessage::Id(input) => input.id,
            enums::InputMessage::ReplyTo(input) => {
                let peer = match channel {
                    Some(channel) => Some(PeerId::Channel(channel)),
                    None => world
                        .accounts
                        .get(&user_id)
                        .and_then(|account| account.messages.get(&input.id))
                        .map(|entry| entry.peer),
                };
                peer.and_then(|peer| world.body_of(user_id, peer, input.id))
                    .and_then(|body| body.reply_to)
                    .and_then(|reply| world.bodies.get(&reply))
                    .and_then(|body| body.id_for(user_id))
                    .unwrap_or(0)
            }
            enums::InputMessage::Pinned => channel
                .and_then(|channel| world.pinned_in(user_id, PeerId::Channel(channel)))
                .unwrap_or(0),
            enums::InputMessage::CallbackQuery(input) => input.id,
        })
        .collect()
}

/// A dialog that the caller may read.
pub(super) fn readable(
    world: &World,
    user_id: i64,
    peer: &enums::InputPeer,
) -> Result<PeerId, RpcError> {
    let peer = world.peer(user_id, peer)?;
    if let PeerId::Channel(channel) = peer {
        world.channel_of(user_id, channel)?;
    }
    Ok(peer)
}

fn get_history(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetHistory,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    let window = Window {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    Ok(world.history(user_id, peer, window, request.hash))
}

fn search(
    world: &mut World,
    call: &Call,
    request: functions::messages::Search,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let from = match &request.from_id {
        Some(from) => Some(world.peer(user_id, from)?.bare()),
        None => None,
    };
    let query = Query {
        text: request.q,
        from,
        filter: Some(request.filter),
        min_date: request.min_date,
        max_date: request.max_date,
    };
    if matches!(request.peer, enums::InputPeer::Empty) {
        return Ok(world.search_everywhere(user_id, &query, request.limit));
    }
    let peer = readable(world, user_id, &request.peer)?;
    let window = Window {
        offset_id: request.offset_id,
        offset_date: 0,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    Ok(world.search(user_id, peer, &query, window, request.hash))
}

fn search_global(
    world: &mut World,
    call: &Call,
    request: functions::messages::SearchGlobal,
) -> Result<enums::messages::Messages, RpcError> {
    let query = Query {
        text: request.q,
        from: None,
        filter: Some(request.filter),
        min_date: request.min_date,
        max_date: if request.offset_rate > 0 {
            request.offset_rate
        } else {
            request.max_date
        },
    };
    Ok(world.search_everywhere(call.user()?, &query, request.limit))
}

fn search_counters(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetSearchCounters,
) -> Result<Vec<enums::messages::SearchCounter>, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    Ok(request
        .filters
        .into_iter()
        .take(20)
        .map(|filter| {
            let query = Query {
                filter: Some(filter.clone()),
                ..Query::default()
            };
            let count = world.search_count(user_id, peer, &query);
            types::messages::SearchCounter {
                inexact: false,
                filter,
                count,
            }
            .into()
        })
        .collect())
}

/// Messages of a dialog in which a mention was not yet seen.
fn unseen_mentions(world: &World, user_id: i64, peer: PeerId) -> Vec<i32> {
    let Some(account) = world.accounts.get(&user_id) else {
        return Vec::new();
    };
    account
        .ids(peer)
        .rev()
        .filter(|id| {
            account
                .messages
                .get(id)
                .is_some_and(|entry| entry.mentioned && entry.media_unread)
        })
        .take(100)
        .collect()
}

fn unread_mentions(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetUnreadMentions,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    let ids = unseen_mentions(world, user_id, peer);
    Ok(world.messages(user_id, peer, &ids, None))
}

fn read_mentions(
    world: &mut World,
    call: &Call,
    request: functions::messages::ReadMentions,
) -> Result<enums::messages::AffectedHistory, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    let ids = unseen_mentions(world, user_id, peer);
    Ok(affected_history(world.read_contents(user_id, &ids)))
}

fn views(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetMessagesViews,
) -> Result<enums::messages::MessageViews, RpcError> {
    let user_id = call.user()?;
    let peer = readable(world, user_id, &request.peer)?;
    let mut views = Vec::new();
    for id in request.id.iter().take(100) {
        let body = world
            .body_of(user_id, peer, *id)
            .filter(|body| body.as_channel.is_some())
            .map(|body| body.id);
        let body = body.and_then(|body| world.bodies.get_mut(&body));
        let seen = body.map(|body| {
            if request.increment {
                body.views = body.views.saturating_add(1);
            }
            body.views
        });
        views.push(
            types::MessageViews {
                views: seen,
                forwards: seen.map(|_| 0),
                replies: None,
            }
            .into(),
        );
    }
    let (users, chats) = world.describe(user_id, &Named::of(&[peer]));
    Ok(types::messages::MessageViews {
        views,
        chats,
        users,
    }
    .into())
}

fn web_page(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetWebPage,
) -> Result<enums::messages::WebPage, RpcError> {
    call.user()?;
    Ok(types::messages::WebPage {
        webpage: world.tl_page(&request.url),
        chats: Vec::new(),
        users: Vec::new(),
    }
    .into())
}

fn web_page_preview(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetWebPagePreview,
) -> Result<enums::messages::WebPagePreview, RpcError> {
    let user_id = call.user()?;
    let entities = request.entities.unwrap_or_default();
    let page = world.page_in(&request.message, &entities);
    let media = page.map_or(enums::MessageMedia::Empty, |page| {
        world.tl_media(user_id, &page)
    });
    Ok(types::messages::WebPagePreview {
        media,
        chats: Vec::new(),
        users: Vec::new(),
    }
    .into())
}

//! `messages.*` about reactions and polls.

use layer_tl_types::{enums, functions as f};

use crate::rpc::{Call, RpcError, routes};
use crate::world::World;
use crate::world::ids::PeerId;
use crate::world::named::Named;

routes! {
    f::messages::SendReaction => react,
    f::messages::GetMessagesReactions => reactions,
    f::messages::GetMessageReactionsList => reaction_list,
    f::messages::SendVote => vote,
    f::messages::GetPollResults => poll_results,
    f::messages::GetPollVotes => poll_votes,
}

/// Messages that one call can ask for.
const IDS_LIMIT: usize = 100;

/// `updateMessageReactions` of these messages, in one container.
fn container(world: &mut World, viewer: i64, peer: PeerId, ids: &[i32]) -> enums::Updates {
    let mut named = Named::of(&[peer]);
    let mut updates = Vec::new();
    for id in ids {
        let body = world.body_of(viewer, peer, *id).map(|body| body.id);
        let update = body.and_then(|body| world.tl_reaction_update(viewer, body));
        if let Some((update, names)) = update {
            updates.push(update);
            names.peers().iter().for_each(|name| named.add(*name));
        }
    }
    world.container(viewer, updates, &named)
}

fn react(
    world: &mut World,
    call: &Call,
    request: f::messages::SendReaction,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let mut reactions = request.reaction.unwrap_or_default();
    reactions.retain(|reaction| !matches!(reaction, enums::Reaction::Empty));
    world.react(user_id, peer, request.msg_id, reactions, request.big)?;
    Ok(container(world, user_id, peer, &[request.msg_id]))
}

fn reactions(
    world: &mut World,
    call: &Call,
    request: f::messages::GetMessagesReactions,
) -> Result<enums::Updates, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    if request.id.len() > IDS_LIMIT {
        return Err(RpcError::bad("MESSAGE_ID_INVALID"));
    }
    Ok(container(world, viewer, peer, &request.id))
}

/// The page that an offset and a limit stand for.
fn page(offset: Option<&str>, limit: i32) -> (usize, usize) {
    let offset = offset.and_then(|offset| offset.parse().ok()).unwrap_or(0);
    (offset, usize::try_from(limit.clamp(1, 100)).unwrap_or(1))
}

fn reaction_list(
    world: &mut World,
    call: &Call,
    request: f::messages::GetMessageReactionsList,
) -> Result<enums::messages::MessageReactionsList, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    let page = page(request.offset.as_deref(), request.limit);
    let list = world.reaction_list(viewer, peer, request.id, request.reaction.as_ref(), page)?;
    Ok(list.into())
}

fn vote(
    world: &mut World,
    call: &Call,
    request: f::messages::SendVote,
) -> Result<enums::Updates, RpcError> {
    let voter = call.user()?;
    let peer = world.peer(voter, &request.peer)?;
    world.vote(voter, peer, request.msg_id, request.options)
}

fn poll_results(
    world: &mut World,
    call: &Call,
    request: f::messages::GetPollResults,
) -> Result<enums::Updates, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    world.poll_results(viewer, peer, request.msg_id)
}

fn poll_votes(
    world: &mut World,
    call: &Call,
    request: f::messages::GetPollVotes,
) -> Result<enums::messages::VotesList, RpcError> {
    let viewer = call.user()?;
    let peer = world.peer(viewer, &request.peer)?;
    let page = page(request.offset.as_deref(), request.limit);
    let votes = world.poll_votes(viewer, peer, request.id, request.option.as_ref(), page)?;
    Ok(votes.into())
}

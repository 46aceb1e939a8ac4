//! `updates.*`.

use layer_tl_types::{enums, functions};

use super::{Call, RpcError, routes};
use crate::world::World;
use crate::world::difference::Known;

routes! {
    functions::updates::GetState => get_state,
    functions::updates::GetDifference => get_difference,
    functions::updates::GetChannelDifference => get_channel_difference,
}

fn get_state(
    world: &mut World,
    call: &Call,
    _: functions::updates::GetState,
) -> Result<enums::updates::State, RpcError> {
    Ok(world.state(call.user()?).into())
}

fn get_difference(
    world: &mut World,
    call: &Call,
    request: functions::updates::GetDifference,
) -> Result<enums::updates::Difference, RpcError> {
    let known = Known {
        pts: request.pts,
        date: request.date,
        qts: request.qts,
        qts_limit: request.qts_limit,
        limit: request.pts_limit,
        total_limit: request.pts_total_limit,
    };
    world.difference(call.user()?, known)
}

fn get_channel_difference(
    world: &mut World,
    call: &Call,
    request: functions::updates::GetChannelDifference,
) -> Result<enums::updates::ChannelDifference, RpcError> {
    let user_id = call.user()?;
    let channel = world.input_channel(user_id, &request.channel)?;
    world.channel_difference(user_id, channel, request.pts, request.limit)
}

//! `upload.*`.

use layer_tl_types::{enums, functions};

use super::{Call, RpcError, routes};
use crate::world::World;

routes! {
    functions::upload::SaveFilePart => save_part,
    functions::upload::SaveBigFilePart => save_big_part,
    functions::upload::GetFile => get_file,
    functions::upload::GetFileHashes => get_hashes,
}

fn save_part(
    world: &mut World,
    call: &Call,
    request: functions::upload::SaveFilePart,
) -> Result<bool, RpcError> {
    world.save_part(
        call.user()?,
        request.file_id,
        request.file_part,
        None,
        request.bytes,
    )?;
    Ok(true)
}

fn save_big_part(
    world: &mut World,
    call: &Call,
    request: functions::upload::SaveBigFilePart,
) -> Result<bool, RpcError> {
    let total = Some(request.file_total_parts);
    world.save_part(
        call.user()?,
        request.file_id,
        request.file_part,
        total,
        request.bytes,
    )?;
    Ok(true)
}

fn get_file(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetFile,
) -> Result<enums::upload::File, RpcError> {
    call.user()?;
    let (offset, limit, precise) = (request.offset, request.limit, request.precise);
    world
        .read_file(call.dc_id, &request.location, offset, limit, precise)
        .map(Into::into)
}

fn get_hashes(
    _: &mut World,
    call: &Call,
    _: functions::upload::GetFileHashes,
) -> Result<Vec<enums::FileHash>, RpcError> {
    // Hashes are for what comes from CDNs, which this server has none of.
    call.user().map(|_| Vec::new())
}

//! `upload.*`.

use layer_tl_types::{enums, functions};

use super::{Call, RpcError, routes};
use crate::world::World;

routes! {
    functions::upload::SaveFilePart => save_part,
    functions::upload::SaveBigFilePart => save_big_part,
    functions::upload::GetFile => get_file,
    functions::upload::GetFileHashes => get_hashes,
    functions::upload::GetCdnFile => get_cdn_file,
    functions::upload::ReuploadCdnFile => reupload_cdn_file,
    functions::upload::GetCdnFileHashes => get_cdn_hashes,
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
    world.read_file(call.dc_id, &request)
}

fn get_hashes(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetFileHashes,
) -> Result<Vec<enums::FileHash>, RpcError> {
    call.user()?;
    world.file_hashes(call.dc_id, &request.location, request.offset)
}

/// The only method of a CDN, which knows nobody.
fn get_cdn_file(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetCdnFile,
) -> Result<enums::upload::CdnFile, RpcError> {
    let (offset, limit) = (request.offset, request.limit);
    world.read_cdn_file(call.dc_id, &request.file_token, offset, limit)
}

fn reupload_cdn_file(
    world: &mut World,
    call: &Call,
    request: functions::upload::ReuploadCdnFile,
) -> Result<Vec<enums::FileHash>, RpcError> {
    call.user()?;
    world.reupload_cdn_file(call.dc_id, &request.file_token, &request.request_token)
}

fn get_cdn_hashes(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetCdnFileHashes,
) -> Result<Vec<enums::FileHash>, RpcError> {
    call.user()?;
    world.cdn_hashes(call.dc_id, &request.file_token, request.offset)
}

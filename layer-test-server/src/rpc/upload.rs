//! `upload.*`.

use layer_tl_types::{enums, functions};

use super::{Call, RpcError, routes};
use crate::world::World;
use crate::world::files::Part;

routes! {
    functions::upload::SaveFilePart => save_part,
    functions::upload::SaveBigFilePart => save_big_part,
    functions::upload::GetFile => get_file,
    functions::upload::GetWebFile => get_web_file,
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
    let part = Part {
        file_id: request.file_id,
        number: request.file_part,
        total: None,
        bytes: request.bytes,
    };
    world.save_part(call.user()?, call.dc_id, part)?;
    Ok(true)
}

fn save_big_part(
    world: &mut World,
    call: &Call,
    request: functions::upload::SaveBigFilePart,
) -> Result<bool, RpcError> {
    let part = Part {
        file_id: request.file_id,
        number: request.file_part,
        total: Some(request.file_total_parts),
        bytes: request.bytes,
    };
    world.save_part(call.user()?, call.dc_id, part)?;
    Ok(true)
}

fn get_file(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetFile,
) -> Result<enums::upload::File, RpcError> {
    world.read_file(call.user()?, call.dc_id, &request)
}

fn get_web_file(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetWebFile,
) -> Result<enums::upload::WebFile, RpcError> {
    world.read_web_file(call.user()?, call.dc_id, &request)
}

fn get_hashes(
    world: &mut World,
    call: &Call,
    request: functions::upload::GetFileHashes,
) -> Result<Vec<enums::FileHash>, RpcError> {
    world.file_hashes(call.user()?, call.dc_id, &request.location, request.offset)
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

//! `upload.*`.

use layer_tl_types::{Cursor, Identifiable, Serializable, enums, functions};

use super::{Call, Handler, Outcome, Reply, RpcError, routes as table};
use crate::world::World;
use crate::world::files::Part;

mod plain {
    use super::*;

    table! {
        functions::upload::GetFile => get_file,
        functions::upload::GetWebFile => get_web_file,
        functions::upload::GetFileHashes => get_hashes,
        functions::upload::GetCdnFile => get_cdn_file,
        functions::upload::ReuploadCdnFile => reupload_cdn_file,
        functions::upload::GetCdnFileHashes => get_cdn_hashes,
    }
}

/// The handler of a method of this module, by constructor id.
pub(crate) fn route(id: u32) -> Option<Handler> {
    match id {
        functions::upload::SaveFilePart::CONSTRUCTOR_ID => {
            Some(|world, call, bytes| save_part(world, call, bytes, false))
        }
        functions::upload::SaveBigFilePart::CONSTRUCTOR_ID => {
            Some(|world, call, bytes| save_part(world, call, bytes, true))
        }
        _ => plain::route(id),
    }
}

/// `upload.saveFilePart` and `upload.saveBigFilePart`, whose bytes are not copied to be looked at.
fn save_part(world: &mut World, call: &Call, bytes: &[u8], is_big: bool) -> Reply {
    let part = read_part(bytes, is_big).map_err(|_| RpcError::bad("INPUT_FETCH_ERROR"))?;
    world.save_part(call.user()?, call.dc_id, part)?;
    Ok(Outcome::Ready(true.to_bytes()))
}

fn read_part(bytes: &[u8], is_big: bool) -> layer_tl_types::Result<Part<'_>> {
    let mut input = Cursor::new(bytes);
    input.read_u32()?;
    let (file_id, number) = (input.read_i64()?, input.read_i32()?);
    let total = if is_big {
        Some(input.read_i32()?)
    } else {
        None
    };
    Ok(Part {
        file_id,
        number,
        total,
        bytes: input.read_bytes_ref()?,
    })
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

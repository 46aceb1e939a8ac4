//! What the data centres make of files, over the real protocol.

#![allow(clippy::unwrap_used)]

#[path = "../util/mod.rs"]
mod util;

mod cdn;
mod transfer;

use layer_crypto::sha;
use layer_test_server::tl::{enums, functions as f, types};
use layer_test_server::{NewUser, Server, ServerBuilder};
use util::{ApiResult, Client};

const PHONE: &str = "15550001";
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A server on which Ann is signed in on DC 1, where she lives.
async fn ann(server: ServerBuilder) -> (Server, Client) {
    let server = server.start().await.unwrap();
    server.add_user(NewUser::named(PHONE, "Ann"));
    let mut ann = Client::connect(&server, 1).await;
    ann.enter(&server, PHONE).await;
    (server, ann)
}

/// Bytes of which no two pieces are the same.
fn bytes(size: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(u64::try_from(size).unwrap());
    std::iter::repeat_with(|| random.u8(..))
        .take(size)
        .collect()
}

/// Saves a file in parts of half a mebibyte, and names it.
async fn upload(client: &mut Client, file_id: i64, data: &[u8]) -> enums::InputFile {
    let parts = i32::try_from(data.len().div_ceil(512 * KIB)).unwrap();
    for (file_part, bytes) in (0..).zip(data.chunks(512 * KIB)) {
        let request = f::upload::SaveBigFilePart {
            file_id,
            file_part,
            file_total_parts: parts,
            bytes: bytes.to_vec(),
        };
        assert!(client.invoke(&request).await.unwrap());
    }
    types::InputFileBig {
        id: file_id,
        parts,
        name: "file.bin".into(),
    }
    .into()
}

fn document(file: enums::InputFile) -> enums::InputMedia {
    types::InputMediaUploadedDocument {
        nosound_video: false,
        force_file: true,
        spoiler: false,
        file,
        thumb: None,
        mime_type: "application/octet-stream".into(),
        attributes: vec![],
        stickers: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    }
    .into()
}

/// Sends a media to oneself; the message's id, and the media as it is stored.
async fn send(
    client: &mut Client,
    media: enums::InputMedia,
) -> ApiResult<(i32, enums::MessageMedia)> {
    let request = f::messages::SendMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: enums::InputPeer::PeerSelf,
        reply_to: None,
        media,
        message: String::new(),
        random_id: i64::from_le_bytes(fastrand::u64(..).to_le_bytes()),
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    };
    let enums::Updates::Updates(updates) = client.invoke(&request).await? else {
        panic!("media is answered in full")
    };
    let sent = updates.updates.iter().find_map(|update| match update {
        enums::Update::NewMessage(new) => match &new.message {
            enums::Message::Message(message) => Some((message.id, message.media.clone()?)),
            _ => None,
        },
        _ => None,
    });
    Ok(sent.unwrap())
}

/// Uploads a document, and sends it to oneself.
async fn stored(client: &mut Client, data: &[u8]) -> types::Document {
    let file = upload(client, 7, data).await;
    let (_, media) = send(client, document(file)).await.unwrap();
    the_document(&media)
}

fn the_document(media: &enums::MessageMedia) -> types::Document {
    let enums::MessageMedia::Document(media) = media else {
        panic!("no document")
    };
    let Some(enums::Document::Document(document)) = &media.document else {
        panic!("no document")
    };
    types::Document::clone(document)
}

fn location(document: &types::Document) -> enums::InputFileLocation {
    types::InputDocumentFileLocation {
        id: document.id,
        access_hash: document.access_hash,
        file_reference: document.file_reference.clone(),
        thumb_size: String::new(),
    }
    .into()
}

fn get(location: &enums::InputFileLocation, offset: usize, limit: usize) -> f::upload::GetFile {
    f::upload::GetFile {
        precise: false,
        cdn_supported: false,
        location: location.clone(),
        offset: i64::try_from(offset).unwrap(),
        limit: i32::try_from(limit).unwrap(),
    }
}

/// Reads a piece of a file from where it was stored.
async fn piece(
    client: &mut Client,
    location: &enums::InputFileLocation,
    offset: usize,
    limit: usize,
) -> ApiResult<Vec<u8>> {
    match client.invoke(&get(location, offset, limit)).await? {
        enums::upload::File::File(file) => Ok(file.bytes),
        enums::upload::File::CdnRedirect(redirect) => panic!("sent to DC {}", redirect.dc_id),
    }
}

/// The hashes that a file of these bytes has, in pieces of 128 KiB.
fn hashes(data: &[u8]) -> Vec<(i64, i32, Vec<u8>)> {
    (0..)
        .step_by(128 * KIB)
        .zip(data.chunks(128 * KIB))
        .map(|(offset, piece)| {
            let limit = i32::try_from(piece.len()).unwrap();
            (offset, limit, sha::sha256(&[piece]).to_vec())
        })
        .collect()
}

fn plain(hashes: &[enums::FileHash]) -> Vec<(i64, i32, Vec<u8>)> {
    let of = |hash: &enums::FileHash| {
        let enums::FileHash::Hash(hash) = hash;
        (hash.offset, hash.limit, hash.hash.clone())
    };
    hashes.iter().map(of).collect()
}

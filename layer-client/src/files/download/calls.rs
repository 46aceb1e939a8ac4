//! What a download asks, asked.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use layer_tl_types as tl;
use layer_tl_types::{Deserializable, Identifiable, Serializable};
use tokio::task::spawn_blocking;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::remote::{Remote, Stamp};
use crate::files::transfer::download::{Answer, Piece, Redirect, What};
use crate::files::transfer::hashes::{Cipher, Hash, verify};
use crate::net::Over;

pub(super) async fn ask(client: Client, what: What) -> Result<Answer> {
    match what {
        What::Part {
            file,
            piece,
            cdn_supported,
            hashes,
        } => {
            let file = match &*file {
                Remote::File(file) => file,
                Remote::Web {
                    location,
                    dc_id,
                    version,
                } => {
                    let (stamp, answer) = web_part(&client, *dc_id, location, piece).await?;
                    if version.as_ref().is_some_and(|of| !of.takes(stamp)) {
                        // Whoever asks for the version says what is done about that.
                        return Err(malformed("upload.getWebFile"));
                    }
                    return Ok(answer);
                }
            };
            let request = tl::functions::upload::GetFile {
                precise: piece.precise,
                cdn_supported,
                location: file.location.clone(),
                offset: int(piece.offset),
                limit: limit(piece),
            };
            let answer = at_home(&client, file.dc_id, &request).await?;
            if starts_with(&answer, tl::types::upload::File::CONSTRUCTOR_ID) {
                // Its type and time are of no interest.
                return part("upload.getFile", answer, 12, piece, None, hashes).await;
            }
            redirect(&answer)
        }
        What::CdnPart { cdn, piece, hashes } => {
            let request = tl::functions::upload::GetCdnFile {
                file_token: cdn.token.clone(),
                offset: int(piece.offset),
                limit: limit(piece),
            };
            let body = request.to_bytes().into();
            let answer = client
                .invoke_for_files(Some(cdn.dc_id), Over::Cdn, None, body)
                .await?;
            if starts_with(&answer, tl::types::upload::CdnFile::CONSTRUCTOR_ID) {
                let cipher = Some(cdn.cipher.clone());
                return part("upload.getCdnFile", answer, 4, piece, cipher, hashes).await;
            }
            match read("upload.getCdnFile", &answer)? {
                tl::enums::upload::CdnFile::ReuploadNeeded(needed) => {
                    Ok(Answer::NotThere(needed.request_token))
                }
                tl::enums::upload::CdnFile::File(_) => Err(malformed("upload.getCdnFile")),
            }
        }
        What::Hashes { file, offset } => {
            let Remote::File(file) = &*file else {
                return Err(Error::input("files of the web have no hashes"));
            };
            let request = tl::functions::upload::GetFileHashes {
                location: file.location.clone(),
                offset: int(offset),
            };
            let answer = at_home(&client, file.dc_id, &request).await?;
            hashes("upload.getFileHashes", &answer)
        }
        What::CdnHashes { dc_id, cdn, offset } => {
            let request = tl::functions::upload::GetCdnFileHashes {
                file_token: cdn.token.clone(),
                offset: int(offset),
            };
            let answer = at_home(&client, dc_id, &request).await?;
            hashes("upload.getCdnFileHashes", &answer)
        }
        What::Reupload {
            dc_id,
            cdn,
            request_token,
        } => {
            let request = tl::functions::upload::ReuploadCdnFile {
                file_token: cdn.token.clone(),
                request_token,
            };
            let answer = at_home(&client, dc_id, &request).await?;
            hashes("upload.reuploadCdnFile", &answer)
        }
        What::Refresh { file } => Ok(Answer::Fresh(file.refresh(&client).await?)),
    }
}

/// A part of a file of the web.
async fn web_part(
    client: &Client,
    dc_id: i32,
    location: &tl::enums::InputWebFileLocation,
    piece: Piece,
) -> Result<(Stamp, Answer)> {
    let method = "upload.getWebFile";
    let offset = i32::try_from(piece.offset)
        .map_err(|_| Error::input("files of the web have at most 2 GiB"))?;
    let request = tl::functions::upload::GetWebFile {
        location: location.clone(),
        offset,
        limit: limit(piece),
    };
    let answer = at_home(client, dc_id, &request).await?;
    web_bytes(answer).ok_or_else(|| malformed(method))
}

/// What an `upload.webFile` says: what file it is of, and some of its bytes, which are not copied.
fn web_bytes(answer: Bytes) -> Option<(Stamp, Answer)> {
    if !starts_with(&answer, tl::types::upload::WebFile::CONSTRUCTOR_ID) {
        return None;
    }
    let size = i32::from_le_bytes(*answer.get(4..)?.first_chunk()?);
    let size = u64::try_from(size).ok()?;
    let mime_type = payload(&answer, 8)?;
    // Its kind and its time follow.
    let at = mime_type.end.checked_next_multiple_of(4)?.checked_add(8)?;
    let within = payload(&answer, at)?;
    let stamp = Stamp::new(size, answer.get(8..at)?);
    let bytes = answer.slice(within);
    Some((stamp, Answer::Sized { size, bytes }))
}

/// Asks a data centre of Telegram's own.
async fn at_home(client: &Client, dc_id: i32, request: &impl Serializable) -> Result<Bytes> {
    let body = request.to_bytes().into();
    client
        .invoke_for_files(Some(dc_id), Over::Files, None, body)
        .await
}

/// The part in an answer, whose bytes begin at `at`; neither copied nor, before it was decrypted and
/// compared, shown to anybody.
async fn part(
    method: &'static str,
    answer: Bytes,
    at: usize,
    piece: Piece,
    cipher: Option<Cipher>,
    hashes: Vec<Hash>,
) -> Result<Answer> {
    let within = payload(&answer, at).ok_or_else(|| malformed(method))?;
    if cipher.is_none() && hashes.is_empty() {
        return Ok(Answer::Bytes(answer.slice(within)));
    }
    // Some milliseconds of work, during which others want their answers.
    let work = spawn_blocking(move || {
        // Nobody else has it, so that it is decrypted in place.
        let mut answer = BytesMut::from(answer);
        let bytes = answer.get_mut(within.clone()).unwrap_or_default();
        if let Some(cipher) = cipher
            && !cipher.apply(piece.offset, bytes)
        {
            return Err(malformed(method));
        }
        if !verify(piece.offset, bytes, &hashes) {
            return Ok(Answer::Tampered);
        }
        Ok(Answer::Bytes(answer.freeze().slice(within)))
    });
    work.await.unwrap_or(Err(Error::Closed))
}

/// Where in an answer the content of `bytes` lies that begin at `at`.
fn payload(answer: &[u8], at: usize) -> Option<Range<usize>> {
    let (start, len) = match *answer.get(at..)? {
        [254, a, b, c, ..] => (at + 4, u32::from_le_bytes([a, b, c, 0])),
        [len @ ..=253, ..] => (at + 1, u32::from(len)),
        _ => return None,
    };
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    (end <= answer.len()).then_some(start..end)
}

fn redirect(answer: &[u8]) -> Result<Answer> {
    let method = "upload.getFile";
    let tl::enums::upload::File::CdnRedirect(redirect) = read(method, answer)? else {
        return Err(malformed(method));
    };
    let cipher = Cipher::new(&redirect.encryption_key, &redirect.encryption_iv)
        .ok_or_else(|| malformed(method))?;
    let hashes = redirect.file_hashes.iter().filter_map(Hash::read).collect();
    let to = Redirect {
        dc_id: redirect.dc_id,
        token: redirect.file_token,
        cipher,
    };
    Ok(Answer::Redirect(to, hashes))
}

fn hashes(method: &'static str, answer: &[u8]) -> Result<Answer> {
    let hashes: Vec<tl::enums::FileHash> = read(method, answer)?;
    Ok(Answer::Hashes(
        hashes.iter().filter_map(Hash::read).collect(),
    ))
}

fn read<T: Deserializable>(method: &'static str, answer: &[u8]) -> Result<T> {
    T::from_bytes(answer).map_err(|error| Error::unreadable(method, &error))
}

fn malformed(method: &'static str) -> Error {
    Error::unreadable(method, &"the part is malformed")
}

fn starts_with(answer: &[u8], id: u32) -> bool {
    answer.starts_with(&id.to_le_bytes())
}

/// Offsets are below what `LONGEST` of the plan is.
fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn limit(piece: Piece) -> i32 {
    i32::try_from(piece.limit).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_where_it_lies_in_the_answer() {
        for len in [0, 1, 253, 254, 255, 70_000] {
            let file = tl::types::upload::File {
                r#type: tl::enums::storage::FileType::FilePartial,
                mtime: 7,
                bytes: (0..=255).cycle().take(len).collect(),
            };
            let answer = tl::enums::upload::File::from(file.clone()).to_bytes();
            assert_eq!(answer[payload(&answer, 12).unwrap()], file.bytes);
            let mut short = answer[..answer.len() - answer.len() % 4].to_vec();
            short.truncate(short.len().saturating_sub(4));
            if len > 4 {
                assert_eq!(payload(&short, 12), None, "{len}");
            }
        }
        assert_eq!(payload(&[0; 4], 12), None);
        assert_eq!(payload(&[255; 40], 12), None);
        assert_eq!(payload(&[254, 255, 255], 0), None);
    }

    #[test]
    fn a_part_of_a_web_file_is_found_behind_its_mime_type() {
        for mime_type in ["", "a/b", "image/jpeg", &"x".repeat(300)] {
            for len in [0, 1, 253, 254] {
                let file = tl::types::upload::WebFile {
                    size: 70_001,
                    mime_type: mime_type.to_owned(),
                    file_type: tl::enums::storage::FileType::FilePartial,
                    mtime: 7,
                    bytes: (0..=255).cycle().take(len).collect(),
                };
                let wanted = file.bytes.clone();
                let answer = tl::enums::upload::WebFile::from(file.clone()).to_bytes();
                let Some((stamp, Answer::Sized { size, bytes })) = web_bytes(answer.clone().into())
                else {
                    panic!("{mime_type} {len}")
                };
                assert_eq!((size, &bytes[..]), (70_001, &wanted[..]));
                // The stamp is of what is said of the file, and not of the bytes.
                let stamp_of = |change: fn(&mut tl::types::upload::WebFile)| {
                    let mut other = file.clone();
                    change(&mut other);
                    let other = tl::enums::upload::WebFile::from(other).to_bytes();
                    web_bytes(other.into()).unwrap().0
                };
                assert_eq!(stamp_of(|file| file.bytes.push(7)), stamp);
                assert_ne!(stamp_of(|file| file.size += 1), stamp);
                assert_ne!(stamp_of(|file| file.mtime += 1), stamp);
                assert_ne!(stamp_of(|file| file.mime_type.push('x')), stamp);
                let png = |file: &mut tl::types::upload::WebFile| {
                    file.file_type = tl::enums::storage::FileType::FilePng;
                };
                assert_ne!(stamp_of(png), stamp);
                // Whatever is missing of it, it is none.
                for cut in 0..=answer.len() - 4 {
                    assert!(web_bytes(answer[..cut].to_vec().into()).is_none(), "{cut}");
                }
            }
        }
        let mut negative = tl::types::upload::WebFile::CONSTRUCTOR_ID
            .to_le_bytes()
            .to_vec();
        negative.extend([255; 40]);
        assert!(web_bytes(negative.into()).is_none());
    }
}

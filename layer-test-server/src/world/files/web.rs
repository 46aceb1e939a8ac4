//! Files of the web, which the data centre fetches for those who must not be seen by their owners (documentation page
//! `api/files`, "Downloading webfiles"): those of the pages that were put there, and no others. And what it draws when it is
//! asked: the maps of places, and the covers of music.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use layer_crypto::sha;
use layer_tl_types::enums::storage::FileType;
use layer_tl_types::{Serializable, enums, functions, types};

use super::World;
use super::map::View;
use super::picture::{jpeg, seed};
use super::read::check_range;
use super::upload::storage;
use crate::rpc::RpcError;
use crate::world::ids;

/// Pictures that were drawn and are kept at most.
const DRAWN: usize = 8;
/// The sides of a cover, in pixels.
const COVER: u16 = 600;
const SMALL_COVER: u16 = 100;
const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";

/// Whose files clients are to fetch by themselves: hosts, in lower case.
pub(super) type Trusted = BTreeSet<String>;

/// The host of an address by HTTPS.
fn host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = host.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

impl World {
    /// The data centre that files of the web are fetched by: the last one.
    pub(crate) fn webfile_dc(&self) -> i32 {
        let dcs = self.auth.settings.dcs.iter();
        let ids = dcs.filter(|dc| !dc.cdn).map(|dc| dc.dc_id);
        ids.max().unwrap_or(self.config.home_dc)
    }

    fn web_hash(&self, url: &str) -> i64 {
        let hash = sha::sha256(&[url.as_bytes()]);
        let part = |at: usize| {
            let bytes = hash.get(at..).and_then(|rest| rest.first_chunk());
            i64::from_le_bytes(*bytes.unwrap_or(&[0; 8]))
        };
        let secret = self.config.secret;
        ids::keyed(secret, &[7, part(0), part(8), part(16), part(24)])
    }

    /// Lets clients fetch what this host has by themselves.
    pub(crate) fn trust_host(&mut self, host: &str) {
        self.files.trusted.insert(host.to_ascii_lowercase());
    }

    /// A file of the web as people see it that a bot named.
    pub(crate) fn web_document(&self, named: &enums::InputWebDocument) -> enums::WebDocument {
        let enums::InputWebDocument::Document(named) = named;
        let trusted = host(&named.url).is_some_and(|host| self.files.trusted.contains(&host));
        if trusted {
            return types::WebDocumentNoProxy {
                url: named.url.clone(),
                size: named.size,
                mime_type: named.mime_type.clone(),
                attributes: named.attributes.clone(),
            }
            .into();
        }
        types::WebDocument {
            access_hash: self.web_hash(&named.url),
            url: named.url.clone(),
            size: named.size,
            mime_type: named.mime_type.clone(),
            attributes: named.attributes.clone(),
        }
        .into()
    }

    /// What proves that somebody was shown this place: its access hash.
    pub(crate) fn place_hash(&self, point: &types::InputGeoPoint) -> i64 {
        let number = |of: f64| of.to_bits().cast_signed();
        let radius = point.accuracy_radius.map_or(-1, i64::from);
        let place = [8, number(point.lat), number(point.long), radius];
        ids::keyed(self.config.secret, &place)
    }

    /// `upload.getWebFile` on the data centre `dc_id`.
    pub(crate) fn read_web_file(
        &mut self,
        viewer: i64,
        dc_id: i32,
        request: &functions::upload::GetWebFile,
    ) -> Result<enums::upload::WebFile, RpcError> {
        use enums::InputWebFileLocation as L;
        if dc_id != self.webfile_dc() {
            return Err(invalid());
        }
        let (offset, limit) = check_range(i64::from(request.offset), request.limit, false)?;
        match &request.location {
            L::Location(at) => self.read_page(viewer, at, offset, limit),
            L::InputWebFileGeoPointLocation(at) => {
                let view = View::of(at).ok_or_else(invalid)?;
                let proven = match &at.geo_point {
                    enums::InputGeoPoint::Point(point) => self.place_hash(point) == at.access_hash,
                    enums::InputGeoPoint::Empty => false,
                };
                if !proven {
                    return Err(invalid());
                }
                let draw = || view.draw().map_err(storage);
                let map = self.files.drawn.get(&request.location.to_bytes(), draw)?;
                self.read_drawn(viewer, &map, (PNG, FileType::FilePng), offset, limit)
            }
            L::InputWebFileAudioAlbumThumbLocation(at) => {
                let song = self.song(at)?;
                let side = if at.small { SMALL_COVER } else { COVER };
                let key = [&[u8::from(at.small)], song.as_bytes()].concat();
                let draw = || Ok(jpeg(side, side, seed(song.as_bytes())));
                let cover = self.files.drawn.get(&key, draw)?;
                self.read_drawn(viewer, &cover, (JPEG, FileType::FileJpeg), offset, limit)
            }
        }
    }

    fn read_page(
        &mut self,
        viewer: i64,
        at: &types::InputWebFileLocation,
        offset: u64,
        limit: usize,
    ) -> Result<enums::upload::WebFile, RpcError> {
        if at.access_hash != self.web_hash(&at.url) {
            return Err(invalid());
        }
        let id = self.page_file(&at.url).ok_or_else(invalid)?;
        self.count_moved(viewer, limit)?;
        let file = self.files.get(id).ok_or_else(invalid)?;
        let content = file.original().ok_or_else(invalid)?;
        let mut bytes = content.read(offset, limit).map_err(storage)?;
        self.bend.file.spoil(&mut bytes);
        Ok(types::upload::WebFile {
            size: i32::try_from(content.len()).map_err(|_| invalid())?,
            mime_type: file.mime_type.clone(),
            file_type: content.kind(),
            mtime: file.date,
            bytes,
        }
        .into())
    }

    fn read_drawn(
        &mut self,
        viewer: i64,
        picture: &[u8],
        (mime_type, file_type): (&str, FileType),
        offset: u64,
        limit: usize,
    ) -> Result<enums::upload::WebFile, RpcError> {
        self.count_moved(viewer, limit)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = picture.get(from..).unwrap_or_default();
        let mut bytes = rest.get(..limit).unwrap_or(rest).to_vec();
        self.bend.file.spoil(&mut bytes);
        Ok(types::upload::WebFile {
            size: i32::try_from(picture.len()).map_err(|_| invalid())?,
            mime_type: mime_type.to_owned(),
            file_type,
            mtime: 0,
            bytes,
        }
        .into())
    }

    /// The performer and title of a piece of music whose cover is asked for: what a message shows, or what was sent in a
    /// secret chat.
    fn song(
        &mut self,
        at: &types::InputWebFileAudioAlbumThumbLocation,
    ) -> Result<String, RpcError> {
        let (performer, title) = match &at.document {
            Some(enums::InputDocument::Document(id)) => {
                let none = || RpcError::bad("DOCUMENT_INVALID");
                let file = self.locate(id.id, id.access_hash, &id.file_reference);
                let file = file.map_err(|error| match &*error.message {
                    "FILE_ID_INVALID" => none(),
                    _ => error,
                })?;
                let music = file
                    .attributes
                    .iter()
                    .find_map(|attribute| match attribute {
                        enums::DocumentAttribute::Audio(audio) if !audio.voice => Some(audio),
                        _ => None,
                    });
                let music = music.ok_or_else(none)?;
                (music.performer.clone(), music.title.clone())
            }
            Some(enums::InputDocument::Empty) => return Err(RpcError::bad("DOCUMENT_INVALID")),
            None => (at.performer.clone(), at.title.clone()),
        };
        // Of what has no name nobody knows the album.
        let named = |name: Option<String>| name.filter(|name| !name.is_empty());
        match (named(performer), named(title)) {
            (Some(performer), Some(title)) => Ok(format!("{performer}\n{title}")),
            _ => Err(invalid()),
        }
    }
}

fn invalid() -> RpcError {
    RpcError::bad("LOCATION_INVALID")
}

/// Pictures that were drawn lately: they are fetched in parts. The one longest unused goes first.
#[derive(Debug, Default)]
pub(super) struct Drawn(VecDeque<(Vec<u8>, Arc<[u8]>)>);

impl Drawn {
    fn get(
        &mut self,
        key: &[u8],
        draw: impl FnOnce() -> Result<Vec<u8>, RpcError>,
    ) -> Result<Arc<[u8]>, RpcError> {
        let known = self.0.iter().position(|(of, _)| of == key);
        let picture = match known.and_then(|at| self.0.remove(at)) {
            Some((_, picture)) => picture,
            None => draw()?.into(),
        };
        self.0.push_back((key.to_vec(), Arc::clone(&picture)));
        if self.0.len() > DRAWN {
            self.0.pop_front();
        }
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_is_found_in_an_address_by_https() {
        for (url, found) in [
            ("https://Example.org/a/b.png?c#d", Some("example.org")),
            ("https://example.org", Some("example.org")),
            ("https://user:word@example.org:8443/", Some("example.org")),
            ("https://example.org@evil.example/", Some("evil.example")),
            ("https:///a", None),
            ("http://example.org/", None),
            ("example.org", None),
        ] {
            assert_eq!(host(url).as_deref(), found, "{url}");
        }
    }
}

//! Files of the web, which the data centre fetches for those who must not be seen by their owners (documentation page
//! `api/files`, "Downloading webfiles"). There are those of the pages that were put there, and no others.

use std::collections::BTreeSet;

use layer_crypto::sha;
use layer_tl_types::{enums, functions, types};

use super::World;
use super::read::check_range;
use super::upload::storage;
use crate::rpc::RpcError;
use crate::world::ids;

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

    /// `upload.getWebFile` on the data centre `dc_id`.
    pub(crate) fn read_web_file(
        &mut self,
        viewer: i64,
        dc_id: i32,
        request: &functions::upload::GetWebFile,
    ) -> Result<enums::upload::WebFile, RpcError> {
        let invalid = || RpcError::bad("LOCATION_INVALID");
        let enums::InputWebFileLocation::Location(at) = &request.location else {
            return Err(invalid());
        };
        if at.access_hash != self.web_hash(&at.url) || dc_id != self.webfile_dc() {
            return Err(invalid());
        }
        let (offset, limit) = check_range(i64::from(request.offset), request.limit, false)?;
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

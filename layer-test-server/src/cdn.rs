//! [`Server::cdn`](crate::Server::cdn): the CDN's data centre, which files it serves, and what happens to it.

use std::net::SocketAddr;

use crate::Server;
use crate::world::files::CdnFiles;

/// The data centre of a running server that is a CDN, as the documentation's page `cdn` describes it.
///
/// A server has one if [`ServerConfig::cdn`](crate::ServerConfig::cdn) says so. Clients find it in `help.getConfig` and
/// its key in `help.getCdnConfig`. Those that ask for a file with `cdn_supported` are sent there for the files that
/// [`Cdn::serve`] names; the first of them is told `upload.cdnFileReuploadNeeded`, and has the file brought there by
/// `upload.reuploadCdnFile`.
///
/// What goes wrong on the way is for rules to say, each time or once in a while, as everywhere (see
/// [`faults`](crate::faults)):
///
/// | rule | what happens |
/// |---|---|
/// | `method=upload.getCdnFile nth=3: wrong-bytes` | the third piece is not what was stored |
/// | `method=upload.getCdnFile nth=3: cdn-forgets` | the file has to be brought to the CDN once more |
/// | `method=upload.getCdnFileHashes: wrong-hashes` | no hash fits |
/// | `method=upload.reuploadCdnFile: error 400 REQUEST_TOKEN_INVALID` | the master data centre does not bring it |
#[derive(Clone, Copy)]
pub struct Cdn<'a>(&'a Server);

impl<'a> Cdn<'a> {
    pub(crate) fn of(server: &'a Server) -> Self {
        Self(server)
    }

    /// The id of the CDN's data centre; nothing if the server has none.
    #[must_use]
    pub fn dc_id(&self) -> Option<i32> {
        let world = self.0.hub.world();
        world.files.cdn.dc.as_ref().map(|dc| dc.dc_id)
    }

    /// Where it listens; nowhere if the server has none.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let listings = self.0.listings.iter();
        listings
            .filter(|listing| listing.cdn)
            .map(|listing| listing.address)
            .collect()
    }

    /// Its public RSA key as PKCS#1 PEM, which is not that of the other data centres; nothing if the server has none.
    #[must_use]
    pub fn public_key_pem(&self) -> Option<String> {
        let world = self.0.hub.world();
        world.files.cdn.dc.as_ref().map(|dc| dc.public_key.clone())
    }

    /// Says which files clients are sent there for from now on.
    pub fn serve(&self, files: CdnFiles) {
        self.0.hub.act(|world| world.files.cdn.files = files);
    }

    /// Lets it lose what it has in its memory: clients are told `upload.cdnFileReuploadNeeded`.
    pub fn forget(&self) {
        self.0.hub.act(|world| world.files.cdn.forget());
    }

    /// Makes the tokens that clients hold expire: `FILE_TOKEN_INVALID`, and `REQUEST_TOKEN_INVALID` for a fresh file
    /// token with an old request token.
    pub fn expire_tokens(&self) {
        self.0.hub.act(|world| world.files.cdn.expire_tokens());
    }

    /// How many files are in its memory.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.0.hub.world().files.cdn.len()
    }
}

impl std::fmt::Debug for Cdn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cdn")
            .field("dc_id", &self.dc_id())
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

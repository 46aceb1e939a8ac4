//! [`Server::files`](crate::Server::files): what happens to the files of a running server, beside single calls.

use std::time::Duration;

use crate::Server;
use crate::world::files::{ReferenceRule, Speed};

/// The files of a running server, as the documentation's pages `api/files` and `api/file-references` describe them.
///
/// What goes wrong with single calls is for rules to say; see [`faults`](crate::faults):
///
/// | rule | what happens |
/// |---|---|
/// | `method=upload.save* part=3 times=2: error 500 RPC_CALL_FAIL` | the part fails twice |
/// | `method=upload.saveBigFilePart part=3 times=1: lose-part` | it is missing when the file is sent |
/// | `method=upload.getFile offset=4MiB times=1: expire-references` | the reference expires in the middle |
/// | `method=upload.getFile dc=2: delay 200ms` | DC 2 is slow to answer |
/// | `method=upload.* dc=2: bandwidth 256KiB` | no connection to DC 2 moves more than that in a second |
/// | `method=upload.* dc=2: shared-bandwidth 1MiB` | nor do all of them together |
#[derive(Clone, Copy)]
pub struct Files<'a>(&'a Server);

impl<'a> Files<'a> {
    pub(crate) fn of(server: &'a Server) -> Self {
        Self(server)
    }

    fn change_rule(&self, change: impl FnOnce(&mut ReferenceRule)) {
        self.0.hub.act(|world| change(&mut world.files.references));
    }

    /// Makes the file references that clients hold expire: they are answered `FILE_REFERENCE_EXPIRED`. Whatever shows
    /// a file again has one that is good.
    pub fn expire_references(&self) {
        self.0.hub.act(|world| world.expire_references(None));
    }

    /// The same for those of one photo or document.
    pub fn expire_reference(&self, id: i64) {
        self.0.hub.act(|world| world.expire_references(Some(id)));
    }

    /// For how long references are good from now on, in whole seconds of the server's clock; for ever when `None`, as
    /// at the beginning. Those given out before count as old.
    pub fn set_reference_life(&self, life: Option<Duration>) {
        let life = life.map(|life| u32::try_from(life.as_secs()).unwrap_or(u32::MAX));
        self.change_rule(|rule| rule.life = life);
    }

    /// How often the references of one file can be used, by whomever, until all of them have expired and it begins
    /// anew; any number of times when `None`, as at the beginning.
    pub fn set_reference_uses(&self, uses: Option<u32>) {
        self.change_rule(|rule| rule.uses = uses);
    }

    /// How fast accounts without Telegram Premium may move files from now on: beyond it they are told
    /// `420 FLOOD_PREMIUM_WAIT_X`, by the server's clock. As fast as they like when `None`, as at the beginning.
    pub fn set_speed(&self, speed: Option<Speed>) {
        self.0.hub.act(|world| world.files.rates.set(speed));
    }

    /// Forgets the parts that were saved and not made into a file, as Telegram does after some hours:
    /// `FILE_PART_0_MISSING`.
    pub fn forget_uploads(&self) {
        self.0.hub.act(crate::world::World::forget_uploads);
    }

    /// Has clients fetch what this host has at addresses by HTTPS by themselves from now on: bots' results and invoices
    /// show it as `webDocumentNoProxy`. All else goes through `upload.getWebFile`, which knows the pages of
    /// [`Server::add_web_page`](crate::Server::add_web_page).
    pub fn trust_host(&self, host: &str) {
        self.0.hub.act(|world| world.trust_host(host));
    }

    /// Bytes held in all: of files, and of parts that may become some.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.hub.world().files.bytes()
    }
}

impl std::fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

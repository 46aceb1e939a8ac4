//! File references: what a client must know besides a file's id, and only for a while (documentation page
//! `api/file-references`).
//!
//! A reference says when and for which life of its file it was given out, and proves that it was us. Whatever shows the
//! file anew gives a fresh one, so nothing is kept but how often a file's references were used.

use super::{Stored, World};
use crate::rpc::RpcError;
use crate::world::ids;

/// Of a reference: its kind, the epoch, the file's generation, Unix time, and the proof.
const REFERENCE: usize = 1 + 4 + 4 + 4 + 8;
const KIND: u8 = 1;

/// When references expire, besides on demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReferenceRule {
    /// Seconds for which one is good.
    pub(crate) life: Option<u32>,
    /// So often they are good for one file; then its next ones are needed.
    pub(crate) uses: Option<u32>,
}

/// What became of a file's references so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    /// Those of an older generation have expired.
    generation: i32,
    /// How often those of this one were used.
    uses: u32,
}

impl World {
    /// Makes every file reference given out so far an expired one, of one file or of all.
    pub(crate) fn expire_references(&mut self, file: Option<i64>) {
        match file {
            None => self.files.epoch = self.files.epoch.wrapping_add(1),
            Some(id) => {
                if let Some(file) = self.files.stored.get_mut(&id) {
                    file.given.next();
                }
            }
        }
    }

    /// A reference that is good from now on.
    pub(super) fn file_reference(&self, id: i64, file: &Stored) -> Vec<u8> {
        // Who does not ask for the age sees the same reference as before.
        let now = self.files.references.life.map_or(0, |_| self.now);
        self.reference_of(id, self.files.epoch, file.given.generation, now)
    }

    fn reference_of(&self, id: i64, epoch: i32, generation: i32, given: i32) -> Vec<u8> {
        let named = [epoch, generation, given];
        let [a, b, c] = named.map(i64::from);
        let proof = ids::keyed(self.config.secret, &[5, id, a, b, c]);
        let mut reference = Vec::with_capacity(REFERENCE);
        reference.push(KIND);
        reference.extend(named.iter().flat_map(|number| number.to_be_bytes()));
        reference.extend(proof.to_be_bytes());
        reference
    }

    /// The file of this id, if hash and reference are right. It counts as one use of the reference.
    pub(crate) fn locate(
        &mut self,
        id: i64,
        access_hash: i64,
        reference: &[u8],
    ) -> Result<&Stored, RpcError> {
        let unknown = || RpcError::bad("FILE_ID_INVALID");
        if access_hash != self.file_hash(id) {
            return Err(unknown());
        }
        let rule = self.files.references;
        let file = self.files.stored.get(&id).ok_or_else(unknown)?;
        if reference.is_empty() {
            return Err(RpcError::bad("FILE_REFERENCE_EMPTY"));
        }
        let number = |at: usize| {
            let bytes = reference.get(at..)?.first_chunk()?;
            Some(i32::from_be_bytes(*bytes))
        };
        let (Some(epoch), Some(generation), Some(given)) = (number(1), number(5), number(9)) else {
            return Err(RpcError::bad("FILE_REFERENCE_INVALID"));
        };
        if self.reference_of(id, epoch, generation, given) != reference {
            return Err(RpcError::bad("FILE_REFERENCE_INVALID"));
        }
        let age = i64::from(self.now) - i64::from(given);
        let old = rule.life.is_some_and(|life| age > i64::from(life));
        let earlier = (epoch, generation) != (self.files.epoch, file.given.generation);
        if old || earlier {
            return Err(RpcError::bad("FILE_REFERENCE_EXPIRED"));
        }
        let file = self.files.stored.get_mut(&id).ok_or_else(unknown)?;
        file.given.uses = file.given.uses.saturating_add(1);
        if rule.uses.is_some_and(|uses| file.given.uses >= uses) {
            file.given.next();
        }
        Ok(file)
    }
}

impl Given {
    fn next(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.uses = 0;
    }
}

//! Sticker sets (page `api/stickers`): their stickers and their preview.

use layer_tl_types as tl;

use super::FileLocation;
use super::media::Document;
use super::origin::{Origin, Source};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::raw::Raw;

/// A set of stickers or of custom emoji.
#[derive(Clone, Debug)]
pub struct StickerSet {
    raw: Raw<tl::types::messages::StickerSet>,
    origin: Origin,
}

impl Client {
    /// Fetches a sticker set by the name in its link (`t.me/addstickers/NAME`), or as a sticker
    /// names it ([`Document::sticker_set`]).
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// let set = client.sticker_set("Animals").await?;
    /// for sticker in set.documents() {
    ///     let name = format!("{}.webp", sticker.id);
    ///     client.download(sticker).to_path(name).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `STICKERSET_INVALID` when there is none of that name, and what else Telegram answers
    /// (`messages.getStickerSet`).
    pub async fn sticker_set(&self, set: impl Into<StickerSetRef>) -> Result<StickerSet> {
        self.fetch_sticker_set(set.into().0).await
    }

    fn fetch_sticker_set(
        &self,
        set: tl::enums::InputStickerSet,
    ) -> BoxFuture<'_, Result<StickerSet>> {
        Box::pin(async move {
            let request = tl::functions::messages::GetStickerSet {
                stickerset: set,
                hash: 0,
            };
            match self.invoke(&request).await? {
                tl::enums::messages::StickerSet::Set(raw) => Ok(StickerSet::new(*raw)),
                tl::enums::messages::StickerSet::NotModified => {
                    Err(Error::input("the server takes the set for known"))
                }
            }
        })
    }
}

impl StickerSet {
    fn new(raw: tl::types::messages::StickerSet) -> Self {
        let tl::enums::StickerSet::Set(set) = &raw.set;
        let set = tl::types::InputStickerSetId {
            id: set.id,
            access_hash: set.access_hash,
        };
        Self {
            raw: Raw::new(raw),
            origin: Origin::StickerSet(Box::new(set.into())),
        }
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(&self) -> &tl::types::messages::StickerSet {
        &self.raw
    }

    /// The set without its stickers, as the raw API has it.
    fn set(&self) -> &tl::types::StickerSet {
        let tl::enums::StickerSet::Set(set) = &self.raw.set;
        set
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.set().title
    }

    /// The name in its link.
    #[must_use]
    pub fn short_name(&self) -> &str {
        &self.set().short_name
    }

    /// Its stickers.
    #[must_use]
    pub fn documents(&self) -> Vec<Document<'_>> {
        let documents = self.raw.documents.iter();
        let source = Source::Origin(&self.origin);
        documents
            .filter_map(|document| Document::new(Some(document), source))
            .collect()
    }

    /// Its preview, if it has one of its own; otherwise the first sticker stands for it.
    #[must_use]
    pub fn preview(&self) -> Option<FileLocation> {
        let set = self.set();
        let Origin::StickerSet(stickerset) = &self.origin else {
            return None;
        };
        let location = tl::types::InputStickerSetThumb {
            stickerset: (**stickerset).clone(),
            thumb_version: set.thumb_version?,
        };
        Some(FileLocation::new(location.into(), set.thumb_dc_id?, None))
    }
}

/// What names a sticker set: the name in its link, or a sticker's
/// [`sticker_set`](Document::sticker_set).
#[derive(Clone, Debug)]
pub struct StickerSetRef(tl::enums::InputStickerSet);

impl From<&str> for StickerSetRef {
    fn from(short_name: &str) -> Self {
        let short_name = short_name.rsplit('/').next().unwrap_or_default().to_owned();
        Self(tl::types::InputStickerSetShortName { short_name }.into())
    }
}

impl From<tl::enums::InputStickerSet> for StickerSetRef {
    fn from(set: tl::enums::InputStickerSet) -> Self {
        Self(set)
    }
}

impl From<&tl::enums::InputStickerSet> for StickerSetRef {
    fn from(set: &tl::enums::InputStickerSet) -> Self {
        Self(set.clone())
    }
}

//! What nobody sent: the pages of the web that previews are made of, and sticker sets.

use std::collections::BTreeMap;

use layer_tl_types::{enums, types};

use super::World;
use super::message::{Cover, Media};
use crate::rpc::RpcError;

/// All that there is, put there by whoever runs the server.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// By their address.
    pages: BTreeMap<String, Page>,
    /// By their short name, in lower case.
    sets: BTreeMap<String, Set>,
}

#[derive(Clone, Debug)]
struct Page {
    id: i64,
    title: String,
    description: String,
    photo: Option<i64>,
    document: Option<i64>,
}

#[derive(Clone, Debug)]
struct Set {
    id: i64,
    access_hash: i64,
    short_name: String,
    title: String,
    /// The stickers, and what they stand for.
    stickers: Vec<(String, i64)>,
}

impl World {
    /// Puts a page into the web.
    pub(crate) fn add_page(
        &mut self,
        url: String,
        title: String,
        description: String,
        photo: Option<Vec<u8>>,
        document: Option<(String, String, Vec<u8>)>,
    ) -> Result<(), RpcError> {
        let dc_id = self.config.home_dc;
        let photo = match photo {
            Some(bytes) => {
                let content = self.content_of(bytes)?;
                Some(self.store_photo(content, dc_id)?)
            }
            None => None,
        };
        let document = match document {
            Some((file_name, mime_type, bytes)) => {
                let content = self.content_of(bytes)?;
                let name = types::DocumentAttributeFilename { file_name }.into();
                Some(self.store_document(content, None, dc_id, mime_type, vec![name])?)
            }
            None => None,
        };
        let page = Page {
            id: self.dice.positive(),
            title,
            description,
            photo,
            document,
        };
        self.shelf.pages.insert(url, page);
        Ok(())
    }

    /// The first link in a text that leads to a page of ours.
    pub(crate) fn page_in(&self, text: &str, entities: &[enums::MessageEntity]) -> Option<Media> {
        let hidden = entities.iter().filter_map(|entity| match entity {
            enums::MessageEntity::TextUrl(link) => Some(link.url.as_str()),
            _ => None,
        });
        let url = text
            .split_whitespace()
            .chain(hidden)
            .find(|url| self.shelf.pages.contains_key(*url))?;
        Some(Media::WebPage {
            url: url.to_owned(),
        })
    }

    /// The preview that was asked for; without one if there is no such page and that is no matter.
    pub(super) fn page_media(&self, url: &str, optional: bool) -> Result<Option<Media>, RpcError> {
        if self.shelf.pages.contains_key(url) {
            let url = url.to_owned();
            Ok(Some(Media::WebPage { url }))
        } else if optional {
            Ok(None)
        } else {
            Err(RpcError::bad("WEBPAGE_NOT_FOUND"))
        }
    }

    /// The photo at an address, or the file with its cover, as a medium of its own.
    pub(super) fn fetched(
        &self,
        url: &str,
        file: Option<Cover>,
        spoiler: bool,
        ttl_seconds: Option<i32>,
    ) -> Result<Media, RpcError> {
        let page = self.shelf.pages.get(url);
        let page = page.ok_or_else(|| RpcError::bad("WEBPAGE_CURL_FAILED"))?;
        let empty = || RpcError::bad("WEBPAGE_MEDIA_EMPTY");
        Ok(match file {
            None => Media::Photo {
                id: page.photo.ok_or_else(empty)?,
                spoiler,
                ttl_seconds,
            },
            Some(cover) => Media::Document {
                id: page.document.ok_or_else(empty)?,
                spoiler,
                ttl_seconds,
                cover,
            },
        })
    }

    /// The file that lies at an address; of a page without one, its photo.
    pub(super) fn page_file(&self, url: &str) -> Option<i64> {
        let page = self.shelf.pages.get(url)?;
        page.document.or(page.photo)
    }

    /// A page as TL, with references that are good now.
    pub(crate) fn tl_page(&self, url: &str) -> enums::WebPage {
        let Some(page) = self.shelf.pages.get(url) else {
            return types::WebPageEmpty {
                id: 0,
                url: Some(url.to_owned()),
            }
            .into();
        };
        types::WebPage {
            has_large_media: false,
            video_cover_photo: false,
            id: page.id,
            url: url.to_owned(),
            display_url: url.trim_start_matches("https://").to_owned(),
            hash: 0,
            r#type: Some("article".to_owned()),
            site_name: None,
            title: Some(page.title.clone()),
            description: Some(page.description.clone()),
            photo: page.photo.map(|id| self.tl_photo(id)),
            embed_url: None,
            embed_type: None,
            embed_width: None,
            embed_height: None,
            duration: None,
            author: None,
            document: page.document.map(|id| self.tl_document(id)),
            cached_page: None,
            attributes: None,
        }
        .into()
    }

    pub(super) fn tl_page_media(&self, url: &str) -> enums::MessageMedia {
        types::MessageMediaWebPage {
            force_large_media: false,
            force_small_media: false,
            manual: false,
            safe: false,
            webpage: self.tl_page(url),
        }
        .into()
    }

    /// Makes a sticker set of such stickers: what they stand for, their MIME type, and their bytes.
    pub(crate) fn add_sticker_set(
        &mut self,
        short_name: String,
        title: String,
        stickers: Vec<(String, String, Vec<u8>)>,
    ) -> Result<(), RpcError> {
        let dc_id = self.config.home_dc;
        let (id, access_hash) = (self.dice.positive(), self.dice.positive());
        let mut stored = Vec::new();
        for (emoji, mime_type, bytes) in stickers {
            let size = types::DocumentAttributeImageSize { w: 512, h: 512 };
            let sticker = types::DocumentAttributeSticker {
                mask: false,
                alt: emoji.clone(),
                stickerset: types::InputStickerSetId { id, access_hash }.into(),
                mask_coords: None,
            };
            let attributes = vec![size.into(), sticker.into()];
            let content = self.content_of(bytes)?;
            let id = self.store_document(content, None, dc_id, mime_type, attributes)?;
            stored.push((emoji, id));
        }
        let set = Set {
            id,
            access_hash,
            short_name: short_name.clone(),
            title,
            stickers: stored,
        };
        self.shelf.sets.insert(short_name.to_lowercase(), set);
        Ok(())
    }

    fn set(&self, named: &enums::InputStickerSet) -> Option<&Set> {
        match named {
            enums::InputStickerSet::Id(named) => self
                .shelf
                .sets
                .values()
                .find(|set| set.id == named.id && set.access_hash == named.access_hash),
            enums::InputStickerSet::ShortName(named) => {
                self.shelf.sets.get(&named.short_name.to_lowercase())
            }
            _ => None,
        }
    }

    /// The first sticker of a set, which is its preview.
    pub(super) fn set_preview(&self, named: &enums::InputStickerSet) -> Option<i64> {
        Some(self.set(named)?.stickers.first()?.1)
    }

    /// `messages.getStickerSet`.
    pub(crate) fn tl_sticker_set(
        &self,
        named: &enums::InputStickerSet,
    ) -> Option<enums::messages::StickerSet> {
        let set = self.set(named)?;
        let packs = set.stickers.iter().map(|(emoticon, id)| {
            types::StickerPack {
                emoticon: emoticon.clone(),
                documents: vec![*id],
            }
            .into()
        });
        let documents = set.stickers.iter().map(|(_, id)| self.tl_document(*id));
        Some(
            types::messages::StickerSet {
                set: types::StickerSet {
                    archived: false,
                    official: false,
                    masks: false,
                    emojis: false,
                    text_color: false,
                    channel_emoji_status: false,
                    creator: false,
                    installed_date: None,
                    id: set.id,
                    access_hash: set.access_hash,
                    title: set.title.clone(),
                    short_name: set.short_name.clone(),
                    thumbs: Some(Vec::new()),
                    thumb_dc_id: Some(self.config.home_dc),
                    thumb_version: Some(1),
                    thumb_document_id: None,
                    count: i32::try_from(set.stickers.len()).unwrap_or(i32::MAX),
                    hash: 0,
                }
                .into(),
                packs: packs.collect(),
                keywords: Vec::new(),
                documents: documents.collect(),
            }
            .into(),
        )
    }
}

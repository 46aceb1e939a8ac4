//! What a server has that nobody sent: pages of the web, and sticker sets.

use crate::Server;
use crate::handles::ApiError;

/// A page of the web, of which the server makes previews.
///
/// What it shows is also what `inputMediaPhotoExternal` and `inputMediaDocumentExternal` fetch from its address.
#[derive(Clone, Debug, Default)]
pub struct NewWebPage {
    /// Its address, as it stands in a text.
    pub url: String,
    /// Its title.
    pub title: String,
    /// What it says.
    pub description: String,
    /// A picture, whose header at least must read.
    pub photo: Option<Vec<u8>>,
    /// A file: its name, its MIME type, and its bytes.
    pub document: Option<(String, String, Vec<u8>)>,
}

/// A sticker set.
#[derive(Clone, Debug, Default)]
pub struct NewStickerSet {
    /// The name in its link.
    pub short_name: String,
    /// What it is called.
    pub title: String,
    /// The stickers: the emoji that they stand for, their MIME type, and their bytes.
    pub stickers: Vec<(String, String, Vec<u8>)>,
}

impl Server {
    /// Puts a page into the web that the server sees, which has no others. Texts with its address are shown with a
    /// preview.
    ///
    /// # Errors
    /// When there is no room for its files, or its photo does not read.
    pub fn add_web_page(&self, new: NewWebPage) -> Result<(), ApiError> {
        let NewWebPage {
            url,
            title,
            description,
            photo,
            document,
        } = new;
        let added = self
            .hub
            .act(|world| world.add_page(url, title, description, photo, document));
        Ok(added?)
    }

    /// Makes a sticker set, which belongs to nobody.
    ///
    /// # Errors
    /// When there is no room for its files.
    pub fn add_sticker_set(&self, new: NewStickerSet) -> Result<(), ApiError> {
        let NewStickerSet {
            short_name,
            title,
            stickers,
        } = new;
        let added = self
            .hub
            .act(|world| world.add_sticker_set(short_name, title, stickers));
        Ok(added?)
    }
}

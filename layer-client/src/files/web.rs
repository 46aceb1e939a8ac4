//! [`WebFile`]: a file of the web that Telegram's servers fetch, so that its owner does not learn who
//! looks at it (page `api/files`, "Downloading webfiles").

use layer_tl_types as tl;

use super::download::Download;
use super::remote::Remote;
use crate::client::Client;
use crate::error::Error;

/// A file of the web that an inline result or an invoice shows (constructor `webDocument`):
/// [`Client::download_web_file`] takes it.
#[derive(Clone, Debug)]
pub struct WebFile {
    place: Place,
    mime_type: Option<String>,
    size: Option<u64>,
}

#[derive(Clone, Debug)]
enum Place {
    ByTelegram(Box<tl::enums::InputWebFileLocation>),
    Direct(String),
}

impl WebFile {
    /// What the raw API shows: `result.thumb` and `result.content` of an inline result,
    /// `invoice.photo`.
    #[must_use]
    pub fn new(document: &tl::enums::WebDocument) -> Self {
        let (place, mime_type, size) = match document {
            tl::enums::WebDocument::Document(document) => {
                let location = tl::types::InputWebFileLocation {
                    url: document.url.clone(),
                    access_hash: document.access_hash,
                };
                let place = Place::ByTelegram(Box::new(location.into()));
                (place, &document.mime_type, document.size)
            }
            tl::enums::WebDocument::NoProxy(document) => {
                let place = Place::Direct(document.url.clone());
                (place, &document.mime_type, document.size)
            }
        };
        Self {
            place,
            mime_type: Some(mime_type.clone()).filter(|mime_type| !mime_type.is_empty()),
            size: u64::try_from(size).ok().filter(|size| *size > 0),
        }
    }

    /// Anything else that `upload.getWebFile` gives: the map of a place
    /// (`inputWebFileGeoPointLocation`), the cover of a piece of music
    /// (`inputWebFileAudioAlbumThumbLocation`).
    #[must_use]
    pub fn at(location: impl Into<tl::enums::InputWebFileLocation>) -> Self {
        Self {
            place: Place::ByTelegram(Box::new(location.into())),
            mime_type: None,
            size: None,
        }
    }

    /// Its address, if it has one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match &self.place {
            Place::ByTelegram(location) => match &**location {
                tl::enums::InputWebFileLocation::Location(at) => Some(&at.url),
                _ => None,
            },
            Place::Direct(url) => Some(url),
        }
    }

    /// Whether it is to be fetched from its [address](Self::url) and not through Telegram
    /// (constructor `webDocumentNoProxy`).
    #[must_use]
    pub fn is_direct(&self) -> bool {
        matches!(self.place, Place::Direct(_))
    }

    /// Its MIME type, as the bot said.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// Its size in bytes, as the bot said. The download does not rely on it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

impl From<&tl::enums::WebDocument> for WebFile {
    fn from(document: &tl::enums::WebDocument) -> Self {
        Self::new(document)
    }
}

impl Client {
    /// Downloads a file of the web through Telegram's servers (`upload.getWebFile`), as
    /// [`download`](Self::download) does with files of Telegram's: in parts, side by side, to wherever
    /// one wants. There are no CDNs for it and no hashes. Such files have at most 2 GiB.
    ///
    /// [`Download::to_path`] goes on after a crash if what the server says of the file is what it said
    /// before: its size, its MIME type and the time of its last change. Otherwise it begins anew, and one
    /// that changes while it is downloaded is an error, unless [`Download::resume`] is off.
    ///
    /// One that is to be fetched [directly](WebFile::is_direct) fails with [`Error::FetchDirectly`],
    /// which has its address.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: layer_client::Client,
    /// #     result: layer_client::tl::types::BotInlineResult,
    /// # ) -> layer_client::Result<()> {
    /// use layer_client::files::WebFile;
    ///
    /// if let Some(thumb) = &result.thumb {
    ///     let picture = client.download_web_file(&WebFile::new(thumb)).bytes().await?;
    ///     println!("{} bytes", picture.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn download_web_file<'a>(&self, file: &WebFile) -> Download<'a> {
        let file = match &file.place {
            Place::ByTelegram(location) => Ok(Remote::Web {
                location: location.clone(),
                dc_id: self.inner.webfile_dc(),
                version: None,
            }),
            Place::Direct(url) => Err(Error::FetchDirectly { url: url.clone() }),
        };
        Download::of(self, file)
    }
}

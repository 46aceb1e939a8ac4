//! Files: uploading, sending and downloading them, in parts, a few at a time.

mod control;
mod download;
mod limits;
mod location;
mod media;
mod origin;
mod outgoing;
mod portrait;
mod profile;
mod remote;
mod saver;
mod stickers;
mod transfer;
mod turns;
mod upload;
mod web;

pub use control::{TransferControl, TransferProgress};
pub use download::{Download, DownloadStream, FileReader};
pub use location::{Downloadable, FileLocation};
pub use media::{
    Document, DocumentKind, Media, MediaKind, Photo, Thumb, WebPage, outline_to_path,
    outline_to_svg, stripped_to_jpeg,
};
pub(crate) use outgoing::{KnownFiles, file_id};
pub use outgoing::{MediaSource, OutgoingMedia, OutgoingPoll};
pub use portrait::NewProfilePhoto;
pub use profile::{PeerPhoto, ProfilePhoto, ProfilePhotoIter};
pub use stickers::{StickerSet, StickerSetRef};
pub use upload::{Upload, UploadedFile};
pub use web::WebFile;

use self::limits::Limits;
use self::turns::Turns;
use crate::client::{Client, Config};

/// What all transfers of a client share.
pub(crate) struct Shared {
    turns: Turns,
    limits: Limits,
}

impl Shared {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            turns: Turns::new(config.files_at_once),
            limits: Limits::default(),
        }
    }
}

/// How far an upload or a download has come: bytes done, bytes in all (0 while unknown).
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Nobody has more parts under way.
const WIDEST: usize = 64;

/// How many parts of a transfer are under way at first, and how many at most: so many over `each` connection, unless
/// somebody wants something else.
fn window(client: &Client, wanted: Option<usize>, each: usize) -> (usize, usize) {
    let connections = client.inner.config.file_connections.clamp(1, WIDEST);
    let most = wanted.unwrap_or(connections * each).clamp(1, WIDEST);
    (connections.min(most), most)
}

/// A MIME type by a file name's ending; what most people send.
fn mime_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "tgs" => "application/x-tgsticker",
        "svg" => "image/svg+xml",
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "avi" => "video/x-msvideo",
        "3gp" => "video/3gpp",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" => "audio/x-wav",
        "pdf" => "application/pdf",
        "epub" => "application/epub+zip",
        "apk" => "application/vnd.android.package-archive",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "7z" => "application/x-7z-compressed",
        "rar" => "application/vnd.rar",
        "tar" => "application/x-tar",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "json" => "application/json",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "txt" | "md" | "log" | "rs" => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::mime_of;

    #[test]
    fn a_name_tells_its_mime_type() {
        assert_eq!(mime_of("Photo.JPG"), "image/jpeg");
        assert_eq!(mime_of("a.tar.gz"), "application/gzip");
        assert_eq!(mime_of("README"), "application/octet-stream");
        assert_eq!(mime_of(""), "application/octet-stream");
    }
}

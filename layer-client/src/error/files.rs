//! What is wrong with files before anything of them is sent.

use std::fmt;

/// A file has more bytes than Telegram takes in one: only so many parts of half a MiB (page `api/files`;
/// `upload_max_fileparts_default` and `upload_max_fileparts_premium` of page `api/config`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileTooLarge {
    /// The file's size in bytes; `None` of a stream, whose size nobody knows before its end.
    pub size: Option<u64>,
    /// The most bytes that this account may upload in one file.
    pub limit: u64,
    /// The most parts that they may be.
    pub parts: u64,
    /// Whether the account has Telegram Premium, which raises the limit.
    pub premium: bool,
}

impl fmt::Display for FileTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            Some(size) => write!(f, "the file has {size} bytes")?,
            None => f.write_str("the stream does not end in time")?,
        }
        let (limit, parts) = (self.limit, self.parts);
        write!(
            f,
            "; this account may upload {limit} at most ({parts} parts)"
        )?;
        if !self.premium {
            f.write_str(", and more with Telegram Premium")?;
        }
        Ok(())
    }
}

//! Generates Rust source from TL definitions: the same definitions and the same [`Config`] give the same bytes.
//!
//! [`generate`] takes what `layer-tl-parser` read and gives back the text of a few files, formatted as rustfmt would.
//! It reads no file and no environment; where definitions come from and where the text goes is the caller's business
//! (the build script of `layer-tl-types`, whose hand-written runtime the text is made for).
//!
//! # Names
//! A constructor `auth.sentCode` of the type `auth.SentCode` becomes the struct `types::auth::SentCode` and the variant
//! `Code` of `enums::auth::SentCode`; a method `auth.sendCode` becomes the struct `functions::auth::SendCode`. A
//! variant's name is its constructor's without the type's name before it.
//!
//! # Boxes
//! A variant holds its struct in a `Box` when the struct is larger than [`MAX_INLINE`] bytes or contains its own enum
//! without a `Vec` between. Nothing else is boxed, so an enum is never larger than [`MAX_INLINE`] and a tag.
//!
//! ```
//! use layer_tl_gen::{Config, generate};
//!
//! let definitions = layer_tl_parser::parse("peerUser#59511722 user_id:long = Peer;")?;
//! let files = generate(&definitions, &Config::default())?;
//! assert!(files.types.contains("pub struct PeerUser {\n    pub user_id: i64,\n}"));
//! assert!(files.enums.contains("User(crate::types::PeerUser),"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod emit;
mod error;
mod layout;
mod model;
mod names;

pub use emit::{Config, Files, generate};
pub use error::GenError;
pub use layout::MAX_INLINE;

/// Finds the schema's layer: the number in its comment `// LAYER 223`.
#[must_use]
pub fn layer_mark(text: &str) -> Option<i32> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("//"))
        .find_map(|comment| comment.trim().strip_prefix("LAYER")?.trim().parse().ok())
}

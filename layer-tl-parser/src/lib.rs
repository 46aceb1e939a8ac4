//! A parser for the TL schema language, as Telegram's schemas use it.
//!
//! [`parse`] turns the text of a `.tl` file into [`Definition`]s. Every error carries the line and the column where it
//! stands, what was expected there and what came. An id that the text leaves out is computed (CRC-32 of the normalised
//! definition), and an id that the text gives is compared with the computed one.
//!
//! The crate knows TL and nothing else: what a definition means in Rust, or to Telegram, is for others to say.
//!
//! ```
//! let text = "
//!     peerUser#59511722 user_id:long = Peer;
//!     peerChat chat_id:long = Peer; // its id is computed
//!     ---functions---
//!     invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X;
//! ";
//! let definitions = layer_tl_parser::parse(text)?;
//! assert_eq!(definitions.len(), 3);
//! assert_eq!(definitions[1].id, 0x36c6019a);
//! assert_eq!(definitions[2].params[1].name.as_deref(), Some("query"));
//! assert_eq!(definitions[0].to_string(), "peerUser#59511722 user_id:long = Peer");
//!
//! let error = layer_tl_parser::parse("peerUser user_id long = Peer;\nbad name:").unwrap_err();
//! assert_eq!(error.to_string(), "2:10: expected a type, found the end of the text");
//! # Ok::<(), layer_tl_parser::ParseError>(())
//! ```

mod ast;
mod error;
mod id;
mod parse;

pub use ast::{Category, Definition, Flag, Param, ParamKind, Type, TypeParam};
pub use error::{ParseError, Problem};
pub use parse::{IdCheck, MAX_NESTING, parse, parse_with};

//! Telegram's API (Layer 223) and MTProto schema as Rust types, generated at build time.
//!
//! - [`types`] has a struct for each constructor, [`enums`] an enum for each type, [`functions`] a struct for each
//!   method; namespaces are modules. `auth.sendCode` is `functions::auth::SendCode`, and its answer `auth.SentCode` is
//!   `enums::auth::SentCode`, whose variant `Code` holds a `types::auth::SentCode`.
//! - [`Serializable`] writes into a `Vec<u8>`; [`Deserializable`] reads from a [`Cursor`] over a slice; [`RemoteCall`]
//!   names what a method returns; [`Identifiable`] has the id.
//!
//! ```
//! # #[cfg(feature = "tl-api")] {
//! use layer_tl_types::{Deserializable, Serializable, enums, functions, types};
//!
//! let call = functions::messages::GetHistory {
//!     peer: enums::InputPeer::User(types::InputPeerUser { user_id: 1, access_hash: 2 }),
//!     offset_id: 0,
//!     offset_date: 0,
//!     add_offset: 0,
//!     limit: 10,
//!     max_id: 0,
//!     min_id: 0,
//!     hash: 0,
//! };
//! let bytes = call.to_bytes();
//! assert_eq!(bytes[..4], 0x4423e6c5_u32.to_le_bytes());
//!
//! // What follows the id is the peer, and reads as one.
//! let peer = enums::InputPeer::from_bytes(&bytes[4..])?;
//! assert!(matches!(peer, enums::InputPeer::User(types::InputPeerUser { user_id: 1, .. })));
//! # }
//! # Ok::<(), layer_tl_types::DeserializeError>(())
//! ```
//!
//! # Rules
//! - **Flags** are not fields. `flags.0?true` is a `bool`, any other `flags.0?T` an `Option<T>`. Of fields that share
//!   one bit, those that are `None` are sent empty when another is not; if a missing one is of a type that has no empty
//!   form (an enum), none of them is sent.
//! - **Boxes**: a variant holds its struct in a `Box` when the struct is larger than 48 bytes or contains its own enum
//!   without a `Vec` between. Nothing else is boxed. `.into()` makes the variant without having to know.
//! - **Strings** are UTF-8. Should anything else come, what is wrong becomes U+FFFD; the rest is kept.
//! - **Bounds**: a vector is only given memory for what the input can still hold, and values of recursive types may be
//!   nested [`MAX_DEPTH`] deep. Any bytes are a value or an error: nothing panics.
//! - **Equality** of what is more than a few numbers is that of the bytes: a `double` that is not a number equals itself.
//!
//! # Features
//! What is off is absent.
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `tl-api` | yes | the definitions of `tl/api.tl` |
//! | `tl-mtproto` | | those of `tl/mtproto.tl`, in the same modules |
//! | `impl-debug` | yes | `Debug` |
//! | `impl-from-type` | yes | `From<types::T>` for the enum that holds it |
//! | `impl-from-enum` | yes | `TryFrom` of an enum for `types::T`; `From` where there is one constructor |
//! | `name-for-id` | | `name_for_id`, and names in errors |
//! | `impl-serde` | | serde's `Serialize` and `Deserialize` |
//! | `deserializable-functions` | | `Deserializable` for methods: for servers and inspectors |
//!
//! # Another schema
//! Replace `tl/api.tl` and build: the types are new. The number of the layer is that of the comment `// LAYER 223`. Ids
//! that the schema leaves out are computed, and those that it gives are checked; a mistake is reported with its line and
//! column.

mod blob;
mod cursor;
#[cfg(feature = "impl-debug")]
#[allow(dead_code)] // without a schema there is nothing to print
mod debug;
mod deserialize;
mod error;
#[allow(dead_code, unused_imports)] // what is called depends on the schema and the features
mod rt;
mod serialize;

/// A struct for each constructor. Read and written bare: without the id.
#[allow(missing_docs, unused_qualifications)]
pub mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// An enum for each type, with a variant for each constructor. Read and written with the id.
#[allow(missing_docs, unused_qualifications)]
pub mod enums {
    include!(concat!(env!("OUT_DIR"), "/enums.rs"));
}

/// A struct for each method. Written with its id; [`RemoteCall::Return`] is what comes back.
#[allow(missing_docs, unused_qualifications)]
pub mod functions {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"));
}

mod common;

pub use blob::{Blob, RawVec};
pub use common::LAYER;
#[cfg(feature = "name-for-id")]
pub use common::name_for_id;
pub use cursor::{Cursor, MAX_DEPTH};
pub use deserialize::Deserializable;
pub use error::{DeserializeError, Result, WrongVariant};
pub use serialize::{Identifiable, RemoteCall, Serializable};

/// What is off is absent: each of these must fail to compile.
#[cfg(doctest)]
#[cfg_attr(
    not(feature = "tl-api"),
    doc = "```compile_fail\nuse layer_tl_types::types::PeerUser;\n```"
)]
#[cfg_attr(
    not(feature = "tl-mtproto"),
    doc = "```compile_fail\nuse layer_tl_types::types::ResPq;\n```"
)]
#[cfg_attr(
    not(feature = "name-for-id"),
    doc = "```compile_fail\nuse layer_tl_types::name_for_id;\n```"
)]
#[cfg_attr(
    all(feature = "tl-api", not(feature = "impl-debug")),
    doc = "```compile_fail\nformat!(\"{:?}\", layer_tl_types::types::PeerUser { user_id: 1 });\n```"
)]
#[cfg_attr(
    all(feature = "tl-api", not(feature = "impl-from-type")),
    doc = "```compile_fail\nuse layer_tl_types::{enums::Peer, types::PeerUser};\nlet _ = Peer::from(PeerUser { user_id: 1 });\n```"
)]
#[cfg_attr(
    all(feature = "tl-api", not(feature = "impl-from-enum")),
    doc = "```compile_fail\nuse layer_tl_types::{enums::Peer, types::PeerUser};\nlet _ = PeerUser::try_from(Peer::User(PeerUser { user_id: 1 }));\n```"
)]
#[cfg_attr(
    all(feature = "tl-api", not(feature = "impl-serde")),
    doc = "```compile_fail\nlet _ = serde_json::to_string(&layer_tl_types::types::PeerUser { user_id: 1 });\n```"
)]
#[cfg_attr(
    all(feature = "tl-api", not(feature = "deserializable-functions")),
    doc = "```compile_fail\nuse layer_tl_types::{Deserializable, functions::help::GetConfig};\nlet _ = GetConfig::from_bytes(&[]);\n```"
)]
mod absent {}

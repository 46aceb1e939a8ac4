//! Telegram's API (Layer 223) and MTProto schema as Rust types, generated at build time.

mod blob;
mod cursor;
#[cfg(feature = "impl-debug")]
mod debug;
mod deserialize;
mod error;
#[allow(dead_code)] // which of its functions are called depends on the schema and the features
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

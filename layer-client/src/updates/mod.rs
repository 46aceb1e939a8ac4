//! From what the server pushes to what the program sees.
//!
//! The connection hands bytes to the [`Hub`]; the driver, one task, feeds the sans-IO [`engine`],
//! makes the calls it asks for, and fills a bounded queue with what the streams want; streams empty
//! it. The cursor that is saved is always that of handled updates.

mod albums;
mod answers;
mod begin;
mod driver;
mod engine;
mod hub;
mod options;
mod queue;
mod stream;
pub(crate) mod types;
mod watchdog;

pub use options::StreamOptions;
pub use stream::{Receipt, UpdateStream};

pub(crate) use engine::{Key, Packet};
pub(crate) use hub::Hub;

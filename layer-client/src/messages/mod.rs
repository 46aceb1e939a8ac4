//! Messages: what they are, writing, changing, fetching and deleting them.

mod fetch;
mod input;
mod iter;
mod manage;
mod markup;
mod message;
mod send;

pub use input::InputMessage;
pub use iter::{MessageFilter, MessageIter};
pub use markup::{Button, Keyboard};
pub use message::Message;

pub(crate) use message::blank_message;
pub(crate) use send::{random_id, reply_header, unexpected};

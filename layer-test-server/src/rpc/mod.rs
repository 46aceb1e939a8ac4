//! From the bytes of a call to the bytes of its answer.
//!
//! Each module below knows the methods of one or more namespaces and offers them by constructor id through `route`.
//! Handlers are synchronous and pure over the [`World`]; what they cause for others is left in its outbox.

pub(crate) mod account;
pub(crate) mod auth;
pub(crate) mod bots;
pub(crate) mod channels;
pub(crate) mod contacts;
mod countries;
pub(crate) mod gate;
pub(crate) mod help;
pub(crate) mod langpack;
pub(crate) mod messages;
mod photos;
pub(crate) mod settings;
pub(crate) mod starters;
pub(crate) mod updates;
pub(crate) mod upload;
pub(crate) mod users;
pub(crate) mod wrap;

use layer_tl_types::{Deserializable, RemoteCall, Serializable, enums};

use crate::world::World;

/// An `rpc_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RpcError {
    /// The code, akin to HTTP's: 303 see other DC, 400 bad request, 401 unauthorized, 403 forbidden, 420 flood, 500 ours.
    pub(crate) code: i32,
    /// The name, with its number if it has one: `FLOOD_WAIT_5`.
    pub(crate) message: String,
}

impl RpcError {
    /// An error of the given code and name.
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A 400: the call is wrong in itself.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// A 403: the call is right, but not for this account.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }
}

/// Who calls, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The permanent key of the caller (also when the call came under a temporary one).
    pub(crate) auth_key_id: i64,
    /// The MTProto session of the caller.
    pub(crate) session_id: i64,
    /// The data centre that was called.
    pub(crate) dc_id: i32,
    /// The account that is signed in on the key, if any.
    pub(crate) user_id: Option<i64>,
    /// The layer that the session named in `invokeWithLayer`.
    pub(crate) layer: i32,
    /// Unix time of the call.
    pub(crate) now: i32,
}

impl Call {
    /// The caller's account, or the error that says that there is none.
    pub(crate) fn user(&self) -> Result<i64, RpcError> {
        self.user_id
            .ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))
    }
}

/// Names an answer that comes later, through [`Out::Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// What a handler says when it does not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer, as boxed TL.
    Ready(Vec<u8>),
    /// The answer comes as an [`Answer`] of that ticket, or not at all: after `World::config.bot_timeout` seconds the
    /// shell answers 400 `BOT_RESPONSE_TIMEOUT` and calls `World::give_up(ticket)`.
    Deferred(Ticket),
}

/// What a handler returns.
pub(crate) type Reply = Result<Outcome, RpcError>;

/// Serves one method: world, caller, the whole call with its constructor id.
pub(crate) type Handler = fn(&mut World, &Call, &[u8]) -> Reply;

/// Updates for every live session of one account.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    /// The account.
    pub(crate) user_id: i64,
    /// What it is told.
    pub(crate) updates: enums::Updates,
    /// The (auth_key_id, session_id) that learns the same from the answer to its own call.
    pub(crate) except: Option<(i64, i64)>,
}

/// A deferred answer that is ready now.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Which call it answers.
    pub(crate) ticket: Ticket,
    /// The result's bytes, as boxed TL.
    pub(crate) result: Result<Vec<u8>, RpcError>,
}

/// What the shell has to send after a call. The answer to the call itself goes out first, then these in order.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    /// Updates for an account's sessions.
    Push(Push),
    /// The answer to a deferred call.
    Answer(Answer),
}

/// Decodes the call, runs `serve`, encodes the answer.
pub(crate) fn handle<F>(
    world: &mut World,
    call: &Call,
    bytes: &[u8],
    serve: impl FnOnce(&mut World, &Call, F) -> Result<F::Return, RpcError>,
) -> Reply
where
    F: RemoteCall + Deserializable,
    F::Return: Serializable,
{
    let request = decode::<F>(bytes)?;
    serve(world, call, request).map(|answer| Outcome::Ready(answer.to_bytes()))
}

/// Decodes a call, for handlers that do more than [`handle`] can.
pub(crate) fn decode<F: Deserializable>(bytes: &[u8]) -> Result<F, RpcError> {
    F::from_bytes(bytes).map_err(|_| RpcError::bad("INPUT_FETCH_ERROR"))
}

/// Serves one call of an API method that is already unwrapped from `invokeWithLayer` and its kin.
///
/// What the call caused is in `world.outbox` afterwards.
pub(crate) fn dispatch(world: &mut World, call: &Call, bytes: &[u8]) -> Reply {
    let Some(id) = bytes.first_chunk().map(|id| u32::from_le_bytes(*id)) else {
        return Err(RpcError::bad("INPUT_REQUEST_TOO_SHORT"));
    };
    let Some(handler) = route(id) else {
        return Err(RpcError::bad(format!("INPUT_METHOD_INVALID_{id}_0")));
    };
    world.begin(call);
    let reply = handler(world, call, bytes);
    world.settle();
    reply
}

/// The handler of a method, by constructor id.
pub(crate) fn route(id: u32) -> Option<Handler> {
    messages::route(id)
        .or_else(|| updates::route(id))
        .or_else(|| users::route(id))
        .or_else(|| contacts::route(id))
        .or_else(|| channels::route(id))
        .or_else(|| upload::route(id))
        .or_else(|| photos::route(id))
        .or_else(|| bots::route(id))
        .or_else(|| starters::route(id))
        .or_else(|| help::route(id))
        .or_else(|| langpack::route(id))
        .or_else(|| auth::route(id))
        .or_else(|| account::route(id))
        .or_else(|| settings::route(id))
}

/// Writes a module's `route`: a method of the schema, and the function that serves it.
macro_rules! routes {
    ($($method:path => $serve:path,)*) => {
        /// The handler of a method of this module, by constructor id.
        #[allow(unused_imports, unreachable_code, clippy::match_single_binding)]
        pub(crate) fn route(id: u32) -> Option<$crate::rpc::Handler> {
            use layer_tl_types::Identifiable as _;
            Some(match id {
                $(<$method>::CONSTRUCTOR_ID => |world, call, bytes| $crate::rpc::handle::<$method>(world, call, bytes, $serve),)*
                _ => return None,
            })
        }
    };
}
pub(crate) use routes;

//! An async Telegram client for users and bots.

#![allow(dead_code)] // until the rooms are joined

mod auth;
mod client;
mod error;
pub mod middleware;
mod net;
mod peers;
pub mod session;
mod updates;

pub use auth::{CodeDelivery, LoginToken, PasswordToken, SignInError};
pub use client::{Client, Config, DcAddress, MtProxy, RsaPublicKey, TransportKind, User};
pub use error::{
    ConnectCause, ConnectError, DeserializeError, Error, RequestError, Result, RpcError, Terminal,
    TerminalReason, TimeoutError,
};
pub use layer_tl_types as tl;

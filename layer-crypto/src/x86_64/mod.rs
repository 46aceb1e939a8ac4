//! What x86-64 has instructions for. All `unsafe` code of the crate for this architecture is here: loads and stores of
//! whole arrays, and calls of functions whose instructions were found to be there.

#![allow(unsafe_code, reason = "see above: the instructions have no other form")]

mod aes;
mod power;

pub(crate) use aes::Aes;
pub(crate) use power::{Power, Start};

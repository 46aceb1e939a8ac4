//! What x86-64 has instructions for. All `unsafe` code of the crate for this architecture is here: loads and stores of
//! whole arrays, and calls of functions whose instructions were found to be there.

#![allow(unsafe_code, reason = "see above: the instructions have no other form")]

mod aes;
mod power;
mod sha;

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};

pub(crate) use aes::Aes;
pub(crate) use power::{Power, Start};
pub(crate) use sha::of_two;

use crate::aes::Block;

fn load(block: &Block) -> __m128i {
    // SAFETY: 16 bytes that may be read; the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

fn store(block: &mut Block, value: __m128i) {
    // SAFETY: 16 bytes that may be written; the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), value) }
}

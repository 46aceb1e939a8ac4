//! AES-256-IGE by the `aes` crate, on every processor: its own choice of instructions or of bit slicing.

use aes::cipher::{
    Array, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16,
};
use aes::{Aes256Dec, Aes256Enc};

use super::{Block, halves};

pub(super) fn encrypt(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
    Aes256Enc::new(&Array(*key)).encrypt_with_backend(Chain { iv, blocks });
}

pub(super) fn decrypt(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [Block]) {
    Aes256Dec::new(&Array(*key)).decrypt_with_backend(Chain { iv, blocks });
}

/// The loop runs inside the cipher's backend, so that the choice of the backend is made once a call
/// and not once a block, and the round keys stay in registers.
struct Chain<'a> {
    iv: &'a [u8; 32],
    blocks: &'a mut [Block],
}

impl Chain<'_> {
    /// Every block is mixed with the one before it on the other side, goes through the cipher, and is
    /// mixed with the one before it on its own side.
    #[inline(always)]
    fn run(self, before: (Block, Block), mut cipher: impl FnMut(&mut Array<u8, U16>)) {
        let mut input_before = u128::from_ne_bytes(before.0);
        let mut output_before = u128::from_ne_bytes(before.1);
        for block in self.blocks {
            let input = u128::from_ne_bytes(*block);
            let mut state = Array((input ^ output_before).to_ne_bytes());
            cipher(&mut state);
            let output = u128::from_ne_bytes(state.0) ^ input_before;
            *block = output.to_ne_bytes();
            (input_before, output_before) = (input, output);
        }
    }
}

impl BlockSizeUser for Chain<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Chain<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let (cipher, plain) = halves(self.iv);
        self.run((plain, cipher), |state| {
            backend.encrypt_block_inplace(state)
        });
    }
}

impl BlockCipherDecClosure for Chain<'_> {
    #[inline(always)]
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(self, backend: &B) {
        let (cipher, plain) = halves(self.iv);
        self.run((cipher, plain), |state| {
            backend.decrypt_block_inplace(state)
        });
    }
}

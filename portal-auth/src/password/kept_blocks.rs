//! The default engine: the `argon2` crate over one kept run of memory.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

use super::argon2_engine::{Argon2Engine, Argon2Input, Argon2Worker};
use super::hash_params::HashParams;
use crate::error::Fault;

/// The `argon2` crate over kept memory.
#[derive(Debug)]
pub(super) struct RustCrypto;

impl Argon2Engine for RustCrypto {
    fn name(&self) -> &'static str {
        "argon2"
    }

    fn worker(&self, kept: HashParams) -> Box<dyn Argon2Worker> {
        Box::new(KeptBlocks::new(kept))
    }
}

/// One kept run of blocks: fresh memory for each hash would cost as much again in page faults.
pub(super) struct KeptBlocks {
    blocks: Vec<Block>,
    kept_kib: usize,
    /// How often memory was asked for.
    pub(super) allocations: u64,
}

impl KeptBlocks {
    pub(super) fn new(kept: HashParams) -> Self {
        let kept_kib = usize::try_from(kept.memory_kib()).unwrap_or(usize::MAX);
        Self {
            blocks: Vec::new(),
            kept_kib,
            allocations: 0,
        }
    }

    fn make_room(&mut self, count: usize) -> Result<(), Fault> {
        if self.blocks.len() >= count {
            return Ok(());
        }
        // The old run goes first, so that never more than one is held.
        self.blocks = Vec::new();
        let count = count.max(self.kept_kib);
        self.blocks
            .try_reserve_exact(count)
            .map_err(|e| Fault::transient("there is no memory for a password hash").because(e))?;
        self.blocks.resize(count, Block::new());
        self.allocations = self.allocations.saturating_add(1);
        Ok(())
    }

    fn wipe_and_shrink(&mut self, used: usize) {
        for block in self.blocks.iter_mut().take(used) {
            // As a slice: word by word, as the block does it by itself, takes a fifth of the whole hash.
            let words: &mut [u64] = block.as_mut();
            words.zeroize();
        }
        if self.blocks.len() > self.kept_kib {
            self.blocks = Vec::new();
        }
    }
}

impl Argon2Worker for KeptBlocks {
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault> {
        let refused = |e: argon2::Error| Fault::permanent("the password hash refused its input").because(e);
        let params = Params::new(
            params.memory_kib(),
            params.passes(),
            params.lanes(),
            Some(tag.len()),
        )
        .map_err(refused)?;
        let count = params.block_count();
        let argon = Argon2::new_with_secret(input.key, Algorithm::Argon2id, Version::V0x13, params)
            .map_err(refused)?;
        self.make_room(count)?;
        let filled = argon.hash_password_into_with_memory(input.password, input.salt, tag, &mut self.blocks);
        self.wipe_and_shrink(count);
        filled.map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_engine_computes_the_published_answer() {
        // From the test vectors of the reference implementation: argon2id, v=19, t=2, m=256, p=1 and p=2.
        let input = Argon2Input::new(b"password", b"somesalt", b"");
        for (params, expected) in [
            (
                HashParams::new(256, 2, 1),
                "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
            ),
            (
                HashParams::new(256, 2, 2),
                "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
            ),
        ] {
            let mut tag = [0; 32];
            RustCrypto.worker(params).fill(&params, &input, &mut tag).unwrap();
            assert_eq!(
                tag.iter().map(|b| format!("{b:02x}")).collect::<String>(),
                expected
            );
        }
    }

    #[test]
    fn memory_is_kept_wiped_and_given_back() {
        let small = HashParams::new(64, 1, 1);
        let mut worker = KeptBlocks::new(small);
        let input = Argon2Input::new(b"password", b"0123456789abcdef", b"");
        for _ in 0..64 {
            worker.fill(&small, &input, &mut [0; 32]).unwrap();
            worker
                .fill(&HashParams::new(8, 1, 1), &input, &mut [0; 32])
                .unwrap();
        }
        assert_eq!((worker.allocations, worker.blocks.len()), (1, 64));
        assert!(
            worker
                .blocks
                .iter()
                .all(|block| block.as_ref().iter().all(|&word| word == 0))
        );

        worker
            .fill(&HashParams::new(512, 1, 1), &input, &mut [0; 32])
            .unwrap();
        assert_eq!(
            (worker.allocations, worker.blocks.capacity()),
            (2, 0),
            "a dearer hash leaves nothing behind"
        );
        worker.fill(&small, &input, &mut [0; 32]).unwrap();
        assert_eq!((worker.allocations, worker.blocks.len()), (3, 64));
    }
}

//! The fast engine, of feature `fast-argon2`: the `argon2-rust` crate over its pooled memory.

use argon2_rust::params::{Memory, TagLen};

use super::argon2_engine::{Argon2Engine, Argon2Input, Argon2Worker};
use super::hash_params::HashParams;
use crate::error::Fault;

/// The `argon2-rust` crate over its pooled memory, which it wipes after each hash.
#[derive(Debug)]
pub(super) struct Fast;

impl Argon2Engine for Fast {
    fn name(&self) -> &'static str {
        "argon2-rust"
    }

    fn worker(&self, kept: HashParams) -> Box<dyn Argon2Worker> {
        let algorithm = argon2_rust::Algorithm::Argon2id;
        let any = argon2_rust::Argon2::new(
            algorithm,
            argon2_rust::Version::V0x13,
            argon2_rust::Params::DEFAULT,
        );
        Box::new(FastWorker {
            pooled: any.hasher(),
            kept,
        })
    }
}

struct FastWorker {
    pooled: argon2_rust::Hasher,
    kept: HashParams,
}

impl Argon2Worker for FastWorker {
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault> {
        let refused =
            |e: argon2_rust::Error| Fault::permanent("the password hash refused its input").because(e);
        let cost = argon2_rust::Params::builder()
            .memory(Memory::kib(u64::from(params.memory_kib())))
            .passes(params.passes())
            .lanes(params.lanes())
            // A permit is one core, whatever the number of lanes.
            .threads(1)
            .tag_len(TagLen::bytes(u64::try_from(tag.len()).unwrap_or(u64::MAX)))
            .build()
            .map_err(refused)?;
        if params.memory_kib() > self.kept.memory_kib() {
            // The kept memory goes first, so that never more than one run is held.
            self.pooled.clear();
        }
        let algorithm = argon2_rust::Algorithm::Argon2id;
        self.pooled.set_argon2(argon2_rust::Argon2::new(
            algorithm,
            argon2_rust::Version::V0x13,
            cost,
        ));
        let filled = self
            .pooled
            .hash_into_with_ad(input.password, input.salt, input.key, &[], tag);
        if params.memory_kib() > self.kept.memory_kib() {
            self.pooled.clear();
        }
        match filled {
            Err(e @ argon2_rust::Error::MemoryAllocationError) => {
                Err(Fault::transient("there is no memory for a password hash").because(e))
            }
            other => other.map_err(refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::argon2_engine::{Engine, agrees};
    use crate::password::kept_blocks::RustCrypto;

    #[test]
    fn the_fast_engine_equals_the_default_one() {
        assert_eq!(agrees(&Fast, &RustCrypto), Ok(()));
        assert_eq!(Engine::Fast.proven().name(), "argon2-rust");
        let input = Argon2Input::new(b"password", b"0123456789abcdef", &[7; 32]);
        for params in [HashParams::DEFAULT, HashParams::new(47_104, 1, 1)] {
            let (mut a, mut b) = ([0; 32], [0; 32]);
            Fast.worker(params).fill(&params, &input, &mut a).unwrap();
            RustCrypto.worker(params).fill(&params, &input, &mut b).unwrap();
            assert_eq!(a, b);
        }
    }

    #[test]
    fn the_fast_engine_gives_back_what_a_dearer_hash_took() {
        let small = HashParams::new(64, 1, 1);
        let any = argon2_rust::Argon2::new(
            argon2_rust::Algorithm::Argon2id,
            argon2_rust::Version::V0x13,
            argon2_rust::Params::DEFAULT,
        );
        let mut worker = FastWorker {
            pooled: any.hasher(),
            kept: small,
        };
        let input = Argon2Input::new(b"password", b"0123456789abcdef", b"");
        worker.fill(&small, &input, &mut [0; 32]).unwrap();
        assert_eq!(worker.pooled.reserved_blocks(), 64);
        worker
            .fill(&HashParams::new(512, 1, 1), &input, &mut [0; 32])
            .unwrap();
        assert_eq!(worker.pooled.reserved_blocks(), 0);
    }
}

//! Who computes the Argon2id tag: the seam between the gate's threads and the arithmetic.
//!
//! The `argon2` crate is the default and the oracle. Any other engine proves itself against it with known answers
//! before it is used, so the choice of an engine can change the speed of a hash and nothing else.

use std::fmt;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize as _, Zeroizing};

use super::hash_params::HashParams;
use crate::error::Fault;

/// Which implementation computes the hashes; all make the same texts, so it can be changed at any time.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Engine {
    /// The `argon2` crate.
    #[default]
    RustCrypto,
    /// The `argon2-rust` crate, some three times faster where the processor has AVX-512; unaudited, and with `unsafe`
    /// code of its own.
    #[cfg(feature = "fast-argon2")]
    Fast,
    /// The host's own.
    Custom(Arc<dyn Argon2Engine>),
}

impl Engine {
    /// The engine itself if it computes what the default one computes, else the default one.
    pub(super) fn proven(self) -> Arc<dyn Argon2Engine> {
        let oracle = Arc::new(RustCrypto);
        let engine: Arc<dyn Argon2Engine> = match self {
            Self::RustCrypto => return oracle,
            #[cfg(feature = "fast-argon2")]
            Self::Fast => Arc::new(Fast),
            Self::Custom(engine) => engine,
        };
        match agrees(&*engine, &*oracle) {
            Ok(()) => engine,
            Err(case) => {
                tracing::error!(
                    engine = engine.name(),
                    case,
                    "the hashing engine failed its proof and is not used"
                );
                oracle
            }
        }
    }
}

/// Makes the workers that compute tags, one for each hashing thread.
pub trait Argon2Engine: fmt::Debug + Send + Sync {
    /// A short name for logs and metrics.
    fn name(&self) -> &'static str;

    /// A worker that keeps the memory for one hash of cost `kept` from job to job.
    fn worker(&self, kept: HashParams) -> Box<dyn Argon2Worker>;
}

/// Computes tags with memory of its own.
///
/// An implementation must compute Argon2id, version 0x13, without associated data, as RFC 9106 says; must hold at
/// most the memory of one hash, and between jobs no more than for the cost it was made for; and must leave nothing
/// of a secret in it after a job.
pub trait Argon2Worker: Send {
    /// Fills all of `tag`.
    ///
    /// # Errors
    /// A [`Fault`] when there is no memory.
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault>;
}

/// What goes into a tag beside the cost.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Argon2Input<'a> {
    /// The person's secret.
    pub password: &'a [u8],
    /// The record's salt.
    pub salt: &'a [u8],
    /// The pepper key; empty for none.
    pub key: &'a [u8],
}

impl<'a> Argon2Input<'a> {
    pub(super) const fn new(password: &'a [u8], salt: &'a [u8], key: &'a [u8]) -> Self {
        Self { password, salt, key }
    }
}

impl fmt::Debug for Argon2Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Input(..)")
    }
}

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
        self.blocks
            .iter_mut()
            .take(used)
            .for_each(|block| block.zeroize());
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

/// The `argon2-rust` crate over its pooled memory, which it wipes after each hash.
#[cfg(feature = "fast-argon2")]
#[derive(Debug)]
struct Fast;

#[cfg(feature = "fast-argon2")]
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

#[cfg(feature = "fast-argon2")]
struct FastWorker {
    pooled: argon2_rust::Hasher,
    kept: HashParams,
}

#[cfg(feature = "fast-argon2")]
impl Argon2Worker for FastWorker {
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault> {
        use argon2_rust::params::{Memory, TagLen};

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

/// Compares two engines over all cases, one worker each, so that what is left of one hash would show in the next.
fn agrees(engine: &dyn Argon2Engine, oracle: &dyn Argon2Engine) -> Result<(), &'static str> {
    let kept = HashParams::new(256, 1, 1);
    let (mut tried, mut known) = (engine.worker(kept), oracle.worker(kept));
    for case in &PROOF {
        let input = Argon2Input::new(case.password, case.salt, case.key);
        let mut expected = Zeroizing::new(vec![0; case.tag_len]);
        let mut found = Zeroizing::new(vec![0; case.tag_len]);
        known
            .fill(&case.params, &input, &mut expected)
            .map_err(|_| "the default engine failed")?;
        tried
            .fill(&case.params, &input, &mut found)
            .map_err(|_| case.name)?;
        if found != expected {
            return Err(case.name);
        }
    }
    Ok(())
}

struct Case {
    name: &'static str,
    params: HashParams,
    password: &'static [u8],
    salt: &'static [u8],
    key: &'static [u8],
    tag_len: usize,
}

/// Small costs, since the proof runs at each start, yet every branch of the algorithm: several address blocks a
/// segment, one and many passes, lanes, keys, tags of one and of two BLAKE2b blocks, empty and long inputs.
const PROOF: [Case; 7] = [
    Case {
        name: "least cost",
        params: HashParams::new(8, 1, 1),
        password: b"password",
        salt: b"somesaltsomesalt",
        key: b"",
        tag_len: 32,
    },
    Case {
        name: "several address blocks",
        params: HashParams::new(1024, 1, 1),
        password: b"correct horse battery staple",
        salt: b"0123456789abcdef",
        key: b"",
        tag_len: 32,
    },
    Case {
        name: "two passes with a key",
        params: HashParams::new(256, 2, 1),
        password: "pässwörd".as_bytes(),
        salt: b"0123456789abcdef",
        key: b"a pepper key of thirty-two bytes",
        tag_len: 32,
    },
    Case {
        name: "memory that is no multiple of four blocks",
        params: HashParams::new(259, 3, 1),
        password: b"password",
        salt: b"eightby8",
        key: b"",
        tag_len: 16,
    },
    Case {
        name: "lanes with a key and a long tag",
        params: HashParams::new(512, 3, 4),
        password: &[0xff; 512],
        salt: &[0; 48],
        key: &[0x5a; 64],
        tag_len: 64,
    },
    Case {
        name: "empty password",
        params: HashParams::new(64, 1, 8),
        password: b"",
        salt: b"somesaltsomesalt",
        key: b"k",
        tag_len: 32,
    },
    Case {
        name: "least cost again",
        params: HashParams::new(8, 1, 1),
        password: b"Password",
        salt: b"somesaltsomesalt",
        key: b"",
        tag_len: 32,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Odd {
        ignores_keys: bool,
    }

    struct OddWorker(KeptBlocks, bool);

    impl Argon2Engine for Odd {
        fn name(&self) -> &'static str {
            "odd"
        }

        fn worker(&self, kept: HashParams) -> Box<dyn Argon2Worker> {
            Box::new(OddWorker(KeptBlocks::new(kept), self.ignores_keys))
        }
    }

    impl Argon2Worker for OddWorker {
        fn fill(
            &mut self,
            params: &HashParams,
            input: &Argon2Input<'_>,
            tag: &mut [u8],
        ) -> Result<(), Fault> {
            let key = if self.1 { &[] } else { input.key };
            self.0
                .fill(params, &Argon2Input::new(input.password, input.salt, key), tag)
        }
    }

    #[test]
    fn an_engine_that_errs_is_not_used() {
        assert_eq!(
            Engine::Custom(Arc::new(Odd { ignores_keys: false }))
                .proven()
                .name(),
            "odd"
        );
        assert_eq!(
            Engine::Custom(Arc::new(Odd { ignores_keys: true }))
                .proven()
                .name(),
            "argon2"
        );
        assert_eq!(
            agrees(&Odd { ignores_keys: true }, &RustCrypto),
            Err("two passes with a key")
        );
    }

    #[cfg(feature = "fast-argon2")]
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

    #[cfg(feature = "fast-argon2")]
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

//! The arithmetic alone: each engine's own crate over memory that is kept, without anything of this library.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use argon2_rust::params::{Memory, TagLen};
use portal_auth::password::argon2id::Engine;
use portal_auth::password::hash::HashParams;

/// The engines that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a bench of all there are")]
pub enum Kernel {
    /// The `argon2` crate, the default.
    RustCrypto,
    /// The `argon2-rust` crate, of feature `fast-argon2`.
    Fast,
}

impl Kernel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::RustCrypto, Self::Fast];

    /// The library's setting for it.
    #[must_use]
    pub const fn engine(self) -> Engine {
        match self {
            Self::RustCrypto => Engine::RustCrypto,
            Self::Fast => Engine::Fast,
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RustCrypto => "argon2",
            Self::Fast => "argon2-rust",
        })
    }
}

/// Hashes on the calling thread with memory that is kept from call to call.
#[non_exhaustive]
pub enum Bare {
    /// Over kept blocks.
    RustCrypto(Box<Argon2<'static>>, Vec<Block>),
    /// Over pooled memory, wiped after each hash.
    Fast(argon2_rust::Hasher),
}

impl fmt::Debug for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bare(..)")
    }
}

impl Bare {
    /// One of `kernel` at the cost of `params`.
    #[must_use]
    pub fn new(kernel: Kernel, params: &HashParams) -> Self {
        let (memory, passes, lanes) = (params.memory_kib(), params.passes(), params.lanes());
        match kernel {
            Kernel::RustCrypto => {
                let cost = Params::new(memory, passes, lanes, Some(32)).expect("a cost");
                let blocks = vec![Block::new(); cost.block_count()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
                Self::RustCrypto(Box::new(argon2), blocks)
            }
            Kernel::Fast => {
                let cost = argon2_rust::Params::builder()
                    .memory(Memory::kib(u64::from(memory)))
                    .passes(passes)
                    .lanes(lanes)
                    .threads(1)
                    .tag_len(TagLen::bytes(32))
                    .build()
                    .expect("a cost");
                let (kind, version) = (argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13);
                Self::Fast(argon2_rust::Argon2::new(kind, version, cost).hasher())
            }
        }
    }

    /// One tag.
    #[must_use]
    pub fn tag(&mut self, password: &[u8]) -> [u8; 32] {
        let (salt, mut tag) = (b"0123456789abcdef", [0; 32]);
        let done = match self {
            Self::RustCrypto(argon2, blocks) => argon2
                .hash_password_into_with_memory(password, salt, &mut tag, blocks)
                .is_ok(),
            Self::Fast(hasher) => hasher.hash_into(password, salt, &mut tag).is_ok(),
        };
        assert!(done, "the hash failed");
        tag
    }
}

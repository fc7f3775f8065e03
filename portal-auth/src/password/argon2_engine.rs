//! Who computes the Argon2id tag: the seam between the gate's threads and the arithmetic.
//!
//! The `argon2` crate is the default and the oracle. Any other engine proves itself against it with known answers
//! before it is used, so the choice of an engine can change the speed of a hash and nothing else.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

#[cfg(feature = "fast-argon2")]
use super::fast_argon2::Fast;
use super::hash_params::HashParams;
use super::kept_blocks::RustCrypto;
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

/// Compares two engines over all cases, one worker each, so that what is left of one hash would show in the next.
pub(super) fn agrees(engine: &dyn Argon2Engine, oracle: &dyn Argon2Engine) -> Result<(), &'static str> {
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
/// segment, one and many passes, lanes, keys, tags of one and of two `BLAKE2b` blocks, empty and long inputs.
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
    use crate::password::kept_blocks::KeptBlocks;

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
}

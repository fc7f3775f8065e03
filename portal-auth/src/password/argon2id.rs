//! The hasher that comes with the crate: Argon2id on a fixed set of threads, each with one kept run of memory.
//!
//! Peak memory is permits × cost whatever the load, and the async runtime never waits for a hash. The threads end
//! when the hasher is dropped.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use thiserror::Error;

use super::admission::Gate;
pub use super::argon2_engine::{Argon2Engine, Argon2Input, Argon2Worker, Engine};
use super::argon2id_slot::{Shop, Slot, new_salt, tag_of};
use super::hash::{Busy, GateStats, HashParams, HashParamsError, HashingSlot, Line, PasswordHasher, Peppers};
#[cfg(feature = "imported-hashes")]
use super::imported::{Foreign, ImportedHash};
use super::stored_hash::{Opened, TAG_BYTES};
use crate::environment::{Clock, Entropy, draw};
use crate::error::Fault;

/// Hashes with Argon2id behind an admission gate.
///
/// Each of its permits is a thread. Twice as many callers are let in, so that one can charge the database while
/// another is hashed; up to 64 per permit wait in each of the two lines, five seconds at most.
///
/// Dropping it sends everybody away who waits, and waits itself for the hashes that are being worked on: tens of
/// milliseconds.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use portal_auth::environment::{SystemClock, SystemEntropy};
/// use portal_auth::password::Password;
/// use portal_auth::password::argon2id::Argon2id;
/// use portal_auth::password::hash::{Line, PasswordHasher, Pepper};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (clock, entropy) = (Arc::new(SystemClock::default()), Arc::new(SystemEntropy::default()));
/// let hasher = Argon2id::builder(clock, entropy).permits(1).build()?;
/// let typed = Password::from("correct horse battery staple");
///
/// let mut slot = hasher.enter(Line::Stranger).await?;
/// let stored = slot.hash((&typed).into(), Pepper::None).await?;
/// assert!(slot.verify(&stored, (&typed).into(), Pepper::None).await?.is_right());
/// assert!(!slot.verify_dummy((&typed).into()).await?.is_right());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Argon2id {
    gate: Arc<Gate>,
    shop: Arc<Shop>,
    engine: &'static str,
    threads: Vec<JoinHandle<()>>,
}

impl Argon2id {
    /// Begins a hasher with the default cost, one permit per core, no pepper and the default engine.
    pub fn builder(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Builder {
        Builder {
            clock,
            entropy,
            params: HashParams::DEFAULT,
            permits: usize::MAX,
            peppers: Peppers::none(),
            engine: Engine::RustCrypto,
            #[cfg(feature = "imported-hashes")]
            imported_like: None,
        }
    }

    /// The name of the engine in use: the default one's, where another was chosen and failed its proof.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.engine
    }

    /// The cost of new hashes.
    #[must_use]
    pub fn params(&self) -> HashParams {
        self.shop.params
    }
}

#[async_trait]
impl PasswordHasher for Argon2id {
    async fn enter(&self, line: Line) -> Result<Box<dyn HashingSlot>, Busy> {
        let place = self.gate.enter(line).await?;
        Ok(Box::new(Slot {
            place: Some(place),
            shop: Arc::clone(&self.shop),
        }))
    }

    fn stats(&self) -> GateStats {
        self.gate.stats()
    }
}

impl Drop for Argon2id {
    fn drop(&mut self) {
        self.gate.close();
        for thread in self.threads.drain(..) {
            // A reply can wake a task whose end drops this hasher, on the very thread that would be waited for.
            if thread.thread().id() != thread::current().id() {
                let _panicked = thread.join();
            }
        }
    }
}

/// Sets up an [`Argon2id`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    params: HashParams,
    permits: usize,
    peppers: Peppers,
    engine: Engine,
    #[cfg(feature = "imported-hashes")]
    imported_like: Option<ImportedHash>,
}

impl Builder {
    /// Sets the cost of new hashes; older ones are verified at their own cost and then ask for a rehash.
    pub const fn params(mut self, params: HashParams) -> Self {
        self.params = params;
        self
    }

    /// Sets how many hashes may run at once; never more than there are cores, nor than 512 MiB hold.
    ///
    /// One fewer than the cores keeps other requests quick during a storm of sign-ins.
    pub const fn permits(mut self, permits: usize) -> Self {
        self.permits = permits;
        self
    }

    /// Sets the pepper keys.
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Chooses who computes the hashes; the choice changes nothing but the speed.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Makes every wrong password, and every one of somebody who does not exist, cost what a wrong one costs for a hash like
    /// `sample` besides: give one of the dearest that are imported, as long as there are any.
    ///
    /// # Security
    /// Without it, an account whose hash is an imported one is told from others by how long its wrong password takes.
    #[cfg(feature = "imported-hashes")]
    pub fn imported_like(mut self, sample: ImportedHash) -> Self {
        self.imported_like = Some(sample);
        self
    }

    /// Proves the engine and starts the threads.
    ///
    /// # Errors
    /// See [`StartError`]; threads that were started already end.
    pub fn build(self) -> Result<Argon2id, StartError> {
        let Self {
            clock,
            entropy,
            params,
            permits,
            peppers,
            engine,
            #[cfg(feature = "imported-hashes")]
            imported_like,
        } = self;
        params.check().map_err(StartError::Params)?;
        if permits == 0 {
            return Err(StartError::NoPermits);
        }
        let permits = permits.min(cores()).min(permits_in_memory(&params)).max(1);
        let dummy = Opened {
            pepper: None,
            params,
            salt: new_salt(&*entropy).map_err(StartError::Entropy)?,
            tag: tag_of(&draw::<TAG_BYTES>(&*entropy).map_err(StartError::Entropy)?)
                .map_err(StartError::Entropy)?,
        };
        let engine = engine.proven();
        let mut hasher = Argon2id {
            gate: Gate::new(clock, permits),
            shop: Arc::new(Shop {
                params,
                peppers,
                entropy,
                dummy,
                #[cfg(feature = "imported-hashes")]
                imported_like: imported_like
                    .and_then(|sample| Foreign::read(sample.as_stored().as_str()).ok()),
            }),
            engine: engine.name(),
            threads: Vec::new(),
        };
        for number in 1..=permits {
            let (gate, engine) = (Arc::clone(&hasher.gate), Arc::clone(&engine));
            let thread = thread::Builder::new()
                .name(format!("portal-auth-hash-{number}"))
                .spawn(move || gate.serve(|| engine.worker(params)))
                .map_err(StartError::Threads)?;
            hasher.threads.push(thread);
        }
        Ok(hasher)
    }
}

/// Why a hasher could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The cost is too low or too high; the operator must change the configuration.
    #[error("the cost of password hashes cannot be used")]
    Params(#[source] HashParamsError),
    /// No permits at all were asked for.
    #[error("at least one hashing permit is needed")]
    NoPermits,
    /// The random source is out of order.
    #[error("no random bytes for the password hasher")]
    Entropy(#[source] Fault),
    /// The system gave no thread.
    #[error("a hashing thread could not be started")]
    Threads(#[source] std::io::Error),
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many hashes of this cost fit into the memory that all of them may take (HASH-2).
fn permits_in_memory(params: &HashParams) -> usize {
    let fit = MEMORY_KIB.checked_div(params.memory_kib()).unwrap_or(u32::MAX);
    usize::try_from(fit).unwrap_or(usize::MAX)
}

/// All kept memory together: 512 MiB, in KiB.
const MEMORY_KIB: u32 = 524_288;

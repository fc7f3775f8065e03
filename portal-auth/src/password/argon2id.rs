//! The hasher that comes with the crate: Argon2id on a fixed set of threads, each with one kept run of memory.
//!
//! Peak memory is permits × cost whatever the load, and the async runtime never waits for a hash. The threads end
//! when the hasher is dropped.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use password_hash::phc::{Output, Salt};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::admission::{Delivery, Gate, Job, Place};
pub use super::argon2_engine::{Argon2Engine, Argon2Input, Argon2Worker, Engine};
use super::hash::{
    BrokenHash, Busy, GateStats, HashParams, HashParamsError, HashingSlot, Line, PasswordHasher, Pepper,
    Peppers, SecretBytes, StoredHash, Verdict,
};
use super::stored_hash::{Opened, SALT_BYTES, TAG_BYTES};
use crate::environment::{Clock, Entropy, draw};
use crate::error::Fault;

/// Hashes with Argon2id behind an admission gate.
///
/// Each of its permits is a thread. Twice as many callers are let in, so that one can charge the database while
/// another is hashed; up to 64 per permit wait in each of the two lines, five seconds at most.
///
/// Dropping it sends everybody away who waits, and waits itself for the hashes that are being worked on: tens of
/// milliseconds.
#[derive(Debug)]
pub struct Argon2id {
    gate: Arc<Gate>,
    shop: Arc<Shop>,
    engine: &'static str,
    threads: Vec<JoinHandle<()>>,
}

/// What every slot and every job needs.
struct Shop {
    params: HashParams,
    peppers: Peppers,
    entropy: Arc<dyn Entropy>,
    /// A record that no secret fits, at today's cost.
    dummy: Opened,
}

impl Argon2id {
    /// Begins a hasher with the default cost, one permit per core, no pepper and the default engine.
    #[must_use]
    pub fn builder(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Builder {
        Builder {
            clock,
            entropy,
            params: HashParams::DEFAULT,
            permits: usize::MAX,
            peppers: Peppers::none(),
            engine: Engine::RustCrypto,
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

/// A place behind the gate of an [`Argon2id`]; without it while a job holds it.
#[derive(Debug)]
struct Slot {
    place: Option<Place>,
    shop: Arc<Shop>,
}

impl Slot {
    /// Hands `work` to a thread together with the place, which comes back with the result. If nobody waits for the
    /// result any more, it is dropped with the place in it: not before the work is done.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Shop, &mut dyn Argon2Worker) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self
            .place
            .take()
            .ok_or_else(|| Fault::permanent("this hashing slot lost its place to an abandoned job"))?;
        let (reply, result) = oneshot::channel();
        let gate = Arc::clone(place.gate());
        let shop = Arc::clone(&self.shop);
        let job: Job = Box::new(move |worker| -> Delivery {
            let done = work(&shop, worker);
            Box::new(move || drop(reply.send((done, place))))
        });
        gate.submit(job);
        let (done, place) = result
            .await
            .map_err(|_| Fault::transient("the hashing thread ended before the hash was done"))?;
        self.place = Some(place);
        done
    }
}

#[async_trait]
impl HashingSlot for Slot {
    async fn hash(&mut self, secret: SecretBytes, pepper: Pepper) -> Result<StoredHash, Fault> {
        if secret.is_too_long() {
            return Err(Fault::permanent(
                "a secret was to be hashed that is longer than the limit",
            ));
        }
        let pepper = self.shop.peppers.choose(pepper)?.cloned();
        let salt = new_salt(&*self.shop.entropy)?;
        self.run(move |shop, worker| {
            let key = pepper.as_ref().map_or(Ok(&[][..]), |id| shop.peppers.key(id))?;
            let mut tag = Zeroizing::new([0; TAG_BYTES]);
            let input = Argon2Input::new(secret.expose(), &salt, key);
            worker.fill(&shop.params, &input, &mut *tag)?;
            Ok(Opened {
                params: shop.params,
                salt,
                tag: tag_of(&*tag)?,
                pepper,
            }
            .to_stored())
        })
        .await
    }

    async fn verify(
        &mut self,
        stored: &StoredHash,
        secret: SecretBytes,
        pepper: Pepper,
    ) -> Result<Verdict, Fault> {
        if secret.is_too_long() {
            return self.verify_dummy(secret).await;
        }
        let opened = stored.open();
        self.run(move |shop, worker| {
            let record = match shop.ready(&opened, pepper) {
                Ok(record) => record,
                Err(fault) => {
                    // HASH-7: a record that cannot be checked must not be told from a wrong password by the clock.
                    matches(&shop.dummy, &[], &secret, worker)?;
                    return Err(fault);
                }
            };
            let right = matches(record.opened, record.key, &secret, worker)?;
            Ok(if right {
                Verdict::Right {
                    needs_rehash: record.needs_rehash,
                }
            } else {
                Verdict::Wrong
            })
        })
        .await
    }

    async fn verify_dummy(&mut self, secret: SecretBytes) -> Result<Verdict, Fault> {
        self.run(move |shop, worker| {
            // Left out, so that a very long secret costs no more than the longest that is hashed.
            let secret = if secret.is_too_long() {
                SecretBytes::new(Vec::new())
            } else {
                secret
            };
            matches(&shop.dummy, &[], &secret, worker)?;
            Ok(Verdict::Wrong)
        })
        .await
    }
}

/// A record together with the key it names.
struct Ready<'a> {
    opened: &'a Opened,
    key: &'a [u8],
    needs_rehash: bool,
}

impl Shop {
    fn ready<'a>(
        &'a self,
        opened: &'a Result<Opened, BrokenHash>,
        pepper: Pepper,
    ) -> Result<Ready<'a>, Fault> {
        let opened = opened
            .as_ref()
            .map_err(|broken| Fault::permanent("a stored hash is broken").because(*broken))?;
        let wanted = self.peppers.choose(pepper)?;
        let key = opened
            .pepper
            .as_ref()
            .map_or(Ok(&[][..]), |id| self.peppers.key(id))?;
        Ok(Ready {
            opened,
            key,
            needs_rehash: opened.needs_rehash(&self.params, wanted),
        })
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop")
            .field("params", &self.params)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}

fn matches(
    record: &Opened,
    key: &[u8],
    secret: &SecretBytes,
    worker: &mut dyn Argon2Worker,
) -> Result<bool, Fault> {
    let mut tag = Zeroizing::new(vec![0; record.tag.len()]);
    worker.fill(
        &record.params,
        &Argon2Input::new(secret.expose(), &record.salt, key),
        &mut tag,
    )?;
    Ok(tag.ct_eq(record.tag.as_ref()).into())
}

fn new_salt(entropy: &dyn Entropy) -> Result<Salt, Fault> {
    Salt::new(&draw::<SALT_BYTES>(entropy)?)
        .map_err(|e| Fault::permanent("the new salt was refused").because(e))
}

fn tag_of(bytes: &[u8]) -> Result<Output, Fault> {
    Output::new(bytes).map_err(|e| Fault::permanent("the new tag was refused").because(e))
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

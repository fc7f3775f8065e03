//! What is done with a place behind the gate: hashing, verifying, and spending the same on nobody.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use password_hash::phc::{Output, Salt};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::admission::{Delivery, Job, Place};
use super::argon2_engine::{Argon2Input, Argon2Worker};
use super::hash::{BrokenHash, HashParams, HashingSlot, Pepper, Peppers, SecretBytes, StoredHash, Verdict};
#[cfg(feature = "imported-hashes")]
use super::imported::Foreign;
use super::stored_hash::{Opened, SALT_BYTES, TAG_BYTES};
use crate::environment::{Entropy, draw};
use crate::error::Fault;

/// A place behind the gate of an [`Argon2id`](super::argon2id::Argon2id); without it while a job holds it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) place: Option<Place>,
    pub(super) shop: Arc<Shop>,
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

#[cfg(feature = "imported-hashes")]
impl Slot {
    /// Checks a secret against another service's record; a right one is always to be hashed again.
    async fn verify_imported(&mut self, record: Foreign, secret: SecretBytes) -> Result<Verdict, Fault> {
        self.run(move |shop, worker| {
            if record.matches(&secret) {
                return Ok(Verdict::Right { needs_rehash: true });
            }
            // ENU-2: what a wrong password costs elsewhere is spent here too.
            matches(&shop.dummy, &[], &secret, worker)?;
            Ok(Verdict::Wrong)
        })
        .await
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
        #[cfg(feature = "imported-hashes")]
        if opened.is_err()
            && let Ok(record) = Foreign::read(stored.as_str())
        {
            return self.verify_imported(record, secret).await;
        }
        self.run(move |shop, worker| {
            let record = match shop.ready(&opened, pepper) {
                Ok(record) => record,
                Err(fault) => {
                    // HASH-7: a record that cannot be checked must not be told from a wrong password by the clock.
                    shop.spend_dummy(&secret, worker)?;
                    return Err(fault);
                }
            };
            let right = matches(record.opened, record.key, &secret, worker)?;
            Ok(if right {
                Verdict::Right {
                    needs_rehash: record.needs_rehash,
                }
            } else {
                shop.spend_as_imported(&secret);
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
            shop.spend_dummy(&secret, worker)?;
            Ok(Verdict::Wrong)
        })
        .await
    }
}

/// What every slot and every job needs.
pub(super) struct Shop {
    pub(super) params: HashParams,
    pub(super) peppers: Peppers,
    pub(super) entropy: Arc<dyn Entropy>,
    /// A record that no secret fits, at today's cost.
    pub(super) dummy: Opened,
    /// What imported records cost, where the host says that there are such.
    #[cfg(feature = "imported-hashes")]
    pub(super) imported_like: Option<Foreign>,
}

/// A record together with the key it names.
struct Ready<'a> {
    opened: &'a Opened,
    key: &'a [u8],
    needs_rehash: bool,
}

impl Shop {
    /// What a wrong password costs, for somebody who does not exist (ENU-2).
    fn spend_dummy(&self, secret: &SecretBytes, worker: &mut dyn Argon2Worker) -> Result<(), Fault> {
        matches(&self.dummy, &[], secret, worker)?;
        self.spend_as_imported(secret);
        Ok(())
    }

    /// What a wrong password of an imported record costs on top, so that the clock tells no imported account from others.
    #[cfg(feature = "imported-hashes")]
    fn spend_as_imported(&self, secret: &SecretBytes) {
        let _fits = self
            .imported_like
            .as_ref()
            .is_some_and(|record| record.matches(secret));
    }

    #[cfg(not(feature = "imported-hashes"))]
    #[expect(clippy::unused_self, reason = "there are no imported records")]
    const fn spend_as_imported(&self, _secret: &SecretBytes) {}

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

pub(super) fn new_salt(entropy: &dyn Entropy) -> Result<Salt, Fault> {
    Salt::new(&draw::<SALT_BYTES>(entropy)?)
        .map_err(|e| Fault::permanent("the new salt was refused").because(e))
}

pub(super) fn tag_of(bytes: &[u8]) -> Result<Output, Fault> {
    Output::new(bytes).map_err(|e| Fault::permanent("the new tag was refused").because(e))
}

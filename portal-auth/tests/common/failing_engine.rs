//! The default way to hash, in an engine that is out of memory whenever a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use portal_auth::error::Fault;
use portal_auth::password::argon2id::{Argon2Engine, Argon2Input, Argon2Worker, Engine};
use portal_auth::password::hash::HashParams;

#[derive(Debug, Clone, Default)]
pub(crate) struct FailingEngine {
    fails: Arc<AtomicBool>,
}

impl FailingEngine {
    /// The same engine, for a configuration.
    pub(crate) fn engine(&self) -> Engine {
        Engine::Custom(Arc::new(self.clone()))
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

impl Argon2Engine for FailingEngine {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn worker(&self, _: HashParams) -> Box<dyn Argon2Worker> {
        Box::new(self.clone())
    }
}

impl Argon2Worker for FailingEngine {
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Fault::transient("there is no memory for a password hash"));
        }
        let cost = Params::new(
            params.memory_kib(),
            params.passes(),
            params.lanes(),
            Some(tag.len()),
        );
        Argon2::new_with_secret(input.key, Algorithm::Argon2id, Version::V0x13, cost.unwrap())
            .unwrap()
            .hash_password_into(input.password, input.salt, tag)
            .unwrap();
        Ok(())
    }
}

//! Whoever holds a mailed link waits for hashes among known people, at a price, and only while the link lives.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::{HOUR, MINUTE, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, stranger};
use portal_auth::environment::SystemEntropy;
use portal_auth::error::Denied;
use portal_auth::features::register::RegisterRefused;
use portal_auth::password::argon2id::Argon2id;
use portal_auth::password::hash::{
    Busy, GateStats, HashParams, HashingSlot, Line, PasswordHasher, PepperId, Peppers,
};
use portal_auth::secret::token::{DraftToken, LinkToken};
use portal_auth::testkit::ManualClock;

/// A gate that notes who waits in which line, and may have a full line of strangers.
#[derive(Debug)]
struct Gate {
    hasher: Argon2id,
    entered: Mutex<Vec<Line>>,
    full_of_strangers: AtomicBool,
}

impl Gate {
    fn new() -> Arc<Self> {
        let clock = Arc::new(ManualClock::default());
        let hasher = Argon2id::builder(clock, Arc::new(SystemEntropy::default()))
            .params(HashParams::cheapest())
            .peppers(Peppers::new(PepperId::parse("k1").unwrap(), vec![7_u8; 32].into()).unwrap())
            .permits(1)
            .build();
        Arc::new(Self {
            hasher: hasher.unwrap(),
            entered: Mutex::default(),
            full_of_strangers: AtomicBool::new(false),
        })
    }

    /// The lines that were entered since the last time.
    fn take(&self) -> Vec<Line> {
        self.entered.lock().unwrap().drain(..).collect()
    }
}

#[async_trait]
impl PasswordHasher for Gate {
    async fn enter(&self, line: Line) -> Result<Box<dyn HashingSlot>, Busy> {
        self.entered.lock().unwrap().push(line);
        if line == Line::Stranger && self.full_of_strangers.load(Ordering::SeqCst) {
            return Err(Busy::new(SECOND));
        }
        self.hasher.enter(line).await
    }

    fn stats(&self) -> GateStats {
        self.hasher.stats()
    }
}

/// A registration of a stranger's, and its link in the hands of whose address it is.
async fn registered() -> (Arc<Gate>, World, LinkToken) {
    let gate = Gate::new();
    let world = World::hashing_by(Arc::<Gate>::clone(&gate));
    world.register_from(&stranger(66), VAL, OTHER_PASSWORD).await;
    let link = world.link(VAL).await;
    gate.take();
    (gate, world, link)
}

async fn save(world: &World, draft: Option<&DraftToken>) -> Result<DraftToken, Denied<RegisterRefused>> {
    let details = world.details(VAL, PASSWORD);
    let from = stranger(1);
    world.auth.save_security_details(&from, draft, details).await
}

#[tokio::test]
async fn the_owner_of_an_address_gets_through_while_strangers_fill_their_line() {
    // HASH-2, I-23
    let (gate, world, link) = registered().await;
    gate.full_of_strangers.store(true, Ordering::SeqCst);
    let anybody = save(&world, None).await;
    assert!(matches!(anybody, Err(Denied::Busy { .. })), "{anybody:?}");
    let draft = world.auth.register_anew(&link).await.unwrap();
    save(&world, Some(&draft)).await.unwrap();
    assert_eq!(gate.take(), [Line::Stranger, Line::Known]);
}

#[tokio::test]
async fn one_link_pays_for_its_places_and_waits_with_everybody_once_they_are_spent() {
    // HASH-2
    let (gate, world, link) = registered().await;
    let mut draft = world.auth.register_anew(&link).await.unwrap();
    for _ in 0..10 {
        draft = save(&world, Some(&draft)).await.unwrap();
    }
    assert_eq!(gate.take(), [Line::Known; 10]);
    save(&world, Some(&draft)).await.unwrap();
    assert_eq!(gate.take().last(), Some(&Line::Stranger));
    // Another draft of the same link has no places of its own, and none takes those of the link's own page.
    let another = world.auth.register_anew(&link).await.unwrap();
    save(&world, Some(&another)).await.unwrap();
    assert_eq!(gate.take().last(), Some(&Line::Stranger));
    world.activate(&link, OTHER_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_link_that_is_over_is_worth_no_place_among_known_people() {
    // HASH-2, TOK-3
    for used in [false, true] {
        let (gate, world, link) = registered().await;
        world.clock.advance(HOUR * 12 - MINUTE);
        let draft = world.auth.register_anew(&link).await.unwrap();
        if used {
            world.activate(&link, OTHER_PASSWORD).await.unwrap();
        } else {
            world.clock.advance(MINUTE);
        }
        gate.take();
        save(&world, Some(&draft)).await.unwrap();
        assert_eq!(gate.take(), [Line::Stranger], "used: {used}");
    }
}

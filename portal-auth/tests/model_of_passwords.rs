//! A model of one account's password: it is changed, reset, and used to sign in twice, while a weak hash is replaced, in
//! every order of what these acts read and write.
//!
//! Whoever acts reads first, hashes for a long time, and commits. A commit is refused when a row that it writes has changed
//! since it was read: the versions of [`UnitOfWork`](portal_auth::unit_of_work::UnitOfWork).

#![allow(clippy::indexing_slicing, reason = "a model has a few places")]

use stateright::{Checker as _, Model, Property};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// A new hash of the old password is written whatever the account has become.
    RehashUnguarded,
    /// As above, but the hash alone: the epoch stays the new one.
    RehashesHashAlone,
    /// A session gets the epoch of the moment it is written in, instead of the one its password was compared in.
    SessionOfTheMoment,
    /// A new password leaves the epoch as it is.
    EpochStays,
    /// The link of a reset is not judged by its epoch, nor ended with it.
    LinkOutlivesItsEpoch,
    /// A conflict is answered by writing again what was decided before.
    ChangeUnguarded,
}

struct Passwords(Mutant);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Password {
    First,
    Changed,
    Reset,
}

/// `AccountRow`: the hash, and the epoch as the number of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Account {
    password: Password,
    strong: bool,
    epoch: u8,
}

/// Who acts, each once.
const CHANGE: usize = 0;
const RESET: usize = 1;
const LOGINS: [usize; 2] = [2, 3];
const ACTORS: usize = 4;

/// How far an act is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Idle,
    /// It has read this account, which may have changed since.
    Read {
        account: Account,
        changed: bool,
    },
    /// It has signed in, and goes on to replace the weak hash that it has read.
    Rehash {
        account: Account,
        changed: bool,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Session {
    epoch: u8,
    /// The password that this session goes back to.
    password: Password,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    account: Account,
    acts: [Act; ACTORS],
    /// What each of the actors holds.
    sessions: [Option<Session>; ACTORS],
    /// The epoch in which the link of the reset was mailed; `None` once it is over.
    link: Option<u8>,
    /// The password of the last change that was answered with success, or of the beginning.
    chosen: Password,
    was_strong: bool,
    dead_proof_worked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Reads and compares; for a sign-in, with this password.
    Read(usize, Password),
    Commit(usize),
}

impl Passwords {
    fn read(&self, world: &mut World, actor: usize, typed: Password) {
        let account = world.account;
        let may = match actor {
            // `PortalAuth::change_password`: `live_session`, then `OwnPassword::account`.
            CHANGE => world.sessions[CHANGE].is_some_and(|s| s.epoch == account.epoch),
            // `Inner::link_for_password` and `LinkRow::judge`.
            RESET => world
                .link
                .is_some_and(|epoch| epoch == account.epoch || self.0 == Mutant::LinkOutlivesItsEpoch),
            // `PortalAuth::sign_in`: `Attempt::verdict`.
            _ => true,
        };
        if may && typed == account.password {
            world.acts[actor] = Act::Read {
                account,
                changed: false,
            };
        }
    }

    fn commit(&self, world: &mut World, actor: usize) {
        let act = world.acts[actor];
        world.acts[actor] = Act::Idle;
        match (act, actor) {
            (Act::Read { changed, .. }, CHANGE) => self.commit_change(world, changed),
            (Act::Read { changed, .. }, RESET) => self.commit_reset(world, changed),
            (Act::Read { account, changed }, _) => self.commit_session(world, actor, account, changed),
            (Act::Rehash { account, changed }, _) => {
                self.commit_rehash(world, account, changed);
                world.acts[actor] = Act::Over;
            }
            (Act::Idle | Act::Over, _) => {}
        }
    }

    /// `Inner::replace_password`: the version of the account is the guard, and the own session goes on.
    fn commit_change(&self, world: &mut World, changed: bool) {
        if changed && self.0 != Mutant::ChangeUnguarded {
            return;
        }
        let own = world.sessions[CHANGE].map(|s| s.epoch);
        world.dead_proof_worked |= own != Some(world.account.epoch);
        self.choose(world, Password::Changed);
        world.sessions[CHANGE] = Some(Session {
            epoch: world.account.epoch,
            password: Password::Changed,
        });
        world.acts[CHANGE] = Act::Over;
    }

    /// `Inner::reset`: opens no session.
    fn commit_reset(&self, world: &mut World, changed: bool) {
        if changed || world.link.is_none() {
            return;
        }
        world.dead_proof_worked |= world.link != Some(world.account.epoch);
        world.link = None;
        self.choose(world, Password::Reset);
        world.acts[RESET] = Act::Over;
    }

    /// `Inner::in_new_epoch`, `void_pending` and `end_everything`.
    fn choose(&self, world: &mut World, password: Password) {
        let raise = u8::from(self.0 != Mutant::EpochStays);
        world.account = Account {
            password,
            strong: true,
            epoch: world.account.epoch.saturating_add(raise),
        };
        world.chosen = password;
        world.was_strong = true;
        if self.0 != Mutant::LinkOutlivesItsEpoch {
            world.link = None;
        }
        // `Sweep::EndSessions` removes rows that are dead by their epoch already, and none that comes later.
        account_changed(world);
    }

    /// `Attempt::sign_in` and `Inner::add_session`: `Guard::InEpoch`, and a session that carries the epoch that was read.
    fn commit_session(&self, world: &mut World, actor: usize, read: Account, changed: bool) {
        let of_the_moment = self.0 == Mutant::SessionOfTheMoment;
        if !of_the_moment && world.account.epoch != read.epoch {
            return;
        }
        world.sessions[actor] = Some(Session {
            epoch: world.account.epoch,
            password: read.password,
        });
        // The row that was read before the commit is the one that is written over.
        world.acts[actor] = if read.strong {
            Act::Over
        } else {
            Act::Rehash {
                account: read,
                changed,
            }
        };
    }

    /// `Attempt::try_rehash`: the whole row as it was read, with another hash.
    fn commit_rehash(&self, world: &mut World, read: Account, changed: bool) {
        let strong = Account { strong: true, ..read };
        let hash_alone = self.0 == Mutant::RehashesHashAlone;
        if changed && !hash_alone && self.0 != Mutant::RehashUnguarded {
            return;
        }
        let epoch = if hash_alone {
            world.account.epoch
        } else {
            read.epoch
        };
        world.account = Account { epoch, ..strong };
        world.was_strong = true;
        account_changed(world);
    }
}

fn account_changed(world: &mut World) {
    for act in &mut world.acts {
        match act {
            Act::Read { changed, .. } | Act::Rehash { changed, .. } => *changed = true,
            Act::Idle | Act::Over => {}
        }
    }
}

/// The sessions that `Inner::live_session` lets in.
fn live(world: &World) -> impl Iterator<Item = &Session> {
    let epoch = world.account.epoch;
    world.sessions.iter().flatten().filter(move |s| s.epoch == epoch)
}

impl Model for Passwords {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let mut sessions = [None; ACTORS];
        sessions[CHANGE] = Some(Session {
            epoch: 0,
            password: Password::First,
        });
        vec![World {
            account: Account {
                password: Password::First,
                strong: false,
                epoch: 0,
            },
            acts: [Act::Idle; ACTORS],
            sessions,
            link: Some(0),
            chosen: Password::First,
            was_strong: false,
            dead_proof_worked: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for (actor, act) in world.acts.iter().enumerate() {
            match act {
                Act::Idle => {
                    // The owner knows the password in force, and a link of a reset asks for none.
                    steps.push(Step::Read(actor, world.account.password));
                    if LOGINS.contains(&actor) {
                        steps.push(Step::Read(actor, Password::First));
                    }
                }
                Act::Read { .. } | Act::Rehash { .. } => steps.push(Step::Commit(actor)),
                Act::Over => {}
            }
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Read(actor, typed) => self.read(&mut world, actor, typed),
            Step::Commit(actor) => self.commit(&mut world, actor),
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I-17", |_, world: &World| {
                live(world).all(|s| s.password == world.chosen) && !world.dead_proof_worked
            }),
            Property::always("HASH-4", |_, world: &World| {
                world.account.password == world.chosen && world.account.strong == world.was_strong
            }),
            Property::sometimes("a weak hash is replaced", |_, world: &World| {
                world.account.strong && world.chosen == Password::First
            }),
            Property::sometimes("a rehash loses to a change", |_, world: &World| {
                let lost = |at: usize| matches!(world.acts[at], Act::Rehash { changed: true, .. });
                LOGINS.into_iter().any(lost) && world.chosen == Password::Changed
            }),
            Property::sometimes(
                "the owner signs in with the password of the reset",
                |_, world: &World| live(world).any(|s| s.password == Password::Reset),
            ),
            Property::sometimes("a change outruns a reset", |_, world: &World| {
                world.chosen == Password::Changed && world.link.is_none()
            }),
        ]
    }
}

fn explore(mutant: Mutant) -> impl stateright::Checker<Passwords> {
    Passwords(mutant).checker().spawn_bfs().join()
}

#[test]
fn the_password_in_force_is_the_one_chosen_last_in_every_order() {
    explore(Mutant::None).assert_properties();
}

#[test]
fn a_rehash_that_does_not_compare_is_found() {
    let found = explore(Mutant::RehashUnguarded);
    found.assert_any_discovery("HASH-4");
    found.assert_any_discovery("I-17");
    explore(Mutant::RehashesHashAlone).assert_any_discovery("HASH-4");
}

#[test]
fn a_session_of_an_old_password_in_a_new_epoch_is_found() {
    explore(Mutant::SessionOfTheMoment).assert_any_discovery("I-17");
}

#[test]
fn a_change_that_leaves_the_epoch_is_found() {
    explore(Mutant::EpochStays).assert_any_discovery("I-17");
}

#[test]
fn a_link_that_outlives_its_epoch_is_found() {
    explore(Mutant::LinkOutlivesItsEpoch).assert_any_discovery("I-17");
}

#[test]
fn a_change_that_overwrites_a_reset_is_found() {
    explore(Mutant::ChangeUnguarded).assert_any_discovery("I-17");
}

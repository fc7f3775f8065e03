//! A model of signing in with a code: three clients who log in, type codes and ask for new ones at once, in every order
//! of what they read and write, against counters of two and three.
//!
//! Whoever acts reads first and commits later. A commit is refused when a row that it writes has changed since it was
//! read: the versions of [`UnitOfWork`](portal_auth::unit_of_work::UnitOfWork). Here it is taken away as soon as that row
//! changes, which is the same with fewer states.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a model counts with small numbers"
)]

use stateright::{Checker as _, Model, Property};

const CLIENTS: usize = 3;
const CHALLENGES: usize = 2;
const MAILS: u8 = 2;
/// Tries of one challenge: `codes.tries`.
const TRIES: u8 = 2;

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// The verdict is told before the commit that counts it has won.
    ToldBeforeCounted,
    /// Rows are written whatever became of them since they were read.
    WrittenUnguarded,
    /// A new code comes with new tries.
    ResendRefills,
    /// A right code that has read no failures does not look at the account again.
    AccountNotGuarded,
    /// A new sign-in begins to count anew.
    LoginForgets,
}

struct Codes {
    mutant: Mutant,
    /// Wrong codes over everything: `codes.failures_in_a_row`.
    in_a_row: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    Unborn,
    Alive,
    Gone,
}

/// `ChallengeRow`, and what is known about it from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Challenge {
    life: Life,
    tries: u8,
    mails: u8,
    code_no: u8,
    counted: u8,
    told: u8,
    effective: u8,
}

const UNBORN: Challenge = Challenge {
    life: Life::Unborn,
    tries: 0,
    mails: 0,
    code_no: 0,
    counted: 0,
    told: 0,
    effective: 0,
};

/// What somebody has read and not yet committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Flight {
    act: Act,
    challenge: usize,
    tries: u8,
    failures: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Act {
    Login,
    Right,
    Wrong,
    ResendSame,
    ResendNext,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// `AccountRow::code_failures`.
    failures: u8,
    challenges: [Challenge; CHALLENGES],
    /// Sorted: who does something is not told apart from anybody else.
    flights: Vec<Flight>,
    was_reset: bool,
    wrong_since_right: u8,
    right_while_closed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Login(usize),
    /// A code of this number; nobody was ever mailed number 0.
    Type(usize, u8),
    /// The same code, or the next one where half its life is over; a code typed after its end asks for that too.
    Resend(usize, Act),
    Reset,
    Commit(usize),
}

impl Codes {
    /// `Attempt::conclude` reads: `decide` sends a code while the account is not closed.
    fn login(&self, world: &mut World, challenge: usize) {
        if world.failures < self.in_a_row {
            read(world, Act::Login, challenge);
        }
    }

    /// `Inner::check_code` reads, and `code_gate::decide` judges.
    fn type_code(&self, world: &mut World, at: usize, typed: u8) {
        let challenge = world.challenges[at];
        if world.failures >= self.in_a_row {
            return;
        }
        let act = if typed == challenge.code_no {
            Act::Right
        } else {
            Act::Wrong
        };
        if self.mutant == Mutant::ToldBeforeCounted {
            world.challenges[at].told += 1;
        }
        read(world, act, at);
    }

    /// `Inner::mail_code_again` reads.
    fn resend(world: &mut World, at: usize, act: Act) {
        if world.challenges[at].mails < MAILS {
            read(world, act, at);
        }
    }

    fn commit(&self, world: &mut World, at: usize) {
        let flight = world.flights.remove(at);
        match flight.act {
            Act::Login => self.commit_login(world, flight.challenge),
            Act::Right => self.commit_right(world, flight),
            Act::Wrong => self.commit_wrong(world, flight),
            Act::ResendSame | Act::ResendNext => self.commit_resend(world, flight),
        }
    }

    /// The account was written: whoever would write it too has lost.
    fn account_changed(&self, world: &mut World) {
        if self.mutant == Mutant::WrittenUnguarded {
            return;
        }
        world.flights.retain(|flight| match flight.act {
            Act::Right => !self.writes_account(*flight),
            Act::Wrong => false,
            Act::Login | Act::ResendSame | Act::ResendNext => true,
        });
    }

    /// The challenge was written: whoever would write it too has lost.
    fn challenge_changed(&self, world: &mut World, challenge: usize) {
        if self.mutant != Mutant::WrittenUnguarded {
            world.flights.retain(|flight| flight.challenge != challenge);
        }
    }

    /// `Inner::add_challenge`.
    fn commit_login(&self, world: &mut World, at: usize) {
        world.challenges[at] = Challenge {
            life: Life::Alive,
            mails: 1,
            code_no: 1,
            ..UNBORN
        };
        self.challenge_changed(world, at);
        if self.mutant == Mutant::LoginForgets {
            world.failures = 0;
            self.account_changed(world);
        }
    }

    fn writes_account(&self, flight: Flight) -> bool {
        self.mutant != Mutant::AccountNotGuarded || flight.failures != 0
    }

    /// `code_gate::use_up`, with the session of `verify_code`.
    fn commit_right(&self, world: &mut World, flight: Flight) {
        world.right_while_closed |= world.failures >= self.in_a_row;
        if self.writes_account(flight) {
            world.failures = 0;
            self.account_changed(world);
        }
        world.wrong_since_right = 0;
        let challenge = &mut world.challenges[flight.challenge];
        challenge.effective += 1;
        challenge.life = Life::Gone;
        self.count(challenge);
        self.challenge_changed(world, flight.challenge);
    }

    /// `Inner::count_wrong_code`.
    fn commit_wrong(&self, world: &mut World, flight: Flight) {
        world.failures = flight.failures + 1;
        world.wrong_since_right += 1;
        self.account_changed(world);
        let challenge = &mut world.challenges[flight.challenge];
        challenge.tries = flight.tries + 1;
        if challenge.tries >= TRIES || world.failures >= self.in_a_row {
            challenge.life = Life::Gone;
        }
        self.count(challenge);
        self.challenge_changed(world, flight.challenge);
    }

    fn count(&self, challenge: &mut Challenge) {
        challenge.counted += 1;
        if self.mutant != Mutant::ToldBeforeCounted {
            challenge.told += 1;
        }
    }

    /// `Inner::mail_code_again`.
    fn commit_resend(&self, world: &mut World, flight: Flight) {
        let challenge = &mut world.challenges[flight.challenge];
        challenge.mails += 1;
        if flight.act == Act::ResendNext {
            challenge.code_no += 1;
        }
        if self.mutant == Mutant::ResendRefills {
            challenge.tries = 0;
        }
        self.challenge_changed(world, flight.challenge);
    }

    /// `Inner::reset`: a new epoch, which ends challenges and what was read in the old one, and a new count.
    fn reset(&self, world: &mut World) {
        world.was_reset = true;
        (world.failures, world.wrong_since_right) = (0, 0);
        self.account_changed(world);
        for at in 0..CHALLENGES {
            if world.challenges[at].life == Life::Alive {
                world.challenges[at].life = Life::Gone;
            }
            self.challenge_changed(world, at);
        }
    }
}

fn read(world: &mut World, act: Act, challenge: usize) {
    world.flights.push(Flight {
        act,
        challenge,
        tries: world.challenges[challenge].tries,
        failures: world.failures,
    });
}

impl Model for Codes {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            failures: 0,
            challenges: [UNBORN; CHALLENGES],
            flights: Vec::new(),
            was_reset: false,
            wrong_since_right: 0,
            right_while_closed: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        steps.extend((0..world.flights.len()).map(Step::Commit));
        if !world.was_reset {
            steps.push(Step::Reset);
        }
        for (at, challenge) in world.challenges.iter().enumerate() {
            if world.flights.len() == CLIENTS {
                continue;
            }
            match challenge.life {
                Life::Unborn => steps.push(Step::Login(at)),
                Life::Alive => {
                    steps.extend((0..=challenge.code_no).map(|code| Step::Type(at, code)));
                    steps.extend([Act::ResendSame, Act::ResendNext].map(|act| Step::Resend(at, act)));
                }
                Life::Gone => {}
            }
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Login(at) => self.login(&mut world, at),
            Step::Type(at, code) => self.type_code(&mut world, at, code),
            Step::Resend(at, act) => Self::resend(&mut world, at, act),
            Step::Reset => self.reset(&mut world),
            Step::Commit(at) => self.commit(&mut world, at),
        }
        world.flights.sort_unstable();
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I-13", |_, world: &World| {
                world.challenges.iter().all(|c| c.effective <= 1)
            }),
            Property::always("I-15", |_, world: &World| {
                world.failures >= world.wrong_since_right && !world.right_while_closed
            }),
            Property::always("I-16", |_, world: &World| {
                world
                    .challenges
                    .iter()
                    .all(|c| c.told <= c.counted && c.counted <= TRIES)
            }),
            Property::sometimes("a code signs in after a wrong one", |_, world: &World| {
                world.challenges.iter().any(|c| c.tries > 0 && c.effective > 0)
            }),
            Property::sometimes("the account closes", |model: &Self, world: &World| {
                world.failures == model.in_a_row
            }),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world
            .challenges
            .iter()
            .all(|c| c.told <= TRIES + 1 && c.counted <= TRIES + 1)
    }
}

fn explore(mutant: Mutant, in_a_row: u8) -> impl stateright::Checker<Codes> {
    Codes { mutant, in_a_row }.checker().spawn_bfs().join()
}

#[test]
fn codes_keep_their_counts_in_every_order() {
    for in_a_row in [2, 3] {
        explore(Mutant::None, in_a_row).assert_properties();
    }
}

#[test]
fn a_verdict_that_does_not_wait_for_its_commit_is_found() {
    explore(Mutant::ToldBeforeCounted, 3).assert_any_discovery("I-16");
}

#[test]
fn writes_without_versions_are_found() {
    let found = explore(Mutant::WrittenUnguarded, 3);
    for invariant in ["I-13", "I-15", "I-16"] {
        found.assert_any_discovery(invariant);
    }
}

#[test]
fn a_resend_that_refills_is_found() {
    explore(Mutant::ResendRefills, 3).assert_any_discovery("I-16");
}

#[test]
fn a_login_that_forgets_is_found() {
    explore(Mutant::LoginForgets, 3).assert_any_discovery("I-15");
}

#[test]
fn a_right_code_that_has_not_seen_the_account_close_is_found() {
    explore(Mutant::AccountNotGuarded, 2).assert_any_discovery("I-15");
}

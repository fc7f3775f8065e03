//! A model of one address that three people register at once: its owner, a colleague who reads the same mailbox, and an
//! attacker who does not; meanwhile another account of the owner moves to it. All orders of what they read and write.
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

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// A link alone activates.
    NoPassword,
    /// "I did not choose this password" goes on with the draft that the browser holds, whoever began it.
    DraftOfTheBrowser,
    /// Claiming an address that is taken is no conflict.
    ClaimNotUnique,
    /// The address's other registrations wait on.
    NoSweep,
    /// The row of a link that is used is not written.
    LinkNotUsedUp,
}

struct Registrations(Mutant);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Owner,
    Colleague,
    Attacker,
}

use Who::{Attacker, Colleague, Owner};

const PEOPLE: [Who; 3] = [Owner, Colleague, Attacker];
/// Wrong passwords of one link: `registration.wrong_passwords`.
const TRIES: u8 = 2;

impl Who {
    /// The mailbox of the address: whose links somebody can open.
    fn reads_the_mail(self) -> bool {
        self != Attacker
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Draft,
    Submitted,
    GivenUp,
    Overtaken,
    Exhausted,
    Activated,
}

/// `RegistrationRow` and its `LinkRow`; the password in it was typed by the person it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Registration {
    state: State,
    link_live: bool,
    mailed: bool,
    tries: u8,
}

/// A draft with an address that a link has proven: `Draft::proven`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Anew {
    /// Whose registration the link belonged to.
    link: Who,
    /// In whose browser it was opened.
    opened_by: Who,
}

/// What somebody has read and not yet committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Flight {
    Activate(Who),
    SubmitAnew(Anew),
    /// `PortalAuth::confirm_email` of the owner's other account.
    Move,
}

/// An account with the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Account {
    Made {
        /// Whose registration its link belonged to.
        link: Who,
        opened_by: Who,
        /// Who typed the password and the rest.
        data_of: Who,
        /// Who sent the form that made it.
        made_by: Who,
    },
    Moved,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    registrations: [Registration; 3],
    /// Whose browser knows a proven draft, and may fill it in and send it.
    anew: [Option<Anew>; 3],
    flights: [Option<Flight>; 3],
    /// The owner's browser holds a draft that the attacker began.
    planted: bool,
    accounts: Vec<Account>,
    /// Registrations that waited on beside an account that was just made.
    left_waiting: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Submit(Who),
    GiveUp(Who),
    Plant,
    Open(Who, Who),
    OpenAnew(Who, Who),
    SubmitAnew(Who),
    Move,
    Commit(Who),
}

impl Registrations {
    /// `PortalAuth::submit_registration`: a registration, its link and one mail; the owner of an account gets a notice.
    fn submit(world: &mut World, who: Who) {
        let mailed = world.accounts.is_empty();
        world.registrations[who as usize] = Registration {
            state: State::Submitted,
            link_live: true,
            mailed,
            tries: 0,
        };
    }

    /// `PortalAuth::change_registration_address`.
    fn give_up(&self, world: &mut World, who: Who) {
        let own = &mut world.registrations[who as usize];
        own.state = State::GivenUp;
        own.link_live = false;
        self.link_changed(world, who);
    }

    /// `activate::judge_link`, and the same in `Inner::submit_proven`.
    fn works(&self, world: &World, link: Who) -> bool {
        let registration = world.registrations[link as usize];
        let free = world.accounts.is_empty() || self.0 == Mutant::ClaimNotUnique;
        let waits = registration.state == State::Submitted || self.0 == Mutant::LinkNotUsedUp;
        free && waits && registration.link_live
    }

    /// `PortalAuth::register_anew`: a draft of its own, which only this browser knows.
    fn open_anew(&self, world: &mut World, who: Who, link: Who) {
        let anew = Some(Anew { link, opened_by: who });
        world.anew[who as usize] = anew;
        if self.0 == Mutant::DraftOfTheBrowser && who == Owner && world.planted {
            world.anew[Attacker as usize] = anew;
        }
    }

    fn commit(&self, world: &mut World, who: Who) {
        match world.flights[who as usize].take() {
            None => {}
            Some(Flight::Activate(link)) if who == link || self.0 == Mutant::NoPassword => {
                self.complete(world, who, link);
            }
            Some(Flight::Activate(link)) => self.count_wrong_password(world, link),
            Some(Flight::SubmitAnew(anew)) => self.submit_proven(world, who, anew),
            Some(Flight::Move) => self.move_address(world),
        }
    }

    /// `Inner::complete` of `activate`.
    fn complete(&self, world: &mut World, who: Who, link: Who) {
        let made = Account::Made {
            link,
            opened_by: who,
            data_of: link,
            made_by: who,
        };
        if self.add_account(world, made, Some(link)) {
            world.registrations[link as usize].state = State::Activated;
            self.use_up(world, link);
        }
    }

    /// `Inner::submit_proven` of `register`.
    fn submit_proven(&self, world: &mut World, who: Who, anew: Anew) {
        let made = Account::Made {
            link: anew.link,
            opened_by: anew.opened_by,
            data_of: who,
            made_by: who,
        };
        if self.add_account(world, made, None) {
            world.anew[who as usize] = None;
            self.use_up(world, anew.link);
        }
    }

    fn use_up(&self, world: &mut World, link: Who) {
        if self.0 != Mutant::LinkNotUsedUp {
            world.registrations[link as usize].link_live = false;
            self.link_changed(world, link);
        }
    }

    /// `Inner::count_wrong_password` of `activate`.
    fn count_wrong_password(&self, world: &mut World, link: Who) {
        let registration = &mut world.registrations[link as usize];
        registration.tries += 1;
        if registration.tries == TRIES {
            registration.state = State::Exhausted;
            registration.link_live = false;
        }
        self.link_changed(world, link);
    }

    /// `Inner::move_address` of `confirm_email`.
    fn move_address(&self, world: &mut World) {
        self.add_account(world, Account::Moved, None);
    }

    /// `Inner::add_account`: `Change::Claim`, and `Sweep::VoidRegistrations` of all but the one that is used.
    fn add_account(&self, world: &mut World, account: Account, except: Option<Who>) -> bool {
        if !world.accounts.is_empty() && self.0 != Mutant::ClaimNotUnique {
            return false;
        }
        world.accounts.push(account);
        for other in PEOPLE.into_iter().filter(|who| Some(*who) != except) {
            let registration = &mut world.registrations[other as usize];
            if registration.state != State::Submitted {
                continue;
            }
            if self.0 == Mutant::NoSweep {
                world.left_waiting = true;
                continue;
            }
            registration.state = State::Overtaken;
            if self.0 != Mutant::LinkNotUsedUp {
                registration.link_live = false;
                self.link_changed(world, other);
            }
        }
        true
    }

    fn link_changed(&self, world: &mut World, link: Who) {
        for flight in &mut world.flights {
            let lost = match flight {
                Some(Flight::Activate(of)) => *of == link,
                Some(Flight::SubmitAnew(anew)) => anew.link == link,
                Some(Flight::Move) | None => false,
            };
            if lost && self.0 != Mutant::LinkNotUsedUp {
                *flight = None;
            }
        }
    }
}

impl Model for Registrations {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let draft = Registration {
            state: State::Draft,
            link_live: false,
            mailed: false,
            tries: 0,
        };
        vec![World {
            registrations: [draft; 3],
            anew: [None; 3],
            flights: [None; 3],
            planted: false,
            accounts: Vec::new(),
            left_waiting: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if !world.planted {
            steps.push(Step::Plant);
        }
        for who in PEOPLE {
            match world.registrations[who as usize].state {
                State::Draft => steps.push(Step::Submit(who)),
                State::Submitted => steps.push(Step::GiveUp(who)),
                State::GivenUp | State::Overtaken | State::Exhausted | State::Activated => {}
            }
            if world.flights[who as usize].is_some() {
                steps.push(Step::Commit(who));
                continue;
            }
            if world.anew[who as usize].is_some_and(|anew| self.works(world, anew.link)) {
                steps.push(Step::SubmitAnew(who));
            }
            let mailed = |link: &Who| world.registrations[*link as usize].mailed && self.works(world, *link);
            for link in PEOPLE
                .into_iter()
                .filter(|link| who.reads_the_mail() && mailed(link))
            {
                steps.push(Step::Open(who, link));
                steps.push(Step::OpenAnew(who, link));
            }
            if who == Owner && world.accounts.is_empty() {
                steps.push(Step::Move);
            }
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Submit(who) => Self::submit(&mut world, who),
            Step::GiveUp(who) => self.give_up(&mut world, who),
            Step::Plant => world.planted = true,
            Step::Open(who, link) => world.flights[who as usize] = Some(Flight::Activate(link)),
            Step::OpenAnew(who, link) => self.open_anew(&mut world, who, link),
            Step::SubmitAnew(who) => {
                world.flights[who as usize] = world.anew[who as usize].map(Flight::SubmitAnew)
            }
            Step::Move => world.flights[Owner as usize] = Some(Flight::Move),
            Step::Commit(who) => self.commit(&mut world, who),
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I-01", |_, world: &World| {
                world.accounts.iter().all(|account| match *account {
                    Account::Made {
                        link,
                        opened_by,
                        data_of,
                        made_by,
                    } => {
                        let of = world.registrations[link as usize];
                        let used = of.mailed && !of.link_live && opened_by.reads_the_mail();
                        used && data_of == made_by && (data_of == link || made_by == opened_by)
                    }
                    Account::Moved => true,
                })
            }),
            Property::always("I-02", |_, world: &World| world.accounts.len() <= 1),
            Property::always("I-04", |_, world: &World| !world.left_waiting),
            Property::always("I-06", |_, world: &World| {
                world.accounts.iter().all(|account| match account {
                    Account::Made { data_of, .. } => data_of.reads_the_mail(),
                    Account::Moved => true,
                })
            }),
            Property::sometimes("a link and its password make an account", |_, world: &World| {
                let made = |a: &Account| matches!(a, Account::Made { link, data_of, .. } if link == data_of);
                world.accounts.iter().any(made)
            }),
            Property::sometimes(
                "the attacker's link makes an account of the owner's",
                |_, world: &World| {
                    let anew = |a: &Account| {
                        matches!(
                            a,
                            Account::Made {
                                link: Attacker,
                                data_of: Owner,
                                ..
                            }
                        )
                    };
                    world.accounts.iter().any(anew)
                },
            ),
            Property::sometimes("another account is quicker", |_, world: &World| {
                let overtaken = world.registrations.iter().any(|r| r.state == State::Overtaken);
                overtaken && world.accounts == [Account::Moved]
            }),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.accounts.len() <= 2
    }
}

fn explore(mutant: Mutant) -> impl stateright::Checker<Registrations> {
    Registrations(mutant).checker().spawn_bfs().join()
}

#[test]
fn an_address_gets_one_account_of_somebody_who_reads_its_mail_in_every_order() {
    explore(Mutant::None).assert_properties();
}

#[test]
fn a_link_that_asks_for_no_password_is_found() {
    let found = explore(Mutant::NoPassword);
    found.assert_any_discovery("I-01");
    found.assert_any_discovery("I-06");
}

#[test]
fn a_planted_draft_that_is_gone_on_with_is_found() {
    let found = explore(Mutant::DraftOfTheBrowser);
    found.assert_any_discovery("I-01");
    found.assert_any_discovery("I-06");
}

#[test]
fn a_claim_that_is_no_conflict_is_found() {
    explore(Mutant::ClaimNotUnique).assert_any_discovery("I-02");
}

#[test]
fn a_registration_that_waits_on_is_found() {
    explore(Mutant::NoSweep).assert_any_discovery("I-04");
}

#[test]
fn a_link_that_is_not_used_up_is_found() {
    explore(Mutant::LinkNotUsedUp).assert_any_discovery("I-01");
}

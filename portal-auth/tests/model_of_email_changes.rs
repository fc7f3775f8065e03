//! A model of changing an address: two requests at once for two addresses, links that are confirmed, and a new epoch in
//! between, in every order of what these acts read and write.
//!
//! Who asks can read the mail of one of the two addresses only. A commit is refused when a row that it writes has changed
//! since it was read: the versions of [`UnitOfWork`](portal_auth::unit_of_work::UnitOfWork).

#![allow(clippy::indexing_slicing, reason = "a model has a few places")]

use stateright::{Checker as _, Model, Property};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// The token and the address it is for are columns of the account, and are written one after the other: as in Devise,
    /// CVE-2026-32700.
    TokenAndAddressApart,
    /// A link is not judged by its epoch, nor ended with it.
    LinkOutlivesItsEpoch,
    /// A confirmation writes the account whatever it has become.
    ConfirmUnguarded,
    /// A request does not write the account, so that nothing tells it of another.
    AccountNotTouched,
}

struct EmailChanges(Mutant);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Address {
    First,
    /// Of whoever asks.
    Own,
    /// Of somebody else, whose mail nobody here can read.
    Foreign,
}

/// `LinkRow` of a confirmation; its token went to `mailed_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Link {
    mailed_to: Address,
    epoch: u8,
    live: bool,
}

const REQUESTS: usize = 2;
const CONFIRM: usize = 2;
const ACTORS: usize = 3;
const MOST_LINKS: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Act {
    Idle,
    /// `PortalAuth::change_email` has read the account and its live links.
    Asking {
        to: Address,
        live: Vec<usize>,
        epoch: u8,
        changed: bool,
    },
    /// The mutant has written one of its two columns.
    HalfWritten {
        to: Address,
        epoch: u8,
    },
    /// `PortalAuth::confirm_email` has read the link and the account.
    Confirming {
        link: usize,
        changed: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    email: Address,
    epoch: u8,
    links: Vec<Link>,
    acts: [Act; ACTORS],
    /// Which link moved the account here, and the epoch it was in then.
    moved_by: Option<(Link, u8)>,
    /// The mutant's column; the token is the link that is live.
    pending: Option<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Ask(usize, Address),
    Commit(usize),
    Confirm(usize),
    NewEpoch,
}

impl EmailChanges {
    fn ask(&self, world: &mut World, actor: usize, to: Address) {
        let live = (0..world.links.len())
            .filter(|at| world.links[*at].live)
            .collect();
        let epoch = world.epoch;
        world.acts[actor] = Act::Asking {
            to,
            live,
            epoch,
            changed: false,
        };
    }

    fn confirm(&self, world: &mut World, link: usize) {
        if self.judge(world, link) {
            world.acts[CONFIRM] = Act::Confirming { link, changed: false };
        }
    }

    /// `LinkRow::judge`.
    fn judge(&self, world: &World, link: usize) -> bool {
        let link = world.links[link];
        link.live && (link.epoch == world.epoch || self.0 == Mutant::LinkOutlivesItsEpoch)
    }

    fn commit(&self, world: &mut World, actor: usize) {
        match std::mem::replace(&mut world.acts[actor], Act::Idle) {
            Act::Idle => {}
            Act::Asking { to, epoch, .. } if self.0 == Mutant::TokenAndAddressApart => {
                world.pending = Some(to);
                world.acts[actor] = Act::HalfWritten { to, epoch };
            }
            Act::HalfWritten { to, epoch } => {
                for link in &mut world.links {
                    link.live = false;
                }
                mail_link(world, to, epoch);
            }
            Act::Asking {
                to,
                live,
                epoch,
                changed,
            } => {
                if !changed {
                    self.commit_request(world, to, &live, epoch);
                }
            }
            Act::Confirming { link, changed } => {
                if !changed || self.0 == Mutant::ConfirmUnguarded {
                    self.commit_move(world, link);
                }
            }
        }
    }

    /// `Inner::begin_email_change` and `Inner::pend`: one unit of work with the account's version, the links that were
    /// read, and the new one; the same address keeps its link.
    fn commit_request(&self, world: &mut World, to: Address, read: &[usize], epoch: u8) {
        let same = read
            .iter()
            .copied()
            .find(|at| world.links[*at].mailed_to == to && world.links[*at].epoch == epoch);
        for at in read.iter().copied().filter(|at| Some(*at) != same) {
            world.links[at].live = false;
        }
        if same.is_none() {
            mail_link(world, to, epoch);
        }
        if self.0 != Mutant::AccountNotTouched {
            account_changed(world);
        }
    }

    /// `Inner::move_address`: link, both claims and the account with a new epoch.
    fn commit_move(&self, world: &mut World, at: usize) {
        let link = world.links[at];
        world.moved_by = Some((link, world.epoch));
        let pending = world.pending.filter(|_| self.0 == Mutant::TokenAndAddressApart);
        world.email = pending.unwrap_or(link.mailed_to);
        world.links[at].live = false;
        self.new_epoch(world);
    }

    /// `Inner::in_new_epoch` and `account_links::void_pending`, of every act that replaces the epoch.
    fn new_epoch(&self, world: &mut World) {
        world.epoch = world.epoch.saturating_add(1);
        if self.0 != Mutant::LinkOutlivesItsEpoch {
            for link in &mut world.links {
                link.live = false;
            }
        }
        world.pending = None;
        account_changed(world);
    }
}

fn mail_link(world: &mut World, to: Address, epoch: u8) {
    world.links.push(Link {
        mailed_to: to,
        epoch,
        live: true,
    });
}

fn account_changed(world: &mut World) {
    for act in &mut world.acts {
        match act {
            Act::Asking { changed, .. } | Act::Confirming { changed, .. } => *changed = true,
            Act::Idle | Act::HalfWritten { .. } => {}
        }
    }
}

impl Model for EmailChanges {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            email: Address::First,
            epoch: 0,
            links: Vec::new(),
            acts: [Act::Idle, Act::Idle, Act::Idle],
            moved_by: None,
            pending: None,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for actor in 0..ACTORS {
            match world.acts[actor] {
                Act::Idle if actor < REQUESTS => {
                    steps.push(Step::Ask(actor, Address::Own));
                    steps.push(Step::Ask(actor, Address::Foreign));
                }
                Act::Idle => steps.extend(
                    (0..world.links.len())
                        .filter(|at| world.links[*at].mailed_to == Address::Own)
                        .map(Step::Confirm),
                ),
                Act::Asking { .. } | Act::HalfWritten { .. } | Act::Confirming { .. } => {
                    steps.push(Step::Commit(actor));
                }
            }
        }
        if world.epoch == 0 {
            steps.push(Step::NewEpoch);
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Ask(actor, to) => self.ask(&mut world, actor, to),
            Step::Commit(actor) => self.commit(&mut world, actor),
            Step::Confirm(link) => self.confirm(&mut world, link),
            Step::NewEpoch => self.new_epoch(&mut world),
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I-10", |_, world: &World| {
                world
                    .moved_by
                    .is_none_or(|(link, epoch)| link.mailed_to == world.email && link.epoch == epoch)
            }),
            Property::always("CHG-2: one change waits", |model: &Self, world: &World| {
                (0..world.links.len())
                    .filter(|at| model.judge(world, *at))
                    .count()
                    <= 1
            }),
            Property::sometimes("the address moves", |_, world: &World| {
                world.email == Address::Own
            }),
            Property::sometimes("a second request replaces the first", |_, world: &World| {
                matches!(
                    world.links.as_slice(),
                    [Link { live: false, .. }, Link { live: true, .. }]
                )
            }),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.links.len() <= MOST_LINKS && world.epoch <= 2
    }
}

fn explore(mutant: Mutant) -> impl stateright::Checker<EmailChanges> {
    EmailChanges(mutant).checker().spawn_bfs().join()
}

#[test]
fn an_address_moves_only_by_a_link_that_was_mailed_to_it_in_every_order() {
    explore(Mutant::None).assert_properties();
}

#[test]
fn a_token_and_an_address_that_are_written_apart_are_found() {
    explore(Mutant::TokenAndAddressApart).assert_any_discovery("I-10");
}

#[test]
fn a_link_that_outlives_its_epoch_is_found() {
    explore(Mutant::LinkOutlivesItsEpoch).assert_any_discovery("I-10");
}

#[test]
fn a_confirmation_without_a_version_is_found() {
    explore(Mutant::ConfirmUnguarded).assert_any_discovery("I-10");
}

#[test]
fn a_request_that_does_not_touch_the_account_is_found() {
    explore(Mutant::AccountNotTouched).assert_any_discovery("CHG-2: one change waits");
}

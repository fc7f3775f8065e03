//! Sweeps: everything that a decision ends, ended in its commit, and nothing of anybody else.

use std::sync::Arc;

use super::{conflict, insert, update, with_account, write};
use crate::account::snapshot::AccountRow;
use crate::challenge::ChallengeRow;
use crate::device::DeviceRow;
use crate::link::{LinkPurpose, LinkRow, LinkState, LinkSubject};
use crate::registration::{RegistrationRow, RegistrationState};
use crate::session::SessionRow;
use crate::store::Store;
use crate::testkit::rows;
use crate::unit_of_work::{Change, Sweep};

async fn sweep(store: &dyn Store, sweep: Sweep) {
    write(store, rows::work().sweep(sweep)).await;
}

async fn link(store: &dyn Store, n: u32) -> LinkRow {
    let view = store.by_link(rows::link_key(n)).await.expect("answered");
    view.expect("the link is there").link
}

/// What a voided link leaves behind.
fn voided(link: &LinkRow, state: LinkState, seconds: u64) -> LinkRow {
    LinkRow {
        version: link.version + 1,
        ..link.ended(state, rows::at(seconds))
    }
}

/// Success voids all siblings (TOK-6); what has ended before keeps how and when it ended.
pub async fn voiding_links_ends_live_ones_of_the_subject_and_wipes_their_secret(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let live = [rows::reset_link(1, &account), rows::reset_link(2, &account)];
    let used = rows::reset_link(3, &account).ended(LinkState::Used, rows::at(1));
    let foreign = rows::reset_link(4, &other);
    // A registration may have the same sixteen bytes for a name as an account.
    let namesake = LinkRow {
        subject: LinkSubject::Registration(rows::registration_id(1)),
        ..rows::reset_link(5, &account)
    };
    let activation = LinkRow {
        purpose: LinkPurpose::Activate,
        ..rows::reset_link(6, &account)
    };
    let mut work = rows::work();
    for row in live.iter().chain([&used, &foreign, &namesake, &activation]) {
        work = work.change(Change::Link(insert(row)));
    }
    write(store, work).await;
    let void = |purpose, state, seconds| Sweep::VoidLinks {
        subject: LinkSubject::Account(account.id),
        purpose,
        state,
        now: rows::at(seconds),
    };
    sweep(
        store,
        void(Some(LinkPurpose::ResetPassword), LinkState::Replaced, 5),
    )
    .await;
    for row in &live {
        let n = row.key.as_bytes()[15].into();
        assert_eq!(link(store, n).await, voided(row, LinkState::Replaced, 5));
    }
    for (n, row) in [(3, &used), (4, &foreign), (5, &namesake), (6, &activation)] {
        assert_eq!(link(store, n).await, *row);
    }
    sweep(store, void(None, LinkState::Void, 6)).await;
    assert_eq!(link(store, 6).await, voided(&activation, LinkState::Void, 6));
    assert_eq!(link(store, 1).await, voided(&live[0], LinkState::Replaced, 5));
}

/// Whoever read a link before it was voided cannot use it after: its version has moved (TOK-4).
pub async fn a_link_that_was_voided_cannot_be_used_by_who_read_it_before(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let registration = rows::registration(2, rows::email(2));
    let reset = rows::reset_link(1, &account);
    let activation = rows::activation_link(&registration);
    let work = rows::work()
        .change(Change::Registration(insert(&registration)))
        .change(Change::Link(insert(&reset)))
        .change(Change::Link(insert(&activation)));
    write(store, work).await;
    let work = rows::work()
        .sweep(Sweep::VoidLinks {
            subject: LinkSubject::Account(account.id),
            purpose: None,
            state: LinkState::Void,
            now: rows::at(1),
        })
        .sweep(Sweep::VoidRegistrations {
            email: registration.email.clone(),
            except: None,
            state: RegistrationState::Overtaken,
            now: rows::at(1),
        });
    write(store, work).await;
    for link in [reset, activation] {
        let used = link.ended(LinkState::Used, rows::at(2));
        let use_it = rows::work().change(Change::Link(update(&used)));
        conflict(store, use_it, "a voided link").await;
    }
    let mut activated = registration.clone();
    activated.state = RegistrationState::Activated;
    let activate = rows::work().change(Change::Registration(update(&activated)));
    conflict(store, activate, "an overtaken registration").await;
}

/// When one registration of an address is completed, the address's others end with their links (I-01).
pub async fn voiding_registrations_ends_those_that_wait_with_their_links(store: Arc<dyn Store>) {
    let store = &*store;
    let address = rows::email(1);
    let mine = rows::registration(1, address.clone());
    let rival = rows::registration(2, address.clone());
    let given_up = RegistrationRow {
        state: RegistrationState::GivenUp,
        ..rows::registration(3, address.clone())
    };
    let elsewhere = rows::registration(4, rows::email(4));
    let mut work = rows::work();
    for row in [&mine, &rival, &given_up, &elsewhere] {
        work = work
            .change(Change::Registration(insert(row)))
            .change(Change::Link(insert(&rows::activation_link(row))));
    }
    write(store, work).await;
    sweep(
        store,
        Sweep::VoidRegistrations {
            email: address,
            except: Some(mine.id),
            state: RegistrationState::Overtaken,
            now: rows::at(7),
        },
    )
    .await;
    for row in [&mine, &given_up, &elsewhere] {
        let view = store
            .by_registration(row.id)
            .await
            .expect("answered")
            .expect("there");
        assert_eq!(view.registration, *row);
        assert_eq!(view.link, Some(rows::activation_link(row)));
    }
    let view = store
        .by_registration(rival.id)
        .await
        .expect("answered")
        .expect("there");
    let overtaken = RegistrationRow {
        state: RegistrationState::Overtaken,
        data: None,
        version: 2,
        ..rival.clone()
    };
    assert_eq!(view.registration, overtaken);
    let link = voided(&rows::activation_link(&rival), LinkState::Void, 7);
    assert_eq!(view.link, Some(link));
}

/// Signing out everywhere ends one account's sessions and nobody else's.
pub async fn ending_sessions_and_challenges_spares_other_accounts(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let mut work = rows::work();
    for (n, owner) in [(1, &account), (2, &account), (3, &account), (4, &other)] {
        work = work
            .change(Change::Session(insert(&rows::session(n, owner))))
            .change(Change::Challenge(insert(&rows::challenge(n, owner))));
    }
    write(store, work).await;
    let key = |n| rows::session(n, &account).key;
    let challenge = |n| rows::challenge(n, &account).key;
    sweep(store, Sweep::EndSession(key(1))).await;
    sweep(store, Sweep::EndChallenge(challenge(1))).await;
    assert_eq!(sessions(store).await, [2, 3, 4]);
    assert_eq!(challenges(store).await, [2, 3, 4]);
    let but_one = Sweep::EndSessions {
        account: account.id,
        except: Some(key(2)),
    };
    sweep(store, but_one).await;
    assert_eq!(sessions(store).await, [2, 4]);
    let all = Sweep::EndSessions {
        account: account.id,
        except: None,
    };
    sweep(store, all).await;
    sweep(store, Sweep::EndChallenges(account.id)).await;
    assert_eq!(sessions(store).await, [4]);
    assert_eq!(challenges(store).await, [4]);
}

/// Which of the sessions 1 to 9 are there.
async fn sessions(store: &dyn Store) -> Vec<u32> {
    let mut there = Vec::new();
    for n in 1..=9 {
        let key = rows::session(n, &rows::account(1)).key;
        if store.session(key).await.expect("answered").is_some() {
            there.push(n);
        }
    }
    there
}

/// Which of the challenges 1 to 9 are there.
async fn challenges(store: &dyn Store) -> Vec<u32> {
    let mut there = Vec::new();
    for n in 1..=9 {
        let key = rows::challenge(n, &rows::account(1)).key;
        if store.by_challenge(key).await.expect("answered").is_some() {
            there.push(n);
        }
    }
    there
}

fn aged_session(n: u32, account: &AccountRow, age: u64) -> SessionRow {
    SessionRow {
        created_at: rows::at(age),
        // Use does not make a session newer: it is the sign-in that counts.
        last_seen: rows::at(100 - age),
        ..rows::session(n, account)
    }
}

/// The sign-in that is one too many ends the oldest session, in its own commit (SES-8).
pub async fn the_newest_sessions_are_kept(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let keep = |keep| Sweep::KeepNewestSessions {
        account: account.id,
        keep,
    };
    let mut work = rows::work().change(Change::Session(insert(&aged_session(5, &other, 0))));
    for (n, age) in [(1, 30), (2, 10), (3, 20)] {
        work = work.change(Change::Session(insert(&aged_session(n, &account, age))));
    }
    write(store, work.sweep(keep(3))).await;
    assert_eq!(sessions(store).await, [1, 2, 3, 5]);
    let fourth = rows::work()
        .change(Change::Session(insert(&aged_session(4, &account, 40))))
        .sweep(keep(3));
    write(store, fourth).await;
    assert_eq!(sessions(store).await, [1, 3, 4, 5]);
    // Sessions of the same microsecond: whichever goes, as many stay as were asked for.
    let twin = aged_session(6, &account, 40);
    write(
        store,
        rows::work().change(Change::Session(insert(&twin))).sweep(keep(1)),
    )
    .await;
    assert_eq!(store.sessions_of(account.id).await.expect("answered").len(), 1);
    sweep(store, keep(0)).await;
    assert_eq!(sessions(store).await, [5]);
}

/// Half-done sign-ins: the oldest ends (OTP-7).
pub async fn the_newest_challenges_are_kept(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let mut work = rows::work().change(Change::Challenge(insert(&rows::challenge(5, &other))));
    for (n, age) in [(1, 30), (2, 10), (3, 20)] {
        work = work.change(Change::Challenge(insert(&ChallengeRow {
            created_at: rows::at(age),
            ..rows::challenge(n, &account)
        })));
    }
    let keep = Sweep::KeepNewestChallenges {
        account: account.id,
        keep: 2,
    };
    write(store, work.sweep(keep)).await;
    assert_eq!(challenges(store).await, [1, 3, 5]);
}

/// Familiar devices: the one used longest ago becomes unfamiliar (THR-1).
pub async fn the_devices_used_last_are_kept(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let mut work = rows::work().change(Change::Device(rows::device(2, &other)));
    for (n, age) in [(1, 30), (2, 10), (3, 20)] {
        work = work.change(Change::Device(DeviceRow {
            last_used: rows::at(age),
            ..rows::device(n, &account)
        }));
    }
    let keep = Sweep::KeepNewestDevices {
        account: account.id,
        keep: 2,
    };
    write(store, work.sweep(keep)).await;
    for (n, owner, there) in [
        (1, &account, true),
        (2, &account, false),
        (3, &account, true),
        (2, &other, true),
    ] {
        let device = Some(rows::device(n, owner).device);
        let view = store.by_email(&owner.email, device).await.expect("answered");
        assert_eq!(view.device.is_some(), there, "device {n}");
    }
}

/// Ending what has ended is no conflict: a second sign-out is harmless (SES-4).
pub async fn a_sweep_that_hits_nothing_is_fine(store: Arc<dyn Store>) {
    let account = rows::account(1);
    let id = account.id;
    let work = rows::work()
        .sweep(Sweep::EndSession(rows::session(1, &account).key))
        .sweep(Sweep::EndSessions {
            account: id,
            except: None,
        })
        .sweep(Sweep::KeepNewestSessions { account: id, keep: 1 })
        .sweep(Sweep::EndChallenge(rows::challenge(1, &account).key))
        .sweep(Sweep::EndChallenges(id))
        .sweep(Sweep::KeepNewestChallenges { account: id, keep: 1 })
        .sweep(Sweep::KeepNewestDevices { account: id, keep: 1 })
        .sweep(Sweep::VoidLinks {
            subject: LinkSubject::Account(id),
            purpose: None,
            state: LinkState::Void,
            now: rows::T0,
        })
        .sweep(Sweep::VoidRegistrations {
            email: rows::email(1),
            except: None,
            state: RegistrationState::Overtaken,
            now: rows::T0,
        });
    write(&*store, work).await;
}

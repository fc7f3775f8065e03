//! Each change hits exactly one row, under the version it was read with.

use std::sync::Arc;

use super::{conflict, insert, update, with_account, write};
use crate::account::snapshot::AccountRow;
use crate::challenge::ChallengeRow;
use crate::device::DeviceRow;
use crate::link::{LinkRow, LinkState};
use crate::registration::{RegistrationRow, RegistrationState};
use crate::session::Level;
use crate::store::Store;
use crate::testkit::rows;
use crate::unit_of_work::{Change, Guard, Write};

struct Rows {
    account: AccountRow,
    registration: RegistrationRow,
    link: LinkRow,
    challenge: ChallengeRow,
}

impl Rows {
    fn new(n: u32) -> Self {
        let account = rows::account(n);
        let registration = rows::registration(n, rows::email(n));
        Self {
            link: rows::activation_link(&registration),
            challenge: rows::challenge(n, &account),
            registration,
            account,
        }
    }

    fn inserts(&self) -> [Change; 6] {
        let n = self.account.id.as_bytes()[15].into();
        [
            Change::Account(insert(&self.account)),
            Change::Registration(insert(&self.registration)),
            Change::Link(insert(&self.link)),
            Change::Challenge(insert(&self.challenge)),
            Change::Session(insert(&rows::session(n, &self.account))),
            Change::Draft(insert(&rows::draft(n))),
        ]
    }

    /// Each of the versioned rows, changed a little, as an update of `version`.
    fn updates(&self, version: i64) -> [Change; 5] {
        let n = self.account.id.as_bytes()[15].into();
        let mut draft = rows::draft(n);
        (draft.body, draft.version) = (format!("[{version}]"), version);
        [
            Change::Account(update(&AccountRow {
                code_failures: 7,
                version,
                ..self.account.clone()
            })),
            Change::Registration(update(&RegistrationRow {
                state: RegistrationState::GivenUp,
                data: None,
                version,
                ..self.registration.clone()
            })),
            Change::Link(update(&LinkRow {
                version,
                ..self.link.ended(LinkState::Used, rows::at(1))
            })),
            Change::Challenge(update(&ChallengeRow {
                tries: 3,
                version,
                ..self.challenge.clone()
            })),
            Change::Draft(update(&draft)),
        ]
    }

    fn deletes(&self) -> [Change; 6] {
        let n = self.account.id.as_bytes()[15].into();
        [
            Change::Session(Box::new(Write::Delete(rows::session(n, &self.account).key))),
            Change::Challenge(Box::new(Write::Delete(self.challenge.key))),
            Change::Link(Box::new(Write::Delete(self.link.key))),
            Change::Registration(Box::new(Write::Delete(self.registration.id))),
            Change::Draft(Box::new(Write::Delete(rows::draft(n).key))),
            Change::Account(Box::new(Write::Delete(self.account.id))),
        ]
    }

    async fn write_all(store: &dyn Store, n: u32) -> Self {
        let all = Self::new(n);
        let work = all
            .inserts()
            .into_iter()
            .fold(rows::work(), |work, c| work.change(c));
        write(store, work).await;
        all
    }

    async fn are_as_inserted(&self, store: &dyn Store) {
        let n = self.account.id.as_bytes()[15].into();
        assert_eq!(
            store.by_id(self.account.id).await.expect("answered"),
            Some(self.account.clone())
        );
        let registration = store
            .by_registration(self.registration.id)
            .await
            .expect("answered");
        let registration = registration.expect("the registration is there");
        assert_eq!(registration.registration, self.registration);
        assert_eq!(registration.link, Some(self.link.clone()));
        let challenge = store.by_challenge(self.challenge.key).await.expect("answered");
        assert_eq!(challenge.map(|c| c.0), Some(self.challenge.clone()));
        let draft = rows::draft(n);
        assert_eq!(store.load(draft.key).await.expect("answered"), Some(draft));
        let session = rows::session(n, &self.account);
        let found = store.session(session.key).await.expect("answered");
        assert_eq!(found.map(|s| s.session), Some(session));
    }
}

/// A key that is there is never overwritten by an insert.
pub async fn inserting_a_taken_key_is_a_conflict(store: Arc<dyn Store>) {
    let all = Rows::write_all(&*store, 1).await;
    let mut other = Rows::new(1);
    other.account.password = rows::hash(9);
    other.registration.email = rows::email(9);
    other.link.tries = 9;
    other.challenge.tries = 9;
    for change in other.inserts() {
        let what = format!("{change:?}");
        conflict(&*store, rows::work().change(change), &what).await;
    }
    all.are_as_inserted(&*store).await;
}

/// An update applies only to the version that was read: else two decisions of the same moment both happen (TOK-4).
pub async fn an_update_of_a_stale_version_is_a_conflict(store: Arc<dyn Store>) {
    let all = Rows::write_all(&*store, 1).await;
    for wrong in [0, 2, -1, i64::MAX - 1] {
        for change in all.updates(wrong) {
            let what = format!("{change:?}");
            conflict(&*store, rows::work().change(change), &what).await;
        }
    }
    all.are_as_inserted(&*store).await;
}

/// An update applies once; the stored version is then one higher.
pub async fn an_update_raises_the_version_by_one(store: Arc<dyn Store>) {
    let all = Rows::write_all(&*store, 1).await;
    let other = Rows::write_all(&*store, 2).await;
    for version in [1, 2] {
        for change in all.updates(version) {
            write(&*store, rows::work().change(change.clone())).await;
            conflict(&*store, rows::work().change(change), "the same update again").await;
        }
    }
    let account = store
        .by_id(all.account.id)
        .await
        .expect("answered")
        .expect("there");
    assert_eq!((account.version, account.code_failures), (3, 7));
    let view = store
        .by_registration(all.registration.id)
        .await
        .expect("answered");
    let view = view.expect("there");
    assert_eq!(view.registration.version, 3);
    assert_eq!(view.registration.data, None);
    let link = view.link.expect("there");
    assert_eq!((link.version, link.state, link.seed), (3, LinkState::Used, None));
    let (challenge, _) = store
        .by_challenge(all.challenge.key)
        .await
        .expect("answered")
        .expect("there");
    assert_eq!((challenge.version, challenge.tries), (3, 3));
    let draft = store
        .load(rows::draft(1).key)
        .await
        .expect("answered")
        .expect("there");
    assert_eq!((draft.version, draft.body.as_str()), (3, "[2]"));
    other.are_as_inserted(&*store).await;
}

/// A change that hits no row is a conflict, not a silent success.
pub async fn updating_or_deleting_a_missing_row_is_a_conflict(store: Arc<dyn Store>) {
    let missing = Rows::new(1);
    for change in missing.updates(1).into_iter().chain(missing.deletes()) {
        let what = format!("{change:?}");
        conflict(&*store, rows::work().change(change), &what).await;
    }
    assert_eq!(store.by_id(missing.account.id).await.expect("answered"), None);
}

/// A delete removes exactly the row it names.
pub async fn a_delete_removes_its_row_and_no_other(store: Arc<dyn Store>) {
    let gone = Rows::write_all(&*store, 1).await;
    let other = Rows::write_all(&*store, 2).await;
    for change in gone.deletes() {
        write(&*store, rows::work().change(change.clone())).await;
        conflict(&*store, rows::work().change(change), "deleting it again").await;
    }
    assert_eq!(store.by_id(gone.account.id).await.expect("answered"), None);
    assert_eq!(store.by_link(gone.link.key).await.expect("answered"), None);
    other.are_as_inserted(&*store).await;
}

/// What a session proves was proved when it was made: no write raises its level (STP-1).
pub async fn a_session_is_never_updated(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    let mut session = rows::session(1, &account);
    write(&*store, rows::work().change(Change::Session(insert(&session)))).await;
    session.level = Level::Two;
    let raise = rows::work().change(Change::Session(update(&session)));
    conflict(&*store, raise, "an update of a session").await;
    let view = store
        .session(session.key)
        .await
        .expect("answered")
        .expect("there");
    assert_eq!(view.session.level, Level::One);
}

/// A device is a row per browser and account: written again, it is replaced; of another account, it is another.
pub async fn a_device_is_replaced_where_it_is_known(store: Arc<dyn Store>) {
    let (one, two) = (with_account(&*store, 1).await, with_account(&*store, 2).await);
    let first = rows::device(1, &one);
    let again = DeviceRow {
        epoch: rows::epoch(9),
        last_used: rows::at(60),
        ..first.clone()
    };
    let others = rows::device(1, &two);
    for device in [&first, &others, &again] {
        write(&*store, rows::work().change(Change::Device(device.clone()))).await;
    }
    let device = Some(first.device);
    let found = store.by_email(&one.email, device).await.expect("answered");
    assert_eq!(found.device, Some(again));
    let found = store.by_email(&two.email, device).await.expect("answered");
    assert_eq!(found.device, Some(others));
}

/// Of two accounts, one has an address (I-02).
pub async fn an_address_belongs_to_one_account_at_a_time(store: Arc<dyn Store>) {
    let one = with_account(&*store, 1).await;
    let two = with_account(&*store, 2).await;
    let claim = |account| {
        rows::work().change(Change::Claim {
            email: one.email.clone(),
            account,
        })
    };
    let unclaim = |account| {
        rows::work().change(Change::Unclaim {
            email: one.email.clone(),
            account,
        })
    };
    conflict(&*store, claim(two.id), "a taken address").await;
    conflict(&*store, claim(one.id), "an address it has already").await;
    conflict(&*store, unclaim(two.id), "giving up somebody else's address").await;
    let guarded = rows::work().guard(Guard::Unclaimed(one.email.clone()));
    conflict(&*store, guarded.clone(), "the address is claimed").await;
    write(&*store, unclaim(one.id)).await;
    conflict(&*store, unclaim(one.id), "an address nobody has").await;
    write(&*store, guarded).await;
    write(&*store, claim(two.id)).await;
    let found = store.by_email(&one.email, None).await.expect("answered");
    assert_eq!(found.account.map(|a| a.id), Some(two.id));
}

/// Changing an address gives up the old one and claims the new one in the same commit, or neither.
pub async fn an_address_moves_to_another_in_one_commit(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    with_account(&*store, 2).await;
    let moved = |to: u32| {
        let mut next = account.clone();
        next.email = rows::email(to);
        rows::work()
            .change(Change::Account(update(&next)))
            .change(Change::Unclaim {
                email: account.email.clone(),
                account: account.id,
            })
            .change(Change::Claim {
                email: rows::email(to),
                account: account.id,
            })
    };
    conflict(&*store, moved(2), "the new address is taken").await;
    let found = store.by_email(&account.email, None).await.expect("answered");
    assert_eq!(found.account.as_ref(), Some(&account));
    write(&*store, moved(3)).await;
    let old = store.by_email(&account.email, None).await.expect("answered");
    assert_eq!(old.account, None);
    let new = store.by_email(&rows::email(3), None).await.expect("answered");
    let new = new.account.expect("the address moved");
    assert_eq!(
        (new.id, new.email.clone(), new.version),
        (account.id, rows::email(3), 2)
    );
}

/// A later change sees what an earlier one of the same commit did.
pub async fn changes_are_applied_in_their_order(store: Arc<dyn Store>) {
    let one = with_account(&*store, 1).await;
    let handed_over = rows::work()
        .change(Change::Unclaim {
            email: one.email.clone(),
            account: one.id,
        })
        .change(Change::Account(insert(&rows::account(2))))
        .change(Change::Claim {
            email: one.email.clone(),
            account: rows::account_id(2),
        });
    write(&*store, handed_over).await;
    let found = store.by_email(&one.email, None).await.expect("answered");
    assert_eq!(found.account.map(|a| a.id), Some(rows::account_id(2)));
    let draft = rows::draft(1);
    let late = rows::work()
        .change(Change::Draft(Box::new(Write::Delete(draft.key))))
        .change(Change::Draft(insert(&draft)));
    conflict(&*store, late, "deleted before it was inserted").await;
    assert_eq!(store.load(draft.key).await.expect("answered"), None);
}

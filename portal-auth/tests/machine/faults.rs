//! Promises that a store can be told to break, so that each invariant is seen to bite.

use std::sync::PoisonError;

use portal_auth::account::email::EmailAddress;
use portal_auth::account::recovery::Recovery;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::account::status::{AuthEpoch, Status, TwoStep};
use portal_auth::challenge::ChallengeRow;
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkPurpose, LinkState};
use portal_auth::registration::RegistrationState;
use portal_auth::session::{Level, SessionView};
use portal_auth::store::{AccountStore as _, StoreError};
use portal_auth::testkit::rows;
use portal_auth::throttle::Settle;
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};

use super::recorder::Recorder;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Addresses are not claimed.
    NobodyClaims,
    /// A registration that waits is shown as an account.
    PendingsAreAccounts,
    /// All registrations of an address share the newest one's password.
    OnePasswordPerAddress,
    /// An account is made with the data of another registration of its address.
    MixesRegistrations,
    /// Registrations that lost their address still wait.
    LosersWait,
    LinksOutliveTheirTime,
    /// Disabled and closed accounts are shown as active.
    EverybodyIsActive,
    /// The last save of a draft is lost.
    KeepsTheFirstDraft,
    /// The address that is asked for stands beside the token, not in its row (Devise CVE-2026-32700).
    ReadsAddressApart,
    /// What a link did is written, its end is not.
    LinksStayLive,
    /// What a code did is written, its end is not.
    ChallengesStay,
    /// A challenge's epoch is not compared.
    ChallengesOutliveTheirEpoch,
    /// Wrong codes do not count on the account.
    ForgetsFailures,
    /// Wrong codes do not count on the challenge.
    ForgetsTries,
    /// A session's epoch is not compared.
    SessionsOutliveTheirEpoch,
    /// The epoch stays what it was.
    KeepsTheEpoch,
    NobodyIsIdle,
    NobodyIsSignedOutAtNight,
    EverybodyIsAtTwo,
    EverybodyIsConfirmed,
    NothingIsEverClosed,
    /// Whoever is right clears their network.
    TheRightClearTheirNetwork,
    MailsCostNothing,
    /// Everything is told twice.
    TellsTwice,
}

impl Fault {
    pub(super) fn read_account(self, mut row: AccountRow) -> AccountRow {
        match self {
            Self::EverybodyIsActive => row.status = Status::Active,
            Self::ForgetsFailures => row.code_failures = 0,
            _ => {}
        }
        row
    }

    pub(super) fn read_challenge(self, mut row: ChallengeRow) -> ChallengeRow {
        if self == Self::ForgetsTries {
            row.tries = 0;
        }
        row
    }

    pub(super) fn read_session(self, mut view: SessionView, now: Timestamp) -> SessionView {
        match self {
            Self::SessionsOutliveTheirEpoch => view.session.epoch = view.account_epoch,
            Self::EverybodyIsActive => view.account_status = Status::Active,
            Self::NobodyIsIdle => view.session.last_seen = now,
            Self::NobodyIsSignedOutAtNight => {
                view.session.expires_at = Timestamp::MAX;
                view.session.last_seen = now;
            }
            Self::EverybodyIsAtTwo => view.session.level = Level::Two,
            Self::EverybodyIsConfirmed => view.session.confirmed_at = now,
            _ => {}
        }
        view
    }

    /// Whether this store loses the change.
    fn loses(self, change: &Change) -> bool {
        match change {
            Change::Claim { .. } | Change::Unclaim { .. } => self == Self::NobodyClaims,
            Change::Link(write) => {
                self == Self::LinksStayLive
                    && matches!(&**write, Write::Update(row) if row.state == LinkState::Used)
            }
            Change::Challenge(write) => self == Self::ChallengesStay && matches!(**write, Write::Delete(_)),
            _ => false,
        }
    }

    fn loses_sweep(self, sweep: &Sweep) -> bool {
        match sweep {
            Sweep::VoidLinks { .. } => self == Self::LinksStayLive,
            Sweep::VoidRegistrations { .. } => self == Self::LosersWait,
            Sweep::EndChallenge(_) => self == Self::ChallengesStay,
            Sweep::EndChallenges(_) => {
                self == Self::ChallengesStay || self == Self::ChallengesOutliveTheirEpoch
            }
            Sweep::EndSessions { .. } => {
                matches!(
                    self,
                    Self::SessionsOutliveTheirEpoch | Self::KeepsTheEpoch | Self::EverybodyIsActive
                )
            }
            _ => false,
        }
    }
}

impl Recorder {
    pub(super) async fn made_of_a_pending(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<AccountRow>, StoreError> {
        let Some(waiting) = self.inner.by_registrant(email).await?.waiting else {
            return Ok(None);
        };
        let Some((data, password)) = waiting
            .registration
            .data
            .and_then(|data| data.password.clone().map(|p| (data, p)))
        else {
            return Ok(None);
        };
        Ok(Some(AccountRow {
            id: AccountId::from_bytes(*waiting.registration.id.as_bytes()),
            version: 1,
            email: email.clone(),
            status: Status::Active,
            auth_epoch: AuthEpoch::from_bytes([1; 8]),
            password,
            two_step: TwoStep::Off,
            question: data.question,
            answer: data.answer,
            profile: data.profile,
            code_failures: 0,
            created_at: rows::T0,
            updated_at: rows::T0,
            language: None,
            locked: false,
            recovery: Recovery::default(),
            email_changed_at: None,
            closed_at: None,
        }))
    }

    /// The unit of work as this store writes it.
    pub(super) async fn broken(&self, work: UnitOfWork) -> Result<UnitOfWork, StoreError> {
        if self.fault == Fault::None {
            return Ok(work);
        }
        let (first, further) = work.events().split_first().unwrap();
        let mut kept = further
            .iter()
            .fold(UnitOfWork::new(first.clone()), |w, e| w.event(e.clone()));
        if self.fault == Fault::TellsTwice {
            let mut twice = first.clone();
            let mut id = *twice.id.as_bytes();
            id[0] ^= 0xff;
            twice.id = portal_auth::audit::EventId::from_bytes(id);
            kept = kept.event(twice);
        }
        for (network, event) in work.closings() {
            kept = kept.event_where_closed(*network, event.clone());
        }
        for guard in work.guards() {
            let lost = match guard {
                Guard::InEpoch { .. } => matches!(
                    self.fault,
                    Fault::PendingsAreAccounts | Fault::EverybodyIsActive | Fault::SessionsOutliveTheirEpoch
                ),
                Guard::Unclaimed(_) => self.fault == Fault::NobodyClaims,
            };
            if !lost {
                kept = kept.guard(guard.clone());
            }
        }
        for change in work.changes().iter().filter(|c| !self.fault.loses(c)) {
            kept = kept.change(self.changed(change.clone()).await?);
        }
        for sweep in work.sweeps().iter().filter(|s| !self.fault.loses_sweep(s)) {
            kept = kept.sweep(sweep.clone());
        }
        for settle in work.settles() {
            kept = kept.settle(*settle);
            if self.fault == Fault::TheRightClearTheirNetwork && matches!(settle, Settle::TakeBack(_)) {
                kept = kept.settle(Settle::Clear(rows::bucket(1)));
            }
        }
        Ok(work.mails().iter().fold(kept, |w, mail| w.mail(mail.clone())))
    }

    async fn changed(&self, mut change: Change) -> Result<Change, StoreError> {
        match &mut change {
            Change::Account(write) => match &mut **write {
                Write::Insert(row) if self.fault == Fault::MixesRegistrations => {
                    // The registration that is used has ended in this unit of work; the newest other one lends its
                    // password.
                    if let Some(other) = self.inner.by_registrant(&row.email).await?.waiting
                        && other.registration.state == RegistrationState::Submitted
                        && let Some(password) = other.registration.data.and_then(|data| data.password)
                    {
                        row.password = password;
                    }
                }
                Write::Update(row) => {
                    if self.fault == Fault::KeepsTheEpoch
                        && let Some(held) = self.inner.by_id(row.id).await?
                    {
                        row.auth_epoch = held.auth_epoch;
                    }
                }
                _ => {}
            },
            Change::Link(write) => {
                if let Write::Insert(row) = &**write
                    && row.purpose == LinkPurpose::ConfirmEmail
                    && let portal_auth::link::LinkSubject::Account(id) = row.subject
                {
                    let mut asked = self.last_asked.lock().unwrap_or_else(PoisonError::into_inner);
                    asked.entry(id).or_insert_with(|| row.address.clone());
                }
            }
            _ => {}
        }
        Ok(change)
    }
}

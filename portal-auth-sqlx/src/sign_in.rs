//! The commit of a successful sign-in, known by its shape: both engines write it in one statement.
//!
//! It applies only where it leaves the same rows as the general way, which is the reference.

use portal_auth::account::status::AuthEpoch;
use portal_auth::audit::AuditRow;
use portal_auth::device::DeviceRow;
use portal_auth::environment::Timestamp;
use portal_auth::session::SessionRow;
use portal_auth::throttle::{BucketKey, Receipt, Settle};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};

/// A sign-in, taken apart.
pub(crate) struct Parts<'w> {
    pub(crate) epoch: AuthEpoch,
    pub(crate) session: &'w SessionRow,
    pub(crate) device: Option<&'w DeviceRow>,
    pub(crate) keep_sessions: Option<u32>,
    pub(crate) keep_devices: Option<u32>,
    pub(crate) take_back: Option<&'w Receipt>,
    pub(crate) clear: Option<BucketKey>,
    pub(crate) lower: Option<(BucketKey, u32, Timestamp, Timestamp)>,
    pub(crate) event: &'w AuditRow,
}

impl<'w> Parts<'w> {
    /// `None` where `work` has another shape.
    pub(crate) fn of(work: &'w UnitOfWork) -> Option<Self> {
        let [Guard::InEpoch { account, epoch }] = work.guards() else {
            return None;
        };
        let (Change::Session(session), device) = (match work.changes() {
            [session] => (session, None),
            [session, Change::Device(device)] => (session, Some(device)),
            _ => return None,
        }) else {
            return None;
        };
        let Write::Insert(session) = &**session else {
            return None;
        };
        let [event] = work.events() else { return None };
        let mut parts = Self {
            epoch: *epoch,
            session,
            device,
            keep_sessions: None,
            keep_devices: None,
            take_back: None,
            clear: None,
            lower: None,
            event,
        };
        let others = |row_of: &_| row_of != account;
        if others(&session.account)
            || device.is_some_and(|d| others(&d.account))
            || !work.mails().is_empty()
            || !work.closings().is_empty()
            || !work.sweeps().iter().all(|s| parts.sweep(s))
            || !work.settles().iter().all(|s| parts.settle(s))
            || parts.settles_one_bucket_twice()
        {
            return None;
        }
        Some(parts)
    }

    /// Takes a sweep over, where it is one of this account that leaves at least the new row.
    fn sweep(&mut self, sweep: &Sweep) -> bool {
        let (account, keep, slot) = if let Sweep::KeepNewestSessions { account, keep } = sweep {
            (account, keep, &mut self.keep_sessions)
        } else if let (Sweep::KeepNewestDevices { account, keep }, Some(_)) = (sweep, self.device) {
            (account, keep, &mut self.keep_devices)
        } else {
            return false;
        };
        *account == self.session.account && *keep > 0 && slot.replace(*keep).is_none()
    }

    fn settle(&mut self, settle: &'w Settle) -> bool {
        match settle {
            Settle::TakeBack(receipt) => {
                // Cleared already: taking back afterwards finds no failure, but could still move its opening.
                self.clear != Some(receipt.bucket) && self.take_back.replace(receipt).is_none()
            }
            Settle::Clear(bucket) => {
                // What is taken back and then cleared is cleared.
                if self.take_back.is_some_and(|receipt| receipt.bucket == *bucket) {
                    self.take_back = None;
                }
                self.clear.replace(*bucket).is_none()
            }
            Settle::Lower {
                bucket,
                failures,
                open_at,
                now,
            } => self.lower.replace((*bucket, *failures, *open_at, *now)).is_none(),
            Settle::CountNetwork { .. } => false,
        }
    }

    /// One statement can change a row only once.
    fn settles_one_bucket_twice(&self) -> bool {
        let taken = self.take_back.map(|receipt| receipt.bucket);
        let lowered = self.lower.map(|(bucket, ..)| bucket);
        let same = |a: Option<BucketKey>, b: Option<BucketKey>| a.is_some() && a == b;
        same(taken, self.clear) || same(taken, lowered) || same(lowered, self.clear)
    }
}

#[cfg(test)]
mod tests {
    use portal_auth::account::snapshot::AccountId;
    use portal_auth::audit::{Actor, EventId};
    use portal_auth::session::{Level, SessionHandle, SessionKey};

    use super::*;

    const ME: AccountId = AccountId::from_bytes([1; 16]);
    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn sign_in() -> UnitOfWork {
        let epoch = AuthEpoch::from_bytes([2; 8]);
        let session = SessionRow {
            key: SessionKey::from_bytes([3; 16]),
            handle: SessionHandle::from_bytes([4; 16]),
            account: ME,
            epoch,
            level: Level::One,
            created_at: T0,
            last_seen: T0,
            confirmed_at: T0,
            expires_at: T0,
            label: String::new(),
            network: String::new(),
        };
        UnitOfWork::new(AuditRow {
            id: EventId::from_bytes([5; 16]),
            at: T0,
            kind: String::new(),
            reason: String::new(),
            actor: Actor::Owner,
            account: Some(ME),
            address: None,
            network: None,
            label: String::new(),
            mac_key: String::new(),
            mac: [6; 16],
        })
        .guard(Guard::InEpoch { account: ME, epoch })
        .change(Change::Session(Box::new(Write::Insert(session))))
    }

    fn receipt(bucket: u8) -> Settle {
        Settle::TakeBack(Receipt {
            bucket: BucketKey::from_bytes([bucket; 16]),
            failures: 1,
            open_at: T0,
            charged_at: T0,
        })
    }

    fn clear(bucket: u8) -> Settle {
        Settle::Clear(BucketKey::from_bytes([bucket; 16]))
    }

    fn is_short(work: &UnitOfWork) -> bool {
        Parts::of(work).is_some()
    }

    #[test]
    fn a_sign_in_is_known_by_its_shape() {
        let kept = |keep| Sweep::KeepNewestSessions { account: ME, keep };
        assert!(is_short(&sign_in()));
        assert!(is_short(
            &sign_in().sweep(kept(20)).settle(receipt(1)).settle(clear(2))
        ));
        assert!(!is_short(&sign_in().sweep(kept(0))), "ends its own session");
        assert!(!is_short(&sign_in().sweep(kept(20)).sweep(kept(5))));
        assert!(!is_short(&sign_in().sweep(Sweep::EndChallenges(ME))));
        let others = Sweep::KeepNewestSessions {
            account: AccountId::from_bytes([9; 16]),
            keep: 1,
        };
        assert!(!is_short(&sign_in().sweep(others)));
    }

    #[test]
    fn a_bucket_is_settled_once_in_one_statement() {
        let taken_then_cleared = sign_in().settle(receipt(1)).settle(clear(1));
        let parts = Parts::of(&taken_then_cleared).unwrap();
        assert!(parts.take_back.is_none() && parts.clear.is_some());
        assert!(!is_short(&sign_in().settle(clear(1)).settle(receipt(1))));
        assert!(!is_short(&sign_in().settle(receipt(1)).settle(receipt(2))));
    }
}

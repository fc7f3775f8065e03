//! The commit of a successful sign-in as one statement: half the time of a transaction of seven.
//!
//! It applies only where it leaves the same rows as the general way, and writes nothing else: a guard that does not
//! hold, or a clock that went back, is left to the general way, which is the reference.

use portal_auth::account::status::AuthEpoch;
use portal_auth::audit::AuditRow;
use portal_auth::device::DeviceRow;
use portal_auth::environment::Timestamp;
use portal_auth::session::SessionRow;
use portal_auth::throttle::{BucketKey, Receipt, Settle};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use sqlx::Row as _;

use super::{Connection, query};
use crate::day;

/// A sign-in, taken apart.
pub(super) struct Parts<'w> {
    epoch: AuthEpoch,
    session: &'w SessionRow,
    device: Option<&'w DeviceRow>,
    keep_sessions: Option<u32>,
    keep_devices: Option<u32>,
    take_back: Option<&'w Receipt>,
    clear: Option<BucketKey>,
    lower: Option<(BucketKey, u32, Timestamp, Timestamp)>,
    event: &'w AuditRow,
}

impl<'w> Parts<'w> {
    /// `None` where `work` has another shape.
    pub(super) fn of(work: &'w UnitOfWork) -> Option<Self> {
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

/// Commits the sign-in, or tells that nothing was written because the general way must decide.
pub(super) async fn commit(conn: &mut Connection, parts: &Parts<'_>) -> Result<bool, sqlx::Error> {
    let (session, event) = (parts.session, parts.event);
    let bytes = |key: Option<&BucketKey>| key.map(|k| k.as_bytes().to_vec());
    let (lowered, failures, open_at, lowered_at) = match &parts.lower {
        Some((bucket, failures, open_at, now)) => (Some(bucket), *failures, *open_at, *now),
        None => (None, 0, Timestamp::MIN, Timestamp::MIN),
    };
    let row = query(SIGN_IN)
        .bind(session.account.as_bytes().as_slice())
        .bind(parts.epoch.as_bytes().as_slice())
        .bind(session.key.as_bytes().as_slice())
        .bind(session.handle.as_bytes().as_slice())
        .bind(session.epoch.as_bytes().as_slice())
        .bind(session.level.as_str())
        .bind(session.created_at.as_micros())
        .bind(session.last_seen.as_micros())
        .bind(session.confirmed_at.as_micros())
        .bind(session.expires_at.as_micros())
        .bind(session.label.as_str())
        .bind(session.network.as_str())
        .bind(parts.keep_sessions.map(i64::from))
        .bind(parts.device.map(|d| d.device.as_bytes().as_slice()))
        .bind(parts.device.map(|d| d.epoch.as_bytes().as_slice()))
        .bind(parts.device.map(|d| d.last_used.as_micros()))
        .bind(parts.device.map(|d| day(d.last_used)))
        .bind(parts.keep_devices.map(i64::from))
        .bind(bytes(parts.take_back.map(|receipt| &receipt.bucket)))
        .bind(parts.take_back.map(|receipt| receipt.open_at.as_micros()))
        .bind(parts.take_back.map(|receipt| receipt.charged_at.as_micros()))
        .bind(bytes(parts.clear.as_ref()))
        .bind(Timestamp::MIN.as_micros())
        .bind(bytes(lowered))
        .bind(i64::from(failures))
        .bind(open_at.as_micros())
        .bind(lowered_at.as_micros())
        .bind(day(lowered_at))
        .bind(event.id.as_bytes().as_slice())
        .bind(event.at.as_micros())
        .bind(event.kind.as_str())
        .bind(event.reason.as_str())
        .bind(event.actor.as_str())
        .bind(event.account.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(event.address.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(event.network.as_ref().map(|n| n.as_bytes().as_slice()))
        .bind(event.label.as_str())
        .bind(event.mac_key.as_str())
        .bind(event.mac.as_slice())
        .fetch_one(conn)
        .await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}

/// Every part depends on `held`, and all see the rows as they were before; so the new session and device are not
/// among those that are counted, and one less of the others is kept.
const SIGN_IN: &str = "WITH held AS (SELECT 1 FROM portal_accounts WHERE id = $1 AND auth_epoch = $2 \
         AND status = 'active' \
         AND NOT EXISTS (SELECT 1 FROM portal_sessions WHERE account_id = $1 AND created_at > $7) \
         AND NOT EXISTS (SELECT 1 FROM portal_devices WHERE account_id = $1 AND device <> $14 AND last_used > $16)), \
     session AS (INSERT INTO portal_sessions (key, handle, account_id, epoch, level, created_at, last_seen, \
         confirmed_at, expires_at, label, network) \
         SELECT $3, $4, $1, $5, $6, $7, $8, $9, $10, $11, $12 FROM held), \
     old_sessions AS (DELETE FROM portal_sessions WHERE $13::BIGINT IS NOT NULL AND EXISTS (SELECT 1 FROM held) \
         AND key IN (SELECT key FROM portal_sessions WHERE account_id = $1 \
         ORDER BY created_at DESC, key OFFSET $13 - 1)), \
     device AS (INSERT INTO portal_devices (device, account_id, epoch, last_used, used_day) \
         SELECT $14, $1, $15, $16, $17 FROM held WHERE $14::BYTEA IS NOT NULL \
         ON CONFLICT (account_id, device) DO UPDATE SET epoch = excluded.epoch, \
         last_used = excluded.last_used, used_day = excluded.used_day), \
     old_devices AS (DELETE FROM portal_devices WHERE $18::BIGINT IS NOT NULL AND EXISTS (SELECT 1 FROM held) \
         AND account_id = $1 AND device IN (SELECT device FROM portal_devices WHERE account_id = $1 \
         AND device <> $14 ORDER BY last_used DESC, device OFFSET $18 - 1)), \
     taken_back AS (UPDATE portal_throttle SET \
         failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END, \
         open_at = CASE WHEN open_at = $20 THEN $21 ELSE open_at END \
         WHERE key = $19 AND EXISTS (SELECT 1 FROM held)), \
     cleared AS (UPDATE portal_throttle SET failures = 0, open_at = $23 \
         WHERE key = $22 AND EXISTS (SELECT 1 FROM held)), \
     lowered AS (UPDATE portal_throttle SET failures = $25, open_at = $26, changed = $27, changed_day = $28 \
         WHERE key = $24 AND failures > $25 AND EXISTS (SELECT 1 FROM held)), \
     event AS (INSERT INTO portal_audit (id, happened_at, kind, reason, actor, account_id, address, network, label, \
         mac_key, mac) SELECT $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39 FROM held) \
     SELECT count(*) FROM held";

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

//! The commit of a successful sign-in as one statement: half the time of a transaction of seven.
//!
//! It writes nothing where a guard does not hold or a clock went back: that is left to the general way.

use sqlx::Row as _;

use super::Connection;
use super::sign_in_values::bound;
use crate::sign_in::Parts;

/// Commits the sign-in, or tells that nothing was written because the general way must decide.
pub(super) async fn commit(conn: &mut Connection, parts: &Parts<'_>) -> Result<bool, sqlx::Error> {
    let row = bound(SIGN_IN, parts).fetch_one(conn).await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}

/// Every part depends on `held`, and all see the rows as they were before; so the new session and device are not
/// among those that are counted, and one less of the others is kept.
///
/// Old rows are locked by their keys. The server takes parts that nothing reads from the last to the first: so locks come in
/// the order of the general way, sessions, devices, buckets, and no two commits wait for each other. Were it to take them
/// otherwise, one of the two would be a conflict and be decided again.
const SIGN_IN: &str = "WITH held AS (SELECT 1 FROM portal_accounts WHERE id = $1 AND auth_epoch = $2 \
         AND status = 'active' \
         AND NOT EXISTS (SELECT 1 FROM portal_sessions WHERE account_id = $1 AND created_at > $7) \
         AND NOT EXISTS (SELECT 1 FROM portal_devices WHERE account_id = $1 AND device <> $14 AND last_used > $16)), \
     event AS (INSERT INTO portal_audit (id, happened_at, kind, reason, actor, account_id, address, network, label, \
         mac_key, mac) SELECT $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39 FROM held), \
     lowered AS (UPDATE portal_throttle SET failures = $25, open_at = $26, changed = $27, changed_day = $28 \
         WHERE key = $24 AND failures > $25 AND EXISTS (SELECT 1 FROM held)), \
     cleared AS (UPDATE portal_throttle SET failures = 0, open_at = $23 \
         WHERE key = $22 AND EXISTS (SELECT 1 FROM held)), \
     taken_back AS (UPDATE portal_throttle SET \
         failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END, \
         open_at = CASE WHEN open_at = $20 THEN $21 ELSE open_at END \
         WHERE key = $19 AND EXISTS (SELECT 1 FROM held)), \
     old_devices AS (DELETE FROM portal_devices WHERE $18::BIGINT IS NOT NULL AND EXISTS (SELECT 1 FROM held) \
         AND account_id = $1 AND device IN (SELECT device FROM portal_devices WHERE account_id = $1 AND device IN \
         (SELECT device FROM portal_devices WHERE account_id = $1 AND device <> $14 \
         ORDER BY last_used DESC, device OFFSET $18 - 1) ORDER BY device FOR UPDATE)), \
     device AS (INSERT INTO portal_devices (device, account_id, epoch, last_used, used_day) \
         SELECT $14, $1, $15, $16, $17 FROM held WHERE $14::BYTEA IS NOT NULL \
         ON CONFLICT (account_id, device) DO UPDATE SET epoch = excluded.epoch, \
         last_used = excluded.last_used, used_day = excluded.used_day), \
     old_sessions AS (DELETE FROM portal_sessions WHERE $13::BIGINT IS NOT NULL AND EXISTS (SELECT 1 FROM held) \
         AND key IN (SELECT key FROM portal_sessions WHERE key IN (SELECT key FROM portal_sessions \
         WHERE account_id = $1 ORDER BY created_at DESC, key OFFSET $13 - 1) ORDER BY key FOR UPDATE)), \
     session AS (INSERT INTO portal_sessions (key, handle, account_id, epoch, level, created_at, last_seen, \
         confirmed_at, expires_at, label, network) \
         SELECT $3, $4, $1, $5, $6, $7, $8, $9, $10, $11, $12 FROM held) \
     SELECT count(*) FROM held";

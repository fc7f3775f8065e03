//! The commit of a successful sign-in as one statement: a transaction of nine would be handed to the connection's
//! thread and back nine times, which costs more than all it does there.
//!
//! SQLite changes several tables in one statement only by a trigger. Ours hangs on a view that stands for nothing but
//! the values of a sign-in; both are temporary, so they belong to the connection and never to the file.

use sqlx::error::DatabaseError as _;
use sqlx::sqlite::SqliteError;

use super::Connection;
use super::sign_in_values::bound;
use crate::error::Failure;
use crate::sign_in::Parts;

/// Commits the sign-in.
pub(super) async fn commit(conn: &mut Connection, parts: &Parts<'_>) -> Result<(), Failure> {
    let mut answer = bound(SIGN_IN, parts).execute(&mut *conn).await;
    if answer.as_ref().is_err_and(is_unprepared) {
        sqlx::raw_sql(PREPARE).execute(&mut *conn).await?;
        answer = bound(SIGN_IN, parts).execute(conn).await;
    }
    match answer {
        Ok(_) => Ok(()),
        Err(e) if is_out_of_epoch(&e) => Err(Failure::Conflict),
        Err(e) => Err(Failure::Sql(e)),
    }
}

/// Takes view and trigger away: a migration that rebuilds a table must not meet a trigger that names it.
pub(super) async fn unprepare(conn: &mut Connection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("DROP VIEW IF EXISTS temp.portal_sign_in")
        .execute(conn)
        .await
        .map(drop)
}

fn is_out_of_epoch(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(said) = error else {
        return false;
    };
    // SQLITE_CONSTRAINT_TRIGGER: what RAISE(ABORT) gives.
    said.try_downcast_ref::<SqliteError>()
        .is_some_and(|e| e.code().as_deref() == Some("1811"))
}

/// Whether view and trigger are still to be made on this connection.
fn is_unprepared(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said) if said.message() == "no such table: portal_sign_in")
}

const SIGN_IN: &str = "INSERT INTO portal_sign_in VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
     $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, \
     $36, $37, $38, $39)";

/// The statements of the general way, one after the other.
const PREPARE: &str = "
CREATE TEMP VIEW IF NOT EXISTS portal_sign_in AS SELECT
    NULL AS account, NULL AS held, NULL AS session, NULL AS handle, NULL AS epoch, NULL AS level,
    NULL AS created_at, NULL AS last_seen, NULL AS confirmed_at, NULL AS expires_at, NULL AS label, NULL AS network,
    NULL AS keep_sessions, NULL AS device, NULL AS device_epoch, NULL AS last_used, NULL AS used_day,
    NULL AS keep_devices, NULL AS taken_back, NULL AS charged_open_at, NULL AS charged_at, NULL AS cleared,
    NULL AS first_moment, NULL AS lowered, NULL AS failures, NULL AS open_at, NULL AS changed, NULL AS changed_day,
    NULL AS event, NULL AS happened_at, NULL AS kind, NULL AS reason, NULL AS actor, NULL AS event_account,
    NULL AS event_address, NULL AS event_network, NULL AS event_label, NULL AS mac_key, NULL AS mac;
CREATE TEMP TRIGGER IF NOT EXISTS portal_sign_in_parts INSTEAD OF INSERT ON portal_sign_in BEGIN
    SELECT RAISE(ABORT, 'out of epoch') WHERE NOT EXISTS (SELECT 1 FROM portal_accounts
        WHERE id = NEW.account AND auth_epoch = NEW.held AND status = 'active');
    INSERT INTO portal_sessions (key, handle, account_id, epoch, level, created_at, last_seen, confirmed_at,
        expires_at, label, network)
        VALUES (NEW.session, NEW.handle, NEW.account, NEW.epoch, NEW.level, NEW.created_at, NEW.last_seen,
        NEW.confirmed_at, NEW.expires_at, NEW.label, NEW.network);
    INSERT INTO portal_devices (device, account_id, epoch, last_used, used_day)
        SELECT NEW.device, NEW.account, NEW.device_epoch, NEW.last_used, NEW.used_day WHERE NEW.device IS NOT NULL
        ON CONFLICT (account_id, device) DO UPDATE SET epoch = excluded.epoch, last_used = excluded.last_used,
        used_day = excluded.used_day;
    DELETE FROM portal_sessions WHERE key IN (SELECT key FROM portal_sessions WHERE account_id = NEW.account
        ORDER BY created_at DESC, CASE WHEN key = NEW.session THEN 0 ELSE 1 END, key
        LIMIT 9223372036854775807 OFFSET coalesce(NEW.keep_sessions, 9223372036854775807));
    DELETE FROM portal_devices WHERE account_id = NEW.account AND device IN (SELECT device FROM portal_devices
        WHERE account_id = NEW.account
        ORDER BY last_used DESC, CASE WHEN device = NEW.device THEN 0 ELSE 1 END, device
        LIMIT 9223372036854775807 OFFSET coalesce(NEW.keep_devices, 9223372036854775807));
    UPDATE portal_throttle SET failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END,
        open_at = CASE WHEN open_at = NEW.charged_open_at THEN NEW.charged_at ELSE open_at END
        WHERE key = NEW.taken_back;
    UPDATE portal_throttle SET failures = 0, open_at = NEW.first_moment WHERE key = NEW.cleared;
    UPDATE portal_throttle SET failures = NEW.failures, open_at = NEW.open_at, changed = NEW.changed,
        changed_day = NEW.changed_day WHERE key = NEW.lowered AND failures > NEW.failures;
    INSERT INTO portal_audit (id, happened_at, kind, reason, actor, account_id, address, network, label, mac_key, mac)
        VALUES (NEW.event, NEW.happened_at, NEW.kind, NEW.reason, NEW.actor, NEW.event_account, NEW.event_address,
        NEW.event_network, NEW.event_label, NEW.mac_key, NEW.mac);
END;
";

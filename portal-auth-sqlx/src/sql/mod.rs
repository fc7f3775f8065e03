//! Every statement, as static text. Both engines share one text; where they differ, the text is a macro with the
//! difference as its argument.
//!
//! Times are bound, never asked of the database (CLK-1). A number in a `LIMIT` that looks like "all" is the largest
//! one: SQLite has no `OFFSET` without a limit, and PostgreSQL no negative limit.

/// `t.a, t.b, t.c` for the table alias `t`.
macro_rules! columns {
    ($t:literal: $first:ident $($rest:ident)*) => {
        concat!($t, ".", stringify!($first) $(, ", ", $t, ".", stringify!($rest))*)
    };
}

macro_rules! account_columns {
    ($t:literal) => {
        columns!($t: id version email status auth_epoch password two_step question answer profile_version profile
            code_failures created_at updated_at language locked answer_failures recovery_pauses recovery_paused_until
            recovery_due_at email_changed_at closed_at)
    };
}

macro_rules! registration_columns {
    ($t:literal) => {
        columns!($t: id version email state password question answer profile_version profile link submitted_at
            kept_until)
    };
}

macro_rules! link_columns {
    ($t:literal) => {
        columns!($t: key version purpose seed subject_kind subject_id address epoch state tries issued_at expires_at
            ended_at opens_at concerns answer answer_proof answered_at)
    };
}

macro_rules! challenge_columns {
    ($t:literal) => {
        columns!($t: key version purpose account_id epoch session code_seed code_no code_key code_issued_at
            code_expires_at tries mails mailed_at created_at expires_at)
    };
}

macro_rules! session_columns {
    ($t:literal) => {
        columns!($t: key handle account_id epoch level created_at last_seen confirmed_at expires_at label network)
    };
}

macro_rules! outbox_columns {
    ($t:literal) => {
        columns!($t: id kind address account_id link challenge facts created_at expires_at status attempts next_at
            lease_no lease_until last_error)
    };
}

macro_rules! audit_columns {
    ($t:literal) => {
        columns!($t: id happened_at kind reason actor account_id address network label mac_key mac)
    };
}

#[macro_use]
mod reads;
#[macro_use]
mod guessing;
#[macro_use]
mod outbox;
#[macro_use]
mod housekeeping;
mod seals;
#[macro_use]
mod writes;

pub(crate) use self::guessing::*;
pub(crate) use self::outbox::*;
pub(crate) use self::reads::*;
pub(crate) use self::seals::*;
pub(crate) use self::writes::*;

// The schema's own row.

pub(crate) const MAKE_SCHEMA_ROW: &str =
    "INSERT INTO portal_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";

pub(crate) const SCHEMA_VERSION: &str = "SELECT version FROM portal_schema WHERE id = 1";

pub(crate) const SET_SCHEMA_VERSION: &str = "UPDATE portal_schema SET version = $1 WHERE id = 1";

/// What PostgreSQL is told in words of its own.
#[cfg(feature = "postgres")]
pub(crate) mod postgres {
    /// Does not wait for the disk. A crash of the server may forget a charge, but only while nobody knows its outcome:
    /// the commit that settles it comes before any answer, does wait, and makes all that was written before it last.
    pub(crate) const CHARGE: &str = charge!(
        "= ANY($3)",
        " AND set_config('synchronous_commit', 'off', true) IS NOT NULL"
    );
    pub(crate) const BUCKETS: &str = buckets!("= ANY($2)");
    pub(crate) const ACTIVITY_OF_KINDS: &str = activity_of_kinds!("= ANY($3)");
    pub(crate) const QUOTA: &str = quota!(" FOR UPDATE");
    pub(crate) const CLAIM_MAILS: &str = claim!(" FOR UPDATE SKIP LOCKED");
    purges!(" FOR UPDATE SKIP LOCKED");
    keep_newest!(" FOR UPDATE");

    pub(crate) const TOUCH_MANY: &str = "UPDATE portal_sessions AS s SET last_seen = v.seen \
         FROM UNNEST($1::BYTEA[], $2::BIGINT[]) AS v (key, seen) WHERE s.key = v.key AND s.last_seen < v.seen";

    pub(crate) const HEALTH: &str = "SELECT version, \
         CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT), \
         current_setting('transaction_read_only') FROM portal_schema WHERE id = 1";

    pub(crate) const MAKE_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS portal_schema \
         (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL CHECK (version >= 0))";

    pub(crate) const LOCK_SCHEMA: &str = "SELECT version FROM portal_schema WHERE id = 1 FOR UPDATE";

    /// A migration may take longer than any request, and waits for the process that is at it already.
    pub(crate) const TAKE_TIME: &str =
        "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)";

    pub(crate) const SCHEMA_EXISTS: &str = "SELECT to_regclass('portal_schema') IS NOT NULL";

    pub(crate) const SET_LIMITS: &str = "SELECT set_config('statement_timeout', $1, false), \
         set_config('lock_timeout', $2, false), set_config('idle_in_transaction_session_timeout', $3, false)";

    pub(crate) const IS_READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";

    pub(crate) const BACKEND_PID: &str = "SELECT pg_backend_pid()";
}

/// What SQLite is told in words of its own; lists come as JSON arrays, keys in them in hexadecimal.
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite {
    pub(crate) const CHARGE: &str = charge!("IN (SELECT unhex(value) FROM json_each($3))", "");
    pub(crate) const BUCKETS: &str = buckets!("IN (SELECT unhex(value) FROM json_each($2))");
    pub(crate) const ACTIVITY_OF_KINDS: &str = activity_of_kinds!("IN (SELECT value FROM json_each($3))");
    pub(crate) const QUOTA: &str = quota!("");
    pub(crate) const CLAIM_MAILS: &str = claim!("");
    purges!("");
    keep_newest!("");

    pub(crate) const TOUCH_MANY: &str = "UPDATE portal_sessions AS s SET last_seen = v.seen \
         FROM (SELECT unhex(value ->> 0) AS key, value ->> 1 AS seen FROM json_each($1)) v \
         WHERE s.key = v.key AND s.last_seen < v.seen";

    pub(crate) const MAKE_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS portal_schema \
         (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL CHECK (version >= 0)) STRICT";

    pub(crate) const SCHEMA_EXISTS: &str =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'portal_schema')";

    pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

    use super::*;

    /// What a request or the background runs, reads and writes alike.
    const HOT: &[&str] = &[
        BY_EMAIL,
        BY_ID,
        WAITING_REGISTRATION,
        BY_REGISTRATION,
        BY_LINK,
        BY_CHALLENGE,
        ACTIVITY,
        IN_EPOCH,
        IS_CLAIMED,
        UPDATE_ACCOUNT,
        UPDATE_REGISTRATION,
        UPDATE_LINK,
        UPDATE_CHALLENGE,
        UPDATE_DRAFT,
        VOID_LINKS,
        VOID_REGISTRATIONS,
        sqlite::END_SESSIONS,
        sqlite::KEEP_NEWEST_SESSIONS,
        sqlite::KEEP_NEWEST_CHALLENGES,
        sqlite::KEEP_NEWEST_DEVICES,
        END_CHALLENGES,
        EVENT_EXISTS,
        LOAD_DRAFT,
        SESSION,
        SESSIONS_OF,
        TAKE_BACK,
        CLEAR,
        LOWER,
        MAIL_SENT,
        MAIL_AGAIN,
        MAIL_DEAD,
        NEXT_DUE,
        BACKLOG,
        sqlite::CHARGE,
        sqlite::BUCKETS,
        sqlite::ACTIVITY_OF_KINDS,
        sqlite::QUOTA,
        sqlite::CLAIM_MAILS,
        sqlite::TOUCH_MANY,
        sqlite::PURGE_DRAFTS,
        sqlite::PURGE_SESSIONS,
        sqlite::PURGE_CHALLENGES,
        sqlite::PURGE_REGISTRATIONS,
        sqlite::PURGE_LINKS,
        sqlite::WIPE_SEEDS,
        sqlite::PURGE_SENT,
        sqlite::PURGE_DEAD,
        sqlite::PURGE_DEVICES,
        sqlite::PURGE_BUCKETS,
        sqlite::PURGE_QUOTAS,
    ];

    #[tokio::test]
    async fn every_statement_finds_its_rows_by_an_index() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for step in crate::schema::SQLITE {
            sqlx::raw_sql(step.text).execute(&mut conn).await.unwrap();
        }
        for statement in HOT {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let plan = sqlx::query(AssertSqlSafe(explain))
                .fetch_all(&mut conn)
                .await
                .unwrap();
            for step in plan {
                let step: String = step.get(3);
                let walks =
                    step.starts_with("SCAN") && !step.contains("json_each") && !step.contains("CONSTANT");
                assert!(!walks, "{step} in {statement}");
            }
        }
    }
}

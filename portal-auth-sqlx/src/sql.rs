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

// Reads of account data.

pub(crate) const BY_EMAIL: &str = concat!(
    "SELECT ",
    account_columns!("a"),
    ", d.device, d.account_id, d.epoch, d.last_used FROM portal_email_claims c \
     JOIN portal_accounts a ON a.id = c.account_id \
     LEFT JOIN portal_devices d ON d.account_id = a.id AND d.device = $2 WHERE c.email = $1"
);

pub(crate) const BY_ID: &str = concat!(
    "SELECT ",
    account_columns!("a"),
    " FROM portal_accounts a WHERE a.id = $1"
);

pub(crate) const WAITING_REGISTRATION: &str = concat!(
    "SELECT ",
    registration_columns!("r"),
    ", ",
    link_columns!("l"),
    " FROM portal_registrations r LEFT JOIN portal_links l ON l.key = r.link \
     WHERE r.email = $1 AND r.state = 'submitted' ORDER BY r.submitted_at DESC, r.id DESC LIMIT 1"
);

pub(crate) const BY_REGISTRATION: &str = concat!(
    "SELECT ",
    registration_columns!("r"),
    ", ",
    link_columns!("l"),
    " FROM portal_registrations r LEFT JOIN portal_links l ON l.key = r.link WHERE r.id = $1"
);

pub(crate) const BY_LINK: &str = concat!(
    "SELECT ",
    link_columns!("l"),
    ", ",
    registration_columns!("r"),
    ", c.email, ",
    account_columns!("a"),
    " FROM portal_links l \
     LEFT JOIN portal_registrations r ON l.subject_kind = 'registration' AND r.id = l.subject_id \
     LEFT JOIN portal_email_claims c ON c.email = r.email \
     LEFT JOIN portal_accounts a ON l.subject_kind = 'account' AND a.id = l.subject_id WHERE l.key = $1"
);

pub(crate) const BY_CHALLENGE: &str = concat!(
    "SELECT ",
    challenge_columns!("c"),
    ", ",
    account_columns!("a"),
    " FROM portal_challenges c JOIN portal_accounts a ON a.id = c.account_id WHERE c.key = $1"
);

pub(crate) const ACTIVITY: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.account_id = $1 ORDER BY e.happened_at DESC, e.id LIMIT $2"
);

macro_rules! activity_of_kinds {
    ($kinds:literal) => {
        concat!(
            "SELECT ",
            audit_columns!("e"),
            " FROM portal_audit e WHERE e.account_id = $1 AND e.kind ",
            $kinds,
            " ORDER BY e.happened_at DESC, e.id LIMIT $2"
        )
    };
}

// Lists.

pub(crate) const LIVE_LINKS: &str = concat!(
    "SELECT ",
    link_columns!("l"),
    " FROM portal_links l WHERE l.subject_id = $1 AND l.subject_kind = 'account' AND l.state = 'live' \
     ORDER BY l.issued_at DESC, l.key"
);

/// `$2` is the prefix and `$3` the first text behind all that begin with it.
pub(crate) const ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!("a"),
    " FROM portal_email_claims c JOIN portal_accounts a ON a.id = c.account_id \
     WHERE c.email > $1 AND c.email >= $2 AND c.email < $3 ORDER BY c.email LIMIT $4"
);

pub(crate) const CLOSED_ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!("a"),
    " FROM portal_accounts a WHERE a.status = 'closed' AND a.closed_at <= $1 ORDER BY a.closed_at, a.id LIMIT $2"
);

pub(crate) const REGISTRATIONS_OF: &str = concat!(
    "SELECT ",
    registration_columns!("r"),
    " FROM portal_registrations r WHERE r.email = $1 ORDER BY r.id"
);

pub(crate) const LINKS_OF: &str = concat!(
    "SELECT ",
    link_columns!("l"),
    " FROM portal_links l WHERE l.subject_id = $1 AND l.subject_kind = 'account' ORDER BY l.key"
);

pub(crate) const CHALLENGES_OF: &str = concat!(
    "SELECT ",
    challenge_columns!("c"),
    " FROM portal_challenges c WHERE c.account_id = $1 ORDER BY c.key"
);

pub(crate) const ALL_SESSIONS_OF: &str = concat!(
    "SELECT ",
    session_columns!("s"),
    " FROM portal_sessions s WHERE s.account_id = $1 ORDER BY s.key"
);

pub(crate) const DEVICES_OF: &str = "SELECT d.device, d.account_id, d.epoch, d.last_used FROM portal_devices d \
     WHERE d.account_id = $1 ORDER BY d.device";

pub(crate) const MAILS_OF: &str = concat!(
    "SELECT ",
    outbox_columns!("m"),
    " FROM portal_outbox m WHERE m.account_id = $1 ORDER BY m.id"
);

pub(crate) const EVENTS_OF: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.account_id = $1 ORDER BY e.happened_at, e.id"
);

/// `$1` is a status and `$2` an address, empty for any; `$3` and `$4` are the last mail of the page before.
pub(crate) const MAILS: &str = concat!(
    "SELECT ",
    outbox_columns!("m"),
    " FROM portal_outbox m WHERE ($1 = '' OR m.status = $1) AND ($2 = '' OR m.address = $2) \
     AND (m.created_at < $3 OR (m.created_at = $3 AND m.id < $4)) ORDER BY m.created_at DESC, m.id DESC LIMIT $5"
);

// Guards.

pub(crate) const IN_EPOCH: &str =
    "SELECT 1 FROM portal_accounts WHERE id = $1 AND auth_epoch = $2 AND status = 'active'";

pub(crate) const IS_CLAIMED: &str = "SELECT 1 FROM portal_email_claims WHERE email = $1";

// Changes.

pub(crate) const INSERT_ACCOUNT: &str = "INSERT INTO portal_accounts (id, version, email, status, auth_epoch, \
     password, two_step, question, answer, profile_version, profile, code_failures, created_at, updated_at, \
     language, locked, answer_failures, recovery_pauses, recovery_paused_until, recovery_due_at, email_changed_at, \
     closed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
     $21, $22)";

pub(crate) const UPDATE_ACCOUNT: &str = "UPDATE portal_accounts SET version = version + 1, email = $3, status = $4, \
     auth_epoch = $5, password = $6, two_step = $7, question = $8, answer = $9, profile_version = $10, \
     profile = $11, code_failures = $12, created_at = $13, updated_at = $14, language = $15, locked = $16, \
     answer_failures = $17, recovery_pauses = $18, recovery_paused_until = $19, recovery_due_at = $20, \
     email_changed_at = $21, closed_at = $22 WHERE id = $1 AND version = $2";

pub(crate) const DELETE_ACCOUNT: &str = "DELETE FROM portal_accounts WHERE id = $1";

pub(crate) const CLAIM: &str = "INSERT INTO portal_email_claims (email, account_id) VALUES ($1, $2)";

pub(crate) const UNCLAIM: &str = "DELETE FROM portal_email_claims WHERE email = $1 AND account_id = $2";

pub(crate) const INSERT_REGISTRATION: &str = "INSERT INTO portal_registrations (id, version, email, state, password, \
     question, answer, profile_version, profile, link, submitted_at, kept_until) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

pub(crate) const UPDATE_REGISTRATION: &str = "UPDATE portal_registrations SET version = version + 1, email = $3, \
     state = $4, password = $5, question = $6, answer = $7, profile_version = $8, profile = $9, link = $10, \
     submitted_at = $11, kept_until = $12 WHERE id = $1 AND version = $2";

pub(crate) const DELETE_REGISTRATION: &str = "DELETE FROM portal_registrations WHERE id = $1";

pub(crate) const INSERT_LINK: &str = "INSERT INTO portal_links (key, version, purpose, seed, subject_kind, \
     subject_id, address, epoch, state, tries, issued_at, expires_at, ended_at, over_at, opens_at, concerns, answer, \
     answer_proof, answered_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

pub(crate) const UPDATE_LINK: &str = "UPDATE portal_links SET version = version + 1, purpose = $3, seed = $4, \
     subject_kind = $5, subject_id = $6, address = $7, epoch = $8, state = $9, tries = $10, issued_at = $11, \
     expires_at = $12, ended_at = $13, over_at = $14, opens_at = $15, concerns = $16, answer = $17, \
     answer_proof = $18, answered_at = $19 WHERE key = $1 AND version = $2";

pub(crate) const DELETE_LINK: &str = "DELETE FROM portal_links WHERE key = $1";

pub(crate) const INSERT_CHALLENGE: &str = "INSERT INTO portal_challenges (key, version, purpose, account_id, epoch, \
     session, code_seed, code_no, code_key, code_issued_at, code_expires_at, tries, mails, mailed_at, created_at, \
     expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

pub(crate) const UPDATE_CHALLENGE: &str = "UPDATE portal_challenges SET version = version + 1, purpose = $3, \
     account_id = $4, epoch = $5, session = $6, code_seed = $7, code_no = $8, code_key = $9, code_issued_at = $10, \
     code_expires_at = $11, tries = $12, mails = $13, mailed_at = $14, created_at = $15, expires_at = $16 \
     WHERE key = $1 AND version = $2";

pub(crate) const DELETE_CHALLENGE: &str = "DELETE FROM portal_challenges WHERE key = $1";

pub(crate) const INSERT_SESSION: &str = "INSERT INTO portal_sessions (key, handle, account_id, epoch, level, \
     created_at, last_seen, confirmed_at, expires_at, label, network) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(crate) const DELETE_SESSION: &str = "DELETE FROM portal_sessions WHERE key = $1";

pub(crate) const PUT_DEVICE: &str = "INSERT INTO portal_devices (device, account_id, epoch, last_used, used_day) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, device) DO UPDATE SET epoch = excluded.epoch, \
     last_used = excluded.last_used, used_day = excluded.used_day";

pub(crate) const INSERT_DRAFT: &str =
    "INSERT INTO portal_drafts (key, version, body, expires_at) VALUES ($1, $2, $3, $4)";

pub(crate) const UPDATE_DRAFT: &str = "UPDATE portal_drafts SET version = version + 1, body = $3, expires_at = $4 WHERE key = $1 AND version = $2";

pub(crate) const DELETE_DRAFT: &str = "DELETE FROM portal_drafts WHERE key = $1";

pub(crate) const SEND_MAIL_AGAIN: &str = "UPDATE portal_outbox SET status = 'ready', attempts = 0, next_at = $2, \
     due_at = $2, waiting = 1, expires_at = $3 WHERE id = $1 AND status = 'dead'";

pub(crate) const DROP_MAIL: &str = "UPDATE portal_outbox SET status = 'dead', waiting = 0, last_error = $2 WHERE id = $1 AND status = 'ready'";

// Sweeps.

/// What is kept about an account (`$1`) beside its row and claim; the links of its registrations go before them.
pub(crate) const ERASE_OF_ACCOUNT: [&str; 5] = [
    "DELETE FROM portal_sessions WHERE account_id = $1",
    "DELETE FROM portal_challenges WHERE account_id = $1",
    "DELETE FROM portal_devices WHERE account_id = $1",
    "DELETE FROM portal_outbox WHERE account_id = $1",
    "DELETE FROM portal_links WHERE subject_kind = 'account' AND subject_id = $1",
];

pub(crate) const ERASE_OF_ADDRESS: [&str; 2] = [
    "DELETE FROM portal_links WHERE subject_kind = 'registration' AND subject_id IN \
     (SELECT id FROM portal_registrations WHERE email = $1)",
    "DELETE FROM portal_registrations WHERE email = $1",
];

pub(crate) const VOID_LINKS: &str = "UPDATE portal_links SET version = version + 1, seed = NULL, state = $4, \
     ended_at = $5, over_at = CASE WHEN $5 < expires_at THEN $5 ELSE expires_at END \
     WHERE subject_id = $1 AND subject_kind = $2 AND state = 'live' AND ($3 = '' OR purpose = $3)";

pub(crate) const VOID_REGISTRATIONS: &str = "UPDATE portal_registrations SET version = version + 1, state = $3, \
     password = NULL, question = NULL, answer = NULL, profile_version = NULL, profile = NULL \
     WHERE email = $1 AND state = 'submitted' AND id <> $2 RETURNING id";

pub(crate) const END_SESSIONS: &str = "DELETE FROM portal_sessions WHERE account_id = $1 AND key <> $2";

/// In a tie the row that this commit wrote (`$3`) is the newest: nobody signs in and is signed out by it.
pub(crate) const KEEP_NEWEST_SESSIONS: &str = "DELETE FROM portal_sessions WHERE key IN (SELECT key \
     FROM portal_sessions WHERE account_id = $1 ORDER BY created_at DESC, CASE WHEN key = $3 THEN 0 ELSE 1 END, key \
     LIMIT 9223372036854775807 OFFSET $2)";

pub(crate) const END_CHALLENGES: &str = "DELETE FROM portal_challenges WHERE account_id = $1";

/// Ties as in [`KEEP_NEWEST_SESSIONS`].
pub(crate) const KEEP_NEWEST_CHALLENGES: &str = "DELETE FROM portal_challenges WHERE key IN (SELECT key \
     FROM portal_challenges WHERE account_id = $1 \
     ORDER BY created_at DESC, CASE WHEN key = $3 THEN 0 ELSE 1 END, key \
     LIMIT 9223372036854775807 OFFSET $2)";

/// Ties as in [`KEEP_NEWEST_SESSIONS`].
pub(crate) const KEEP_NEWEST_DEVICES: &str = "DELETE FROM portal_devices WHERE account_id = $1 AND device IN \
     (SELECT device FROM portal_devices WHERE account_id = $1 \
     ORDER BY last_used DESC, CASE WHEN device = $3 THEN 0 ELSE 1 END, device \
     LIMIT 9223372036854775807 OFFSET $2)";

// Mails and audit of a commit.

pub(crate) const INSERT_MAIL: &str = "INSERT INTO portal_outbox (id, kind, address, account_id, link, challenge, \
     facts, created_at, expires_at, status, attempts, next_at, lease_no, lease_until, last_error, urgency, waiting, \
     due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";

pub(crate) const INSERT_EVENT: &str = "INSERT INTO portal_audit (id, happened_at, kind, reason, actor, account_id, \
     address, network, label, mac_key, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

#[cfg(feature = "sqlite")]
pub(crate) const EVENT_EXISTS: &str = "SELECT 1 FROM portal_audit WHERE id = $1";

/// Waits for a commit that is still under way with this event, then tells by the rows it wrote whether it happened.
#[cfg(feature = "postgres")]
pub(crate) const PROBE_EVENT: &str = "INSERT INTO portal_audit (id, happened_at, kind, reason, actor, label, \
     mac_key, mac) VALUES ($1, 0, 'probe', '', 'system', '', '', $1) ON CONFLICT (id) DO NOTHING";

// Drafts and sessions.

pub(crate) const LOAD_DRAFT: &str =
    "SELECT d.key, d.version, d.body, d.expires_at FROM portal_drafts d WHERE d.key = $1";

pub(crate) const SESSION: &str = concat!(
    "SELECT ",
    session_columns!("s"),
    ", a.auth_epoch, a.status, a.two_step FROM portal_sessions s \
     JOIN portal_accounts a ON a.id = s.account_id WHERE s.key = $1"
);

pub(crate) const SESSIONS_OF: &str = concat!(
    "SELECT ",
    session_columns!("s"),
    " FROM portal_sessions s JOIN portal_accounts a ON a.id = s.account_id AND a.auth_epoch = s.epoch \
     WHERE s.account_id = $1 ORDER BY s.last_seen DESC, s.key"
);

// The guessing ladder. `$2` is now, `$7` the earliest moment whose distance from now fits a number, `$8` the quiet
// time, `$9` the cap, `$10` the free failures, `$11` the step from which on the wait is `$12`, `$13` the first wait,
// `$14` the hashes of a window, `$15` the latest beginning of a window that is over and `$16` the longest wait's end.

/// The time since the bucket changed; zero when the clock went back since.
macro_rules! elapsed {
    () => {
        "($2 - CASE WHEN t.changed > $2 THEN $2 WHEN t.changed < $7 THEN $7 ELSE t.changed END)"
    };
}

/// `Bucket::failures_at`.
macro_rules! failures_left {
    () => {
        concat!(
            "(CASE WHEN t.failures >= $9 THEN t.failures WHEN t.failures > ",
            elapsed!(),
            " / $8 THEN t.failures - ",
            elapsed!(),
            " / $8 ELSE 0 END)"
        )
    };
}

/// `Bucket::hash_window_over`.
macro_rules! hash_window_over {
    () => {
        "(t.hashes_since <= $15 OR t.hashes_since > $2)"
    };
}

/// `Bucket::charged`, and no row where that is `None` or where one of the networks `$3` is closed.
macro_rules! charge {
    ($networks:literal, $how:literal) => {
        concat!(
            "INSERT INTO portal_throttle AS t \
             (key, failures, open_at, changed, hashes, hashes_since, changed_day) \
             SELECT $1, 1, $4, $2, 1, $5, $6 WHERE NOT EXISTS \
             (SELECT 1 FROM portal_throttle n WHERE n.open_at > $2 AND n.open_at <= $16 AND n.key ",
            $networks,
            ")",
            $how,
            " ON CONFLICT (key) DO UPDATE SET failures = ",
            failures_left!(),
            " + 1, open_at = $2 + CASE WHEN ",
            failures_left!(),
            " + 1 < $10 THEN 0 WHEN ",
            failures_left!(),
            " + 1 - $10 >= $11 THEN $12 ELSE $13 * (CAST(1 AS BIGINT) << CAST(",
            failures_left!(),
            " + 1 - $10 AS INTEGER)) END, changed = $2, \
             hashes = CASE WHEN ",
            hash_window_over!(),
            " THEN 1 ELSE t.hashes + 1 END, hashes_since = CASE WHEN ",
            hash_window_over!(),
            " THEN $2 ELSE t.hashes_since END, changed_day = $6 \
             WHERE (t.open_at <= $2 OR t.open_at > $16) AND ",
            failures_left!(),
            " < $9 AND (t.hashes < $14 OR ",
            hash_window_over!(),
            ") RETURNING failures, open_at"
        )
    };
}

macro_rules! buckets {
    ($networks:literal) => {
        concat!(
            "SELECT t.key, t.failures, t.open_at, t.changed, t.hashes, t.hashes_since FROM portal_throttle t \
             WHERE t.key = $1 OR t.key ",
            $networks
        )
    };
}

pub(crate) const TAKE_BACK: &str = "UPDATE portal_throttle SET \
     failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END, \
     open_at = CASE WHEN open_at = $2 THEN $3 ELSE open_at END WHERE key = $1";

pub(crate) const CLEAR: &str = "UPDATE portal_throttle SET failures = 0, open_at = $2 WHERE key = $1";

pub(crate) const LOWER: &str = "UPDATE portal_throttle SET failures = $2, open_at = $3, changed = $4, \
     changed_day = $5 WHERE key = $1 AND failures > $2";

/// `Bucket::network_counted`: `$3` is where a first failure opens, `$5` the limit, `$6` the window, `$7` the latest
/// beginning of a window that is over, `$8` the first moment there is.
macro_rules! window_over {
    () => {
        "(t.failures = 0 OR t.changed <= $7 OR t.changed > $2)"
    };
}

pub(crate) const COUNT_NETWORK: &str = concat!(
    "INSERT INTO portal_throttle AS t (key, failures, open_at, changed, hashes, hashes_since, changed_day) \
     VALUES ($1, 1, $3, $2, 0, $8, $4) ON CONFLICT (key) DO UPDATE SET failures = CASE WHEN ",
    window_over!(),
    " THEN 1 WHEN t.failures < 4294967295 THEN t.failures + 1 ELSE t.failures END, open_at = CASE WHEN ",
    window_over!(),
    " THEN $3 WHEN t.failures + 1 >= $5 THEN t.changed + $6 ELSE $2 END, changed = CASE WHEN ",
    window_over!(),
    " THEN $2 ELSE t.changed END, changed_day = CASE WHEN ",
    window_over!(),
    " THEN $4 ELSE t.changed_day END"
);

// Mail quotas.

pub(crate) const UPDATE_QUOTA: &str =
    "UPDATE portal_quotas SET state = $2, changed = $3, changed_day = $4 WHERE key = $1";

pub(crate) const RESERVE_QUOTA: &str = "INSERT INTO portal_quotas (key, state, changed, changed_day) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING";

macro_rules! quota {
    ($lock:literal) => {
        concat!("SELECT q.state FROM portal_quotas q WHERE q.key = $1", $lock)
    };
}

// The outbox.

macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE portal_outbox SET status = 'leased', lease_no = lease_no + 1, lease_until = $2, due_at = $2 \
             WHERE id IN (SELECT c.id FROM portal_outbox c WHERE c.waiting = 1 AND c.due_at <= $1 \
             ORDER BY c.urgency, c.next_at LIMIT $3",
            $lock,
            ") RETURNING ",
            outbox_columns!("portal_outbox")
        )
    };
}

pub(crate) const MAIL_SENT: &str = "UPDATE portal_outbox SET status = 'sent', waiting = 0 \
     WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const MAIL_AGAIN: &str = "UPDATE portal_outbox SET status = 'ready', next_at = $3, due_at = $3, \
     attempts = attempts + $4, last_error = $5 WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const MAIL_DEAD: &str = "UPDATE portal_outbox SET status = 'dead', waiting = 0, last_error = $3 \
     WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const NEXT_DUE: &str = "SELECT min(due_at) FROM portal_outbox WHERE waiting = 1";

pub(crate) const BACKLOG: &str = "SELECT count(*), min(next_at), \
     (SELECT count(*) FROM portal_outbox WHERE status = 'dead') \
     FROM portal_outbox WHERE waiting = 1 AND due_at <= $1";

// Housekeeping: the oldest first, by an index, and with the locks a purger beside us holds left alone.

macro_rules! purge {
    ($table:literal, $key:literal, $over:literal, $order:literal, $lock:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $over,
            " ORDER BY ",
            $order,
            " LIMIT $1",
            $lock,
            ")"
        )
    };
}

/// The statements of a purge in one engine's words; `$1` is the batch, `$2` the moment, `$3` its day, `$4` the cap of a ladder.
macro_rules! purges {
    ($lock:literal) => {
        pub(crate) const PURGE_DRAFTS: &str = purge!(
            "portal_drafts",
            "key",
            "expires_at < $2",
            "expires_at",
            $lock
        );
        pub(crate) const PURGE_SESSIONS: &str = purge!(
            "portal_sessions",
            "key",
            "expires_at < $2",
            "expires_at",
            $lock
        );
        pub(crate) const PURGE_CHALLENGES: &str = purge!(
            "portal_challenges",
            "key",
            "expires_at < $2",
            "expires_at",
            $lock
        );
        pub(crate) const PURGE_REGISTRATIONS: &str = purge!(
            "portal_registrations",
            "id",
            "kept_until < $2",
            "kept_until",
            $lock
        );
        pub(crate) const PURGE_LINKS: &str = purge!("portal_links", "key", "over_at < $2", "over_at", $lock);
        pub(crate) const PURGE_SENT: &str = purge!(
            "portal_outbox",
            "id",
            "status = 'sent' AND created_at < $2",
            "created_at",
            $lock
        );
        pub(crate) const PURGE_DEAD: &str = purge!(
            "portal_outbox",
            "id",
            "status = 'dead' AND created_at < $2",
            "created_at",
            $lock
        );
        pub(crate) const PURGE_DEVICES: &str = purge!(
            "portal_devices",
            "account_id, device",
            "used_day <= $3 AND last_used < $2",
            "used_day",
            $lock
        );
        pub(crate) const PURGE_BUCKETS: &str = purge!(
            "portal_throttle",
            "key",
            "changed_day <= $3 AND changed < $2 AND (failures < $4 OR hashes = 0)",
            "changed_day",
            $lock
        );
        pub(crate) const PURGE_QUOTAS: &str = purge!(
            "portal_quotas",
            "key",
            "changed_day <= $3 AND changed < $2",
            "changed_day",
            $lock
        );
    };
}

// Seals. A row of seal 0 waits for one.

pub(crate) const UNSEALED: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.seal = 0 ORDER BY e.happened_at, e.id LIMIT $1"
);

macro_rules! seal_columns {
    () => {
        columns!("s": no kind made_at events chain mac_key mac)
    };
}

pub(crate) const LAST_SEAL: &str = concat!(
    "SELECT ",
    seal_columns!(),
    " FROM portal_audit_seals s ORDER BY s.no DESC LIMIT 1"
);

pub(crate) const SEALS: &str = concat!(
    "SELECT ",
    seal_columns!(),
    " FROM portal_audit_seals s WHERE s.no > $1 ORDER BY s.no LIMIT $2"
);

pub(crate) const SEALED_EVENTS: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.seal = $1 ORDER BY e.place"
);

pub(crate) const INSERT_SEAL: &str = "INSERT INTO portal_audit_seals (no, kind, made_at, events, chain, mac_key, mac) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (no) DO NOTHING";

pub(crate) const PUT_UNDER_SEAL: &str =
    "UPDATE portal_audit SET seal = $1, place = $2 WHERE id = $3 AND seal = 0";

pub(crate) const PUT_CHECKPOINT: &str = "UPDATE portal_audit_seals SET kind = $2, mac_key = $3, mac = $4 \
     WHERE no = $1 AND kind = 'batch'";

pub(crate) const DELETE_SEALS: &str = "DELETE FROM portal_audit_seals WHERE no < $1";

pub(crate) const DELETE_SEALED_EVENTS: &str = "DELETE FROM portal_audit WHERE seal BETWEEN 1 AND $1";

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
        END_SESSIONS,
        KEEP_NEWEST_SESSIONS,
        KEEP_NEWEST_CHALLENGES,
        KEEP_NEWEST_DEVICES,
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

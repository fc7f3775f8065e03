//! What a commit writes: changes of one row, sweeps, mails and events.

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

pub(crate) const END_CHALLENGES: &str = "DELETE FROM portal_challenges WHERE account_id = $1";

/// Ends sessions of an account (`$1`), or all but its newest rows, in one engine's words. In a tie the row that this commit
/// wrote (`$3`) is the newest: nobody signs in and is signed out by it. All commits lock what they end by its key, so that
/// none waits for another that waits for it; an `OFFSET` beside the lock would lock what it leaves out.
macro_rules! keep_newest {
    ($lock:literal) => {
        pub(crate) const END_SESSIONS: &str = concat!(
            "DELETE FROM portal_sessions WHERE key IN (SELECT key FROM portal_sessions \
             WHERE account_id = $1 AND key <> $2 ORDER BY key",
            $lock,
            ")"
        );
        pub(crate) const KEEP_NEWEST_SESSIONS: &str = concat!(
            "DELETE FROM portal_sessions WHERE key IN (SELECT key FROM portal_sessions WHERE key IN (SELECT key \
             FROM portal_sessions WHERE account_id = $1 \
             ORDER BY created_at DESC, CASE WHEN key = $3 THEN 0 ELSE 1 END, key \
             LIMIT 9223372036854775807 OFFSET $2) ORDER BY key",
            $lock,
            ")"
        );
        pub(crate) const KEEP_NEWEST_CHALLENGES: &str = concat!(
            "DELETE FROM portal_challenges WHERE key IN (SELECT key FROM portal_challenges WHERE key IN (SELECT key \
             FROM portal_challenges WHERE account_id = $1 \
             ORDER BY created_at DESC, CASE WHEN key = $3 THEN 0 ELSE 1 END, key \
             LIMIT 9223372036854775807 OFFSET $2) ORDER BY key",
            $lock,
            ")"
        );
        pub(crate) const KEEP_NEWEST_DEVICES: &str = concat!(
            "DELETE FROM portal_devices WHERE account_id = $1 AND device IN (SELECT device FROM portal_devices \
             WHERE account_id = $1 AND device IN (SELECT device FROM portal_devices WHERE account_id = $1 \
             ORDER BY last_used DESC, CASE WHEN device = $3 THEN 0 ELSE 1 END, device \
             LIMIT 9223372036854775807 OFFSET $2) ORDER BY device",
            $lock,
            ")"
        );
    };
}

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

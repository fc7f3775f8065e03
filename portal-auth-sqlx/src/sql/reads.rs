//! Reads of account data, lists, guards, drafts and sessions.

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

-- Times are microseconds since 1970 in UTC, keys are random bytes, words are checked text: nothing here depends on
-- sequences, triggers, extensions, collations or partial indexes, so the schema can move to a distributed engine.
--
-- There are no foreign keys. What belongs to an account carries the epoch it was made in and is dead when that has
-- moved; a key would make every sign-in lock the account's row against its own password change.

CREATE TABLE portal_accounts (
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),
    version BIGINT NOT NULL CHECK (version > 0),
    email TEXT COLLATE "C" NOT NULL CHECK (octet_length(email) BETWEEN 3 AND 320),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'closed')),
    auth_epoch BYTEA NOT NULL CHECK (octet_length(auth_epoch) = 8),
    password TEXT NOT NULL CHECK (octet_length(password) <= 1024),
    two_step TEXT NOT NULL CHECK (two_step IN ('off', 'email')),
    question TEXT CHECK (octet_length(question) <= 128),
    answer TEXT CHECK (octet_length(answer) <= 1024),
    profile_version BIGINT NOT NULL CHECK (profile_version BETWEEN 0 AND 4294967295),
    profile TEXT NOT NULL CHECK (octet_length(profile) <= 262144),
    code_failures BIGINT NOT NULL CHECK (code_failures BETWEEN 0 AND 4294967295),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITH (fillfactor = 85);

-- One address, one account: on every engine the primary key of a table is unique.
CREATE TABLE portal_email_claims (
    email TEXT COLLATE "C" PRIMARY KEY CHECK (octet_length(email) BETWEEN 3 AND 320),
    account_id BYTEA NOT NULL CHECK (octet_length(account_id) = 16)
);

CREATE TABLE portal_registrations (
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),
    version BIGINT NOT NULL CHECK (version > 0),
    email TEXT COLLATE "C" NOT NULL CHECK (octet_length(email) BETWEEN 3 AND 320),
    state TEXT NOT NULL CHECK (state IN ('submitted', 'activated', 'given_up', 'overtaken', 'exhausted')),
    password TEXT CHECK (octet_length(password) <= 1024),
    question TEXT CHECK (octet_length(question) <= 128),
    answer TEXT CHECK (octet_length(answer) <= 1024),
    profile_version BIGINT CHECK (profile_version BETWEEN 0 AND 4294967295),
    profile TEXT CHECK (octet_length(profile) <= 262144),
    link BYTEA NOT NULL CHECK (octet_length(link) = 16),
    submitted_at BIGINT NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX portal_registrations_email ON portal_registrations (email);
CREATE INDEX portal_registrations_kept ON portal_registrations (kept_until);

-- over_at is the earlier of ended_at and expires_at: what purge goes by.
CREATE TABLE portal_links (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    version BIGINT NOT NULL CHECK (version > 0),
    purpose TEXT NOT NULL CHECK (octet_length(purpose) <= 64),
    seed BYTEA CHECK (octet_length(seed) = 16),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('registration', 'account')),
    subject_id BYTEA NOT NULL CHECK (octet_length(subject_id) = 16),
    address TEXT COLLATE "C" NOT NULL CHECK (octet_length(address) BETWEEN 3 AND 320),
    epoch BYTEA CHECK (octet_length(epoch) = 8),
    state TEXT NOT NULL CHECK (state IN ('live', 'used', 'replaced', 'void')),
    tries BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 4294967295),
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    over_at BIGINT NOT NULL
);
CREATE INDEX portal_links_subject ON portal_links (subject_id);
CREATE INDEX portal_links_over ON portal_links (over_at);

CREATE TABLE portal_challenges (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    version BIGINT NOT NULL CHECK (version > 0),
    purpose TEXT NOT NULL CHECK (octet_length(purpose) <= 64),
    account_id BYTEA NOT NULL CHECK (octet_length(account_id) = 16),
    epoch BYTEA NOT NULL CHECK (octet_length(epoch) = 8),
    session BYTEA CHECK (octet_length(session) = 16),
    code_seed BYTEA NOT NULL CHECK (octet_length(code_seed) = 16),
    code_no BIGINT NOT NULL CHECK (code_no BETWEEN 0 AND 4294967295),
    code_key TEXT NOT NULL CHECK (octet_length(code_key) <= 128),
    code_issued_at BIGINT NOT NULL,
    code_expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 4294967295),
    mails BIGINT NOT NULL CHECK (mails BETWEEN 0 AND 4294967295),
    mailed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX portal_challenges_account ON portal_challenges (account_id);
CREATE INDEX portal_challenges_expires ON portal_challenges (expires_at);

-- No index on last_seen: it would make every stamp rewrite the indexes too.
CREATE TABLE portal_sessions (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    handle BYTEA NOT NULL CHECK (octet_length(handle) = 16),
    account_id BYTEA NOT NULL CHECK (octet_length(account_id) = 16),
    epoch BYTEA NOT NULL CHECK (octet_length(epoch) = 8),
    level TEXT NOT NULL CHECK (level IN ('one', 'two')),
    created_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    label TEXT NOT NULL CHECK (octet_length(label) <= 1024),
    network TEXT NOT NULL CHECK (octet_length(network) <= 256)
) WITH (fillfactor = 85);
CREATE INDEX portal_sessions_account ON portal_sessions (account_id);
CREATE INDEX portal_sessions_expires ON portal_sessions (expires_at);

-- Here and below purge goes by a day, which changes once a day, so that other updates leave the indexes alone.
CREATE TABLE portal_devices (
    account_id BYTEA NOT NULL CHECK (octet_length(account_id) = 16),
    device BYTEA NOT NULL CHECK (octet_length(device) = 16),
    epoch BYTEA NOT NULL CHECK (octet_length(epoch) = 8),
    last_used BIGINT NOT NULL,
    used_day BIGINT NOT NULL,
    PRIMARY KEY (account_id, device)
) WITH (fillfactor = 85);
CREATE INDEX portal_devices_used ON portal_devices (used_day);

CREATE TABLE portal_drafts (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    version BIGINT NOT NULL CHECK (version > 0),
    body TEXT NOT NULL CHECK (octet_length(body) <= 262144),
    expires_at BIGINT NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX portal_drafts_expires ON portal_drafts (expires_at);

-- Logged like the rest: a crash that emptied it would hand out every guess again.
CREATE TABLE portal_throttle (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    failures BIGINT NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    open_at BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    hashes BIGINT NOT NULL CHECK (hashes BETWEEN 0 AND 4294967295),
    hashes_since BIGINT NOT NULL,
    changed_day BIGINT NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX portal_throttle_changed ON portal_throttle (changed_day);

-- state holds whole numbers of 8 bytes, the highest byte first.
CREATE TABLE portal_quotas (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 16),
    state BYTEA NOT NULL CHECK (octet_length(state) % 8 = 0 AND octet_length(state) <= 65536),
    changed BIGINT NOT NULL,
    changed_day BIGINT NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX portal_quotas_changed ON portal_quotas (changed_day);

-- waiting is 1 while a mail is ready or leased, and due_at is then when it may be claimed.
CREATE TABLE portal_outbox (
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),
    kind TEXT NOT NULL CHECK (octet_length(kind) <= 64),
    address TEXT COLLATE "C" NOT NULL CHECK (octet_length(address) BETWEEN 3 AND 320),
    account_id BYTEA CHECK (octet_length(account_id) = 16),
    link BYTEA CHECK (octet_length(link) = 16),
    challenge BYTEA CHECK (octet_length(challenge) = 16),
    facts TEXT NOT NULL CHECK (octet_length(facts) <= 16384),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ready', 'leased', 'sent', 'dead')),
    attempts BIGINT NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
    next_at BIGINT NOT NULL,
    lease_no BIGINT NOT NULL CHECK (lease_no >= 0),
    lease_until BIGINT NOT NULL,
    last_error TEXT NOT NULL CHECK (octet_length(last_error) <= 4096),
    urgency BIGINT NOT NULL CHECK (urgency BETWEEN 0 AND 9),
    waiting BIGINT NOT NULL CHECK (waiting IN (0, 1)),
    due_at BIGINT NOT NULL
);
CREATE INDEX portal_outbox_claim ON portal_outbox (waiting, urgency, next_at);
CREATE INDEX portal_outbox_due ON portal_outbox (waiting, due_at);
CREATE INDEX portal_outbox_done ON portal_outbox (status, created_at);

CREATE TABLE portal_audit (
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),
    happened_at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (octet_length(kind) <= 128),
    reason TEXT NOT NULL CHECK (octet_length(reason) <= 128),
    actor TEXT NOT NULL CHECK (actor IN ('visitor', 'owner', 'administrator', 'system')),
    account_id BYTEA CHECK (octet_length(account_id) = 16),
    address BYTEA CHECK (octet_length(address) = 16),
    network BYTEA CHECK (octet_length(network) = 16),
    label TEXT NOT NULL CHECK (octet_length(label) <= 1024),
    mac_key TEXT NOT NULL CHECK (octet_length(mac_key) <= 128),
    mac BYTEA NOT NULL CHECK (octet_length(mac) = 16)
);
CREATE INDEX portal_audit_account ON portal_audit (account_id, happened_at);

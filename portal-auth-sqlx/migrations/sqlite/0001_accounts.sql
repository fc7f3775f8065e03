-- The same tables as PostgreSQL's, in SQLite's words: STRICT keeps the types, and since TEXT may hold NUL here (DB-2)
-- its checks refuse it. Times are microseconds since 1970 in UTC; there are no foreign keys, because what belongs to
-- an account carries the epoch it was made in and is dead when that has moved.

CREATE TABLE portal_accounts (
    id BLOB NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    email TEXT NOT NULL CHECK (instr(email, char(0)) = 0 AND octet_length(email) BETWEEN 3 AND 320),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'closed')),
    auth_epoch BLOB NOT NULL CHECK (octet_length(auth_epoch) = 8),
    password TEXT NOT NULL CHECK (instr(password, char(0)) = 0 AND octet_length(password) <= 1024),
    two_step TEXT NOT NULL CHECK (two_step IN ('off', 'email')),
    question TEXT CHECK (instr(question, char(0)) = 0 AND octet_length(question) <= 128),
    answer TEXT CHECK (instr(answer, char(0)) = 0 AND octet_length(answer) <= 1024),
    profile_version INTEGER NOT NULL CHECK (profile_version BETWEEN 0 AND 4294967295),
    profile TEXT NOT NULL CHECK (instr(profile, char(0)) = 0 AND octet_length(profile) <= 262144),
    code_failures INTEGER NOT NULL CHECK (code_failures BETWEEN 0 AND 4294967295),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- One address, one account: on every engine the primary key of a table is unique.
CREATE TABLE portal_email_claims (
    email TEXT NOT NULL PRIMARY KEY CHECK (instr(email, char(0)) = 0 AND octet_length(email) BETWEEN 3 AND 320),
    account_id BLOB NOT NULL CHECK (octet_length(account_id) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE portal_registrations (
    id BLOB NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    email TEXT NOT NULL CHECK (instr(email, char(0)) = 0 AND octet_length(email) BETWEEN 3 AND 320),
    state TEXT NOT NULL CHECK (state IN ('submitted', 'activated', 'given_up', 'overtaken', 'exhausted')),
    password TEXT CHECK (instr(password, char(0)) = 0 AND octet_length(password) <= 1024),
    question TEXT CHECK (instr(question, char(0)) = 0 AND octet_length(question) <= 128),
    answer TEXT CHECK (instr(answer, char(0)) = 0 AND octet_length(answer) <= 1024),
    profile_version INTEGER CHECK (profile_version BETWEEN 0 AND 4294967295),
    profile TEXT CHECK (instr(profile, char(0)) = 0 AND octet_length(profile) <= 262144),
    link BLOB NOT NULL CHECK (octet_length(link) = 16),
    submitted_at INTEGER NOT NULL,
    kept_until INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_registrations_email ON portal_registrations (email);
CREATE INDEX portal_registrations_kept ON portal_registrations (kept_until);

-- over_at is the earlier of ended_at and expires_at: what purge goes by.
CREATE TABLE portal_links (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    purpose TEXT NOT NULL CHECK (octet_length(purpose) <= 64),
    seed BLOB CHECK (octet_length(seed) = 16),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('registration', 'account')),
    subject_id BLOB NOT NULL CHECK (octet_length(subject_id) = 16),
    address TEXT NOT NULL CHECK (instr(address, char(0)) = 0 AND octet_length(address) BETWEEN 3 AND 320),
    epoch BLOB CHECK (octet_length(epoch) = 8),
    state TEXT NOT NULL CHECK (state IN ('live', 'used', 'replaced', 'void')),
    tries INTEGER NOT NULL CHECK (tries BETWEEN 0 AND 4294967295),
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    over_at INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_links_subject ON portal_links (subject_id);
CREATE INDEX portal_links_over ON portal_links (over_at);

CREATE TABLE portal_challenges (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    purpose TEXT NOT NULL CHECK (octet_length(purpose) <= 64),
    account_id BLOB NOT NULL CHECK (octet_length(account_id) = 16),
    epoch BLOB NOT NULL CHECK (octet_length(epoch) = 8),
    session BLOB CHECK (octet_length(session) = 16),
    code_seed BLOB NOT NULL CHECK (octet_length(code_seed) = 16),
    code_no INTEGER NOT NULL CHECK (code_no BETWEEN 0 AND 4294967295),
    code_key TEXT NOT NULL CHECK (instr(code_key, char(0)) = 0 AND octet_length(code_key) <= 128),
    code_issued_at INTEGER NOT NULL,
    code_expires_at INTEGER NOT NULL,
    tries INTEGER NOT NULL CHECK (tries BETWEEN 0 AND 4294967295),
    mails INTEGER NOT NULL CHECK (mails BETWEEN 0 AND 4294967295),
    mailed_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_challenges_account ON portal_challenges (account_id);
CREATE INDEX portal_challenges_expires ON portal_challenges (expires_at);

-- No index on last_seen: it would make every stamp rewrite an index too.
CREATE TABLE portal_sessions (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    handle BLOB NOT NULL CHECK (octet_length(handle) = 16),
    account_id BLOB NOT NULL CHECK (octet_length(account_id) = 16),
    epoch BLOB NOT NULL CHECK (octet_length(epoch) = 8),
    level TEXT NOT NULL CHECK (level IN ('one', 'two')),
    created_at INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    label TEXT NOT NULL CHECK (instr(label, char(0)) = 0 AND octet_length(label) <= 1024),
    network TEXT NOT NULL CHECK (instr(network, char(0)) = 0 AND octet_length(network) <= 256)
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_sessions_account ON portal_sessions (account_id);
CREATE INDEX portal_sessions_expires ON portal_sessions (expires_at);

-- Here and below purge goes by a day, which changes once a day, so that other updates leave the indexes alone.
CREATE TABLE portal_devices (
    account_id BLOB NOT NULL CHECK (octet_length(account_id) = 16),
    device BLOB NOT NULL CHECK (octet_length(device) = 16),
    epoch BLOB NOT NULL CHECK (octet_length(epoch) = 8),
    last_used INTEGER NOT NULL,
    used_day INTEGER NOT NULL,
    PRIMARY KEY (account_id, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_devices_used ON portal_devices (used_day);

CREATE TABLE portal_drafts (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    body TEXT NOT NULL CHECK (instr(body, char(0)) = 0 AND octet_length(body) <= 262144),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_drafts_expires ON portal_drafts (expires_at);

-- Logged like the rest: a crash that emptied it would hand out every guess again.
CREATE TABLE portal_throttle (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    open_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    hashes INTEGER NOT NULL CHECK (hashes BETWEEN 0 AND 4294967295),
    hashes_since INTEGER NOT NULL,
    changed_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_throttle_changed ON portal_throttle (changed_day);

-- state holds whole numbers of 8 bytes, the highest byte first.
CREATE TABLE portal_quotas (
    key BLOB NOT NULL PRIMARY KEY CHECK (octet_length(key) = 16),
    state BLOB NOT NULL CHECK (octet_length(state) % 8 = 0 AND octet_length(state) <= 65536),
    changed INTEGER NOT NULL,
    changed_day INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_quotas_changed ON portal_quotas (changed_day);

-- waiting is 1 while a mail is ready or leased, and due_at is then when it may be claimed.
CREATE TABLE portal_outbox (
    id BLOB NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    kind TEXT NOT NULL CHECK (instr(kind, char(0)) = 0 AND octet_length(kind) <= 64),
    address TEXT NOT NULL CHECK (instr(address, char(0)) = 0 AND octet_length(address) BETWEEN 3 AND 320),
    account_id BLOB CHECK (octet_length(account_id) = 16),
    link BLOB CHECK (octet_length(link) = 16),
    challenge BLOB CHECK (octet_length(challenge) = 16),
    facts TEXT NOT NULL CHECK (instr(facts, char(0)) = 0 AND octet_length(facts) <= 16384),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ready', 'leased', 'sent', 'dead')),
    attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
    next_at INTEGER NOT NULL,
    lease_no INTEGER NOT NULL CHECK (lease_no >= 0),
    lease_until INTEGER NOT NULL,
    last_error TEXT NOT NULL CHECK (instr(last_error, char(0)) = 0 AND octet_length(last_error) <= 4096),
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 9),
    waiting INTEGER NOT NULL CHECK (waiting IN (0, 1)),
    due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_outbox_claim ON portal_outbox (waiting, urgency, next_at);
CREATE INDEX portal_outbox_due ON portal_outbox (waiting, due_at);
CREATE INDEX portal_outbox_done ON portal_outbox (status, created_at);

CREATE TABLE portal_audit (
    id BLOB NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (instr(kind, char(0)) = 0 AND octet_length(kind) <= 128),
    reason TEXT NOT NULL CHECK (instr(reason, char(0)) = 0 AND octet_length(reason) <= 128),
    actor TEXT NOT NULL CHECK (actor IN ('visitor', 'owner', 'administrator', 'system')),
    account_id BLOB CHECK (octet_length(account_id) = 16),
    address BLOB CHECK (octet_length(address) = 16),
    network BLOB CHECK (octet_length(network) = 16),
    label TEXT NOT NULL CHECK (instr(label, char(0)) = 0 AND octet_length(label) <= 1024),
    mac_key TEXT NOT NULL CHECK (instr(mac_key, char(0)) = 0 AND octet_length(mac_key) <= 128),
    mac BLOB NOT NULL CHECK (octet_length(mac) = 16)
) STRICT;
CREATE INDEX portal_audit_account ON portal_audit (account_id, happened_at);

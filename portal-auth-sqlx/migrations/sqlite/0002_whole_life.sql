-- What the rest of an account's life needs: recovery, change of address, closing, language.

ALTER TABLE portal_accounts ADD COLUMN language TEXT CHECK (instr(language, char(0)) = 0 AND octet_length(language) <= 35);
ALTER TABLE portal_accounts ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));
ALTER TABLE portal_accounts ADD COLUMN answer_failures INTEGER NOT NULL DEFAULT 0
    CHECK (answer_failures BETWEEN 0 AND 4294967295);
ALTER TABLE portal_accounts ADD COLUMN recovery_pauses INTEGER NOT NULL DEFAULT 0
    CHECK (recovery_pauses BETWEEN 0 AND 4294967295);
ALTER TABLE portal_accounts ADD COLUMN recovery_paused_until INTEGER;
ALTER TABLE portal_accounts ADD COLUMN recovery_due_at INTEGER;
ALTER TABLE portal_accounts ADD COLUMN email_changed_at INTEGER;
ALTER TABLE portal_accounts ADD COLUMN closed_at INTEGER;
CREATE INDEX portal_accounts_closed ON portal_accounts (closed_at);

ALTER TABLE portal_links ADD COLUMN opens_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE portal_links ADD COLUMN concerns BLOB CHECK (octet_length(concerns) = 16);
ALTER TABLE portal_links ADD COLUMN answer TEXT NOT NULL DEFAULT 'waived'
    CHECK (answer IN ('owed', 'waived', 'given'));
ALTER TABLE portal_links ADD COLUMN answer_proof BLOB CHECK (octet_length(answer_proof) = 16);
ALTER TABLE portal_links ADD COLUMN answered_at INTEGER;

-- Seals over the audit; a row of seal 0 waits for one, and place is its number within its seal.
ALTER TABLE portal_audit ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE portal_audit ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE INDEX portal_audit_seal ON portal_audit (seal, place);

CREATE TABLE portal_audit_seals (
    no INTEGER NOT NULL PRIMARY KEY CHECK (no > 0),
    kind TEXT NOT NULL CHECK (kind IN ('batch', 'checkpoint')),
    made_at INTEGER NOT NULL,
    events INTEGER NOT NULL CHECK (events BETWEEN 0 AND 4294967295),
    chain BLOB NOT NULL CHECK (octet_length(chain) = 32),
    mac_key TEXT NOT NULL CHECK (instr(mac_key, char(0)) = 0 AND octet_length(mac_key) <= 128),
    mac BLOB NOT NULL CHECK (octet_length(mac) = 16)
) STRICT;

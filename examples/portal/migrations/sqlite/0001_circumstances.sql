-- What people tell of changes in their circumstances (P25). A row goes with its account.
CREATE TABLE host_circumstances (
    -- Follows from the account, the form and what was typed into it: sending it twice makes one row.
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    -- Counted for each account: of two that are filed at once the second counts anew.
    number INTEGER NOT NULL CHECK (number > 0),
    reference TEXT NOT NULL UNIQUE CHECK (length(reference) BETWEEN 1 AND 40),
    change TEXT NOT NULL CHECK (change IN ('new-role', 'new-organisation', 'new-name', 'left', 'other')),
    -- A day of the calendar, like 2026-05-03.
    changed_on TEXT NOT NULL CHECK (length(changed_on) = 10),
    details TEXT NOT NULL CHECK (length(details) <= 1000),
    reported_at INTEGER NOT NULL,
    told_at INTEGER,
    -- When the next mail about it is due; NULL when all are queued.
    mail_due_at INTEGER,
    UNIQUE (account_id, number)
) STRICT;
CREATE INDEX host_circumstances_due ON host_circumstances (mail_due_at);

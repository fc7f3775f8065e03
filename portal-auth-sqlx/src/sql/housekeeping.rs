//! Housekeeping: the oldest first, by an index, and with the locks a purger beside us holds left alone.

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
        pub(crate) const WIPE_SEEDS: &str = concat!(
            "UPDATE portal_links SET seed = NULL, version = version + 1 WHERE key IN (SELECT key \
             FROM portal_links WHERE seed IS NOT NULL AND over_at < $2 ORDER BY over_at LIMIT $1",
            $lock,
            ")"
        );
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

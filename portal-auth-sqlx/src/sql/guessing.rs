//! Guessing budgets and mail quotas.
//!
//! In the ladder `$2` is now, `$7` the earliest moment whose distance from now fits a number, `$8` the quiet time, `$9`
//! the cap, `$10` the free failures, `$11` the step from which on the wait is `$12`, `$13` the first wait, `$14` the
//! hashes of a window, `$15` the latest beginning of a window that is over and `$16` the longest wait's end.

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
    " THEN $4 ELSE t.changed_day END RETURNING failures"
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

//! Guessing budgets: the charge before a secret is checked, its settlement in the commit, and the mail quotas.

use std::collections::BTreeMap;

use portal_auth::environment::Timestamp;
use portal_auth::mail::quota::{QuotaLine, Spent};
use portal_auth::throttle::{Bucket, BucketKey, Charge, Charged, Receipt, Settle};

use super::rows::Columns;
use super::{Connection, dialect, keys, query};
use crate::error::{Failure, broken};
use crate::ladder::{LadderNumbers, micros, refused};
use crate::{day, sql};

/// How often a charge that met an open bucket after all is made again.
const TRIES: usize = 3;

pub(crate) async fn charge(conn: &mut Connection, charge: &Charge) -> Result<Charged, sqlx::Error> {
    let numbers = LadderNumbers::of(charge.now, &charge.ladder);
    for _ in 0..TRIES {
        if let Some(numbers) = &numbers
            && let Some(receipt) = pay(conn, charge, numbers).await?
        {
            return Ok(Charged::Paid(receipt));
        }
        let rows = query(dialect::BUCKETS)
            .bind(charge.bucket.as_bytes().as_slice())
            .bind(keys(&charge.networks))
            .fetch_all(&mut *conn)
            .await?;
        let rows = rows
            .iter()
            .map(|row| Columns::of(row).bucket())
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(answer) = refused(charge, &rows) {
            return Ok(answer);
        }
    }
    // Closed at each try and open at each look: a crowd is at it, and one more try may well pass.
    Ok(Charged::Refused { until: charge.now })
}

async fn pay(
    conn: &mut Connection,
    charge: &Charge,
    numbers: &LadderNumbers,
) -> Result<Option<Receipt>, sqlx::Error> {
    let rows = query(dialect::CHARGE)
        .bind(charge.bucket.as_bytes().as_slice())
        .bind(charge.now.as_micros())
        .bind(keys(&charge.networks))
        .bind(numbers.first.open_at.as_micros())
        .bind(numbers.first.hashes_since.as_micros())
        .bind(day(charge.now))
        .bind(numbers.floor)
        .bind(numbers.quiet)
        .bind(numbers.cap)
        .bind(numbers.free)
        .bind(numbers.top_step)
        .bind(numbers.top_wait)
        .bind(numbers.first_wait)
        .bind(numbers.hashes)
        .bind(numbers.window_over)
        .bind(numbers.furthest)
        // Of SQLite, `fetch_optional` would hand out the row before the write is committed, and never say if it was not.
        .fetch_all(conn)
        .await?;
    rows.first()
        .map(|row| {
            let mut columns = Columns::of(row);
            Ok(Receipt {
                bucket: charge.bucket,
                failures: columns.count("failures")?,
                open_at: columns.time()?,
                charged_at: charge.now,
            })
        })
        .transpose()
}

/// The one bucket that a settlement is about.
pub(crate) fn bucket_of(settle: &Settle) -> BucketKey {
    match settle {
        Settle::TakeBack(receipt) => receipt.bucket,
        Settle::Clear(bucket) | Settle::Lower { bucket, .. } | Settle::CountNetwork { bucket, .. } => *bucket,
    }
}

/// Answers whether this closes a network.
///
/// A bucket that is not there stays away: settling an empty one changes nothing, a network's first failure apart.
pub(crate) async fn settle(conn: &mut Connection, settle: &Settle) -> Result<bool, Failure> {
    let statement = match settle {
        Settle::TakeBack(receipt) => query(sql::TAKE_BACK)
            .bind(receipt.bucket.as_bytes().as_slice())
            .bind(receipt.open_at.as_micros())
            .bind(receipt.charged_at.as_micros()),
        Settle::Clear(bucket) => query(sql::CLEAR)
            .bind(bucket.as_bytes().as_slice())
            .bind(Timestamp::MIN.as_micros()),
        Settle::Lower {
            bucket,
            failures,
            open_at,
            now,
        } => query(sql::LOWER)
            .bind(bucket.as_bytes().as_slice())
            .bind(i64::from(*failures))
            .bind(open_at.as_micros())
            .bind(now.as_micros())
            .bind(day(*now)),
        Settle::CountNetwork {
            bucket,
            now,
            limit,
            window,
        } => {
            let first = Bucket::EMPTY.network_counted(*now, *limit, *window);
            let rows = query(sql::COUNT_NETWORK)
                .bind(bucket.as_bytes().as_slice())
                .bind(now.as_micros())
                .bind(first.open_at.as_micros())
                .bind(day(*now))
                .bind(i64::from(*limit))
                .bind(micros(*window))
                .bind(now.minus(*window).as_micros())
                .bind(Bucket::EMPTY.hashes_since.as_micros())
                .fetch_all(conn)
                .await?;
            let row = rows.first().ok_or_else(|| broken("failures"))?;
            let failures = Columns::of(row).count("failures")?;
            return Ok(Bucket { failures, ..first }.is_just_closed(*limit));
        }
    };
    statement.execute(conn).await?;
    Ok(false)
}

/// Counts one mail on all lines inside the caller's transaction; after a refusal the caller must roll back.
///
/// The rows are locked in the order of their keys, so that two mails with lines in common wait for each other and
/// never block each other.
pub(crate) async fn spend(
    conn: &mut Connection,
    lines: &[QuotaLine],
    now: Timestamp,
) -> Result<Spent, sqlx::Error> {
    let mut states = BTreeMap::new();
    let sorted: BTreeMap<BucketKey, ()> = lines.iter().map(|line| (line.key, ())).collect();
    for key in sorted.into_keys() {
        query(sql::RESERVE_QUOTA)
            .bind(key.as_bytes().as_slice())
            .bind(encode(&[]))
            .bind(now.as_micros())
            .bind(day(now))
            .execute(&mut *conn)
            .await?;
        let row = query(dialect::QUOTA)
            .bind(key.as_bytes().as_slice())
            .fetch_one(&mut *conn)
            .await?;
        states.insert(key, decode(Columns::of(&row).take()?)?);
    }
    let (mut last_until, mut refused) = (None, None);
    for line in lines {
        let state = states.entry(line.key).or_default();
        match line.limits.spend(state, now) {
            Ok((next, until)) => {
                *state = next;
                last_until = last_until.max(until);
            }
            Err(until) => refused = refused.max(Some(until)),
        }
    }
    if let Some(until) = refused {
        return Ok(Spent::Refused { until });
    }
    for (key, state) in states {
        query(sql::UPDATE_QUOTA)
            .bind(key.as_bytes().as_slice())
            .bind(encode(&state))
            .bind(now.as_micros())
            .bind(day(now))
            .execute(&mut *conn)
            .await?;
    }
    Ok(Spent::Granted { last_until })
}

fn encode(state: &[i64]) -> Vec<u8> {
    state.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn decode(bytes: &[u8]) -> Result<Vec<i64>, sqlx::Error> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    if rest.is_empty() {
        Ok(numbers.iter().map(|bytes| i64::from_be_bytes(*bytes)).collect())
    } else {
        Err(broken("state"))
    }
}

//! Removal of what is over: one bounded statement for each kind of row.

use portal_auth::store::PurgePlan;

use super::{Connection, dialect, query};
use crate::day;

/// Each statement commits by itself: a purge that is cut off has removed whole rows and leaves the rest for later.
pub(crate) async fn purge(conn: &mut Connection, plan: &PurgePlan) -> Result<u64, sqlx::Error> {
    let by_end = [
        (dialect::PURGE_DRAFTS, plan.ended_before),
        (dialect::PURGE_SESSIONS, plan.sessions_before),
        (dialect::PURGE_CHALLENGES, plan.ended_before),
        (dialect::PURGE_REGISTRATIONS, plan.ended_before),
        (dialect::PURGE_LINKS, plan.links_before),
        (dialect::WIPE_SEEDS, plan.seeds_before),
        (dialect::PURGE_SENT, plan.mails_before),
        (dialect::PURGE_DEAD, plan.links_before),
    ];
    let by_day = [
        (dialect::PURGE_DEVICES, plan.devices_before),
        (dialect::PURGE_QUOTAS, plan.buckets_before),
    ];
    let batch = i64::from(plan.batch);
    let mut gone = 0_u64;
    for (statement, before) in by_end {
        let done = query(statement)
            .bind(batch)
            .bind(before.as_micros())
            .execute(&mut *conn)
            .await?;
        gone = gone.saturating_add(done.rows_affected());
    }
    for (statement, before) in by_day {
        let done = query(statement)
            .bind(batch)
            .bind(before.as_micros())
            .bind(day(before))
            .execute(&mut *conn)
            .await?;
        gone = gone.saturating_add(done.rows_affected());
    }
    let done = query(dialect::PURGE_BUCKETS)
        .bind(batch)
        .bind(plan.buckets_before.as_micros())
        .bind(day(plan.buckets_before))
        .bind(i64::from(plan.bucket_cap))
        .execute(&mut *conn)
        .await?;
    gone = gone.saturating_add(done.rows_affected());
    Ok(gone)
}

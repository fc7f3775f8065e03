//! The values of a sign-in's one statement, in the order in which both engines number them.

use portal_auth::environment::Timestamp;
use portal_auth::throttle::BucketKey;

use super::query;
use super::writes::Statement;
use crate::day;
use crate::sign_in::Parts;

pub(crate) fn bound(statement: &'static str, parts: &Parts<'_>) -> Statement {
    let (session, event) = (parts.session, parts.event);
    let bytes = |key: Option<&BucketKey>| key.map(|k| k.as_bytes().to_vec());
    let (lowered, failures, open_at, lowered_at) = match &parts.lower {
        Some((bucket, failures, open_at, now)) => (Some(bucket), *failures, *open_at, *now),
        None => (None, 0, Timestamp::MIN, Timestamp::MIN),
    };
    query(statement)
        .bind(session.account.as_bytes().as_slice())
        .bind(parts.epoch.as_bytes().as_slice())
        .bind(session.key.as_bytes().as_slice())
        .bind(session.handle.as_bytes().as_slice())
        .bind(session.epoch.as_bytes().as_slice())
        .bind(session.level.as_str())
        .bind(session.created_at.as_micros())
        .bind(session.last_seen.as_micros())
        .bind(session.confirmed_at.as_micros())
        .bind(session.expires_at.as_micros())
        .bind(session.label.as_str())
        .bind(session.network.as_str())
        .bind(parts.keep_sessions.map(i64::from))
        .bind(parts.device.map(|d| d.device.as_bytes().as_slice()))
        .bind(parts.device.map(|d| d.epoch.as_bytes().as_slice()))
        .bind(parts.device.map(|d| d.last_used.as_micros()))
        .bind(parts.device.map(|d| day(d.last_used)))
        .bind(parts.keep_devices.map(i64::from))
        .bind(bytes(parts.take_back.map(|receipt| &receipt.bucket)))
        .bind(parts.take_back.map(|receipt| receipt.open_at.as_micros()))
        .bind(parts.take_back.map(|receipt| receipt.charged_at.as_micros()))
        .bind(bytes(parts.clear.as_ref()))
        .bind(Timestamp::MIN.as_micros())
        .bind(bytes(lowered))
        .bind(i64::from(failures))
        .bind(open_at.as_micros())
        .bind(lowered_at.as_micros())
        .bind(day(lowered_at))
        .bind(event.id.as_bytes().as_slice())
        .bind(event.at.as_micros())
        .bind(event.kind.as_str())
        .bind(event.reason.as_str())
        .bind(event.actor.as_str())
        .bind(event.account.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(event.address.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(event.network.as_ref().map(|n| n.as_bytes().as_slice()))
        .bind(event.label.as_str())
        .bind(event.mac_key.as_str())
        .bind(event.mac.as_slice())
}

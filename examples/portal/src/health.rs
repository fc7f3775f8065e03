//! What machines ask: is it alive, is it ready, how is it doing (`/healthz`, `/readyz`, `/metrics`).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use portal_auth_axum::client_address::ClientAddress;

use crate::app::{App, Shared};

/// Above this difference between the database's clock and ours nothing that expires can be trusted (CLK-1).
const WORST_CLOCK: Duration = Duration::from_secs(30);
/// From this difference on the operator is warned.
const BAD_CLOCK: Duration = Duration::from_secs(2);
/// A mail that has been due for longer means that mail does not go out.
const WORST_MAIL: Duration = Duration::from_secs(60);

/// The routes; they need no cookie and tell nothing about anybody.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// 200 when requests can be served, else 503 with a line for each reason.
async fn ready(State(app): State<Shared>) -> Response {
    let mut troubles = Vec::new();
    let mut warnings = Vec::new();
    let now = app.auth.now();
    match app.auth.store().health().await {
        Ok(health) => {
            if !health.schema_current {
                troubles.push(
                    "the database's schema is older than this release: run `portal migrate`".to_owned(),
                );
            }
            if let Some(clock) = health.clock {
                let apart = now.since(clock).max(clock.since(now));
                if apart > WORST_CLOCK {
                    troubles.push(format!(
                        "the database's clock is {} s away from ours",
                        apart.as_secs()
                    ));
                } else if apart > BAD_CLOCK {
                    warnings.push(format!(
                        "the database's clock is {} s away from ours",
                        apart.as_secs()
                    ));
                }
            }
        }
        Err(e) => {
            tracing::warn!(error = &e as &dyn std::error::Error, "not ready");
            troubles.push("the database does not answer".to_owned());
        }
    }
    if let Ok(backlog) = app.auth.store().backlog(now).await
        && let Some(oldest) = backlog.oldest_due.filter(|at| now.since(*at) > WORST_MAIL)
    {
        warnings.push(format!(
            "a mail has been waiting for {} s",
            now.since(oldest).as_secs()
        ));
    }
    let status = if troubles.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = if troubles.is_empty() {
        "ready\n".to_owned()
    } else {
        String::new()
    };
    for line in troubles.iter().chain(&warnings) {
        body.push_str(line);
        body.push('\n');
    }
    (status, body).into_response()
}

/// Prometheus text, for the clients that may read it; 404 for everybody else.
async fn metrics(
    State(app): State<Shared>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    client: ClientAddress,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    if !may_read_metrics(&app, peer, client, &headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let counts = app.auth.counts();
    let backlog = app.auth.store().backlog(app.auth.now()).await.unwrap_or_default();
    let age = backlog
        .oldest_due
        .map_or(0, |at| app.auth.now().since(at).as_secs());
    let gate = counts.gate;
    let mut text = String::new();
    let mut line = |kind: &str, name: &str, help: &str, value: u64| {
        // Writing to a String cannot fail.
        let _written = write!(
            text,
            "# HELP portal_{name} {help}\n# TYPE portal_{name} {kind}\nportal_{name} {value}\n"
        );
    };
    line(
        "counter",
        "sign_ins_total",
        "Passwords and codes that were right.",
        counts.sign_ins,
    );
    line(
        "counter",
        "sign_ins_refused_total",
        "Passwords and codes that were not right.",
        counts.sign_ins_refused,
    );
    line(
        "counter",
        "throttled_total",
        "Tries refused because a bucket was closed.",
        counts.throttled,
    );
    line(
        "counter",
        "breach_checks_missed_total",
        "New passwords that could not be held against the list of breached ones.",
        counts.breach_checks_missed,
    );
    line(
        "counter",
        "conflicts_total",
        "Decisions made again because a row had changed.",
        counts.conflicts,
    );
    line(
        "counter",
        "mails_sent_total",
        "Mails that the mailer took.",
        counts.mails_sent,
    );
    line(
        "counter",
        "mails_failed_total",
        "Attempts that the mailer did not take.",
        counts.mails_failed,
    );
    line(
        "counter",
        "mails_withheld_total",
        "Mails not queued because a quota was used up.",
        counts.mails_withheld,
    );
    line(
        "counter",
        "purged_rows_total",
        "Rows removed because they were over.",
        counts.purged,
    );
    line(
        "gauge",
        "outbox_due",
        "Mails that are due and not sent.",
        backlog.due,
    );
    line(
        "gauge",
        "outbox_dead",
        "Mails that will not be sent.",
        backlog.dead,
    );
    line(
        "gauge",
        "outbox_oldest_due_seconds",
        "Age of the oldest mail that is due.",
        age,
    );
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    line(
        "gauge",
        "hash_permits",
        "Hashes that can run at the same time.",
        count(gate.permits),
    );
    line(
        "gauge",
        "hash_waiting",
        "Sign-ins waiting for the hashing gate.",
        count(gate.waiting_known.saturating_add(gate.waiting_stranger)),
    );
    line(
        "counter",
        "hash_busy_total",
        "Sign-ins sent away because the gate was full.",
        gate.busy_answers,
    );
    line(
        "counter",
        "hashes_total",
        "Hashes that were finished.",
        gate.hashes_done,
    );
    line(
        "counter",
        "hash_wait_microseconds_total",
        "Time spent waiting for the gate.",
        gate.waited_micros,
    );
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Whether the counters are for this client: they tell by the mails that went out who has an account (ENU-1).
///
/// What was forwarded counts only from a trusted proxy that names a visitor beyond the proxies: whatever else a proxy on
/// this machine passes on looks like this machine itself (THR-5).
fn may_read_metrics(app: &App, peer: Option<IpAddr>, client: ClientAddress, headers: &HeaderMap) -> bool {
    let (Some(peer), Some(client)) = (peer, client.ip()) else {
        return false;
    };
    let proxies = &app.gate.proxies;
    let named = proxies.contains(peer) && !proxies.contains(client);
    let may_read = app.settings.metrics_from.iter().any(|net| net.contains(&client));
    may_read && (named || !was_forwarded(headers))
}

/// Whether a header stands there that proxies write and nobody else.
fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-")
    })
}

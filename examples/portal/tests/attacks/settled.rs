//! The tables when nothing is going on any more: every mail is out.

use std::time::Duration;

use crate::ledger::number;
use crate::rig::Site;
use crate::tables::Tables;

/// All tables as soon as no mail waits.
///
/// # Panics
/// When a mail still waits after 20 seconds.
pub async fn settled(site: &Site) -> Tables {
    mails_are_out(site).await;
    Tables::of(site).await
}

/// Waits until no mail is due, and none is on its way.
///
/// # Panics
/// When a mail still waits after 20 seconds.
pub async fn mails_are_out(site: &Site) {
    const DUE: &str = "SELECT COUNT(*) FROM portal_outbox \
         WHERE status = 'leased' OR waiting = 1 AND due_at <= CAST(CAST($1 AS TEXT) AS BIGINT)";
    let now = std::fs::read_to_string(site.folder().join("clock")).unwrap();
    for _ in 0..1000 {
        if number(site, DUE, &[&now]).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a mail still waits");
}

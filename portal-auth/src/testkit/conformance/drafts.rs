//! Drafts: versioned, so that two tabs do not overwrite each other.

use std::sync::Arc;

use super::{conflict, insert, update, write};
use crate::registration::draft::DraftRow;
use crate::store::{Store, StoreError};
use crate::testkit::rows;
use crate::unit_of_work::{Change, Write};

fn version(n: i64, body: &str) -> DraftRow {
    DraftRow {
        version: n,
        body: body.to_owned(),
        ..rows::draft(1)
    }
}

async fn refused(store: &dyn Store, draft: &DraftRow) {
    let answer = store.save(draft).await;
    assert!(
        matches!(answer, Err(StoreError::Conflict)),
        "{draft:?}: {answer:?}"
    );
}

/// Version 1 inserts, the next version replaces the one before, anything else is a conflict.
pub async fn a_draft_is_saved_version_by_version(store: Arc<dyn Store>) {
    refused(&*store, &version(2, "{}")).await;
    refused(&*store, &version(0, "{}")).await;
    store.save(&version(1, "[1]")).await.expect("the first version");
    let other = DraftRow {
        key: rows::draft(2).key,
        ..version(1, "[9]")
    };
    store.save(&other).await.expect("another draft");
    let mut second = version(2, "[2]");
    second.expires_at = rows::at(99);
    store.save(&second).await.expect("the second version");
    for wrong in [0, 1, 2, 4] {
        refused(&*store, &version(wrong, "[8]")).await;
    }
    let key = second.key;
    assert_eq!(store.load(key).await.expect("answered"), Some(second));
    assert_eq!(store.load(other.key).await.expect("answered"), Some(other));
    assert_eq!(store.load(rows::draft(3).key).await.expect("answered"), None);
}

/// The slower tab is told, so that it can show what the other one wrote.
pub async fn of_two_tabs_the_first_to_save_wins(store: Arc<dyn Store>) {
    store.save(&version(1, "[]")).await.expect("the first version");
    store.save(&version(2, "[1]")).await.expect("the faster tab");
    refused(&*store, &version(2, "[2]")).await;
    let kept = store.load(rows::draft(1).key).await.expect("answered");
    assert_eq!(kept, Some(version(2, "[1]")));
}

/// Submitting a registration writes its draft in the same commit, under the version that was read.
pub async fn a_draft_is_written_and_removed_by_a_commit(store: Arc<dyn Store>) {
    let first = version(1, "[1]");
    write(&*store, rows::work().change(Change::Draft(insert(&first)))).await;
    write(&*store, rows::work().change(Change::Draft(update(&first)))).await;
    conflict(
        &*store,
        rows::work().change(Change::Draft(update(&first))),
        "a stale draft",
    )
    .await;
    store
        .save(&version(3, "[3]"))
        .await
        .expect("saved on top of the commit");
    let gone = rows::work().change(Change::Draft(Box::new(Write::Delete(first.key))));
    write(&*store, gone).await;
    assert_eq!(store.load(first.key).await.expect("answered"), None);
    store.save(&first).await.expect("it may begin again");
}

//! The chain of seals: a number is given once, a row lies under one seal, and what is removed leaves a checkpoint.

use std::sync::Arc;

use super::write;
use crate::audit::{AuditRow, EventId};
use crate::audit_seal::{SealKind, SealRow};
use crate::store::{Store, StoreError};
use crate::testkit::rows;

fn seal(no: i64, seconds: u64, events: u32) -> SealRow {
    SealRow {
        no,
        kind: SealKind::Batch,
        made_at: rows::at(seconds),
        events,
        chain: [u8::try_from(no).unwrap_or(0xff); 32],
        mac_key: "k1".to_owned(),
        mac: [0xee; 16],
    }
}

/// Writes events 1 to `count`, the later ones with the smaller numbers, and nothing else.
async fn with_events(store: &dyn Store, count: u32) -> Vec<EventId> {
    let event = |n: u32| AuditRow {
        at: rows::at(u64::from(count - n)),
        ..rows::event(n)
    };
    let mut work = crate::unit_of_work::UnitOfWork::new(event(1));
    for n in 2..=count {
        work = work.event(event(n));
    }
    write(store, work).await;
    (1..=count).rev().map(|n| rows::event(n).id).collect()
}

async fn ids(store: &dyn Store, no: i64) -> Vec<EventId> {
    let events = if no == 0 {
        store.unsealed(99).await
    } else {
        store.sealed_events(no).await
    };
    events.expect("answered").iter().map(|e| e.id).collect()
}

/// What waits is oldest first, and goes under its seal in the order that was given, whatever that is.
pub async fn rows_wait_oldest_first_and_keep_the_order_of_their_seal(store: Arc<dyn Store>) {
    let store = &*store;
    let waiting = with_events(store, 4).await;
    assert_eq!(ids(store, 0).await, waiting);
    assert_eq!(store.unsealed(2).await.expect("answered").len(), 2);
    assert_eq!(store.last_seal().await.expect("answered"), None);
    let chosen = [waiting[2], waiting[0], waiting[1]];
    store.seal(&seal(1, 10, 3), &chosen).await.expect("sealed");
    assert_eq!(ids(store, 1).await, chosen);
    assert_eq!(ids(store, 0).await, [waiting[3]]);
    store.seal(&seal(2, 20, 1), &[waiting[3]]).await.expect("sealed");
    assert_eq!(ids(store, 0).await, []);
    assert_eq!(store.last_seal().await.expect("answered"), Some(seal(2, 20, 1)));
    assert_eq!(
        store.seals(0, 9).await.expect("answered"),
        [seal(1, 10, 3), seal(2, 20, 1)]
    );
    assert_eq!(store.seals(1, 9).await.expect("answered"), [seal(2, 20, 1)]);
    assert_eq!(store.seals(0, 1).await.expect("answered"), [seal(1, 10, 3)]);
}

/// Two sealers with one number: the second writes nothing. A row that is sealed or gone stops its seal.
pub async fn a_seal_whose_number_or_row_is_taken_is_a_conflict_and_writes_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    let waiting = with_events(store, 3).await;
    store.seal(&seal(1, 10, 1), &waiting[..1]).await.expect("sealed");
    for (no, events) in [
        (1, vec![waiting[1]]),
        (2, vec![waiting[1], waiting[0]]),
        (2, vec![waiting[1], rows::event(0x55).id]),
    ] {
        let refused = store.seal(&seal(no, 20, 1), &events).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        assert_eq!(ids(store, 0).await, waiting[1..]);
        assert_eq!(store.seals(0, 9).await.expect("answered"), [seal(1, 10, 1)]);
    }
}

/// Old rows go with the seals before the checkpoint, and what is younger or waits stays.
pub async fn a_checkpoint_stands_for_the_rows_that_were_removed(store: Arc<dyn Store>) {
    let store = &*store;
    let waiting = with_events(store, 4).await;
    for (no, seconds) in [(1, 10), (2, 20), (3, 30)] {
        let place = usize::try_from(no - 1).expect("small");
        let sealed = store.seal(&seal(no, seconds, 1), &waiting[place..=place]).await;
        sealed.expect("sealed");
    }
    let before = async |seconds, most| {
        let found = store.last_seal_before(rows::at(seconds), most).await;
        found.expect("answered").map(|s| s.no)
    };
    assert_eq!(before(10, 9).await, None);
    assert_eq!(before(11, 9).await, Some(1));
    assert_eq!(before(30, 9).await, Some(2));
    assert_eq!(before(31, 2).await, Some(2));
    let checkpoint = SealRow {
        kind: SealKind::Checkpoint,
        mac: [0x11; 16],
        ..seal(2, 20, 1)
    };
    assert_eq!(store.put_checkpoint(&checkpoint).await.expect("put"), 2);
    assert_eq!(
        store.seals(0, 9).await.expect("answered"),
        [checkpoint.clone(), seal(3, 30, 1)]
    );
    assert_eq!((ids(store, 1).await, ids(store, 2).await), (vec![], vec![]));
    assert_eq!(
        (ids(store, 3).await, ids(store, 0).await),
        (vec![waiting[2]], vec![waiting[3]])
    );
    // A checkpoint is no batch: it is neither found nor replaced again.
    assert_eq!(before(25, 9).await, None);
    let again = store.put_checkpoint(&checkpoint).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    let missing = store.put_checkpoint(&seal(9, 20, 1)).await;
    assert!(matches!(missing, Err(StoreError::Conflict)), "{missing:?}");
}

//! What becomes of a mailed link: its time, its epoch, its state.

use portal_auth::link::{LinkRefused, LinkRow, LinkState};
use portal_auth::testkit::rows::{self, MICRO, at};

#[test]
fn a_link_works_from_its_opening_until_its_end_in_its_epoch_and_state() {
    // TOK-3, TOK-4, I-05
    let account = rows::account(1);
    let link = LinkRow {
        opens_at: at(10),
        ..rows::reset_link(1, &account)
    };
    let judge = |link: &LinkRow, now| {
        let judged = link.judge(&account, now);
        // What its row tells alone leaves out the account's epoch only.
        assert!(link.is_live(now) || judged.is_err());
        judged
    };
    assert_eq!(judge(&link, at(10).minus(MICRO)), Err(LinkRefused::Unknown));
    assert_eq!(judge(&link, at(10)), Ok(()));
    assert_eq!(judge(&link, link.expires_at.minus(MICRO)), Ok(()));
    let expired = Err(LinkRefused::Expired { at: link.expires_at });
    assert_eq!(judge(&link, link.expires_at), expired);
    for (state, refused) in [
        (LinkState::Used, LinkRefused::Used),
        (LinkState::Replaced, LinkRefused::Replaced),
        (LinkState::Void, LinkRefused::Ended),
    ] {
        assert_eq!(judge(&link.ended(state, at(11)), at(12)), Err(refused));
    }
    let wiped = LinkRow {
        seed: None,
        ..link.clone()
    };
    assert_eq!(judge(&wiped, at(10)), Err(LinkRefused::Ended));
    let older = LinkRow {
        epoch: Some(rows::epoch(9)),
        ..link.clone()
    };
    assert_eq!(judge(&older, at(10)), Err(LinkRefused::Ended));
    let bound_to_a_change = LinkRow { epoch: None, ..link };
    assert_eq!(judge(&bound_to_a_change, at(10)), Ok(()));
}

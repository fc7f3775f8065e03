//! What an administrator may do, and that an account in their hands is dead at once.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::Mishap;
use common::{DAY, HOUR, MICRO, MINUTE, OPERATOR, PASSWORD, VAL, World, address, familiar, stranger};
use portal_auth::account::email::EmailAddress;
use portal_auth::account::recovery::Recovery;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::account::status::Status;
use portal_auth::audit::Actor;
use portal_auth::error::Denied;
use portal_auth::features::administer::{AdministerRefused, NotAdministrator};
use portal_auth::features::close_account::EraseRefused;
use portal_auth::features::look_up_accounts::{AccountPage, AccountQuery};
use portal_auth::features::sign_in::SignInRefused;
use portal_auth::features::start_reset::StartResetRefused;
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::rows;

const BOSS: &str = "boss@school.example";

#[tokio::test]
async fn a_disabled_account_is_dead_until_it_is_enabled() {
    // ADM-1, I-07, P-38
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let pending = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    assert!(
        world
            .auth
            .verify_code(&stranger(1), &pending.challenge, &code, None)
            .await
            .is_err()
    );
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(matches!(answer, Err(Denied::Refused(SignInRefused::NotCorrect))));
    assert!(matches!(
        world.auth.disable_account(&OPERATOR, &address(VAL)).await,
        Err(Denied::Refused(AdministerRefused::NotInThisStatus))
    ));

    world.auth.enable_account(&OPERATOR, &address(VAL)).await.unwrap();
    assert!(
        world.auth.authenticate(&session).await.is_err(),
        "what died stays dead"
    );
    world.session_at_two(VAL).await;
    assert!(matches!(
        world.auth.enable_account(&OPERATOR, &address(VAL)).await,
        Err(Denied::Refused(AdministerRefused::NotInThisStatus))
    ));
    assert_eq!(world.audited("administer.disabled"), 1);
    assert_eq!(world.audited("administer.enabled"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_disabled_address_is_still_taken() {
    // I-02, ENU-4
    let world = World::new();
    world.person(VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    world.clock.advance(HOUR);
    world.register(VAL, PASSWORD).await;
    assert_eq!(
        world.mails(VAL, "complete-registration").await,
        1,
        "only the first one"
    );
    assert_eq!(world.mails(VAL, "already-registered").await, 1);
}

#[tokio::test]
async fn ending_all_sessions_forgets_the_devices_and_keeps_the_password() {
    // ADM-1, SES-5
    let world = World::new();
    let device = world.person(VAL).await;
    let session = world.session(VAL).await;
    world
        .auth
        .end_all_sessions(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    world.guess_until_closed(&stranger(2), VAL).await;
    let answer = world.try_sign_in(&familiar(&device), VAL, PASSWORD).await;
    assert!(
        matches!(answer, Err(Denied::TooManyTries { .. })),
        "a stranger now: {answer:?}"
    );
    world.clock.advance(MINUTE);
    world.signed_in(&familiar(&device), VAL).await;
    world.guess_until_closed(&stranger(2), VAL).await;
    world.signed_in(&familiar(&device), VAL).await;
}

#[tokio::test]
async fn unlocking_opens_what_guessing_closed() {
    // ADM-1, THR-3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.guess_until_closed(&stranger(2), VAL).await;
    world.auth.unlock_account(&OPERATOR, &address(VAL)).await.unwrap();
    world.signed_in(&stranger(1), VAL).await;
    world.auth.authenticate(&session).await.unwrap();
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 10);
}

#[tokio::test]
async fn an_address_without_an_account_is_said_to_have_none() {
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    assert!(world.auth.find_account(&address(VAL)).await.unwrap().is_none());
    let refused = world.auth.unlock_account(&OPERATOR, &address(VAL)).await;
    assert!(matches!(
        refused,
        Err(Denied::Refused(AdministerRefused::NoAccount))
    ));
}

#[tokio::test]
async fn conflicts_are_decided_again_and_five_of_them_are_busy() {
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..5 {
        world.store.meet("administer.disabled", Mishap::Conflict);
    }
    let busy = world.auth.disable_account(&OPERATOR, &address(VAL)).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })));
    world.store.meet("administer.disabled", Mishap::Conflict);
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert_eq!(world.audited("administer.disabled"), 1);
}

#[tokio::test]
async fn unlocking_reaches_the_owners_own_browser_and_a_paused_recovery() {
    // ADM-1, ANS-5
    let world = World::new();
    let device = world.person(VAL).await;
    world.signed_in(&familiar(&device), VAL).await;
    world.guess_until_closed(&familiar(&device), VAL).await;
    let paused = AccountRow {
        code_failures: 10,
        locked: true,
        recovery: Recovery {
            answer_failures: 4,
            pauses: 2,
            paused_until: Some(world.now().plus(DAY)),
            due_at: Some(world.now().plus(HOUR)),
        },
        ..world.account(VAL).await
    };
    world.put_account(paused.clone()).await;
    let view = world.auth.find_account(&address(VAL)).await.unwrap().unwrap();
    assert!(view.locked && view.codes_closed);
    assert_eq!(view.recovery_paused_until, paused.recovery.paused_until);

    world.auth.unlock_account(&OPERATOR, &address(VAL)).await.unwrap();
    let account = world.account(VAL).await;
    let kept = Recovery {
        due_at: paused.recovery.due_at,
        ..Recovery::default()
    };
    assert_eq!((account.code_failures, account.recovery), (0, kept));
    assert!(
        account.locked,
        "only a reset opens what \"this was not me\" has locked"
    );
    assert_eq!(world.guess_until_closed(&familiar(&device), VAL).await, 10);
}

#[tokio::test]
async fn a_lost_second_step_is_cleared_by_an_administrator_and_signs_everybody_out() {
    // ADM-1, ASVS 6.4.4
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    world.auth.clear_two_step(&OPERATOR, &address(VAL)).await.unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    world.signed_in(&stranger(1), VAL).await;
    assert!(matches!(
        world.auth.clear_two_step(&OPERATOR, &address(VAL)).await,
        Err(Denied::Refused(AdministerRefused::NotInThisStatus))
    ));
    assert_eq!(world.audited("administer.two_step_cleared"), 1);
    assert_eq!(world.mails(VAL, "administrator-acted").await, 1);
}

#[tokio::test]
async fn every_act_names_who_did_it_and_is_told_to_the_owner() {
    // ADM-1, LOG-1, E21
    let world = World::with(|config| config.administrators = vec![address(BOSS)]);
    world.careful_person(BOSS).await;
    world.clock.advance(HOUR);
    world.person(VAL).await;
    let session = world.session_at_two(BOSS).await;
    let boss = world.auth.authenticate(&session).await.unwrap();
    let by = world.auth.administrator(&stranger(7), &boss).await.unwrap();
    let val = address(VAL);
    world.auth.unlock_account(&by, &val).await.unwrap();
    world.auth.end_all_sessions(&by, &val).await.unwrap();
    world.auth.disable_account(&by, &val).await.unwrap();
    world.work().await;
    world.auth.enable_account(&OPERATOR, &val).await.unwrap();

    let account = world.account(VAL).await;
    let acts: Vec<_> = world
        .audit()
        .into_iter()
        .filter(|event| event.kind.starts_with("administer."))
        .collect();
    assert_eq!(acts.len(), 4);
    for event in &acts {
        assert_eq!(
            (event.actor, event.account),
            (Actor::Administrator, Some(account.id))
        );
        assert!(event.address.is_some());
    }
    let labels: Vec<_> = acts.iter().map(|event| event.label.as_str()).collect();
    let named = format!("account {}", world.account(BOSS).await.id);
    assert_eq!(labels, [&*named, &*named, &*named, "command line"]);
    assert!(acts[0].network.is_some() && acts[3].network.is_none());
    assert_eq!(world.mails(VAL, "administrator-acted").await, 4);
    let told = world.latest(VAL, "administrator-acted").await;
    assert!(
        told.starts_with("Hello Val,\n") && told.contains("Your account was enabled."),
        "{told}"
    );
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn only_a_listed_person_with_both_steps_and_a_fresh_proof_is_an_administrator() {
    // STP-1, STP-3
    let world = World::with(|config| config.administrators = vec![address(BOSS)]);
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let val = world.auth.authenticate(&session).await.unwrap();
    let refused = world.auth.check_administrator(&val).await;
    assert!(matches!(refused, Err(Denied::Refused(NotAdministrator::NotOne))));
    world.clock.advance(HOUR);

    world.person(BOSS).await;
    let session = world.session(BOSS).await;
    let boss = world.auth.authenticate(&session).await.unwrap();
    for refused in [
        world.auth.check_administrator(&boss).await,
        world.auth.administrator(&stranger(1), &boss).await.map(drop),
    ] {
        assert!(matches!(
            refused,
            Err(Denied::Refused(NotAdministrator::SecondStep))
        ));
    }
    let choice = portal_auth::account::status::TwoStep::Email;
    world
        .auth
        .set_two_step(&stranger(1), &session, choice)
        .await
        .unwrap();
    world.clock.advance(MINUTE);
    let session = world.session_at_two(BOSS).await;
    let boss = world.auth.authenticate(&session).await.unwrap();
    world.auth.administrator(&stranger(1), &boss).await.unwrap();
    world.clock.advance(MINUTE * 5 + MICRO);
    let boss = world.auth.authenticate(&session).await.unwrap();
    world.auth.check_administrator(&boss).await.unwrap();
    let refused = world.auth.administrator(&stranger(1), &boss).await;
    assert!(matches!(refused, Err(Denied::Refused(NotAdministrator::Confirm))));
}

#[tokio::test]
async fn nobody_administers_their_own_account() {
    // ADM-1: what My Account asks for is not got round, and nobody locks themselves out.
    let world = World::with(|config| config.administrators = vec![address(BOSS)]);
    world.careful_person(BOSS).await;
    let session = world.session_at_two(BOSS).await;
    let boss = world.auth.authenticate(&session).await.unwrap();
    let by = world.auth.administrator(&stranger(7), &boss).await.unwrap();
    let before = world.account(BOSS).await;
    let own = &address(BOSS);
    for refused in [
        world.auth.disable_account(&by, own).await,
        world.auth.enable_account(&by, own).await,
        world.auth.end_all_sessions(&by, own).await,
        world.auth.unlock_account(&by, own).await,
        world.auth.clear_two_step(&by, own).await,
        world.auth.clear_two_step(&by, before.id).await,
    ] {
        let own = Denied::Refused(AdministerRefused::OwnAccount);
        assert_eq!(format!("{:?}", refused.unwrap_err()), format!("{own:?}"));
    }
    let reset = world.auth.start_reset_for(&by, own).await;
    assert!(matches!(
        reset,
        Err(Denied::Refused(StartResetRefused::OwnAccount))
    ));
    let erased = world.auth.erase_account(&by, own).await;
    assert!(matches!(erased, Err(Denied::Refused(EraseRefused::OwnAccount))));
    assert_eq!(world.account(BOSS).await, before);
    assert_eq!(world.mails(BOSS, "administrator-acted").await, 0);
    // The command line is nobody's account.
    world.auth.clear_two_step(&OPERATOR, own).await.unwrap();
}

#[tokio::test]
async fn an_account_that_is_meant_by_its_id_is_the_same_whatever_its_address() {
    let world = World::new();
    world.person(VAL).await;
    let id = world.account(VAL).await.id;
    world.auth.disable_account(&OPERATOR, id).await.unwrap();
    world.auth.enable_account(&OPERATOR, id).await.unwrap();
    assert_eq!(world.mails(VAL, "administrator-acted").await, 2);
    let nobody = AccountId::from_bytes([9; 16]);
    assert!(matches!(
        world.auth.disable_account(&OPERATOR, nobody).await,
        Err(Denied::Refused(AdministerRefused::NoAccount))
    ));
    assert!(matches!(
        world.auth.unlock_account(&OPERATOR, nobody).await,
        Err(Denied::Refused(AdministerRefused::NoAccount))
    ));
    assert!(matches!(
        world.auth.start_reset_for(&OPERATOR, nobody).await,
        Err(Denied::Refused(StartResetRefused::NoAccount))
    ));
    world.auth.erase_account(&OPERATOR, id).await.unwrap();
    assert!(world.auth.look_up_account(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_of_one_status_passes_the_others_over_and_reads_no_more_than_a_thousand() {
    let world = World::new();
    for n in 0..1_204_u32 {
        // Every 400th is disabled.
        let status = if n % 400 == 399 {
            Status::Disabled
        } else {
            Status::Active
        };
        let row = AccountRow {
            email: address(&format!("p{n:04}@school.example")),
            status,
            ..rows::account(n)
        };
        world.store.commit(rows::work_with(&row)).await.unwrap();
    }
    let list = async |status, after: Option<&str>, most| {
        let after = after.map(|name| address(&format!("{name}@school.example")));
        let query = AccountQuery::first(most).that_are(Some(status)).after(after);
        told(&world.auth.list_accounts(&query).await.unwrap())
    };
    let (found, end) = list(Status::Disabled, None, 2).await;
    assert_eq!(found, ["p0399", "p0799"]);
    assert_eq!(end.as_deref(), Some("p0799"));
    let (found, end) = list(Status::Disabled, Some("p0799"), 2).await;
    assert_eq!((found, end), (vec!["p1199".to_owned()], None));
    // A page that finds nothing among a thousand says where to go on.
    let (found, end) = list(Status::Closed, None, 50).await;
    assert_eq!((found.len(), end.as_deref()), (0, Some("p0999")));
    let (found, end) = list(Status::Closed, Some("p0999"), 50).await;
    assert_eq!((found.len(), end), (0, None));
    let (found, end) = list(Status::Active, Some("p1150"), 50).await;
    assert_eq!((found.len(), end.as_deref()), (50, Some("p1201")));
}

/// The local parts of a page's addresses, and of its end.
fn told(page: &AccountPage) -> (Vec<String>, Option<String>) {
    let local = |email: &EmailAddress| email.as_str().split('@').next().unwrap().to_owned();
    let names = page.accounts.iter().map(|account| local(&account.email));
    (names.collect(), page.end.as_ref().map(local))
}

#[tokio::test]
async fn accounts_are_listed_page_by_page_and_found_with_what_waits() {
    let world = World::new();
    for name in ["a", "b_c", "b%c", "bc"] {
        world.person(&format!("{name}@school.example")).await;
        world.clock.advance(HOUR);
    }
    let list = async |beginning: &str, after: Option<&str>, most| {
        let after = after.map(address);
        let query = AccountQuery::first(most).beginning_with(beginning).after(after);
        told(&world.auth.list_accounts(&query).await.unwrap())
    };
    let more = |names: &[&str], end: Option<&str>| {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        (names, end.map(str::to_owned))
    };
    assert_eq!(list("", None, 2).await, more(&["a", "b%c"], Some("b%c")));
    assert_eq!(
        list("", Some("b%c@school.example"), 2).await,
        more(&["b_c", "bc"], None)
    );
    assert_eq!(
        list(" B", None, u32::MAX).await,
        more(&["b%c", "b_c", "bc"], None)
    );
    assert_eq!(list("b_", None, 9).await, more(&["b_c"], None));
    assert_eq!(list("", None, 0).await, more(&[], None));
    // DB-2: what no address holds reaches no store.
    for odd in ["b\0", "b c", "\u{e9}", "b\u{7f}"] {
        drop(world.store.take_calls());
        assert_eq!(list(odd, None, 9).await, more(&[], None), "{odd:?}");
        assert_eq!(world.store.take_calls(), Vec::<&str>::new());
    }

    world.session("a@school.example").await;
    let signed_in_at = world.now();
    world.clock.advance(MINUTE * 30 - MICRO);
    world.register("a@school.example", PASSWORD).await;
    world.register(VAL, PASSWORD).await;
    let a = world.auth.look_up(&address("a@school.example")).await.unwrap();
    let account = a.account.unwrap();
    assert_eq!((account.last_sign_in, account.sessions), (Some(signed_in_at), 1));
    assert_eq!(account.account.profile.sections["about_me"]["forename"], "Val");
    let by_id = world.auth.look_up_account(account.account.id).await.unwrap();
    assert_eq!(by_id.as_ref(), Some(&account));
    world.clock.advance(MICRO);
    let idle = world.auth.look_up_account(account.account.id).await.unwrap();
    assert_eq!(idle.unwrap().sessions, 0, "what is over does not count");
    world.clock.rewind(MICRO);
    let nobody = AccountId::from_bytes([9; 16]);
    assert!(world.auth.look_up_account(nobody).await.unwrap().is_none());
    assert!(a.waiting.is_some());
    let val = world.auth.look_up(&address(VAL)).await.unwrap();
    assert!(val.account.is_none());
    let waiting = val.waiting.unwrap();
    assert_eq!(waiting.submitted_at, world.now());
    assert_eq!(waiting.link_expires_at, Some(world.now().plus(HOUR * 12)));
    world.clock.advance(HOUR * 36);
    let over = world.auth.look_up(&address(VAL)).await.unwrap();
    assert!(over.waiting.is_none(), "nothing can be done with it any more");
}

#[tokio::test]
async fn an_export_of_everybody_is_an_event_of_whoever_asked() {
    // LOG-1
    let world = World::new();
    world.person(VAL).await;
    world.auth.record_accounts_export(&OPERATOR).await.unwrap();
    let events = world.audit();
    let event = events.last().unwrap();
    assert_eq!(event.kind, "accounts.exported");
    assert_eq!(
        (event.actor, event.label.as_str()),
        (Actor::Administrator, "command line")
    );
    assert_eq!((event.account, event.address), (None, None));
    world.assert_audit_is_genuine();
}

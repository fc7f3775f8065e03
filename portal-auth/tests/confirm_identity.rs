//! "Confirm it is you": a fresh proof in a running session, which never lifts it.

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

use common::{DAY, HOUR, MICRO, MINUTE, OPERATOR, PASSWORD, SECOND, VAL, World, address, familiar, stranger};
use portal_auth::config::TwoStepPolicy;
use portal_auth::error::Denied;
use portal_auth::features::confirm_identity::{ConfirmOutcome, ConfirmRefused};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::password::Password;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd};
use portal_auth::{CodeRefused, ResendRefused};

const WRONG: &str = "Wrong-Password-99";

async fn confirm(
    world: &World,
    session: &SessionToken,
    password: &str,
) -> Result<ConfirmOutcome, Denied<ConfirmRefused>> {
    let password = Password::new(password);
    world
        .auth
        .confirm_password(&stranger(1), session, &password)
        .await
}

async fn confirmed(world: &World, session: &SessionToken) -> bool {
    let signed_in = world.auth.authenticate(session).await.unwrap();
    world.auth.is_confirmed(&signed_in)
}

#[tokio::test]
async fn a_proof_counts_for_five_minutes() {
    // STP-3, I-21b
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 5);
    assert!(confirmed(&world, &session).await, "not older than five minutes");
    world.clock.advance(MICRO);
    assert!(!confirmed(&world, &session).await);
    let Ok(ConfirmOutcome::Confirmed(fresh)) = confirm(&world, &session, PASSWORD).await else {
        panic!("the password is right");
    };
    assert!(confirmed(&world, &fresh).await);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_confirmation_gives_a_new_token_and_keeps_level_and_sign_in_time() {
    // SES-2, I-19, I-20, I-21, P-36
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let signed_in_at = world.now();
    for _ in 0..20 {
        world.clock.advance(MINUTE * 20);
        world.auth.authenticate(&session).await.unwrap();
    }
    let Ok(ConfirmOutcome::Confirmed(fresh)) = confirm(&world, &session, PASSWORD).await else {
        panic!("the password is right");
    };
    assert_ne!(fresh.expose(), session.expose());
    assert!(matches!(
        world.auth.authenticate(&session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    ));
    let now = world.auth.authenticate(&fresh).await.unwrap();
    assert_eq!(now.level(), Level::One);
    assert_eq!(now.signed_in_at(), signed_in_at);
    assert_eq!(now.expires_at(), signed_in_at.plus(HOUR * 12));
}

#[tokio::test]
async fn the_password_is_guessed_here_at_the_same_price_as_at_the_sign_in() {
    // THR-6, P-19
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    assert!(matches!(
        confirm(&world, &session, "").await,
        Err(Denied::Refused(ConfirmRefused::PasswordRequired))
    ));
    for _ in 0..10 {
        assert!(matches!(
            confirm(&world, &session, WRONG).await,
            Err(Denied::Refused(ConfirmRefused::NotCorrect))
        ));
    }
    assert!(matches!(
        confirm(&world, &session, PASSWORD).await,
        Err(Denied::TooManyTries { retry_after }) if retry_after == SECOND * 30
    ));
    assert!(matches!(
        world.try_sign_in(&stranger(2), VAL, PASSWORD).await,
        Err(Denied::TooManyTries { .. })
    ));
    assert_eq!(world.audited("confirm.refused"), 10);
    let reasons = world.audit();
    let mut reasons = reasons.iter().filter(|e| e.kind == "confirm.refused");
    assert!(reasons.all(|e| e.reason == "password.wrong"), "LOG-1");
    // I-23 (iii): the session itself lives on.
    world.auth.authenticate(&session).await.unwrap();
}

#[tokio::test]
async fn a_strangers_noise_does_not_keep_the_owner_from_confirming() {
    // I-23, THR-1
    let world = World::new();
    let device = world.person(VAL).await;
    let home = familiar(&device);
    let session = world.signed_in(&home, VAL).await.session;
    world.guess_until_closed(&stranger(2), VAL).await;
    let answer = world
        .auth
        .confirm_password(&home, &session, &Password::new(PASSWORD))
        .await;
    assert!(matches!(answer, Ok(ConfirmOutcome::Confirmed(_))), "{answer:?}");
}

#[tokio::test]
async fn where_the_second_step_is_on_the_code_is_asked_for_too() {
    // STP-3, OTP-5
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    world.clock.advance(MINUTE * 6);
    let Ok(ConfirmOutcome::CodeSent(sent)) = confirm(&world, &session, PASSWORD).await else {
        panic!("a code is asked for");
    };
    assert!(
        !confirmed(&world, &session).await,
        "the password alone is not enough"
    );
    let (right, wrong) = (world.code(VAL).await, world.wrong_code(VAL).await);
    let enter = async |session: &SessionToken, code: &str| {
        world
            .auth
            .confirm_code(&stranger(1), session, &sent.challenge, code)
            .await
    };
    assert!(matches!(
        enter(&session, &wrong).await,
        Err(Denied::Refused(ConfirmRefused::Code(CodeRefused::Wrong {
            tries_left: 4
        })))
    ));
    // I-14: it is no code for signing in, and none for another session of the same person.
    assert!(matches!(
        world
            .auth
            .verify_code(&stranger(1), &sent.challenge, &right, None)
            .await,
        Err(Denied::Refused(CodeRefused::StartAgain))
    ));
    let other = world.session_at_two(VAL).await;
    assert!(matches!(
        enter(&other, &right).await,
        Err(Denied::Refused(ConfirmRefused::Code(CodeRefused::StartAgain)))
    ));
    let fresh = enter(&session, &right).await.unwrap();
    assert!(confirmed(&world, &fresh).await);
    let signed_in = world.auth.authenticate(&fresh).await.unwrap();
    assert_eq!(signed_in.level(), Level::Two);
    assert!(enter(&fresh, &right).await.is_err(), "OTP-4: once");
}

#[tokio::test]
async fn a_confirmation_never_lifts_a_session() {
    // I-21, SES-6: the service lets its owners' choice hold again while a session at level one runs
    let world = World::new();
    world.careful_person(VAL).await;
    let (lax, _background) = world.process_with(|c| c.two_step = TwoStepPolicy::Off);
    let form = SignInForm::new(VAL, PASSWORD);
    let Ok(SignInOutcome::SignedIn(new)) = lax.sign_in(&stranger(1), form).await else {
        panic!("no code is asked for");
    };
    let (session, strict) = (new.session, &world.auth);
    let answer = strict
        .confirm_password(&stranger(1), &session, &Password::new(PASSWORD))
        .await;
    let Ok(ConfirmOutcome::CodeSent(sent)) = answer else {
        panic!("{answer:?}");
    };
    let code = world.code(VAL).await;
    let fresh = strict
        .confirm_code(&stranger(1), &session, &sent.challenge, &code)
        .await
        .unwrap();
    assert_eq!(strict.authenticate(&fresh).await.unwrap().level(), Level::One);
}

#[tokio::test]
async fn ten_wrong_codes_close_confirming_as_well() {
    // OTP-6: over all purposes
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let Ok(ConfirmOutcome::CodeSent(waiting)) = confirm(&world, &session, PASSWORD).await else {
        panic!("the step is open");
    };
    for _ in 0..2 {
        world.clock.advance(MINUTE);
        let sent = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        for _ in 0..5 {
            let _refused = world
                .auth
                .verify_code(&stranger(1), &sent.challenge, &wrong, None)
                .await
                .unwrap_err();
        }
    }
    let answer = confirm(&world, &session, PASSWORD).await;
    assert!(
        matches!(
            answer,
            Err(Denied::Refused(ConfirmRefused::Code(CodeRefused::Closed)))
        ),
        "{answer:?}"
    );
    let mailed = world.mails(VAL, "sign-in-code").await;
    let signed_in = world.auth.authenticate(&session).await.unwrap();
    let again = world
        .auth
        .resend_confirm_code(&stranger(1), &signed_in, &waiting.challenge)
        .await;
    assert!(
        matches!(again, Err(Denied::Refused(ResendRefused::Closed))),
        "{again:?}"
    );
    assert_eq!(world.mails(VAL, "sign-in-code").await, mailed);
}

#[tokio::test]
async fn a_right_password_without_a_code_mail_left_costs_no_try_and_is_audited() {
    // OTP-7, THR-7, I-37
    let world = World::with(|c| c.codes.mails_an_hour = 2);
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    assert!(confirm(&world, &session, PASSWORD).await.is_ok());
    for _ in 0..12 {
        assert!(matches!(
            confirm(&world, &session, PASSWORD).await,
            Err(Denied::TooManyTries { retry_after }) if retry_after == HOUR
        ));
    }
    assert_eq!(world.audited("confirm.refused"), 12);
}

#[tokio::test]
async fn an_ended_session_confirms_nothing() {
    // I-17
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 30);
    assert!(matches!(
        confirm(&world, &session, PASSWORD).await,
        Err(Denied::Refused(ConfirmRefused::SessionEnded(SessionEnd::Idle)))
    ));
    let session = world.session(VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert!(matches!(
        confirm(&world, &session, PASSWORD).await,
        Err(Denied::Refused(ConfirmRefused::SessionEnded(SessionEnd::Revoked)))
    ));
    world.clock.advance(DAY);
    assert_eq!(world.audited("confirm.done"), 0);
}

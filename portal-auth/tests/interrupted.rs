//! The store fails at one statement after the other, in everything a person or an operator can do: what is kept is
//! what it was before or what it is after, never anything between (I-09).
//!
//! Charges and mail quotas stand apart: they are paid before the act, and who is interrupted has paid (THR-2).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::sync::Mutex;

use common::{
    ANSWER, AboutMe, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, address, stranger,
};
use portal_auth::NewPassword;
use portal_auth::account::status::TwoStep;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::change_security_question::ChangeQuestionForm;
use portal_auth::features::confirm_identity::ConfirmOutcome;
use portal_auth::features::register::Save;
use portal_auth::password::Password;
use portal_auth::secret::token::{DraftToken, LinkToken, SessionToken};
use portal_auth::store::{AccountStore as _, OutboxStore as _};
use serde_json::json;

const NEW: &str = "val@college.example";

/// Where the act begins: what was kept by then, and which statement from there on fails.
struct Moment {
    fails: Option<usize>,
    /// Whether the store stays away once it has failed.
    for_good: bool,
    before: Mutex<String>,
    draft: Mutex<Option<String>>,
}

impl Moment {
    async fn begins(&self, world: &World) {
        *self.before.lock().unwrap() = self.kept(world).await;
        world.store.take_calls();
        if let Some(at) = self.fails {
            world.store.fail_at(at, self.for_good);
        }
    }

    fn with_draft(&self, draft: &DraftToken) {
        *self.draft.lock().unwrap() = Some(draft.expose().to_owned());
    }

    /// Everything but charges and quotas.
    async fn kept(&self, world: &World) -> String {
        let mut lines = vec![format!("{} events", world.audit().len())];
        for email in [VAL, NEW] {
            let found = world.store.by_registrant(&address(email)).await.unwrap();
            lines.push(format!("{found:?}"));
            if let Some(account) = found.account {
                lines.push(format!("{:?}", account.password.as_str()));
                lines.push(format!(
                    "{:?}",
                    account.answer.as_ref().map(|a| a.as_str().to_owned())
                ));
                lines.push(format!("{:?}", world.store.dossier(account.id).await.unwrap()));
            }
        }
        lines.push(format!(
            "{:?}",
            world.store.mails(None, None, None, 1000).await.unwrap()
        ));
        let draft = self.draft.lock().unwrap().clone();
        if let Some(token) = draft.and_then(|text| DraftToken::parse(&text)) {
            lines.push(format!("{:?}", world.auth.registration(&token).await.unwrap()));
        }
        lines.join("\n")
    }
}

async fn signed_in(world: &World) -> SessionToken {
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.session(VAL).await
}

async fn answered(world: &World) -> (LinkToken, portal_auth::secret::token::AnswerToken) {
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = world
        .auth
        .answer_reset(&stranger(1), &link, ANSWER)
        .await
        .unwrap();
    (link, proof)
}

/// A change of address that waits, its link, and the link that cancels it.
async fn changing(world: &World) -> (SessionToken, LinkToken, LinkToken) {
    let session = signed_in(world).await;
    let form = ChangeEmailForm::new(NEW, PASSWORD).repeated(NEW);
    world
        .auth
        .change_email(&stranger(1), &session, form)
        .await
        .unwrap();
    let confirm = world.link_in(NEW, "confirm-email").await;
    let cancel = world.link_in(VAL, "email-being-changed").await;
    (session, confirm, cancel)
}

async fn closed(world: &World) -> LinkToken {
    let session = signed_in(world).await;
    let password = Password::new(PASSWORD);
    world
        .auth
        .close_account(&stranger(1), &session, &password)
        .await
        .unwrap();
    world.link_in(VAL, "account-closing").await
}

fn new_password() -> NewPassword {
    NewPassword::new(OTHER_PASSWORD).repeated(OTHER_PASSWORD)
}

/// Runs an act with a failure at every statement it makes; `$now` marks where the act itself begins.
macro_rules! never_half_done {
    ($(async fn $name:ident($world:ident, $now:ident) $body:block)+) => {$(
        #[tokio::test]
        async fn $name() {
            async fn act($world: &World, $now: &Moment) -> bool $body

            async fn run(fails: Option<usize>, for_good: bool) -> (bool, String, String, usize) {
                let world = World::new();
                let moment = Moment {
                    fails,
                    for_good,
                    before: Mutex::default(),
                    draft: Mutex::default(),
                };
                let done = act(&world, &moment).await;
                world.store.never_fail();
                let statements = world.store.take_calls().len();
                let before = moment.before.lock().unwrap().clone();
                let after = moment.kept(&world).await;
                (done, before, after, statements)
            }

            let (done, before, after, statements) = run(None, false).await;
            assert!(done, "nothing failed, so it is done");
            assert_ne!(before, after, "it changes something");
            let mut undone = 0;
            for (at, for_good) in (0..statements).flat_map(|at| [(at, false), (at, true)]) {
                let (told_done, held, kept, _) = run(Some(at), for_good).await;
                assert_eq!(held, before, "the way there is the same");
                assert!(kept == before || kept == after, "statement {at}: between\n{before}\n\n{kept}\n\n{after}");
                assert!(!told_done || kept == after, "statement {at}: told done, and is not");
                undone += usize::from(kept == before);
            }
            assert!(undone >= 2, "a failure before the commit leaves everything as it was");
        }
    )+};
}

never_half_done! {
    async fn i_09_beginning_a_registration(world, now) {
        now.begins(world).await;
        let details = world.details(VAL, PASSWORD);
        match world.auth.save_security_details(&stranger(1), None, details).await {
            Ok(draft) => {
                now.with_draft(&draft);
                true
            }
            Err(_) => false,
        }
    }
    async fn i_09_saving_a_section(world, now) {
        let details = world.details(VAL, PASSWORD);
        let draft = world.auth.save_security_details(&stranger(1), None, details).await.unwrap();
        now.with_draft(&draft);
        now.begins(world).await;
        let typed = json!({ "forename": "Val" });
        world.auth.save_section(&draft, "about_me", typed, Save::Checked).await.is_ok()
    }
    async fn i_09_submitting_a_registration(world, now) {
        let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
        now.begins(world).await;
        world.auth.submit_registration(&stranger(1), &draft).await.is_ok()
    }
    async fn i_09_asking_for_the_link_again(world, now) {
        let draft = world.register(VAL, PASSWORD).await;
        world.link(VAL).await;
        world.clock.advance(MINUTE + SECOND);
        now.begins(world).await;
        world.auth.resend_link(&stranger(1), &draft).await.is_ok()
    }
    async fn i_09_activating(world, now) {
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        now.begins(world).await;
        world.activate(&link, PASSWORD).await.is_ok()
    }
    async fn i_09_a_wrong_password_for_a_registration(world, now) {
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        now.begins(world).await;
        let answer = world.activate(&link, OTHER_PASSWORD).await;
        matches!(answer, Err(portal_auth::error::Denied::Refused(_)))
    }
    async fn i_09_signing_in(world, now) {
        world.person(VAL).await;
        now.begins(world).await;
        world.try_sign_in(&stranger(1), VAL, PASSWORD).await.is_ok()
    }
    async fn i_09_a_wrong_password(world, now) {
        world.person(VAL).await;
        now.begins(world).await;
        let answer = world.try_sign_in(&stranger(1), VAL, OTHER_PASSWORD).await;
        matches!(answer, Err(portal_auth::error::Denied::Refused(_)))
    }
    async fn i_09_signing_in_half(world, now) {
        world.careful_person(VAL).await;
        now.begins(world).await;
        world.try_sign_in(&stranger(1), VAL, PASSWORD).await.is_ok()
    }
    async fn i_09_entering_a_code(world, now) {
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        let code = world.code(VAL).await;
        now.begins(world).await;
        world.auth.verify_code(&stranger(1), &sent.challenge, &code, None).await.is_ok()
    }
    async fn i_09_a_wrong_code(world, now) {
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        let code = world.wrong_code(VAL).await;
        now.begins(world).await;
        let answer = world.auth.verify_code(&stranger(1), &sent.challenge, &code, None).await;
        matches!(answer, Err(portal_auth::error::Denied::Refused(_)))
    }
    async fn i_09_asking_for_a_code_again(world, now) {
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        world.clock.advance(MINUTE);
        now.begins(world).await;
        world.auth.resend_code(&stranger(1), &sent.challenge).await.is_ok()
    }
    async fn i_09_cancelling_a_half_done_sign_in(world, now) {
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        now.begins(world).await;
        world.auth.cancel_sign_in(&stranger(1), &sent.challenge).await.is_ok()
    }
    async fn i_09_asking_for_a_reset(world, now) {
        world.person(VAL).await;
        world.clock.advance(MINUTE);
        now.begins(world).await;
        world.auth.request_reset(&stranger(1), VAL).await.is_ok()
    }
    async fn i_09_answering_for_a_reset(world, now) {
        world.person(VAL).await;
        let link = world.reset_link(VAL).await;
        now.begins(world).await;
        world.auth.answer_reset(&stranger(1), &link, ANSWER).await.is_ok()
    }
    async fn i_09_setting_a_new_password(world, now) {
        let (link, proof) = answered(world).await;
        now.begins(world).await;
        world.auth.set_new_password(&stranger(1), &link, Some(&proof), &new_password()).await.is_ok()
    }
    async fn i_09_asking_for_a_reset_without_the_answer(world, now) {
        world.person(VAL).await;
        let link = world.reset_link(VAL).await;
        now.begins(world).await;
        world.auth.recover_slowly(&stranger(1), &link).await.is_ok()
    }
    async fn i_09_cancelling_a_reset_without_the_answer(world, now) {
        let session = signed_in(world).await;
        let link = world.reset_link(VAL).await;
        world.auth.recover_slowly(&stranger(1), &link).await.unwrap();
        // The stamp of the session's use is a write of its own, and is due.
        world.auth.authenticate(&session).await.unwrap();
        now.begins(world).await;
        world.auth.cancel_recovery_signed_in(&stranger(1), &session).await.is_ok()
    }
    async fn i_09_changing_the_password(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        let own = Password::new(PASSWORD);
        world.auth.change_password(&stranger(1), &session, &own, &new_password()).await.is_ok()
    }
    async fn i_09_changing_the_question(world, now) {
        let session = signed_in(world).await;
        let question = world.question();
        now.begins(world).await;
        let form = ChangeQuestionForm::new(PASSWORD, &question, "A tall ship");
        world.auth.change_security_question(&stranger(1), &session, form).await.is_ok()
    }
    async fn i_09_asking_for_another_address(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        let form = ChangeEmailForm::new(NEW, PASSWORD).repeated(NEW);
        world.auth.change_email(&stranger(1), &session, form).await.is_ok()
    }
    async fn i_09_confirming_another_address(world, now) {
        let (session, confirm, _) = changing(world).await;
        now.begins(world).await;
        let own = Password::new(PASSWORD);
        world.auth.confirm_email(&stranger(1), &confirm, Some(&session), &own).await.is_ok()
    }
    async fn i_09_cancelling_another_address(world, now) {
        let (_, _, cancel) = changing(world).await;
        now.begins(world).await;
        world.auth.cancel_email_change(&stranger(1), &cancel, VAL).await.is_ok()
    }
    async fn i_09_freezing_the_account(world, now) {
        let (session, confirm, _) = changing(world).await;
        let own = Password::new(PASSWORD);
        world.auth.confirm_email(&stranger(1), &confirm, Some(&session), &own).await.unwrap();
        let freeze = world.link_in(VAL, "email-changed").await;
        now.begins(world).await;
        world.auth.freeze_account(&stranger(1), &freeze, VAL).await.is_ok()
    }
    async fn i_09_saying_that_it_was_not_me(world, now) {
        let session = signed_in(world).await;
        let own = Password::new(PASSWORD);
        world.auth.change_password(&stranger(1), &session, &own, &new_password()).await.unwrap();
        let link = world.link_in(VAL, "password-changed").await;
        now.begins(world).await;
        world.auth.not_me(&stranger(1), &link, VAL).await.is_ok()
    }
    async fn i_09_turning_the_second_step_on(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        world.auth.set_two_step(&stranger(1), &session, TwoStep::Email).await.is_ok()
    }
    async fn i_09_confirming_who_one_is(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        world.auth.confirm_password(&stranger(1), &session, &Password::new(PASSWORD)).await.is_ok()
    }
    async fn i_09_confirming_by_code(world, now) {
        world.careful_person(VAL).await;
        let session = world.session_at_two(VAL).await;
        world.clock.advance(MINUTE);
        let own = Password::new(PASSWORD);
        let asked = world.auth.confirm_password(&stranger(1), &session, &own).await.unwrap();
        let ConfirmOutcome::CodeSent(sent) = asked else { panic!("{asked:?}") };
        let code = world.code(VAL).await;
        now.begins(world).await;
        world.auth.confirm_code(&stranger(1), &session, &sent.challenge, &code).await.is_ok()
    }
    async fn i_09_ending_the_other_sessions(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        world.auth.end_other_sessions(&stranger(1), &session).await.is_ok()
    }
    async fn i_09_signing_out(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        world.auth.sign_out(&stranger(1), &session).await.is_ok()
    }
    async fn i_09_changing_ones_details(world, now) {
        let session = signed_in(world).await;
        let held = world.auth.profile(&world.account(VAL).await).unwrap();
        now.begins(world).await;
        let typed = AboutMe { forename: "Valerie".into() };
        world.auth.update_profile(&stranger(1), &session, &typed, &held.version("about_me")).await.is_ok()
    }
    async fn i_09_closing_the_account(world, now) {
        let session = signed_in(world).await;
        now.begins(world).await;
        world.auth.close_account(&stranger(1), &session, &Password::new(PASSWORD)).await.is_ok()
    }
    async fn i_09_restoring_the_account(world, now) {
        let link = closed(world).await;
        now.begins(world).await;
        world.auth.restore_account(&stranger(1), &link, &Password::new(PASSWORD)).await.is_ok()
    }
    async fn i_09_erasing_an_account(world, now) {
        world.person(VAL).await;
        now.begins(world).await;
        world.auth.erase_account(&OPERATOR, &address(VAL)).await.is_ok()
    }
    async fn i_09_disabling_an_account(world, now) {
        signed_in(world).await;
        now.begins(world).await;
        world.auth.disable_account(&OPERATOR, &address(VAL)).await.is_ok()
    }
    async fn i_09_enabling_an_account(world, now) {
        world.person(VAL).await;
        world.auth.disable_account(&OPERATOR, &address(VAL)).await.unwrap();
        now.begins(world).await;
        world.auth.enable_account(&OPERATOR, &address(VAL)).await.is_ok()
    }
    async fn i_09_ending_all_sessions(world, now) {
        signed_in(world).await;
        now.begins(world).await;
        world.auth.end_all_sessions(&OPERATOR, &address(VAL)).await.is_ok()
    }
    async fn i_09_clearing_the_second_step(world, now) {
        world.careful_person(VAL).await;
        now.begins(world).await;
        world.auth.clear_two_step(&OPERATOR, &address(VAL)).await.is_ok()
    }
}

//! Whether a mail still makes sense, as a table.

use std::time::Duration;

use super::*;
use crate::account::status::{AuthEpoch, Status};
use crate::link::LinkState;
use crate::mail::outbox::MailKind;
use crate::testkit::rows::{self, T0, at};

fn verdict(mail: &OutboxRow, about: &About, now: Timestamp) -> Result<(), Void> {
    let facts = Facts::read(&mail.facts).unwrap();
    decide(mail, &facts, about, now).unwrap().map(drop)
}

fn link_mail() -> (OutboxRow, LinkView) {
    let registration = rows::registration(1, rows::email(1));
    let link = rows::activation_link(&registration);
    let mail = OutboxRow {
        link: Some(link.key),
        expires_at: link.expires_at,
        ..rows::mail(1, MailKind::CompleteRegistration)
    };
    let subject = Subject::Registration {
        row: Box::new(registration),
        claimed: false,
    };
    (mail, LinkView { link, subject })
}

fn code_mail() -> (OutboxRow, ChallengeRow, AccountRow) {
    let account = rows::account(1);
    let challenge = rows::challenge(1, &account);
    let mail = OutboxRow {
        challenge: Some(challenge.key),
        account: Some(account.id),
        facts: r#"{"browser":"Firefox on Windows","code_no":"1"}"#.into(),
        expires_at: challenge.code_expires_at,
        ..rows::mail(1, MailKind::SignInCode)
    };
    (mail, challenge, account)
}

#[test]
fn a_link_goes_while_it_works_and_only_to_its_own_address() {
    // MAIL-8, TOK-3, EML-6
    let (mail, view) = link_mail();
    let last = view.link.expires_at.minus(Duration::from_micros(1));
    let with = |change: fn(&mut LinkView)| {
        let mut view = view.clone();
        change(&mut view);
        verdict(&mail, &About::Link(Some(view)), T0)
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(verdict(&mail, &About::Link(Some(view.clone())), last), Ok(()));
    assert_eq!(
        verdict(&mail, &About::Link(Some(view.clone())), view.link.expires_at),
        Err(Void::Expired)
    );
    for state in [LinkState::Used, LinkState::Replaced, LinkState::Void] {
        let ended = LinkView {
            link: view.link.ended(state, T0),
            subject: view.subject.clone(),
        };
        assert_eq!(verdict(&mail, &About::Link(Some(ended)), T0), Err(Void::LinkOver));
    }
    assert_eq!(with(|v| v.link.expires_at = T0), Err(Void::LinkOver));
    assert_eq!(with(|v| v.link.seed = None), Err(Void::LinkOver));
    assert_eq!(with(|v| v.link.address = rows::email(2)), Err(Void::LinkOver));
    assert_eq!(with(|v| v.subject = Subject::Gone), Err(Void::LinkOver));
    let overtaken = |v: &mut LinkView| {
        if let Subject::Registration { claimed, .. } = &mut v.subject {
            *claimed = true;
        }
    };
    assert_eq!(with(overtaken), Err(Void::LinkOver));
    assert_eq!(verdict(&mail, &About::Link(None), T0), Err(Void::LinkOver));
}

#[test]
fn a_notice_goes_without_its_link_once_that_is_over_and_a_mail_about_a_link_does_not() {
    // MAIL-6, TOK-3
    let account = rows::account(1);
    let view = |link: LinkRow| {
        let subject = Subject::Account(Box::new(account.clone()));
        About::Link(Some(LinkView { link, subject }))
    };
    let live = rows::reset_link(1, &account);
    let other_epoch = LinkRow {
        epoch: Some(rows::epoch(9)),
        ..live.clone()
    };
    for kind in MailKind::ALL {
        let mail = OutboxRow {
            link: Some(live.key),
            to: account.email.clone(),
            ..rows::mail(1, kind)
        };
        let shown = |link: LinkRow| {
            let about = view(link);
            match decide(&mail, &Facts::default(), &about, T0).unwrap() {
                Ok(Content::Notice(_, link)) => Ok(link.is_some()),
                Ok(other) => panic!("{other:?}"),
                Err(void) => Err(void),
            }
        };
        assert_eq!(shown(live.clone()), Ok(true), "{kind:?}");
        let over = if kind.is_about_its_link() {
            Err(Void::LinkOver)
        } else {
            Ok(false)
        };
        assert_eq!(shown(live.ended(LinkState::Used, T0)), over, "{kind:?}");
        assert_eq!(shown(other_epoch.clone()), over, "{kind:?}");
        let elsewhere = LinkRow {
            address: rows::email(2),
            ..live.clone()
        };
        assert_eq!(shown(elsewhere), over, "{kind:?}");
    }
}

#[test]
fn a_code_goes_while_it_is_the_current_one_of_a_sign_in_that_can_still_succeed() {
    // MAIL-8, OTP-2, OTP-5
    let (mail, challenge, account) = code_mail();
    let with = |change: fn(&mut ChallengeRow, &mut AccountRow), now| {
        let (mut challenge, mut account) = (challenge.clone(), account.clone());
        change(&mut challenge, &mut account);
        verdict(&mail, &About::Code(Some((challenge, account))), now)
    };
    assert_eq!(with(|_, _| {}, at(599)), Ok(()));
    assert_eq!(with(|_, _| {}, at(600)), Err(Void::Expired));
    assert_eq!(with(|c, _| c.code_no = 2, T0), Err(Void::CodeReplaced));
    assert_eq!(with(|c, _| c.code_expires_at = T0, T0), Err(Void::Expired));
    assert_eq!(with(|c, _| c.expires_at = T0, T0), Err(Void::ChallengeOver));
    assert_eq!(
        with(|_, a| a.auth_epoch = AuthEpoch::from_bytes([9; 8]), T0),
        Err(Void::ChallengeOver)
    );
    assert_eq!(
        with(|_, a| a.email = rows::email(2), T0),
        Err(Void::ChallengeOver)
    );
    assert_eq!(
        with(|_, a| a.status = Status::Disabled, T0),
        Err(Void::AccountNotInUse)
    );
    assert_eq!(verdict(&mail, &About::Code(None), T0), Err(Void::ChallengeOver));
}

#[test]
fn a_notice_goes_as_long_as_there_is_an_account() {
    // MAIL-6
    let mail = rows::mail(1, MailKind::TwoStepChanged);
    let mut account = rows::account(1);
    account.status = Status::Disabled;
    assert_eq!(verdict(&mail, &About::Account(Some(account)), T0), Ok(()));
    assert_eq!(verdict(&mail, &About::Account(None), T0), Err(Void::AccountGone));
}

#[test]
fn facts_that_are_missing_or_broken_are_faults_not_guesses() {
    let facts = |json: &str| Facts::read(json).unwrap();
    assert!(Facts::read("not json").is_err());
    assert!(facts("{}").code_no().is_err());
    assert!(facts(r#"{"code_no":"-1"}"#).code_no().is_err());
    assert!(facts(r#"{"choice":"sms"}"#).choice().is_err());
    assert!(facts("{}").closed().is_err());
    assert!(facts(r#"{"until":"soon"}"#).closed().is_err());
    assert_eq!(
        facts(r#"{"until":"5"}"#).closed().unwrap(),
        Closed::PasswordsUntil(Timestamp::from_micros(5))
    );
    assert_eq!(
        facts(r#"{"until":"reset"}"#).closed().unwrap(),
        Closed::PasswordsUntilReset
    );
    assert_eq!(facts(r#"{"codes":"closed"}"#).closed().unwrap(), Closed::Codes);
    assert_eq!(
        facts(r#"{"added_later":"x","code_no":"3"}"#).code_no().unwrap(),
        3
    );
}

#[test]
fn a_mail_to_nobody_is_about_nobody() {
    // E6
    let mail = rows::mail(1, MailKind::NoAccount);
    assert_eq!(verdict(&mail, &About::Nobody, T0), Ok(()));
    assert_eq!(
        verdict(&mail, &About::Nobody, mail.expires_at),
        Err(Void::Expired)
    );
}

#[test]
fn the_facts_of_a_recovery_are_read_or_are_faults() {
    let facts = |json: &str| Facts::read(json).unwrap();
    let begun = |json| facts(json).begun().map(|b| format!("{b:?}"));
    assert_eq!(begun(r#"{"browser":"Opera"}"#).unwrap(), r#"Asked("Opera")"#);
    assert_eq!(begun(r#"{"by":"wait"}"#).unwrap(), "Waited");
    assert_eq!(begun(r#"{"by":"administrator"}"#).unwrap(), "Administrator");
    assert!(begun(r#"{"by":"magic"}"#).is_err());
    let paused = |json| facts(json).paused().ok();
    assert_eq!(
        paused(r#"{"until":"administrator"}"#),
        Some(Paused::UntilAdministrator)
    );
    let five = Timestamp::from_micros(5);
    assert_eq!(paused(r#"{"until":"5"}"#), Some(Paused::Until(five)));
    assert_eq!(paused("{}"), None);
}

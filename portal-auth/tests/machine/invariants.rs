//! What must be true of every step, whatever happened before: each invariant a function of its own name.
//!
//! They judge one step: the act, its answer, the rows that were written, the rows before and after, and the model.

use std::time::Duration;

use portal_auth::account::status::Status;
use portal_auth::challenge::ChallengePurpose;
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkPurpose, LinkSubject};
use portal_auth::mail::outbox::MailKind;
use portal_auth::registration::RegistrationState;
use portal_auth::session::Level;
use portal_auth::throttle::{Charged, Settle};
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};

use super::acts::{ADDRESSES, Act, Order, reader};
use super::known::{MailedLink, chooser, opened};
use super::life::outside;
use super::step::{Effect, Refusal, Step};

type Verdict = Result<(), String>;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

macro_rules! all_of {
    ($($name:ident)*) => {
        /// Every invariant by its name.
        pub(crate) const INVARIANTS: &[(&str, fn(&Step<'_>) -> Verdict)] = &[$((stringify!($name), $name)),*];
    };
}

all_of! {
    i_01_an_account_exists_only_by_a_mailed_link_and_its_own_password
    i_02_no_two_accounts_share_an_address
    i_03_a_pending_never_authenticates_resets_or_gets_a_code
    i_04_an_account_is_made_of_its_own_registration_and_the_others_end
    i_05_nothing_works_at_its_end_or_later
    i_06_whoever_chose_the_password_in_force_proved_the_mailbox_or_a_fresh_session
    i_07_nothing_works_for_an_account_that_is_not_active
    i_08_steps_commit_in_order_and_the_last_valid_submission_counts
    i_10_an_address_changes_only_by_a_link_mailed_to_it_in_the_present_epoch
    i_11_a_link_is_effective_at_most_once
    i_12_a_link_is_refused_for_every_other_purpose
    i_13_a_code_is_effective_at_most_once
    i_14_a_code_belongs_to_its_challenge_account_and_purpose
    i_15_wrong_codes_in_a_row_fall_only_by_a_right_one_and_close_at_ten
    i_16_no_more_verdicts_than_counted_tries_and_no_more_than_five
    i_17_nothing_older_than_the_epoch_is_accepted
    i_18_a_session_dies_after_thirty_idle_minutes
    i_19_a_session_dies_twelve_hours_after_its_sign_in
    i_20_every_authentication_gives_a_token_never_seen_before
    i_21_level_two_needs_a_password_and_a_code_in_the_same_sign_in
    i_21b_a_sensitive_act_needs_a_proof_of_the_last_five_minutes
    i_22_wrong_passwords_of_strangers_stay_within_the_budget
    i_24_a_success_leaves_every_other_bucket_alone
    i_26_outsiders_cause_five_mails_an_hour_and_ten_a_day_at_most
    i_37_every_comparison_and_every_change_has_one_event
}

fn must(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}

/// The place of the link that the step used, where it had an effect.
fn place_of_used(step: &Step<'_>) -> Option<usize> {
    let effect = matches!(
        step.did.effect,
        Effect::AccountMade
            | Effect::PasswordReset
            | Effect::EmailChanged
            | Effect::TakenBack
            | Effect::Restored
            | Effect::Answered
            | Effect::Anew
    );
    let proven_by = step.did.draft.and_then(|d| step.known.drafts[d].proven_by);
    step.did.link.or(proven_by).filter(|_| effect)
}

fn used<'a>(step: &Step<'a>) -> Option<&'a MailedLink> {
    place_of_used(step).map(|at| &step.known.links[at])
}

/// The account that the step was about.
fn subject<'a>(step: &Step<'a>) -> Option<&'a portal_auth::account::snapshot::AccountRow> {
    let known = step.known;
    if let Some(session) = step.did.session {
        return step.before.account(known.sessions[session].account);
    }
    if let Some(half) = step.did.half {
        return step.before.account(known.halves[half].account);
    }
    if let Some(link) = step.did.link
        && let LinkSubject::Account(id) = known.links[link].issued.subject
    {
        return step.before.account(id);
    }
    step.before.at(ADDRESSES[step.did.address?])
}

fn i_01_an_account_exists_only_by_a_mailed_link_and_its_own_password(step: &Step<'_>) -> Verdict {
    for row in step.made() {
        let link = used(step).ok_or("an account without a link")?;
        let to = ADDRESSES[link.to];
        must(
            link.issued.purpose == LinkPurpose::Activate && to == row.email.as_str(),
            || format!("{} by a link mailed to {to}", row.email.as_str()),
        )?;
        let typed = step.did.password.as_deref();
        if step.did.draft.is_none() {
            let LinkSubject::Registration(id) = link.issued.subject else {
                return Err("a link of no registration".into());
            };
            let chosen = step.known.registrations[&id]
                .data
                .as_ref()
                .and_then(|d| d.password.clone());
            let chosen = chosen.and_then(|hash| opened(hash.as_str()));
            must(chosen.as_deref() == typed, || {
                format!("{typed:?} was typed, {chosen:?} was chosen")
            })?;
        }
    }
    Ok(())
}

fn i_02_no_two_accounts_share_an_address(step: &Step<'_>) -> Verdict {
    let mut all: Vec<&str> = step.after.accounts.iter().map(|a| a.email.as_str()).collect();
    all.sort_unstable();
    let twice = all.windows(2).find(|pair| pair[0] == pair[1]);
    must(twice.is_none(), || format!("{twice:?}"))
}

fn i_03_a_pending_never_authenticates_resets_or_gets_a_code(step: &Step<'_>) -> Verdict {
    if matches!(
        step.did.effect,
        Effect::SignedIn | Effect::CodeSent | Effect::RightCode | Effect::PasswordReset
    ) {
        must(subject(step).is_some(), || "there was no account".into())?;
    }
    for mail in step.units.iter().flat_map(UnitOfWork::mails) {
        if matches!(mail.kind, MailKind::SignInCode | MailKind::ResetPassword) {
            let to = mail.to.as_str();
            must(step.before.at(to).is_some(), || {
                format!("{:?} to {to}, which has no account", mail.kind)
            })?;
        }
    }
    Ok(())
}

fn i_04_an_account_is_made_of_its_own_registration_and_the_others_end(step: &Step<'_>) -> Verdict {
    for row in step.made() {
        if let (None, Some(link)) = (step.did.draft, used(step))
            && let LinkSubject::Registration(id) = link.issued.subject
        {
            let own = step.known.registrations[&id].data.as_ref().unwrap();
            let same = own.password.as_ref() == Some(&row.password)
                && own.answer == row.answer
                && own.profile == row.profile;
            must(same, || "the data of another registration".into())?;
        }
        let waits = step.after.dossiers.get(&row.id).is_some_and(|dossier| {
            dossier
                .registrations
                .iter()
                .any(|r| r.state == RegistrationState::Submitted)
        });
        must(!waits, || {
            format!("a registration of {} still waits", row.email.as_str())
        })?;
    }
    Ok(())
}

fn i_05_nothing_works_at_its_end_or_later(step: &Step<'_>) -> Verdict {
    if let Some(at) = place_of_used(step) {
        // The row as it stood: asking for a reset again has let its link live anew.
        let end = step.before.links[at].as_ref().map(|row| row.expires_at);
        must(end.is_some_and(|end| step.now < end), || {
            format!("a link of {end:?} at {}", step.now)
        })?;
    }
    if let (Some(half), Effect::RightCode | Effect::Confirmed) = (step.did.half, step.did.effect) {
        let ends = step.before.halves.get(&step.known.halves[half].key);
        let (code, half, _) = ends.ok_or("a challenge that was not there")?;
        must(step.now < *code && step.now < *half, || {
            format!("a code of {code} at {}", step.now)
        })?;
    }
    Ok(())
}

fn i_06_whoever_chose_the_password_in_force_proved_the_mailbox_or_a_fresh_session(
    step: &Step<'_>,
) -> Verdict {
    for after in &step.after.accounts {
        let before = step.before.account(after.id);
        if before.is_some_and(|b| b.password == after.password) {
            continue;
        }
        let who = step.did.who.ok_or("nobody set a password")?;
        let by = opened(after.password.as_str()).and_then(|p| chooser(&p));
        let mailbox = used(step)
            .is_some_and(|link| reader(link.to) == who && ADDRESSES[link.to] == after.email.as_str());
        let rehashed = before.is_some_and(|b| opened(b.password.as_str()) == opened(after.password.as_str()));
        let session = step.did.session.is_some_and(|s| {
            let session = &step.known.sessions[s];
            session.who == who && session.account == after.id && step.now.since(session.proved) <= MINUTE * 5
        });
        must(rehashed || by == Some(who) && (mailbox || session), || {
            format!(
                "{} has a password of {by:?}, set by {who:?}",
                after.email.as_str()
            )
        })?;
    }
    Ok(())
}

fn i_07_nothing_works_for_an_account_that_is_not_active(step: &Step<'_>) -> Verdict {
    for (session, probe) in step.known.sessions.iter().zip(&step.after.sessions) {
        let active = step
            .after
            .account(session.account)
            .is_some_and(|a| a.status == Status::Active);
        must(active || probe.is_err(), || {
            format!("a session of {:?} is alive", session.who)
        })?;
    }
    let works = matches!(
        step.did.effect,
        Effect::SignedIn
            | Effect::CodeSent
            | Effect::RightCode
            | Effect::Answered
            | Effect::PasswordReset
            | Effect::PasswordChanged
            | Effect::EmailAsked
            | Effect::EmailChanged
            | Effect::TwoStepChanged
            | Effect::Confirmed
            | Effect::Closed
            | Effect::OthersEnded
            | Effect::Looked
    );
    match subject(step) {
        Some(account) if works => must(account.status == Status::Active, || {
            format!(
                "{:?} although {} is {:?}",
                step.did.effect,
                account.email.as_str(),
                account.status
            )
        }),
        _ => Ok(()),
    }
}

fn i_08_steps_commit_in_order_and_the_last_valid_submission_counts(step: &Step<'_>) -> Verdict {
    let Some(draft) = step.did.draft.map(|d| &step.known.drafts[d]) else {
        return Ok(());
    };
    match step.did.effect {
        Effect::SectionSaved => must(draft.password.is_some(), || "the section came first".into()),
        Effect::Submitted | Effect::AccountMade => {
            let complete = draft.password.is_some() && draft.forename.is_some();
            must(complete, || "a step was left out".into())?;
            let email = ADDRESSES[draft.address.unwrap()];
            let registered = step.changes().find_map(|change| match change {
                Change::Registration(write) => match &**write {
                    Write::Insert(row) => Some((
                        row.email.as_str(),
                        row.data.clone()?.password?,
                        row.data.clone()?.profile,
                    )),
                    _ => None,
                },
                _ => None,
            });
            let made = step
                .made()
                .first()
                .map(|a| (a.email.as_str(), a.password.clone(), a.profile.clone()));
            let Some((address, password, profile)) = made.or(registered) else {
                return Ok(());
            };
            let profile = format!("{profile:?}");
            let same = address == email
                && opened(password.as_str()) == draft.password
                && profile.contains(&format!("\"{}\"", draft.forename.as_deref().unwrap_or_default()));
            must(same, || format!("{address}, {profile} instead of {draft:?}"))
        }
        _ => Ok(()),
    }
}

fn i_10_an_address_changes_only_by_a_link_mailed_to_it_in_the_present_epoch(step: &Step<'_>) -> Verdict {
    for (before, after) in step.accounts().filter(|(b, a)| b.email != a.email) {
        let link = used(step).ok_or("without a link")?;
        let right = link.issued.purpose == LinkPurpose::ConfirmEmail
            && ADDRESSES[link.to] == after.email.as_str()
            && link.issued.subject == LinkSubject::Account(before.id)
            && link.issued.epoch == Some(before.auth_epoch);
        must(right, || {
            format!(
                "{} became {} by a link mailed to {}",
                before.email.as_str(),
                after.email.as_str(),
                ADDRESSES[link.to]
            )
        })?;
    }
    Ok(())
}

fn i_11_a_link_is_effective_at_most_once(step: &Step<'_>) -> Verdict {
    let once = !matches!(step.did.effect, Effect::Answered | Effect::Anew);
    match used(step) {
        Some(link) if once => must(link.used == 0, || {
            format!("{:?} for the second time", link.issued.purpose)
        }),
        _ => Ok(()),
    }
}

fn i_12_a_link_is_refused_for_every_other_purpose(step: &Step<'_>) -> Verdict {
    let Some(link) = used(step) else { return Ok(()) };
    let asked = match step.act {
        Act::Activate { .. } | Act::Anew { .. } | Act::Submit { .. } => LinkPurpose::Activate,
        Act::Answer { .. } | Act::NewPassword { .. } => LinkPurpose::ResetPassword,
        Act::ConfirmEmail { .. } => LinkPurpose::ConfirmEmail,
        Act::Restore { .. } => LinkPurpose::RestoreAccount,
        Act::TakeBack { purpose, .. } => *purpose,
        _ => return Ok(()),
    };
    must(link.issued.purpose == asked, || {
        format!("{:?} for {asked:?}", link.issued.purpose)
    })
}

fn i_13_a_code_is_effective_at_most_once(step: &Step<'_>) -> Verdict {
    match (step.did.half, step.did.effect) {
        (Some(half), Effect::RightCode | Effect::Confirmed) => {
            must(step.known.halves[half].right == 0, || {
                "for the second time".into()
            })
        }
        _ => Ok(()),
    }
}

fn i_14_a_code_belongs_to_its_challenge_account_and_purpose(step: &Step<'_>) -> Verdict {
    let (Some(half), Effect::RightCode | Effect::Confirmed) = (step.did.half, step.did.effect) else {
        return Ok(());
    };
    let half = &step.known.halves[half];
    let mailed = step
        .known
        .codes
        .iter()
        .any(|c| c.challenge == half.key && Some(&c.code) == step.did.code.as_ref());
    must(mailed, || "a code that was not mailed for it".into())?;
    let purpose = match step.act {
        Act::ConfirmCode { .. } => ChallengePurpose::Confirm,
        _ => ChallengePurpose::SignIn,
    };
    must(
        half.purpose == purpose
            && half.session == step.did.session.filter(|_| purpose == ChallengePurpose::Confirm),
        || "of another purpose or session".into(),
    )
}

fn i_15_wrong_codes_in_a_row_fall_only_by_a_right_one_and_close_at_ten(step: &Step<'_>) -> Verdict {
    let right = |account| {
        step.did
            .half
            .is_some_and(|h| step.known.halves[h].account == account)
            && matches!(step.did.effect, Effect::RightCode | Effect::Confirmed)
    };
    for (before, after) in step.accounts() {
        let failures = step.known.wrong_codes.get(&before.id).copied().unwrap_or(0);
        if right(before.id) {
            must(failures < 10, || {
                format!("a code was accepted after {failures} wrong ones")
            })?;
            continue;
        }
        let reset = step.did.effect == Effect::PasswordReset
            || matches!(
                step.act,
                Act::Order {
                    order: Order::Unlock,
                    ..
                }
            );
        must(reset || after.code_failures >= failures, || {
            format!(
                "{} counts {} of {failures} wrong codes",
                after.email.as_str(),
                after.code_failures
            )
        })?;
    }
    Ok(())
}

fn i_16_no_more_verdicts_than_counted_tries_and_no_more_than_five(step: &Step<'_>) -> Verdict {
    let Some(half) = step.did.half.map(|h| &step.known.halves[h]) else {
        return Ok(());
    };
    let told = step.did.refusal == Refusal::Wrong
        || matches!(step.did.effect, Effect::RightCode | Effect::Confirmed);
    let verdicts = half.wrong + half.right + u32::from(told && step.did.code.is_some());
    must(verdicts <= 5, || format!("{verdicts} verdicts on one challenge"))?;
    match step.after.halves.get(&half.key) {
        Some((_, _, counted)) => must(verdicts <= *counted, || {
            format!("{verdicts} verdicts, {counted} counted")
        }),
        None => Ok(()),
    }
}

fn i_17_nothing_older_than_the_epoch_is_accepted(step: &Step<'_>) -> Verdict {
    for (session, probe) in step.known.sessions.iter().zip(&step.after.sessions) {
        let epoch = step.after.account(session.account).map(|a| a.auth_epoch);
        must(probe.is_err() || epoch == Some(session.epoch), || {
            format!("a session of {:?} outlived its epoch", session.who)
        })?;
    }
    if let (Some(half), Effect::RightCode | Effect::Confirmed) = (step.did.half, step.did.effect) {
        let half = &step.known.halves[half];
        let epoch = step.before.account(half.account).map(|a| a.auth_epoch);
        must(epoch == Some(half.epoch), || {
            "a challenge outlived its epoch".into()
        })?;
    }
    if let (Some(link), Effect::PasswordReset | Effect::Answered | Effect::EmailChanged) =
        (used(step), step.did.effect)
    {
        let epoch = subject(step).map(|a| a.auth_epoch);
        must(epoch == link.issued.epoch, || "a link outlived its epoch".into())?;
    }
    let raises = matches!(
        step.did.effect,
        Effect::PasswordReset
            | Effect::PasswordChanged
            | Effect::EmailChanged
            | Effect::TwoStepChanged
            | Effect::Closed
            | Effect::OthersEnded
    ) || matches!(
        step.act,
        Act::Order {
            order: Order::Disable | Order::EndSessions | Order::ClearTwoStep,
            ..
        }
    ) && step.did.effect == Effect::Ordered;
    if let (true, Some(before)) = (raises, subject_by_link(step).or_else(|| subject(step))) {
        let after = step.after.account(before.id);
        must(after.is_none_or(|a| a.auth_epoch != before.auth_epoch), || {
            format!("{:?} left the epoch as it was", step.did.effect)
        })?;
    }
    Ok(())
}

/// The account of the link that was used: it may be another one than that of the session beside it.
fn subject_by_link<'a>(step: &Step<'a>) -> Option<&'a portal_auth::account::snapshot::AccountRow> {
    match step.known.links[step.did.link?].issued.subject {
        LinkSubject::Account(id) => step.before.account(id),
        LinkSubject::Registration(_) => None,
    }
}

fn i_18_a_session_dies_after_thirty_idle_minutes(step: &Step<'_>) -> Verdict {
    for (at, (session, probe)) in step.known.sessions.iter().zip(&step.after.sessions).enumerate() {
        let used = step.did.session == Some(at) && step.before.sessions.get(at).is_some_and(Result::is_ok);
        let active = if used {
            session.active.max(step.now)
        } else {
            session.active
        };
        must(probe.is_err() || step.now.since(active) < MINUTE * 30, || {
            format!(
                "a session of {:?} was idle since {active} and is alive at {}",
                session.who, step.now
            )
        })?;
    }
    Ok(())
}

fn i_19_a_session_dies_twelve_hours_after_its_sign_in(step: &Step<'_>) -> Verdict {
    for (session, probe) in step.known.sessions.iter().zip(&step.after.sessions) {
        must(
            probe.is_err() || step.now.since(session.since) < HOUR * 12,
            || format!("a sign-in of {} is alive at {}", session.since, step.now),
        )?;
    }
    Ok(())
}

fn i_20_every_authentication_gives_a_token_never_seen_before(step: &Step<'_>) -> Verdict {
    for token in [&step.did.new_session, &step.did.new_half].into_iter().flatten() {
        must(!step.known.tokens.contains(token), || {
            "a token was handed out twice".into()
        })?;
    }
    let gives = matches!(
        step.did.effect,
        Effect::SignedIn | Effect::RightCode | Effect::Confirmed | Effect::PasswordChanged
    );
    must(!gives || step.did.new_session.is_some(), || "no new token".into())
}

fn i_21_level_two_needs_a_password_and_a_code_in_the_same_sign_in(step: &Step<'_>) -> Verdict {
    for (session, probe) in step.known.sessions.iter().zip(&step.after.sessions) {
        let two = matches!(probe, Ok(probe) if probe.level == Level::Two);
        must(!two || session.code, || {
            format!("a session of {:?} has level two without a code", session.who)
        })?;
    }
    let lifted = step.did.new_level == Some(Level::Two) && step.did.effect != Effect::RightCode;
    must(!lifted, || "lifted without a code".into())
}

fn i_21b_a_sensitive_act_needs_a_proof_of_the_last_five_minutes(step: &Step<'_>) -> Verdict {
    for (session, probe) in step.known.sessions.iter().zip(&step.after.sessions) {
        let confirmed = matches!(probe, Ok(probe) if probe.confirmed);
        must(!confirmed || step.now.since(session.proved) <= MINUTE * 5, || {
            format!(
                "a session of {:?} proved itself at {} and counts as fresh at {}",
                session.who, session.proved, step.now
            )
        })?;
    }
    Ok(())
}

/// No more than `most` of `times` within `window` before `now`.
fn within(times: &[Timestamp], now: Timestamp, window: Duration) -> usize {
    times.iter().filter(|t| now.since(**t) < window).count()
}

fn i_22_wrong_passwords_of_strangers_stay_within_the_budget(step: &Step<'_>) -> Verdict {
    let (Act::SignIn { address, .. } | Act::Burst { address, .. }) = step.act else {
        return Ok(());
    };
    let unfamiliar = step.charges.iter().any(|(charge, _)| !charge.networks.is_empty());
    if step.known.went_back || !unfamiliar {
        return Ok(());
    }
    let before = step.known.wrong_passwords.get(&usize::from(*address));
    let before = before.map_or(&[][..], Vec::as_slice);
    let new = step.did.answer.matches("NotCorrect").count();
    // Ten are free; after each further one the wait is at least thirty seconds, and forty-one fit into a day.
    for (window, most) in [(Duration::from_secs(30), 11), (HOUR * 24, 41)] {
        let told = within(before, step.now, window) + new;
        must(told <= most, || {
            format!("{told} wrong passwords within {window:?}")
        })?;
    }
    must(new <= 10, || format!("{new} wrong passwords at one moment"))
}

fn i_24_a_success_leaves_every_other_bucket_alone(step: &Step<'_>) -> Verdict {
    if !matches!(
        step.did.effect,
        Effect::SignedIn | Effect::CodeSent | Effect::Confirmed
    ) {
        return Ok(());
    }
    let paid: Vec<_> = step.charges.iter().map(|(charge, _)| charge.bucket).collect();
    let networks: Vec<_> = step
        .charges
        .iter()
        .flat_map(|(charge, _)| charge.networks.clone())
        .collect();
    for settle in step.units.iter().flat_map(UnitOfWork::settles) {
        let own = match settle {
            Settle::TakeBack(receipt) => paid.contains(&receipt.bucket),
            Settle::Clear(bucket) => paid.contains(bucket) && !networks.contains(bucket),
            // Opens a bucket that had reached the cap, one step below it; that of the person's own address.
            Settle::Lower { failures, bucket, .. } => *failures == 99 && !networks.contains(bucket),
            Settle::CountNetwork { .. } => false,
        };
        must(own, || format!("{settle:?} after paying {paid:?}"))?;
    }
    Ok(())
}

fn i_26_outsiders_cause_five_mails_an_hour_and_ten_a_day_at_most(step: &Step<'_>) -> Verdict {
    if step.known.went_back || !outside(step.act, step.did.effect) {
        return Ok(());
    }
    for (to, address) in ADDRESSES.iter().enumerate() {
        let mut times = step.known.outsiders_mails.get(&to).cloned().unwrap_or_default();
        let mails = step
            .units
            .iter()
            .flat_map(UnitOfWork::mails)
            .filter(|m| m.challenge.is_none());
        for mail in mails.filter(|m| m.to.as_str() == *address) {
            times.push(mail.created_at);
            for (window, most) in [(HOUR, 5), (HOUR * 24, 10)] {
                let caused = within(&times, mail.created_at, window);
                must(caused <= most, || {
                    format!("{caused} mails to {address} within {window:?}")
                })?;
            }
        }
    }
    Ok(())
}

fn i_37_every_comparison_and_every_change_has_one_event(step: &Step<'_>) -> Verdict {
    if matches!(step.act, Act::Begin { .. }) {
        // It compares nothing and changes nothing but a draft, whatever its places behind the gate cost.
        return must(step.units.is_empty(), || "the first step was told".into());
    }
    let paid = step
        .charges
        .iter()
        .filter(|(_, c)| matches!(c, Charged::Paid(_)))
        .count();
    let refused = step.charges.len() - paid;
    for unit in step.units {
        let mut kinds: Vec<&str> = unit.events().iter().map(|e| e.kind.as_str()).collect();
        kinds.sort_unstable();
        must(kinds.windows(2).all(|pair| pair[0] != pair[1]), || {
            format!("{kinds:?}")
        })?;
        let closes = unit
            .events()
            .iter()
            .filter(|e| e.kind == "guessing.closed")
            .count();
        let closed = step
            .charges
            .iter()
            .filter(|(_, c)| matches!(c, Charged::Paid(r) if r.open_at > r.charged_at))
            .count();
        must(closes <= closed, || {
            format!("{closes} closings told, {closed} made")
        })?;
    }
    // A wrong password, an answer or a right one: whatever was paid for is told once, what was refused not at all.
    must(step.units.len() >= paid, || {
        format!("{paid} paid tries, {} told", step.units.len())
    })?;
    must(refused == 0 || step.units.len() == paid, || {
        "a refusal by the throttle was told".into()
    })
}

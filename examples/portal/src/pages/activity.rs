//! What happened to an account in the last 90 days (P26, "Account activity").

use axum::response::Response;
use portal_auth::audit::Actor;
use portal_auth::features::account_activity::{ActivityEntry, MOST_ENTRIES};

use crate::pages::account::menu;
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::layout::Place;
use crate::views::own_account::{Activity, ActivityLine};

const PATH: &str = "/account/activity";

/// P26 `/account/activity`.
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    let entries = match ctx.signed_in() {
        Ok((signed_in, _)) => ctx.app.auth.recent_activity(signed_in).await?,
        Err(answer) => return Ok(answer),
    };
    let cut = u32::try_from(entries.len()).is_ok_and(|n| n >= MOST_ENTRIES);
    let entries = entries
        .into_iter()
        .map(|entry| ActivityLine {
            when: ctx.moment(entry.at),
            what: sentence(&entry).to_owned(),
            browser: entry.browser,
        })
        .collect();
    let (page, shown) = ctx
        .page("Account activity", Place::Account, Trouble::none())?
        .split();
    let view = Activity {
        page,
        menu: menu(PATH),
        entries,
        cut,
    };
    ctx.render(shown, &view)
}

/// One entry in words.
fn sentence(entry: &ActivityEntry) -> &'static str {
    match (entry.kind.code(), &*entry.reason) {
        ("account.made", _) => "Your account was made.",
        ("sign_in.done", _) => "You logged in.",
        ("sign_in.code_sent", _) => "Your password was entered, and a Verification Code was sent.",
        ("sign_in.refused", "password.wrong") => "A login was refused: the password was wrong.",
        ("sign_in.refused", "code.no_mail_left") => {
            "A login was refused: too many Verification Codes had been sent."
        }
        ("sign_in.refused", "code.closed") => "A login was refused: too many wrong Verification Codes.",
        ("sign_in.refused", "account.locked") => "A login was refused: a new password was needed first.",
        ("sign_in.refused", _) => "A login was refused.",
        ("sign_in.given_up", _) => "A half-finished login was given up.",
        ("sign_out.done", _) => "You logged out.",
        ("code.refused", _) => "A wrong Verification Code was entered.",
        ("confirm.done", _) => "You confirmed who you are.",
        ("confirm.refused", _) => "The password asked for to confirm who you are was wrong.",
        ("guessing.closed", _) => "Logging in was paused after too many wrong passwords.",
        ("two_step.changed", "two_step.on") => "Two Step Verification was turned on.",
        ("two_step.changed", "two_step.off") => "Two Step Verification was turned off.",
        ("two_step.changed", _) => "Two Step Verification was changed.",
        ("reset.requested", _) => "A link to reset your password was asked for.",
        ("reset.answered", _) => "Your Secret Answer was given to reset your password.",
        ("reset.refused", _) => "A wrong Secret Answer was given to reset your password.",
        ("reset.done", _) => "Your password was reset.",
        ("reset.started", _) => "An administrator sent you a link to reset your password.",
        ("recovery.asked", _) => "A reset without the Secret Answer was asked for.",
        ("recovery.refused", _) => "A reset without the Secret Answer was refused.",
        ("recovery.cancelled", _) => "A reset without the Secret Answer was taken back.",
        ("profile.updated", "about_you") => "Your personal details were changed.",
        ("profile.updated", "work_details") => "Your work details were changed.",
        ("profile.updated", _) => "Your details were changed.",
        ("change_password.done", _) => "Your password was changed.",
        ("change_password.refused", _) => "A change of your password was refused.",
        ("change_question.done", _) => "Your Secret Question was changed.",
        ("change_question.refused", _) => "A change of your Secret Question was refused.",
        ("change_email.asked", _) => "A change of your email address was asked for.",
        ("change_email.refused", _) => "A change of your email address was refused.",
        ("change_email.done", _) => "Your email address was changed.",
        ("change_email.cancelled", _) => "The change of your email address was taken back.",
        ("change_email.frozen", _) => "Your account was frozen from its former email address.",
        ("not_me.done", _) => "Somebody with a link from our email said that a change was not theirs.",
        ("close.refused", _) => "Closing your account was refused.",
        ("sessions.ended", _) => "You logged another browser out.",
        ("sessions.others_ended", _) => "You logged out everywhere else.",
        ("data.exported", _) => "You downloaded your data.",
        ("account.closed", _) => "You closed your account.",
        ("account.restored", _) => "You restored your account.",
        ("administer.disabled", _) => "An administrator closed your account to logins.",
        ("administer.enabled", _) => "An administrator opened your account to logins.",
        ("administer.sessions_ended", _) => "An administrator logged you out everywhere.",
        ("administer.unlocked", _) => "An administrator lifted the pause after too many tries.",
        ("administer.two_step_cleared", _) => "An administrator turned Two Step Verification off.",
        _ if entry.by == Actor::Administrator => "An administrator changed your account.",
        _ => "Something about your account was changed.",
    }
}

#[cfg(test)]
mod tests {
    use portal_auth::features::account_activity::kinds_told;

    /// The words of every kind stand above, in this very file.
    #[test]
    fn every_kind_that_is_told_has_words_of_its_own() {
        let words = include_str!("activity.rs");
        for kind in kinds_told() {
            assert!(words.contains(&format!("(\"{kind}\"")), "{kind}");
        }
    }
}

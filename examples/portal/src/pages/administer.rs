//! What administrators do to an account (P29): each act asks once more, asks for a fresh proof, is told to the owner by
//! mail, and comes back to the account's page. None of them sets a password (ADM-2).

use axum::response::Response;
use portal_auth::account::snapshot::AccountId;
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::error::Denied;
use portal_auth::features::administer::{AdministerRefused, Administrator};
use portal_auth::features::look_up_accounts::{AccountDetails, AccountView};
use portal_auth::features::start_reset::StartResetRefused;
use portal_auth_axum::form::{Form, FormRejection};

use crate::pages::administrator::{START, acting, looking, sending};
use crate::pages::change_password::confirm_then;
use crate::pages::look_up_accounts::{asked_for, name, named, path_of};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::administration::{ActLink, AskFirst, tabs};
use crate::views::layout::{Notice, Place};

const PATH: &str = "/admin/account/act";

/// Something that an administrator may do to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Unlock,
    EndSessions,
    StartRecovery,
    ClearTwoStep,
    Disable,
    Enable,
}

impl Act {
    pub(crate) const ALL: [Self; 6] = [
        Self::Unlock,
        Self::EndSessions,
        Self::StartRecovery,
        Self::ClearTwoStep,
        Self::Disable,
        Self::Enable,
    ];

    /// Its word in addresses and forms.
    const fn word(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::EndSessions => "end-sessions",
            Self::StartRecovery => "start-recovery",
            Self::ClearTwoStep => "clear-two-step",
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    /// Its link and its button.
    const fn name(self) -> &'static str {
        match self {
            Self::Unlock => "Unlock",
            Self::EndSessions => "End sessions",
            Self::StartRecovery => "Start recovery",
            Self::ClearTwoStep => "Clear Two Step Verification",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
        }
    }

    /// When it is for.
    const fn hint(self) -> &'static str {
        match self {
            Self::Unlock => "The owner is kept out by too many tries.",
            Self::EndSessions => "A browser was lost, or somebody else may be logged in.",
            Self::StartRecovery => "The owner can neither log in nor reset the password alone.",
            Self::ClearTwoStep => "The codes do not reach the owner any more.",
            Self::Disable => "Nobody is to use the account for now.",
            Self::Enable => "The owner is to use the account again.",
        }
    }

    const fn question(self) -> &'static str {
        match self {
            Self::Unlock => "Unlock this account?",
            Self::EndSessions => "End all sessions of this account?",
            Self::StartRecovery => "Start the recovery of this account?",
            Self::ClearTwoStep => "Clear Two Step Verification of this account?",
            Self::Disable => "Disable this account?",
            Self::Enable => "Enable this account?",
        }
    }

    /// What follows from it.
    const fn consequences(self) -> &'static [&'static str] {
        match self {
            Self::Unlock => &[
                "The waits after too many wrong passwords, codes and Secret Answers are over at once.",
                "A password that its owner has locked by \u{201c}this was not me\u{201d} stays locked until it is reset.",
            ],
            Self::EndSessions => &[
                "The owner is logged out everywhere, and half-finished logins end.",
                "Links to reset the password or to change the email address stop working.",
                "Password and details stay as they are.",
            ],
            Self::StartRecovery => &[
                "We email the owner a link that sets a new password. It does not ask for the Secret Answer.",
                "Whoever reads that mailbox can use it: make sure first that it is the owner who asks you.",
                "A pause of the recovery is over, and earlier reset links stop working.",
            ],
            Self::ClearTwoStep => &[
                "The account takes the password alone again, and the owner is logged out everywhere.",
                "Make sure first that it is the owner who asks you, as carefully as when the account was given.",
                "The owner turns it on again in My Account.",
            ],
            Self::Disable => &[
                "Nobody can log in, and the owner is logged out everywhere.",
                "Password and details are kept, and the email address stays taken.",
            ],
            Self::Enable => &["The owner can log in with the password as before."],
        }
    }

    /// What the account's page says when it is done.
    const fn done(self) -> &'static str {
        match self {
            Self::Unlock => "The account is unlocked. We have told its owner by email.",
            Self::EndSessions => "All sessions are ended. We have told the owner by email.",
            Self::StartRecovery => "We have emailed the owner a link that sets a new password.",
            Self::ClearTwoStep => "Two Step Verification is off. We have told the owner by email.",
            Self::Disable => "The account is disabled. We have told its owner by email.",
            Self::Enable => "The account is enabled. We have told its owner by email.",
        }
    }

    /// Whether it can change anything about an account as it is now.
    pub(crate) const fn fits(self, account: &AccountView) -> bool {
        match (self, account.status) {
            (_, Status::Closed) => false,
            (Self::Unlock | Self::EndSessions, Status::Active | Status::Disabled) => true,
            (Self::StartRecovery | Self::Disable, status) => matches!(status, Status::Active),
            (Self::Enable, status) => matches!(status, Status::Disabled),
            (Self::ClearTwoStep, _) => matches!(account.two_step, TwoStep::Email),
        }
    }

    /// The way to the page that asks once more.
    pub(crate) fn link(self, id: AccountId) -> ActLink {
        ActLink {
            href: self.path(id),
            name: self.name(),
            hint: self.hint(),
        }
    }

    fn path(self, id: AccountId) -> String {
        format!("{PATH}?id={id}&act={}", self.word())
    }
}

/// What the account's page says once, by the word in its address.
pub(crate) fn what_was_done(word: &str) -> Option<Notice> {
    let text = match word {
        "as-it-was" => {
            "Nothing was changed: the account is not as the page before has shown it. It is now as below."
        }
        "own" => "Nothing was changed: nobody administers their own account.",
        word => return Act::from_word(word).map(|act| Notice::done(act.done())),
    };
    Some(Notice::attention(text))
}

/// P29 `/admin/account/act`: asks once more.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let own = looking(&ctx).await?;
    let act = Act::from_word(ctx.query("act").unwrap_or_default()).ok_or(Fail::NotFound)?;
    let found = asked_for(&ctx, named(ctx.query("id").unwrap_or_default())?).await?;
    let id = found.account.id;
    if id == own {
        return back(ctx, id, "own");
    }
    if !act.fits(&found.account) {
        return back(ctx, id, "as-it-was");
    }
    // Asked for now, not once the answer is given.
    if acting(&ctx).await?.is_none() {
        return ctx.see(&confirm_then(&act.path(id)));
    }
    page(ctx, &found, act, Trouble::none())
}

fn back(ctx: Ctx, id: AccountId, word: &str) -> Result<Response, Fail> {
    ctx.see(&format!("{}&notice={word}", path_of(id)))
}

fn page(mut ctx: Ctx, found: &AccountDetails, act: Act, trouble: Trouble) -> Result<Response, Fail> {
    let account = &found.account;
    let (page, shown) = ctx.page(act.question(), Place::Elsewhere, trouble)?.split();
    let view = AskFirst {
        page,
        tabs: tabs(START),
        question: act.question(),
        email: account.email.as_str().to_owned(),
        name: name(account),
        consequences: act.consequences(),
        id: account.id.to_string(),
        act: act.word(),
        button: act.name(),
        back: path_of(account.id),
    };
    ctx.render(shown, &view)
}

/// `POST /admin/account/act`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let act = Act::from_word(&form.take("act")).ok_or(Fail::NotFound)?;
    let id = named(&form.take("id"))?;
    sending(&ctx, &act.path(id)).await?;
    let genuine = ctx.is_genuine(&form, &["id", "act"])?;
    let found = asked_for(&ctx, id).await?;
    if !genuine {
        return page(ctx, &found, act, Trouble::stale());
    }
    let Some(by) = acting(&ctx).await? else {
        return ctx.see(&confirm_then(&act.path(id)));
    };
    match administer(&ctx, &by, act, id).await? {
        Done::Yes => back(ctx, id, act.word()),
        Done::AsItWas => back(ctx, id, "as-it-was"),
        Done::OwnAccount => back(ctx, id, "own"),
    }
}

/// What became of an act.
enum Done {
    Yes,
    /// Another administrator or the owner was faster.
    AsItWas,
    OwnAccount,
}

async fn administer(ctx: &Ctx, by: &Administrator, act: Act, id: AccountId) -> Result<Done, Fail> {
    let auth = &ctx.app.auth;
    match act {
        Act::Unlock => done(auth.unlock_account(by, id).await),
        Act::EndSessions => done(auth.end_all_sessions(by, id).await),
        Act::ClearTwoStep => done(auth.clear_two_step(by, id).await),
        Act::Disable => done(auth.disable_account(by, id).await),
        Act::Enable => done(auth.enable_account(by, id).await),
        Act::StartRecovery => match auth.start_reset_for(by, id).await {
            Ok(()) => Ok(Done::Yes),
            Err(denied) => match refusal(denied)? {
                StartResetRefused::NoAccount => Err(Fail::NotFound),
                StartResetRefused::OwnAccount => Ok(Done::OwnAccount),
                _ => Ok(Done::AsItWas),
            },
        },
    }
}

fn done(answer: Result<(), Denied<AdministerRefused>>) -> Result<Done, Fail> {
    match answer {
        Ok(()) => Ok(Done::Yes),
        Err(denied) => match refusal(denied)? {
            AdministerRefused::NoAccount => Err(Fail::NotFound),
            AdministerRefused::OwnAccount => Ok(Done::OwnAccount),
            _ => Ok(Done::AsItWas),
        },
    }
}

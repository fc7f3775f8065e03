//! The pages of links that take something back: cancel a change of address (E9), freeze an account (E19), "this was not
//! me" (E7, E10, E11).
//!
//! Each asks for the address that its mail went to, so that programs that open links and press buttons do nothing
//! (MAIL-6). GET and HEAD change nothing.

use axum::response::{IntoResponse as _, Response};
use portal_auth::TakeBackRefused;
use portal_auth::error::Denied;
use portal_auth::link::LinkRefused;
use portal_auth::secret::token::LinkToken;
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;

use crate::pages::mailed_link::{Arrived, LinkPage};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button};
use crate::views::layout::Place;
use crate::views::messages::message;
use crate::views::take_back::{TakeBack, TakenBack};

/// What a link takes back.
#[derive(Debug, Clone, Copy)]
enum Act {
    Cancel,
    Freeze,
    NotMe,
}

/// What its pages say.
struct Words {
    page: LinkPage,
    title: &'static str,
    lead: &'static [&'static str],
    button: &'static str,
    done: &'static str,
    afterwards: &'static [&'static str],
    next: (&'static str, &'static str),
}

const NEW_PASSWORD: (&str, &str) = ("/account/forgotten-password", "Choose a new password");

const CANCEL: Words = Words {
    page: LinkPage {
        path: "/account/cancel-email-change",
        used: "The change is cancelled. The email address stays as it was.",
        ended: "There is nothing to cancel any more. If the address was changed, the newest email from us says what you can do.",
        otherwise: NEW_PASSWORD,
    },
    title: "Cancel the change of email address",
    lead: &[
        "Somebody asked to use another email address for your account. Nothing has changed yet, and this stops it.",
    ],
    button: "Cancel the change",
    done: "The change is cancelled",
    afterwards: &[
        "Your email address stays as it was.",
        "If it was not you who asked, somebody knows your password.",
    ],
    next: NEW_PASSWORD,
};

const FREEZE: Words = Words {
    page: LinkPage {
        path: "/account/freeze",
        used: "The account is frozen. An administrator has been told.",
        ended: "The account cannot be frozen any more.",
        otherwise: ("/help", "Need help?"),
    },
    title: "Freeze the account",
    lead: &[
        "The email address of your account was changed. If that was not you, freeze the account.",
        "Every session ends, nobody can log in, and an administrator is told. Only an administrator can open the account again.",
    ],
    button: "Freeze the account",
    done: "The account is frozen",
    afterwards: &[
        "Nobody can log in to it. An administrator has been told and will find out whose account it is.",
    ],
    next: ("/help", "Need help?"),
};

const NOT_ME: Words = Words {
    page: LinkPage {
        path: "/account/not-me",
        used: "The account is locked. Choose a new password to open it.",
        ended: "This link can do nothing any more.",
        otherwise: NEW_PASSWORD,
    },
    title: "This was not me",
    lead: &[
        "If somebody else changed your account, lock it.",
        "Every session ends, and nobody can log in until you have chosen a new password. We email you a link for that.",
    ],
    button: "Lock the account",
    done: "The account is locked",
    afterwards: &[
        "Every session has ended. We have sent an email with a link to choose a new password.",
        "If it does not come, look in the junk folder, or ask for another one.",
    ],
    next: NEW_PASSWORD,
};

impl Act {
    const fn words(self) -> &'static Words {
        match self {
            Self::Cancel => &CANCEL,
            Self::Freeze => &FREEZE,
            Self::NotMe => &NOT_ME,
        }
    }

    async fn page(self, ctx: &Ctx, token: &LinkToken) -> Result<String, Denied<LinkRefused>> {
        let auth = &ctx.app.auth;
        match self {
            Self::Cancel => auth.cancel_email_change_page(token).await,
            Self::Freeze => auth.freeze_account_page(token).await,
            Self::NotMe => auth.not_me_page(token).await,
        }
    }

    async fn act(self, ctx: &Ctx, token: &LinkToken, typed: &str) -> Result<(), Denied<TakeBackRefused>> {
        let (auth, visitor) = (&ctx.app.auth, &ctx.visitor);
        match self {
            Self::Cancel => auth.cancel_email_change(visitor, token, typed).await,
            Self::Freeze => auth.freeze_account(visitor, token, typed).await,
            Self::NotMe => auth.not_me(visitor, token, typed).await,
        }
    }
}

/// `/account/cancel-email-change`.
pub(crate) async fn show_cancel(ctx: Ctx) -> Result<Response, Fail> {
    show(Act::Cancel, ctx).await
}

/// `POST /account/cancel-email-change`.
pub(crate) async fn cancel(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    submit(Act::Cancel, ctx, form?).await
}

/// `/account/freeze`.
pub(crate) async fn show_freeze(ctx: Ctx) -> Result<Response, Fail> {
    show(Act::Freeze, ctx).await
}

/// `POST /account/freeze`.
pub(crate) async fn freeze(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    submit(Act::Freeze, ctx, form?).await
}

/// `/account/not-me`.
pub(crate) async fn show_not_me(ctx: Ctx) -> Result<Response, Fail> {
    show(Act::NotMe, ctx).await
}

/// `POST /account/not-me`.
pub(crate) async fn not_me(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    submit(Act::NotMe, ctx, form?).await
}

async fn show(act: Act, ctx: Ctx) -> Result<Response, Fail> {
    let words = act.words();
    if ctx.query("notice") == Some("done") {
        return done(ctx, words);
    }
    let response = match words.page.arrive(ctx)? {
        Arrived::Answered(answer) => answer,
        Arrived::With(ctx, token) => match act.page(&ctx, &token).await {
            Ok(masked) => page(ctx, words, &masked, Typed::none())?,
            Err(denied) => words.page.not_usable(ctx, refusal(denied)?)?,
        },
    };
    Ok((TokenPage, response).into_response())
}

/// What the form is shown with.
struct Typed {
    email: String,
    trouble: Trouble,
}

impl Typed {
    fn none() -> Self {
        Self {
            email: String::new(),
            trouble: Trouble::none(),
        }
    }
}

fn page(mut ctx: Ctx, words: &Words, masked: &str, typed: Typed) -> Result<Response, Fail> {
    let (page, shown) = ctx.page(words.title, Place::Login, typed.trouble)?.split();
    let view = TakeBack {
        page,
        path: words.page.path,
        lead: words.lead,
        masked: masked.to_owned(),
        email: typed.email,
        button: words.button,
    };
    ctx.render(shown, &view)
}

fn done(mut ctx: Ctx, words: &Words) -> Result<Response, Fail> {
    let (page, shown) = ctx.page(words.done, Place::Login, Trouble::none())?.split();
    let (href, text) = words.next;
    let view = TakenBack {
        page,
        afterwards: words.afterwards,
        href,
        text,
    };
    ctx.render(shown, &view)
}

async fn submit(act: Act, ctx: Ctx, form: Form) -> Result<Response, Fail> {
    let response = press(act, ctx, form).await?;
    Ok((TokenPage, response).into_response())
}

async fn press(act: Act, mut ctx: Ctx, mut form: Form) -> Result<Response, Fail> {
    let words = act.words();
    let genuine = ctx.is_genuine(&form, &["email", "link"])?;
    if button(&form, "take-back") == "open" {
        return words.page.open_typed(ctx, &mut form, genuine);
    }
    let Some(token) = ctx.link() else {
        return words.page.unknown(ctx, "", Trouble::none());
    };
    let masked = match act.page(&ctx, &token).await {
        Ok(masked) => masked,
        Err(denied) => return words.page.not_usable(ctx, refusal(denied)?),
    };
    let email = form.take("email");
    if !genuine {
        let trouble = Trouble::stale();
        return page(ctx, words, &masked, Typed { email, trouble });
    }
    match act.act(&ctx, &token, &email).await {
        Ok(()) => {
            ctx.clear_cookie(PortalCookie::Link);
            ctx.see(&format!("{}?notice=done", words.page.path))
        }
        Err(denied) => {
            let text = match refusal(denied)? {
                TakeBackRefused::Link(refused) => return words.page.not_usable(ctx, refused),
                TakeBackRefused::AddressRequired => message("email.required", None, "Email Address"),
                _ => "This is not the address that the email went to".to_owned(),
            };
            let trouble = Trouble::field("email", &text);
            page(ctx, words, &masked, Typed { email, trouble })
        }
    }
}

//! What the pages share that a mailed link opens: the token leaves the address bar, a link that does nothing says why,
//! and a link that was cut can be pasted.
//!
//! A page does with `arrive` on GET, `open_typed` for the button `open`, and `not_usable` wherever the library
//! refuses its link. GET and HEAD change nothing but the link cookie (TOK-5).

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portal_auth::link::LinkRefused;
use portal_auth::secret::token::LinkToken;
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::Form;
use portal_auth_axum::security_headers::TokenPage;

use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::layout::Place;
use crate::views::mailed_link::{LinkOver, WhyOver};

/// One page that a mailed link opens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkPage {
    /// Its path; forms post to it.
    pub(crate) path: &'static str,
    /// What to say when the link was used: a sentence.
    pub(crate) used: &'static str,
    /// What to say when it can no longer do what it was for: a sentence.
    pub(crate) ended: &'static str,
    /// Where a person who needs a new link goes, and what the link there says.
    pub(crate) otherwise: (&'static str, &'static str),
}

/// Who came.
pub(crate) enum Arrived {
    /// The answer is ready.
    Answered(Response),
    /// Go on with this link.
    With(Ctx, LinkToken),
}

impl LinkPage {
    /// `GET`: with `?t=` the token moves into a cookie and out of the address bar, and the page is asked for again.
    pub(crate) fn arrive(&self, mut ctx: Ctx) -> Result<Arrived, Fail> {
        let Some(typed) = ctx.query("t").map(str::to_owned) else {
            return match ctx.link() {
                Some(token) => Ok(Arrived::With(ctx, token)),
                None => self.unknown(ctx, "", Trouble::none()).map(Arrived::Answered),
            };
        };
        match LinkToken::parse(&typed) {
            Some(token) => {
                ctx.set_cookie(PortalCookie::Link, (&token).into());
                let response = ctx.see(self.path)?;
                Ok(Arrived::Answered((TokenPage, response).into_response()))
            }
            None => self.unknown(ctx, "", Trouble::none()).map(Arrived::Answered),
        }
    }

    /// `do=open`: a link pasted by hand, the whole address or the token alone.
    pub(crate) fn open_typed(&self, mut ctx: Ctx, form: &mut Form, genuine: bool) -> Result<Response, Fail> {
        let typed = form.take("link");
        let typed = typed.trim();
        if !genuine {
            return self.unknown(ctx, typed, Trouble::stale());
        }
        let token = typed.rsplit_once("t=").map_or(typed, |(_, token)| token);
        match LinkToken::parse(token) {
            Some(token) => {
                ctx.set_cookie(PortalCookie::Link, (&token).into());
                ctx.see(self.path)
            }
            None => self.unknown(
                ctx,
                typed,
                Trouble::field("link", "Paste the whole link from the email"),
            ),
        }
    }

    /// What a link that does nothing says: 404 for one that is not ours, 410 for one that is over.
    pub(crate) fn not_usable(&self, mut ctx: Ctx, refused: LinkRefused) -> Result<Response, Fail> {
        let (title, why) = match refused {
            LinkRefused::Expired { at } => (
                "This link has stopped working",
                WhyOver::Said(format!("This link stopped working at {}.", ctx.moment(at))),
            ),
            LinkRefused::Replaced => (
                "We have sent a newer link",
                WhyOver::Said("Open the newest email from us and use the link in it.".to_owned()),
            ),
            LinkRefused::Used => ("This link has been used", WhyOver::Said(self.used.to_owned())),
            LinkRefused::Ended => ("This link no longer works", WhyOver::Said(self.ended.to_owned())),
            _ => return self.unknown(ctx, "", Trouble::none()),
        };
        let frame = ctx.page(title, Place::Login, Trouble::none())?;
        let (page, shown) = frame.with_status(StatusCode::GONE).split();
        let (href, text) = self.otherwise;
        let view = LinkOver {
            page,
            path: self.path,
            why,
            href,
            text,
        };
        let response = ctx.render(shown, &view)?;
        Ok((TokenPage, response).into_response())
    }

    /// One answer for every link that is not ours: cut, wrong, forged, forgotten.
    pub(crate) fn unknown(&self, mut ctx: Ctx, typed: &str, trouble: Trouble) -> Result<Response, Fail> {
        let status = trouble.status_or(StatusCode::NOT_FOUND);
        let frame = ctx.page("Check that the whole link was copied", Place::Login, trouble)?;
        let (page, shown) = frame.with_status(status).split();
        let (href, text) = self.otherwise;
        let why = WhyOver::Unknown {
            typed: typed.to_owned(),
        };
        let view = LinkOver {
            page,
            path: self.path,
            why,
            href,
            text,
        };
        let response = ctx.render(shown, &view)?;
        Ok((TokenPage, response).into_response())
    }
}

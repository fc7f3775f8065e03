//! Where people are sent when a page is not for them yet: the host's own pages, and the way back in `next`.

use std::fmt;
use std::sync::Arc;

use axum::extract::OriginalUri;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded::byte_serialize;

use crate::cookies::PortalCookie;
use crate::form::Form;
use crate::next::Next;

/// The name of the query parameter, and of the hidden field, that carries the way back.
pub const NEXT_FIELD: &str = "next";

/// The paths of a host's pages that the extractors send people to. Each is a plain path, such as `/account/login`.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a host names every door; a new one must not be forgotten"
)]
pub struct DoorPaths<'a> {
    /// The sign-in page.
    pub sign_in: &'a str,
    /// The sign-in page for people whose session timed out; may be the same.
    pub timed_out: &'a str,
    /// "Confirm it is you": asks for a fresh proof.
    pub confirm: &'a str,
    /// Where the second step is turned on.
    pub two_step: &'a str,
    /// What a `next` may lie under; see [`Next::parse`].
    pub known_routes: &'a [&'a str],
    /// Paths that only act and have no page, such as a logout: nobody is sent back to them.
    pub without_page: &'a [&'a str],
}

/// The host's doors, checked; part of the state of its router, beside `PortalAuth`. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Doors(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    sign_in: String,
    timed_out: String,
    confirm: String,
    two_step: String,
    known_routes: Vec<String>,
    never_next: Vec<String>,
}

impl Doors {
    /// Checks and keeps the paths.
    ///
    /// # Errors
    /// [`InvalidDoor`] with the first one that is no plain path; the host must correct it.
    pub fn new(paths: DoorPaths<'_>) -> Result<Self, InvalidDoor> {
        let all = |paths: &[&str]| {
            paths
                .iter()
                .copied()
                .map(plain_path)
                .collect::<Result<Vec<_>, _>>()
        };
        let (sign_in, timed_out) = (plain_path(paths.sign_in)?, plain_path(paths.timed_out)?);
        let mut never_next = all(paths.without_page)?;
        never_next.extend([sign_in.clone(), timed_out.clone()]);
        Ok(Self(Arc::new(Checked {
            sign_in,
            timed_out,
            confirm: plain_path(paths.confirm)?,
            two_step: plain_path(paths.two_step)?,
            known_routes: all(paths.known_routes)?,
            never_next,
        })))
    }

    /// Reads a `next` that was decoded once, out of a form's field; `None` means: go home.
    ///
    /// # Security
    /// The rules are those of [`Next::parse`]; besides, nobody is sent on to the sign-in page or to a path without
    /// a page (WEB-4).
    #[must_use]
    pub fn next(&self, target: &str) -> Option<Next> {
        let known: Vec<&str> = self.0.known_routes.iter().map(String::as_str).collect();
        let path = target.split('?').next().unwrap_or_default();
        let barred = self.0.never_next.iter().any(|never| never == path);
        Next::parse(target, &known).filter(|_| !barred)
    }

    /// Reads the `next` of a page's own address; `None` where there is none, it comes twice, or it is refused.
    #[must_use]
    pub fn next_of(&self, page: &Uri) -> Option<Next> {
        let query = Form::parse(page.query()?.as_bytes()).ok()?;
        self.next(query.get(NEXT_FIELD)?)
    }

    /// To the sign-in page, and from there to `next`.
    #[must_use]
    pub fn sign_in(&self, next: Option<Next>) -> Detour {
        Detour::new(&self.0.sign_in, next)
    }

    /// To the page for people whose session timed out, and from there to `next`.
    #[must_use]
    pub fn timed_out(&self, next: Option<Next>) -> Detour {
        Detour::new(&self.0.timed_out, next)
    }

    /// To the page that asks for a fresh proof, and from there to `next`.
    #[must_use]
    pub fn confirm(&self, next: Option<Next>) -> Detour {
        Detour::new(&self.0.confirm, next)
    }

    /// To the page where the second step is turned on, and from there to `next`.
    #[must_use]
    pub fn two_step(&self, next: Option<Next>) -> Detour {
        Detour::new(&self.0.two_step, next)
    }

    /// The page that a request wanted, as a way back to it.
    ///
    /// An act is not repeated by coming back: for anything but GET and HEAD it is the page at the act's own path.
    pub(crate) fn way_back(&self, parts: &Parts) -> Option<Next> {
        // A nested router has cut its prefix off the address.
        let uri = parts.extensions.get().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let with_query = match parts.method {
            Method::GET | Method::HEAD => uri.path_and_query().map(|whole| whole.as_str()),
            _ => None,
        };
        with_query
            .and_then(|target| self.next(target))
            .or_else(|| self.next(uri.path()))
    }
}

/// A path of a host's that cannot be a door, by its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a plain path such as `/account/login`")]
pub struct InvalidDoor(String);

/// Sends somebody to one of the host's pages, with 303 and the way back in `next`.
///
/// Return it as it is, or show the page at once and put [`next`](Self::next) into its form.
pub struct Detour {
    location: String,
    next: Option<Next>,
    forgets_session: bool,
}

impl Detour {
    fn new(door: &str, next: Option<Next>) -> Self {
        let location = match &next {
            Some(next) => {
                let encoded: String = byte_serialize(next.as_str().as_bytes()).collect();
                format!("{door}?{NEXT_FIELD}={encoded}")
            }
            None => door.to_owned(),
        };
        Self {
            location,
            next,
            forgets_session: false,
        }
    }

    /// Makes the browser drop its session cookie, which holds nothing any more.
    pub(crate) const fn forgetting_session(mut self) -> Self {
        self.forgets_session = true;
        self
    }

    /// Path and query to go to, for a redirect or a link.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Where to go on from there.
    #[must_use]
    pub const fn next(&self) -> Option<&Next> {
        self.next.as_ref()
    }
}

impl fmt::Debug for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Detour").field(&self.location).finish()
    }
}

impl IntoResponse for Detour {
    fn into_response(self) -> Response {
        let redirect = Redirect::to(&self.location);
        if self.forgets_session {
            (PortalCookie::Session.clear(), redirect).into_response()
        } else {
            redirect.into_response()
        }
    }
}

fn plain_path(path: &str) -> Result<String, InvalidDoor> {
    let plain = Next::parse(path, &[path]).is_some() && !path.contains(['?', '%']);
    if plain && (path == "/" || !path.ends_with('/')) {
        Ok(path.to_owned())
    } else {
        Err(InvalidDoor(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Request, StatusCode, header};
    use proptest::prelude::*;

    use super::*;

    const PATHS: DoorPaths<'_> = DoorPaths {
        sign_in: "/account/login",
        timed_out: "/account/timed-out",
        confirm: "/account/confirm-password",
        two_step: "/account/two-step-verification",
        known_routes: &["/account", "/areas"],
        without_page: &["/account/logout"],
    };

    fn doors() -> Doors {
        Doors::new(PATHS).unwrap()
    }

    fn way_back(request: Request<()>) -> Option<String> {
        let (parts, ()) = request.into_parts();
        doors().way_back(&parts).map(|next| next.to_string())
    }

    #[test]
    fn a_door_is_a_plain_path() {
        for wrong in [
            "",
            "login",
            "//login",
            "/login?a=b",
            "/login/",
            "/lo gin",
            "/%6cogin",
            "https://elsewhere.example/",
        ] {
            let refused = Err(InvalidDoor(wrong.to_owned()));
            let paths = |change: fn(&mut DoorPaths<'static>, &'static str)| {
                let mut paths = PATHS;
                change(&mut paths, wrong);
                Doors::new(paths).map(|_| ())
            };
            assert_eq!(paths(|p, w| p.sign_in = w), refused);
            assert_eq!(paths(|p, w| p.timed_out = w), refused);
            assert_eq!(paths(|p, w| p.confirm = w), refused);
            assert_eq!(paths(|p, w| p.two_step = w), refused);
            let known_routes = &[wrong];
            assert_eq!(
                Doors::new(DoorPaths {
                    known_routes,
                    ..PATHS
                })
                .map(|_| ()),
                refused
            );
            let without_page = &[wrong];
            assert_eq!(
                Doors::new(DoorPaths {
                    without_page,
                    ..PATHS
                })
                .map(|_| ()),
                refused
            );
        }
        let known_routes = &["/"];
        assert!(
            Doors::new(DoorPaths {
                known_routes,
                ..PATHS
            })
            .is_ok()
        );
    }

    #[test]
    fn a_detour_carries_the_way_back_so_that_it_reads_back_unchanged() {
        // WEB-4
        let next = doors().next("/areas/send?step=2&q=%26+a").unwrap();
        let detour = doors().sign_in(Some(next.clone()));
        assert_eq!(
            detour.location(),
            "/account/login?next=%2Fareas%2Fsend%3Fstep%3D2%26q%3D%2526%2Ba"
        );
        assert_eq!(doors().next_of(&detour.location().parse().unwrap()), Some(next));
        assert_eq!(doors().timed_out(None).location(), "/account/timed-out");
        assert_eq!(doors().confirm(None).location(), "/account/confirm-password");
        assert_eq!(
            doors().two_step(None).location(),
            "/account/two-step-verification"
        );
    }

    #[test]
    fn a_detour_answers_303_and_drops_only_a_cookie_that_is_dead() {
        let answer = doors().sign_in(None).into_response();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert!(!answer.headers().contains_key(header::SET_COOKIE));
        let answer = doors().timed_out(None).forgetting_session().into_response();
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-portal_session=;"), "{cookie}");
    }

    #[test]
    fn a_next_leads_neither_off_the_site_nor_round_in_circles() {
        // WEB-4, P-42
        for refused in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/elsewhere",
            "/account/login",
            "/account/login?next=%2Fareas",
            "/account/timed-out",
            "/account/logout",
        ] {
            assert_eq!(doors().next(refused), None, "{refused}");
            let encoded: String = byte_serialize(refused.as_bytes()).collect();
            let page: Uri = format!("/account/login?next={encoded}").parse().unwrap();
            assert_eq!(doors().next_of(&page), None, "{refused}");
        }
        for page in [
            "/account/login",
            "/account/login?next",
            "/account/login?next=%2Fareas&next=%2Fareas",
        ] {
            assert_eq!(doors().next_of(&page.parse().unwrap()), None, "{page}");
        }
    }

    #[test]
    fn the_way_back_to_a_page_keeps_its_query_and_an_act_leads_to_its_page() {
        let get = Request::get("/areas/send?step=2").body(()).unwrap();
        assert_eq!(way_back(get).as_deref(), Some("/areas/send?step=2"));
        let head = Request::head("https://portal.example/areas/send?step=2").body(());
        assert_eq!(way_back(head.unwrap()).as_deref(), Some("/areas/send?step=2"));
        let post = Request::post("/account/personal-details?x=1").body(()).unwrap();
        assert_eq!(way_back(post).as_deref(), Some("/account/personal-details"));
        assert_eq!(way_back(Request::post("/account/logout").body(()).unwrap()), None);
        assert_eq!(way_back(Request::get("/elsewhere").body(()).unwrap()), None);
    }

    #[test]
    fn a_page_whose_query_cannot_be_kept_is_found_again_without_it() {
        let long = format!("/areas/send?q={}", "a".repeat(600));
        let get = Request::get(long).body(()).unwrap();
        assert_eq!(way_back(get).as_deref(), Some("/areas/send"));
    }

    #[test]
    fn a_nested_router_finds_its_way_back_to_the_whole_path() {
        let mut get = Request::get("/send").body(()).unwrap();
        let whole = Uri::from_static("/areas/send");
        get.extensions_mut().insert(OriginalUri(whole));
        assert_eq!(way_back(get).as_deref(), Some("/areas/send"));
    }

    proptest! {
        #[test]
        fn i_31_whatever_a_request_asks_for_a_detour_stays_on_the_site(target in "/[!-~]{0,60}") {
            // I-31
            let Ok(request) = Request::get(&target).body(()) else { return Ok(()) };
            let (parts, ()) = request.into_parts();
            let detour = doors().sign_in(doors().way_back(&parts));
            prop_assert!(detour.location().starts_with("/account/login"));
            let answer = detour.into_response();
            prop_assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            let location = answer.headers()[header::LOCATION].to_str().unwrap();
            let base = url::Url::parse("https://portal.example").unwrap();
            let arrived = base.join(location).unwrap();
            prop_assert_eq!(arrived.origin(), base.origin());
            prop_assert_eq!(arrived.path(), "/account/login");
        }
    }
}

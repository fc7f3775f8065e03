//! Somebody at a browser: cookies are kept, redirects are followed, forms are sent from the portal's own pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::page::{Form, Page};
use super::program::Portal;

const BODY: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A person and their browser.
#[derive(Debug, Clone)]
pub struct Person {
    origin: String,
    cookies: BTreeMap<String, String>,
    agent: String,
    /// What a trusted proxy says where this browser is.
    network: Option<String>,
    client: Client<HttpConnector, Body>,
    heard: Option<Arc<Mutex<Vec<Page>>>>,
}

impl Person {
    /// Somebody with an empty browser in front of this portal.
    pub fn at(portal: &Portal) -> Self {
        // A connection for each request: a portal may be killed and started again in between.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Self {
            origin: portal.origin(),
            cookies: BTreeMap::new(),
            agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            network: None,
            client,
            heard: None,
        }
    }

    /// Keeps a copy of every answer from now on in `heard`, also of what later clones of this person are given.
    #[must_use]
    pub fn heard_by(mut self, heard: &Arc<Mutex<Vec<Page>>>) -> Self {
        self.heard = Some(Arc::clone(heard));
        self
    }

    /// The same person with a browser of this name.
    #[must_use]
    pub fn with_agent(mut self, agent: &str) -> Self {
        agent.clone_into(&mut self.agent);
        self
    }

    /// Somebody with an empty browser at this IP address, of a site [behind a proxy](super::Site::behind_a_proxy).
    pub fn from(portal: &Portal, ip: &str) -> Self {
        Self {
            network: Some(ip.to_owned()),
            ..Self::at(portal)
        }
    }

    /// The same browser at another IP address.
    pub fn moved_to(&self, ip: &str) -> Self {
        Self {
            network: Some(ip.to_owned()),
            ..self.clone()
        }
    }

    /// Another browser at the same IP address.
    pub fn with_no_cookies(&self) -> Self {
        Self {
            cookies: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// The IP address that was given.
    pub fn network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    /// Goes on at another process, with the same cookies.
    pub fn go_on_at(&mut self, portal: &Portal) {
        self.origin = portal.origin();
    }

    /// The value of a cookie by the last part of its name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .get(&format!("__Host-portal_{name}"))
            .map(String::as_str)
    }

    /// Every cookie in the browser.
    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// Plants a cookie, as somebody at the machine could.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies
            .insert(format!("__Host-portal_{name}"), value.to_owned());
    }

    /// Opens a page, as from the address bar, and goes where it leads.
    pub async fn open(&mut self, path: &str) -> Page {
        let first = self.ask(Method::GET, path, &[]).await;
        self.follow(first).await
    }

    /// Sends a form, and goes where that leads.
    pub async fn send(&mut self, form: &Form) -> Page {
        let first = self.post(form).await;
        self.follow(first).await
    }

    /// Sends a form; the answer itself.
    pub async fn post(&mut self, form: &Form) -> Page {
        self.exchange(self.posting(form)).await
    }

    /// The request that sends a form, as a browser would.
    pub fn posting(&self, form: &Form) -> Request<Body> {
        self.posting_with(form, &[(ORIGIN, &self.origin), (FETCH_SITE, "same-origin")])
    }

    /// Sends a form with exactly these headers about where it comes from.
    pub async fn post_with(&mut self, form: &Form, headers: &[(HeaderName, &str)]) -> Page {
        self.exchange(self.posting_with(form, headers)).await
    }

    fn posting_with(&self, form: &Form, headers: &[(HeaderName, &str)]) -> Request<Body> {
        let mut request = self.request(Method::POST, &form.action, headers);
        request.headers_mut().insert(CONTENT_TYPE, BODY);
        *request.body_mut() = Body::from(form.encoded());
        request
    }

    /// Asks for a page; the answer itself, wherever it points.
    pub async fn ask(&mut self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Page {
        let request = self.request(method, path, headers);
        self.exchange(request).await
    }

    /// A request with this browser's cookies and name, to be changed before it is sent.
    pub fn request(&self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.origin).parse().unwrap();
        let all = request.headers_mut();
        all.insert(USER_AGENT, HeaderValue::from_str(&self.agent).unwrap());
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            all.insert(COOKIE, pairs.join("; ").parse().unwrap());
        }
        if let Some(network) = &self.network {
            all.insert(FORWARDED_FOR, network.parse().unwrap());
        }
        for (name, value) in headers {
            all.append(name, value.parse().unwrap());
        }
        request
    }

    /// Sends a request as it is and keeps the cookies of the answer.
    pub async fn exchange(&mut self, request: Request<Body>) -> Page {
        let path = request.uri().path_and_query().unwrap().to_string();
        let what = format!("{} {path}", request.method());
        let answer = self.client.request(request).await;
        let answer = answer.unwrap_or_else(|e| panic!("no answer to {what}: {e:?}"));
        let (parts, body) = answer.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
        self.keep_cookies(&parts.headers);
        assert!(
            parts.status != 500 || what.contains("/panic"),
            "{what} broke the portal"
        );
        let page = Page {
            status: parts.status,
            headers: parts.headers,
            way: vec![path.clone()],
            path,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        if let Some(heard) = &self.heard {
            heard.lock().unwrap().push(page.clone());
        }
        page
    }

    /// Keeps the cookies of an answer that came another way.
    pub fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Expires=Thu, 01 Jan 1970") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Goes where an answer points, as far as that leads.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..6 {
            let Some(to) = page.headers.get(LOCATION) else {
                return page;
            };
            let to = to.to_str().unwrap().to_owned();
            assert!(to.starts_with('/'), "a redirect leads to {to}");
            let mut next = self.ask(Method::GET, &to, &[]).await;
            next.way.splice(0..0, page.way);
            page = next;
        }
        panic!("redirected in a circle: {:?}", page.way);
    }
}

//! Which `Host` a request may name; every other is answered 421 before a page is made.
//!
//! A page that believed any `Host` could be made to link, redirect or compare origins with an attacker's name. Links
//! in mails never depend on it at all: they are made from the configured base URL only.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The hosts under which a portal answers.
///
/// The base URL's, the further ones that were configured and, where the base URL is on this machine, every loopback
/// host with any port.
#[derive(Debug, Clone)]
pub struct AcceptedHosts(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    hosts: Vec<Authority>,
    scheme: Scheme,
    any_loopback: bool,
}

impl AcceptedHosts {
    /// Accepts the authority of `base_url` and each of `further`, written as in a `Host` header.
    ///
    /// # Errors
    /// [`InvalidHosts`] when the base URL is neither `https` nor `http` on a loopback host, or an entry is no host.
    pub fn new<'a>(base_url: &str, further: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidHosts> {
        let invalid = || InvalidHosts::BaseUrl(base_url.to_owned());
        let parsed = url::Url::parse(base_url).map_err(|_| invalid())?;
        let scheme = Scheme::parse(parsed.scheme()).ok_or_else(invalid)?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(invalid());
        }
        let base = Authority::parse(parsed.authority())
            .ok_or_else(invalid)?
            .without_default_port(scheme);
        let any_loopback = base.is_loopback();
        if scheme == Scheme::Http && !any_loopback {
            return Err(InvalidHosts::PlainHttp(base_url.to_owned()));
        }
        let mut hosts = vec![base];
        for host in further {
            let parsed = Authority::parse(host.trim()).ok_or_else(|| InvalidHosts::Host(host.to_owned()))?;
            hosts.push(parsed.without_default_port(scheme));
        }
        Ok(Self(Arc::new(Rules {
            hosts,
            scheme,
            any_loopback,
        })))
    }

    /// The host that a request names, if it is one of the accepted.
    ///
    /// # Errors
    /// [`HostRefused::Malformed`] where none, several or no well-formed host is named,
    /// [`HostRefused::NotOurs`] where another one is, or where request target and header disagree.
    pub fn check(&self, target: &Uri, headers: &HeaderMap) -> Result<AcceptedHost, HostRefused> {
        let mut lines = headers.get_all(HOST).iter();
        let header = match (lines.next(), lines.next()) {
            (None, _) => None,
            (Some(_), Some(_)) => return Err(HostRefused::Malformed),
            (Some(line), None) => Some(line.to_str().map_err(|_| HostRefused::Malformed)?),
        };
        let named = header.map(|text| self.parse(text)).transpose()?;
        let targeted = target
            .authority()
            .map(|authority| self.parse(authority.as_str()))
            .transpose()?;
        // HTTP/2 names the host in the target alone; an absolute target in HTTP/1 must agree with the header.
        let host = match (named, targeted) {
            (Some(named), Some(targeted)) if named != targeted => return Err(HostRefused::NotOurs),
            (Some(host), _) | (None, Some(host)) => host,
            (None, None) => return Err(HostRefused::Malformed),
        };
        let ours = self.0.hosts.contains(&host) || (self.0.any_loopback && host.is_loopback());
        if !ours {
            return Err(HostRefused::NotOurs);
        }
        Ok(AcceptedHost {
            authority: host,
            scheme: self.0.scheme,
        })
    }

    fn parse(&self, text: &str) -> Result<Authority, HostRefused> {
        let authority = Authority::parse(text).ok_or(HostRefused::Malformed)?;
        Ok(authority.without_default_port(self.0.scheme))
    }
}

/// The host of one request, found to be the portal's own by [`require_accepted_host`].
///
/// As an extractor it answers 500 where that middleware is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedHost {
    authority: Authority,
    scheme: Scheme,
}

impl AcceptedHost {
    /// Whether an `Origin` header names this very host.
    ///
    /// The scheme must be the base URL's, except on loopback hosts, where a developer's proxy may add TLS.
    #[must_use]
    pub fn is_origin(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let (Some(scheme), Some(authority)) = (Scheme::parse(scheme), Authority::parse(authority)) else {
            return false;
        };
        let port = |port: Option<u16>| port.unwrap_or_else(|| scheme.default_port());
        (scheme == self.scheme || self.authority.is_loopback())
            && authority.host == self.authority.host
            && port(authority.port) == port(self.authority.port)
    }
}

impl<S: Sync> FromRequestParts<S> for AcceptedHost {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("the middleware require_accepted_host is missing");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}

/// Middleware that lets only requests for an accepted host pass.
///
/// Use it as `axum::middleware::from_fn_with_state(hosts, require_accepted_host)`, outside of everything that reads
/// the host.
pub async fn require_accepted_host(
    State(hosts): State<AcceptedHosts>,
    mut request: Request,
    next: Next,
) -> Response {
    match hosts.check(request.uri(), request.headers()) {
        Ok(host) => {
            request.extensions_mut().insert(host);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

/// Why a request's host was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostRefused {
    /// No host, several, or one that cannot be read: 400.
    #[error("the request does not name one well-formed host")]
    Malformed,
    /// A host that is not the portal's: 421.
    #[error("the request names a host that is not served here")]
    NotOurs,
}

impl IntoResponse for HostRefused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotOurs => StatusCode::MISDIRECTED_REQUEST,
        };
        (status, "This address is not served here.\n").into_response()
    }
}

/// What is wrong with the configuration of the accepted hosts; the operator must correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHosts {
    /// The base URL cannot be read, carries a password, or is neither `http` nor `https`.
    #[error("the base URL `{0}` is not an http or https address of a host")]
    BaseUrl(String),
    /// The base URL is plain `http` on a host that is not this machine, so cookies and codes would travel in clear.
    #[error("the base URL `{0}` must be https, because its host is not a loopback host")]
    PlainHttp(String),
    /// An allowed host is not written as `name` or `name:port`.
    #[error("the allowed host `{0}` is not a host name with an optional port")]
    Host(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Authority {
    host: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Text(String),
    V6(Ipv6Addr),
}

impl Authority {
    /// Reads `name[:port]` strictly: no user, no percent-encoding, no characters outside host names.
    fn parse(text: &str) -> Option<Self> {
        let (host, rest) = if let Some(bracketed) = text.strip_prefix('[') {
            let (address, rest) = bracketed.split_once(']')?;
            (Name::V6(address.parse().ok()?), rest)
        } else {
            let (name, rest) = text.find(':').map_or((text, ""), |at| text.split_at(at));
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            if name.is_empty() || !name.bytes().all(plain) {
                return None;
            }
            (Name::Text(name.to_ascii_lowercase()), rest)
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            None | Some(_) => return None,
        };
        Some(Self { host, port })
    }

    fn without_default_port(mut self, scheme: Scheme) -> Self {
        self.port = self.port.filter(|port| *port != scheme.default_port());
        self
    }

    fn is_loopback(&self) -> bool {
        match &self.host {
            Name::V6(address) => address.is_loopback(),
            Name::Text(name) => {
                name == "localhost"
                    || name.ends_with(".localhost")
                    || name
                        .parse::<Ipv4Addr>()
                        .is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn hosts(base: &str, further: &[&str]) -> AcceptedHosts {
        AcceptedHosts::new(base, further.iter().copied()).unwrap()
    }

    fn status(hosts: &AcceptedHosts, target: &str, named: &[&str]) -> u16 {
        let mut headers = HeaderMap::new();
        for name in named {
            headers.append(HOST, HeaderValue::from_bytes(name.as_bytes()).unwrap());
        }
        match hosts.check(&target.parse().unwrap(), &headers) {
            Ok(_) => 200,
            Err(refused) => refused.into_response().status().as_u16(),
        }
    }

    #[test]
    fn the_base_urls_host_and_the_further_ones_are_accepted() {
        // CFG-2
        let ours = hosts(
            "https://portal.example",
            &["www.portal.example", "alt.example:8443"],
        );
        for host in [
            "portal.example",
            "PORTAL.example",
            "portal.example:443",
            "www.portal.example",
            "alt.example:8443",
        ] {
            assert_eq!(status(&ours, "/", &[host]), 200, "{host}");
        }
    }

    #[test]
    fn every_other_host_is_misdirected() {
        // P-31
        let ours = hosts("https://portal.example", &[]);
        for host in [
            "evil.example",
            "portal.example.evil.example",
            "portal.example:8443",
            "portal.example:80",
            "portal.example.",
            "localhost",
            "127.0.0.1:8080",
        ] {
            assert_eq!(status(&ours, "/", &[host]), 421, "{host}");
        }
    }

    #[test]
    fn a_malformed_host_is_a_bad_request() {
        let ours = hosts("https://portal.example", &[]);
        for host in [
            "",
            "good@portal.example",
            "portal.example@evil.example",
            "portal.example:",
            "portal.example:+443",
            "portal.example:99999",
            "portal.example/evil",
            "portal.example, evil.example",
            "portal.example evil",
            "[::1",
            "p\u{f6}rtal.example",
            "portal%2eexample",
        ] {
            assert_eq!(status(&ours, "/", &[host]), 400, "{host}");
        }
        assert_eq!(status(&ours, "/", &[]), 400);
        assert_eq!(status(&ours, "/", &["portal.example", "portal.example"]), 400);
        assert_eq!(status(&ours, "/", &["portal.example", "evil.example"]), 400);
    }

    #[test]
    fn an_absolute_target_must_name_the_same_host() {
        let ours = hosts("https://portal.example", &["www.portal.example"]);
        assert_eq!(
            status(&ours, "https://portal.example/login", &["portal.example"]),
            200
        );
        assert_eq!(status(&ours, "https://portal.example/login", &[]), 200);
        assert_eq!(
            status(&ours, "https://evil.example/login", &["portal.example"]),
            421
        );
        assert_eq!(
            status(&ours, "https://www.portal.example/", &["portal.example"]),
            421
        );
        assert_eq!(
            status(&ours, "https://a@portal.example/", &["portal.example"]),
            400
        );
    }

    #[test]
    fn on_this_machine_any_loopback_host_and_port_will_do() {
        let ours = hosts("http://127.0.0.1:8080", &[]);
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "localhost:3000",
            "a.localhost:1",
            "[::1]:9",
            "127.9.9.9",
        ] {
            assert_eq!(status(&ours, "/", &[host]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "128.0.0.1",
            "127.1",
            "[::2]",
            "0.0.0.0:8080",
        ] {
            assert_eq!(status(&ours, "/", &[host]), 421, "{host}");
        }
    }

    #[test]
    fn an_unusable_configuration_is_refused_by_name() {
        let refused =
            |base: &str, further: &[&str]| AcceptedHosts::new(base, further.iter().copied()).unwrap_err();
        for base in [
            "",
            "portal.example",
            "ftp://portal.example",
            "https://u:p@portal.example",
            "mailto:a@b",
        ] {
            assert_eq!(refused(base, &[]), InvalidHosts::BaseUrl(base.into()), "{base}");
        }
        let plain = "http://portal.example";
        assert_eq!(refused(plain, &[]), InvalidHosts::PlainHttp(plain.into()));
        for host in ["*.portal.example", "https://portal.example", "a b", ""] {
            assert_eq!(
                refused("https://portal.example", &[host]),
                InvalidHosts::Host(host.into()),
                "{host}"
            );
        }
    }

    fn accepted(base: &str, host: &'static str) -> AcceptedHost {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        hosts(base, &["www.portal.example"])
            .check(&Uri::from_static("/"), &headers)
            .unwrap()
    }

    #[test]
    fn an_origin_is_ours_only_with_scheme_host_and_port() {
        let ours = accepted("https://portal.example", "portal.example");
        for origin in ["https://portal.example", "https://PORTAL.example:443"] {
            assert!(ours.is_origin(origin), "{origin}");
        }
        for origin in [
            "http://portal.example",
            "https://www.portal.example",
            "https://portal.example:444",
            "https://portal.example/",
            "https://portal.example@evil.example",
            "null",
            "",
            "portal.example",
        ] {
            assert!(!ours.is_origin(origin), "{origin}");
        }
    }

    #[test]
    fn on_loopback_the_origins_port_must_be_the_hosts() {
        let ours = accepted("http://127.0.0.1:8080", "localhost:3000");
        assert!(ours.is_origin("http://localhost:3000"));
        assert!(ours.is_origin("https://localhost:3000"));
        assert!(!ours.is_origin("http://127.0.0.1:3000"));
        assert!(!ours.is_origin("http://localhost:8080"));
        let default = accepted("http://localhost", "localhost:80");
        assert!(default.is_origin("http://localhost"));
    }
}

//! Reads `smtp://` and `smtps://` URLs: who to connect to, how to encrypt, as whom to sign in.

use std::fmt;
use std::net::IpAddr;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::setup::SetupError;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// In clear up to STARTTLS, which must work.
    StartTls,
    /// None; loopback only.
    DangerousPlaintext,
}

/// A relay, as its URL describes it.
pub(crate) struct Relay {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protection: Protection,
    pub(crate) credentials: Option<Credentials>,
}

impl Relay {
    pub(crate) fn parse(url: &str) -> Result<Self, SetupError> {
        let bad = |problem| SetupError::new(URL, problem);
        // The parser's error holds no part of the input.
        let url = Url::parse(url)
            .map_err(|e| bad("is not a URL; write smtp://user:password@host:587").because(e))?;
        let (protection, usual_port) = match url.scheme() {
            "smtps" => (Protection::Implicit, 465),
            "smtp" => (Protection::StartTls, 587),
            _ => return Err(bad("must begin with smtps:// (TLS) or smtp:// (STARTTLS)")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(bad(
                "must end after the port; encode `/`, `?`, `#`, `@` and `:` in the password as %2F, %3F, %23, %40, %3A",
            ));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if is_host_name(name) => name.to_ascii_lowercase(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            Some(Host::Domain(_)) | None => {
                return Err(bad("needs a host name in ASCII or an IP address after the `@`"));
            }
        };
        let decode = |part: &str| {
            let text = percent_decode_str(part).decode_utf8();
            text.map(|t| t.into_owned())
                .map_err(|_| bad("has a name or password that is not UTF-8 after decoding"))
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some(Credentials::new(decode(user)?, decode(password)?))
            }
            _ => return Err(bad("needs both a name and a password before the `@`, or neither")),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual_port),
            protection,
            credentials,
        })
    }

    /// Gives TLS up, where nobody can listen in.
    pub(crate) fn without_tls(mut self) -> Result<Self, SetupError> {
        let bad = |problem| Err(SetupError::new(URL, problem));
        if self.protection == Protection::Implicit {
            return bad(
                "says smtps://, which contradicts `dangerous_plaintext`; write smtp:// or drop the setter",
            );
        }
        let loopback =
            self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !loopback {
            return bad(
                "must name localhost, 127.0.0.1 or ::1 when `dangerous_plaintext` is set; use TLS for other hosts",
            );
        }
        self.protection = Protection::DangerousPlaintext;
        Ok(self)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .field("signs_in", &self.credentials.is_some())
            .finish()
    }
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

const URL: &str = "url";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        Relay::parse(url).expect_err(url).to_string()
    }

    #[test]
    fn both_kinds_of_url_are_read_with_their_usual_ports() {
        let relay = Relay::parse("smtps://u:p@Mail.Example").unwrap();
        assert_eq!(
            (relay.host.as_str(), relay.port, relay.protection),
            ("mail.example", 465, Protection::Implicit)
        );
        let relay = Relay::parse("smtp://mail.example/").unwrap();
        assert_eq!((relay.port, relay.protection), (587, Protection::StartTls));
        assert!(relay.credentials.is_none());
        assert_eq!(Relay::parse("smtp://[::1]:2525").unwrap().host, "::1");
    }

    #[test]
    fn an_encoded_password_is_decoded() {
        let relay = Relay::parse("smtp://a%40b:p%2F%3A%25@h").unwrap();
        assert_eq!(
            relay.credentials,
            Some(Credentials::new("a@b".into(), "p/:%".into()))
        );
    }

    // MAIL-4
    #[test]
    fn a_url_cannot_turn_tls_off() {
        assert!(problem("smtp://h:587?tls=opportunistic").contains("must end after the port"));
        assert!(problem("http://h").contains("smtps://"));
    }

    #[test]
    fn an_error_names_the_fix_and_shows_no_password() {
        for url in [
            "smtp://u:hunter2@",
            "smtp://u:hunter2@h/x",
            "smtp://:hunter2@h",
            "ftp://u:hunter2@h",
            "smtp://u:hunter2@h:99999",
        ] {
            let error = Relay::parse(url).expect_err(url);
            assert_eq!(error.field(), "url");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        let relay = Relay::parse("smtp://user7:hunter2@h").unwrap();
        let shown = format!("{relay:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("user7"), "{shown}");
    }

    // MAIL-4
    #[test]
    fn plain_text_is_for_loopback_only() {
        for url in ["smtp://localhost:25", "smtp://127.0.0.1:25", "smtp://[::1]:25"] {
            assert!(Relay::parse(url).unwrap().without_tls().is_ok(), "{url}");
        }
        for url in [
            "smtp://mail.example",
            "smtp://127.0.0.1.evil.example",
            "smtp://10.0.0.1",
            "smtps://localhost",
        ] {
            assert!(Relay::parse(url).unwrap().without_tls().is_err(), "{url}");
        }
    }
}

//! Where mail goes: an SMTP server, a directory of files, or the development inbox.

use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use portal_auth::account::email::EmailAddress;
use url::Url;

use super::values::{Hidden, Refusal, is_loopback};

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailRoute {
    /// To the development inbox; nothing leaves the machine.
    Inbox,
    /// Into a directory, one file per mail.
    Directory(PathBuf),
    /// To an SMTP server.
    Smtp(SmtpServer),
}

/// An SMTP server and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port; 465 and 587 are the defaults of the two schemes.
    pub port: u16,
    /// How the connection is protected (MAIL-4).
    pub security: SmtpSecurity,
    /// User and password, where the server wants them.
    pub login: Option<SmtpLogin>,
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
}

/// How the connection to an SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpSecurity {
    /// TLS from the first byte.
    ImplicitTls,
    /// STARTTLS, and no mail without it.
    StartTls,
    /// No TLS at all; only ever to a loopback server.
    DangerousPlaintext,
}

/// What a mail server asks for before it takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmtpLogin {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Hidden,
}

/// The SMTP server a URL names, with TLS required.
pub(crate) fn smtp(typed: &str) -> Result<SmtpServer, Refusal> {
    let form = "is not an SMTP URL; set it to smtps://user:pass@host:465 or smtp://user:pass@host:587";
    let url = Url::parse(typed).map_err(|_| form.to_owned())?;
    let (security, usual_port) = match url.scheme() {
        "smtps" => (SmtpSecurity::ImplicitTls, 465),
        "smtp" => (SmtpSecurity::StartTls, 587),
        _ => return Err(form.to_owned()),
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| form.to_owned())?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("must end after host and port; remove path, query and fragment, and write / ? # in a password as %2F %3F %23".to_owned());
    }
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => {
            return Err(
                "holds only one of user and password; write both, as in smtps://user:pass@host:465"
                    .to_owned(),
            );
        }
        (user, Some(password)) => Some(SmtpLogin {
            user: decoded(user)?,
            password: Hidden::new(decoded(password)?),
        }),
    };
    Ok(SmtpServer {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port().unwrap_or(usual_port),
        security,
        login,
        ca_file: None,
    })
}

/// Drops TLS where the server is on this machine (MAIL-4).
pub(crate) fn without_tls(server: SmtpServer) -> Result<SmtpServer, Refusal> {
    let bracketed = format!("[{}]", server.host);
    let host = url::Host::parse(&server.host)
        .or_else(|_| url::Host::parse(&bracketed))
        .ok();
    let on_this_machine = match &host {
        Some(url::Host::Domain(name)) => is_loopback(&url::Host::Domain(name.as_str())),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if on_this_machine {
        Ok(SmtpServer {
            security: SmtpSecurity::DangerousPlaintext,
            ..server
        })
    } else {
        Err("is true, but the host of PORTAL_SMTP_URL is not loopback; set it to false and use a server with TLS".to_owned())
    }
}

/// A file that holds certificates in PEM form.
pub(crate) fn ca_file(typed: &str) -> Result<PathBuf, Refusal> {
    let path = Path::new(typed);
    let text = fs::read_to_string(path)
        .map_err(|e| format!("names {typed}, which cannot be read ({e}); name a readable PEM file"))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(path.to_owned())
    } else {
        Err(format!(
            "names {typed}, which holds no certificate; name a PEM file with BEGIN CERTIFICATE in it"
        ))
    }
}

/// A directory that exists.
pub(crate) fn directory(typed: &str) -> Result<PathBuf, Refusal> {
    let path = PathBuf::from(typed);
    if path.is_dir() {
        Ok(path)
    } else {
        Err(format!(
            "names {typed}, which is not a directory; make it or name another"
        ))
    }
}

/// The address that mails come from where nothing is really sent.
pub(crate) fn inbox_sender() -> Option<EmailAddress> {
    EmailAddress::parse("no-reply@portal.example").ok()
}

fn decoded(part: &str) -> Result<String, Refusal> {
    percent_decode_str(part)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| {
            "holds a user or password that is not UTF-8 after % decoding; encode it again".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_decides_about_tls_and_port() {
        let implicit = smtp("smtps://u:p%40ss%2F@mail.example").unwrap();
        assert_eq!(
            (implicit.port, implicit.security),
            (465, SmtpSecurity::ImplicitTls)
        );
        assert_eq!(implicit.login.unwrap().password.expose(), "p@ss/");
        let start = smtp("smtp://mail.example:2525").unwrap();
        assert_eq!(
            (start.port, start.security, start.login),
            (2525, SmtpSecurity::StartTls, None)
        );
        assert_eq!(smtp("smtp://[::1]:25").unwrap().host, "::1");
    }

    #[test]
    fn a_refused_url_shows_no_password() {
        for wrong in [
            "http://u:hunter2@h",
            "smtp://u:hunter2@",
            "smtp://u:hunter2@h/x",
            "smtp://:hunter2@h",
            "smtp://u@h",
            "smtp://u:hunter2/x@h",
            "smtp://u:%FFhunter2@h",
            "u:hunter2@h",
            "smtp://u:hunter2@h:99999",
        ] {
            let refusal = smtp(wrong).unwrap_err();
            assert!(!refusal.contains("hunter2"), "{wrong}: {refusal}");
        }
        assert!(!format!("{:?}", smtp("smtps://u:hunter2@h").unwrap()).contains("hunter2"));
    }

    #[test]
    fn tls_is_dropped_for_a_server_on_this_machine_only() {
        // MAIL-4
        for near in ["smtp://127.0.0.1:25", "smtp://localhost:25", "smtp://[::1]:25"] {
            assert_eq!(
                without_tls(smtp(near).unwrap()).unwrap().security,
                SmtpSecurity::DangerousPlaintext,
                "{near}"
            );
        }
        for far in ["smtp://mail.example", "smtp://10.0.0.1", "smtp://[2001:db8::1]"] {
            assert!(without_tls(smtp(far).unwrap()).is_err(), "{far}");
        }
    }
}

//! How the value of one setting is read. An error is the rest of a sentence that begins with the variable.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use portal_auth::account::email::EmailAddress;
use url::{Host, Url};
use zeroize::Zeroizing;

/// The rest of a sentence that begins with the variable's name and ends without a full stop.
pub(crate) type Refusal = String;

/// A text that is never shown: a password, or a URL that holds one.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    ///
    /// # Security
    /// For the connection it belongs to only: never for a log, a page or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The database to use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A SQLite file, made if missing.
    Sqlite(Hidden),
    /// A PostgreSQL server.
    Postgres(Hidden),
}

impl DatabaseUrl {
    /// The URL, for the driver.
    ///
    /// # Security
    /// It may hold a password: never for a log, a page or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Sqlite(url) | Self::Postgres(url) => url.expose(),
        }
    }
}

pub(crate) fn database(typed: &str) -> Result<DatabaseUrl, Refusal> {
    if let Some(rest) = typed.strip_prefix("sqlite:") {
        let file = rest.strip_prefix("//").unwrap_or(rest);
        if file.is_empty()
            || file.starts_with('?')
            || file.starts_with(":memory:")
            || file.contains("mode=memory")
        {
            return Err("names no file; set it to sqlite://FILE, such as sqlite://portal.db".to_owned());
        }
        return Ok(DatabaseUrl::Sqlite(Hidden::new(typed)));
    }
    let form = "is not a database URL; set it to postgres://user:pass@host/database or sqlite://FILE";
    let url = Url::parse(typed).map_err(|_| form.to_owned())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(form.to_owned());
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err(
            "names no database; end it with the database's name, as in postgres://user@host/portal"
                .to_owned(),
        );
    }
    Ok(DatabaseUrl::Postgres(Hidden::new(typed)))
}

/// Whether the host can only be reached from this machine.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// CFG-2: https, or http where the host is loopback; nothing but scheme, host and port.
pub(crate) fn base_url(typed: &str) -> Result<Url, Refusal> {
    let form = "is not a web address; set it to the public one, such as https://portal.example";
    let url = Url::parse(typed).map_err(|_| form.to_owned())?;
    let Some(host) = url.host() else {
        return Err(form.to_owned());
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => {
            return Err(
                "must begin with https:// unless its host is loopback; set it to the public https address"
                    .to_owned(),
            );
        }
        _ => return Err(form.to_owned()),
    }
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare {
        Ok(url)
    } else {
        Err("must be scheme, host and port only; remove user, path, query and fragment".to_owned())
    }
}

/// A `Host` value: a name or address with an optional port, in lower case.
pub(crate) fn authority(typed: &str) -> Result<String, Refusal> {
    let refused = || {
        format!("holds `{typed}`, which is no host; write names like portal.example or portal.example:8443")
    };
    if typed.contains(['/', '@', '?', '#', '*', '\\']) || typed.contains(char::is_whitespace) {
        return Err(refused());
    }
    let url = Url::parse(&format!("http://{typed}")).map_err(|_| refused())?;
    let host = url.host_str().ok_or_else(refused)?;
    Ok(url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// A network in CIDR form, or a single address.
pub(crate) fn network(typed: &str) -> Result<IpNet, Refusal> {
    let single = typed.parse::<IpAddr>().map(IpNet::from);
    single
        .or_else(|_| typed.parse::<IpNet>())
        .map(|net| net.trunc())
        .map_err(|_| {
            format!(
                "holds `{typed}`, which is no network; write networks like 10.0.0.0/8 or single addresses"
            )
        })
}

/// A proxy's network. One as wide as the internet is refused: anybody could then write any client address (THR-5).
pub(crate) fn proxy(typed: &str) -> Result<IpNet, Refusal> {
    let net = network(typed)?;
    if is_too_wide(&net) {
        return Err(format!(
            "holds {typed}, which trusts strangers; name the networks of your own proxies"
        ));
    }
    Ok(net)
}

/// Wider than the widest private network: `10.0.0.0/8`, as it is or mapped into IPv6, and `fc00::/7`.
fn is_too_wide(net: &IpNet) -> bool {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    match net {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => {
            let is_mapped = net.contains(&MAPPED) || net.addr().to_ipv4_mapped().is_some();
            net.prefix_len() < if is_mapped { 104 } else { 7 }
        }
    }
}

/// Networks that may read the metrics; the word `loopback` stands for both loopback networks.
pub(crate) fn metrics_peers(typed: &str) -> Result<Vec<IpNet>, Refusal> {
    let mut nets = Vec::new();
    for item in items(typed) {
        if item == "loopback" {
            nets.extend(loopback_networks());
        } else {
            nets.push(network(item)?);
        }
    }
    Ok(nets)
}

fn loopback_networks() -> [IpNet; 2] {
    let v4 = Ipv4Net::new(Ipv4Addr::LOCALHOST, 8)
        .map_or_else(|_| IpNet::from(IpAddr::from(Ipv4Addr::LOCALHOST)), IpNet::from);
    [v4.trunc(), IpNet::from(Ipv6Net::from(Ipv6Addr::LOCALHOST))]
}

/// The items of a list separated by commas.
pub(crate) fn items(typed: &str) -> impl Iterator<Item = &str> {
    typed.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Reads each item of a list; the first refusal is the list's.
pub(crate) fn list<T>(typed: &str, read: impl Fn(&str) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    items(typed).map(read).collect()
}

pub(crate) fn email(typed: &str) -> Result<EmailAddress, Refusal> {
    EmailAddress::parse(typed)
        .map_err(|_| format!("holds `{typed}`, which is no email address; write one like name@example.com"))
}

/// A duration between `least` and `most`, such as `30m`, `12h`, `10s` or `7d`.
pub(crate) fn duration(typed: &str, least: Duration, most: Duration) -> Result<Duration, Refusal> {
    let read = humantime::parse_duration(typed)
        .map_err(|_| format!("is `{typed}`, which is no duration; write one like 30m or 12h"))?;
    if (least..=most).contains(&read) {
        return Ok(read);
    }
    Err(format!(
        "is {}; set it between {} and {}",
        humantime::format_duration(read),
        humantime::format_duration(least),
        humantime::format_duration(most)
    ))
}

/// A whole number between `least` and `most`.
pub(crate) fn number(typed: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    let read = typed
        .trim()
        .parse::<usize>()
        .ok()
        .filter(|n| (least..=most).contains(n));
    read.ok_or_else(|| format!("is `{typed}`; set it to a whole number from {least} to {most}"))
}

pub(crate) fn yes_or_no(typed: &str) -> Result<bool, Refusal> {
    match typed.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("is `{typed}`; set it to true or false")),
    }
}

/// One of the words that `choices` maps to values.
pub(crate) fn choice<T: Copy>(typed: &str, choices: &[(&str, T)]) -> Result<T, Refusal> {
    let found = choices.iter().find(|(word, _)| *word == typed.trim());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        format!("is `{typed}`; set it to one of {}", words.join(", "))
    })
}

/// The name of the service: one line of at most 100 characters.
pub(crate) fn service_name(typed: &str) -> Result<String, Refusal> {
    let name = typed.trim();
    if name.chars().count() > 100 || name.chars().any(crate::logging::is_unsafe_to_print) {
        return Err("must be one line of at most 100 characters without hidden ones".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_are_told_from_others() {
        for (url, expected) in [
            ("http://localhost:1", true),
            ("http://a.localhost", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8080", true),
            ("http://localhost.example", false),
            ("http://0.0.0.0", false),
            ("http://notlocalhost", false),
        ] {
            assert_eq!(
                is_loopback(&Url::parse(url).unwrap().host().unwrap()),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn hosts_are_written_in_one_form() {
        assert_eq!(authority("Portal.Example:8443").unwrap(), "portal.example:8443");
        assert_eq!(authority("[::1]:9").unwrap(), "[::1]:9");
        for wrong in ["https://x", "a/b", "*.example", "u@h", "a b", ""] {
            assert!(authority(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_lose_their_host_bits_and_addresses_stand_alone() {
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("10.0.0.0/33").is_err());
        let peers: Vec<_> = metrics_peers("loopback, 10.0.0.9")
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(peers, ["127.0.0.0/8", "::1/128", "10.0.0.9/32"]);
    }

    #[test]
    fn durations_are_bounded_at_both_ends() {
        let read = |typed| duration(typed, Duration::from_secs(60), Duration::from_secs(3600));
        assert_eq!(read("1m").unwrap().as_secs(), 60);
        assert_eq!(read("1h").unwrap().as_secs(), 3600);
        assert_eq!(read("59s").unwrap_err(), "is 59s; set it between 1m and 1h");
        assert!(read("3601s").is_err());
        assert!(read("12").is_err() && read("-1m").is_err() && read("soon").is_err());
    }

    #[test]
    fn a_database_url_shows_no_password() {
        let url = database("postgres://portal:hunter2@db/portal").unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
        assert_eq!(url.expose(), "postgres://portal:hunter2@db/portal");
        for wrong in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2@h",
            "postgres://u:hunter2@h:notaport/d",
            "sqlite::memory:",
            "sqlite://",
        ] {
            assert!(!database(wrong).unwrap_err().contains("hunter2"), "{wrong}");
        }
    }
}

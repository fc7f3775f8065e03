//! Who is calling, as far as a host can see: network, browser, the browser's device token, and the chosen language.
//!
//! Every outward method takes a [`Visitor`]. Make it in one place (the axum crate has an extractor), so that nobody
//! passes the address of a proxy by accident: guessing limits are only as good as the network they count on.

use std::net::{IpAddr, Ipv6Addr};

use crate::language::{LanguageTag, Spoken};
use crate::secret::token::DeviceToken;

/// The longest user agent that is looked at, in bytes (LIM-2).
const USER_AGENT_BYTES: usize = 256;

/// The caller of one request.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Visitor {
    network: Option<IpAddr>,
    device: Option<DeviceToken>,
    user_agent: String,
    language: Option<LanguageTag>,
}

impl Visitor {
    /// A caller about whom nothing is known; all of them share one guessing budget (THR-5).
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The address the request really came from: the peer's, or the one that trusted proxies vouch for.
    ///
    /// An IPv4 address in IPv6 clothes counts as the IPv4 address it is.
    #[must_use]
    pub fn from_network(mut self, address: IpAddr) -> Self {
        self.network = Some(address.to_canonical());
        self
    }

    /// The device token its cookie held.
    #[must_use]
    pub fn with_device(mut self, device: Option<DeviceToken>) -> Self {
        self.device = device;
        self
    }

    /// The `User-Agent` header; only its first 256 bytes are kept.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        let mut end = user_agent.len().min(USER_AGENT_BYTES);
        while !user_agent.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        self.user_agent = user_agent.get(..end).unwrap_or_default().to_owned();
        self
    }

    /// The language that the person has chosen; mails that this request causes to them are written in it.
    ///
    /// `None` where they have chosen none: then the language of their account counts, and else British English.
    #[must_use]
    pub fn with_language(mut self, language: Option<LanguageTag>) -> Self {
        self.language = language;
        self
    }

    /// Where the request came from.
    #[must_use]
    pub const fn network(&self) -> Option<IpAddr> {
        self.network
    }

    /// The browser's device token.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceToken> {
        self.device.as_ref()
    }

    /// The language that the person has chosen.
    #[must_use]
    pub const fn language(&self) -> Option<&LanguageTag> {
        self.language.as_ref()
    }

    /// Browser and system in words that mean something to their owner, such as "Firefox on Windows".
    #[must_use]
    pub fn label(&self) -> String {
        let known = |names: &[(&str, &'static str)]| {
            names
                .iter()
                .find(|(mark, _)| self.user_agent.contains(mark))
                .map(|(_, name)| *name)
        };
        match (known(&BROWSERS), known(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(browser), None) => browser.to_owned(),
            (None, Some(system)) => format!("{SOME_BROWSER} on {system}"),
            (None, None) => UNKNOWN.to_owned(),
        }
    }

    /// The network, too coarse to name a person: the first three parts of IPv4, the /48 of IPv6 (SES-7).
    #[must_use]
    pub fn coarse_network(&self) -> String {
        match self.network {
            Some(IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.x")
            }
            Some(IpAddr::V6(v6)) => format!("{}/48", prefix(v6, 48)),
            None => String::new(),
        }
    }

    /// The networks a failure counts on, as text for their pseudonyms: /32 of IPv4, /64 and /48 of IPv6 (THR-1).
    pub(crate) fn networks(&self) -> Vec<String> {
        match self.network {
            Some(IpAddr::V4(v4)) => vec![v4.to_string()],
            Some(IpAddr::V6(v6)) => [64, 48].iter().map(|bits| network(v6, *bits)).collect(),
            None => vec!["unknown".to_owned()],
        }
    }
}

/// A [label](Visitor::label), which accounts keep in English, in the words of a language: "Firefox ar Windows".
#[must_use]
pub fn label_in(language: &LanguageTag, label: &str) -> String {
    spoken_label(Spoken::of(language), label)
}

pub(crate) fn spoken_label(spoken: Spoken, label: &str) -> String {
    match spoken {
        Spoken::English => label.to_owned(),
        Spoken::Welsh if label == UNKNOWN => "Porwr anhysbys".to_owned(),
        Spoken::Welsh => match label.split_once(" on ") {
            Some((SOME_BROWSER, system)) => format!("Porwr ar {system}"),
            Some((browser, system)) => format!("{browser} ar {system}"),
            None => label.to_owned(),
        },
    }
}

const SOME_BROWSER: &str = "A browser";
const UNKNOWN: &str = "An unknown browser";

/// Marks in a `User-Agent`, the telling ones before those that everybody copies.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

fn prefix(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

fn network(address: Ipv6Addr, bits: u32) -> String {
    format!("{}/{bits}", prefix(address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Visitor {
        Visitor::unknown().from_network(address.parse().unwrap())
    }

    #[test]
    fn i_32_addresses_of_one_network_count_together() {
        // THR-1, I-32
        assert_eq!(from("192.0.2.7").networks(), ["192.0.2.7"]);
        assert_eq!(from("::ffff:192.0.2.7").networks(), ["192.0.2.7"]);
        assert_eq!(
            from("2001:db8:1:2:3::4").networks(),
            ["2001:db8:1:2::/64", "2001:db8:1::/48"]
        );
        assert_eq!(
            from("2001:db8:1:2::9").networks(),
            from("2001:db8:1:2:ffff::1").networks()
        );
        assert_eq!(Visitor::unknown().networks(), ["unknown"]);
    }

    #[test]
    fn a_network_is_shown_coarsely() {
        // SES-7
        assert_eq!(from("192.0.2.7").coarse_network(), "192.0.2.x");
        assert_eq!(from("2001:db8:1:2::9").coarse_network(), "2001:db8:1::/48");
        assert_eq!(Visitor::unknown().coarse_network(), "");
    }

    #[test]
    fn browsers_are_named_as_people_know_them() {
        let label = |ua: &str| Visitor::unknown().with_user_agent(ua).label();
        assert_eq!(
            label("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Windows"
        );
        assert_eq!(
            label("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36 Edg/156.0"),
            "Edge on Linux"
        );
        let welsh = LanguageTag::parse("cy").unwrap();
        for (english, words) in [
            ("Firefox on Windows", "Firefox ar Windows"),
            ("A browser on Linux", "Porwr ar Linux"),
            ("An unknown browser", "Porwr anhysbys"),
            ("Safari", "Safari"),
        ] {
            assert_eq!(label_in(&welsh, english), words);
            assert_eq!(label_in(&LanguageTag::default(), english), english);
        }
        assert_eq!(label("curl/8.0"), "An unknown browser");
        assert_eq!(label(&"é".repeat(200)), "An unknown browser");
    }
}

//! Whose address a request really comes from, when proxies stand in between.
//!
//! Limits on tries count per network, so a client that could choose its address would have as many tries as it likes.
//! Forwarding headers are therefore read only when the connection itself comes from a proxy named in the
//! configuration, and then from the right: each trusted proxy vouches for the one hop it saw, and what stands left of
//! the first hop that is not trusted was written by a stranger and is never looked at.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) are both understood. Most proxies write one and pass the other through
//! as the client sent it; so where both are present and name different clients, neither is believed and the proxy's
//! own address stands. `X-Real-IP` and vendors' headers are never read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::rejection::ExtensionRejection;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::FORWARDED;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::{IpNet, Ipv4Net};

/// The proxies whose forwarding headers count; none unless configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts nobody: the address of the connection is the client's.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether `address` is one of the proxies.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client's address: the right-most hop that is not a trusted proxy.
    ///
    /// `peer` is the other end of the connection. A hop that cannot be read ends the walk at the proxy that reported
    /// it; when every hop is trusted the furthest one is the client. An IPv4 address written as IPv6 is folded.
    /// `None` only when there is no peer, as behind a Unix socket: such requests share one budget of tries.
    #[must_use]
    pub fn client_address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer?.to_canonical();
        let named = |header: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
            headers
                .contains_key(header)
                .then(|| self.walk(peer, headers, header, read))
        };
        match (
            named(&X_FORWARDED_FOR, node_address),
            named(&FORWARDED, forwarded_for),
        ) {
            (Some(one), Some(other)) if one != other => Some(peer),
            (Some(client), _) | (None, Some(client)) => Some(client),
            (None, None) => Some(peer),
        }
    }

    fn walk(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        header: &HeaderName,
        read: fn(&str) -> Option<IpAddr>,
    ) -> IpAddr {
        // Split at every comma, quoted or not: no address holds one, and honouring a quote that a stranger opened
        // further left would let it swallow the hop that the proxy added.
        let lines = headers.get_all(header).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        // A peer that is no proxy ends the walk before its first step: nobody else's word counts.
        let mut client = peer;
        for hop in hops {
            if !self.contains(client) {
                break;
            }
            let Some(address) = std::str::from_utf8(hop)
                .ok()
                .and_then(|hop| read(hop.trim_ascii()))
            else {
                break;
            };
            client = address.to_canonical();
        }
        client
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidProxy;

    /// Reads CIDR ranges or single addresses, separated by commas: `10.0.0.0/8, 2001:db8::5`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(proxy).collect::<Result<_, _>>().map(Self)
    }
}

/// An entry of the list of trusted proxies that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// The entry is neither an address nor a range; the operator must correct it.
    #[error("`{0}` is not an IP address or a CIDR range")]
    NotARange(String),
    /// The entry trusts everybody, so that every client could choose its own address.
    #[error("`{0}` would let every client choose its own address")]
    Everybody(String),
}

/// The client's address of one request, put there by [`find_client_address`].
///
/// As an extractor it answers 500 where that middleware is missing: a host that forgot it would otherwise count all
/// people as one without noticing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// The address; `None` when the connection has none.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        self.0
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().copied().ok_or_else(|| {
            tracing::error!("the middleware find_client_address is missing");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}

/// Middleware that finds the [`ClientAddress`] of each request.
///
/// Serve with `into_make_service_with_connect_info::<SocketAddr>()`, or the address of the connection is unknown and
/// all people share one budget of tries. Use it as
/// `axum::middleware::from_fn_with_state(proxies, find_client_address)`.
pub async fn find_client_address(
    State(proxies): State<TrustedProxies>,
    peer: Result<ConnectInfo<SocketAddr>, ExtensionRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = peer.ok().map(|ConnectInfo(peer)| peer.ip());
    let client = ClientAddress(proxies.client_address(peer, request.headers()));
    request.extensions_mut().insert(client);
    next.run(request).await
}

fn proxy(entry: &str) -> Result<IpNet, InvalidProxy> {
    let net = entry
        .parse::<IpNet>()
        .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    let net = folded(
        net.map_err(|_| InvalidProxy::NotARange(entry.to_owned()))?
            .trunc(),
    );
    if net.prefix_len() == 0 {
        Err(InvalidProxy::Everybody(entry.to_owned()))
    } else {
        Ok(net)
    }
}

/// `::ffff:10.0.0.0/104` means `10.0.0.0/8`, since addresses are compared in their IPv4 form.
fn folded(net: IpNet) -> IpNet {
    let (IpAddr::V4(address), Some(length)) = (net.addr().to_canonical(), net.prefix_len().checked_sub(96))
    else {
        return net;
    };
    match net {
        IpNet::V6(_) => Ipv4Net::new(address, length).map_or(net, IpNet::V4),
        IpNet::V4(_) => net,
    }
}

/// The `for` of one element of `Forwarded`; obfuscated names and anything irregular read as nothing.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.trim_ascii().split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        if value.contains(['"', '\\']) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(node_address(value)?).is_some() {
            return None;
        }
    }
    found
}

/// An address as proxies write it: bare, in brackets, with or without a port.
fn node_address(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let address = address.parse::<Ipv6Addr>().ok()?;
        return (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(IpAddr::V6(address));
    }
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (address, port) = text.split_once(':')?;
    let address = address.parse::<Ipv4Addr>().ok()?;
    is_port(port).then_some(IpAddr::V4(address))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn client(trusted: &str, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let proxies: TrustedProxies = trusted.parse().unwrap();
        proxies
            .client_address(Some(peer.parse().unwrap()), &headers(lines))
            .unwrap()
            .to_string()
    }

    #[test]
    fn without_trusted_proxies_only_the_connection_counts() {
        // THR-5, P-18
        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"] {
            assert_eq!(client("", "192.0.2.1", &[(name, "198.51.100.7")]), "192.0.2.1");
        }
    }

    #[test]
    fn a_stranger_cannot_pose_as_a_proxy() {
        assert_eq!(
            client("10.0.0.0/8", "192.0.2.1", &[("x-forwarded-for", "198.51.100.7")]),
            "192.0.2.1"
        );
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let lines = [("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.1.1.1")];
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn several_header_lines_read_as_one_list() {
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "198.51.100.7, 10.1.1.1"),
        ];
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn garbage_stops_the_walk_at_the_proxy_that_reported_it() {
        for garbage in [
            "unknown",
            "",
            "1.2.3",
            "1.2.3.4:x",
            "1.2.3.4:+1",
            "[::1",
            "fe80::1%eth0",
            "\u{ff11}.1.1.1",
        ] {
            let value = format!("6.6.6.6, {garbage}, 10.1.1.1");
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1", &[("x-forwarded-for", &value)]),
                "10.1.1.1",
                "{garbage}"
            );
        }
    }

    #[test]
    fn when_all_hops_are_trusted_the_furthest_is_the_client() {
        assert_eq!(
            client(
                "10.0.0.0/8",
                "10.0.0.1",
                &[("x-forwarded-for", "10.2.2.2, 10.1.1.1")]
            ),
            "10.2.2.2"
        );
    }

    #[test]
    fn i_32_ports_brackets_and_mapped_addresses_read_as_the_same_address() {
        // I-32
        for hop in [
            "198.51.100.7",
            "198.51.100.7:4711",
            "::ffff:198.51.100.7",
            "[::ffff:c633:6407]:80",
        ] {
            assert_eq!(
                client("10.0.0.0/8", "::ffff:10.0.0.1", &[("x-forwarded-for", hop)]),
                "198.51.100.7"
            );
        }
        for hop in ["2001:db8::1", "[2001:DB8:0::0:1]", "[2001:db8::1]:443"] {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1", &[("x-forwarded-for", hop)]),
                "2001:db8::1"
            );
        }
    }

    #[test]
    fn the_standard_header_is_understood() {
        for value in [
            "for=198.51.100.7",
            "For=\"198.51.100.7:8080\";proto=https;by=10.0.0.1",
            "for=6.6.6.6;proto=http, proto=https;for=198.51.100.7",
            "for=6.6.6.6;x=\", for=198.51.100.7",
        ] {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1", &[("forwarded", value)]),
                "198.51.100.7",
                "{value}"
            );
        }
        assert_eq!(
            client(
                "10.0.0.0/8",
                "10.0.0.1",
                &[("forwarded", "for=\"[2001:db8::1]:1\"")]
            ),
            "2001:db8::1"
        );
    }

    #[test]
    fn an_irregular_element_of_the_standard_header_ends_the_walk() {
        for value in [
            "for=unknown",
            "for=_hidden",
            "proto=https",
            "for=1.1.1.1;for=2.2.2.2",
            "for=\"1.1.1.1",
            "1.1.1.1",
            "for=1.1.1.1;x=\"a;for=2.2.2.2\"",
        ] {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1", &[("forwarded", value)]),
                "10.0.0.1",
                "{value}"
            );
        }
    }

    #[test]
    fn headers_that_disagree_are_both_disbelieved() {
        let differ = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=6.6.6.6")];
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &differ), "10.0.0.1");
        let agree = [
            ("x-forwarded-for", "198.51.100.7"),
            ("forwarded", "for=198.51.100.7"),
        ];
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &agree), "198.51.100.7");
    }

    #[test]
    fn no_connection_address_means_no_client_address() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        assert_eq!(
            proxies.client_address(None, &headers(&[("x-forwarded-for", "6.6.6.6")])),
            None
        );
    }

    #[test]
    fn a_list_of_proxies_is_read_or_refused_with_the_entry_named() {
        let proxies: TrustedProxies = " 10.1.2.3/8 ,2001:db8::/32, 192.0.2.9,::ffff:172.16.0.0/108"
            .parse()
            .unwrap();
        for inside in [
            "10.9.9.9",
            "2001:db8:1::1",
            "192.0.2.9",
            "::ffff:10.0.0.1",
            "172.20.0.1",
        ] {
            assert!(proxies.contains(inside.parse().unwrap()), "{inside}");
        }
        assert!(!proxies.contains("192.0.2.10".parse().unwrap()));
        assert_eq!(
            "10.0.0.0/33".parse::<TrustedProxies>(),
            Err(InvalidProxy::NotARange("10.0.0.0/33".into()))
        );
        for everybody in ["0.0.0.0/0", "::/0", "1.2.3.4/0", "::ffff:0:0/96"] {
            let refused = everybody.parse::<TrustedProxies>();
            assert_eq!(refused, Err(InvalidProxy::Everybody(everybody.into())));
        }
    }

    proptest! {
        #[test]
        fn i_32_what_stands_left_of_the_first_untrusted_hop_never_matters(left in "[ -~]{0,80}", standard: bool) {
            // I-32
            let (name, hop) = if standard { ("forwarded", "for=198.51.100.7") } else { ("x-forwarded-for", "198.51.100.7") };
            let value = format!("{left},{hop}");
            prop_assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[(name, &value)]), "198.51.100.7");
        }

        #[test]
        fn i_32_with_nobody_trusted_no_header_matters(xff in "[ -~]{0,80}", forwarded in "[ -~]{0,80}") {
            // I-32
            let lines = [("x-forwarded-for", xff.as_str()), ("forwarded", forwarded.as_str())];
            prop_assert_eq!(client("", "192.0.2.1", &lines), "192.0.2.1");
        }
    }
}

//! The address of a client: the peer of the connection, or the address in a header of a trusted
//! proxy.
//!
//! Each proxy appends to the list in `X-Forwarded-For` or `Forwarded`. A client can forge every
//! entry that no trusted proxy has added. So the list is read from the right, and the first address
//! that is no trusted proxy is the client's. The crate `rfc7239` parses `Forwarded`.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use rfc7239::{NodeIdentifier, NodeName};
use serde::Deserialize;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The header that the trusted proxies write. They may pass the other one on unchanged from the
/// client, so it is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto` for the scheme. nginx, HAProxy and most load
    /// balancers write these.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ProxyHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(format!("“{text}” is neither x-forwarded-for nor forwarded")),
        }
    }
}

/// The networks whose headers about a client are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct TrustedProxies(Vec<IpNet>);

impl TryFrom<Vec<String>> for TrustedProxies {
    type Error = String;

    fn try_from(networks: Vec<String>) -> Result<Self, String> {
        let network = |text: &String| {
            let text = text.trim();
            let one = text.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_| text.parse::<IpNet>())
                .map_err(|_| format!("“{text}” is neither an address nor a network like 10.0.0.0/8"))
        };
        networks.iter().map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Parses a list with commas, the form in a variable.
    fn from_str(text: &str) -> Result<Self, String> {
        let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        Self::try_from(networks.map(str::to_owned).collect::<Vec<_>>())
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(", "))
    }
}

impl TrustedProxies {
    /// Does this address belong to a trusted proxy?
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The client of a request, from trusted sources only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address. If the outermost trusted proxy does not give it, that proxy's address.
    pub address: IpAddr,
    /// Did the client connect over TLS? `None` if no trusted proxy gives the scheme.
    pub https: Option<bool>,
}

/// The entry of one proxy about the peer that connected to it.
struct Hop {
    address: Option<IpAddr>,
    https: Option<bool>,
}

/// Finds the client behind trusted proxies.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies, header: ProxyHeader) -> Peer {
    let mut client = Peer {
        address: peer.to_canonical(),
        https: None,
    };
    let mut hops = match header {
        ProxyHeader::XForwardedFor => x_forwarded_for(headers),
        ProxyHeader::Forwarded => forwarded(headers),
    };
    while trusted.contains(client.address)
        && let Some(hop) = hops.pop()
    {
        client.https = hop.https.or(client.https);
        // The entries left of an obfuscated or unreadable one can't be trusted.
        let Some(address) = hop.address else { break };
        client.address = address;
    }
    client
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let list = |name| {
        headers
            .get_all(name)
            .into_iter()
            .flat_map(|value| value.to_str().unwrap_or("").split(','))
    };
    // A proxy may append to the one list but overwrite the other, so the two need not have the same
    // length. Use the last scheme for all hops.
    let https = list(X_FORWARDED_PROTO).last().map(is_https);
    list(X_FORWARDED_FOR)
        .map(|hop| Hop {
            address: address(hop.trim()),
            https,
        })
        .collect()
}

fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let values = headers.get_all(header::FORWARDED).into_iter();
    let hops = values.flat_map(|value| rfc7239::parse(value.to_str().unwrap_or("")));
    let hop = |parsed: Result<rfc7239::Forwarded<'_>, _>| match parsed {
        Ok(hop) => Hop {
            address: hop.forwarded_for.as_ref().and_then(of_node),
            https: hop.protocol.map(is_https),
        },
        Err(_) => Hop {
            address: None,
            https: None,
        },
    };
    hops.map(hop).collect()
}

fn of_node(node: &NodeIdentifier<'_>) -> Option<IpAddr> {
    match node.name {
        NodeName::Ip(address) => Some(address.to_canonical()),
        _ => None,
    }
}

/// Parses `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse().ok();
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

fn is_https(scheme: &str) -> bool {
    scheme.trim().trim_matches('"').eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(networks: &str) -> TrustedProxies {
        networks.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    /// The client of a request with these headers from the proxy 10.0.0.1.
    fn through_proxy(lines: &[(&str, &str)], header: ProxyHeader) -> Peer {
        client(
            ip("10.0.0.1"),
            &headers(lines),
            &trusted("10.0.0.0/8, 2001:db8:1::/48"),
            header,
        )
    }

    #[test]
    fn without_trusted_proxies_headers_are_words_of_the_client() {
        let spoofed = headers(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")]);
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            for proxies in ["", "10.0.0.2"] {
                let found = client(ip("10.0.0.1"), &spoofed, &trusted(proxies), header);
                assert_eq!(found.address, ip("10.0.0.1"));
            }
        }
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_of_ours_is_the_client() {
        for (list, found) in [
            ("192.0.2.1", "192.0.2.1"),
            ("1.1.1.1, 192.0.2.1", "192.0.2.1"),
            ("1.1.1.1, 192.0.2.1, 10.2.3.4", "192.0.2.1"),
            ("10.9.9.9, 192.0.2.1, 10.2.3.4", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8:2::1]:4711, 2001:db8:1::7", "2001:db8:2::1"),
            ("2001:db8:2::1", "2001:db8:2::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            // The entries left of an unreadable one are not used.
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, rubbish, 10.2.3.4", "10.2.3.4"),
            ("", "10.0.0.1"),
            // All are trusted proxies.
            ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ] {
            let peer = through_proxy(&[("x-forwarded-for", list)], ProxyHeader::XForwardedFor);
            assert_eq!(peer.address, ip(found), "{list}");
        }
        let two_lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1")];
        let peer = through_proxy(&two_lines, ProxyHeader::XForwardedFor);
        assert_eq!(peer.address, ip("192.0.2.1"), "lines are one list");
    }

    #[test]
    fn forwarded_is_read_likewise() {
        for (list, found) in [
            ("for=192.0.2.1;proto=https", "192.0.2.1"),
            ("for=1.1.1.1, for=192.0.2.1, for=10.2.3.4;by=10.0.0.1", "192.0.2.1"),
            ("For=\"[2001:db8:2::1]:4711\"", "2001:db8:2::1"),
            ("for=192.0.2.1, for=_hidden", "10.0.0.1"),
            ("for=192.0.2.1, for=unknown", "10.0.0.1"),
            ("for=\"1.1.1.1, for=192.0.2.1", "192.0.2.1"),
            ("rubbish", "10.0.0.1"),
        ] {
            let peer = through_proxy(&[("forwarded", list)], ProxyHeader::Forwarded);
            assert_eq!(peer.address, ip(found), "{list}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxy_writes_is_read() {
        let both = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(
            through_proxy(&both, ProxyHeader::XForwardedFor).address,
            ip("192.0.2.1")
        );
        assert_eq!(through_proxy(&both, ProxyHeader::Forwarded).address, ip("1.1.1.1"));
    }

    #[test]
    fn the_scheme_is_what_a_trusted_proxy_says() {
        let https = |lines: &[(&str, &str)], header| through_proxy(lines, header).https;
        let line = |proto| [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", proto)];
        assert_eq!(https(&line("https"), ProxyHeader::XForwardedFor), Some(true));
        assert_eq!(https(&line("http"), ProxyHeader::XForwardedFor), Some(false));
        assert_eq!(https(&line("https, http"), ProxyHeader::XForwardedFor), Some(false));
        assert_eq!(
            https(&[("x-forwarded-for", "192.0.2.1")], ProxyHeader::XForwardedFor),
            None
        );
        assert_eq!(
            https(&[("forwarded", "for=192.0.2.1;proto=https")], ProxyHeader::Forwarded),
            Some(true)
        );
        let spoofed = client(
            ip("192.0.2.9"),
            &headers(&line("http")),
            &trusted("10.0.0.0/8"),
            ProxyHeader::XForwardedFor,
        );
        assert_eq!(spoofed.https, None);
    }

    #[test]
    fn networks_that_are_none_are_refused() {
        for bad in ["proxy.example.edu", "10.0.0.0/33", "10.0.0.0-10.0.0.9"] {
            let error = bad.parse::<TrustedProxies>().unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
        let proxies = trusted(" 10.0.0.0/8 ,192.0.2.1,");
        assert_eq!(proxies.to_string(), "10.0.0.0/8, 192.0.2.1/32");
        assert!(proxies.contains(ip("::ffff:10.1.2.3")));
    }
}

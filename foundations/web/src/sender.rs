//! Where a request comes from, and what sends it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Addresses that a chain of proxies may name; more are not looked at.
const MOST_HOPS: usize = 16;
/// What proxies write the addresses in front of them into.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request comes from, put into its extensions by the outermost layer. Behind a proxy that is trusted it is the
/// address that the proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sender(pub IpAddr);

impl Sender {
    /// What the sender is counted as: an address; of IPv6 the network of 64 bits, since one machine has all of it.
    #[must_use]
    pub fn counted_as(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => IpAddr::V4(address),
                None => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
            },
            address => address,
        }
    }
}

/// The proxies whose word counts for where a request comes from: addresses or networks, `127.0.0.1,10.1.0.0/16`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match (self.address, plain(address)) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                self.bits == 0 || (u32::from(own) ^ u32::from(other)) >> (32 - self.bits) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                self.bits == 0 || (u128::from(own) ^ u128::from(other)) >> (128 - self.bits) == 0
            }
            _ => false,
        }
    }
}

/// An IPv4 address that came in over an IPv6 socket, as itself.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.1.0.0/16")]
pub struct NotANetwork(String);

impl FromStr for TrustedProxies {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<TrustedProxies, NotANetwork> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(TrustedProxies)
    }
}

fn network(text: &str) -> Result<Network, NotANetwork> {
    let not = || NotANetwork(text.to_owned());
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| not())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| not()))?;
    if bits > most { Err(not()) } else { Ok(Network { address, bits }) }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> =
            self.0.iter().map(|network| format!("{}/{}", network.address, network.bits)).collect();
        f.write_str(&texts.join(","))
    }
}

impl TrustedProxies {
    /// Whether `address` is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Who sent a request that came in from `peer`: `peer` itself, unless it is a trusted proxy; then the last address
    /// in `X-Forwarded-For` that is none. What stands before that, anybody may have written.
    pub fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> Sender {
        let trusts = |address: IpAddr| self.trusts(address);
        let mut found = plain(peer);
        if !trusts(found) {
            return Sender(found);
        }
        let lines: Vec<&str> =
            headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
        for text in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MOST_HOPS) {
            let Ok(address) = text.trim().parse::<IpAddr>() else { break };
            found = plain(address);
            if !trusts(found) {
                break;
            }
        }
        Sender(found)
    }
}

/// Browsers by what tells them from the others, the more particular first.
const BROWSERS: [(&str, &str); 9] = [
    ("MicroMessenger/", "WeChat"),
    ("DingTalk/", "DingTalk"),
    ("Edg/", "Edge"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// Systems in the same way.
const SYSTEMS: [(&str, &str); 7] = [
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What sends a request, in names that its owner knows: `Chrome, Windows`. Empty where nothing known is said.
pub fn device_of(headers: &HeaderMap) -> String {
    let text = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(sign, _)| text.contains(sign)).map(|(_, name)| *name)
    };
    [find(&BROWSERS), find(&SYSTEMS)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_comes_from() {
        let proxies: TrustedProxies = "127.0.0.1, 10.1.0.0/16,fd00::/8".parse().unwrap();
        for (peer, lines, expected) in [
            ("192.0.2.7", &["203.0.113.9"][..], "192.0.2.7"),
            ("127.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:127.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["198.51.100.1", "203.0.113.9, 10.1.2.3"], "203.0.113.9"),
            ("10.1.255.255", &["2001:db8::1"], "2001:db8::1"),
            ("10.2.0.0", &["203.0.113.9"], "10.2.0.0"),
            ("fd12::1", &["203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["unknown"], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.9, unknown, 10.1.2.3"], "10.1.2.3"),
        ] {
            let found = proxies.sender(peer.parse().unwrap(), &forwarded(lines));
            assert_eq!(found, Sender(expected.parse().unwrap()), "{peer} {lines:?}");
        }
        let none = TrustedProxies::default();
        let peer = "127.0.0.1".parse().unwrap();
        assert_eq!(none.sender(peer, &forwarded(&["203.0.113.9"])), Sender(peer));
        assert_eq!(proxies.to_string().parse::<TrustedProxies>().unwrap(), proxies);
        for wrong in ["10.1.0.0/33", "localhost", "10.1.0.0/x", "::/129"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_machine_with_many_addresses_is_one_sender() {
        let counted = |text: &str| Sender(text.parse().unwrap()).counted_as().to_string();
        assert_eq!(counted("192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn devices_have_names() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome, Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0",
                "WeChat, Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
                "Safari, iPhone",
            ),
            ("curl/8.0", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, agent.parse().unwrap());
            assert_eq!(device_of(&headers), expected);
        }
    }
}

//! The unit of politeness.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use url::{Position, Url};

/// The host of a URL, with its port unless that is the default of http or of https: the unit of politeness.
///
/// `http://h/` and `https://h/` share one key, since one server answers both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostKey(Arc<str>);

impl HostKey {
    /// The key of the host that answers `url`.
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        match url.port() {
            None | Some(80 | 443) => Self(host.into()),
            Some(port) => Self(format!("{host}:{port}").into()),
        }
    }

    /// The key as the store wrote it.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as text: `example.org` or `example.org:8080`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as shared text.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Whether this is the key of the host that answers `url`: what [`HostKey::of`] would say, without making one.
    pub fn answers(&self, url: &Url) -> bool {
        let port = url.port().filter(|port| !matches!(port, 80 | 443));
        let end = if port.is_some() { Position::AfterPort } else { Position::AfterHost };
        self.as_str() == &url[Position::BeforeHost..end]
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                if host.starts_with('[') && !host.ends_with(']') { &self.0 } else { host }
            }
            _ => &self.0,
        }
    }
}

impl HostKey {
    /// The registrable domain by the Public Suffix List; `None` for addresses and names that have none.
    pub fn domain(&self) -> Option<&str> {
        let host = self.host();
        let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        if is_address { None } else { psl::domain_str(host) }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scheme, host and port of a URL: the unit of robots.txt (RFC 9309 section 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Authority(Arc<str>);

impl Authority {
    /// The authority that `url` belongs to.
    pub fn of(url: &Url) -> Self {
        Self(url[..Position::BeforePath].into())
    }

    /// Where its robots.txt stands.
    pub fn robots_url(&self) -> Url {
        Url::parse(&format!("{}/robots.txt", self.0)).expect("an authority is the front of a URL")
    }

    /// The other authorities that share its host key: those of the other scheme, and of the other default port.
    pub fn siblings(&self) -> Vec<Self> {
        let url = self.robots_url();
        let host = url.host_str().unwrap_or_default();
        let ports = match url.port_or_known_default() {
            Some(80 | 443) | None => vec![80, 443],
            Some(port) => vec![port],
        };
        let all = ports.iter().flat_map(|port| {
            ["http", "https"]
                .into_iter()
                .filter_map(move |scheme| Url::parse(&format!("{scheme}://{host}:{port}/")).ok())
        });
        all.map(|url| Self::of(&url)).filter(|sibling| sibling != self).collect()
    }

    /// The authority as text: `https://example.org:8443`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The registrable domain of a host by the Public Suffix List; an address or a single label is its own domain.
pub fn registrable_domain(host: &str) -> &str {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn host_keys() {
        for (text, key, host) in [
            ("http://h/", "h", "h"),
            ("https://h/x", "h", "h"),
            ("http://h:443/", "h", "h"),
            ("http://h:8080/", "h:8080", "h"),
            ("http://[::1]:8080/", "[::1]:8080", "[::1]"),
            ("http://[::1]/", "[::1]", "[::1]"),
        ] {
            assert_eq!(HostKey::of(&url(text)).as_str(), key, "{text}");
            assert_eq!(HostKey::of(&url(text)).host(), host, "{text}");
        }
        let siblings = |text: &str| {
            let siblings = Authority::of(&url(text)).siblings();
            assert!(siblings.iter().all(|one| HostKey::of(&one.robots_url()) == HostKey::of(&url(text))));
            siblings.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(siblings("http://h/"), "https://h:80 http://h:443 https://h");
        assert_eq!(siblings("https://[::1]:8443/"), "http://[::1]:8443");
        assert_eq!(
            Authority::of(&url("https://h:8443/a?b")).robots_url().as_str(),
            "https://h:8443/robots.txt"
        );
    }

    #[test]
    fn registrable_domains() {
        assert_eq!(registrable_domain("a.b.example.co.uk"), "example.co.uk");
        assert_eq!(registrable_domain("127.0.0.1"), "127.0.0.1");
        assert_eq!(registrable_domain("localhost"), "localhost");
    }
}

//! How much of a host and of a registrable domain a crawl takes.

use serde_json::Value;

/// The limits of a crawl for each host and domain; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Pages of a host.
    pub host_pages: Option<u64>,
    /// URLs of a host that wait at a time.
    pub host_urls: Option<u64>,
    /// Pages of the subdomains of a domain together.
    pub domain_pages: Option<u64>,
    /// URLs of the subdomains of a domain that wait at a time.
    pub domain_urls: Option<u64>,
    /// Subdomains of a domain.
    pub domain_hosts: Option<u64>,
    /// Whether URLs that look endless are parked.
    pub traps: bool,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            host_pages: None,
            host_urls: Some(1_000_000),
            domain_pages: None,
            domain_urls: Some(5_000_000),
            domain_hosts: Some(10_000),
            traps: true,
        }
    }
}

impl Budgets {
    /// Those that the settings of a crawl say, as the store keeps them; the default for what they do not say.
    pub fn of_settings(settings: &str) -> Self {
        let settings: Value = serde_json::from_str(settings).unwrap_or_default();
        let text = |name: &str| settings.get(name).and_then(Value::as_str).map(str::trim);
        let limit = |name: &str, default: Option<u64>| match text(name) {
            None => default,
            Some("none") => None,
            Some(number) => number.parse().ok().or(default),
        };
        let ours = Self::default();
        Self {
            host_pages: limit("host_pages", ours.host_pages),
            host_urls: limit("host_urls", ours.host_urls),
            domain_pages: limit("domain_pages", ours.domain_pages),
            domain_urls: limit("domain_urls", ours.domain_urls),
            domain_hosts: limit("domain_hosts", ours.domain_hosts),
            traps: text("traps") != Some("follow"),
        }
    }
}

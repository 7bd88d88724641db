//! What a simulated web is made of.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

/// The shape and the manners of a simulated web.
///
/// `seed`, `hosts`, `pages`, `page_size`, `links`, the two shares, `robots`, `traps` and `flat` decide every byte,
/// together with the port, which stands in absolute links. The rest decides how the bytes are served.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Everything random is drawn from this number.
    pub seed: u64,
    /// Hosts, each an address of its own from 127.1.0.1 upward.
    pub hosts: u32,
    /// Pages of each host, its root included.
    pub pages: u32,
    /// Bytes of a page, roughly; a page whose links need more is longer.
    pub page_size: usize,
    /// Links of a page; the tree that makes every page reachable may need more on some.
    pub links: u32,
    /// Time between the arrival of a request and the first byte of its answer.
    pub latency: Duration,
    /// Share of the pages, 0 to 1, that answer 404 or 500, close the connection, or fail once and then answer.
    pub error_rate: f64,
    /// Share of the pages, 0 to 1, that are redirects.
    pub redirects: f64,
    /// What robots.txt says.
    pub robots: RobotsKind,
    /// The `Crawl-delay` that [`RobotsKind::Rules`] asks for.
    pub crawl_delay: Option<Duration>,
    /// Whether each root links to an endless calendar and to a directory that repeats itself.
    pub traps: bool,
    /// The port all hosts share; 0 takes any that is free on all of them.
    pub port: u16,
    /// Whether a root links to all pages of its host, and the first root to all roots (up to 5,000 links a page,
    /// then a tree), instead of a tree eight wide.
    pub flat: bool,
    /// Whether requests are kept in memory for [`Testweb::log`](super::Testweb::log).
    pub log: bool,
    /// A file that gets each request as one line of JSON, written through at once.
    pub log_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            hosts: 10,
            pages: 100,
            page_size: 8 * 1024,
            links: 20,
            latency: Duration::ZERO,
            error_rate: 0.0,
            redirects: 0.0,
            robots: RobotsKind::Allow,
            crawl_delay: None,
            traps: false,
            port: 0,
            flat: false,
            log: false,
            log_file: None,
        }
    }
}

/// What `/robots.txt` says, on every host alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RobotsKind {
    /// There is none (404), so all may be visited.
    None,
    /// It allows all.
    #[default]
    Allow,
    /// It disallows `/private/`, except one page, and may ask for a crawl delay; only this web has private pages.
    Rules,
    /// It answers 503, so nothing may be visited (RFC 9309, 2.3.1.4).
    Unavailable,
}

impl RobotsKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::None, Self::Allow, Self::Rules, Self::Unavailable];

    /// The word for it on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Allow => "allow",
            Self::Rules => "rules",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for RobotsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word names no [`RobotsKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of none, allow, rules, unavailable")]
pub struct UnknownRobotsKind(String);

impl FromStr for RobotsKind {
    type Err = UnknownRobotsKind;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| UnknownRobotsKind(word.to_owned()))
    }
}

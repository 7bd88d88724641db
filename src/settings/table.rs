//! Every setting, once: its name, section, unit, default and meaning.
//!
//! Flags, their help, the environment variables, the keys of a settings file, `config show` and
//! `config/huntsman.toml` are all made from this table.

use super::units::{show_size, show_span};
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A number from the first to the second, both allowed.
    Count(u64, u64),
    /// A number from the first to the second, or `none` for no limit.
    CountOrNone(u64, u64),
    /// A span of time with its unit, from the first to the second.
    Span(Duration, Duration),
    /// A span of time with its unit, up to this, or `auto`.
    SpanOrAuto(Duration),
    /// A size with its unit, from the first to the second, in bytes.
    Size(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Free text; empty is unset.
    Text,
    /// Any number of texts; the flag is repeated, the file has an array, the environment one a line.
    List,
}

impl Kind {
    /// The unit, as the help and the settings file name it.
    pub fn unit(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Count(least, most) => format!("a number, {least} to {most}"),
            Self::CountOrNone(least, most) => format!("a number, {least} to {most}, or \"none\""),
            Self::Span(_, most) => format!("a span: 250ms, 1s, 10m; at most {}", show_span(most)),
            Self::SpanOrAuto(most) => {
                format!("a span: 250ms, 1s, 10m; at most {}; or \"auto\"", show_span(most))
            }
            Self::Size(least, most) => {
                format!("a size: 64 KB, 10 MiB; from {} to {}", show_size(least), show_size(most))
            }
            Self::Word(words) => words.join(" | "),
            Self::Text => "text".to_owned(),
            Self::List => "a list of texts".to_owned(),
        }
    }
}

/// Which part of the program a setting belongs to: the table it stands in in the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Where the crawl is kept and what it is called.
    Crawl,
    /// Where the processes of an installation meet.
    Installation,
    /// Which URLs belong to it.
    Scope,
    /// How much of it.
    Limits,
    /// How gently.
    Politeness,
    /// Who asks.
    Identity,
    /// How requests travel.
    Network,
    /// What is kept of a page.
    Extraction,
    /// What is shown.
    Output,
}

impl Section {
    /// Every section, in the order of the file.
    pub const ALL: [Self; 9] = [
        Self::Crawl,
        Self::Installation,
        Self::Scope,
        Self::Limits,
        Self::Politeness,
        Self::Identity,
        Self::Network,
        Self::Extraction,
        Self::Output,
    ];

    /// The name of its table in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crawl => "crawl",
            Self::Installation => "installation",
            Self::Scope => "scope",
            Self::Limits => "limits",
            Self::Politeness => "politeness",
            Self::Identity => "identity",
            Self::Network => "network",
            Self::Extraction => "extraction",
            Self::Output => "output",
        }
    }
}

/// Whose a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The crawl's: kept in the store and used again by `resume`.
    Crawl,
    /// This process's own: read afresh each time.
    Process,
    /// This process's own, and never shown.
    Secret,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The key in the file. The flag has dashes for underscores, the variable is in capitals after `HUNTSMAN_`.
    pub name: &'static str,
    /// Its table in the file.
    pub section: Section,
    /// What values it takes.
    pub kind: Kind,
    /// The value where nobody says otherwise; empty for an unset text and an empty list.
    pub default: &'static str,
    /// Whose it is.
    pub owner: Owner,
    /// The letter of its short flag.
    pub short: Option<char>,
    /// What stands for the value in the help.
    pub value_name: &'static str,
    /// What it does, in one line without a full stop.
    pub doc: &'static str,
}

impl Setting {
    /// The setting called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The long flag without its dashes.
    pub fn flag(&self) -> &'static str {
        static FLAGS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
            SETTINGS.iter().map(|setting| (setting.name, setting.name.replace('_', "-"))).collect()
        });
        &FLAGS[self.name]
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("{}{}", super::environment::PREFIX, self.name.to_ascii_uppercase())
    }
}

const fn setting(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    value_name: &'static str,
    doc: &'static str,
) -> Setting {
    Setting { name, section, kind, default, owner: Owner::Crawl, short: None, value_name, doc }
}

const fn own(setting: Setting) -> Setting {
    Setting { owner: Owner::Process, ..setting }
}

const fn secret(setting: Setting) -> Setting {
    Setting { owner: Owner::Secret, ..setting }
}

const fn short(letter: char, setting: Setting) -> Setting {
    Setting { short: Some(letter), ..setting }
}

/// A minute, in seconds.
const MINUTE: u64 = 60;
/// A day, in seconds.
const DAY: u64 = 24 * 60 * MINUTE;

use Kind::{Count, CountOrNone, List, Size, Span, SpanOrAuto, Switch, Text, Word};
use Section::{Crawl, Extraction, Identity, Installation, Limits, Network, Output, Politeness, Scope};

/// Every setting, in the order of the file and the help.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    own(setting(Crawl, "store", Text, "", "STORE",
        "Where the crawl is kept: sqlite:PATH or postgres://USER@HOST/DATABASE; unset is sqlite:crawls/<name>.db")),
    own(setting(Crawl, "name", Text, "", "NAME",
        "Name of the crawl; unset is the host of the first seed")),

    secret(setting(Installation, "frontier", Text, "", "URL",
        "The Redis that the processes of an installation share: redis[s]://HOST[:PORT] or redis+unix:///PATH; unset is one process")),
    own(setting(Installation, "lease", Span(Duration::from_millis(500), Duration::from_secs(10 * MINUTE)), "15s", "SPAN",
        "How long a host is left alone after the node that asked it has died; the scheduler's say")),

    setting(Scope, "scope", Word(&["page", "prefix", "host", "domain", "any"]), "host", "KIND",
        "What a seed opens: itself, its directory, its host, its registrable domain, or the whole web"),
    setting(Scope, "include", List, "", "REGEX",
        "Keep only URLs that match one of these regular expressions"),
    setting(Scope, "exclude", List, "", "REGEX",
        "Drop URLs that match one of these regular expressions, even if included"),
    setting(Scope, "sitemaps", Switch, "false", "BOOL",
        "Read the sitemaps that robots.txt names, or /sitemap.xml where it names none"),

    short('d', setting(Limits, "depth", CountOrNone(0, 1_000_000), "none", "HOPS",
        "Most hops from a seed")),
    short('n', setting(Limits, "max_pages", CountOrNone(1, 1_000_000_000_000), "none", "PAGES",
        "Stop after this many stored pages")),
    setting(Limits, "traps", Word(&["park", "follow"]), "park", "HOW",
        "Park URLs that look endless (calendars, mazes, facets, copies); why shows them, release opens them; or follow all"),
    setting(Limits, "host_pages", CountOrNone(1, 1_000_000_000_000), "none", "PAGES",
        "Most pages of one host; what is beyond is parked"),
    setting(Limits, "host_urls", CountOrNone(1, 1_000_000_000_000), "1000000", "URLS",
        "Most URLs of one host that wait at a time; the next ones are parked until there is room"),
    setting(Limits, "domain_pages", CountOrNone(1, 1_000_000_000_000), "none", "PAGES",
        "Most pages of the subdomains of one registrable domain together"),
    setting(Limits, "domain_urls", CountOrNone(1, 1_000_000_000_000), "5000000", "URLS",
        "Most URLs of the subdomains of one registrable domain that wait at a time"),
    setting(Limits, "domain_hosts", CountOrNone(1, 1_000_000_000_000), "10000", "HOSTS",
        "Most subdomains of one registrable domain"),
    setting(Limits, "max_errors", CountOrNone(1, 1_000_000_000_000), "none", "URLS",
        "Stop, with exit code 6, once this many URLs have failed in this run; what is left waits for resume"),
    setting(Limits, "max_body", Size(1 << 10, 1 << 30), "10 MiB", "SIZE",
        "Most bytes of a body, on the wire and decoded; what is longer is cut"),
    setting(Limits, "retries", Count(0, 20), "2", "TIMES",
        "How often a visit that failed for now is tried again"),
    setting(Limits, "wait", Span(Duration::ZERO, Duration::from_secs(365 * DAY)), "10m", "SPAN",
        "How long to stay when all that is left is waiting for a host"),

    setting(Politeness, "delay", SpanOrAuto(Duration::from_secs(DAY)), "auto", "SPAN",
        "Least gap between two requests to a host; auto is 250ms, and none on loopback. A longer crawl-delay wins"),
    setting(Politeness, "per_host", Count(1, 64), "1", "REQUESTS",
        "Requests to one host at a time; above 1 only with a delay of 0"),
    setting(Politeness, "ignore_robots", Switch, "false", "BOOL",
        "Fetch what robots.txt disallows; only for sites of your own"),
    setting(Politeness, "robots_refused", Word(&["allow", "disallow"]), "allow", "WHAT",
        "What it means that robots.txt itself is refused with 401 or 403: all is allowed, as RFC 9309 has it, or nothing"),
    setting(Politeness, "on_signal", Word(&["record", "skip-store", "skip-fetch"]), "record", "WHAT",
        "Where Content-Signal in robots.txt says no to a purpose of ours: record it, or do not store, or do not fetch"),
    setting(Politeness, "purpose", List, "", "USE",
        "What the pages are for, as Content-Signal has it: search, ai-input, ai-train; unset is all three"),
    setting(Politeness, "on_noindex", Word(&["record", "skip-store"]), "record", "WHAT",
        "Where a page or its X-Robots-Tag says noindex: record it, or do not store the page"),

    setting(Identity, "user_agent", Text, "", "TEXT",
        "User-Agent to send; unset is huntsman/VERSION. The contact is put behind it"),
    setting(Identity, "contact", Text, "", "TEXT",
        "Mail address or URL for the people who run the sites, put into the user agent"),
    secret(setting(Identity, "header", List, "", "NAME: VALUE",
        "Send this header field with every request")),

    own(short('j', setting(Network, "concurrency", Count(1, 4_096), "64", "REQUESTS",
        "Requests in flight at a time, over all hosts"))),
    own(setting(Network, "timeout", Span(Duration::from_millis(1), Duration::from_secs(60 * MINUTE)), "60s", "SPAN",
        "Most time for one request; connecting, the first byte and stalls have less")),
    own(setting(Network, "allow_private", List, "", "CIDR",
        "Allow addresses of this private or loopback network, as in 127.0.0.0/8")),
    setting(Network, "insecure", Switch, "false", "BOOL",
        "Accept any certificate, also one that has expired or is for another name; only for sites of your own"),
    secret(setting(Network, "proxy", Text, "", "URL",
        "Send requests through this proxy: http://, https:// or socks5://")),

    setting(Extraction, "select", List, "", "NAME=CSS",
        "Keep what this CSS selector matches as field NAME of the page; it may end with ::text or ::attr(name)"),
    setting(Extraction, "text", Switch, "false", "BOOL",
        "Keep the visible text of each page"),
    setting(Extraction, "links", Word(&["all", "none"]), "all", "WHICH",
        "Which outlinks of a page are kept in the store"),

    own(setting(Output, "summary_json", Text, "", "FILE",
        "Write the end summary as JSON to this file, or to standard output for -")),
    own(setting(Output, "fail_on", List, "", "KIND",
        "Exit with code 10 if URLs failed this way: a status (404), 4xx, 5xx, net (no answer), a reason, or any")),
    own(setting(Output, "progress", Word(&["auto", "bar", "plain", "none"]), "auto", "HOW",
        "Show progress as a bar, as a line every 10 seconds, or not; auto is a bar on a terminal")),
];

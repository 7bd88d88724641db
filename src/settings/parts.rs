//! The settings as types: one small struct for each part of the program.

use super::gate::FailOn;
use super::layers::{Layers, Mistake};
use super::place::Place;
use super::values;
use crate::crawl::assess::{OnNoindex, OnSignal, Withholding};
use crate::crawl::politeness::Delay;
use crate::crawl::robots::{Purpose, Refused};
use crate::crawl::scope::ScopeRules;
use crate::crawl::traps::Budgets;
use crate::fetch::Timeouts;
use crate::parse::Selectors;
use ipnet::IpNet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// All parts. Taken apart where the crawl is wired; nobody else receives it whole.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the crawl is kept.
    pub place: Place,
    /// Where the processes of an installation meet.
    pub installation: Installation,
    /// Which URLs belong to it.
    pub scope: ScopeRules,
    /// How much of it.
    pub limits: Limits,
    /// How gently.
    pub politeness: Politeness,
    /// Who asks.
    pub identity: Identity,
    /// How requests travel.
    pub network: Network,
    /// What is kept of a page.
    pub extraction: Extraction,
    /// What is shown.
    pub output: Output,
}

/// Where the processes of an installation meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The address of the index in Redis, which may hold a password; `None` where one process does everything.
    pub frontier: Option<Secret>,
    /// The length of a lease in the epochs that this process opens.
    pub lease: Duration,
}

/// How much of the web the crawl takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most hops from a seed.
    pub depth: Option<u32>,
    /// Most stored pages.
    pub max_pages: Option<u64>,
    /// What it takes of each host and domain. Stores read it from the settings that they keep.
    pub budgets: Budgets,
    /// URLs that may fail in one run before it stops.
    pub max_errors: Option<u64>,
    /// Visits after the first that failed for now.
    pub retries: u32,
    /// How long to stay when all that is left is waiting.
    pub wait: Duration,
}

/// Whether robots.txt is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robots {
    /// What it disallows is not fetched.
    Obey,
    /// It is not asked for. Warned of at every start.
    Ignore,
}

/// How gently hosts are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Politeness {
    /// The least gap between two requests to a host.
    pub delay: Delay,
    /// Requests to one host at a time; above 1 only where the delay is fixed at zero.
    pub per_host: u32,
    /// Whether robots.txt is obeyed.
    pub robots: Robots,
    /// What it means that it is refused.
    pub refused: Refused,
    /// What is done with pages whose owner wishes that they be not used.
    pub withholding: Withholding,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The `User-Agent` to send.
    pub user_agent: String,
    /// The product token of the user agent: the name that robots.txt groups are matched with.
    pub robots_token: String,
    /// Header fields to send with every request. The values are secrets.
    pub headers: Vec<(String, Secret)>,
}

/// A text that no log and no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Whether servers must prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// By a certificate that the system trusts, valid now, for their name.
    Verify,
    /// Any will do. Warned of at every start.
    AcceptAny,
}

/// How requests travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Requests in flight at a time, over all hosts.
    pub concurrency: usize,
    /// The time limits of one request; no part is longer than the whole.
    pub timeouts: Timeouts,
    /// Most bytes of a body, on the wire and decoded.
    pub max_body: usize,
    /// Whether servers must prove who they are.
    pub certificates: Certificates,
    /// Networks that may be asked although they are private.
    pub allow_private: Vec<IpNet>,
    /// The proxy that requests go through; may hold a password.
    pub proxy: Option<Secret>,
}

/// One `--select NAME=CSS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// The field of `pages.extracted`.
    pub name: String,
    /// A CSS selector that parses.
    pub css: String,
}

/// Whether the visible text of a page is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// In `pages.text`.
    Keep,
    /// Not kept.
    Drop,
}

/// Which outlinks are kept in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Every one.
    All,
    /// None; they are followed all the same.
    None,
}

/// Whether sitemaps are looked for: those that robots.txt names, else `/sitemap.xml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sitemaps {
    /// Their URLs in scope are visited, as deep as the page through which the sitemap was found.
    Read,
    /// They are not asked for.
    Skip,
}

/// What is kept of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The operator's own fields.
    pub select: Vec<Select>,
    /// Visible text.
    pub text: Text,
    /// Outlinks.
    pub links: Links,
    /// Sitemaps.
    pub sitemaps: Sitemaps,
}

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Standard output: `-`.
    Stdout,
    /// A file.
    File(PathBuf),
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, lines elsewhere.
    Auto,
    /// One live line.
    Bar,
    /// A line every ten seconds.
    Plain,
    /// Nothing.
    None,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where the end summary goes as JSON.
    pub summary_json: Option<Sink>,
    /// Failures of the crawl that make the command fail.
    pub fail_on: Vec<FailOn>,
    /// How progress is shown.
    pub progress: ProgressMode,
}

impl Layers {
    /// Parses every value; the first that cannot be used is the mistake.
    pub fn settings(&self) -> Result<Settings, Mistake> {
        Ok(Settings {
            place: self.place()?,
            installation: self.installation()?,
            scope: self.scope()?,
            limits: self.limits()?,
            politeness: self.politeness()?,
            identity: self.identity()?,
            network: self.network()?,
            extraction: self.extraction()?,
            output: self.output()?,
        })
    }

    /// Where the crawl is kept.
    pub fn place(&self) -> Result<Place, Mistake> {
        Ok(Place {
            store: self.text("store", values::store)?,
            name: self.text("name", |name| values::crawl_name(name).map(|()| name.to_owned()))?,
        })
    }

    /// Where the processes of an installation meet.
    pub fn installation(&self) -> Result<Installation, Mistake> {
        Ok(Installation {
            frontier: self.text("frontier", values::frontier)?,
            lease: self.one("lease", |text| values::span("lease", text))?,
        })
    }

    fn scope(&self) -> Result<ScopeRules, Mistake> {
        Ok(ScopeRules {
            kind: self.one("scope", |text| text.parse().map_err(|why| format!("{text:?}: {why}")))?,
            include: self.many("include", values::pattern)?,
            exclude: self.many("exclude", values::pattern)?,
        })
    }

    fn limits(&self) -> Result<Limits, Mistake> {
        Ok(Limits {
            depth: self.one("depth", |text| values::count_or_none("depth", text))?.map(|hops| hops as u32),
            max_pages: self.one("max_pages", |text| values::count_or_none("max_pages", text))?,
            budgets: Budgets {
                host_pages: self.one("host_pages", |text| values::count_or_none("host_pages", text))?,
                host_urls: self.one("host_urls", |text| values::count_or_none("host_urls", text))?,
                domain_pages: self.one("domain_pages", |text| values::count_or_none("domain_pages", text))?,
                domain_urls: self.one("domain_urls", |text| values::count_or_none("domain_urls", text))?,
                domain_hosts: self.one("domain_hosts", |text| values::count_or_none("domain_hosts", text))?,
                traps: self.word("traps")? == "park",
            },
            max_errors: self.one("max_errors", |text| values::count_or_none("max_errors", text))?,
            retries: self.count("retries")? as u32,
            wait: self.one("wait", |text| values::span("wait", text))?,
        })
    }

    fn politeness(&self) -> Result<Politeness, Mistake> {
        let delay = self.one("delay", |text| match text {
            "auto" => Ok(Delay::Auto),
            _ => values::span("delay", text).map(Delay::Fixed),
        })?;
        let per_host = self.count("per_host")? as u32;
        if per_host > 1 && delay != Delay::Fixed(Duration::ZERO) {
            return Err(self.wrong("per_host", format!("{per_host} requests at a time need --delay 0")));
        }
        let robots = if self.switch("ignore_robots")? { Robots::Ignore } else { Robots::Obey };
        let refused =
            if self.word("robots_refused")? == "allow" { Refused::Allows } else { Refused::Forbids };
        Ok(Politeness { delay, per_host, robots, refused, withholding: self.withholding()? })
    }

    fn withholding(&self) -> Result<Withholding, Mistake> {
        let mut purposes = self.many("purpose", values::purpose)?;
        if purposes.is_empty() {
            purposes.extend(Purpose::ALL);
        }
        Ok(Withholding {
            on_signal: match self.word("on_signal")? {
                "skip-store" => OnSignal::SkipStore,
                "skip-fetch" => OnSignal::SkipFetch,
                _ => OnSignal::Record,
            },
            purposes,
            on_noindex: match self.word("on_noindex")? {
                "skip-store" => OnNoindex::SkipStore,
                _ => OnNoindex::Record,
            },
        })
    }

    fn identity(&self) -> Result<Identity, Mistake> {
        let contact = self.text("contact", values::contact)?;
        let user_agent = self.text("user_agent", values::header_value)?.map_or_else(
            || values::default_user_agent(contact.as_deref()),
            |own| values::own_user_agent(own, contact.as_deref()),
        );
        let robots_token =
            values::robots_token(&user_agent).map_err(|why| self.wrong("user_agent", why))?.to_owned();
        Ok(Identity { user_agent, robots_token, headers: self.many("header", values::header)? })
    }

    fn network(&self) -> Result<Network, Mistake> {
        let total = self.one("timeout", |text| values::span("timeout", text))?;
        let longest = Timeouts::default();
        let max_body = self.one("max_body", |text| values::size("max_body", text))?;
        Ok(Network {
            concurrency: self.count("concurrency")? as usize,
            timeouts: Timeouts {
                connect: longest.connect.min(total),
                first_byte: longest.first_byte.min(total),
                stall: longest.stall.min(total),
                slow: longest.slow.min(total),
                total,
            },
            max_body: max_body as usize,
            certificates: if self.switch("insecure")? {
                Certificates::AcceptAny
            } else {
                Certificates::Verify
            },
            allow_private: self.many("allow_private", values::network)?,
            proxy: self.text("proxy", values::proxy)?,
        })
    }

    fn extraction(&self) -> Result<Extraction, Mistake> {
        let select = self.many("select", values::select)?;
        for (at, Select { name, .. }) in select.iter().enumerate() {
            if select[..at].iter().any(|other| other.name == *name) {
                return Err(self.wrong("select", format!("{name:?} is given twice")));
            }
        }
        let pairs = select.iter().map(|select| (select.name.as_str(), select.css.as_str()));
        Selectors::compile(pairs).map_err(|why| self.wrong("select", why.problem))?;
        Ok(Extraction {
            select,
            text: if self.switch("text")? { Text::Keep } else { Text::Drop },
            links: if self.word("links")? == "all" { Links::All } else { Links::None },
            sitemaps: if self.switch("sitemaps")? { Sitemaps::Read } else { Sitemaps::Skip },
        })
    }

    fn output(&self) -> Result<Output, Mistake> {
        Ok(Output {
            summary_json: self.text("summary_json", |text| {
                Ok(if text == "-" { Sink::Stdout } else { Sink::File(text.into()) })
            })?,
            fail_on: self.many("fail_on", FailOn::parse)?,
            progress: match self.word("progress")? {
                "bar" => ProgressMode::Bar,
                "plain" => ProgressMode::Plain,
                "none" => ProgressMode::None,
                _ => ProgressMode::Auto,
            },
        })
    }

    fn count(&self, name: &str) -> Result<u64, Mistake> {
        self.one(name, |text| values::count(name, text))
    }

    fn switch(&self, name: &str) -> Result<bool, Mistake> {
        self.one(name, values::switch)
    }

    fn word(&self, name: &str) -> Result<&'static str, Mistake> {
        self.one(name, |text| values::word(name, text))
    }
}

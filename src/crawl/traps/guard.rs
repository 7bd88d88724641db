//! Decides, from what is counted, which URLs that were found are accepted and which are parked.
//!
//! Pure: a store loads the watches that [`Guard::names`] tells it of, asks, and keeps what has changed. It is the same for every
//! store, and its answers are those of one transaction.

use super::shape::{Section, facets, path_of, section, template};
use super::watch::{Kind, SITEMAPS, Watch};
use super::{Budgets, Rule};
use crate::crawl::host::{HostKey, registrable_domain};
use crate::crawl::lease::CrawlId;
use crate::crawl::report::{Found, Outcome, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A watch of a crawl: that of a host (`www.example.org`), or of the subdomains of a domain (`*.example.org`).
pub type WatchName = (CrawlId, Arc<str>);

/// A URL that is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// By which rule.
    pub rule: Rule,
    /// What it waits for, as `skipped.parked` has it.
    pub parked: Arc<str>,
    /// What `skipped.detail` says.
    pub detail: String,
}

/// A URL that was accepted, by what it was counted in.
#[derive(Debug)]
pub struct Taken {
    host: WatchName,
    domain: Option<WatchName>,
    groups: Vec<String>,
    is_new_host: bool,
}

/// Parked URLs that there is room for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Of this crawl.
    pub crawl: CrawlId,
    /// With this `skipped.parked`.
    pub parked: Arc<str>,
    /// So many, the first parked first.
    pub most: usize,
}

#[derive(Debug)]
struct Watched {
    before: Watch,
    now: Watch,
}

/// The watches of one transaction.
#[derive(Debug, Default)]
pub struct Guard {
    budgets: BTreeMap<CrawlId, Budgets>,
    watches: BTreeMap<WatchName, Watched>,
}

/// URLs opened for one group at a time, ...
const MOST_ROOM: u64 = 1_000;
/// ... and for all groups.
const MOST_AT_ONCE: usize = 4_096;

/// The watch of the subdomains that a host is one of; `None` for an address, a domain itself and its `www`.
fn domain(host: &HostKey) -> Option<Arc<str>> {
    let host = host.host();
    let domain = registrable_domain(host);
    let is_itself = host == domain || host.strip_prefix("www.") == Some(domain);
    (!is_itself).then(|| format!("*.{domain}").into())
}

/// Whether the content of a page is sketched, which is what tells copies of it: one numbered page of four, and the first of
/// a host that may be one of many.
pub fn is_sketched(url: &crate::crawl::lease::Queued) -> bool {
    (url.key.fingerprint().is_multiple_of(4) && super::is_templated(&url.url))
        || (path_of(&url.url) == "/" && domain(&url.host).is_some())
}

/// Each part with [`MOST_AT_ONCE`] URLs at most.
fn in_parts(rooms: Vec<Room>) -> Vec<Vec<Room>> {
    let mut parts: Vec<Vec<Room>> = Vec::new();
    let mut urls = MOST_AT_ONCE;
    for room in rooms {
        urls += room.most;
        if let Some(part) = parts.last_mut().filter(|_| urls <= MOST_AT_ONCE) {
            part.push(room);
        } else {
            urls = room.most;
            parts.push(vec![room]);
        }
    }
    parts
}

/// What is counted for a budget: its rule, the group that waits for it, the count, the budget, and words for it.
type Limit = (Rule, &'static str, u64, Option<u64>, &'static str);

/// Whether none of the limits is reached.
fn within(watch: &mut Watch, name: &WatchName, found: &Found, limits: &[Limit]) -> Result<(), Held> {
    let is_reached = |(_, _, count, most, _): &&Limit| most.is_some_and(|most| *count >= most);
    let Some((rule, group, count, _, why)) = limits.iter().find(is_reached) else { return Ok(()) };
    watch.group(group).is_waited_for = true;
    Err(held(*rule, name, group, &format!("{count} {why}"), found))
}

/// The groups of a URL.
fn groups(watch: &mut Watch, found: &Found, on: Option<&Report>, parked: &str) -> Vec<String> {
    let mut groups: Vec<String> = template(&found.url).into_iter().collect();
    if let Some((name, set)) = facets(&found.url) {
        watch.group(&name).add_set(set);
        groups.push(name);
    }
    let is_inside = match on {
        Some(report) => Section::of(&report.url.url).contains(&found.url),
        None => parked.ends_with(&section(&found.url)),
    };
    if is_inside {
        groups.push(section(&found.url));
    }
    groups
}

/// Whether each of the groups has room.
fn within_groups(watch: &mut Watch, host: &WatchName, found: &Found, groups: &[String]) -> Result<(), Held> {
    for name in groups {
        let kind = Kind::of(name);
        let group = watch.group(name);
        if group.room(kind) > 0 {
            continue;
        }
        group.is_waited_for = true;
        let urls = group.urls;
        let (rule, why) = match kind {
            Kind::Section => (
                Rule::Section,
                format!(
                    "{urls} URLs were found from within {name}, whose pages bring nothing new or lead to nothing known"
                ),
            ),
            Kind::Sitemaps => (Rule::HostSitemaps, format!("{urls} sitemaps of one host are enough")),
            Kind::Facets => {
                (Rule::Facets, format!("{urls} combinations of parameters like {name} are enough"))
            }
            _ => (
                Rule::Template,
                format!("{urls} URLs like {name} are enough while their pages bring nothing new"),
            ),
        };
        return Err(held(rule, host, name, &why, found));
    }
    Ok(())
}

fn held(rule: Rule, name: &WatchName, group: &str, why: &str, found: &Found) -> Held {
    let parked = format!("{} {group}", name.1).into();
    Held { rule, parked, detail: rule.detail(why, found.host.as_str()) }
}

impl Guard {
    /// The watches that are needed for URLs of these hosts.
    pub fn names<'a>(hosts: impl IntoIterator<Item = (CrawlId, &'a HostKey)>) -> BTreeSet<WatchName> {
        let hosts: BTreeSet<(CrawlId, &HostKey)> = hosts.into_iter().collect();
        let both = |(crawl, host): (CrawlId, &'a HostKey)| {
            [Some(host.shared()), domain(host)].map(|name| Some((crawl, name?)))
        };
        hosts.into_iter().flat_map(both).flatten().collect()
    }

    /// Says what the settings of a crawl allow.
    pub fn allow(&mut self, crawl: CrawlId, budgets: Budgets) {
        self.budgets.insert(crawl, budgets);
    }

    /// Says what is known under a name.
    pub fn know(&mut self, name: WatchName, watch: Watch) {
        self.watches.insert(name, Watched { before: watch.clone(), now: watch });
    }

    /// The names that nothing was said of.
    pub fn unknown(&self, names: BTreeSet<WatchName>) -> Vec<WatchName> {
        names.into_iter().filter(|name| !self.watches.contains_key(name)).collect()
    }

    fn budgets(&self, crawl: CrawlId) -> Budgets {
        self.budgets.get(&crawl).copied().unwrap_or_default()
    }

    fn watch(&mut self, name: &WatchName) -> &mut Watch {
        let empty = || Watched { before: Watch::default(), now: Watch::default() };
        &mut self.watches.entry(name.clone()).or_insert_with(empty).now
    }

    /// A visit has passed the gate.
    pub fn closed(&mut self, report: &Report) {
        let url = &report.url;
        let host = (url.crawl, url.host.shared());
        let domain = domain(&url.host).map(|domain| (url.crawl, domain));
        let is_closed = !matches!(report.outcome, Outcome::Retry { .. });
        let stored = match &report.outcome {
            Outcome::Stored(page) => Some(page),
            _ => None,
        };
        let is_first = self.watch(&host).pages == 0;
        for name in std::iter::once(&host).chain(&domain) {
            let watch = self.watch(name);
            watch.open = watch.open.saturating_sub(u64::from(is_closed));
            watch.pages += u64::from(stored.is_some());
        }
        let exact =
            |hash: &[u8; 16]| u64::from_le_bytes(hash[..8].try_into().expect("eight of sixteen bytes"));
        if let (Some(page), Some(domain), true) = (stored, &domain, is_first) {
            let hosts = self.watch(domain).group("hosts");
            let mark = page.page.sketch.unwrap_or_else(|| exact(&page.content_hash));
            hosts.fresh += u64::from(hosts.learn(mark));
        }
        let template = template(&url.url);
        let watch = self.watch(&host);
        match stored {
            Some(page) => {
                let group = template.and_then(|name| watch.groups.get_mut(&name));
                if let (Some(group), Some(mark)) = (group, page.page.sketch) {
                    group.fresh += u64::from(group.learn(mark));
                }
                let name = section(&url.url);
                if let Some(group) = watch.groups.get_mut(&name) {
                    let here = Section::of(&url.url);
                    let is_inside = |found: &&Found| here.contains(&found.url);
                    let new = report.found.iter().filter(is_inside).count() as u64;
                    let known = u64::from(page.inside).saturating_sub(new);
                    // One link of ten at least leads to what was found before.
                    let is_woven = known > 0 && known * 10 >= u64::from(page.inside);
                    group.fresh += u64::from(is_woven && group.learn(exact(&page.content_hash)));
                    group.urls = group.urls.saturating_sub(u64::from(new == 0));
                }
            }
            None if is_closed => {
                // What was never asked for, or not answered, says nothing of the template.
                let is_silent = report.fetch.as_ref().is_none_or(|fetch| fetch.status.is_none());
                for name in [template.filter(|_| is_silent), Some(section(&url.url))].into_iter().flatten() {
                    if let Some(group) = watch.groups.get_mut(&name) {
                        group.urls = group.urls.saturating_sub(1);
                    }
                }
            }
            None => {}
        }
    }

    /// Whether a URL that was found is accepted, and then counts it; `on` is the page, `parked` what it has waited for.
    pub fn judge(
        &mut self,
        crawl: CrawlId,
        found: &Found,
        on: Option<&Report>,
        parked: &str,
    ) -> Result<Taken, Held> {
        let host: WatchName = (crawl, found.host.shared());
        let budgets = self.budgets(crawl);
        let (is_seed, is_listed) = (found.origin.seed.is_some(), found.origin.sitemap.is_some());
        // A sitemap is bounded by its own rules, and vouches for what it lists.
        let is_vouched = is_seed || is_listed || on.is_some_and(Report::is_sitemap);
        let watch = self.watch(&host);
        let groups = match () {
            () if is_listed && !is_seed => vec![SITEMAPS.to_owned()],
            () if !is_vouched && budgets.traps => groups(watch, found, on, parked),
            () => Vec::new(),
        };
        within_groups(watch, &host, found, &groups)?;
        let is_new_host = watch.urls == 0;
        let domain = domain(&found.host).map(|domain| (crawl, domain));
        if !is_seed && !is_listed {
            let (open, pages) = (watch.open, watch.open + watch.pages);
            let of_pages = "pages of this host are in or on their way";
            let limits = [
                (Rule::HostUrls, "urls", open, budgets.host_urls, "URLs of this host wait"),
                (Rule::HostPages, "pages", pages, budgets.host_pages, of_pages),
            ];
            within(watch, &host, found, &limits)?;
            if let Some(domain) = &domain {
                self.within_domain(domain, budgets, found, is_new_host)?;
            }
        }
        Ok(self.take(Taken { host, domain, groups, is_new_host }))
    }

    /// Whether the budgets of a domain have room.
    fn within_domain(
        &mut self,
        domain: &WatchName,
        budgets: Budgets,
        found: &Found,
        is_new_host: bool,
    ) -> Result<(), Held> {
        let watch = self.watch(domain);
        let (open, pages) = (watch.open, watch.open + watch.pages);
        let hosts = watch.group("hosts");
        let (taken, most) = (hosts.urls, hosts.urls + hosts.room(Kind::Hosts));
        let most = if budgets.traps { most } else { u64::MAX };
        let most = budgets.domain_hosts.unwrap_or(u64::MAX).min(most);
        let of_pages = "pages of subdomains are in or on their way";
        let of_hosts = "subdomains of this domain are enough while they bring nothing new";
        let limits = [
            (Rule::DomainUrls, "urls", open, budgets.domain_urls, "URLs of subdomains wait"),
            (Rule::DomainPages, "pages", pages, budgets.domain_pages, of_pages),
            (Rule::DomainHosts, "hosts", taken, is_new_host.then_some(most), of_hosts),
        ];
        within(watch, domain, found, &limits)
    }

    /// Counts a URL that is accepted whatever is known: one that was released.
    pub fn force(&mut self, crawl: CrawlId, found: &Found) -> Taken {
        let host = (crawl, found.host.shared());
        let is_new_host = self.watch(&host).urls == 0;
        let domain = domain(&found.host).map(|domain| (crawl, domain));
        self.take(Taken { host, domain, groups: Vec::new(), is_new_host })
    }

    fn take(&mut self, taken: Taken) -> Taken {
        self.count(&taken, |count| count + 1);
        taken
    }

    /// A URL that was accepted was known already.
    pub fn give_back(&mut self, taken: &Taken) {
        self.count(taken, |count| count.saturating_sub(1));
    }

    fn count(&mut self, taken: &Taken, change: impl Fn(u64) -> u64) {
        for name in std::iter::once(&taken.host).chain(&taken.domain) {
            let watch = self.watch(name);
            watch.urls = change(watch.urls);
            watch.open = change(watch.open);
        }
        for name in &taken.groups {
            let group = self.watch(&taken.host).group(name);
            group.urls = change(group.urls);
        }
        if let (Some(domain), true) = (&taken.domain, taken.is_new_host) {
            let hosts = self.watch(domain).group("hosts");
            hosts.urls = change(hosts.urls);
        }
    }

    /// A visit has led to a URL that is new: worth something where that lies outside of what the visit belongs to.
    pub fn led_on(&mut self, report: &Report, new: &Found) {
        let url = &report.url;
        let host = (url.crawl, url.host.shared());
        let is_elsewhere = url.host != new.host;
        if let Outcome::Redirected { .. } = report.outcome
            && let Some(name) = template(&url.url)
            && (is_elsewhere || template(&new.url).as_ref() != Some(&name))
            && let Some(group) = self.watch(&host).groups.get_mut(&name)
        {
            group.fresh += 1;
        }
        if (is_elsewhere || path_of(&new.url) != path_of(&url.url))
            && let Some((name, _)) = facets(&url.url)
            && let Some(group) = self.watch(&host).groups.get_mut(&name)
        {
            group.fresh += 1;
        }
    }

    /// What is parked and may be opened now, in parts that are opened one after the other.
    pub fn rooms(&self) -> Vec<Vec<Room>> {
        let mut rooms = Vec::new();
        for ((crawl, name), Watched { now, .. }) in &self.watches {
            let budgets = self.budgets(*crawl);
            let is_domain = name.starts_with("*.");
            for (group_name, group) in now.groups.iter().filter(|(_, group)| group.is_waited_for) {
                let (urls, pages) = if is_domain {
                    (budgets.domain_urls, budgets.domain_pages)
                } else {
                    (budgets.host_urls, budgets.host_pages)
                };
                let left = |most: Option<u64>, count: u64| most.unwrap_or(u64::MAX).saturating_sub(count);
                let kind = Kind::of(group_name);
                let room = match kind {
                    Kind::Urls => left(urls, now.open),
                    Kind::Pages => left(pages, now.open + now.pages),
                    Kind::Hosts => left(budgets.domain_hosts, group.urls).min(if budgets.traps {
                        group.room(kind)
                    } else {
                        u64::MAX
                    }),
                    _ if !budgets.traps && kind != Kind::Sitemaps => MOST_ROOM,
                    _ => group.room(kind),
                };
                let most = room.min(MOST_ROOM) as usize;
                if most > 0 {
                    let parked = format!("{name} {group_name}").into();
                    rooms.push(Room { crawl: *crawl, parked, most });
                }
            }
        }
        in_parts(rooms)
    }

    /// Nothing is parked for this any more.
    pub fn emptied(&mut self, room: &Room) {
        let Some((name, group)) = room.parked.split_once(' ') else { return };
        if let Some(group) = self.watch(&(room.crawl, name.into())).groups.get_mut(group) {
            group.is_waited_for = false;
        }
    }

    /// The watches that have changed: as they were, and as they are.
    pub fn changes(&self) -> impl Iterator<Item = (&WatchName, &Watch, &Watch)> {
        let changed = self.watches.iter().filter(|(_, watched)| watched.before != watched.now);
        changed.map(|(name, Watched { before, now })| (name, before, now))
    }
}

#[cfg(test)]
mod tests;

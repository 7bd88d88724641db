//! Requests by hand, outside of a crawl: robots.txt first and each host at its pace, as a node would ask.

use super::figures;
use crate::clock::Clock;
use crate::crawl::host::{Authority, HostKey};
use crate::crawl::lease::Pace;
use crate::crawl::politeness::{self, Delay};
use crate::crawl::robots::{self, Fetched, MAX_BYTES, MAX_HOPS, Refused, Rules};
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Contact, Failure, FailureClass, Visit};
use crate::fetch::{Fetch, Request};
use crate::settings::Settings;
use crate::telemetry::Terminal;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use url::Url;

/// A shorter wait is not worth a line.
const SAID: Duration = Duration::from_secs(1);

/// Asks, and remembers the pace of the hosts and their robots.txt.
pub(super) struct Asker<'a> {
    client: &'a dyn Fetch,
    clock: Clock,
    delay: Delay,
    refused: Refused,
    /// How long a host is waited for.
    patience: Duration,
    terminal: &'a Terminal,
    hosts: HashMap<HostKey, Host>,
    robots: HashMap<Authority, Rc<RobotsAnswer>>,
}

#[derive(Default)]
struct Host {
    pace: Pace,
    /// From when the next delay counts.
    asked: Option<Contact>,
}

/// The host is not to be asked before then, which is longer than we wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotBefore(pub(super) Timestamp);

/// A robots.txt, and how it was come by.
pub(super) struct RobotsAnswer {
    /// Each request for it, redirects in order.
    pub(super) asked: Vec<(Url, Visit)>,
    /// What it says.
    pub(super) said: Said,
}

/// What a robots.txt says.
pub(super) enum Said {
    /// This.
    Rules(Box<Rules>),
    /// There is none, in words.
    Nothing(String),
    /// Nobody knows: nothing may be fetched until it was asked for again.
    Unreachable { why: String, retry_at: Timestamp },
    /// The host did not answer at all.
    Silent(Failure),
}

impl<'a> Asker<'a> {
    pub(super) fn new(
        client: &'a dyn Fetch,
        settings: &Settings,
        clock: Clock,
        terminal: &'a Terminal,
    ) -> Self {
        Self {
            client,
            clock,
            delay: settings.politeness.delay,
            refused: settings.politeness.refused,
            patience: settings.limits.wait,
            terminal,
            hosts: HashMap::new(),
            robots: HashMap::new(),
        }
    }

    /// Asks when the host may be asked, and once more where the connection was one that the host had just closed.
    pub(super) async fn get(&mut self, request: Request) -> Result<Visit, NotBefore> {
        let visit = self.get_once(request.clone()).await?;
        let is_dropped = visit.result.as_ref().is_err_and(|failure| failure.class == FailureClass::Dropped);
        if is_dropped { self.get_once(request).await } else { Ok(visit) }
    }

    async fn get_once(&mut self, request: Request) -> Result<Visit, NotBefore> {
        let key = HostKey::of(&request.url);
        let due = self.due(&key);
        let wait = due.since(self.clock.now());
        if wait > self.patience {
            return Err(NotBefore(due));
        }
        if wait >= SAID {
            let line = format!("waiting {} for {key}: its delay", figures::span(wait));
            self.terminal.line(&super::escape::visible(&line));
        }
        self.clock.sleep_until(due).await;
        let visit = self.client.get(request).await;
        let host = self.hosts.entry(key).or_default();
        host.pace = politeness::after(host.pace, &visit);
        host.asked = Some(visit.contact());
        Ok(visit)
    }

    /// When the host may be asked next.
    pub(super) fn due(&self, key: &HostKey) -> Timestamp {
        let Some(host) = self.hosts.get(key) else { return Timestamp::EPOCH };
        let delay = self.delay.of(key.host(), &host.pace);
        host.asked.map_or(Timestamp::EPOCH, |asked| politeness::next_due(asked, delay, &host.pace))
    }

    /// Whether the robots.txt that `url` is under has been asked for.
    pub(super) fn knows_robots(&self, url: &Url) -> bool {
        self.robots.contains_key(&Authority::of(url))
    }

    /// What the robots.txt that `url` is under says to `token`; asked for once.
    pub(super) async fn robots(&mut self, url: &Url, token: &str) -> Rc<RobotsAnswer> {
        let authority = Authority::of(url);
        if let Some(known) = self.robots.get(&authority) {
            return Rc::clone(known);
        }
        let mut asked = Vec::new();
        let own = HostKey::of(url);
        let said = self.ask_robots(&own, authority.robots_url(), token, &mut asked).await;
        let crawl_delay = if let Said::Rules(rules) = &said { rules.crawl_delay() } else { None };
        self.hosts.entry(own).or_default().pace.crawl_delay = crawl_delay;
        let answer = Rc::new(RobotsAnswer { asked, said });
        self.robots.insert(authority, Rc::clone(&answer));
        answer
    }

    async fn ask_robots(
        &mut self,
        own: &HostKey,
        mut at: Url,
        token: &str,
        asked: &mut Vec<(Url, Visit)>,
    ) -> Said {
        let mut hops = 0;
        loop {
            let request = Request { max_body: Some(MAX_BYTES), ..Request::get(at.clone()) };
            let visit = match self.get(request).await {
                Ok(visit) => visit,
                Err(NotBefore(retry_at)) => {
                    let why = format!("{} asked us to wait", HostKey::of(&at));
                    return Said::Unreachable { why, retry_at };
                }
            };
            let judged = robots::judge(&visit, &at, hops, token, self.refused);
            // A host beside that is silent says nothing of this one.
            let is_own = HostKey::of(&at) == *own;
            let (finished, silence) = (visit.finished, visit.silence().filter(|_| is_own).cloned());
            asked.push((at.clone(), visit));
            match judged {
                Fetched::Rules(rules) => return Said::Rules(Box::new(rules)),
                Fetched::AllowAll { why } => return Said::Nothing(why),
                Fetched::Redirect(to) => (at, hops) = (to, hops + 1),
                Fetched::Unreachable { retry_after, why } => {
                    if let Some(failure) = silence {
                        return Said::Silent(failure);
                    }
                    let span = retry_after.unwrap_or_else(|| robots::unreachable_backoff(1));
                    return Said::Unreachable { why, retry_at: finished + span };
                }
            }
            debug_assert!(hops <= MAX_HOPS, "judge ends a chain of redirects");
        }
    }
}

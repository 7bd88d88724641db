//! A simulated web behind the fetch port, its truth, and the log that its servers keep.

use crate::rng::Rng;
use async_trait::async_trait;
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::visit::{Answer, Failure, FailureClass, Visit};
use huntsman::fetch::{Fetch, Request};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;
use url::Url;

/// What a URL of the web does when asked.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    Page {
        links: Vec<String>,
    },
    Missing,
    /// One failure here and one silence of its host are as many as two retries forgive.
    /// Answers 500 or breaks the connection so many times, then as a page.
    Flaky {
        times: u32,
        breaks: bool,
        links: Vec<String>,
    },
    /// Fails for ever.
    Broken,
    Redirect {
        to: String,
    },
    Sitemap {
        index: bool,
        urls: Vec<String>,
    },
}

/// What a host says of robots.
#[derive(Debug, Clone)]
pub(super) enum RobotsKind {
    None,
    Rules {
        delay: Option<u64>,
    },
    /// 503 with Retry-After so many times, then rules.
    Unavailable {
        times: u32,
        retry_after: u64,
    },
    /// Moved to another host.
    Moved {
        to: String,
    },
    /// Nobody answers so many times, then none.
    Silent {
        times: u32,
    },
}

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub host: String,
    pub path: String,
    pub at: Timestamp,
    /// When the answer left; unset where the asker was gone by then.
    pub answered: Option<Timestamp>,
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// The process that asked.
    pub process: u32,
    /// Whether the answer came to its notice.
    pub heard: bool,
}

#[derive(Debug, Default)]
struct State {
    log: Vec<Logged>,
    asked: HashMap<String, u32>,
    process: u32,
}

/// The web.
#[derive(Debug)]
pub(super) struct Web {
    pub urls: BTreeMap<String, Behaviour>,
    pub robots: BTreeMap<String, RobotsKind>,
    /// Whether the crawl reads sitemaps.
    pub sitemaps: bool,
    /// Sitemaps that a host's robots.txt names, where it has rules.
    named: BTreeMap<String, String>,
    /// 429 with Retry-After on the first request for these.
    throttled: BTreeSet<String>,
    /// Per mille of requests whose connection breaks.
    noise: u64,
    /// Per mille of answers that take their time.
    pub slow: u64,
    rng: Mutex<Rng>,
    state: Mutex<State>,
    clock: Clock,
}

impl Web {
    pub(super) fn new(seed: u64, clock: Clock) -> Self {
        let mut rng = Rng::new(seed);
        let hosts: Vec<String> = (0..rng.range(1..5)).map(|n| format!("h{n}.test")).collect();
        let mut names = Vec::new();
        for host in &hosts {
            for page in 0..rng.range(1..9) {
                names.push(if page == 0 {
                    format!("http://{host}/")
                } else {
                    format!("http://{host}/{page}")
                });
            }
            if rng.chance(30) {
                names.push(format!("http://{host}/private/x"));
            }
        }
        let mut web = Self {
            urls: BTreeMap::new(),
            robots: BTreeMap::new(),
            sitemaps: seed.is_multiple_of(2),
            named: BTreeMap::new(),
            throttled: BTreeSet::new(),
            noise: 0,
            slow: 0,
            rng: Mutex::new(rng.clone()),
            state: Mutex::default(),
            clock,
        };
        for (at, name) in names.iter().enumerate() {
            // Each page links to the next, so that all is reachable as far as the pages between allow, and to others.
            let mut links: Vec<String> = names.get(at + 1).cloned().into_iter().collect();
            for _ in 0..rng.range(0..4) {
                links.push(names[rng.range(0..names.len() as u64) as usize].clone());
            }
            links.push("http://elsewhere.test/x".into());
            let behaviour = match rng.range(0..20) {
                _ if at == 0 => Behaviour::Page { links },
                0 => Behaviour::Missing,
                1 => Behaviour::Broken,
                2 | 3 => Behaviour::Flaky { times: 1, breaks: rng.chance(50), links },
                4 | 5 => Behaviour::Redirect { to: names[rng.range(0..names.len() as u64) as usize].clone() },
                _ => Behaviour::Page { links },
            };
            if rng.chance(5) {
                web.throttled.insert(name.clone());
            }
            web.urls.insert(name.clone(), behaviour);
        }
        for host in &hosts {
            let kind = match rng.range(0..10) {
                3 | 4 => RobotsKind::Rules { delay: None },
                5 => RobotsKind::Rules { delay: Some(rng.range(1..4)) },
                6 => RobotsKind::Unavailable { times: rng.range(1..3) as u32, retry_after: rng.range(1..20) },
                7 if hosts.len() > 1 => {
                    RobotsKind::Moved { to: hosts[rng.range(0..hosts.len() as u64) as usize].clone() }
                }
                8 => RobotsKind::Silent { times: 1 },
                _ => RobotsKind::None,
            };
            web.robots.insert(host.clone(), kind);
        }
        web.add_sitemaps(&hosts, &names, &mut Rng::new(seed ^ 0x0051_7e3a));
        web
    }

    /// Pages that no link reaches, behind a sitemap at the usual path or behind an index that some robots.txt names.
    fn add_sitemaps(&mut self, hosts: &[String], names: &[String], rng: &mut Rng) {
        for host in hosts {
            let mut listed = Vec::new();
            for page in 0..rng.range(0..4) {
                let orphan = format!("http://{host}/orphan/{page}");
                self.urls.insert(orphan.clone(), Behaviour::Page { links: vec![rng_pick(rng, names)] });
                listed.push(orphan);
            }
            listed.push(rng_pick(rng, names));
            let at = |path: &str| format!("http://{host}{path}");
            let usual = if rng.chance(50) {
                Behaviour::Sitemap { index: false, urls: listed.clone() }
            } else {
                Behaviour::Missing
            };
            self.urls.insert(at("/sitemap.xml"), usual);
            let below = vec![at("/index.xml"), at("/deep.xml")];
            self.urls.insert(at("/index.xml"), Behaviour::Sitemap { index: true, urls: below });
            self.urls.insert(at("/deep.xml"), Behaviour::Sitemap { index: false, urls: listed });
            if rng.chance(60) {
                self.named.insert(host.clone(), format!("http://{}/index.xml", rng_pick(rng, hosts)));
            }
            for path in ["/sitemap.xml", "/index.xml", "/deep.xml"] {
                if rng.chance(5) {
                    self.throttled.insert(at(path));
                }
            }
        }
    }

    /// The sitemap that a page of the host leads to.
    fn sitemap_of(&self, host: &str) -> String {
        let with_rules =
            |kind: &RobotsKind| matches!(kind, RobotsKind::Rules { .. } | RobotsKind::Unavailable { .. });
        let named = self.final_host(host).filter(|at| with_rules(&self.robots[*at]));
        let named = named.and_then(|at| self.named.get(at)).cloned();
        named.unwrap_or_else(|| format!("http://{host}/sitemap.xml"))
    }

    pub(super) fn seed() -> String {
        "http://h0.test/".into()
    }

    pub(super) fn new_process(&self) {
        self.state.lock().unwrap().process += 1;
    }

    pub(super) fn log(&self) -> Vec<Logged> {
        self.state.lock().unwrap().log.clone()
    }

    /// The crawl delay that a host asks for, whoever serves its robots.txt.
    pub(super) fn crawl_delay(&self, host: &str) -> Option<Duration> {
        match self.final_robots(host)? {
            RobotsKind::Rules { delay } => delay.map(Duration::from_secs),
            _ => None,
        }
    }

    fn final_robots(&self, host: &str) -> Option<&RobotsKind> {
        self.robots.get(self.final_host(host)?)
    }

    /// The host that serves the robots.txt of `host`.
    fn final_host<'w>(&'w self, host: &'w str) -> Option<&'w str> {
        let mut host = host;
        for _ in 0..6 {
            match self.robots.get(host)? {
                RobotsKind::Moved { to } => host = to,
                _ => return Some(host),
            }
        }
        None
    }

    /// Whether robots.txt of the host is a loop, which makes everything on it unreachable for ever.
    pub(super) fn robots_loops(&self, host: &str) -> bool {
        self.robots.contains_key(host) && self.final_robots(host).is_none()
    }

    pub(super) fn is_disallowed(&self, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        let host = url.host_str().unwrap_or_default();
        let rules = matches!(
            self.final_robots(host),
            Some(RobotsKind::Rules { .. } | RobotsKind::Unavailable { .. })
        );
        rules && url.path().starts_with("/private/")
    }

    /// Every URL that a crawl must admit, with the state that it must end in (`stored`, `failed`...).
    pub(super) fn truth(&self) -> BTreeMap<String, &'static str> {
        self.truth_of([Self::seed()], &BTreeSet::new())
    }

    /// The same for a crawl of these seeds, in which some URLs were given up without an answer.
    pub(super) fn truth_of(
        &self,
        seeds: impl IntoIterator<Item = String>,
        given_up: &BTreeSet<String>,
    ) -> BTreeMap<String, &'static str> {
        let mut truth = BTreeMap::new();
        let mut queue: VecDeque<String> = seeds.into_iter().collect();
        while let Some(url) = queue.pop_front() {
            if truth.contains_key(&url) {
                continue;
            }
            if given_up.contains(&url) {
                truth.insert(url, "failed");
                continue;
            }
            let host = HostKey::of(&Url::parse(&url).unwrap());
            let (state, next) = match &self.urls[&url] {
                _ if self.robots_loops(host.as_str()) => ("open", Vec::new()),
                _ if self.is_disallowed(&url) => ("excluded", Vec::new()),
                Behaviour::Page { links } | Behaviour::Flaky { links, .. } => ("stored", links.clone()),
                Behaviour::Sitemap { urls, .. } => ("read", urls.clone()),
                Behaviour::Missing if url.ends_with("/sitemap.xml") => ("read", Vec::new()),
                Behaviour::Missing | Behaviour::Broken => ("failed", Vec::new()),
                Behaviour::Redirect { to } if *to == url => ("failed", Vec::new()),
                Behaviour::Redirect { to } => ("redirected", vec![to.clone()]),
            };
            // A visit of a page leads to the sitemap of its host, unless the page only points elsewhere.
            let elsewhere = state == "redirected" && HostKey::of(&Url::parse(&next[0]).unwrap()) != host;
            if self.sitemaps && !matches!(state, "open" | "read") && !elsewhere {
                queue.push_back(self.sitemap_of(host.as_str()));
            }
            queue.extend(next.into_iter().filter(|link| self.urls.contains_key(link)));
            truth.insert(url, state);
        }
        truth
    }

    fn answer(&self, url: &str, host: &str, path: &str, times: u32) -> Result<Answer, FailureClass> {
        let ok = |body: String| Answer {
            status: 200,
            content_type: Some("text/html".into()),
            wire_bytes: body.len() as u64,
            body: body.into_bytes(),
            ..Answer::default()
        };
        let status = |status| Answer { status, ..Answer::default() };
        let rules = |delay: Option<u64>| {
            let sitemap = self.named.get(host).map(|at| format!("Sitemap: {at}\n")).unwrap_or_default();
            let mut text = "User-agent: *\nDisallow: /private/\n".to_owned();
            if let Some(delay) = delay {
                writeln!(text, "Crawl-delay: {delay}").unwrap();
            }
            Answer { content_type: Some("text/plain".into()), ..ok(text + &sitemap) }
        };
        if path == "/robots.txt" {
            return match &self.robots[host] {
                RobotsKind::Rules { delay } => Ok(rules(*delay)),
                RobotsKind::Unavailable { times: down, retry_after } if times <= *down => {
                    Ok(Answer { retry_after: Some(Duration::from_secs(*retry_after)), ..status(503) })
                }
                RobotsKind::Unavailable { .. } => Ok(rules(None)),
                RobotsKind::Moved { to } => {
                    Ok(Answer { location: Some(format!("http://{to}/robots.txt")), ..status(301) })
                }
                RobotsKind::Silent { times: silent } if times <= *silent => Err(FailureClass::Connect),
                RobotsKind::None | RobotsKind::Silent { .. } => Ok(status(404)),
            };
        }
        if times == 1 && self.throttled.contains(url) {
            return Ok(Answer { retry_after: Some(Duration::from_secs(3)), ..status(429) });
        }
        let page = |links: &[String]| {
            let links = links.iter().fold(String::new(), |mut text, link| {
                write!(text, "<a href='{link}'>x</a>").unwrap();
                text
            });
            ok(format!("<title>{url}</title>{links}"))
        };
        match &self.urls[url] {
            Behaviour::Missing => Ok(status(404)),
            Behaviour::Broken => Ok(status(500)),
            Behaviour::Flaky { times: down, breaks, .. } if times <= *down => {
                if *breaks {
                    Err(FailureClass::Incomplete)
                } else {
                    Ok(status(500))
                }
            }
            Behaviour::Page { links } | Behaviour::Flaky { links, .. } => Ok(page(links)),
            Behaviour::Sitemap { index, urls } => {
                let (root, entry) = if *index { ("sitemapindex", "sitemap") } else { ("urlset", "url") };
                let entries = urls.iter().fold(String::new(), |mut text, url| {
                    write!(text, "<{entry}><loc>{url}</loc></{entry}>").unwrap();
                    text
                });
                let body = format!("<{root}>{entries}</{root}>");
                Ok(Answer { content_type: Some("application/xml".into()), ..ok(body) })
            }
            Behaviour::Redirect { to } => Ok(Answer { location: Some(to.clone()), ..status(302) }),
        }
    }
}

fn rng_pick(rng: &mut Rng, from: &[String]) -> String {
    from[rng.range(0..from.len() as u64) as usize].clone()
}

/// A request that has arrived and is not answered yet.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Where in the log.
    entry: usize,
    /// In milliseconds.
    latency: u64,
    is_noise: bool,
}

#[async_trait]
impl Fetch for Web {
    async fn get(&self, request: Request) -> Visit {
        let process = self.state.lock().unwrap().process;
        self.ask(request, process).await
    }
}

impl Web {
    /// The last answer to this process from there came to its notice.
    pub(super) fn was_heard(&self, process: u32, host: &str, path: &str) {
        let mut state = self.state.lock().unwrap();
        let mut asked = state.log.iter_mut().rev();
        let last = asked.find(|one| one.process == process && one.host == host && one.path == path);
        last.expect("it was asked").heard = true;
    }

    /// One request of this process.
    pub(super) async fn ask(&self, request: Request, process: u32) -> Visit {
        let arrived = self.take(&request, process);
        self.answer_to(&request, arrived).await
    }

    /// A request of this process has arrived.
    pub(super) fn take(&self, request: &Request, process: u32) -> Arrived {
        let mut state = self.state.lock().unwrap();
        let logged = Logged {
            host: request.url.host_str().unwrap_or_default().to_owned(),
            path: request.url.path().to_owned(),
            at: self.clock.now(),
            answered: None,
            status: None,
            retry_after: None,
            process,
            heard: false,
        };
        state.log.push(logged);
        let mut rng = self.rng.lock().unwrap();
        let is_slow = self.slow > 0 && rng.range(0..1_000) < self.slow;
        let latency = if is_slow { rng.range(400..4_000) } else { rng.range(1..400) };
        Arrived { entry: state.log.len() - 1, latency, is_noise: rng.range(0..1_000) < self.noise }
    }

    /// Answers it in its time.
    pub(super) async fn answer_to(&self, request: &Request, arrived: Arrived) -> Visit {
        let url = request.url.as_str().to_owned();
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let path = request.url.path().to_owned();
        tokio::time::sleep(Duration::from_millis(arrived.latency)).await;
        let answered = self.clock.now();
        let mut state = self.state.lock().unwrap();
        let times = state.asked.entry(url.clone()).or_default();
        *times += 1;
        let times = *times;
        let result = if arrived.is_noise {
            Err(FailureClass::Incomplete)
        } else {
            self.answer(&url, &host, &path, times)
        };
        let logged = &mut state.log[arrived.entry];
        logged.answered = Some(answered);
        logged.status = result.as_ref().ok().map(|answer| answer.status);
        logged.retry_after = result.as_ref().ok().and_then(|answer| answer.retry_after);
        let started = logged.at;
        let result = result.map_err(|class| Failure { class, detail: "simulated".into() });
        let first_byte = result.is_ok().then_some(answered);
        Visit { started, first_byte, finished: answered, result }
    }
}

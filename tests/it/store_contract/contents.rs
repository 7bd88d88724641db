//! All that a store holds, as rows that can be compared: what a user would see in SQL.

use sqlx::FromRow;

/// The tables of a store, each sorted by crawl and URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub crawls: Vec<CrawlLine>,
    pub hosts: Vec<HostLine>,
    pub urls: Vec<UrlLine>,
    pub pages: Vec<PageLine>,
    pub fetches: Vec<FetchLine>,
    pub skipped: Vec<SkippedLine>,
    pub dead_letters: Vec<DeadLetterLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct CrawlLine {
    pub id: i64,
    pub name: String,
    pub state: String,
    pub settings: String,
    pub epoch: i64,
    pub run_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct HostLine {
    pub host: String,
    pub crawl_delay_ms: Option<i64>,
    pub block_until: Option<String>,
    pub strikes: i64,
    pub robots: Option<String>,
    pub robots_status: Option<i64>,
    pub robots_fetched_at: Option<String>,
    pub noted_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct UrlLine {
    pub crawl_id: i64,
    pub url: String,
    pub host: String,
    pub state: String,
    pub reason: Option<String>,
    pub depth: i64,
    pub hops: i64,
    pub max_depth: Option<i64>,
    pub priority: i64,
    pub seed: Option<String>,
    pub visit: i64,
    pub attempt: i64,
    pub throttled: i64,
    pub due_at: Option<String>,
    pub redirect_to: Option<String>,
    pub found_on: Option<String>,
    pub found_at: String,
    pub closed_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct PageLine {
    pub crawl_id: i64,
    pub url: String,
    pub host: String,
    pub visit: i64,
    pub status: i64,
    pub title: Option<String>,
    pub description: Option<String>,
    pub canonical: Option<String>,
    pub robots: Option<String>,
    pub headings: Option<String>,
    pub text: Option<String>,
    pub content_type: Option<String>,
    pub bytes: i64,
    pub truncated: Option<String>,
    pub content_hash: String,
    pub depth: i64,
    pub fetched_at: String,
    pub links_total: i64,
    pub links_packed: Option<String>,
    pub signal_search: Option<String>,
    pub signal_ai_input: Option<String>,
    pub signal_ai_train: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct FetchLine {
    pub crawl_id: i64,
    pub url: String,
    pub token: i64,
    pub kind: String,
    pub host: String,
    pub visit: Option<i64>,
    pub attempt: Option<i64>,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub outcome: String,
    pub detail: Option<String>,
    pub started_at: String,
    pub total_ms: i64,
    pub wire_bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct SkippedLine {
    pub crawl_id: i64,
    pub url: String,
    pub reason: String,
    pub detail: Option<String>,
    pub found_on: Option<String>,
    pub skipped_at: String,
    pub parked: Option<String>,
    pub host: Option<String>,
    pub depth: Option<i64>,
    pub hops: Option<i64>,
    pub max_depth: Option<i64>,
    pub priority: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub(crate) struct DeadLetterLine {
    pub crawl_id: i64,
    pub url: String,
    pub host: String,
    pub visit: i64,
    pub reason: String,
    pub detail: Option<String>,
    pub status: Option<i64>,
    pub attempts: i64,
    pub found_on: Option<String>,
    pub died_at: String,
}

impl Contents {
    /// The one row of a URL in a crawl.
    pub(crate) fn url(&self, crawl: i64, url: &str) -> &UrlLine {
        let mut rows = self.urls.iter().filter(|row| row.crawl_id == crawl && row.url == url);
        let row = rows.next().unwrap_or_else(|| panic!("{url} has no row"));
        assert_eq!(rows.next(), None, "{url} has one row");
        row
    }

    /// The states of all URLs, as text: `http://h/a stored`.
    pub(crate) fn states(&self) -> Vec<String> {
        self.urls.iter().map(|row| format!("{} {}", row.url, row.state)).collect()
    }

    /// Sorts every table.
    pub(crate) fn sorted(mut self) -> Self {
        self.crawls.sort();
        self.hosts.sort();
        self.urls.sort();
        self.pages.sort();
        self.fetches.sort();
        self.skipped.sort();
        self.dead_letters.sort();
        self
    }

    /// The same with `kept` applied to every text that comes from the web as it was sent.
    pub(crate) fn with_texts(mut self, kept: impl Fn(&str) -> std::borrow::Cow<'_, str>) -> Self {
        let titles = self.pages.iter_mut().map(|row| &mut row.title);
        let details = self.fetches.iter_mut().map(|row| &mut row.detail);
        let rules = self.skipped.iter_mut().map(|row| &mut row.detail);
        let letters = self.dead_letters.iter_mut().map(|row| &mut row.detail);
        for text in titles.chain(details).chain(rules).chain(letters).flatten() {
            *text = kept(text).into_owned();
        }
        self
    }

    /// Says in which table and row two stores differ first; nothing where they do not.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        first_difference("crawls", &self.crawls, &other.crawls)
            .or_else(|| first_difference("hosts", &self.hosts, &other.hosts))
            .or_else(|| first_difference("urls", &self.urls, &other.urls))
            .or_else(|| first_difference("pages", &self.pages, &other.pages))
            .or_else(|| first_difference("fetches", &self.fetches, &other.fetches))
            .or_else(|| first_difference("skipped", &self.skipped, &other.skipped))
            .or_else(|| first_difference("dead_letters", &self.dead_letters, &other.dead_letters))
    }
}

fn first_difference<T: PartialEq + std::fmt::Debug>(table: &str, left: &[T], right: &[T]) -> Option<String> {
    let longer = left.len().max(right.len());
    let at = (0..longer).find(|at| left.get(*at) != right.get(*at))?;
    Some(format!("{table}, row {at}: {:#?} is not {:#?}", left.get(at), right.get(at)))
}

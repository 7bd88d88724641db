//! What the stage keeps from the store.

use super::*;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{Origin, Queued, Token};
use crate::crawl::report::{Found, Outcome};
use crate::crawl::time::Timestamp;
use crate::frontier::memory::{Limits, MemoryFrontier};
use crate::store::sqlite::SqliteStore;

const CRAWL: CrawlId = CrawlId(1);

fn skipped(url: &str, reason: &'static str, parked: Option<Origin>) -> Skipped {
    Skipped { key: UrlKey::of(url), url: url.into(), reason, detail: "".into(), parked }
}

fn found(url: &str) -> Found {
    let origin = Origin::seed(ScopeKind::Any, None, Origin::PRIORITY).outlink();
    Found { key: UrlKey::of(url), url: url.into(), host: HostKey::from_stored("h"), origin }
}

fn report(found: Vec<Found>, skipped: Vec<Skipped>) -> Entry {
    let Found { key, url, host, origin } = self::found("http://h/");
    let url = Queued {
        crawl: CRAWL,
        key,
        url,
        host,
        origin,
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    };
    let outcome = Outcome::Redirected { to: "http://h/to".into() };
    Entry::Report(Box::new(Report {
        url,
        token: Token(1),
        fetch: None,
        outcome,
        at: Timestamp::EPOCH,
        found,
        skipped,
    }))
}

#[tokio::test]
async fn what_is_seen_goes_to_the_store_neither_as_found_nor_as_skipped_by_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("s.db")).await.unwrap());
    let front = Arc::new(MemoryFrontier::new(Limits::default(), Clock::start()));
    front.admit(Vec::new(), CRAWL, &[UrlKey::of("http://h/seen")]).await.unwrap();
    let storage = Storage::new(front, store, Clock::start(), Arc::new(|_| {}));
    let mut entries = vec![
        report(
            vec![found("http://h/seen"), found("http://h/new")],
            vec![
                skipped("http://h/seen", "nofollow", None),
                skipped("http://h/other", "nofollow", None),
                skipped("http://h/seen", "robots", None),
            ],
        ),
        report(
            vec![found("http://h/new"), found("http://h/seen")],
            vec![skipped("http://h/seen", "depth", None)],
        ),
    ];
    storage.filter(&mut entries, &mut SkippedFilter::default()).await.unwrap();
    let mut left = Vec::new();
    for entry in &entries {
        let Entry::Report(report) = entry else { continue };
        let skipped = report.skipped.iter().map(|one| (one.url.as_str(), one.reason));
        left.extend(report.found.iter().map(|found| (found.url.as_str(), "found")).chain(skipped));
    }
    assert_eq!(
        left,
        [
            ("http://h/new", "found"),
            ("http://h/other", "nofollow"),
            ("http://h/seen", "robots"),
            ("http://h/new", "found"),
        ]
    );
}

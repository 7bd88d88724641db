//! What the end summary reads: totals of one crawl, whatever else is in the store.

use super::backends::SqlBackend;
use super::made::{
    at, commit, crawl, disallowed, entry, failed, fetch, linking, note, noted, page, skipped, stored,
};
use huntsman::crawl::lease::{Pace, Token};
use huntsman::crawl::report::{Fetched, Note, Outcome, Report, RobotsNote};
use huntsman::store::totals::RequestGroup;
use std::time::Duration;

pub(super) async fn totals_are_those_of_the_crawl_and_count_each_url_once<B: SqlBackend>() {
    let backend = B::new().await;
    let store = backend.store();
    let seeds = ["http://h/0", "http://h/1", "http://h/2", "http://h/3"];
    let (one, urls) = crawl(store, "one", &seeds).await;
    let (two, others) = crawl(store, "two", &seeds).await;
    let skips = |reasons: &[&'static str]| -> Vec<_> {
        reasons.iter().map(|reason| skipped("http://x/", reason)).collect()
    };
    let mut twin = page("a title");
    twin.page.title = Some("another title, the same body".into());
    let unanswered = Fetched { status: None, error: Some("connect"), ..fetch(0) };
    commit(
        store,
        vec![
            Report { skipped: skips(&["depth"]), ..linking(&urls[0], &["http://h/gone"]) },
            Report { skipped: skips(&["nofollow", "depth"]), ..stored(&urls[1]) },
            Report { outcome: Outcome::Stored(Box::new(twin)), ..stored(&urls[2]) },
            disallowed(&urls[3]),
            failed(&others[0]),
            Report { skipped: vec![skipped("http://y/", "scheme")], ..stored(&others[1]) },
            Report { fetch: Some(unanswered), ..failed(&others[2]) },
        ],
    )
    .await;
    let gone = store.open_urls(one, &urls[0].host, 9).await.unwrap().urls.remove(0);
    let fetch_of_robots = RobotsNote {
        url: "http://h/robots.txt".into(),
        hop: 0,
        verdict: "rules",
        detail: String::new(),
        fetch: fetch(200),
        token: Token(1),
    };
    let robots = Note { robots: Some(fetch_of_robots), ..note(two, "h", Pace::default(), at(1)) };
    store.commit(&[entry(failed(&gone)), noted(robots)]).await.unwrap();

    let totals = backend.totals(one).await;
    assert_eq!(totals.skipped, [("depth".to_owned(), 1)], "once, under its first reason; robots apart");
    assert_eq!(totals.duplicates, 2, "three pages of one body");
    assert_eq!(totals.open_hosts, 0);
    let failed: Vec<_> =
        totals.failed.iter().map(|row| (&*row.url, row.found_on.as_deref(), row.seed)).collect();
    assert_eq!(failed, [("http://h/gone", Some("http://h/0"), false)]);
    assert_eq!(requests(&totals.requests), [("page", Some(200), 3, 300), ("page", Some(404), 1, 100)]);

    let totals = backend.totals(two).await;
    assert_eq!(totals.skipped, [("scheme".to_owned(), 1)]);
    assert_eq!((totals.duplicates, totals.failed.len(), totals.open_hosts), (0, 2, 1));
    assert!(totals.failed.iter().all(|row| row.seed));
    assert_eq!(
        requests(&totals.requests),
        [
            ("page", None, 1, 100),
            ("page", Some(200), 1, 100),
            ("page", Some(404), 1, 100),
            ("robots", Some(200), 1, 100),
        ]
    );
}

fn requests(groups: &[RequestGroup]) -> Vec<(&str, Option<u16>, u64, u64)> {
    let mut groups: Vec<_> =
        groups.iter().map(|group| (&*group.kind, group.status, group.count, group.bytes)).collect();
    groups.sort_unstable();
    groups
}

pub(super) async fn half_of_the_answers_came_within_the_median<B: SqlBackend>() {
    let backend = B::new().await;
    let seeds: Vec<_> = (0..21).map(|n| format!("http://h/{n}")).collect();
    let seeds: Vec<_> = seeds.iter().map(String::as_str).collect();
    let (id, urls) = crawl(backend.store(), "t", &seeds).await;
    let empty = backend.totals(id).await;
    assert_eq!((empty.median_ms, empty.p95_ms, empty.requests.len()), (None, None, 0));
    let took = |url, millis, status| {
        let fetch = Fetched { status, total: Duration::from_millis(millis), ..fetch(200) };
        Report { fetch: Some(fetch), ..stored(url) }
    };
    let mut reports: Vec<_> = urls[..20]
        .iter()
        .zip([7, 3, 11, 1, 20, 2, 15, 9, 13, 5, 4, 6, 8, 10, 12, 14, 16, 17, 18, 19])
        .map(|(url, millis)| took(url, millis, Some(200)))
        .collect();
    reports.push(took(&urls[20], 60_000, None));
    commit(backend.store(), reports).await;
    let totals = backend.totals(id).await;
    assert_eq!((totals.median_ms, totals.p95_ms), (Some(10), Some(19)), "silences are no answers");
}

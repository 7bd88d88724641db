//! Promises of the open rows: seeds, refill, states of a crawl.

use super::backends::Backend;
use super::made::{
    at, commit, crawl, disallowed, failed, found, linking, note, noted, redirected, retry, seed, skipped,
    stored,
};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin, Pace};
use huntsman::crawl::report::{Found, Report};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::sitemap::Sitemap;
use huntsman::crawl::url::UrlKey;
use huntsman::store::{CrawlState, SeedRow, Store, Tally};
use std::time::Duration;

fn host(name: &str) -> HostKey {
    HostKey::from_stored(name)
}

async fn open(store: &dyn Store, crawl: CrawlId, of: &str) -> Vec<String> {
    let open = store.open_urls(crawl, &host(of), 99).await.unwrap();
    open.urls.into_iter().map(|url| url.url).collect()
}

pub(super) async fn seeds_become_open_rows_once<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/", "http://h/#a", "http://i/"]).await;
    let accepted: Vec<_> = urls.iter().map(|url| url.url.as_str()).collect();
    assert_eq!(accepted, ["http://h/", "http://i/"], "the same URL twice in a list is one");
    assert_eq!((urls[0].visit, urls[0].attempt, urls[0].throttled), (1, 1, 0));
    commit(backend.store(), vec![stored(&urls[0])]).await;
    let before = backend.contents().await;
    let other = Found { origin: Origin { priority: 9, ..seed("http://h/").origin }, ..seed("http://h/") };
    let new = backend.store().accept(id, vec![other, seed("http://h/b")], at(50)).await.unwrap();
    assert_eq!(new.len(), 1);
    let after = backend.contents().await;
    assert_eq!(after.url(1, "http://h/"), before.url(1, "http://h/"), "what is known stays as it is");
    let row = after.url(1, "http://h/b");
    assert_eq!((row.state.as_str(), &row.found_on, row.depth), ("open", &None, 0));
    assert_eq!(row.found_at, at(50).to_string());
    assert!(backend.store().accept(id, Vec::new(), at(51)).await.unwrap().is_empty());
}

pub(super) async fn a_seed_that_was_skipped_is_no_longer<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let skips = ["http://x/", "http://y/"].map(|url| skipped(url, "out-of-scope")).to_vec();
    commit(backend.store(), vec![Report { skipped: skips, ..stored(&urls[0]) }]).await;
    assert_eq!(backend.store().accept(id, vec![seed("http://x/")], at(1)).await.unwrap().len(), 1);
    let left: Vec<_> = backend.contents().await.skipped.into_iter().map(|row| row.url).collect();
    assert_eq!(left, ["http://y/"]);
}

pub(super) async fn epochs_grow_at_each_open_and_settings_stay<B: Backend>() {
    let mut backend = B::new().await;
    let first = backend.store().open_crawl("t", r#"{"delay":"1s"}"#, at(0)).await.unwrap();
    assert_eq!((first.name.as_str(), first.epoch, first.state), ("t", 1, CrawlState::Running));
    for epoch in 2..5 {
        backend.store().set_state(first.id, CrawlState::Paused, Duration::ZERO, at(1)).await.unwrap();
        backend = backend.reopened().await;
        let row = backend.store().open_crawl("t", "{}", at(2)).await.unwrap();
        assert_eq!((row.id, row.epoch, row.state), (first.id, epoch, CrawlState::Running));
        assert_eq!(row.settings, r#"{"delay":"1s"}"#, "a crawl keeps what it was started with");
    }
    let other = backend.store().open_crawl("u", "{}", at(3)).await.unwrap();
    assert_eq!(other.epoch, 1);
    assert_ne!(other.id, first.id);
}

pub(super) async fn states_and_running_times_are_kept<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let (other, _) = crawl(backend.store(), "u", &[]).await;
    for state in CrawlState::ALL {
        backend.store().set_state(id, state, Duration::from_millis(1_500), at(1)).await.unwrap();
        let contents = backend.contents().await;
        assert_eq!(contents.crawls[0].state, state.as_str());
        assert_eq!(contents.crawls[1].state, "running", "another crawl is not touched");
    }
    let backend = backend.reopened().await;
    let row = backend.store().open_crawl("t", "{}", at(2)).await.unwrap();
    assert_eq!((row.ran, row.epoch), (Duration::from_millis(9_000), 2), "the time adds up");
    let contents = backend.contents().await;
    let other = contents.crawls.iter().find(|row| row.id == other.0).unwrap();
    assert_eq!((other.run_ms, other.epoch), (0, 1));
}

pub(super) async fn a_new_seed_reopens_a_finished_crawl<B: Backend>() {
    let backend = B::new().await;
    let store = backend.store();
    let (id, urls) = crawl(store, "t", &["http://h/"]).await;
    commit(store, vec![stored(&urls[0])]).await;
    for (state, seed_url, reopened) in [
        (CrawlState::Finished, "http://h/", CrawlState::Finished),
        (CrawlState::Finished, "http://h/new", CrawlState::Running),
        (CrawlState::Paused, "http://h/newer", CrawlState::Paused),
        (CrawlState::Cancelled, "http://h/newest", CrawlState::Cancelled),
    ] {
        store.set_state(id, state, Duration::ZERO, at(1)).await.unwrap();
        store.accept(id, vec![seed(seed_url)], at(2)).await.unwrap();
        let contents = backend.contents().await;
        assert_eq!(contents.crawls[0].state, reopened.as_str(), "{state:?} and {seed_url}");
    }
}

pub(super) async fn open_urls_come_back_by_host_in_the_order_of_the_queue<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let with = |url: &str, priority, depth| {
        let origin = Origin {
            priority,
            depth,
            max_depth: Some(4),
            hops: 1,
            seed: Some(ScopeKind::Any),
            sitemap: Some(Sitemap::Listed(2)),
        };
        Found { origin, ..seed(url) }
    };
    let seeds = vec![
        with("http://h/late", 0, 0),
        with("http://h/z", 5, 3),
        with("http://i/other", 9, 0),
        with("http://h/first", 9, 2),
        with("http://h/a", 5, 1),
        with("http://h:8080/port", 5, 0),
    ];
    let accepted = backend.store().accept(id, seeds, at(0)).await.unwrap();
    let open = backend.store().open_urls(id, &host("h"), 99).await.unwrap();
    let urls: Vec<_> = open.urls.iter().map(|url| url.url.as_str()).collect();
    assert_eq!(
        urls,
        ["http://h/first", "http://h/z", "http://h/a", "http://h/late"],
        "by priority, then in the order in which they were accepted"
    );
    for url in &open.urls {
        assert!(accepted.contains(url), "what comes back is what was accepted: {url:?}");
    }
    assert_eq!(self::open(backend.store(), id, "h:8080").await, ["http://h:8080/port"]);
    assert!(self::open(backend.store(), id, "nobody").await.is_empty());
}

pub(super) async fn a_refill_says_whether_there_are_more<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/1", "http://h/2", "http://h/3"]).await;
    for (most, complete) in [(1, false), (2, false), (4, true), (usize::MAX, true)] {
        let open = backend.store().open_urls(id, &host("h"), most).await.unwrap();
        assert_eq!(open.urls, urls[..most.min(3)], "at most {most}, the first of the queue");
        assert_eq!(open.complete, complete, "at most {most}");
    }
}

pub(super) async fn closed_urls_leave_the_queue_and_retries_stay<B: Backend>() {
    let backend = B::new().await;
    let seeds = ["http://h/0", "http://h/1", "http://h/2", "http://h/3", "http://h/4", "http://h/5"];
    let (id, urls) = crawl(backend.store(), "t", &seeds).await;
    let batch = vec![
        stored(&urls[0]),
        failed(&urls[1]),
        retry(&urls[2], at(900), true),
        disallowed(&urls[3]),
        redirected(&urls[4], "http://h/6"),
    ];
    let committed = commit(backend.store(), batch).await;
    let open = backend.store().open_urls(id, &host("h"), 99).await.unwrap().urls;
    let expected = [committed[2].retry.clone().unwrap(), urls[5].clone(), committed[4].admitted[0].clone()];
    assert_eq!(open, expected, "the retry keeps its place, with its due time");
}

pub(super) async fn open_hosts_are_paged_in_order_of_name<B: Backend>() {
    let backend = B::new().await;
    let seeds = ["http://c/", "http://a/1", "http://a/2", "http://b:81/", "http://b/", "http://d/"];
    let (id, urls) = crawl(backend.store(), "t", &seeds).await;
    commit(backend.store(), vec![stored(&urls[5]), stored(&urls[1])]).await;
    let hosts = async |after: &str, most| {
        let hosts = backend.store().open_hosts(id, after, most).await.unwrap();
        hosts.iter().map(|host| host.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hosts("", 99).await, ["a", "b", "b:81", "c"], "once each, and none without open rows");
    assert_eq!(hosts("", 2).await, ["a", "b"]);
    assert_eq!(hosts("b", 2).await, ["b:81", "c"]);
    assert!(hosts("c", 2).await.is_empty());
    assert!(hosts("", 0).await.is_empty());
}

pub(super) async fn seeds_are_told_as_they_were_fetched<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let kinds = ScopeKind::ALL.map(|kind| {
        let url = format!("http://h/{kind}?utm_source=x");
        Found { origin: Origin::seed(kind, None, 5), ..seed(&url) }
    });
    let urls = backend.store().accept(id, kinds.to_vec(), at(0)).await.unwrap();
    let target = redirected(&urls[1], "http://www.h/");
    commit(backend.store(), vec![linking(&urls[0], &["http://h/link"]), target]).await;
    let mut expected: Vec<_> =
        ScopeKind::ALL.iter().map(|kind| (format!("http://h/{kind}?utm_source=x"), *kind, true)).collect();
    assert_eq!(expected.len(), 5);
    let seeds = backend.store().seeds(id).await.unwrap();
    // The target of a seed that moved is a seed too, and opens the same.
    expected.push(("http://www.h/".to_owned(), ScopeKind::Prefix, false));
    let told = |(url, scope, named)| SeedRow { url, scope, named };
    assert_eq!(seeds, expected.into_iter().map(told).collect::<Vec<_>>());
}

pub(super) async fn a_crawl_knows_whether_its_seeds_are_in_and_who_was_there_before<B: Backend>() {
    let backend = B::new().await;
    let store = backend.store();
    let row = store.open_crawl("t", "{}", at(0)).await.unwrap();
    assert_eq!((row.seeded, row.reopened), (false, false));
    let row = store.open_crawl("t", "{}", at(1)).await.unwrap();
    assert_eq!((row.seeded, row.reopened), (false, true), "it died before they were in");
    store.set_seeded(row.id, true).await.unwrap();
    let other = store.open_crawl("u", "{}", at(2)).await.unwrap();
    assert_eq!((other.seeded, other.reopened), (false, true), "another crawl asked the same hosts");
    let backend = backend.reopened().await;
    assert!(backend.store().open_crawl("t", "{}", at(3)).await.unwrap().seeded);
}

pub(super) async fn the_tally_adds_up<B: Backend>() {
    let backend = B::new().await;
    let seeds: Vec<_> = (0..12).map(|n| format!("http://h/{n}")).collect();
    let seeds: Vec<_> = seeds.iter().map(String::as_str).collect();
    let (id, urls) = crawl(backend.store(), "t", &seeds).await;
    assert_eq!(backend.store().tally(id).await.unwrap(), Tally { open: 12, ..Tally::default() });
    let mut batch = vec![stored(&urls[0]), stored(&urls[1]), stored(&urls[2]), disallowed(&urls[3])];
    batch.extend([failed(&urls[4]), failed(&urls[5]), redirected(&urls[6], "http://h/0")]);
    batch.push(retry(&urls[7], at(9), true));
    commit(backend.store(), batch).await;
    let expected = Tally { open: 5, stored: 3, redirected: 1, failed: 2, excluded: 1, read: 0 };
    assert_eq!(backend.store().tally(id).await.unwrap(), expected);
    let contents = backend.contents().await;
    assert_eq!((contents.pages.len(), contents.urls.len()), (3, 12));
    assert_eq!(backend.store().tally(CrawlId(id.0 + 1)).await.unwrap(), Tally::default());
}

pub(super) async fn known_keys_are_those_with_a_row<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/a"]).await;
    let skips = vec![skipped("http://x/", "out-of-scope")];
    commit(backend.store(), vec![Report { skipped: skips, ..stored(&urls[0]) }]).await;
    let keys = [UrlKey::of("http://x/"), urls[0].key, UrlKey::of("http://never/"), urls[0].key];
    assert_eq!(backend.store().known(id, &keys).await.unwrap(), [false, true, false, true]);
    assert_eq!(backend.store().known(CrawlId(id.0 + 1), &keys).await.unwrap(), [false; 4]);
    assert!(backend.store().known(id, &[]).await.unwrap().is_empty());
}

pub(super) async fn everything_survives_a_new_process<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/0", "http://h/1", "http://h/2"]).await;
    let pace = Pace { strikes: 2, ..Pace::default() };
    commit(backend.store(), vec![linking(&urls[0], &["http://i/a"]), failed(&urls[1])]).await;
    commit(backend.store(), vec![retry(&urls[2], at(900), false)]).await;
    backend.store().commit(&[noted(note(id, "h", pace, at(3)))]).await.unwrap();
    let before = backend.contents().await;
    let queue = backend.store().open_urls(id, &host("h"), 9).await.unwrap();
    let backend = backend.reopened().await;
    assert_eq!(backend.contents().await, before);
    assert_eq!(backend.store().open_urls(id, &host("h"), 9).await.unwrap(), queue);
    assert_eq!(backend.store().paces().await.unwrap(), [(host("h"), pace)]);
    assert!(commit(backend.store(), vec![stored(&queue.urls[0])]).await[0].stored, "and work goes on");
}

pub(super) async fn crawls_of_one_store_do_not_see_each_other<B: Backend>() {
    let backend = B::new().await;
    let seeds = ["http://h/", "http://h/b"];
    let (one, urls) = crawl(backend.store(), "one", &seeds).await;
    let (two, others) = crawl(backend.store(), "two", &seeds).await;
    assert_eq!(others.len(), 2, "a URL is new to each crawl");
    let skips = vec![skipped("http://x/", "depth")];
    let batch = vec![
        Report { skipped: skips.clone(), ..linking(&urls[0], &["http://h/found"]) },
        Report { skipped: skips, ..failed(&others[1]) },
    ];
    let committed = commit(backend.store(), batch).await;
    assert_eq!((committed[0].admitted[0].crawl, committed[1].admitted.len()), (one, 0));
    // The same URL in both crawls, in one batch, each on its own way.
    let committed = commit(backend.store(), vec![failed(&urls[1]), stored(&others[0])]).await;
    assert!(committed[0].effective && committed[1].stored);

    let store = backend.store();
    let tally = Tally { open: 1, stored: 1, failed: 1, ..Tally::default() };
    assert_eq!(store.tally(one).await.unwrap(), tally);
    assert_eq!(store.tally(two).await.unwrap(), Tally { open: 0, ..tally });
    assert_eq!(open(store, one, "h").await, ["http://h/found"]);
    assert!(open(store, two, "h").await.is_empty());
    assert!(store.open_hosts(two, "", 9).await.unwrap().is_empty());
    assert_eq!(store.accept(two, vec![found("http://x/")], at(5)).await.unwrap().len(), 1);
    let skipped: Vec<_> = backend.contents().await.skipped.iter().map(|row| row.crawl_id).collect();
    assert_eq!(skipped, [one.0], "admitted in one crawl, still skipped in the other");
    store.set_state(two, CrawlState::Finished, Duration::ZERO, at(6)).await.unwrap();
    assert_eq!(store.seeds(one).await.unwrap().len(), 2);
    assert_eq!(backend.contents().await.crawls[0].state, "running");
}

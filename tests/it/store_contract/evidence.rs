//! Promises of what is kept of URLs that gave no page: skipped rows, dead letters, requests.

use super::backends::Backend;
use super::made::{
    at, commit, crawl, disallowed, failed, fetch, linking, note, noted, retry, seed, skipped, stored,
};
use huntsman::crawl::lease::{Pace, Queued, Token};
use huntsman::crawl::report::{Note, Report, RobotsNote};

pub(super) async fn skipped_urls_have_one_row_a_reason<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/1", "http://h/2", "http://h/3"]).await;
    let page = |url: &Queued, skips: Vec<_>| Report { skipped: skips, ..stored(url) };
    let out = || skipped("http://x/", "out-of-scope");
    let bare = huntsman::crawl::report::Skipped { detail: "".into(), ..skipped("tel:1", "scheme") };
    let batch = vec![
        page(&urls[0], vec![out(), bare]),
        page(&urls[1], vec![out(), skipped("http://x/", "nofollow")]),
    ];
    commit(backend.store(), batch).await;
    commit(backend.store(), vec![page(&urls[2], vec![out()])]).await;
    let rows: Vec<_> = backend
        .contents()
        .await
        .skipped
        .into_iter()
        .map(|row| (row.url, row.reason, row.detail, row.found_on.unwrap()))
        .collect();
    let row = |url: &str, reason: &str, detail: Option<&str>, on: &str| {
        (url.to_owned(), reason.to_owned(), detail.map(str::to_owned), on.to_owned())
    };
    assert_eq!(
        rows,
        [
            row("http://x/", "nofollow", Some("nofollow of http://x/"), "http://h/2"),
            row("http://x/", "out-of-scope", Some("out-of-scope of http://x/"), "http://h/1"),
            row("tel:1", "scheme", None, "http://h/1"),
        ]
    );
}

pub(super) async fn a_url_that_is_accepted_is_not_skipped<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/1", "http://h/2", "http://h/3"]).await;
    let skip = |url: &Queued| Report { skipped: vec![skipped("http://h/a", "depth")], ..stored(url) };
    commit(backend.store(), vec![skip(&urls[0])]).await;
    assert_eq!(backend.contents().await.skipped.len(), 1);
    // A shorter path admits it, and the row goes; a longer one in the same batch or later brings it not back.
    let shorter = Report { found: vec![super::made::found("http://h/a")], ..stored(&urls[1]) };
    let committed = commit(backend.store(), vec![skip(&urls[2]), shorter]).await;
    assert_eq!(committed[1].admitted.len(), 1);
    assert!(backend.contents().await.skipped.is_empty());
    let again = Report { skipped: vec![skipped("http://h/1", "depth")], ..stored(&committed[1].admitted[0]) };
    commit(backend.store(), vec![again]).await;
    assert!(backend.contents().await.skipped.is_empty(), "a URL that was visited is not skipped");
}

pub(super) async fn what_robots_forbids_is_excluded_with_its_line<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/", "http://h/page"]).await;
    commit(backend.store(), vec![disallowed(&urls[0])]).await;
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h/");
    assert_eq!((row.state.as_str(), row.reason.as_deref()), ("excluded", Some("robots")));
    let line = &contents.skipped[0];
    assert_eq!((line.reason.as_str(), line.detail.as_deref()), ("robots", Some("Disallow: /")));
    assert_eq!(line.found_on, None, "a seed is found on no page");
    assert!(contents.fetches.is_empty(), "nothing was asked for");
    assert_eq!(backend.store().accept(id, vec![seed("http://h/")], at(30)).await.unwrap(), []);
    assert_eq!(backend.contents().await.skipped.len(), 1, "the verdict stands");
    let linked = commit(backend.store(), vec![linking(&urls[1], &["http://h/no"])]).await;
    commit(backend.store(), vec![disallowed(&linked[0].admitted[0])]).await;
    let contents = backend.contents().await;
    let line = contents.skipped.iter().find(|line| line.url == "http://h/no").unwrap();
    assert_eq!(line.found_on.as_deref(), Some("http://h/page"), "the page that links there");
}

pub(super) async fn dead_letters_keep_the_evidence<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let committed = commit(backend.store(), vec![linking(&urls[0], &["http://h/gone"])]).await;
    let mut url = committed[0].admitted[0].clone();
    for _ in 0..2 {
        url = commit(backend.store(), vec![retry(&url, at(900), true)]).await[0].retry.clone().unwrap();
    }
    commit(backend.store(), vec![failed(&url)]).await;
    let unanswered = huntsman::crawl::report::Fetched { status: None, error: Some("connect"), ..fetch(0) };
    let contents = backend.contents().await;
    let [letter] = &contents.dead_letters[..] else { panic!("one dead letter: {contents:?}") };
    assert_eq!((letter.url.as_str(), letter.host.as_str(), letter.attempts), ("http://h/gone", "h", 3));
    assert_eq!((letter.reason.as_str(), letter.status), ("http-404", Some(404)));
    assert_eq!(letter.detail.as_deref(), Some("the server answered 404"));
    assert_eq!((letter.found_on.as_deref(), letter.visit), (Some("http://h/"), 1));
    assert_eq!(letter.died_at, at(20).to_string());
    assert_eq!(contents.url(1, "http://h/gone").state, "failed");
    assert_eq!(contents.pages.len(), 1, "no page for what failed");

    let (_, urls) = crawl(backend.store(), "u", &["http://i/"]).await;
    commit(backend.store(), vec![Report { fetch: Some(unanswered), ..failed(&urls[0]) }]).await;
    let contents = backend.contents().await;
    let letter = contents.dead_letters.iter().find(|letter| letter.url == "http://i/").unwrap();
    assert_eq!((letter.status, &letter.found_on), (None, &None), "nobody answered, and nobody links there");
    let request = contents.fetches.iter().find(|line| line.url == "http://i/").unwrap();
    assert_eq!((request.status, request.error.as_deref()), (None, Some("connect")));
}

pub(super) async fn a_request_has_one_row_a_lease_and_kind<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/robots.txt"]).await;
    let (_, others) = crawl(backend.store(), "u", &["http://h/robots.txt"]).await;
    let robots = || RobotsNote {
        url: "http://h/robots.txt".into(),
        hop: 0,
        verdict: "rules",
        detail: String::new(),
        fetch: fetch(200),
        token: Token(1),
    };
    let noting = || noted(Note { robots: Some(robots()), ..note(id, "h", Pace::default(), at(1)) });
    backend.store().commit(&[noting()]).await.unwrap();
    backend.store().commit(&[noting(), noting()]).await.unwrap();
    commit(backend.store(), vec![stored(&urls[0]), stored(&urls[0]), stored(&others[0])]).await;
    let rows: Vec<_> = backend
        .contents()
        .await
        .fetches
        .into_iter()
        .map(|row| (row.crawl_id, row.kind, row.outcome, row.visit))
        .collect();
    let row = |crawl, kind: &str, outcome: &str, visit| (crawl, kind.to_owned(), outcome.to_owned(), visit);
    assert_eq!(
        rows,
        [
            row(1, "page", "stored", Some(1)),
            row(1, "robots", "rules", None),
            row(2, "page", "stored", Some(1)),
        ],
        "a crawl whose leases have the same numbers, and robots.txt as a page, are requests of their own"
    );
}

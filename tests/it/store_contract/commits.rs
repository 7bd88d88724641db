//! Promises of `commit`: one transaction, one gate.

use super::backends::{Backend, SqlBackend};
use super::made::{
    at, commit, crawl, entry, every_outcome, failed, fetch, found, linking, note, noted, redirected, retry,
    skipped, stored,
};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{Origin, Pace, Queued, Token};
use huntsman::crawl::report::{Entry, Found, Report, RobotsNote};
use huntsman::store::StoreError;
use std::time::Duration;

/// A batch that writes into every table.
fn full_batch(urls: &[Queued]) -> Vec<Entry> {
    let page = Report {
        skipped: vec![skipped("http://x/", "out-of-scope")],
        ..linking(&urls[0], &["http://h/new"])
    };
    let robots = RobotsNote {
        url: "http://h/robots.txt".into(),
        hop: 0,
        verdict: "rules",
        detail: String::new(),
        fetch: fetch(200),
        token: Token(1),
    };
    let slow = Pace { crawl_delay: Some(Duration::from_secs(2)), ..Pace::default() };
    let host = note(urls[0].crawl, "h", slow, at(5));
    vec![
        noted(huntsman::crawl::report::Note { robots: Some(robots), ..host }),
        entry(page),
        entry(failed(&urls[1])),
        entry(retry(&urls[2], at(900), true)),
    ]
}

const SEEDS: [&str; 3] = ["http://h/", "http://h/gone", "http://h/later"];

pub(super) async fn a_commit_is_all_or_nothing<B: SqlBackend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &SEEDS).await;
    let before = backend.contents().await;
    let batch = full_batch(&urls);
    for table in ["hosts", "urls", "pages", "fetches", "skipped", "dead_letters"] {
        backend.refuse(table).await;
        let refused = backend.store().commit(&batch).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{table}: {refused:?}");
        assert_eq!(backend.contents().await, before, "a row of {table} was refused, so nothing is written");
        backend.relent().await;
    }
    let committed = backend.store().commit(&batch).await.unwrap();
    assert_eq!(committed.iter().filter(|one| one.effective).count(), 3, "the same batch goes through later");
    let after = backend.contents().await;
    let counts = [after.hosts.len(), after.pages.len(), after.skipped.len(), after.dead_letters.len()];
    assert_eq!((counts, after.urls.len(), after.fetches.len()), ([1; 4], 4, 4));
}

pub(super) async fn seeds_are_accepted_all_or_not_at_all<B: SqlBackend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let report = Report { skipped: vec![skipped("http://h/s", "depth")], ..stored(&urls[0]) };
    commit(backend.store(), vec![report]).await;
    let before = backend.contents().await;
    backend.refuse("urls").await;
    let seeds = || vec![found("http://h/s"), found("http://h/t")];
    assert!(backend.store().accept(id, seeds(), at(1)).await.is_err());
    assert_eq!(backend.contents().await, before);
    backend.relent().await;
    assert_eq!(backend.store().accept(id, seeds(), at(1)).await.unwrap().len(), 2);
}

pub(super) async fn a_page_is_stored_once<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let first = commit(backend.store(), vec![linking(&urls[0], &["http://h/a"])]).await;
    assert!(first[0].effective && first[0].stored && first[0].admitted.len() == 1);
    let once = backend.contents().await;
    assert_eq!((once.pages.len(), once.url(1, "http://h/").state.as_str()), (1, "stored"));

    let again = commit(backend.store(), vec![linking(&urls[0], &["http://h/a", "http://h/b"])]).await;
    assert!(!again[0].effective && !again[0].stored && again[0].admitted.is_empty());
    assert_eq!(backend.contents().await, once, "the same report changes nothing");
    let late = Report { token: Token(2), ..stored(&urls[0]) };
    assert!(!commit(backend.store(), vec![late]).await[0].effective);
    let twice = backend.contents().await;
    assert_eq!((twice.pages, twice.urls, twice.fetches.len()), (once.pages, once.urls, 2));
}

pub(super) async fn a_page_reported_twice_in_a_batch_is_stored_once<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/", "http://h/b"]).await;
    let late = Report { token: Token(2), ..failed(&urls[0]) };
    let reports = vec![stored(&urls[0]), stored(&urls[1]), stored(&urls[0]), late];
    let committed = commit(backend.store(), reports).await;
    let effective: Vec<_> = committed.iter().map(|one| one.effective).collect();
    assert_eq!(effective, [true, true, false, false]);
    let contents = backend.contents().await;
    assert_eq!((contents.pages.len(), contents.dead_letters.len(), contents.fetches.len()), (2, 0, 3));
    assert_eq!(contents.url(1, "http://h/").state, "stored");
}

pub(super) async fn a_report_of_another_attempt_or_visit_changes_nothing<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let committed = commit(backend.store(), vec![retry(&urls[0], at(900), true)]).await;
    let current = committed[0].retry.clone().unwrap();
    let before = backend.contents().await;
    for stale in [
        urls[0].clone(),
        Queued { attempt: 3, ..current.clone() },
        Queued { throttled: 1, ..current.clone() },
        Queued { visit: 2, ..current.clone() },
    ] {
        for report in every_outcome(&stale) {
            let report = Report { found: vec![found("http://h/a")], fetch: None, ..report };
            let committed = commit(backend.store(), vec![report]).await;
            assert_eq!(committed, [huntsman::store::Committed::default()], "{stale:?}");
        }
    }
    assert_eq!(backend.contents().await, before);
    assert!(commit(backend.store(), vec![stored(&current)]).await[0].stored);
}

pub(super) async fn a_stale_report_does_not_keep_the_current_one_of_its_batch_out<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let committed = commit(backend.store(), vec![retry(&urls[0], at(900), true)]).await;
    let current = committed[0].retry.clone().unwrap();
    let committed = commit(backend.store(), vec![failed(&urls[0]), stored(&current)]).await;
    let effective: Vec<_> = committed.iter().map(|one| one.effective).collect();
    assert_eq!(effective, [false, true]);
    let contents = backend.contents().await;
    assert_eq!((contents.pages.len(), contents.dead_letters.len()), (1, 0));
}

pub(super) async fn a_visit_of_a_closed_row_changes_nothing<B: Backend>() {
    let backend = B::new().await;
    let seeds: Vec<_> = (0..6).map(|n| format!("http://h/{n}")).collect();
    let seeds: Vec<_> = seeds.iter().map(String::as_str).collect();
    let (_, urls) = crawl(backend.store(), "t", &seeds).await;
    for (url, closing) in urls.iter().zip([stored, failed, super::made::disallowed]) {
        commit(backend.store(), vec![closing(url)]).await;
    }
    commit(backend.store(), vec![redirected(&urls[3], "http://h/4")]).await;
    let before = backend.contents().await;
    for url in &urls[..4] {
        for late in every_outcome(url) {
            let late = Report { found: vec![found("http://h/new")], fetch: None, ..late };
            let late = Report { skipped: vec![skipped("http://x/", "out-of-scope")], ..late };
            let committed = commit(backend.store(), vec![late]).await;
            assert_eq!(committed, [huntsman::store::Committed::default()]);
        }
    }
    assert_eq!(backend.contents().await, before);
    commit(backend.store(), vec![Report { token: Token(9), ..failed(&urls[0]) }]).await;
    let after = backend.contents().await;
    assert_eq!(after.fetches.len(), before.fetches.len() + 1, "the request was made, and is shown");
    assert_eq!(without_fetches(after), without_fetches(before));
}

fn without_fetches(contents: super::contents::Contents) -> super::contents::Contents {
    super::contents::Contents { fetches: Vec::new(), ..contents }
}

pub(super) async fn a_report_on_a_url_without_a_row_changes_nothing<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let stranger =
        Queued { key: found("http://h/other").key, url: "http://h/other".into(), ..urls[0].clone() };
    let committed = commit(backend.store(), vec![linking(&stranger, &["http://h/a"])]).await;
    assert!(!committed[0].effective && committed[0].admitted.is_empty());
    let contents = backend.contents().await;
    assert_eq!(contents.states(), ["http://h/ open"]);
    assert!(contents.pages.is_empty());
}

pub(super) async fn found_urls_get_one_row_and_the_first_finder_wins<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/1", "http://h/2", "http://h/3"]).await;
    let deeper = Found { origin: Origin { depth: 7, ..found("http://i/a").origin }, ..found("http://i/a") };
    let second = Report { found: vec![deeper.clone(), found("http://h/1")], ..linking(&urls[1], &[]) };
    let batch = vec![linking(&urls[0], &["http://i/a", "http://h/2"]), second];
    let committed = commit(backend.store(), batch).await;
    let admitted: Vec<Vec<&str>> =
        committed.iter().map(|one| one.admitted.iter().map(|url| url.url.as_str()).collect()).collect();
    assert_eq!(admitted, [vec!["http://i/a"], vec![]]);
    let first = committed[0].admitted[0].clone();
    assert_eq!(first, Queued::clone(&store_row(&backend, id).await), "the answer is the row");

    let third = Report { found: vec![deeper], ..stored(&urls[2]) };
    assert!(commit(backend.store(), vec![third]).await[0].admitted.is_empty());
    let contents = backend.contents().await;
    let row = contents.url(1, "http://i/a");
    assert_eq!((row.found_on.as_deref(), row.depth, row.host.as_str()), (Some("http://h/1"), 1, "i"));
    assert_eq!((row.state.as_str(), row.visit, row.attempt, &row.due_at), ("open", 1, 1, &None));
}

async fn store_row<B: Backend>(backend: &B, crawl: huntsman::crawl::lease::CrawlId) -> Queued {
    let host = huntsman::crawl::host::HostKey::from_stored("i");
    backend.store().open_urls(crawl, &host, 1).await.unwrap().urls.remove(0)
}

pub(super) async fn a_url_in_several_spellings_is_one_row<B: Backend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let spellings = ["http://h/%7Ea?utm_source=x", "http://h/~a", "http://h/~a?utm_medium=y"];
    let committed = commit(backend.store(), vec![linking(&urls[0], &spellings)]).await;
    assert_eq!(committed[0].admitted.len(), 1);
    assert_eq!(committed[0].admitted[0].url, spellings[0], "what was found first is fetched");
    assert_eq!(backend.contents().await.urls.len(), 2);
}

pub(super) async fn a_retry_keeps_the_row_open_with_the_next_attempt_and_due<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let early = at(900) + Duration::from_micros(1);
    let committed = commit(backend.store(), vec![retry(&urls[0], early, true)]).await;
    let again = committed[0].retry.clone().unwrap();
    assert!(committed[0].effective && !committed[0].stored);
    assert_eq!((again.attempt, again.throttled, again.due), (2, 0, at(901)), "never earlier than asked");
    let open = backend.store().open_urls(id, &again.host, 9).await.unwrap();
    assert_eq!(open.urls, std::slice::from_ref(&again), "the queue holds what the answer says");
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h/");
    assert_eq!(
        (row.state.as_str(), row.reason.as_deref(), &row.closed_at),
        ("open", Some("http-503"), &None)
    );
    assert_eq!(row.due_at, Some(at(901).to_string()));

    commit(backend.store(), vec![stored(&again)]).await;
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h/");
    assert_eq!((row.state.as_str(), &row.reason, &row.due_at, row.attempt), ("stored", &None, &None, 2));
}

pub(super) async fn a_throttle_uses_up_no_attempt<B: Backend>() {
    let backend = B::new().await;
    let (_, mut urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    for (counts, attempt, throttled) in [(false, 1, 1), (false, 1, 2), (true, 2, 0), (false, 2, 1)] {
        let committed = commit(backend.store(), vec![retry(&urls[0], at(900), counts)]).await;
        urls = vec![committed[0].retry.clone().unwrap()];
        assert_eq!((urls[0].attempt, urls[0].throttled), (attempt, throttled));
    }
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h/");
    assert_eq!((row.attempt, row.throttled), (2, 1));
}

pub(super) async fn a_redirect_closes_its_url_and_opens_the_target_one_hop_on<B: Backend>() {
    let backend = B::new().await;
    let (_, mut urls) = crawl(backend.store(), "t", &["http://h/0"]).await;
    for hop in 1..=3 {
        let target = format!("http://h{hop}/{hop}");
        let committed = commit(backend.store(), vec![redirected(&urls[0], &target)]).await;
        assert!(committed[0].effective && !committed[0].stored);
        urls.clone_from(&committed[0].admitted);
        assert_eq!((urls[0].origin.hops, urls[0].origin.depth), (hop, 0), "a redirect is no hop from a seed");
    }
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h1/1");
    assert_eq!(
        (row.state.as_str(), row.redirect_to.as_deref(), row.found_on.as_deref()),
        ("redirected", Some("http://h2/2"), Some("http://h/0"))
    );
    assert!(contents.pages.is_empty());
    assert!(contents.urls.iter().all(|row| row.seed.as_deref() == Some("host")), "a seed's target is a seed");
}

pub(super) async fn an_open_url_that_a_seed_redirects_to_is_a_seed_from_then_on<B: Backend>() {
    let backend = B::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/a", "http://h/b", "http://h/c"]).await;
    let outlinks = ["http://h/open", "http://h/closed"];
    let first = commit(backend.store(), vec![linking(&urls[0], &outlinks)]).await;
    let [open, closed] = &first[0].admitted[..] else { panic!("{first:?}") };
    commit(backend.store(), vec![stored(closed)]).await;
    let moved: Vec<_> = outlinks.iter().zip(&urls[1..]).map(|(to, seed)| redirected(seed, to)).collect();
    let committed = commit(backend.store(), moved).await;
    assert!(committed.iter().all(|one| one.effective && one.admitted.is_empty()), "neither is new");

    let contents = backend.contents().await;
    let line = |url| {
        let row = contents.url(1, url);
        (row.depth, row.hops, row.seed.clone(), row.visit)
    };
    assert_eq!(line("http://h/open"), (0, 1, Some("host".into()), 2));
    assert_eq!(line("http://h/closed"), (1, 0, None, 1), "what was visited stays as it is");
    let late = commit(backend.store(), vec![stored(open)]).await;
    assert!(!late[0].effective, "a visit that was under way knows the old depth");
    let host = HostKey::from_stored("h");
    let again = backend.store().open_urls(id, &host, 9).await.unwrap().urls;
    let committed = commit(backend.store(), again.iter().map(stored).collect()).await;
    assert!(matches!(&committed[..], [one] if one.stored), "{committed:?}");
}

pub(super) async fn every_entry_of_a_large_batch_gets_its_answer_in_order<B: Backend>() {
    let backend = B::new().await;
    let seeds: Vec<_> = (0..300).map(|n| format!("http://h/{n}")).collect();
    let seeds: Vec<_> = seeds.iter().map(String::as_str).collect();
    let (id, urls) = crawl(backend.store(), "t", &seeds).await;
    assert_eq!(urls.iter().map(|url| url.url.as_str()).collect::<Vec<_>>(), seeds);
    let mut batch = Vec::new();
    for (n, url) in urls.iter().enumerate() {
        batch.push(match n % 3 {
            0 => entry(linking(url, &[&format!("http://h/{n}/a"), "http://h/all"])),
            1 => noted(note(id, &format!("h{n}"), Pace { strikes: 1, ..Pace::default() }, at(1))),
            _ => entry(failed(url)),
        });
    }
    let committed = backend.store().commit(&batch).await.unwrap();
    assert_eq!(committed.len(), 300);
    for (n, one) in committed.iter().enumerate() {
        assert_eq!((one.effective, one.stored), (n % 3 != 1, n % 3 == 0), "entry {n}");
        let admitted: Vec<_> = one.admitted.iter().map(|url| url.url.clone()).collect();
        let mut expected = Vec::new();
        if n % 3 == 0 {
            expected.push(format!("http://h/{n}/a"));
        }
        if n == 0 {
            expected.push("http://h/all".to_owned());
        }
        assert_eq!(admitted, expected, "entry {n}");
    }
    let tally = backend.store().tally(id).await.unwrap();
    assert_eq!((tally.open, tally.stored, tally.failed), (100 + 101, 100, 100));
    assert!(backend.store().commit(&[]).await.unwrap().is_empty());
}

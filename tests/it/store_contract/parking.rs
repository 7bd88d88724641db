//! Promises of what is parked: it is shown, it has no row, it comes back by itself or by release, and counts outlive a process.

use super::backends::Backend;
use super::made::{at, commit, failed, found, linking, retry, seed, skipped, stored};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin, Queued};
use huntsman::crawl::report::{Report, Skipped};
use huntsman::crawl::traps::Rule;
use huntsman::store::{CrawlState, Store, WhichParked};
use std::time::Duration;

async fn crawl(store: &dyn Store, settings: &str) -> (CrawlId, Queued) {
    let id = store.open_crawl("t", settings, at(0)).await.unwrap().id;
    let urls = store.accept(id, vec![seed("http://h/")], at(0)).await.unwrap();
    (id, urls[0].clone())
}

fn urls(queued: &[Queued]) -> Vec<&str> {
    queued.iter().map(|url| url.url.as_str()).collect()
}

/// URLs of host `h` by number, as words: no two are alike.
fn names(count: usize) -> Vec<String> {
    let word = |n: usize| format!("http://h/{}", "abcdefghijklmnopqrstuvwxyz".get(n..=n).unwrap());
    (0..count).map(word).collect()
}

fn linking_all(url: &Queued, to: &[String]) -> Report {
    linking(url, &to.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) async fn what_is_parked_is_opened_by_release_as_it_was_found<B: Backend>() {
    let backend = B::new().await;
    let (id, home) = crawl(backend.store(), "{}").await;
    let origin = Origin { max_depth: Some(9), priority: 7, ..found("http://h/x").origin };
    let park =
        |url: &str, reason| Skipped { key: found(url).key, parked: Some(origin), ..skipped(url, reason) };
    let parks =
        vec![park("http://h/far", "far"), park("http://i/far", "far"), park("http://h/deep", "deep-path")];
    let report =
        Report { skipped: [parks, vec![skipped("http://h/out", "out-of-scope")]].concat(), ..stored(&home) };
    assert!(commit(backend.store(), vec![report]).await[0].admitted.is_empty());
    backend.store().set_state(id, CrawlState::Finished, Duration::ZERO, at(1)).await.unwrap();

    let which = WhichParked { host: Some(HostKey::from_stored("h")), rule: Some(Rule::Far), key: None };
    let opened = backend.store().release(id, &which, 10, at(50)).await.unwrap();
    assert_eq!(urls(&opened), ["http://h/far"]);
    assert_eq!(opened[0].origin, origin);
    let contents = backend.contents().await;
    let row = contents.url(1, "http://h/far");
    assert_eq!((row.state.as_str(), row.found_on.as_deref(), row.depth), ("open", Some("http://h/"), 1));
    assert_eq!(contents.crawls[0].state, "running", "it is no longer finished");
    assert!(backend.store().release(id, &which, 10, at(51)).await.unwrap().is_empty(), "once");
    let one = WhichParked { key: Some(found("http://h/deep").key), ..WhichParked::default() };
    assert_eq!(urls(&backend.store().release(id, &one, 10, at(52)).await.unwrap()), ["http://h/deep"]);
    assert_eq!(
        urls(&backend.store().release(id, &WhichParked::default(), 10, at(53)).await.unwrap()),
        ["http://i/far"]
    );
    let left: Vec<_> = backend.contents().await.skipped.into_iter().map(|row| row.url).collect();
    assert_eq!(left, ["http://h/out"], "what is no rule against traps is not parked");
}

pub(super) async fn a_budget_of_waiting_urls_parks_and_lets_in_as_there_is_room<B: Backend>() {
    let mut backend = B::new().await;
    let (_, home) = crawl(backend.store(), r#"{"host_urls":"3"}"#).await;
    let names = names(6);
    let committed = commit(backend.store(), vec![linking_all(&home, &names)]).await;
    assert_eq!(urls(&committed[0].admitted), names[..3]);
    assert_eq!(committed[0].parked, names[3..].iter().map(|url| found(url).key).collect::<Vec<_>>());
    let contents = backend.contents().await;
    assert_eq!(contents.urls.len(), 4, "what is parked has no row");
    let line = contents.skipped.iter().find(|line| line.url == names[3]).unwrap();
    assert_eq!(
        (line.reason.as_str(), line.parked.as_deref(), line.host.as_deref()),
        ("host-urls", Some("h urls"), Some("h"))
    );
    assert!(line.detail.as_deref().unwrap().contains("huntsman release --rule host-urls --host h"));

    // The count is that of the store, not of a process.
    backend = backend.reopened().await;
    let again = committed[0].admitted[1].clone();
    let waits = commit(backend.store(), vec![retry(&again, at(900), true)]).await;
    assert!(waits[0].admitted.is_empty(), "it still waits, and there is no room");
    let done =
        commit(backend.store(), vec![stored(&committed[0].admitted[0]), failed(&committed[0].admitted[2])])
            .await;
    assert_eq!(urls(&done[0].admitted), names[3..5], "the first parked come first");
    assert_eq!(backend.contents().await.skipped.len(), 1);
}

pub(super) async fn what_waits_for_several_hosts_is_opened_by_one_commit<B: Backend>() {
    let backend = B::new().await;
    let (_, home) = crawl(backend.store(), r#"{"host_urls":"2"}"#).await;
    let of = |host: &str| ["a", "b", "c", "d", "e"].map(|name| format!("http://{host}/{name}"));
    let (i, j) = (of("i"), of("j"));
    // In turn, so that what waits for one host lies between what waits for the other.
    let found: Vec<String> = i.iter().zip(&j).flat_map(|(i, j)| [i.clone(), j.clone()]).collect();
    let first = commit(backend.store(), vec![linking_all(&home, &found)]).await;
    assert_eq!(urls(&first[0].admitted), found[..4]);
    let [i1, j1, i2, _] = &first[0].admitted[..] else { panic!("two a host") };
    let second = commit(backend.store(), vec![stored(i1), stored(i2), stored(j1)]).await;
    let opened = second.iter().flat_map(|one| urls(&one.admitted)).collect::<Vec<_>>();
    assert_eq!(opened, [&i[2], &j[2], &i[3]], "each host as many as it has room for, the first parked first");
    let left: Vec<_> = backend.contents().await.skipped.into_iter().map(|line| line.url).collect();
    assert_eq!(left, [&i[4], &j[3], &j[4]].map(String::as_str));
}

pub(super) async fn what_is_found_again_while_it_is_parked_stays_one_row<B: Backend>() {
    let backend = B::new().await;
    let (_, home) = crawl(backend.store(), r#"{"host_urls":"1"}"#).await;
    let names = names(3);
    let first = commit(backend.store(), vec![linking_all(&home, &names)]).await;
    let second = commit(backend.store(), vec![linking_all(&first[0].admitted[0], &names)]).await;
    assert_eq!(urls(&second[0].admitted), names[1..2], "known ones take no room");
    assert_eq!(backend.contents().await.skipped.len(), 1);
}

pub(super) async fn numbered_copies_are_parked_and_new_pages_make_room<B: Backend>() {
    let backend = B::new().await;
    let (_, home) = crawl(backend.store(), "{}").await;
    let numbered: Vec<String> = (0..100).map(|n| format!("http://h/item/{n}")).collect();
    let committed = commit(backend.store(), vec![linking_all(&home, &numbered)]).await;
    let admitted = &committed[0].admitted;
    assert_eq!((admitted.len(), committed[0].parked.len()), (48, 52));
    let line = backend.contents().await.skipped.into_iter().find(|line| line.url == numbered[99]).unwrap();
    assert_eq!((line.reason.as_str(), line.parked.as_deref()), ("template", Some("h /item/{n}")));
    let sketched = |url: &Queued, sketch: u64| {
        let mut report = stored(url);
        if let huntsman::crawl::report::Outcome::Stored(page) = &mut report.outcome {
            page.page.sketch = Some(sketch);
        }
        report
    };
    let copies = admitted[..20].iter().map(|url| sketched(url, 0)).collect();
    assert!(
        commit(backend.store(), copies).await.iter().all(|one| one.admitted.is_empty()),
        "copies make no room"
    );
    let new = (0..4).map(|n| sketched(&admitted[20 + n], 0xff << (16 * n))).collect();
    let opened: usize = commit(backend.store(), new).await.iter().map(|one| one.admitted.len()).sum();
    assert_eq!(opened, 52);
    assert!(backend.contents().await.skipped.is_empty());
}

pub(super) async fn a_domain_has_no_more_subdomains_than_its_budget<B: Backend>() {
    let backend = B::new().await;
    let (_, home) = crawl(backend.store(), r#"{"domain_hosts":"2"}"#).await;
    let hosts = ["a", "b", "c"].map(|name| format!("http://{name}.example.org/"));
    let all = [&hosts[..], &["http://example.org/".to_owned(), "http://a.example.org/x".to_owned()]].concat();
    let committed = commit(backend.store(), vec![linking_all(&home, &all)]).await;
    assert_eq!(
        committed[0].parked,
        [found(&hosts[2]).key],
        "a known subdomain and the domain itself are none more"
    );
    let line = backend.contents().await.skipped.remove(0);
    assert_eq!((line.reason.as_str(), line.parked.as_deref()), ("domain-hosts", Some("*.example.org hosts")));
}

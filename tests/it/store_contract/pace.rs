//! Promises of notes on hosts.

use super::backends::Backend;
use super::made::{at, crawl, fetch, note, noted};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Token};
use huntsman::crawl::report::{Fetched, Note, RobotsNote};
use huntsman::crawl::time::Timestamp;
use huntsman::store::Store;
use std::time::Duration;

fn pace(delay: u64, until: i64, strikes: u32) -> Pace {
    let crawl_delay = Some(Duration::from_secs(delay));
    Pace { crawl_delay, block_until: Some(at(until)), strikes }
}

async fn paces(store: &dyn Store) -> Vec<(String, Pace)> {
    let mut paces: Vec<_> =
        store.paces().await.unwrap().into_iter().map(|(host, pace)| (host.to_string(), pace)).collect();
    paces.sort_by(|one, other| one.0.cmp(&other.0));
    paces
}

fn robots(verdict: &'static str, fetch: Fetched, token: i64) -> RobotsNote {
    let (url, detail) = ("http://h/robots.txt".into(), String::new());
    RobotsNote { url, hop: 0, verdict, detail, fetch, token: Token(token) }
}

pub(super) async fn notes_survive_a_new_process<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let never = Pace { block_until: Some(Timestamp::NEVER), ..Pace::default() };
    let batch = [
        noted(note(id, "h", pace(300, 5_000, 2), at(1))),
        noted(note(id, "i:8080", pace(1, 0, 0), at(1))),
        noted(note(id, "never", never, at(1))),
    ];
    backend.store().commit(&batch).await.unwrap();
    let backend = backend.reopened().await;
    let expected = [("h", pace(300, 5_000, 2)), ("i:8080", pace(1, 0, 0)), ("never", never)];
    assert_eq!(paces(backend.store()).await, expected.map(|(host, pace)| (host.to_owned(), pace)));
}

pub(super) async fn an_older_note_never_replaces_a_newer_one<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let store = backend.store();
    let commit = async |notes: Vec<Note>| {
        store.commit(&notes.into_iter().map(noted).collect::<Vec<_>>()).await.unwrap();
        paces(store).await[0].1.strikes
    };
    let by = |strikes, millis| note(id, "h", pace(1, 100, strikes), at(millis));
    assert_eq!(commit(vec![by(5, 50)]).await, 5);
    assert_eq!(commit(vec![by(4, 49)]).await, 5, "older");
    assert_eq!(commit(vec![by(6, 50)]).await, 6, "of the same time: the later one to come");
    assert_eq!(commit(vec![by(8, 60), by(7, 55)]).await, 8, "newer first, in one batch");
    assert_eq!(commit(vec![by(9, 61), by(10, 62)]).await, 10, "newer last, in one batch");
    assert_eq!(commit(vec![note(CrawlId(9), "h", pace(1, 1, 1), at(70))]).await, 1, "whatever the crawl");
    assert_eq!(backend.contents().await.hosts.len(), 1);
}

pub(super) async fn a_pace_is_never_shortened_by_writing_it_down<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let asked = Pace {
        crawl_delay: Some(Duration::from_micros(1_500_001)),
        block_until: Some(at(7) + Duration::from_micros(1)),
        strikes: 0,
    };
    backend.store().commit(&[noted(note(id, "h", asked, at(1)))]).await.unwrap();
    let kept = Pace { crawl_delay: Some(Duration::from_millis(1_501)), block_until: Some(at(8)), strikes: 0 };
    assert_eq!(paces(backend.store()).await, [("h".to_owned(), kept)]);
}

pub(super) async fn a_note_that_does_not_speak_of_robots_keeps_them<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let first = Note { robots: Some(robots("rules", fetch(200), 1)), ..note(id, "h", pace(2, 0, 0), at(1)) };
    backend.store().commit(&[noted(first)]).await.unwrap();
    backend.store().commit(&[noted(note(id, "h", pace(2, 900, 1), at(2)))]).await.unwrap();
    let contents = backend.contents().await;
    let row = &contents.hosts[0];
    assert_eq!((row.robots.as_deref(), row.robots_status), (Some("rules"), Some(200)));
    assert_eq!((row.robots_fetched_at.clone(), row.strikes), (Some(at(10).to_string()), 1));
    let requests: Vec<_> = contents.fetches.iter().map(|row| (&*row.kind, &*row.outcome)).collect();
    assert_eq!(requests, [("robots", "rules")]);
}

pub(super) async fn what_a_robots_txt_said_replaces_the_one_before_whole<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let silent = Fetched { status: None, error: Some("connect"), started: at(30), ..fetch(0) };
    for (token, verdict, fetch, at_) in
        [(1, "rules", fetch(200), 1), (2, "unreachable", silent, 2), (3, "allow-all", fetch(404), 1)]
    {
        let one = robots(verdict, fetch, token);
        let entry = noted(Note { robots: Some(one), ..note(id, "h", pace(1, 0, 0), at(at_)) });
        backend.store().commit(&[entry]).await.unwrap();
    }
    let contents = backend.contents().await;
    let row = &contents.hosts[0];
    assert_eq!((row.robots.as_deref(), row.robots_status), (Some("unreachable"), None), "the newest, whole");
    assert_eq!(row.robots_fetched_at, Some(at(30).to_string()));
    assert_eq!(contents.fetches.len(), 3, "an old note is a request all the same");
}

pub(super) async fn hosts_that_asked_for_nothing_have_no_pace<B: Backend>() {
    let backend = B::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    let store = backend.store();
    let quiet = note(id, "h", Pace::default(), at(1));
    store.commit(&[noted(quiet), noted(note(id, "i", pace(1, 1, 1), at(1)))]).await.unwrap();
    assert_eq!(paces(store).await.len(), 1);
    store.commit(&[noted(note(id, "i", Pace::default(), at(2)))]).await.unwrap();
    assert_eq!(store.paces().await.unwrap(), Vec::<(HostKey, Pace)>::new(), "and one that took it back");
}

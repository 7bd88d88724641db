//! What scheduler and nodes tell each other through the index: rules, states of crawls, who is there and who is to leave.

use super::subject::{Backend, CRAWL, SECOND, Subject, limits, paths, url};
use huntsman::crawl::lease::CrawlId;
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::scope::ScopeKind;
use huntsman::frontier::{CrawlSettings, FrontierError, Handed, MAX_SCOPE_SEEDS, Next, RunState, SeedsRead};
use std::time::Duration;

fn seed(name: &str) -> (String, ScopeKind) {
    (format!("http://{name}/"), ScopeKind::Domain)
}

async fn state(subject: &Subject, state: RunState) {
    let delay = Delay::Fixed(Duration::ZERO);
    let settings = CrawlSettings { state, delay, max_pages: None, stored: Some(0) };
    subject.index.front.settings(CRAWL, settings).await.unwrap();
}

pub(super) async fn the_rules_of_a_crawl_are_what_was_published_and_opened(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let rules = async || subject.index.leases.rules(CRAWL, SeedsRead::default()).await.unwrap();
    assert_eq!(rules().await, None);
    subject.index.front.publish(CRAWL, r#"{"depth":3}"#.into()).await.unwrap();
    subject.index.reports.open_scope(CRAWL, vec![seed("b"), seed("a"), seed("b")]).await.unwrap();
    let first = rules().await.unwrap();
    assert_eq!(&*first.settings, r#"{"depth":3}"#);
    assert_eq!(first.seeds, [seed("b"), seed("a")], "each once, in their order");
    assert!(first.version > 0);
    subject.index.front.publish(CRAWL, r#"{"depth":3}"#.into()).await.unwrap();
    subject.index.reports.open_scope(CRAWL, vec![seed("a")]).await.unwrap();
    assert_eq!(rules().await.unwrap(), first, "said again, it changes nothing");
    subject.index.reports.open_scope(CRAWL, vec![seed("c")]).await.unwrap();
    let second = rules().await.unwrap();
    assert!(second.version > first.version);
    assert_eq!(second.seeds, [seed("b"), seed("a"), seed("c")]);
    let since = subject.index.leases.rules(CRAWL, first.read).await.unwrap().unwrap();
    assert_eq!((since.seeds, since.read), (vec![seed("c")], second.read), "what was read is not said again");
    assert_eq!(
        subject.index.leases.rules(CrawlId(2), SeedsRead::default()).await.unwrap(),
        None,
        "a crawl has its own"
    );
}

pub(super) async fn a_lease_says_which_rules_are_in_force(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    assert_eq!(lease.rules, [(CRAWL, 0)], "none were published");
    subject.release(&lease, subject.now()).await;
    subject.index.front.publish(CRAWL, "{}".into()).await.unwrap();
    subject.index.reports.open_scope(CRAWL, vec![seed("a")]).await.unwrap();
    let version = subject.index.leases.rules(CRAWL, SeedsRead::default()).await.unwrap().unwrap().version;
    assert_eq!(subject.one().await.rules, [(CRAWL, version)]);
}

pub(super) async fn a_crawl_has_no_more_seeds_than_the_bound(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let many = (0..MAX_SCOPE_SEEDS).map(|n| seed(&format!("h{n}"))).collect();
    subject.index.reports.open_scope(CRAWL, many).await.unwrap();
    let more = subject.index.reports.open_scope(CRAWL, vec![seed("h1"), seed("one-more")]).await;
    assert!(matches!(more, Err(FrontierError::Unusable(_))), "{more:?}");
    let rules = subject.index.leases.rules(CRAWL, SeedsRead::default()).await.unwrap().unwrap();
    assert_eq!(rules.seeds.len(), MAX_SCOPE_SEEDS, "more open nothing");
    subject.index.reports.open_scope(CRAWL, vec![seed("h1")]).await.unwrap();
}

pub(super) async fn nothing_of_a_paused_crawl_is_leased_until_it_runs(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let held = subject.one().await;
    state(&subject, RunState::Paused).await;
    subject.hand_off(&held, &held.urls[0]).await;
    subject.release(&held, subject.now()).await;
    subject.nothing_to_lease().await;
    assert_eq!(subject.held().await, (1, 0, 1), "its URLs stay where they are");
    state(&subject, RunState::Running).await;
    assert_eq!(paths(&subject.one().await.urls), ["2"]);
}

pub(super) async fn a_hand_off_says_that_its_crawl_does_not_run_any_more(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3", "4"]).await;
    let held = subject.one().await;
    assert_eq!(subject.hand_off(&held, &held.urls[0]).await, Handed::Accepted);
    for (at, stopped) in [(1, RunState::Paused), (2, RunState::Cancelled)] {
        state(&subject, stopped).await;
        assert_eq!(subject.hand_off(&held, &held.urls[at]).await, Handed::Last, "it is taken all the same");
    }
    state(&subject, RunState::Running).await;
    assert_eq!(subject.hand_off(&held, &held.urls[3]).await, Handed::Accepted);
    assert_eq!(subject.held().await, (0, 0, 4));
}

pub(super) async fn a_crawl_that_is_let_go_leaves_once_nothing_of_it_is_under_way(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let many: Vec<String> = (0..90).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut later = url("b", "later");
    later.due = subject.now() + SECOND;
    subject.admit(&[later]).await;
    subject.admit_paths("c", &["1"]).await;
    let held = subject.one().await;
    subject.admit_paths("a", &many).await;
    subject.set(CrawlId(2), Duration::ZERO, None).await;
    let mut theirs = url("a", "1");
    theirs.crawl = CrawlId(2);
    subject.index.reports.admit(vec![theirs.clone()], CrawlId(2), &[]).await.unwrap();
    let front = &subject.index.front;
    front.publish(CRAWL, "{}".into()).await.unwrap();
    state(&subject, RunState::Cancelled).await;
    for _ in 0..10 {
        assert!(!front.forget(CRAWL).await.unwrap(), "one of its URLs is leased");
    }
    assert_eq!(subject.held().await, (1, 1, 0), "what is queued has left, but for that of the other crawl");
    subject.finish(&held).await;
    assert!(!front.forget(CRAWL).await.unwrap(), "... or handed over");
    subject.acknowledge_all().await;
    let mut calls = 0;
    while !front.forget(CRAWL).await.unwrap() {
        calls += 1;
        assert!(calls < 10, "nothing of it is left");
    }
    assert_eq!(subject.index.leases.rules(CRAWL, SeedsRead::default()).await.unwrap(), None);
    assert_eq!(subject.one().await.urls, [theirs]);
    state(&subject, RunState::Running).await;
    assert_eq!(subject.admit_paths("d", &["1"]).await, 1, "it may come again");
    assert_eq!(subject.lease(10).await.len(), 1);
}

pub(super) async fn the_rules_of_a_crawl_that_comes_again_are_newer_and_another_list(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let rules = async |read| subject.index.leases.rules(CRAWL, read).await.unwrap().unwrap();
    subject.index.front.publish(CRAWL, "{}".into()).await.unwrap();
    subject.index.reports.open_scope(CRAWL, vec![seed("b"), seed("a")]).await.unwrap();
    let before = rules(SeedsRead::default()).await;
    state(&subject, RunState::Cancelled).await;
    while !subject.index.front.forget(CRAWL).await.unwrap() {}
    subject.pass(Duration::from_millis(10)).await;
    subject.index.front.publish(CRAWL, "{}".into()).await.unwrap();
    subject.index.reports.open_scope(CRAWL, vec![seed("a"), seed("b"), seed("c")]).await.unwrap();
    let after = rules(before.read).await;
    assert_eq!(after.seeds, [seed("a"), seed("b"), seed("c")], "all of them, in the order of now");
    assert!(after.version > before.version && after.read.list != before.read.list, "{before:?} {after:?}");
}

pub(super) async fn the_urls_of_a_cancelled_crawl_leave(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let mine: Vec<_> = (0..90).map(|n| n.to_string()).collect();
    subject.admit_paths("a", &mine.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut later = url("b", "later");
    later.due = subject.now() + SECOND;
    let mut theirs = url("b", "1");
    theirs.crawl = CrawlId(2);
    subject.set(CrawlId(2), Duration::ZERO, None).await;
    subject.admit(&[later, url("b", "1")]).await;
    subject.index.reports.admit(vec![theirs.clone()], CrawlId(2), &[]).await.unwrap();
    state(&subject, RunState::Cancelled).await;
    let mut leased = Vec::new();
    for _ in 0..5 {
        if let Next::Leases(leases) = subject.index.leases.lease(10).await.unwrap() {
            for lease in leases {
                subject.finish(&lease).await;
                leased.extend(lease.urls);
            }
        }
        subject.pass(SECOND / 3).await;
    }
    assert_eq!(leased, [theirs]);
    assert_eq!(subject.counts().await.queued, 0);
    state(&subject, RunState::Running).await;
    assert_eq!(subject.admit_paths("c", &["1"]).await, 1);
}

pub(super) async fn nodes_that_ask_are_known_and_can_be_asked_to_leave(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let front = &subject.index.front;
    assert_eq!(front.nodes().await.unwrap(), []);
    assert!(!front.drain("nobody").await.unwrap());
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    subject.finish(&lease).await;
    subject.pass(2 * SECOND).await;
    subject.nothing_to_lease().await;
    let nodes = front.nodes().await.unwrap();
    let [node] = &nodes[..] else { panic!("one node: {nodes:?}") };
    assert_eq!((node.seen, node.handed_off, node.draining), (subject.now(), 1, false));
    assert!(!front.drain("nobody").await.unwrap());
    assert!(front.drain(&node.name).await.unwrap());
    subject.pass(2 * SECOND).await;
    for _ in 0..2 {
        assert!(matches!(subject.index.leases.lease(1).await.unwrap(), Next::Drain));
    }
    assert!(front.nodes().await.unwrap()[0].draining);
}

pub(super) async fn a_beat_keeps_the_index_open(backend: Backend) {
    let subject = backend.with(limits(), Duration::ZERO, None).await;
    subject.admit_paths("a", &["1"]).await;
    for _ in 0..10 {
        subject.pass(SECOND).await;
        subject.index.front.beat().await.unwrap();
    }
    subject.one().await;
}

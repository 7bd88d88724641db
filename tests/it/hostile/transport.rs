//! Connections that go wrong.

use super::judging::crawl;
use super::plays;
use super::shown;
use super::site::{Site, page};
use crate::program::wait_until;
use huntsman::clock::Clock;
use huntsman::crawl::visit::FailureClass;
use huntsman::fetch::http::{HttpClient, Settings};
use huntsman::fetch::{Fetch, Request, Timeouts};
use std::time::Duration;

/// N1: the limit for heads, and a strike of the host.
#[test]
fn n1_a_server_that_never_answers_is_a_host_failure() {
    let site = plays::silent();
    let crawled = crawl(&[site.url("/")], &["--timeout", "300ms"]);
    crawled.became(&site.url("/")).failed("first-byte-timeout");
    assert_eq!(crawled.value("select strikes from hosts"), 1);
    shown("N1", "first-byte-timeout at the limit for heads; the host has a strike and rests");
}

/// N2: the head has to be whole in time, not only to begin.
#[test]
fn n2_a_head_that_never_ends_is_given_up_at_the_limit_for_heads() {
    let site = plays::endless_head();
    let crawled = crawl(&[site.url("/")], &["--timeout", "400ms"]);
    crawled.became(&site.url("/")).failed("first-byte-timeout");
    assert_eq!(crawled.value("select strikes from hosts"), 1);
    shown("N2", "first-byte-timeout at the limit for heads, however busily its lines arrive");
}

/// N3: a body has a least rate.
#[test]
fn n3_a_body_that_trickles_is_given_up_long_before_the_limit_of_the_whole() {
    let site = plays::trickle();
    let timeouts = Timeouts { slow: Duration::from_millis(400), ..Timeouts::default() };
    let settings = Settings { timeouts, allow: vec!["127.0.0.0/8".parse().unwrap()], ..Settings::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let visit = runtime.block_on(async {
        let client = HttpClient::new(settings, Clock::start()).unwrap();
        client.get(Request::get(site.url("/").parse().unwrap())).await
    });
    assert_eq!(visit.result.as_ref().unwrap_err().class, FailureClass::TooSlow, "{visit:?}");
    let took = visit.finished.since(visit.started);
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(4), "{took:?}");
    assert!(visit.first_byte.is_some() && visit.silence().is_none());
    shown("N3", "too-slow once it came below 1,000 octets a second for ten; nothing of it is kept");
}

/// N4: the limit of a body.
#[test]
fn n4_a_body_without_end_is_cut_and_its_connection_closed() {
    let site = plays::endless_body();
    let crawled = crawl(&[site.url("/")], &["--max-body", "64 KiB"]);
    crawled.became(&site.url("/")).stored();
    let row = crawled.rows("select title, bytes, truncated from pages");
    assert_eq!(row[0]["bytes"], 65_536);
    assert_eq!((&row[0]["title"], row[0]["truncated"].is_string()), (&"endless".into(), true));
    wait_until("the connection is closed", || site.open() == 0);
    shown("N4", "the first 64 KiB are stored, marked as cut, and the connection is closed");
}

/// N5: what breaks in the body is tried again, and not for ever.
#[test]
fn n5_a_reset_in_the_body_is_incomplete_and_tried_again_a_bounded_number_of_times() {
    let site = plays::broken_off();
    let crawled = crawl(&[site.url("/")], &["--retries", "1", "--wait", "10s"]);
    let became = crawled.became(&site.url("/"));
    became.failed("incomplete");
    assert_eq!((became.attempts, site.paths().len()), (2, 2), "{became:?}");
    assert_eq!(crawled.value("select count(*) from fetches where outcome = 'retry'"), 1);
    shown("N5", "incomplete; tried once more after 2 s as asked for, then given up with its evidence");
}

/// N6: a request of which nothing was written is sent again for free.
#[test]
fn n6_a_pooled_connection_that_was_closed_costs_no_attempt() {
    let site = plays::closes_without_a_word();
    let crawled = crawl(&[site.url("/0")], &[]);
    assert_eq!(site.paths().len(), 6);
    let attempts = crawled.rows("select distinct attempt, state from urls");
    assert_eq!(attempts, [serde_json::json!({"attempt": 1, "state": "stored"})]);
    assert_eq!(site.connections(), 7, "one a request");
    shown("N6", "6 pages of a server that closes without a word: 6 requests, no attempt lost");
}

/// The race of N6, lost: nobody read the request, and nothing is known against the URL or its host.
#[test]
fn a_request_that_meets_the_end_of_a_kept_connection_goes_back_to_its_queue() {
    let site = plays::closes_under_the_next_request();
    let crawled = crawl(&[site.url("/")], &["--delay", "0s", "--per-host", "4"]);
    let attempts = crawled.rows("select distinct attempt, state from urls");
    assert_eq!(attempts, [serde_json::json!({"attempt": 1, "state": "stored"})]);
    assert_eq!(crawled.value("select count(*) from pages"), 51);
    assert_eq!(crawled.value("select count(*) from hosts where strikes > 0"), 0);
    let dropped = crawled.value("select count(*) from fetches where error = 'dropped'").as_i64().unwrap();
    // As many as were on their way: after that, no connection was kept.
    assert!((1..=4).contains(&dropped), "{dropped} dropped");
    let alone = site.log().iter().filter(|asked| asked.head.contains("connection: close\r\n")).count();
    assert_eq!(site.log().len() as i64, 52 + dropped);
    assert!(alone >= 44, "{alone} asked for a connection of their own");
}

/// N7: closed without a byte.
#[test]
fn n7_an_empty_reply_is_a_host_failure() {
    let site = plays::empty_reply();
    let crawled = crawl(&[site.url("/")], &[]);
    crawled.became(&site.url("/")).failed("incomplete");
    assert_eq!(site.paths().len(), 1, "it is not repeated inside the visit");
    assert_eq!(crawled.value("select strikes from hosts"), 1);
    shown("N7", "incomplete; the host has a strike and rests, and the request is not repeated at once");
}

/// N10: Alt-Svc.
#[test]
fn n10_an_advertised_alternative_is_not_asked() {
    let other = Site::raw(drop);
    let port = other.address.port();
    let site = Site::start(move |peer, _| {
        let alternatives = format!("Alt-Svc: h3=\":{port}\"; ma=60, h2=\"127.0.0.1:{port}\"\r\n");
        peer.page(&alternatives, "<a href=/a>a</a>");
    });
    let crawled = crawl(&[site.url("/")], &[]);
    crawled.all_stored(&[site.url("/"), site.url("/a")]);
    assert_eq!(other.connections(), 0);
    shown("N10", "no connection was made to the advertised port");
}

/// V5: one address, two names: two pools, two paces.
#[test]
fn v5_each_host_has_its_own_connection_and_pace() {
    let site = Site::start(|peer, _| {
        peer.stays = true;
        peer.send(page("", "x"));
    });
    let port = site.address.port();
    let urls: Vec<String> = ["127.0.0.1", "127.0.0.2"]
        .iter()
        .flat_map(|host| [format!("http://{host}:{port}/a"), format!("http://{host}:{port}/b")])
        .collect();
    // Listens on 127.0.0.1 only: the other name is not served over the connection of the first.
    let crawled = crawl(&urls, &["--timeout", "2s"]);
    crawled.all_stored(&urls[..2]);
    for url in &urls[2..] {
        let became = crawled.became(url);
        assert!(["open", "failed"].contains(&&*became.state) && became.why.contains("connect"), "{became:?}");
    }
    let hosts = crawled.rows("select host, strikes from hosts order by host");
    assert_eq!(
        (&hosts[0]["strikes"], hosts[1]["strikes"].as_i64() > Some(0)),
        (&0.into(), true),
        "{hosts:?}"
    );
    shown("V5", "a host is never asked over the connection of another; one that is silent slows no other");
}

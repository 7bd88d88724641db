//! Nodes that die, stand still, are out of memory or have another idea of the time.

use super::Weather;
use super::cage::Cage;
use super::faults::held;
use super::form;
use super::installation::{Installation, Plan, clock_from};
use super::process::Role;
use super::slow::HalfPage;
use crate::program::raw_server::{RawServer, page};
use crate::rng::Rng;
use std::time::Duration;

/// F01: SIGKILL while answers are on their way.
#[test]
fn a_node_that_is_killed_while_it_waits_for_answers_costs_only_what_it_held() {
    let plan = Plan { latency: Duration::from_millis(150), ..Plan::default() };
    let installation = Installation::start(plan);
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(20);
    let in_hand = installation.kill(crew.nodes.remove(0));
    crew.nodes.push(installation.node("2"));
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.leased);
    crew.end();
    let seen = format!("{verdict}; {} were leased at the kill", in_hand.leased);
    held("F01", "a_node_that_is_killed_while_it_waits_for_answers_costs_only_what_it_held", &seen);
}

/// F01: SIGKILL when half a page has arrived.
#[test]
fn a_page_of_which_half_had_arrived_is_asked_for_again_and_stored_once() {
    let installation = Installation::start(Plan { hosts: 2, pages: 5, ..Plan::default() });
    let server = HalfPage::start();
    let mut crew = installation.crew(1, 1);
    crew.schedulers.push(installation.scheduler("2", &[&server.url()]));
    server.wait_until_half_is_sent();
    let node = crew.nodes.remove(0);
    installation.kill(node);
    server.send_whole_pages();
    crew.nodes.push(installation.node("1"));
    installation.wait_for_the_end();
    let titles = installation.texts("SELECT title FROM pages WHERE title = 'half a page'");
    assert_eq!(titles.len(), 1, "{}", installation.logs());
    assert_eq!(server.requests(), 2, "once for each node");
    crew.end();
    let seen = "asked for twice, stored once";
    held("F01", "a_page_of_which_half_had_arrived_is_asked_for_again_and_stored_once", seen);
}

/// F03: SIGKILL after the fetch and before its report reaches anybody.
#[test]
fn pages_that_were_fetched_and_not_handed_over_are_fetched_once_more() {
    let latency = Duration::from_millis(200);
    let mut installation = Installation::start(Plan { latency, ..Plan::default() });
    let (line, index) = installation.line_to_redis();
    let mut crew = installation.crew(0, 1);
    let node = installation.node_at("cut", &index, &[]);
    installation.wait_for_share(20);
    let some = || installation.in_hand().leased > 1;
    installation.wait("some leases", Duration::from_secs(10), some);
    line.set(Weather { mute: true, ..Weather::fine() });
    // What is leased is fetched, and the reports stay in the line.
    std::thread::sleep(2 * latency);
    let in_hand = installation.kill(node);
    crew.nodes.push(installation.node("new"));
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.leased);
    assert!(verdict.extra > 0, "nothing was fetched in vain: the fault did not hit");
    crew.end();
    let seen = format!("{verdict}; {} were leased", in_hand.leased);
    held("F03", "pages_that_were_fetched_and_not_handed_over_are_fetched_once_more", &seen);
}

/// F04: SIGSTOP for three lease times at any moment, then SIGCONT. What the node asks for then, under leases that it
/// has no more, is counted: the goal is none.
#[test]
fn a_node_that_stood_still_for_three_lease_times_stores_nothing_twice() {
    let rounds = form::of(2, 200);
    let lease = Duration::from_secs(form::of(2, 1));
    let seed = form::number("CHAOS_SEED").unwrap_or(4);
    let mut rng = Rng::new(seed);
    let (mut done, mut late, mut in_flight, mut stale) = (0, 0, 0, 0);
    while done < rounds {
        let pages = (rounds - done).min(50) * 35;
        let latency = Duration::from_millis(60);
        let installation = Installation::start(Plan { pages, latency, lease, ..Plan::default() });
        let crew = installation.crew(2, 1);
        let mut stops = Vec::new();
        installation.wait("the first pages", Duration::from_secs(30), || installation.pages() > 20);
        while done < rounds && installation.pages() * 10 < installation.web.truth.len() as i64 * 9 {
            std::thread::sleep(Duration::from_millis(rng.range(200..1_200)));
            crew.nodes[0].freeze();
            let at = installation.web_time();
            std::thread::sleep(3 * lease);
            crew.nodes[0].thaw();
            stops.push((at, installation.web_time()));
            done += 1;
        }
        installation.wait_for_the_end_within(Duration::from_secs(form::of(90, 1_200)));
        let unrecorded = installation.unrecorded(&stops, latency);
        late += unrecorded.after_thaw;
        in_flight += unrecorded.in_flight;
        stale += crew.nodes[0].said().matches("stale").count();
        installation.assert_all_is_well(unrecorded.after_thaw + unrecorded.in_flight);
        crew.end();
    }
    let told = format!(
        "seed {seed}: {rounds} stops of three lease times: no second row, {late} requests after the lease had expired, \
         {in_flight} answers on the way were lost, none asked too early ({stale} refusals logged)"
    );
    assert_eq!(late, 0, "{told}");
    held("F04", "a_node_that_stood_still_for_three_lease_times_stores_nothing_twice", &told);
}

/// F05: SIGSTOP for half a lease time, again and again.
#[test]
fn a_node_that_stands_still_for_half_a_lease_time_loses_no_lease() {
    let lease = Duration::from_secs(3);
    let latency = Duration::from_millis(60);
    let pages = form::of(80, 600);
    let installation = Installation::start(Plan { pages, latency, lease, ..Plan::default() });
    let crew = installation.crew(2, 1);
    installation.wait_for_share(10);
    let mut stops = 0;
    while installation.pages() * 10 < installation.web.truth.len() as i64 * 8 {
        crew.nodes[0].freeze();
        std::thread::sleep(lease / 2);
        crew.nodes[0].thaw();
        std::thread::sleep(lease / 2);
        stops += 1;
    }
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    assert!(stops > 0);
    let seen = format!("{stops} stops; {verdict}");
    held("F05", "a_node_that_stands_still_for_half_a_lease_time_loses_no_lease", &seen);
}

/// F21: one node's clock is an hour ahead, then an hour behind; that of another runs a twentieth too fast. (That of Redis
/// cannot be changed so: its allocator and libfaketime call each other in a circle.)
#[test]
fn clocks_of_nodes_that_are_wrong_change_nothing() {
    let installation = Installation::start(Plan::default());
    let clock = installation.folder.path().join("clock");
    let fast = installation.folder.path().join("fast");
    std::fs::write(&clock, "+1h").unwrap();
    std::fs::write(&fast, "-1h x1.05").unwrap();
    let index = installation.index.url();
    let mut crew = installation.crew(0, 1);
    crew.nodes.push(installation.node_at("jumps", &index, &clock_from(&clock)));
    crew.nodes.push(installation.node_at("fast", &index, &clock_from(&fast)));
    installation.wait_for_share(40);
    std::fs::write(&clock, "-1h").unwrap();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    let wrong =
        "SELECT count(*) FROM pages WHERE abs(extract(epoch FROM fetched_at::timestamptz - now())) > 1800";
    assert!(installation.number(wrong).unwrap() > 0, "no clock was wrong: the fault did not hit");
    crew.end();
    held("F21", "clocks_of_nodes_that_are_wrong_change_nothing", &verdict.to_string());
}

/// F27: the kernel kills nodes for want of memory, all by one page; the page is given up, with the evidence.
#[test]
fn a_page_that_is_the_death_of_every_node_is_given_up_and_the_rest_is_stored() {
    let server = RawServer::start_bytes(|path, _| match path {
        "/" => {
            let (status, headers, text) = page(&["/death", "/1", "/2", "/3"]);
            (status, headers, text.into_bytes())
        }
        "/death" => (200, "Content-Type: text/html\r\n".into(), vec![b'x'; 9 << 20]),
        path => (200, "Content-Type: text/html\r\n".into(), format!("<title>{path}</title>").into_bytes()),
    });
    let installation = Installation::start(Plan { hosts: 1, pages: 1, ..Plan::default() });
    let cage = Cage::of(12 << 20);
    let mut crew = installation.crew(0, 1);
    crew.schedulers.push(installation.scheduler("2", &[&server.url("/")]));
    let start = || -> Role {
        let node = installation.node("caged");
        cage.take(node.id());
        node
    };
    let mut node = start();
    let mut deaths = 0;
    let ended = || installation.number("SELECT count(*) FROM crawls WHERE state = 'finished'") == Some(1);
    installation.wait("the end of the crawl", Duration::from_secs(120), || {
        if node.ended().is_some() {
            deaths += 1;
            node = start();
        }
        ended()
    });
    let given_up = installation.texts("SELECT url || ' ' || reason || ' ' || detail FROM dead_letters");
    assert_eq!(given_up.len(), 1, "{given_up:?} {}", installation.logs());
    assert!(given_up[0].contains("/death quarantined"), "{given_up:?}");
    let stored = installation.texts("SELECT title FROM pages WHERE title LIKE '/%' ORDER BY 1");
    assert_eq!(stored, ["/1", "/2", "/3"]);
    crew.nodes.push(node);
    crew.end();
    let seen = format!("{deaths} nodes were killed by the kernel; {}", given_up[0]);
    held("F27", "a_page_that_is_the_death_of_every_node_is_given_up_and_the_rest_is_stored", &seen);
}

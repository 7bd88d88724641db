//! Lines that are cut, silent, half-open or lose answers.

use super::Weather;
use super::crew::Crew;
use super::faults::held;
use super::form;
use super::installation::{Installation, Plan};
use super::slow::HalfPage;
use std::time::Duration;

/// F19: a node and Redis do not reach each other, in one way, the other, or both, or only one of them knows.
#[test]
fn a_node_that_is_cut_off_from_redis_stops_and_comes_back() {
    let mut installation = Installation::start(Plan { pages: 100, ..Plan::default() });
    let (line, index) = installation.line_to_redis();
    let mut crew = installation.crew(1, 1);
    crew.nodes.push(installation.node_at("cut", &index, &[]));
    installation.wait_for_share(10);
    let off = installation.plan.lease * 3 / 2;
    let mut in_hand = 0;
    let silent = [
        Weather::black_hole(),
        Weather { mute: true, ..Weather::fine() },
        Weather { deaf: true, ..Weather::fine() },
    ];
    for weather in silent {
        in_hand += installation.in_hand_standing(&crew).leased;
        line.set(weather);
        std::thread::sleep(off);
        line.set(Weather::fine());
        std::thread::sleep(installation.plan.lease / 2);
    }
    in_hand += installation.in_hand_standing(&crew).leased;
    line.leave_half_open();
    line.close();
    std::thread::sleep(off);
    line.open();
    let before = crew.nodes[1].said().len();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand);
    assert!(before > 0, "it said nothing of it");
    crew.end();
    let seen = format!("four partitions of {off:?}; {verdict}; {in_hand} were leased then");
    held("F19", "a_node_that_is_cut_off_from_redis_stops_and_comes_back", &seen);
}

/// F19: what a node that is cut off still reads is given up when its lease may be another's.
#[test]
fn a_node_that_is_cut_off_lets_go_of_its_requests_before_others_may_ask() {
    let mut installation = Installation::start(Plan { hosts: 1, pages: 1, ..Plan::default() });
    let lease = installation.plan.lease;
    let (line, index) = installation.line_to_redis();
    let server = HalfPage::start();
    let mut crew = installation.crew(0, 1);
    crew.schedulers.push(installation.scheduler("2", &[&server.url()]));
    crew.nodes.push(installation.node_at("cut", &index, &[]));
    server.wait_until_half_is_sent();
    line.set(Weather::black_hole());
    let cut = form::now();
    let gone = || !server.stayed().is_empty();
    installation.wait("the end of the request", Duration::from_secs(60), gone);
    let stayed = cut.elapsed();
    server.send_whole_pages();
    line.set(Weather::fine());
    installation.wait_for_the_end();
    assert!(stayed < lease, "the request went on for {stayed:?}, with a lease of {lease:?}");
    assert_eq!(installation.texts("SELECT title FROM pages WHERE title = 'half a page'").len(), 1);
    crew.end();
    let seen = format!("the request was given up after {stayed:.1?} of a lease of {lease:?}");
    held("F19", "a_node_that_is_cut_off_lets_go_of_its_requests_before_others_may_ask", &seen);
}

/// F20: storage and Postgres do not reach each other, while both reach Redis.
#[test]
fn a_storage_stage_that_is_cut_off_from_postgres_keeps_what_it_has() {
    let installation = Installation::start(Plan { own_postgres: true, ..Plan::default() });
    let (line, store) = installation.line_to_postgres();
    let mut crew = installation.crew(2, 0);
    crew.storages.push(installation.storage_at("cut", &installation.index.url(), &store));
    let off = Duration::from_secs(form::of(4, 60));
    installation.wait_for_share(20);
    line.set(Weather::black_hole());
    std::thread::sleep(off);
    let waiting = installation.in_hand().handed_over;
    line.set(Weather::fine());
    installation.wait_for_share(50);
    line.reset();
    line.close();
    std::thread::sleep(off / 2);
    crew.assert_all_run();
    line.open();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    assert!(waiting > 0, "nothing waited: the fault did not hit");
    crew.end();
    let seen = format!("{off:?} of silence and a refusal; {waiting} reports waited; {verdict}");
    held("F20", "a_storage_stage_that_is_cut_off_from_postgres_keeps_what_it_has", &seen);
}

/// F22: every connection to Redis is cut in the middle of an answer, again and again.
#[test]
fn answers_that_never_arrive_are_asked_for_again_and_change_nothing() {
    let mut installation = Installation::start(Plan::default());
    let (line, index) = installation.line_to_redis();
    let mut crew = Crew::default();
    let store = installation.store.clone();
    crew.schedulers.push(installation.scheduler_at("1", &index, &store, &["--name", "t"], &["seeds.txt"]));
    crew.nodes.extend(["0", "1"].map(|name| installation.node_at(name, &index, &[])));
    crew.storages.push(installation.storage_at("0", &index, &store));
    installation.wait_for_share(10);
    // What is said on every new connection passes, some 7,000 bytes, and little more; a moment without cuts lets through
    // what is longer than that.
    let mut most = 11_000;
    while installation.pages() < installation.web.truth.len() as i64 {
        line.set(Weather { cut_after: Some(most), ..Weather::fine() });
        most = 11_000 + (most + 3_331) % 20_000;
        std::thread::sleep(Duration::from_millis(400));
        line.set(Weather::fine());
        std::thread::sleep(Duration::from_millis(150));
        crew.assert_all_run();
    }
    line.set(Weather::fine());
    installation.wait_for_the_end();
    let cuts = line.cuts();
    // A report is said twice; where both answers are lost the visit is done again.
    let verdict = installation.assert_all_is_well(cuts);
    assert!(cuts > 20, "only {cuts} answers were cut");
    crew.end();
    let seen = format!("{cuts} answers were cut; {verdict}");
    held("F22", "answers_that_never_arrive_are_asked_for_again_and_change_nothing", &seen);
}

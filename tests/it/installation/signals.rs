//! SIGTERM: what is in hand ends within ten seconds, leases are given back, and a second signal ends a process at once.

use super::{Installation, Role, now};
use crate::program::wait_until;
use huntsman::testweb::Settings;
use std::time::Duration;

/// Drain, and a little for a busy machine.
const DRAINED: Duration = Duration::from_secs(11);

fn slow() -> Settings {
    // Longer than a process may take to drain.
    Settings { hosts: 6, pages: 50, latency: Duration::from_secs(15), ..Settings::default() }
}

fn ends_in_time(role: Role, code: i32, fleet: &Installation) -> Duration {
    let asked = now();
    assert_eq!(role.end(), Some(code), "{}", fleet.logs());
    let took = asked.elapsed();
    assert!(took < DRAINED, "{took:?}: {}", fleet.logs());
    took
}

#[test]
fn each_role_drains_in_time_and_a_node_gives_its_leases_back() {
    let fleet = Installation::new();
    let web = fleet.web(slow());
    let scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "0s"]);
    let (node, storage) = (fleet.node(&[]), fleet.storage());
    wait_until("requests to all hosts", || web.requests() >= 6);
    let leases = || -> usize {
        let keys: Vec<String> = fleet.redis.ask(&["KEYS", "*:expiries"]);
        keys.iter().map(|key| fleet.redis.ask::<usize>(&["ZCARD", key])).sum()
    };
    assert!(leases() >= 6);
    ends_in_time(node, 0, &fleet);
    assert_eq!(leases(), 0, "given back, and not left to lapse: {}", fleet.logs());
    ends_in_time(storage, 0, &fleet);
    ends_in_time(scheduler, 0, &fleet);
    assert_eq!(fleet.count("SELECT count(*) FROM leadership WHERE expires_at > now()"), 0);
}

#[test]
fn a_second_signal_ends_a_process_at_once() {
    let fleet = Installation::new();
    let web = fleet.web(slow());
    let _scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "0s"]);
    let mut node = fleet.node(&["-v"]);
    wait_until("requests", || web.requests() >= 6);
    node.signal("TERM");
    wait_until("it has heard", || fleet.logs().contains("ending: what is in hand"));
    assert!(!node.has_ended(), "its visits take longer");
    let asked = now();
    assert_eq!(node.end(), Some(143));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[test]
fn each_role_ends_in_time_while_redis_is_out_of_reach() {
    let mut fleet = Installation::new();
    let web = fleet.web(Settings { latency: Duration::from_millis(200), ..slow() });
    let scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "100ms"]);
    let crawl = ["crawl", "seeds.txt", "--name", "t", "--delay", "100ms"];
    let crawl = fleet.start("crawl.log", &[&crawl[..], &fleet.both()].concat());
    let (node, storage) = (fleet.node(&[]), fleet.storage());
    wait_until("some pages", || web.requests() > 50 && fleet.pages() > 10);
    // It accepts what is sent and answers nothing.
    fleet.redis.signal("STOP");
    std::thread::sleep(Duration::from_secs(1));
    ends_in_time(node, 0, &fleet);
    ends_in_time(storage, 0, &fleet);
    let took = ends_in_time(crawl, 143, &fleet);
    println!("the crawl took {took:?}");
    ends_in_time(scheduler, 0, &fleet);
    fleet.redis.stop();
    let node = fleet.node(&[]);
    std::thread::sleep(Duration::from_millis(500));
    ends_in_time(node, 0, &fleet);
}

//! What an operator does while an installation works: ends processes, pauses, changes and gives up crawls.

use super::faults::held;
use super::installation::{Installation, Plan};
use std::time::Duration;

/// After SIGTERM a process is gone within this.
const DRAIN: Duration = Duration::from_secs(10);

/// F25: SIGTERM drains; a second one ends at once.
#[test]
fn processes_that_are_told_to_end_drain_and_lose_no_lease() {
    let latency = Duration::from_millis(150);
    let installation = Installation::start(Plan { latency, pages: 40, ..Plan::default() });
    let mut crew = installation.crew(2, 2);
    let mut longest = Duration::ZERO;
    for share in [15, 30, 45] {
        installation.wait_for_share(share);
        crew.nodes.push(installation.node("next"));
        crew.storages.push(installation.storage("next"));
        for old in [crew.nodes.remove(0), crew.storages.remove(0)] {
            let said = old.said();
            let (code, took) = old.end();
            assert_eq!(code, Some(0), "{said}");
            longest = longest.max(took);
        }
    }
    // Another leader is another epoch, in which the leases of the one before are void.
    let in_hand = installation.in_hand_standing(&crew).all();
    let old = crew.schedulers.remove(0);
    let (code, took) = old.end();
    assert_eq!(code, Some(0));
    crew.schedulers.push(installation.scheduler("next", &[]));
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.max(installation.plan.hosts as usize));
    longest = longest.max(took);
    assert!(longest < DRAIN, "it took {longest:?} to end");
    crew.end();
    let seen = format!("seven processes ended with 0 within {longest:.1?}; {verdict}");
    held("F25", "processes_that_are_told_to_end_drain_and_lose_no_lease", &seen);
}

/// F25: SIGTERM while Redis or Postgres stands still, and a second SIGTERM.
#[test]
fn processes_end_also_while_their_servers_stand_still() {
    let mut installation = Installation::start(Plan { own_postgres: true, ..Plan::default() });
    let mut crew = installation.crew(2, 2);
    installation.wait_for_share(20);
    installation.redis().signal("STOP");
    let postgres = installation.server().processes();
    let postgres = |name: &str| {
        for process in &postgres {
            // One that served a client which has gone may have gone as well.
            super::process::try_signal(process.parse().unwrap(), name);
        }
    };
    postgres("STOP");
    std::thread::sleep(Duration::from_millis(500));
    let mut longest = Duration::ZERO;
    let twice = crew.nodes.remove(0);
    twice.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    let (twice, at_once) = twice.end();
    let mut codes = Vec::new();
    for role in crew.nodes.drain(..).chain(crew.storages.drain(..)).chain(crew.schedulers.drain(..)) {
        let (code, took) = role.end();
        codes.push(code);
        longest = longest.max(took);
    }
    postgres("CONT");
    installation.redis().signal("CONT");
    // Asserted now: a server that stands still cannot be ended.
    assert!(at_once < Duration::from_secs(1), "a second SIGTERM took {at_once:?}");
    assert!(matches!(twice, Some(143 | 0)), "{twice:?}; 0 where it had drained before the second");
    assert!(longest < DRAIN + Duration::from_secs(2), "it took {longest:?} to end");
    let crew = installation.crew(1, 1);
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(installation.plan.hosts as usize);
    crew.end();
    let seen = format!("all ended within {longest:.1?} with {codes:?}; {verdict}");
    held("F25", "processes_end_also_while_their_servers_stand_still", &seen);
}

/// F34: pause, other settings and cancellation of a crawl whose URLs are leased.
#[test]
fn a_crawl_is_paused_changed_and_cancelled_while_it_is_leased() {
    let mut installation = Installation::start(Plan { pages: 100, ..Plan::default() });
    let crew = installation.crew(2, 1);
    installation.wait_for_share(10);
    installation.execute("UPDATE crawls SET state = 'paused'");
    std::thread::sleep(Duration::from_secs(1));
    let at_pause = installation.requests().len();
    std::thread::sleep(Duration::from_secs(2));
    let after_pause = installation.requests().len() - at_pause;
    assert_eq!(after_pause, 0, "asked for though paused for a second");
    installation
        .execute("UPDATE crawls SET state = 'running', settings = replace(settings, '100ms', '300ms')");
    let settings = installation.texts("SELECT settings FROM crawls").remove(0);
    assert!(settings.contains("300ms"), "{settings}");
    std::thread::sleep(Duration::from_secs(2));
    let from = installation.requests().len();
    std::thread::sleep(Duration::from_secs(3));
    let slow = installation.requests()[from..].to_vec();
    for (at, request) in slow.iter().enumerate() {
        let next = slow[at + 1..].iter().find(|next| next.host == request.host);
        let gap = next.map_or(Duration::MAX, |next| next.at.saturating_sub(request.at));
        assert!(gap >= Duration::from_millis(300), "{} was asked after {gap:?}", request.host);
    }
    assert!(slow.len() > 20, "it goes on");
    installation.execute("UPDATE crawls SET state = 'cancelled'");
    std::thread::sleep(Duration::from_secs(1));
    let at_end = installation.requests().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(installation.requests().len(), at_end, "asked for though cancelled for a second");
    let mut queues = || -> Vec<String> { installation.redis().ask(&["KEYS", "*:q:*"]) };
    let began = super::form::now();
    while !queues().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "URLs of it are still queued: {:?}", queues());
        std::thread::sleep(Duration::from_millis(100));
    }
    let verdict = installation.judge();
    assert_eq!((verdict.rows, verdict.impolite.len()), (verdict.distinct, 0), "{:?}", verdict.impolite);
    crew.end();
    let seen = format!("paused and cancelled within a second, its queues gone after {:.1?}", began.elapsed());
    held("F34", "a_crawl_is_paused_changed_and_cancelled_while_it_is_leased", &seen);
}

//! Schedulers that come twice, stand still or die while they take in seeds.

use super::faults::held;
use super::form;
use super::installation::{Installation, Plan};
use crate::rng::Rng;
use std::time::Duration;

/// F23: two are started with the same seeds; the one that leads stands still, and comes back when the other leads.
#[test]
fn of_two_schedulers_one_leads_and_the_other_takes_over() {
    let installation = Installation::start(Plan { pages: 60, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(10);
    crew.schedulers.push(installation.scheduler("2", &["seeds.txt"]));
    let stands_by = || crew.schedulers[1].said().contains("standing by");
    installation.wait("the second one to stand by", Duration::from_secs(10), stands_by);
    let in_hand = installation.in_hand_standing(&crew);
    crew.schedulers[0].freeze();
    let stopped = form::now();
    let leads = || crew.schedulers[1].said().contains("a new epoch of the index");
    installation.wait("the second one to lead", Duration::from_secs(40), leads);
    let changed = stopped.elapsed();
    crew.schedulers[0].thaw();
    let deposed = || crew.schedulers[0].said().contains("another process leads now");
    installation.wait("the first one to step back", Duration::from_secs(20), deposed);
    installation.wait_for_the_end();
    // The leases of the epoch before ended with it, whatever was in them by then.
    let verdict = installation.assert_all_is_well(in_hand.all().max(installation.plan.hosts as usize));
    let seeds = "SELECT count(*) FROM urls WHERE seed IS NOT NULL";
    assert_eq!(installation.number(seeds), Some(i64::from(installation.plan.hosts)), "seeds are not doubled");
    crew.end();
    let seen = format!("leadership changed after {changed:.1?}; {verdict}; {in_hand} then");
    held("F23", "of_two_schedulers_one_leads_and_the_other_takes_over", &seen);
}

/// F26: SIGKILL in the middle of a long list of seeds, again and again; the same command goes on.
#[test]
fn a_scheduler_that_dies_while_it_takes_in_seeds_goes_on_where_it_was() {
    let seeds: usize = form::of(60_000, 1_000_000);
    let installation = Installation::start(Plan { hosts: 1, pages: 1, ..Plan::default() });
    installation.write_seeds("long.txt", seeds, 1_000);
    let mut rng = Rng::new(form::number("CHAOS_SEED").unwrap_or(26));
    let count = || installation.number("SELECT count(*) FROM urls").unwrap_or(0) as usize;
    let mut kills = Vec::new();
    for part in 1..=3 {
        let at = seeds * part / 4 - rng.range(0..seeds as u64 / 8) as usize;
        let scheduler = installation.scheduler("1", &["long.txt"]);
        installation.wait("some seeds", Duration::from_secs(120), || count() >= at);
        scheduler.kill();
        kills.push(count());
    }
    let scheduler = installation.scheduler("1", &["long.txt"]);
    let all_in = "SELECT count(*) FROM crawls WHERE seeded = 1";
    installation.wait("all seeds", Duration::from_secs(240), || {
        count() == seeds && installation.number(all_in) == Some(1)
    });
    let distinct = installation.number("SELECT count(DISTINCT url) FROM urls").unwrap();
    assert_eq!(distinct as usize, seeds);
    // The lead of the one that was killed last runs out before this one leads; both ends are good.
    let (code, took) = scheduler.end();
    assert_eq!(code, Some(0));
    let seen = format!("killed at {kills:?} of {seeds}; all in, none twice; it ended within {took:.1?}");
    held("F26", "a_scheduler_that_dies_while_it_takes_in_seeds_goes_on_where_it_was", &seen);
}

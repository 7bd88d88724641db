//! What a page costs in CPU over a whole installation: node, Redis, storage stage, Postgres and scheduler added up.

use super::form;
use super::installation::{Installation, Plan};
use crate::servers::cpu;
use std::time::Duration;

#[test]
fn what_a_page_costs_over_all_processes_has_a_bound() {
    let (hosts, pages) = form::of((20, 30), (200, 100));
    let plan = Plan {
        hosts,
        pages,
        page_size: 20,
        links: 43,
        delay: Duration::ZERO,
        latency: Duration::ZERO,
        lease: Duration::from_secs(15),
        own_postgres: true,
        ..Plan::default()
    };
    let mut installation = Installation::start(plan);
    let redis = installation.redis().pid();
    let database =
        |installation: &Installation| -> f64 { installation.server().processes().iter().map(cpu).sum() };
    let before = (cpu(redis), database(&installation));
    let crew = installation.crew(1, 1);
    installation.wait_for_the_end_within(Duration::from_secs(300));
    let of = |role: &super::process::Role| cpu(role.id());
    let spent = [
        ("node", of(&crew.nodes[0])),
        ("Redis", cpu(redis) - before.0),
        ("storage", of(&crew.storages[0])),
        ("Postgres", database(&installation) - before.1),
        ("scheduler", of(&crew.schedulers[0])),
    ];
    installation.assert_lost_nothing();
    let visits = installation.requests().iter().filter(|one| one.is_page()).count() as f64;
    crew.end();
    let each = |seconds: f64| seconds * 1e6 / visits;
    let all = each(spent.iter().map(|(_, seconds)| seconds).sum());
    let parts: Vec<String> =
        spent.iter().map(|(who, seconds)| format!("{who} {:.0}", each(*seconds))).collect();
    let told = format!("CPU us a page of {visits}: {}; together {all:.0}", parts.join(", "));
    super::faults::say(&told);
    // The short form measures a build without optimization.
    let bound = form::of(6_000.0, 1_000.0);
    assert!(spent.iter().all(|(_, seconds)| *seconds > 0.0) && all < bound, "{told}");
}

//! The same servers shown to other crawlers: each is judged by what its server and the system saw of it, by one measure a case.
//!
//! `benches/hostile` builds the crawlers and prints the table, which docs/hostile-web.md explains. Without them the test has a short form:
//! the crawler of this build, on the cases that take it a moment.

mod cases;
mod crawler;
mod seen;

use crawler::{Crawler, Task};
use huntsman::settings::environment;
use seen::{Seen, Verdict};
use std::path::{Path, PathBuf};

/// `NAME=PROGRAM` for each crawler, with spaces between.
const CRAWLERS: &str = "HUNTSMAN_HOSTILE_CRAWLERS";
/// Ids of the cases that are looked at; unset is all of them.
const ONLY: &str = "HUNTSMAN_HOSTILE_CASES";
/// The cases of the short form: a moment each, and none in which a page more or less counts, which the time of a busy machine decides.
const QUICK: &str = "R1 R2 R3 R7 R10 U1 E5 E7 P17 P24";

/// A case that can be shown to any crawler.
struct Case {
    id: &'static str,
    /// What the server does.
    what: &'static str,
    /// The right handling, as far as it can be seen from outside.
    right: &'static str,
    task: Task,
    /// Whether crawlers run one after the other, as what they cost is what is looked at.
    alone: bool,
    start: fn() -> cases::Stage,
    judge: fn(&Seen) -> Verdict,
}

#[test]
fn the_same_hostile_web_is_shown_to_other_crawlers() {
    let others = environment::variable(CRAWLERS);
    let (crawlers, only): (Vec<Crawler>, String) = match &others {
        Some(all) => (
            all.split_whitespace().map(Crawler::named).collect(),
            environment::variable(ONLY).unwrap_or_default(),
        ),
        None => (vec![Crawler::ours()], QUICK.to_owned()),
    };
    let is_asked_for = |case: &&Case| only.is_empty() || only.split(' ').any(|id| id == case.id);
    let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compared");
    std::fs::create_dir_all(&logs).unwrap();
    let names: Vec<&str> = crawlers.iter().map(|crawler| crawler.name.as_str()).collect();
    println!("| | what the server does | right | {} |", names.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(crawlers.len()));
    let mut right = vec![0; crawlers.len()];
    let mut judged = vec![0; crawlers.len()];
    for case in cases::all().filter(is_asked_for) {
        let verdicts = shown_to_all(case, &crawlers, &logs);
        for (at, verdict) in verdicts.iter().enumerate() {
            right[at] += usize::from(matches!(verdict, Verdict::Right(_)));
            judged[at] += usize::from(!matches!(verdict, Verdict::None(_)));
        }
        let cells: Vec<String> = verdicts.iter().map(ToString::to_string).collect();
        println!("| {} | {} | {} | {} |", case.id, case.what, case.right, cells.join(" | "));
        let is_control = case.id == cases::CONTROL;
        assert!(!is_control || right.iter().all(|one| *one == 1), "a crawler does not do at all");
    }
    let sums: Vec<String> =
        right.iter().zip(&judged).map(|(right, all)| format!("{right} of {all}")).collect();
    println!("| | | right | {} |", sums.join(" | "));
    if others.is_none() {
        assert_eq!(right, [QUICK.split(' ').count()], "the crawler of this build is right in each of them");
    }
}

fn shown_to_all(case: &Case, crawlers: &[Crawler], logs: &Path) -> Vec<Verdict> {
    if case.alone {
        return crawlers.iter().map(|crawler| shown_to(case, crawler, logs)).collect();
    }
    std::thread::scope(|scope| {
        let all: Vec<_> =
            crawlers.iter().map(|crawler| scope.spawn(move || shown_to(case, crawler, logs))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn shown_to(case: &Case, crawler: &Crawler, logs: &Path) -> Verdict {
    let stage = (case.start)();
    let log = logs.join(format!("{}-{}", case.id, crawler.name));
    let run = crawler.run(&stage.seeds, case.task, &log);
    (case.judge)(&Seen { crawler: &crawler.name, stage, run })
}

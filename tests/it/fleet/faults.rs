//! The faults that a run goes through, each with the tests that show that it is held.
//!
//! Each test notes what was seen in a file of its own; `tests/run` and `tests/chaos` end with how many were held.

use std::io::Write;
use std::path::PathBuf;

/// A fault of the catalogue.
struct Fault {
    id: &'static str,
    what: &'static str,
    tests: &'static [&'static str],
}

const fn fault(id: &'static str, what: &'static str, tests: &'static [&'static str]) -> Fault {
    Fault { id, what, tests }
}

const FAULTS: &[Fault] = &[
    fault(
        "F01",
        "a node is killed while answers arrive",
        &[
            "a_node_that_is_killed_while_it_waits_for_answers_costs_only_what_it_held",
            "a_page_of_which_half_had_arrived_is_asked_for_again_and_stored_once",
        ],
    ),
    fault(
        "F02",
        "storage is killed between commit and acknowledgement",
        &["a_storage_stage_that_dies_between_commit_and_acknowledgement_doubles_nothing"],
    ),
    fault(
        "F03",
        "a node is killed between fetch and hand-off",
        &["pages_that_were_fetched_and_not_handed_over_are_fetched_once_more"],
    ),
    fault(
        "F04",
        "a node stands still for three lease times",
        &["a_node_that_stood_still_for_three_lease_times_stores_nothing_twice"],
    ),
    fault(
        "F05",
        "a node stands still for half a lease time, again and again",
        &["a_node_that_stands_still_for_half_a_lease_time_loses_no_lease"],
    ),
    fault(
        "F06",
        "Redis is killed and started again",
        &["a_redis_that_is_killed_and_started_again_costs_only_what_was_in_hand"],
    ),
    fault(
        "F07",
        "Redis loses the end of its file",
        &["a_redis_that_lost_the_end_of_its_file_costs_only_what_was_in_hand"],
    ),
    fault(
        "F08",
        "Redis is flushed, or fails over to a replica of the past",
        &[
            "a_redis_that_is_flushed_is_filled_again",
            "a_replica_that_knew_only_the_past_takes_over_and_loses_nothing",
        ],
    ),
    fault(
        "F09",
        "the memory of Redis is full",
        &["a_redis_that_is_full_drains_and_goes_on_when_there_is_room"],
    ),
    fault(
        "F10",
        "Redis stands still, or is far away",
        &[
            "a_redis_that_stands_still_is_waited_for",
            "a_redis_that_is_far_away_slows_the_crawl_and_breaks_nothing",
        ],
    ),
    fault("F11", "Redis answers with errors", &["whatever_redis_says_that_it_cannot_do_now_is_waited_for"]),
    fault(
        "F12",
        "Postgres is restarted in the middle of batches",
        &["a_postgres_that_is_restarted_in_the_middle_of_batches_loses_nothing"],
    ),
    fault(
        "F14",
        "the disk of Postgres is full",
        &["a_postgres_whose_disk_is_full_is_waited_for_and_drops_nothing"],
    ),
    fault("F15", "transactions collide", &["storage_stages_that_get_into_each_others_way_try_again"]),
    fault(
        "F17",
        "the tables are locked",
        &["tables_that_are_locked_are_waited_for_and_status_answers_meanwhile"],
    ),
    fault("F18", "storage stands still", &["storage_stages_that_stand_still_cost_no_lease_and_no_page"]),
    fault(
        "F19",
        "a node and Redis do not reach each other",
        &[
            "a_node_that_is_cut_off_from_redis_stops_and_comes_back",
            "a_node_that_is_cut_off_lets_go_of_its_requests_before_others_may_ask",
        ],
    ),
    fault(
        "F20",
        "storage and Postgres do not reach each other",
        &["a_storage_stage_that_is_cut_off_from_postgres_keeps_what_it_has"],
    ),
    fault("F21", "clocks are wrong", &["clocks_of_nodes_that_are_wrong_change_nothing"]),
    fault(
        "F22",
        "answers of Redis are lost",
        &["answers_that_never_arrive_are_asked_for_again_and_change_nothing"],
    ),
    fault(
        "F23",
        "two schedulers, and the leader stands still",
        &["of_two_schedulers_one_leads_and_the_other_takes_over"],
    ),
    fault(
        "F25",
        "SIGTERM",
        &[
            "processes_that_are_told_to_end_drain_and_lose_no_lease",
            "processes_end_also_while_their_servers_stand_still",
        ],
    ),
    fault(
        "F26",
        "the scheduler is killed while it takes in seeds",
        &["a_scheduler_that_dies_while_it_takes_in_seeds_goes_on_where_it_was"],
    ),
    fault(
        "F27",
        "the kernel kills nodes for want of memory",
        &["a_page_that_is_the_death_of_every_node_is_given_up_and_the_rest_is_stored"],
    ),
    fault(
        "F34",
        "a crawl is paused, changed and cancelled",
        &["a_crawl_is_paused_changed_and_cancelled_while_it_is_leased"],
    ),
    fault(
        "F36",
        "files are damaged",
        &["a_damaged_file_of_redis_is_no_loss", "a_damaged_table_of_postgres_is_refused_loudly"],
    ),
];

/// Where the notes are: `tests/run` and `tests/chaos` read them.
fn notes() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults")
}

/// Says what was seen past the capture of the test runner: a run is to show it also where it passes.
pub(crate) fn say(what: &str) {
    _ = writeln!(std::io::stderr(), "{what}");
}

/// Notes that this fault was held in this test, and what was seen.
pub(crate) fn held(id: &str, test: &str, seen: &str) {
    let fault = FAULTS.iter().find(|fault| fault.id == id).expect("the fault is in the list");
    assert!(fault.tests.contains(&test), "{test} is not in the list under {id}");
    let line = format!("{id}  {}: {seen}", fault.what);
    say(&line);
    std::fs::create_dir_all(notes()).unwrap();
    std::fs::write(notes().join(format!("{id}.{test}")), line + "\n").unwrap();
}

/// The list and the tests are the same: no fault is forgotten, and none is claimed.
#[test]
fn every_fault_has_its_tests() {
    let sources = sources();
    let mut all = String::new();
    for fault in FAULTS {
        assert!(!fault.tests.is_empty(), "{} has no test", fault.id);
        for test in fault.tests {
            let head = format!("fn {test}() {{");
            let source = sources.iter().find(|source| source.contains(&head));
            let source = source.unwrap_or_else(|| panic!("{}: there is no test {test}", fault.id));
            let before = &source[..source.find(&head).unwrap()];
            let comment = before.rsplit("\n\n").next().unwrap();
            assert!(comment.contains("#[test]"), "{test} is no test");
            assert!(comment.contains(fault.id), "{test} does not say that it is about {}", fault.id);
            all.extend([fault.id, " ", test, "\n"]);
        }
    }
    // Names of faults in comments of tests, held against the list.
    for source in &sources {
        for line in source.lines().filter(|line| line.trim_start().starts_with("/// F")) {
            let ids = line.trim_start_matches([' ', '/']).split([':', ',', ' ']);
            for id in ids.take_while(|word| word.len() == 3 && word[1..].parse::<u8>().is_ok()) {
                assert!(FAULTS.iter().any(|fault| fault.id == id), "{id} is not in the list: {line}");
            }
        }
    }
    std::fs::create_dir_all(notes()).unwrap();
    std::fs::write(notes().join("all"), all).unwrap();
}

/// The sources of the tests of this folder.
fn sources() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fleet");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

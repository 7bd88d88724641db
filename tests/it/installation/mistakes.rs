//! What is wrong is said in one line, with the code that the README names.

use super::Installation;
use crate::program::{run, said};
use huntsman::testweb::Settings;
use std::process::Output;

fn check(output: &Output, code: i32, part: &str) {
    let told = said(output);
    assert_eq!(output.status.code(), Some(code), "{part}: {told}");
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{told}");
    assert!(told.contains(part), "{part}: {told}");
    assert!(!told.contains("panicked") && !told.contains("s3cret"), "{told}");
}

#[test]
fn what_cannot_be_done_is_one_line_and_a_code() {
    let fleet = Installation::new();
    let folder = fleet.folder.path();
    let (index, database) = (fleet.index.as_str(), fleet.database.as_str());
    let seed = "http://127.0.0.1:1/";
    for command in [&["nodes"][..], &["drain", "x"]] {
        check(&run(folder, command), 2, "which installation?");
        check(
            &run(folder, &[command, &["--frontier", "http://u:s3cret@h/"]].concat()),
            2,
            "not the URL of a Redis",
        );
        check(&run(folder, &[command, &["--frontier", "redis://127.0.0.1:1"]].concat()), 5, "unavailable");
        check(&run(folder, &[command, &["--frontier", index]].concat()), 5, "no epoch is open");
    }
    for command in
        [&["pause"][..], &["cancel", "t"], &["resume", "t"], &["add", seed], &["recover"], &["crawl", seed]]
    {
        let with = |more: &[&str]| run(folder, &[command, more].concat());
        check(&with(&["--frontier", index]), 2, "which database?");
        check(&with(&["--frontier", "rediss:x", "--store", database]), 2, "not the URL of a Redis");
        let nowhere = "postgres://nobody@127.0.0.1:1/x";
        check(&with(&["--frontier", index, "--store", nowhere]), 4, "nobody@127.0.0.1:1");
    }
    for command in [&["pause", "t"][..], &["cancel", "t"]] {
        check(&run(folder, &[command, &["--store", "sqlite:t.db"]].concat()), 2, "run by one process");
    }
    check(&fleet.run(&["recover"]), 5, "no scheduler leads");
    for command in [&["pause"][..], &["cancel"], &["resume"], &["add", seed]] {
        check(&fleet.run(command), 2, "holds no crawl");
    }
    check(
        &run(folder, &["crawl", seed, "--frontier", "redis://127.0.0.1:1", "--store", database]),
        5,
        "unavailable",
    );

    let _web = fleet.web(Settings { hosts: 1, pages: 2, ..Settings::default() });
    for name in ["a", "b"] {
        fleet.does(&["crawl", "seeds.txt", "--name", name, "--delay", "0s", "--lease", "2s"]);
    }
    for command in [&["pause"][..], &["cancel"], &["resume"], &["add", seed]] {
        check(&fleet.run(command), 2, "name one: a, b");
    }
    for command in [&["pause", "c"][..], &["cancel", "c"], &["resume", "c"], &["add", seed, "--name", "c"]] {
        check(&fleet.run(command), 2, "no crawl \"c\"");
    }
    check(&fleet.run(&["pause", "a"]), 2, "a is finished");
    check(&fleet.run(&["cancel", "a"]), 2, "a is finished");
    let epoch = || {
        let output = fleet.run(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        status["index"]["epoch"].as_u64().unwrap_or(0)
    };
    // The epoch of the crawls before is closed when the scheduler opens its own.
    let before = epoch();
    let _scheduler = fleet.scheduler(&[]);
    crate::program::wait_until("an epoch of the scheduler's own", || epoch() > before);
    check(&run(folder, &["drain", "nobody", "--frontier", index]), 2, "there is no node");
}

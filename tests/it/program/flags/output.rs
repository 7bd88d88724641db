//! What is said, where and how loudly.

use super::origin::{Origin, Reply};
use super::{crawl, run, said};
use serde_json::Value;
use std::time::Duration;

fn site() -> Origin {
    Origin::start(|_, path| match path {
        "/robots.txt" => Reply::robots("User-agent: *\nDisallow: /no\n"),
        "/" => Reply::links(&["/a", "/gone", "/no", "http://else.test/", "mailto:a@b"]),
        "/gone" => Reply::gone(),
        _ => Reply::links(&[]),
    })
}

fn check_summary(text: &[u8]) {
    let summary: Value = serde_json::from_slice(text).unwrap();
    let found = &summary["found"];
    let number = |value: &Value| value.as_u64().unwrap();
    let not_fetched: u64 =
        found["not_fetched"].as_array().unwrap().iter().map(|reason| number(&reason["count"])).sum();
    let parts = ["stored", "redirects", "failed", "queued", "waiting"].map(|part| number(&found[part]));
    assert_eq!(number(&found["total"]), parts.iter().sum::<u64>() + not_fetched, "{summary}");
    assert_eq!((number(&found["total"]), parts[0], parts[2], not_fetched), (6, 2, 1, 3));
    assert_eq!(
        (&summary["schema"], &summary["crawl"], &summary["ended"]["how"]),
        (&1.into(), &"t".into(), &"finished".into())
    );
    assert_eq!(summary["problems"][0]["class"], "404");
}

#[test]
fn the_summary_is_written_as_json_where_asked() {
    let site = site();
    let file = crawl(&site.url("/"), &["--summary-json", "s.json"]);
    check_summary(&std::fs::read(file.folder.path().join("s.json")).unwrap());
    assert!(file.output.stdout.is_empty());
    let stdout = crawl(&site.url("/"), &["--summary-json", "-", "-q"]);
    check_summary(&stdout.output.stdout);
    assert_eq!(stdout.said(), "", "-q says nothing where nothing is wrong");
}

#[test]
fn a_summary_that_cannot_be_written_is_found_out_before_the_crawl() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    for file in ["no-such-folder/s.json", "."] {
        let output = run(folder.path(), &["crawl", &site.url("/"), "--summary-json", file]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).starts_with(&format!("error: --summary-json {file}: ")), "{}", said(&output));
    }
    assert!(site.log().is_empty(), "nothing was fetched for it");
    assert!(!folder.path().join("crawls").exists());
}

#[test]
fn quiet_is_quiet_and_still_says_what_failed() {
    let site = site();
    let crawled = crawl(&site.url("/"), &["-q"]);
    assert_eq!((crawled.said().as_str(), crawled.output.stdout.len()), ("", 0));
    let folder = tempfile::tempdir().unwrap();
    let failed = run(folder.path(), &["crawl", &site.url("/gone"), "-q"]);
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(
        said(&failed).lines().filter(|line| line.starts_with("error: ")).count(),
        1,
        "{}",
        said(&failed)
    );
    let both = run(folder.path(), &["crawl", &site.url("/"), "-q", "-v"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn verbose_is_a_line_a_page_and_twice_also_why_urls_were_skipped() {
    let site = site();
    let once = crawl(&site.url("/"), &["-v"]).said();
    let line = once.lines().find(|line| line.ends_with(&site.url("/a"))).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!((words[0], words[words.len() - 3], words[words.len() - 2]), ("200", "d1", "stored"), "{line}");
    assert!(once.lines().any(|line| line.starts_with("404") && line.contains("failed")), "{once}");
    assert!(once.lines().any(|line| line.starts_with("---") && line.contains("disallowed")), "{once}");
    assert!(!once.contains("skip "), "{once}");
    let twice = crawl(&site.url("/"), &["-vv"]).said();
    assert!(twice.contains("skip  out-of-scope  http://else.test/  ("), "{twice}");
    assert!(twice.contains("skip  scheme  mailto:a@b  ("), "{twice}");
}

#[test]
fn progress_is_lines_for_logs_or_nothing() {
    let site = site();
    let lines = |how: &[&str]| {
        let said = crawl(&site.url("/"), how).said();
        said.lines().filter(|line| line.contains("INFO progress")).map(str::to_owned).collect::<Vec<_>>()
    };
    for how in [&["--progress", "plain"][..], &[]] {
        let plain = lines(how);
        assert_eq!(plain.len(), 1, "one at the end of a short crawl: {plain:?}");
        for field in ["done=4", "queued=0", "inflight=0", "failed=1", "waiting_hosts=0", "retrying=0"] {
            assert!(plain[0].split(' ').any(|word| word == field), "{field} in {plain:?}");
        }
    }
    assert!(lines(&["--progress", "none"]).is_empty());
}

#[test]
fn a_crawl_of_some_length_says_how_far_it_is_every_ten_seconds() {
    let site = Origin::site(|path| match path {
        "/" => Reply::links(&["/a", "/b"]),
        _ => Reply::links(&[]).after(Duration::from_secs(6)),
    });
    let said = crawl(&site.url("/"), &["--progress", "plain"]).said();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("INFO progress")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("done=2 queued=0 inflight=1"), "{}", lines[0]);
}

#[test]
fn a_finished_crawl_says_that_nothing_is_left() {
    let site = site();
    let first = crawl(&site.url("/"), &[]);
    let again = run(first.folder.path(), &["crawl", &site.url("/"), "--name", "t"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(said(&again).contains("Nothing is left of t; --name NAME crawls afresh"), "{}", said(&again));
    assert_eq!(site.pages().len(), 3, "nothing is asked for again");
}

#[test]
fn the_summary_names_each_problem_with_a_page_that_links_there_and_the_next_commands_work() {
    let site = site();
    let crawled = crawl(&site.url("/"), &["--store", "sqlite:./place/x.db"]);
    let said = crawled.said();
    assert!(said.contains("404  1x  /gone"), "{said}");
    assert!(said.contains(&format!("linked from 1 page, e.g. {}", site.url("/"))), "{said}");
    assert!(
        said.contains("URLs found            6  stored 2, redirects 0, failed 1, not fetched 3"),
        "{said}"
    );
    let next: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("  Next")).collect();
    let commands = next.iter().map(|line| line.trim_start_matches("  Next").trim());
    let commands: Vec<&str> = commands.filter(|command| command.starts_with("huntsman ")).collect();
    assert_eq!(commands.len(), 2, "{said}");
    for command in commands {
        let command = command.replacen("huntsman", env!("CARGO_BIN_EXE_huntsman"), 1);
        let mut shell = std::process::Command::new("sh");
        let output = shell.arg("-c").arg(&command).current_dir(crawled.folder.path()).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{command}: {output:?}");
    }
}

//! The program with a database for its store: everything as with a file.

use super::reading::{ask, documented_questions, site};
use super::{run, said, start, wait_until};
use crate::servers::postgres::shared;
use huntsman::testweb::{RobotsKind, Settings, Testweb};
use sqlx::Executor;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

fn new_database(runtime: &tokio::runtime::Runtime) -> String {
    runtime.block_on(async {
        let server = shared().await;
        let database = server.new_database("").await;
        server.url(&database)
    })
}

/// Digits of times and spans as zeros.
fn without_times(text: &str) -> String {
    let masked = regex::Regex::new(r"\d{4}-\d\d-\d\dT[0-9:.]+Z|\d+ ms").unwrap();
    masked.replace_all(text, "0").into_owned()
}

/// Lines of an answer in CSV, without the names of the columns, which each database makes up for itself.
fn lines(csv: &str) -> BTreeSet<String> {
    csv.lines().skip(1).map(without_times).collect()
}

#[test]
fn what_was_crawled_is_read_alike_from_a_file_and_from_a_database() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (file, database) = ("sqlite:t.db", new_database(&runtime));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = site();
    let empty = run(folder, &["pages", "--store", &database]);
    assert_eq!(empty.status.code(), Some(2), "{}", said(&empty));
    assert!(said(&empty).contains("holds no crawl"), "{}", said(&empty));
    let mut said_of = Vec::new();
    for store in [file, &database] {
        let output = run(folder, &["crawl", &server.url("/"), "--name", "t", "--store", store]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        said_of.push(said(&output));
    }
    let told = &said_of[1];
    assert!(told.contains("--store 'postgres://huntsman@localhost:5432/"), "how to ask again: {told}");

    let both = |arguments: &[&str]| {
        [file, &database].map(|store| {
            let mut arguments = arguments.to_vec();
            arguments.extend(["--store", store]);
            ask(folder, &arguments)
        })
    };
    let types = [
        "select count(*), sum(bytes), avg(depth), min(title), null from pages",
        "select url_key, url, state, depth, seed, due_at from urls order by url",
        "select source_url, url, anchor, rel, element from links",
        "select 1 < 2, 0.5, 'x', headings, links_packed from pages order by url",
        "values (1, 'a')",
    ];
    for question in documented_questions().iter().map(String::as_str).chain(types) {
        let [one, other] = both(&["query", question, "--format", "csv"]);
        assert_eq!(lines(&one), lines(&other), "{question}");
        assert!(!types.contains(&question) || !lines(&one).is_empty(), "{question}");
    }
    for url in ["/a?utm_source=other", "/no/b", "/gone", "/never", "/"] {
        let [one, other] = both(&["why", &server.url(url)]).map(|text| without_times(&text));
        assert_eq!(one, other);
    }
    let [one, other] = both(&["why", "mailto:a@b"]).map(|text| without_times(&text));
    assert_eq!(one, other);
    let host = format!("127.0.0.1:{}", server.port);
    for filters in [
        &["--title", "RED"][..],
        &["--title", "100%"],
        &["--title", "_"],
        &["--status", "2xx", "--host", &host],
        &["--status", "404"],
        &["--since", "2100-01-01"],
        &["--limit", "1"],
        &[],
    ] {
        let [one, other] = both(&[&["pages", "--format", "csv"], filters].concat());
        assert_eq!(without_times(&one), without_times(&other), "{filters:?}");
    }
    let [one, other] = both(&["status", "--json"]).map(|text| without_times(&text));
    assert_eq!(one, other);
}

#[test]
fn queries_of_a_database_read_and_cannot_write() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = new_database(&runtime);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = run(folder, &["crawl", &site().url("/"), "--name", "t", "--store", &database]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for writing in [
        "delete from pages",
        "with x as (delete from pages returning 1) select * from x",
        "select 1; delete from pages",
        "select 1; commit; delete from pages",
        "explain analyze delete from pages",
        "select nextval('pages_id_seq')",
        "select nothing from pages",
    ] {
        let output = run(folder, &["query", writing, "--store", &database]);
        assert_eq!(output.status.code(), Some(2), "{writing}: {}", said(&output));
    }
    let pages =
        ask(folder, &["query", "select count(*) from pages", "--store", &database, "--format", "csv"]);
    assert_eq!(pages, "count\r\n2\r\n");
    let plan = ask(folder, &["query", "explain select * from pages", "--store", &database]);
    assert!(plan.contains("Scan"), "{plan}");
    let many = "select n, repeat('x', 100) from generate_series(1, 20000) as n";
    let many = ask(folder, &["query", many, "--store", &database, "--format", "csv"]);
    assert_eq!(many.lines().count(), 20_001);
}

/// Killed in the middle; the next process waits until the leadership of the dead one is over, and goes on.
#[test]
fn kill_nine_on_a_database_loses_nothing_and_stores_nothing_twice() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = new_database(&runtime);
    let settings = Settings {
        hosts: 20,
        pages: 50,
        page_size: 2_000,
        links: 20,
        robots: RobotsKind::Rules,
        log: true,
        ..Settings::default()
    };
    let web = runtime.block_on(Testweb::start(settings)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seed = web.seeds()[0].clone();
    let options = ["--delay", "20ms", "-q", "--store", &database];
    let first = [&["crawl", &seed, "--name", "k", "--scope", "any"][..], &options].concat();
    let mut process = start(folder.path(), &first);
    wait_until("requests", || web.requests() > 400 || process.try_wait().unwrap().is_some());
    process.kill().unwrap();
    process.wait().unwrap();
    let resume = [&["resume", "k"][..], &options].concat();
    let last = run(folder.path(), &resume);
    assert_eq!(last.status.code(), Some(0), "{}", said(&last));
    assert!(!said(&last).contains("is in use"), "quiet");

    let stored = stored(folder.path(), &database);
    let distinct: BTreeSet<String> = stored.iter().cloned().collect();
    let truth: BTreeSet<String> =
        web.truth().filter(|page| page.reachable && page.status == Some(200)).map(|page| page.url).collect();
    assert_eq!((distinct.len(), &distinct), (stored.len(), &truth));
    let mut last: HashMap<String, Duration> = HashMap::new();
    for request in web.log() {
        if let Some(before) = last.insert(request.host.clone(), request.at) {
            assert!(request.at.saturating_sub(before) >= Duration::from_millis(20), "{}", request.host);
        }
    }
    let led = "SELECT expires_at::text FROM leadership";
    let led: String = runtime.block_on(async {
        let server = shared().await;
        let name = database.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
        let row = server.connect(&name).await.fetch_one(led).await.unwrap();
        sqlx::Row::get(&row, 0)
    });
    assert_eq!(led, "-infinity", "the leadership was given up at the end");
}

fn stored(folder: &Path, database: &str) -> Vec<String> {
    let question = ["query", "select url from pages", "--store", database, "--format", "csv"];
    ask(folder, &question).lines().skip(1).map(str::to_owned).collect()
}

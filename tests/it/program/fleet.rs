//! Many processes, one crawl: real nodes, storage stages, Redis and Postgres, killed while they work; judged by the
//! servers of the web and by the database.

use super::{huntsman, wait_until};
use crate::servers::postgres::shared;
use crate::servers::redis::RedisServer;
use huntsman::testweb::{RobotsKind, Settings, Testweb};
use sqlx::Connection;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

const HOSTS: u32 = 12;
const PAGES: u32 = 40;
const DELAY: Duration = Duration::from_millis(100);

/// A role of the installation, killed with the test.
struct Role(Child);

impl Role {
    fn start(folder: &Path, log: &str, arguments: &[&str]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join(log)).unwrap();
        let mut command = huntsman(folder, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::from(log));
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM; answers with its exit code.
    fn end(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // One that has ended is no failure.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_fleet_loses_nothing_when_processes_die_and_redis_forgets_everything() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = Settings {
        hosts: HOSTS,
        pages: PAGES,
        page_size: 1_000,
        links: 10,
        robots: RobotsKind::Allow,
        log: true,
        ..Settings::default()
    };
    let web = runtime.block_on(Testweb::start(settings)).unwrap();
    let redis = RedisServer::start();
    let database = runtime.block_on(async {
        let server = shared().await;
        server.url(&server.new_database("").await)
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seeds = web.seeds().iter().fold(String::new(), |mut text, seed| {
        writeln!(text, "{seed}").unwrap();
        text
    });
    std::fs::write(folder.join("seeds.txt"), seeds).unwrap();

    let index = redis.url();
    let node = || {
        let arguments =
            ["node", "--frontier", &index, "--allow-private", "127.0.0.0/8", "--concurrency", "8"];
        Role::start(folder, "node.log", &arguments)
    };
    let storage =
        || Role::start(folder, "storage.log", &["storage", "--frontier", &index, "--store", &database]);
    let scheduler = |seeds: &[&str]| {
        let arguments = ["scheduler", "--frontier", &index, "--store", &database, "--lease", "2s"];
        let of_crawl = ["--name", "t", "--delay", "100ms"];
        Role::start(folder, "scheduler.log", &[&arguments[..], &of_crawl, seeds].concat())
    };
    let count = |query: &'static str| -> i64 {
        runtime.block_on(async {
            let mut line = sqlx::PgConnection::connect(&database).await.unwrap();
            // Before the first process has made the tables there is nothing.
            sqlx::query_scalar(query).fetch_one(&mut line).await.unwrap_or(0)
        })
    };
    let logs = || {
        ["scheduler.log", "node.log", "storage.log"]
            .map(|log| std::fs::read_to_string(folder.join(log)).unwrap_or_default())
            .concat()
    };
    let pages = || count("SELECT count(*) FROM pages");

    let first = scheduler(&["seeds.txt"]);
    let (one, two) = (node(), node());
    let (writes, writes_too) = (storage(), storage());
    wait_until("the first pages", || pages() > i64::from(HOSTS * PAGES / 8));
    one.kill();
    let three = node();
    wait_until("a quarter", || pages() > i64::from(HOSTS * PAGES / 4));
    writes.kill();
    let writes = storage();
    redis.ask::<()>(&["FLUSHALL"]);
    wait_until("half of it, by another epoch of the index", || pages() > i64::from(HOSTS * PAGES / 2));
    first.kill();
    let second = scheduler(&[]);
    wait_until("the end of the crawl", || count("SELECT count(*) FROM crawls WHERE state = 'finished'") == 1);

    let reachable = web.truth().filter(|page| page.reachable && page.status == Some(200)).count();
    assert_eq!(pages(), reachable as i64, "{}", logs());
    assert_eq!(count("SELECT count(DISTINCT url) FROM pages"), reachable as i64);
    assert_eq!(count("SELECT count(*) FROM urls WHERE state = 'open'"), 0);
    let mut last: HashMap<String, Duration> = HashMap::new();
    for request in web.log() {
        if let Some(before) = last.insert(request.host.clone(), request.at) {
            let gap = request.at.saturating_sub(before);
            assert!(gap >= DELAY, "{} was asked after {gap:?}: {}", request.host, logs());
        }
    }
    for role in [two, three, writes, writes_too, second] {
        assert_eq!(role.end(), Some(0), "{}", logs());
    }
}

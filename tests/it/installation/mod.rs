//! An installation of real processes on a Redis and a database of their own, judged by the servers of the web, by the
//! database and by exit codes.

mod crawling;
mod limits;
mod mistakes;
mod releasing;
mod signals;
mod steering;
mod watching;

use crate::program::{huntsman, said, wait_until};
use crate::servers::postgres::shared;
use crate::servers::redis::RedisServer;
use huntsman::testweb::{Settings, Testweb};
use sqlx::Connection;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A process of the installation, killed with the test.
pub(crate) struct Role(Child);

impl Role {
    pub(crate) fn start(folder: &Path, log: &str, arguments: &[&str]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join(log)).unwrap();
        let mut command = huntsman(folder, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::from(log));
        Self(command.spawn().unwrap())
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(&pid).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; answers with its exit code.
    fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// SIGTERM; answers with its exit code.
    pub(crate) fn end(self) -> Option<i32> {
        self.signal("TERM");
        self.code()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // One that has ended is no failure.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[expect(clippy::disallowed_methods, reason = "real servers, real time")]
fn now() -> Instant {
    Instant::now()
}

struct Installation {
    runtime: tokio::runtime::Runtime,
    redis: RedisServer,
    index: String,
    database: String,
    folder: TempDir,
}

impl Installation {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let redis = RedisServer::start();
        let database = runtime.block_on(async {
            let server = shared().await;
            server.url(&server.new_database("").await)
        });
        let index = redis.url();
        Self { runtime, redis, index, database, folder: tempfile::tempdir().unwrap() }
    }

    /// A simulated web, with a list of its seeds in `seeds.txt`.
    fn web(&self, settings: Settings) -> Testweb {
        let web = self.runtime.block_on(Testweb::start(Settings { log: true, ..settings })).unwrap();
        let mut list = String::new();
        web.seeds().iter().for_each(|seed| writeln!(list, "{seed}").unwrap());
        std::fs::write(self.folder.path().join("seeds.txt"), list).unwrap();
        web
    }

    fn both(&self) -> [&str; 4] {
        ["--frontier", &self.index, "--store", &self.database]
    }

    fn start(&self, log: &str, arguments: &[&str]) -> Role {
        Role::start(self.folder.path(), log, arguments)
    }

    fn node(&self, more: &[&str]) -> Role {
        let node = ["node", "--frontier", &self.index, "--allow-private", "127.0.0.0/8"];
        self.start("node.log", &[&node[..], more].concat())
    }

    fn storage(&self) -> Role {
        self.start("storage.log", &[&["storage"][..], &self.both()].concat())
    }

    fn scheduler(&self, more: &[&str]) -> Role {
        self.start("scheduler.log", &[&["scheduler", "--lease", "2s"][..], &self.both(), more].concat())
    }

    /// Runs a command on both servers to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        huntsman(self.folder.path(), &[arguments, &self.both()].concat()).output().unwrap()
    }

    /// The same, which must succeed; answers with what it said.
    fn does(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {} {}", said(&output), self.logs());
        said(&output)
    }

    /// A command that takes the index alone.
    fn index_does(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--frontier", &self.index]].concat();
        let output = huntsman(self.folder.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn nodes(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.index_does(&["nodes", "--json"])).unwrap()
    }

    fn count(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        self.runtime.block_on(async {
            let mut line = sqlx::PgConnection::connect(&self.database).await.unwrap();
            // Before the first process has made the tables there is nothing.
            sqlx::query_scalar(query).fetch_one(&mut line).await.unwrap_or(0)
        })
    }

    fn pages(&self) -> i64 {
        self.count("SELECT count(*) FROM pages")
    }

    fn is(&self, state: &str) -> bool {
        self.count(&format!("SELECT count(*) FROM crawls WHERE state = '{state}'")) == 1
    }

    /// Waits until the crawl is in that state.
    fn wait_for(&self, state: &str) {
        wait_until(&format!("the state {state}: {}", self.logs()), || self.is(state));
    }

    fn logs(&self) -> String {
        let read = |log: &str| std::fs::read_to_string(self.folder.path().join(log)).unwrap_or_default();
        ["crawl.log", "scheduler.log", "node.log", "storage.log"].map(read).concat()
    }

    /// Asserts that each page of the web is stored, and once, and that no host was asked faster than it may be.
    fn has_all(&self, web: &Testweb, delay: Duration) {
        let reachable = web.truth().filter(|page| page.reachable && page.status == Some(200)).count();
        assert_eq!(self.pages(), reachable as i64, "{}", self.logs());
        assert_eq!(self.count("SELECT count(DISTINCT url) FROM pages"), reachable as i64);
        assert_eq!(self.count("SELECT count(*) FROM urls WHERE state = 'open'"), 0);
        let mut last: HashMap<String, Duration> = HashMap::new();
        for request in web.log() {
            if let Some(before) = last.insert(request.host.clone(), request.at) {
                let gap = request.at.saturating_sub(before);
                assert!(gap >= delay, "{} was asked after {gap:?}: {}", request.host, self.logs());
            }
        }
    }
}

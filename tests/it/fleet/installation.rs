//! An installation on this machine: a simulated web, Redis, Postgres and any number of roles, each a real process.

use super::form::{self, now};
use super::process::Role;
use crate::program::huntsman;
use crate::servers::postgres::{Server, shared};
use crate::servers::proxy::Proxy;
use crate::servers::redis::RedisServer;
use huntsman::settings::environment::variable;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long anything may take that a test waits for, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(90);

/// What an installation is to be like.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) hosts: u32,
    pub(crate) pages: u32,
    /// The delay of the crawl.
    pub(crate) delay: Duration,
    /// Between a request and its answer.
    pub(crate) latency: Duration,
    /// KiB.
    pub(crate) page_size: usize,
    /// Of each page.
    pub(crate) links: u32,
    pub(crate) lease: Duration,
    /// Of each node.
    pub(crate) concurrency: u32,
    /// The test needs a Redis of its own, which it may kill.
    pub(crate) own_redis: bool,
    /// Settings of that Redis.
    pub(crate) redis_settings: &'static [&'static str],
    /// The test needs a Postgres of its own.
    pub(crate) own_postgres: bool,
    /// ... whose files are in this folder, with settings that let it do with little room.
    pub(crate) postgres_folder: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hosts: 8,
            pages: 30,
            delay: Duration::from_millis(100),
            // So that some URLs are leased at any moment.
            latency: Duration::from_millis(40),
            page_size: 1,
            links: 10,
            lease: Duration::from_secs(2),
            concurrency: 8,
            own_redis: true,
            redis_settings: &[],
            own_postgres: false,
            postgres_folder: None,
        }
    }
}

/// The web that is crawled, a process that writes each request down.
pub(crate) struct Web {
    process: Child,
    /// Kept open: what it prints has to go somewhere.
    _printed: BufReader<ChildStdout>,
    /// URLs of pages that a crawl finds, and no others.
    pub(crate) truth: BTreeSet<String>,
    pub(crate) roots: Vec<String>,
    pub(crate) log: PathBuf,
    /// When its clock began, at the latest.
    pub(crate) began: Mutex<Instant>,
}

impl Web {
    fn start(folder: &Path, plan: &Plan) -> Self {
        let [hosts, pages, outlinks] = [plan.hosts, plan.pages, plan.links].map(|number| number.to_string());
        let (size, latency) = (format!("{} KiB", plan.page_size), format!("{}ms", plan.latency.as_millis()));
        let made =
            ["testweb", "--hosts", &hosts, "--pages", &pages, "--page-size", &size, "--links", &outlinks];
        let served =
            ["--latency", &latency, "--redirects", "0.05", "--log", "web.jsonl", "--truth", "truth.jsonl"];
        let mut command = huntsman(folder, &[&made[..], &served].concat());
        let mut process = command.stderr(Stdio::inherit()).spawn().unwrap();
        // It prints its first URLs when it listens and the truth is written.
        let mut first = String::new();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        printed.read_line(&mut first).unwrap();
        assert!(first.starts_with("http://"), "no web: {first:?}");
        let lines = std::fs::read_to_string(folder.join("truth.jsonl")).unwrap();
        let (mut truth, mut roots) = (BTreeSet::new(), Vec::new());
        for line in lines.lines() {
            let page: serde_json::Value = serde_json::from_str(line).unwrap();
            let url = page["url"].as_str().unwrap().to_owned();
            if page["kind"] == "root" {
                roots.push(url.clone());
            }
            if page["reachable"] == true && page["status"] == 200 {
                truth.insert(url);
            }
        }
        Self {
            process,
            _printed: printed,
            truth,
            roots,
            log: folder.join("web.jsonl"),
            began: Mutex::new(now()),
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The Redis of an installation.
pub(crate) enum Index {
    /// A private one.
    Own(RedisServer),
    /// A database of the one that `REDIS_URL` names.
    Given(String),
}

impl Index {
    /// Databases of the given server that tests take in turn, so that those that run at a time have one each.
    const DATABASES: u32 = 15;

    fn start(plan: &Plan) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if let Some(url) = variable("REDIS_URL").filter(|_| !plan.own_redis) {
            let number = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % Self::DATABASES;
            return Self::Given(format!("{}/{number}", url.trim_end_matches('/')));
        }
        Self::Own(RedisServer::start_with(plan.redis_settings))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Own(server) => server.url(),
            Self::Given(url) => url.clone(),
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        if let Self::Given(url) = self {
            let connection = redis::Client::open(&**url).and_then(|client| client.get_connection());
            _ = connection.and_then(|mut up| redis::cmd("FLUSHDB").exec(&mut up));
        }
    }
}

/// See the module.
pub(crate) struct Installation {
    pub(crate) plan: Plan,
    pub(crate) web: Web,
    pub(crate) index: Index,
    pub(crate) postgres: Option<Arc<Server>>,
    /// The name of the database.
    database: String,
    /// Its address.
    pub(crate) store: String,
    pub(crate) runtime: Runtime,
    pub(crate) folder: TempDir,
}

impl Installation {
    /// A web and its servers; no role runs yet.
    pub(crate) fn start(plan: Plan) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let web = Web::start(folder.path(), &plan);
        let seeds = web.roots.iter().fold(String::new(), |mut text, seed| {
            writeln!(text, "{seed}").unwrap();
            text
        });
        std::fs::write(folder.path().join("seeds.txt"), seeds).unwrap();
        let index = Index::start(&plan);
        let (postgres, database, store) = runtime.block_on(database(&plan));
        Self { plan, web, index, postgres, database, store, runtime, folder }
    }

    /// Writes a list of so many seeds over so many hosts, none of which there is.
    pub(crate) fn write_seeds(&self, file: &str, seeds: usize, hosts: usize) {
        let mut list = String::new();
        for n in 0..seeds {
            writeln!(list, "http://h{}.example/{n}", n % hosts).unwrap();
        }
        std::fs::write(self.folder.path().join(file), list).unwrap();
    }

    /// The private Redis.
    pub(crate) fn redis(&mut self) -> &mut RedisServer {
        match &mut self.index {
            Index::Own(server) => server,
            Index::Given(_) => panic!("this test needs a Redis of its own"),
        }
    }

    /// The Postgres, which only this test uses.
    pub(crate) fn server(&self) -> &Server {
        assert!(self.plan.own_postgres, "this test needs a Postgres of its own");
        self.postgres.as_ref().expect("it is private")
    }

    /// A line to the private Redis that can be disturbed, and the address of the index over it.
    pub(crate) fn line_to_redis(&mut self) -> (Proxy, String) {
        let line = Proxy::to(&self.redis().socket());
        let url = format!("redis://127.0.0.1:{}", line.port());
        (line, url)
    }

    /// The same to the private Postgres.
    pub(crate) fn line_to_postgres(&self) -> (Proxy, String) {
        let line = Proxy::to(&self.server().socket());
        let url = self.server().url_at(line.port(), &self.database);
        (line, url)
    }

    fn role(&self, log: &str, arguments: &[&str], variables: &[(String, String)]) -> Role {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Role::start(self.folder.path(), log, &arguments, variables)
    }

    pub(crate) fn node(&self, name: &str) -> Role {
        self.node_at(name, &self.index.url(), &[])
    }

    /// A node that reaches the index at this address, with these environment variables.
    pub(crate) fn node_at(&self, name: &str, index: &str, variables: &[(String, String)]) -> Role {
        let concurrency = self.plan.concurrency.to_string();
        let web = ["--allow-private", "127.0.0.0/8", "--concurrency", &concurrency];
        let arguments = [&["-v", "node", "--frontier", index][..], &web].concat();
        self.role(&format!("node-{name}.log"), &arguments, variables)
    }

    pub(crate) fn storage(&self, name: &str) -> Role {
        self.storage_at(name, &self.index.url(), &self.store)
    }

    pub(crate) fn storage_at(&self, name: &str, index: &str, store: &str) -> Role {
        let arguments = ["-v", "storage", "--frontier", index, "--store", store];
        self.role(&format!("storage-{name}.log"), &arguments, &[])
    }

    /// A scheduler that adds these seeds to the crawl `t`.
    pub(crate) fn scheduler(&self, name: &str, seeds: &[&str]) -> Role {
        self.scheduler_at(name, &self.index.url(), &self.store, &["--name", "t"], seeds)
    }

    pub(crate) fn scheduler_at(
        &self,
        name: &str,
        index: &str,
        store: &str,
        more: &[&str],
        seeds: &[&str],
    ) -> Role {
        let span = |span: Duration| format!("{}ms", span.as_millis());
        let (lease, delay) = (span(self.plan.lease), span(self.plan.delay));
        let own =
            ["-v", "scheduler", "--frontier", index, "--store", store, "--lease", &lease, "--delay", &delay];
        self.role(&format!("scheduler-{name}.log"), &[&own[..], more, seeds].concat(), &[])
    }

    /// What all processes said.
    pub(crate) fn logs(&self) -> String {
        let mut all = String::new();
        for file in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            if file.path().extension().is_some_and(|end| end == "log") {
                let text = std::fs::read_to_string(file.path()).unwrap();
                writeln!(all, "== {}\n{text}", file.file_name().display()).unwrap();
            }
        }
        all
    }

    /// One number from the database; `None` while it is out of reach or has no tables.
    pub(crate) fn number(&self, query: &str) -> Option<i64> {
        self.runtime.block_on(async {
            let mut line = PgConnection::connect(&self.store).await.ok()?;
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut line).await.ok()
        })
    }

    /// The first column of a query, as text.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut line = PgConnection::connect(&self.store).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut line).await.unwrap()
        })
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, statement: &str) {
        self.runtime.block_on(async {
            let mut line = PgConnection::connect(&self.store).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut line).await.unwrap();
        });
    }

    pub(crate) fn pages(&self) -> i64 {
        self.number("SELECT count(*) FROM pages").unwrap_or(0)
    }

    /// Waits until this share of the pages is stored, in hundredths.
    pub(crate) fn wait_for_share(&self, hundredths: usize) {
        let enough = (self.web.truth.len() * hundredths / 100) as i64;
        self.wait(&format!("{hundredths} % of the pages"), PATIENCE, || self.pages() >= enough);
    }

    /// Waits until every crawl is finished.
    pub(crate) fn wait_for_the_end(&self) {
        self.wait_for_the_end_within(PATIENCE);
    }

    pub(crate) fn wait_for_the_end_within(&self, most: Duration) {
        // In one question: a crawl may come between two.
        let is_over = "SELECT coalesce(bool_and(state = 'finished'), false)::int::bigint FROM crawls";
        self.wait("the end of the crawl", most, || self.number(is_over) == Some(1));
    }

    /// Waits for a condition, and says what every process said where it does not come.
    pub(crate) fn wait(&self, what: &str, most: Duration, mut condition: impl FnMut() -> bool) {
        let started = now();
        while !condition() {
            assert!(started.elapsed() < most, "waited in vain for {what}: {}", self.logs());
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// URLs leased and handed over as they stand in Redis now, counted there and not asked of the crawler.
    pub(crate) fn in_hand(&self) -> InHand {
        // The counters of each shard, as `core.lua` lays them out.
        const COUNT: &str = "local n = {0, 0} \
            for _, k in ipairs(redis.call('KEYS', '*:ctl')) do \
              local c = {struct.unpack('<' .. string.rep('d', 19), redis.call('GET', k))} \
              n[1], n[2] = n[1] + c[18], n[2] + c[19] \
            end \
            return n";
        let count = || -> redis::RedisResult<(usize, usize)> {
            let mut up = redis::Client::open(self.index.url())?.get_connection_with_timeout(form::BLINK)?;
            up.set_read_timeout(Some(form::BLINK))?;
            redis::cmd("EVAL").arg(COUNT).arg(0).query(&mut up)
        };
        let (leased, handed_over) = count().unwrap_or_default();
        InHand { leased, handed_over }
    }
}

/// Environment variables with which a process goes by a clock that is as far ahead as this file says.
pub(crate) fn clock_from(file: &Path) -> Vec<(String, String)> {
    let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .map(|folder| format!("{folder}/faketime/libfaketimeMT.so.1"))
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("libfaketime: tests/run installs it");
    let file = file.to_str().unwrap();
    let variables = [
        ("LD_PRELOAD", &*library),
        ("FAKETIME_TIMESTAMP_FILE", file),
        ("FAKETIME_NO_CACHE", "1"),
        // A clock that only ever goes on does so here, too: it is the time of day that is wrong.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// URLs that the index says are with somebody.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InHand {
    pub(crate) leased: usize,
    pub(crate) handed_over: usize,
}

impl std::fmt::Display for InHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} leased and {} handed over", self.leased, self.handed_over)
    }
}

impl InHand {
    pub(crate) fn all(self) -> usize {
        self.leased + self.handed_over
    }
}

/// A database of its own: in a private server, in that of all tests, or in the one that `DATABASE_URL` names.
async fn database(plan: &Plan) -> (Option<Arc<Server>>, String, String) {
    if let Some(given) = variable("DATABASE_URL").filter(|_| !plan.own_postgres) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("huntsman_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut line = PgConnection::connect(&given).await.unwrap();
        let make = format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut line).await.unwrap();
        let mut url = url::Url::parse(&given).unwrap();
        url.set_path(&name);
        return (None, name, url.into());
    }
    let server = match &plan.postgres_folder {
        Some(folder) => {
            let small = ["shared_buffers=1MB", "wal_level=minimal", "max_wal_senders=0", "max_wal_size=32MB"];
            let server = Arc::new(Server::made_in(folder.clone(), &small));
            server.run().await;
            server
        }
        None if plan.own_postgres => Arc::new(Server::start(&[]).await),
        None => shared().await,
    };
    let name = server.new_database("").await;
    let url = server.url(&name);
    (Some(server), name, url)
}

impl Drop for Installation {
    fn drop(&mut self) {
        if self.postgres.is_some() {
            return;
        }
        // One that `DATABASE_URL` names keeps nothing of ours.
        let Some(given) = variable("DATABASE_URL") else { return };
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        self.runtime.block_on(async {
            if let Ok(mut line) = PgConnection::connect(&given).await {
                _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut line).await;
            }
        });
    }
}

//! A private Postgres: one for all tests that need no more than a database of their own, or one that a test may kill.
//!
//! It runs under a small shell that waits for the test process to end, however it ends, and then stops the server by its
//! number and removes its folder.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// The superuser of our servers.
const USER: &str = "huntsman";
/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

/// Stops the server when it is told so or its standard input ends; then nobody is left who would remove the folder.
const KEEPER: &str = r#"
"$@" & server=$!
echo $server > "$PGDATA/../pid"
read -r told
kill -INT $server 2>/dev/null
wait $server
[ "$told" = stop ] || rm -rf "${PGDATA%/data}"
"#;

/// A server in a folder of its own.
pub(crate) struct Server {
    folder: PathBuf,
    settings: Vec<String>,
    process: Mutex<Option<(Child, ChildStdin)>>,
}

impl Server {
    /// A new server. `settings` are `name=value`, on top of ours.
    pub(crate) async fn start(settings: &[&str]) -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("huntsman-pg-{}-{number}", std::process::id());
        let server = Self::made_in(std::env::temp_dir().join(name), settings);
        server.run().await;
        server
    }

    /// A server whose files are in `folder`, which is made here; not yet running.
    pub(crate) fn made_in(folder: PathBuf, settings: &[&str]) -> Self {
        fs::create_dir_all(&folder).unwrap();
        if let Some((user, group)) = other_user() {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let server = Self {
            folder,
            settings: settings.iter().map(ToString::to_string).collect(),
            process: Mutex::default(),
        };
        let made = server
            .command(&program("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--username", USER])
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server
    }

    /// A command that runs as the user of the server.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("PGDATA", self.data());
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn run(&self) {
        let mut keeper = self.command(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(program("postgres"));
        let ours = [
            "listen_addresses=",
            "fsync=off",
            "max_connections=200",
            "shared_buffers=64MB",
            "max_wal_size=4GB",
        ];
        for setting in ours.into_iter().chain(self.settings.iter().map(String::as_str)) {
            keeper.args(["-c", setting]);
        }
        keeper.arg("-k").arg(&self.folder);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        let mut process = keeper.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        *self.process.lock().unwrap() = Some((process, input));
        let answered = tokio::time::timeout(START, async {
            while self.options("postgres").connect().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let answered = answered.await;
        assert!(answered.is_ok(), "no Postgres: {}", fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// The numbers of the postmaster and of all that it began.
    pub(crate) fn processes(&self) -> Vec<String> {
        let postmaster = fs::read_to_string(self.folder.join("pid")).unwrap().trim().to_owned();
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let children = children.unwrap_or_default();
        std::iter::once(postmaster).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    /// Kills the postmaster and all it began, at once, as a power cut would.
    pub(crate) fn kill(&self) {
        for process in self.processes() {
            _ = Command::new("kill").args(["-9", &*process]).stderr(Stdio::null()).status();
        }
        self.wait();
        _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    fn wait(&self) {
        if let Some((mut process, mut input)) = self.process.lock().unwrap().take() {
            _ = input.write_all(b"stop\n");
            drop(input);
            process.wait().unwrap();
        }
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.folder).port(5432).username(USER);
        options.database(database).disable_statement_logging()
    }

    /// The address of a database as `--store` takes it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost:5432/{database}?host={}", self.folder.display())
    }

    /// The same over a line of TCP that ends at its socket.
    #[expect(clippy::unused_self, reason = "the same server as `url`")]
    pub(crate) fn url_at(&self, port: u16, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Where it keeps its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Sends a signal, by its name, to the postmaster: TERM, INT and QUIT are a smart, a fast and an immediate shutdown.
    pub(crate) fn signal(&self, name: &str) {
        let postmaster = self.processes().remove(0);
        assert!(Command::new("kill").arg(format!("-{name}")).arg(postmaster).status().unwrap().success());
    }

    /// Waits until the server has ended, and starts it again.
    pub(crate) async fn restart_when_ended(&self) {
        self.wait_until_ended().await;
        self.run_again().await;
    }

    /// Starts it after it has ended by itself.
    pub(crate) async fn run_again(&self) {
        self.wait();
        self.run().await;
    }

    pub(crate) async fn wait_until_ended(&self) {
        let postmaster = self.processes().remove(0);
        // Its keeper has not asked for its exit code yet, so it stands there until then.
        let runs = || {
            let stat = fs::read_to_string(format!("/proc/{postmaster}/stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
        };
        let ended = tokio::time::timeout(START, async {
            while runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(ended.await.is_ok(), "the server does not end");
    }

    /// A connection of our own to a database.
    pub(crate) async fn connect(&self, database: &str) -> PgConnection {
        self.options(database).connect().await.unwrap()
    }

    /// Makes a database that no other test has; `how` goes behind the statement.
    pub(crate) async fn new_database(&self, how: &str) -> String {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres").await;
        let statement = format!("CREATE DATABASE {name} {how}");
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
        name
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wait();
        _ = fs::remove_dir_all(&self.folder);
    }
}

/// The user that the servers run as where we are root, which they refuse.
fn other_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let numbers = |name: &str| {
        let mut parts = users.lines().find(|line| line.starts_with(name))?.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    numbers("postgres:").or_else(|| numbers("nobody:"))
}

/// A program of Postgres, which Debian keeps off the path.
pub(crate) fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists());
    debian.max().unwrap_or_else(|| name.into())
}

/// The server of all tests that do not stop it; it lives as long as the test process.
pub(crate) async fn shared() -> Arc<Server> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    static STARTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _starting = STARTING.lock().await;
    if let Some(server) = SERVER.get() {
        return Arc::clone(server);
    }
    let server = Arc::new(Server::start(&[]).await);
    Arc::clone(SERVER.get_or_init(|| server))
}

//! A private `redis-server` on a unix socket.
//!
//! A shell between us and the server ends it, by its pid, when the pipe to the shell closes: also where the test binary is
//! killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const SHELL: &str = r#"redis-server "$@" >/dev/null 2>&1 & pid=$!; echo $pid; read end; kill -9 $pid; wait"#;

pub(crate) struct RedisServer {
    folder: TempDir,
    settings: Vec<String>,
    shell: Child,
    pid: u32,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with more settings: `&["--maxmemory", "10mb"]`.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let (shell, pid) = spawn(&folder, &settings);
        let server = Self { folder, settings, shell, pid };
        server.wait_until_up();
        server
    }

    /// Kills the server and starts another on the same socket and folder.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start_again();
        self.wait_until_up();
    }

    /// Kills the server.
    pub(crate) fn stop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
    }

    /// Starts another on the same socket and folder, and does not wait for it.
    pub(crate) fn start_again(&mut self) {
        (self.shell, self.pid) = spawn(&self.folder, &self.settings);
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// A connection beside the index.
    pub(crate) fn connection(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut self.connection()).unwrap()
    }

    /// Asks for something of which a server that is not there need not hear, nor one that stands still.
    pub(crate) fn try_ask(&self, words: &[&str]) {
        const BLINK: Duration = Duration::from_millis(200);
        let connected =
            redis::Client::open(self.url()).and_then(|client| client.get_connection_with_timeout(BLINK));
        let Ok(mut connection) = connected else { return };
        _ = connection.set_read_timeout(Some(BLINK));
        let mut command = redis::cmd(words[0]);
        _ = command.arg(&words[1..]).exec(&mut connection);
    }

    /// Sends a signal, by its name, to the server, which may have gone.
    pub(crate) fn try_signal(&self, name: &str) {
        _ = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid.to_string())
            .stderr(Stdio::null())
            .status();
    }

    /// Sends a signal, by its name, to the server.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid.to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Whether it answers.
    pub(crate) fn is_up(&self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_connection().is_ok_and(|mut up| redis::cmd("PING").exec(&mut up).is_ok())
    }

    fn wait_until_up(&self) {
        for _ in 0..1_000 {
            if self.is_up() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("redis-server does not start: is it installed?");
    }
}

fn spawn(folder: &TempDir, settings: &[String]) -> (Child, u32) {
    let socket = folder.path().join("redis.sock");
    drop(std::fs::remove_file(&socket));
    let mut shell = Command::new("sh");
    shell.args(["-c", SHELL, "redis-server", "--port", "0", "--save", "", "--appendonly", "no"]);
    shell.arg("--unixsocket").arg(&socket).arg("--dir").arg(folder.path()).args(settings);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    (shell, pid.trim().parse().unwrap())
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A stopped one does not hear anything else.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

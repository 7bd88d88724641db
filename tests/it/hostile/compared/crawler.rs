//! Runs one crawler on one site, bounded in time, memory and disk, and notes what the system saw of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Most KiB of address space, and of a file.
const MEMORY: u64 = 6 << 20;
const FILE: u64 = 1 << 20;
const FULL: &str = "its file has grown to 1 GiB";

/// A crawler: a program that crawls the seeds of the folder it is in, and tells which pages it has (`benches/peers/hostile`).
pub(super) struct Crawler {
    pub(super) name: String,
    program: PathBuf,
    /// What its program finds the crawler by.
    variable: Option<(&'static str, PathBuf)>,
}

/// What a crawler is asked to do, beside its seeds.
#[derive(Clone, Copy)]
pub(super) struct Task {
    /// Most time; then it is told to end, and is ended two seconds later.
    pub(super) time: Duration,
    /// Most pages; 0 is no limit.
    pub(super) pages: u32,
    pub(super) sitemaps: bool,
    /// Whether another name of the site will do, for crawlers that follow no redirect to 127.0.0.1.
    pub(super) named: bool,
}

/// What the system saw of a run.
pub(super) struct Run {
    pub(super) ending: Ending,
    pub(super) seconds: f64,
    /// Seconds of a processor.
    pub(super) processor: f64,
    /// Peak of resident memory, MiB.
    pub(super) peak: u64,
    pub(super) pages: Vec<Page>,
    /// Files that it left outside of where it was told to write.
    pub(super) strays: Vec<String>,
}

#[derive(PartialEq)]
pub(super) enum Ending {
    /// By itself, whatever it thought of the site.
    Itself,
    /// By us: its time was up.
    Stopped,
    /// By us, since it went on after that; what it used is not known.
    Killed,
    /// By a signal, or as a bug ends a program.
    Crash(String),
}

/// A page that it handed over.
pub(super) struct Page {
    /// Its path, with the query.
    pub(super) path: String,
    /// Whether the crawler says itself that it is not whole.
    pub(super) cut: bool,
    pub(super) title: String,
}

impl Crawler {
    /// Of `NAME=PROGRAM`.
    pub(super) fn named(text: &str) -> Self {
        let (name, program) = text.split_once('=').expect("NAME=PROGRAM");
        Self { name: name.to_owned(), program: program.into(), variable: None }
    }

    /// The crawler of this build.
    pub(super) fn ours() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/hostile/huntsman").into();
        let variable = Some(("HUNTSMAN", env!("CARGO_BIN_EXE_huntsman").into()));
        Self { name: "huntsman".to_owned(), program, variable }
    }

    /// Crawls. What it said is kept in `log`.
    pub(super) fn run(&self, seeds: &[String], task: Task, log: &Path) -> Run {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("the/folder");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("seeds"), seeds.join("\n") + "\n").unwrap();
        let used = around.path().join("used");
        let log = std::fs::File::create(log).unwrap();
        let limits = format!("ulimit -v {MEMORY}; ulimit -f {FILE}; exec \"$@\"");
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%e %U %S %M %x", "-o"]).arg(&used);
        command.args(["timeout", "-k", "2", &task.time.as_secs().to_string()]);
        command.args(["bash", "-c", &limits, "-"]).arg(&self.program).arg("crawl");
        self.prepared(&mut command, &folder, task)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        let mut command = Command::new("timeout");
        command.args(["20"]).arg(&self.program).arg("pages");
        let listed = self.prepared(&mut command, &folder, task).stderr(Stdio::null()).output().unwrap();
        let mut run = used_by(&std::fs::read_to_string(&used).unwrap(), task.time.as_secs_f64());
        run.pages = String::from_utf8_lossy(&listed.stdout).lines().filter_map(page).collect();
        run.strays = names(around.path(), &["the", "used"]);
        run.strays.extend(names(&around.path().join("the"), &["folder"]));
        run
    }

    fn prepared<'c>(&self, command: &'c mut Command, folder: &Path, task: Task) -> &'c mut Command {
        let word = |yes: bool| if yes { "yes" } else { "no" };
        command.current_dir(folder).stdin(Stdio::null()).env("PAGES", task.pages.to_string());
        command.env("SITEMAPS", word(task.sitemaps)).env("NAMED", word(task.named));
        // What this test is told is no setting of a crawler.
        for name in [super::CRAWLERS, super::ONLY] {
            command.env_remove(name);
        }
        command.envs(self.variable.clone())
    }
}

/// Reads what GNU time wrote.
fn used_by(text: &str, time: f64) -> Run {
    let last = text.lines().last().expect("what time says");
    let numbers: Vec<f64> = last.split(' ').map(|number| number.parse().unwrap()).collect();
    let [seconds, user, system, peak, code] = numbers[..] else { panic!("{text}") };
    let ending = match code as i32 {
        _ if seconds >= time + 1.5 => Ending::Killed,
        _ if seconds >= time => Ending::Stopped,
        // SIGXFSZ.
        153 => Ending::Crash(FULL.to_owned()),
        _ if text.contains("by signal 25") => Ending::Crash(FULL.to_owned()),
        _ if text.contains("terminated by signal") => Ending::Crash(text.lines().next().unwrap().to_owned()),
        101 => Ending::Crash("panicked".to_owned()),
        code if code >= 128 => Ending::Crash(format!("signal {}", code - 128)),
        _ => Ending::Itself,
    };
    let peak = peak as u64 / 1_024;
    Run { ending, seconds, processor: user + system, peak, pages: Vec::new(), strays: Vec::new() }
}

fn page(line: &str) -> Option<Page> {
    let (url, rest) = line.split_once('\t')?;
    let (cut, title) = rest.split_once('\t')?;
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    Some(Page { path: path.to_owned(), cut: cut == "cut", title: title.to_owned() })
}

fn names(folder: &Path, expected: &[&str]) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !expected.contains(&name.as_str())).collect()
}

//! What a crawl made of a site: its rows, and what `why` says of them.

use crate::program::{huntsman, run, said};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A crawl that has ended, in a folder of its own.
pub(crate) struct Crawled {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) output: Output,
}

/// What became of one URL.
#[derive(Debug)]
pub(crate) struct Became {
    /// Of the last request for it; empty where none was sent.
    pub(crate) error: String,
    pub(crate) outcome: String,
    pub(crate) detail: String,
    /// Of its row in `urls`.
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) attempts: i64,
    pub(crate) why: String,
}

/// Crawls URLs one after the other, each tried once, with flags on top. Between two of them is time for a connection that
/// was closed to be seen as such: what is sent on one would be an incomplete request, and rightly.
pub(crate) fn crawl(seeds: &[String], flags: &[&str]) -> Crawled {
    crawl_with(seeds, flags, &[])
}

/// The same with variables of the environment.
pub(crate) fn crawl_with(seeds: &[String], flags: &[&str], variables: &[(&str, &str)]) -> Crawled {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seeds"), seeds.join("\n")).unwrap();
    let ours = ["crawl", "seeds", "--name", "t", "--progress", "none"];
    let defaults = [("--delay", "20ms"), ("--retries", "0"), ("--wait", "100ms")];
    let missing = defaults.iter().filter(|(flag, _)| !flags.contains(flag));
    let defaults: Vec<&str> = missing.flat_map(|(flag, value)| [*flag, *value]).collect();
    let mut command = huntsman(folder.path(), &[&ours[..], &defaults, flags].concat());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    // 3 where no page came of any seed, which is what many of these tests are about.
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{}", said(&output));
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    Crawled { folder, output }
}

impl Crawled {
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("crawls/t.db")
    }

    /// The rows of a query, as JSON.
    pub(crate) fn rows(&self, query: &str) -> Vec<Value> {
        let output = Command::new("sqlite3").arg("-json").arg(self.store()).arg(query).output().unwrap();
        assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.trim().is_empty() { Vec::new() } else { serde_json::from_str(&text).unwrap() }
    }

    /// The one value of a query; NULL where there is no row.
    pub(crate) fn value(&self, query: &str) -> Value {
        let row = self.rows(query).into_iter().next();
        row.and_then(|row| row.as_object().and_then(|row| row.values().next().cloned())).unwrap_or_default()
    }

    /// A column of the page of a URL.
    pub(crate) fn of_page(&self, url: &str, column: &str) -> Value {
        self.value(&format!("select {column} from pages where url = '{}'", url.replace('\'', "''")))
    }

    pub(crate) fn why(&self, url: &str) -> String {
        let output = run(self.folder.path(), &["why", url]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What became of a URL. `why` must say the same as the rows do.
    pub(crate) fn became(&self, url: &str) -> Became {
        let quoted = url.replace('\'', "''");
        let row = |query: String| self.rows(&query).into_iter().next().unwrap_or_default();
        let url_row = row(format!("select state, reason, attempt from urls where url = '{quoted}'"));
        let fetch = row(format!(
            "select error, outcome, detail from fetches where url = '{quoted}' and kind <> 'robots' order by id desc limit 1"
        ));
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let became = Became {
            error: text(&fetch, "error"),
            outcome: text(&fetch, "outcome"),
            detail: text(&fetch, "detail"),
            state: text(&url_row, "state"),
            reason: text(&url_row, "reason"),
            attempts: url_row["attempt"].as_i64().unwrap_or_default(),
            why: self.why(url),
        };
        for word in [&became.state, &became.reason, &became.error, &became.outcome] {
            assert!(became.why.contains(word.as_str()), "why does not say {word:?}: {}", became.why);
        }
        became
    }

    /// Asserts that every URL of `urls` was given up as `class`, with its evidence among the dead letters and in `why`.
    #[track_caller]
    pub(crate) fn all_failed(&self, urls: &[String], class: &str) {
        for url in urls {
            self.became(url).failed(class);
        }
        let dead = self.value(&format!("select count(*) from dead_letters where reason = '{class}'"));
        assert_eq!(dead, urls.len(), "{}", said(&self.output));
    }

    /// Asserts that every URL of `urls` was stored.
    #[track_caller]
    pub(crate) fn all_stored(&self, urls: &[String]) {
        for url in urls {
            self.became(url).stored();
        }
    }
}

impl Became {
    #[track_caller]
    pub(crate) fn failed(&self, reason: &str) {
        assert_eq!((&*self.state, &*self.reason), ("failed", reason), "{self:#?}");
        assert!(self.why.contains(&format!("given up         {reason} after")), "{self:#?}");
    }

    #[track_caller]
    pub(crate) fn stored(&self) {
        assert_eq!((&*self.state, &*self.outcome), ("stored", "stored"), "{self:#?}");
    }

    /// Asserts that this was remarked of the answer, in its row and in `why`.
    #[track_caller]
    pub(crate) fn remarked(&self, remark: &str) {
        assert!(self.detail.contains("remarked: ") && self.detail.contains(remark), "{self:#?}");
        assert!(self.why.contains(remark), "{self:#?}");
    }
}

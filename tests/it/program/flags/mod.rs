//! Every flag held to its promise: judged by what the origin was asked and what the store holds.

mod extraction;
mod help;
mod hostile;
mod layers;
mod mistakes;
mod origin;
mod output;
mod redirects;
mod requests;
mod scope;
mod seeds;
mod signals;
mod terminal;

use super::{run, said, sql};
use origin::Origin;
use std::path::PathBuf;
use std::process::Output;

/// A crawl that has ended, with the folder it was run in.
pub(crate) struct Crawled {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) output: Output,
}

impl Crawled {
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("crawls/t.db")
    }

    pub(crate) fn sql(&self, query: &str) -> Vec<String> {
        sql(&self.store(), query)
    }

    pub(crate) fn said(&self) -> String {
        said(&self.output)
    }

    /// The rest of the stored URLs behind `base`, sorted.
    pub(crate) fn stored(&self, base: &str) -> Vec<String> {
        let urls = self.sql("select url from pages order by url");
        urls.iter().map(|url| url.strip_prefix(base).unwrap_or(url).to_owned()).collect()
    }
}

/// Crawls `seed` as `t` with `flags` to a good end.
pub(crate) fn crawl(seed: &str, flags: &[&str]) -> Crawled {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[&["crawl", seed, "--name", "t"], flags].concat());
    assert_eq!(output.status.code(), Some(0), "{flags:?}: {}", said(&output));
    Crawled { folder, output }
}

/// The same through `proxy`, without a delay of ours.
pub(crate) fn crawl_through(proxy: &Origin, seed: &str, flags: &[&str]) -> Crawled {
    crawl(seed, &[&["--proxy", &proxy.proxy(), "--delay", "0"], flags].concat())
}

/// A seed list of that many hosts.
pub(crate) fn many_hosts(hosts: usize) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let seeds: Vec<String> = (0..hosts).map(|n| format!("http://h{n}.test/\n")).collect();
    let file = folder.path().join("seeds");
    std::fs::write(&file, seeds.concat()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

//! Sites without an end, and what of them is fetched: one test for each trap of the catalogue, by the real program.

mod paths;
mod rows;
mod web;

pub(crate) use rows::{calendar, sessions};
pub(crate) use web::{answer, is_real, real_pages};

use crate::program::raw_server::RawServer;
use crate::program::{run, said, sql};
use std::path::Path;

/// A page with this text and these links.
fn html(text: &str, links: &[String]) -> (u16, String, String) {
    let links: Vec<String> = links.iter().map(|link| format!("<li><a href='{link}'>{link}</a>")).collect();
    let body = format!("<title>t</title><p>{text}</p><ul>{}</ul>", links.concat());
    (200, "Content-Type: text/html\r\n".into(), body)
}

/// A crawl in `folder` called `t`.
struct Crawl<'f>(&'f Path);

impl Crawl<'_> {
    fn crawl(&self, seed: &str, flags: &[&str]) {
        let output = run(self.0, &[&["crawl", seed, "--name", "t", "--delay", "0"], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }

    /// Runs a command that goes well; answers with what it printed and said.
    fn well(&self, arguments: &[&str]) -> String {
        let output = run(self.0, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output))
    }

    fn sql(&self, query: &str) -> Vec<String> {
        sql(&self.0.join("crawls/t.db"), query)
    }
}

/// Requests for paths that `is_meant`.
fn asked(site: &RawServer, is_meant: impl Fn(&str) -> bool) -> usize {
    site.log().iter().filter(|request| is_meant(&request.path)).count()
}

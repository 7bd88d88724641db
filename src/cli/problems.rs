//! What failed, grouped by status and path, each group with a page that links there.

use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use url::Url;

/// Most groups; what does not fit is counted together.
const MAX_GROUPS: usize = 1_000;
/// Most referrers of a group that are told apart.
const MAX_REFERRERS: usize = 10_000;
/// Directories of a path that a group keeps.
const KEPT_DIRECTORIES: usize = 2;

/// A URL that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedUrl {
    /// The HTTP status, or the class of failure, as in `404` or `connect-timeout`.
    pub class: String,
    /// The URL.
    pub url: String,
    /// The failure in words, where the class does not say it all.
    pub detail: Option<String>,
    /// The page it was found on; a seed has none.
    pub referrer: Option<String>,
}

/// URLs of one directory that failed in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The HTTP status or the class of failure.
    pub class: String,
    /// How many URLs.
    pub count: u64,
    /// Their host, with its port unless that is the default.
    pub host: String,
    /// `/api/v1/*`, or the path itself where it is one URL.
    pub path: String,
    /// The failure in words, of the first one.
    pub detail: Option<String>,
    /// Pages that link there.
    pub referrers: u64,
    /// One of them.
    pub example: Option<String>,
}

/// Collects failed URLs into groups, in bounded memory.
#[derive(Debug, Default)]
pub struct Problems {
    groups: BTreeMap<(String, String, String), Group>,
    ungrouped: u64,
}

#[derive(Debug)]
struct Group {
    count: u64,
    first_path: String,
    detail: Option<String>,
    referrers: HashSet<u64>,
    example: Option<String>,
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, failed: FailedUrl) {
        let FailedUrl { class, url, detail, referrer } = failed;
        let (host, path) = host_and_path(&url);
        let key = (class, host, pattern(&path));
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&key) {
            self.ungrouped += 1;
            return;
        }
        let group = self.groups.entry(key).or_insert_with(|| Group {
            count: 0,
            first_path: path,
            detail,
            referrers: HashSet::new(),
            example: None,
        });
        group.count += 1;
        if let Some(referrer) = referrer {
            let mut hasher = DefaultHasher::new();
            referrer.hash(&mut hasher);
            if group.referrers.len() < MAX_REFERRERS {
                group.referrers.insert(hasher.finish());
            }
            group.example.get_or_insert(referrer);
        }
    }

    /// The groups, the largest first.
    pub fn finish(self) -> Vec<Problem> {
        let group = |((class, host, pattern), group): (_, Group)| Problem {
            class,
            count: group.count,
            host,
            path: if group.count == 1 { group.first_path } else { pattern },
            detail: group.detail,
            referrers: group.referrers.len() as u64,
            example: group.example,
        };
        let mut problems: Vec<Problem> = self.groups.into_iter().map(group).collect();
        problems.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.class.cmp(&b.class)));
        if self.ungrouped > 0 {
            problems.push(Problem {
                class: "other".to_owned(),
                count: self.ungrouped,
                host: "*".to_owned(),
                path: "*".to_owned(),
                detail: None,
                referrers: 0,
                example: None,
            });
        }
        problems
    }
}

fn host_and_path(url: &str) -> (String, String) {
    match Url::parse(url) {
        Ok(parsed) => {
            let key = crate::crawl::host::HostKey::of(&parsed);
            (key.as_str().to_owned(), parsed[url::Position::BeforePath..].to_owned())
        }
        Err(_) => (String::new(), url.to_owned()),
    }
}

/// `/a/b/*` for `/a/b/c/d?e`.
fn pattern(path: &str) -> String {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let directories: Vec<&str> = path.split('/').skip(1).collect();
    let kept = directories.len().saturating_sub(1).min(KEPT_DIRECTORIES);
    let mut pattern: String = directories[..kept].iter().flat_map(|directory| ["/", directory]).collect();
    pattern.push_str("/*");
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(class: &str, url: &str, referrer: Option<&str>) -> FailedUrl {
        FailedUrl { class: class.into(), url: url.into(), detail: None, referrer: referrer.map(Into::into) }
    }

    #[test]
    fn failures_are_grouped_by_class_host_and_directory() {
        let mut problems = Problems::default();
        for n in 0..18 {
            let referrer = format!("http://h/guide/{}", n % 9);
            problems.add(failed("404", &format!("http://h/api/v1/x/{n}?q=/a/b/c"), Some(&referrer)));
        }
        problems.add(failed("410", "http://h/blog/2019/x", None));
        problems.add(failed("404", "http://other/api/v1/x", None));
        let groups = problems.finish();
        assert_eq!(groups.len(), 3);
        let first = &groups[0];
        assert_eq!((first.class.as_str(), first.count, first.path.as_str()), ("404", 18, "/api/v1/*"));
        assert_eq!((first.referrers, first.example.as_deref()), (9, Some("http://h/guide/0")));
        assert_eq!(groups[2].path, "/blog/2019/x", "one URL is named itself");
        assert_eq!(pattern("/x"), "/*");
        assert_eq!(pattern("/a/"), "/a/*");
    }

    #[test]
    fn groups_are_bounded() {
        let mut problems = Problems::default();
        for n in 0..MAX_GROUPS + 5 {
            problems.add(failed("404", &format!("http://h{n}/x"), None));
        }
        let groups = problems.finish();
        assert_eq!(groups.len(), MAX_GROUPS + 1);
        assert_eq!((groups[MAX_GROUPS].class.as_str(), groups[MAX_GROUPS].count), ("other", 5));
    }
}

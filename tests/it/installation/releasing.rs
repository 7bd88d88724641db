//! `huntsman release` where an installation runs: what it opens is fetched, once, judged by the log of the site.

use super::Installation;
use crate::program::raw_server::{RawServer, page};
use crate::program::wait_until;
use sqlx::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A site with a relative link that should have been absolute: each page under `/docs/` links to two that are one deeper.
fn trap() -> RawServer {
    RawServer::start(|path, _| match path {
        "/" => page(&["/docs/"]),
        _ => page(&["docs/", "faq/"]),
    })
}

/// A site whose only page comes once `open` is true: until then its crawl runs.
fn gate(open: &Arc<AtomicBool>) -> RawServer {
    let open = Arc::clone(open);
    RawServer::start(move |path, _| {
        while path == "/" && !open.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        page(&[])
    })
}

impl Installation {
    /// URLs that are parked, as paths of the site.
    fn parked(&self, site: &RawServer) -> Vec<String> {
        let (query, host) = ("SELECT url FROM skipped WHERE parked IS NOT NULL", site.url(""));
        let urls: Vec<String> = self.runtime.block_on(async {
            let mut line = sqlx::PgConnection::connect(&self.database).await.unwrap();
            sqlx::query_scalar(query).fetch_all(&mut line).await.unwrap_or_default()
        });
        urls.iter().map(|url| url.strip_prefix(&host).unwrap().to_owned()).collect()
    }

    fn wait_until_open(&self, urls: i64) {
        let open = "SELECT count(*) FROM urls WHERE state = 'open'";
        wait_until(&format!("{urls} open URLs: {}", self.logs()), || {
            self.count("SELECT count(*) FROM pages") > 0 && self.count(open) == urls
        });
    }
}

/// How often each path was asked for.
fn asked(site: &RawServer) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    site.log().into_iter().for_each(|request| *asked.entry(request.path).or_default() += 1);
    asked
}

/// Asserts that since `before` just these were asked for, each once.
#[track_caller]
fn just_these_were_asked(site: &RawServer, before: &BTreeMap<String, usize>, released: &[String]) {
    let mut expected = before.clone();
    for path in released {
        assert_eq!(expected.insert(path.clone(), 1), None, "{path} was parked, and yet asked for");
    }
    let mut asked = asked(site);
    // Rules are asked for again when a crawl is taken up.
    asked.insert("/robots.txt".into(), before["/robots.txt"]);
    assert_eq!(asked, expected);
}

#[test]
fn what_is_released_is_fetched_once_while_all_run_and_after_the_end() {
    let fleet = Installation::new();
    let open = Arc::new(AtomicBool::new(false));
    let (site, gate) = (trap(), gate(&open));
    let seeds = [site.url("/"), gate.url("/")];
    let scheduler = fleet.scheduler(&[&seeds[0], &seeds[1], "--name", "t", "--delay", "0s"]);
    let (node, storage) = (fleet.node(&[]), fleet.storage());
    fleet.wait_until_open(1);
    let (before, parked) = (asked(&site), fleet.parked(&site));
    assert!(parked.len() > 1 && fleet.is("running"), "{parked:?}");

    let told = fleet.does(&["release", "--rule", "repeated-path"]);
    assert!(told.contains(&format!("{} URLs of t released\n", parked.len())), "{told}");
    wait_until("the released ones", || asked(&site).len() == before.len() + parked.len());
    fleet.wait_until_open(1);
    just_these_were_asked(&site, &before, &parked);
    assert!(fleet.is("running"), "{}", fleet.logs());
    let deeper = fleet.parked(&site);
    assert!(!deeper.is_empty() && parked.iter().all(|path| !deeper.contains(path)), "{deeper:?}");

    open.store(true, Ordering::Relaxed);
    fleet.wait_for("finished");
    let before = asked(&site);
    let told = fleet.does(&["release", &site.url(&deeper[0]), "--name", "t"]);
    assert!(told.contains("1 URL of t released; it runs again"), "{told}");
    wait_until("the released one", || asked(&site).contains_key(&deeper[0]));
    fleet.wait_for("finished");
    just_these_were_asked(&site, &before, &deeper[..1]);

    let (before, deeper) = (asked(&site), fleet.parked(&site));
    let host = format!("127.0.0.1:{}", site.port);
    let told = fleet.does(&["release", "--host", &host]);
    assert!(told.contains(&format!("{} URLs of t released; it runs again", deeper.len())), "{told}");
    wait_until("all of them", || asked(&site).len() == before.len() + deeper.len());
    fleet.wait_for("finished");
    just_these_were_asked(&site, &before, &deeper);
    // The page of the gate stands for robots.txt, which is none.
    assert_eq!(fleet.pages(), asked(&site).len() as i64, "{}", fleet.logs());
    for role in [scheduler, node, storage] {
        assert_eq!(role.end(), Some(0), "{}", fleet.logs());
    }
}

//! One trap of the catalogue each, and budgets.

use super::web::words;
use super::{Crawl, asked, html};
use crate::hostile::shown;
use crate::program::raw_server::RawServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// Facets of a shop.
const NAMES: [&str; 8] = ["brand", "colour", "kind", "place", "price", "size", "sort", "year"];

/// A calendar that goes on for ever, each month almost like the last.
pub(crate) fn calendar(path: &str) -> (u16, String, String) {
    match path {
        "/" => html("home", &["/calendar/2026/1".into()]),
        path => {
            let numbers: Vec<u32> = path.split('/').skip(2).map(|n| n.parse().unwrap_or(1)).collect();
            let [year, month] = numbers[..] else { return (404, String::new(), String::new()) };
            let next =
                (1..4).map(|n| format!("/calendar/{}/{}", year + (month + n) / 13, (month + n - 1) % 12 + 1));
            html(
                &format!("{}</p><p>month {month} of {year}", words("calendar", 200)),
                &next.collect::<Vec<_>>(),
            )
        }
    }
}

/// Six pages, of which every link has a session of its own.
pub(crate) fn sessions(path: &str, asked: usize) -> (u16, String, String) {
    let page = |n: u32| format!("/page{n}.html;jsessionid={}{asked}?PHPSESSID=x{n}{asked}", path.len());
    html(&words(path.split(';').next().unwrap(), 9), &(0..5).map(page).collect::<Vec<_>>())
}

/// T1: months for ever.
#[test]
fn t01_a_calendar_is_left_once_its_months_bring_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| calendar(path));
    crawl.crawl(&site.url("/"), &[]);
    let months = asked(&site, |path| path.starts_with("/calendar/"));
    assert!((10..=130).contains(&months), "{months} months");
    let parked = crawl.sql("select distinct reason, substr(parked, instr(parked, ' ') + 1) from skipped");
    assert_eq!(parked, ["template|/calendar/{n}/{n}"]);
    let url = &crawl.sql("select url from skipped limit 1")[0];
    let text = crawl.well(&["why", url]);
    assert!(
        text.contains("URLs like /calendar/{n}/{n} are enough while their pages bring nothing new"),
        "{text}"
    );
    let before = site.log().len();
    crawl.well(&["release", "--rule", "template"]);
    crawl.well(&["resume"]);
    assert!(site.log().len() > before, "what was released is fetched");
    shown("T1", &format!("{months} months were asked for, the rest is parked as /calendar/{{n}}/{{n}}"));
}

/// T2: a session in each link.
#[test]
fn t02_a_page_is_one_url_whatever_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(sessions);
    crawl.crawl(&site.url("/"), &[]);
    assert_eq!(crawl.sql("select count(*) from pages"), ["6"], "home and five pages");
    shown("T2", "six pages of which every link has another session are six rows");
}

/// T4: facets in any order and number.
#[test]
fn t04_parameters_in_another_order_are_one_url_and_facets_are_not_combined_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let add = NAMES.iter().filter(|name| !query.contains(**name));
        let links = add.flat_map(|name| (0..4).map(move |n| format!("/shop?{query}&{name}={n}")));
        html(&words(path, 60), &links.collect::<Vec<_>>())
    });
    crawl.crawl(&site.url("/"), &[]);
    let pages = asked(&site, |path| path.starts_with("/shop"));
    assert!((20..=150).contains(&pages), "{pages} of 390,624 combinations");
    let reasons = crawl.sql("select distinct reason from skipped");
    assert!(reasons.iter().all(|reason| reason == "facets" || reason == "section"), "{reasons:?}");
    assert!(!reasons.is_empty());
    shown("T4", &format!("{pages} of 390,624 combinations were asked for; the rest is parked"));
}

/// T7: one page under every address.
#[test]
fn t07_copies_of_one_page_are_left_alone_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| {
        let links: Vec<String> = words(path, 16)
            .replace("</p><p>", " ")
            .split_whitespace()
            .map(|word| format!("/copies/{word}"))
            .collect();
        html(&words("the same", 100), &links)
    });
    crawl.crawl(&site.url("/"), &[]);
    let pages = asked(&site, |path| path.starts_with("/copies/"));
    assert!(pages <= 160, "{pages} copies");
    assert_eq!(crawl.sql("select distinct reason from skipped"), ["section"]);
    shown("T7", &format!("{pages} copies were asked for, then the section is parked"));
}

/// T12: hundreds of new links a page.
#[test]
fn t12_pages_that_link_to_hundreds_of_new_ones_each_fill_no_queue() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| {
        let links: Vec<String> = words(path, 400)
            .replace("</p><p>", " ")
            .split_whitespace()
            .map(|word| format!("/{word}"))
            .collect();
        html("links", &links)
    });
    crawl.crawl(&site.url("/"), &["--traps", "follow", "--host-urls", "500", "--max-pages", "50"]);
    assert_eq!(crawl.sql("select count(*) <= 500, count(*) > 400 from urls where state = 'open'"), ["1|1"]);
    assert_eq!(crawl.sql("select distinct reason from skipped"), ["host-urls"]);
    // There is room again as they are fetched: what was parked first comes first.
    crawl.well(&["resume", "--max-pages", "100"]);
    assert_eq!(crawl.sql("select count(*) > 400 from urls where state = 'open'"), ["1"]);
    shown(
        "T12",
        "with --host-urls 500 never more than 500 wait; the rest is parked and opens as there is room",
    );
}

#[test]
fn pages_that_lead_nowhere_are_read_however_many_a_list_names() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    // A folder of documents: some are plain text, some have no links, some are gone or have moved.
    let site = RawServer::start(|path, _| match path {
        "/" => html("home", &["/files/".into()]),
        "/files/" => {
            let names = words("files", 400).replace("</p><p>", " ");
            html("list", &names.split_whitespace().map(|name| format!("/files/{name}")).collect::<Vec<_>>())
        }
        path => match path.len() % 2 + usize::from(path.as_bytes()[8]) % 3 {
            0 => (200, "Content-Type: text/plain\r\n".into(), path.to_owned()),
            1 => html(&words(path, 40), &[]),
            2 => (404, String::new(), String::new()),
            _ => (301, "Location: /elsewhere\r\n".into(), String::new()),
        },
    });
    crawl.crawl(&site.url("/"), &[]);
    assert_eq!(asked(&site, |path| path.starts_with("/files/")), 401);
    assert_eq!(crawl.sql("select count(*) from skipped where parked is not null"), ["0"]);
}

#[test]
fn a_host_gives_no_more_pages_than_its_budget() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| match path {
        "/" => html(
            "home",
            &(0..40).map(|n| format!("/{}", words(&n.to_string(), 1).trim())).collect::<Vec<_>>(),
        ),
        path => html(&words(path, 9), &[]),
    });
    crawl.crawl(&site.url("/"), &["--host-pages", "10"]);
    assert_eq!(crawl.sql("select count(*) from pages"), ["10"]);
    assert_eq!(crawl.sql("select reason, count(*) from skipped group by 1"), ["host-pages|31"]);
    crawl.well(&["release", "--rule", "host-pages"]);
    crawl.well(&["resume"]);
    assert_eq!(crawl.sql("select count(*) from pages"), ["41"]);
}

/// T8: random text without end.
#[test]
fn t08_a_maze_of_random_text_is_left_and_the_site_around_it_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let name = |n: usize| words(&format!("name {n}"), 1).trim().to_owned();
    let site = RawServer::start(move |path, _| {
        if path.starts_with("/maze/") {
            let links = words(path, 8).replace("</p><p>", "");
            let links: Vec<String> = links.split_whitespace().map(|word| format!("/maze/{word}/")).collect();
            return html(&words(path, 80), &links);
        }
        // A site of 200 pages, each of which links to its neighbours.
        let at = (0..200).find(|n| path.ends_with(&name(*n))).unwrap_or(0);
        let near = [at + 1, at + 2, at.saturating_sub(1)].map(|n| format!("/site/{}", name(n % 200)));
        html(&words(path, 80), &[&near[..], &["/maze/a/".to_owned()]].concat())
    });
    crawl.crawl(&site.url("/"), &[]);
    let maze = asked(&site, |path| path.starts_with("/maze/"));
    assert!(maze <= 60, "{maze} pages of the maze");
    assert_eq!(crawl.sql("select count(*) from pages where url like '%/site/%'"), ["200"]);
    assert_eq!(crawl.sql("select count(*) from skipped where url like '%/site/%'"), ["0"]);
    shown("T8", &format!("{maze} pages of the maze were asked for, and all 200 of the site around it"));
}

/// T9: 200 for what there is not.
#[test]
fn t09_pages_that_say_not_found_with_200_are_left_like_other_copies() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| {
        let n: u64 =
            path.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0) % 1_000_000;
        let links: Vec<String> = (1..6).map(|step| format!("/products/{}", n * 3 + step)).collect();
        html(&format!("{}</p><p>{path} was not found", words("sorry", 200)), &links)
    });
    crawl.crawl(&site.url("/"), &[]);
    let pages = asked(&site, |path| path.starts_with("/products/"));
    assert!(pages <= 60, "{pages} pages that are none");
    assert_eq!(crawl.sql("select distinct reason from skipped"), ["template"]);
    shown("T9", &format!("{pages} of the pages that are none were asked for, then their template is parked"));
}

/// T5: a name for every word, and pages on each of them that lead to more.
#[test]
fn t05_endless_subdomains_are_one_group_and_the_hosts_of_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    // It is the proxy through which the crawl goes: so there is a server for every name.
    let proxy = RawServer::start(|url, _| {
        let (host, path) =
            url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
        if path == "robots.txt" {
            return (404, String::new(), String::new());
        }
        let names = words(host, 6).replace("</p><p>", "");
        let endless =
            names.split_whitespace().map(|name| format!("<a href=http://{name}.endless.example/>more</a>"));
        if host.ends_with("endless.example") {
            return html(&(words("the same", 200) + &endless.collect::<String>()), &[]);
        }
        // Sixty blogs, each with pages of its own.
        let blogs = (0..60).map(|n| format!("http://{}.blogs.example/", words(&n.to_string(), 1).trim()));
        match (host, path) {
            ("www.blogs.example", _) => {
                html("home", &blogs.chain(["http://endless.example/".into()]).collect::<Vec<_>>())
            }
            (_, "") => html(&words(host, 80), &["/first", "/second"].map(str::to_owned)),
            _ => html(&words(url, 80), &[]),
        }
    });
    let through = format!("http://127.0.0.1:{}", proxy.port);
    crawl.crawl("http://www.blogs.example/", &["--scope", "any", "--proxy", &through]);
    let endless = asked(&proxy, |url| url.contains("endless.example/") && !url.ends_with("/robots.txt"));
    assert!((5..=60).contains(&endless), "{endless} names of the trap");
    assert_eq!(crawl.sql("select count(*) from pages where url like '%blogs.example/%'"), ["181"]);
    let parked = crawl.sql("select distinct reason, parked from skipped");
    assert_eq!(parked, ["domain-hosts|*.endless.example hosts"]);
    shown(
        "T5",
        &format!(
            "{endless} names were asked, the rest is parked; 60 subdomains of another domain are read whole"
        ),
    );
}

/// T11: sitemaps that name more sitemaps.
#[test]
fn t11_sitemaps_that_name_ever_more_sitemaps_end() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let port = Arc::new(AtomicU16::new(0));
    let own = Arc::clone(&port);
    let site = RawServer::start(move |path, _| {
        let host = format!("http://127.0.0.1:{}", own.load(Ordering::Relaxed));
        let index = |name: &str| {
            let each = |n: usize| format!("<sitemap><loc>{host}/map/{name}{n}</loc></sitemap>");
            let body = format!("<sitemapindex>{}</sitemapindex>", (0..20).map(each).collect::<String>());
            (200, "Content-Type: text/xml\r\n".to_owned(), body)
        };
        match path {
            "/sitemap.xml" => index("x"),
            path if path.starts_with("/map/") => index(&path[5..]),
            "/robots.txt" => (404, String::new(), String::new()),
            _ => html("home", &[]),
        }
    });
    port.store(site.port, Ordering::Relaxed);
    crawl.crawl(&site.url("/"), &["--sitemaps"]);
    let maps = asked(&site, |path| path.starts_with("/map/"));
    assert_eq!(maps, 999, "with the one that was guessed a thousand");
    let parked = crawl.sql("select distinct reason, parked from skipped where parked is not null");
    assert_eq!(parked, [format!("host-sitemaps|127.0.0.1:{} sitemaps", site.port)]);
    shown(
        "T11",
        "of an endless tree a thousand sitemaps are asked for, three levels deep; the rest is parked",
    );
}

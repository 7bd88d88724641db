//! One trap of the catalogue each, and budgets.

use super::web::words;
use super::{Crawl, asked, html};
use crate::program::raw_server::RawServer;

/// Facets of a shop.
const NAMES: [&str; 8] = ["brand", "colour", "kind", "place", "price", "size", "sort", "year"];

#[test]
fn t01_a_calendar_is_left_once_its_months_bring_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| match path {
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
    });
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
}

#[test]
fn t02_a_page_is_one_url_whatever_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, asked| {
        let page = |n: u32| format!("/page{n}.html;jsessionid={}{asked}?PHPSESSID=x{n}{asked}", path.len());
        html(&words(path.split(';').next().unwrap(), 9), &(0..5).map(page).collect::<Vec<_>>())
    });
    crawl.crawl(&site.url("/"), &[]);
    assert_eq!(crawl.sql("select count(*) from pages"), ["6"], "home and five pages");
}

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
}

#[test]
fn t07_copies_of_one_page_are_left_alone_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(|path, _| {
        let links: Vec<String> = words(path, 16)
            .replace("</p><p>", " ")
            .split_whitespace()
            .map(|word| format!("/farm/{word}"))
            .collect();
        html(&words("the same", 100), &links)
    });
    crawl.crawl(&site.url("/"), &[]);
    let pages = asked(&site, |path| path.starts_with("/farm/"));
    assert!(pages <= 160, "{pages} copies");
    assert_eq!(crawl.sql("select distinct reason from skipped"), ["section"]);
}

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
}

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
}

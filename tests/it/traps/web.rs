//! A web without an end: real pages that are linked within a few hops, and traps of every kind around them.

use super::{Crawl, html};
use crate::program::raw_server::RawServer;
use std::collections::BTreeSet;

/// Pages that a list of the real site leads to.
const PER_LIST: u32 = 30;

/// Words that say something: a text of its own for each number, the same each time it is asked for.
pub(super) fn words(seed: &str, count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let hash = blake3::hash(format!("{seed} {n}").as_bytes()).to_hex();
        let word: String =
            hash.chars().take(7).map(|c| char::from(b'a' + c.to_digit(16).unwrap() as u8)).collect();
        text.push_str(&word);
        text.push_str(if n % 8 == 7 { "</p><p>" } else { " " });
    }
    text
}

/// The entries of the traps, on the home page and on every list.
const TRAPS: [&str; 9] = [
    "/calendar/2026/11",
    "/maze/",
    "/shop?page=1",
    "/copies/a",
    "/bomb/start",
    "/docs/",
    "/members?PHPSESSID=0",
    "/visit/1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d/start",
    "/soft/missing",
];

fn some_words(seed: &str, count: usize) -> Vec<String> {
    words(seed, count)
        .replace("</p><p>", " ")
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The answer of the whole web for a path.
pub(crate) fn answer(path: &str, asked: usize, real: u32) -> (u16, String, String) {
    let chrome: Vec<String> = ["/", "/lists", "/about"].map(str::to_owned).to_vec();
    let with = |text: String, links: Vec<String>| html(&text, &[chrome.clone(), links].concat());
    let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap();
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    match first {
        "robots.txt" => (404, String::new(), String::new()),
        // 9,000 pages: home, about, lists, and items; half of them numbered, half of them by name.
        "" => {
            with(words("home", 40), [vec!["/lists".to_owned()], TRAPS.map(str::to_owned).to_vec()].concat())
        }
        "about" => with(words("about", 60), vec![]),
        "lists" => with(words("lists", 30), (0..real / PER_LIST).map(|n| format!("/list/{n}")).collect()),
        "list" => {
            let n: u32 = rest.parse().unwrap();
            let item = |at: u32| {
                if at.is_multiple_of(2) {
                    format!("/item/{at}")
                } else {
                    format!("/topic/{}", some_words(&at.to_string(), 1)[0])
                }
            };
            let items = (n * PER_LIST..(n + 1) * PER_LIST).map(item);
            with(words(&format!("list {n}"), 20), items.chain(TRAPS.map(str::to_owned)).collect())
        }
        "item" | "topic" => with(words(path, 80), vec![]),
        // T1: months for ever, with days, each almost like the last.
        "calendar" => {
            let numbers: Vec<u32> = rest.split('/').map(|n| n.parse().unwrap()).collect();
            let (year, month) = (numbers[0], numbers[1]);
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let days = (1..=28).map(|day| format!("/calendar/{year}/{month}/{day}"));
            let text = format!("{}</p><p>No events in month {month} of {year}", words("calendar", 200));
            with(text, days.chain([format!("/calendar/{}/{}", next.0, next.1)]).collect())
        }
        // T8: random text and links deeper into it.
        "maze" => html(
            &words(path, 120),
            &some_words(path, 10)
                .iter()
                .map(|word| format!("/maze/{word}/{}", &word[..3]))
                .collect::<Vec<_>>(),
        ),
        // T4: each facet may be added to any others, in any order.
        "shop" => {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let add = (0..6).flat_map(|facet| {
                (0..5).map(move |value| {
                    format!("{}={value}", ["brand", "colour", "size", "sort", "stock", "year"][facet])
                })
            });
            let link = |one: String| {
                let has = query.split('&').any(|part| part.split('=').next() == one.split('=').next());
                (!has).then(|| format!("/shop?{one}&{query}"))
            };
            with(words(path, 60), add.filter_map(link).collect())
        }
        // T7: one page under every address.
        "copies" => with(
            words("copies", 150),
            some_words(&format!("{path} {asked}"), 8).iter().map(|word| format!("/copies/{word}")).collect(),
        ),
        // T12: hundreds of new URLs a page.
        "bomb" => html(
            &words(path, 60),
            &some_words(path, 500).iter().map(|word| format!("/bomb/{word}")).collect::<Vec<_>>(),
        ),
        // T3: a relative link that should have been absolute.
        "docs" => html("the documentation", &["docs/".into(), "faq/".into(), "/".into()]),
        // T2: another session for each visitor.
        "members" => {
            with(words("members", 60), (0..5).map(|n| format!("/members?PHPSESSID={asked}{n}")).collect())
        }
        "visit" => {
            let token = |n: usize| blake3::hash(format!("{path} {n}").as_bytes()).to_hex()[..32].to_owned();
            with(words("visit", 60), (0..4).map(|n| format!("/visit/{}/start", token(n))).collect())
        }
        // T9: 200 for anything, and links that lead to more of it.
        _ => with(
            format!("{}</p><p>{path} was not found", words("missing", 150)),
            some_words(path, 6).iter().map(|word| format!("/soft/{word}")).collect(),
        ),
    }
}

/// Whether the path is that of a real page.
pub(crate) fn is_real(path: &str) -> bool {
    let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap();
    ["", "about", "lists", "list", "item", "topic"].contains(&first)
}

/// How many real pages there are with so many items.
pub(crate) fn real_pages(items: u32) -> usize {
    items as usize + (items / PER_LIST) as usize + 3
}

/// Crawls it with a budget, and prints what came of it.
fn crawl_the_trap_web(items: u32, budget: u32) {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    let site = RawServer::start(move |path, asked| answer(path, asked, items));
    let summary = crawl.well(&[
        "crawl",
        &site.url("/"),
        "--name",
        "t",
        "--delay",
        "0",
        "--max-pages",
        &budget.to_string(),
    ]);
    let real: BTreeSet<String> = crawl.sql("select url from pages").into_iter().collect();
    let path = |url: &String| url[site.url("").len()..].to_owned();
    let stored: BTreeSet<String> = real.iter().map(path).filter(|path| is_real(path)).collect();
    let fetches = site.log().len();
    let trapped =
        site.log().iter().filter(|request| !is_real(&request.path) && request.path != "/robots.txt").count();
    let expected = real_pages(items);
    println!(
        "trap web: {} of {expected} real pages, {fetches} fetches, {trapped} of them in traps ({:.1} %)",
        stored.len(),
        trapped as f64 * 100.0 / fetches as f64
    );
    for line in crawl.sql("select reason || ' ' || parked || ' ' || count(*) from skipped where parked is not null group by reason, parked order by count(*) desc limit 30") {
        println!("parked: {line}");
    }
    let parked_real = crawl.sql("select url from skipped where parked is not null");
    let parked_real: Vec<_> = parked_real.iter().map(path).filter(|path| is_real(path)).collect();
    assert_eq!(parked_real, [""; 0], "real pages that are parked");
    assert_eq!(stored.len(), expected, "{summary}");
    assert!(trapped * 20 <= fetches, "{trapped} of {fetches} fetches in traps: {summary}");
}

#[test]
fn nine_thousand_real_pages_in_a_web_of_traps_take_no_ten_thousand_fetches() {
    crawl_the_trap_web(8_700, 10_000);
}

//! Redirects, URLs, codings, documents, traps, and what a site asks of its visitors.

use super::{
    BUDGET, ENOUGH, ITEMS, MANY, NAMED, PLAIN, SOME, Stage, all_titled, as_browsers, at, charset, gaps,
    keeps_away, little_effort, little_memory, little_taken, nothing, obeys, of, real_pages, trap,
};
use crate::hostile::compared::Case;
use crate::hostile::compared::crawler::Task;
use crate::hostile::compared::seen::Verdict;
use crate::hostile::plays;
use crate::hostile::site::answer;
use crate::traps;
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "R1",
        what: "redirects to itself, and back and forth",
        right: "no URL is asked for more than twice",
        task: NAMED,
        alone: false,
        start: || at(plays::redirects_in_a_loop(), &["/self", "/ping"]),
        judge: |seen| seen.ended_and(seen.repeats() <= 2, format!("{} times the same URL", seen.repeats())),
    },
    Case {
        id: "R2",
        what: "chains redirects without end",
        right: "11 requests, or twice 11",
        task: NAMED,
        alone: false,
        start: || at(plays::redirects_in_a_chain(), &["/0"]),
        judge: |seen| seen.ended_and(seen.asked().len() <= 22, format!("{} requests", seen.asked().len())),
    },
    Case {
        id: "R3",
        what: "sends an empty Location",
        right: "no URL is asked for more than twice",
        task: NAMED,
        alone: false,
        start: || of(plays::redirects_to_nothing()),
        judge: |seen| seen.ended_and(seen.repeats() <= 2, format!("{} times the same URL", seen.repeats())),
    },
    Case {
        id: "R6",
        what: "sends a Location with octets that are not ASCII",
        right: "they are sent back as they came",
        task: NAMED,
        alone: false,
        start: || at(plays::redirects_to_octets(), &["/latin", "/utf8", "/space"]),
        judge: |seen| {
            let found = seen.of(&["/caf%E9", "/caf%C3%A9", "/a%20bc"]);
            seen.ended_and(found.len() == 3, format!("{} of 3 found", found.len()))
        },
    },
    Case {
        id: "R7",
        what: "redirects to file:, data:, javascript:, ftp:",
        right: "no pages",
        task: NAMED,
        alone: false,
        start: || of(plays::SCHEMES.iter().map(crate::hostile::site::to).collect()),
        judge: |seen| {
            let pages = seen.run.pages.len();
            seen.ended_and(pages == 0, format!("{pages} pages"))
        },
    },
    Case {
        id: "R9",
        what: "redirects to another host, whose robots.txt forbids it",
        right: "it is not asked for",
        task: NAMED,
        alone: false,
        start: || {
            let [site, other] = plays::redirects_to_another_host();
            let seeds = site.urls(3);
            Stage { site, other: Some(other), seeds }
        },
        judge: |seen| {
            let other = seen.stage.other.as_ref().unwrap().paths();
            let what = if other.is_empty() {
                "not followed".to_owned()
            } else {
                format!("asked for {}", other.join(" "))
            };
            seen.ended_and(!other.contains(&"/no".to_owned()), what)
        },
    },
    Case {
        id: "R10",
        what: "redirects to an address of the inside",
        right: "no connection is made",
        task: NAMED,
        alone: false,
        start: || {
            let ([site, inside], targets) = plays::redirects_inside();
            let seeds = site.urls(targets.len());
            Stage { site, other: Some(inside), seeds }
        },
        judge: |seen| {
            let made = seen.stage.other.as_ref().unwrap().connections();
            Verdict::when(made == 0, format!("{made} connections"))
        },
    },
    Case {
        id: "R11",
        what: "sends a body without end with a redirect",
        right: "the target is asked for; 64 MiB at most",
        task: NAMED,
        alone: true,
        start: || at(plays::redirects_with_a_body(), &["/"]),
        judge: |seen| little_taken(seen, seen.times("/a") > 0, "the target is not asked for"),
    },
    Case {
        id: "R14",
        what: "redirects fifty URLs to its login page",
        right: "it is asked for twice at most",
        task: NAMED,
        alone: false,
        start: || at(plays::redirects_to_login(), &["/"]),
        judge: |seen| {
            let times = seen.times("/login");
            seen.ended_and((1..=2).contains(&times), format!("{times} times"))
        },
    },
    Case {
        id: "U1",
        what: "links with a user and a password",
        right: "they are not sent",
        task: PLAIN,
        alone: false,
        start: || at(plays::credentials(), &["/"]),
        judge: |seen| {
            let sent = seen
                .asked()
                .iter()
                .filter(|asked| asked.head.to_lowercase().contains("authorization"))
                .count();
            seen.ended_and(sent == 0, format!("sent {sent} times"))
        },
    },
    Case {
        id: "U8",
        what: "writes backslashes, tabs and missing slashes",
        right: "the URLs that browsers ask for",
        task: PLAIN,
        alone: false,
        start: || at(plays::linked(plays::FORGIVEN), &["/dir/"]),
        judge: |seen| as_browsers(seen, &plays::FORGIVEN_PATHS),
    },
    Case {
        id: "U10",
        what: "encodes NUL, dots, and twice",
        right: "the URLs that browsers ask for",
        task: PLAIN,
        alone: false,
        start: || at(plays::linked(plays::ENCODED), &["/dir/"]),
        judge: |seen| as_browsers(seen, &plays::ENCODED_PATHS),
    },
    Case {
        id: "E1",
        what: "sends 1 GiB of zeros in 1 MiB of gzip",
        right: "256 MiB of memory at most",
        task: PLAIN,
        alone: true,
        start: || of(plays::gzip_bomb()),
        judge: little_memory,
    },
    Case {
        id: "E2",
        what: "sends 512 MiB of zeros in a few hundred octets of brotli",
        right: "256 MiB of memory at most",
        task: PLAIN,
        alone: true,
        start: || of(plays::coded(&[("br", plays::brotli_bomb(512))])),
        judge: little_memory,
    },
    Case {
        id: "E4",
        what: "codes twice",
        right: "read",
        task: PLAIN,
        alone: false,
        start: || of(plays::layers()[..1].to_vec()),
        judge: |seen| all_titled(seen, "coded"),
    },
    Case {
        id: "E5",
        what: "sends gzip in several members",
        right: "read whole",
        task: PLAIN,
        alone: false,
        start: || of(plays::members()),
        judge: |seen| all_titled(seen, "coded"),
    },
    Case {
        id: "E7",
        what: "cuts a gzip and a brotli body",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::half_coded()),
        judge: nothing,
    },
    Case {
        id: "E8",
        what: "says x-gzip, GZIP",
        right: "read",
        task: PLAIN,
        alone: false,
        start: || of(plays::names_of_gzip()),
        judge: |seen| all_titled(seen, "coded"),
    },
    Case {
        id: "E10",
        what: "says gzip, br, deflate and sends text",
        right: "read",
        task: PLAIN,
        alone: false,
        start: || of(plays::not_coded()),
        judge: |seen| all_titled(seen, "coded"),
    },
    Case {
        id: "E11",
        what: "names codings that nobody knows, and sends text",
        right: "read",
        task: PLAIN,
        alone: false,
        start: || of(plays::unknown_codings()),
        judge: |seen| all_titled(seen, "coded"),
    },
    Case {
        id: "C2",
        what: "has a byte order mark against its header",
        right: "the mark wins",
        task: PLAIN,
        alone: false,
        start: || of(plays::charsets(&plays::marked())),
        judge: |seen| charset(seen, "ü"),
    },
    Case {
        id: "C4",
        what: "calls UTF-8 utf-7, iso-2022-kr, or nothing that exists",
        right: "read as what it is",
        task: PLAIN,
        alone: false,
        start: || of(plays::charsets(&plays::labelled())),
        judge: |seen| charset(seen, "über alles"),
    },
    Case {
        id: "D1",
        what: "nests 100,000 div around a link",
        right: "followed, for 5 s of a processor at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::linked(&plays::nested_div()), &["/dir/"]),
        judge: |seen| little_effort(seen, seen.times("/x") > 0),
    },
    Case {
        id: "D2",
        what: "nests lists, forms, bold links 20,000 deep around a link",
        right: "followed, for 5 s of a processor at most",
        task: PLAIN,
        alone: true,
        start: || of(plays::NESTS.map(|nest| crate::hostile::site::page("", plays::nested(nest))).to_vec()),
        judge: |seen| little_effort(seen, seen.times("/x") > 0 && seen.whole() == plays::NESTS.len()),
    },
    Case {
        id: "D3",
        what: "has 100,000 attributes on a link",
        right: "followed, for 5 s of a processor at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::linked(&plays::many_attributes()), &["/dir/"]),
        judge: |seen| little_effort(seen, seen.times("/x") > 0),
    },
    Case {
        id: "D9",
        what: "has two million character references",
        right: "read, for 5 s of a processor at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::linked(&plays::references()), &["/dir/"]),
        judge: |seen| little_effort(seen, seen.page("/dir/").is_some()),
    },
    Case {
        id: "D16",
        what: "sends 13 documents of 10 MiB: tags, attributes, references, NUL, scripts",
        right: "2 s of a processor each and 512 MiB at most",
        task: PLAIN,
        alone: true,
        start: || {
            let monsters = plays::monsters().into_iter().filter(|(name, _)| *name != "links");
            of(monsters.map(|(_, body)| crate::hostile::site::page("", body)).collect())
        },
        judge: |seen| {
            let what = format!("{:.1} s of a processor, {} MiB", seen.run.processor, seen.run.peak);
            let most = 2.0 * seen.stage.seeds.len() as f64;
            seen.ended_and(seen.run.peak <= SOME && seen.run.processor <= most, what)
        },
    },
    Case {
        id: "T",
        what: "has calendars, mazes, facets, sessions and copies around its real pages",
        right: "every real page within 1,200 requests",
        task: Task { time: Duration::from_secs(60), pages: BUDGET, ..PLAIN },
        alone: true,
        start: || trap(|path, asked| traps::answer(path, asked, ITEMS)),
        judge: real_pages,
    },
    Case {
        id: "T1",
        what: "has a calendar to the year 9999",
        right: "left by itself within 200 requests",
        task: MANY,
        alone: false,
        start: || trap(|path, _| traps::calendar(path)),
        judge: |seen| Verdict::when(seen.asked().len() <= 200, format!("{} requests", seen.asked().len())),
    },
    Case {
        id: "T2",
        what: "puts a session into every URL of six pages",
        right: "12 requests at most",
        task: MANY,
        alone: false,
        start: || trap(traps::sessions),
        judge: |seen| {
            Verdict::when((6..=12).contains(&seen.asked().len()), format!("{} requests", seen.asked().len()))
        },
    },
    Case {
        id: "B1",
        what: "sends a robots.txt without end, which forbids /no at first",
        right: "/no is not asked for; 64 MiB at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::endless_robots(), &["/"]),
        judge: |seen| match obeys(seen, &["/", "/yes"]) {
            Verdict::Right(what) if seen.taken() > ENOUGH => {
                Verdict::Wrong(format!("{what}; {} MiB", seen.taken()))
            }
            other => other,
        },
    },
    Case {
        id: "B2",
        what: "sends an HTML page as robots.txt",
        right: "nothing is forbidden",
        task: PLAIN,
        alone: false,
        start: || at(plays::page_for_robots(), &["/"]),
        judge: |seen| obeys(seen, &["/", "/no", "/yes"]),
    },
    Case {
        id: "B4",
        what: "answers 503 for robots.txt",
        right: "no page is asked for (RFC 9309)",
        task: PLAIN,
        alone: false,
        start: || at(plays::status_for_robots(503, ""), &["/"]),
        judge: keeps_away,
    },
    Case {
        id: "B5",
        what: "answers 429 for robots.txt, Retry-After: 3600",
        right: "no page is asked for",
        task: PLAIN,
        alone: false,
        start: || at(plays::status_for_robots(429, "Retry-After: 3600\r\n"), &["/"]),
        judge: keeps_away,
    },
    Case {
        id: "B7",
        what: "never answers for robots.txt",
        right: "no page is asked for",
        task: PLAIN,
        alone: false,
        start: || at(plays::silence_for_robots(), &["/"]),
        judge: keeps_away,
    },
    Case {
        id: "B9",
        what: "writes half a megabyte of stars as a rule",
        right: "three pages, for 5 s of a processor at most",
        task: PLAIN,
        alone: true,
        start: || {
            let [file, ..] = plays::exploding_rules();
            let send = move |peer: &mut crate::hostile::site::Peer| {
                _ = peer.send(answer("Content-Type: text/plain\r\nConnection: close\r\n", &file));
            };
            at(plays::with_robots(send), &["/"])
        },
        judge: |seen| little_effort(seen, seen.of(&["/", "/no", "/yes"]).len() == 3),
    },
    Case {
        id: "delay",
        what: "asks for a second between requests (Crawl-delay)",
        right: "a second between any two",
        task: PLAIN,
        alone: false,
        start: || at(plays::delaying_robots(), &["/"]),
        judge: |seen| {
            let gaps = gaps(seen);
            let least = gaps.iter().min().copied().unwrap_or_default();
            let is_right = gaps.len() == 2 && least >= Duration::from_millis(950);
            seen.ended_and(is_right, format!("{:.2} s at least", least.as_secs_f64()))
        },
    },
    Case {
        id: "M3",
        what: "chains sitemaps without end",
        right: "12 requests at most",
        task: Task { sitemaps: true, ..PLAIN },
        alone: false,
        start: || at(plays::sitemaps_in_a_chain(), &["/"]),
        judge: |seen| {
            let asked = seen.stage.site.paths().iter().filter(|path| *path != "/").count();
            if asked == 0 {
                return Verdict::None("reads no sitemap");
            }
            seen.ended_and(asked <= 12, format!("{asked} requests for sitemaps"))
        },
    },
    Case {
        id: "K1",
        what: "answers 429 with Retry-After: 30 to twenty URLs",
        right: "left alone: 2 requests at most",
        task: PLAIN,
        alone: false,
        start: || {
            let site = plays::too_many_requests("30");
            let seeds = site.urls(20);
            Stage { site, other: None, seeds }
        },
        judge: |seen| {
            let asked = seen.asked();
            let span = asked.last().map_or(0.0, |last| (last.at - asked[0].at).as_secs_f64());
            Verdict::when(asked.len() <= 2, format!("{} requests in {span:.1} s", asked.len()))
        },
    },
    Case {
        id: "K1+",
        what: "is busy (429, Retry-After: 3) for three seconds, and then serves three pages",
        right: "nothing is asked in between, and no page is lost",
        task: PLAIN,
        alone: false,
        start: || {
            let site = plays::busy_for_three_seconds();
            let seeds = site.urls(3);
            Stage { site, other: None, seeds }
        },
        judge: |seen| {
            let asked = seen.asked();
            let (early, late) = (Duration::from_millis(300), Duration::from_millis(2_900));
            let between = asked.iter().filter(|one| (early..late).contains(&(one.at - asked[0].at))).count();
            let soon = asked.iter().filter(|one| one.at - asked[0].at < early).count();
            let what = format!("{} of 3 pages, {} requests too early", seen.whole(), soon + between - 1);
            seen.ended_and(seen.whole() == 3 && between == 0 && soon <= 2, what)
        },
    },
];

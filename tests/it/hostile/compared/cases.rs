//! The cases that any crawler can be shown, and the measure of each.

use super::Case;
use super::crawler::{Ending, Task};
use super::seen::{Seen, Verdict};
use crate::hostile::plays;
use crate::hostile::site::{Site, answer};
use crate::traps;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a crawler is shown: a site, perhaps another one that it should not ask, and its seeds.
pub(super) struct Stage {
    pub(super) site: Site,
    pub(super) other: Option<Site>,
    pub(super) seeds: Vec<String>,
}

/// A site without malice: who fails here is not set up.
pub(super) const CONTROL: &str = "0";

const PLAIN: Task = Task { time: Duration::from_secs(20), pages: 0, sitemaps: false, named: false };
const NAMED: Task = Task { named: true, ..PLAIN };
/// Pages that are enough of a calendar and of a site with sessions.
const MANY: Task = Task { pages: 1_000, ..PLAIN };
/// Real items of the web of traps, and requests that have to be enough for all of its real pages.
const ITEMS: u32 = 600;
const BUDGET: u32 = 1_200;

/// Most MiB of memory where something that grows is sent, and where documents are large.
const LITTLE: u64 = 256;
const SOME: u64 = 512;
/// Most seconds of a processor for one document.
const EFFORT: f64 = 5.0;
/// Most MiB that are taken of what has no end: the limit of a body twice, and what systems keep on the way.
const ENOUGH: u64 = 64;

fn at(site: Site, paths: &[&str]) -> Stage {
    let seeds = paths.iter().map(|path| site.url(path)).collect();
    Stage { site, other: None, seeds }
}

fn of(answers: Vec<Vec<u8>>) -> Stage {
    let number = answers.len();
    let site = Site::of(answers);
    let seeds = site.urls(number);
    Stage { site, other: None, seeds }
}

/// None of the seeds may pass for a page.
fn nothing(seen: &Seen) -> Verdict {
    let (whole, all) = (seen.whole(), seen.stage.seeds.len());
    let what = if whole == 0 {
        format!("none of {all} is a page")
    } else {
        format!("{whole} of {all} pass for pages")
    };
    seen.ended_and(whole == 0, what)
}

/// Every one of the seeds is a page.
fn everything(seen: &Seen) -> Verdict {
    let (whole, all) = (seen.whole(), seen.stage.seeds.len());
    seen.ended_and(whole == all, format!("{whole} of {all} are pages"))
}

/// Every one of the seeds is read as a page with this title.
fn all_titled(seen: &Seen, title: &str) -> Verdict {
    let (read, all) = (seen.titled(title), seen.stage.seeds.len());
    seen.ended_and(read == all, format!("{read} of {all} are read"))
}

/// It is given up, by time or otherwise, after few requests.
fn given_up(seen: &Seen) -> Verdict {
    let is_page = seen.page("/").is_some_and(|page| !page.cut);
    let page = if is_page { "it passes for a page; " } else { "" };
    let what = format!("{page}{} requests, {:.1} s", seen.asked().len(), seen.run.seconds);
    seen.ended_and(!is_page && seen.repeats() <= 3, what)
}

/// What grows is cut.
fn little_memory(seen: &Seen) -> Verdict {
    seen.ended_and(seen.run.peak <= LITTLE, format!("{} MiB at most", seen.run.peak))
}

/// What has no end is left; and what else is to be so.
fn little_taken(seen: &Seen, is_right: bool, else_wrong: &str) -> Verdict {
    let wrong = if is_right { String::new() } else { format!("{else_wrong}; ") };
    let what = format!("{wrong}{} MiB taken", seen.taken());
    seen.ended_and(is_right && seen.taken() <= ENOUGH, what)
}

/// The document is read, its links followed, for little of a processor.
fn little_effort(seen: &Seen, is_read: bool) -> Verdict {
    let read = if is_read { "" } else { "not read; " };
    let what = format!("{read}{:.1} s of a processor, {} MiB", seen.run.processor, seen.run.peak);
    seen.ended_and(is_read && seen.run.processor <= EFFORT, what)
}

/// The links of /dir/ that were asked for are those that a browser asks for.
fn as_browsers(seen: &Seen, expected: &[&str]) -> Verdict {
    let plain = |path: &str| path.replace("%7E", "~");
    let asked: BTreeSet<String> = seen.asked().iter().map(|asked| plain(&asked.path)).collect();
    let expected: BTreeSet<String> =
        expected.iter().map(|path| plain(path)).chain(["/dir/".into()]).collect();
    let odd: Vec<_> = asked.difference(&expected).map(|path| format!("`{path}`")).collect();
    let missing: Vec<_> = expected.difference(&asked).map(|path| format!("`{path}`")).collect();
    let what = match (odd.len(), missing.len()) {
        (0, 0) => "as browsers".to_owned(),
        (_, 0) => format!("also asks for {}", odd.join(" ")),
        (0, _) => format!("does not ask for {}", missing.join(" ")),
        _ => format!("asks for {} instead of {}", odd.join(" "), missing.join(" ")),
    };
    seen.ended_and(asked == expected, what)
}

/// robots.txt cannot be had: no page is asked for.
fn keeps_away(seen: &Seen) -> Verdict {
    let pages = seen.asked().len();
    seen.ended_and(pages == 0, format!("{pages} pages asked for"))
}

/// What is forbidden, and what is not.
fn obeys(seen: &Seen, expected: &[&str]) -> Verdict {
    let asked = seen.of(&["/", "/no", "/yes"]);
    seen.ended_and(asked == expected, format!("asked for {}", asked.join(" ")))
}

/// Gaps between the requests for pages.
fn gaps(seen: &Seen) -> Vec<Duration> {
    seen.asked().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

/// A site out of the answers of the traps: status, fields, body.
fn trap(answer: impl Fn(&str, usize) -> (u16, String, String) + Send + Sync + 'static) -> Stage {
    let times = std::sync::Mutex::new(std::collections::HashMap::<String, usize>::new());
    let site = Site::whole(move |peer, path| {
        let before = {
            let mut times = times.lock().unwrap();
            let count = times.entry(path.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let (status, fields, body) = answer(path, before);
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
        peer.stays = peer.send(head + &body);
    });
    at(site, &["/"])
}

/// All real pages within the budget, whatever lies around them.
fn real_pages(seen: &Seen) -> Verdict {
    let asked = seen.asked();
    let asked = &asked[..asked.len().min(BUDGET as usize)];
    let real: BTreeSet<&str> =
        asked.iter().map(|one| &*one.path).filter(|path| traps::is_real(path)).collect();
    let trapped = asked.iter().filter(|one| !traps::is_real(&one.path)).count();
    let all = traps::real_pages(ITEMS);
    let what =
        format!("{} of {all} real pages in {} requests, {trapped} of them in traps", real.len(), asked.len());
    if seen.run.ending != Ending::Itself && real.len() < all && asked.len() < BUDGET as usize {
        return Verdict::None("its time was up before its requests");
    }
    Verdict::when(real.len() == all, what)
}

pub(super) const CASES: &[Case] = &[
    Case {
        id: CONTROL,
        what: "is a site of six pages, without malice",
        right: "six pages, six requests",
        task: PLAIN,
        alone: false,
        start: || {
            let site = Site::start(|peer, path| {
                let links: String =
                    (1..6).map(|n| format!("<a href='/{n}'>x</a>")).collect::<Vec<_>>().concat();
                peer.stays = true;
                peer.page("", if path == "/" { links } else { "<title>t</title>".into() });
            });
            at(site, &["/"])
        },
        judge: |seen| {
            let (asked, pages) = (seen.asked().len(), seen.run.pages.len());
            seen.ended_and(asked == 6 && pages == 6, format!("{pages} pages, {asked} requests"))
        },
    },
    Case {
        id: "N1",
        what: "accepts and never answers",
        right: "given up after 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::silent(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "N2",
        what: "sends a line of its head every 20 ms, for ever",
        right: "given up after 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::endless_head(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "N3",
        what: "sends 20 octets of the body a second",
        right: "given up after 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::trickle(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "N4",
        what: "sends a body without end",
        right: "left at a limit: 64 MiB at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::endless_body(), &["/"]),
        judge: |seen| little_taken(seen, true, ""),
    },
    Case {
        id: "N5",
        what: "breaks off in the body",
        right: "no page; 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::broken_off(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "N6",
        what: "closes each connection without saying so",
        right: "six pages, none lost",
        task: PLAIN,
        alone: false,
        start: || at(plays::closes_without_a_word(), &["/0"]),
        judge: |seen| {
            let (asked, pages) = (seen.asked().len(), seen.run.pages.len());
            seen.ended_and(pages == 6, format!("{pages} pages, {asked} requests"))
        },
    },
    Case {
        id: "N6+",
        what: "does so with fifty pages in a row",
        right: "51 pages, none lost",
        task: PLAIN,
        alone: false,
        start: || at(plays::closes_without_a_word_fifty_times(), &["/"]),
        judge: |seen| {
            let (asked, pages) = (seen.asked().len(), seen.run.pages.len());
            seen.ended_and(pages == 51, format!("{pages} pages, {asked} requests"))
        },
    },
    Case {
        id: "N7",
        what: "closes without a byte",
        right: "no page; 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::empty_reply(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "P1",
        what: "answers with HTTP/0.9, ICY, HTTP/2.0, SSH, mail",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::not_http_1()),
        judge: nothing,
    },
    Case {
        id: "P2",
        what: "answers with status 099, 1000, -200 and such",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::no_statuses()),
        judge: nothing,
    },
    Case {
        id: "P7-9",
        what: "folds fields, puts a space before the colon, sends lines that are no fields",
        right: "three pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::odd_fields().map(plays::with_fields).to_vec()),
        judge: everything,
    },
    Case {
        id: "P11",
        what: "sends one field of 2 MiB",
        right: "refused",
        task: PLAIN,
        alone: false,
        start: || of(plays::huge_field()),
        judge: nothing,
    },
    Case {
        id: "P13",
        what: "sends 101 and 256 fields",
        right: "two pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::many_fields()[..2].to_vec()),
        judge: everything,
    },
    Case {
        id: "P15",
        what: "sends ten interim answers, and elsewhere no other",
        right: "a page, and 64 MiB at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::interim_answers(), &["/few", "/flood"]),
        judge: |seen| {
            let is_right = seen.page("/few").is_some() && seen.page("/flood").is_none();
            little_taken(seen, is_right, "the page is not read")
        },
    },
    Case {
        id: "P16",
        what: "says 100 Continue for ever",
        right: "given up after 3 requests at most",
        task: PLAIN,
        alone: false,
        start: || at(plays::continues_for_ever(), &["/"]),
        judge: given_up,
    },
    Case {
        id: "P17",
        what: "switches protocols unasked",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::switches()),
        judge: nothing,
    },
    Case {
        id: "P18",
        what: "sends another answer where 204 and 304 have no body",
        right: "it answers nothing",
        task: PLAIN,
        alone: false,
        start: || at(plays::smuggled(), &["/none", "/a", "/same", "/b"]),
        judge: |seen| {
            let titled = |title| seen.run.pages.iter().filter(|page| page.title == title).count();
            let (right, wrong) = (titled("right"), titled("wrong"));
            seen.ended_and(right == 2 && wrong == 0, format!("{right} of 2 pages, {wrong} of the others"))
        },
    },
    Case {
        id: "P19",
        what: "promises more than it sends",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::promises_too_much()),
        judge: nothing,
    },
    Case {
        id: "P21",
        what: "names lengths that contradict or are no numbers",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::no_lengths()),
        judge: nothing,
    },
    Case {
        id: "P23",
        what: "names lengths up to 2^64-1",
        right: "no pages, 256 MiB at most",
        task: PLAIN,
        alone: true,
        start: || of(plays::huge_lengths()),
        judge: |seen| if seen.whole() > 0 { nothing(seen) } else { little_memory(seen) },
    },
    Case {
        id: "P24",
        what: "names both a length and chunks, and goes on after them",
        right: "the chunks are the page; the rest answers nothing",
        task: PLAIN,
        alone: false,
        start: || at(plays::length_and_chunks(), &["/both", "/next"]),
        judge: |seen| {
            let title = |path| seen.page(path).map_or("none", |page| page.title.as_str());
            let both = title("/both");
            let is_right = ["x", "none"].contains(&both) && title("/next") == "right";
            seen.ended_and(is_right, format!("titles: `{both}`, `{}`", title("/next")))
        },
    },
    Case {
        id: "P26",
        what: "sends chunks of no size, of any size, without end",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of([plays::broken_chunks(), plays::cut_chunks()].concat()),
        judge: nothing,
    },
    Case {
        id: "P27",
        what: "sends 8 KB with each octet of its chunks, and trailers without end",
        right: "left at a limit: 64 MiB at most",
        task: PLAIN,
        alone: true,
        start: || at(plays::endless_extensions(), &["/extensions", "/trailers"]),
        judge: |seen| little_taken(seen, true, ""),
    },
    Case {
        id: "P29",
        what: "says nothing, or the wrong thing, of the type",
        right: "HTML is read and followed; text, PDF and images are not",
        task: PLAIN,
        alone: false,
        start: || of(plays::types()),
        judge: |seen| {
            let was_read = |n: usize| seen.times(&format!("/from{n}")) > 0;
            let all = plays::TYPES.iter().enumerate();
            let is_html = all.clone().filter(|(_, (_, _, is_html, _))| *is_html).count();
            let read = all.clone().filter(|(n, (_, _, is_html, _))| *is_html && was_read(*n)).count();
            let others = all.filter(|(n, (_, _, is_html, _))| !*is_html && was_read(*n)).count();
            let what = format!(
                "{read} of {is_html} followed, and {others} of {} others",
                plays::TYPES.len() - is_html
            );
            seen.ended_and(read == is_html && others == 0, what)
        },
    },
    Case {
        id: "P30",
        what: "names a file ../../evil",
        right: "nothing is written there",
        task: PLAIN,
        alone: false,
        start: || of(plays::evil_file_name()),
        judge: |seen| {
            Verdict::when(seen.run.strays.is_empty(), format!("{} files outside", seen.run.strays.len()))
        },
    },
    Case {
        id: "P31",
        what: "answers 206, 416, 304 to a plain request",
        right: "no pages",
        task: PLAIN,
        alone: false,
        start: || of(plays::foreign_answers()),
        judge: nothing,
    },
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

/// The titles are decoded. What is saved octet by octet is not looked at.
fn charset(seen: &Seen, title: &str) -> Verdict {
    if seen.crawler == "wget2" {
        Verdict::None("keeps the octets as they came")
    } else {
        all_titled(seen, title)
    }
}

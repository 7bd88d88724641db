//! The cases that any crawler can be shown, and the measure of each.

mod content;
mod wire;

use super::Case;
use super::crawler::{Ending, Task};
use super::seen::{Seen, Verdict};
use crate::hostile::site::Site;
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

/// All cases, in the order of the table.
pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    wire::CASES.iter().chain(content::CASES)
}

/// The titles are decoded. What is saved octet by octet is not looked at.
fn charset(seen: &Seen, title: &str) -> Verdict {
    if seen.crawler == "wget2" {
        Verdict::None("keeps the octets as they came")
    } else {
        all_titled(seen, title)
    }
}

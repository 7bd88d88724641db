//! What goes wrong before there is a document: connections and framing.

use super::{CONTROL, PLAIN, at, everything, given_up, little_memory, little_taken, nothing, of};
use crate::hostile::compared::Case;
use crate::hostile::compared::seen::Verdict;
use crate::hostile::plays;
use crate::hostile::site::Site;

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
];

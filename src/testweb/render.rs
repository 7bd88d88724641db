//! A place into HTML.

use super::{
    dice::{Dice, Draw},
    filler::{Form, LANGUAGES, put_title, put_words},
    place::{Place, put, put_number, put_numbered},
    web::{FLAT_WIDTH, Spot, Web},
};

const TAIL: &str = "</body>\n</html>\n";

/// Paragraphs with random links, between headings.
const SECTION: u32 = 8;

/// Memory that rendering uses again and again.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) body: Vec<u8>,
    tree: Vec<u32>,
}

/// Renders the page at `spot` into `scratch.body`, which holds nothing else afterwards.
pub(super) fn render(web: &Web, spot: Spot, scratch: &mut Scratch) {
    scratch.body.clear();
    let out = &mut scratch.body;
    match spot.place {
        Place::Page(page) => {
            let mut dice = web.dice(spot.host, page, Draw::Page);
            open(web, spot, &mut dice, out);
            web.tree(spot.host, page, &mut scratch.tree);
            let listed = put_tree(web, spot, &scratch.tree, &mut dice, out);
            put_text(web, spot, web.settings.links.saturating_sub(listed), &mut dice, out);
        }
        Place::Private(number) => {
            let mut dice = web.dice(spot.host, number, Draw::PrivatePage);
            open(web, spot, &mut dice, out);
            let next = (number + 1 < web.private_pages()).then_some(Place::Private(number + 1));
            put_list(web, spot, [Some(Place::Page(0)), next].into_iter().flatten(), &mut dice, out);
            put_text(web, spot, web.settings.links.saturating_sub(2), &mut dice, out);
        }
        Place::Hosts => {
            let mut dice = web.dice(spot.host, 0, Draw::Trap);
            open(web, spot, &mut dice, out);
            put_roots(web, 0..web.hosts().min(FLAT_WIDTH), out);
        }
        Place::Calendar { year, month } => {
            let mut dice = web.dice(spot.host, year.wrapping_mul(12).wrapping_add(month), Draw::Trap);
            open(web, spot, &mut dice, out);
            let before = if month == 1 { (year.saturating_sub(1).max(1), 12) } else { (year, month - 1) };
            let after = if month == 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
            let months = [before, after].map(|(year, month)| Place::Calendar { year, month });
            put_list(web, spot, months.into_iter().chain([Place::Page(0)]), &mut dice, out);
            put_text(web, spot, 0, &mut dice, out);
        }
        Place::Maze(length) => {
            let mut dice = web.dice(spot.host, length, Draw::Trap);
            open(web, spot, &mut dice, out);
            put(out, "<p><a href=\"left/\">left</a> or <a href=\"right/\">right</a></p>\n");
            put_text(web, spot, 0, &mut dice, out);
        }
        Place::Robots | Place::Stop { .. } => unreachable!("robots.txt and redirects are no pages"),
    }
    put(out, TAIL);
}

/// The text of the title of the page at `spot`; one page in 64 has none.
pub(super) fn title(web: &Web, spot: Spot) -> Option<String> {
    let mut out = Vec::new();
    write_title(web, spot, Form::Text, &mut out)
        .then(|| String::from_utf8(out).expect("titles are made of strings"))
}

fn write_title(web: &Web, spot: Spot, form: Form, out: &mut Vec<u8>) -> bool {
    let number = match spot.place {
        Place::Page(page) => page,
        Place::Private(number) => web.pages() + number,
        Place::Calendar { year, month } => {
            put_numbered(out, "Calendar ", year, "-");
            put_number(out, month);
            return true;
        }
        Place::Maze(_) => {
            put(out, "Maze");
            return true;
        }
        _ => {
            put(out, "All hosts");
            return true;
        }
    };
    let mut dice = web.dice(spot.host, number, Draw::Title);
    if number != 0 && dice.once_in(64) {
        return false;
    }
    put_title(&mut dice, (spot.host, number), form, out);
    true
}

/// Everything up to the first list or paragraph.
fn open(web: &Web, spot: Spot, dice: &mut Dice, out: &mut Vec<u8>) {
    put(out, "<!DOCTYPE html>\n<html lang=\"");
    put(out, dice.pick(LANGUAGES));
    put(out, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    let before = out.len();
    put(out, "<title>");
    if write_title(web, spot, Form::Html, out) {
        put(out, "</title>\n");
    } else {
        out.truncate(before);
    }
    put(out, "<meta name=\"description\" content=\"");
    put(out, web.filler.sentence(dice).trim_end());
    put(out, "\">\n</head>\n<body>\n<h1>");
    put_words(dice, out, 3);
    put(out, "</h1>\n");
}

/// The links that make every page reachable; says how many they are.
fn put_tree(web: &Web, from: Spot, tree: &[u32], dice: &mut Dice, out: &mut Vec<u8>) -> u32 {
    let pages = tree.iter().map(|page| Place::Page(*page));
    if from.place != Place::Page(0) {
        return put_list(web, from, pages, dice, out);
    }
    let hosts = (from.host == 0).then_some(Place::Hosts);
    let private = (web.private_pages() > 0).then_some(Place::Private(0));
    let traps = web.settings.traps.then_some(Place::TRAPS).into_iter().flatten();
    let places = hosts.into_iter().chain(private).chain(traps).chain(pages);
    put_list(web, from, places, dice, out) + put_roots(web, web.host_tree(from.host), out)
}

fn put_list(
    web: &Web,
    from: Spot,
    places: impl Iterator<Item = Place>,
    dice: &mut Dice,
    out: &mut Vec<u8>,
) -> u32 {
    let mut links = 0;
    put(out, "<ul>\n");
    for place in places {
        put(out, "<li>");
        put_link(web, from, Spot { host: from.host, place }, "", dice, out);
        put(out, "</li>\n");
        links += 1;
    }
    put(out, "</ul>\n");
    links
}

fn put_roots(web: &Web, hosts: impl Iterator<Item = u32>, out: &mut Vec<u8>) -> u32 {
    let mut links = 0;
    put(out, "<ul>\n");
    for host in hosts {
        put(out, "<li><a href=\"");
        web.write_url(Spot { host, place: Place::Page(0) }, out);
        put_numbered(out, "\">Host ", host, "</a></li>\n");
        links += 1;
    }
    put(out, "</ul>\n");
    links
}

/// Paragraphs up to the size of a page, with `links` random links spread over them.
fn put_text(web: &Web, from: Spot, links: u32, dice: &mut Dice, out: &mut Vec<u8>) {
    let start = out.len();
    let room = web.settings.page_size.saturating_sub(start + TAIL.len());
    let paragraphs = links.max(room as u32 / 1024 + 1);
    for paragraph in 0..paragraphs {
        if paragraph % SECTION == 0 {
            put(out, "<h2>");
            put_words(dice, out, 2);
            put(out, "</h2>\n");
        }
        put(out, "<p>");
        let until = start + room * (paragraph as usize + 1) / paragraphs as usize;
        // A link and the end of its paragraph are about this long.
        let margin = if paragraph < links { 64 } else { 5 };
        web.filler.fill(dice, out, until.saturating_sub(margin));
        if paragraph < links {
            put_random_link(web, from, dice, out);
        }
        put(out, "</p>\n");
    }
}

fn put_random_link(web: &Web, from: Spot, dice: &mut Dice, out: &mut Vec<u8>) {
    let elsewhere = web.hosts() > 1 && dice.once_in(8);
    let host = if elsewhere { dice.below(web.hosts()) } else { from.host };
    let place = if web.private_pages() > 0 && dice.once_in(32) {
        Place::Private(dice.below(web.private_pages()))
    } else if elsewhere && dice.once_in(2) {
        Place::Page(0)
    } else {
        Place::Page(dice.below(web.pages()))
    };
    let rel = match dice.below(32) {
        0..2 => " rel=\"nofollow\"",
        2 => " rel=\"ugc sponsored\"",
        3..5 => " target=\"_blank\" rel=\"noopener\"",
        _ => "",
    };
    put_link(web, from, Spot { host, place }, rel, dice, out);
}

fn put_link(web: &Web, from: Spot, to: Spot, rel: &str, dice: &mut Dice, out: &mut Vec<u8>) {
    put(out, "<a href=\"");
    put_reference(web, from, to, dice, out);
    put(out, "\"");
    put(out, rel);
    put(out, ">");
    put_words(dice, out, 2);
    put(out, "</a>");
}

/// Writes the URL of `to` in one of the ways that resolve to it on the page `from`.
fn put_reference(web: &Web, from: Spot, to: Spot, dice: &mut Dice, out: &mut Vec<u8>) {
    let way = dice.below(16);
    if to.host != from.host || way < 2 {
        put(out, if way == 1 { "//" } else { "http://" });
        put(out, web.authority(to.host));
        to.place.write_path(out);
    } else if way < 9 {
        put_relative(from.place, to.place, out);
    } else {
        to.place.write_path(out);
    }
    if way == 15 {
        put_numbered(out, "#s", dice.below(9), "");
    }
}

fn put_relative(from: Place, to: Place, out: &mut Vec<u8>) {
    match (from, to) {
        (Place::Page(1..), Place::Page(page @ 1..)) => put_numbered(out, "", page, ".html"),
        (Place::Page(0), Place::Page(page @ 1..)) => put_numbered(out, "p/", page, ".html"),
        (Place::Page(0) | Place::Hosts, _) => {
            put(out, ".");
            to.write_path(out);
        }
        (Place::Page(_) | Place::Private(_), _) => {
            put(out, "..");
            to.write_path(out);
        }
        _ => to.write_path(out),
    }
}

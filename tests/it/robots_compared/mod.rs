//! Our parser against `robotxt`, on files and URLs that are made to find differences: each one is named and counted, and one that
//! nobody can name fails.
//!
//! `HUNTSMAN_ROBOTS_PAIRS=1000000 cargo test --test it robots_compared -- --nocapture` compares that many pairs and prints the table.

mod cost;
mod reference;

use crate::rng::Rng;
use huntsman::crawl::robots::Rules;
use huntsman::settings::environment;
use reference::{CLASSES, Reading, allows};
use std::collections::BTreeMap;
use url::{Position, Url};

/// Pairs that are compared in every test run.
const PAIRS: u64 = 20_000;
/// URLs for each file.
const URLS: u64 = 8;

fn joined(rng: &mut Rng, pieces: &[&'static str], most: u64) -> String {
    (0..rng.range(0..most)).map(|_| rng.pick(pieces)).collect()
}

fn value(rng: &mut Rng) -> String {
    let start = rng.pick(&["/", "/", "/", "/", "*", "*/", "", "/a", "/a?b="]);
    let pieces = [
        "a", "b", "a", "b", "/", "*", "*", "?", "=", "%62", "%2f", "%2F", "%3f", "%2A", "%24", "$", "%2c",
        ",", "|", "%7C", "é", "%c3%a9", "%", "%zz", " ", "~", "%7e", "&", ".", "^", "(", "%28",
    ];
    let end = rng.pick(&["", "", "", "$", "*", "$$"]);
    format!("{start}{}{end}", joined(rng, &pieces, 6))
}

fn line(rng: &mut Rng) -> String {
    let agents = [
        "FooBot",
        "foobot",
        "*",
        "*",
        "other",
        "foo",
        "FooBot/1.0",
        "foobot-news",
        "",
        "* all",
        "FooBot (x)",
        "Foobot,",
        "*bot",
    ];
    match rng.range(0..40) {
        0..10 => format!(
            "{} {}",
            rng.pick(&["User-agent:", "user-agent :", "useragent:", "USER AGENT:"]),
            rng.pick(&agents)
        ),
        10..22 => {
            format!("{}{}", rng.pick(&["Disallow: ", "disallow:", "DISALLOW :\t", "dissalow: "]), value(rng))
        }
        22..32 => format!(
            "{}{}{}",
            rng.pick(&["Allow: ", "allow:", " allow : "]),
            value(rng),
            rng.pick(&["", "  # note"])
        ),
        32 => rng.pick(&["crawl-delay: 2", "Crawl-delay: x", "crawldelay 3"]).to_owned(),
        33 => rng
            .pick(&["sitemap: https://h/s.xml", "Request-rate: 1/5", "host: h", "Content-Signal: search=no"])
            .to_owned(),
        34 => rng
            .pick(&[
                "alow: /a",
                "allaw: /b",
                "disallow all of /a",
                "allow b please",
                "disallow /a",
                "disallow",
                "allow # x",
            ])
            .to_owned(),
        35 => rng
            .pick(&["user-agent foobot", "user-agent # nobody", "user-agent the foobot", "user-agent"])
            .to_owned(),
        36 => format!("disallow: /a{}allow: /ab", rng.pick(&["\0", "\u{1}", "\u{b}", "\u{1b}"])),
        37 => format!("\u{1}disallow: {}", value(rng)),
        _ => rng.pick(&["", "# a comment", "   ", "noindex: /a", "x"]).to_owned(),
    }
}

fn file(rng: &mut Rng) -> Vec<u8> {
    let end = rng.pick(&["\n", "\n", "\n", "\r\n", "\r"]);
    let mut lines = vec![];
    if rng.chance(70) {
        lines.push(rng.pick(&["User-agent: *", "User-agent: FooBot"]).to_owned());
    }
    lines.extend((0..rng.range(0..14)).map(|_| line(rng)));
    let text = lines.join(end);
    let marked = |mark: &[u8]| [mark, text.as_bytes()].concat();
    match rng.range(0..60) {
        0 => marked(b"\xEF\xBB\xBF"),
        1 => marked(b"\xEF\xBB"),
        2 => marked(b"\xEF"),
        3 => std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
        4 => std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
        _ => text.into_bytes(),
    }
}

fn address(rng: &mut Rng) -> Url {
    if rng.chance(2) {
        let path = rng.pick(&["robots.txt", "robots.txt?a", "%72obots.txt", "robots.txt/a"]);
        return Url::parse(&format!("http://h/{path}")).unwrap();
    }
    let pieces = [
        "a", "b", "a", "b", "/", "?", "=", "%62", "%2f", "%2F", "%3f", "*", "%2a", "$", "%24", ",", "%2C",
        "|", "%7c", "é", "%C3%A9", "%zz", "%20", "~", "&", ".x", "^", "(", "%28", "?b=",
    ];
    Url::parse(&format!("http://h/{}", joined(rng, &pieces, 8))).unwrap()
}

/// The fewest classes that turn our verdict into theirs, by name.
fn class(file: &[u8], path: &str, theirs: bool) -> Option<String> {
    let turns = |bits: &u16| allows(file, path, Reading(*bits)) == theirs;
    let mut sets: Vec<u16> = (1..=Reading::THEIRS.0).filter(|bits| bits.count_ones() <= 3).collect();
    sets.sort_by_key(|bits| bits.count_ones());
    let found = sets.into_iter().chain([Reading::THEIRS.0]).find(turns)?;
    let names =
        CLASSES.iter().enumerate().filter(|(at, _)| found & (1 << at) != 0).map(|(_, (name, _))| *name);
    Some(names.collect::<Vec<_>>().join(" and "))
}

#[test]
fn every_difference_to_robotxt_has_a_name_and_a_reason() {
    let pairs = environment::variable("HUNTSMAN_ROBOTS_PAIRS").map_or(PAIRS, |pairs| pairs.parse().unwrap());
    let mut rng = Rng::new(9_309);
    let mut differences: BTreeMap<String, u64> = BTreeMap::new();
    let (mut compared, mut forbidden) = (0, 0_u64);
    while compared < pairs {
        let file = file(&mut rng);
        let ours = Rules::parse(&file, "FooBot");
        let robotxt = robotxt::Robots::parse(&file, "FooBot");
        for _ in 0..URLS.min(pairs - compared) {
            let url = address(&mut rng);
            let path = &url[Position::BeforePath..Position::AfterQuery];
            let (we, they) = (ours.verdict(&url).allowed, robotxt.is_url_allowed(&url));
            let what = || format!("{path} of\n{}", String::from_utf8_lossy(&file).escape_debug());
            assert_eq!(allows(&file, path, Reading::OURS), we, "the reference and we: {}", what());
            assert_eq!(allows(&file, path, Reading::THEIRS), they, "the reference and robotxt: {}", what());
            if we != they {
                let class = class(&file, path, they).unwrap_or_else(|| panic!("unexplained: {}", what()));
                *differences.entry(class).or_default() += 1;
            }
            compared += 1;
            forbidden += u64::from(!we);
        }
    }
    let found: u64 = differences.values().sum();
    println!("{compared} pairs compared, {forbidden} forbidden by us, {found} differences to robotxt:");
    for (class, count) in &differences {
        println!("{count:>8}  {class}");
    }
    for (name, why) in CLASSES {
        let count: u64 = differences
            .iter()
            .filter(|(class, _)| class.split(" and ").any(|one| one == name))
            .map(|(_, count)| count)
            .sum();
        println!("{count:>8}  {name}: {why}");
        assert!(count > 0 || pairs < 100_000, "nothing that was made shows {name}");
    }
    assert!(forbidden > compared / 20 && forbidden < compared, "both verdicts occur: {forbidden}");
}

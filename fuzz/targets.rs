//! What is fuzzed: one function a target, which takes any octets and panics where a promise does not hold. The fuzzers in
//! `fuzz_targets` call them, and so do the tests (`tests/it/fuzz`).

use huntsman::crawl::page::RobotsMeta;
use huntsman::crawl::robots::{MAX_BYTES, Rules};
use huntsman::crawl::seeds::{SeedList, SeedParser};
use huntsman::crawl::target::Base;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::{self, UrlKey, canonical};
use huntsman::parse::{self, Limits, Want};
use huntsman::settings::show::{Origins, show};
use huntsman::settings::table::{Kind, Owner, SETTINGS, Setting};
use huntsman::settings::{Entry, Layers, Origin, Raw, environment};
use std::path::Path;

type Url = ::url::Url;

/// A target and its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: [Target; 8] = [
    ("robots", robots),
    ("url", address),
    ("html", html),
    ("charset", charset),
    ("sitemap", sitemap),
    ("headers", headers),
    ("seeds", seeds),
    ("settings", settings),
];

/// The first line, and what follows.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|octet| *octet == b'\n').unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

/// The first line is the path of a URL, the rest a robots.txt: it reads the same twice, the file itself may always be fetched, and a front
/// of it never allows by a line that was cut.
pub(crate) fn robots(data: &[u8]) {
    let (path, file) = first_line(data);
    let home = Url::parse("http://h/").expect("a URL");
    let url = home.join(&String::from_utf8_lossy(path)).unwrap_or_else(|_| home.clone());
    let rules = Rules::parse(file, "FooBot");
    let verdict = rules.verdict(&url);
    assert_eq!(verdict.allowed, Rules::parse(file, "foobot").verdict(&url).allowed, "a token has no case");
    assert!(verdict.because.is_none() || file.len() > 10_000, "no small file is too much");
    assert!(rules.verdict(&home.join("/robots.txt").expect("a URL")).allowed);
    if let Some(rule) = &verdict.rule {
        assert!(rule.text.len() <= 256 && rule.line as usize <= file.len() + 1 && !rule.group.is_empty());
    }
    assert!(verdict.rule.is_some() || verdict.allowed);
    assert!(rules.sitemaps().iter().all(|sitemap| sitemap.len() <= url::MAX_URL_BYTES));
    let front = Rules::parse_front(file, "FooBot");
    let whole = Rules::parse(&[file, b"\nx"].concat(), "FooBot");
    if file.len() + 2 < MAX_BYTES && file.ends_with(b"\n") {
        assert_eq!(front.verdict(&url), whole.verdict(&url), "a whole last line is no cut one");
    }
    _ = (rules.crawl_delay(), rules.signals(), rules.bytes());
}

/// The first line is a page, the rest a link on it: a canonical URL is one of ours, is its own canonical form, and leads to the same place.
pub(crate) fn address(data: &[u8]) {
    let (base, href) = first_line(data);
    let (base, href) = (String::from_utf8_lossy(base), String::from_utf8_lossy(href));
    let base =
        url::parse(&base).unwrap_or_else(|_| Url::parse("https://example.org/a/b?c=d").expect("a URL"));
    let target = Base::of(&base).resolve(&href);
    let Ok(url) = url::resolve(&base, &href) else {
        assert!(target.is_err(), "a link is one thing with the parser and without");
        let (_, text) = url::evidence(Some(&base), &href);
        assert!(text.len() <= 256);
        return;
    };
    let target = target.expect("what resolves is a target");
    assert_eq!((target.as_str(), target.path()), (url.as_str(), url.path()), "with the parser and without");
    assert_eq!(target.canonical(), canonical(&url));
    assert!(matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none());
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(url.as_str().len() <= url::MAX_URL_BYTES);
    let joined = base.join(&href).expect("what resolves joins");
    assert_eq!(
        (joined.host_str(), joined.path()),
        (url.host_str(), url.path()),
        "resolved as the standard has it"
    );
    let form = canonical(&url);
    let again = Url::parse(&form).expect("a canonical form is a URL");
    assert_eq!(canonical(&again), form, "a canonical form is its own");
    assert_eq!(again.host_str(), url.host_str());
    assert_eq!(UrlKey::of(&form), UrlKey::of(&canonical(&again)));
    _ = huntsman::crawl::host::HostKey::of(&url);
}

/// A page in UTF-8: everything that is kept of it is within its limit.
pub(crate) fn html(data: &[u8]) {
    let limits = Limits::default();
    let want = Want { text: true, robots_name: Some("foobot"), ..Want::default() };
    for media in ["text/html; charset=utf-8", "application/xhtml+xml; charset=utf-8"] {
        let page = parse::parse(data, Some(media), &want, &limits);
        assert!(page.links.len() <= limits.links && page.links.len() as u64 <= page.links_total);
        assert!(page.links.iter().all(|link| link.href.len() <= limits.href_bytes));
        assert!(page.title.as_ref().is_none_or(|title| title.chars().count() <= limits.title_chars));
        let is_stripped = |text: &String| text.trim_matches(['\t', '\n', '\u{c}', '\r', ' ']) == text;
        assert!(page.title.as_ref().is_none_or(|title| is_stripped(title) && !title.is_empty()));
        assert!(page.headings.len() <= limits.headings);
        assert!(page.headings.iter().all(|one| (1..=6).contains(&one.level) && !one.text.is_empty()));
        assert!(page.text.as_ref().is_some_and(|text| text.len() <= limits.text_bytes));
    }
}

/// The first line is a Content-Type, the rest a page: the encoding has a name of the standard, whatever both say.
pub(crate) fn charset(data: &[u8]) {
    let (media, body) = first_line(data);
    let media = String::from_utf8_lossy(media);
    let want = Want { links: false, text: true, ..Want::default() };
    for media in [Some(&*media), None] {
        let page = parse::parse(body, media, &want, &Limits::default());
        let named = encoding_rs::Encoding::for_label_no_replacement(page.charset.as_bytes());
        assert!(named.is_some() || page.charset == "replacement", "{}", page.charset);
        assert_ne!(page.charset, "UTF-7");
    }
}

/// The first line is a Content-Type, the rest a sitemap: what is read of it is bounded, and a document type is never read.
pub(crate) fn sitemap(data: &[u8]) {
    use huntsman::crawl::sitemap::MAX_URLS;
    let (media, body) = first_line(data);
    let media = String::from_utf8_lossy(media);
    _ = parse::is_sitemap(body, Some(&media));
    for most in [1 << 20, 100] {
        if let Ok(listing) = parse::sitemap(body, Some(&media), most) {
            assert!(listing.urls.len() <= MAX_URLS);
        }
    }
}

/// Each line is a header field: what is made of them is bounded, and a cookie comes back as it was set.
pub(crate) fn headers(data: &[u8]) {
    let url = Url::parse("https://example.org/a/b").expect("a URL");
    let field = |line: &'_ [u8]| {
        let at = line.iter().position(|octet| *octet == b':')?;
        Some((line[..at].to_vec(), line[at + 1..].trim_ascii().to_vec()))
    };
    let fields: Vec<(Vec<u8>, Vec<u8>)> = data.split(|octet| *octet == b'\n').filter_map(field).collect();
    let fields: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let now = Timestamp::from_millis(1_795_651_200_000);
    let (answer, cookie) = huntsman::fetch::read_head(&url, 200, &fields, now);
    assert!(cookie.is_none_or(|cookie| cookie.len() <= 17 * 1_024 && answer.sets_cookie));
    if let Some(location) = &answer.location {
        _ = url::resolve(&url, location);
    }
    let mut robots = RobotsMeta::default();
    if let Some(tag) = &answer.robots_tag {
        robots.add_fields(tag, "foobot");
        let before = robots.clone();
        robots.add_fields(tag, "foobot");
        assert_eq!(robots, before, "said twice is said once");
    }
    assert!(robots.unavailable_after.is_none_or(|date| date.chars().count() <= 64));
}

/// A seed list: it reads the same in pieces of any size, and every seed is a URL of ours.
pub(crate) fn seeds(data: &[u8]) {
    let whole = SeedList::parse(data);
    if let Ok(list) = &whole {
        for seed in &list.seeds {
            assert!(matches!(seed.url.scheme(), "http" | "https") && seed.url.has_host());
            assert!(seed.priority.is_none_or(|priority| priority <= 9));
        }
    }
    let size = 1 + data.first().map_or(0, |first| usize::from(*first) % 7);
    let mut parser = SeedParser::default();
    let mut seeds = Vec::new();
    for piece in data.chunks(size) {
        match parser.feed(piece) {
            Ok(found) => seeds.extend(found),
            // The mark of UTF-16 is looked for in the first piece, which may be one octet here.
            Err(_) => return assert!(whole.is_err()),
        }
    }
    match (parser.finish(), whole) {
        (Ok((ending, tally)), Ok(list)) => {
            seeds.extend(ending);
            assert_eq!((seeds, tally), (list.seeds, list.tally), "in pieces of {size}");
        }
        (Err(_), Err(_)) => {}
        (_, Err(_)) => assert!(data.starts_with(b"\xff\xfe") || data.starts_with(b"\xfe\xff")),
        (Err(why), Ok(_)) => panic!("in pieces of {size}: {why}"),
    }
}

/// A settings file, a variable, and the value of one setting: read, or refused with the place of the mistake.
pub(crate) fn settings(data: &[u8]) {
    let (first, rest) = first_line(data);
    let (first, rest) = (String::from_utf8_lossy(first), String::from_utf8_lossy(rest));
    let file = Layers::built_in().with_file(Path::new("huntsman.toml"), &String::from_utf8_lossy(data));
    if let Err(mistake) = file.and_then(|layers| layers.settings()) {
        assert!(!mistake.what.is_empty() && mistake.origin.starts_with("huntsman.toml:"), "{mistake}");
    }
    let name = format!("{}{first}", environment::PREFIX);
    _ = Layers::built_in().with_variables([(name, rest.to_string())]).settings();
    // One that the first line names, else any.
    let named = Setting::find(&first.trim().to_ascii_lowercase());
    value(named.unwrap_or(&SETTINGS[data.len() % SETTINGS.len()]), &rest);
}

/// A value of a setting: what is shown of it reads back and means the same, and so does what a store keeps; a secret is not repeated.
fn value(setting: &'static Setting, text: &str) {
    let raw = match setting.kind {
        Kind::List => Raw::Many(text.lines().map(str::to_owned).collect()),
        _ => Raw::One(text.to_owned()),
    };
    let flag = Entry { setting, raw, origin: Origin::Flag(setting.flag()) };
    let layers = Layers::built_in().with([flag]);
    let read = |layers: &Layers| layers.settings().map(|settings| format!("{settings:?}"));
    let meant = read(&layers).map_err(|mistake| {
        assert_eq!(mistake.origin, format!("--{}", setting.flag()));
        let is_repeated = text.len() > 16 && mistake.what.contains(text);
        assert!(setting.owner != Owner::Secret || !is_repeated, "{mistake}");
    });
    let shown = show(&layers, Origins::Hidden);
    let is_redacted = setting.owner == Owner::Secret || setting.name == "store";
    if !is_redacted {
        let again = Layers::built_in().with_file(Path::new("huntsman.toml"), &shown);
        let again = again.unwrap_or_else(|mistake| panic!("{mistake}: {shown}"));
        assert_eq!(show(&again, Origins::Hidden), shown);
        assert_eq!(read(&again).map_err(drop), meant, "{shown}");
    }
    if setting.owner == Owner::Crawl {
        assert_eq!(read(&Layers::built_in().with_stored(&layers.to_stored())).map_err(drop), meant);
    }
}

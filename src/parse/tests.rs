//! The parser against documents written for it, against `html5ever` on real and random documents, and against
//! documents made to hurt it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use scraper::{ElementRef, Html, HtmlTreeSink, Selector};
use serde_json::Value;

use super::*;
use crate::crawl::page::LinkSource;

const HTML_NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

fn page(html: &str) -> Page {
    let want = Want { text: true, ..Want::default() };
    parse(html.as_bytes(), Some("text/html; charset=utf-8"), &want, &Limits::default())
}

/// Parses `fixtures/pages/<name>.html` and compares each member of `<name>.json` with the page's.
fn check(name: &str) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pages").join(name);
    let body = std::fs::read(base.with_extension("html")).unwrap();
    let expected: Value =
        serde_json::from_slice(&std::fs::read(base.with_extension("json")).unwrap()).unwrap();
    let content_type = expected["content_type"].as_str();
    let want = Want { text: true, robots_name: Some("huntsman"), ..Want::default() };
    let page = serde_json::to_value(parse(&body, content_type, &want, &Limits::default())).unwrap();
    for (member, value) in
        expected.as_object().unwrap().iter().filter(|(member, _)| *member != "content_type")
    {
        assert_eq!(&page[member], value, "{member} of {name}");
    }
}

#[test]
fn documents_are_read_as_their_expectations_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pages");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 20, "the fixtures are missing");
    for name in names {
        check(&name);
    }
}

/// What `html5ever` makes of a document, read the slow way.
#[derive(Debug, PartialEq)]
struct Oracle {
    title: Option<String>,
    links: BTreeSet<String>,
    anchors: Vec<(String, String)>,
}

fn tree(text: &str) -> Html {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    parse_document(HtmlTreeSink::new(Html::new_document()), options).one(text)
}

fn in_template(element: ElementRef<'_>) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(|ancestor| {
        ancestor.value().name() == "template"
            && &*ancestor.value().name.ns == HTML_NAMESPACE
            && ancestor.attr("shadowrootmode").is_none()
    })
}

fn collapse(text: &str) -> String {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    words.join(" ")
}

fn cut(text: &str, limit: usize) -> String {
    cut_text(text, limit).to_owned()
}

fn cut_text(text: &str, limit: usize) -> &str {
    super::collapse::cut_chars(text, limit)
}

/// The `href` of a link; in a drawing its `xlink:href` does as well.
fn href_of(anchor: ElementRef<'_>) -> Option<String> {
    let element = anchor.value();
    let value = |namespace: &str| {
        let mut attributes = element.attrs.iter();
        attributes.find(|(name, _)| &*name.ns == namespace && &*name.local == "href").map(|(_, value)| value)
    };
    let in_drawing = element.name.ns.ends_with("/svg");
    let href = value("").or_else(|| in_drawing.then(|| value("http://www.w3.org/1999/xlink")).flatten());
    href.map(|href| href.trim_ascii().to_owned())
}

fn oracle(text: &str) -> Oracle {
    let html = tree(text);
    let title = html
        .select(&Selector::parse("title").unwrap())
        .find(|title| &*title.value().name.ns == HTML_NAMESPACE && !in_template(*title))
        .map(|title| cut(&collapse(&title.text().collect::<String>()), 1_024))
        .filter(|title| !title.is_empty());
    let has_base = html.select(&Selector::parse("base[href]").unwrap()).any(|base| !in_template(base));
    let anchors: Vec<_> = html
        .select(&Selector::parse("a").unwrap())
        .filter(|anchor| !in_template(*anchor))
        .filter_map(|anchor| Some((href_of(anchor)?, collapse(&anchor.text().collect::<String>()))))
        .filter(|(href, _)| !href.is_empty() && (has_base || !href.starts_with('#')))
        .map(|(href, text)| (href.split('#').next().unwrap_or_default().to_owned(), text))
        .collect();
    Oracle { title, links: anchors.iter().map(|(href, _)| href.clone()).collect(), anchors }
}

/// Asserts that `page` has the links of `oracle`. A link found as another kind first (a refresh) keeps that kind.
fn assert_same_links(page: &Page, oracle: &Oracle, name: &str) {
    let all: BTreeSet<_> = page.links.iter().map(|link| link.href.to_owned()).collect();
    // A longer one is counted and not kept: it is no URL that we would ask for.
    let kept = |href: &&String| href.len() <= Limits::default().href_bytes;
    let missed: Vec<_> = oracle.links.difference(&all).filter(kept).collect();
    let invented: Vec<_> = page
        .links
        .iter()
        .filter(|link| link.source == LinkSource::A && !oracle.links.contains(link.href))
        .map(|link| link.href)
        .collect();
    assert!(missed.is_empty() && invented.is_empty(), "{name}: missed {missed:?}, invented {invented:?}");
}

/// The first text of each link, as the oracle has it.
fn first_anchor<'a>(oracle: &'a Oracle, href: &str) -> &'a str {
    oracle.anchors.iter().find(|(found, text)| found == href && !text.is_empty()).map_or("", |(_, text)| text)
}

fn pages_under(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// Compares every `stride`th page under `root` with the oracle. Tells how many were compared.
fn compare_with_oracle(root: &Path, stride: usize) -> usize {
    let mut compared = 0;
    for path in pages_under(root).into_iter().step_by(stride) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let page = page(&text);
        let oracle = oracle(&text);
        assert_eq!(page.title, oracle.title, "title of {}", path.display());
        compared += 1;
        if page.links.len() >= Limits::default().links {
            // Beyond that links are only counted.
            continue;
        }
        assert_same_links(&page, &oracle, &path.display().to_string());
        for link in page.links.iter().filter(|link| link.source == LinkSource::A) {
            let anchor = cut_text(first_anchor(&oracle, link.href), 256);
            assert_eq!(
                link.anchor.replace(' ', ""),
                anchor.replace(' ', ""),
                "{} in {}",
                link.href,
                path.display()
            );
        }
    }
    compared
}

#[test]
fn links_that_differ_only_in_their_fragment_are_one_and_crowd_nothing_out() {
    let limits = Limits { links: 3, ..Limits::default() };
    let parts: Vec<String> = (0..100).map(|n| format!("<a href='a#{n}' rel=nofollow>part {n}</a>")).collect();
    let parts = parts.concat();
    let html = format!(
        "<a href='#top'>top</a>{parts}<a href='a'>all</a><a href=b>B</a><a href=c>C</a><a href=d>D</a>"
    );
    let page = parse(html.as_bytes(), None, &Want::default(), &limits);
    let links: Vec<_> = page.links.iter().map(|link| (link.href, link.anchor, link.nofollow)).collect();
    assert_eq!(links, [("a", "part 0", false), ("b", "B", false), ("c", "C", false)]);
    assert_eq!((page.links_total, page.links_dropped), (105, 1));
}

/// The books that the whole-program test crawls, too; the other folders hold one page an intrinsic of a processor.
const BOOKS: &[&str] = &[
    "alloc",
    "book",
    "cargo",
    "clippy",
    "edition-guide",
    "embedded-book",
    "error_codes",
    "nomicon",
    "proc_macro",
    "reference",
    "rust-by-example",
    "rustc",
    "rustdoc",
    "std",
    "style-guide",
    "test",
    "unstable-book",
];

#[test]
fn real_pages_have_the_title_and_links_that_a_tree_parser_finds() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc is on the path");
    let root = Path::new(String::from_utf8(sysroot.stdout).unwrap().trim()).join("share/doc/rust/html");
    assert!(root.is_dir(), "{} is absent: add the component rust-docs to the toolchain", root.display());
    let debian =
        ["/usr/share/doc/python3.11/html", "/usr/share/doc/postgresql-doc-15/html"].map(PathBuf::from);
    let roots: Vec<PathBuf> = BOOKS.iter().map(|book| root.join(book)).chain(debian).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let compared: usize = std::thread::scope(|scope| {
        let compare = || {
            let mut compared = 0;
            while let Some(root) = roots.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                compared += compare_with_oracle(root, 1);
            }
            compared
        };
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(compare)).collect();
        workers.into_iter().map(|worker| worker.join().expect("the oracle agrees")).sum()
    });
    println!("{compared} pages compared");
    assert!(compared >= 6_000, "only {compared} pages of documentation were found");
    assert!(compare_with_oracle(&root, STRIDE) >= 40_000 / STRIDE);
}

/// One page in so many of the whole documentation is compared.
const STRIDE: usize = 60;

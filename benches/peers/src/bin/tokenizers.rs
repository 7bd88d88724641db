//! CPU a page of two streaming tokenizers on the same documents: the one of `huntsman::parse`, and `lol_html`.
//!
//! Usage: tokenizers ROUNDS FOLDER... : every .html file below the folders is read once, then parsed ROUNDS times by each,
//! in turn. Both decode entities and keep each distinct href; the titles must agree.

use huntsman::parse::{Limits, Parser, Want};
use lol_html::{HtmlRewriter, Settings, element, text};
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().and_then(|rounds| rounds.parse().ok()).expect("ROUNDS");
    let mut files = Vec::new();
    arguments.for_each(|folder| collect(Path::new(&folder), &mut files));
    let pages: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("a file")).collect();
    assert!(!pages.is_empty(), "no .html file there");
    let bytes: usize = pages.iter().map(Vec::len).sum();
    println!("{} pages, {} KB a page", pages.len(), bytes / pages.len() / 1_000);

    let (mut parser, limits) = (Parser::new(Limits::default()), Limits::default());
    let lean = Want { anchors: false, headings: false, ..Want::default() };
    let (mut times, mut same) = ([0.0; 3], 0);
    for _ in 0..rounds {
        let started = cpu_seconds();
        let theirs: Vec<_> = pages.iter().map(|page| by_lol_html(page, limits.links)).collect();
        let middle = cpu_seconds();
        let ours: Vec<_> =
            pages.iter().map(|page| parser.parse(page, Some("text/html; charset=utf-8"), &lean)).collect();
        let later = cpu_seconds();
        let whole =
            pages.iter().map(|page| parser.parse(page, Some("text/html; charset=utf-8"), &Want::default()));
        std::hint::black_box(whole.count());
        for (time, spent) in times.iter_mut().zip([middle - started, later - middle, cpu_seconds() - later]) {
            *time += spent;
        }
        same = ours
            .iter()
            .zip(&theirs)
            .filter(|(ours, theirs)| ours.title.as_deref().unwrap_or_default() == theirs.0)
            .count();
    }
    let [lol, lean, whole] = times.map(|time| time * 1e6 / (rounds * pages.len()) as f64);
    println!("{same} titles agree");
    println!("{lol:8.1} us a page  lol_html: title and links");
    println!("{lean:8.1} us a page  huntsman: title, metadata and links");
    println!("{whole:8.1} us a page  huntsman: the same with anchor texts and headings");
}

/// The title with its white space collapsed, and the distinct hrefs.
fn by_lol_html(page: &[u8], most: usize) -> (String, HashSet<String>) {
    let (title, titles, links) = (RefCell::new(String::new()), RefCell::new(0), RefCell::new(HashSet::new()));
    let href = |element: &mut lol_html::html_content::Element<'_, '_>| {
        if let Some(href) = element.get_attribute("href") {
            let href = html_escape::decode_html_entities(href.trim());
            let href = href.split('#').next().unwrap_or_default();
            let mut links = links.borrow_mut();
            if !href.is_empty() && links.len() < most && !links.contains(href) {
                links.insert(href.to_owned());
            }
        }
        Ok(())
    };
    let handlers = vec![
        element!("a[href], area[href]", href),
        element!("title", |_| {
            *titles.borrow_mut() += 1;
            Ok(())
        }),
        text!("title", |chunk| {
            if *titles.borrow() == 1 {
                title.borrow_mut().push_str(chunk.as_str());
            }
            Ok(())
        }),
    ];
    let settings = handlers.into_iter().fold(Settings::new(), Settings::append_element_content_handler);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| ());
    rewriter.write(page).and_then(|()| rewriter.end()).expect("a document within the limits");
    let title =
        html_escape::decode_html_entities(&*title.borrow()).split_whitespace().collect::<Vec<_>>().join(" ");
    (title, links.into_inner())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "html") {
            files.push(path);
        }
    }
}

/// User and system time of this process, from Linux.
fn cpu_seconds() -> f64 {
    let spent = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    spent.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

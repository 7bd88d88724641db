//! The `spider` crate doing the same job: every reachable page of the hosts once, robots.txt obeyed, no delay, title and
//! links parsed, one line a page written to a file. Usage: peers FILE URL...
//!
//! `spider` crawls one host a `Website`: of several, [`AT_ONCE`] are crawled at a time.

use spider::tokio;
use spider::tokio::sync::mpsc::{self, UnboundedSender};
use spider::tokio::task::JoinSet;
use spider::website::Website;
use std::io::{BufWriter, Write};

const AT_ONCE: usize = 16;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().expect("FILE");
    let (rows, mut written) = mpsc::unbounded_channel::<String>();
    let writer = tokio::spawn(async move {
        let mut out = BufWriter::new(std::fs::File::create(file).expect("a file that can be written"));
        let mut count = 0u64;
        while let Some(row) = written.recv().await {
            writeln!(out, "{row}").expect("a disk with room");
            count += 1;
        }
        out.flush().expect("a disk with room");
        count
    });
    let mut websites = JoinSet::new();
    for url in arguments {
        if websites.len() == AT_ONCE {
            websites.join_next().await;
        }
        websites.spawn(crawl(url, rows.clone()));
    }
    while websites.join_next().await.is_some() {}
    drop(rows);
    println!("{} pages", writer.await.expect("the writer ends"));
}

async fn crawl(url: String, rows: UnboundedSender<String>) {
    let mut website = Website::new(&url);
    website.with_respect_robots_txt(true).with_delay(0).with_depth(0).with_user_agent(Some("peers/0.0"));
    let mut pages = website.subscribe(16_384);
    let written = tokio::spawn(async move {
        while let Ok(page) = pages.recv().await {
            let html = page.get_html();
            let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
            let title = title.map_or("", |(title, _)| title);
            let row = format!("{}\t{}\t{}\t{title}", page.status_code.as_u16(), html.len(), page.get_url());
            rows.send(row).expect("the writer lives");
        }
    });
    website.crawl().await;
    website.unsubscribe();
    drop(website);
    written.await.expect("the pages end");
}

//! The `spider` crate doing the same job: every reachable page of one host once, robots.txt obeyed, no delay, title and
//! links parsed, one line a page written to a file. Usage: peers URL FILE

use spider::tokio;
use spider::website::Website;
use std::io::{BufWriter, Write};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (url, file) = (arguments.next().expect("URL"), arguments.next().expect("FILE"));
    let mut website = Website::new(&url);
    website.with_respect_robots_txt(true).with_delay(0).with_depth(0).with_user_agent(Some("peers/0.0"));
    let mut pages = website.subscribe(16_384);
    let written = tokio::spawn(async move {
        let mut out = BufWriter::new(std::fs::File::create(file).expect("a file that can be written"));
        let mut count = 0u64;
        while let Ok(page) = pages.recv().await {
            let html = page.get_html();
            let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(title, _)| title);
            let status = page.status_code.as_u16();
            writeln!(out, "{status}\t{}\t{}\t{title}", html.len(), page.get_url()).expect("a disk with room");
            count += 1;
        }
        out.flush().expect("a disk with room");
        count
    });
    website.crawl().await;
    website.unsubscribe();
    drop(website);
    println!("{} pages", written.await.expect("the writer ends"));
}

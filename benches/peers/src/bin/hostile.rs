//! The `spider` crate on the hostile web: robots.txt and sitemaps obeyed, no delay of its own, limits of time and size as
//! the crate has them. Prints one line a page that it hands over with a 2xx: URL, whether it is cut, title.
//!
//! Usage: hostile PAGES SITEMAPS SEED... (0 pages: no limit)

use spider::tokio;
use spider::website::Website;
use std::io::Write;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let pages: u32 = arguments.next().and_then(|pages| pages.parse().ok()).expect("PAGES");
    let sitemaps = arguments.next().expect("SITEMAPS") == "yes";
    for seed in arguments {
        crawl(&seed, pages, sitemaps).await;
    }
}

async fn crawl(seed: &str, pages: u32, sitemaps: bool) {
    let mut website = Website::new(seed);
    website
        .with_respect_robots_txt(true)
        .with_user_agent(Some("peers/0.0"))
        .with_delay(0)
        .with_depth(0)
        .with_retry(1)
        .with_redirect_limit(10)
        .with_request_timeout(Some(PATIENCE))
        .with_default_http_connect_timeout(Some(PATIENCE))
        .with_default_http_read_timeout(Some(PATIENCE))
        .with_ignore_sitemap(!sitemaps);
    if pages > 0 {
        website.with_limit(pages);
    }
    let mut handed_over = website.subscribe(16_384);
    let written = tokio::spawn(async move {
        while let Ok(page) = handed_over.recv().await {
            if !page.status_code.is_success() {
                continue;
            }
            let html = page.get_html();
            let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
            let title: String = title.map_or("", |(title, _)| title).split_whitespace().collect::<Vec<_>>().join(" ");
            let title: String = title.chars().take(200).collect();
            let cut = if page.content_truncated { "cut" } else { "" };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}\t{cut}\t{title}", page.get_url()).expect("a disk with room");
            out.flush().expect("a disk with room");
        }
    });
    website.crawl().await;
    website.unsubscribe();
    drop(website);
    written.await.expect("the pages end");
}

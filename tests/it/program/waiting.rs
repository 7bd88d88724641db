//! What a crawl says that ends because all that is left waits.

use super::raw_server::{RawServer, page};
use super::{run, said};
use serde_json::Value;

fn site(robots: &'static str, answer: (u16, &'static str)) -> RawServer {
    RawServer::start(move |path, _| match path {
        "/robots.txt" => (200, "Content-Type: text/plain\r\n".into(), robots.into()),
        "/" => (answer.0, answer.1.to_owned(), String::new()),
        _ => page(&[]),
    })
}

#[test]
fn every_host_that_is_waited_for_is_counted_and_no_time_that_has_not_passed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sites = [
        site("", (429, "Retry-After: 86400\r\n")),
        site("User-agent: *\nCrawl-delay: 200\n", (200, "")),
        // Tried again in 2 s, which is longer than we stay.
        site("", (500, "")),
    ];
    let seeds: Vec<String> = sites.iter().map(|site| site.url("/\n")).collect();
    std::fs::write(folder.join("seeds"), seeds.concat()).unwrap();
    let output =
        run(folder, &["crawl", "seeds", "--name", "t", "--wait", "300ms", "--summary-json", "s.json"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("3 URLs of 3 hosts wait until"), "{text}");
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("s.json")).unwrap()).unwrap();
    let slow = &summary["slowdowns"].as_array().unwrap()[..];
    assert_eq!(slow.len(), 1, "{summary}");
    assert!(slow[0]["waited_ms"].as_u64().unwrap() < 20_000, "a day has not passed: {summary}");
    assert!(!text.contains("waited 1d") && text.contains("answered 429 once"), "{text}");
    assert!(text.contains("wants to be left alone until 20"), "{text}");
}

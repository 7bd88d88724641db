//! Promises of the simulated web, asked over HTTP by a client that knows nothing of how it is made.

mod client;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use robotxt::Robots;
use scraper::{Html, Selector};
use url::Url;

use super::{Kind, RobotsKind, Settings, Testweb, truth};
use client::{Answered, Client};

/// A small web with everything in it but traps.
fn mixed() -> Settings {
    Settings {
        seed: 7,
        hosts: 5,
        pages: 120,
        page_size: 3_000,
        links: 10,
        error_rate: 0.15,
        redirects: 0.2,
        robots: RobotsKind::Rules,
        ..Settings::default()
    }
}

/// What a crawl saw of a URL: its status after one repetition of a 503, and its title.
type Seen = BTreeMap<String, (Option<u16>, Option<String>)>;

/// Crawls from `first`: breadth first, obeying robots.txt, following links and redirects.
async fn crawl(first: &str) -> Seen {
    let mut client = Client::default();
    let mut robots: HashMap<String, Option<Robots>> = HashMap::new();
    let mut seen = Seen::new();
    let mut front = vec![Url::parse(first).unwrap()];
    let mut known: BTreeSet<String> = front.iter().map(Url::to_string).collect();
    while let Some(url) = front.pop() {
        let authority = url.authority().to_owned();
        if !robots.contains_key(&authority) {
            let answered = client.get(&url.join("/robots.txt").unwrap()).await.unwrap();
            let rules = (answered.status < 500).then(|| {
                let text = if answered.status == 200 { answered.body.as_str() } else { "" };
                Robots::parse(text.as_bytes(), "tester")
            });
            robots.insert(authority.clone(), rules);
        }
        if !robots[&authority].as_ref().is_some_and(|rules| rules.is_url_allowed(&url)) {
            continue;
        }
        let mut answered = client.get(&url).await;
        if answered.as_ref().is_some_and(|answered| answered.status == 503) {
            answered = client.get(&url).await;
        }
        let (title, references) = answered.as_ref().map(read).unwrap_or_default();
        seen.insert(url.to_string(), (answered.map(|answered| answered.status), title));
        for reference in references {
            let mut target = url.join(&reference).unwrap();
            target.set_fragment(None);
            if known.insert(target.to_string()) {
                front.push(target);
            }
        }
    }
    seen
}

/// The title of an answer, and what it leads to.
fn read(answered: &Answered) -> (Option<String>, Vec<String>) {
    match answered.status {
        200 => {
            let html = Html::parse_document(&answered.body);
            let [title, link] = ["title", "a[href]"].map(|css| Selector::parse(css).unwrap());
            let title = html.select(&title).next().map(|title| title.text().collect());
            let links = html.select(&link).map(|link| link.attr("href").unwrap().to_owned());
            (title, links.collect())
        }
        300..400 => (None, vec![answered.header("location").unwrap().to_owned()]),
        _ => (None, Vec::new()),
    }
}

async fn check_truth(settings: Settings) -> BTreeMap<Kind, usize> {
    let web = Testweb::start(settings.clone()).await.unwrap();
    let told: Vec<_> = web.truth().collect();
    assert_eq!(told, truth(&settings, web.port()).collect::<Vec<_>>());
    let reachable = told.iter().filter(|truth| truth.reachable);
    let expected: Seen = reachable.map(|it| (it.url.clone(), (it.status, it.title.clone()))).collect();
    assert_eq!(crawl(&web.seeds()[0]).await, expected);
    web.stop().await;
    let mut kinds = BTreeMap::new();
    for truth in told {
        *kinds.entry(truth.kind).or_default() += 1;
    }
    kinds
}

#[tokio::test]
async fn a_crawl_sees_the_truth() {
    let kinds = check_truth(mixed()).await;
    assert_eq!(kinds[&Kind::Root], 5);
    for kind in [
        Kind::Page,
        Kind::Hosts,
        Kind::Private,
        Kind::Redirect,
        Kind::Loop,
        Kind::Missing,
        Kind::Broken,
        Kind::Closing,
        Kind::Transient,
    ] {
        assert!(kinds.contains_key(&kind), "no {kind:?} in {kinds:?}");
    }
}

#[tokio::test]
async fn a_crawl_sees_the_truth_of_webs_of_other_shapes() {
    let shapes = [
        Settings { seed: 8, flat: true, ..mixed() },
        Settings { seed: 9, robots: RobotsKind::None, links: 1, ..mixed() },
        Settings { robots: RobotsKind::Unavailable, ..mixed() },
        Settings { seed: 10, hosts: 1, pages: 1, ..mixed() },
        Settings { seed: 11, error_rate: 0.5, redirects: 0.5, links: 0, ..mixed() },
        Settings { seed: 12, hosts: 300, pages: 3, robots: RobotsKind::Allow, ..mixed() },
    ];
    for settings in shapes {
        check_truth(settings).await;
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let first = Testweb::start(mixed()).await.unwrap();
    let port = first.port();
    let before = every_answer(&first).await;
    first.stop().await;
    let second = Testweb::start(Settings { port, ..mixed() }).await.unwrap();
    assert_eq!(every_answer(&second).await, before);
    second.stop().await;
    let third = Testweb::start(Settings { port, seed: 8, ..mixed() }).await.unwrap();
    assert_ne!(every_answer(&third).await, before);
}

async fn every_answer(web: &Testweb) -> Vec<Option<Answered>> {
    let mut client = Client::default();
    let mut answers = Vec::new();
    for truth in web.truth() {
        answers.push(client.get(&Url::parse(&truth.url).unwrap()).await);
    }
    answers
}

#[tokio::test]
async fn a_page_has_about_the_size_asked_for_and_the_links() {
    for page_size in [4_000, 20_000, 100_000] {
        let settings = Settings { page_size, links: 43, ..Settings::default() };
        let web = Testweb::start(settings).await.unwrap();
        let mut client = Client::default();
        for truth in web.truth().filter(|truth| truth.kind == Kind::Page).take(50) {
            let answered = client.get(&Url::parse(&truth.url).unwrap()).await.unwrap();
            let length = answered.body.len();
            assert!(length.abs_diff(page_size) < page_size / 5, "{length} bytes instead of {page_size}");
            assert_eq!(read(&answered).1.len(), 43);
        }
    }
}

#[tokio::test]
async fn a_trap_has_no_end() {
    let web = Testweb::start(Settings { traps: true, ..Settings::default() }).await.unwrap();
    let mut client = Client::default();
    for entry in web.truth().filter(|truth| truth.kind == Kind::Trap).take(2) {
        let mut url = Url::parse(&entry.url).unwrap();
        let mut behind = BTreeSet::new();
        for _ in 0..200 {
            let answered = client.get(&url).await.unwrap();
            assert_eq!(answered.status, 200);
            let mut targets = read(&answered).1.into_iter().map(|reference| url.join(&reference).unwrap());
            url = targets.find(|target| !behind.contains(target) && target.path() != "/").unwrap();
            behind.insert(url.clone());
        }
    }
}

#[tokio::test]
async fn an_answer_takes_the_latency_and_requests_are_logged_as_they_arrive() {
    let latency = Duration::from_millis(60);
    let directory = tempfile::tempdir().unwrap();
    let log_file = directory.path().join("requests.jsonl");
    let settings = Settings { latency, log: true, log_file: Some(log_file.clone()), ..Settings::default() };
    let called = Arc::new(Mutex::new(Vec::new()));
    let callback = {
        let called = Arc::clone(&called);
        move |request: &super::Request| called.lock().unwrap().push(request.clone())
    };
    let web = Testweb::start_with(settings, Some(Arc::new(callback))).await.unwrap();
    let mut client = Client::default();
    let root = Url::parse(&web.seeds()[1]).unwrap();
    for path in ["/", "/p/1.html", "/nowhere"] {
        client.get(&root.join(path).unwrap()).await.unwrap();
    }
    let log = web.log();
    assert_eq!(
        log.iter().map(|it| (it.path.as_str(), it.status)).collect::<Vec<_>>(),
        [("/", Some(200)), ("/p/1.html", Some(200)), ("/nowhere", Some(404))]
    );
    assert!(log.iter().all(|request| request.host == root.authority()));
    assert!(log.windows(2).all(|pair| pair[1].at >= pair[0].at + latency), "{log:?}");
    assert_eq!(*called.lock().unwrap(), log);
    assert_eq!(web.requests(), 3);
    let lines = std::fs::read_to_string(log_file).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["path"], "/p/1.html");
    assert_eq!(lines[1]["at"].as_f64(), Some(log[1].at.as_secs_f64()));
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_pipelined_ones_in_order() {
    let web = Testweb::start(Settings::default()).await.unwrap();
    let root = Url::parse(&web.seeds()[0]).unwrap();
    let mut client = Client::default();
    for page in 1..50 {
        let answered = client.get(&root.join(&format!("/p/{page}.html")).unwrap()).await.unwrap();
        assert_eq!(answered.header("etag"), Some(format!("\"1.0/p/{page}.html\"").as_str()));
    }
    assert_eq!(client.connects, 1);

    let mut sent = String::new();
    for page in 1..50 {
        write!(sent, "GET /p/{page}.html HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    sent += "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let received = client::exchange(&root, sent.as_bytes()).await;
    let (mut rest, mut tags) = (received.as_str(), Vec::new());
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let tag = head.split_once("ETag: \"1.0").unwrap().1;
        tags.push(tag.split_once('"').unwrap().0.to_owned());
        let length: usize =
            head.split_once("Content-Length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
        rest = if head.ends_with("Connection: close") { after } else { &after[length..] };
    }
    let expected: Vec<_> = (1..50).map(|page| format!("/p/{page}.html")).chain(["/".to_owned()]).collect();
    assert_eq!(tags, expected);
    assert_eq!(rest, "", "an answer to HEAD has no body, and nothing follows a close");
}

#[tokio::test]
async fn a_request_is_answered_by_the_book() {
    let web = Testweb::start(Settings::default()).await.unwrap();
    let root = Url::parse(&web.seeds()[0]).unwrap();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let cases = [
        ("GET / HTTP/1.0\r\n\r\n", "200 OK", "Connection: close"),
        ("GET http://x/p/1.html HTTP/1.1\r\nConnection: close\r\n\r\n", "200 OK", "/p/1.html"),
        (
            "GET / HTTP/1.1\r\nIf-None-Match: \"1.0/\"\r\nConnection: Close\r\n\r\n",
            "304 Not Modified",
            "ETag",
        ),
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405 Method", "Allow: GET, HEAD"),
        ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "400 Bad", "close"),
        ("nonsense\r\n\r\n", "400 Bad", "close"),
        ("GET /p/100.html HTTP/1.1\r\nConnection: close\r\n\r\n", "404 Not Found", "text/html"),
        (&long, "431 Request Header Fields Too Large", "close"),
    ];
    for (sent, status, part) in cases {
        let received = client::exchange(&root, sent.as_bytes()).await;
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status}")) && received.contains(part),
            "{sent}: {received}"
        );
    }
}

#[tokio::test]
async fn a_crawl_delay_stands_in_robots_txt() {
    let settings = Settings { crawl_delay: Some(Duration::from_millis(1_500)), ..mixed() };
    let web = Testweb::start(settings).await.unwrap();
    let robots = Url::parse(&web.seeds()[0]).unwrap().join("/robots.txt").unwrap();
    let answered = Client::default().get(&robots).await.unwrap();
    let rules = Robots::parse(answered.body.as_bytes(), "tester");
    assert_eq!(rules.crawl_delay(), Some(Duration::from_millis(1_500)));
}

#[tokio::test]
async fn two_webs_stand_side_by_side() {
    let first = Testweb::start(Settings::default()).await.unwrap();
    let second = Testweb::start(Settings::default()).await.unwrap();
    assert_ne!(first.port(), second.port());
    let taken = Testweb::start(Settings { port: first.port(), ..Settings::default() }).await;
    assert_eq!(taken.err().unwrap().kind(), std::io::ErrorKind::AddrInUse);
}

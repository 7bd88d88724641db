//! Documents that are made to hurt a parser: what a thread pays for them.

use super::judging::crawl;
use super::plays;
use super::shown;
use super::site::{Site, answer, page};
use crate::program::{huntsman, said};
use huntsman::crawl::assess::Unread;
use huntsman::crawl::page::Page;
use huntsman::node::ParsePool;
use huntsman::parse::{Limits, Selectors, Want, parse};
use std::process::Stdio;
use std::time::Duration;

/// What this thread has used of a processor.
fn used() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Reads a page on a small stack, and tells what it cost.
fn read(html: String, text: bool) -> (Page, Duration) {
    let reading = std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
        let before = used();
        let want = Want { text, ..Want::default() };
        let page = parse(html.as_bytes(), Some("text/html; charset=utf-8"), &want, &Limits::default());
        (page, used().checked_sub(before).unwrap())
    });
    reading.unwrap().join().unwrap()
}

/// Asserts that reading `html` costs less than `most`; answers with the page.
#[track_caller]
fn cheap(html: String, most: Duration) -> (Page, Duration) {
    let (page, cost) = read(html, true);
    assert!(cost < most, "{cost:?}");
    (page, cost)
}

const LITTLE: Duration = Duration::from_millis(500);

/// D1: nesting.
#[test]
fn d1_a_hundred_thousand_div() {
    let (page, cost) = cheap(plays::nested_div(), LITTLE);
    assert_eq!(page.links.len(), 1);
    shown("D1", &format!("its link is found, for {cost:?} of a thread"));
}

/// D2: lists and forms.
#[test]
fn d2_nested_lists_and_forms() {
    let mut costs = Vec::new();
    for nest in plays::NESTS {
        let (page, cost) = cheap(plays::nested(nest), LITTLE);
        assert!(page.links.iter().any(|link| link.href == "/x"), "{nest}");
        costs.push(cost);
    }
    shown("D2", &format!("5 kinds, 20,000 deep: {:?} at most", costs.iter().max().unwrap()));
}

/// D3: attributes.
#[test]
fn d3_a_hundred_thousand_attributes() {
    let (page, cost) = cheap(plays::many_attributes(), LITTLE);
    assert_eq!(page.links.iter().map(|link| link.href.to_owned()).collect::<Vec<_>>(), ["/x"]);
    shown("D3", &format!("the first 256 of a tag are looked at; {cost:?}"));
}

/// D5: links.
#[test]
fn d5_of_a_million_links_the_first_6000_are_kept_and_all_counted() {
    let links: String = (0..400_000).map(|n| format!("<a href=/{n}>x</a>")).collect::<Vec<_>>().concat();
    let (page, cost) = cheap(links, Duration::from_secs(2));
    assert_eq!((page.links.len(), page.links_total, page.links_dropped), (6_000, 400_000, 394_000));
    shown("D5", &format!("of 400,000 in 8 MB 6,000 are kept and all are counted; {cost:?}"));
}

/// D7: comments and scripts.
#[test]
fn d7_a_comment_or_script_without_end() {
    let mut worst = Duration::ZERO;
    for start in ["<!--", "<script>", "<style>", "<textarea>", "<title>", "<![CDATA[", "<?", "<a href='"] {
        for fill in ["x", "<", "-", "</script ", "--!", "<!--<script>"] {
            let html = format!("<a href=/x>x</a>{start}{}", fill.repeat((2 << 20) / fill.len()));
            let (page, cost) = cheap(html, Duration::from_secs(1));
            assert!(!page.links.is_empty(), "{start}{fill}");
            worst = worst.max(cost);
        }
    }
    shown("D7", &format!("48 kinds of 2 MiB: {worst:?} at most"));
}

/// D8: other nests.
#[test]
fn d8_nested_templates_tables_and_drawings() {
    let mut worst = Duration::ZERO;
    for nest in [
        "<template>",
        "<table><tr><td>",
        "<svg><g>",
        "<math><mi>",
        "<svg><foreignObject>",
        "<select><option>",
    ] {
        worst = worst.max(cheap(nest.repeat(100_000), Duration::from_secs(1)).1);
    }
    shown("D8", &format!("6 kinds, 100,000 deep: {worst:?} at most"));
}

/// D9: references.
#[test]
fn d9_four_million_character_references() {
    let (page, cost) = cheap(plays::references(), Duration::from_secs(2));
    assert!(page.flags.text_cut && page.text.unwrap().len() <= 1 << 20);
    let (_, named) = cheap(
        "&CounterClockwiseContourIntegral;&notit;&#x1F600;&#9999999999;".repeat(100_000),
        Duration::from_secs(2),
    );
    shown("D9", &format!("{cost:?} for 2 million, {named:?} for 400,000 of the longest"));
}

/// D10: where links are.
#[test]
fn d10_links_are_those_of_the_documented_elements() {
    let site = Site::start(|peer, path| {
        let html = "<a href=/a ping=/no1 data-href=/no2 onclick=\"location='/no3'\">x</a><area href=/area>\
            <iframe src=/iframe></iframe><img src=/no4 srcset='/no5 2x'><div style='background:url(/no6)' data-url=/no7>\
            <form action=/no8></form><script src=/no9></script><link rel=stylesheet href=/no10><video src=/no11></video>\
            <template><a href=/no12>x</a></template><!-- <a href=/no13> --><noscript><a href=/noscript>x</a></noscript>";
        peer.page("", if path == "/" { html } else { "x" });
    });
    crawl(&[site.url("/")], &[]);
    let mut paths = site.paths();
    paths.sort();
    assert_eq!(paths, ["/", "/a", "/area", "/iframe", "/noscript"]);
    shown("D10", "a, area, iframe and what stands in noscript are followed; 13 other places are not");
}

/// D11: refresh and canonical.
#[test]
fn d11_a_refresh_to_itself_and_a_canonical_elsewhere_lead_nowhere() {
    let site = Site::start(|peer, path| {
        let html = match path {
            "/" => {
                "<meta http-equiv=refresh content='0; url=/'><link rel=canonical href=http://other.example/>"
            }
            "/to" => "<meta http-equiv=refresh content='0;URL=/next'>",
            _ => "x",
        };
        peer.page("", html);
    });
    let crawled = crawl(&[site.url("/"), site.url("/to")], &[]);
    let mut paths = site.paths();
    paths.sort();
    assert_eq!(paths, ["/", "/next", "/to"]);
    assert_eq!(crawled.of_page(&site.url("/"), "canonical"), "http://other.example/");
    assert_eq!(crawled.value("select count(*) from urls where host like '%other%'"), 0);
    shown("D11", "to itself: asked for once; elsewhere: a new URL; the canonical is kept and not followed");
}

/// D12: polyglots.
#[test]
fn d12_a_document_is_what_its_octets_say() {
    let html = "<title>t</title><a href=/found>x</a>";
    let answers = vec![
        answer("Content-Type: text/html\r\n", format!("%PDF-1.7\n{html}")),
        answer(
            "Content-Type: image/svg+xml\r\n",
            format!("<svg xmlns='http://www.w3.org/2000/svg'>{html}</svg>"),
        ),
        answer("Content-Type: multipart/related\r\n", html),
        page("", format!("<svg><title>no</title><foreignObject>{html}</foreignObject></svg>")),
    ];
    let site = Site::of(answers);
    let crawled = crawl(&site.urls(4), &[]);
    crawled.all_stored(&site.urls(4));
    let titles: Vec<bool> =
        site.urls(4).iter().map(|url| crawled.of_page(url, "title").is_string()).collect();
    assert_eq!(titles, [false, false, false, true]);
    crawled.became(&site.urls(4)[0]).remarked("not-the-type-named");
    shown("D12", "PDF, drawing and MHTML are stored and not read; HTML within a drawing of a page is read");
}

/// D13: selectors.
#[test]
fn d13_selectors_have_a_budget() {
    let select = ["x=div div div > *", "y=div ~ div ~ div", "z=:not(:not(div)) *"];
    let compiled = Selectors::compile(select.iter().map(|one| one.split_once('=').unwrap())).unwrap();
    let mut worst = Duration::ZERO;
    for html in [
        "<div></div>".repeat(9_000),
        "<div>".repeat(500),
        format!("{}{}", "<div>".repeat(200), "<p>x</p>".repeat(10_000)),
        "<b>x".repeat(400),
    ] {
        let want = Want { selectors: Some(&compiled), ..Want::default() };
        let before = used();
        let page = parse(html.as_bytes(), None, &want, &Limits::default());
        let cost = used().checked_sub(before).unwrap();
        assert!(page.extracted.is_some() != page.selectors_skipped.is_some());
        worst = worst.max(cost);
    }
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    let site = Site::of(vec![
        page("", "<div>".repeat(600) + "<a href=/found>x</a>"),
        page("", "x".repeat((1 << 20) + 1)),
    ]);
    let urls = site.urls(2);
    let crawled = crawl(&urls, &["--select", "x=div", "--depth", "0"]);
    crawled.all_stored(&urls);
    for url in &urls {
        crawled.became(url).remarked("selectors-skipped");
    }
    assert_eq!(crawled.of_page(&urls[0], "links_total"), 1, "the rest is stored");
    shown(
        "D13",
        &format!(
            "what is deeper than 512 or larger than 1 MiB is skipped, remarked, and the rest stored; else {worst:?} at most"
        ),
    );
}

/// D14: the stack.
#[test]
fn d14_no_depth_uses_the_stack() {
    for nest in ["<div>", "<svg><g>", "<template>", "<table><tr><td>", "<b>"] {
        let (page, _) = read(format!("{}<title>x</title>", nest.repeat(500_000)), true);
        drop(page);
    }
    let compiled = Selectors::compile([("x", "div")]).unwrap();
    let selecting = std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
        let want = Want { selectors: Some(&compiled), ..Want::default() };
        parse("<div>".repeat(500).as_bytes(), None, &want, &Limits::default()).extracted.is_some()
    });
    assert!(selecting.unwrap().join().unwrap(), "selectors on the deepest page that they are given");
    shown("D14", "500,000 deep on a stack of 512 KiB, and the deepest page that selectors are given");
}

/// D15: parsers that fail.
#[test]
fn d15_a_page_that_panics_or_overruns_three_times_is_given_up_and_the_node_lives() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // A panic is told with its way, which may take longer than the second pool waits.
    let (patient, pool) =
        (ParsePool::new(1, Duration::from_secs(60)), ParsePool::new(1, Duration::from_millis(200)));
    let (panicked, overran, after) = runtime.block_on(async {
        let panicked = patient.run(|| -> u32 { panic!("made to fail") }).await;
        assert_eq!(patient.run(|| 7).await, Ok(7), "the pool lives");
        let overran = pool.run(|| std::thread::sleep(Duration::from_millis(600))).await;
        (panicked, overran, pool.run(|| 7).await)
    });
    assert_eq!(panicked, Err(Unread::Panicked("made to fail".into())));
    assert_eq!(overran, Err(Unread::Overran(Duration::from_millis(200))));
    assert_eq!(after, Ok(7), "the pool lives");
    given_up(&panicked.unwrap_err(), "parse-panic", "made to fail");
    given_up(&overran.unwrap_err(), "parse-overrun", "longer than 0.2 s");
    shown(
        "D15",
        "parse-panic and parse-overrun: given up at the third, with the words of the panic and the hash of the body; the pool goes on",
    );
}

/// The URL is tried three times and then given up, with evidence.
fn given_up(why: &Unread, reason: &str, words: &str) {
    use huntsman::crawl::assess::{KeepLinks, Rules, unread};
    use huntsman::crawl::lease::{CrawlId, Origin, Queued, Token};
    use huntsman::crawl::report::Outcome;
    use huntsman::crawl::scope::{Scope, ScopeKind, ScopeRules};
    use huntsman::crawl::time::Timestamp;
    use huntsman::crawl::visit::{Answer, Visit};
    let scope =
        Scope::new(&ScopeRules { kind: ScopeKind::Host, include: Vec::new(), exclude: Vec::new() }).unwrap();
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 20, robots_name: "huntsman" };
    let url = url::Url::parse("http://h/").unwrap();
    for attempt in 1..=3 {
        let queued = Queued {
            crawl: CrawlId(1),
            key: huntsman::crawl::url::UrlKey::of(url.as_str()),
            url: url.as_str().to_owned(),
            host: huntsman::crawl::host::HostKey::of(&url),
            origin: Origin::seed(ScopeKind::Host, None, Origin::PRIORITY),
            visit: 1,
            attempt,
            throttled: 0,
            due: Timestamp::EPOCH,
        };
        let at = Timestamp::EPOCH;
        let answer = Answer { status: 200, body: b"evil".to_vec(), ..Answer::default() };
        let visit = Visit { started: at, first_byte: Some(at), finished: at, result: Ok(answer) };
        let outcome = unread(queued, Token(1), &visit, why, &rules).outcome;
        let (said, detail) = match &outcome {
            Outcome::Retry { reason, detail, counts: true, .. } if attempt < 3 => (reason, detail),
            Outcome::Failed { reason, detail } if attempt == 3 => (reason, detail),
            other => panic!("attempt {attempt}: {other:?}"),
        };
        assert_eq!(said, reason);
        let hash = blake3::hash(b"evil").to_hex();
        assert!(detail.contains(words) && detail.contains(&hash[..32]), "{detail}");
    }
}

/// D16: anything. Each is fetched and read by a process of its own, which says what it took at most.
#[test]
fn d16_ten_megabytes_of_anything_cost_two_seconds_and_64_mb_at_most() {
    let monsters = plays::monsters();
    let names: Vec<&str> = monsters.iter().map(|(name, _)| *name).collect();
    let bodies: Vec<Vec<u8>> = monsters.iter().map(|(_, body)| page("", body)).collect();
    let plain = page("", "x");
    let site = Site::start(move |peer, path| match path[1..].parse::<usize>() {
        Ok(number) => _ = peer.send(&bodies[number]),
        Err(_) => _ = peer.send(&plain),
    });
    let (idle, _) = cost(&site.url("/x"));
    let mut worst = (0, "", Duration::ZERO, "");
    for (number, name) in names.iter().enumerate() {
        let (most, processor) = cost(&site.url(&format!("/{number}")));
        let most = most.saturating_sub(idle);
        assert!(most <= 64_000, "{name}: {most} KB");
        // The build of the tests is not optimised as the one that is shipped.
        assert!(processor < Duration::from_secs(4), "{name}: {processor:?}");
        if most > worst.0 {
            (worst.0, worst.1) = (most, name);
        }
        if processor > worst.2 {
            (worst.2, worst.3) = (processor, name);
        }
    }
    let (memory, of, processor, by) = worst;
    shown(
        "D16",
        &format!(
            "{} documents of 10 MiB: {memory} KB more at most ({of}), {processor:?} of a processor at most ({by})",
            names.len()
        ),
    );
}

/// The peak of memory in KB and the time of the processor of a `fetch`, all of it.
fn cost(url: &str) -> (u64, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let command = huntsman(folder.path(), &["fetch", url, "--text", "--format", "json"]);
    let rusage = "import resource, subprocess, sys\n\
        done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n\
        used = resource.getrusage(resource.RUSAGE_CHILDREN)\n\
        print(done.returncode, used.ru_maxrss, used.ru_utime + used.ru_stime)";
    let mut timed = std::process::Command::new("python3");
    timed.current_dir(folder.path()).stdin(Stdio::null());
    timed.args(["-c", rusage]).arg(command.get_program()).args(command.get_args());
    let output = timed.output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let [code, peak, seconds] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{text} {}", said(&output))
    };
    assert_eq!(code, "0", "{}", said(&output));
    (peak.parse().unwrap(), Duration::from_secs_f64(seconds.parse().unwrap()))
}

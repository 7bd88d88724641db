//! HTTP/1 as it should not be.

use super::judging::{Crawled, crawl};
use super::plays;
use super::shown;
use super::site::{Site, to};

/// Crawls one page for each of `answers`; answers with their URLs, too.
fn of(answers: Vec<Vec<u8>>) -> (Crawled, Vec<String>) {
    let number = answers.len();
    let site = Site::of(answers);
    let urls = site.urls(number);
    (crawl(&urls, &["--timeout", "5s"]), urls)
}

/// Every one of `answers` is given up as `class`.
fn all_fail(answers: Vec<Vec<u8>>, class: &str) {
    let (crawled, urls) = of(answers);
    crawled.all_failed(&urls, class);
}

/// The `ETag` that is stored of an answer with `fields`.
fn etag_of(fields: &[u8]) -> serde_json::Value {
    let (crawled, urls) = of(vec![plays::with_fields(fields)]);
    crawled.all_stored(&urls);
    crawled.of_page(&urls[0], "etag")
}

/// P1: other protocols.
#[test]
fn p1_what_is_not_http_1_is_refused() {
    all_fail(plays::not_http_1(), "protocol");
    shown("P1", "protocol, for each of 6");
}

/// P2: statuses that are none.
#[test]
fn p2_a_status_that_is_none_is_refused() {
    all_fail(plays::no_statuses(), "protocol");
    shown("P2", "protocol, for 099, 1000, 20, -200, abc and none");
}

/// P4: no reason.
#[test]
fn p4_a_status_line_without_a_reason_is_read() {
    let (crawled, urls) = of(vec![
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok".to_vec(),
        b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok".to_vec(),
    ]);
    crawled.all_stored(&urls);
    shown("P4", "stored");
}

/// P5: LF alone.
#[test]
fn p5_lines_that_end_in_lf_are_read() {
    let page = "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 15\n\n<title>x</title>";
    let (crawled, urls) = of(vec![page.into()]);
    crawled.all_stored(&urls);
    assert_eq!(crawled.of_page(&urls[0], "content_type"), "text/html");
    shown("P5", "stored, with its fields");
}

/// P6: NUL and CR in a value.
#[test]
fn p6_a_field_with_nul_or_a_bare_cr_reaches_nobody() {
    for field in [&b"ETag: \"a\0b\"\r\n"[..], b"ETag: \"a\rb\"\r\n", b"ETag: \"a\rSet-Cookie: x=1\"\r\n"] {
        let (crawled, urls) = of(vec![plays::with_fields(field)]);
        let became = crawled.became(&urls[0]);
        match &*became.state {
            "stored" => assert!(crawled.of_page(&urls[0], "etag").is_null(), "{became:?}"),
            _ => became.failed("protocol"),
        }
    }
    shown("P6", "the line is dropped or the answer refused; what it says is never read");
}

/// P7: obs-fold.
#[test]
fn p7_a_folded_field_is_one_line() {
    assert_eq!(etag_of(plays::odd_fields()[0]), "\"a b c\"");
    shown("P7", "its lines are joined by single spaces");
}

/// P8: a space before the colon.
#[test]
fn p8_a_space_before_the_colon_is_forgiven() {
    assert_eq!(etag_of(plays::odd_fields()[1]), "\"x\"");
    shown("P8", "the field is read");
}

/// P9: lines that are no fields.
#[test]
fn p9_lines_that_are_no_fields_are_ignored() {
    assert_eq!(etag_of(plays::odd_fields()[2]), "\"x\"");
    shown("P9", "they are ignored, and the fields behind them read");
}

/// P10: octets that are not ASCII.
#[test]
fn p10_octets_in_a_field_are_read_as_utf_8_else_windows_1252() {
    assert_eq!(etag_of("ETag: \"café\"\r\n".as_bytes()), "\"café\"");
    assert_eq!(etag_of(b"ETag: \"caf\xe9 \x80\"\r\n"), "\"café €\"");
    shown("P10", "UTF-8 as it is, else windows-1252");
}

/// P11: a huge field.
#[test]
fn p11_a_field_of_two_megabytes_is_refused() {
    all_fail(plays::huge_field(), "head-too-large");
    shown("P11", "head-too-large");
}

/// P13: many fields.
#[test]
fn p13_256_fields_are_read_and_no_more() {
    let (crawled, urls) = of(plays::many_fields());
    crawled.all_stored(&urls[..2]);
    crawled.all_failed(&urls[2..], "head-too-large");
    shown("P13", "101 and 256 fields are read; 257 are head-too-large");
}

/// P14: many cookies.
#[test]
fn p14_a_jar_holds_fifty_cookies_and_16_kib() {
    let site = Site::start(|peer, path| {
        let cookies: String = match path {
            "/large" => (0..90)
                .map(|n| format!("Set-Cookie: l{n}={}; Path=/\r\n", "x".repeat(4_000)))
                .collect::<Vec<_>>()
                .concat(),
            "/many" => {
                (0..90).map(|n| format!("Set-Cookie: m{n}=v; Path=/\r\n")).collect::<Vec<_>>().concat()
            }
            _ => String::new(),
        };
        peer.page(&cookies, "x");
    });
    let urls = ["/large", "/a", "/many", "/b"].map(|path| site.url(path));
    crawl(&urls, &[]).all_stored(&urls);
    let cookie = |path: &str| {
        let asked = site.log().into_iter().find(|asked| asked.path == path).unwrap();
        let line = asked.head.lines().find_map(|line| line.strip_prefix("cookie: ")).map(str::to_owned);
        line.unwrap_or_default()
    };
    let (large, many) = (cookie("/a"), cookie("/b"));
    assert!(!large.is_empty() && large.len() <= 16_384, "{}", large.len());
    assert!(many.split("; ").count() <= 50 && many.contains("m89=v"), "{many}");
    shown("P14", &format!("{} octets and {} cookies were sent back", large.len(), many.split("; ").count()));
}

/// P15: interim answers.
#[test]
fn p15_interim_answers_are_skipped_and_a_flood_of_them_ends_at_the_limit() {
    let site = plays::interim_answers();
    let urls = ["/few", "/flood"].map(|path| site.url(path));
    let crawled = crawl(&urls, &["--timeout", "1s"]);
    crawled.all_stored(&urls[..1]);
    crawled.all_failed(&urls[1..], "first-byte-timeout");
    shown("P15", "10 of them are skipped; a flood ends at the limit for heads");
}

/// P16: 100 Continue for ever.
#[test]
fn p16_continue_for_ever_ends_at_the_limit_for_heads() {
    let site = plays::continues_for_ever();
    let crawled = crawl(&[site.url("/")], &["--timeout", "500ms"]);
    crawled.all_failed(&[site.url("/")], "first-byte-timeout");
    shown("P16", "first-byte-timeout at the limit for heads");
}

/// P17: 101.
#[test]
fn p17_a_switch_of_protocols_nobody_asked_for_is_an_error() {
    all_fail(plays::switches(), "protocol");
    shown("P17", "protocol");
}

/// P18: a body where there is none.
#[test]
fn p18_a_body_where_none_can_be_is_not_read_as_one_or_as_the_next_answer() {
    let site = plays::smuggled();
    let urls = ["/none", "/a", "/same", "/b"].map(|path| site.url(path));
    let crawled = crawl(&urls, &["--timeout", "5s"]);
    crawled.all_stored(&urls[..2]);
    crawled.all_failed(&urls[2..3], "http-304");
    crawled.all_stored(&urls[3..]);
    assert_eq!(crawled.of_page(&urls[0], "bytes"), 0);
    assert_eq!(crawled.value("select count(*) from pages where title = 'wrong'"), 0);
    assert_eq!(crawled.value("select count(*) from pages where title = 'right'"), 2);
    shown("P18", "no body is read, and what follows is no answer to the next request");
}

/// P19: too little.
#[test]
fn p19_a_length_that_is_too_long_is_incomplete() {
    all_fail(plays::promises_too_much(), "incomplete");
    shown("P19", "incomplete; nothing is stored");
}

/// P21: lengths that cannot be.
#[test]
fn p21_lengths_that_cannot_be_are_refused() {
    all_fail(plays::no_lengths(), "protocol");
    shown("P21", "protocol, for each of 7");
}

/// P22: the same length twice.
#[test]
fn p22_the_same_length_twice_is_one() {
    let (crawled, urls) =
        of(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok".to_vec()]);
    crawled.all_stored(&urls);
    let (crawled, urls) = of(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok".to_vec()]);
    let became = crawled.became(&urls[0]);
    assert!(became.state == "stored" || became.reason == "protocol", "{became:?}");
    shown("P22", "twice the field is one; as a list it is read or refused, as the standard leaves open");
}

/// P23: a length is not room.
#[test]
fn p23_a_huge_length_takes_no_memory() {
    let (crawled, urls) = of(plays::huge_lengths());
    for url in &urls {
        let became = crawled.became(url);
        // hyper calls a length beyond 63 bits too large, and says it of the head.
        assert!(["incomplete", "head-too-large"].contains(&&*became.reason), "{became:?}");
    }
    shown(
        "P23",
        "incomplete, beyond 63 bits head-too-large; at most 64 KiB are reserved on the word of a server",
    );
}

/// P24: a length and chunks.
#[test]
fn p24_chunks_win_over_a_length_and_that_is_remarked() {
    let site = plays::length_and_chunks();
    let urls = ["/both", "/next"].map(|path| site.url(path));
    let crawled = crawl(&urls, &["--timeout", "5s"]);
    crawled.all_stored(&urls);
    crawled.became(&urls[0]).remarked("length-and-chunks");
    assert_eq!(crawled.of_page(&urls[0], "bytes"), 16);
    assert_eq!(crawled.of_page(&urls[1], "title"), "right");
    shown("P24", "the chunks are read, `length-and-chunks` is remarked, and what follows answers nothing");
}

/// P26: chunks that cannot be.
#[test]
fn p26_broken_chunks_are_refused_or_incomplete() {
    all_fail(plays::broken_chunks(), "protocol");
    all_fail(plays::cut_chunks(), "incomplete");
    shown("P26", "sizes that are none are protocol, what is cut is incomplete");
}

/// P27: extensions and trailers.
#[test]
fn p27_extensions_and_trailers_are_bounded() {
    let site = plays::endless_extensions();
    let urls = ["/extensions", "/trailers"].map(|path| site.url(path));
    let crawled = crawl(&urls, &["--timeout", "10s"]);
    let mut classes = Vec::new();
    for url in &urls {
        let became = crawled.became(url);
        assert!(["protocol", "incomplete"].contains(&&*became.reason), "{became:?}");
        classes.push(became.reason);
    }
    shown("P27", &format!("both end by their own limits, not by time: {}", classes.join(" and ")));
}

/// P29: types.
#[test]
fn p29_what_a_document_is_decides_whether_it_is_read_as_html() {
    let (crawled, urls) = of(plays::types());
    for (url, (fields, _, is_html, differs)) in urls.iter().zip(plays::TYPES) {
        let became = crawled.became(url);
        became.stored();
        assert_eq!(crawled.of_page(url, "title").is_string(), is_html, "{fields:?}");
        assert_eq!(became.detail.contains("not-the-type-named"), differs, "{fields:?} {became:?}");
    }
    shown(
        "P29",
        "sniffed where no type is named and nosniff is not said; text is never read as HTML, nor a PDF or image, which is remarked",
    );
}

/// P30: file names.
#[test]
fn p30_a_file_name_of_a_server_is_never_used() {
    let site = Site::of(plays::evil_file_name());
    let crawled = crawl(&site.urls(1), &[]);
    crawled.all_stored(&site.urls(1));
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(crawled.folder.path()), ["crawls", "seeds"]);
    let files = names(&crawled.folder.path().join("crawls"));
    assert!(files.iter().all(|name| name.starts_with("t.db")), "{files:?}");
    shown("P30", "nothing is written but the store");
}

/// P31: answers to other requests.
#[test]
fn p31_answers_to_what_was_not_asked_are_failures() {
    let (crawled, urls) = of(plays::foreign_answers());
    for (url, class) in urls.iter().zip(["http-206", "http-416", "http-304"]) {
        crawled.became(url).failed(class);
    }
    let site = Site::of(vec![to("/x")]);
    assert!(!site.log().iter().any(|asked| asked.head.to_lowercase().contains("\nrange:")));
    shown("P31", "http-206, http-416, http-304: given up");
}

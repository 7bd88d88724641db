//! Encodings that are said wrongly, and text that plays tricks.

use super::judging::{Crawled, crawl};
use super::plays::{self, titled};
use super::shown;
use super::site::{Site, answer};
use crate::program::run;

/// Crawls a page for each pair of charset parameter and body; answers with the titles and encodings.
fn read(pages: &[(&str, Vec<u8>)]) -> (Crawled, Vec<(String, String)>) {
    let site = Site::of(plays::charsets(pages));
    let urls = site.urls(pages.len());
    let crawled = crawl(&urls, &["--text"]);
    crawled.all_stored(&urls);
    let text = |url: &str, column| crawled.of_page(url, column).as_str().unwrap_or_default().to_owned();
    let read = urls.iter().map(|url| (text(url, "title"), text(url, "charset"))).collect();
    (crawled, read)
}

#[track_caller]
fn are(read: &[(String, String)], expected: &[(&str, &str)]) {
    let read: Vec<(&str, &str)> =
        read.iter().map(|(title, charset)| (title.as_str(), charset.as_str())).collect();
    assert_eq!(read, expected);
}

/// C1: who decides.
#[test]
fn c1_mark_header_meta_and_detector_in_that_order() {
    let meta = [b"<meta charset=windows-1251>".to_vec(), titled(b"\xcf")].concat();
    let (_, read) = read(&[
        ("iso-8859-2", [b"\xef\xbb\xbf<meta charset=koi8-r>".to_vec(), titled("ä".as_bytes())].concat()),
        ("iso-8859-2", [b"<meta charset=koi8-r>".to_vec(), titled(b"\xb1")].concat()),
        ("", meta),
        ("", titled("Grüße an alle".as_bytes())),
        ("", titled(b"plain")),
    ]);
    are(
        &read,
        &[
            ("ä", "UTF-8"),
            ("ą", "ISO-8859-2"),
            ("П", "windows-1251"),
            ("Grüße an alle", "UTF-8"),
            ("plain", "windows-1252"),
        ],
    );
    shown("C1", "mark, header, meta element, detector, windows-1252: each below the one before");
}

/// C2: a mark against the header.
#[test]
fn c2_the_mark_wins_over_the_header() {
    let (_, read) = read(&plays::marked());
    are(&read, &[("ü", "UTF-16LE"), ("ü", "UTF-8")]);
    shown("C2", "UTF-16LE over iso-8859-1, UTF-8 over utf-16");
}

/// C4: labels.
#[test]
fn c4_labels_that_hide_a_page_are_ignored() {
    let (_, read) = read(&plays::labelled());
    are(&read, &[("über alles", "UTF-8"); 5]);
    shown(
        "C4",
        "x-user-defined, iso-2022-kr, hz, utf-7 and one that does not exist: the page is read by the rest of the rules",
    );
}

/// C5: invalid octets.
#[test]
fn c5_invalid_octets_become_replacement_characters_and_are_remarked() {
    let (crawled, read) =
        read(&[("utf-8", titled(b"a\xffb\xc0\x80c\xed\xa0\x80d")), ("utf-8", titled(b"good"))]);
    assert_eq!(read[0].0.chars().filter(|c| c.is_alphabetic()).collect::<String>(), "abcd");
    assert!(read[0].0.contains('\u{fffd}'));
    let remarked = crawled.rows("select detail from fetches where detail like '%invalid-octets%'");
    assert_eq!(remarked.len(), 1);
    shown("C5", "overlong forms, surrogates and lone octets are U+FFFD; `invalid-octets` is remarked");
}

/// C6: header against content.
#[test]
fn c6_the_header_is_believed() {
    let (_, read) = read(&[("iso-8859-1", titled("ü".as_bytes()))]);
    are(&read, &[("Ã¼", "windows-1252")]);
    shown("C6", "read as it is said, like in browsers");
}

/// C7: NUL.
#[test]
fn c7_megabytes_of_nul_cost_nothing() {
    let page =
        |nuls: usize| [titled(b"a\0b"), vec![0; nuls], b"<p>end</p><a href=/found>x</a>".to_vec()].concat();
    let site = Site::of(vec![
        answer("Content-Type: text/html\r\n", page(8 << 20)),
        answer("Content-Type: text/html\r\n", page(1_000_000)),
    ]);
    let urls = site.urls(2);
    let crawled = crawl(&urls, &["--text", "--select", "p=p"]);
    crawled.all_stored(&urls);
    let rows = crawled
        .rows("select title, text, extracted, links_total from pages where bytes > 1000 order by bytes");
    for row in &rows {
        assert_eq!((&row["text"], &row["links_total"]), (&"end\nx".into(), &1.into()), "{row}");
    }
    assert!(rows[0]["extracted"].as_str().unwrap().contains("end"));
    crawled.became(&urls[0]).remarked("selectors-skipped");
    let took = crawled.value("select max(total_ms) from fetches").as_i64().unwrap();
    assert!(took < 2_000, "{took}");
    shown("C7", "8 MiB of them vanish from title, text and what selectors find");
}

/// C8: text that turns around.
#[test]
fn c8_text_that_turns_around_is_kept_and_shown_harmless() {
    let zalgo = format!("a{}", "\u{301}".repeat(500));
    let title = format!("\u{202e}evil\u{200b}{zalgo}");
    let (crawled, read) = read(&[("utf-8", titled(title.as_bytes()))]);
    assert_eq!(read[0].0, title);
    let output = run(crawled.folder.path(), &["pages"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(['\u{202e}', '\u{200b}']) && text.contains("evil"), "{text}");
    shown("C8", "stored as it is, escaped where it is shown");
}

/// C9: long titles.
#[test]
fn c9_a_title_keeps_its_first_1024_characters() {
    let (crawled, read) = read(&[("utf-8", titled("ü".repeat(4 << 20).as_bytes()))]);
    assert_eq!(read[0].0, "ü".repeat(1_024));
    assert_eq!(crawled.value("select count(*) from fetches where detail = 'remarked: title-cut'"), 1);
    shown("C9", "1,024 characters of 8 MiB; `title-cut` is remarked");
}

/// C12: huge fields.
#[test]
fn c12_a_field_of_a_megabyte_is_refused() {
    let fields = ["Content-Type: text/html; charset=", "Content-Language: "];
    let answers = fields.map(|field| answer(&format!("{field}{}\r\n", "x".repeat(1 << 20)), "x"));
    let site = Site::of(answers.to_vec());
    crawl(&site.urls(2), &[]).all_failed(&site.urls(2), "head-too-large");
    shown("C12", "head-too-large");
}

//! What is kept of a page: the operator's fields, text, links, metadata, encodings.

use super::crawl;
use super::origin::{Origin, Reply};

#[test]
fn selected_fields_stand_in_extracted_as_json() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::html(
            "<title>t</title><h1>A <b>lamp</b></h1><p class=price>3 EUR</p><p class=price>4 EUR</p>\
             <a class=next rel=next href=/two>on</a>",
        ),
        _ => Reply::html("<title>u</title><h1>\u{1f980} \"quoted\"</h1>"),
    });
    let flags = [
        "--select",
        "name=h1",
        "--select",
        "price=.price",
        "--select",
        "own=h1::text",
        "--select",
        "next=a.next::attr(href)",
    ];
    let crawled = crawl(&origin.url("/"), &flags);
    let extracted = crawled.sql("select extracted from pages order by url");
    let values: Vec<serde_json::Value> =
        extracted.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let first =
        serde_json::json!({"name": "A lamp", "price": ["3 EUR", "4 EUR"], "own": "A", "next": "/two"});
    let second = serde_json::json!({"name": "\u{1f980} \"quoted\"", "price": null, "own": "\u{1f980} \"quoted\"", "next": null});
    assert_eq!(values, [first, second]);
    let without = crawl(&origin.url("/"), &[]);
    assert_eq!(without.sql("select count(*) from pages where extracted is not null"), ["0"]);
}

#[test]
fn text_is_kept_only_when_asked_and_only_what_is_visible() {
    let origin = Origin::site(|_| {
        Reply::html("<title>t</title><style>p{}</style><p>Two  words</p><script>no()</script><p>and more</p>")
    });
    let kept = crawl(&origin.url("/"), &["--text"]);
    let text = kept.sql("select replace(text, char(10), ' ') from pages").concat();
    assert!(text.contains("Two words") && text.contains("and more"), "{text:?}");
    assert!(!text.contains("no()") && !text.contains("p{}"), "{text:?}");
    for flags in [&[][..], &["--text=false"]] {
        let dropped = crawl(&origin.url("/"), flags);
        assert_eq!(dropped.sql("select count(*) from pages where text is not null"), ["0"]);
    }
}

#[test]
fn links_are_kept_with_anchor_and_rel_or_not_at_all_and_are_followed_either_way() {
    let origin = Origin::site(|path| match path {
        "/" => {
            Reply::html("<a href=/a rel='next noopener'>On <i>we</i> go</a><a href=http://else.test/>out</a>")
        }
        _ => Reply::links(&[]),
    });
    let base = origin.url("");
    let all = crawl(&origin.url("/"), &[]);
    let query = "select source_url, url, anchor, rel, element from links order by url desc";
    assert_eq!(
        all.sql(query),
        [format!("{base}/|http://else.test/|out||a"), format!("{base}/|{base}/a|On we go|next noopener|a")]
    );
    let none = crawl(&origin.url("/"), &["--links", "none"]);
    assert_eq!(none.sql("select count(*) from links"), ["0"]);
    assert_eq!(none.stored(&base), ["/", "/a"]);
}

#[test]
fn metadata_stands_in_its_columns() {
    let origin = Origin::site(|_| {
        Reply::new(
            200,
            "Content-Type: text/html; charset=utf-8\r\nX-Robots-Tag: noarchive\r\n",
            "<!doctype html><html lang=de-AT><title> A  title </title><meta name=description content='In short'>\
             <link rel=canonical href=/preferred?b=1><meta name=robots content='NOINDEX'>\
             <h1>One</h1><h2>Two <em>too</em></h2>",
        )
    });
    let crawled = crawl(&origin.url("/page"), &[]);
    let columns = "select title, description, canonical, robots, language, charset, status from pages";
    let expected =
        format!("A title|In short|{}/preferred?b=1|noindex, noarchive|de-AT|UTF-8|200", origin.url(""));
    let row = crawled.sql(columns).concat();
    assert_eq!(row.replace("noindex,noarchive", "noindex, noarchive"), expected);
    let headings: serde_json::Value =
        serde_json::from_str(&crawled.sql("select headings from pages").concat()).unwrap();
    let text = headings.to_string();
    assert!(text.contains("One") && text.contains("Two too"), "{text}");
}

#[test]
fn nofollow_of_a_page_or_a_link_is_kept_and_a_free_link_found_later_counts() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::html(
            "<a href=/a rel=nofollow>a</a><a href=/b rel=nofollow>b</a><a href=/meta>m</a><a href=/header>h</a>",
        ),
        "/meta" => Reply::html("<meta name=robots content=nofollow><a href=/c>c</a>"),
        "/header" => Reply::new(
            200,
            "Content-Type: text/html\r\nX-Robots-Tag: nofollow\r\n",
            "<a href=/d>d</a><a href=/e>e</a>",
        ),
        _ => Reply::links(&[]),
    });
    let crawled = crawl(&origin.url("/"), &[]);
    assert_eq!(crawled.stored(&origin.url("")), ["/", "/header", "/meta"]);
    let skipped =
        crawled.sql("select detail, count(*) from skipped where reason = 'nofollow' group by 1 order by 1");
    assert_eq!(skipped, ["rel of the link|2", "robots meta of the page|3"]);
    let free = Origin::site(|path| match path {
        "/" => Reply::html("<a href=/a rel=nofollow>a</a><a href=/b>b</a>"),
        "/b" => Reply::links(&["/a"]),
        _ => Reply::links(&[]),
    });
    let crawled = crawl(&free.url("/"), &[]);
    assert_eq!(crawled.stored(&free.url("")), ["/", "/a", "/b"]);
    assert_eq!(crawled.sql("select count(*) from skipped"), ["0"]);
}

/// Path, media type, body as sent, title as read, encoding.
#[test]
fn pages_are_read_in_the_encoding_they_are_in() {
    let utf16: Vec<u8> =
        "\u{feff}<title>\u{17d}lu\u{165}</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let koi: &[u8] = b"<meta charset=koi8-r><title>\xf2\xd5\xd3\xd3\xcb\xc9\xca</title>";
    let long = "<p>\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{43c}\u{438}\u{440}. \u{42d}\u{442}\u{43e} \u{442}\u{435}\u{43a}\u{441}\u{442}</p>".repeat(20);
    let cp1251 = |text: &str| -> Vec<u8> {
        text.chars()
            .map(|c| match u32::from(c) {
                c @ 0x410..=0x44f => (c - 0x410 + 0xc0) as u8,
                c => c as u8,
            })
            .collect()
    };
    let detected = cp1251(&format!("<title>\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}</title>{long}"));
    let cases: Vec<(&str, &str, Vec<u8>, &str, &str)> = vec![
        (
            "/header",
            "text/html; charset=windows-1251",
            cp1251("<title>\u{41c}\u{438}\u{440}</title>"),
            "\u{41c}\u{438}\u{440}",
            "windows-1251",
        ),
        (
            "/quoted",
            "text/html; charset=\"ISO-8859-2\"",
            b"<title>\xa3\xf3d\xbc</title>".to_vec(),
            "\u{141}\u{f3}d\u{17a}",
            "ISO-8859-2",
        ),
        ("/meta", "text/html", koi.to_vec(), "\u{420}\u{443}\u{441}\u{441}\u{43a}\u{438}\u{439}", "KOI8-R"),
        ("/bom", "text/html; charset=windows-1252", utf16, "\u{17d}lu\u{165}", "UTF-16LE"),
        (
            "/jis",
            "text/html; charset=Shift_JIS",
            b"<title>\x93\xfa\x96{</title>".to_vec(),
            "\u{65e5}\u{672c}",
            "Shift_JIS",
        ),
        ("/detected", "text/html", detected, "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}", "windows-1251"),
        ("/utf8", "text/html", "<title>\u{17d}lu\u{165}</title>".into(), "\u{17d}lu\u{165}", "UTF-8"),
        ("/wrong", "text/html; charset=utf-8", b"<title>a\xffb</title>".to_vec(), "a\u{fffd}b", "UTF-8"),
        (
            "/entity",
            "text/html",
            b"<title>&#268;esk&yacute; &lt;b&gt;</title>".to_vec(),
            "\u{10c}esk\u{fd} <b>",
            "windows-1252",
        ),
    ];
    let served = cases.clone();
    let origin = Origin::site(move |path| match served.iter().find(|case| case.0 == path) {
        Some((_, media_type, body, ..)) => {
            Reply::new(200, &format!("Content-Type: {media_type}\r\n"), body.clone())
        }
        None => Reply::links(&served.iter().map(|case| case.0).collect::<Vec<_>>()),
    });
    let crawled = crawl(&origin.url("/"), &[]);
    let base = origin.url("");
    for (path, _, _, title, charset) in cases {
        let row = crawled.sql(&format!("select title, charset from pages where url = '{base}{path}'"));
        assert_eq!(row, [format!("{title}|{charset}")], "{path}");
    }
}

//! Every form of sitemap, and what is made of documents that are none.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::Duration;

fn read(body: &str) -> Result<Listing, NoSitemap> {
    sitemap(body.as_bytes(), Some("application/xml"), MAX_BYTES)
}

fn urls(body: &str) -> Vec<String> {
    let listing = read(body).expect(body);
    assert_eq!(listing.cut, None, "{body}");
    listing.urls
}

fn refused(body: &str) -> String {
    read(body).expect_err(body).to_string()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_lists_its_urls() {
    let urlset = "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<!-- made -->\n<urlset xmlns='x' xmlns:image='y'>\
        <url><loc> http://h/a?x=1&amp;y=&#50; </loc><lastmod>9999-99-99</lastmod>\
        <image:image><image:loc>http://h/no.png</image:loc></image:image></url>\
        <url><priority>NaN</priority><loc><![CDATA[http://h/b?c&d]]></loc></url><url><loc/></url></urlset>";
    assert_eq!(urls(urlset), ["http://h/a?x=1&y=2", "http://h/b?c&d"]);
    assert_eq!(
        urls("<s:urlset xmlns:s='x'><s:url><s:loc>http://h/a</s:loc></s:url></s:urlset>"),
        ["http://h/a"]
    );
    let index = read("<sitemapindex><sitemap><loc>http://h/1.xml</loc></sitemap></sitemapindex>").unwrap();
    assert_eq!((index.lists, index.urls), (Lists::Sitemaps, vec!["http://h/1.xml".to_owned()]));
    let rss = "<rss><channel><link>http://h/no</link><item><title>t</title><link>http://h/a</link></item></channel></rss>";
    assert_eq!(urls(rss), ["http://h/a"]);
    let rdf =
        "<rdf:RDF><channel><link>http://h/no</link></channel><item><link>http://h/a</link></item></rdf:RDF>";
    assert_eq!(urls(rdf), ["http://h/a"]);
    let atom = "<feed><link href='http://h/no'/><entry><link rel='edit' href='http://h/no'/>\
        <link href='http://h/a?b&amp;c'/><id>x</id></entry><entry><link rel='alternate' href='/b'></link></entry></feed>";
    assert_eq!(urls(atom), ["http://h/a?b&c", "/b"]);
    assert_eq!(urls("http://h/a\r\n\r\n  HTTPS://h/b \nno url\nftp://h/c\n"), ["http://h/a", "HTTPS://h/b"]);
}

#[test]
fn encodings_are_those_of_pages() {
    let text = "<urlset><url><loc>http://h/ä</loc></url></urlset>";
    let utf16: Vec<u8> = "\u{feff}"
        .chars()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin1 =
        b"<?xml version='1.0' encoding='ISO-8859-1'?><urlset><url><loc>http://h/\xe4</loc></url></urlset>";
    for body in [text.as_bytes(), &utf16, latin1] {
        assert_eq!(sitemap(body, None, MAX_BYTES).unwrap().urls, ["http://h/ä"]);
    }
}

#[test]
fn a_document_that_is_no_sitemap_says_what_it_is() {
    let laughs = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><urlset><url><loc>&b;</loc></url></urlset>";
    assert_eq!(refused(laughs), "it has a document type declaration");
    assert_eq!(refused("<!doctype html><title>x</title>"), "it has a document type declaration");
    assert_eq!(refused("<html><body>x</html>"), "its root element is <html>");
    assert_eq!(refused("{\"a\": 1}"), "it is neither XML nor a list of URLs");
    assert_eq!(refused(" \n"), "it is empty");
    assert_eq!(refused("<!-- x -->"), "it has no root element");
    assert!(refused("<").starts_with("broken XML at byte 0"));
}

#[test]
fn what_a_broken_file_listed_before_its_fault_is_kept() {
    let listing =
        read("<urlset><url><loc>http://h/a?b&c=&unknown;d</loc></url><url><loc>http://h/cut").unwrap();
    assert_eq!(listing.urls, ["http://h/a?b&c=&unknown;d"]);
    let listing = read("<urlset><url><loc>http://h/a</loc></url><!-- ").unwrap();
    assert_eq!(listing.urls, ["http://h/a"]);
    assert!(listing.cut.unwrap().starts_with("broken XML at byte"));
    assert_eq!(
        urls("<urlset><url><loc>http://h/a</loc></xx></url><url><loc>http://h/b</loc></url>"),
        ["http://h/a", "http://h/b"]
    );
    let packed = gzip(b"http://h/a\nhttp://h/b\n".repeat(5_000).as_slice());
    let listing = sitemap(&packed[..packed.len() / 2], None, MAX_BYTES).unwrap();
    assert!(!listing.urls.is_empty() && listing.cut.unwrap().starts_with("broken gzip"));
}

#[test]
fn a_file_is_read_up_to_its_limits() {
    let many = "<url><loc>http://h/x</loc></url>".repeat(MAX_URLS + 10);
    let listing = read(&format!("<urlset>{many}</urlset>")).unwrap();
    assert_eq!(
        (listing.urls.len(), listing.cut.as_deref()),
        (MAX_URLS, Some("only its first 50000 URLs were read"))
    );
    let listing = read(&"http://h/x\n".repeat(MAX_URLS)).unwrap();
    assert_eq!((listing.urls.len(), listing.cut), (MAX_URLS, None));
    let bomb = gzip(&vec![b' '; 8 << 20]);
    assert!(bomb.len() < 16_384);
    assert_eq!(sitemap(&bomb, None, 1 << 20).unwrap_err().to_string(), "it is empty");
    let long = format!("<urlset><url><loc>http://h/{}</loc></url></urlset>", "x".repeat(1 << 20));
    assert_eq!(urls(&long)[0].len(), ENTRY_BYTES);
    let packed = gzip("http://h/y\n".repeat(1_000).as_bytes());
    let listing = sitemap(&packed, None, 110).unwrap();
    assert_eq!((listing.urls.len(), listing.cut.is_some()), (10, true));
}

#[test]
fn a_sitemap_is_known_by_its_root() {
    let urlset = "<?xml version='1.0'?>\n<?xml-stylesheet href='x'?><!-- <html> --><urlset xmlns='x'>";
    for body in [urlset.as_bytes(), b"\xef\xbb\xbf <sitemapindex>", &gzip(urlset.as_bytes())] {
        assert!(is_sitemap(body, Some("application/xml")) && is_sitemap(body, None));
        assert!(!is_sitemap(body, Some("Text/HTML; charset=utf-8")));
    }
    for body in
        ["<rss><channel>", "<html><urlset>", "http://h/a", "", "<!DOCTYPE x><urlset>", "text <urlset>"]
    {
        assert!(!is_sitemap(body.as_bytes(), None), "{body}");
    }
}

#[test]
fn ten_megabytes_of_anything_are_read_in_two_seconds() {
    let fill = |part: &str| part.repeat((10 << 20) / part.len());
    let bodies = [
        format!("<urlset>{}", fill("<a>")),
        format!("<urlset>{}", fill("</a>")),
        format!("<urlset>{}", fill("<url><loc>")),
        format!("<urlset><url><loc>{}", fill("&amp;")),
        format!("<urlset><url><loc>{}", fill("&")),
        format!("<feed><entry><link {}/>", fill("href='a' ")),
        format!("<urlset {}>", fill("a='b' ")),
        format!("<urlset><!--{}", fill("-")),
        format!("<urlset>{}", fill("<!---->")),
        format!("<urlset><![CDATA[{}", fill("]]")),
        fill("<"),
        fill("<?"),
        fill("\n"),
        fill("http://h/\n"),
    ];
    for body in bodies {
        #[expect(clippy::disallowed_methods, reason = "the time it takes is what is tested")]
        let started = std::time::Instant::now();
        _ = read(&body);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?} for {}", &body[..40]);
    }
}

//! Codings, charsets and HTML.

use crate::hostile::coding::{PAGE, brotli, gzip};
use crate::hostile::site::{answer, page};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// Pages with codings.
pub(in crate::hostile) fn coded(bodies: &[(&str, Vec<u8>)]) -> Vec<Vec<u8>> {
    let one = |(coding, body): &(&str, Vec<u8>)| page(&format!("Content-Encoding: {coding}\r\n"), body);
    bodies.iter().map(one).collect()
}

/// E1: 1 GiB of zeros as gzip.
pub(in crate::hostile) fn gzip_bomb() -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_024 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    coded(&[("gzip", encoder.finish().unwrap())])
}

/// E2: so many MiB of zeros as brotli.
pub(in crate::hostile) fn brotli_bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    encoder.into_inner()
}

/// E4: two layers, that are to be undone, and a hundred.
pub(in crate::hostile) fn layers() -> Vec<Vec<u8>> {
    let hundred = vec!["gzip"; 100].join(", ");
    coded(&[("gzip, gzip", gzip(&gzip(PAGE))), (&hundred, gzip(PAGE))])
}

/// E5: gzip in three members.
pub(in crate::hostile) fn members() -> Vec<Vec<u8>> {
    let members = [gzip(b"<title>co"), gzip(b""), gzip(b"ded</title>"), vec![0; 512]].concat();
    coded(&[("gzip", members)])
}

/// E7: half a body.
pub(in crate::hostile) fn half_coded() -> Vec<Vec<u8>> {
    let half = |octets: Vec<u8>| octets[..octets.len() / 2].to_vec();
    coded(&[("gzip", half(gzip(PAGE))), ("br", half(brotli(PAGE, 22)))])
}

/// E8: other names of gzip.
pub(in crate::hostile) fn names_of_gzip() -> Vec<Vec<u8>> {
    coded(&[("x-gzip", gzip(PAGE)), ("GZIP", gzip(PAGE)), (" gzip ,", gzip(PAGE))])
}

/// E10: text that is called coded.
pub(in crate::hostile) fn not_coded() -> Vec<Vec<u8>> {
    coded(&["gzip", "br", "deflate"].map(|coding| (coding, PAGE.to_vec())))
}

/// E11: codings that nobody knows.
pub(in crate::hostile) fn unknown_codings() -> Vec<Vec<u8>> {
    coded(&["utf-8", "none", "x-own"].map(|coding| (coding, PAGE.to_vec())))
}

/// Pages with charset parameters.
pub(in crate::hostile) fn charsets(pages: &[(&str, Vec<u8>)]) -> Vec<Vec<u8>> {
    let one = |(charset, body): &(&str, Vec<u8>)| {
        let charset = if charset.is_empty() { String::new() } else { format!("; charset={charset}") };
        answer(&format!("Content-Type: text/html{charset}\r\n"), body)
    };
    pages.iter().map(one).collect()
}

/// A page with a title and no more.
pub(in crate::hostile) fn titled(title: &[u8]) -> Vec<u8> {
    [b"<title>", title, b"</title>"].concat()
}

/// C2: marks against headers. Both titles are ü.
pub(in crate::hostile) fn marked() -> [(&'static str, Vec<u8>); 2] {
    let utf16: Vec<u8> = "\u{feff}<title>ü</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    [("iso-8859-1", utf16), ("utf-16", [b"\xef\xbb\xbf".to_vec(), titled("ü".as_bytes())].concat())]
}

/// C4: labels that nobody should use, on pages in UTF-8.
pub(in crate::hostile) fn labelled() -> [(&'static str, Vec<u8>); 5] {
    let labels = ["x-user-defined", "iso-2022-kr", "hz-gb-2312", "utf-7", "none-such"];
    labels.map(|label| (label, titled("über alles".as_bytes())))
}

/// D1: 100,000 div around a link to /x.
pub(in crate::hostile) fn nested_div() -> String {
    format!("{}<a href='/x'>x</a>", "<div>".repeat(100_000))
}

/// D2: what is nested 20,000 deep around a link to /x.
pub(in crate::hostile) const NESTS: [&str; 5] =
    ["<dl><dd>", "<ul><li>", "<form><div>", "<b><i><a href='/y'>", "<p><button>"];

pub(in crate::hostile) fn nested(nest: &str) -> String {
    format!("{}<a href='/x'>x</a>", nest.repeat(20_000))
}

/// D3: 100,000 attributes on two tags; the link to /x comes before those of its tag.
pub(in crate::hostile) fn many_attributes() -> String {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=v")).collect::<Vec<_>>().concat();
    format!("<a href='/x'{attributes}>x</a><a{attributes} href='/y'>y</a>")
}

/// D9: two million character references.
pub(in crate::hostile) fn references() -> String {
    format!("<p>{}", "&amp;".repeat(2_000_000))
}

/// D16: documents of 10 MiB.
pub(in crate::hostile) fn monsters() -> Vec<(&'static str, Vec<u8>)> {
    let fill = |part: &str| part.repeat((10 << 20) / part.len()).into_bytes();
    let links: String = (0..).map(|n| format!("<a href=/{n}>{n}</a>")).take(500_000).collect();
    let mut links = links.into_bytes();
    links.truncate(10 << 20);
    vec![
        ("div", fill("<div>")),
        ("links", links),
        ("bold", fill("<b><i>x")),
        ("attributes", [b"<a ".to_vec(), fill("a=b ")].concat()),
        ("value", [b"<a href='".to_vec(), fill("&amp;x")].concat()),
        ("references", fill("&amp;&lt;x")),
        ("text", fill("words and ")),
        ("octets", vec![0xe9; 10 << 20]),
        ("nul", vec![0; 10 << 20]),
        ("brackets", fill("<")),
        ("comments", fill("<!-- x -->")),
        ("headings", fill("<h1>x</h1>")),
        ("scripts", fill("<script><!--<script>")),
        ("drawings", fill("<svg><a xlink:href=x>")),
    ]
}

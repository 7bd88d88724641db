//! What servers do in the cases that other crawlers are shown, too: the tests and `compared` start the same.

use super::coding::{PAGE, brotli, gzip};
use super::site::{Peer, Site, answer, page, to};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// N1: accepts and never answers.
pub(super) fn silent() -> Site {
    Site::start(|peer, _| peer.wait())
}

/// N2: its head never ends.
pub(super) fn endless_head() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\n");
        peer.send_for_ever("X-Slow: 1\r\n", Duration::from_millis(20));
    })
}

/// N3: an octet of the body every 50 ms.
pub(super) fn trickle() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        peer.send_for_ever("x", Duration::from_millis(50));
    })
}

/// N4: a body without end.
pub(super) fn endless_body() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>endless</title>");
        peer.send_for_ever([b'x'; 4_096], Duration::ZERO);
    })
}

/// N5: breaks off in the body.
pub(super) fn broken_off() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    })
}

/// N6: six pages in a row; says nothing of closing, and closes.
pub(super) fn closes_without_a_word() -> Site {
    Site::start(|peer, path| {
        let next: usize = path[1..].parse().unwrap_or_default();
        let links = if next < 5 { format!("<a href='/{}'>x</a>", next + 1) } else { String::new() };
        peer.page("", links);
    })
}

/// N6: a page with fifty links; the same.
pub(super) fn closes_without_a_word_fifty_times() -> Site {
    Site::start(|peer, path| {
        peer.page("", if path == "/" { fifty_links() } else { format!("<p>page {path}") });
    })
}

fn fifty_links() -> String {
    (0..50).map(|number| format!("<a href='/{number}'>x</a>")).collect::<Vec<_>>().concat()
}

/// N7: closes without a byte.
pub(super) fn empty_reply() -> Site {
    Site::start(|_, _| ())
}

/// P1: other protocols.
pub(super) fn not_http_1() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 6] = [
        b"<html>HTTP/0.9</html>\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/3 200\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"220 mail ESMTP\r\n\r\n",
    ];
    answers.map(<[u8]>::to_vec).to_vec()
}

/// P2: statuses that are none.
pub(super) fn no_statuses() -> Vec<Vec<u8>> {
    let line = |status| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes();
    ["099", "1000", "20", "-200", "abc", ""].map(line).to_vec()
}

/// P7, P8, P9: fields that are folded, have a space before the colon, and stand among lines that are none.
pub(super) fn odd_fields() -> [&'static [u8]; 3] {
    [
        b"ETag: \"a\r\n b\r\n\tc\"\r\n",
        b"ETag : \"x\"\r\n",
        b"no colon here\r\n(bad): x\r\n: none\r\nETag: \"x\"\r\n",
    ]
}

/// A page with fields as they are.
pub(super) fn with_fields(fields: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", fields, b"\r\nok"].concat()
}

/// P11: a field of 2 MiB.
pub(super) fn huge_field() -> Vec<Vec<u8>> {
    vec![format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\n\r\n", "x".repeat(2 << 20)).into_bytes()]
}

/// P13: 101, 256 and 257 fields.
pub(super) fn many_fields() -> Vec<Vec<u8>> {
    let fields = |count: usize| {
        let mut head = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
        for number in 1..count {
            write!(head, "X-Field-{number}: {number}\r\n").unwrap();
        }
        (head + "\r\nok").into_bytes()
    };
    [101, 256, 257].map(fields).to_vec()
}

/// P15: ten interim answers for /few, and for ever.
pub(super) fn interim_answers() -> Site {
    Site::start(|peer, path| {
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        if path == "/few" {
            peer.send(hint.repeat(10));
            peer.page("", "x");
        } else {
            peer.send_for_ever(hint.repeat(100), Duration::ZERO);
        }
    })
}

/// P16: 100 Continue for ever.
pub(super) fn continues_for_ever() -> Site {
    Site::start(|peer, _| {
        peer.send_for_ever("HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(50));
    })
}

/// P17: switches protocols unasked.
pub(super) fn switches() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 2] = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
    ];
    answers.map(<[u8]>::to_vec).to_vec()
}

/// P18: another answer where no body can be.
pub(super) fn smuggled() -> Site {
    let smuggled =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<title>wrong</title>";
    Site::start(move |peer, path| {
        peer.stays = true;
        match path {
            "/none" => peer.send(format!("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n{smuggled}")),
            "/same" => peer.send(format!("HTTP/1.1 304 Not Modified\r\n\r\n{smuggled}")),
            _ => peer.send(page("", "<title>right</title>")),
        };
    })
}

/// P19: lengths that are too long.
pub(super) fn promises_too_much() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 2] =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"];
    answers.map(<[u8]>::to_vec).to_vec()
}

fn of_length(length: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// P21: lengths that cannot be.
pub(super) fn no_lengths() -> Vec<Vec<u8>> {
    let lengths = ["3\r\nContent-Length: 4", "-3", "+3", "99999999999999999999999", "3, 4", "0x3", "3 4"];
    lengths.map(|length| of_length(length, "abcd")).to_vec()
}

/// P23: lengths that are huge.
pub(super) fn huge_lengths() -> Vec<Vec<u8>> {
    let lengths = [i64::MAX.to_string(), u64::MAX.to_string(), (1_u64 << 40).to_string()];
    lengths.map(|length| of_length(&length, "abc")).to_vec()
}

/// P24: a length and chunks.
pub(super) fn length_and_chunks() -> Site {
    Site::start(|peer, path| {
        peer.stays = true;
        if path == "/both" {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
            let smuggled = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<title>wrong</title>";
            peer.send(format!("{head}f\r\n<title>x</title\r\n1\r\n>\r\n0\r\n\r\n{smuggled}"));
        } else {
            peer.page("", "<title>right</title>");
        }
    })
}

fn chunked(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

/// P26: chunks of sizes that are none.
pub(super) fn broken_chunks() -> Vec<Vec<u8>> {
    let broken = [
        "zz\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "-1\r\na\r\n0\r\n\r\n",
        "\r\n\r\n",
    ];
    broken.map(chunked).to_vec()
}

/// P26: chunks that break off.
pub(super) fn cut_chunks() -> Vec<Vec<u8>> {
    ["3\r\nabc\r\n", "9\r\nabc", "", "7fffffffffffffff\r\nabc"].map(chunked).to_vec()
}

/// P27: extensions of chunks, and trailers, without end.
pub(super) fn endless_extensions() -> Site {
    Site::start(|peer, path| {
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        if path == "/extensions" {
            let chunk = format!("1;x={}\r\na\r\n", "y".repeat(8_192));
            peer.send_for_ever(chunk, Duration::ZERO);
        } else {
            peer.send("1\r\na\r\n0\r\n");
            peer.send_for_ever("X-Trailer: x\r\n".repeat(100), Duration::ZERO);
        }
    })
}

/// P29: fields, body, whether it is to be read as HTML, and whether it is something else than it says.
pub(super) const TYPES: [(&str, &[u8], bool, bool); 10] = [
    ("", HTML, true, false),
    ("Content-Type: text/html\r\n", HTML, true, false),
    ("Content-Type: text/plain\r\n", HTML, false, false),
    ("Content-Type: text/html\r\nX-Content-Type-Options: nosniff\r\n", HTML, true, false),
    ("X-Content-Type-Options: nosniff\r\n", HTML, false, false),
    ("Content-Type: text/plain\r\nContent-Type: text/html\r\n", HTML, true, false),
    ("Content-Type: nonsense\r\n", HTML, true, false),
    ("Content-Type: text/html\r\n", b"%PDF-1.7 <title>t</title><a href='/found'>x</a>", false, true),
    ("Content-Type: text/html\r\n", b"\x89PNG\r\n\x1a\n<title>t</title>", false, true),
    ("Content-Type: text/plain\r\n", b"\0\x01<title>t</title>", false, true),
];
const HTML: &[u8] = b"<title>t</title><a href='/found'>x</a>";

/// The answers of [`TYPES`], each with a link of its own: /from0 and so on.
pub(super) fn types() -> Vec<Vec<u8>> {
    let one = |(number, (fields, body, ..)): (usize, &(&str, &[u8], bool, bool))| {
        answer(fields, [body, format!("<a href='/from{number}'>x</a>").as_bytes()].concat())
    };
    TYPES.iter().enumerate().map(one).collect()
}

/// P30: a file name that leads elsewhere.
pub(super) fn evil_file_name() -> Vec<Vec<u8>> {
    let fields =
        "Content-Disposition: attachment; filename=\"../../evil\"; filename*=UTF-8''..%2Fevil%00\r\n";
    vec![page(fields, "x")]
}

/// P31: answers to other requests.
pub(super) fn foreign_answers() -> Vec<Vec<u8>> {
    let answer = |status| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes();
    [206, 416, 304].map(answer).to_vec()
}

/// R1: to itself, and back and forth.
pub(super) fn redirects_in_a_loop() -> Site {
    Site::start(|peer, path| {
        let target = match path {
            "/self" => "/self",
            "/ping" => "/pong",
            _ => "/ping",
        };
        peer.send(to(target));
    })
}

/// R2: a chain from /0 without end.
pub(super) fn redirects_in_a_chain() -> Site {
    Site::start(|peer, path| {
        let number: u32 = path[1..].parse().unwrap_or_default();
        peer.send(to(format!("/{}", number + 1)));
    })
}

/// R3: an empty target.
pub(super) fn redirects_to_nothing() -> Vec<Vec<u8>> {
    vec![to(""), to("  ")]
}

/// R6: targets with octets that are not ASCII.
pub(super) fn redirects_to_octets() -> Site {
    Site::start(|peer, path| match path {
        "/latin" => _ = peer.send(to(b"/caf\xe9")),
        "/utf8" => _ = peer.send(to("/café")),
        "/space" => _ = peer.send(to("/a b\tc")),
        _ => peer.page("", "there"),
    })
}

/// R7: other schemes.
pub(super) const SCHEMES: [&str; 5] =
    ["file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "ftp://127.0.0.1/x", "gopher://h/"];

/// R9: a host that forbids /no, and one that redirects there and to /yes.
pub(super) fn redirects_to_another_host() -> [Site; 2] {
    let other = Site::whole(|peer, path| match path {
        "/robots.txt" => {
            peer.send(answer("Content-Type: text/plain\r\n", "User-agent: *\nDisallow: /no\n"));
        }
        _ => peer.page("", "there"),
    });
    let targets = [other.url("/no"), other.url("/yes")];
    let site = Site::start(move |peer, path| match path {
        "/0" => _ = peer.send(to(&targets[0])),
        "/2" => peer.page("", format!("<a href='{}'>x</a>", "/3")),
        _ => _ = peer.send(to(&targets[1])),
    });
    [site, other]
}

/// R10: a site that redirects to addresses of the inside, of which one listens; and the targets.
pub(super) fn redirects_inside() -> ([Site; 2], Vec<String>) {
    let inside = Site::inside();
    let port = inside.address.port();
    let targets = vec![
        "http://169.254.169.254/latest/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:a00:1]:{port}/"),
        "http://192.168.0.1/".to_owned(),
    ];
    ([Site::of(targets.iter().map(to).collect()), inside], targets)
}

/// R11: a redirect with a body without end.
pub(super) fn redirects_with_a_body() -> Site {
    Site::start(|peer, path| {
        if path == "/" {
            peer.send("HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n");
            peer.send_for_ever([b'x'; 4_096], Duration::ZERO);
        } else {
            peer.page("", "there");
        }
    })
}

/// R14: fifty pages that lead to /login.
pub(super) fn redirects_to_login() -> Site {
    Site::start(|peer, path| {
        peer.stays = true;
        match path {
            "/" => peer.page("", fifty_names()),
            "/login" => peer.page("", "<title>Log in</title>"),
            _ => _ = peer.send(to("/login")),
        }
    })
}

/// Fifty links to pages with names.
fn fifty_names() -> String {
    let names = ('a'..='y').flat_map(|first| ['x', 'y'].map(|second| format!("{first}{second}")));
    names.map(|name| format!("<a href=/{name}>x</a>")).collect::<Vec<_>>().concat()
}

/// U1: a link with a user and a password.
pub(super) fn credentials() -> Site {
    Site::start(|peer, path| {
        let link = format!("<a href='//joe:secret@127.0.0.1:{}/a'>x</a>", peer.port());
        peer.page("", if path == "/" { link.as_str() } else { "x" });
    })
}

/// A page /dir/ with this HTML; the others say nothing.
pub(super) fn linked(html: &str) -> Site {
    let html = html.to_owned();
    Site::start(move |peer, path| {
        let body = if path == "/dir/" { html.as_str() } else { "x" };
        peer.send(answer("Content-Type: text/html; charset=utf-8\r\n", body));
    })
}

/// U8: what browsers forgive; and what they ask for.
pub(super) const FORGIVEN: &str = "<a href='\\a'>x</a><a href='..\\b'>x</a><a href='c\td\ne'>x</a><a href=' f '>x</a><a href='http:g'>x</a><a href='/./h/../i'>x</a>";
pub(super) const FORGIVEN_PATHS: [&str; 6] = ["/a", "/b", "/dir/cde", "/dir/f", "/dir/g", "/i"];

/// U10: what is encoded; and what is to be asked for.
pub(super) const ENCODED: &str = "<a href='/a%2Fb'>x</a><a href='/%252e%252e/c'>x</a><a href='/d%zz'>x</a><a href='/e%00'>x</a>\
    <a href='/%7Euser'>x</a><a href='/~user'>x</a><a href='/x/%2e%2e/f'>x</a>";
pub(super) const ENCODED_PATHS: [&str; 6] = ["/%252e%252e/c", "/%7Euser", "/a%2Fb", "/d%zz", "/e%00", "/f"];

/// Pages with codings.
pub(super) fn coded(bodies: &[(&str, Vec<u8>)]) -> Vec<Vec<u8>> {
    let one = |(coding, body): &(&str, Vec<u8>)| page(&format!("Content-Encoding: {coding}\r\n"), body);
    bodies.iter().map(one).collect()
}

/// E1: 1 GiB of zeros as gzip.
pub(super) fn gzip_bomb() -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_024 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    coded(&[("gzip", encoder.finish().unwrap())])
}

/// E2: so many MiB of zeros as brotli.
pub(super) fn brotli_bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    encoder.into_inner()
}

/// E4: two layers, that are to be undone, and a hundred.
pub(super) fn layers() -> Vec<Vec<u8>> {
    let hundred = vec!["gzip"; 100].join(", ");
    coded(&[("gzip, gzip", gzip(&gzip(PAGE))), (&hundred, gzip(PAGE))])
}

/// E5: gzip in three members.
pub(super) fn members() -> Vec<Vec<u8>> {
    let members = [gzip(b"<title>co"), gzip(b""), gzip(b"ded</title>"), vec![0; 512]].concat();
    coded(&[("gzip", members)])
}

/// E7: half a body.
pub(super) fn half_coded() -> Vec<Vec<u8>> {
    let half = |octets: Vec<u8>| octets[..octets.len() / 2].to_vec();
    coded(&[("gzip", half(gzip(PAGE))), ("br", half(brotli(PAGE, 22)))])
}

/// E8: other names of gzip.
pub(super) fn names_of_gzip() -> Vec<Vec<u8>> {
    coded(&[("x-gzip", gzip(PAGE)), ("GZIP", gzip(PAGE)), (" gzip ,", gzip(PAGE))])
}

/// E10: text that is called coded.
pub(super) fn not_coded() -> Vec<Vec<u8>> {
    coded(&["gzip", "br", "deflate"].map(|coding| (coding, PAGE.to_vec())))
}

/// E11: codings that nobody knows.
pub(super) fn unknown_codings() -> Vec<Vec<u8>> {
    coded(&["utf-8", "none", "x-own"].map(|coding| (coding, PAGE.to_vec())))
}

/// Pages with charset parameters.
pub(super) fn charsets(pages: &[(&str, Vec<u8>)]) -> Vec<Vec<u8>> {
    let one = |(charset, body): &(&str, Vec<u8>)| {
        let charset = if charset.is_empty() { String::new() } else { format!("; charset={charset}") };
        answer(&format!("Content-Type: text/html{charset}\r\n"), body)
    };
    pages.iter().map(one).collect()
}

/// A page with a title and no more.
pub(super) fn titled(title: &[u8]) -> Vec<u8> {
    [b"<title>", title, b"</title>"].concat()
}

/// C2: marks against headers. Both titles are ü.
pub(super) fn marked() -> [(&'static str, Vec<u8>); 2] {
    let utf16: Vec<u8> = "\u{feff}<title>ü</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    [("iso-8859-1", utf16), ("utf-16", [b"\xef\xbb\xbf".to_vec(), titled("ü".as_bytes())].concat())]
}

/// C4: labels that nobody should use, on pages in UTF-8.
pub(super) fn labelled() -> [(&'static str, Vec<u8>); 5] {
    let labels = ["x-user-defined", "iso-2022-kr", "hz-gb-2312", "utf-7", "none-such"];
    labels.map(|label| (label, titled("über alles".as_bytes())))
}

/// D1: 100,000 div around a link to /x.
pub(super) fn nested_div() -> String {
    format!("{}<a href='/x'>x</a>", "<div>".repeat(100_000))
}

/// D2: what is nested 20,000 deep around a link to /x.
pub(super) const NESTS: [&str; 5] =
    ["<dl><dd>", "<ul><li>", "<form><div>", "<b><i><a href='/y'>", "<p><button>"];

pub(super) fn nested(nest: &str) -> String {
    format!("{}<a href='/x'>x</a>", nest.repeat(20_000))
}

/// D3: 100,000 attributes on two tags; the link to /x comes before those of its tag.
pub(super) fn many_attributes() -> String {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=v")).collect::<Vec<_>>().concat();
    format!("<a href='/x'{attributes}>x</a><a{attributes} href='/y'>y</a>")
}

/// D9: two million character references.
pub(super) fn references() -> String {
    format!("<p>{}", "&amp;".repeat(2_000_000))
}

/// D16: documents of 10 MiB.
pub(super) fn monsters() -> Vec<(&'static str, Vec<u8>)> {
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

/// A site whose robots.txt is sent by `send`; its page links to /no and /yes.
pub(super) fn with_robots(send: impl Fn(&mut Peer) + Send + Sync + 'static) -> Site {
    Site::whole(move |peer, path| match path {
        "/robots.txt" => send(peer),
        "/" => peer.page("", "<a href='/no'>x</a><a href='/yes'>x</a>"),
        _ => peer.page("", "x"),
    })
}

/// B1: without end. 512,000 octets end within `Allow: /no/x...`, which would widen what is forbidden.
pub(super) fn endless_robots() -> Site {
    with_robots(|peer| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /no\n");
        peer.send_for_ever(format!("Allow: /{}\n", "x".repeat(1_000)), Duration::ZERO);
    })
}

/// B2: a page in its place.
pub(super) fn page_for_robots() -> Site {
    with_robots(|peer| peer.page("", "<!doctype html>\n<title>Home</title>\n<p>User-agent is nobody"))
}

/// B4, B5, B6: a status and no more.
pub(super) fn status_for_robots(status: u16, fields: &'static str) -> Site {
    with_robots(move |peer| {
        peer.send(format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n"));
    })
}

/// B7: silence.
pub(super) fn silence_for_robots() -> Site {
    with_robots(super::site::Peer::wait)
}

/// B9: files of rules that explode.
pub(super) fn exploding_rules() -> [String; 3] {
    let many: String = (0..15_000).map(|n| format!("Disallow: /*a*{n}$\n")).collect::<Vec<_>>().concat();
    [
        format!("User-agent: *\nDisallow: /{}b\n", "*a".repeat(255_000)),
        format!("User-agent: *\n{many}"),
        format!("User-agent: *\n{}", "Disallow: /*a*a*a*a*b\n".repeat(20_000)),
    ]
}

/// Crawl-delay: a second.
pub(super) fn delaying_robots() -> Site {
    with_robots(|peer| {
        peer.send(answer(
            "Content-Type: text/plain\r\nConnection: close\r\n",
            "User-agent: *\nCrawl-delay: 1\n",
        ));
    })
}

/// M3: sitemaps that name the next, and themselves.
pub(super) fn sitemaps_in_a_chain() -> Site {
    Site::whole(|peer, path| {
        let host = format!("http://127.0.0.1:{}", peer.port());
        let body = match path {
            "/robots.txt" => format!("Sitemap: {host}/sitemap.xml\n"),
            "/" => "x".to_owned(),
            _ => {
                let number = path.strip_prefix("/i").and_then(|number| number.parse().ok());
                let next: u32 = number.unwrap_or(0) + 1;
                format!(
                    "<sitemapindex><sitemap><loc>{host}/i{next}</loc></sitemap><sitemap><loc>{host}{path}</loc></sitemap></sitemapindex>"
                )
            }
        };
        peer.send(answer("Content-Type: text/xml\r\nConnection: close\r\n", body));
    })
}

/// K1: 429 with a Retry-After.
pub(super) fn too_many_requests(field: &'static str) -> Site {
    Site::start(move |peer, _| {
        peer.send(format!("HTTP/1.1 429 X\r\nRetry-After: {field}\r\nContent-Length: 0\r\n\r\n"));
    })
}

/// K1: 429 with Retry-After: 3 for as long, and pages then.
pub(super) fn busy_for_three_seconds() -> Site {
    let first = Mutex::new(None);
    Site::start(move |peer, _| {
        #[expect(clippy::disallowed_methods, reason = "a server's own clock")]
        let now = Instant::now();
        let first = *first.lock().unwrap().get_or_insert(now);
        if now - first < Duration::from_secs(3) {
            peer.send("HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        } else {
            peer.page("", "<title>t</title>");
        }
    })
}

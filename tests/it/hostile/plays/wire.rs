//! Answers that break HTTP, or keep it badly.

use crate::hostile::site::{Site, answer, page};
use std::fmt::Write as _;
use std::time::Duration;

/// N1: accepts and never answers.
pub(in crate::hostile) fn silent() -> Site {
    Site::start(|peer, _| peer.wait())
}

/// N2: its head never ends.
pub(in crate::hostile) fn endless_head() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\n");
        peer.send_for_ever("X-Slow: 1\r\n", Duration::from_millis(20));
    })
}

/// N3: an octet of the body every 50 ms.
pub(in crate::hostile) fn trickle() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        peer.send_for_ever("x", Duration::from_millis(50));
    })
}

/// N4: a body without end.
pub(in crate::hostile) fn endless_body() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>endless</title>");
        peer.send_for_ever([b'x'; 4_096], Duration::ZERO);
    })
}

/// N5: breaks off in the body.
pub(in crate::hostile) fn broken_off() -> Site {
    Site::start(|peer, _| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    })
}

/// N6: six pages in a row; says nothing of closing, and closes.
pub(in crate::hostile) fn closes_without_a_word() -> Site {
    Site::start(|peer, path| {
        let next: usize = path[1..].parse().unwrap_or_default();
        let links = if next < 5 { format!("<a href='/{}'>x</a>", next + 1) } else { String::new() };
        peer.page("", links);
    })
}

/// N6: a page with fifty links; the same.
pub(in crate::hostile) fn closes_without_a_word_fifty_times() -> Site {
    Site::start(|peer, path| {
        peer.page("", if path == "/" { fifty_links() } else { format!("<p>page {path}") });
    })
}

/// The race of N6, lost each time: keeps a connection, and closes it once the next request has come.
pub(in crate::hostile) fn closes_under_the_next_request() -> Site {
    Site::start(|peer, path| {
        if peer.requests == 1 {
            peer.stays = true;
            peer.page("", if path == "/" { fifty_links() } else { format!("<p>page {path}") });
        }
    })
}

fn fifty_links() -> String {
    (0..50).map(|number| format!("<a href='/{number}'>x</a>")).collect::<Vec<_>>().concat()
}

/// N7: closes without a byte.
pub(in crate::hostile) fn empty_reply() -> Site {
    Site::start(|_, _| ())
}

/// P1: other protocols.
pub(in crate::hostile) fn not_http_1() -> Vec<Vec<u8>> {
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
pub(in crate::hostile) fn no_statuses() -> Vec<Vec<u8>> {
    let line = |status| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes();
    ["099", "1000", "20", "-200", "abc", ""].map(line).to_vec()
}

/// P7, P8, P9: fields that are folded, have a space before the colon, and stand among lines that are none.
pub(in crate::hostile) fn odd_fields() -> [&'static [u8]; 3] {
    [
        b"ETag: \"a\r\n b\r\n\tc\"\r\n",
        b"ETag : \"x\"\r\n",
        b"no colon here\r\n(bad): x\r\n: none\r\nETag: \"x\"\r\n",
    ]
}

/// A page with fields as they are.
pub(in crate::hostile) fn with_fields(fields: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", fields, b"\r\nok"].concat()
}

/// P11: a field of 2 MiB.
pub(in crate::hostile) fn huge_field() -> Vec<Vec<u8>> {
    vec![format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\n\r\n", "x".repeat(2 << 20)).into_bytes()]
}

/// P13: 101, 256 and 257 fields.
pub(in crate::hostile) fn many_fields() -> Vec<Vec<u8>> {
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
pub(in crate::hostile) fn interim_answers() -> Site {
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
pub(in crate::hostile) fn continues_for_ever() -> Site {
    Site::start(|peer, _| {
        peer.send_for_ever("HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(50));
    })
}

/// P17: switches protocols unasked.
pub(in crate::hostile) fn switches() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 2] = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
    ];
    answers.map(<[u8]>::to_vec).to_vec()
}

/// P18: another answer where no body can be.
pub(in crate::hostile) fn smuggled() -> Site {
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
pub(in crate::hostile) fn promises_too_much() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 2] =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"];
    answers.map(<[u8]>::to_vec).to_vec()
}

fn of_length(length: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// P21: lengths that cannot be.
pub(in crate::hostile) fn no_lengths() -> Vec<Vec<u8>> {
    let lengths = ["3\r\nContent-Length: 4", "-3", "+3", "99999999999999999999999", "3, 4", "0x3", "3 4"];
    lengths.map(|length| of_length(length, "abcd")).to_vec()
}

/// P23: lengths that are huge.
pub(in crate::hostile) fn huge_lengths() -> Vec<Vec<u8>> {
    let lengths = [i64::MAX.to_string(), u64::MAX.to_string(), (1_u64 << 40).to_string()];
    lengths.map(|length| of_length(&length, "abc")).to_vec()
}

/// P24: a length and chunks.
pub(in crate::hostile) fn length_and_chunks() -> Site {
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
pub(in crate::hostile) fn broken_chunks() -> Vec<Vec<u8>> {
    let broken = [
        "zz\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "-1\r\na\r\n0\r\n\r\n",
        "\r\n\r\n",
    ];
    broken.map(chunked).to_vec()
}

/// P26: chunks that break off.
pub(in crate::hostile) fn cut_chunks() -> Vec<Vec<u8>> {
    ["3\r\nabc\r\n", "9\r\nabc", "", "7fffffffffffffff\r\nabc"].map(chunked).to_vec()
}

/// P27: extensions of chunks, and trailers, without end.
pub(in crate::hostile) fn endless_extensions() -> Site {
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
pub(in crate::hostile) const TYPES: [(&str, &[u8], bool, bool); 10] = [
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
pub(in crate::hostile) fn types() -> Vec<Vec<u8>> {
    let one = |(number, (fields, body, ..)): (usize, &(&str, &[u8], bool, bool))| {
        answer(fields, [body, format!("<a href='/from{number}'>x</a>").as_bytes()].concat())
    };
    TYPES.iter().enumerate().map(one).collect()
}

/// P30: a file name that leads elsewhere.
pub(in crate::hostile) fn evil_file_name() -> Vec<Vec<u8>> {
    let fields =
        "Content-Disposition: attachment; filename=\"../../evil\"; filename*=UTF-8''..%2Fevil%00\r\n";
    vec![page(fields, "x")]
}

/// P31: answers to other requests.
pub(in crate::hostile) fn foreign_answers() -> Vec<Vec<u8>> {
    let answer = |status| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes();
    [206, 416, 304].map(answer).to_vec()
}

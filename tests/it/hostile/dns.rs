//! Names: a resolver of ours in a network of its own, which says what a hostile one would.

use super::judging::crawl;
use super::shown;
use super::site::Site;
use crate::namespace::again_inside;
use std::net::UdpSocket;
use std::time::Duration;

/// N12: resolvers.
#[test]
fn n12_a_resolver_that_fails_or_is_slow_is_told_from_a_name_that_does_not_exist() {
    let test = "hostile::dns::n12_a_resolver_that_fails_or_is_slow_is_told_from_a_name_that_does_not_exist";
    if again_inside(test, "timeout:5 attempts:1", "ip link set lo up").is_none() {
        return names_of_four_kinds();
    }
    shown(
        "N12",
        "SERVFAIL and silence are dns, NXDOMAIN is no-such-host; a wildcard makes no host that is in scope",
    );
}

/// Within the network.
fn names_of_four_kinds() {
    serve_names();
    let site = Site::start(|peer, path| {
        let port = peer.port();
        let links: String = (0..20)
            .map(|n| format!("<a href=http://n{n}.wild.example:{port}/>x</a>"))
            .collect::<Vec<_>>()
            .concat();
        peer.page("", if path == "/" { links } else { String::new() });
    });
    let port = site.address.port();
    let url = |name: &str| format!("http://{name}:{port}/");
    let urls = ["gone.example", "failing.example", "silent.example", "a.wild.example"].map(url);
    let crawled = crawl(&urls, &["--timeout", "2s", "--allow-private", "127.0.0.0/8"]);
    crawled.became(&urls[0]).failed("no-such-host");
    crawled.became(&urls[1]).failed("dns");
    let silent = crawled.became(&urls[2]);
    silent.failed("dns");
    assert!(silent.why.contains("no answer about silent.example in time"), "{silent:?}");
    crawled.became(&urls[3]).stored();
    assert_eq!(crawled.value("select count(*) from skipped where reason = 'out-of-scope'"), 20);
}

/// Answers by the second last label of a name: `gone` does not exist, `failing` fails, `silent` is not answered; any other
/// name is 127.0.0.1.
fn serve_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((octets, from)) = socket.recv_from(&mut query) {
            let query = &query[..octets];
            let holds = |label: &str| memchr::memmem::find(query, label.as_bytes()).is_some();
            if holds("silent") {
                continue;
            }
            let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
            let is_v4 = query[end - 4..end - 2] == [0, 1];
            let code = if holds("failing") {
                2
            } else if holds("gone") {
                3
            } else {
                0
            };
            let answers = u8::from(code == 0 && is_v4);
            let mut reply = query[..2].to_vec();
            reply.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
            reply.extend(&query[12..end]);
            if answers > 0 {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            std::thread::sleep(Duration::from_millis(5));
            _ = socket.send_to(&reply, from);
        }
    });
}

//! Redirects that lead astray.

use super::judging::crawl;
use super::plays;
use super::shown;
use super::site::{Site, page, to};

/// R1: loops.
#[test]
fn r1_a_loop_of_redirects_ends_where_it_began() {
    let site = plays::redirects_in_a_loop();
    let urls = ["/self", "/ping"].map(|path| site.url(path));
    let crawled = crawl(&urls, &[]);
    crawled.became(&urls[0]).failed("redirect-loop");
    assert_eq!(crawled.became(&urls[1]).state, "redirected");
    let mut paths = site.paths();
    paths.sort();
    assert_eq!(paths, ["/ping", "/pong", "/self"]);
    shown("R1", "to itself: redirect-loop; back and forth: each URL is asked for once");
}

/// R2: chains.
#[test]
fn r2_a_chain_ends_after_ten() {
    let site = plays::redirects_in_a_chain();
    let crawled = crawl(&[site.url("/0")], &[]);
    assert_eq!(site.paths().len(), 11);
    crawled.became(&site.url("/10")).failed("too-many-redirects");
    shown("R2", "10 redirects are followed, the eleventh is too-many-redirects");
}

/// R3: an empty target.
#[test]
fn r3_an_empty_location_is_none() {
    let site = Site::of(plays::redirects_to_nothing());
    let crawled = crawl(&site.urls(2), &[]);
    crawled.all_failed(&site.urls(2), "redirect-invalid");
    assert_eq!(site.paths().len(), 2);
    shown("R3", "redirect-invalid, after one request");
}

/// R4: no target.
#[test]
fn r4_a_location_that_leads_nowhere_is_final() {
    let site = Site::of(vec![
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        to("http://[::1/"),
        to("http://"),
        to("https://exa mple.org:99999/"),
    ]);
    let crawled = crawl(&site.urls(4), &["--retries", "2"]);
    crawled.all_failed(&site.urls(4), "redirect-invalid");
    assert_eq!(site.paths().len(), 4);
    shown("R4", "redirect-invalid; it is not tried again");
}

/// R6: octets.
#[test]
fn r6_octets_of_a_location_are_sent_back_as_they_came() {
    let site = plays::redirects_to_octets();
    let urls = ["/latin", "/utf8", "/space"].map(|path| site.url(path));
    let crawled = crawl(&urls, &[]);
    crawled.all_stored(&["/caf%E9", "/caf%C3%A9", "/a%20bc"].map(|path| site.url(path)));
    shown("R6", "/caf%E9, /caf%C3%A9 and /a%20bc were asked for");
}

/// R7: schemes.
#[test]
fn r7_a_redirect_to_another_scheme_is_refused() {
    let targets = plays::SCHEMES;
    let site = Site::of(targets.iter().map(to).collect());
    let crawled = crawl(&site.urls(targets.len()), &["--scope", "any"]);
    crawled.all_failed(&site.urls(targets.len()), "redirect-invalid");
    for (url, target) in site.urls(targets.len()).iter().zip(targets) {
        let scheme = target.split(':').next().unwrap();
        assert!(crawled.became(url).detail.contains(&format!("scheme \"{scheme}\"")), "{target}");
    }
    shown("R7", "redirect-invalid, with the scheme");
}

/// R9: other hosts.
#[test]
fn r9_the_other_host_is_asked_under_its_own_robots_txt() {
    let [site, other] = plays::redirects_to_another_host();
    let (no, yes) = (other.url("/no"), other.url("/yes"));
    let crawled = crawl(&[site.url("/0"), site.url("/1"), site.url("/2")], &[]);
    assert_eq!(crawled.became(&no).state, "excluded");
    crawled.became(&yes).stored();
    assert_eq!(other.paths(), ["/yes"]);
    assert_eq!(other.log()[0].path, "/robots.txt");
    shown("R9", "its target waits in the queue of its own host, whose robots.txt forbade one of two");
}

/// R10: inside.
#[test]
fn r10_a_redirect_to_a_private_address_is_not_followed() {
    let ([site, inside], targets) = plays::redirects_inside();
    let crawled = crawl(&site.urls(targets.len()), &["--scope", "any", "--timeout", "2s"]);
    for target in &targets {
        let reason = crawled.value(&format!("select reason from dead_letters where url = '{target}'"));
        assert!(reason == "forbidden-address", "{target}: {reason}");
    }
    assert_eq!(inside.connections(), 0);
    shown("R10", "forbidden-address for each of 4; no connection was made");
}

/// R11: bodies of redirects.
#[test]
fn r11_the_body_of_a_redirect_is_cut_like_any_other() {
    let site = plays::redirects_with_a_body();
    let crawled = crawl(&[site.url("/")], &["--max-body", "16 KiB"]);
    let became = crawled.became(&site.url("/"));
    assert_eq!(became.state, "redirected");
    crawled.became(&site.url("/a")).stored();
    let bytes = crawled.value("select max(wire_bytes) from fetches").as_i64().unwrap();
    assert!(bytes <= 16_384, "{bytes}");
    shown("R11", &format!("{bytes} octets of it were read, then its connection was closed"));
}

/// R13: methods.
#[test]
fn r13_every_redirect_is_followed_with_get() {
    let site = Site::start(|peer, path| {
        if path.len() == 4 {
            let status = &path[1..];
            peer.send(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /to{status}\r\n\r\n"));
        } else {
            peer.page("", "there");
        }
    });
    let statuses = ["301", "302", "303", "307", "308"];
    let urls: Vec<String> = statuses.iter().map(|status| site.url(&format!("/{status}"))).collect();
    let crawled = crawl(&urls, &[]);
    let targets: Vec<String> = statuses.iter().map(|status| site.url(&format!("/to{status}"))).collect();
    crawled.all_stored(&targets);
    assert!(site.log().iter().all(|asked| asked.head.starts_with("GET ")));
    shown("R13", "301, 302, 303, 307 and 308: all requests were GET");
}

/// R14: login pages.
#[test]
fn r14_a_login_page_is_fetched_once_however_many_urls_lead_to_it() {
    let site = plays::redirects_to_login();
    let crawled = crawl(&[site.url("/")], &[]);
    assert_eq!(site.paths().iter().filter(|path| *path == "/login").count(), 1);
    assert_eq!(crawled.value("select count(*) from urls where state = 'redirected'"), 50);
    let why = crawled.why(&site.url("/login"));
    assert!(why.contains("redirected here"), "{why}");
    shown("R14", "50 URLs that lead to the login page: one request for it, one row");
}

/// R8: from https to http.
#[test]
fn r8_a_downgrade_is_followed_remarked_and_carries_no_secret() {
    let plain = Site::start(|peer, _| peer.page("", "there"));
    let target = plain.url("/plain");
    let site = super::tls::site(move |peer, path| match path {
        "/" => {
            let cookies = "Set-Cookie: safe=1; Secure; Path=/\r\n";
            peer.send(page(cookies, "<a href=/down>x</a>"));
        }
        _ => _ = peer.send(to(&target)),
    });
    let urls = [site.url("/"), site.url("/down")];
    let crawled = crawl(&urls, &["--insecure"]);
    let became = crawled.became(&urls[1]);
    assert_eq!(became.state, "redirected", "{became:?}");
    became.remarked("downgrade");
    crawled.became(&plain.url("/plain")).stored();
    let head = plain.log().last().unwrap().head.to_lowercase();
    assert!(!head.contains("cookie:") && !head.contains("referer:"), "{head}");
    shown("R8", "the target is asked for without cookie and referrer; `downgrade` is remarked");
}

//! Servers behind TLS: bad certificates, handshakes that lead nowhere, and HTTP/2 frame by frame.

use super::judging::{crawl, crawl_with};
use super::shown;
use super::site::{Peer, Site};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::time::Duration;

/// Who vouches for the certificates of these tests.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server whose certificate, for `name`, is what `change` makes of it; sent `times` over.
    fn vouched(&self, name: &str, times: usize, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(vec![certificate.der().clone(); times], &key)
    }
}

fn config(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    _ = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
}

fn self_signed() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    config(vec![params.self_signed(&key).unwrap().der().clone()], &key)
}

/// A site with a certificate of its own making.
pub(crate) fn site(play: impl Fn(&mut Peer, &str) + Send + Sync + 'static) -> Site {
    Site::tls(self_signed(), play)
}

/// N8: bad certificates, and the way to accept them.
#[test]
fn n8_a_bad_certificate_has_a_class_of_its_own_and_is_final_after_two() {
    let authority = Authority::new();
    let page = |peer: &mut Peer, _: &str| peer.page("", "<title>secure</title>");
    let good = Site::tls(authority.vouched("127.0.0.1", 1, |_| ()), page);
    let expired = authority.vouched("127.0.0.1", 1, |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let expired = Site::tls(expired, page);
    let other = Site::tls(authority.vouched("other.example", 1, |_| ()), page);
    let own = Site::tls(self_signed(), page);
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, &authority.pem).unwrap();
    let trusted = [("SSL_CERT_FILE", trusted.to_str().unwrap())];
    let urls = [&good, &expired, &other, &own].map(|site| site.url("/"));
    let crawled = crawl_with(&urls, &["--retries", "5", "--wait", "20s"], &trusted);
    crawled.became(&urls[0]).stored();
    for (url, class) in urls[1..].iter().zip(["tls-expired", "tls-name", "tls-untrusted"]) {
        let became = crawled.became(url);
        became.failed(class);
        assert_eq!(became.attempts, 2, "{became:?}");
    }
    let accepting = crawl(&urls, &["--insecure"]);
    accepting.all_stored(&urls);
    assert!(crate::program::said(&accepting.output).contains("any certificate is accepted"));
    shown(
        "N8",
        "tls-expired, tls-name, tls-untrusted, each final after two attempts; --insecure accepts them and says so",
    );
}

/// N9: handshakes.
#[test]
fn n9_a_handshake_that_leads_nowhere_ends_with_a_class() {
    let silent = Site::raw(|mut stream| {
        let mut buffer = [0; 1_024];
        while stream.read(&mut buffer).is_ok_and(|octets| octets > 0) {}
    });
    let old = Site::raw(|mut stream| {
        _ = stream.read(&mut [0; 4_096]);
        // What a server says that speaks TLS 1.0 only: alert, fatal, protocol_version.
        _ = stream.write_all(&[0x15, 3, 1, 0, 2, 2, 0x46]);
    });
    let hello = Site::raw(|mut stream| {
        _ = stream.read(&mut [0; 4_096]);
        // A ServerHello of TLS 1.0, with RC4.
        let mut body = vec![3, 1];
        body.extend([7; 32]);
        body.extend([0, 0, 5, 0]);
        let mut octets = vec![0x16, 3, 1, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8];
        octets.extend(body);
        _ = stream.write_all(&octets);
        _ = stream.read(&mut [0; 64]);
    });
    let authority = Authority::new();
    let long = Site::tls(authority.vouched("127.0.0.1", 400, |_| ()), |peer, _| peer.page("", "x"));
    let urls = [&silent, &old, &hello, &long].map(|site| site.url("/"));
    let crawled = crawl(&urls, &["--timeout", "1s"]);
    crawled.became(&urls[0]).failed("connect-timeout");
    for url in &urls[1..] {
        crawled.became(url).failed("tls");
    }
    shown("N9", "no handshake in time: connect-timeout; TLS 1.0 and a chain of 400 certificates: tls");
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` and `:status: 404` in HPACK's static table.
const OK: &[u8] = &[0x88];
const NOT_FOUND: &[u8] = &[0x8d];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

/// A server of HTTP/2 without a robots.txt, on which every other request is answered by `play`, with its stream.
fn http2(play: impl Fn(&mut dyn FnMut(&[u8]) -> bool, u32) + Send + Sync + 'static) -> Site {
    let mut config = self_signed();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = std::sync::Arc::new(config);
    Site::raw(move |stream| {
        let session = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
        let mut stream = rustls::StreamOwned::new(session, stream);
        let mut preface = [0; 24];
        if stream.read_exact(&mut preface).is_err() {
            return;
        }
        let send = |stream: &mut rustls::StreamOwned<_, _>, octets: &[u8]| {
            stream.write_all(octets).and_then(|()| stream.flush()).is_ok()
        };
        send(&mut stream, &frame(SETTINGS, 0, 0, &[]));
        loop {
            let mut head = [0; 9];
            if stream.read_exact(&mut head).is_err() {
                return;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            if stream.read_exact(&mut vec![0; length]).is_err() {
                return;
            }
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match (head[3], id) {
                // The first request of a connection is the one for robots.txt.
                (HEADERS, 1) => {
                    _ = send(&mut stream, &frame(HEADERS, END_HEADERS | END_STREAM, 1, NOT_FOUND));
                }
                (HEADERS, id) => play(&mut |octets| send(&mut stream, octets), id),
                _ => {}
            }
        }
    })
}

/// The class as which a page is given up whose server plays `play`, and it was within the limits.
fn class_of(play: impl Fn(&mut dyn FnMut(&[u8]) -> bool, u32) + Send + Sync + 'static) -> String {
    let site = http2(play);
    let crawled = crawl(&[site.url("/")], &["--insecure", "--timeout", "3s"]);
    let became = crawled.became(&site.url("/"));
    became.failed(&became.reason);
    assert_eq!(site.connections(), 1, "{became:?}");
    became.reason
}

/// V1: fields without end.
#[test]
fn v1_fields_without_end_are_cut_off() {
    // A literal field, never indexed: x: 16,000 times y.
    let field = [&[0x00, 1, b'x', 0x7f, 0x81, 0x7c][..], &vec![b'y'; 16_000]].concat();
    let flood = class_of(move |send, id| {
        send(&frame(HEADERS, 0, id, OK));
        while send(&frame(CONTINUATION, 0, id, &field)) {}
    });
    // One field of 3,000 octets goes into the table, and is named 16,000 times by one octet each.
    let bomb = class_of(|send, id| {
        let mut block = OK.to_vec();
        block.extend([0x40, 1, b'x', 0x7f, 0xb9, 0x16]);
        block.extend([b'y'; 3_000]);
        block.extend([0xbe; 13_000]);
        send(&frame(HEADERS, END_HEADERS | END_STREAM, id, &block));
    });
    for class in [&flood, &bomb] {
        assert!(["protocol", "head-too-large", "incomplete"].contains(&&**class), "{class}");
    }
    shown("V1", &format!("CONTINUATION without end: {flood}; 40 MB of fields in 16 KB: {bomb}"));
}

/// V2: frames that hold nothing.
#[test]
fn v2_empty_frames_without_end_are_cut_off() {
    let class = class_of(|send, id| {
        send(&frame(HEADERS, END_HEADERS, id, OK));
        let empty = frame(DATA, 0, id, &[]).repeat(1_000);
        while send(&empty) {}
    });
    assert!(["protocol", "incomplete", "total-timeout"].contains(&&*class), "{class}");
    shown("V2", &class);
}

/// V3: control frames.
#[test]
fn v3_floods_of_control_frames_end_within_the_limits() {
    let flood = |octets: Vec<u8>| class_of(move |send, _| while send(&octets) {});
    let classes = [
        ("PING", flood(frame(PING, 0, 0, &[0; 8]).repeat(500))),
        ("SETTINGS", flood(frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(500))),
        ("RST_STREAM", flood(frame(RST_STREAM, 0, 5, &[0, 0, 0, 8]).repeat(500))),
        (
            "PUSH_PROMISE",
            class_of(|send, id| {
                let promise = [&[0, 0, 0, 2][..], &[0x82, 0x87, 0x84]].concat();
                send(&frame(PUSH_PROMISE, END_HEADERS, id, &promise));
            }),
        ),
    ];
    let known = ["protocol", "incomplete", "first-byte-timeout", "total-timeout"];
    assert!(classes.iter().all(|(_, class)| known.contains(&&**class)), "{classes:?}");
    let words: Vec<String> = classes.iter().map(|(name, class)| format!("{name}: {class}")).collect();
    shown("V3", &words.join(", "));
}

/// A page over HTTP/2, so that the others are what they seem.
#[test]
fn a_page_comes_over_http_2() {
    let site = http2(|send, id| {
        send(&frame(HEADERS, END_HEADERS, id, OK));
        std::thread::sleep(Duration::from_millis(5));
        send(&frame(DATA, END_STREAM, id, b"<title>two</title>"));
    });
    let crawled = crawl(&[site.url("/")], &["--insecure", "--timeout", "3s"]);
    crawled.became(&site.url("/")).stored();
    assert_eq!(crawled.of_page(&site.url("/"), "title"), "two");
}

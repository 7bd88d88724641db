//! Content codings, honest and not.

use super::*;
use crate::crawl::visit::Limit;
use crate::fetch::decode::{Broken, Decoder, Flow};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write as _;

const PAGE: &[u8] =
    b"<!doctype html><title>A page</title><p>With some text that is long enough to be compressed.</p>";

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zlib(octets: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn deflate(octets: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn brotli(octets: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
    encoder.write_all(octets).unwrap();
    encoder.into_inner()
}

/// Sent in pieces of `pieces` octets, each its own segment as far as the system allows.
async fn coded_in(coding: &str, body: &[u8], pieces: usize) -> Result<Answer, Failure> {
    let head = with_body(&format!("Content-Encoding: {coding}\r\n"), body);
    let server = Server::start(move |mut peer| {
        let octets = head.clone();
        async move {
            peer.head().await;
            for piece in octets.chunks(pieces) {
                peer.send(piece).await;
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    get(&client(), server.url("/")).await
}

async fn coded(coding: &str, body: &[u8]) -> Result<Answer, Failure> {
    coded_in(coding, body, usize::MAX).await
}

#[tokio::test]
async fn every_coding_in_any_pieces() {
    for (coding, body) in [
        ("gzip", gzip(PAGE)),
        ("x-gzip", gzip(PAGE)),
        ("GZip", gzip(PAGE)),
        ("deflate", zlib(PAGE)),
        ("deflate", deflate(PAGE)),
        ("br", brotli(PAGE)),
        ("identity", PAGE.to_vec()),
        ("", PAGE.to_vec()),
        ("identity, gzip", gzip(PAGE)),
        ("gzip, gzip", gzip(&gzip(PAGE))),
        ("deflate, br", brotli(&zlib(PAGE))),
        ("br, gzip", gzip(&brotli(PAGE))),
    ] {
        for pieces in [usize::MAX, 7, 1] {
            let answer = coded_in(coding, &body, pieces).await.expect(coding);
            assert_eq!(answer.body, PAGE, "{coding} in pieces of {pieces}");
            assert_eq!(answer.wire_bytes, body.len() as u64);
        }
    }
}

#[tokio::test]
async fn all_members_of_a_gzip_body_and_nothing_behind() {
    let mut members = [gzip(b"hello "), gzip(b""), gzip(b"world")].concat();
    assert_eq!(coded("gzip", &members).await.unwrap().body, b"hello world");
    assert_eq!(coded_in("gzip", &members, 1).await.unwrap().body, b"hello world");
    members.extend([0; 512]);
    assert_eq!(coded("gzip", &members).await.unwrap().body, b"hello world");
    let trailed = [gzip(PAGE), b"<!-- served by a cache -->".to_vec()].concat();
    assert_eq!(coded_in("gzip", &trailed, 5).await.unwrap().body, PAGE);
    let trailed = [brotli(PAGE), b"<!-- served by a cache -->".to_vec()].concat();
    assert_eq!(coded("br", &trailed).await.unwrap().body, PAGE);
}

#[tokio::test]
async fn a_gzip_header_with_every_field() {
    let mut body = vec![0x1F, 0x8B, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0];
    body.extend(b"xyzname\0comment\0cc");
    body.extend(deflate(PAGE));
    for pieces in [usize::MAX, 1] {
        // The trailer is missing too: the data is whole all the same.
        assert_eq!(coded_in("gzip", &body, pieces).await.unwrap().body, PAGE);
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_its_coding_says_passes_as_it_is() {
    for coding in ["gzip", "deflate", "br", "utf-8", "none", "gzip, br"] {
        assert_eq!(coded(coding, PAGE).await.expect(coding).body, PAGE, "{coding}");
        assert_eq!(coded_in(coding, PAGE, 3).await.expect(coding).body, PAGE, "{coding}");
    }
    assert_eq!(coded("gzip", b"ok").await.unwrap().body, b"ok");
    assert_eq!(coded("gzip", b"\x1f").await.unwrap().body, b"\x1f");
}

#[tokio::test]
async fn a_broken_or_unknown_coding_is_a_failure() {
    let cut = |octets: Vec<u8>| octets[..octets.len() / 2].to_vec();
    let mut wrong = gzip(&PAGE.repeat(50));
    wrong[30..60].fill(0xFF);
    for (coding, body) in [
        ("gzip", cut(gzip(PAGE))),
        ("deflate", cut(zlib(PAGE))),
        ("deflate", cut(deflate(PAGE))),
        ("br", cut(brotli(PAGE))),
        ("gzip", b"\x1f\x8b\x08".to_vec()),
        ("gzip", wrong),
        ("gzip, gzip", gzip(&cut(gzip(PAGE)))),
        ("gzip, gzip, gzip", gzip(&gzip(&gzip(PAGE)))),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00some frame of it".to_vec()),
        ("compress", b"\x1f\x9d\x90some frame of it".to_vec()),
    ] {
        assert_eq!(class(coded(coding, &body).await), FailureClass::Coding, "{coding}");
    }
    let hundred = vec!["gzip"; 100].join(", ");
    assert_eq!(class(coded(&hundred, &gzip(PAGE)).await), FailureClass::Coding);
}

#[tokio::test]
async fn bombs_are_cut() {
    let zeros = vec![0; 64 << 20];
    for (coding, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("br", brotli(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("br, br", brotli(&brotli(&zeros))),
    ] {
        let answer = coded(coding, &body).await.expect(coding);
        assert_eq!(answer.truncated, Some(Limit::Ratio), "{coding}");
        assert!(answer.body.len() < 2 << 20, "{coding}: {}", answer.body.len());
    }
    // A ratio below the suspicious one, but more than fits.
    let mut rich: Vec<u8> =
        (0..12 << 20).map(|number: u32| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    rich.truncate(12 << 20);
    for chunk in rich.chunks_mut(64) {
        chunk[8..].fill(b'x');
    }
    let answer = coded("gzip", &gzip(&rich)).await.unwrap();
    assert_eq!((answer.truncated, answer.body.len()), (Some(Limit::Decoded), 10 << 20));
    assert!(answer.body == rich[..10 << 20]);
}

#[tokio::test]
async fn a_large_page_is_whole() {
    let mut state = 1_u32;
    let page: Vec<u8> = (0..3_000_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefgh<>/= \n"[(state >> 24) as usize % 14]
        })
        .collect();
    for (coding, body) in [("gzip", gzip(&page)), ("deflate", deflate(&page)), ("br", brotli(&page))] {
        let answer = coded(coding, &body).await.unwrap();
        assert!(answer.body == page, "{coding}");
        assert_eq!(answer.truncated, None);
    }
}

type Encode = fn(&[u8]) -> Vec<u8>;

/// What a decoder makes of `body` in pieces of `pieces` octets.
fn decoded(coding: &str, body: &[u8], pieces: usize) -> Result<Vec<u8>, Broken> {
    let mut decoder = Decoder::new(coding.split(','), 0, 100_000, 100_000)?;
    for piece in body.chunks(pieces) {
        if decoder.push(piece)? == Flow::Full {
            break;
        }
    }
    Ok(decoder.finish()?.octets)
}

proptest::proptest! {
    #[test]
    fn pieces_make_no_difference(
        coding in proptest::sample::select(vec!["gzip", "deflate", "br", "gzip, br", "zstd", "identity"]),
        mut body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        magic in proptest::bool::ANY,
        pieces in 1..40_usize,
    ) {
        if magic {
            body.splice(0..0, *b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
        }
        // Broken or not, whatever it is, it is that in any pieces, and nothing panics.
        let whole = decoded(coding, &body, usize::MAX);
        proptest::prop_assert_eq!(decoded(coding, &body, pieces), whole);
    }

    #[test]
    fn what_was_coded_comes_back(
        words in proptest::collection::vec("[a-z<>/= ]{1,12}", 0..400),
        first in 0..4_usize,
        second in 0..4_usize,
        pieces in 1..100_usize,
    ) {
        let codings: [(&str, Encode); 4] =
            [("gzip", gzip), ("deflate", zlib), ("br", brotli), ("identity", <[u8]>::to_vec)];
        let page = words.concat().into_bytes();
        let body = codings[second].1(&codings[first].1(&page));
        let named = format!("{},{}", codings[first].0, codings[second].0);
        proptest::prop_assert_eq!(decoded(&named, &body, pieces), Ok(page));
    }
}
